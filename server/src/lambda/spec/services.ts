import type { JsonObject } from '../../model/json.ts';
import type { ScheduleExpression } from './schedule-expression.ts';

export type QueueSpec = {
  readonly name: string;
  readonly arn: string;
  /** As on AWS; in the environment of a function the local URL replaces it. */
  readonly url: string;
  readonly visibilityTimeoutMs: number;
  /** Delay of messages that have none of their own. */
  readonly delayMs: number;
  /** Messages of one group arrive in order, and duplicates are dropped. */
  readonly isFifo: boolean;
  /** Messages with the same body are duplicates. */
  readonly deduplicatesByContent: boolean;
  readonly redrive: { readonly targetArn: string; readonly maxReceiveCount: number } | undefined;
};

export type TopicSpec = { readonly name: string; readonly arn: string };

export type TopicSubscription = {
  readonly topicArn: string;
  /** ARN of a function or a queue. */
  readonly targetArn: string;
  readonly filterPolicy: JsonObject | undefined;
  /** The part of the message that the policy is matched against. */
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
  /** JSON text that replaces the event. */
  readonly input: string | undefined;
  /** `$.detail`: only this part of the event is sent. */
  readonly inputPath: string | undefined;
  /** JSON paths by name, and a text in which `<name>` is replaced by the value at the path. */
  readonly transformer: { readonly paths: Readonly<Record<string, string>>; readonly template: string } | undefined;
};

/** A queue that Lambda polls for a function. */
export type QueueSource = {
  readonly functionId: string;
  readonly queueArn: string;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly reportsItemFailures: boolean;
  /** A message must match one of them; an empty list matches every message. */
  readonly filters: readonly JsonObject[];
  /** Most batches that are handled at the same time. */
  readonly maxConcurrency: number;
};

/** Queues, topics, event rules and schedules of the template, with their targets. */
export type ServiceSpecs = {
  readonly queues: readonly QueueSpec[];
  readonly topics: readonly TopicSpec[];
  readonly subscriptions: readonly TopicSubscription[];
  readonly rules: readonly RuleSpec[];
  /** Names of the event buses: `default`, those of the template, and those that its rules name. */
  readonly buses: readonly string[];
  readonly queueSources: readonly QueueSource[];
  readonly schedules: readonly ScheduleSpec[];
};

/** A rule or a schedule that invokes its targets at set times. */
export type ScheduleSpec = {
  /** Logical id; for an event of a function, the ids of both. */
  readonly name: string;
  /** As in the template. */
  readonly text: string;
  readonly expression: ScheduleExpression;
  readonly timeZone: string;
  /** Rules and the scheduler send different events. */
  readonly kind: 'rule' | 'scheduler';
  readonly isEnabled: boolean;
  readonly targets: readonly ScheduleTarget[];
};

export type ScheduleTarget = {
  /** ARN of a function, queue, topic or bus. */
  readonly arn: string;
  /** JSON text that replaces the event. */
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

/** A request to SQS, SNS or EventBridge: their clients post all operations to one path. */
export type AwsServiceRequest = {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
};

export type AwsServiceResponse = {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** Undefined when neither a header nor the signature names a service. Failures become responses. */
export type CallAwsService = (request: AwsServiceRequest) => Promise<AwsServiceResponse | undefined>;
