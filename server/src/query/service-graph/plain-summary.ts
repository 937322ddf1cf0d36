import { assembleTrace } from '../../model/assemble.ts';
import { durationUsOf, type Entity, isCall } from '../../model/entity.ts';
import { worstOutcome } from '../../model/outcome.ts';
import { type Finished, NONE, type PlainTrace } from '../../model/plain-trace.ts';
import type { RootCauses } from '../../model/root-cause.ts';
import { responseTimeRootCauses, rootCauses } from '../../model/root-causes.ts';
import { serviceOf } from '../../model/service-names.ts';
import { valuesOf } from '../../model/summarise.ts';
import { accountIdsOf, type SummaryRow } from '../../store/write/summary-rows.ts';
import type { GraphColumns } from './plain-sums.ts';

/** The row of a plain trace, as `summaryRowOf` makes it of its `Trace`; a test compares them. */
export function plainSummaryRow(
  trace: PlainTrace,
  graph: GraphColumns,
  { covered, updatedUs }: Pick<SummaryRow, 'covered' | 'updatedUs'>,
): SummaryRow {
  const { documents, entities, owners } = trace;
  const root = entities[trace.root];
  let [segmentCount, endUs, ownedStartUs, ownedEndUs] = [0, 0, Number.MAX_SAFE_INTEGER, NONE];
  let [anyFault, anyError, anyThrottle] = [false, false, false];
  for (let index = 0; index < entities.length; index++) {
    const entity = entities[index] as Finished;
    if (entity.kind === 'segment') segmentCount++;
    endUs = Math.max(endUs, entity.endUs);
    anyFault ||= entity.isFault;
    anyError ||= entity.isError;
    anyThrottle ||= entity.isThrottle;
    if (owners[index] === NONE) continue;
    ownedStartUs = Math.min(ownedStartUs, entity.startUs);
    ownedEndUs = Math.max(ownedEndUs, entity.endUs);
  }
  const [{ traceId: id, startUs }] = entities as readonly [Finished];
  return {
    id,
    startUs,
    durationUs: ownedEndUs === NONE ? undefined : ownedEndUs - ownedStartUs,
    responseTimeUs: root && durationUsOf(root),
    hasFault: root?.isFault ?? false,
    hasError: root?.isError ?? false,
    hasThrottle: root?.isThrottle ?? false,
    anyFault,
    anyError,
    anyThrottle,
    worstOutcome: worstOutcome(entities),
    isPartial: trace.isPartial,
    http: root?.http ?? {},
    ...valuesOf(entities),
    ...graph,
    entryPoint: root && serviceOf(root),
    rootCauses: anyFault || anyError ? failureCauses(trace) : slownessCauses(trace),
    revision: documents.length,
    updatedUs,
    segmentCount,
    subsegmentCount: entities.length - segmentCount,
    rootStartUs: root?.startUs,
    endUs,
    accountIds: accountIdsOf(entities),
    covered,
  };
}

function failureCauses({ documents }: PlainTrace): RootCauses {
  const trace = assembleTrace(documents);
  return trace === undefined ? NO_CAUSES : rootCauses(trace);
}

const NO_CAUSES: RootCauses = { fault: [], error: [], responseTime: [] };

/** Of a trace without faults and errors. */
function slownessCauses({ entities, root, firstChildren, nextSiblings, hasCallee }: PlainTrace): RootCauses {
  const first = entities[root];
  if (first === undefined) return NO_CAUSES;
  const indexes = new Map<Entity, number>([[first, root]]);
  const indexOf = (entity: Entity) => indexes.get(entity) ?? NONE;
  const responseTime = responseTimeRootCauses(first, {
    childrenOf(entity) {
      const children: Entity[] = [];
      let child = firstChildren[indexOf(entity)] ?? NONE;
      for (; child !== NONE; child = nextSiblings[child] as number) {
        indexes.set(entities[child] as Entity, child);
        children.push(entities[child] as Entity);
      }
      return children;
    },
    isUnresolved: (entity) => isCall(entity) && hasCallee[indexOf(entity)] === false,
  });
  return { ...NO_CAUSES, responseTime };
}
