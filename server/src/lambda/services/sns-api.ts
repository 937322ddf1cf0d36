import { randomUUID } from 'node:crypto';
import { type JsonObject, memberOf } from '../../model/json.ts';
import type { AwsServiceResponse } from '../spec/services.ts';
import { OPERATION_HINT, RELAY_HINT } from './aws-relay.ts';
import type { Broker, TopicMessage } from './broker.ts';
import type { ServiceRequest } from './service-call.ts';
import { ServiceError } from './service-error.ts';

type Call = Pick<ServiceRequest, 'traceHeader'>;

/** Operations of SNS in AWS's query protocol: the request is a form, the response is XML. */
const OPERATIONS: Readonly<Record<string, (broker: Broker, form: URLSearchParams, call: Call) => string>> = {
  Publish(broker, form, { traceHeader }) {
    const topicArn = requireTopic(broker, form, () => checkMessage(form, ''));
    const messageId = broker.publish(topicArn, topicMessageOf(form, '', traceHeader)) ?? '';
    return `<MessageId>${messageId}</MessageId>`;
  },
  PublishBatch(broker, form, { traceHeader }) {
    const entries = entriesOf(form);
    const topicArn = requireTopic(broker, form, () => checkBatch(form, entries));
    const results = entries.map((entry) => {
      const id = escapeXml(form.get(`${entry}Id`) ?? '');
      try {
        checkMessage(form, entry);
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        const reason = `<Code>${error.code}</Code><Message>${escapeXml(error.message)}</Message>`;
        return { failed: `<member><Id>${id}</Id>${reason}<SenderFault>true</SenderFault></member>` };
      }
      const messageId = broker.publish(topicArn, topicMessageOf(form, entry, traceHeader)) ?? '';
      return { sent: `<member><Id>${id}</Id><MessageId>${messageId}</MessageId></member>` };
    });
    const sent = results.map((result) => result.sent ?? '').join('');
    return `<Successful>${sent}</Successful><Failed>${results.map((result) => result.failed ?? '').join('')}</Failed>`;
  },
  ListTopics(broker) {
    const members = broker.topics().map(({ arn }) => `<member><TopicArn>${escapeXml(arn)}</TopicArn></member>`);
    return `<Topics>${members.join('')}</Topics>`;
  },
};

const MESSAGE_MAX_BYTES = 256 * 1024;
const ENTRIES_MAX = 10;

/** One operation. As on AWS, its name is checked first, then the input, then the topic. */
export function handleSns(broker: Broker, { body, traceHeader }: ServiceRequest): AwsServiceResponse {
  const form = new URLSearchParams(body);
  const action = form.get('Action') ?? '';
  const run = memberOf(OPERATIONS, action);
  try {
    if (run === undefined) {
      throw new ServiceError(
        'InvalidAction',
        `openray's local topics do not support ${action || 'this call'}. ${OPERATION_HINT}`,
      );
    }
    return successResponse(action, run(broker, form, { traceHeader }));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return errorResponse(error);
  }
}

/** Checks the input, then returns the topic of the template. */
function requireTopic(broker: Broker, form: URLSearchParams, checkInput: () => void): string {
  const topicArn = topicOf(form);
  if (topicArn === '') {
    throw new ServiceError(
      'InvalidParameter',
      'Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter',
    );
  }
  const elements = topicArn.split(':').length;
  if (elements < 6) {
    const reason = `An ARN must have at least 6 elements, not ${elements}`;
    throw new ServiceError('InvalidParameter', `Invalid parameter: TopicArn Reason: ${reason}`);
  }
  checkInput();
  if (!broker.hasTopic(topicArn)) throw new ServiceError('NotFound', `Topic does not exist: ${RELAY_HINT}`);
  return topicArn;
}

function checkMessage(form: URLSearchParams, prefix: string): void {
  const message = form.get(`${prefix}Message`) ?? '';
  if (message === '') throw new ServiceError('InvalidParameter', 'Invalid parameter: Empty message');
  if (Buffer.byteLength(message) > MESSAGE_MAX_BYTES) {
    throw new ServiceError('InvalidParameter', 'Invalid parameter: Message too long');
  }
  if (topicOf(form).endsWith('.fifo') && !form.has(`${prefix}MessageGroupId`)) {
    const reason = 'The MessageGroupId parameter is required for FIFO topics';
    throw new ServiceError('InvalidParameter', `Invalid parameter: ${reason}`);
  }
}

function checkBatch(form: URLSearchParams, entries: readonly string[]): void {
  if (entries.length === 0) {
    throw new ServiceError('EmptyBatchRequest', "The batch request doesn't contain any entries.");
  }
  if (entries.length > ENTRIES_MAX) {
    throw new ServiceError(
      'TooManyEntriesInBatchRequest',
      `The batch request contains more entries than permissible (${ENTRIES_MAX}).`,
    );
  }
  const ids = entries.map((entry) => form.get(`${entry}Id`) ?? '');
  if (new Set(ids).size < ids.length) {
    throw new ServiceError('BatchEntryIdsNotDistinct', 'Two or more batch entries in the request have the same Id.');
  }
}

/** Whether the call is about a topic of the template. */
export function concernsLocalTopic(broker: Broker, body: string): boolean {
  const form = new URLSearchParams(body);
  return form.get('Action') === 'ListTopics' || broker.hasTopic(topicOf(form));
}

function topicOf(form: URLSearchParams): string {
  return form.get('TopicArn') ?? form.get('TargetArn') ?? '';
}

/** `prefix` is empty, or that of one entry of a batch. */
function topicMessageOf(form: URLSearchParams, prefix: string, traceHeader: string | undefined): TopicMessage {
  const member = (name: string) => form.get(`${prefix}${name}`) ?? undefined;
  return {
    message: member('Message') ?? '',
    subject: member('Subject'),
    attributes: attributesOf(form, prefix),
    groupId: member('MessageGroupId'),
    deduplicationId: member('MessageDeduplicationId'),
    traceHeader,
  };
}

/** Prefixes of the entries of a batch: `PublishBatchRequestEntries.member.1.` and so on. */
function entriesOf(form: URLSearchParams): readonly string[] {
  const numbers = new Set(
    [...form.keys()].flatMap((key) => /^PublishBatchRequestEntries\.member\.(\d+)\./.exec(key)?.[1] ?? []),
  );
  return [...numbers].map((number) => `PublishBatchRequestEntries.member.${number}.`);
}

/** `MessageAttributes.entry.1.Name`, `….Value.DataType`, `….Value.StringValue`. */
function attributesOf(form: URLSearchParams, prefix: string): JsonObject {
  const attributes: Record<string, JsonObject> = {};
  for (let i = 1; ; i++) {
    const entry = `${prefix}MessageAttributes.entry.${i}`;
    const name = form.get(`${entry}.Name`);
    if (name === null) return attributes;
    attributes[name] = {
      DataType: form.get(`${entry}.Value.DataType`) ?? 'String',
      StringValue: form.get(`${entry}.Value.StringValue`),
    };
  }
}

function successResponse(action: string, result: string): AwsServiceResponse {
  return xml(
    200,
    `<${action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><${action}Result>${result}</${action}Result><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${action}Response>`,
  );
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function errorResponse({ code, message }: ServiceError): AwsServiceResponse {
  return xml(
    code === 'NotFound' ? 404 : 400,
    `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );
}

function xml(status: number, body: string): AwsServiceResponse {
  return { status, type: 'text/xml', body };
}
