import type { GraphNode } from '../model/graph.ts';
import type { Condition, EdgeTerm, Filter, Order, ServiceTerm } from './ast.ts';
import { compares, equals } from './compare.ts';
import { expandGroups, type GroupLookup } from './groups.ts';
import { selectsService } from './identity.ts';
import { isOnRootCause, matchesRootCauses } from './root-cause.ts';
import type { FilterSubject } from './subject.ts';
import { edgeFieldReader, type FieldReader, serviceFieldReader, traceFieldReader } from './values.ts';

/**
 * Whether the trace matches `filter`. Without `groups` every group is unknown, so no trace is in it.
 * For many traces, expand the groups once with `expandGroups` and omit them here.
 * Throws InvalidRequestException if groups name each other in a circle.
 */
export function matches(filter: Filter, subject: FilterSubject, groups?: GroupLookup): boolean {
  const { condition } = groups === undefined ? filter : expandGroups(filter, groups);
  return holds(condition, traceFieldReader(subject), subject);
}

const NEWEST_FIRST: Order = {
  kind: 'order',
  by: 'start',
  direction: 'descending',
  range: { start: 0, end: 0 },
};

/** The order of the filter; newest first if it has none. */
export function orderOf(filter: Filter): Order {
  return filter.order ?? NEWEST_FIRST;
}

function holds(condition: Condition, readField: FieldReader, subject: FilterSubject): boolean {
  switch (condition.kind) {
    case 'all':
      return true;
    case 'and':
      return condition.operands.every((operand) => holds(operand, readField, subject));
    case 'or':
      return condition.operands.some((operand) => holds(operand, readField, subject));
    case 'not':
      return !holds(condition.operand, readField, subject);
    case 'present':
      return readField(condition.field).some((value) => value !== false);
    case 'comparison':
      return readField(condition.field).some((value) => compares(value, condition));
    case 'in':
      return readField(condition.field).some((value) => condition.values.some((wanted) => equals(value, wanted.value)));
    case 'service':
      return subject.graph.nodes.some((node) => matchesService(condition, node, subject));
    case 'edge':
      return matchesEdge(condition, subject);
    case 'rootcause':
      return isOnRootCause(condition, subject.summary.rootCauses, (readPart) =>
        holds(condition.where, readPart, subject),
      );
    case 'rootcause-json':
      return matchesRootCauses(condition.rootCauses, subject.summary.rootCauses) === (condition.operator === '=');
    case 'group':
      return condition.operator === '!=';
  }
}

function matchesService({ service, where }: ServiceTerm, node: GraphNode, subject: FilterSubject): boolean {
  if (service !== undefined && !selectsService(service, node.service)) return false;
  return (
    where === undefined || node.segments.some((own) => holds(where, serviceFieldReader(subject, node, own), subject))
  );
}

function matchesEdge({ ends, where }: EdgeTerm, subject: FilterSubject): boolean {
  const nodes = new Map(subject.graph.nodes.map((node) => [node.key, node]));
  return subject.graph.edges.some((edge) => {
    const from = nodes.get(edge.from);
    const to = nodes.get(edge.to);
    if (from === undefined || to === undefined) return false;
    if (ends !== undefined && !(selectsService(ends.from, from.service) && selectsService(ends.to, to.service))) {
      return false;
    }
    return (
      where === undefined ||
      edge.entities.some((call) => holds(where, edgeFieldReader(subject, { from, to, call }), subject))
    );
  });
}
