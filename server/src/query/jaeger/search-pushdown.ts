import { MAX_NAME_LENGTH } from '../../model/read-entity.ts';
import { attributeText, TRUNCATED_MARKER } from '../../store/attributes.ts';
import { ANY_SPAN_MARKER, eventText, FAILED_SPAN_TEXT, spanNameText } from '../../store/span-texts.ts';
import { type Sql, sql } from '../../store/sql.ts';
import { isPlain } from '../traces/field-predicates.ts';
import { type Prefilter, textsPrefilter } from '../traces/prefilter.ts';
import type { JaegerSearch } from './matches-search.ts';

/*
 * The prefilter of a search: what the rows of a trace must have if one of its spans matches.
 *
 *   a row named as the service, and for each condition a row that may have it
 *   or a span that is not the translation of its row
 *   or, for tags, an exception that arrived as a log record with one of the keys
 *   or, in a store of an earlier version, a document with the words
 */

/** `lastSeqWithoutTexts`: see `lastSeqWithoutSpanTexts`. */
export function pushDownSearch(search: JaegerSearch, lastSeqWithoutTexts: number): Prefilter {
  const { service, operation, tags } = search;
  const ofService: Prefilter = { kind: 'entity', row: sql`name = ${service}`, name: service };
  const keys = Object.keys(tags);
  // The first part with seeds is probed: the parts with an index come first.
  const conditions = [
    ...Object.entries(tags).map(([key, value]) => tagPrefilter(service, key, value)),
    operation === undefined ? undefined : operationPrefilter(operation),
    durationPrefilter(search),
  ].filter((part) => part !== undefined);
  if (conditions.length === 0) return ofService;
  return {
    kind: 'or',
    parts: [
      { kind: 'and', parts: [...conditions.slice(0, MAX_CONDITIONS), ofService] },
      textsPrefilter([ANY_SPAN_MARKER]),
      ...(keys.length > 0 ? [loggedPrefilter(keys)] : []),
      ...(lastSeqWithoutTexts > 0 ? [earlierPrefilter(search, lastSeqWithoutTexts)] : []),
    ],
  };
}

/** Each condition is a subquery or two. More cost more than they save. */
const MAX_CONDITIONS = 3;

function operationPrefilter(operation: string): Prefilter | undefined {
  // The name of a row may be a truncated one.
  if (!isPlain(operation) || operation.length >= MAX_NAME_LENGTH) return undefined;
  return {
    kind: 'or',
    parts: [textsPrefilter([spanNameText(operation)]), { kind: 'entity', row: sql`name = ${operation}` }],
  };
}

/** A span in progress has the duration 0. */
function durationPrefilter({ service, minDurationUs = 0, maxDurationUs }: JaegerSearch): Prefilter | undefined {
  if (minDurationUs <= 0) return undefined;
  const atMost = maxDurationUs === undefined ? [] : [sql`duration_us <= ${Math.ceil(maxDurationUs) + 1}`];
  const atLeast = sql`duration_us >= ${Math.floor(minDurationUs) - 1}`;
  return { kind: 'entity', row: sql.and([atLeast, ...atMost, mayBeOf(service)]) };
}

/** Whether the row may be that of a span of the service. A segment has the name of its service. */
const mayBeOf = (service: string): Sql => sql`(NOT is_segment OR name = ${service})`;

/** Log records are few: their text is searched. */
function loggedPrefilter(keys: readonly string[]): Prefilter {
  const isLog = sql`format = 'otlp-log'`;
  const hasKey = keys.map((key) => (key === 'event' ? sql`true` : hasWord(key)));
  return { kind: 'document', row: sql`${isLog} AND ${sql.or(hasKey)}` };
}

/**
 * Documents from before the rows had names and events of spans. Reads the documents of the service, which takes longer
 * than an index, and much less time than to load its traces.
 */
function earlierPrefilter({ service, operation, tags, window }: JaegerSearch, lastSeq: number): Prefilter {
  const isEarlier = sql`seq <= ${lastSeq}`;
  const ofService = sql`trace_id IN (
    SELECT trace_id FROM entities WHERE ${isEarlier} AND name = ${service} AND start_us >= ${window.fromUs}
  )`;
  const words = [
    sql`position(body, 'openray.') > 0`,
    ...(operation === undefined ? [] : [hasWord(operation)]),
    ...Object.keys(tags).flatMap((key) => [
      sql`(position(body, '"events"') > 0 AND ${key === 'event' ? sql`true` : hasWord(key)})`,
      ...(key === 'error' ? [sql`(format = 'xray' AND multiSearchAny(body, ['"cause"', '"status"']))`] : []),
    ]),
  ];
  return { kind: 'document', row: sql`${isEarlier} AND ${ofService} AND ${sql.or(words)}` };
}

/** Whether the body may have the text as a JSON string. */
function hasWord(text: string): Sql {
  return isPlainWord(text) ? sql`position(body, ${`"${text}"`}) > 0` : sql`true`;
}

/** JSON prints these characters as they are. */
const isPlainWord = (text: string): boolean => /^[\w.\-/: ]+$/.test(text);

/** Undefined for a tag that may be in a trace whose rows do not have it. */
function tagPrefilter(service: string, key: string, value: string): Prefilter | undefined {
  // Lists and maps are JSON in a tag, and an empty value is an empty text.
  if (!isPlain(key) || !isPlain(value) || value === '' || /^[[{]/.test(value)) return undefined;
  const inTexts = textsPrefilter(textsOf(key, value));
  const inColumn = columnPredicate(key, value);
  if (inColumn !== undefined) {
    const row = sql`${inColumn} AND ${mayBeOf(service)}`;
    return { kind: 'or', parts: [inTexts, { kind: 'entity', row }] };
  }
  if (isMovedKey(key)) return undefined;
  return isXrayKey(key) ? { kind: 'or', parts: [inTexts, FROM_XRAY] } : inTexts;
}

const FROM_XRAY: Prefilter = { kind: 'document', row: sql`format = 'xray'` };

/** An attribute of a span, of its resource or of an event of it; an annotation. */
function textsOf(key: string, value: string): readonly string[] {
  const indexed = [key, key.replace(/[^\w.]/g, '_')].flatMap((name) => [name, `otel.resource.${name}`]);
  return [
    ...new Set(indexed.map((name) => attributeText(`annotation.${name}`, value))),
    attributeText(`metadata.default.${key}`, value),
    attributeText(`metadata.default.otel.resource.${key}`, value),
    eventText(key, value),
    ...(key === 'error' && value === 'true' ? [FAILED_SPAN_TEXT] : []),
    TRUNCATED_MARKER,
  ];
}

/** The column that has the tag where the text index does not have it. */
function columnPredicate(key: string, value: string): Sql | undefined {
  switch (key) {
    case 'error':
      return value === 'true' ? sql`(error OR fault OR throttle)` : sql`false`;
    case 'http.response.status_code':
    case 'http.status_code': {
      const status = Number(value);
      // The column is clamped to 16 bits.
      return status > 0 && status < 65_535 ? sql`http_status = ${Math.trunc(status)}` : undefined;
    }
    case 'http.request.method':
    case 'http.method':
      return sql`http_method = ${value}`;
    default:
      return undefined;
  }
}

/**
 * Keys whose value another member of the X-Ray entity has, and tags that no attribute has. The keys with a column are
 * no exception where the column does not have the value.
 */
const MOVED =
  /^(aws\.|enduser\.id$|user_agent\.original$|http\.(user_agent|method|client_ip|url|status_code|status_text|response_content_length)$|http\.request\.(method|method_original|resend_count)$|http\.response\.(status_code|body\.size)$|client\.address$|network\.peer\.address$|net\.peer\.ip$|url\.full$|rpc\.method$|messaging\.(url|destination\.name)$|faas\.(invocation_id|execution|invoked_name)$|db\.(connection_string|system|system\.name|user|query\.text|statement|collection\.name|namespace|name)$|exception\.|event$|otel\.|span\.kind$|w3c\.tracestate$|openray\.)/;

const isMovedKey = (key: string): boolean => MOVED.test(key);

/** Keys that the translation of an X-Ray entity has for other fields than its annotations. */
const FROM_FIELDS =
  /^(url\.|server\.|http\.|user_agent\.|client\.|error\.type$|rpc\.|cloud\.|db\.|faas\.|service\.|process\.runtime\.|host\.|container\.|k8s\.|telemetry\.sdk\.)/;

const isXrayKey = (key: string): boolean => FROM_FIELDS.test(key);
