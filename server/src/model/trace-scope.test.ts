import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTraceId, readTraceId, type TraceId } from './trace-id.ts';
import { isInScope, readTraceScope, SCOPED_ID_RANDOM_DIGITS, scopedTraceId, type TraceScope } from './trace-scope.ts';

const hex = (digits: number) =>
  fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits }).map((all) => all.join(''));
const scopes = hex(8).map((text) => readTraceScope(text) as TraceScope);

test('an id of a scope is a valid trace id, and only its own scope sees it', () => {
  fc.assert(
    fc.property(scopes, scopes, hex(SCOPED_ID_RANDOM_DIGITS), (scope, other, random) => {
      const id = scopedTraceId(scope, 1_700_000_000_000_000, random);
      expect(readTraceId(formatTraceId(id))).toBe(id);
      expect(id.startsWith('6553f100')).toBe(true);
      expect(isInScope(id, scope)).toBe(true);
      expect(isInScope(id, other)).toBe(scope === other);
    }),
  );
});

test('every scope sees ids without a scope', () => {
  fc.assert(
    fc.property(scopes, hex(32), (scope, id) => {
      fc.pre(id.slice(8, 14) !== '0a7e57');
      expect(isInScope(id as TraceId, scope)).toBe(true);
    }),
  );
});

test.each(['', 'abc', 'ABCDEF01', 'abcdef012', 'ghijklmn'])('"%s" is no scope', (text) => {
  expect(readTraceScope(text)).toBeUndefined();
});
