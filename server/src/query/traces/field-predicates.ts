import type { Comparison, Condition, Field, Literal, OneOf, Operator, Present } from '../../filter/ast.ts';
import type { Keyword } from '../../filter/keywords.ts';
import { type AnyNumber, doubleOf, ExactNumber, isNumber } from '../../model/exact-number.ts';
import { MAX_NAME_LENGTH } from '../../model/read-entity.ts';
import {
  attributeText,
  MAX_TEXT_LENGTH,
  NOT_INDEXED,
  roundedKey,
  STATUS_PATH,
  TEXT_COLUMNS,
  TRUNCATED_MARKER,
} from '../../store/attributes.ts';
import { type Sql, sql } from '../../store/sql.ts';
import { hasAnyText } from './prefilter.ts';

/*
 * Conditions on rows of `entities`. Each holds for every row for whose entity the evaluation in `filter/values` and
 * `filter/compare` is true, and may hold for other rows. Undefined when a row does not contain the field.
 */

export type FieldTerm = Present | Comparison | OneOf;
type Value = Literal['value'];

/** For a row of any entity that has the field. */
export function fieldPredicate(term: FieldTerm): Sql | undefined {
  switch (term.kind) {
    case 'present':
      return presencePredicate(term.field);
    case 'comparison':
      return comparisonPredicate(term.field, term.operator, term.value.value);
    case 'in':
      return anyOf(term.values.map(({ value }) => comparisonPredicate(term.field, '=', value)));
  }
}

/** The part of the condition about outcome, time and HTTP of the one entity that represents a request. */
export function requestPredicate(where: Condition): Sql | undefined {
  switch (where.kind) {
    case 'and': {
      const known = where.operands.map(requestPredicate).filter((row) => row !== undefined);
      return known.length > 0 ? sql.and(known) : undefined;
    }
    case 'or':
      return anyOf(where.operands.map(requestPredicate));
    case 'present':
    case 'comparison':
    case 'in':
      return where.field.kind === 'keyword' && REQUEST_KEYWORDS.has(where.field.keyword)
        ? fieldPredicate(where)
        : undefined;
    default:
      return undefined;
  }
}

const REQUEST_KEYWORDS: ReadonlySet<Keyword> = new Set<Keyword>([
  'ok',
  'error',
  'fault',
  'throttle',
  'responsetime',
  'duration',
  'http.status',
  'http.url',
  'http.method',
  'http.useragent',
  'http.clientip',
]);

/** Whether only the entity that represents a request has the field. */
export const isRequestField = (field: Field): boolean =>
  field.kind === 'keyword' && REQUEST_KEYWORDS.has(field.keyword);

function anyOf(rows: readonly (Sql | undefined)[]): Sql | undefined {
  const known = rows.filter((row) => row !== undefined);
  return known.length === rows.length ? sql.or(known) : undefined;
}

function presencePredicate(field: Field): Sql | undefined {
  switch (field.kind) {
    case 'keyword':
      return keywordPresencePredicate(field.keyword);
    case 'annotation': {
      const { key } = field;
      if (!isPlain(key)) return undefined;
      const hasText = sql`mapContains(annotations_string, ${key})`;
      const hasNumber = sql`mapContains(annotations_number, ${key})`;
      return sql`(${hasText} OR ${hasNumber} OR annotations_bool[${key}])`;
    }
    case 'metadata':
    case 'segment':
      return undefined;
  }
}

function keywordPresencePredicate(keyword: Keyword): Sql | undefined {
  const column = KEYWORD_COLUMNS[keyword];
  if (column !== undefined) return sql`${column} != ''`;
  if (keyword === 'responsetime' || keyword === 'duration') return sql`end_us > 0`;
  return flagPredicate(keyword, true);
}

function comparisonPredicate(field: Field, operator: Operator, value: Value): Sql | undefined {
  switch (field.kind) {
    case 'keyword':
      return keywordPredicate(field.keyword, operator, value);
    case 'annotation':
      return isPlain(field.key) ? annotationPredicate(field.key, operator, value) : undefined;
    case 'metadata':
      return pathPredicate(['metadata', ...field.path], operator, value);
    case 'segment':
      return segmentPredicate(field.path, operator, value);
  }
}

function keywordPredicate(keyword: Keyword, operator: Operator, value: Value): Sql | undefined {
  const column = KEYWORD_COLUMNS[keyword];
  if (column !== undefined) return textPredicate(column, operator, value);
  if (keyword === 'responsetime' || keyword === 'duration') {
    const compared = numberPredicate(sql`duration_us / 1000000`, operator, value);
    return compared && sql`(end_us > 0 AND ${compared})`;
  }
  if (keyword === 'http.status') return statusPredicate(operator, value);
  return flagPredicate(keyword, (operator === '=') === (String(value) === 'true'));
}

/** Columns in which the empty string means "not sent". */
const KEYWORD_COLUMNS: Readonly<Partial<Record<Keyword, Sql>>> = {
  'http.url': sql`http_url`,
  'http.method': sql`http_method`,
  'http.useragent': sql`http_user_agent`,
  'http.clientip': sql`http_client_ip`,
  user: sql`user`,
  'resource.arn': sql`resource_arn`,
  'instance.id': sql`instance_id`,
  availabilityzone: sql`availability_zone`,
  'account.id': sql`account_id`,
};

/** An exception that arrives as a log record, apart from its span, can turn a fault into a throttle. */
const MAY_BE_THROTTLE = sql`fault AND namespace = 'aws'`;

function flagPredicate(keyword: Keyword, isWanted: boolean): Sql | undefined {
  switch (keyword) {
    case 'ok':
      return isWanted ? sql`NOT (error OR fault OR throttle)` : sql`(error OR fault OR throttle)`;
    case 'error':
      return isWanted ? sql`error` : sql`NOT error`;
    case 'fault':
      return isWanted ? sql`fault` : sql`(NOT fault OR ${MAY_BE_THROTTLE})`;
    case 'throttle':
      return isWanted ? sql`(throttle OR ${MAY_BE_THROTTLE})` : sql`NOT throttle`;
    default:
      return undefined;
  }
}

/** The column holds a status clamped to 16 bits: a comparison with 0 or 65535 rules out nothing. */
function statusPredicate(operator: Operator, value: Value): Sql | undefined {
  return typeof value === 'number' && value > 0 && value < 65_535
    ? numberPredicate(sql`http_status`, operator, value)
    : undefined;
}

/** The text `"true"` equals the boolean `true`. Equality is a look-up in the text index. */
function annotationPredicate(key: string, operator: Operator, value: Value): Sql | undefined {
  if (operator === '=') return attributePredicate(`annotation.${key}`, value);
  if (isNumber(value)) {
    const isRounded = sql`mapContains(annotations_number, ${roundedKey(key)})`;
    const compared = roundedPredicate(sql`annotations_number[${key}]`, operator, value, isRounded);
    return compared && sql`(mapContains(annotations_number, ${key}) AND ${compared})`;
  }
  if (typeof value === 'boolean') return annotationFlagPredicate(key, operator, value);
  const asText = annotationTextPredicate(key, operator, value);
  const isFlag = value === 'true' || value === 'false';
  return isFlag ? anyOf([asText, annotationFlagPredicate(key, operator, value === 'true') ?? sql`false`]) : asText;
}

function annotationTextPredicate(key: string, operator: Operator, value: string): Sql | undefined {
  const compared = textPredicate(sql`annotations_string[${key}]`, operator, value);
  return compared && sql`(mapContains(annotations_string, ${key}) AND ${compared})`;
}

function annotationFlagPredicate(key: string, operator: Operator, value: boolean): Sql | undefined {
  if (operator !== '!=') return undefined;
  return sql`(mapContains(annotations_bool, ${key}) AND annotations_bool[${key}] != ${value})`;
}

/** By the text index. Also holds for a row whose list of attributes was truncated. */
export function attributePredicate(path: string, value: Value): Sql {
  const texts = [attributeText(path, value), TRUNCATED_MARKER];
  // Rows of earlier versions have the nearest double.
  if (value instanceof ExactNumber) texts.push(attributeText(path, doubleOf(value)));
  return hasAnyText(texts);
}

/** An X-Ray document may have the field in a column of its own; in other formats the field is an attribute. */
function segmentPredicate(steps: readonly string[], operator: Operator, value: Value): Sql | undefined {
  if (NOT_INDEXED.has(steps[0] ?? '')) return undefined;
  const attribute = pathPredicate(['segment', ...steps], operator, value);
  if (steps.some((step) => step.includes('.'))) return attribute;
  const path = steps.join('.');
  const column = TEXT_COLUMNS.get(path);
  if (column !== undefined && typeof value === 'string')
    return anyOf([attribute, columnPredicate(column, operator, value)]);
  if (path === STATUS_PATH && isNumber(value)) {
    return anyOf([attribute, operator === '=' && Number.isInteger(value) ? statusPredicate('=', value) : undefined]);
  }
  return attribute;
}

/** A name of MAX_NAME_LENGTH may have been truncated, so that the condition holds for it. */
function columnPredicate(column: Sql, operator: Operator, value: string): Sql | undefined {
  const compared = textPredicate(column, operator, value);
  return compared && sql`(length(${column}) >= ${MAX_NAME_LENGTH} OR ${compared})`;
}

/** Rows contain no stack frames, and no exceptions and links that arrive apart from their span. */
const PATHS_NOT_IN_ROWS: readonly string[] = ['segment.cause.exceptions.stack', 'segment.links'];

function pathPredicate(steps: readonly string[], operator: Operator, value: Value): Sql | undefined {
  const path = steps.join('.');
  const prefix = `${path}=`;
  if (!isPlain(path) || prefix.length >= MAX_TEXT_LENGTH || PATHS_NOT_IN_ROWS.some((start) => path.startsWith(start)))
    return undefined;
  if (operator === '=')
    return typeof value === 'string' && !isPlain(value) ? undefined : attributePredicate(path, value);
  const stored = sql`substring(attribute, length(${prefix}) + 1)`;
  const compared = operator === '!=' ? sql`true` : attributeValuePredicate(stored, operator, value);
  if (compared === undefined) return undefined;
  // A text of MAX_TEXT_LENGTH may have been truncated.
  const test = sql`startsWith(attribute, ${prefix}) AND (length(attribute) >= ${MAX_TEXT_LENGTH} OR ${compared})`;
  return sql`(arrayExists(attribute -> ${test}, attributes) OR has(attributes, ${TRUNCATED_MARKER}))`;
}

function attributeValuePredicate(stored: Sql, operator: Operator, value: Value): Sql | undefined {
  if (!isNumber(value)) return textPredicate(stored, operator, value);
  // ClickHouse rounds long texts to a double that may not be the nearest one.
  const isRounded = sql`(length(${stored}) > ${MAX_DOUBLE_DIGITS} OR position(${stored}, 'e') > 0)`;
  const number = sql`toFloat64OrNull(${stored})`;
  const compared = numberPredicate(number, operator, value);
  return compared && sql`(${compared} OR (${isRounded} AND ${number} IS NOT NULL))`;
}

/** A double holds each number with so many digits. */
const MAX_DOUBLE_DIGITS = 15;

/**
 * For a column of doubles that has the nearest one of each number. Rounding keeps the order, but may make numbers
 * equal: that of the row if `isRounded`, or the wanted one.
 */
function roundedPredicate(column: Sql, operator: Operator, value: AnyNumber, isRounded: Sql): Sql | undefined {
  const compared = numberPredicate(column, operator, value);
  if (compared === undefined || operator === '<=' || operator === '>=') return compared;
  const widened = operator === '!=' ? sql`true` : numberPredicate(column, operator === '<' ? '<=' : '>=', value);
  return widened && sql`(${compared} OR (${isRounded} AND ${widened}))`;
}

/** Also holds for a column that equals the nearest double of a number that a double cannot hold. */
function numberPredicate(column: Sql, operator: Operator, value: Value): Sql | undefined {
  if (!isNumber(value)) return undefined;
  const bound = sql.typed(doubleOf(value), 'Float64');
  const isExact = typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
  switch (operator) {
    case '=':
      return sql`${column} = ${bound}`;
    case '!=':
      return isExact ? sql`${column} != ${bound}` : sql`true`;
    case '<':
      return isExact ? sql`${column} < ${bound}` : sql`${column} <= ${bound}`;
    case '<=':
      return sql`${column} <= ${bound}`;
    case '>':
      return isExact ? sql`${column} > ${bound}` : sql`${column} >= ${bound}`;
    case '>=':
      return sql`${column} >= ${bound}`;
    default:
      return undefined;
  }
}

function textPredicate(column: Sql, operator: Operator, value: Value): Sql | undefined {
  if (typeof value !== 'string' || !isPlain(value)) return undefined;
  switch (operator) {
    case '=':
      return sql`${column} = ${value}`;
    case '!=':
      return sql`${column} != ${value}`;
    case 'CONTAINS':
      return sql`position(${column}, ${value}) > 0`;
    case 'BEGINSWITH':
      return sql`startsWith(${column}, ${value})`;
    case 'ENDSWITH':
      return sql`endsWith(${column}, ${value})`;
    case 'MATCHES':
      return CODE_POINT_ESCAPES.test(value) ? undefined : sql`match(${column}, ${value})`;
    default:
      return undefined;
  }
}

/** A lone surrogate is stored as U+FFFD: texts with either may be equal in a row and differ in the document. */
export const isPlain = (text: string): boolean => !/[\p{Surrogate}\ufffd]/u.test(text);

/** Patterns that can match U+FFFD and not a lone surrogate, or the other way round. */
const CODE_POINT_ESCAPES = /\\[pPx]/;
