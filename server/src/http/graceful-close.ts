import type { Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** Longest wait for requests that were in flight when the server began to close. */
export const IN_FLIGHT_MAX_MS = 5_000;

/** Time for the last requests on open connections: bytes that are on their way when the server begins to close. */
const LAST_REQUESTS_MS = 100;
/** Bound of the wait for an event loop turn that brings no further request: on a busy machine a turn takes long. */
const SETTLE_MAX_MS = 3_000;

/** Answers the requests in flight before the app closes. Call after all other `preClose` hooks were added. */
export function answerInFlight(app: FastifyInstance): void {
  app.addHook('preClose', newGracefulClose(app.server));
}

/**
 * Returns the function that closes the server once all requests are answered, or after IN_FLIGHT_MAX_MS. Node's own
 * `close` resets connections whose request is still in a buffer of the system: connections that wait to be accepted,
 * and idle ones to which a client has just written. So the server first answers what arrives within LAST_REQUESTS_MS,
 * with `connection: close`, and then stops listening.
 */
export function newGracefulClose(server: Server | TlsServer): () => Promise<void> {
  const unanswered = new Set<ServerResponse>();
  let connections = 0;
  let received = 0;
  let isClosing = false;

  server.on('connection', (socket) => {
    connections += 1;
    received += 1;
    socket.once('close', () => {
      connections -= 1;
    });
  });
  server.prependListener('request', (_request, response: ServerResponse) => {
    received += 1;
    unanswered.add(response);
    if (isClosing) announceClose(response);
    response.once('close', () => {
      unanswered.delete(response);
      // The connection of a response whose head was sent before is kept alive; it becomes idle after this event.
      if (!server.listening) setImmediate().then(() => server.closeIdleConnections());
    });
  });

  /** Resolves when a turn of the event loop has read all sockets and found neither a connection nor a request. */
  async function settle(lastMs: number): Promise<void> {
    let seen: number;
    do {
      seen = received;
      await readSockets();
    } while (received !== seen && performance.now() < lastMs);
  }

  return async () => {
    const startMs = performance.now();
    const settledMs = startMs + SETTLE_MAX_MS;
    isClosing = true;
    for (const response of unanswered) announceClose(response);
    await settle(settledMs);
    if (connections > 0) {
      await setTimeout(LAST_REQUESTS_MS);
      await settle(settledMs);
    }
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const leftMs = Math.max(0, startMs + IN_FLIGHT_MAX_MS - performance.now());
    await Promise.race([closed, setTimeout(leftMs, undefined, { ref: false })]);
    server.closeAllConnections();
  };
}

function announceClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

/** Resolves after a whole turn of the event loop: one that began before this call may have passed the sockets. */
export async function readSockets(): Promise<void> {
  await setImmediate();
  await setImmediate();
}
