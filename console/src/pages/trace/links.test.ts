import { expect, test } from 'vitest';
import { aTrace, TRACE_ID } from '../../testing/trace.ts';
import { readTrace } from './entities.ts';
import { linksOf } from './links.ts';

const A = 'a'.repeat(16);
const B = 'b'.repeat(16);
const C = 'c'.repeat(16);
const O1 = '1'.repeat(16);
const O2 = '2'.repeat(16);
const OTHER = '1-5f84c7aa-3c4d5e6f708192a3b4c5d6e7';
const link = (trace_id: string, id: string, reference?: string) => ({
  trace_id,
  id,
  ...(reference && { attributes: { 'aws.xray.reserved.reference_type': reference } }),
});

const tree = readTrace(
  aTrace([
    { id: A, name: 'producer', start_time: 1, end_time: 2, links: [link(OTHER, O1, 'child')] },
    { id: B, name: 'consumer', start_time: 2, end_time: 3, links: [link(TRACE_ID, A), link(OTHER, O2)] },
    { id: C, name: 'neither', start_time: 2, end_time: 3 },
  ]),
);
const of = (id: string) => {
  const entity = tree.byId.get(id);
  return entity
    ? linksOf(entity, tree).map((one) => [one.direction, one.traceId, one.id, one.entity?.name])
    : undefined;
};

test('a consumer links to its producers, of this trace and of others', () => {
  expect(of(B)).toEqual([
    ['to', TRACE_ID, A, 'producer'],
    ['to', OTHER, O2, undefined],
  ]);
});

test('a producer is linked from its consumers, of this trace and of others', () => {
  expect(of(A)).toEqual([
    ['from', OTHER, O1, undefined],
    ['from', TRACE_ID, B, 'consumer'],
  ]);
});

test('an entity that no link names has no links', () => expect(of(C)).toEqual([]));
