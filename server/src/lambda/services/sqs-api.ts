import { createHash } from 'node:crypto';
import { toFailure } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, listOf, memberOf, objectOf, textOf } from '../../model/json.ts';
import type { AwsServiceResponse } from '../spec/services.ts';
import { OPERATION_HINT, RELAY_HINT } from './aws-relay.ts';
import type { Broker } from './broker.ts';
import { fifoAttributes, type NewMessage, type Queue, type QueueMessage, type SentMessage } from './queue.ts';
import type { ServiceRequest } from './service-call.ts';
import { ServiceError } from './service-error.ts';
import { batchEntries, checkMessage, checkReceipt, checkVisibility, requireTexts, wholeNumber } from './sqs-input.ts';

type Call = Pick<ServiceRequest, 'traceHeader' | 'origin' | 'signal'>;

type Operation = {
  /** Throws ServiceError when the input is invalid. SQS looks for the queue only after that. */
  readonly check?: (input: JsonObject) => void;
  readonly run: (queue: Queue, input: JsonObject, call: Call) => JsonObject | Promise<JsonObject>;
};

/** The operations of SQS that functions use and that concern one queue. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  GetQueueUrl: { run: (queue, _input, { origin }) => ({ QueueUrl: urlOf(queue, origin) }) },
  GetQueueAttributes: { run: (queue, input) => attributesOf(queue, listOf(input.AttributeNames).map(String)) },
  SendMessage: {
    check: checkMessage,
    run: (queue, input, { traceHeader }) => send(queue, input, traceHeader),
  },
  SendMessageBatch: {
    check: (input) => void batchEntries(input, 'SendMessageBatchRequestEntry'),
    run: (queue, input, { traceHeader }) =>
      eachEntry(input, (entry) => {
        checkMessage(entry);
        return send(queue, entry, traceHeader);
      }),
  },
  ReceiveMessage: { check: (input) => void receiveOptions(input), run: receive },
  DeleteMessage: {
    check: checkReceipt,
    run(queue, input) {
      queue.remove(String(input.ReceiptHandle));
      return {};
    },
  },
  DeleteMessageBatch: {
    check: (input) => void batchEntries(input, 'DeleteMessageBatchRequestEntry'),
    run: (queue, input) =>
      eachEntry(input, (entry) => {
        checkReceipt(entry);
        queue.remove(String(entry.ReceiptHandle));
        return {};
      }),
  },
  ChangeMessageVisibility: {
    check(input) {
      checkVisibility(input);
      checkReceipt(input);
    },
    run(queue, input) {
      changeVisibility(queue, input);
      return {};
    },
  },
  ChangeMessageVisibilityBatch: {
    check: (input) => void batchEntries(input, 'ChangeMessageVisibilityBatchRequestEntry'),
    run: (queue, input) =>
      eachEntry(input, (entry) => {
        checkVisibility(entry);
        checkReceipt(entry);
        changeVisibility(queue, entry);
        return {};
      }),
  },
  PurgeQueue: {
    run(queue) {
      queue.purge();
      return {};
    },
  },
};

/** Operations of SQS that openray does not have. Every other name is unknown to AWS too. */
const MISSING_OPERATIONS: readonly string[] = [
  ...[
    'AddPermission',
    'RemovePermission',
    'CreateQueue',
    'DeleteQueue',
    'SetQueueAttributes',
    'TagQueue',
    'UntagQueue',
  ],
  ...['ListQueueTags', 'ListDeadLetterSourceQueues', 'StartMessageMoveTask', 'CancelMessageMoveTask'],
  'ListMessageMoveTasks',
];

/** One operation, in the JSON protocol. As on AWS, its name is checked first, then the input, then the queue. */
export async function handleSqs(
  broker: Broker,
  { operation, body, ...call }: ServiceRequest,
): Promise<AwsServiceResponse> {
  try {
    return json(await runOperation(broker, operation, body, call));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return errorResponse(error);
  }
}

function runOperation(broker: Broker, operation: string, body: string, call: Call) {
  const known = memberOf(OPERATIONS, operation);
  if (known === undefined && operation !== 'ListQueues') {
    if (!MISSING_OPERATIONS.includes(operation)) {
      throw new ServiceError('UnknownOperationException', `SQS has no operation ${operation.slice(0, 100)}`);
    }
    throw new ServiceError(
      'UnsupportedOperation',
      `openray's local queues do not support ${operation}. ${OPERATION_HINT}`,
    );
  }
  const input = parse(body);
  if (input === undefined) throw new ServiceError('SerializationException', 'The body is not a JSON object');
  if (known === undefined) return listQueues(broker, input, call);
  requireTexts(input, operation === 'GetQueueUrl' ? 'QueueName' : 'QueueUrl');
  known.check?.(input);
  const queue = queueOf(broker, input);
  if (queue === undefined) {
    throw new ServiceError('QueueDoesNotExist', `The specified queue does not exist: ${RELAY_HINT}`);
  }
  return known.run(queue, input, call);
}

function listQueues(broker: Broker, input: JsonObject, { origin }: Call): JsonObject {
  const max = wholeNumber(input, 'MaxResults', 1, 1000);
  const prefix = textOf(input.QueueNamePrefix) ?? '';
  const after = Buffer.from(textOf(input.NextToken) ?? '', 'base64url').toString();
  const named = broker
    .queues()
    .filter(({ spec: { name } }) => name.startsWith(prefix) && name > after)
    .toSorted((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  const listed = named.slice(0, max ?? 1000);
  const last = listed.at(-1)?.spec.name;
  // Without MaxResults AWS gives no token.
  const hasMore = max !== undefined && last !== undefined && listed.length < named.length;
  return {
    QueueUrls: listed.map((queue) => urlOf(queue, origin)),
    ...(hasMore && { NextToken: Buffer.from(last).toString('base64url') }),
  };
}

function receiveOptions(input: JsonObject) {
  const max = wholeNumber(input, 'MaxNumberOfMessages', 1, 10) ?? 1;
  const waitMs = (wholeNumber(input, 'WaitTimeSeconds', 0, 20) ?? 0) * 1000;
  const visibility = wholeNumber(input, 'VisibilityTimeout', 0, 43_200);
  return { max, options: { waitMs, ...(visibility === undefined ? {} : { visibilityMs: visibility * 1000 }) } };
}

async function receive(queue: Queue, input: JsonObject, { signal }: Call): Promise<JsonObject> {
  const { max, options } = receiveOptions(input);
  const messages = await queue.receive(max, { ...options, signal });
  const asked = {
    system: [...listOf(input.MessageSystemAttributeNames), ...listOf(input.AttributeNames)].map(String),
    own: listOf(input.MessageAttributeNames).map(String),
  };
  return messages.length === 0 ? {} : { Messages: messages.map((message) => messageJson(message, asked)) };
}

function changeVisibility(queue: Queue, input: JsonObject): void {
  queue.setVisibility(String(input.ReceiptHandle), Number(input.VisibilityTimeout) * 1000);
}

/** Whether the call is about a queue of the template, or about no single queue. */
export function concernsLocalQueue(broker: Broker, operation: string, body: string): boolean {
  return operation === 'ListQueues' || queueOf(broker, parse(body) ?? {}) !== undefined;
}

function queueOf(broker: Broker, input: JsonObject): Queue | undefined {
  return broker.queue(String(input.QueueUrl ?? input.QueueName ?? ''));
}

/** Runs each entry of a batch; an invalid one fails alone. */
function eachEntry(input: JsonObject, run: (entry: JsonObject) => JsonObject): JsonObject {
  const successful: JsonObject[] = [];
  const failed: JsonObject[] = [];
  for (const entry of listOf(input.Entries).filter(isJsonObject)) {
    const id = String(entry.Id);
    try {
      successful.push({ Id: id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      failed.push({ Id: id, SenderFault: true, Code: error.code, Message: error.message });
    }
  }
  return { Successful: successful, Failed: failed };
}

function send(queue: Queue, input: JsonObject, callerHeader: string | undefined): JsonObject {
  const attributes = objectOf(input.MessageAttributes);
  const system = objectOf(objectOf(input.MessageSystemAttributes).AWSTraceHeader).StringValue;
  const message: NewMessage = {
    body: String(input.MessageBody ?? ''),
    attributes,
    traceHeader: typeof system === 'string' ? system : callerHeader,
    delayMs: input.DelaySeconds === undefined ? undefined : Number(input.DelaySeconds) * 1000,
    groupId: textOf(input.MessageGroupId),
    deduplicationId: textOf(input.MessageDeduplicationId),
  };
  const { id, bodyMd5, fifo } = sendValid(queue, message);
  const md5 = md5OfAttributes(attributes);
  return {
    MessageId: id,
    MD5OfMessageBody: bodyMd5,
    ...(md5 === undefined ? {} : { MD5OfMessageAttributes: md5 }),
    ...(fifo === undefined ? {} : { SequenceNumber: fifo.sequenceNumber }),
  };
}

/** Throws InvalidParameterValue when the queue refuses the message. */
function sendValid(queue: Queue, message: NewMessage): SentMessage {
  try {
    return queue.send(message);
  } catch (error) {
    throw new ServiceError('InvalidParameterValue', toFailure(error).message);
  }
}

type AskedAttributes = { readonly system: readonly string[]; readonly own: readonly string[] };

/** With the attributes that the client asks for, as on AWS. */
function messageJson(message: QueueMessage, asked: AskedAttributes): JsonObject {
  const system: JsonObject = {
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentMs),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedMs),
    SenderId: 'openray',
    ...(message.traceHeader === undefined ? {} : { AWSTraceHeader: message.traceHeader }),
    ...(message.fifo === undefined ? {} : fifoAttributes(message.fifo)),
  };
  const isAsked = (name: string) => asked.system.includes('All') || asked.system.includes(name);
  const isOwnAsked = (name: string) => asked.own.some((pattern) => matchesName(pattern, name));
  const attributes = membersWhere(system, isAsked);
  const own = membersWhere(message.attributes, isOwnAsked);
  const md5 = own && md5OfAttributes(own);
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    Body: message.body,
    MD5OfBody: message.bodyMd5,
    ...(attributes && { Attributes: attributes }),
    ...(own && { MessageAttributes: own }),
    ...(md5 !== undefined && { MD5OfMessageAttributes: md5 }),
  };
}

/** `All` and `.*` are all names, `order.*` those that begin with `order.`. */
function matchesName(pattern: string, name: string): boolean {
  if (pattern === 'All' || pattern === '.*') return true;
  return pattern.endsWith('.*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Undefined when no member is kept. */
function membersWhere(map: JsonObject, isKept: (name: string) => boolean): JsonObject | undefined {
  const kept = Object.entries(map).filter(([name]) => isKept(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/**
 * SDKs compare this digest with their own. Over the sorted names: length and bytes of name, type and value.
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
 */
function md5OfAttributes(attributes: JsonObject): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  const add = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const { DataType: type, StringValue: text, BinaryValue: binary } = objectOf(attributes[name]);
    add(Buffer.from(name));
    add(Buffer.from(String(type ?? '')));
    hash.update(Buffer.from([binary === undefined ? 1 : 2]));
    add(binary === undefined ? Buffer.from(String(text ?? '')) : Buffer.from(String(binary), 'base64'));
  }
  return hash.digest('hex');
}

/** On this server: clients may use the URL of a queue as their endpoint. */
function urlOf({ spec: { url } }: Queue, origin: string | undefined): string {
  return origin === undefined ? url : `${origin}${new URL(url).pathname}`;
}

/** The attributes that `names` asks for, as on AWS; `All` asks for all of them. */
function attributesOf({ spec, counts }: Queue, names: readonly string[]): JsonObject {
  const { visible, inFlight } = counts();
  const all: JsonObject = {
    QueueArn: spec.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    VisibilityTimeout: String(spec.visibilityTimeoutMs / 1000),
    DelaySeconds: String(spec.delayMs / 1000),
    ...(spec.isFifo ? { FifoQueue: 'true', ContentBasedDeduplication: String(spec.deduplicatesByContent) } : {}),
    ...(spec.redrive && {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: spec.redrive.targetArn,
        maxReceiveCount: spec.redrive.maxReceiveCount,
      }),
    }),
  };
  const asked = Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name));
  return asked.length === 0 ? {} : { Attributes: Object.fromEntries(asked) };
}

function json(body: JsonObject): AwsServiceResponse {
  return { status: 200, type: TYPE, body: JSON.stringify(body) };
}

const TYPE = 'application/x-amz-json-1.0';

/** Names of errors in the older protocol of SQS, by which code of users knows them. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  UnsupportedOperation: 'AWS.SimpleQueueService.UnsupportedOperation',
};
const PROTOCOL_ERRORS: readonly string[] = ['UnknownOperationException', 'SerializationException'];

function errorResponse({ code, message }: ServiceError): AwsServiceResponse {
  const isOfProtocol = PROTOCOL_ERRORS.includes(code);
  const type = `com.amazon${isOfProtocol ? '.coral.service' : 'aws.sqs'}#${code}`;
  return {
    status: 400,
    type: TYPE,
    body: JSON.stringify({ __type: type, message }),
    ...(!isOfProtocol && { headers: { 'x-amzn-query-error': `${OLDER_NAMES[code] ?? code};Sender` } }),
  };
}

/** Undefined when the text is not a JSON object. No text counts as an empty object. */
function parse(text: string): JsonObject | undefined {
  if (text === '') return {};
  try {
    const value: JsonValue = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
