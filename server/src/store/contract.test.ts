import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FailureCode } from '../errors.ts';
import { idSql, traceIdsSql } from './ids.ts';
import { type Sql, sql } from './sql.ts';
import type { Store } from './store.ts';
import { aDocument, anEntity, entityIdOf, traceIdOf } from './testing/documents.ts';
import { EMBEDDED_WITH_JOURNAL, flushingFirst, STORES, type StoreLocation } from './testing/stores.ts';

const ALL = [
  ...STORES,
  { ...EMBEDDED_WITH_JOURNAL, make: async () => flushingFirst(await EMBEDDED_WITH_JOURNAL.make()) },
];

/** Runs for hours unless it is cancelled. */
const ENDLESS = sql`SELECT count() AS n FROM numbers(1000000000000) WHERE sipHash64(number) = 1`;

/** Longer than any test: an endless query ends only by cancellation. */
const PATIENT_MS = 3_600_000;

const failure = (code: FailureCode) => expect.objectContaining({ code });

async function countWhere(store: Store, table: Sql, where: Sql): Promise<number> {
  const [row] = await store.query<{ n: number }>(sql`SELECT count() AS n FROM ${table} WHERE ${where}`);
  return row?.n ?? -1;
}

const countEndless = (store: Store) =>
  countWhere(store, sql`system.processes`, sql`query LIKE '%numbers(1000000000000)%' AND query NOT LIKE '%processes%'`);

/** The contract of every store, without exception. */
describe.each(ALL)('the $name', ({ make }) => {
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

  describe('append', () => {
    test('makes a document and its entities visible before it resolves', async () => {
      const document = aDocument(1);
      await store.append([document]);
      const documents = await store.query(sql`
        SELECT lower(hex(trace_id)) AS trace_id, lower(hex(id)) AS id, seq, format, in_progress, body FROM documents
        WHERE trace_id = ${idSql(document.traceId)}`);
      expect(documents).toEqual([
        {
          trace_id: document.traceId,
          id: document.id,
          seq: document.seq,
          format: 'xray',
          in_progress: false,
          body: document.text,
        },
      ]);
      const entities = await store.query(sql`
        SELECT lower(hex(id)) AS id, lower(hex(parent_id)) AS parent_id, lower(hex(document_id)) AS document_id,
          lower(hex(segment_id)) AS segment_id, is_segment, is_root, name, start_us, duration_us FROM entities
        WHERE trace_id = ${idSql(document.traceId)} ORDER BY id`);
      expect(entities).toEqual(
        document.entities.map((entity) => ({
          id: entity.id,
          parent_id: (entity === document.entities[0] ? entity.parentId : undefined) ?? '0'.repeat(16),
          document_id: document.id,
          segment_id: document.id,
          is_segment: entity.kind === 'segment',
          is_root: entity.kind === 'segment',
          name: entity.name,
          start_us: entity.startUs,
          duration_us: (entity.endUs ?? 0) - entity.startUs,
        })),
      );
    });

    test('finds entities by annotation, metadata and any other field', async () => {
      const document = aDocument(2);
      await store.append([document]);
      const found = async (text: string) =>
        countWhere(store, sql`entities`, sql`trace_id = ${idSql(document.traceId)} AND has(attributes, ${text})`);
      expect(await found('annotation.user_id=u2')).toBe(1);
      expect(await found('annotation.isGold=false')).toBe(1);
      expect(await found('metadata.default.cart.total=2.5')).toBe(1);
      expect(await found('segment.aws.operation=PutItem')).toBe(1);
      expect(await found('annotation.user_id=u3')).toBe(0);
      const [typed] = await store.query(sql`
        SELECT annotations_string, annotations_number, annotations_bool FROM entities
        WHERE trace_id = ${idSql(document.traceId)} AND is_root`);
      expect(typed).toEqual({
        annotations_string: { user_id: 'u2' },
        annotations_number: { items: 2 },
        annotations_bool: { isGold: false },
      });
    });

    test('keeps every version of a document, and one copy of a duplicate', async () => {
      const id = entityIdOf(3_000_000);
      const traceId = traceIdOf(3);
      const whole = aDocument(3, { traceId, id, seq: 1_790_000_000_000_300 });
      const started = { ...whole, seq: 1_790_000_000_000_200, entities: [anEntity({ traceId, id, endUs: undefined })] };
      await store.append([started, whole]);
      // A row is stored twice by an insert that is repeated, never by one insert.
      await store.flush();
      await store.append([whole]);
      await store.flush();
      await store.command(sql`OPTIMIZE TABLE documents FINAL`);
      const versions = await store.query(sql`
        SELECT seq, in_progress, end_us FROM documents WHERE trace_id = ${idSql(traceId)} ORDER BY version DESC`);
      expect(versions).toEqual([
        { seq: whole.seq, in_progress: false, end_us: whole.seq },
        { seq: started.seq, in_progress: true, end_us: 0 },
      ]);
    });

    test('keeps start and end of each trace', async () => {
      const documents = [aDocument(40), aDocument(41), aDocument(42, { traceId: traceIdOf(41) })];
      await store.append(documents);
      const rows = await store.query(sql`
        SELECT lower(hex(trace_id)) AS trace_id, start_us, end_us, seq FROM traces
        WHERE trace_id IN ${traceIdsSql([traceIdOf(40), traceIdOf(41)])} ORDER BY trace_id`);
      const base = 1_790_000_000_000_000;
      expect(rows).toEqual([
        { trace_id: traceIdOf(40), start_us: base - 4960, end_us: base + 40, seq: base + 40 },
        { trace_id: traceIdOf(41), start_us: base - 4959, end_us: base + 42, seq: base + 42 },
      ]);
    });

    test('accepts an empty list', async () => {
      await expect(store.append([])).resolves.toBeUndefined();
    });

    test('is not delayed by a long query', async () => {
      const abort = new AbortController();
      const long = store.query(ENDLESS, { signal: abort.signal, timeoutMs: PATIENT_MS });
      await expect.poll(() => countEndless(store)).toBe(1);
      await store.append([aDocument(50)]);
      expect(await countEndless(store)).toBe(1);
      abort.abort();
      await expect(long).rejects.toEqual(failure('RequestCancelled'));
    });
  });

  describe('query', () => {
    test('binds any value as a parameter', async () => {
      const text = fc.string({ unit: 'binary' });
      const hostile = fc.constantFrom(
        "'",
        '\\',
        "\\'",
        '\\N',
        'NULL',
        '\0',
        '\t',
        '\n',
        "'; DROP TABLE documents; --",
        '{p0:String}',
        '€😀',
      );
      const anyText = fc.oneof(
        text,
        fc.array(hostile).map((parts) => parts.join('')),
      );
      const int = fc.maxSafeInteger();
      // Zero has one sign in a parameter.
      const float = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
      await fc.assert(
        fc.asyncProperty(anyText, int, float, fc.boolean(), fc.array(anyText), fc.array(int), async (...values) => {
          const [a, b, c, d, e, f] = values;
          const [row] = await store.query<Record<string, unknown>>(
            sql`SELECT ${a} AS a, ${b} AS b, ${sql.typed(c, 'Float64')} AS c, ${d} AS d, ${e} AS e, ${sql.typed(f, 'Array(Int64)')} AS f`,
          );
          expect(row).toEqual({ a, b, c, d, e, f });
        }),
        { numRuns: 200 },
      );
    });

    test('separates the parameters of concurrent queries', async () => {
      const values = Array.from({ length: 60 }, (_, index) => index);
      const results = await Promise.all(
        values.map((value) => store.query<{ v: number }>(sql`SELECT ${value} + sleepEachRow(0.01) AS v`)),
      );
      expect(results.map(([row]) => row?.v)).toEqual(values);
    });

    test('runs a short query during a long one', async () => {
      const abort = new AbortController();
      const long = store.query(ENDLESS, { signal: abort.signal, timeoutMs: PATIENT_MS });
      await expect.poll(() => countEndless(store)).toBe(1);
      await store.query(sql`SELECT 1`);
      expect(await countEndless(store)).toBe(1);
      abort.abort();
      await expect(long).rejects.toEqual(failure('RequestCancelled'));
    });

    test('ends in the engine, too, when it is cancelled', async () => {
      const abort = new AbortController();
      const long = store.query(ENDLESS, { signal: abort.signal, timeoutMs: PATIENT_MS });
      await expect.poll(() => countEndless(store)).toBe(1);
      abort.abort();
      await expect(long).rejects.toEqual(failure('RequestCancelled'));
      await expect.poll(() => countEndless(store)).toBe(0);
    });

    test('ends in the engine when it is cancelled at any moment', async () => {
      for (let round = 0; round < 20; round++) {
        const abort = new AbortController();
        const long = store.query(ENDLESS, { signal: abort.signal, timeoutMs: PATIENT_MS });
        const queries = Array.from({ length: round % 5 }, () => store.query(sql`SELECT 1`));
        await Promise.race(queries.length > 0 ? queries : [Promise.resolve()]);
        abort.abort();
        await expect(long).rejects.toEqual(failure('RequestCancelled'));
        await Promise.all(queries);
      }
      await expect.poll(() => countEndless(store)).toBe(0);
    });

    test('is rejected when it was cancelled before it began', async () => {
      await expect(store.query(sql`SELECT 1`, { signal: AbortSignal.abort() })).rejects.toEqual(
        failure('RequestCancelled'),
      );
    });

    test('ends at its time limit', async () => {
      const abort = new AbortController();
      const longer = store.query(ENDLESS, { signal: abort.signal, timeoutMs: PATIENT_MS });
      await expect(store.query(ENDLESS, { timeoutMs: 300 })).rejects.toEqual(failure('QueryTimeout'));
      await expect.poll(() => countEndless(store)).toBe(1);
      abort.abort();
      await expect(longer).rejects.toEqual(failure('RequestCancelled'));
    });

    test('includes the wait for a session in its time limit', async () => {
      const abort = new AbortController();
      const all = Array.from({ length: 4 }, () =>
        store.query(ENDLESS, { signal: abort.signal, timeoutMs: PATIENT_MS }),
      );
      await expect(store.query(sql`SELECT 1`, { timeoutMs: 100 })).rejects.toEqual(failure('QueryTimeout'));
      abort.abort();
      for (const one of all) await expect(one).rejects.toEqual(failure('RequestCancelled'));
      await expect(store.query(sql`SELECT 1 AS one`)).resolves.toEqual([{ one: 1 }]);
    });

    test('is rejected when it exceeds its memory limit', async () => {
      const greedy = sql`SELECT length(groupArray(number)) AS n FROM numbers(100000000)`;
      await expect(store.query(greedy, { maxMemoryBytes: 10_000_000 })).rejects.toEqual(failure('ServiceUnavailable'));
      await expect(store.query(sql`SELECT 1 AS one`)).resolves.toEqual([{ one: 1 }]);
    });

    test('is rejected when its result exceeds the limit of rows', async () => {
      await expect(store.query(sql`SELECT number FROM numbers(1000001)`)).rejects.toEqual(
        failure('InvalidRequestException'),
      );
    });

    test('ends a result early only when it exceeds a limit', async () => {
      const rowsOf = (count: number, rows: number, bytes: number) =>
        store.query<{ text: string }>(sql`SELECT repeat(toString(number % 10), 100) AS text FROM numbers(${count})`, {
          cutAt: { rows, bytes },
        });
      expect(await rowsOf(100, 100, 100_000)).toHaveLength(100);
      expect((await rowsOf(200_000, 100, 0)).length).toBeGreaterThan(100);
      const cut = await rowsOf(200_000, 0, 200_000);
      expect(cut.length).toBeGreaterThan(1_500);
      expect(cut.length).toBeLessThan(200_000);
      await expect(store.query(sql`SELECT 1 AS one`)).resolves.toEqual([{ one: 1 }]);
    });
  });

  describe('stream', () => {
    test('returns all rows in order', async () => {
      let expected = 0;
      for await (const row of store.stream<{ number: number }>(sql`SELECT number FROM numbers(${200_000})`)) {
        if (row.number !== expected) expect(row.number).toBe(expected);
        expected++;
      }
      expect(expected).toBe(200_000);
    });

    test('releases its session when its reader stops early', async () => {
      for (let round = 0; round < 10; round++) {
        for await (const row of store.stream<{ number: number }>(sql`SELECT number FROM numbers(10000000)`)) {
          expect(row.number).toBe(0);
          break;
        }
      }
      await expect(store.query(sql`SELECT 1 AS one`)).resolves.toEqual([{ one: 1 }]);
    });

    test('fails when the query fails halfway', async () => {
      const read = async () => {
        for await (const row of store.stream(sql`SELECT throwIf(number = 500000) FROM numbers(1000000)`)) void row;
      };
      await expect(read()).rejects.toEqual(failure('InternalFailure'));
    });

    test('ends when it is cancelled', async () => {
      const abort = new AbortController();
      const read = async () => {
        for await (const row of store.stream(ENDLESS, { signal: abort.signal, timeoutMs: PATIENT_MS })) void row;
      };
      const reading = read();
      reading.catch(() => {});
      await expect.poll(() => countEndless(store)).toBe(1);
      abort.abort();
      await expect(reading).rejects.toEqual(failure('RequestCancelled'));
      await expect.poll(() => countEndless(store)).toBe(0);
    });
  });

  test('counts each received document as stored, queued or refused', async () => {
    const before = store.statistics();
    const appending = store.append([aDocument(60), aDocument(61)]);
    const during = store.statistics();
    expect(during.queued).toBe(2);
    expect(during.queuedBytes).toBeGreaterThan(0);
    await appending;
    const after = store.statistics();
    expect(after.received - before.received).toBe(2);
    expect(after.stored - before.stored).toBe(2);
    expect(after.queued).toBe(0);
    await store.flush();
    expect(store.statistics()).toMatchObject({ queuedBytes: 0, oldestWaitingMs: 0 });
  });

  test('reports its size and its oldest day', async () => {
    const before = await store.usage();
    await store.append(Array.from({ length: 10 }, (_, index) => aDocument(index + 70)));
    const after = await store.usage();
    expect(after.documents - before.documents).toBeGreaterThanOrEqual(10);
    expect(after.bytes).toBeGreaterThan(0);
    expect(after.freeBytes).toBeGreaterThan(0);
    const [{ first } = { first: Number.NaN }] = await store.query<{ first: number }>(
      sql`SELECT min(seq) AS first FROM documents`,
    );
    expect(after.oldestDayUs).toBe(first - (first % 86_400_000_000));
  });
});

describe.each(ALL)('the $name, opened again', ({ make }) => {
  test('has its documents, and refuses new ones when its queue is full', async () => {
    const location = await make();
    const first = await location.open();
    await first.append([aDocument(1)]);
    await first.close();
    const store = await location.open({ queueMaxBytes: 20_000 });
    expect(await countWhere(store, sql`documents`, sql`true`)).toBe(1);

    const appended = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => store.append([aDocument(index + 2)])),
    );
    const refused = appended.filter((one) => one.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.reason).toEqual(expect.objectContaining({ code: 'ThrottledException', retryAfterSeconds: 1 }));
    const counts = store.statistics();
    expect(counts).toMatchObject({ received: 50, stored: 50 - refused.length, refused: refused.length, queued: 0 });
    expect(await countWhere(store, sql`documents`, sql`true`)).toBe(1 + counts.stored);

    await store.append([aDocument(100)]);
    await store.close();
    await location.remove();
  });

  test('writes queued documents before it closes, and refuses later ones', async () => {
    const location = await make();
    const first = await location.open();
    await first.append([aDocument(0)]);
    const appending = first.append([aDocument(1)]);
    await first.close();
    await expect(appending).resolves.toBeUndefined();
    await expect(first.append([aDocument(2)])).rejects.toEqual(failure('ServiceUnavailable'));
    await expect(first.query(sql`SELECT 1`)).rejects.toEqual(failure('ServiceUnavailable'));
    const store = await location.open();
    expect(await countWhere(store, sql`documents`, sql`true`)).toBe(2);
    await store.close();
    await location.remove();
  });

  test('drops documents beyond its retention, and reports it', async () => {
    const location = await make();
    const first = await location.open();
    await first.append(Array.from({ length: 20 }, (_, index) => aDocument(index)));
    await first.append([aDocument(100, { seq: Date.now() * 1000 })]);
    await first.close();
    const store = await location.open({ retentionDays: 1 });
    await expect.poll(() => store.statistics().prunedBeforeUs).toBeDefined();
    expect(await countWhere(store, sql`documents`, sql`true`)).toBe(1);
    expect(await countWhere(store, sql`entities`, sql`true`)).toBe(3);
    await store.close();
    await location.remove();
  });

  test('drops the oldest documents of its only day when the day exceeds the size limit', async () => {
    const location = await make();
    const first = await location.open();
    await first.append(Array.from({ length: 500 }, (_, index) => aDocument(index)));
    await first.close();
    const store = await location.open({ retentionBytes: 5_000 });
    await expect.poll(() => store.statistics().prunedBeforeUs).toBeDefined();
    const [{ left, oldest } = { left: 0, oldest: 0 }] = await store.query<{ left: number; oldest: number }>(
      sql`SELECT count() AS left, min(seq) AS oldest FROM documents`,
    );
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(500);
    expect(oldest).toBeGreaterThanOrEqual(store.statistics().prunedBeforeUs ?? Number.POSITIVE_INFINITY);
    await store.close();
    await location.remove();
  });
});
