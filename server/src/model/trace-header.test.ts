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

test('what is printed is read back', () => {
  fc.assert(
    fc.property(header, (value) => {
      expect(parseTraceHeader(formatTraceHeader(value))).toEqual(value);
    }),
  );
});

test('no text makes the parser throw, and what it read it reads again', () => {
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
    'as Lambda hands it out',
    `Root=${ROOT};Parent=${PARENT};Sampled=1`,
    { root: TRACE_ID, parent: PARENT, sampled: '1' },
  ],
  [
    'in any order, case and spacing',
    ` sampled = 0 ;PARENT=${PARENT.toUpperCase()}; root=${ROOT} `,
    { root: TRACE_ID, parent: PARENT, sampled: '0' },
  ],
  ['asking for a decision', `Root=${ROOT};Sampled=?`, { root: TRACE_ID, parent: undefined, sampled: '?' }],
  [
    'with a root that is none',
    `Root=1-x;Parent=${PARENT};Sampled=1`,
    { root: undefined, parent: PARENT, sampled: '1' },
  ],
  ['with a root in W3C form', `Root=${TRACE_ID}`, { root: undefined }],
  [
    'of no trace',
    'Root=1-00000000-000000000000000000000000;Parent=0000000000000000',
    { root: undefined, parent: undefined },
  ],
  [
    'with nonsense in between',
    `;;Root;=x;Sampled=maybe;Root=1-x;Root=${ROOT};Root=${ROOT.replace('c', 'd')}`,
    { root: TRACE_ID, sampled: undefined, extras: [] },
  ],
  [
    'with fields for others',
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

test('W3C: what is printed is read back, the flag is the sampling decision', () => {
  fc.assert(
    fc.property(traceId, entityId, fc.constantFrom('1', '0'), (root, parent, sampled) => {
      const value: TraceHeader = { root, parent, sampled, extras: [] };
      expect(parseTraceparent(formatTraceparent(value) ?? '')).toEqual(value);
    }),
  );
});

test('W3C: without a root or a parent there is nothing to print', () => {
  expect(formatTraceparent(parseTraceHeader(`Root=${ROOT}`))).toBeUndefined();
  expect(formatTraceparent(parseTraceHeader(`Root=${ROOT};Parent=${PARENT};Sampled=?`))).toBe(
    `00-${TRACE_ID}-${PARENT}-00`,
  );
});

test.each([
  ['future versions may carry more', `01-${TRACE_ID}-${PARENT}-03-more`, '1'],
  ['other flags are not the decision', `00-${TRACE_ID}-${PARENT}-02`, '0'],
])('W3C: %s', (_, text, sampled) => {
  expect(parseTraceparent(text)).toEqual({ root: TRACE_ID, parent: PARENT, sampled, extras: [] });
});

test.each([
  ['nothing', ''],
  ['capitals', `00-${TRACE_ID.toUpperCase()}-${PARENT}-01`],
  ['version ff', `ff-${TRACE_ID}-${PARENT}-01`],
  ['version 00 with more', `00-${TRACE_ID}-${PARENT}-01-more`],
  ['no trace', `00-${'0'.repeat(32)}-${PARENT}-01`],
  ['no parent', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
])('W3C: %s is not valid', (_, text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});

test("of the two headers of a request X-Ray's counts where it names a trace, W3C's where it does not", () => {
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
