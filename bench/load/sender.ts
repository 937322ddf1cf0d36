import { fileURLToPath } from 'node:url';
import type { BodyFormat } from './bodies.ts';
import { startProgram } from './child-program.ts';
import type { DatasetOptions } from './generate.ts';

export type SendTarget =
  | { readonly protocol: 'xray' | 'otlp-http' | 'otlp-grpc'; readonly url: string; readonly connections: number }
  | { readonly protocol: 'datagram'; readonly port: number };

export type SenderRequest =
  | {
      readonly kind: 'make';
      readonly set: string;
      readonly format: BodyFormat;
      readonly dataset: DatasetOptions;
      readonly first: number;
      readonly last: number;
    }
  | { readonly kind: 'send'; readonly set: string; readonly target: SendTarget };

export type SendTimes = {
  readonly seconds: number;
  /** Of each request; empty for datagrams. */
  readonly latenciesMs: readonly number[];
  readonly bodies: number;
};

/** A load generator in its own process. It makes all bodies before it sends the first, and shares no thread. */
export type Sender = {
  /** Makes a set of bodies from the traces [first, last); replaces an earlier set of the same name. */
  make(set: string, format: BodyFormat, dataset: DatasetOptions, first: number, last: number): Promise<void>;
  /** Sends all bodies of a set. Rejects when the server does not accept one. */
  send(set: string, target: SendTarget): Promise<SendTimes>;
  stop(): Promise<void>;
};

export function startSender(): Sender {
  const program = startProgram<SenderRequest>(fileURLToPath(new URL('./sender-program.ts', import.meta.url)));
  return {
    make: (set, format, dataset, first, last) => program.ask({ kind: 'make', set, format, dataset, first, last }),
    send: (set, target) => program.ask({ kind: 'send', set, target }),
    stop: program.stop,
  };
}
