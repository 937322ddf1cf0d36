import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { matches } from '../filter/matches.ts';
import { parseFilter } from '../filter/parser.ts';
import type { FilterSubject } from '../filter/subject.ts';
import { subjectOf } from '../filter/subject.ts';
import { assembleTrace } from '../model/assemble.ts';
import type { Document } from '../model/entity.ts';
import { plainSpanOf } from '../model/otlp/span-of-entity.ts';
import { spanWriter } from '../model/otlp/stored.ts';
import { parseDocument } from '../model/parse-document.ts';
import { serviceGraph } from '../model/service-graph.ts';
import { arbitraryDelivery, arbitraryTrace } from '../model/testing/arbitrary-trace.ts';
import { openStore } from '../store/open-store.ts';
import type { Store } from '../store/store.ts';
import type { TimeRangeType } from './candidates.ts';
import { findTraces } from './find-traces.ts';
import { endingIn, serviceGraphOf } from './service-graph.ts';
import { findTraceSummaries } from './trace-summaries.ts';
import { isWithin, type TimeWindow } from './window.ts';

/**
 * What SQL answers is held against the pure functions over the same documents in memory: generated traces, their
 * documents in any order, repeated, in progress first, some without a root. ORACLE_TRACES sets how many.
 */
const TRACES = Number(process.env.ORACLE_TRACES ?? 400);
const SEED = 20_240_430;
const START_US = 1_716_560_000_000_000;

let store: Store;
let dataDir: string;
let subjects: readonly FilterSubject[];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'openray-oracle-'));
  store = await openStore({
    dataDir,
    poolSize: 2,
    threadPoolSize: 16,
    maxQueryMs: 60_000,
    maxQueryMemoryBytes: 2 ** 30,
    engineMemoryBytes: 2 ** 32,
    queueMaxBytes: 2 ** 28,
    commitIntervalMs: 0,
    retentionDays: 0,
    retentionBytes: 0,
    fsync: false,
    storeUrl: undefined,
    log: { info: () => undefined, warn: () => undefined },
  });
  const documents = receivedDocuments();
  for (let first = 0; first < documents.length; first += 1000) await store.append(documents.slice(first, first + 1000));
  const byTrace = new Map<string, Document[]>();
  for (const document of documents) byTrace.set(document.traceId, [...(byTrace.get(document.traceId) ?? []), document]);
  subjects = [...byTrace.values()].flatMap((ofTrace) => {
    const trace = assembleTrace(ofTrace);
    return trace === undefined ? [] : [subjectOf(trace)];
  });
}, 600_000);

afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

/** All traces' documents mixed, in an order of arrival that has nothing to do with their times. */
function receivedDocuments(): readonly Document[] {
  const deliveries = fc.sample(arbitraryTrace().chain(arbitraryDelivery), { numRuns: TRACES, seed: SEED });
  const texts = deliveries.flatMap((delivery) => delivery.map((text, index) => ({ text, turn: index })));
  const mixed = [...texts].sort((a, b) => a.turn - b.turn);
  return mixed.flatMap(({ text }, index) => {
    const seq = START_US + index * 100;
    const parsed = parseDocument(text, seq).flatMap((outcome) => (outcome.ok ? [outcome.document] : []));
    return parsed.flatMap((document) => (isTraceOfSpans(document) ? spanDocuments(document, seq) : [document]));
  });
}

/** A third of the traces came from OpenTelemetry, another third in part. */
function isTraceOfSpans({ traceId, id }: Document): boolean {
  const [trace, entity] = [traceId, id].map((hex) => Number.parseInt(hex.slice(-2), 16));
  return (trace ?? 0) % 3 === 0 || ((trace ?? 0) % 3 === 1 && (entity ?? 0) % 2 === 0);
}

/** As OpenTelemetry would tell of it: some SDKs do not say whether the parent is remote, some work has none. */
function spanDocuments(document: Document, seq: number): readonly Document[] {
  const segment = document.entities[0]?.fields ?? {};
  return document.entities.map((entity) => {
    const place = plainSpanOf({ ...entity, segment, isFromSpan: false });
    const oddity = Number.parseInt(entity.id.slice(-1), 16) % 4;
    const flags = oddity === 0 ? undefined : place.span.flags;
    const parentSpanId = oddity === 1 ? undefined : place.span.parentSpanId;
    return spanWriter(place, new Set())({ ...place.span, flags, parentSpanId }, seq);
  });
}

const timeUs = fc.integer({ min: START_US - 100_000, max: START_US + 4_000_000 });
const window = fc
  .tuple(timeUs, timeUs)
  .map(([a, b]): TimeWindow => ({ fromUs: Math.min(a, b), toUs: Math.max(a, b) + 1 }));

const term = fc.constantFrom(
  'ok',
  'error',
  'fault',
  'throttle = true',
  'partial',
  'inferred',
  'responsetime > 0.5',
  'responsetime <= 1.2',
  'duration >= 1',
  'http.status = 404',
  'http.status >= 500',
  'http.status != 200',
  'http.url CONTAINS "shop"',
  'http.method = "GET"',
  'user = "ann"',
  'user',
  'instance.id = "i-01"',
  'resource.arn ENDSWITH ":function:r"',
  'annotation.tier = "gold"',
  'annotation.tier != "gold"',
  'annotation.user_id',
  'annotation.attempt > 0',
  'annotation.attempt = 0',
  'annotation.ColdStart = true',
  'annotation.ColdStart = false',
  'annotation.Service CONTAINS "ri"',
  'annotation.user_id IN ("brian1", 2)',
  'service("stock")',
  'service("carts") { responsetime > 1 }',
  'service("RegisterFunction") { fault }',
  'service(id(name: "photos", type: "AWS::S3::Bucket"))',
  'service(id(type: "client")) { error }',
  'service { annotation.tier = "gold" }',
  'edge("shop", "stock")',
  'edge("shop", "stock.example") { fault }',
  'edge { responsetime > 2 }',
  'rootcause.fault.service { name = "stock" }',
  'rootcause.responsetime.entity { coverage > 0.7 }',
);

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    term,
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a} AND ${b})`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a} OR ${b})`),
    tie('expression').map((inner) => `!(${inner})`),
  ),
}));

const isIn: Readonly<Record<TimeRangeType, (subject: FilterSubject, window: TimeWindow) => boolean>> = {
  TraceId: ({ summary }, within) => isWithin(within, summary.startUs),
  Event: ({ summary }, within) => isWithin(within, summary.updatedUs),
  Service: ({ trace }, within) => trace.segments.some(({ endUs }) => endUs !== undefined && isWithin(within, endUs)),
};

describe('against the pure functions', () => {
  test.each(Object.keys(isIn) as TimeRangeType[])(
    'traces by %s: exactly those that match, newest first',
    async (by) => {
      await fc.assert(
        fc.asyncProperty(window, expression, async (within, text) => {
          const filter = parseFilter(text);
          const expected = subjects.filter((subject) => isIn[by](subject, within) && matches(filter, subject));
          const found: string[] = [];
          let last = Number.POSITIVE_INFINITY;
          for await (const { trace, cursor } of findTraces(store, { window: within, by, filter })) {
            expect(cursor.keyUs).toBeLessThanOrEqual(last);
            last = cursor.keyUs;
            found.push(trace.id);
          }
          expect(found.toSorted()).toEqual(expected.map(({ trace }) => trace.id).toSorted());
        }),
        { numRuns: 60, seed: SEED },
      );
    },
  );

  test('summaries: pages of any size give the same list, once each', async () => {
    const everything = { fromUs: START_US - 10_000_000, toUs: START_US + 10_000_000 };
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 20, max: 150 }),
        fc.constantFrom(...(Object.keys(isIn) as TimeRangeType[])),
        async (pageSize, by) => {
          const seen: string[] = [];
          let after: Awaited<ReturnType<typeof findTraceSummaries>>['next'];
          do {
            const page = await findTraceSummaries(store, {
              window: everything,
              by,
              filter: undefined,
              after,
              pageSize,
            });
            seen.push(...page.summaries.map(({ id }) => id));
            after = page.next;
          } while (after !== undefined);
          const expected = subjects.filter((subject) => isIn[by](subject, everything)).map(({ trace }) => trace.id);
          expect(seen.toSorted()).toEqual(expected.toSorted());
        },
      ),
      { numRuns: 6, seed: SEED },
    );
  });

  test('the service graph of any window, with and without a filter', async () => {
    await fc.assert(
      fc.asyncProperty(window, fc.option(expression, { nil: undefined }), async (within, text) => {
        const filter = text === undefined ? undefined : parseFilter(text);
        const counted = subjects.filter((subject) => filter === undefined || matches(filter, subject));
        const expected = serviceGraph(counted.map(({ graph }) => endingIn(graph, within)));
        const answered = await serviceGraphOf(store, { window: within, filter });
        expect(new Map([...answered.nodes].sort())).toEqual(new Map([...expected.nodes].sort()));
        expect(new Map([...answered.edges].sort())).toEqual(new Map([...expected.edges].sort()));
      }),
      { numRuns: 25, seed: SEED },
    );
  });
});
