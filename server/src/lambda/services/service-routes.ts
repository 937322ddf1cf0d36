import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { handleLambdaRequest, readFunctionsPath } from '../api/invoke-api.ts';
import type { LambdaFunctions } from '../spec/lambda-client.ts';
import type { AwsServiceResponse } from '../spec/services.ts';
import type { AwsRelay } from './aws-relay.ts';
import { calledService, handleAwsService } from './aws-services.ts';
import type { Broker } from './broker.ts';
import { concernsLocalBus } from './event-bridge-api.ts';
import { concernsLocalTopic } from './sns-api.ts';
import { concernsLocalQueue } from './sqs-api.ts';

export type ServiceRoutesOptions = {
  readonly broker: Broker;
  readonly lambda: LambdaFunctions;
  /** By logical id, name or ARN. */
  readonly hasFunction: (nameOrArn: string) => boolean;
  /** Called before each request: the template may have another queue by now. */
  readonly refresh: () => void;
  /** Gets the requests that concern nothing in the template; without it they are refused. */
  readonly relay: AwsRelay | undefined;
};

/** The rest of a larger body is read and dropped. */
const BODY_MAX_BYTES = 8 * 1024 * 1024;

/** Lambda, SQS, SNS and EventBridge, for requests that functions send. */
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
  const ofLambda = await handleLambdaRequest(lambda, {
    method: request.method ?? 'GET',
    path: pathname,
    headers: request.headers,
    query: Object.fromEntries(searchParams),
    body,
  });
  if (ofLambda !== undefined) {
    response.writeHead(ofLambda.status, ofLambda.headers);
    if (Buffer.isBuffer(ofLambda.body)) response.end(ofLambda.body);
    else ofLambda.body.pipe(response);
    return;
  }
  const disconnected = new AbortController();
  response.once('close', () => disconnected.abort());
  const call = { headers: request.headers, body, signal: disconnected.signal };
  const answer = await handleAwsService(broker, call, { takesUnsignedForms: true });
  const { status, type, body: text, headers = {} } = answer ?? NO_SERVICE;
  response.writeHead(status, { ...headers, 'content-type': type }).end(text);
}

const NO_SERVICE: AwsServiceResponse = {
  status: 404,
  type: 'application/json',
  body: '{"message":"neither X-Amz-Target nor the signature of this request names a service"}',
};

/** Whether openray's own services answer: the resource is in the template, or the call names none. */
function isOurs(
  { headers }: IncomingMessage,
  pathname: string,
  body: string,
  { broker, hasFunction }: Pick<ServiceRoutesOptions, 'broker' | 'hasFunction'>,
): boolean {
  const target = readFunctionsPath(pathname);
  if (target !== undefined) return target.kind === 'list' || hasFunction(target.name);
  // Lambda's other operations have paths too.
  if (pathname.startsWith('/20')) return false;
  const { service, operation = '' } = calledService(headers);
  switch (service) {
    case 'sqs':
      return concernsLocalQueue(broker, operation, body);
    case 'events':
      return operation === 'PutEvents' && concernsLocalBus(broker, body);
    case 'sns':
    case undefined:
      return concernsLocalTopic(broker, body);
    default:
      return false;
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
