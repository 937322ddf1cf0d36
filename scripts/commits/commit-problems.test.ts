import { expect, test } from 'vitest';
import { type Commit, problemsOf } from './commit-problems.ts';

const GOOD: Commit = {
  id: 'a'.repeat(40),
  subject: 'query: keep ties together across pages',
  body: 'Two traces of one start were split by the page. No figure changed.',
  files: ['server/src/query/traces/sort-key.ts'],
  isMerge: false,
};

test('a subject with area and imperative, and a body where the data path changes, has no problem', () => {
  expect(problemsOf(GOOD)).toEqual([]);
});

test.each([
  ['no area', { subject: 'keep ties together' }, 'has no subject of the form'],
  ['an unknown area', { subject: 'misc: keep ties together' }, 'names an unknown area: misc'],
  ['the third person', { subject: 'query: keeps ties together' }, 'does not begin its change with a verb'],
  ['the past', { subject: 'query: added ties' }, 'does not begin its change with a verb'],
  ['a statement', { subject: 'query: a slice narrows first' }, 'does not begin its change with a verb'],
  ['a full stop', { subject: 'query: keep ties together.' }, 'ends its subject with a full stop'],
  ['a long subject', { subject: `query: keep ${'x'.repeat(100)}` }, 'has a subject of more than 100 characters'],
  ['no body for the data path', { body: '\n' }, 'changes query, store, ingest or model'],
  ['a merge', { isMerge: true }, 'is a merge'],
])('says what is wrong with %s', (_, change, problem) => {
  expect(problemsOf({ ...GOOD, ...change })).toEqual([expect.stringContaining(problem)]);
});

test.each(['process', 'pass', 'need', 'bring', 'embed', 'string together', 'focus'])(
  'takes %s as an imperative',
  (verb) => {
    expect(problemsOf({ ...GOOD, subject: `query: ${verb} ties` })).toEqual([]);
  },
);

test('a change outside of the data path needs no body', () => {
  expect(problemsOf({ ...GOOD, body: '', files: ['docs/architecture.md'] })).toEqual([]);
});
