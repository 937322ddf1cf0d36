import type { Entity } from '../../entity.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { isJsonObject, readObject, readText } from '../../json.ts';
import { applyDifference, type Difference, withoutEdited } from '../../json-difference.ts';
import { readEntity } from '../../read-entity.ts';
import { readTimeUs } from '../../time.ts';
import type { EntityId, TraceId } from '../../trace-id.ts';
import { formatTraceId } from '../../trace-id.ts';
import { RESIDUAL_ATTRIBUTE } from '../any-value.ts';
import { spanFingerprint } from '../fingerprint.ts';
import { nanosToUs } from '../nanos.ts';
import { isSpanId, isTraceId, parentOf, serviceSegmentId } from '../span-ids.ts';
import { plainSpanOf } from '../to-otlp/entity-to-span.ts';
import type { LogRecord, Span, SpanInPlace, SpanLink } from '../types.ts';
import { type IndexedKeys, notesOf } from './annotations.ts';
import { type Attributes, attributesOf, plainObject, takeFlag, takeText, text } from './attributes.ts';
import { awsCallOf } from './aws-call.ts';
import { namespaceOf } from './call-namespace.ts';
import { exceptionsOf } from './exceptions.ts';
import { flagsOf } from './flags.ts';
import { httpOf } from './http.ts';
import { segmentName, subsegmentName } from './name.ts';
import { present, type ResourceView, resourceView } from './resource.ts';
import { dependsOnParent, type ParentInTrace, shapeOf } from './span-shape.ts';
import { sqlOf } from './sql.ts';

/** What else decides how a span looks: settings, and what came apart from it. */
export type Surroundings = {
  readonly indexed: IndexedKeys;
  readonly parent?: ParentInTrace | undefined;
  /** Log records that tell of its exceptions. */
  readonly records?: readonly LogRecord[];
  /** Links of the consumers directly below: X-Ray shows a function's messages at its segment. */
  readonly linksBelow?: readonly SpanLink[];
};

/**
 * A span as X-Ray sees it: a segment or a subsegment; for a call that is the first work of its service both, the segment
 * first. `fields` are what an X-Ray document would hold; all that has no place there is in the span alone.
 */
export function entitiesOfSpan({ resource, span }: SentSpan, around: Surroundings): readonly Entity[] {
  const place = resourceView(resource);
  const attributes = attributesOf(span.attributes);
  const shape = shapeOf(span, attributes, place, around.parent);
  const rest = restOf(attributes);
  const traceId = span.traceId as TraceId;
  const id = span.spanId as EntityId;
  const parentId = parentOf(span.parentSpanId);
  if (shape === 'segment') {
    const fields = complete(segmentFields(span, attributes, place, around), rest, { resource, span });
    return [readEntity(fields, { traceId, id, parentId, kind: 'segment' })];
  }
  if (shape === 'subsegment') {
    const fields = complete(subsegmentFields(span, attributes, place, around, parentId), rest, { resource, span });
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

type SentSpan = Pick<SpanInPlace, 'resource' | 'span'>;

/** What an X-Ray entity that travelled as a span had beside what the span says, and what the span was like then. */
type Rest = Difference & { readonly fingerprint: string | undefined };

function restOf(attributes: Attributes): Rest | undefined {
  const stored = takeText(attributes, RESIDUAL_ATTRIBUTE);
  if (stored === undefined) return undefined;
  let rest: JsonValue;
  try {
    rest = JSON.parse(stored);
  } catch {
    rest = null;
  }
  const { v, set, unset, h } = readObject(rest) ?? {};
  if (v === 1 && isJsonObject(set) && isListOfPaths(unset)) return { set, unset, fingerprint: readText(h) };
  attributes.used = attributes.used.filter((key) => key !== RESIDUAL_ATTRIBUTE);
  return undefined;
}

function isListOfPaths(value: JsonValue | undefined): value is readonly (readonly string[])[] {
  return (
    Array.isArray(value) &&
    value.every((path) => Array.isArray(path) && path.every((member) => typeof member === 'string'))
  );
}

/** What was edited on the way, by a collector perhaps, is worth more than what travelled along. */
function complete(fields: JsonObject, rest: Rest | undefined, sent: SentSpan): JsonObject {
  if (rest === undefined) return fields;
  const whole = applyDifference(fields, rest);
  if (rest.fingerprint === undefined || rest.fingerprint === spanFingerprint(sent.resource, sent.span)) return whole;
  return applyDifference(fields, withoutEdited(rest, viewBefore(whole, fields, sent), fields));
}

/** The fields as they were seen in the span that was sent, had it been the entity `whole`. */
function viewBefore(whole: JsonObject, fields: JsonObject, { resource, span }: SentSpan): JsonObject {
  const { aws, service } = resourceView(resource);
  const isSegment = fields.type !== 'subsegment';
  const sent = plainSpanOf({
    traceId: span.traceId as TraceId,
    id: span.spanId as EntityId,
    parentId: parentOf(span.parentSpanId),
    kind: isSegment ? 'segment' : 'subsegment',
    startUs: readTimeUs(whole.start_time) ?? 0,
    endUs: readTimeUs(whole.end_time),
    fields: whole,
    segment: isSegment ? whole : (present({ aws, service }) ?? {}),
    isFromSpan: false,
  });
  return entitiesOfSpan(sent, { indexed: new Set() })[0]?.fields ?? {};
}

function segmentFields(span: Span, attributes: Attributes, place: ResourceView, around: Surroundings): JsonObject {
  const fields = identity(span, segmentName(span, attributes, place), span.spanId, parentOf(span.parentSpanId));
  const call = present(awsCallOf(span, attributes, undefined));
  addPlace(fields, attributes, place, { ...functionOf(attributes, place), ...call });
  put(fields, 'user', userOf(attributes));
  put(fields, 'http', httpOf(span, attributes, undefined));
  addOutcome(fields, span, attributes, undefined, place, around);
  addNotes(fields, attributes, place.metadata, around);
  return fields;
}

function subsegmentFields(
  span: Span,
  attributes: Attributes,
  place: ResourceView,
  around: Surroundings,
  parentId: EntityId | undefined,
): JsonObject {
  const namespace = namespaceOf(span, attributes);
  const fields = identity(span, subsegmentName(span, attributes, namespace), span.spanId, parentId);
  fields.type = 'subsegment';
  put(fields, 'namespace', namespace);
  put(fields, 'user', userOf(attributes));
  const aws = present(awsCallOf(span, attributes, namespace));
  put(fields, 'http', httpOf(span, attributes, namespace));
  put(fields, 'aws', aws);
  if (attributes.families.db) put(fields, 'sql', sqlOf(attributes));
  addOutcome(fields, span, attributes, namespace, place, around);
  addNotes(fields, attributes, NO_RESOURCE, around);
  return fields;
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
  const fields = identity(span, segmentName(span, attributes, place), id, parentOf(span.parentSpanId));
  addPlace(fields, attributes, place, {});
  put(fields, 'fault', fault);
  put(fields, 'error', error);
  put(fields, 'throttle', throttle);
  if (Object.keys(place.metadata).length > 0) fields.metadata = { default: place.metadata };
  return fields;
}

/** The fields of an entity while they are put together: every span that arrives comes by here. */
type Fields = { [member: string]: JsonValue };

function put(fields: Fields, member: string, value: JsonValue | undefined): void {
  if (value !== undefined) fields[member] = value;
}

function identity(span: Span, name: string, id: string, parentId: EntityId | undefined): Fields {
  const endUs = nanosToUs(span.endTimeUnixNano);
  const fields: Fields = {
    id,
    name,
    trace_id: formatTraceId(span.traceId as TraceId),
    start_time: (nanosToUs(span.startTimeUnixNano) ?? 0) / 1e6,
  };
  if (endUs === undefined) fields.in_progress = true;
  else fields.end_time = endUs / 1e6;
  put(fields, 'parent_id', parentId);
  return fields;
}

function addPlace(fields: Fields, attributes: Attributes, place: ResourceView, call: JsonObject): void {
  put(fields, 'origin', place.origin);
  put(
    fields,
    'resource_arn',
    takeText(attributes, 'aws.xray.resource_arn') ?? place.resourceArn ?? text(attributes, 'aws.lambda.invoked_arn'),
  );
  put(fields, 'service', place.service);
  const aws = { ...place.aws, ...call };
  if (Object.keys(aws).length > 0) fields.aws = aws;
}

function functionOf(attributes: Attributes, place: ResourceView): JsonObject | undefined {
  if (place.origin !== 'AWS::Lambda::Function') return undefined;
  return present({
    function_arn: place.resourceArn,
    request_id: takeText(attributes, 'faas.invocation_id', 'faas.execution'),
  });
}

function addOutcome(
  fields: Fields,
  span: Span,
  attributes: Attributes,
  namespace: 'aws' | 'remote' | undefined,
  place: ResourceView,
  { records = NONE, linksBelow = NONE }: Surroundings,
): void {
  if (span.endTimeUnixNano === undefined) takeFlag(attributes, 'aws.xray.inprogress');
  const isRemote = namespace !== undefined;
  const exceptions = exceptionsOf(span, attributes, { language: place.language, isRemote, records });
  put(fields, 'traced', takeFlag(attributes, 'aws.xray.traced'));
  Object.assign(fields, flagsOf(span, attributes, namespace, exceptions));
  if (exceptions.length > 0) fields.cause = { exceptions };
  if (span.links === undefined && linksBelow.length === 0) return;
  const links = linksOf([...(span.links ?? NONE), ...linksBelow]);
  if (links.length > 0) fields.links = links;
}

const NONE: readonly never[] = [];

function addNotes(fields: Fields, attributes: Attributes, resource: JsonObject, { indexed }: Surroundings): void {
  const { annotations, metadata } = notesOf(attributes, resource, indexed);
  put(fields, 'annotations', annotations);
  put(fields, 'metadata', metadata);
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
