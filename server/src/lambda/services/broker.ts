import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../model/json.ts';
import { fitsPattern } from './event-pattern.ts';
import { type NewMessage, openQueue, type Queue } from './queue.ts';
import type { ServiceSpecs } from './service-specs.ts';

export type Notification = {
  readonly message: string;
  readonly subject?: string | undefined;
  /** `{ DataType, StringValue }` by name. */
  readonly attributes?: JsonObject;
  readonly traceHeader?: string | undefined;
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
  /** Accepts an asynchronous invocation; nothing it does reaches the producer. */
  readonly invoke: (functionArn: string, event: JsonObject, traceHeader: string | undefined) => void;
  readonly note: (sentence: string) => void;
};

/** What lies between the functions of a template: its queues, topics and event rules, in memory. */
export type Broker = {
  readonly queues: readonly Queue[];
  /** By ARN, URL or name. */
  readonly queue: (name: string) => Queue | undefined;
  /** The id of the message; undefined when there is no such topic. */
  readonly publish: (topicArn: string, notification: Notification) => string | undefined;
  /** The id of the event. Whoever has no rule for it does not get it. */
  readonly putEvent: (event: BusEvent) => string;
  /** A record to a destination or dead-letter queue: a queue, topic, bus or function by its ARN. */
  readonly deliver: (targetArn: string, body: JsonObject, message: NewMessage) => void;
};

export function openBroker({ specs, accountId, region, invoke, note }: BrokerOptions): Broker {
  const queues = specs.queues.map((spec) =>
    openQueue(spec, (message) => sendTo(spec.redrive?.targetArn ?? '', message)),
  );
  const queue = (name: string) =>
    queues.find(({ spec }) => [spec.arn, spec.url, spec.name].includes(name)) ??
    queues.find(({ spec }) => /^https?:/.test(name) && name.endsWith(`/${spec.name}`));

  function sendTo(queueArn: string, message: NewMessage): void {
    const target = queue(queueArn);
    if (target === undefined) note(`There is no queue ${queueArn} here; what was meant for it is lost.`);
    else target.send(message);
  }

  function publish(topicArn: string, notification: Notification): string | undefined {
    if (!specs.topics.some(({ arn }) => arn === topicArn)) return undefined;
    const messageId = randomUUID();
    const { message, subject, attributes = {}, traceHeader } = notification;
    const values = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, (value as JsonObject).StringValue ?? null]),
    );
    for (const { topicArn: from, targetArn, filterPolicy, isRaw } of specs.subscriptions) {
      if (from !== topicArn || (filterPolicy !== undefined && !fitsPattern(values, filterPolicy))) continue;
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
        sendTo(
          targetArn,
          isRaw ? { body: message, attributes, traceHeader } : { body: JSON.stringify(sns), traceHeader },
        );
      } else {
        const head = {
          EventSource: 'aws:sns',
          EventVersion: '1.0',
          EventSubscriptionArn: `${topicArn}:${randomUUID()}`,
        };
        invoke(targetArn, { Records: [{ ...head, Sns: sns }] }, traceHeader);
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
    const name = bus.split('/').at(-1);
    for (const rule of specs.rules) {
      if (rule.bus !== name || !fitsPattern(event, rule.pattern)) continue;
      for (const arn of rule.targetArns) forward(arn, event, traceHeader);
    }
    return id;
  }

  function forward(arn: string, event: JsonObject, traceHeader: string | undefined): void {
    if (arn.includes(':sqs:')) sendTo(arn, { body: JSON.stringify(event), traceHeader });
    else if (arn.includes(':sns:')) publish(arn, { message: JSON.stringify(event), traceHeader });
    else invoke(arn, event, traceHeader);
  }

  return {
    queues,
    queue,
    publish,
    putEvent,
    deliver(targetArn, body, message) {
      const { traceHeader, attributes } = message;
      if (targetArn.includes(':sqs:')) sendTo(targetArn, message);
      else if (targetArn.includes(':sns:'))
        publish(targetArn, { message: message.body, ...(attributes && { attributes }), traceHeader });
      else if (targetArn.includes(':lambda:')) invoke(targetArn, body, traceHeader);
      else if (targetArn.includes(':events:')) {
        const isSuccess = (body.requestContext as JsonObject | undefined)?.condition === 'Success';
        const detailType = `Lambda Function Invocation Result - ${isSuccess ? 'Success' : 'Failure'}`;
        putEvent({ source: 'lambda', detailType, detail: body, bus: targetArn, traceHeader });
      } else note(`${targetArn} is no destination that openray knows; what was meant for it is lost.`);
    },
  };
}
