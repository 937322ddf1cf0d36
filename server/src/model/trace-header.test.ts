import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { TraceHeader } from './trace-header.ts';
import {
  formatTraceHeader,
  formatTraceparent,
  parseTraceHeader,
  parseTraceparent,
  readTraceHeaders,
} from './trace-header.ts';
import type { EntityId, TraceId } from './trace-id.ts';

const ROOT = '1-6650a080-3c4d5e6f708192a3b4c5d6e7';
const TRACE_ID = '6650a0803c4d5e6f708192a3b4c5d6e7' as TraceId;
const PARENT = '7c2e3f4a5b6c7d82' as EntityId;

const hexText = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''))
    .filter((digits) => /[^0]/.test(digits));
const traceId = hexText(32).map((digits) => digits as TraceId);
const entityId = hexText(16).map((digits) => digits as EntityId);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const extraKey = fc.stringMatching(/^[A-Za-z-]{1,8}$/).filter((key) => !/^(root|parent|sampled)$/i.test(key));
const header: fc.Arbitrary<TraceHeader> = fc.record({
  root: optional(traceId),
  parent: optional(entityId),
  sampled: optional(fc.constantFrom('1', '0', '?')),
  extras: fc.array(fc.record({ key: extraKey, value: fc.stringMatching(/^[\w:|=.-]{0,20}$/) }), { maxLength: 3 }),
});

test('a printed header parses to the same header', () => {
  fc.assert(
    fc.property(header, (value) => {
      expect(parseTraceHeader(formatTraceHeader(value))).toEqual(value);
    }),
  );
});

test('the parser throws for no text, and its result prints and parses to the same', () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom('Root=', ROOT, ';', 'Parent=', PARENT, 'Sampled=?', ' ', '=', 'a=b'))
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      const once = parseTraceHeader(input);
      expect(parseTraceHeader(formatTraceHeader(once))).toEqual(once);
    }),
  );
});

test.each<[string, string, Partial<TraceHeader>]>([
  [
    'in the form of Lambda',
    `Root=${ROOT};Parent=${PARENT};Sampled=1`,
    { root: TRACE_ID, parent: PARENT, sampled: '1' },
  ],
  [
    'in any order, case and spacing',
    ` sampled = 0 ;PARENT=${PARENT.toUpperCase()}; root=${ROOT} `,
    { root: TRACE_ID, parent: PARENT, sampled: '0' },
  ],
  ['asking for a decision', `Root=${ROOT};Sampled=?`, { root: TRACE_ID, parent: undefined, sampled: '?' }],
  ['with an invalid root', `Root=1-x;Parent=${PARENT};Sampled=1`, { root: undefined, parent: PARENT, sampled: '1' }],
  ['with a root in W3C form', `Root=${TRACE_ID}`, { root: undefined }],
  [
    'with ids of zeros',
    'Root=1-00000000-000000000000000000000000;Parent=0000000000000000',
    { root: undefined, parent: undefined },
  ],
  [
    'with invalid fields',
    `;;Root;=x;Sampled=maybe;Root=1-x;Root=${ROOT};Root=${ROOT.replace('c', 'd')}`,
    { root: TRACE_ID, sampled: undefined, extras: [] },
  ],
  [
    'with extra fields',
    `Self=${ROOT};Root=${ROOT};Lineage=25:a87bd80c:1;CalledFrom=a=b`,
    {
      root: TRACE_ID,
      extras: [
        { key: 'Self', value: ROOT },
        { key: 'Lineage', value: '25:a87bd80c:1' },
        { key: 'CalledFrom', value: 'a=b' },
      ],
    },
  ],
])('a header %s', (_, text, expected) => {
  expect(parseTraceHeader(text)).toMatchObject(expected);
});

test('W3C: a printed header parses to the same header; the flag is the sampling decision', () => {
  fc.assert(
    fc.property(traceId, entityId, fc.constantFrom('1', '0'), (root, parent, sampled) => {
      const value: TraceHeader = { root, parent, sampled, extras: [] };
      expect(parseTraceparent(formatTraceparent(value) ?? '')).toEqual(value);
    }),
  );
});

test('W3C: there is no text without a root or a parent', () => {
  expect(formatTraceparent(parseTraceHeader(`Root=${ROOT}`))).toBeUndefined();
  expect(formatTraceparent(parseTraceHeader(`Root=${ROOT};Parent=${PARENT};Sampled=?`))).toBe(
    `00-${TRACE_ID}-${PARENT}-00`,
  );
});

test.each([
  ['later versions may have more fields', `01-${TRACE_ID}-${PARENT}-03-more`, '1'],
  ['other flags are ignored', `00-${TRACE_ID}-${PARENT}-02`, '0'],
])('W3C: %s', (_, text, sampled) => {
  expect(parseTraceparent(text)).toEqual({ root: TRACE_ID, parent: PARENT, sampled, extras: [] });
});

test.each([
  ['an empty text', ''],
  ['capitals', `00-${TRACE_ID.toUpperCase()}-${PARENT}-01`],
  ['version ff', `ff-${TRACE_ID}-${PARENT}-01`],
  ['version 00 with more fields', `00-${TRACE_ID}-${PARENT}-01-more`],
  ['a root of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
  ['a parent of zeros', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
])('W3C: %s is not valid', (_, text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

test("X-Ray's header wins if it names a trace, else W3C's", () => {
  const w3c = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const xray = `Root=${ROOT};Parent=${PARENT};Sampled=0`;
  expect(readTraceHeaders(xray, w3c)).toEqual(parseTraceHeader(xray));
  const from = { root: 'a'.repeat(32), parent: 'b'.repeat(16), sampled: '1' };
  expect(readTraceHeaders(undefined, w3c)).toEqual({ ...from, extras: [] });
  expect(readTraceHeaders('Root=odd;CalledFrom=app', w3c)).toEqual({
    ...from,
    extras: [{ key: 'CalledFrom', value: 'app' }],
  });
  expect(readTraceHeaders(xray, 'odd')).toEqual(parseTraceHeader(xray));
  expect(formatTraceHeader(readTraceHeaders(undefined, undefined))).toBe('');
});
