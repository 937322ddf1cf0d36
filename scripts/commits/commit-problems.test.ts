import { expect, test } from 'vitest';
import { type Commit, problemsOf, retiredWordsIn, severalChangesIn } from './commit-problems.ts';

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
  ['a noun', { subject: 'query: ties across pages' }, 'does not begin its change with a verb'],
  ['a noun with an adjective', { subject: 'query: faster pages' }, 'does not begin its change with a verb'],
  ['a participle', { subject: 'query: keeping ties together' }, 'does not begin its change with a verb'],
  ['a name in code', { subject: 'query: `keep` is new' }, 'does not begin its change with a verb'],
  ['a negation without a verb', { subject: 'query: never ties' }, 'does not begin its change with a verb'],
  ['a vague object', { subject: 'query: fix some things' }, 'does not say what it changes'],
  ['a body without a word', { body: '.\n' }, 'changes query, store, ingest, model'],
  ['a full stop', { subject: 'query: keep ties together.' }, 'ends its subject with a full stop'],
  ['a long subject', { subject: `query: keep ${'x'.repeat(100)}` }, 'has a subject of more than 100 characters'],
  ['no body for the data path', { body: '\n' }, 'changes query, store, ingest, model'],
  ['no body for a migration', { body: '', files: ['server/migrations/0042_index.sql'] }, 'changes query, store'],
  ['a co-author', { body: 'Why.\n\nCo-authored-by: A <a@b.c>' }, 'has a trailer: Co-authored-by'],
  ['a lower-case trailer', { body: 'Why.\n\nsigned-off-by: A <a@b.c>\n' }, 'has a trailer: signed-off-by'],
  ['an id of a change', { body: 'Why.\n\nChange-Id: I0123' }, 'has a trailer: Change-Id'],
  ['an issue as a trailer', { body: 'Why.\n\nFixes: #12' }, 'has a trailer: Fixes'],
  ['the name of a tool', { body: 'Why.\n\nGenerated with a tool' }, 'has a trailer: Generated with'],
  ['a merge', { isMerge: true }, 'is a merge'],
])('says what is wrong with %s', (_, change, problem) => {
  expect(problemsOf({ ...GOOD, ...change })).toEqual([expect.stringContaining(problem)]);
});

test.each(['process', 'pass', 'need', 'bring', 'embed', 'string together', 'focus', 'Keep', 'never keep'])(
  'takes %s as an imperative',
  (verb) => {
    expect(problemsOf({ ...GOOD, subject: `query: ${verb} ties` })).toEqual([]);
  },
);

test('a change outside of the data path needs no body', () => {
  expect(problemsOf({ ...GOOD, body: '', files: ['docs/architecture.md'] })).toEqual([]);
});

test('a body may have a colon, a hyphen and a figure', () => {
  const body = 'group-commit: one block.\nMeasured: CPU 93 → 59 us a span.\nBefore: 3 ms.';
  expect(problemsOf({ ...GOOD, body })).toEqual([]);
});

test.each([
  'query: keep ties together, and sort pages',
  'query: keep ties together; sort pages',
  'query: keep ties together, sort pages',
  'query: keep ties together, then sort pages',
  'cli: take static files and HTTPS, name flags',
])('refuses several changes in one subject: %s', (subject) => {
  expect(severalChangesIn({ subject })).toEqual([expect.stringContaining('names several changes')]);
});

test.each([
  'query: keep ties together across pages',
  'query, store: keep ties together',
  'http: read deflate, br and zstd beside gzip',
  'scripts: lock the packages of Linux, macOS and Windows',
  'test: test tests',
  'store: put files into the rooms engine, write, schema and maintenance',
])('takes one change, with lists of nouns: %s', (subject) => {
  expect(severalChangesIn({ subject })).toEqual([]);
});

test.each([
  ['lambda: print the note of an invocation', 'note'],
  ['test, query: narrow searches by every condition', 'narrow'],
])('refuses a retired word in a subject: %s', (subject, word) => {
  expect(retiredWordsIn({ subject })).toEqual([expect.stringContaining(`has the retired word "${word}"`)]);
});

test.each(['docs: add a note about disks', 'bench: narrow the data set', 'query: keep ties together across pages'])(
  'takes words that are not retired in the area of the subject: %s',
  (subject) => {
    expect(retiredWordsIn({ subject })).toEqual([]);
  },
);
