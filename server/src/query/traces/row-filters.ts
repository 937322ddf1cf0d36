import type { Comparison, Condition, Field, Identity, Literal, OneOf, Present } from '../../filter/ast.ts';
import type { Keyword } from '../../filter/keywords.ts';
import { doubleOf, isNumber } from '../../model/exact-number.ts';
import { type Sql, sql } from '../../store/sql.ts';

/**
 * Whether a row of `trace_summaries` decides about the condition. Values of single entities, such as metadata or the
 * annotations of one service, are in documents only.
 */
export function isDecidedByRow(condition: Condition): boolean {
  return isDecided(condition, isInRowOfTrace);
}

function isDecided(condition: Condition, isInRow: (field: Field) => boolean): boolean {
  switch (condition.kind) {
    case 'all':
    case 'group':
    case 'rootcause':
    case 'rootcause-json':
      return true;
    case 'and':
    case 'or':
      return condition.operands.every((operand) => isDecided(operand, isInRow));
    case 'not':
      return isDecided(condition.operand, isInRow);
    case 'present':
    case 'comparison':
    case 'in':
      return isInRow(condition.field);
    case 'service':
    case 'edge':
      return condition.where === undefined || isDecided(condition.where, isInRowOfRequest);
  }
}

const isInRowOfTrace = ({ kind }: Field): boolean => kind === 'keyword' || kind === 'annotation';

const REQUEST_KEYWORDS: ReadonlySet<Keyword> = new Set([
  'ok',
  'error',
  'fault',
  'throttle',
  'partial',
  'name',
  'type',
  'root',
  'inferred',
]);

/** `account.id` of a call is that of its entity, thus not in the row. */
const isInRowOfRequest = (field: Field): boolean => field.kind === 'keyword' && REQUEST_KEYWORDS.has(field.keyword);

/**
 * A necessary condition on columns of `trace_summaries`: it holds for the row of every trace that the filter matches, and
 * may hold for others. Undefined when it would rule out no row.
 */
export function rowConditionSql(condition: Condition): Sql | undefined {
  const onColumns = columnConditionSql(condition);
  return onColumns && sql`(${onColumns} OR exact != '')`;
}

function columnConditionSql(condition: Condition): Sql | undefined {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.operands.flatMap((operand) => columnConditionSql(operand) ?? []);
      return parts.length === 0 ? undefined : sql.and(parts);
    }
    case 'or': {
      const parts = condition.operands.map(columnConditionSql);
      return parts.every((part) => part !== undefined) ? sql.or(parts) : undefined;
    }
    case 'present':
    case 'comparison':
    case 'in':
      return fieldConditionSql(condition);
    case 'service':
      return serviceConditionSql(condition.service, condition.where);
    case 'edge':
      return condition.ends && sql.and([condition.ends.from, condition.ends.to].flatMap((end) => nameSql(end) ?? []));
    default:
      return undefined;
  }
}

function fieldConditionSql(term: Present | Comparison | OneOf): Sql | undefined {
  const { field } = term;
  if (field.kind === 'annotation') return annotationConditionSql(field.key, term);
  if (field.kind !== 'keyword') return undefined;
  switch (field.keyword) {
    case 'ok':
      return flagSql(sql`(has_root AND NOT fault AND NOT error AND NOT throttle)`, term);
    case 'error':
      return flagSql(sql`error`, term);
    case 'fault':
      return flagSql(sql`fault`, term);
    case 'throttle':
      return flagSql(sql`throttle`, term);
    case 'partial':
      return flagSql(sql`is_partial`, term);
    case 'inferred':
      return flagSql(sql`has_inferred`, term);
    case 'responsetime':
      return numberSql(sql`toFloat64(response_us) / 1000000`, sql`has_response`, term);
    case 'duration':
      return numberSql(sql`toFloat64(duration_us) / 1000000`, sql`has_duration`, term);
    case 'http.status':
      return numberSql(sql`http_status`, sql`http_status > 0`, term);
    case 'http.url':
      return textSql(term, (texts) => sql`has(${texts}, http_url)`);
    case 'http.method':
      return textSql(term, (texts) => sql`has(${texts}, http_method)`);
    case 'http.useragent':
      return textSql(term, (texts) => sql`has(${texts}, http_user_agent)`);
    case 'http.clientip':
      return textSql(term, (texts) => sql`has(${texts}, http_client_ip)`);
    case 'user':
      return textSql(term, (texts) => sql`hasAny(users, ${texts})`);
    case 'resource.arn':
      return textSql(term, (texts) => sql`hasAny(resource_arns, ${texts})`);
    case 'instance.id':
      return textSql(term, (texts) => sql`hasAny(instance_ids, ${texts})`);
    case 'availabilityzone':
      return textSql(term, (texts) => sql`hasAny(availability_zones, ${texts})`);
    case 'account.id':
      return textSql(term, (texts) => sql`hasAny(account_ids, ${texts})`);
    default:
      return undefined;
  }
}

/** Only for true: every trace with a root has each flag or lacks it, so that false rules out too little. */
function flagSql(flag: Sql, term: Present | Comparison | OneOf): Sql | undefined {
  if (term.kind === 'present') return flag;
  if (term.kind === 'in') return undefined;
  return (term.operator === '=') === (String(term.value.value) === 'true') ? flag : undefined;
}

function numberSql(column: Sql, isKnown: Sql, term: Present | Comparison | OneOf): Sql | undefined {
  if (term.kind === 'present') return isKnown;
  if (term.kind === 'in') {
    const numbers = term.values.flatMap(({ value }) => (isNumber(value) ? [doubleOf(value)] : []));
    return sql`${isKnown} AND has(${sql.typed(numbers, 'Array(Float64)')}, toFloat64(${column}))`;
  }
  const { value } = term.value;
  if (!isNumber(value)) return undefined;
  // The nearest double of a number may be on its other side, so that none of its neighbours is ruled out.
  const bound = sql.typed(doubleOf(value), 'Float64');
  switch (term.operator) {
    case '=':
      return sql`${isKnown} AND ${column} = ${bound}`;
    case '<':
    case '<=':
      return sql`${isKnown} AND ${column} <= ${bound}`;
    case '>':
    case '>=':
      return sql`${isKnown} AND ${column} >= ${bound}`;
    default:
      return isKnown;
  }
}

/** For `=` and `IN` with texts. */
function textSql(
  term: Present | Comparison | OneOf,
  conditionOf: (texts: ReturnType<typeof sql.typed>) => Sql,
): Sql | undefined {
  const values = wantedValues(term);
  if (values === undefined) return undefined;
  const texts = values.filter((value) => typeof value === 'string');
  return conditionOf(sql.typed(texts, 'Array(String)'));
}

function wantedValues(term: Present | Comparison | OneOf): readonly Literal['value'][] | undefined {
  if (term.kind === 'present') return undefined;
  if (term.kind === 'in') return term.values.map(({ value }) => value);
  return term.operator === '=' ? [term.value.value] : undefined;
}

/** A text `true` also stands for the boolean. */
function annotationConditionSql(key: string, term: Present | Comparison | OneOf): Sql {
  const [strings, numbers, booleans] = [sql`annotations_string`, sql`annotations_number`, sql`annotations_bool`];
  const part = term.kind === 'comparison' && term.operator === 'CONTAINS' ? term.value.value : undefined;
  if (typeof part === 'string') {
    const hasPart = sql`arrayExists(text -> position(text, ${part}) > 0, ${strings}[${key}])`;
    return sql.or([hasPart, ...[numbers, booleans].map((map) => sql`mapContains(${map}, ${key})`)]);
  }
  const values = wantedValues(term);
  if (values === undefined || values.some((value) => value === 'true' || value === 'false')) {
    return sql.or([strings, numbers, booleans].map((map) => sql`mapContains(${map}, ${key})`));
  }
  const texts = values.filter((value) => typeof value === 'string');
  const wantedNumbers = values.filter(isNumber).map(doubleOf);
  return sql.or([
    ...(texts.length > 0 ? [sql`hasAny(${strings}[${key}], ${sql.typed(texts, 'Array(String)')})`] : []),
    ...(wantedNumbers.length > 0
      ? [sql`hasAny(${numbers}[${key}], ${sql.typed(wantedNumbers, 'Array(Float64)')})`]
      : []),
    ...(values.some((value) => typeof value === 'boolean') ? [sql`mapContains(${booleans}, ${key})`] : []),
  ]);
}

const FLAG_BITS: ReadonlyMap<Keyword, number> = new Map([
  ['fault', 0],
  ['error', 1],
  ['throttle', 2],
]);

function serviceConditionSql(service: Identity | undefined, where: Condition | undefined): Sql | undefined {
  const name = service && nameSql(service);
  let bits = 0;
  for (let flags = 0; flags < 8; flags++) if (where === undefined || mayHoldWith(flags, where)) bits |= 1 << flags;
  if (bits === ANY_FLAGS) return name;
  const wanted = sql.typed(bits, 'UInt8');
  if (service?.name === undefined) {
    const hasFlag = sql`arrayExists(outcomes -> bitAnd(outcomes, ${wanted}) != 0, service_outcomes)`;
    return name ? sql.and([name, hasFlag]) : hasFlag;
  }
  return sql`arrayExists(
    (name, outcomes) -> name = ${service.name} AND bitAnd(outcomes, ${wanted}) != 0, service_names, service_outcomes
  )`;
}

/** A bit for each combination of flags. */
const ANY_FLAGS = 0xff;

/** Whether the condition may hold for some request with these flags. */
function mayHoldWith(flags: number, where: Condition): boolean {
  switch (where.kind) {
    case 'and':
      return where.operands.every((operand) => mayHoldWith(flags, operand));
    case 'or':
      return where.operands.some((operand) => mayHoldWith(flags, operand));
    case 'present':
    case 'comparison': {
      const bit = where.field.kind === 'keyword' ? FLAG_BITS.get(where.field.keyword) : undefined;
      if (bit === undefined) return true;
      const isSet = ((flags >> bit) & 1) === 1;
      if (where.kind === 'present') return isSet;
      const text = String(where.value.value);
      if ((text !== 'true' && text !== 'false') || (where.operator !== '=' && where.operator !== '!=')) return true;
      return ((where.operator === '=') === (text === 'true')) === isSet;
    }
    default:
      return true;
  }
}

function nameSql({ name, type }: Identity): Sql | undefined {
  const parts = [
    ...(name === undefined ? [] : [sql`has(service_names, ${name})`]),
    ...(type === undefined ? [] : [sql`has(service_types, ${type})`]),
  ];
  return parts.length === 0 ? undefined : sql.and(parts);
}
