import { expect, test } from 'vitest';
import { parseFilter } from '../../filter/parser.ts';
import { renderSql, sql } from '../../store/sql.ts';
import { narrowFilter } from './filter-pushdown.ts';
import { driversOf, type Narrow, narrowSql } from './prefilter.ts';

const narrowed = (text: string) => {
  const narrow = narrowFilter(parseFilter(text).condition);
  return narrow && renderSql(narrowSql(narrow, sql`true`)).query;
};
const lookUps = (text: string) => narrowed(text)?.split('SELECT').length;
const repeated = (count: number, term: string, by: string) => Array.from({ length: count }, () => term).join(by);

test('attributes of any kind are looked up in the text index', () => {
  for (const field of ['annotation.tier', 'metadata.default.tier', 'segment.aws.table_name']) {
    expect(narrowed(`${field} = "gold"`)).toContain('has(attributes, ');
  }
  expect(narrowed('annotation.attempt = 2')).toContain('has(attributes, ');
});

test('what is said of a request is asked of one row, what may be anywhere of any', () => {
  expect(lookUps('edge { fault AND responsetime > 1 }')).toBe(2);
  expect(lookUps('edge { fault AND annotation.tier = "gold" }')).toBe(3);
});

test('what rows can not tell narrows nothing', () => {
  for (const text of ['', '!fault', 'fault OR !ok', 'rootcause.json = #[]', 'metadata.a', 'user = "\\ud800"']) {
    expect(narrowed(text), text).toBeUndefined();
  }
});

test('a long filter takes few look-ups', () => {
  expect(lookUps(repeated(300, 'user = "ann"', ' OR '))).toBe(2);
  expect(lookUps(repeated(300, 'user = "ann"', ' AND '))).toBeLessThan(6);
  const narrow = narrowFilter(parseFilter(repeated(100, 'service("a")', ' OR ')).condition) as Narrow;
  expect(driversOf(narrow)?.length).toBe(1);
});
