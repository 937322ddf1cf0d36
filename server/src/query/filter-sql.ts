import type { Comparison, Condition, Field, Identity, OneOf, Operator, Term } from '../filter/ast.ts';
import type { Keyword } from '../filter/keywords.ts';
import { type Sql, sql } from '../store/sql.ts';

/**
 * Condition on `trace_id` that every trace matching the filter fulfils; undefined where SQL can not tell.
 * It may let through more (what really matches is for `filter/matches` to say), never less.
 * `rows` bounds the entity rows that are looked at.
 */
export function narrowSql(condition: Condition, rows: Sql): Sql | undefined {
  switch (condition.kind) {
    case 'and': {
      const known = condition.operands.flatMap((operand) => narrowSql(operand, rows) ?? []);
      return known.length === 0 ? undefined : sql.and(known);
    }
    case 'or': {
      const operands = condition.operands.map((operand) => narrowSql(operand, rows));
      return operands.every((operand) => operand !== undefined) ? sql.or(operands) : undefined;
    }
    case 'all':
    case 'not':
      return undefined;
    default: {
      const conditions = termSql(condition);
      if (conditions.length === 0) return undefined;
      return sql.and(
        conditions.map((row) => sql`trace_id IN (SELECT trace_id FROM entities WHERE ${rows} AND ${row})`),
      );
    }
  }
}

/** Conditions on entity rows, for each of which some entity of a matching trace has to stand. */
function termSql(term: Term): readonly Sql[] {
  switch (term.kind) {
    case 'comparison':
      return comparisonSql(term);
    case 'in':
      return oneOfSql(term);
    case 'present':
      return term.field.kind === 'keyword' ? flagSql(term.field.keyword) : presentSql(term.field);
    case 'service':
      return term.service === undefined ? [] : serviceSql(term.service);
    case 'edge':
      return term.ends === undefined ? [] : [...serviceSql(term.ends.from), ...serviceSql(term.ends.to)];
    case 'rootcause':
    case 'rootcause-json':
    case 'group':
      return [];
  }
}

function flagSql(keyword: Keyword): readonly Sql[] {
  switch (keyword) {
    case 'fault':
      return [sql`is_root AND fault`];
    case 'error':
      return [sql`is_root AND error`];
    case 'throttle':
      return [sql`is_root AND throttle`];
    default:
      return [];
  }
}

function presentSql(field: Field): readonly Sql[] {
  if (field.kind !== 'annotation' || field.end !== undefined) return [];
  const { key } = field;
  return [
    sql`(mapContains(annotations_string, ${key}) OR mapContains(annotations_number, ${key}) OR annotations_bool[${key}])`,
  ];
}

function oneOfSql({ field, values, range }: OneOf): readonly Sql[] {
  const equals = values.map((value) => comparisonSql({ kind: 'comparison', field, operator: '=', value, range }));
  return equals.every((conditions) => conditions.length > 0) ? [sql.or(equals.map(sql.and))] : [];
}

function comparisonSql({ field, operator, value: { value } }: Comparison): readonly Sql[] {
  if (field.kind === 'annotation') return field.end === undefined ? annotationSql(field.key, operator, value) : [];
  if (field.kind !== 'keyword') return [];
  switch (field.keyword) {
    case 'fault':
    case 'error':
    case 'throttle':
      return operator === '=' && String(value) === 'true' ? flagSql(field.keyword) : [];
    case 'http.status':
      return rooted(numberSql(sql`http_status`, operator, value));
    case 'responsetime':
      return rooted(numberSql(sql`(end_us - start_us) / 1000000`, operator, value), sql`end_us > 0`);
    case 'http.url':
      return rooted(stringSql(sql`http_url`, operator, value));
    case 'http.method':
      return rooted(stringSql(sql`http_method`, operator, value));
    case 'http.useragent':
      return rooted(stringSql(sql`http_user_agent`, operator, value));
    case 'http.clientip':
      return rooted(stringSql(sql`http_client_ip`, operator, value));
    case 'user':
      return listed(stringSql(sql`user`, operator, value));
    case 'resource.arn':
      return listed(stringSql(sql`resource_arn`, operator, value));
    case 'instance.id':
      return listed(stringSql(sql`instance_id`, operator, value));
    case 'availabilityzone':
      return listed(stringSql(sql`availability_zone`, operator, value));
    default:
      return [];
  }
}

function annotationSql(key: string, operator: Operator, value: string | number | boolean): readonly Sql[] {
  switch (typeof value) {
    case 'string':
      return listed(
        stringSql(sql`annotations_string[${key}]`, operator, value),
        sql`mapContains(annotations_string, ${key})`,
      );
    case 'number':
      return listed(
        numberSql(sql`annotations_number[${key}]`, operator, value),
        sql`mapContains(annotations_number, ${key})`,
      );
    case 'boolean':
      return operator === '='
        ? [sql`mapContains(annotations_bool, ${key}) AND annotations_bool[${key}] = ${value}`]
        : [];
  }
}

/** A service has the name of its segments, or of the subsegments that call it; AWS resources are named by parameters. */
function serviceSql({ name }: Identity): readonly Sql[] {
  return name === undefined ? [] : [sql`(name = ${name} OR namespace = 'aws')`];
}

const rooted = (condition: Sql | undefined, ...more: readonly Sql[]) => listed(condition, sql`is_root`, ...more);

function listed(condition: Sql | undefined, ...more: readonly Sql[]): readonly Sql[] {
  return condition === undefined ? [] : [sql.and([...more, condition])];
}

function numberSql(column: Sql, operator: Operator, value: string | number | boolean): Sql | undefined {
  if (typeof value !== 'number') return undefined;
  const bound = sql.typed(value, 'Float64');
  switch (operator) {
    case '=':
      return sql`${column} = ${bound}`;
    case '<':
      return sql`${column} < ${bound}`;
    case '<=':
      return sql`${column} <= ${bound}`;
    case '>':
      return sql`${column} > ${bound}`;
    case '>=':
      return sql`${column} >= ${bound}`;
    default:
      return undefined;
  }
}

/** The empty string stands for "not sent" in a row, so it narrows nothing. */
function stringSql(column: Sql, operator: Operator, value: string | number | boolean): Sql | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  switch (operator) {
    case '=':
      return sql`${column} = ${value}`;
    case 'CONTAINS':
      return sql`position(${column}, ${value}) > 0`;
    case 'BEGINSWITH':
      return sql`startsWith(${column}, ${value})`;
    case 'ENDSWITH':
      return sql`endsWith(${column}, ${value})`;
    default:
      return undefined;
  }
}
