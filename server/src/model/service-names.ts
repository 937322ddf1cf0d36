import type { Entity } from './entity.ts';
import type { ServiceId } from './graph.ts';
import { readObject, readText } from './json.ts';

type AwsService = {
  readonly name: string;
  readonly type: string;
  /** The parameter of a call that names the resource, and the type of that resource's node. */
  readonly resource?: { readonly field: string; readonly type: string };
};

const DYNAMODB: AwsService = {
  name: 'DynamoDB',
  type: 'AWS::DynamoDB',
  resource: { field: 'table_name', type: 'AWS::DynamoDB::Table' },
};
const S3: AwsService = { name: 'S3', type: 'AWS::S3', resource: { field: 'bucket_name', type: 'AWS::S3::Bucket' } };
const SQS: AwsService = { name: 'SQS', type: 'AWS::SQS', resource: { field: 'queue_url', type: 'AWS::SQS::Queue' } };
const SNS: AwsService = { name: 'SNS', type: 'AWS::SNS', resource: { field: 'topic_arn', type: 'AWS::SNS' } };
const LAMBDA: AwsService = {
  name: 'Lambda',
  type: 'AWS::Lambda',
  resource: { field: 'function_name', type: 'AWS::Lambda' },
};
const EVENTBRIDGE: AwsService = { name: 'EventBridge', type: 'AWS::Events' };
const STEP_FUNCTIONS: AwsService = { name: 'StepFunctions', type: 'AWS::StepFunctions' };
const SSM: AwsService = { name: 'SSM', type: 'AWS::SimpleSystemsManagement' };

/** By the names of the SDKs in lower case: botocore's endpoint prefixes and the JavaScript service ids. */
const AWS_SERVICES: ReadonlyMap<string, AwsService> = new Map([
  ['dynamodb', DYNAMODB],
  ['s3', S3],
  ['sqs', SQS],
  ['sns', SNS],
  ['lambda', LAMBDA],
  ['kinesis', { name: 'Kinesis', type: 'AWS::Kinesis' }],
  ['firehose', { name: 'Firehose', type: 'AWS::Firehose' }],
  ['events', EVENTBRIDGE],
  ['eventbridge', EVENTBRIDGE],
  ['cloudwatchevents', { name: 'CloudWatchEvents', type: 'AWS::Events' }],
  ['states', STEP_FUNCTIONS],
  ['sfn', STEP_FUNCTIONS],
  ['stepfunctions', STEP_FUNCTIONS],
  ['ssm', SSM],
  ['simplesystemsmanagement', SSM],
  ['secretsmanager', { name: 'SecretsManager', type: 'AWS::SecretsManager' }],
  ['kms', { name: 'KMS', type: 'AWS::KMS' }],
  ['sts', { name: 'STS', type: 'AWS::STS' }],
]);

/** An unknown service keeps the name with which it was sent. */
function awsService(name: string): AwsService {
  return AWS_SERVICES.get(name.toLowerCase()) ?? { name, type: `AWS::${name}` };
}

/** Other names, in lower case, of calls to the AWS service with this name; empty if openray knows none. */
export function awsCallNames(service: string): readonly string[] {
  return [...AWS_SERVICES].filter(([, { name }]) => name === service).map(([alias]) => alias);
}

/** The parameters of AWS calls that name a resource, see `calledResource`. */
export const RESOURCE_FIELDS: readonly string[] = [
  ...new Set([...AWS_SERVICES.values()].flatMap(({ resource }) => resource?.field ?? [])),
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
  if (call.callee !== undefined) return { ...call.callee, accountId };
  if (call.namespace === 'aws') {
    const { name, type, resource } = awsService(call.name);
    const resourceName = calledResource(call);
    if (resource !== undefined && resourceName !== undefined)
      return { name: resourceName, type: resource.type, accountId };
    return { name, type, accountId };
  }
  return { name: call.name, type: isSqlCall(call) ? 'Database::SQL' : 'remote', accountId };
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

export function isSqlCall(call: Entity): boolean {
  return readObject(call.fields.sql) !== undefined;
}

/** Whether the call sends a message to an SQS queue, where the message waits. */
export function isQueueSend(call: Entity): boolean {
  const operation = readText(readObject(call.fields.aws)?.operation);
  return call.namespace === 'aws' && awsService(call.name) === SQS && operation?.startsWith('SendMessage') === true;
}
