import { expect, test } from 'vitest';
import type { Entity } from '../model/entity.ts';
import { attributeText, MAX_ATTRIBUTES, TRUNCATED_MARKER } from './attributes.ts';
import { attributeTexts } from './testing/attribute-texts.ts';
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
