import type { Entity, Link } from '../model/entity.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';
import type { TraceId } from '../model/trace-id.ts';
import { isToProducer } from '../model/trace-links.ts';

/**
 * The strings by which any attribute of an entity is found: `annotation.KEY=VALUE`, `metadata.NAMESPACE.PATH=VALUE`,
 * and `segment.PATH=VALUE` for every other field. A list gives one string a member, at the list's path. Strings stand
 * as they are, numbers and booleans as JSON writes them; null, `{}` and `[]` give none.
 *
 * They narrow a search and never decide it: a long value is cut, "1" and 1 look alike, so does a key with a dot in it
 * and two keys. Of an entity with more than MAX_ATTRIBUTES or more than 32 levels not all are there: it has MORE last.
 */
export const MAX_ATTRIBUTES = 256;
/** No path begins so. What is looked for may be in an entity that has it. */
export const MORE = '…';
/** In UTF-16 code units. */
export const MAX_TEXT = 256;
const MAX_DEPTH = 32;

/** Fields of a segment that give no `segment.PATH`: they have columns of their own or are other entities. */
export const NOT_INDEXED: ReadonlySet<string> = new Set([
  'id',
  'trace_id',
  'parent_id',
  'start_time',
  'end_time',
  'annotations',
  'metadata',
  'subsegments',
]);

/** The string to look for with `has(attributes, …)`, beside MORE; `path` begins with `annotation.`, `metadata.` or `segment.`. */
export function attributeText(path: string, value: string | number | boolean): string {
  const text = `${path}=${value}`;
  return text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT);
}

/** What begins the strings of links: one for each trace linked to, then a space and an id for each entity in it. */
export const LINK_PREFIX = 'link=';

/** The string to look for with `has(attributes, …)` for what links to a trace. */
export function linkText(traceId: TraceId): string {
  return `${LINK_PREFIX}${traceId}`;
}

/**
 * Annotations first: they are what people search for, and the count is bounded. Stack frames are left out. Links are
 * all in: a batch of messages may have thousands, and each must be found from its producer.
 */
export function attributesOf(entity: Entity): readonly string[] {
  const found: string[] = [];
  for (const key in entity.annotations) collect(found, `annotation.${key}`, entity.annotations[key], 0);
  collect(found, 'metadata', entity.metadata, 0);
  for (const key in entity.fields) {
    if (!NOT_INDEXED.has(key)) collect(found, `segment.${key}`, entity.fields[key], 0);
  }
  if (entity.links.length > 0) addLinks(found, entity.links.filter(isToProducer));
  return found;
}

function addLinks(found: string[], links: readonly Link[]): void {
  for (const traceId of new Set(links.map((link) => link.traceId))) found.push(linkText(traceId));
  for (const { traceId, id } of links) if (id !== undefined) found.push(`${linkText(traceId)} ${id}`);
}

/** Depth first, in document order. For every document that is taken: no list of keys is made on the way. */
function collect(found: string[], path: string, value: JsonValue | undefined, depth: number): void {
  if (found.length >= MAX_ATTRIBUTES || depth === MAX_DEPTH) {
    if (!found.includes(MORE)) found.push(MORE);
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value) collect(found, path, item, depth + 1);
  } else if (isJsonObject(value)) {
    for (const key in value) {
      if (key !== 'stack' || path !== 'segment.cause.exceptions')
        collect(found, `${path}.${key}`, value[key], depth + 1);
    }
  } else if (value !== undefined && value !== null) {
    found.push(attributeText(path, value as string | number | boolean));
  }
}
