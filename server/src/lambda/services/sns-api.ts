import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../model/json.ts';
import type { AwsServiceResponse } from '../spec/services.ts';
import { RELAY_HINT } from './aws-relay.ts';
import type { Broker, TopicMessage } from './broker.ts';
import type { ServiceRequest } from './service-call.ts';

/** Publish, PublishBatch and ListTopics of SNS, in AWS's query protocol: the request is a form, the response is XML. */
export function handleSns(broker: Broker, { body, traceHeader }: ServiceRequest): AwsServiceResponse {
  const form = new URLSearchParams(body);
  const action = form.get('Action');
  const topicArn = topicOf(form);
  switch (action) {
    case 'Publish': {
      const messageId = broker.publish(topicArn, topicMessageOf(form, '', traceHeader));
      return messageId === undefined ? topicNotFound() : successResponse(action, `<MessageId>${messageId}</MessageId>`);
    }
    case 'PublishBatch': {
      const entries = entriesOf(form).map((entry) => {
        const id = form.get(`${entry}Id`) ?? '';
        const messageId = broker.publish(topicArn, topicMessageOf(form, entry, traceHeader));
        return messageId && `<member><Id>${escapeXml(id)}</Id><MessageId>${messageId}</MessageId></member>`;
      });
      if (entries.includes(undefined)) return topicNotFound();
      return successResponse(action, `<Successful>${entries.join('')}</Successful><Failed/>`);
    }
    case 'ListTopics': {
      const members = broker.topics().map(({ arn }) => `<member><TopicArn>${escapeXml(arn)}</TopicArn></member>`);
      return successResponse(action, `<Topics>${members.join('')}</Topics>`);
    }
    default:
      return errorResponse('InvalidAction', `openray's local topics do not support ${action ?? 'this call'}`);
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

function topicNotFound(): AwsServiceResponse {
  return errorResponse('NotFound', `Topic does not exist: ${RELAY_HINT}`);
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function errorResponse(code: string, message: string): AwsServiceResponse {
  return xml(
    400,
    `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );
}

function xml(status: number, body: string): AwsServiceResponse {
  return { status, type: 'text/xml', body };
}
