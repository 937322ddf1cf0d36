import type { OpenrayProcess } from '../../scripts/openray.ts';
import type { BareEngine } from './bare-client.ts';
import type { Dataset, DatasetOptions } from './generate.ts';
import type { XRayCaller } from './send.ts';

/** Shared by the steps of a run: the server, and the bare engine with the same rows. */
export type BenchRun = {
  readonly options: DatasetOptions;
  readonly dataset: Dataset;
  /** The current server: `startServer` replaces it. */
  readonly server: OpenrayProcess;
  readonly caller: XRayCaller;
  readonly bare: BareEngine;
  /** Data directories of the server's engine and of the bare engine. */
  readonly serverDirectory: string;
  readonly bareDirectory: string;
  readonly samples: number;
  readonly log: (text: string) => void;
  isSelected(name: string): boolean;
  startServer(): Promise<void>;
};
