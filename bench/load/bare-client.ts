import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DatasetOptions } from './generate.ts';

export type BareRequest =
  | { readonly kind: 'open'; readonly directory: string; readonly isNew: boolean }
  | { readonly kind: 'load'; readonly dataset: DatasetOptions; readonly first: number; readonly last: number }
  | { readonly kind: 'query'; readonly samples: readonly (readonly string[])[] }
  | { readonly kind: 'disk-use' }
  | { readonly kind: 'close' };

/** Sums over the traces that were loaded. The first three are one thread's, insert is the engine's. */
export type LoadTimes = {
  /** `JSON.parse` of the documents and nothing else. */
  readonly decodeSeconds: number;
  /** `parseDocument`: the same, checked and typed. */
  readonly parseSeconds: number;
  /** Entities and documents to rows. */
  readonly encodeSeconds: number;
  readonly insertSeconds: number;
  readonly insertCpuSeconds: number;
  /** Each block, both tables. */
  readonly insertsMs: readonly number[];
};

export type DiskUse = {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly indexBytes: number;
};

export type BareAnswers = {
  open: void;
  load: LoadTimes;
  query: readonly number[];
  'disk-use': readonly DiskUse[];
  close: void;
};

export type BareEngine = {
  readonly pid: number;
  ask<Kind extends BareRequest['kind']>(request: BareRequest & { readonly kind: Kind }): Promise<BareAnswers[Kind]>;
  stop(): Promise<void>;
};

const PROGRAM = fileURLToPath(new URL('./bare-engine.ts', import.meta.url));

/** Starts the engine in a process of its own on a directory: a new one gets openray's tables. */
export async function startBareEngine(directory: string, { isNew }: { isNew: boolean }): Promise<BareEngine> {
  const child = fork(PROGRAM, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const engine: BareEngine = {
    pid: child.pid as number,
    ask: (request) => askChild(child, request),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await exited;
      }
    },
  };
  try {
    await engine.ask({ kind: 'open', directory, isNew });
    return engine;
  } catch (thrown) {
    await engine.stop();
    throw thrown;
  }
}

function askChild<Kind extends BareRequest['kind']>(
  child: ChildProcess,
  request: BareRequest,
): Promise<BareAnswers[Kind]> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`the bare engine ended during ${request.kind}`));
    child.once('exit', onExit);
    child.once('message', (answer: { value: BareAnswers[Kind] } | { failure: string }) => {
      child.off('exit', onExit);
      if ('failure' in answer) reject(new Error(`bare engine, ${request.kind}: ${answer.failure}`));
      else resolve(answer.value);
    });
    child.send(request);
  });
}
