import type { Condition, Identity, Literal, Operator, Term } from '../../filter/ast.ts';
import { awsCallNames, RESOURCE_FIELDS } from '../../model/service-names.ts';
import { sql } from '../../store/sql.ts';
import {
  attributePredicate,
  type FieldTerm,
  fieldPredicate,
  isRequestField,
  requestPredicate,
} from './field-predicates.ts';
import { allOf, anyOf, entityPrefilter, type Prefilter } from './prefilter.ts';

/** What every trace that matches has; undefined where SQL can not tell. See `Narrow`. */
export function pushDownFilter(condition: Condition): Prefilter | undefined {
  switch (condition.kind) {
    case 'and':
      return allOf(condition.operands.map(pushDownFilter));
    case 'or':
      return anyOf(condition.operands.map(pushDownFilter));
    case 'all':
    case 'not':
      return undefined;
    default:
      return pushDownTerm(condition);
  }
}

function pushDownTerm(term: Term): Prefilter | undefined {
  switch (term.kind) {
    case 'service':
      return allOf([pushDownService(term.service, term.where), term.where && pushDownOtherEntities(term.where)]);
    case 'edge':
      return allOf([
        ...(term.ends ? [pushDownService(term.ends.from, undefined), pushDownService(term.ends.to, undefined)] : []),
        entityPrefilter(term.where && requestPredicate(term.where)),
        term.where && pushDownOtherEntities(term.where),
      ]);
    case 'rootcause':
      if (term.cause === 'responsetime') return entityPrefilter(sql`is_root AND end_us > start_us`);
      return entityPrefilter(term.cause === 'fault' ? sql`fault` : sql`error`);
    case 'rootcause-json':
    case 'group':
      return undefined;
    default:
      return pushDownField(term);
  }
}

function pushDownField(term: FieldTerm): Prefilter | undefined {
  const { field } = term;
  if (field.kind === 'keyword' && term.kind === 'comparison') {
    const grouped = pushDownAggregate(field.keyword, term.operator, term.value.value);
    if (grouped !== undefined) return grouped;
  }
  if (field.kind === 'keyword' && term.kind === 'present' && field.keyword === 'partial') return MAY_BE_PARTIAL;
  // Of a trace this is more than the root's time.
  if (field.kind === 'keyword' && field.keyword === 'duration') return undefined;
  const row = fieldPredicate(term);
  if (field.kind === 'segment' && field.path[0] === 'cause') return anyOf([entityPrefilter(row), HAS_EXCEPTION_LOGS]);
  return entityPrefilter(row && isRequestField(field) ? sql`is_root AND ${row}` : row);
}

function pushDownAggregate(keyword: string, operator: Operator, value: Literal['value']): Prefilter | undefined {
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
const HAS_EXCEPTION_LOGS: Prefilter = { kind: 'document', row: sql`format = 'otlp-log'` };

/** Some parent is not there, or there are versions of an entity, of which one may have taken a parent with it. */
const MAY_BE_PARTIAL: Prefilter = {
  kind: 'group',
  having: sql`
    NOT hasAll(groupArray(id), groupUniqArrayIf(parent_id, parent_id != toFixedString('', 8)))
    OR uniqExact(id) < count()`,
};

/** What the condition says of other entities than the request's own: somewhere in the trace they have to be. */
function pushDownOtherEntities(where: Condition): Prefilter | undefined {
  switch (where.kind) {
    case 'and':
      return allOf(where.operands.map(pushDownOtherEntities));
    case 'or':
      // Where all of it is about the request itself, `ownRow` says more.
      if (requestPredicate(where) !== undefined) return undefined;
      return anyOf(
        where.operands.map((operand) => pushDownOtherEntities(operand) ?? entityPrefilter(requestPredicate(operand))),
      );
    case 'present':
    case 'comparison':
    case 'in':
      if (where.field.kind === 'segment') return pushDownField(where);
      return where.field.kind === 'keyword' && !TRACE_WIDE_KEYWORDS.has(where.field.keyword)
        ? undefined
        : entityPrefilter(fieldPredicate(where));
    default:
      return undefined;
  }
}

const TRACE_WIDE_KEYWORDS: ReadonlySet<string> = new Set(['user', 'resource.arn', 'instance.id', 'availabilityzone']);

/**
 * Some entity that makes a node of the service, and of which `where` may be true: a segment of that name, a call to it,
 * or a call that names it as its resource.
 */
function pushDownService(identity: Identity | undefined, where: Condition | undefined): Prefilter | undefined {
  const own = where && requestPredicate(where);
  if (identity === undefined) return entityPrefilter(own);
  const { name, type } = identity;
  const common = [typePredicate(type), ...(own ? [own] : [])];
  if (name === undefined) return entityPrefilter(sql.and(common));
  const isMade = sql`(is_segment OR namespace IN ('aws', 'remote'))`;
  const named = entityPrefilter(sql.and([sql`name = ${name}`, isMade, ...common]));
  if (type !== undefined && !type.startsWith('AWS::')) return named;
  // A part of its own for each way to find rows: by the key of the table, by the index of attributes, by neither. The
  // attributes are in another row than what else is known: to ask for that one, too, costs more than it rules out.
  const resources = RESOURCE_FIELDS.map((field) => attributePredicate(`segment.aws.${field}`, name));
  const aliases = awsCallNames(name);
  return anyOf([
    named,
    entityPrefilter(sql.or(resources)),
    ...(aliases.length > 0
      ? [entityPrefilter(sql.and([sql`namespace = 'aws'`, sql.or(aliases.map(hasLowerCaseName)), ...common]))]
      : []),
  ]);
}

const hasLowerCaseName = (name: string) => sql`lowerUTF8(name) = ${name}`;

/** Rows that may make a node of the type. */
function typePredicate(type: string | undefined) {
  if (type === undefined) return sql`true`;
  if (type === 'client') return sql`(is_root OR origin = 'client')`;
  if (type.startsWith('AWS::')) return sql`(origin = ${type} OR namespace = 'aws')`;
  return sql`(origin = ${type} OR namespace = 'remote')`;
}
