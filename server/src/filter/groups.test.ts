import { expect, test } from 'vitest';
import { expandGroups, type GroupLookup } from './groups.ts';
import { parseFilter } from './parser.ts';

function lookupIn(filters: Readonly<Record<string, string>>): GroupLookup {
  return (by, value) => {
    const name = by === 'name' ? value : value.replace(/^arn:.*:group\/([^/]*).*$/, '$1');
    if (name === 'Default') return { name, filter: undefined };
    const text = filters[name];
    return text === undefined ? undefined : { name, filter: parseFilter(text) };
  };
}

const lookup = lookupIn({
  slow: 'duration > 5 ORDER BY duration',
  bad: 'fault OR group.name = "slow"',
  g1: 'group.name = "g2"',
  g2: 'ok AND group.name = "g1"',
});
const expanded = (text: string) => expandGroups(parseFilter(text), lookup);

test('a group is replaced by its condition, by name or by ARN', () => {
  const slow = parseFilter('duration > 5').condition;
  expect(expanded('group.name = "slow"').condition).toEqual(slow);
  expect(expanded('group.arn = "arn:aws:xray:eu-west-1:123456789012:group/slow/ABC"').condition).toEqual(slow);
  expect(expanded('group.name != "slow"').condition).toMatchObject({ kind: 'not', operand: slow });
  expect(expanded('ok (group.name = "bad")').condition).toMatchObject({
    operands: [{ kind: 'present' }, { kind: 'or', operands: [{ kind: 'present' }, slow] }],
  });
  expect(expanded('group.name = "slow"').order).toBeUndefined();
});

test('every trace is in Default, none in a group that does not exist', () => {
  expect(expanded('group.name = "Default"').condition.kind).toBe('all');
  expect(expanded('group.name = "nowhere"').condition).toMatchObject({ kind: 'not', operand: { kind: 'all' } });
});

test.each([
  ['group.name = "g1"', 0],
  ['fault AND !group.name != "g2"', 11],
])('%s has a circle of groups and is refused at %i', (text, position) => {
  expect(() => expanded(text)).toThrow(
    expect.objectContaining({
      code: 'InvalidRequestException',
      message: expect.stringMatching(new RegExp(`groups name each other, .*g1.* at position ${position}$`)),
    }),
  );
});

test('groups that expand beyond the limits are refused', () => {
  const many = Object.fromEntries(
    Array.from({ length: 25 }, (_, index) => [
      `d${index}`,
      Array(9)
        .fill(`group.name = "d${index + 1}"`)
        .join(' OR '),
    ]),
  );
  expect(() => expandGroups(parseFilter('group.name = "d0"'), lookupIn({ ...many, d25: 'fault' }))).toThrow(
    /too many groups inside groups/,
  );
});
