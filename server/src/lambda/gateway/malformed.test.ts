import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../model/json.ts';
import { malformedReason } from './malformed.ts';

const REST = { kind: 'rest' } as const;
const HTTP = { kind: 'http' } as const;

describe('a REST API accepts', () => {
  test.each([
    { statusCode: 200 },
    { statusCode: '201', body: '' },
    { statusCode: 204, body: null, headers: null, multiValueHeaders: null, isBase64Encoded: null },
    { statusCode: 200, headers: { 'x-a': 'a', 'x-b': 1, 'x-c': true }, body: 'x', isBase64Encoded: false },
    { statusCode: 599, multiValueHeaders: { 'set-cookie': ['a=1', 2, false] } },
  ] as readonly JsonValue[])('%j', (result) => {
    expect(malformedReason(REST, result)).toBeUndefined();
  });
});

describe('a REST API refuses', () => {
  test.each([
    [undefined, 'it is not JSON, not an object'],
    [null, 'it is null, not an object'],
    ['text', 'it is the string "text", not an object'],
    [[], 'it is a list, not an object'],
    [{}, 'statusCode is missing'],
    [{ statusCode: null }, 'statusCode is null, not a whole number from 100 to 599'],
    [{ statusCode: 99 }, 'statusCode is the number 99, not a whole number from 100 to 599'],
    [{ statusCode: 200.5 }, 'statusCode is the number 200.5, not a whole number from 100 to 599'],
    [{ statusCode: '2e2' }, 'statusCode is the string "2e2", not a whole number from 100 to 599'],
    [{ statusCode: true }, 'statusCode is the boolean true, not a whole number from 100 to 599'],
    [{ statusCode: 200, body: { a: 1 } }, 'body is an object, not a string: use JSON.stringify'],
    [{ statusCode: 200, body: 5 }, 'body is the number 5, not a string: use JSON.stringify'],
    [{ statusCode: 200, isBase64Encoded: 'true' }, 'isBase64Encoded is the string "true", not a boolean'],
    [{ statusCode: 200, headers: ['a'] }, 'headers is a list, not an object'],
    [{ statusCode: 200, headers: { a: ['b'] } }, 'the header a is a list, not a string, number or boolean'],
    [{ statusCode: 200, headers: { a: null } }, 'the header a is null, not a string, number or boolean'],
    [{ statusCode: 200, multiValueHeaders: { a: 'b' } }, 'multiValueHeaders.a is the string "b", not a list'],
    [
      { statusCode: 200, multiValueHeaders: { a: [{}] } },
      'multiValueHeaders.a holds an object, not a string, number or boolean',
    ],
    [{ statusCode: 200, headers: { 'a b': '1' } }, '"a b" is not a name of a header'],
    [{ statusCode: 200, headers: { a: 'b\nc' } }, 'the header a has a character that HTTP cannot carry'],
    [
      { statusCode: 200, foo: 1, cookies: [] },
      'it has members that a REST API does not know (foo, cookies); it knows statusCode, headers, multiValueHeaders, body, isBase64Encoded',
    ],
  ] as readonly (readonly [JsonValue | undefined, string])[])('%j', (result, reason) => {
    expect(malformedReason(REST, result)).toBe(reason);
  });
});

test.each([
  { statusCode: 200, body: { a: 1 }, other: 1, cookies: ['a=1'] },
  { statusCode: 200, isBase64Encoded: 'true', headers: { a: null } },
] as readonly JsonValue[])('an HTTP API accepts %j', (result) => {
  expect(malformedReason(HTTP, result)).toBeUndefined();
});

test.each([
  { statusCode: 1000 },
  { statusCode: 200, cookies: ['a\u0000'] },
  { statusCode: 200, headers: { 'x:y': '1' } },
] as readonly JsonValue[])('an HTTP API refuses %j', (result) => {
  expect(malformedReason(HTTP, result)).toEqual(expect.any(String));
});

test('a reason is a short sentence, for any result', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(REST, HTTP), (result, api) => {
      expect((malformedReason(api, result as JsonValue) ?? '').length).toBeLessThan(400);
    }),
  );
});
