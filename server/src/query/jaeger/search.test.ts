import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assembleTrace } from '../../model/assemble.ts';
import type { Document } from '../../model/entity.ts';
import type { JaegerSpan, JaegerTrace } from '../../model/jaeger.ts';
import { logWriter, spanWriter } from '../../model/otlp/documents/stored-spans.ts';
import { usToNanos } from '../../model/otlp/nanos.ts';
import type { KeyValue, Span, SpanWithResource } from '../../model/otlp-messages.ts';
import { arbitrarySpan, spanIdText, traceIdText } from '../../model/testing/arbitrary-span.ts';
import { contains } from '../../model/time-interval.ts';
import type { Trace } from '../../model/trace.ts';
import { renderSql, sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { makeTestDirectory, openTestStore } from '../../store/testing/open-test-store.ts';
import { receivedDocuments, SPREAD_US, START_US } from '../testing/received-documents.ts';
import { spansOfTrace } from '../traces/trace-spans.ts';
import { hasSpanFor, type JaegerSearch } from './matches-search.ts';
import { jaegerTraceOf, searchJaegerTraces } from './search.ts';

/** Compares searches with the pure functions over all traces. JAEGER_RUNS is the number of searches, JAEGER_SEED their seed. */
const RUNS = Number(process.env.JAEGER_RUNS ?? 25);
const SEED = Number(process.env.JAEGER_SEED ?? 5);
const TIMEOUT_MS = 60_000 + RUNS * 10_000;

let store: Store;
let directory: Awaited<ReturnType<typeof makeTestDirectory>>;
const everything = { fromUs: START_US - 60e6, toUs: START_US + 3 * SPREAD_US };

const withoutRepeatedKeys = (list: readonly KeyValue[] | undefined) =>
  list && [...new Map(list.map((attribute) => [attribute.key, attribute])).values()];

/** OpenTelemetry allows a key once in a list of attributes. */
function sendable({ resource, span, ...around }: SpanWithResource, own: Partial<Span>): SpanWithResource {
  return {
    ...around,
    resource: { ...resource, attributes: withoutRepeatedKeys(resource.attributes) },
    span: {
      ...span,
      ...own,
      attributes: withoutRepeatedKeys(span.attributes),
      events: span.events?.map((event) => ({ ...event, attributes: withoutRepeatedKeys(event.attributes) })),
    },
  };
}

const NAMES = ['shop', 'stock', 'unknown_service:node', 'my (shop)'];

const exceptionRecord = fc.record({
  message: fc.constantFrom('lost', 'slow'),
  tenant: fc.option(fc.constantFrom('gold', 'lead'), { nil: undefined }),
});

const sentTrace = fc
  .record({
    traceId: traceIdText,
    startUs: fc.integer({ min: START_US, max: START_US + SPREAD_US }),
    spans: fc.array(
      fc.record({
        sent: arbitrarySpan,
        id: spanIdText,
        service: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
        parent: fc.integer({ min: -1, max: 3 }),
        laterUs: fc.integer({ min: 0, max: 2_000_000 }),
        durationUs: fc.option(fc.integer({ min: 0, max: 3_000_000 }), { nil: undefined, freq: 6 }),
        record: fc.option(exceptionRecord, { nil: undefined, freq: 1 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ traceId, startUs, spans }) =>
    spans.map(({ sent, id, service, parent, laterUs, durationUs, record }) => {
      const beganUs = startUs + laterUs;
      const others = (sent.resource.attributes ?? []).filter(({ key }) => key !== 'service.name');
      const named = service === undefined ? [] : [{ key: 'service.name', value: { stringValue: service } }];
      const resource = service === undefined ? sent.resource : { ...sent.resource, attributes: [...named, ...others] };
      const span = sendable(
        { ...sent, resource },
        {
          traceId,
          spanId: id,
          parentSpanId: spans[parent]?.id === id ? undefined : spans[parent]?.id,
          startTimeUnixNano: usToNanos(beganUs),
          endTimeUnixNano: durationUs === undefined ? undefined : usToNanos(beganUs + durationUs),
        },
      );
      return { span, record };
    }),
  );

function otlpDocuments(): readonly Document[] {
  let seq = START_US + SPREAD_US;
  return fc.sample(sentTrace, { numRuns: 500, seed: SEED }).flatMap((trace) =>
    trace.flatMap(({ span, record }, index) => {
      const indexed = new Set(index % 3 === 0 ? ['tenant', 'a-b', 'error'] : []);
      const document = spanWriter(span, indexed)(span.span, seq++);
      if (record === undefined) return [document];
      const { traceId, spanId, startTimeUnixNano } = span.span;
      const attributes = [
        { key: 'exception.message', value: { stringValue: record.message } },
        ...(record.tenant === undefined ? [] : [{ key: 'tenant', value: { stringValue: record.tenant } }]),
      ];
      return [document, logWriter(span)({ traceId, spanId, timeUnixNano: startTimeUnixNano, attributes }, seq++)];
    }),
  );
}

type ReferenceTrace = { readonly assembled: Trace; readonly trace: JaegerTrace };
let traces: readonly ReferenceTrace[];

/** All traces, newest first. */
function referenceTraces(documents: readonly Document[]): readonly ReferenceTrace[] {
  const byTrace = new Map<string, Document[]>();
  for (const document of documents) byTrace.set(document.traceId, [...(byTrace.get(document.traceId) ?? []), document]);
  return [...byTrace.values()]
    .flatMap((ofTrace) => {
      const assembled = assembleTrace(ofTrace);
      if (assembled === undefined) return [];
      return [{ assembled, trace: jaegerTraceOf(spansOfTrace(assembled, ofTrace, undefined)) }];
    })
    .sort(({ assembled: a }, { assembled: b }) => b.startUs - a.startUs || (a.id < b.id ? 1 : -1));
}

function expectedIds(search: JaegerSearch): readonly string[] {
  return traces
    .filter(
      ({ assembled, trace }) => contains(search.window, assembled.startUs) && hasSpanFor(search, assembled, trace),
    )
    .slice(0, search.limit)
    .map(({ trace }) => trace.traceID);
}

beforeAll(async () => {
  directory = await makeTestDirectory();
  store = await openTestStore(directory.path);
  const documents = [...receivedDocuments(300, 7), ...otlpDocuments()];
  await store.append(documents);
  traces = referenceTraces(documents);
}, 120_000);

afterAll(async () => {
  await store.close();
  await directory.remove();
});

type TagOfSpan = readonly [key: string, value: string];

function tagsOf({ tags, logs }: JaegerSpan, trace: JaegerTrace, processID: string): readonly TagOfSpan[] {
  const all = [...tags, ...(trace.processes[processID]?.tags ?? []), ...logs.flatMap(({ fields }) => fields)];
  return all.map(({ key, value }): TagOfSpan => [key, String(value)]);
}

/** Conditions that a span of the store meets, sometimes with another value. */
function searchFor(trace: JaegerTrace, span: JaegerSpan, dice: Dice): JaegerSearch {
  const tags = tagsOf(span, trace, span.processID);
  const chosen = dice.tags.flatMap((at): readonly TagOfSpan[] =>
    tags.length === 0 ? [] : [tags[at % tags.length] as TagOfSpan],
  );
  const fromUs = dice.isShort ? span.startTime - 600e6 : everything.fromUs;
  return {
    window: { fromUs, toUs: dice.isShort ? span.startTime + 600e6 : everything.toUs },
    service: trace.processes[span.processID]?.serviceName ?? '',
    operation: dice.hasOperation ? span.operationName : undefined,
    tags: dice.hasTags ? Object.fromEntries([...chosen, ...(dice.added === undefined ? [] : [dice.added])]) : {},
    minDurationUs: dice.hasDuration ? span.duration : undefined,
    maxDurationUs: dice.hasDuration ? span.duration + 1_000_000 : undefined,
    limit: dice.limit,
  };
}

const dice = fc.record({
  tags: fc.array(fc.nat(1_000), { maxLength: 2 }),
  added: fc.option(
    fc.constantFrom<TagOfSpan>(
      ['error', 'true'],
      ['http.status_code', '404'],
      ['http.response.status_code', '200'],
      ['tenant', 'gold'],
      ['event', 'exception'],
    ),
    { nil: undefined, freq: 1 },
  ),
  hasTags: fc.boolean(),
  hasOperation: fc.boolean(),
  hasDuration: fc.boolean(),
  isShort: fc.boolean(),
  limit: fc.constantFrom(1, 3, 20, 1_000),
});
type Dice = typeof dice extends fc.Arbitrary<infer T> ? T : never;

async function compareSearches(runs: number): Promise<void> {
  let matching = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(100_000),
      fc.nat(100),
      dice,
      fc.constantFrom(0, 500),
      fc.constantFrom(1, 20),
      async (at, of, thrown, max, batchSize) => {
        const { trace } = traces[at % traces.length] as ReferenceTrace;
        const search = searchFor(trace, trace.spans[of % trace.spans.length] as JaegerSpan, thrown);
        const found = await searchJaegerTraces(store, search, { sortInMemoryMax: max, batchSize });
        matching += found.length;
        const expected = expectedIds(search);
        expect(
          found.map(({ traceID }) => traceID),
          JSON.stringify(search),
        ).toEqual(expected);
      },
    ),
    { numRuns: runs, seed: SEED, endOnFailure: true },
  );
  expect(matching).toBeGreaterThan(runs / 2);
}

test('finds exactly the newest traces with a span that matches', () => compareSearches(RUNS), TIMEOUT_MS);

test('looks a tag with a column up together with the service, also if many traces have the tag', async () => {
  const statements: string[] = [];
  const watched: Store = Object.create(store, {
    query: {
      value(...[statement, options]: Parameters<Store['query']>) {
        statements.push(renderSql(statement).query);
        return store.query(statement, options);
      },
    },
  });
  const search = {
    ...{ window: everything, service: 'shop', operation: undefined, tags: { 'http.response.status_code': '200' } },
    ...{ minDurationUs: undefined, maxDurationUs: undefined, limit: 20 },
  };
  const found = await searchJaegerTraces(watched, search, { batchSize: 1 });
  expect(found.map(({ traceID }) => traceID)).toEqual(expectedIds(search));
  expect(statements.filter((text) => text.includes('http_status')).length).toBe(1);
});

test(
  'finds the same in a store of an earlier version, whose rows have no names and events of spans',
  async () => {
    // Spans that are stored as bytes have come with both.
    const isSynchronous = sql`SETTINGS mutations_sync = 2`;
    await store.command(sql`
      ALTER TABLE entities UPDATE
        attributes = arrayFilter(text -> NOT startsWith(text, 'span') AND NOT startsWith(text, 'event.'), attributes)
      WHERE (trace_id, seq) IN (SELECT trace_id, seq FROM documents WHERE format NOT IN ('otlp-packed', 'otlp-protobuf')) ${isSynchronous}`);
    await store.command(sql`ALTER TABLE migrations UPDATE applied_us = 1 WHERE number = 1 ${isSynchronous}`);
    await store.close();
    store = await openTestStore(directory.path);
    await compareSearches(Math.ceil(RUNS / 2));
  },
  TIMEOUT_MS,
);
