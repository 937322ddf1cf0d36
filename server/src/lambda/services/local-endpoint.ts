import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LambdaApiRequest, LambdaApiResponse } from '../api/invoke-api.ts';
import type { Broker } from './broker.ts';
import { handleEventBridge } from './event-bridge-api.ts';
import { handleSns } from './sns-api.ts';
import { handleSqs } from './sqs-api.ts';

export type ServiceRequest = {
  /** The operation, where a header names it. */
  readonly operation: string;
  readonly body: string;
  /** `X-Amzn-Trace-Id`, which SDKs inside of functions send with each call. */
  readonly traceHeader: string | undefined;
  readonly signal: AbortSignal;
};

export type ServiceResponse = { readonly status: number; readonly type: string; readonly body: string };

export type LocalEndpoint = {
  /** For `AWS_ENDPOINT_URL_…` of the functions. */
  readonly url: string;
  readonly close: () => Promise<void>;
};

/** Lambda, SQS, SNS and EventBridge for the functions themselves, on a port of loopback that only they are told. */
export async function serveLocalServices(
  broker: Broker,
  invoke: (request: LambdaApiRequest) => Promise<LambdaApiResponse>,
  beforeRequest: () => void,
): Promise<LocalEndpoint> {
  const server = createServer((request, response) => {
    beforeRequest();
    request.on('error', () => {});
    response.on('error', () => {});
    void handleRequest(request, response, broker, invoke).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const INVOKE_PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
const BODY_MAX_BYTES = 8 * 1024 * 1024;

async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  broker: Broker,
  invoke: (request: LambdaApiRequest) => Promise<LambdaApiResponse>,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const body = await readBody(request);
  const functionName = INVOKE_PATH.exec(pathname)?.[1];
  if (functionName !== undefined) {
    const {
      status,
      headers,
      body: payload,
    } = await invoke({
      functionName: decodeURIComponent(functionName),
      headers: request.headers,
      query: Object.fromEntries(searchParams),
      body,
    });
    response.writeHead(status, headers);
    if (Buffer.isBuffer(payload)) response.end(payload);
    else payload.pipe(response);
    return;
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const [service, operation = ''] = String(request.headers['x-amz-target'] ?? '').split('.');
  const trace = request.headers['x-amzn-trace-id'];
  const call: ServiceRequest = {
    operation,
    body: body.toString(),
    traceHeader: typeof trace === 'string' ? trace : undefined,
    signal: gone.signal,
  };
  const given =
    service === 'AmazonSQS'
      ? await handleSqs(broker, call)
      : service === 'AWSEvents'
        ? handleEventBridge(broker, call)
        : handleSns(broker, call);
  response.writeHead(given.status, { 'content-type': given.type }).end(given.body);
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
