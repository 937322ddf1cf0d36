import { readFilter } from 'openray/filter';
import { expect, test } from 'vitest';
import { aSummary } from '../../testing/summary.ts';
import { annotationKeys, FIELD_GROUPINGS, groupTraces, rootOutcome, worstOutcome } from './trace-groupings.ts';

test('a fault that the root hides is the trace’s worst outcome, not the root’s', () => {
  const trace = aSummary({ AnyFault: true });
  expect(worstOutcome(trace)).toBe('fault');
  expect(rootOutcome(trace)).toBe('ok');
});

test('a throttled root is a throttle', () => {
  const trace = aSummary({ HasThrottle: true, AnyThrottle: true, AnyError: true });
  expect(worstOutcome(trace)).toBe('throttle');
  expect(rootOutcome(trace)).toBe('throttle');
});

test('groups come largest first, with the mean of the finished traces', () => {
  const traces = [
    aSummary({ user: 'bob', ResponseTime: 0.1 }),
    aSummary({ user: 'ana', ResponseTime: 0.2, AnyFault: true }),
    aSummary({ user: 'ana', ResponseTime: 0.4 }),
    aSummary({ user: 'ana', ResponseTime: null }),
    aSummary(),
  ];
  expect(groupTraces(traces, 'user')).toEqual([
    {
      label: 'ana',
      filter: 'user = "ana"',
      traces: 3,
      averageUs: expect.closeTo(300_000),
      counts: { ok: 2, error: 0, throttle: 0, fault: 1 },
    },
    {
      label: 'bob',
      filter: 'user = "bob"',
      traces: 1,
      averageUs: 100_000,
      counts: { ok: 1, error: 0, throttle: 0, fault: 0 },
    },
  ]);
});

test('a trace that called a service twice counts once in its group, and clients have no group', () => {
  const node = { Name: 'fn', Names: ['fn'], AccountId: null, Type: 'AWS::Lambda' };
  const trace = aSummary({ ServiceIds: [node, node, { ...node, Type: 'client' }] });
  expect(groupTraces([trace], 'service').map(({ label, traces }) => [label, traces])).toEqual([
    ['fn (Lambda context)', 1],
  ]);
});

test('annotations of the same text and different types are different groups', () => {
  const traces = [aSummary({ annotations: { age: 29 } }), aSummary({ annotations: { age: '29' } })];
  expect(groupTraces(traces, 'annotation.age').map(({ filter }) => filter)).toEqual([
    'annotation.age = "29"',
    'annotation.age = 29',
  ]);
});

test('annotation keys come most used first', () => {
  const traces = [aSummary({ annotations: { a: 1, b: 1 } }), aSummary({ annotations: { b: 2 } })];
  expect(annotationKeys(traces)).toEqual(['b', 'a']);
});

test('the filter of every group parses', () => {
  const trace = aSummary({ user: 'a "quoted" name', annotations: { 'aws:x': true } });
  for (const grouping of [...FIELD_GROUPINGS.map(({ id }) => id), 'annotation.aws:x']) {
    const groups = groupTraces([trace], grouping);
    expect(groups).toHaveLength(1);
    for (const { filter } of groups) expect(readFilter(filter)).toMatchObject({ ok: true });
  }
});
