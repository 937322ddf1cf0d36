import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refusalReason } from '../request-origin.ts';

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

/** The template's APIs; implemented by `lambda/gateway/gateway.ts`. */
export type GatewayHandler = {
  /** Handles one request. Undefined when the response was written to `sink`. */
  readonly handle: (
    request: Request,
    sink: ResponseStream,
  ) => Promise<{ readonly status: number; readonly headers: Headers; readonly body: Buffer } | undefined>;
  /** Whether the template's CORS lets pages of this origin send the request. */
  readonly allowsOrigin: (request: Pick<Request, 'method' | 'path' | 'rawHeaders'>, origin: string) => boolean;
};

export type GatewayServer = { readonly url: string; readonly close: () => Promise<void> };

export type GatewayServerOptions = { readonly host: string; readonly port: number; readonly bodyMaxBytes: number };

/** The template's APIs and function URLs: the gateway handles every path. Rejects when the port is in use. */
export async function serveGateway(
  gateway: GatewayHandler,
  { host, port, bodyMaxBytes }: GatewayServerOptions,
): Promise<GatewayServer> {
  const server = createServer((request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    void handleRequest(gateway, request, response, bodyMaxBytes).catch(() => response.destroy());
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
  gateway: GatewayHandler,
  request: IncomingMessage,
  response: ServerResponse,
  bodyMaxBytes: number,
) {
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s, 2);
  const { method = 'GET', rawHeaders } = request;
  const refused = refusalReason(request, (origin) => gateway.allowsOrigin({ method, path, rawHeaders }, origin));
  if (refused !== undefined) {
    response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ message: refused }));
    return;
  }
  const body = await readBody(request, bodyMaxBytes);
  if (body === undefined) {
    response.writeHead(413, { 'content-type': 'application/json' }).end('{"message":"Request Entity Too Large"}');
    return;
  }
  const result = await gateway.handle(
    {
      method,
      path,
      query,
      rawHeaders,
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
