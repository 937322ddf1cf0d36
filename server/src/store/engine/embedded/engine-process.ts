/**
 * The process of the embedded engine. Requests and responses pass through file descriptor 3; the first request opens the
 * engine. The process ends when the descriptor closes: the server has ended, or was killed.
 */
import { Socket } from 'node:net';
import { toFailure } from '../../../errors.ts';
import {
  encodeFrame,
  failureData,
  newFrameReader,
  OPENING,
  type Request,
  type Response,
  type SessionsOptions,
} from './protocol.ts';
import { loadEngine, openSessions, type Sessions } from './sessions.ts';

/** A check costs a millisecond of CPU. */
const WRITE_CHECK_INTERVAL_MS = 5_000;

/** Ends in an instant, also while calls run. What the engine has acknowledged is in its files. */
const end = () => process.kill(process.pid, 'SIGKILL');

ignoreStopSignals();
const server = new Socket({ fd: 3 });
server.on('close', end).on('error', end);

const respond = (response: Response) => server.write(encodeFrame(response));
const fail = (id: number, thrown: unknown) => respond({ kind: 'failed', id, failure: failureData(toFailure(thrown)) });

type EngineRequest = Exclude<Request, { readonly kind: 'open' }>;
let handle: ((request: EngineRequest) => void) | undefined;
server.on(
  'data',
  newFrameReader<Request>((request) => {
    if (request.kind === 'open') void open(request.options);
    else handle?.(request);
  }),
);
// The library is loaded before the options arrive. Its failure is reported by the opening.
loadEngine().catch(() => {});

async function open(options: SessionsOptions): Promise<void> {
  try {
    const sessions = await openSessions(options);
    // The engine has installed handlers of its own.
    ignoreStopSignals();
    restoreFatalSignals();
    handle = requestHandler(sessions);
    watchWrites(sessions);
    respond({ kind: 'answered', id: OPENING, rows: undefined });
  } catch (thrown) {
    fail(OPENING, thrown);
    server.end();
  }
}

/** A terminal and a supervisor send these to the server, too. It closes this process when it has finished its work. */
function ignoreStopSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.removeAllListeners(signal).on(signal, () => {});
}

/**
 * The engine's own handlers of these signals sleep for minutes in the thread that failed, with the process half alive.
 * Adding and removing a listener restores the action of the system: the process ends at once, and the server notices.
 */
function restoreFatalSignals(): void {
  for (const signal of ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGSYS'] as const) {
    process.on(signal, () => {}).removeAllListeners(signal);
  }
}

/** Finds failed writes of merges, which no call waits for. Their source parts stay for 30 s: migration 0015. */
function watchWrites(engine: Sessions): void {
  const check = () =>
    void endAfterFailedWrite(engine).finally(() => setTimeout(check, WRITE_CHECK_INTERVAL_MS).unref());
  setTimeout(check, WRITE_CHECK_INTERVAL_MS).unref();
}

/** The server then starts another process, which reads the files anew, and repeats the inserts without a response. */
async function endAfterFailedWrite(engine: Sessions): Promise<void> {
  if (await engine.hasFailedWrite().catch(() => false)) end();
}

function requestHandler(engine: Sessions): (request: EngineRequest) => void {
  const running = new Map<number, AbortController>();
  const streams = new Map<number, AsyncGenerator<Uint8Array>>();

  async function answer(id: number, run: () => Promise<Uint8Array | undefined>): Promise<void> {
    try {
      respond({ kind: 'answered', id, rows: await run() });
    } catch (thrown) {
      endCall(id);
      fail(id, thrown);
    }
  }

  function begin(id: number): AbortSignal {
    const call = new AbortController();
    running.set(id, call);
    return call.signal;
  }

  function endCall(id: number): void {
    running.delete(id);
    streams.delete(id);
  }

  async function next(id: number): Promise<Uint8Array | undefined> {
    const result = await streams.get(id)?.next();
    if (result?.value === undefined) endCall(id);
    return result?.value;
  }

  return (request) => {
    const { kind } = request;
    switch (kind) {
      case 'query':
      case 'command': {
        const { id, statement, limits } = request;
        const call = { ...limits, signal: begin(id) };
        return void answer(id, async () => {
          const rows = await engine[kind](statement, call);
          endCall(id);
          return rows ?? undefined;
        });
      }
      case 'stream': {
        const { id, statement, limits } = request;
        streams.set(id, engine.stream(statement, { ...limits, signal: begin(id) }));
        return void answer(id, () => next(id));
      }
      case 'next':
        return void answer(request.id, () => next(request.id));
      case 'insert':
        return void answer(request.id, async () => {
          await engine.insert(request.rows);
          await endAfterFailedWrite(engine);
          return undefined;
        });
      case 'cancel':
        running.get(request.id)?.abort();
        // Ends once the rows arrived that are being read.
        void streams
          .get(request.id)
          ?.return(undefined)
          .catch(() => {});
        return endCall(request.id);
      case 'close':
        return void answer(request.id, () => engine.close().then(() => undefined));
      case 'ping':
        return void respond({ kind: 'pong' });
    }
  };
}
