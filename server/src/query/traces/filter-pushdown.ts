import type { Condition, Identity, Literal, Operator, Term } from '../../filter/ast.ts';
import { awsCallNames, RESOURCE_FIELDS } from '../../model/service-names.ts';
import { sql } from '../../store/sql.ts';
import { attributeRow, type FieldTerm, fieldRow, isOwn, ownRow } from './field-predicates.ts';
import { both, either, type Narrow, someRow } from './prefilter.ts';

/** What every trace that matches has; undefined where SQL can not tell. See `Narrow`. */
export function narrowFilter(condition: Condition): Narrow | undefined {
  switch (condition.kind) {
    case 'and':
      return both(condition.operands.map(narrowFilter));
    case 'or':
      return either(condition.operands.map(narrowFilter));
    case 'all':
    case 'not':
      return undefined;
    default:
      return narrowTerm(condition);
  }
}

function narrowTerm(term: Term): Narrow | undefined {
  switch (term.kind) {
    case 'service':
      return both([narrowService(term.service, term.where), term.where && elsewhere(term.where)]);
    case 'edge':
      return both([
        ...(term.ends ? [narrowService(term.ends.from, undefined), narrowService(term.ends.to, undefined)] : []),
        someRow(term.where && ownRow(term.where)),
        term.where && elsewhere(term.where),
      ]);
    case 'rootcause':
      if (term.cause === 'responsetime') return someRow(sql`is_root AND end_us > start_us`);
      return someRow(term.cause === 'fault' ? sql`fault` : sql`error`);
    case 'rootcause-json':
    case 'group':
      return undefined;
    default:
      return narrowField(term);
  }
}

function narrowField(term: FieldTerm): Narrow | undefined {
  const { field } = term;
  if (field.kind === 'keyword' && term.kind === 'comparison') {
    const grouped = narrowGrouped(field.keyword, term.operator, term.value.value);
    if (grouped !== undefined) return grouped;
  }
  if (field.kind === 'keyword' && term.kind === 'present' && field.keyword === 'partial') return MAY_BE_PARTIAL;
  // Of a trace this is more than the root's time.
  if (field.kind === 'keyword' && field.keyword === 'duration') return undefined;
  const row = fieldRow(term);
  if (field.kind === 'segment' && field.path[0] === 'cause') return either([someRow(row), HAS_EXCEPTION_LOGS]);
  return someRow(row && isOwn(field) ? sql`is_root AND ${row}` : row);
}

function narrowGrouped(keyword: string, operator: Operator, value: Literal['value']): Narrow | undefined {
  if (keyword === 'duration' && typeof value === 'number' && ['=', '>', '>='].includes(operator)) {
    // From the first start to the last end is never shorter than what counts as the duration.
    const bound = sql.typed(value, 'Float64');
    const comparison = operator === '>' ? sql`> ${bound}` : sql`>= ${bound}`;
    return {
      kind: 'group',
      having: sql`toFloat64(greatest(max(end_us), min(start_us)) - min(start_us)) / 1000000 ${comparison}`,
    };
  }
  if (keyword === 'partial' && (operator === '=') === (String(value) === 'true')) return MAY_BE_PARTIAL;
  return undefined;
}

/** Exceptions of spans that came as log records are in no row of `entities`. */
const HAS_EXCEPTION_LOGS: Narrow = { kind: 'document', row: sql`format = 'otlp-log'` };

/** Some parent is not there, or there are versions of an entity, of which one may have taken a parent with it. */
const MAY_BE_PARTIAL: Narrow = {
  kind: 'group',
  having: sql`
    NOT hasAll(groupArray(id), groupUniqArrayIf(parent_id, parent_id != toFixedString('', 8)))
    OR uniqExact(id) < count()`,
};

/** What the condition says of other entities than the request's own: somewhere in the trace they have to be. */
function elsewhere(where: Condition): Narrow | undefined {
  switch (where.kind) {
    case 'and':
      return both(where.operands.map(elsewhere));
    case 'or':
      // Where all of it is about the request itself, `ownRow` says more.
      if (ownRow(where) !== undefined) return undefined;
      return either(where.operands.map((operand) => elsewhere(operand) ?? someRow(ownRow(operand))));
    case 'present':
    case 'comparison':
    case 'in':
      if (where.field.kind === 'segment') return narrowField(where);
      return where.field.kind === 'keyword' && !LISTED.has(where.field.keyword) ? undefined : someRow(fieldRow(where));
    default:
      return undefined;
  }
}

const LISTED: ReadonlySet<string> = new Set(['user', 'resource.arn', 'instance.id', 'availabilityzone']);

/**
 * Some entity that makes a node of the service, and of which `where` may be true: a segment of that name, a call to it,
 * or a call that names it as its resource.
 */
function narrowService(identity: Identity | undefined, where: Condition | undefined): Narrow | undefined {
  const own = where && ownRow(where);
  if (identity === undefined) return someRow(own);
  const { name, type } = identity;
  const common = [typeRow(type), ...(own ? [own] : [])];
  if (name === undefined) return someRow(sql.and(common));
  const isMade = sql`(is_segment OR namespace IN ('aws', 'remote'))`;
  const named = someRow(sql.and([sql`name = ${name}`, isMade, ...common]));
  if (type !== undefined && !type.startsWith('AWS::')) return named;
  // A part of its own for each way to find rows: by the key of the table, by the index of attributes, by neither. The
  // attributes are in another row than what else is known: to ask for that one, too, costs more than it rules out.
  const resources = RESOURCE_FIELDS.map((field) => attributeRow(`segment.aws.${field}`, name));
  const aliases = awsCallNames(name);
  return either([
    named,
    someRow(sql.or(resources)),
    ...(aliases.length > 0
      ? [someRow(sql.and([sql`namespace = 'aws'`, sql.or(aliases.map(isCalled)), ...common]))]
      : []),
  ]);
}

const isCalled = (name: string) => sql`lowerUTF8(name) = ${name}`;

/** Rows that may make a node of the type. */
function typeRow(type: string | undefined) {
  if (type === undefined) return sql`true`;
  if (type === 'client') return sql`(is_root OR origin = 'client')`;
  if (type.startsWith('AWS::')) return sql`(origin = ${type} OR namespace = 'aws')`;
  return sql`(origin = ${type} OR namespace = 'remote')`;
}
