import { startOpenray } from '../../scripts/openray.ts';
import { addParts } from './cpu-figures.ts';
import type { DatasetOptions } from './generate.ts';
import { untilIdle } from './ingest.ts';
import { type CpuParts, cpuPartsOf, cpuSecondsOf } from './process-usage.ts';
import { type Sender, startSender } from './sender.ts';

const CONNECTIONS = 8;
/** Share of the traces that is sent before the measurement. */
const WARM_SHARE = 0.2;

export type OtlpLoadOptions = {
  readonly flags?: readonly string[];
  /** Whether the CPU time includes the work after the last response: roll-up, merges and forwarding. */
  readonly waitsUntilIdle?: boolean;
};

export type OtlpLoad = {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly parts: CpuParts;
  readonly latenciesMs: readonly number[];
};

/** A load generator with the first traces of a data set, and with others to warm a server up. */
export async function startOtlpSender(dataset: DatasetOptions, traceCount: number): Promise<Sender> {
  const sender = startSender();
  await sender.make('warm', 'otlp', { ...dataset, seed: dataset.seed + 1 }, 0, Math.ceil(traceCount * WARM_SHARE));
  await sender.make('measured', 'otlp', dataset, 0, traceCount);
  return sender;
}

/** Sends the requests to a new server, which has received others before, and measures its CPU time. */
export async function loadOtlp(
  transport: 'http' | 'grpc',
  dataDir: string,
  sender: Sender,
  { flags = [], waitsUntilIdle = false }: OtlpLoadOptions = {},
): Promise<OtlpLoad> {
  const server = await startOpenray(['--port', '0', '--data-dir', dataDir, '--log-level', 'warn', ...flags]);
  const url = (transport === 'http' ? server.otlpHttpUrl : server.otlpGrpcUrl) ?? '';
  const target = { protocol: `otlp-${transport}`, url, connections: CONNECTIONS } as const;
  try {
    const pid = server.process.pid as number;
    await sender.send('warm', target);
    await untilIdle(pid);
    const beganCpu = cpuSecondsOf(pid);
    const beganParts = cpuPartsOf(pid);
    const { seconds, latenciesMs } = await sender.send('measured', target);
    if (waitsUntilIdle) await untilIdle(pid);
    const parts = addParts(cpuPartsOf(pid), beganParts, -1);
    return { seconds, cpuSeconds: cpuSecondsOf(pid) - beganCpu, parts, latenciesMs };
  } finally {
    await server.kill();
  }
}
