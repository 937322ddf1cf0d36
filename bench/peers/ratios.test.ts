import { expect, test } from 'vitest';
import { comparison, type PeerFigure, ratioOf } from './ratios.ts';

const figure = (name: string, value: number, more: Partial<PeerFigure> = {}): PeerFigure => ({
  ...{ name, description: `the ${name}`, unit: 'ms', value, better: 'less' },
  ...more,
});

test('a ratio above 1 is good, for rates and for times', () => {
  expect(ratioOf(figure('time', 10), figure('time', 30))).toBe(3);
  expect(ratioOf(figure('rate', 30, { better: 'more' }), figure('rate', 10, { better: 'more' }))).toBe(3);
});

test('the first server is compared with the best of the others, each figure by itself', () => {
  const text = comparison([
    { name: 'openray', figures: [figure('time', 10), figure('rate', 500, { better: 'more', unit: 'spans/s' })] },
    { name: 'A', figures: [figure('time', 40), figure('rate', 100, { better: 'more' })] },
    { name: 'B', figures: [figure('time', 20), figure('rate', 50, { better: 'more' })] },
  ]);
  expect(text).toBe(
    [
      '| figure            | openray |   A |  B | openray beside the best of the others |',
      '|-------------------|--------:|----:|---:|--------------------------------------:|',
      '| the time, ms      |      10 |  40 | 20 |                                 2 × B |',
      '| the rate, spans/s |     500 | 100 | 50 |                                 5 × A |',
    ].join('\n'),
  );
});

test('a server with wrong answers is not compared, and its first reason is printed', () => {
  const text = comparison([
    { name: 'openray', figures: [figure('map', 10)] },
    { name: 'A', figures: [figure('map', 1, { wrong: 3, reason: 'no edges' })] },
    { name: 'B', figures: [figure('map', 15)] },
  ]);
  expect(text).toContain('1.5 × B');
  expect(text).toContain('1 (wrong)');
  expect(text).toContain('A: the map: 3 answers were not right: no edges');
});

test('a server is not compared with itself by another protocol', () => {
  const text = comparison([
    { name: 'openray', figures: [figure('time', 10)] },
    { name: 'openray, X-Ray', figures: [figure('time', 1)] },
    { name: 'A', figures: [figure('time', 20)] },
  ]);
  expect(text).toContain('2 × A');
});

test('a figure by which servers cannot be compared has no ratio', () => {
  const count = figure('refusals', 0, { better: 'neither' });
  const text = comparison([
    { name: 'openray', figures: [count] },
    { name: 'A', figures: [count] },
  ]);
  expect(text).toMatch(/\| +0 \| +0 \| +\|$/);
});

test('a figure that the others do not have stands alone', () => {
  expect(
    comparison([
      { name: 'openray', figures: [figure('disk', 90)] },
      { name: 'A', figures: [] },
    ]),
  ).toMatch(/\| +90 \| +– \| +\|$/);
});

test('a value that is not of a whole measurement is marked and not compared, and its note is printed', () => {
  const text = comparison([
    { name: 'openray', figures: [figure('CPU', 10)] },
    { name: 'A', figures: [figure('CPU', 15, { note: 'not idle after 120 s' })] },
    { name: 'B', figures: [figure('CPU', 30)] },
  ]);
  expect(text).toContain('| 15 (*) |');
  expect(text).toContain('3 × B');
  expect(text).toContain('A: the CPU: not idle after 120 s');
});

test('a server that failed has the figures until then, and those that it lacks are of the others', () => {
  const text = comparison([
    { name: 'openray', figures: [figure('rate', 10)], failure: 'interrupted' },
    { name: 'A', figures: [figure('rate', 40), figure('map', 5)] },
  ]);
  expect(text).toMatch(/^\| the rate, ms \| +10 \| +40 \| +4 × A \|\n\| the map, ms +\| +– \| +5 \| +\|$/m);
  expect(text).toContain('openray: interrupted');
});
