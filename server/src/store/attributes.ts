import type { Entity } from '../model/entity.ts';
import { type AnyNumber, canonicalText, ExactNumber } from '../model/exact-number.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';
import type { TraceId } from '../model/trace-id.ts';
import { isToProducer } from '../model/trace-links.ts';
import { type Sql, sql } from './sql.ts';

/**
 * Indexed strings that find an entity by any attribute: `annotation.KEY=VALUE`, `metadata.NAMESPACE.PATH=VALUE`, and
 * `segment.PATH=VALUE` for every other field. A list gives one string for each member, at the list's path. Strings are
 * unchanged, numbers and booleans are as `String` prints them (of a number that a double cannot hold all digits, too);
 * null, `{}` and `[]` give no string.
 *
 * They are a prefilter and never decide a match: long values are truncated, "1" and 1 give the same string, and so do a
 * key with a dot and two nested keys. An entity with more than MAX_ATTRIBUTES strings or MAX_DEPTH levels is indexed
 * partially and has TRUNCATED_MARKER.
 */
export const MAX_ATTRIBUTES = 256;
/** Marks an entity that is indexed partially: every attribute may be in it. No path starts with this character. */
export const TRUNCATED_MARKER = '…';
/** In UTF-16 code units. */
export const MAX_TEXT_LENGTH = 256;
const MAX_DEPTH = 32;

/** Fields of a segment without a `segment.PATH`: they have columns of their own or are other entities. */
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

/** Columns for other fields, if their value has the type that X-Ray documents; then it has no `segment.PATH` either. */
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

/**
 * The string for `has(attributes, …)`; search for TRUNCATED_MARKER, too. `path` starts with `annotation.`, `metadata.`
 * or `segment.`.
 */
export function attributeText(path: string, value: AttributeValue | AnyNumber): string {
  const text = `${path}=${value instanceof ExactNumber ? canonicalText(value) : value}`;
  return text.length <= MAX_TEXT_LENGTH ? text : text.slice(0, MAX_TEXT_LENGTH);
}

/** Prefix of the strings of links: one for each linked trace, and one with a space and an id for each linked entity. */
export const LINK_PREFIX = 'link=';

/** The string for `has(attributes, …)` that finds the entities that link to a trace. */
export function linkText(traceId: TraceId): string {
  return `${LINK_PREFIX}${traceId}`;
}

/** Key of `annotations_number` that is there if the number of the annotation is a rounded one. */
export function roundedKey(key: string): string {
  return `≈${key}`;
}

export type AttributeValue = string | number | boolean;

/** Values by path, `count` in all. */
export type Attributes = {
  readonly values: ReadonlyMap<string, readonly AttributeValue[]>;
  readonly count: number;
  /** Some attributes are left out. */
  readonly hasMore: boolean;
};

/**
 * Attributes of all entities of a document. They are stored in the row of its top entity, so that shared values are
 * stored and searched once. The annotations of each entity are first, since searches use them most and the count is
 * limited. Stack frames are left out.
 */
export function attributesOf(entities: readonly Entity[]): Attributes {
  const found: AttributeCollector = { values: new Map(), count: 0, maxCount: 0, hasMore: false };
  for (const { annotations, metadata, fields } of entities) {
    found.maxCount = found.count + MAX_ATTRIBUTES;
    for (const key in annotations) collect(found, memberPath('annotation', key), annotations[key], 0);
    collect(found, 'metadata', metadata, 0);
    for (const key in fields) collectField(found, key, fields[key]);
  }
  return found;
}

type AttributeCollector = {
  readonly values: Map<string, AttributeValue[]>;
  count: number;
  /** The count at which the limit of the current entity is reached. */
  maxCount: number;
  hasMore: boolean;
};

function collectField(found: AttributeCollector, key: string, value: JsonValue | undefined): void {
  if (NOT_INDEXED.has(key)) return;
  if (key === 'http' && isJsonObject(value)) {
    for (const part in value) collectHttp(found, memberPath('http', part), value[part]);
  } else if (key.includes('.') || !isInColumn(key, value)) {
    collect(found, memberPath('segment', key), value, 0);
  }
}

function collectHttp(found: AttributeCollector, path: string, value: JsonValue | undefined): void {
  if (!isJsonObject(value)) {
    collect(found, memberPath('segment', path), value, 1);
    return;
  }
  for (const key in value) {
    const member = memberPath(path, key);
    if (!isInColumn(member, value[key])) collect(found, memberPath('segment', member), value[key], 2);
  }
}

function isInColumn(path: string, value: JsonValue | undefined): boolean {
  if (typeof value === 'string') return TEXT_COLUMNS[path] !== undefined;
  return typeof value === 'number' && path === STATUS_PATH;
}

/** Depth first, in document order. Runs for every received document, so it allocates no lists of keys. */
function collect(found: AttributeCollector, path: string, value: JsonValue | undefined, depth: number): void {
  if (found.count >= found.maxCount || depth === MAX_DEPTH) {
    found.hasMore = true;
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value) collect(found, path, item, depth + 1);
  } else if (isJsonObject(value)) {
    for (const key in value) {
      if (key !== 'stack' || path !== 'segment.cause.exceptions') {
        collect(found, memberPath(path, key), value[key], depth + 1);
      }
    }
  } else if (value !== undefined && value !== null) {
    add(found, path, value instanceof ExactNumber ? canonicalText(value) : (value as AttributeValue));
  }
}

/** Lists up to this length are searched before a value is added. A duplicate in a longer list is harmless. */
const MAX_COMPARED = 16;

function add(found: AttributeCollector, path: string, value: AttributeValue): void {
  const known = found.values.get(path);
  if (known === undefined) found.values.set(path, [value]);
  else if (known.length > MAX_COMPARED || !known.includes(value)) known.push(value);
  else return;
  found.count++;
}

/** Paths by parent path and key. Senders repeat the same names, so most paths are found here. */
const pathCache = new Map<string, Map<string, string>>();
const MAX_PATHS = 20_000;
const MAX_CACHED_NAME = 100;
let pathCount = 0;

function memberPath(path: string, key: string): string {
  const cached = pathCache.get(path)?.get(key);
  if (cached !== undefined) return cached;
  const joined = `${path}.${key}`;
  if (joined.length > MAX_CACHED_NAME) return joined;
  if (pathCount === MAX_PATHS) {
    pathCache.clear();
    pathCount = 0;
  }
  const members = pathCache.get(path) ?? new Map<string, string>();
  pathCache.set(path, members);
  members.set(key, joined);
  pathCount++;
  return joined;
}

/**
 * Strings for the row of the entity itself, without a limit: a batch may have thousands of messages, each with a
 * producer.
 */
export function linksOf({ links }: Entity): readonly string[] {
  if (links.length === 0) return NO_LINKS;
  const toProducers = links.filter(isToProducer);
  return [
    ...new Set(toProducers.map(({ traceId }) => linkText(traceId))),
    ...toProducers.flatMap(({ traceId, id }) => (id === undefined ? [] : [`${linkText(traceId)} ${id}`])),
  ];
}

const NO_LINKS: readonly never[] = [];
