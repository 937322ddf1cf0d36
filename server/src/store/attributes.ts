import type { Entity } from '../model/entity.ts';
import { type AnyNumber, canonicalText, ExactNumber } from '../model/exact-number.ts';
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
export const MAX_DEPTH = 32;
/** Values of one path up to this number are searched before one is added. A duplicate in a longer list is harmless. */
export const MAX_COMPARED = 16;

/**
 * A row leaves out the strings of an earlier row of its trace that is stored together with it (see
 * write/shared-texts.ts). Both arrived within SHARED_ARRIVAL_US, on one day; the earlier row starts at most
 * SHARED_START_US after the other. So a condition on single strings finds the trace, by one of the two rows.
 */
export const SHARED_ARRIVAL_US = 2_000_000;
export const SHARED_START_US = 3_600_000_000;

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
export const TEXT_COLUMNS: ReadonlyMap<string, Sql> = new Map([
  ['name', sql`name`],
  ['origin', sql`origin`],
  ['namespace', sql`namespace`],
  ['user', sql`user`],
  ['resource_arn', sql`resource_arn`],
  ['http.request.method', sql`http_method`],
  ['http.request.url', sql`http_url`],
  ['http.request.user_agent', sql`http_user_agent`],
  ['http.request.client_ip', sql`http_client_ip`],
]);
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
