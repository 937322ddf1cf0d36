import { traceDurationUs } from './duration.ts';
import type { AnnotationValue, Entity } from './entity.ts';
import { durationUsOf } from './entity.ts';
import { ExactNumber } from './exact-number.ts';
import type { TraceGraph } from './graph.ts';
import type { JsonObject } from './json.ts';
import { readObject, readText } from './json.ts';
import { worstOutcome } from './outcome.ts';
import { rootCauses } from './root-causes.ts';
import { serviceOf } from './service-names.ts';
import type { TraceSummary } from './summary.ts';
import type { Trace } from './trace.ts';
import { traceGraph } from './trace-graph.ts';

/**
 * The summary of a trace, for lists. `graph` saves computing the graph again and must be the trace's own.
 * @see https://docs.aws.amazon.com/xray/latest/api/API_TraceSummary.html
 */
export function summariseTrace(trace: Trace, graph: TraceGraph = traceGraph(trace)): TraceSummary {
  const { root } = trace;
  const entities = [...trace.entities.values()];
  const isFinished = entities.every((entity) => entity.endUs !== undefined);
  return {
    id: trace.id,
    startUs: trace.startUs,
    durationUs: isFinished ? traceDurationUs(trace) : undefined,
    responseTimeUs: root && durationUsOf(root),
    hasFault: root?.isFault ?? false,
    hasError: root?.isError ?? false,
    hasThrottle: root?.isThrottle ?? false,
    anyFault: entities.some((entity) => entity.isFault),
    anyError: entities.some((entity) => entity.isError),
    anyThrottle: entities.some((entity) => entity.isThrottle),
    worstOutcome: worstOutcome(entities),
    isPartial: trace.isPartial,
    http: root?.http ?? {},
    ...valuesOf(entities),
    services: graph.nodes.map((node) => node.service),
    entryPoint: root && serviceOf(root),
    rootCauses: rootCauses(trace),
    revision: trace.revision,
    updatedUs: trace.updatedUs,
    segmentCount: trace.segments.length,
    subsegmentCount: entities.length - trace.segments.length,
  };
}

type Values = Pick<TraceSummary, 'annotations' | 'users' | 'resourceArns' | 'instanceIds' | 'availabilityZones'>;

/** Distinct values of the entities, in their order. */
export function valuesOf(entities: readonly Entity[]): Values {
  const users = new Set<string>();
  const resourceArns = new Set<string>();
  const instanceIds = new Set<string>();
  const availabilityZones = new Set<string>();
  for (const entity of entities) {
    if (entity.user !== undefined) users.add(entity.user);
    if (entity.resourceArn !== undefined) resourceArns.add(entity.resourceArn);
    const ec2 = ec2Of(entity);
    const [instanceId, zone] = [readText(ec2?.instance_id), readText(ec2?.availability_zone)];
    if (instanceId !== undefined) instanceIds.add(instanceId);
    if (zone !== undefined) availabilityZones.add(zone);
  }
  return {
    annotations: annotationsOf(entities),
    users: [...users],
    resourceArns: [...resourceArns],
    instanceIds: [...instanceIds],
    availabilityZones: [...availabilityZones],
  };
}

function annotationsOf(entities: readonly Entity[]): Readonly<Record<string, readonly AnnotationValue[]>> {
  const byKey = new Map<string, Set<AnnotationValue>>();
  const exactNumbers = new Set<string>();
  // Entities that share an object follow each other.
  let last: Entity['annotations'] | undefined;
  for (const { annotations } of entities) {
    if (annotations === last) continue;
    last = annotations;
    for (const [key, value] of Object.entries(annotations)) {
      if (value instanceof ExactNumber) {
        // Each is an object of its own, so the set below does not know its equal.
        const known = `${value.text} ${key}`;
        if (exactNumbers.has(known)) continue;
        exactNumbers.add(known);
      }
      const values = byKey.get(key);
      if (values === undefined) byKey.set(key, new Set([value]));
      else values.add(value);
    }
  }
  return Object.fromEntries(Array.from(byKey, ([key, values]) => [key, [...values]]));
}

function ec2Of(entity: Entity): JsonObject | undefined {
  return readObject(readObject(entity.fields.aws)?.ec2);
}
