import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Document, Entity } from '../../model/entity.ts';
import type { TraceId } from '../../model/trace-id.ts';
import { linkText, SHARED_ARRIVAL_US, SHARED_START_US } from '../attributes.ts';
import { createRowBuffer, writeHex, writeList, writeString, writeUInt64 } from '../row-binary.ts';
import { sql } from '../sql.ts';
import { anEntity, entityIdOf, traceIdOf } from '../testing/documents.ts';
import { storeForThisFile } from '../testing/store-for-this-file.ts';
import { continueTexts, dropSharedTexts, evictTexts, newSharedTexts } from './shared-texts.ts';

const DAY_US = 86_400_000_000;
const MIDNIGHT_US = 20_000 * DAY_US;

type Row = { readonly trace: number; readonly startUs: number; readonly texts: readonly string[] };

/** The texts that each row keeps. */
function keptOf(rows: readonly Row[], texts = newSharedTexts()): readonly (readonly string[])[] {
  const buffer = createRowBuffer(64);
  return rows.map(({ trace, startUs, texts: own }) => {
    const rowAt = buffer.length;
    writeHex(buffer, traceIdOf(trace), 16);
    for (let at = 16; at < 52; at++) writeHex(buffer, undefined, 1);
    writeUInt64(buffer, startUs);
    const listAt = buffer.length;
    writeList(buffer, own, writeString);
    dropSharedTexts(texts, buffer, rowAt, listAt);
    return readList(buffer.bytes.subarray(listAt, buffer.length));
  });
}

function readList(bytes: Buffer): readonly string[] {
  let at = 0;
  const length = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const group = bytes[at++] as number;
      value += (group & 0x7f) * scale;
      if (group < 0x80) return value;
    }
  };
  const texts = Array.from({ length: length() }, () => {
    const end = length() + at;
    const text = bytes.toString('utf8', at, end);
    at = end;
    return text;
  });
  expect(at).toBe(bytes.length);
  return texts;
}

/** The rule in plain words. */
function expectedOf(rows: readonly Row[]): readonly (readonly string[])[] {
  const kept: Row[] = [];
  return rows.map(({ texts, ...row }) => {
    const own = texts.filter(
      (text) =>
        text.startsWith('link=') ||
        !kept.some(
          (other) =>
            other.trace === row.trace && other.startUs - row.startUs <= SHARED_START_US && other.texts.includes(text),
        ),
    );
    kept.push({ ...row, texts: own });
    return own;
  });
}

const text = fc.oneof(
  fc.constantFrom('a=1', 'a=2', 'a=', 'b=1', 'link=1', 'link', 'ü=é', `${'k'.repeat(126)}=`, `${'k'.repeat(250)}=x`),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
);
const row: fc.Arbitrary<Row> = fc.record({
  trace: fc.constantFrom(1, 2),
  startUs: fc.constantFrom(0, 1, SHARED_START_US, SHARED_START_US + 1),
  texts: fc.oneof(
    fc.array(text, { maxLength: 8 }),
    fc.constant(Array.from({ length: 300 }, (_, index) => `n=${index}`)),
  ),
});

test('a row leaves out exactly the texts that an earlier row of its trace has, and no links', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
      expect(keptOf(rows)).toEqual(expectedOf(rows));
    }),
  );
});

test('evicted texts are written again', () => {
  const texts = newSharedTexts();
  const rows = [{ trace: 1, startUs: 0, texts: Array.from({ length: 2_000 }, (_, index) => `n=${index}`) }];
  expect(keptOf(rows, texts)[0]).toHaveLength(2_000);
  evictTexts(texts);
  expect(keptOf(rows, texts)[0]).toHaveLength(2_000);
});

test('only documents of one day and of about one second share texts', () => {
  const isShared = (first: number, second: number) => {
    const texts = newSharedTexts();
    const row = { trace: 1, startUs: 0, texts: ['a=1'] };
    continueTexts(texts, first);
    keptOf([row], texts);
    continueTexts(texts, second);
    return texts.count > 0;
  };
  expect(isShared(MIDNIGHT_US, MIDNIGHT_US + 1)).toBe(true);
  expect(isShared(MIDNIGHT_US + 1, MIDNIGHT_US)).toBe(true);
  expect(isShared(MIDNIGHT_US - 1, MIDNIGHT_US)).toBe(false);
  expect(isShared(MIDNIGHT_US, MIDNIGHT_US + SHARED_ARRIVAL_US / 2)).toBe(true);
  expect(isShared(MIDNIGHT_US, MIDNIGHT_US + SHARED_ARRIVAL_US / 2 + 1)).toBe(false);
});

const store = await storeForThisFile();

function aDocument(number: number, traceId: TraceId, fields: Partial<Entity>): Document {
  const id = entityIdOf(number);
  const entity = anEntity({ traceId, id, startUs: 1_790_000_000_000_000 + number, ...fields });
  return { format: 'xray', traceId, id, seq: MIDNIGHT_US + number, text: '{}', entities: [entity] };
}

test('each attribute finds its traces, in one row of the documents that were appended together', async () => {
  const [first, second] = [traceIdOf(71), traceIdOf(72)];
  await store.append([
    aDocument(1, first, { annotations: { tenant: 'acme', step: 'one' } }),
    aDocument(2, second, { annotations: { tenant: 'acme' } }),
    aDocument(3, first, { annotations: { tenant: 'acme', step: 'two' } }),
  ]);
  await store.append([aDocument(4, first, { annotations: { tenant: 'acme' } })]);
  const rows = await store.query(sql`
    SELECT lower(hex(trace_id)) AS trace_id, seq - ${MIDNIGHT_US} AS number, attributes FROM entities
    WHERE hasAnyTokens(attributes, ['annotation.tenant=acme', 'annotation.step=two']) ORDER BY seq`);
  expect(rows).toEqual([
    { trace_id: first, number: 1, attributes: ['annotation.tenant=acme', 'annotation.step=one'] },
    { trace_id: second, number: 2, attributes: ['annotation.tenant=acme'] },
    { trace_id: first, number: 3, attributes: ['annotation.step=two'] },
    { trace_id: first, number: 4, attributes: ['annotation.tenant=acme'] },
  ]);
});

test('links stay in each row', async () => {
  const producer = traceIdOf(90);
  const links = [{ traceId: producer, id: entityIdOf(5), attributes: {} }];
  await store.append([1, 2].map((number) => aDocument(number, traceIdOf(73), { links })));
  const rows = await store.query(
    sql`SELECT count() AS rows FROM entities WHERE has(attributes, ${linkText(producer)})`,
  );
  expect(rows).toEqual([{ rows: 2 }]);
});
