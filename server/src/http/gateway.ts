import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import { TLSSocket } from 'node:tls';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyReply } from 'fastify';
import { OpenrayError } from '../errors.ts';
import { refusalReason } from '../request-origin.ts';
import { newGracefulClose } from './graceful-close.ts';

type Headers = readonly (readonly [name: string, value: string])[];

type Request = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  /** On which the request arrived. */
  readonly port: number;
};

type ResponseStream = {
  readonly head: (head: { readonly status: number; readonly headers: Headers }) => void;
  readonly write: (chunk: Buffer) => Promise<void>;
};

type Response = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly isUnrouted?: boolean;
};

/** The template's APIs; implemented by `lambda/gateway/gateway.ts`. */
export type GatewayHandler = {
  /** Handles one request. Undefined when the response was written to `sink`. */
  readonly handle: (request: Request, sink: ResponseStream) => Promise<Response | undefined>;
  /** Whether the template's CORS lets pages of this origin send the request. */
  readonly allowsOrigin: (request: Pick<Request, 'method' | 'path' | 'rawHeaders'>, origin: string) => boolean;
};

export type GatewayServer = { readonly url: string; readonly close: () => Promise<void> };

/** Certificate and key in PEM. */
export type TlsFiles = { readonly cert: Buffer; readonly key: Buffer };

export type GatewayServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly bodyMaxBytes: number;
  /** Folder whose files answer GET requests that no route matches. */
  readonly staticDir?: string | undefined;
  readonly tls?: TlsFiles | undefined;
};

/**
 * The template's APIs and function URLs: the gateway handles every path. Rejects when the port is in use, and with
 * SettingInvalid when certificate and key cannot be used.
 */
export async function serveGateway(
  gateway: GatewayHandler,
  { host, port, bodyMaxBytes, staticDir, tls }: GatewayServerOptions,
): Promise<GatewayServer> {
  const files = staticDir === undefined ? undefined : await openFiles(staticDir);
  const listener: RequestListener = (request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    void handleRequest({ gateway, files, bodyMaxBytes }, request, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? createServer(listener) : newTlsServer(tls, listener);
  server.listen({ host, port });
  await once(server, 'listening');
  const authority = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${authority}:${(server.address() as AddressInfo).port}`,
    close: newGracefulClose(server),
  };
}

function newTlsServer(tls: TlsFiles, listener: RequestListener) {
  try {
    return createTlsServer(tls, listener);
  } catch (cause) {
    const sentence = `the certificate and its key cannot be used: ${(cause as Error).message}`;
    throw new OpenrayError('SettingInvalid', sentence, { cause });
  }
}

type Files = (request: IncomingMessage, response: ServerResponse, unrouted: Response) => void;

/** Answers with the files of a folder, and with the gateway's response for every other path. */
async function openFiles(root: string): Promise<Files> {
  const app = Fastify({ frameworkErrors: (error, _request, reply) => sendFileError(error, reply) });
  app.setErrorHandler((error, _request, reply) => sendFileError(error as FileError, reply));
  const unroutedResponses = new WeakMap<IncomingMessage, Response>();
  const realRoot = realpathSync(root);
  await app.register(fastifyStatic, { root, allowedPath: (path) => isWithin(realRoot, path) });
  app.setNotFoundHandler(({ raw }, reply) => {
    reply.hijack();
    sendResponse(reply.raw, unroutedResponses.get(raw));
  });
  await app.ready();
  return (request, response, unrouted) => {
    unroutedResponses.set(request, unrouted);
    app.routing(request, response);
  };
}

type FileError = { readonly statusCode?: number | undefined };

const FILE_ERRORS: Readonly<Record<number, string>> = {
  400: 'the path is not a valid URL',
  403: 'the path leads to no file that openray serves',
  412: 'the file does not meet the conditions of the request',
  416: 'the file does not have the range that the request asks for',
};

function sendFileError({ statusCode = 500 }: FileError, reply: FastifyReply): void {
  const message = FILE_ERRORS[statusCode] ?? 'the file cannot be read';
  const status = FILE_ERRORS[statusCode] === undefined ? 500 : statusCode;
  void reply.code(status).type('application/json').send(JSON.stringify({ message }));
}

/** Whether the file is below the real path `root`, behind symbolic links too. A path without a file is left to the caller. */
function isWithin(root: string, path: string): boolean {
  try {
    const file = realpathSync(join(root, path));
    return file === root || file.startsWith(`${root}${sep}`);
  } catch {
    return true;
  }
}

type GatewayContext = {
  readonly gateway: GatewayHandler;
  readonly files: Files | undefined;
  readonly bodyMaxBytes: number;
};

async function handleRequest(
  { gateway, files, bodyMaxBytes }: GatewayContext,
  request: IncomingMessage,
  response: ServerResponse,
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
      // A socket for both versions of IP shows an address of version 4 in the form of version 6.
      sourceIp: (request.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, ''),
      protocol: `HTTP/${request.httpVersion}`,
      scheme: request.socket instanceof TLSSocket ? 'https' : 'http',
      port: request.socket.localPort ?? 0,
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
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (result?.isUnrouted === true && isRead && files !== undefined) files(request, response, result);
  else sendResponse(response, result);
}

/** Ends the response; without a result, its head and body are written already. */
function sendResponse(response: ServerResponse, result: Response | undefined): void {
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
