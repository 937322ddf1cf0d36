import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluatePolicy } from './policy.ts';

const ARN = 'arn:aws:execute-api:us-east-1:000000000000:abc/live/GET/users/7';
const statement = (Effect: string, Resource: string | readonly string[], Action = 'execute-api:Invoke') => ({
  Effect,
  Action,
  Resource,
});

test.each([
  ['the ARN itself', [statement('Allow', ARN)], 'allowed'],
  ['everything', [statement('Allow', '*', '*')], 'allowed'],
  ['any method', [statement('Allow', ARN.replace('GET', '*'))], 'allowed'],
  ['one character', [statement('Allow', ARN.replace('7', '?'))], 'allowed'],
  ['a list', [statement('Allow', ['x', ARN])], 'allowed'],
  ['another resource', [statement('Allow', ARN.replace('7', '8'))], 'not-allowed'],
  ['another action', [statement('Allow', ARN, 's3:GetObject')], 'not-allowed'],
  ['a denial besides', [statement('Allow', '*'), statement('Deny', ARN)], 'denied'],
  ['nothing', [], 'not-allowed'],
])('%s: %j is %s', (_title, Statement, verdict) => {
  expect(evaluatePolicy({ Statement }, ARN)).toBe(verdict);
});

test('a single statement need not be a list; an invalid one allows nothing', () => {
  expect(evaluatePolicy({ Statement: statement('Allow', ARN) }, ARN)).toBe('allowed');
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
      expect(evaluatePolicy({ Statement: value as never }, ARN)).toBe('not-allowed');
    }),
  );
});

test('a resource that is the text of the ARN allows it', () => {
  fc.assert(
    fc.property(fc.string(), (arn) => {
      const resource = arn.replaceAll('*', '?');
      expect(evaluatePolicy({ Statement: [statement('Allow', resource)] }, arn)).toBe('allowed');
    }),
  );
});
