import { expect, test } from 'vitest';
import { aTrace, TRACE_ID } from '../../testing/trace.ts';
import { readTrace } from './entities.ts';
import { linksOf } from './links.ts';

const OTHER = '1-5f84c7aa-3c4d5e6f708192a3b4c5d6e7';
const link = (trace_id: string, id: string, reference?: string) => ({
  trace_id,
  id,
  ...(reference && { attributes: { 'aws.xray.reserved.reference_type': reference } }),
});

const tree = readTrace(
  aTrace([
    { id: 'a', name: 'producer', start_time: 1, end_time: 2, links: [link(OTHER, 'o1', 'child')] },
    { id: 'b', name: 'consumer', start_time: 2, end_time: 3, links: [link(TRACE_ID, 'a'), link(OTHER, 'o2')] },
    { id: 'c', name: 'neither', start_time: 2, end_time: 3 },
  ]),
);
const of = (id: string) => {
  const entity = tree.byId.get(id);
  return entity
    ? linksOf(entity, tree).map((one) => [one.direction, one.traceId, one.id, one.entity?.name])
    : undefined;
};

test('a consumer links to its producers, of this trace and of others', () => {
  expect(of('b')).toEqual([
    ['to', TRACE_ID, 'a', 'producer'],
    ['to', OTHER, 'o2', undefined],
  ]);
});

test('a producer is linked from its consumers, of this trace and of others', () => {
  expect(of('a')).toEqual([
    ['from', OTHER, 'o1', undefined],
    ['from', TRACE_ID, 'b', 'consumer'],
  ]);
});

test('others have no links', () => expect(of('c')).toEqual([]));
