import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../model/json.ts';
import { refusalReason } from '../../request-origin.ts';
import type { OnChunk } from '../spec/lambda-client.ts';
import { nowUs } from '../tracing/clock.ts';
import { readErrorReport } from './error-report.ts';
import type { HandlerFailure } from './failures.ts';

/** One event, as `next` gives it to the runtime. */
export type Invocation = {
  readonly requestId: string;
  readonly deadlineMs: number;
  /** As invoked: with a qualifier only if the caller gave one. */
  readonly functionArn: string;
  readonly traceHeader: string;
  /** JSON text. */
  readonly clientContext: string | undefined;
  readonly payload: Buffer;
  /** Gets each chunk of a streamed response; the next is read when it resolves. The completion repeats all of them. */
  readonly onChunk?: OnChunk | undefined;
};

/** The runtime's post for an invocation. Epoch microseconds of the first and the last byte of the body. */
export type Completion = { readonly startUs: number; readonly endUs: number } & (
  | { readonly kind: 'response'; readonly payload: Buffer }
  | { readonly kind: 'error'; readonly failure: HandlerFailure }
  | { readonly kind: 'tooLarge'; readonly bytes: number; readonly maxBytes: number }
);

/** Called in this order: at most one `initDone` or `initError`; then `started`, `completed`, `ready` for each event. */
export type RuntimeListener = {
  /** The runtime asked for its first event. */
  readonly initDone: (atUs: number) => void;
  readonly initError: (failure: HandlerFailure) => void;
  /** The event of `offer` has been written to the runtime. */
  readonly started: (atUs: number) => void;
  readonly completed: (completion: Completion) => void;
  /** The runtime asked for the next event after it completed one. */
  readonly ready: (atUs: number) => void;
};

export type RuntimeLimits = { readonly responseMaxBytes: number; readonly streamMaxBytes: number };

/** Lambda's limits: 6 MiB and 100 bytes for a buffered response, 20 MiB for a streamed one. */
export const RUNTIME_LIMITS: RuntimeLimits = {
  responseMaxBytes: 6 * 1024 * 1024 + 100,
  streamMaxBytes: 20 * 1024 * 1024,
};

const ERROR_MAX_BYTES = 1024 * 1024;
const PREFIX = '/2018-06-01';

type State =
  | { readonly kind: 'init' }
  | { readonly kind: 'initFailed' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'invoking'; readonly requestId: string; readonly onChunk: Invocation['onChunk'] }
  | { readonly kind: 'completing'; readonly requestId: string; readonly body: Promise<Body> }
  | { readonly kind: 'completed' };

const NO_LISTENER: RuntimeListener = {
  initDone() {},
  initError() {},
  started() {},
  completed() {},
  ready() {},
};

/** An API that is served on the same port. */
export type SiblingApi = {
  readonly handles: (path: string) => boolean;
  readonly handle: (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>;
};

type ProtocolError = { readonly status: number; readonly errorType: string; readonly errorMessage: string };

/**
 * The Runtime API of one sandbox. It has its own HTTP listener on loopback, since a request does not name its sandbox.
 * A call out of the protocol's order gets the protocol's error and changes no state.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class RuntimeApi {
  /** `127.0.0.1:port`, for `AWS_LAMBDA_RUNTIME_API`. */
  readonly address: string;
  readonly #server: Server;
  readonly #limits: RuntimeLimits;
  #listener: RuntimeListener = NO_LISTENER;
  #state: State = { kind: 'init' };
  #siblingApi: SiblingApi | undefined;
  #waiting: ServerResponse | undefined;
  #offered: Invocation | undefined;

  private constructor(server: Server, limits: RuntimeLimits) {
    this.#server = server;
    this.#limits = limits;
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => this.#route(request, response));
  }

  static async open(limits = RUNTIME_LIMITS): Promise<RuntimeApi> {
    // The cause of an error may have 64 KB, and is sent in a header.
    const server = createServer({ maxHeaderSize: 256 * 1024 });
    // A runtime waits for its next event without a time limit, and its connection has to stay open.
    server.timeout = 0;
    server.requestTimeout = 0;
    server.headersTimeout = 0;
    server.keepAliveTimeout = 24 * 60 * 60 * 1000;
    server.on('clientError', (_error, socket) => {
      if (!socket.writable) return;
      const body = errorBody({
        status: 400,
        errorType: 'TruncatedHTTPRequest',
        errorMessage: 'Truncated HTTP request',
      });
      socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return new RuntimeApi(server, limits);
  }

  /** Call it before the runtime is started. */
  listen(listener: RuntimeListener, siblingApi?: SiblingApi): void {
    this.#listener = listener;
    this.#siblingApi = siblingApi;
  }

  /** Gives an event to the runtime: at once if it waits for one, else at its next call of `next`. */
  offer(invocation: Invocation): void {
    this.#offered = invocation;
    this.#handOut();
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    // Ignored: a connection reset concerns only the process that caused it.
    request.on('error', () => {});
    response.on('error', () => {});
    const refused = refusalReason(request, 'none');
    if (refused !== undefined) {
      writeError(response, { status: 403, errorType: 'AccessDenied', errorMessage: refused });
      return;
    }
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const { method } = request;
    if (this.#siblingApi?.handles(path)) {
      void this.#siblingApi.handle(request, response, path);
    } else if (method === 'GET' && path === `${PREFIX}/ping`) {
      response.end('pong');
    } else if (method === 'GET' && path === `${PREFIX}/runtime/invocation/next`) {
      this.#next(response);
    } else if (method === 'POST' && path === `${PREFIX}/runtime/init/error`) {
      void this.#initError(request, response);
    } else {
      const parts = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(path);
      if (method === 'POST' && parts?.[1] && parts[2]) {
        void this.#complete(request, response, parts[1], parts[2] === 'error');
      } else {
        writeError(response, {
          status: 404,
          errorType: 'ResourceNotFound',
          errorMessage: `no such call: ${method} ${path}`,
        });
      }
    }
  }

  #next(response: ServerResponse): void {
    const { kind } = this.#state;
    if (kind !== 'init' && kind !== 'completed' && !(kind === 'idle' && this.#waiting === undefined)) {
      writeError(response, invalidTransition(kind, 'next'));
      return;
    }
    this.#state = { kind: 'idle' };
    this.#waiting = response;
    response.once('close', () => {
      if (this.#waiting === response) this.#waiting = undefined;
    });
    if (kind === 'init') this.#listener.initDone(nowUs());
    if (kind === 'completed') this.#listener.ready(nowUs());
    this.#handOut();
  }

  #handOut(): void {
    const response = this.#waiting;
    const invocation = this.#offered;
    if (response === undefined || invocation === undefined) return;
    this.#waiting = undefined;
    this.#offered = undefined;
    this.#state = { kind: 'invoking', requestId: invocation.requestId, onChunk: invocation.onChunk };
    // Read before the write: on a busy machine the function may start before the write returns.
    const startUs = nowUs();
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': invocation.payload.length,
      'Lambda-Runtime-Aws-Request-Id': invocation.requestId,
      'Lambda-Runtime-Deadline-Ms': String(invocation.deadlineMs),
      'Lambda-Runtime-Invoked-Function-Arn': invocation.functionArn,
      'Lambda-Runtime-Trace-Id': invocation.traceHeader,
      ...(invocation.clientContext === undefined
        ? {}
        : { 'Lambda-Runtime-Client-Context': headerSafe(invocation.clientContext) }),
    });
    response.end(invocation.payload);
    this.#listener.started(startUs);
  }

  async #initError(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#state.kind !== 'init') return writeError(response, invalidTransition(this.#state.kind, 'init/error'));
    this.#state = { kind: 'initFailed' };
    const body = await readBody(request, ERROR_MAX_BYTES);
    if (body.kind === 'aborted') {
      this.#state = { kind: 'init' };
      return;
    }
    this.#listener.initError(readErrorReport(body.bytes, request.headers));
    writeAccepted(response);
  }

  async #complete(request: IncomingMessage, response: ServerResponse, requestId: string, isError: boolean) {
    // A post that was cut off may be noticed after the next one has begun: of two, the first whole one counts.
    while (this.#state.kind === 'completing') await this.#state.body;
    const state = this.#state;
    if (state.kind !== 'invoking') {
      return writeError(response, invalidTransition(state.kind, isError ? 'error' : 'response'));
    }
    if (requestId !== state.requestId) {
      return writeError(response, { status: 400, errorType: 'InvalidRequestID', errorMessage: 'Invalid request ID' });
    }
    const mode = request.headers['lambda-runtime-function-response-mode'];
    if (mode !== undefined && mode !== 'streaming') {
      const errorMessage = 'Invalid function response mode';
      return writeError(response, { status: 400, errorType: 'InvalidFunctionResponseMode', errorMessage });
    }
    const startUs = nowUs();
    const maxBytes = isError
      ? ERROR_MAX_BYTES
      : mode === 'streaming'
        ? this.#limits.streamMaxBytes
        : this.#limits.responseMaxBytes;
    const contentType = request.headers['content-type'] ?? 'application/octet-stream';
    const { onChunk } = state;
    const forward =
      isError || mode !== 'streaming' || onChunk === undefined
        ? undefined
        : (chunk: Buffer) => onChunk(chunk, contentType);
    const reading = readBody(request, maxBytes, forward);
    this.#state = { kind: 'completing', requestId, body: reading };
    const body = await reading;
    if (body.kind === 'aborted') {
      // The runtime may try again on a new connection; else the deadline or its exit ends the invocation.
      this.#state = state;
      return;
    }
    const times = { startUs, endUs: nowUs() };
    this.#state = { kind: 'completed' };
    if (isError) {
      this.#listener.completed({ ...times, kind: 'error', failure: readErrorReport(body.bytes, request.headers) });
    } else if (body.totalBytes > maxBytes) {
      const errorMessage = `Exceeded maximum allowed payload size (${maxBytes} bytes).`;
      this.#listener.completed({ ...times, kind: 'tooLarge', bytes: body.totalBytes, maxBytes });
      return writeError(response, { status: 413, errorType: 'RequestEntityTooLarge', errorMessage });
    } else if (request.trailers['lambda-runtime-function-error-type'] !== undefined) {
      this.#listener.completed({ ...times, kind: 'error', failure: midStreamFailure(request) });
    } else {
      this.#listener.completed({ ...times, kind: 'response', payload: body.bytes });
    }
    writeAccepted(response);
  }
}

/** Keeps up to `maxBytes`. Reads and counts the rest too: a sender reads the response only after its whole body. */
async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  forward: (chunk: Buffer) => Promise<void> = async () => {},
): Promise<Body> {
  const chunks: Buffer[] = [];
  let totalBytes = 0;
  let keptBytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      totalBytes += chunk.length;
      if (keptBytes < maxBytes) {
        const kept = chunk.subarray(0, maxBytes - keptBytes);
        chunks.push(kept);
        keptBytes += kept.length;
        await forward(kept);
      }
    }
  } catch {
    return { kind: 'aborted' };
  }
  return { kind: 'complete', bytes: Buffer.concat(chunks), totalBytes };
}

type Body =
  | { readonly kind: 'aborted' }
  | { readonly kind: 'complete'; readonly bytes: Buffer; readonly totalBytes: number };

/** A handler that fails after its stream began reports the error in the trailers. */
function midStreamFailure(request: IncomingMessage): HandlerFailure {
  const { trailers } = request;
  const body = Buffer.from(trailers['lambda-runtime-function-error-body'] ?? '', 'base64');
  return readErrorReport(body, {
    'lambda-runtime-function-error-type': trailers['lambda-runtime-function-error-type'],
  });
}

function writeAccepted(response: ServerResponse): void {
  response.writeHead(202, { 'Content-Type': 'application/json' }).end('{"status":"OK"}\n');
}

function writeError(response: ServerResponse, error: ProtocolError): void {
  response.writeHead(error.status, { 'Content-Type': 'application/json' }).end(errorBody(error));
}

function errorBody({ errorMessage, errorType }: ProtocolError): string {
  return JSON.stringify({ errorMessage, errorType } satisfies JsonObject);
}

function invalidTransition(from: State['kind'], to: string): ProtocolError {
  const errorMessage = `Transition from ${from} to ${to} is not allowed: the runtime called out of order`;
  return { status: 403, errorType: 'InvalidStateTransition', errorMessage };
}

/** JSON for a header: characters other than printable ASCII become JSON escapes. */
function headerSafe(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
