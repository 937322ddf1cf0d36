import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { OpenrayError } from '../errors.ts';
import { DECODED_BYTES_PER_BYTE, type MemoryBudget, type RequestMemory } from '../ingest/memory-budget.ts';

/** Longest pause of a sender within a body, whose first part holds memory. */
const BODY_IDLE_MS = 10_000;

const memories = new WeakMap<IncomingMessage, RequestMemory>();

/** The memory that the request holds until its response is complete or its client disconnects. */
export function memoryOf({ raw }: FastifyRequest): RequestMemory {
  const memory = memories.get(raw);
  if (memory === undefined) throw new Error('the request has no memory: call acceptBodies for its app');
  return memory;
}

/**
 * Bodies of any content type, as a Buffer, within the budget. Clients of the daemon's port send JSON with any content type
 * or none; the Invoke API takes raw bytes.
 */
export function acceptBodies(app: FastifyInstance, budget: MemoryBudget): void {
  app.addHook('onRequest', async ({ raw }, reply) => {
    const memory = budget.open();
    memories.set(raw, memory);
    reply.raw.once('close', memory.release);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const memory = memoryOf(request);
    const announcedBytes = Number(request.headers['content-length'] ?? 0);
    const maxBytes = request.routeOptions.bodyLimit ?? app.initialConfig.bodyLimit ?? 0;
    if (announcedBytes > maxBytes) throw bodyTooLarge();
    // Before a byte is read, and without holding memory for bytes that may never arrive.
    if (!budget.hasRoom('bodies', announcedBytes)) memory.reserve('bodies', announcedBytes);
    const body = await readBody(payload, { maxBytes, memory, idleMs: BODY_IDLE_MS });
    const isCompressed = request.headers['content-encoding'] !== undefined;
    if (!isCompressed) memory.reserve('decoded', body.length * DECODED_BYTES_PER_BYTE);
    return body;
  });
}

type ReadOptions = {
  readonly maxBytes: number;
  readonly memory: RequestMemory;
  readonly idleMs: number;
};

/**
 * Reads to the end of the stream. After a failure the stream is left as it is.
 * Throws RequestTooLargeException, ThrottledException, RequestTimeoutException when no byte arrives for `idleMs`,
 * RequestCancelled when the stream closes before its end.
 */
export function readBody(stream: Readable, { maxBytes, memory, idleMs }: ReadOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const idle = setTimeout(() => fail(bodyTimeout(idleMs)), idleMs);

    function onData(chunk: Buffer): void {
      bytes += chunk.length;
      try {
        if (bytes > maxBytes) throw bodyTooLarge();
        memory.reserve('bodies', chunk.length);
        chunks.push(chunk);
        idle.refresh();
      } catch (thrown) {
        fail(thrown);
      }
    }
    function onEnd(): void {
      stop();
      resolve(Buffer.concat(chunks, bytes));
    }
    const onError = (cause: Error) => fail(new OpenrayError('RequestCancelled', 'the body was cut off', { cause }));
    const onClose = () => fail(new OpenrayError('RequestCancelled', 'the sender disconnected'));

    function fail(reason: unknown): void {
      stop();
      chunks.length = 0;
      reject(reason);
    }
    function stop(): void {
      clearTimeout(idle);
      stream.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose);
      // An error after this must not end the process.
      stream.on('error', () => undefined);
    }
    stream.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  });
}

function bodyTooLarge(): OpenrayError {
  return new OpenrayError(
    'RequestTooLargeException',
    'the body is larger than the setting bodyMaxBytes (for OpenTelemetry otlpMaxBytes) allows',
  );
}

function bodyTimeout(idleMs: number): OpenrayError {
  return new OpenrayError('RequestTimeoutException', `no byte of the body arrived for ${idleMs / 1000} s`);
}
