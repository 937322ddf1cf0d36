import type { Entity } from '../../entity.ts';
import { definedMembers, type JsonObject, type JsonValue } from '../../json.ts';
import type { LogRecord, Span, SpanLink, SpanWithResource } from '../../otlp-messages.ts';
import { readEntity } from '../../read-entity.ts';
import type { EntityId, TraceId } from '../../trace-id.ts';
import { formatTraceId } from '../../trace-id.ts';
import { plainObject } from '../any-value.ts';
import { nanosToUs } from '../nanos.ts';
import { isSpanId, isTraceId, parentIdOf } from '../span-ids.ts';
import { annotationsAndMetadataOf, type IndexedKeys } from './annotations.ts';
import { type Attributes, attributesOf, consumeBoolean, consumeText, firstText } from './attributes.ts';
import { awsCallOf } from './aws-call.ts';
import { namespaceOf } from './call-namespace.ts';
import { databaseSystem, databaseType, isSqlSystem } from './database.ts';
import { serviceSegmentId } from './derived-ids.ts';
import { exceptionsOf } from './exceptions.ts';
import { flagsOf } from './flags.ts';
import { httpOf } from './http.ts';
import { segmentName, subsegmentName } from './name.ts';
import { type XrayResource, xrayResourceOf } from './resource.ts';
import { type ParentInTrace, shapeOf } from './span-shape.ts';
import { sqlOf } from './sql.ts';

/** The translation of a span depends on these, too: settings, and data that was received apart from the span. */
export type TranslationContext = {
  readonly indexed: IndexedKeys;
  /** Undefined while the parent is unknown. */
  readonly parent?: ParentInTrace | undefined;
  /** Log records that describe exceptions of the span. */
  readonly records?: readonly LogRecord[];
  /** Links of the consumers directly below: X-Ray shows a function's messages at its segment. */
  readonly consumerLinks?: readonly SpanLink[];
};

/**
 * Translates a span to X-Ray: to a segment or a subsegment. A call that is the first work of its service becomes both,
 * the segment first. `fields` hold what an X-Ray document would hold; all else stays in the span.
 */
export function spanToEntities(
  { resource: sentResource, span }: Pick<SpanWithResource, 'resource' | 'span'>,
  context: TranslationContext,
): readonly Entity[] {
  const resource = xrayResourceOf(sentResource);
  const attributes = attributesOf(span.attributes);
  const shape = shapeOf(span, attributes, resource, context.parent);
  const traceId = span.traceId as TraceId;
  const id = span.spanId as EntityId;
  const parentId = parentIdOf(span.parentSpanId);
  if (shape === 'segment') {
    const fields = segmentFields(span, attributes, resource, context);
    return [readEntity(fields, { traceId, id, parentId, kind: 'segment' })];
  }
  if (shape === 'subsegment') {
    const fields = subsegmentFields(span, attributes, resource, context, parentId);
    return [withCallee(readEntity(fields, { traceId, id, parentId, kind: 'subsegment' }), attributes)];
  }
  const serviceId = serviceSegmentId(traceId, id);
  const call = subsegmentFields(span, attributes, resource, context, serviceId);
  const service = serviceFields(span, attributes, resource, serviceId, call);
  return [
    readEntity(service, { traceId, id: serviceId, parentId, kind: 'segment' }),
    withCallee(readEntity(call, { traceId, id, parentId: serviceId, kind: 'subsegment' }), attributes),
  ];
}

function segmentFields(
  span: Span,
  attributes: Attributes,
  resource: XrayResource,
  context: TranslationContext,
): JsonObject {
  const fields = identityFields(
    span,
    segmentName(span, attributes, resource),
    span.spanId,
    parentIdOf(span.parentSpanId),
  );
  const call = definedMembers(awsCallOf(span, attributes, undefined));
  addResource(fields, attributes, resource, { ...functionOf(attributes, resource), ...call });
  addMember(fields, 'user', userOf(attributes));
  addMember(fields, 'http', httpOf(span, attributes, undefined));
  addOutcome(fields, span, attributes, undefined, resource, context);
  addAnnotationsAndMetadata(fields, attributes, resource.metadata, context);
  return fields;
}

function subsegmentFields(
  span: Span,
  attributes: Attributes,
  resource: XrayResource,
  context: TranslationContext,
  parentId: EntityId | undefined,
): JsonObject {
  const namespace = namespaceOf(span, attributes);
  const fields = identityFields(span, subsegmentName(span, attributes, namespace), span.spanId, parentId);
  fields.type = 'subsegment';
  addMember(fields, 'namespace', namespace);
  addMember(fields, 'user', userOf(attributes));
  const aws = definedMembers(awsCallOf(span, attributes, namespace));
  addMember(fields, 'http', httpOf(span, attributes, namespace));
  addMember(fields, 'aws', aws);
  if (attributes.families.db) addMember(fields, 'sql', sqlOf(attributes));
  addOutcome(fields, span, attributes, namespace, resource, context);
  addAnnotationsAndMetadata(fields, attributes, NO_METADATA, context);
  return fields;
}

const NO_METADATA: JsonObject = {};

/** The service around a call has the resource, the times and the outcome of the call. */
function serviceFields(
  span: Span,
  attributes: Attributes,
  resource: XrayResource,
  id: EntityId,
  { fault, error, throttle }: JsonObject,
): JsonObject {
  const fields = identityFields(span, segmentName(span, attributes, resource), id, parentIdOf(span.parentSpanId));
  addResource(fields, attributes, resource, {});
  addMember(fields, 'fault', fault);
  addMember(fields, 'error', error);
  addMember(fields, 'throttle', throttle);
  if (Object.keys(resource.metadata).length > 0) fields.metadata = { default: resource.metadata };
  return fields;
}

/** Fields of an entity while they are built. Mutable for speed: every span that is received is translated. */
type Fields = { [member: string]: JsonValue };

function addMember(fields: Fields, member: string, value: JsonValue | undefined): void {
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
  addMember(fields, 'parent_id', parentId);
  return fields;
}

function addResource(fields: Fields, attributes: Attributes, resource: XrayResource, call: JsonObject): void {
  addMember(fields, 'origin', resource.origin);
  addMember(
    fields,
    'resource_arn',
    consumeText(attributes, 'aws.xray.resource_arn') ??
      resource.resourceArn ??
      firstText(attributes, 'aws.lambda.invoked_arn'),
  );
  addMember(fields, 'service', resource.service);
  const aws = { ...resource.aws, ...call };
  if (Object.keys(aws).length > 0) fields.aws = aws;
}

function functionOf(attributes: Attributes, resource: XrayResource): JsonObject | undefined {
  if (resource.origin !== 'AWS::Lambda::Function') return undefined;
  return definedMembers({
    function_arn: resource.resourceArn,
    request_id: consumeText(attributes, 'faas.invocation_id', 'faas.execution'),
  });
}

function addOutcome(
  fields: Fields,
  span: Span,
  attributes: Attributes,
  namespace: 'aws' | 'remote' | undefined,
  resource: XrayResource,
  { records = NONE, consumerLinks = NONE }: TranslationContext,
): void {
  if (span.endTimeUnixNano === undefined) consumeBoolean(attributes, 'aws.xray.inprogress');
  const isRemote = namespace !== undefined;
  const exceptions = exceptionsOf(span, attributes, { language: resource.language, isRemote, records });
  addMember(fields, 'traced', consumeBoolean(attributes, 'aws.xray.traced'));
  Object.assign(fields, flagsOf(span, attributes, namespace, exceptions));
  if (exceptions.length > 0) fields.cause = { exceptions };
  if (span.links === undefined && consumerLinks.length === 0) return;
  const links = linksOf([...(span.links ?? NONE), ...consumerLinks]);
  if (links.length > 0) fields.links = links;
}

const NONE: readonly never[] = [];

function addAnnotationsAndMetadata(
  fields: Fields,
  attributes: Attributes,
  resourceMetadata: JsonObject,
  { indexed }: TranslationContext,
): void {
  const { annotations, metadata } = annotationsAndMetadataOf(attributes, resourceMetadata, indexed);
  addMember(fields, 'annotations', annotations);
  addMember(fields, 'metadata', metadata);
}

/** Without the links that name no valid span. */
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

export function userOf(attributes: Attributes): string | undefined {
  return consumeText(attributes, 'enduser.id') ?? firstText(attributes, 'user.id');
}

/** The called service, where the fields of X-Ray do not have its kind. */
function withCallee(entity: Entity, attributes: Attributes): Entity {
  const callee = remoteResource(attributes) ?? databaseOf(entity, attributes);
  return callee === undefined ? entity : { ...entity, callee };
}

/** AWS's distribution of OpenTelemetry names the called resource in attributes of its own. */
function remoteResource(attributes: Attributes): Entity['callee'] {
  const type = firstText(attributes, 'aws.remote.resource.type');
  const name = firstText(attributes, 'aws.remote.resource.identifier');
  return type === undefined || name === undefined ? undefined : { name, type };
}

/** X-Ray's `sql` marks a database of SQL; no field marks another kind of database. */
export function databaseOf(
  { namespace, name }: Pick<Entity, 'namespace' | 'name'>,
  attributes: Attributes,
): Entity['callee'] {
  if (namespace !== 'remote' || !attributes.families.db) return undefined;
  const system = databaseSystem(attributes);
  return system === undefined || isSqlSystem(system) ? undefined : { name, type: databaseType(system) };
}
