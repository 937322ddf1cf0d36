import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aDeepTrace, aTrace, LAMBDA_TRACE } from '../../testing/trace.ts';
import { documentJson } from './document-json.ts';
import { drawnStartUs, type Entity, readTrace } from './entities.ts';
import { exceptionsOf } from './exceptions.ts';
import { outcomeOfTree } from './outcome-of-tree.ts';
import { visibleRows } from './rows.ts';

const tree = readTrace(aTrace(LAMBDA_TRACE));

function entity(id: string, of = tree): Entity {
  const found = of.byId.get(id);
  if (!found) throw new Error(`no entity ${id}`);
  return found;
}

const outline = (entities: readonly Entity[]): unknown =>
  entities.map(({ id, children }) => [id, ...(outline(children) as unknown[])]);

test('a called segment is a child of the subsegment that called it, and children are in order of start', () => {
  expect(outline(tree.roots)).toEqual([['a1', ['b1', ['b2'], ['b3', ['b4', ['c1']], ['b5']]]]]);
});

test('the order of the documents does not matter', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...LAMBDA_TRACE], { minLength: LAMBDA_TRACE.length }), (shuffled) => {
      expect(outline(readTrace(aTrace(shuffled)).roots)).toEqual(outline(tree.roots));
    }),
  );
});

test('the call of an inferred segment shows it, and it has no row of its own', () => {
  expect(tree.byId.has('i1')).toBe(false);
  expect(entity('b5').inferredType).toBe('Database::SQL');
  expect(entity('b4').inferredType).toBeUndefined();
});

test('an inferred segment without its call has a row of its own', () => {
  const alone = readTrace(
    aTrace([{ id: 'i1', name: 'db', parent_id: 'zz', inferred: true, start_time: 1, end_time: 2 }]),
  );
  expect(outline(alone.roots)).toEqual([['i1']]);
});

test('the bar of a segment begins with an Initialization before its start', () => {
  expect(entity('b1').startUs).toBe(101_000_000);
  expect(drawnStartUs(entity('b1'))).toBe(100_400_000);
});

test('a called segment with an early clock does not move the start of its caller’s bar', () => {
  const early = readTrace(
    aTrace([
      { id: 'a', name: 'a', start_time: 10, end_time: 12 },
      { id: 'b', name: 'b', parent_id: 'a', start_time: 9, end_time: 11 },
    ]),
  );
  expect(drawnStartUs(entity('a', early))).toBe(10_000_000);
  expect(early.startUs).toBe(9_000_000);
});

test('flags come before the status, and a 429 is a throttle', () => {
  expect(entity('b1').outcome).toBe('fault');
  expect(entity('b5').outcome).toBe('throttle');
  expect(entity('a1').outcome).toBe('ok');
});

test('a fault below a root that is OK is the trace’s worst outcome, with the note “inside”', () => {
  expect(outcomeOfTree(tree)).toEqual({ worst: 'fault', note: 'inside' });
  expect(outcomeOfTree(readTrace(aTrace([{ id: 'a', start_time: 1, end_time: 2, fault: true }])))).toEqual({
    worst: 'fault',
    note: undefined,
  });
});

test('a trace with an entity in progress is in progress', () => {
  const running = readTrace(
    aTrace([
      {
        id: 'a',
        name: 'a',
        start_time: 10,
        in_progress: true,
        subsegments: [{ id: 'b', name: 'b', start_time: 11, end_time: 13 }],
      },
    ]),
  );
  expect(running.isInProgress).toBe(true);
  expect(entity('a', running).endUs).toBeUndefined();
  expect(running.endUs).toBe(13_000_000);
});

test('subsegments without their parent are orphans, and extend the time of the trace', () => {
  const partial = readTrace(aTrace([], [{ id: 'o', name: 'o', parent_id: 'zz', start_time: 5, end_time: 6 }]));
  expect(outline(partial.orphans)).toEqual([['o']]);
  expect([partial.startUs, partial.endUs]).toEqual([5_000_000, 6_000_000]);
});

test('segments that call each other in a cycle all have a row', () => {
  const cycle = readTrace(
    aTrace([
      { id: 'a', name: 'a', parent_id: 'b', start_time: 1, end_time: 2 },
      { id: 'b', name: 'b', parent_id: 'a', start_time: 1, end_time: 2 },
    ]),
  );
  expect(cycle.byId.size).toBe(2);
  expect(outline(cycle.roots)).toEqual([['a', ['b']]]);
});

test('a segment that is called by a subsegment in its own cycle is a child of it, as on the server', () => {
  const segment = { id: 's', name: 's', parent_id: 't', start_time: 2, end_time: 3 };
  const subsegment = { id: 't', name: 't', parent_id: 's', start_time: 1, end_time: 3 };
  const cycle = readTrace(aTrace([segment], [subsegment]));
  expect(outline(cycle.orphans)).toEqual([['t', ['s']]]);
  expect(cycle.roots).toEqual([]);
});

test('10,000 subsegments nested in one another are 10,000 entities, each below the one before', () => {
  const deep = readTrace(aDeepTrace(10_000));
  expect(deep.byId.size).toBe(10_001);
  let levels = 0;
  for (let current = deep.roots[0]; current; current = current.children[0]) {
    expect(current.segment).toBe(deep.roots[0]);
    levels += 1;
  }
  expect(levels).toBe(10_001);
  expect(visibleRows(deep, new Set())).toHaveLength(10_001);
});

test('the document of an entity is JSON with its own subsegments, at any depth', () => {
  const nested = JSON.parse(documentJson(entity('b1')));
  expect(nested.subsegments.map(({ id }: { id: string }) => id)).toEqual(['b2', 'b3']);
  expect(nested.subsegments[1].subsegments[0]).not.toHaveProperty('subsegments');
  expect(documentJson(entity('c1'))).toContain('\n  "name": "api"');
  const deep = readTrace(aDeepTrace(10_000));
  expect(documentJson(entity('0', deep)).match(/"id":/g)).toHaveLength(10_001);
});

test('a document that is not a JSON object is left out, the others stay', () => {
  const trace = aTrace(LAMBDA_TRACE);
  const broken = { ...trace, Segments: [...trace.Segments, { Id: 'x', Document: '{' }, { Id: 'y', Document: '[]' }] };
  expect(readTrace(broken).byId.size).toBe(tree.byId.size);
});

test('an empty trace has no entities and no time', () => {
  expect(readTrace(aTrace([]))).toMatchObject({ roots: [], orphans: [], startUs: 0, endUs: 0, isInProgress: false });
});

test('a frame whose line is null has no line', () => {
  expect(exceptionsOf(entity('b1'), tree)).toEqual([
    {
      id: 'e1e1e1e1e1e1e1e1',
      type: 'TypeError',
      message: 'no',
      stack: [{ path: 'file', label: 'h' }],
      recordedOn: undefined,
    },
  ]);
});

test('a cause that is only an id is looked up on the other entities', () => {
  expect(exceptionsOf(entity('b4'), tree)).toMatchObject([{ type: 'TypeError', recordedOn: { id: 'b1' } }]);
  expect(exceptionsOf(entity('b3'), tree)).toEqual([]);
});
