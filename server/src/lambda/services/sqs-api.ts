import { createHash } from 'node:crypto';
import { toFailure } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue, listOf, objectOf, textOf } from '../../model/json.ts';
import type { AwsServiceResponse } from '../spec/services.ts';
import { RELAY_HINT } from './aws-relay.ts';
import type { Broker } from './broker.ts';
import { fifoAttributes, type NewMessage, type Queue, type QueueMessage } from './queue.ts';
import type { ServiceRequest } from './service-call.ts';

/** The operations of SQS that functions use, in the JSON protocol. */
export async function handleSqs(
  broker: Broker,
  { operation, body, traceHeader, origin, signal }: ServiceRequest,
): Promise<AwsServiceResponse> {
  const input = parse(body);
  if (operation === 'ListQueues') {
    const prefix = String(input.QueueNamePrefix ?? '');
    const listed = broker.queues().filter(({ spec }) => spec.name.startsWith(prefix));
    return json({ QueueUrls: listed.map((queue) => urlOf(queue, origin)) });
  }
  const queue = queueOf(broker, input);
  if (queue === undefined) {
    return errorResponse('QueueDoesNotExist', `The specified queue does not exist: ${RELAY_HINT}`);
  }
  switch (operation) {
    case 'GetQueueUrl':
      return json({ QueueUrl: urlOf(queue, origin) });
    case 'GetQueueAttributes':
      return json({ Attributes: attributesOf(queue) });
    case 'SendMessage':
      try {
        return json(send(queue, input, traceHeader));
      } catch (error) {
        return errorResponse('InvalidParameterValue', toFailure(error).message);
      }
    case 'SendMessageBatch':
      return json(sendBatch(queue, input, traceHeader));
    case 'ReceiveMessage': {
      const visibility = input.VisibilityTimeout;
      const messages = await queue.receive(Number(input.MaxNumberOfMessages ?? 1), {
        waitMs: Number(input.WaitTimeSeconds ?? 0) * 1000,
        ...(visibility === undefined ? {} : { visibilityMs: Number(visibility) * 1000 }),
        signal,
      });
      return json(messages.length === 0 ? {} : { Messages: messages.map(messageJson) });
    }
    case 'DeleteMessage':
      queue.remove(String(input.ReceiptHandle));
      return json({});
    case 'DeleteMessageBatch':
      for (const entry of entriesOf(input)) queue.remove(String(entry.ReceiptHandle));
      return json({ Successful: entriesOf(input).map(({ Id }) => ({ Id: String(Id) })), Failed: [] });
    case 'ChangeMessageVisibility':
      queue.setVisibility(String(input.ReceiptHandle), Number(input.VisibilityTimeout) * 1000);
      return json({});
    case 'ChangeMessageVisibilityBatch':
      for (const entry of entriesOf(input)) {
        queue.setVisibility(String(entry.ReceiptHandle), Number(entry.VisibilityTimeout) * 1000);
      }
      return json({ Successful: entriesOf(input).map(({ Id }) => ({ Id: String(Id) })), Failed: [] });
    case 'PurgeQueue':
      queue.purge();
      return json({});
    default:
      return errorResponse('UnsupportedOperation', `openray's local queues do not support ${operation}`);
  }
}

/** Whether the call is about a queue of the template, or about no single queue. */
export function concernsLocalQueue(broker: Broker, operation: string, body: string): boolean {
  return operation === 'ListQueues' || queueOf(broker, parse(body)) !== undefined;
}

function queueOf(broker: Broker, input: JsonObject): Queue | undefined {
  return broker.queue(String(input.QueueUrl ?? input.QueueName ?? ''));
}

function sendBatch(queue: Queue, input: JsonObject, callerHeader: string | undefined): JsonObject {
  const successful: JsonObject[] = [];
  const failed: JsonObject[] = [];
  for (const entry of entriesOf(input)) {
    const id = String(entry.Id);
    try {
      successful.push({ Id: id, ...send(queue, entry, callerHeader) });
    } catch (error) {
      failed.push({ Id: id, SenderFault: true, Code: 'InvalidParameterValue', Message: toFailure(error).message });
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
  const { id, bodyMd5, fifo } = queue.send(message);
  const md5 = md5OfAttributes(attributes);
  return {
    MessageId: id,
    MD5OfMessageBody: bodyMd5,
    ...(md5 === undefined ? {} : { MD5OfMessageAttributes: md5 }),
    ...(fifo === undefined ? {} : { SequenceNumber: fifo.sequenceNumber }),
  };
}

function messageJson(message: QueueMessage): JsonObject {
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipt,
    Body: message.body,
    MD5OfBody: message.bodyMd5,
    Attributes: {
      ApproximateReceiveCount: String(message.receiveCount),
      SentTimestamp: String(message.sentMs),
      ApproximateFirstReceiveTimestamp: String(message.firstReceivedMs),
      SenderId: 'openray',
      ...(message.traceHeader === undefined ? {} : { AWSTraceHeader: message.traceHeader }),
      ...(message.fifo === undefined ? {} : fifoAttributes(message.fifo)),
    },
    ...(Object.keys(message.attributes).length === 0 ? {} : { MessageAttributes: message.attributes }),
  };
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

function attributesOf({ spec, counts }: Queue): JsonObject {
  const { visible, inFlight } = counts();
  return {
    QueueArn: spec.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    VisibilityTimeout: String(spec.visibilityTimeoutMs / 1000),
    DelaySeconds: String(spec.delayMs / 1000),
    ...(spec.isFifo ? { FifoQueue: 'true', ContentBasedDeduplication: String(spec.deduplicatesByContent) } : {}),
  };
}

function entriesOf(input: JsonObject): readonly JsonObject[] {
  return listOf(input.Entries).filter(isJsonObject);
}

function json(body: JsonObject): AwsServiceResponse {
  return { status: 200, type: 'application/x-amz-json-1.0', body: JSON.stringify(body) };
}

function errorResponse(type: string, message: string): AwsServiceResponse {
  const body = JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message });
  return { status: 400, type: 'application/x-amz-json-1.0', body };
}

function parse(text: string): JsonObject {
  try {
    const value: JsonValue = JSON.parse(text);
    return objectOf(value);
  } catch {
    return {};
  }
}
