import type { Condition, Identity, Literal, Operator, Term } from '../../filter/ast.ts';
import { AWS_NAME_NOISE } from '../../model/aws-name-key.ts';
import { awsNameKeysOf, RESOURCE_FIELDS } from '../../model/service-names.ts';
import { sql } from '../../store/sql.ts';
import {
  attributePredicate,
  type FieldTerm,
  fieldPredicate,
  isRequestField,
  requestPredicate,
} from './field-predicates.ts';
import { allOf, anyOf, entityPrefilter, type Prefilter } from './prefilter.ts';

/** The prefilter of a filter expression; undefined when SQL cannot rule out any trace. */
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

/**
 * The first part that asks for an annotation with one of some values, beside the other parts of an AND: the index of
 * attributes finds it. Undefined without such a part.
 */
export function pushDownAnnotation(condition: Condition): Prefilter | undefined {
  switch (condition.kind) {
    case 'and':
      for (const operand of condition.operands) {
        const part = pushDownAnnotation(operand);
        if (part !== undefined) return part;
      }
      return undefined;
    case 'comparison':
      return condition.field.kind === 'annotation' && condition.operator === '=' ? pushDownField(condition) : undefined;
    case 'in':
      return condition.field.kind === 'annotation' ? pushDownField(condition) : undefined;
    default:
      return undefined;
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
    const aggregate = pushDownAggregate(field.keyword, term.operator, term.value.value);
    if (aggregate !== undefined) return aggregate;
  }
  if (field.kind === 'keyword' && term.kind === 'present' && field.keyword === 'partial') return MAY_BE_PARTIAL;
  // The duration of a trace is more than the time of its root.
  if (field.kind === 'keyword' && field.keyword === 'duration') return undefined;
  const row = fieldPredicate(term);
  if (field.kind === 'segment' && field.path[0] === 'cause') return anyOf([entityPrefilter(row), HAS_EXCEPTION_LOGS]);
  return entityPrefilter(row && isRequestField(field) ? sql`is_root AND ${row}` : row);
}

function pushDownAggregate(keyword: string, operator: Operator, value: Literal['value']): Prefilter | undefined {
  if (keyword === 'duration' && typeof value === 'number' && ['=', '>', '>='].includes(operator)) {
    // An upper bound of the duration: from the first start to the last end of all rows.
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

/** An exception that arrived as a log record is in no row of `entities`. */
const HAS_EXCEPTION_LOGS: Prefilter = { kind: 'document', row: sql`format = 'otlp-log'` };

/** A parent is missing, or an entity has several versions: one that was replaced may have contained a parent. */
const MAY_BE_PARTIAL: Prefilter = {
  kind: 'group',
  having: sql`
    NOT hasAll(groupArray(id), groupUniqArrayIf(parent_id, parent_id != toFixedString('', 8)))
    OR uniqExact(id) < count()`,
};

/** The part of the condition about entities other than the request's own. They must be somewhere in the trace. */
function pushDownOtherEntities(where: Condition): Prefilter | undefined {
  switch (where.kind) {
    case 'and':
      return allOf(where.operands.map(pushDownOtherEntities));
    case 'or':
      // When all operands are about the request itself, `requestPredicate` is stricter.
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
 * An entity that makes a node of the service, and for which `where` may hold: a segment of that name, a call to it, or
 * a call that names it as its resource.
 */
function pushDownService(identity: Identity | undefined, where: Condition | undefined): Prefilter | undefined {
  const own = where && requestPredicate(where);
  if (identity === undefined) return entityPrefilter(own);
  const { name, type } = identity;
  const common = [typePredicate(type), ...(own ? [own] : [])];
  if (name === undefined) return entityPrefilter(sql.and(common));
  const makesNode = sql`(is_segment OR namespace IN ('aws', 'remote'))`;
  const named = entityPrefilter(sql.and([sql`name = ${name}`, makesNode, ...common]));
  if (type !== undefined && !type.startsWith('AWS::')) return named;
  // One part for each way to find rows: by the key of the table, by the index of attributes, by neither. `own` is left
  // out beside the attributes, since they may be in another row: a look-up of both costs more than it rules out.
  const resources = RESOURCE_FIELDS.map((field) => attributePredicate(`segment.aws.${field}`, name));
  const keys = awsNameKeysOf(name);
  return anyOf([
    named,
    entityPrefilter(sql.or(resources)),
    ...(keys.length > 0
      ? [entityPrefilter(sql.and([sql`namespace = 'aws'`, sql.or(keys.map(hasNameKey)), ...common]))]
      : []),
  ]);
}

/** `awsNameKey` in SQL. */
const hasNameKey = (key: string) => sql`replaceRegexpAll(lowerUTF8(name), ${AWS_NAME_NOISE}, '') = ${key}`;

/** Rows of entities that may make a node of the type. */
function typePredicate(type: string | undefined) {
  if (type === undefined) return sql`true`;
  if (type === 'client') return sql`(is_root OR origin = 'client')`;
  if (type.startsWith('AWS::')) return sql`(origin = ${type} OR namespace = 'aws')`;
  return sql`(origin = ${type} OR namespace = 'remote')`;
}
