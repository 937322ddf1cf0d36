import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTraceId } from './trace-id.ts';

const ID = '1-5f84c7a9-3c4d5e6f708192a3b4c5d6e7';

test.each([
  ['X-Ray form', ID],
  ['upper case', ID.toUpperCase()],
  ['32 hex digits', '5f84c7a93c4d5e6f708192a3b4c5d6e7'],
  ['blanks around', `  ${ID}\n`],
  ['X-Ray header', `Root=${ID};Parent=53995c3f42cd8ad8;Sampled=1`],
  ['W3C header', '00-5f84c7a93c4d5e6f708192a3b4c5d6e7-53995c3f42cd8ad8-01'],
  ['log line of Lambda', `XRAY TraceId: ${ID}\tSegmentId: 602bd33a7480db5a\tSampled: true`],
])('%s', (_, text) => expect(readTraceId(text)).toBe(ID));

test.each([
  '',
  'hello',
  '1-5f84c7a9',
  '5f84c7a93c4d5e6f708192a3b4c5d6e',
  `${ID}0`,
  '1-zzzzzzzz-3c4d5e6f708192a3b4c5d6e7',
])('%o is not a trace id', (text) => expect(readTraceId(text)).toBeUndefined());

test('any text gives an id in X-Ray’s form or none', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdefg-=; ') }), (text) => {
      expect(readTraceId(text) ?? ID).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    }),
  );
});
