import { isJsonObject, type JsonObject, type JsonValue } from '../../model/json.ts';
import { mergeGlobals } from '../globals.ts';
import { resolveValue, type Scope } from '../intrinsics.ts';
import type { RawTemplate, Resource } from '../template.ts';

export type QueueSpec = {
  readonly name: string;
  readonly arn: string;
  /** As on AWS; functions get the local one in its place. */
  readonly url: string;
  readonly visibilityTimeoutMs: number;
  readonly redrive: { readonly targetArn: string; readonly maxReceiveCount: number } | undefined;
};

export type TopicSpec = { readonly name: string; readonly arn: string };

export type TopicSubscription = {
  readonly topicArn: string;
  /** ARN of a function or a queue. */
  readonly targetArn: string;
  readonly filterPolicy: JsonObject | undefined;
  readonly isRaw: boolean;
};

export type RuleSpec = { readonly bus: string; readonly pattern: JsonObject; readonly targetArns: readonly string[] };

/** A queue whose messages Lambda takes to a function. */
export type QueueSource = {
  readonly functionId: string;
  readonly queueArn: string;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly reportsItemFailures: boolean;
};

/** Queues, topics and rules of the template: what is between its functions. */
export type ServiceSpecs = {
  readonly queues: readonly QueueSpec[];
  readonly topics: readonly TopicSpec[];
  readonly subscriptions: readonly TopicSubscription[];
  readonly rules: readonly RuleSpec[];
  readonly sources: readonly QueueSource[];
};

const QUEUE = 'AWS::SQS::Queue';
const TOPIC = 'AWS::SNS::Topic';

/** What `Ref` and `GetAtt` give for a queue or a topic; undefined for other types. */
export function serviceValue(
  { type }: Resource,
  name: string,
  { region, accountId }: { readonly region: string; readonly accountId: string },
) {
  switch (type) {
    case QUEUE: {
      const url = `https://sqs.${region}.amazonaws.com/${accountId}/${name}`;
      const arn = `arn:aws:sqs:${region}:${accountId}:${name}`;
      return { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
    }
    case TOPIC: {
      const arn = `arn:aws:sns:${region}:${accountId}:${name}`;
      return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
    }
    default:
      return undefined;
  }
}

export function readServices(functionIds: readonly string[], raw: RawTemplate, scope: Scope): ServiceSpecs {
  const resolved = (logicalId: string, value: JsonValue) =>
    objectOf(resolveValue(value, { ...scope, where: logicalId }));
  const resources = Object.entries(raw.resources).map(([logicalId, { type, properties }]) => ({
    logicalId,
    type,
    values: scope.resources[logicalId],
    properties: SERVICE_TYPES.includes(type) ? resolved(logicalId, properties) : {},
  }));
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const arnOf = (functionId: string) => scope.resources[functionId]?.attributes.Arn ?? functionId;
  const events = functionIds.flatMap((functionId) => {
    const { type, properties } = raw.resources[functionId] as Resource;
    if (type !== 'AWS::Serverless::Function') return [];
    const merged = mergeGlobals(objectOf(raw.globals.Function), properties);
    return Object.values(resolved(`${functionId}.Events`, merged.Events ?? {})).map((event) => ({
      functionId,
      type: objectOf(event).Type,
      properties: objectOf(objectOf(event).Properties),
    }));
  });
  const mappings = ofType('AWS::Lambda::EventSourceMapping').flatMap(({ properties }) => {
    const name = String(properties.FunctionName ?? '');
    const functionId = functionIds.find((id) => [id, scope.resources[id]?.ref, arnOf(id)].includes(name));
    return functionId === undefined ? [] : [queueSource(functionId, properties.EventSourceArn, properties)];
  });
  return {
    queues: ofType(QUEUE).map(({ values, properties }) => queueSpec(values?.attributes ?? {}, properties)),
    topics: ofType(TOPIC).map(({ values }) => ({
      name: values?.attributes.TopicName ?? '',
      arn: values?.attributes.TopicArn ?? '',
    })),
    subscriptions: [
      ...events
        .filter(({ type }) => type === 'SNS')
        .map(({ functionId, properties }) => subscription(properties.Topic, arnOf(functionId), properties)),
      ...ofType('AWS::SNS::Subscription').map(({ properties }) =>
        subscription(properties.TopicArn, String(properties.Endpoint ?? ''), properties),
      ),
      ...ofType(TOPIC).flatMap(({ values, properties }) =>
        listOf(properties.Subscription).map((entry) =>
          subscription(values?.attributes.TopicArn, String(objectOf(entry).Endpoint ?? ''), objectOf(entry)),
        ),
      ),
    ],
    rules: [
      ...events
        .filter(({ type }) => type === 'EventBridgeRule' || type === 'CloudWatchEvent')
        .map(({ functionId, properties }) => ({
          bus: busName(properties.EventBusName),
          pattern: objectOf(properties.Pattern),
          targetArns: [arnOf(functionId)],
        })),
      ...ofType('AWS::Events::Rule')
        .filter(({ properties }) => isJsonObject(properties.EventPattern))
        .map(({ properties }) => ({
          bus: busName(properties.EventBusName),
          pattern: objectOf(properties.EventPattern),
          targetArns: listOf(properties.Targets).map((target) => String(objectOf(target).Arn ?? '')),
        })),
    ],
    sources: [
      ...events
        .filter(({ type }) => type === 'SQS')
        .map(({ functionId, properties }) => queueSource(functionId, properties.Queue, properties)),
      ...mappings.filter(({ queueArn }) => queueArn.includes(':sqs:')),
    ],
  };
}

const SERVICE_TYPES = [
  ...[QUEUE, TOPIC, 'AWS::SNS::Subscription', 'AWS::Events::Rule', 'AWS::Lambda::EventSourceMapping'],
];

function queueSpec(attributes: Readonly<Record<string, string>>, properties: JsonObject): QueueSpec {
  const redrive = objectOf(properties.RedrivePolicy);
  const targetArn = redrive.deadLetterTargetArn;
  return {
    name: attributes.QueueName ?? '',
    arn: attributes.Arn ?? '',
    url: attributes.QueueUrl ?? '',
    visibilityTimeoutMs: Number(properties.VisibilityTimeout ?? 30) * 1000,
    redrive:
      typeof targetArn === 'string' ? { targetArn, maxReceiveCount: Number(redrive.maxReceiveCount ?? 10) } : undefined,
  };
}

function subscription(topic: JsonValue | undefined, targetArn: string, properties: JsonObject): TopicSubscription {
  return {
    topicArn: String(topic ?? ''),
    targetArn,
    filterPolicy: isJsonObject(properties.FilterPolicy) ? properties.FilterPolicy : undefined,
    isRaw: properties.RawMessageDelivery === true || properties.RawMessageDelivery === 'true',
  };
}

function queueSource(functionId: string, queue: JsonValue | undefined, properties: JsonObject): QueueSource {
  return {
    functionId,
    queueArn: String(queue ?? ''),
    batchSize: Number(properties.BatchSize ?? 10),
    windowMs: Number(properties.MaximumBatchingWindowInSeconds ?? 0) * 1000,
    reportsItemFailures: listOf(properties.FunctionResponseTypes).includes('ReportBatchItemFailures'),
  };
}

function busName(value: JsonValue | undefined): string {
  return typeof value === 'string' ? (value.split('/').at(-1) ?? 'default') : 'default';
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}
