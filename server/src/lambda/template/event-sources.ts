import { isJsonObject, type JsonObject, type JsonValue, listOf, objectOf, textOf } from '../../model/json.ts';
import type {
  QueueSource,
  QueueSpec,
  RuleTarget,
  ScheduleSpec,
  ServiceSpecs,
  TopicSubscription,
} from '../spec/services.ts';
import type { FunctionEvent } from './function-events.ts';
import type { Scope } from './intrinsics.ts';
import { type MemberRules, shown, validMembers } from './member-rules.ts';
import { warnOfPatterns } from './pattern-warnings.ts';
import { readFilters } from './queue-filters.ts';
import type { RawTemplate } from './raw-template.ts';
import { resourceType } from './resource-types.ts';
import { readSchedule, type ScheduleSource, scheduleTarget } from './schedules.ts';
import {
  QUEUE,
  readServiceResources,
  type ServiceResource,
  TARGET_RULES,
  TOPIC,
  TOPIC_SUBSCRIPTION_RULES,
} from './service-resources.ts';
import { isTrue, parsedObject } from './values.ts';

export function readServices(
  functionIds: readonly string[],
  events: readonly FunctionEvent[],
  raw: RawTemplate,
  scope: Scope,
): ServiceSpecs {
  const resources = readServiceResources(raw, scope);
  const ofType = (type: string) => resources.filter((resource) => resource.type === type);
  const arnOf = (functionId: string) => scope.resources[functionId]?.attributes.Arn ?? functionId;
  const queueOf = (event: FunctionEvent) => subscribedQueue(event, scope);
  const entriesOf = (where: string, list: JsonValue | undefined, rules: MemberRules) =>
    listOf(list).flatMap((entry, index) => validEntry(`${where}[${index}]`, entry, rules, scope));
  const rules = ofType('AWS::Events::Rule').map(({ id, properties }) => ({
    id,
    properties,
    targets: entriesOf(`${id}.Targets`, properties.Targets, TARGET_RULES),
  }));
  warnOfRules(rules, scope);
  const topicArns = ofType(TOPIC).map(({ attributes }) => attributes.TopicArn);
  const warnOfTopic = (where: string, arn: JsonValue | undefined) => {
    if (arn === undefined || topicArns.includes(String(arn))) return;
    scope.warn(`${where} is ${shown(arn)}, which is no topic of this template; its messages do not arrive here.`);
  };
  const eventsOf = (...types: readonly string[]) => events.filter(({ type }) => types.includes(type));
  for (const { where, properties } of eventsOf('SNS')) warnOfTopic(`${where}.Topic`, properties.Topic);
  for (const { id, properties } of ofType('AWS::SNS::Subscription')) warnOfTopic(`${id}.TopicArn`, properties.TopicArn);
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
      ...ofType(TOPIC).flatMap(({ id, attributes, properties }) =>
        entriesOf(`${id}.Subscription`, properties.Subscription, TOPIC_SUBSCRIPTION_RULES).map((entry) =>
          subscription(attributes.TopicArn, String(entry.Endpoint), entry),
        ),
      ),
    ],
    rules: [
      ...eventsOf(...RULE_EVENTS).flatMap(({ functionId, properties }) =>
        ruleSpec(properties.Pattern, properties, [{ ...properties, Arn: arnOf(functionId) }]),
      ),
      ...rules.flatMap(({ properties, targets }) => ruleSpec(properties.EventPattern, properties, targets)),
    ],
    buses: [
      ...new Set([
        'default',
        ...busResources(raw, scope),
        ...[...eventsOf(...RULE_EVENTS), ...rules].map(({ properties }) => busName(properties.EventBusName)),
      ]),
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

/** An `AWS::Lambda::EventSourceMapping`. A source that is not a queue is left out, with a warning. */
function mappingSource(
  { id, properties }: ServiceResource,
  functionIds: readonly string[],
  scope: Scope,
): readonly QueueSource[] {
  const name = String(properties.FunctionName ?? '');
  const functionId = functionIds.find((candidate) => {
    const { ref, attributes } = scope.resources[candidate] ?? {};
    return name === candidate || name === ref || name === attributes?.Arn || name.startsWith(`${attributes?.Arn}:`);
  });
  if (functionId === undefined) {
    scope.warn(`${id}.FunctionName is ${shown(name)}, which is no function of this template; it polls nothing.`);
    return [];
  }
  const arn = String(properties.EventSourceArn ?? '');
  if (arn.includes(':sqs:')) return queueSource(functionId, arn, properties);
  scope.warn(
    `${id}.EventSourceArn is ${shown(arn)}; openray polls only SQS queues, so ${id} never starts the function ${functionId}.`,
  );
  return [];
}

function schedulesOf(
  events: readonly FunctionEvent[],
  resources: readonly ServiceResource[],
  arnOf: (functionId: string) => string,
  scope: Scope,
): readonly ScheduleSpec[] {
  const { warn } = scope;
  const ofEvents = events.flatMap(({ functionId, id, where, type, properties }): readonly ScheduleSource[] => {
    const isV2 = type === 'ScheduleV2';
    if (!isV2 && type !== 'Schedule') return [];
    const expression = isV2 ? properties.ScheduleExpression : properties.Schedule;
    const targets = [scheduleTarget({ ...properties, Arn: arnOf(functionId) })];
    const name = typeof properties.Name === 'string' ? properties.Name : `${functionId}${id}`;
    return [{ name, where, kind: isV2 ? 'scheduler' : 'rule', expression, properties, targets }];
  });
  const ofResources = resources.flatMap(({ id, type, properties }): readonly ScheduleSource[] => {
    const { ScheduleExpression: expression, Name: name } = properties;
    const common = { name: typeof name === 'string' ? name : id, where: id, expression, properties };
    if (type === 'AWS::Scheduler::Schedule') {
      const targets = validEntry(`${id}.Target`, objectOf(properties.Target), TARGET_RULES, scope);
      return [{ ...common, kind: 'scheduler', targets: targets.map(scheduleTarget) }];
    }
    if (type !== 'AWS::Events::Rule' || expression === undefined) return [];
    const targets = listOf(properties.Targets).filter((target) => textOf(objectOf(target).Arn) !== undefined);
    return [{ ...common, kind: 'rule', targets: targets.map(scheduleTarget) }];
  });
  return [...ofEvents, ...ofResources].flatMap((source) => readSchedule(source, warn) ?? []);
}

function queueSpec(attributes: Readonly<Record<string, string>>, properties: JsonObject): QueueSpec {
  const redrive = parsedObject(properties.RedrivePolicy) ?? {};
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

/** A rule that waits for events; a disabled one waits for none. */
function ruleSpec(
  given: JsonValue | undefined,
  { EventBusName: bus, State: state, Enabled: enabled }: JsonObject,
  targets: readonly JsonObject[],
): ServiceSpecs['rules'] {
  const pattern = parsedObject(given);
  if (pattern === undefined || state === 'DISABLED' || (enabled !== undefined && !isTrue(enabled))) return [];
  return [{ bus: busName(bus), pattern, targets: targets.map(ruleTarget) }];
}

/** Empty, with a warning, when the entry is malformed. */
function validEntry(where: string, entry: JsonValue, rules: MemberRules, { warn }: Scope): readonly JsonObject[] {
  if (!isJsonObject(entry)) {
    warn(`${where} is ${shown(entry)}, not an object; it is left out.`);
    return [];
  }
  const valid = validMembers(where, entry, rules, warn);
  return valid === undefined ? [] : [valid];
}

type Rule = { readonly id: string; readonly properties: JsonObject; readonly targets: readonly JsonObject[] };

function warnOfRules(rules: readonly Rule[], { warn }: Scope): void {
  for (const { id, properties, targets } of rules) {
    const { EventPattern: pattern, ScheduleExpression: expression } = properties;
    if (pattern === undefined && expression === undefined) {
      warn(`${id} has no valid EventPattern and no ScheduleExpression; the rule invokes nothing.`);
    } else if (targets.length === 0) warn(`${id} has no valid Targets; the rule invokes nothing.`);
  }
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

const RULE_EVENTS = ['EventBridgeRule', 'CloudWatchEvent'];

function busResources({ resources }: RawTemplate, scope: Scope): readonly string[] {
  return Object.entries(resources)
    .filter(([, { type }]) => type === 'AWS::Events::EventBus')
    .map(([logicalId]) => busName(scope.resources[logicalId]?.ref));
}

function busName(value: JsonValue | undefined): string {
  return typeof value === 'string' ? (value.split('/').at(-1) ?? 'default') : 'default';
}
