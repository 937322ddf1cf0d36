import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../model/json.ts';
import { targetInput } from './rule-target.ts';

const EVENT: JsonObject = { source: 'shop', detail: { id: 7, name: 'say "hi"', items: ['a', 'b'], tags: { x: 1 } } };
const NOTHING = { input: undefined, inputPath: undefined, transformer: undefined };
const transformed = (paths: Record<string, string>, template: string) =>
  targetInput({ ...NOTHING, transformer: { paths, template } }, EVENT);

describe('a target receives', () => {
  test('the event, a part of it, or a constant', () => {
    expect(targetInput(NOTHING, EVENT)).toBe(EVENT);
    expect(targetInput({ ...NOTHING, inputPath: '$.detail.items[1]' }, EVENT)).toBe('b');
    expect(targetInput({ ...NOTHING, inputPath: '$.detail.nothing.here' }, EVENT)).toBeNull();
    expect(targetInput({ ...NOTHING, input: '{"job":1}' }, EVENT)).toEqual({ job: 1 });
    expect(targetInput({ ...NOTHING, input: 'just text' }, EVENT)).toBe('just text');
  });

  test.each([
    [{ n: '$.detail.name' }, '{"name": <n>}', { name: 'say "hi"' }],
    [{ n: '$.detail.name' }, '{"text": "name: <n>!"}', { text: 'name: say "hi"!' }],
    [{ n: '$.detail.name', i: '$.detail.id' }, '"<n> has <i>"', 'say "hi" has 7'],
    [{ t: '$.detail.tags' }, '{"tags": <t>, "text": "<t>"}', { tags: { x: 1 }, text: '{"x":1}' }],
    [{ m: '$.detail.missing' }, '{"a": <m>, "b": "<m>"}', { a: '', b: '' }],
    [{}, '{"whole": <aws.events.event.json>, "other": "<other>"}', { whole: EVENT, other: '<other>' }],
  ] as readonly (readonly [Record<string, string>, string, JsonValue])[])('%j in %s', (paths, template, expected) => {
    expect(transformed(paths, template)).toEqual(expected);
  });

  test('any text unchanged, inside and outside of quotes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const transformer = { paths: { t: '$.text' }, template: '{"bare": <t>, "quoted": "<<t>>"}' };
        expect(targetInput({ ...NOTHING, transformer }, { text })).toEqual({ bare: text, quoted: `<${text}>` });
      }),
    );
  });
});
