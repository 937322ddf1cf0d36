import { expect, test } from 'vitest';
import { aTrace, LAMBDA_TRACE } from '../../testing/trace.ts';
import { readTrace } from './entities.ts';
import { collapsibleIds, expandPathTo, findEntities, ORPHANS, visibleRows } from './rows.ts';
import { keyAction } from './waterfall-keys.ts';

const tree = readTrace(
  aTrace(LAMBDA_TRACE, [{ id: 'o1', name: 'lost', parent_id: 'zz', start_time: 101, end_time: 102 }]),
);
const none: ReadonlySet<string> = new Set();
const keys = (closed: ReadonlySet<string>) => visibleRows(tree, closed).map(({ key }) => key);

test('every entity has a line below its parent; those without one come last', () => {
  expect(keys(none)).toEqual(['a1', 'b1', 'b2', 'b3', 'b4', 'c1', 'b5', ORPHANS, 'o1']);
});

test('what is below a closed line is not shown', () => {
  expect(keys(new Set(['b3', ORPHANS]))).toEqual(['a1', 'b1', 'b2', 'b3', ORPHANS]);
  expect(keys(collapsibleIds(tree))).toEqual(['a1', ORPHANS, 'o1']);
});

test('lines know their level and their place among their siblings', () => {
  const row = visibleRows(tree, none).find(({ key }) => key === 'b5');
  expect(row).toMatchObject({ level: 4, setSize: 2, position: 2 });
});

test('a chain deeper than any call stack is no problem', () => {
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

test('words are found in names, ids, annotations and exceptions, in the order of the lines', () => {
  expect(findEntities(tree, 'API')).toEqual(['b4', 'c1']);
  expect(findEntities(tree, 'free')).toEqual(['c1']);
  expect(findEntities(tree, 'typeerror')).toEqual(['b1']);
  expect(findEntities(tree, 'o1')).toEqual(['o1']);
  expect(findEntities(tree, '  ')).toEqual([]);
});

test('a line that is looked for opens what is above it, and only that', () => {
  const open = expandPathTo(tree, collapsibleIds(tree), 'c1');
  expect(visibleRows(tree, open).map(({ key }) => key)).toContain('c1');
  expect([...expandPathTo(tree, new Set(['b3', 'b4']), 'b5')]).toEqual(['b4']);
});

const press = (at: string, key: string, closed = none) => {
  const rows = visibleRows(tree, closed);
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

test('right opens a line, then goes to its first child', () => {
  expect(press('b3', 'ArrowRight', new Set(['b3']))).toEqual({ kind: 'toggle', key: 'b3' });
  expect(press('b3', 'ArrowRight')).toEqual({ kind: 'move', key: 'b4' });
  expect(press('c1', 'ArrowRight')).toBeUndefined();
});

test('left closes a line, then goes to its parent', () => {
  expect(press('b3', 'ArrowLeft')).toEqual({ kind: 'toggle', key: 'b3' });
  expect(press('b5', 'ArrowLeft')).toEqual({ kind: 'move', key: 'b3' });
  expect(press('o1', 'ArrowLeft')).toEqual({ kind: 'move', key: ORPHANS });
});

test('Enter and Space select, Escape lets go, other keys mean nothing', () => {
  expect(press('b5', 'Enter')).toEqual({ kind: 'select', key: 'b5' });
  expect(press('b5', ' ')).toEqual({ kind: 'select', key: 'b5' });
  expect(press(ORPHANS, 'Enter')).toEqual({ kind: 'toggle', key: ORPHANS });
  expect(press('b5', 'Escape')).toEqual({ kind: 'clear' });
  expect(press('b5', 'x')).toBeUndefined();
});
