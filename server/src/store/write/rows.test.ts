import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Document, Entity } from '../../model/entity.ts';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import { idSql } from '../ids.ts';
import { spanTextsOf } from '../span-texts.ts';
import { sql } from '../sql.ts';
import { attributeTexts } from '../testing/attribute-texts.ts';
import { anEntity } from '../testing/documents.ts';
import { storeForThisFile } from '../testing/store-for-this-file.ts';
import { DOCUMENT_COLUMNS, ENTITY_COLUMNS } from './rows.ts';

const store = await storeForThisFile();

test('the encoder writes the columns that the tables have', async () => {
  const stored = async (table: string) => {
    const rows = await store.query<{ name: string; type: string }>(sql`
      SELECT name, type FROM system.columns
      WHERE database = currentDatabase() AND table = ${table} AND default_kind != 'ALIAS'`);
    return Object.fromEntries(rows.map(({ name, type }) => [name, type]));
  };
  expect(await stored('documents')).toEqual(DOCUMENT_COLUMNS);
  expect(await stored('entities')).toEqual(ENTITY_COLUMNS);
});

const digits = '0123456789abcdef';
const hex = (length: number) =>
  fc.array(fc.constantFrom(...digits), { minLength: length, maxLength: length }).map((all) => all.join(''));
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('', 'x'.repeat(20_000), '€'.repeat(43)),
);
const key = fc.string({ maxLength: 20 }).filter((name) => name !== '__proto__');
const timeUs = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const whole = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value));

const anyEntity: fc.Arbitrary<Entity> = fc
  .record({
    traceId: hex(32).map((id) => id as TraceId),
    id: hex(16).map((id) => id as EntityId),
    parentId: fc.option(
      hex(16).map((id) => id as EntityId),
      { nil: undefined },
    ),
    kind: fc.constantFrom('segment', 'subsegment'),
    name: text,
    startUs: timeUs,
    endUs: fc.option(timeUs, { nil: undefined }),
    origin: fc.option(text, { nil: undefined }),
    user: fc.option(text, { nil: undefined }),
    isFault: fc.boolean(),
    isThrottle: fc.boolean(),
    http: fc.option(fc.record({ status: fc.integer({ min: 0, max: 65_535 }), url: text }), { nil: undefined }),
    annotations: fc.dictionary(key, fc.oneof(text, whole, fc.boolean()), { maxKeys: 8, noNullPrototype: true }),
    metadata: fc.jsonValue({ maxDepth: 4 }),
  })
  .map((given) => anEntity(given as Partial<Entity> & Pick<Entity, 'traceId' | 'id'>));

test('any entity is read as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyEntity, { minLength: 1, maxLength: 5 }), timeUs, text, async (given, offset, body) => {
      const [top] = given as [Entity, ...Entity[]];
      // All in one trace, with different ids, so that each can be found.
      const entities = given.map((entity, index) => ({
        ...entity,
        traceId: top.traceId,
        id: index === 0 ? top.id : (index.toString(16).padStart(16, '0') as EntityId),
      }));
      const seq = offset % 1_000_000_000;
      const document: Document = { format: 'xray', traceId: top.traceId, id: top.id, seq, text: body, entities };
      await store.append([document]);
      const here = sql`trace_id = ${idSql(top.traceId)} AND seq = ${seq}`;

      const documents = await store.query(sql`SELECT body, in_progress FROM documents WHERE ${here}`);
      expect(documents).toEqual([{ body, in_progress: top.endUs === undefined }]);

      const rows = await store.query<{ id: string }>(sql`
        SELECT lower(hex(id)) AS id, lower(hex(parent_id)) AS parent_id, lower(hex(document_id)) AS document_id,
          is_segment, start_us, end_us, name, origin, user, fault, throttle, http_status, http_url,
          annotations_string, annotations_number, annotations_bool, attributes
        FROM entities WHERE ${here}`);
      expect(rows.length).toBe(entities.length);
      for (const entity of entities) {
        expect(rows.find(({ id }) => id === entity.id)).toEqual({
          id: entity.id,
          parent_id: (entity === entities[0] ? entity.parentId : undefined) ?? '0'.repeat(16),
          document_id: top.id,
          is_segment: entity.kind === 'segment',
          start_us: entity.startUs,
          end_us: entity.endUs ?? 0,
          name: entity.name,
          origin: entity.origin ?? '',
          user: entity.user ?? '',
          fault: entity.isFault,
          throttle: entity.isThrottle,
          http_status: entity.http?.status ?? 0,
          http_url: entity.http?.url ?? '',
          annotations_string: ofType(entity, 'string'),
          annotations_number: ofType(entity, 'number'),
          annotations_bool: ofType(entity, 'boolean'),
          attributes: entity === entities[0] ? [...attributeTexts(entities), ...spanTextsOf(document, entities)] : [],
        });
      }
    }),
    { numRuns: 60 },
  );
});

const ofType = ({ annotations }: Entity, type: string) =>
  Object.fromEntries(Object.entries(annotations).filter(([, value]) => typeof value === type));

test('values outside of the range of a column become the nearest value in it', async () => {
  const entity = anEntity({
    traceId: 'f'.repeat(32) as TraceId,
    id: 'e'.repeat(16) as EntityId,
    startUs: -5.5,
    endUs: Number.POSITIVE_INFINITY,
    http: { status: 1_000_000 },
    name: 'half \ud83d of a pair',
  });
  await store.append([
    { format: 'xray', traceId: entity.traceId, id: entity.id, seq: 7, text: '{}', entities: [entity] },
  ]);
  const rows = await store.query(sql`
    SELECT start_us, end_us, http_status, name FROM entities WHERE trace_id = ${idSql(entity.traceId)}`);
  expect(rows).toEqual([
    { start_us: 0, end_us: Number.MAX_SAFE_INTEGER, http_status: 65_535, name: 'half \ufffd of a pair' },
  ]);
});
