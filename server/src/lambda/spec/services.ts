import type { JsonObject } from '../../model/json.ts';
import type { ScheduleExpression } from './schedule-expression.ts';

export type QueueSpec = {
  readonly name: string;
  readonly arn: string;
  /** As on AWS; functions get the local one in its place. */
  readonly url: string;
  readonly visibilityTimeoutMs: number;
  /** How long a message waits before it is there, unless it says otherwise. */
  readonly delayMs: number;
  /** Messages of one group come in order, and the same message only once. */
  readonly isFifo: boolean;
  /** The same body is the same message. */
  readonly deduplicatesByContent: boolean;
  readonly redrive: { readonly targetArn: string; readonly maxReceiveCount: number } | undefined;
};

export type TopicSpec = { readonly name: string; readonly arn: string };

export type TopicSubscription = {
  readonly topicArn: string;
  /** ARN of a function or a queue. */
  readonly targetArn: string;
  readonly filterPolicy: JsonObject | undefined;
  /** What the policy is held against. */
  readonly filterScope: 'attributes' | 'body';
  readonly isRaw: boolean;
};

export type RuleSpec = {
  readonly bus: string;
  readonly pattern: JsonObject;
  readonly targets: readonly RuleTarget[];
};

export type RuleTarget = {
  readonly arn: string;
  /** JSON text that is sent instead of the event. */
  readonly input: string | undefined;
  /** `$.detail`: the part of the event that is sent. */
  readonly inputPath: string | undefined;
  /** Parts of the event by name, and the text in which `<name>` stands for them. */
  readonly transformer: { readonly paths: Readonly<Record<string, string>>; readonly template: string } | undefined;
};

/** A queue whose messages Lambda takes to a function. */
export type QueueSource = {
  readonly functionId: string;
  readonly queueArn: string;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly reportsItemFailures: boolean;
  /** A message has to pass one of them; none lets everything through. */
  readonly filters: readonly JsonObject[];
  /** Batches that are handled at once. */
  readonly maxConcurrency: number;
};

/** Queues, topics, rules and schedules of the template: what is between its functions, and what starts them. */
export type ServiceSpecs = {
  readonly queues: readonly QueueSpec[];
  readonly topics: readonly TopicSpec[];
  readonly subscriptions: readonly TopicSubscription[];
  readonly rules: readonly RuleSpec[];
  readonly queueSources: readonly QueueSource[];
  readonly schedules: readonly ScheduleSpec[];
};

/** A rule or a schedule that sends something at set times. */
export type ScheduleSpec = {
  /** Logical id, or that of a function and its event. */
  readonly name: string;
  /** As in the template. */
  readonly text: string;
  readonly expression: ScheduleExpression;
  readonly timeZone: string;
  /** Events of rules and of the scheduler look different. */
  readonly kind: 'rule' | 'scheduler';
  readonly isEnabled: boolean;
  readonly targets: readonly ScheduleTarget[];
};

export type ScheduleTarget = {
  /** ARN of a function, queue, topic or bus. */
  readonly arn: string;
  /** JSON text that is sent instead of the event. */
  readonly input: string | undefined;
};

/** Sends the record of a finished asynchronous event to a destination or a dead-letter queue, by its ARN. */
export type Deliver = (targetArn: string, record: JsonObject, message: DeliveredMessage) => void;

/** The same record as a queue or a topic receives it. */
export type DeliveredMessage = {
  readonly body: string;
  /** `{ DataType, StringValue }` by name. */
  readonly attributes?: JsonObject;
  readonly traceHeader: string;
};
