import { awsNameKey } from './aws-name-key.ts';
import { AWS_SERVICE_LINES } from './aws-services.ts';
import type { Entity } from './entity.ts';
import type { ServiceId } from './graph.ts';
import { readObject, readText } from './json.ts';

type AwsService = {
  readonly name: string;
  readonly type: string;
  /** The parameter of a call that names the resource, and the type of that resource's node. */
  readonly resource?: { readonly field: string; readonly type: string };
};

/** Services with resources that X-Ray shows as nodes, or with a type that is not `AWS::` and the name. */
const KNOWN_SERVICES: readonly AwsService[] = [
  {
    name: 'DynamoDB',
    type: 'AWS::DynamoDB',
    resource: { field: 'table_name', type: 'AWS::DynamoDB::Table' },
  },
  { name: 'S3', type: 'AWS::S3', resource: { field: 'bucket_name', type: 'AWS::S3::Bucket' } },
  { name: 'SQS', type: 'AWS::SQS', resource: { field: 'queue_url', type: 'AWS::SQS::Queue' } },
  { name: 'SNS', type: 'AWS::SNS', resource: { field: 'topic_arn', type: 'AWS::SNS' } },
  { name: 'Lambda', type: 'AWS::Lambda', resource: { field: 'function_name', type: 'AWS::Lambda' } },
  { name: 'EventBridge', type: 'AWS::Events' },
  { name: 'SSM', type: 'AWS::SimpleSystemsManagement' },
];

/** By key (see `awsNameKey`) of each name that a client may use. */
const AWS_SERVICES: ReadonlyMap<string, AwsService> = new Map(
  AWS_SERVICE_LINES.trim()
    .split('\n')
    .flatMap((line) => {
      const [name = '', ...aliases] = line.split(' ');
      const service = KNOWN_SERVICES.find((known) => known.name === name) ?? { name, type: `AWS::${name}` };
      return [awsNameKey(name), ...aliases].map((key) => [key, service] as const);
    }),
);

/** An unknown service keeps the name with which it was sent. */
function awsService(name: string): AwsService {
  return AWS_SERVICES.get(awsNameKey(name)) ?? { name, type: `AWS::${name}` };
}

/** Keys (see `awsNameKey`) of all names of the AWS service that openray shows as `service`; empty if there is none. */
export function awsNameKeysOf(service: string): readonly string[] {
  return [...AWS_SERVICES].filter(([, { name }]) => name === service).map(([key]) => key);
}

/** The parameters of AWS calls that name a resource, see `calledResource`. */
export const RESOURCE_FIELDS: readonly string[] = [
  ...new Set(KNOWN_SERVICES.flatMap(({ resource }) => resource?.field ?? [])),
];

/** A text that is equal for equal services, in every trace. */
export function nodeKey({ name, type, accountId }: ServiceId): string {
  return JSON.stringify([name, type ?? null, accountId ?? null]);
}

/** The service whose `nodeKey` this is. */
export function serviceOfKey(key: string): ServiceId {
  const [name, type, accountId]: readonly [string, string | null, string | null] = JSON.parse(key);
  return { name, type: type ?? undefined, accountId: accountId ?? undefined };
}

/** The service that a segment reports. */
export function serviceOf(segment: Entity): ServiceId {
  return { name: segment.name, type: segment.origin, accountId: segment.accountId };
}

/**
 * The called service of a call (see `isCall`), as its caller knows it: the resource if the call names one, else the
 * AWS service, the database or the host.
 */
export function calledService(call: Entity): ServiceId {
  const { accountId } = call;
  const service = call.namespace === 'aws' ? awsService(call.name) : undefined;
  const resourceName = calledResource(call);
  // The same resource has the same name whether or not its caller names a type, too.
  if (service?.resource !== undefined && resourceName !== undefined)
    return { name: resourceName, type: service.resource.type, accountId };
  if (call.callee !== undefined) return { ...call.callee, accountId };
  if (service !== undefined) return { name: service.name, type: service.type, accountId };
  return { name: call.name, type: isSqlCall(call) ? SQL_DATABASE : 'remote', accountId };
}

/**
 * The resource that an AWS call names: a table, bucket, queue URL, topic ARN or function. As in X-Ray, the call must
 * name its operation too.
 */
export function calledResource(call: Entity): string | undefined {
  const aws = readObject(call.fields.aws);
  if (call.namespace !== 'aws' || aws === undefined || readText(aws.operation) === undefined) return undefined;
  const { resource } = awsService(call.name);
  return resource && readText(aws[resource.field]);
}

/**
 * Whether two AWS calls, one inside the other, are one request: an instrumentation of messages and one of the AWS SDK
 * may both record it. The outer one may lack the operation or the resource.
 */
export function isSameRequest(outer: Entity, inner: Entity): boolean {
  if (outer.namespace !== 'aws' || inner.namespace !== 'aws') return false;
  if (awsService(outer.name).name !== awsService(inner.name).name) return false;
  const [a, b] = [calledResource(outer), calledResource(inner)];
  return (a === undefined || b === undefined || a === b) && isSameOperation(operationOf(outer), operationOf(inner));
}

/** `SendMessage` is the same request as `SendMessageBatch`: instrumentations of messages do not name the batch. */
function isSameOperation(a = '', b = ''): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

function operationOf(call: Entity): string | undefined {
  return readText(readObject(call.fields.aws)?.operation);
}

const SQL_DATABASE = 'Database::SQL';

function isSqlCall(call: Entity): boolean {
  return readObject(call.fields.sql) !== undefined;
}

/** Whether the call sends a message to an SQS queue, where the message waits. */
export function isQueueSend(call: Entity): boolean {
  const isSqs = call.namespace === 'aws' && awsService(call.name).name === 'SQS';
  return isSqs && operationOf(call)?.startsWith('SendMessage') === true;
}
