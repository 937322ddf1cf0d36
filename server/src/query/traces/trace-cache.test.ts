import { beforeEach, expect, test } from 'vitest';
import type { Document } from '../../model/entity.ts';
import { spanWriter } from '../../model/otlp/documents/stored-spans.ts';
import { A_START, anId, aSegment, aSubsegment, received } from '../../model/testing/builders.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { idSql } from '../../store/ids.ts';
import { type Sql, sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { storeForThisFile } from '../../store/testing/store-for-this-file.ts';
import { STORES } from '../../store/testing/stores.ts';
import { type AssembledTrace, assembledGroups, loadAssembledTraces } from './trace-cache.ts';
import { loadTraceParts } from './trace-parts.ts';

const store = await storeForThisFile();
let traceId: TraceId;
/** Arrives in the middle, so that others may arrive before and after it. */
const SEQ = A_START * 1e6 + 1_000;
let lastNumber = 0;

function newDocument(fields: Parameters<typeof aSegment>[0], seq: number): Document {
  const [document] = received(aSegment(fields));
  return { ...(document as Document), seq };
}

/** Two documents of a new trace. */
beforeEach(async () => {
  lastNumber += 1;
  const trace_id = `1-6650a080-${String(lastNumber).padStart(24, '0')}`;
  const first = newDocument({ trace_id, id: anId('a') }, SEQ);
  traceId = first.traceId;
  await store.append([first, call('b', SEQ + 10)]);
});

/** A subsegment that arrives alone. */
function call(id: string, seq: number, ofTrace: TraceId = traceId): Document {
  const trace_id = `1-${ofTrace.slice(0, 8)}-${ofTrace.slice(8)}`;
  const [document] = received(aSubsegment({ trace_id, id: anId(id), parent_id: anId('a') }));
  return { ...(document as Document), seq };
}

async function load(from: Store = store): Promise<AssembledTrace> {
  const found: AssembledTrace[] = [];
  for await (const { traces } of assembledGroups(from, [traceId], {})) found.push(...traces);
  expect(found.length).toBe(1);
  return found[0] as AssembledTrace;
}

const idsIn = ({ trace }: AssembledTrace) => [...trace.entities.keys()].sort();

test('a trace that has not changed is assembled once', async () => {
  const first = await load();
  expect((await load()).trace).toBe(first.trace);
});

test('while nothing arrives, a trace is read from memory alone', async () => {
  const queries: Sql[] = [];
  const counted: Store = Object.create(store, {
    query: {
      value: (statement: Sql, options?: QueryOptions) => {
        queries.push(statement);
        return store.query(statement, options);
      },
    },
  });
  await load(counted);
  queries.length = 0;
  await load(counted);
  expect(queries.length).toBe(0);
  await store.append([call('c', SEQ + 20)]);
  expect(idsIn(await load(counted))).toContain(anId('c'));
  queries.length = 0;
  await load(counted);
  expect(queries.length).toBe(0);
  await store.command(sql`DELETE FROM documents WHERE trace_id = ${idSql(traceId)} AND seq = ${SEQ + 20}`);
  expect(idsIn(await load(counted))).not.toContain(anId('c'));
});

test('traces of one response keep the order of their ids, from memory or not', async () => {
  const known = traceId;
  await load();
  const [other] = received(aSegment({ trace_id: `1-6650a080-${'f'.repeat(24)}`, id: anId('e') }));
  await store.append([other as Document]);
  const ids = [(other as Document).traceId, known, 'f'.repeat(32) as TraceId];
  const loaded = await loadAssembledTraces(store, ids, {});
  expect(loaded.map(({ trace }) => trace.id)).toEqual(ids.slice(0, 2));
});

test('BatchGetTraces shares the cached traces, and keeps the order of its ids', async () => {
  const known = traceId;
  const first = await load();
  const [other] = received(aSegment({ trace_id: `1-6650a080-${'e'.repeat(24)}`, id: anId('e') }));
  await store.append([other as Document]);
  const ids = [(other as Document).traceId, known];
  const read = await loadTraceParts(store, ids, undefined, {});
  const again = await loadTraceParts(store, ids, undefined, {});
  for (const { parts, next } of [read, again]) {
    expect(parts.map((part) => [part.traceId, part.isWhole])).toEqual(ids.map((id) => [id, true]));
    expect(next).toBeUndefined();
  }
  expect(read.parts[1]?.trace).toEqual(first.trace);
  expect(again.parts.map(({ trace }) => trace)).toEqual(read.parts.map(({ trace }) => trace));
  expect(again.parts[0]?.trace).toBe(read.parts[0]?.trace);
  await store.append([call('c', SEQ + 20)]);
  const changed = await loadTraceParts(store, ids, undefined, {});
  expect(changed.parts[1]?.documents.length).toBe(3);
});

test('spans that are stored as bytes are assembled once, too', async () => {
  traceId = '6650a08000000000000000000000bbff' as TraceId;
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'Größe' } }] };
  const span = { traceId, spanId: 'fedcba9876543210', name: 'GET /größe', startTimeUnixNano: '1716559999000000000' };
  const shared = { resource, resourceSchemaUrl: undefined, scope: undefined, scopeSchemaUrl: undefined };
  await store.append([spanWriter(shared, new Set())(span, SEQ)]);
  const first = await load();
  expect((await load()).trace).toBe(first.trace);
});

test.each([
  ['after the last one', 20],
  ['with the number of the last one, as another server may give it', 10],
  ['between the others', 5],
  ['before the others', -5],
])('a document that arrives %s changes the trace', async (_, laterUs) => {
  await load();
  await store.append([call('c', SEQ + laterUs)]);
  expect(idsIn(await load())).toEqual([anId('a'), anId('b'), anId('c')].sort());
});

test('a document that retention rules delete changes the trace, whose last document stays', async () => {
  await load();
  await store.command(sql`DELETE FROM documents WHERE trace_id = ${idSql(traceId)} AND seq = ${SEQ}`);
  expect(idsIn(await load())).toEqual([anId('b')]);
});

test('after retention rules have run, as many documents with the same last one are read again', async () => {
  await load();
  await store.command(sql`DELETE FROM documents WHERE trace_id = ${idSql(traceId)} AND seq = ${SEQ}`);
  await store.append([call('d', SEQ + 1)]);
  await store.recordIncomplete(SEQ);
  expect(idsIn(await load())).toEqual([anId('b'), anId('d')].sort());
});

test('a trace of which all documents are deleted is unknown', async () => {
  await load();
  await store.command(sql`DELETE FROM documents WHERE trace_id = ${idSql(traceId)}`);
  const groups = [];
  for await (const group of assembledGroups(store, [traceId], {})) groups.push(...group.traces);
  expect(groups).toEqual([]);
});

test('a document that another server of a shared store received changes the trace', async () => {
  const location = await (STORES.find(({ name }) => name === 'remote store') as (typeof STORES)[number]).make();
  const servers = await Promise.all([location.open(), location.open()]);
  const [one, other] = servers as [Store, Store];
  try {
    await one.append([call('a', SEQ), call('b', SEQ + 10)]);
    const before = await load(one);
    expect((await load(one)).trace).toBe(before.trace);
    await other.append([call('c', SEQ + 10)]);
    expect(idsIn(await load(one))).toEqual([anId('a'), anId('b'), anId('c')].sort());
    await one.append([call('d', SEQ + 20)]);
    expect(idsIn(await load(other))).toEqual([anId('a'), anId('b'), anId('c'), anId('d')].sort());
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await location.remove();
  }
}, 60_000);
