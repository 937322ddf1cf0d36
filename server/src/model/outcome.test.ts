import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type OUTCOMES, readFlags, worstOutcome } from './outcome.ts';

test.each([
  ['no flag, no status', {}, undefined, 'ok'],
  ['a redirect', {}, 302, 'ok'],
  ['a 404', {}, 404, 'error'],
  ['a 429', {}, 429, 'throttle'],
  ['a 503', {}, 503, 'fault'],
  ['the error flag', { error: true }, undefined, 'error'],
  ['the fault flag', { fault: true }, 200, 'fault'],
  ['a throttle that is flagged as an error too', { error: true, throttle: true }, 429, 'throttle'],
  ['a fault that is flagged as an error too', { error: true, fault: true }, 500, 'fault'],
  ['flags that say no', { error: false, fault: false, throttle: false }, 200, 'ok'],
] as const)('%s', (_, fields, status, outcome) => {
  expect(readFlags(fields, status).outcome).toBe(outcome);
});

test('a throttled call is not an error as well', () => {
  expect(readFlags({ error: true, throttle: true }, 429)).toMatchObject({ isThrottle: true, isError: false });
});

test('the outcome is ok exactly when no flag holds', () => {
  const flag = fc.option(fc.boolean(), { nil: undefined });
  fc.assert(
    fc.property(
      fc.record({ error: flag, fault: flag, throttle: flag }),
      fc.integer({ min: 100, max: 599 }),
      (flags, status) => {
        const sent = JSON.parse(JSON.stringify(flags));
        const { outcome, isError, isFault, isThrottle } = readFlags(sent, status);
        expect(outcome === 'ok').toBe(!isError && !isFault && !isThrottle);
        expect(isError && isThrottle).toBe(false);
      },
    ),
  );
});

test('the worst outcome of a trace is a fault before a throttle, an error and ok', () => {
  const worstOf = (...outcomes: typeof OUTCOMES) => worstOutcome(outcomes.map((outcome) => ({ outcome })));
  expect(worstOf()).toBe('ok');
  expect(worstOf('ok', 'error', 'ok')).toBe('error');
  expect(worstOf('throttle', 'error')).toBe('throttle');
  expect(worstOf('throttle', 'fault', 'error')).toBe('fault');
});
