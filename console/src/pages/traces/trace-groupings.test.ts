import type { WireTraceSummary } from 'openray/api-types';
import { readFilter } from 'openray/filter';
import type { JsonObject } from 'openray/model';
import { expect, test } from 'vitest';
import { outcomeNote } from '../../shared/outcome.ts';
import { aSummary } from '../../testing/summary.ts';
import { aTrace } from '../../testing/trace.ts';
import { readTrace } from '../trace/entities.ts';
import { outcomeOfTree } from '../trace/outcome-of-tree.ts';
import { annotationKeys, FIELD_GROUPINGS, groupTraces, rootOutcome } from './trace-groupings.ts';

test('the outcome of the root is not that of a fault inside', () => {
  const trace = aSummary({ AnyFault: true, WorstOutcome: 'fault' });
  expect(rootOutcome(trace)).toBe('ok');
  expect(outcomeNote(trace.WorstOutcome, rootOutcome(trace))).toBe('inside');
});

test('a trace whose root has not arrived has no outcome of a root, and nothing is inside', () => {
  const trace = aSummary({ EntryPoint: null, AnyFault: true, WorstOutcome: 'fault' });
  expect(rootOutcome(trace)).toBeUndefined();
  expect(outcomeNote(trace.WorstOutcome, rootOutcome(trace))).toBeUndefined();
});

test.each<[fields: JsonObject, flags: Partial<WireTraceSummary>]>([
  [
    { fault: true, throttle: true },
    { HasFault: true, HasThrottle: true, AnyFault: true, AnyThrottle: true, WorstOutcome: 'throttle' },
  ],
  [
    { parent_id: 'missing', fault: true },
    { EntryPoint: null, IsPartial: true, AnyFault: true, WorstOutcome: 'fault' },
  ],
])('the list and the page of a trace show the same outcome: %j', (fields, flags) => {
  const tree = readTrace(aTrace([{ id: 'a', name: 'a', start_time: 1, end_time: 2, ...fields }]));
  const summary = aSummary(flags);
  const note = outcomeNote(summary.WorstOutcome, rootOutcome(summary));
  expect(outcomeOfTree(tree)).toEqual({ worst: summary.WorstOutcome, note });
});

test('groups come largest first, with the mean of the finished traces', () => {
  const traces = [
    aSummary({ user: 'bob', ResponseTime: 0.1 }),
    aSummary({ user: 'ana', ResponseTime: 0.2, AnyFault: true, WorstOutcome: 'fault' }),
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
