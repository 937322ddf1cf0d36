import { randomUUID } from 'node:crypto';
import { toFailure } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, objectOf } from '../../model/json.ts';
import type { Deliver, DeliveredMessage, ServiceSpecs, TopicSpec, TopicSubscription } from '../spec/services.ts';
import { fitsPattern } from './event-pattern.ts';
import { type NewMessage, openQueue, type Queue } from './queue.ts';
import { targetInput } from './rule-target.ts';

export type TopicMessage = {
  readonly message: string;
  readonly subject?: string | undefined;
  /** `{ DataType, StringValue }` by name. */
  readonly attributes?: JsonObject;
  readonly traceHeader?: string | undefined;
  /** Only for FIFO topics, which pass it on to their queues. */
  readonly groupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
};

export type BusEvent = {
  readonly source: string;
  readonly detailType: string;
  readonly detail: JsonObject;
  readonly resources?: readonly string[];
  readonly bus?: string | undefined;
  readonly traceHeader?: string | undefined;
};

export type BrokerOptions = {
  readonly specs: ServiceSpecs;
  readonly accountId: string;
  readonly region: string;
  /** Starts an asynchronous invocation. Never throws: the producer gets no answer. */
  readonly invokeAsync: (functionArn: string, event: JsonValue, traceHeader: string | undefined) => void;
  readonly warn: (sentence: string) => void;
};

/** The queues, topics and event rules of a template, in memory. */
export type Broker = {
  readonly queues: () => readonly Queue[];
  /** By ARN, URL or name. */
  readonly queue: (name: string) => Queue | undefined;
  readonly hasTopic: (topicArn: string) => boolean;
  readonly topics: () => readonly TopicSpec[];
  /** Returns the id of the message; undefined when the topic does not exist. */
  readonly publish: (topicArn: string, notification: TopicMessage) => string | undefined;
  /** By name or ARN. */
  readonly hasBus: (bus: string) => boolean;
  /** Returns the id of the event. Only targets of matching rules receive it. */
  readonly putEvent: (event: BusEvent) => string;
  /** Sends a record to a destination or a dead-letter queue: a queue, topic, bus or function by its ARN. */
  readonly deliver: Deliver;
  /** Sends the event of a rule or a schedule to a queue, topic or function by its ARN. */
  readonly forward: (targetArn: string, event: JsonValue, traceHeader: string | undefined) => void;
  /** Replaces the specs. A queue that remains keeps its messages; the messages of a removed queue are dropped. */
  readonly update: (specs: ServiceSpecs) => void;
};

export function openBroker(options: BrokerOptions): Broker {
  const { accountId, region, invokeAsync, warn } = options;
  let { specs } = options;
  let queues: readonly Queue[] = [];
  const queue = (name: string) =>
    queues.find(({ spec }) => [spec.arn, spec.url, spec.name].includes(name)) ??
    queues.find(({ spec }) => /^https?:/.test(name) && name.endsWith(`/${spec.name}`));

  function openQueues(before: readonly Queue[]): readonly Queue[] {
    return specs.queues.map((spec) => {
      const same = before.find((old) => old.spec.arn === spec.arn && old.spec.isFifo === spec.isFifo);
      same?.update(spec);
      return same ?? openQueue(spec, (message, { redrive }) => sendTo(redrive?.targetArn ?? '', message));
    });
  }

  function sendTo(queueArn: string, message: NewMessage): void {
    const target = queue(queueArn);
    try {
      if (target === undefined) warn(`There is no queue ${queueArn} here; the message is dropped.`);
      else target.send(message);
    } catch (error) {
      warn(`${queueArn} refused a message: ${toFailure(error).message}`);
    }
  }

  const hasBus = (bus: string) => specs.buses.includes(busName(bus));
  const hasTopic = (topicArn: string) => specs.topics.some(({ arn }) => arn === topicArn);

  function publish(topicArn: string, notification: TopicMessage): string | undefined {
    if (!hasTopic(topicArn)) return undefined;
    const messageId = randomUUID();
    const { message, subject, attributes = {}, traceHeader, groupId, deduplicationId } = notification;
    const order = { traceHeader, groupId, deduplicationId };
    for (const subscription of specs.subscriptions) {
      const { topicArn: from, targetArn, isRaw } = subscription;
      if (from !== topicArn || !matchesFilterPolicy(notification, subscription)) continue;
      const sns = {
        Type: 'Notification',
        MessageId: messageId,
        TopicArn: topicArn,
        Subject: subject ?? null,
        Message: message,
        Timestamp: new Date().toISOString(),
        SignatureVersion: '1',
        Signature: 'openray',
        SigningCertUrl: '',
        UnsubscribeUrl: '',
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes).map(([name, value]) => {
            const { DataType: type = 'String', StringValue: text = null } = value as JsonObject;
            return [name, { Type: type, Value: text }];
          }),
        ),
      };
      if (targetArn.includes(':sqs:')) {
        sendTo(targetArn, isRaw ? { ...order, body: message, attributes } : { ...order, body: JSON.stringify(sns) });
      } else {
        const head = {
          EventSource: 'aws:sns',
          EventVersion: '1.0',
          EventSubscriptionArn: `${topicArn}:${randomUUID()}`,
        };
        invokeAsync(targetArn, { Records: [{ ...head, Sns: sns }] }, traceHeader);
      }
    }
    return messageId;
  }

  function putEvent({ source, detailType, detail, resources = [], bus = 'default', traceHeader }: BusEvent): string {
    const id = randomUUID();
    const time = `${new Date().toISOString().slice(0, 19)}Z`;
    const event = {
      version: '0',
      id,
      'detail-type': detailType,
      source,
      account: accountId,
      time,
      region,
      resources,
      detail,
    };
    const name = busName(bus);
    for (const rule of specs.rules) {
      if (rule.bus !== name || !fitsPattern(event, rule.pattern)) continue;
      for (const target of rule.targets) forward(target.arn, targetInput(target, event), traceHeader);
    }
    return id;
  }

  function forward(arn: string, event: JsonValue, traceHeader: string | undefined): void {
    const text = typeof event === 'string' ? event : JSON.stringify(event);
    if (arn.includes(':sqs:')) sendTo(arn, { body: text, traceHeader });
    else if (arn.includes(':sns:')) publish(arn, { message: text, traceHeader });
    else if (arn.includes(':lambda:')) invokeAsync(arn, event, traceHeader);
    else warn(`${arn} is not a target that openray supports; the message is dropped.`);
  }

  function deliver(targetArn: string, record: JsonObject, message: DeliveredMessage): void {
    const { body, traceHeader, attributes } = message;
    if (targetArn.includes(':sqs:')) sendTo(targetArn, message);
    else if (targetArn.includes(':sns:'))
      publish(targetArn, { message: body, ...(attributes && { attributes }), traceHeader });
    else if (targetArn.includes(':lambda:')) invokeAsync(targetArn, record, traceHeader);
    else if (targetArn.includes(':events:') && !hasBus(targetArn)) {
      warn(`There is no event bus ${targetArn} here; the message is dropped.`);
    } else if (targetArn.includes(':events:')) {
      const isSuccess = objectOf(record.requestContext).condition === 'Success';
      const detailType = `Lambda Function Invocation Result - ${isSuccess ? 'Success' : 'Failure'}`;
      putEvent({ source: 'lambda', detailType, detail: record, bus: targetArn, traceHeader });
    } else warn(`${targetArn} is not a destination that openray supports; the message is dropped.`);
  }

  queues = openQueues([]);
  return {
    queues: () => queues,
    topics: () => specs.topics,
    queue,
    forward,
    update(next) {
      specs = next;
      queues = openQueues(queues);
    },
    hasTopic,
    hasBus,
    publish,
    putEvent,
    deliver,
  };
}

/** The last part of an ARN. */
function busName(bus: string): string {
  return bus.split('/').at(-1) ?? bus;
}

/** Whether a message matches the filter policy of a subscription, by its attributes or by its body. */
function matchesFilterPolicy({ message, attributes = {} }: TopicMessage, subscription: TopicSubscription): boolean {
  const { filterPolicy, filterScope } = subscription;
  if (filterPolicy === undefined) return true;
  if (filterScope === 'attributes') {
    const values = Object.entries(attributes).map(([name, value]) => [name, attributeValue(value as JsonObject)]);
    return fitsPattern(Object.fromEntries(values), filterPolicy);
  }
  const body = parse(message);
  return isJsonObject(body) && fitsPattern(body, filterPolicy);
}

/** `String.Array` holds a list of JSON, `Number` a number. */
function attributeValue({ DataType: type, StringValue: text = null }: JsonObject): JsonValue {
  if (typeof text !== 'string') return null;
  if (type === 'String.Array') return parse(text) ?? text;
  return type === 'Number' ? Number(text) : text;
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
