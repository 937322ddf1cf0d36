import type { Socket } from 'node:net';
import { OpenrayError } from '../../../errors.ts';
import { takeEngineProcess } from './engine-spawn.ts';
import {
  encodeFrame,
  failureOf,
  newFrameReader,
  OPENING,
  type Request,
  type Response,
  type SessionsOptions,
} from './protocol.ts';
import { OPENING_WATCH, watchOpening } from './watch-opening.ts';

/** A process of the engine. */
export type EngineChild = {
  readonly pid: number | undefined;
  /**
   * Resolves once calls are possible. Rejects as `openSessions` does, when the process ends, and with StoreUnusable when
   * it is stuck, which ends it.
   */
  readonly opened: Promise<void>;
  /** Resolves with the rows of the response. Rejects with ServiceUnavailable when the process ends. */
  call(request: Exclude<Request, { readonly kind: 'open' | 'ping' | 'cancel' }>): Promise<Uint8Array | undefined>;
  /** Rejects a call with RequestCancelled, and ends it in the engine. */
  cancel(id: number): void;
  /** Resolves with how the process ended, to be read after "the process of the engine". */
  readonly ended: Promise<string>;
  kill(): void;
};

/** While calls run. A process that misses this many in a row is killed: 2.5 s. */
const MAX_MISSED_PINGS = 5;
const PING_INTERVAL_MS = 500;

type Caller = { resolve(rows: Uint8Array | undefined): void; reject(reason: OpenrayError): void };

export function startEngineChild(options: SessionsOptions, watch = OPENING_WATCH): EngineChild {
  const child = takeEngineProcess(options.poolSize);
  const pipe = child.stdio[3] as Socket;
  const callers = new Map<number, Caller>();
  let end: string | undefined;
  let missedPings = 0;
  let pinging: NodeJS.Timeout | undefined;

  const ended = new Promise<string>((resolve) => {
    const onEnd = (how: string) => {
      end ??= how;
      clearInterval(pinging);
      for (const { reject } of callers.values()) reject(engineUnavailable(end));
      callers.clear();
      resolve(end);
    };
    child.once('close', (code, signal) => onEnd(signal ? `was ended by ${signal}` : `ended with exit code ${code}`));
    child.once('error', (thrown) => onEnd(`cannot be started: ${thrown.message}`));
  });

  const readFrames = newFrameReader<Response>((response) => {
    if (response.kind === 'pong') return;
    const caller = callers.get(response.id);
    callers.delete(response.id);
    if (response.kind === 'failed') caller?.reject(failureOf(response.failure));
    else caller?.resolve(response.rows);
  });
  pipe.on('data', (bytes: Buffer) => {
    missedPings = 0;
    readFrames(bytes);
  });
  // Writing to a process that has ended; its end fails the calls.
  pipe.on('error', () => {});

  const send = (request: Request) => pipe.write(encodeFrame(request));

  function expectResponse(id: number): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => callers.set(id, { resolve, reject }));
  }

  function startPinging(): void {
    missedPings = 0;
    pinging ??= setInterval(ping, PING_INTERVAL_MS);
  }

  /** Counts pings and not time: during a pause of this process, or of the machine, only one is missed. */
  function ping(): void {
    if (callers.size === 0) {
      clearInterval(pinging);
      pinging = undefined;
    } else if (missedPings < MAX_MISSED_PINGS) {
      missedPings += 1;
      send({ kind: 'ping' });
    } else {
      end ??= `did not respond for ${(MAX_MISSED_PINGS * PING_INTERVAL_MS) / 1000} s`;
      child.kill('SIGKILL');
    }
  }

  /** The engine opens in the thread that would answer pings. */
  async function untilOpened(): Promise<void> {
    const { directory, engineMemoryBytes, backupDir, poolSize } = options;
    const onStuck = (seconds: number) => {
      end ??= `did nothing for ${seconds} s while it opened the data`;
      callers.get(OPENING)?.reject(stuckOpening(directory, seconds));
      child.kill('SIGKILL');
    };
    const endWatch = watchOpening(child.pid, onStuck, watch);
    const opened = expectResponse(OPENING).finally(endWatch);
    send({ kind: 'open', options: { directory, engineMemoryBytes, backupDir, poolSize } });
    await opened;
  }

  return {
    pid: child.pid,
    opened: untilOpened(),
    call(request) {
      if (end !== undefined) return Promise.reject(engineUnavailable(end));
      if (callers.size === 0) startPinging();
      const response = expectResponse(request.id);
      send(request);
      return response;
    },
    cancel(id) {
      callers.get(id)?.reject(new OpenrayError('RequestCancelled', 'The request was cancelled'));
      callers.delete(id);
      send({ kind: 'cancel', id });
    },
    ended,
    kill: () => child.kill('SIGKILL'),
  };
}

function stuckOpening(directory: string, seconds: number): OpenrayError {
  return new OpenrayError(
    'StoreUnusable',
    `The data in ${directory} cannot be opened: for ${seconds} s the engine used neither the processor nor the disk. Does the disk answer? Then start openray again`,
  );
}

/** `end` is how the process ended. */
export function engineUnavailable(end: string): OpenrayError {
  return new OpenrayError('ServiceUnavailable', 'The embedded engine is restarting; try again', {
    retryAfterSeconds: 1,
    cause: new Error(`the process of the engine ${end}`),
  });
}
