import { expect, test } from 'vitest';
import { makeBodies } from '../bench/load/bodies.ts';
import type { Figure } from '../bench/load/figure.ts';
import { type DatasetOptions, generateTraces, makeDataset, traceAt } from '../bench/load/generate.ts';
import { measure } from '../bench/measure.ts';
import { decodeTraces } from '../server/src/model/otlp/wire/decode.ts';
import { KIND } from '../server/src/model/otlp-messages.ts';

const toUs = Math.floor(Date.now() / 1000) * 1_000_000;
const options: DatasetOptions = { seed: 7, traceCount: 250, serviceCount: 12, fromUs: toUs - 3_600_000_000, toUs };

test('the same seed gives the same traces, alone or in a sequence, and another seed gives other traces', () => {
  const dataset = makeDataset(options);
  const traces = [...generateTraces(dataset)];
  expect(traces).toEqual([...generateTraces(makeDataset(options))]);
  expect(traces[99]).toEqual(traceAt(dataset, 99));
  const others = new Set([...generateTraces(makeDataset({ ...options, seed: 8 }))].map(({ traceId }) => traceId));
  expect(traces.filter(({ traceId }) => others.has(traceId))).toEqual([]);
});

type SegmentDocument = {
  readonly id: string;
  readonly start_time: number;
  readonly end_time: number;
  readonly annotations: object;
  readonly metadata: { readonly default: object };
  readonly subsegments?: readonly SegmentDocument[];
};

test('every trace has ten spans with eleven annotations and metadata each', () => {
  const flat = (span: SegmentDocument): readonly SegmentDocument[] => [span, ...(span.subsegments ?? []).flatMap(flat)];
  for (const { documents, startUs } of generateTraces(makeDataset(options))) {
    const spans = documents.flatMap((text) => flat(JSON.parse(text)));
    expect(new Set(spans.map(({ id }) => id)).size).toBe(10);
    for (const { annotations, metadata, start_time, end_time } of spans) {
      expect(Object.keys(annotations).length + Object.keys(metadata.default).length).toBe(11);
      expect(start_time).toBeGreaterThanOrEqual(startUs / 1e6);
      expect(end_time).toBeGreaterThan(start_time);
    }
  }
});

test('spans have the flags of today’s SDKs: sampled, and whether the parent is remote', () => {
  const bodies = makeBodies('otlp', makeDataset(options), 0, 100);
  const spans = bodies
    .flatMap((body) => decodeTraces(body).resourceSpans ?? [])
    .flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap((scope) => scope.spans ?? []));
  expect(spans.length).toBe(1_000);
  const isRemote = ({ kind, parentSpanId }: (typeof spans)[number]) =>
    kind === KIND.server && parentSpanId !== undefined;
  expect(spans.filter(isRemote).length).toBeGreaterThan(100);
  for (const span of spans) expect(span.flags, JSON.stringify(span)).toBe(isRemote(span) ? 0x301 : 0x101);
});

/** Thirteen processes start one after the other, each waits until the server is idle: minutes on a busy machine. */
const BENCHMARK_MS = 600_000;

test('the benchmark finds every trace in order, and gives only possible figures', {
  timeout: BENCHMARK_MS,
}, async () => {
  const figures: Figure[] = [];
  for await (const figure of measure({ dataset: options, samples: 2, log: () => {} })) figures.push(figure);

  const figureOf = (name: string) => figures.find((figure) => figure.name === name)?.value;
  expect(figureOf('list-found')).toBe(options.traceCount);
  expect(figureOf('ingest-udp-stored')).toBe(1);
  // With so few traces the engine may have no parts to merge.
  const isPart = ({ unit }: Figure) => unit === 'us/span';
  expect(figures.filter(isPart).filter(({ value }) => !(value >= 0 && Number.isFinite(value)))).toEqual([]);
  for (const receiver of ['http', 'udp', 'otlp-http', 'otlp-grpc']) {
    const ofReceiver = figures.filter((figure) => isPart(figure) && figure.name.startsWith(`ingest-${receiver}-`));
    expect(ofReceiver.length, receiver).toBe(3);
    expect(isPositive(ofReceiver.reduce((total, { value }) => total + value, 0)), receiver).toBe(true);
  }
  const rest = figures.filter((figure) => !isPart(figure));
  expect(rest.filter(({ value, bare = 1 }) => !(isPositive(value) && isPositive(bare)))).toEqual([]);
  expect(figures.filter(({ note }) => note !== undefined)).toEqual([]);
  const parts = new Set(figures.map(({ name }) => name.split('-')[0]));
  expect([...parts]).toEqual(['ingest', 'trace', 'list', 'map', 'write', 'start', 'disk']);
});

const isPositive = (value: number) => Number.isFinite(value) && value > 0;
