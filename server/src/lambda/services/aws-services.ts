import type { AwsServiceRequest, AwsServiceResponse } from '../spec/services.ts';
import type { Broker } from './broker.ts';
import { handleEventBridge } from './event-bridge-api.ts';
import type { ServiceRequest } from './service-call.ts';
import { escapeXml, handleSns } from './sns-api.ts';
import { handleSqs } from './sqs-api.ts';

/**
 * Passes a request to the service that its header `X-Amz-Target` or the scope of its signature names. Signatures are
 * not checked. A form that neither names is for SNS where `takesUnsignedForms`: functions may call it without an SDK.
 * Undefined when the service remains unknown. Never throws; failures become responses.
 */
export async function handleAwsService(
  broker: Broker,
  { headers, body, signal }: AwsServiceRequest,
  { takesUnsignedForms = false } = {},
): Promise<AwsServiceResponse | undefined> {
  const isForm = takesUnsignedForms && new URLSearchParams(body.toString()).has('Action');
  const { service = isForm ? 'sns' : undefined, operation } = calledService(headers);
  const host = headerOf(headers, 'host');
  const call: ServiceRequest = {
    operation: operation ?? '',
    body: body.toString(),
    traceHeader: headerOf(headers, 'x-amzn-trace-id'),
    origin: host === undefined ? undefined : `http://${host}`,
    signal,
  };
  switch (service) {
    case undefined:
      return undefined;
    case 'sqs':
      return operation === undefined ? olderProtocol() : handleSqs(broker, call);
    case 'events':
      return handleEventBridge(broker, call);
    case 'sns':
      return handleSns(broker, call);
    default:
      return unknownService(service);
  }
}

type Headers = AwsServiceRequest['headers'];

function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

type CalledService = { readonly service: string | undefined; readonly operation: string | undefined };

/** Services in the JSON protocol have their operation in a header, SNS has it in the body. */
export function calledService(headers: Headers): CalledService {
  const [prefix, operation] = headerOf(headers, 'x-amz-target')?.split('.', 2) ?? [];
  switch (prefix) {
    case 'AmazonSQS':
      return { service: 'sqs', operation };
    case 'AWSEvents':
      return { service: 'events', operation };
    case undefined:
      // …/REGION/SERVICE/aws4_request; a signature of version 4A has no region.
      return {
        service: /Credential=[^,\s]*\/([^/,\s]+)\/aws4_request/.exec(headerOf(headers, 'authorization') ?? '')?.[1],
        operation: undefined,
      };
    default:
      return { service: prefix, operation };
  }
}

/** SDKs from before 2023 send forms to SQS and expect XML. */
function olderProtocol(): AwsServiceResponse {
  const message = "openray's local queues speak the JSON protocol of SQS, which AWS SDKs use since 2023";
  const error = `<Error><Type>Sender</Type><Code>InvalidAction</Code><Message>${escapeXml(message)}</Message></Error>`;
  return { status: 400, type: 'text/xml', body: `<ErrorResponse>${error}</ErrorResponse>` };
}

function unknownService(service: string): AwsServiceResponse {
  const message = `openray does not serve ${service.slice(0, 100)}; it serves Lambda, SQS, SNS, EventBridge and X-Ray`;
  const body = JSON.stringify({ __type: 'UnknownOperationException', message });
  return { status: 400, type: 'application/x-amz-json-1.0', body };
}
