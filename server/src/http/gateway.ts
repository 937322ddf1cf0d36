import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Headers = readonly (readonly [name: string, value: string])[];

type Request = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly protocol: string;
};

type ResponseStream = {
  readonly head: (head: { readonly status: number; readonly headers: Headers }) => void;
  readonly write: (chunk: Buffer) => Promise<void>;
};

/**
 * Handles one request; implemented by `lambda/gateway/gateway.ts`. Undefined when the response was written to `sink`.
 */
export type GatewayHandler = (
  request: Request,
  sink: ResponseStream,
) => Promise<{ readonly status: number; readonly headers: Headers; readonly body: Buffer } | undefined>;

export type GatewayServer = { readonly url: string; readonly close: () => Promise<void> };

export type GatewayServerOptions = { readonly host: string; readonly port: number; readonly bodyMaxBytes: number };

/** The template's APIs and function URLs: the gateway handles every path. Rejects when the port is in use. */
export async function serveGateway(
  handle: GatewayHandler,
  { host, port, bodyMaxBytes }: GatewayServerOptions,
): Promise<GatewayServer> {
  const server = createServer((request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    void handleRequest(handle, request, response, bodyMaxBytes).catch(() => response.destroy());
  });
  server.listen({ host, port });
  await once(server, 'listening');
  const authority = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${authority}:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      if (server.listening) await once(server, 'close');
    },
  };
}

async function handleRequest(
  handle: GatewayHandler,
  request: IncomingMessage,
  response: ServerResponse,
  bodyMaxBytes: number,
) {
  const body = await readBody(request, bodyMaxBytes);
  if (body === undefined) {
    response.writeHead(413, { 'content-type': 'application/json' }).end('{"message":"Request Entity Too Large"}');
    return;
  }
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s, 2);
  const result = await handle(
    {
      method: request.method ?? 'GET',
      path,
      query,
      rawHeaders: request.rawHeaders,
      body,
      sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
      protocol: `HTTP/${request.httpVersion}`,
    },
    {
      head: ({ status, headers }) => response.writeHead(status, headers.flat()),
      async write(chunk) {
        if (!response.write(chunk) && !response.destroyed) {
          await Promise.race([once(response, 'drain'), once(response, 'close')]);
        }
      },
    },
  );
  if (result === undefined) response.end();
  else response.writeHead(result.status, result.headers.flat()).end(result.body);
}

/** Undefined when the body is larger than `maxBytes`. Reads it to its end, so that the client can read the response. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks);
}
