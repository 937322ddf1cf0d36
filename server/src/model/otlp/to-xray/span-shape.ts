import { FLAG, KIND, type Span } from '../../otlp-messages.ts';
import { parentIdOf } from '../span-ids.ts';
import { type Attributes, firstText } from './attributes.ts';
import { isSdkCall } from './call-namespace.ts';
import type { XrayResource } from './resource.ts';

/** The properties of a received parent that decide the shape of its child. */
export type ParentInTrace = {
  /** Its name, if it is Lambda's segment of a function. */
  readonly functionName: string | undefined;
  readonly serviceName: string | undefined;
  readonly instanceId: string | undefined;
};

/** The translation of a span: a segment, a subsegment, or both a call and the segment around it. */
export type Shape = 'segment' | 'subsegment' | 'segment-and-call';

export function shapeOf(
  span: Span,
  attributes: Attributes,
  resource: XrayResource,
  parent: ParentInTrace | undefined,
): Shape {
  if (!isLocalRoot(span, attributes, resource, parent)) return 'subsegment';
  switch (span.kind) {
    case KIND.client:
    case KIND.producer:
      return 'segment-and-call';
    case KIND.consumer:
      return isSdkCall(attributes) ? 'segment-and-call' : 'segment';
    default:
      return 'segment';
  }
}

/** Whether the span is the first work of its service for this request. The first matching rule decides. */
function isLocalRoot(
  span: Span,
  attributes: Attributes,
  resource: XrayResource,
  parent: ParentInTrace | undefined,
): boolean {
  if (parentIdOf(span.parentSpanId) === undefined) return true;
  if (parent?.functionName !== undefined && isFunctionItself(parent.functionName, attributes, resource)) return false;
  const { flags = 0 } = span;
  if ((flags & FLAG.isRemoteKnown) !== 0) return (flags & FLAG.isRemote) !== 0;
  if (isMarkedLocalRoot(attributes)) return true;
  if (parent !== undefined && isOtherService(parent, resource)) return true;
  return span.kind === KIND.server;
}

/** Whether the span belongs to the function that Lambda reports: then it is a part of that segment. */
function isFunctionItself(
  functionName: string,
  attributes: Attributes,
  { attributes: resource, serviceName }: XrayResource,
): boolean {
  return (
    firstText(attributes, 'faas.name') === functionName ||
    firstText(resource, 'faas.name') === functionName ||
    serviceName === functionName
  );
}

function isMarkedLocalRoot(attributes: Attributes): boolean {
  return (
    firstText(attributes, 'aws.span.kind') === 'LOCAL_ROOT' ||
    attributes.values.get('aws.is.local.root')?.boolValue === true
  );
}

/** By instance if both are known, else by name. */
export function isOtherService(
  parent: Pick<ParentInTrace, 'serviceName' | 'instanceId'>,
  { serviceName, instanceId }: Pick<XrayResource, 'serviceName' | 'instanceId'>,
): boolean {
  if (parent.instanceId !== undefined && instanceId !== undefined) return parent.instanceId !== instanceId;
  return parent.serviceName !== undefined && serviceName !== undefined && parent.serviceName !== serviceName;
}

/** Whether the shape depends on the parent: spans of old SDKs do not say whether their parent is remote. */
export function dependsOnParent(span: Span): boolean {
  return (
    parentIdOf(span.parentSpanId) !== undefined &&
    ((span.flags ?? 0) & FLAG.isRemoteKnown) === 0 &&
    span.kind !== KIND.server
  );
}

const OTHER_SERVICE: ParentInTrace = { functionName: undefined, serviceName: '', instanceId: undefined };

/**
 * Possible parents that change the translation of the span. The parent of a span of an old SDK may belong to another
 * service. The parent of a span in a function may be Lambda's segment.
 */
export function possibleParents(span: Span, attributes: Attributes, resource: XrayResource): readonly ParentInTrace[] {
  const otherServices = dependsOnParent(span) ? [OTHER_SERVICE] : [];
  const functionName = firstText(attributes, 'faas.name') ?? firstText(resource.attributes, 'faas.name');
  if (functionName === undefined || parentIdOf(span.parentSpanId) === undefined) return otherServices;
  return [...otherServices, { ...OTHER_SERVICE, functionName }];
}
