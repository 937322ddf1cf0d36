import { parentIdOf } from '../span-ids.ts';
import { FLAG, KIND, type Span } from '../types.ts';
import { type Attributes, firstText } from './attributes.ts';
import { isSdkCall } from './call-namespace.ts';
import type { XrayResource } from './resource.ts';

/** What is known of a span's parent once it is there. */
export type ParentInTrace = {
  /** Its name where it is Lambda's segment of a function. */
  readonly functionName: string | undefined;
  readonly serviceName: string | undefined;
  readonly instanceId: string | undefined;
};

/** As X-Ray sees a span: a segment, a part of one, or a call and the segment that it was made from in one. */
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

/** Whether the span is the first work of its service for this request. The first rule that applies decides. */
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

/** Lambda reports the function itself; the span around its handler is part of that, not a second function. */
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

function isOtherService(parent: ParentInTrace, { serviceName, instanceId }: XrayResource): boolean {
  if (parent.instanceId !== undefined && instanceId !== undefined) return parent.instanceId !== instanceId;
  return parent.serviceName !== undefined && serviceName !== undefined && parent.serviceName !== serviceName;
}

/** Whether the shape hangs on a parent that may not have arrived: old SDKs do not say whether it is remote. */
export function dependsOnParent(span: Span): boolean {
  return (
    parentIdOf(span.parentSpanId) !== undefined &&
    ((span.flags ?? 0) & FLAG.isRemoteKnown) === 0 &&
    span.kind !== KIND.server
  );
}
