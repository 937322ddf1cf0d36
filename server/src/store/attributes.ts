import type { Entity } from '../model/entity.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';
import type { TraceId } from '../model/trace-id.ts';
import { isToProducer } from '../model/trace-links.ts';
import { type Sql, sql } from './sql.ts';

/**
 * The strings by which any attribute of an entity is found: `annotation.KEY=VALUE`, `metadata.NAMESPACE.PATH=VALUE`,
 * and `segment.PATH=VALUE` for every other field. A list gives one string a member, at the list's path. Strings stand
 * as they are, numbers and booleans as JSON writes them; null, `{}` and `[]` give none.
 *
 * They narrow a search and never decide it: a long value is cut, "1" and 1 look alike, so does a key with a dot in it
 * and two keys. Of an entity with more than MAX_ATTRIBUTES or more than 32 levels not all are there, but MORE is.
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
  'type',
  'start_time',
  'end_time',
  'in_progress',
  'fault',
  'error',
  'throttle',
  'annotations',
  'metadata',
  'subsegments',
]);

/** Columns that hold other fields, where these are what X-Ray documents; such a value gives no `segment.PATH` either. */
export const TEXT_COLUMNS: Readonly<Record<string, Sql>> = {
  name: sql`name`,
  origin: sql`origin`,
  namespace: sql`namespace`,
  user: sql`user`,
  resource_arn: sql`resource_arn`,
  'http.request.method': sql`http_method`,
  'http.request.url': sql`http_url`,
  'http.request.user_agent': sql`http_user_agent`,
  'http.request.client_ip': sql`http_client_ip`,
};
/** The same for a number, of the column `http_status`. */
export const STATUS_PATH = 'http.response.status';

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
 * What a document's entities have, each once: they are in the row of its top entity, so that what all of them share is
 * stored and looked up once. Of each entity the annotations come first: they are what people search for, and the count
 * is bounded. Stack frames are left out.
 */
export function attributesOf(entities: readonly Entity[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { annotations, metadata, fields } of entities) {
    const bound = found.size + MAX_ATTRIBUTES;
    for (const key in annotations) collect(found, `annotation.${key}`, annotations[key], bound, 0);
    collect(found, 'metadata', metadata, bound, 0);
    for (const key in fields) collectField(found, key, fields[key], bound);
  }
  return found;
}

function collectField(found: Set<string>, key: string, value: JsonValue | undefined, bound: number): void {
  if (NOT_INDEXED.has(key)) return;
  if (key === 'http' && isJsonObject(value)) {
    for (const part in value) collectHttp(found, `http.${part}`, value[part], bound);
  } else if (key.includes('.') || !isInColumn(key, value)) {
    collect(found, `segment.${key}`, value, bound, 0);
  }
}

function collectHttp(found: Set<string>, path: string, value: JsonValue | undefined, bound: number): void {
  if (!isJsonObject(value)) {
    collect(found, `segment.${path}`, value, bound, 1);
    return;
  }
  for (const key in value) {
    const member = `${path}.${key}`;
    if (!isInColumn(member, value[key])) collect(found, `segment.${member}`, value[key], bound, 2);
  }
}

function isInColumn(path: string, value: JsonValue | undefined): boolean {
  if (typeof value === 'string') return TEXT_COLUMNS[path] !== undefined;
  return typeof value === 'number' && path === STATUS_PATH;
}

/** In the row of the entity itself. All are in: a batch of messages may have thousands, each to be found from its producer. */
export function linksOf({ links }: Entity): readonly string[] {
  if (links.length === 0) return NO_LINKS;
  const toProducers = links.filter(isToProducer);
  return [
    ...new Set(toProducers.map(({ traceId }) => linkText(traceId))),
    ...toProducers.flatMap(({ traceId, id }) => (id === undefined ? [] : [`${linkText(traceId)} ${id}`])),
  ];
}

const NO_LINKS: readonly never[] = [];

/** Depth first, in document order. For every document that is taken: no list of keys is made on the way. */
function collect(found: Set<string>, path: string, value: JsonValue | undefined, bound: number, depth: number): void {
  if (found.size >= bound || depth === MAX_DEPTH) {
    found.add(MORE);
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value) collect(found, path, item, bound, depth + 1);
  } else if (isJsonObject(value)) {
    for (const key in value) {
      if (key !== 'stack' || path !== 'segment.cause.exceptions')
        collect(found, `${path}.${key}`, value[key], bound, depth + 1);
    }
  } else if (value !== undefined && value !== null) {
    found.add(attributeText(path, value as string | number | boolean));
  }
}
