import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFunctionReference } from './function-reference.ts';

test.each([
  ['fn', 'fn', undefined],
  ['fn:$LATEST', 'fn', '$LATEST'],
  ['fn:prod', 'fn', 'prod'],
  ['000000000000:function:fn', 'fn', undefined],
  ['000000000000:function:fn:7', 'fn', '7'],
  ['arn:aws:lambda:us-east-1:000000000000:function:fn', 'fn', undefined],
  ['arn:aws-cn:lambda:cn-north-1:000000000000:function:fn:prod', 'fn', 'prod'],
])('%s', (text, name, qualifier) => {
  expect(parseFunctionReference(text)).toEqual({ name, qualifier });
});

test('any other text is rejected as a whole', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '1', ':', '$', '/', ' ', '-') }), (text) => {
      try {
        const { name, qualifier } = parseFunctionReference(text);
        expect(text.endsWith(qualifier === undefined ? name : `${name}:${qualifier}`)).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'InvalidRequestException' });
      }
    }),
  );
});
