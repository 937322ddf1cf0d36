import { expect, test } from 'vitest';
import { parseFilter } from '../../filter/parser.ts';
import { renderSql, sql } from '../../store/sql.ts';
import { pushDownFilter } from './filter-pushdown.ts';
import { type Prefilter, prefilterSql, seedsOf } from './prefilter.ts';

const prefilterText = (text: string) => {
  const prefilter = pushDownFilter(parseFilter(text).condition);
  return prefilter && renderSql(prefilterSql(prefilter, sql`true`)).query;
};
const subqueryCount = (text: string) => prefilterText(text)?.split('SELECT').length;
const repeated = (count: number, term: string, by: string) => Array.from({ length: count }, () => term).join(by);

test('attributes of any kind are looked up in the text index', () => {
  for (const field of ['annotation.tier', 'metadata.default.tier', 'segment.aws.table_name']) {
    expect(prefilterText(`${field} = "gold"`)).toContain('hasAny(attributes, ');
  }
  expect(prefilterText('annotation.attempt = 2')).toContain('hasAny(attributes, ');
});

test('conditions on a request share one row, other conditions may hold for any row of the trace', () => {
  expect(subqueryCount('edge { fault AND responsetime > 1 }')).toBe(2);
  expect(subqueryCount('edge { fault AND annotation.tier = "gold" }')).toBe(3);
});

test('a condition that rows cannot decide makes no prefilter', () => {
  for (const text of ['', '!fault', 'fault OR !ok', 'rootcause.json = #[]', 'metadata.a', 'user = "\\ud800"']) {
    expect(prefilterText(text), text).toBeUndefined();
  }
});

test('a long filter takes few subqueries', () => {
  expect(subqueryCount(repeated(300, 'user = "ann"', ' OR '))).toBe(2);
  expect(subqueryCount(repeated(300, 'user = "ann"', ' AND '))).toBeLessThan(6);
  const prefilter = pushDownFilter(parseFilter(repeated(100, 'service("a")', ' OR ')).condition) as Prefilter;
  expect(seedsOf(prefilter)?.length).toBe(1);
});
