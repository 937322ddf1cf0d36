import { fileURLToPath } from 'node:url';
import { startProgram } from './child-program.ts';
import type { DatasetOptions } from './generate.ts';

export type BareRequest =
  | { readonly kind: 'open'; readonly directory: string; readonly isNew: boolean }
  | { readonly kind: 'load'; readonly dataset: DatasetOptions; readonly first: number; readonly last: number }
  | { readonly kind: 'query'; readonly samples: readonly (readonly string[])[] }
  | { readonly kind: 'disk-use' };

/** Sums over the loaded traces. One thread decodes, parses and encodes; the engine inserts. */
export type LoadTimes = {
  /** `JSON.parse` of the documents alone. */
  readonly decodeSeconds: number;
  /** `parseDocument`: `JSON.parse`, validation and types. */
  readonly parseSeconds: number;
  /** Entities and documents to rows. */
  readonly encodeSeconds: number;
  readonly insertSeconds: number;
  readonly insertCpuSeconds: number;
  /** One value a block, for both tables. */
  readonly insertsMs: readonly number[];
};

export type DiskUse = {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly indexBytes: number;
};

export type BareEngine = {
  /** Encodes traces [first, last) of the data set and inserts them. */
  load(dataset: DatasetOptions, first: number, last: number): Promise<LoadTimes>;
  /** Milliseconds of each sample; its statements run one after the other. */
  query(samples: readonly (readonly string[])[]): Promise<readonly number[]>;
  /** Merges all parts, then measures the disk use. */
  diskUse(): Promise<readonly DiskUse[]>;
  /** Ends the process; another one can open the directory. */
  stop(): Promise<void>;
};

const PROGRAM = fileURLToPath(new URL('./bare-engine.ts', import.meta.url));

/** Starts the engine in its own process on a directory; creates openray's tables when `isNew`. */
export async function startBareEngine(directory: string, { isNew }: { isNew: boolean }): Promise<BareEngine> {
  const { ask, stop } = startProgram<BareRequest>(PROGRAM);
  try {
    await ask({ kind: 'open', directory, isNew });
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    load: (dataset, first, last) => ask({ kind: 'load', dataset, first, last }),
    query: (samples) => ask({ kind: 'query', samples }),
    diskUse: () => ask({ kind: 'disk-use' }),
    stop,
  };
}
