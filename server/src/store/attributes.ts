import type { Entity } from '../model/entity.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';

/**
 * The strings by which any attribute of an entity is found: `annotation.KEY=VALUE`, `metadata.NAMESPACE.PATH=VALUE`,
 * and `segment.PATH=VALUE` for every other field. A list gives one string a member, at the list's path. Strings stand
 * as they are, numbers and booleans as JSON writes them; null, `{}` and `[]` give none.
 *
 * They narrow a search and never decide it: a long value is cut, "1" and 1 look alike, so does a key with a dot in it
 * and two keys, and an entity has at most MAX_ATTRIBUTES of them.
 */
export const MAX_ATTRIBUTES = 256;
const MAX_TEXT = 256;

/** What has columns of its own or is another entity. */
const NOT_INDEXED: ReadonlySet<string> = new Set([
  'id',
  'trace_id',
  'parent_id',
  'start_time',
  'end_time',
  'annotations',
  'metadata',
  'subsegments',
]);

/** The string to look for with `has(attributes, …)`; `path` begins with `annotation.`, `metadata.` or `segment.`. */
export function attributeText(path: string, value: string | number | boolean): string {
  const text = `${path}=${value}`;
  return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT);
}

/** Annotations first: they are what people search for, and the count is bounded. Stack frames are left out. */
export function attributesOf(entity: Entity): readonly string[] {
  const found: string[] = [];
  for (const [key, value] of Object.entries(entity.annotations)) add(found, `annotation.${key}`, value);
  flatten(found, 'metadata', entity.metadata);
  for (const [key, value] of Object.entries(entity.fields)) {
    if (!NOT_INDEXED.has(key)) flatten(found, `segment.${key}`, value);
  }
  return found;
}

/** Depth first, in document order. A stack of its own: the input decides the depth. */
function flatten(found: string[], root: string, value: JsonValue | undefined): void {
  const waiting: { path: string; value: JsonValue }[] = value === undefined ? [] : [{ path: root, value }];
  while (found.length < MAX_ATTRIBUTES) {
    const next = waiting.pop();
    if (next === undefined) return;
    if (Array.isArray(next.value)) {
      for (const item of next.value.toReversed()) waiting.push({ path: next.path, value: item });
    } else if (isJsonObject(next.value)) {
      for (const [key, item] of Object.entries(next.value).toReversed()) {
        if (key !== 'stack' || root !== 'segment.cause') waiting.push({ path: `${next.path}.${key}`, value: item });
      }
    } else if (next.value !== null) {
      add(found, next.path, next.value as string | number | boolean);
    }
  }
}

function add(found: string[], path: string, value: string | number | boolean): void {
  if (found.length < MAX_ATTRIBUTES) found.push(attributeText(path, value));
}
