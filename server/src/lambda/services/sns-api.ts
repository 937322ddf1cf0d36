import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../model/json.ts';
import type { Broker } from './broker.ts';
import type { ServiceAnswer, ServiceRequest } from './local-endpoint.ts';

/** Publish of SNS, which speaks AWS's older protocol: a form in, XML out. */
export function answerSns(broker: Broker, { body, traceHeader }: ServiceRequest): ServiceAnswer {
  const form = new URLSearchParams(body);
  const action = form.get('Action');
  if (action !== 'Publish')
    return failure('InvalidAction', `openray's local topics do not know ${action ?? 'this call'}`);
  const messageId = broker.publish(form.get('TopicArn') ?? form.get('TargetArn') ?? '', {
    message: form.get('Message') ?? '',
    subject: form.get('Subject') ?? undefined,
    attributes: attributesOf(form),
    traceHeader,
  });
  if (messageId === undefined) return failure('NotFound', 'Topic does not exist: it is not in the template.');
  return xml(
    200,
    `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>${messageId}</MessageId></PublishResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></PublishResponse>`,
  );
}

/** `MessageAttributes.entry.1.Name`, `….Value.DataType`, `….Value.StringValue`. */
function attributesOf(form: URLSearchParams): JsonObject {
  const attributes: Record<string, JsonObject> = {};
  for (let i = 1; ; i++) {
    const entry = `MessageAttributes.entry.${i}`;
    const name = form.get(`${entry}.Name`);
    if (name === null) return attributes;
    attributes[name] = {
      DataType: form.get(`${entry}.Value.DataType`) ?? 'String',
      StringValue: form.get(`${entry}.Value.StringValue`),
    };
  }
}

function failure(code: string, message: string): ServiceAnswer {
  return xml(
    400,
    `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message.replace(/[<&]/g, '')}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
  );
}

function xml(status: number, body: string): ServiceAnswer {
  return { status, type: 'text/xml', body };
}
