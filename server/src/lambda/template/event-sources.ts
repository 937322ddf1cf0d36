import { isJsonObject, type JsonObject, type JsonValue, listOf, objectOf } from '../../model/json.ts';
import type {
  QueueSource,
  QueueSpec,
  RuleTarget,
  ScheduleSpec,
  ServiceSpecs,
  TopicSubscription,
} from '../spec/services.ts';
import { readPart } from './broken-parts.ts';
import { mergeGlobals } from './globals.ts';
import { resolveValue, type Scope } from './intrinsics.ts';
import { warnOfPatterns } from './pattern-warnings.ts';
import { readFilters } from './queue-filters.ts';
import type { RawTemplate, Resource } from './raw-template.ts';
import { resourceType } from './resource-types.ts';
import { readSchedule, type ScheduleSource, scheduleTarget } from './schedules.ts';
import { isTrue, parsedObject } from './values.ts';

const QUEUE = 'AWS::SQS::Queue';
const TOPIC = 'AWS::SNS::Topic';

const SERVICE_TYPES = [
  ...[QUEUE, TOPIC, 'AWS::SNS::Subscription', 'AWS::Events::Rule', 'AWS::Lambda::EventSourceMapping'],
  'AWS::Scheduler::Schedule',
];

/** An event of a SAM function, or a resource. */
type Named = { readonly id: string; readonly type: string; readonly properties: JsonObject };
type FunctionEvent = Named & { readonly functionId: string };

/** SAM events that become routes. */
const ROUTE_EVENTS = ['Api', 'HttpApi'];
const SUPPORTED_EVENTS = ['SQS', 'SNS', 'EventBridgeRule', 'CloudWatchEvent', 'Schedule', 'ScheduleV2'];

export function readServices(functionIds: readonly string[], raw: RawTemplate, scope: Scope): ServiceSpecs {
  const resolved = (logicalId: string, value: JsonValue) =>
    readPart(
      () => objectOf(resolveValue(value, { ...scope, location: logicalId })),
      {},
      (reason) => scope.warn(`${reason}; it is left out.`),
    );
  const resources = Object.entries(raw.resources)
    .filter(([, { type }]) => SERVICE_TYPES.includes(type))
    .map(([id, { type, properties }]) => ({
      ...{ id, type, properties: resolved(id, properties) },
      attributes: scope.resources[id]?.attributes ?? {},
    }));
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const arnOf = (functionId: string) => scope.resources[functionId]?.attributes.Arn ?? functionId;
  const events = functionIds.flatMap((functionId) => functionEvents(functionId, raw, resolved));
  const queueOf = (event: FunctionEvent) => subscribedQueue(event, scope);
  const eventsOf = (...types: readonly string[]) => events.filter(({ type }) => types.includes(type));
  for (const { functionId, id, type } of events) {
    if (SUPPORTED_EVENTS.includes(type)) continue;
    scope.warn(`${functionId}: openray has no ${type}; its event ${id} never starts the function.`);
  }
  warnOfPatterns([...events, ...resources], scope.warn);
  return {
    queues: [
      ...ofType(QUEUE).map(({ attributes, properties }) => queueSpec(attributes, properties)),
      ...eventsOf('SNS').flatMap((event) => queueOf(event)?.spec ?? []),
    ],
    topics: ofType(TOPIC).map(({ attributes }) => ({
      name: attributes.TopicName ?? '',
      arn: attributes.TopicArn ?? '',
    })),
    subscriptions: [
      ...eventsOf('SNS').map((event) =>
        subscription(event.properties.Topic, queueOf(event)?.arn ?? arnOf(event.functionId), event.properties),
      ),
      ...ofType('AWS::SNS::Subscription').map(({ properties }) =>
        subscription(properties.TopicArn, String(properties.Endpoint ?? ''), properties),
      ),
      ...ofType(TOPIC).flatMap(({ attributes, properties }) =>
        listOf(properties.Subscription).map((entry) =>
          subscription(attributes.TopicArn, String(objectOf(entry).Endpoint ?? ''), objectOf(entry)),
        ),
      ),
    ],
    rules: [
      ...eventsOf('EventBridgeRule', 'CloudWatchEvent').map(({ functionId, properties }) => ({
        bus: busName(properties.EventBusName),
        pattern: objectOf(properties.Pattern),
        targets: [ruleTarget({ ...properties, Arn: arnOf(functionId) })],
      })),
      ...ofType('AWS::Events::Rule')
        .filter(({ properties }) => isJsonObject(properties.EventPattern))
        .map(({ properties }) => ({
          bus: busName(properties.EventBusName),
          pattern: objectOf(properties.EventPattern),
          targets: listOf(properties.Targets).map((target) => ruleTarget(objectOf(target))),
        })),
    ],
    queueSources: [
      ...eventsOf('SQS').flatMap(({ functionId, properties }) => queueSource(functionId, properties.Queue, properties)),
      ...eventsOf('SNS').flatMap((event) => {
        const queue = queueOf(event);
        return queue === undefined ? [] : queueSource(event.functionId, queue.arn, queue.properties);
      }),
      ...ofType('AWS::Lambda::EventSourceMapping').flatMap((mapping) => mappingSource(mapping, functionIds, scope)),
    ],
    schedules: schedulesOf(events, resources, arnOf, scope),
  };
}

/** The queue between a topic and a function that `SqsSubscription` asks for: a new one, or the one that it names. */
function subscribedQueue({ functionId, id, properties }: FunctionEvent, { pseudo }: Scope) {
  const { SqsSubscription: subscribed } = properties;
  if (subscribed === undefined || subscribed === false) return undefined;
  const own = objectOf(subscribed);
  if (typeof own.QueueArn === 'string') return { arn: own.QueueArn, properties: own, spec: undefined };
  const place = { region: String(pseudo['AWS::Region']), accountId: String(pseudo['AWS::AccountId']), gatewayUrl: '' };
  const logicalId = `${functionId}${id}Queue`;
  const value = resourceType(QUEUE)?.value({ logicalId, name: logicalId, properties: {}, place });
  const attributes: Readonly<Record<string, string>> = value?.attributes ?? {};
  return { arn: attributes.Arn ?? '', properties: own, spec: queueSpec(attributes, {}) };
}

function functionEvents(
  functionId: string,
  raw: RawTemplate,
  resolved: (logicalId: string, value: JsonValue) => JsonObject,
): readonly FunctionEvent[] {
  const { type, properties } = raw.resources[functionId] as Resource;
  if (type !== 'AWS::Serverless::Function') return [];
  const merged = mergeGlobals(objectOf(raw.globals.Function), properties);
  return Object.entries(objectOf(merged.Events)).flatMap(([id, given]) => {
    // routes.ts reads the events of APIs, and warns about them.
    if (ROUTE_EVENTS.includes(String(objectOf(given).Type))) return [];
    const { Type: type, Properties: properties } = resolved(`${functionId}.Events.${id}`, given);
    return type === undefined ? [] : [{ functionId, id, type: String(type), properties: objectOf(properties) }];
  });
}

/** An `AWS::Lambda::EventSourceMapping`. A source that is not a queue is left out, with a warning. */
function mappingSource(
  { id, properties }: Named,
  functionIds: readonly string[],
  scope: Scope,
): readonly QueueSource[] {
  const name = String(properties.FunctionName ?? '');
  const functionId = functionIds.find((candidate) => {
    const { ref, attributes } = scope.resources[candidate] ?? {};
    return name === candidate || name === ref || name === attributes?.Arn || name.startsWith(`${attributes?.Arn}:`);
  });
  if (functionId === undefined) return [];
  const arn = String(properties.EventSourceArn ?? '');
  if (arn.includes(':sqs:')) return queueSource(functionId, arn, properties);
  const service = /^arn:[^:]*:([^:]+):/.exec(arn)?.[1] ?? 'such source';
  scope.warn(`${functionId}: openray has no ${service}; its event source ${id} never starts the function.`);
  return [];
}

function schedulesOf(
  events: readonly FunctionEvent[],
  resources: readonly Named[],
  arnOf: (functionId: string) => string,
  { warn }: Scope,
): readonly ScheduleSpec[] {
  const ofEvents = events.flatMap(({ functionId, id, type, properties }): readonly ScheduleSource[] => {
    const isV2 = type === 'ScheduleV2';
    if (!isV2 && type !== 'Schedule') return [];
    const expression = isV2 ? properties.ScheduleExpression : properties.Schedule;
    const targets = [scheduleTarget({ ...properties, Arn: arnOf(functionId) })];
    const name = typeof properties.Name === 'string' ? properties.Name : `${functionId}${id}`;
    return [{ name, kind: isV2 ? 'scheduler' : 'rule', expression, properties, targets }];
  });
  const ofResources = resources.flatMap(({ id, type, properties }): readonly ScheduleSource[] => {
    const { ScheduleExpression: expression, Name: name } = properties;
    const common = { name: typeof name === 'string' ? name : id, expression, properties };
    if (type === 'AWS::Scheduler::Schedule') {
      return [{ ...common, kind: 'scheduler', targets: [scheduleTarget(objectOf(properties.Target))] }];
    }
    if (type !== 'AWS::Events::Rule' || expression === undefined) return [];
    return [{ ...common, kind: 'rule', targets: listOf(properties.Targets).map(scheduleTarget) }];
  });
  return [...ofEvents, ...ofResources].flatMap((source) => readSchedule(source, warn) ?? []);
}

function queueSpec(attributes: Readonly<Record<string, string>>, properties: JsonObject): QueueSpec {
  const redrive = objectOf(properties.RedrivePolicy);
  const targetArn = redrive.deadLetterTargetArn;
  return {
    name: attributes.QueueName ?? '',
    arn: attributes.Arn ?? '',
    url: attributes.QueueUrl ?? '',
    visibilityTimeoutMs: Number(properties.VisibilityTimeout ?? 30) * 1000,
    delayMs: Number(properties.DelaySeconds ?? 0) * 1000,
    isFifo: isTrue(properties.FifoQueue),
    deduplicatesByContent: isTrue(properties.ContentBasedDeduplication),
    redrive:
      typeof targetArn === 'string' ? { targetArn, maxReceiveCount: Number(redrive.maxReceiveCount ?? 10) } : undefined,
  };
}

function subscription(topic: JsonValue | undefined, targetArn: string, properties: JsonObject): TopicSubscription {
  return {
    topicArn: String(topic ?? ''),
    targetArn,
    filterPolicy: parsedObject(properties.FilterPolicy),
    filterScope: properties.FilterPolicyScope === 'MessageBody' ? 'body' : 'attributes',
    isRaw: isTrue(properties.RawMessageDelivery),
  };
}

/** Lambda's own initial number. */
const DEFAULT_CONCURRENT_BATCHES = 5;

/** Empty when the source is disabled. */
function queueSource(functionId: string, queue: JsonValue | undefined, properties: JsonObject): readonly QueueSource[] {
  if (properties.Enabled === false || properties.Enabled === 'false') return [];
  return [
    {
      functionId,
      queueArn: String(queue ?? ''),
      batchSize: Number(properties.BatchSize ?? 10),
      windowMs: Number(properties.MaximumBatchingWindowInSeconds ?? 0) * 1000,
      reportsItemFailures: listOf(properties.FunctionResponseTypes).includes('ReportBatchItemFailures'),
      filters: readFilters(properties.FilterCriteria),
      maxConcurrency: Number(objectOf(properties.ScalingConfig).MaximumConcurrency ?? DEFAULT_CONCURRENT_BATCHES),
    },
  ];
}

function ruleTarget(properties: JsonObject): RuleTarget {
  const { Arn: arn, Input: input, InputPath: inputPath, InputTransformer: transformer } = properties;
  const { InputPathsMap: map, InputTemplate: template } = objectOf(transformer);
  const paths = Object.fromEntries(Object.entries(objectOf(map)).map(([name, path]) => [name, String(path)]));
  return {
    transformer: typeof template === 'string' ? { paths, template } : undefined,
    arn: String(arn ?? ''),
    input: typeof input === 'string' ? input : undefined,
    inputPath: typeof inputPath === 'string' ? inputPath : undefined,
  };
}

function busName(value: JsonValue | undefined): string {
  return typeof value === 'string' ? (value.split('/').at(-1) ?? 'default') : 'default';
}
