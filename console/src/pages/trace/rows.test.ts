import { expect, test } from 'vitest';
import { aTrace, LAMBDA_TRACE } from '../../testing/trace.ts';
import { readTrace } from './entities.ts';
import { collapsibleIds, expandPathTo, findEntities, ORPHANS, visibleRows } from './rows.ts';
import { keyAction } from './waterfall-keys.ts';

const tree = readTrace(
  aTrace(LAMBDA_TRACE, [{ id: 'o1', name: 'lost', parent_id: 'zz', start_time: 101, end_time: 102 }]),
);
const none: ReadonlySet<string> = new Set();
const keys = (collapsed: ReadonlySet<string>) => visibleRows(tree, collapsed).map(({ key }) => key);

test('every entity has a row below its parent; entities without their parent come last', () => {
  expect(keys(none)).toEqual(['a1', 'b1', 'b2', 'b3', 'b4', 'c1', 'b5', ORPHANS, 'o1']);
});

test('the rows below a collapsed row are not shown', () => {
  expect(keys(new Set(['b3', ORPHANS]))).toEqual(['a1', 'b1', 'b2', 'b3', ORPHANS]);
  expect(keys(collapsibleIds(tree))).toEqual(['a1', ORPHANS, 'o1']);
});

test('rows have their level and their position among their siblings', () => {
  const row = visibleRows(tree, none).find(({ key }) => key === 'b5');
  expect(row).toMatchObject({ level: 4, setSize: 2, position: 2 });
});

test('a chain deeper than the call stack has all of its rows', () => {
  const depth = 50_000;
  const chain = Array.from({ length: depth }, (_, index) => ({
    id: `s${index}`,
    name: 's',
    start_time: index,
    end_time: depth,
    ...(index === 0 ? {} : { parent_id: `s${index - 1}` }),
  }));
  expect(visibleRows(readTrace(aTrace(chain)), none)).toHaveLength(depth);
});

test('words are found in names, ids, annotations and exceptions, in the order of the rows', () => {
  expect(findEntities(tree, 'API')).toEqual(['b4', 'c1']);
  expect(findEntities(tree, 'free')).toEqual(['c1']);
  expect(findEntities(tree, 'typeerror')).toEqual(['b1']);
  expect(findEntities(tree, 'o1')).toEqual(['o1']);
  expect(findEntities(tree, '  ')).toEqual([]);
});

test('only the ancestors of a row are expanded to show it', () => {
  const open = expandPathTo(tree, collapsibleIds(tree), 'c1');
  expect(visibleRows(tree, open).map(({ key }) => key)).toContain('c1');
  expect([...expandPathTo(tree, new Set(['b3', 'b4']), 'b5')]).toEqual(['b4']);
});

const press = (at: string, key: string, collapsed = none) => {
  const rows = visibleRows(tree, collapsed);
  return keyAction(
    rows,
    rows.findIndex((row) => row.key === at),
    key,
    3,
  );
};

test('up, down, page and end keys move and stop at the ends', () => {
  expect(press('a1', 'ArrowDown')).toEqual({ kind: 'move', key: 'b1' });
  expect(press('a1', 'ArrowUp')).toEqual({ kind: 'move', key: 'a1' });
  expect(press('a1', 'PageDown')).toEqual({ kind: 'move', key: 'b3' });
  expect(press('c1', 'PageUp')).toEqual({ kind: 'move', key: 'b2' });
  expect(press('c1', 'Home')).toEqual({ kind: 'move', key: 'a1' });
  expect(press('c1', 'End')).toEqual({ kind: 'move', key: 'o1' });
});

test('right expands a row, then moves to its first child', () => {
  expect(press('b3', 'ArrowRight', new Set(['b3']))).toEqual({ kind: 'toggle', key: 'b3' });
  expect(press('b3', 'ArrowRight')).toEqual({ kind: 'move', key: 'b4' });
  expect(press('c1', 'ArrowRight')).toBeUndefined();
});

test('left collapses a row, then moves to its parent', () => {
  expect(press('b3', 'ArrowLeft')).toEqual({ kind: 'toggle', key: 'b3' });
  expect(press('b5', 'ArrowLeft')).toEqual({ kind: 'move', key: 'b3' });
  expect(press('o1', 'ArrowLeft')).toEqual({ kind: 'move', key: ORPHANS });
});

test('Enter and Space select, Escape clears, other keys have no action', () => {
  expect(press('b5', 'Enter')).toEqual({ kind: 'select', key: 'b5' });
  expect(press('b5', ' ')).toEqual({ kind: 'select', key: 'b5' });
  expect(press(ORPHANS, 'Enter')).toEqual({ kind: 'toggle', key: ORPHANS });
  expect(press('b5', 'Escape')).toEqual({ kind: 'clear' });
  expect(press('b5', 'x')).toBeUndefined();
});
