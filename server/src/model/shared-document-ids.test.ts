import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import type { JsonObject } from './json.ts';
import { processedDocuments } from './processed-document.ts';
import { anId, aSegment, aSubsegment, received } from './testing/builders.ts';
import type { EntityId } from './trace-id.ts';

const SHARED = anId('a');

const namesOf = (...sent: readonly JsonObject[]) => {
  const trace = assembleTrace(received(...sent));
  return [...(trace?.entities.values() ?? [])].map(({ kind, name }) => `${kind} ${name}`).sort();
};

test('two segments with one id and different names are both kept', () => {
  expect(namesOf(aSegment({ id: SHARED, name: 'shop' }), aSegment({ id: SHARED, name: 'stock' }))).toEqual([
    'segment shop',
    'segment stock',
  ]);
});

test('a segment with the id of the call to it is below that call', () => {
  const sent = [
    aSegment({ id: anId('1'), name: 'shop' }),
    aSubsegment({ id: SHARED, name: 'stock.example', namespace: 'remote', parent_id: anId('1') }),
    aSegment({ id: SHARED, name: 'stock', parent_id: anId('1'), subsegments: [aSubsegment({ id: anId('2') })] }),
  ];
  const trace = assembleTrace(received(...sent));
  const stock = trace?.segments.find(({ name }) => name === 'stock');
  expect(stock?.parentId).toBe(SHARED);
  expect(stock?.id).not.toBe(SHARED);
  expect(trace?.entities.get(anId('2'))?.parentId).toBe(stock?.id);
  expect(trace?.orphans).toEqual([]);
});

const CALL = aSubsegment({ id: SHARED, name: 'stock.example', namespace: 'remote' });
const CALLER = aSegment({ id: anId('1'), name: 'shop', subsegments: [CALL] });
const CALLED = aSegment({
  id: SHARED,
  name: 'stock',
  parent_id: anId('1'),
  subsegments: [aSubsegment({ id: anId('2') })],
});

test.each([
  ['first', [CALLER, CALLED]],
  ['last', [CALLED, CALLER]],
])('a segment with the id of an inline call is below that call, which arrives %s', (_, sent) => {
  const trace = assembleTrace(received(...sent));
  const stock = trace?.segments.find(({ name }) => name === 'stock');
  expect(trace?.entities.get(SHARED)).toMatchObject({ name: 'stock.example', parentId: anId('1') });
  expect(stock?.parentId).toBe(SHARED);
  expect(trace?.entities.get(anId('2'))?.parentId).toBe(stock?.id);
});

test('inline subsegments of two documents with one id and different names are both kept, with what is inside', () => {
  const insideOf = (id: string) => [aSubsegment({ id: anId(id), name: `inside ${id}` })];
  const shop = aSegment({
    id: anId('1'),
    subsegments: [aSubsegment({ id: SHARED, name: 'b', subsegments: insideOf('3') })],
  });
  const stock = aSegment({
    id: anId('2'),
    subsegments: [aSubsegment({ id: SHARED, name: 'a', subsegments: insideOf('4') })],
  });
  const trace = assembleTrace(received(shop, stock));
  const parentName = (id: string) => trace?.entities.get(trace.entities.get(anId(id))?.parentId as EntityId)?.name;
  expect(['3', '4'].map(parentName)).toEqual(['b', 'a']);
  expect(trace?.entities.get(SHARED)).toMatchObject({ name: 'a', parentId: anId('2') });
  expect(trace?.childrenOf.get(anId('1'))?.map(({ name }) => name)).toEqual(['b']);
});

test('an unfinished version of another name is replaced by the finished one', () => {
  const unfinished = aSegment({ id: SHARED, name: 'unnamed', end_time: undefined, in_progress: true });
  expect(namesOf(unfinished, aSegment({ id: SHARED, name: 'shop' }))).toEqual(['segment shop']);
});

test('a repeat with the same name is one entity', () => {
  expect(namesOf(aSegment({ id: SHARED }), aSegment({ id: SHARED, user: 'ann' }))).toEqual(['segment shop']);
});

test('the order of arrival does not matter', () => {
  const sent = [
    aSegment({ id: anId('1'), name: 'shop' }),
    aSubsegment({ id: SHARED, name: 'stock.example', namespace: 'remote', parent_id: anId('1') }),
    aSubsegment({ id: SHARED, name: 'other call', parent_id: anId('1') }),
    aSegment({ id: SHARED, name: 'stock', subsegments: [aSubsegment({ id: anId('2') })] }),
    aSegment({ id: SHARED, name: 'billing' }),
    aSegment({ id: SHARED, name: 'early', end_time: undefined, in_progress: true }),
    aSubsegment({ id: anId('3'), name: 'child', parent_id: SHARED }),
    aSegment({
      id: anId('4'),
      subsegments: [
        aSubsegment({ id: SHARED, name: 'inline call', subsegments: [aSubsegment({ id: anId('2'), name: 'inside' })] }),
        aSubsegment({ id: anId('3'), name: 'inline child' }),
      ],
    }),
  ];
  const documentsOf = (order: typeof sent) => {
    const trace = assembleTrace(received(...order));
    return trace && processedDocuments(trace).map(({ document }) => document);
  };
  const expected = documentsOf(sent);
  fc.assert(
    fc.property(fc.shuffledSubarray(sent, { minLength: sent.length }), fc.subarray(sent), (order, repeated) => {
      expect(documentsOf([...order, ...repeated])).toEqual(expected);
    }),
  );
});
