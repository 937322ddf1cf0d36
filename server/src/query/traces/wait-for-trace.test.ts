import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseFilter } from '../../filter/parser.ts';
import type { JsonObject } from '../../model/json.ts';
import { anId, aSegment, receivedTexts } from '../../model/testing/builders.ts';
import { formatTraceId, type TraceId } from '../../model/trace-id.ts';
import { scopedTraceId, type TraceScope } from '../../model/trace-scope.ts';
import { renderSql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { EMBEDDED_WITH_JOURNAL, STORES, type StoreLocation } from '../../store/testing/stores.ts';
import { newTraceWaits, type TraceWait, type TraceWaits, type WaitResult } from './wait-for-trace.ts';

const MINUTE_MS = 60_000;

let lastSeq = Date.now() * 1000;
let number = 0;

/** Greater than those before, as of documents that arrive now. */
function nextSeq(): number {
  lastSeq = Math.max(lastSeq + 1, Date.now() * 1000);
  return lastSeq;
}

/** A new trace id, in a scope if one is given. */
function newTraceId(scope?: TraceScope): TraceId {
  number += 1;
  const random = number.toString(16).padStart(10, '0');
  if (scope !== undefined) return scopedTraceId(scope, Date.now() * 1000, random);
  return `6650a080${random.padStart(24, '0')}` as TraceId;
}

const documentOf = (id: TraceId, fields: JsonObject = {}) =>
  receivedTexts([JSON.stringify(aSegment({ id: anId('a'), trace_id: formatTraceId(id), ...fields }))], nextSeq());

const unfinished = { end_time: undefined, in_progress: true } as unknown as JsonObject;

/** A server: waits, and traces that arrive. */
type Waiting = {
  readonly waits: TraceWaits;
  /** Stores the documents and notifies of them, as `accept` does. */
  arrive(...documents: readonly ReturnType<typeof documentOf>[]): Promise<void>;
  subscriptions(): number;
};

function waitingOn(store: Store): Waiting {
  const listeners = new Set<(ids: readonly TraceId[]) => void>();
  const waits = newTraceWaits(store, (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  });
  return {
    waits,
    subscriptions: () => listeners.size,
    async arrive(...documents) {
      const all = documents.flat();
      await store.append(all);
      for (const listener of listeners) listener(all.map(({ traceId }) => traceId));
    },
  };
}

const LONG: Omit<TraceWait, 'target'> = { completeness: {}, quietMs: 0, timeoutMs: 10 * MINUTE_MS };

function waitFor(
  { waits }: Waiting,
  target: TraceWait['target'],
  given: Partial<TraceWait> & { readonly signal?: AbortSignal } = {},
): Promise<WaitResult> {
  const { signal = new AbortController().signal, ...wait } = given;
  return waits.wait({ ...LONG, ...wait, target }, signal);
}

const since = (expression: string, scope?: TraceScope, fromUs = lastSeq - 1) => ({
  filter: parseFilter(expression),
  fromUs,
  scope,
});

/** The store with a count of its queries. */
function counted(store: Store): { readonly store: Store; readonly texts: string[] } {
  const texts: string[] = [];
  const query: Store['query'] = (statement, options) => {
    texts.push(renderSql(statement).query);
    return store.query(statement, options);
  };
  return { store: { ...store, query }, texts };
}

describe.each([...STORES.slice(0, 2), EMBEDDED_WITH_JOURNAL])('waits on the $name', ({ make }) => {
  let location: StoreLocation;
  let store: Store;

  beforeAll(async () => {
    location = await make();
    store = await location.open();
  });

  afterAll(async () => {
    await store.close();
    await location.remove();
  });

  test('end with the trace that arrives, by its id and by a filter', async () => {
    const waiting = waitingOn(store);
    const id = newTraceId();
    const target = since('annotation.test = "arrives"');
    const waits = [waitFor(waiting, { id }), waitFor(waiting, target)];
    await waiting.arrive(documentOf(newTraceId()), documentOf(id, { annotations: { test: 'arrives' } }));
    for (const { isFound, trace, documents } of await Promise.all(waits)) {
      expect(isFound).toBe(true);
      expect(trace?.id).toBe(id);
      expect(documents.map(({ text }) => JSON.parse(text).annotations)).toEqual([{ test: 'arrives' }]);
    }
    for (const later of [{ id }, target]) expect((await waitFor(waiting, later)).trace?.id).toBe(id);
  });

  test('stay for a trace that is unfinished', async () => {
    const waiting = waitingOn(store);
    const id = newTraceId();
    let isOver = false;
    const wait = waitFor(waiting, since('annotation.test = "finishes"')).finally(() => {
      isOver = true;
    });
    await waiting.arrive(documentOf(id, { ...unfinished, annotations: { test: 'finishes' } }));
    const partly = await waitFor(waiting, { id }, { timeoutMs: 0 });
    expect(partly).toMatchObject({ isFound: false, missing: ['"shop" is in progress'] });
    expect((await waitFor(waiting, { id }, { completeness: undefined })).isFound).toBe(true);
    expect(isOver).toBe(false);
    await waiting.arrive(documentOf(id, { annotations: { test: 'finishes' } }));
    expect((await wait).documents).toHaveLength(2);
  });

  test('of a scope end with its own traces and those without a scope', async () => {
    const waiting = waitingOn(store);
    const [own, other] = ['00000001', '00000002'] as TraceScope[];
    const ids = { own: newTraceId(own), other: newTraceId(other), none: newTraceId() };
    const fromUs = lastSeq;
    const target = (scope?: TraceScope) => since('annotation.test = "scope"', scope, fromUs);
    const wait = waitFor(waiting, target(own));
    await waiting.arrive(documentOf(ids.other, { annotations: { test: 'scope' } }));
    expect((await waitFor(waiting, target(own), { timeoutMs: 0 })).trace).toBeUndefined();
    await waiting.arrive(documentOf(ids.own, { annotations: { test: 'scope' } }));
    expect((await wait).trace?.id).toBe(ids.own);
    await waiting.arrive(documentOf(ids.none, { annotations: { test: 'scope' } }));
    expect((await waitFor(waiting, target(own))).trace?.id).toBe(ids.none);
    expect((await waitFor(waiting, target(other))).trace?.id).toBe(ids.none);
  });

  test('find the newest trace that is complete, or the first in the order of the filter', async () => {
    const waiting = waitingOn(store);
    const fromUs = lastSeq;
    const durations = [0.2, 0.9, 0.4];
    const documents = durations.map((seconds) =>
      documentOf(newTraceId(), { end_time: Number(aSegment().start_time) + seconds, annotations: { test: 'newest' } }),
    );
    await waiting.arrive(...documents);
    await waiting.arrive(documentOf(newTraceId(), { ...unfinished, annotations: { test: 'newest' } }));
    const [, longest, newest] = documents.map(([document]) => document?.traceId);
    const found = async (order: string) =>
      (await waitFor(waiting, since(`annotation.test = "newest"${order}`, undefined, fromUs))).trace?.id;
    expect(await found('')).toBe(newest);
    expect(await found(' ORDER BY duration DESC')).toBe(longest);
  });

  test('find no trace that arrived before', async () => {
    const waiting = waitingOn(store);
    await waiting.arrive(documentOf(newTraceId(), { annotations: { test: 'before' } }));
    const target = since('annotation.test = "before"', undefined, nextSeq());
    expect(await waitFor(waiting, target, { timeoutMs: 0 })).toMatchObject({ trace: undefined, isFound: false });
  });

  test('see a document that is stored while an earlier query runs', async () => {
    const id = newTraceId();
    const results: (() => void)[] = [];
    const query: Store['query'] = async (statement, options) => {
      const rows = await store.query<never>(statement, options);
      if (results.length === 0) await new Promise<void>((resolve) => results.push(resolve));
      return rows;
    };
    const waiting = waitingOn({ ...store, query });
    const wait = waitFor(waiting, { id });
    await expect.poll(() => results).toHaveLength(1);
    await waiting.arrive(documentOf(id));
    results[0]?.();
    expect((await wait).isFound).toBe(true);
  });

  test('end without a result when the client leaves, and release what they hold', async () => {
    const waiting = waitingOn(store);
    const before = waiting.subscriptions();
    const client = new AbortController();
    const wait = waitFor(waiting, since('service("never")'), { signal: client.signal });
    expect(waiting.subscriptions()).toBe(1);
    client.abort();
    expect(await wait).toEqual({ trace: undefined, documents: [], isFound: false, missing: [] });
    expect(waiting.subscriptions()).toBe(before);
    waiting.waits.close();
    expect(waiting.subscriptions()).toBe(0);
  });

  test('are bounded in number', async () => {
    const waiting = waitingOn({ ...store, query: async () => [] });
    const client = new AbortController();
    const target = { id: newTraceId() };
    const all = Array.from({ length: 10_000 }, () => waitFor(waiting, target, { signal: client.signal }));
    await expect(waitFor(waiting, target)).rejects.toMatchObject({ code: 'ThrottledException' });
    client.abort();
    expect((await Promise.all(all)).every(({ isFound }) => !isFound)).toBe(true);
    expect((await waitFor(waiting, target, { timeoutMs: 0 })).isFound).toBe(false);
  });
});

describe('200 waits on an embedded store', () => {
  let location: StoreLocation;
  let store: Store;

  beforeAll(async () => {
    location = await (STORES[0] as (typeof STORES)[number]).make();
    store = await location.open();
  });

  afterAll(async () => {
    await store.close();
    await location.remove();
  });

  test.each([
    ['ids', (id: TraceId) => ({ id })],
    ['filters', (id: TraceId, fromUs: number) => since(`annotation.test = "${id}"`, undefined, fromUs)],
  ])('by %s load each trace once', async (_kind, targetOf) => {
    const { store: countedStore, texts } = counted(store);
    const waiting = waitingOn(countedStore);
    const fromUs = nextSeq();
    const ids = Array.from({ length: 200 }, () => newTraceId());
    const waits = ids.map((id) => waitFor(waiting, targetOf(id, fromUs)));
    await waiting.arrive(...ids.map((id) => documentOf(id, { annotations: { test: id } })));
    expect((await Promise.all(waits)).map(({ trace }) => trace?.id)).toEqual(ids);
    // By ids, the waits look at once: two batches of a hundred traces. Two more when the traces arrive.
    expect(texts.length).toBeLessThanOrEqual(4);
  });

  test('search the store for traces from before its start', async () => {
    const id = newTraceId();
    const fromUs = nextSeq();
    await waitingOn(store).arrive(documentOf(id, { annotations: { test: 'restart' } }));
    await store.close();
    store = await location.open();
    const target = since('annotation.test = "restart"', undefined, fromUs);
    expect((await waitFor(waitingOn(store), target)).trace?.id).toBe(id);
  });
});

test('a wait polls a shared store for documents without a notification', async () => {
  const location = await (STORES[1] as (typeof STORES)[number]).make();
  const [local, other] = [await location.open(), await location.open()];
  try {
    const waiting = waitingOn(local);
    const id = newTraceId();
    const waits = [waitFor(waiting, { id }), waitFor(waiting, since('annotation.test = "poll"'))];
    await other.append(documentOf(id, { annotations: { test: 'poll' } }));
    for (const { trace } of await Promise.all(waits)) expect(trace?.id).toBe(id);
  } finally {
    await Promise.all([local.close(), other.close()]);
    await location.remove();
  }
});
