import type { GraphNode } from '../model/graph.ts';
import type { Condition, EdgeTerm, Filter, Order, ServiceTerm } from './ast.ts';
import { compares, equals } from './compare.ts';
import { expandGroups, type GroupLookup } from './groups.ts';
import { selectsService } from './identity.ts';
import { isOnRootCause, matchesRootCauses } from './root-cause.ts';
import type { FilterSubject } from './subject.ts';
import { edgeFieldReader, type FieldReader, serviceFieldReader, traceFieldReader } from './values.ts';

/**
 * Whether the trace is one that `filter` asks for. Without `groups` every group is unknown, so that no trace is in it.
 * Who asks of many traces expands the groups once, with `expandGroups`, and leaves them out here.
 * Throws InvalidRequestException where groups name each other in a circle.
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

/** The order that the filter asks for; newest first where it asks for none. */
export function orderOf(filter: Filter): Order {
  return filter.order ?? NEWEST_FIRST;
}

function holds(condition: Condition, view: FieldReader, subject: FilterSubject): boolean {
  switch (condition.kind) {
    case 'all':
      return true;
    case 'and':
      return condition.operands.every((operand) => holds(operand, view, subject));
    case 'or':
      return condition.operands.some((operand) => holds(operand, view, subject));
    case 'not':
      return !holds(condition.operand, view, subject);
    case 'present':
      return view(condition.field).some((value) => value !== false);
    case 'comparison':
      return view(condition.field).some((value) => compares(value, condition));
    case 'in':
      return view(condition.field).some((value) => condition.values.some((wanted) => equals(value, wanted.value)));
    case 'service':
      return subject.graph.nodes.some((node) => matchesService(condition, node, subject));
    case 'edge':
      return matchesEdge(condition, subject);
    case 'rootcause':
      return isOnRootCause(condition, subject.summary.rootCauses, (view) => holds(condition.where, view, subject));
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
