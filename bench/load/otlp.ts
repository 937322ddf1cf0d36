import { dirname, join } from 'node:path';
import { decodeTraces } from '../../server/src/ingest/otlp-protobuf.ts';
import type { JsonObject } from '../../server/src/model/json.ts';
import { anyValueOf } from '../../server/src/model/otlp/any-value.ts';
import { entityToPlainSpan } from '../../server/src/model/otlp/to-otlp/entity-to-span.ts';
import type { KeyValue, SpanWithResource } from '../../server/src/model/otlp/types.ts';
import { resourceSpansOf } from '../../server/src/model/otlp/wire/resource-spans.ts';
import { parseDocument } from '../../server/src/model/parse-document.ts';
import { encode } from '../../server/src/model/testing/otlp-protocol.ts';
import type { Figure } from '../figures.ts';
import type { BenchRun } from '../measure.ts';
import { startBareEngine } from './bare-client.ts';
import { partFigures } from './cpu-figures.ts';
import { forwarding } from './forward.ts';
import { generateTraces, spanCountOf } from './generate.ts';
import { percentile } from './latencies.ts';
import { loadOtlp } from './otlp-load.ts';

/** About what OpenTelemetry's SDKs put into one request: 512 spans. */
const TRACES_A_REQUEST = 50;
/** Of the data set, but never more than this: what is measured is a rate. */
const MAX_TRACES = 10_000;

/** The same traces as OpenTelemetry's exporters would send them, to a server of their own for each transport. */
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
      const what = `ingest over OTLP/${transport === 'http' ? 'HTTP' : 'gRPC'}`;
      yield {
        name: `ingest-otlp-${transport}`,
        description: what,
        unit: 'spans/s',
        value: spans / seconds,
        bare: spans / insertSeconds,
        ratioTarget: { atLeast: 0.4 },
      };
      yield {
        name: `ingest-otlp-${transport}-per-core`,
        description: `${what}, per second of CPU, engine included`,
        unit: 'spans/s',
        value: spans / Math.max(0.01, cpuSeconds),
        bare: spans / Math.max(0.01, insertCpuSeconds),
        target: { atLeast: 30_000 },
      };
      yield* partFigures(`ingest-otlp-${transport}`, what, spans, parts);
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
    description: 'step: protobuf alone',
    unit: 'spans/s',
    value: spans / decodeSeconds(bodies),
  };
}

function requestsOf(run: BenchRun, traceCount: number): readonly Buffer[] {
  const bodies: Buffer[] = [];
  for (let first = 0; first < traceCount; first += TRACES_A_REQUEST) {
    const last = Math.min(first + TRACES_A_REQUEST, traceCount);
    const places = [...generateTraces(run.dataset, first, last)].flatMap(({ documents }) => documents.flatMap(spansOf));
    bodies.push(encode('TracesData', { resourceSpans: resourceSpansOf(places) }));
  }
  return bodies;
}

/** The document's segment and subsegments as an instrumented service would tell of them. */
function spansOf(text: string) {
  return parseDocument(text, 1).flatMap((outcome) => {
    if (!outcome.ok) throw new Error(outcome.message);
    const { entities } = outcome.document;
    const segment = entities[0]?.fields ?? {};
    return entities.map((entity) => instrumented(entityToPlainSpan({ ...entity, segment, isFromSpan: false })));
  });
}

/** Annotations and metadata as plain attributes, one by one: only X-Ray's translators list the former and pack the latter. */
function instrumented(place: SpanWithResource): SpanWithResource {
  const attributes = (place.span.attributes ?? []).flatMap((attribute): readonly KeyValue[] => {
    if (attribute.key === 'aws.xray.annotations') return [];
    if (attribute.key !== 'aws.xray.metadata.default') return [attribute];
    const members = JSON.parse(attribute.value?.stringValue ?? '{}') as JsonObject;
    return Object.entries(members).map(([key, value]) => ({ key, value: anyValueOf(value) }));
  });
  return { ...place, span: { ...place.span, attributes } };
}

/** What one thread of JavaScript needs for the bytes alone. */
function decodeSeconds(bodies: readonly Buffer[]): number {
  const beganMs = performance.now();
  for (const body of bodies) decodeTraces(body);
  return (performance.now() - beganMs) / 1000;
}
