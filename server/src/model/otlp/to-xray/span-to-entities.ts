import type { Entity } from '../../entity.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import { isJsonObject, readObject, readText } from '../../json.ts';
import { applyDifference, type Difference, withoutEdited } from '../../json-difference.ts';
import { readEntity } from '../../read-entity.ts';
import { readTimeUs } from '../../time.ts';
import type { EntityId, TraceId } from '../../trace-id.ts';
import { formatTraceId } from '../../trace-id.ts';
import { ROUND_TRIP_ATTRIBUTE } from '../any-value.ts';
import { spanFingerprint } from '../fingerprint.ts';
import { nanosToUs } from '../nanos.ts';
import { isSpanId, isTraceId, parentIdOf, serviceSegmentId } from '../span-ids.ts';
import { entityToPlainSpan } from '../to-otlp/entity-to-span.ts';
import type { LogRecord, Span, SpanLink, SpanWithResource } from '../types.ts';
import { annotationsAndMetadataOf, type IndexedKeys } from './annotations.ts';
import { type Attributes, attributesOf, consumeBoolean, consumeText, firstText, plainObject } from './attributes.ts';
import { awsCallOf } from './aws-call.ts';
import { namespaceOf } from './call-namespace.ts';
import { exceptionsOf } from './exceptions.ts';
import { flagsOf } from './flags.ts';
import { httpOf } from './http.ts';
import { segmentName, subsegmentName } from './name.ts';
import { definedMembers, type XrayResource, xrayResourceOf } from './resource.ts';
import { dependsOnParent, type ParentInTrace, shapeOf } from './span-shape.ts';
import { sqlOf } from './sql.ts';

/** What else decides how a span looks: settings, and what came apart from it. */
export type TranslationContext = {
  readonly indexed: IndexedKeys;
  readonly parent?: ParentInTrace | undefined;
  /** Log records that tell of its exceptions. */
  readonly records?: readonly LogRecord[];
  /** Links of the consumers directly below: X-Ray shows a function's messages at its segment. */
  readonly consumerLinks?: readonly SpanLink[];
};

/**
 * A span as X-Ray sees it: a segment or a subsegment; for a call that is the first work of its service both, the segment
 * first. `fields` are what an X-Ray document would hold; all that has no place there is in the span alone.
 */
export function spanToEntities({ resource, span }: SentSpan, around: TranslationContext): readonly Entity[] {
  const place = xrayResourceOf(resource);
  const attributes = attributesOf(span.attributes);
  const shape = shapeOf(span, attributes, place, around.parent);
  const rest = roundTripDifferenceOf(attributes);
  const traceId = span.traceId as TraceId;
  const id = span.spanId as EntityId;
  const parentId = parentIdOf(span.parentSpanId);
  if (shape === 'segment') {
    const fields = restoreEntityFields(segmentFields(span, attributes, place, around), rest, { resource, span });
    return [readEntity(fields, { traceId, id, parentId, kind: 'segment' })];
  }
  if (shape === 'subsegment') {
    const fields = restoreEntityFields(subsegmentFields(span, attributes, place, around, parentId), rest, {
      resource,
      span,
    });
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

const OTHER_SERVICE: ParentInTrace = { functionName: undefined, serviceName: '', instanceId: undefined };

/**
 * What the span turns out to be should its parent belong to another service. Spans of old SDKs do not say whether it
 * does, so that it is known only once the parent is there. A span in a function is a part of Lambda's segment, if there
 * is one.
 */
export function alternativeEntitiesOf(place: SpanWithResource, indexed: IndexedKeys): readonly Entity[] {
  const { span, resource } = place;
  const elsewhere = dependsOnParent(span) ? spanToEntities(place, { indexed, parent: OTHER_SERVICE }) : [];
  const functionName =
    firstText(attributesOf(span.attributes), 'faas.name') ??
    firstText(xrayResourceOf(resource).attributes, 'faas.name');
  if (functionName === undefined || parentIdOf(span.parentSpanId) === undefined) return elsewhere;
  return [...elsewhere, ...spanToEntities(place, { indexed, parent: { ...OTHER_SERVICE, functionName } })];
}

type SentSpan = Pick<SpanWithResource, 'resource' | 'span'>;

/** What an X-Ray entity that travelled as a span had beside what the span says, and what the span was like then. */
type RoundTripDifference = Difference & { readonly fingerprint: string | undefined };

function roundTripDifferenceOf(attributes: Attributes): RoundTripDifference | undefined {
  const stored = consumeText(attributes, ROUND_TRIP_ATTRIBUTE);
  if (stored === undefined) return undefined;
  let rest: JsonValue;
  try {
    rest = JSON.parse(stored);
  } catch {
    rest = null;
  }
  const { v, set, unset, h } = readObject(rest) ?? {};
  if (v === 1 && isJsonObject(set) && isListOfPaths(unset)) return { set, unset, fingerprint: readText(h) };
  attributes.consumed = attributes.consumed.filter((key) => key !== ROUND_TRIP_ATTRIBUTE);
  return undefined;
}

function isListOfPaths(value: JsonValue | undefined): value is readonly (readonly string[])[] {
  return (
    Array.isArray(value) &&
    value.every((path) => Array.isArray(path) && path.every((member) => typeof member === 'string'))
  );
}

/** What was edited on the way, by a collector perhaps, is worth more than what travelled along. */
function restoreEntityFields(fields: JsonObject, rest: RoundTripDifference | undefined, sent: SentSpan): JsonObject {
  if (rest === undefined) return fields;
  const whole = applyDifference(fields, rest);
  if (rest.fingerprint === undefined || rest.fingerprint === spanFingerprint(sent.resource, sent.span)) return whole;
  return applyDifference(fields, withoutEdited(rest, fieldsBeforeEdits(whole, fields, sent), fields));
}

/** The fields as they were seen in the span that was sent, had it been the entity `whole`. */
function fieldsBeforeEdits(whole: JsonObject, fields: JsonObject, { resource, span }: SentSpan): JsonObject {
  const { aws, service } = xrayResourceOf(resource);
  const isSegment = fields.type !== 'subsegment';
  const sent = entityToPlainSpan({
    traceId: span.traceId as TraceId,
    id: span.spanId as EntityId,
    parentId: parentIdOf(span.parentSpanId),
    kind: isSegment ? 'segment' : 'subsegment',
    startUs: readTimeUs(whole.start_time) ?? 0,
    endUs: readTimeUs(whole.end_time),
    fields: whole,
    segment: isSegment ? whole : (definedMembers({ aws, service }) ?? {}),
    isFromSpan: false,
  });
  return spanToEntities(sent, { indexed: new Set() })[0]?.fields ?? {};
}

function segmentFields(
  span: Span,
  attributes: Attributes,
  place: XrayResource,
  around: TranslationContext,
): JsonObject {
  const fields = identityFields(span, segmentName(span, attributes, place), span.spanId, parentIdOf(span.parentSpanId));
  const call = definedMembers(awsCallOf(span, attributes, undefined));
  addResource(fields, attributes, place, { ...functionOf(attributes, place), ...call });
  setMember(fields, 'user', userOf(attributes));
  setMember(fields, 'http', httpOf(span, attributes, undefined));
  addOutcome(fields, span, attributes, undefined, place, around);
  addAnnotationsAndMetadata(fields, attributes, place.metadata, around);
  return fields;
}

function subsegmentFields(
  span: Span,
  attributes: Attributes,
  place: XrayResource,
  around: TranslationContext,
  parentId: EntityId | undefined,
): JsonObject {
  const namespace = namespaceOf(span, attributes);
  const fields = identityFields(span, subsegmentName(span, attributes, namespace), span.spanId, parentId);
  fields.type = 'subsegment';
  setMember(fields, 'namespace', namespace);
  setMember(fields, 'user', userOf(attributes));
  const aws = definedMembers(awsCallOf(span, attributes, namespace));
  setMember(fields, 'http', httpOf(span, attributes, namespace));
  setMember(fields, 'aws', aws);
  if (attributes.families.db) setMember(fields, 'sql', sqlOf(attributes));
  addOutcome(fields, span, attributes, namespace, place, around);
  addAnnotationsAndMetadata(fields, attributes, NO_RESOURCE, around);
  return fields;
}

const NO_RESOURCE: JsonObject = {};

/** The service around a call: it is where and when the call was, and did as the call did. */
function serviceFields(
  span: Span,
  attributes: Attributes,
  place: XrayResource,
  id: EntityId,
  { fault, error, throttle }: JsonObject,
): JsonObject {
  const fields = identityFields(span, segmentName(span, attributes, place), id, parentIdOf(span.parentSpanId));
  addResource(fields, attributes, place, {});
  setMember(fields, 'fault', fault);
  setMember(fields, 'error', error);
  setMember(fields, 'throttle', throttle);
  if (Object.keys(place.metadata).length > 0) fields.metadata = { default: place.metadata };
  return fields;
}

/** The fields of an entity while they are put together: every span that arrives comes by here. */
type Fields = { [member: string]: JsonValue };

function setMember(fields: Fields, member: string, value: JsonValue | undefined): void {
  if (value !== undefined) fields[member] = value;
}

function identityFields(span: Span, name: string, id: string, parentId: EntityId | undefined): Fields {
  const endUs = nanosToUs(span.endTimeUnixNano);
  const fields: Fields = {
    id,
    name,
    trace_id: formatTraceId(span.traceId as TraceId),
    start_time: (nanosToUs(span.startTimeUnixNano) ?? 0) / 1e6,
  };
  if (endUs === undefined) fields.in_progress = true;
  else fields.end_time = endUs / 1e6;
  setMember(fields, 'parent_id', parentId);
  return fields;
}

function addResource(fields: Fields, attributes: Attributes, place: XrayResource, call: JsonObject): void {
  setMember(fields, 'origin', place.origin);
  setMember(
    fields,
    'resource_arn',
    consumeText(attributes, 'aws.xray.resource_arn') ??
      place.resourceArn ??
      firstText(attributes, 'aws.lambda.invoked_arn'),
  );
  setMember(fields, 'service', place.service);
  const aws = { ...place.aws, ...call };
  if (Object.keys(aws).length > 0) fields.aws = aws;
}

function functionOf(attributes: Attributes, place: XrayResource): JsonObject | undefined {
  if (place.origin !== 'AWS::Lambda::Function') return undefined;
  return definedMembers({
    function_arn: place.resourceArn,
    request_id: consumeText(attributes, 'faas.invocation_id', 'faas.execution'),
  });
}

function addOutcome(
  fields: Fields,
  span: Span,
  attributes: Attributes,
  namespace: 'aws' | 'remote' | undefined,
  place: XrayResource,
  { records = NONE, consumerLinks: linksBelow = NONE }: TranslationContext,
): void {
  if (span.endTimeUnixNano === undefined) consumeBoolean(attributes, 'aws.xray.inprogress');
  const isRemote = namespace !== undefined;
  const exceptions = exceptionsOf(span, attributes, { language: place.language, isRemote, records });
  setMember(fields, 'traced', consumeBoolean(attributes, 'aws.xray.traced'));
  Object.assign(fields, flagsOf(span, attributes, namespace, exceptions));
  if (exceptions.length > 0) fields.cause = { exceptions };
  if (span.links === undefined && linksBelow.length === 0) return;
  const links = linksOf([...(span.links ?? NONE), ...linksBelow]);
  if (links.length > 0) fields.links = links;
}

const NONE: readonly never[] = [];

function addAnnotationsAndMetadata(
  fields: Fields,
  attributes: Attributes,
  resource: JsonObject,
  { indexed }: TranslationContext,
): void {
  const { annotations, metadata } = annotationsAndMetadataOf(attributes, resource, indexed);
  setMember(fields, 'annotations', annotations);
  setMember(fields, 'metadata', metadata);
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
  return consumeText(attributes, 'enduser.id') ?? firstText(attributes, 'user.id');
}

/** AWS's distribution names the called resource itself. */
function withCallee(entity: Entity, attributes: Attributes): Entity {
  const type = firstText(attributes, 'aws.remote.resource.type');
  const name = firstText(attributes, 'aws.remote.resource.identifier');
  return type === undefined || name === undefined ? entity : { ...entity, callee: { name, type } };
}
