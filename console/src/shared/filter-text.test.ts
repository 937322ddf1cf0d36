import fc from 'fast-check';
import { readFilter } from 'openray/filter';
import { expect, test } from 'vitest';
import {
  annotationCondition,
  bandCondition,
  bothFilters,
  edgeSelector,
  outcomeCondition,
  serviceSelector,
  withConditions,
} from './filter-text.ts';

const lambda = { name: 'fn', type: 'AWS::Lambda::Function' };

test('a selector has name and type, or the name alone where the type is unknown', () => {
  expect(serviceSelector(lambda)).toBe('service(id(name: "fn", type: "AWS::Lambda::Function"))');
  expect(serviceSelector({ name: 'front', type: null })).toBe('service("front")');
  expect(edgeSelector({ name: 'a', type: 'client' }, { name: 'b', type: null })).toBe(
    'edge(id(name: "a", type: "client"), "b")',
  );
});

test('conditions go into the braces of the selector', () => {
  const band = bandCondition({ minUs: 250_000, maxUs: 500_000 });
  expect(withConditions('service("a")', [outcomeCondition(['fault', 'error']), band])).toBe(
    'service("a") { (fault OR error) AND responsetime >= 0.25 AND responsetime <= 0.5 }',
  );
  expect(withConditions('service("a")', ['', ''])).toBe('service("a")');
});

test('times keep their microseconds and have no exponent', () => {
  expect(bandCondition({ minUs: 1, maxUs: 3_600_000_001 })).toBe(
    'responsetime >= 0.000001 AND responsetime <= 3600.000001',
  );
});

test('all outcomes, and none, make no condition', () => {
  expect(outcomeCondition([])).toBe('');
  expect(outcomeCondition(['ok', 'error', 'throttle', 'fault'])).toBe('');
  expect(outcomeCondition(['fault'])).toBe('fault');
});

test('filters are joined so that each keeps its meaning', () => {
  expect(bothFilters('', 'fault')).toBe('fault');
  expect(bothFilters('fault', '')).toBe('fault');
  expect(bothFilters('ok', 'user = "a"')).toBe('ok AND user = "a"');
  expect(bothFilters('fault OR error', 'user = "a"')).toBe('(fault OR error) AND user = "a"');
});

test('a condition that the filter has is not added again', () => {
  expect(bothFilters('ok AND user = "a"', 'user = "a"')).toBe('ok AND user = "a"');
});

const anyText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });

test('the selector of a service of any name parses', () => {
  fc.assert(
    fc.property(anyText, fc.option(anyText), anyText, (name, type, other) => {
      expect(readFilter(serviceSelector({ name, type })).ok).toBe(true);
      expect(readFilter(withConditions(edgeSelector({ name, type }, { name: other, type: null }), ['fault'])).ok).toBe(
        true,
      );
    }),
  );
});

test('the condition of any annotation compares its key with its value', () => {
  const key = fc.oneof(anyText, fc.string({ unit: fc.constantFrom(...'ab.[]"\\ :'), minLength: 1, maxLength: 12 }));
  const value = fc.oneof(
    anyText,
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  );
  fc.assert(
    fc.property(key, value, (wantedKey, wanted) => {
      const reading = readFilter(annotationCondition(wantedKey, wanted));
      expect(reading).toMatchObject({
        ok: true,
        filter: {
          condition: { kind: 'comparison', field: { kind: 'annotation', key: wantedKey }, value: { value: wanted } },
        },
      });
    }),
  );
});

test('keys are written as X-Ray documents them', () => {
  expect(annotationCondition('user_id', 'brian1')).toBe('annotation.user_id = "brian1"');
  expect(annotationCondition('request.id', 7)).toBe('annotation[request.id] = 7');
});
