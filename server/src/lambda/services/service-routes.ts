import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { handleInvoke } from '../api/invoke-api.ts';
import type { LambdaService } from '../spec/lambda-client.ts';
import type { AwsRelay } from './aws-relay.ts';
import type { Broker } from './broker.ts';
import { handleEventBridge } from './event-bridge-api.ts';
import type { ServiceRequest } from './service-call.ts';
import { concernsLocalTopic, handleSns } from './sns-api.ts';
import { concernsLocalQueue, handleSqs } from './sqs-api.ts';

export type ServiceRoutesOptions = {
  readonly broker: Broker;
  readonly lambda: Pick<LambdaService, 'invoke'>;
  /** By logical id, name or ARN. */
  readonly hasFunction: (nameOrArn: string) => boolean;
  /** Called before each request: the template may have another queue by now. */
  readonly refresh: () => void;
  /** Gets the requests that concern nothing in the template; without it they are refused. */
  readonly relay: AwsRelay | undefined;
};

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
/** The rest of a larger body is read and dropped. */
const BODY_MAX_BYTES = 8 * 1024 * 1024;

/** Lambda's Invoke, SQS, SNS and EventBridge, for requests that functions send. */
export function newServiceRoutes(options: ServiceRoutesOptions): RequestListener {
  return (request, response) => {
    options.refresh();
    request.on('error', () => {});
    response.on('error', () => {});
    void handleRequest(request, response, options).catch(() => response.destroy());
  };
}

async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { broker, lambda, hasFunction, relay }: ServiceRoutesOptions,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const body = await readBody(request);
  if (relay !== undefined && !isOurs(request, pathname, body.toString(), { broker, hasFunction })) {
    await relay(request, body, response);
    return;
  }
  const functionName = INVOKE_PATH.exec(pathname)?.[1];
  if (functionName !== undefined) {
    const result = await handleInvoke(lambda, {
      functionName: decodeURIComponent(functionName),
      headers: request.headers,
      query: Object.fromEntries(searchParams),
      body,
    });
    response.writeHead(result.status, result.headers);
    if (Buffer.isBuffer(result.body)) response.end(result.body);
    else result.body.pipe(response);
    return;
  }
  const disconnected = new AbortController();
  response.once('close', () => disconnected.abort());
  const [service, operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
  const trace = request.headers['x-amzn-trace-id'];
  const call: ServiceRequest = {
    operation,
    body: body.toString(),
    traceHeader: typeof trace === 'string' ? trace : undefined,
    signal: disconnected.signal,
  };
  const { status, type, body: text } = await handleServiceCall(broker, service, call);
  response.writeHead(status, { 'content-type': type }).end(text);
}

/** SNS speaks the older protocol, which has no header for the operation. */
async function handleServiceCall(broker: Broker, service: string | undefined, call: ServiceRequest) {
  switch (service) {
    case 'AmazonSQS':
      return handleSqs(broker, call);
    case 'AWSEvents':
      return handleEventBridge(broker, call);
    default:
      return handleSns(broker, call);
  }
}

/** Whether openray's own services answer: the resource is in the template, or the call names none. */
function isOurs(
  { headers }: IncomingMessage,
  pathname: string,
  body: string,
  { broker, hasFunction }: Pick<ServiceRoutesOptions, 'broker' | 'hasFunction'>,
): boolean {
  const functionName = INVOKE_PATH.exec(pathname)?.[1];
  if (functionName !== undefined) return hasFunction(decodeURIComponent(functionName));
  // Lambda's other operations have paths too.
  if (pathname.startsWith('/20')) return false;
  const [service, operation = ''] = String(headers['x-amz-target'] ?? '').split('.');
  switch (service) {
    case 'AmazonSQS':
      return concernsLocalQueue(broker, operation, body);
    case 'AWSEvents':
      return operation === 'PutEvents';
    default:
      return concernsLocalTopic(broker, body);
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= BODY_MAX_BYTES) chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
