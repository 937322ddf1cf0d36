import { dirname, join } from 'node:path';
import type { JsonObject } from '../../server/src/model/json.ts';
import { anyValueOf } from '../../server/src/model/otlp/any-value.ts';
import { entityToPlainSpan } from '../../server/src/model/otlp/to-otlp/entity-to-span.ts';
import { decodeTraces } from '../../server/src/model/otlp/wire/decode.ts';
import { resourceSpansOf } from '../../server/src/model/otlp/wire/resource-spans.ts';
import type { KeyValue, SpanWithResource } from '../../server/src/model/otlp-messages.ts';
import { parseDocument } from '../../server/src/model/parse-document.ts';
import { encode } from '../../server/src/model/testing/otlp-protocol.ts';
import { startBareEngine } from './bare-client.ts';
import type { BenchRun } from './bench-run.ts';
import { partFigures } from './cpu-figures.ts';
import type { Figure } from './figure.ts';
import { forwarding } from './forward.ts';
import { generateTraces, spanCountOf } from './generate.ts';
import { percentile } from './latencies.ts';
import { loadOtlp } from './otlp-load.ts';

/** About 512 spans, the batch size of OpenTelemetry's SDKs. */
const TRACES_A_REQUEST = 50;
/** Most traces of the data set to send: enough to measure a rate. */
const MAX_TRACES = 10_000;

/** Sends the same traces in the requests of OpenTelemetry's exporters, to a new server for each transport. */
export async function* ingestOtlp(run: BenchRun): AsyncGenerator<Figure> {
  const traceCount = Math.min(run.dataset.traceCount, MAX_TRACES);
  const bodies = requestsOf(run, traceCount);
  const spans = spanCountOf(traceCount);
  const folder = dirname(run.bareDirectory);
  const bare = await startBareEngine(join(folder, 'otlp-bare'), { isNew: true });
  try {
    const { insertSeconds, insertCpuSeconds } = await bare.load(run.options, 0, traceCount);
    for (const transport of ['http', 'grpc'] as const) {
      run.log(`loading ${traceCount} traces over OTLP/${transport}`);
      const load = await loadOtlp(transport, join(folder, `otlp-${transport}`), bodies);
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
        description: `acknowledge ${TRACES_A_REQUEST * 10} spans over OTLP/${transport === 'http' ? 'HTTP' : 'gRPC'} under full load, p99`,
        unit: 'ms',
        value: percentile(latenciesMs, 0.99),
        target: { atMost: 250 },
      };
    }
  } finally {
    await bare.stop();
  }
  if (run.isSelected('ingest-otlp-forwarding')) yield* forwarding(folder, bodies, spans, run.log);
  yield {
    name: 'ingest-otlp-decode',
    description: 'step: protobuf decoding alone',
    unit: 'spans/s',
    value: spans / decodeSeconds(bodies),
  };
}

function requestsOf(run: BenchRun, traceCount: number): readonly Buffer[] {
  const bodies: Buffer[] = [];
  for (let first = 0; first < traceCount; first += TRACES_A_REQUEST) {
    const last = Math.min(first + TRACES_A_REQUEST, traceCount);
    const spans = [...generateTraces(run.dataset, first, last)].flatMap(({ documents }) => documents.flatMap(spansOf));
    bodies.push(encode('TracesData', { resourceSpans: resourceSpansOf(spans) }));
  }
  return bodies;
}

/** The document's segment and subsegments as spans of an instrumented service. */
function spansOf(text: string) {
  return parseDocument(text, 1).flatMap((parsed) => {
    if (!parsed.ok) throw new Error(parsed.message);
    const { entities } = parsed.document;
    const segment = entities[0]?.fields ?? {};
    return entities.map((entity) => instrumented(entityToPlainSpan({ ...entity, segment, isFromSpan: false })));
  });
}

/**
 * Turns annotations and metadata into plain attributes: only translated X-Ray documents have `aws.xray.…` attributes.
 */
function instrumented(entry: SpanWithResource): SpanWithResource {
  const attributes = (entry.span.attributes ?? []).flatMap((attribute): readonly KeyValue[] => {
    if (attribute.key === 'aws.xray.annotations') return [];
    if (attribute.key !== 'aws.xray.metadata.default') return [attribute];
    const members = JSON.parse(attribute.value?.stringValue ?? '{}') as JsonObject;
    return Object.entries(members).map(([key, value]) => ({ key, value: anyValueOf(value) }));
  });
  return { ...entry, span: { ...entry.span, attributes } };
}

/** Seconds that one JavaScript thread needs to decode the bytes. */
function decodeSeconds(bodies: readonly Buffer[]): number {
  const beganMs = performance.now();
  for (const body of bodies) decodeTraces(body);
  return (performance.now() - beganMs) / 1000;
}
