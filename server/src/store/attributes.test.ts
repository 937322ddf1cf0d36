import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entity } from '../model/entity.ts';
import { ExactNumber } from '../model/exact-number.ts';
import type { JsonValue } from '../model/json.ts';
import { attributeText, MAX_ATTRIBUTES, TRUNCATED_MARKER } from './attributes.ts';
import { attributeTexts, pureAttributeTexts } from './testing/attribute-texts.ts';
import { anEntity, entityIdOf, traceIdOf } from './testing/documents.ts';

const attributesOf = (...entities: readonly Entity[]) => attributeTexts(entities);
const entityWith = (given: Partial<Entity>) => anEntity({ traceId: traceIdOf(1), id: entityIdOf(1), ...given });

test('annotations, metadata and all other fields, by path', () => {
  const entity = entityWith({
    annotations: { tier: 'gold', items: 3, isTest: false },
    metadata: { default: { cart: [{ sku: 'a' }, { sku: 'b' }], empty: {}, nothing: null } },
    fields: {
      id: '0000000000000001',
      trace_id: '1-2-3',
      start_time: 1.5,
      name: 'checkout',
      annotations: { tier: 'gold' },
      metadata: {},
      aws: { table_names: ['orders', 'items'], retries: 0 },
      cause: { exceptions: [{ message: 'no', stack: [{ path: 'a.js', line: 3 }] }] },
      unknown: { stack: 'kept' },
    },
  });
  expect(attributesOf(entity)).toEqual([
    'annotation.tier=gold',
    'annotation.items=3',
    'annotation.isTest=false',
    'metadata.default.cart.sku=a',
    'metadata.default.cart.sku=b',
    'segment.aws.table_names=orders',
    'segment.aws.table_names=items',
    'segment.aws.retries=0',
    'segment.cause.exceptions.message=no',
    'segment.unknown.stack=kept',
  ]);
});

test('a value that all entities of a document share is stored once', () => {
  const shared = entityWith({ annotations: { tier: 'gold' } });
  expect(attributesOf(shared, { ...shared, annotations: { tier: 'gold', items: 3 } })).toEqual([
    'annotation.tier=gold',
    'annotation.items=3',
  ]);
});

test('a value in a column is no attribute if it has the type that X-Ray documents', () => {
  const http = { request: { method: 'GET', url: ['/a'], traced: true }, response: { status: 200, content_length: 5 } };
  expect(
    attributesOf(entityWith({ fields: { name: 'checkout', origin: 7, fault: true, http, 'http.request.url': '/b' } })),
  ).toEqual([
    'segment.origin=7',
    'segment.http.request.url=/a',
    'segment.http.request.url=/b',
    'segment.http.request.traced=true',
    'segment.http.response.content_length=5',
  ]);
});

test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])('a field %s is an attribute', (name) => {
  expect(attributesOf(entityWith({ fields: { [name]: 'x' } }))).toEqual([`segment.${name}=x`]);
});

test('metadata that is no object has the path metadata', () => {
  expect(attributesOf(entityWith({ metadata: 'text' }))).toEqual(['metadata=text']);
});

test('a long value is truncated', () => {
  const value = 'v'.repeat(10_000);
  const [stored] = attributesOf(entityWith({ annotations: { long: value } }));
  expect(stored).toBe(attributeText('annotation.long', value));
  expect(stored?.length).toBe(256);
});

test('count and depth are limited, annotations are first, and one marker shows the truncation', () => {
  let deep: Entity['metadata'] = 'bottom';
  for (let level = 0; level < 10_000; level++) deep = { a: deep };
  const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, index]));
  const attributes = attributesOf(entityWith({ annotations: { last: 1 }, metadata: { deep, wide } }));
  expect(attributes.filter((attribute) => attribute !== TRUNCATED_MARKER).length).toBe(MAX_ATTRIBUTES);
  expect(attributes.filter((attribute) => attribute === TRUNCATED_MARKER).length).toBe(1);
  expect(attributes[0]).toBe('annotation.last=1');
  expect(attributes[1]).toBe('metadata.wide.k0=0');
});

const KEYS = [
  ...[
    'a',
    'b',
    'a.b',
    'default',
    'http',
    'request',
    'response',
    'status',
    'url',
    'request.url',
    'http.request.url',
    '1',
  ],
  ...['name', 'origin', 'cause', 'exceptions', 'cause.exceptions', 'stack', 'constructor', 'ünï', 'k'.repeat(60)],
];
const key = fc.constantFrom(...KEYS);
const leaf = fc.oneof(
  fc.constantFrom('', 'gold', 'ü', 'half \ud83d', 'x'.repeat(47), 'x'.repeat(48), 'é'.repeat(80), 'y'.repeat(250)),
  fc.constantFrom(0, 1, 200, 1.5, true, false, null, '1', 'true', new ExactNumber('9007199254740993')),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf,
    fc.array(leaf, { maxLength: 24 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const fields = fc.dictionary(key, value, { maxKeys: 6, noNullPrototype: true });

test('the strings of any documents are those of the reference implementation', () => {
  const entity = fc.record({ annotations: fc.dictionary(key, leaf.filter(isAnnotation)), metadata: value, fields });
  fc.assert(
    fc.property(fc.array(entity, { minLength: 1, maxLength: 3 }), (given) => {
      const entities = given.map((one) => entityWith(one as Partial<Entity>));
      const asBytes = pureAttributeTexts(entities).map((text) => Buffer.from(text).toString());
      expect(attributeTexts(entities)).toEqual(asBytes);
    }),
    { numRuns: 200 },
  );
});

const isAnnotation = (one: JsonValue) => one !== null;
