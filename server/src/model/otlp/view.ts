import type { Entity } from '../entity.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { readEntity } from '../read-entity.ts';
import type { EntityId, TraceId } from '../trace-id.ts';
import { formatTraceId } from '../trace-id.ts';
import { type IndexedKeys, notesOf } from './annotations.ts';
import { awsCallOf } from './aws-call.ts';
import { namespaceOf } from './call.ts';
import { exceptionsOf } from './exceptions.ts';
import { flagsOf } from './flags.ts';
import { httpOf } from './http.ts';
import { isSpanId, isTraceId, parentOf, serviceSegmentId } from './ids.ts';
import { segmentName, subsegmentName } from './name.ts';
import { present, type ResourceView, resourceView } from './resource.ts';
import { dependsOnParent, type ParentInTrace, shapeOf } from './shape.ts';
import { sqlOf } from './sql.ts';
import { nanosToUs } from './time.ts';
import type { LogRecord, Span, SpanInPlace, SpanLink } from './types.ts';
import { type Attributes, attributesOf, plainObject, takeFlag, takeText, text } from './values.ts';

/** What else decides how a span looks: settings, and what came apart from it. */
export type Surroundings = {
  readonly indexed: IndexedKeys;
  readonly parent?: ParentInTrace | undefined;
  /** Log records that tell of its exceptions. */
  readonly records?: readonly LogRecord[];
  /** Links of the consumers directly below: X-Ray shows a function's messages at its segment. */
  readonly linksBelow?: readonly SpanLink[];
};

type Fields = { readonly [key: string]: JsonValue | undefined };

/**
 * A span as X-Ray sees it: a segment or a subsegment; for a call that is the first work of its service both, the segment
 * first. `fields` are what an X-Ray document would hold; all that has no place there is in the span alone.
 */
export function entitiesOfSpan({ resource, span }: SpanInPlace, around: Surroundings): readonly Entity[] {
  const place = resourceView(resource);
  const attributes = attributesOf(span.attributes);
  const shape = shapeOf(span, attributes, place, around.parent);
  const traceId = span.traceId as TraceId;
  const id = span.spanId as EntityId;
  const parentId = parentOf(span.parentSpanId);
  if (shape === 'segment') {
    const fields = segmentFields(span, attributes, place, around);
    return [readEntity(fields, { traceId, id, parentId, kind: 'segment' })];
  }
  if (shape === 'subsegment') {
    const fields = subsegmentFields(span, attributes, place, around, parentId);
    return [withCallee(readEntity(fields, { traceId, id, parentId, kind: 'subsegment' }), attributes)];
  }
  const serviceId = serviceSegmentId(traceId, id);
  const call = subsegmentFields(span, attributes, place, around, serviceId);
  const service = serviceFields(span, attributes, place, serviceId, call);
  return [
    readEntity(service, { traceId, id: serviceId, parentId, kind: 'segment' }),
    withCallee(readEntity(call, { traceId, id, parentId: serviceId, kind: 'subsegment' }), attributes),
  ];
}

const ELSEWHERE: ParentInTrace = { functionName: undefined, serviceName: '', instanceId: undefined };

/**
 * What the span turns out to be should its parent belong to another service. Spans of old SDKs do not say whether it
 * does, so that it is known only once the parent is there. A span in a function is a part of Lambda's segment, if there
 * is one.
 */
export function alternativesOf(place: SpanInPlace, indexed: IndexedKeys): readonly Entity[] {
  const { span, resource } = place;
  const elsewhere = dependsOnParent(span) ? entitiesOfSpan(place, { indexed, parent: ELSEWHERE }) : [];
  const functionName =
    text(attributesOf(span.attributes), 'faas.name') ?? text(resourceView(resource).attributes, 'faas.name');
  if (functionName === undefined || parentOf(span.parentSpanId) === undefined) return elsewhere;
  return [...elsewhere, ...entitiesOfSpan(place, { indexed, parent: { ...ELSEWHERE, functionName } })];
}

function segmentFields(span: Span, attributes: Attributes, place: ResourceView, around: Surroundings): JsonObject {
  const http = httpOf(span, attributes, undefined);
  const call = awsCallOf(span, attributes, undefined);
  const common = commonFields(span, attributes, undefined, place, around);
  return defined({
    ...identity(span, segmentName(span, attributes, place), span.spanId, parentOf(span.parentSpanId)),
    ...placeFields(attributes, place, { ...functionOf(attributes, place), ...defined(call) }),
    user: userOf(attributes),
    http,
    ...common,
    ...notesOf(attributes, place.metadata, around.indexed),
  });
}

function subsegmentFields(
  span: Span,
  attributes: Attributes,
  place: ResourceView,
  around: Surroundings,
  parentId: EntityId | undefined,
): JsonObject {
  const namespace = namespaceOf(span, attributes);
  const aws = present(awsCallOf(span, attributes, namespace));
  const http = httpOf(span, attributes, namespace);
  const sql = attributes.families.has('db') ? sqlOf(attributes) : undefined;
  const common = commonFields(span, attributes, namespace, place, around);
  return defined({
    ...identity(span, subsegmentName(span, attributes, namespace), span.spanId, parentId),
    type: 'subsegment',
    namespace,
    user: userOf(attributes),
    http,
    aws,
    sql,
    ...common,
    ...notesOf(attributes, NO_RESOURCE, around.indexed),
  });
}

const NO_RESOURCE: JsonObject = {};

/** The service around a call: it is where and when the call was, and did as the call did. */
function serviceFields(
  span: Span,
  attributes: Attributes,
  place: ResourceView,
  id: EntityId,
  { fault, error, throttle }: JsonObject,
): JsonObject {
  return defined({
    ...identity(span, segmentName(span, attributes, place), id, parentOf(span.parentSpanId)),
    ...placeFields(attributes, place, {}),
    fault,
    error,
    throttle,
    ...(Object.keys(place.metadata).length > 0 && { metadata: { default: place.metadata } }),
  });
}

function identity(span: Span, name: string, id: string, parentId: EntityId | undefined): Fields {
  const endUs = nanosToUs(span.endTimeUnixNano);
  return {
    id,
    name,
    trace_id: formatTraceId(span.traceId as TraceId),
    start_time: (nanosToUs(span.startTimeUnixNano) ?? 0) / 1e6,
    ...(endUs === undefined ? { in_progress: true } : { end_time: endUs / 1e6 }),
    parent_id: parentId,
  };
}

function placeFields(attributes: Attributes, place: ResourceView, call: JsonObject): Fields {
  const aws = { ...place.aws, ...call };
  return {
    origin: place.origin,
    resource_arn:
      takeText(attributes, 'aws.xray.resource_arn') ?? place.resourceArn ?? text(attributes, 'aws.lambda.invoked_arn'),
    service: place.service,
    aws: Object.keys(aws).length > 0 ? aws : undefined,
  };
}

function functionOf(attributes: Attributes, place: ResourceView): JsonObject {
  if (place.origin !== 'AWS::Lambda::Function') return {};
  return defined({
    function_arn: place.resourceArn,
    request_id: takeText(attributes, 'faas.invocation_id', 'faas.execution'),
  });
}

function commonFields(
  span: Span,
  attributes: Attributes,
  namespace: 'aws' | 'remote' | undefined,
  place: ResourceView,
  { records = [], linksBelow = [] }: Surroundings,
): Fields {
  if (span.endTimeUnixNano === undefined) takeFlag(attributes, 'aws.xray.inprogress');
  const exceptions = exceptionsOf(span, attributes, {
    language: place.language,
    isRemote: namespace !== undefined,
    records,
  });
  const types = exceptions.flatMap(({ type }) => (typeof type === 'string' ? type : []));
  const links = linksOf([...(span.links ?? []), ...linksBelow]);
  return {
    traced: takeFlag(attributes, 'aws.xray.traced'),
    ...flagsOf(span, attributes, namespace, types),
    cause: exceptions.length > 0 ? { exceptions } : undefined,
    links: links.length > 0 ? links : undefined,
  };
}

/** All of them; a link that names no span is none. */
function linksOf(links: readonly SpanLink[]): readonly JsonObject[] {
  return links.flatMap(({ traceId, spanId, attributes = [] }) => {
    if (!isTraceId(traceId) || !isSpanId(spanId)) return [];
    return [
      {
        trace_id: formatTraceId(traceId),
        id: spanId,
        ...(attributes.length > 0 && { attributes: plainObject(attributes) }),
      },
    ];
  });
}

function userOf(attributes: Attributes): string | undefined {
  return takeText(attributes, 'enduser.id') ?? text(attributes, 'user.id');
}

/** AWS's distribution names the called resource itself. */
function withCallee(entity: Entity, attributes: Attributes): Entity {
  const type = text(attributes, 'aws.remote.resource.type');
  const name = text(attributes, 'aws.remote.resource.identifier');
  return type === undefined || name === undefined ? entity : { ...entity, callee: { name, type } };
}

function defined(fields: Fields): JsonObject {
  const entries = Object.entries(fields).filter((entry): entry is [string, JsonValue] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
