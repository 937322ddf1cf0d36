import { dirname, join } from 'node:path';
import { decodeTraces } from '../../server/src/model/otlp/wire/decode.ts';
import { startBareEngine } from './bare-client.ts';
import type { BenchRun } from './bench-run.ts';
import { otlpBodies, SPANS_A_REQUEST } from './bodies.ts';
import { partFigures } from './cpu-figures.ts';
import type { Figure } from './figure.ts';
import { forwarding } from './forward.ts';
import { spanCountOf } from './generate.ts';
import { percentile } from './latencies.ts';
import { loadOtlp, startOtlpSender } from './otlp-load.ts';

/** Most traces of the data set to send: enough to measure a rate. */
const MAX_TRACES = 10_000;
/** Traces of which the decoding is measured alone. */
const MAX_DECODED_TRACES = 2_000;

/** Sends the same traces in the requests of OpenTelemetry's exporters, to a new server for each transport. */
export async function* ingestOtlp(run: BenchRun): AsyncGenerator<Figure> {
  const traceCount = Math.min(run.dataset.traceCount, MAX_TRACES);
  const spans = spanCountOf(traceCount);
  const folder = dirname(run.bareDirectory);
  const bare = await startBareEngine(join(folder, 'otlp-bare'), { isNew: true });
  const sender = await startOtlpSender(run.options, traceCount);
  try {
    const { insertSeconds, insertCpuSeconds } = await bare.load(run.options, 0, traceCount);
    for (const transport of ['http', 'grpc'] as const) {
      run.log(`loading ${traceCount} traces over OTLP/${transport}`);
      const load = await loadOtlp(transport, join(folder, `otlp-${transport}`), sender);
      const { seconds, cpuSeconds, parts, latenciesMs } = load;
      const description = `ingest over OTLP/${transport === 'http' ? 'HTTP' : 'gRPC'}`;
      yield {
        name: `ingest-otlp-${transport}`,
        description,
        unit: 'spans/s',
        value: spans / seconds,
        bare: spans / insertSeconds,
        ratioTarget: { atLeast: 0.4 },
      };
      yield {
        name: `ingest-otlp-${transport}-per-core`,
        description: `${description}, per second of CPU, engine included`,
        unit: 'spans/s',
        value: spans / Math.max(0.01, cpuSeconds),
        bare: spans / Math.max(0.01, insertCpuSeconds),
        target: { atLeast: 30_000 },
      };
      yield* partFigures(`ingest-otlp-${transport}`, description, spans, parts);
      yield {
        name: `ingest-otlp-${transport}-acknowledge-p99`,
        description: `acknowledge ${SPANS_A_REQUEST} spans over OTLP/${transport === 'http' ? 'HTTP' : 'gRPC'} under full load, p99`,
        unit: 'ms',
        value: percentile(latenciesMs, 0.99),
        target: { atMost: 250 },
      };
    }
    if (run.isSelected('ingest-otlp-forwarding')) yield* forwarding(folder, sender, spans, run.log);
  } finally {
    await bare.stop();
    await sender.stop();
  }
  const decodedCount = Math.min(traceCount, MAX_DECODED_TRACES);
  yield {
    name: 'ingest-otlp-decode',
    description: 'step: protobuf decoding alone',
    unit: 'spans/s',
    value: spanCountOf(decodedCount) / decodeSeconds(otlpBodies(run.dataset, 0, decodedCount)),
  };
}

/** Seconds that one JavaScript thread needs to decode the bytes. */
function decodeSeconds(bodies: readonly Buffer[]): number {
  const beganMs = performance.now();
  for (const body of bodies) decodeTraces(body);
  return (performance.now() - beganMs) / 1000;
}
