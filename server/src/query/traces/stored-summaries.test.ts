import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matches } from '../../filter/matches.ts';
import { parseFilter } from '../../filter/parser.ts';
import { subjectOf } from '../../filter/subject.ts';
import { arbitraryFilterOf } from '../../filter/testing/arbitrary-filter.ts';
import { operandsIn } from '../../filter/testing/operand-arbitraries.ts';
import { assembleTrace } from '../../model/assemble.ts';
import { aSegment, receivedTexts } from '../../model/testing/builders.ts';
import type { RowBlock } from '../../store/engine/engine.ts';
import { type Sql, sql } from '../../store/sql.ts';
import { storeForThisFile } from '../../store/testing/store-for-this-file.ts';
import { newSummaryBlock, summaryRowOf } from '../../store/write/summary-rows.ts';
import { receivedDocuments, subjectsOf } from '../testing/received-documents.ts';
import { isDecidedByRow, rowConditionSql } from './row-filters.ts';
import { STORED_SUMMARY, type StoredSummary, subjectFromStored } from './stored-summaries.ts';

const COVERED = { firstSeq: 1, lastSeq: 2, documents: 3, bytes: 4 };
const SUBJECTS = subjectsOf(receivedDocuments(300, 5));

const store = await storeForThisFile();

async function storedRows(): Promise<readonly StoredSummary[]> {
  return store.query<StoredSummary>(sql`SELECT ${STORED_SUMMARY} FROM trace_summaries FINAL`);
}

test('rows give the summaries of any traces, and the result of every filter that rows decide', async () => {
  const block = newSummaryBlock(7);
  for (const { trace, graph, summary } of SUBJECTS) {
    expect(block.add(summaryRowOf({ trace, graph, summary, covered: COVERED }))).toBe(true);
  }
  await store.insert(block.end('all') as RowBlock);
  const stored = new Map((await storedRows()).map((row) => [row.trace_id, subjectFromStored(row)]));
  expect(stored.size).toBe(SUBJECTS.length);
  for (const { summary } of SUBJECTS) expect(stored.get(summary.id)?.summary).toEqual(summary);
  let decided = 0;
  fc.assert(
    fc.property(arbitraryFilterOf(operandsIn(SUBJECTS.slice(0, 100))), (filter) => {
      if (!isDecidedByRow(filter.condition)) return;
      decided++;
      const matching = SUBJECTS.filter((subject) => matches(filter, subject)).map(({ trace }) => trace.id);
      const found = SUBJECTS.filter(({ trace }) => {
        const subject = stored.get(trace.id);
        return subject !== undefined && matches(filter, subject);
      });
      expect(found.map(({ trace }) => trace.id)).toEqual(matching);
    }),
    { numRuns: 400, endOnFailure: true },
  );
  expect(decided).toBeGreaterThan(20);
});

test('the condition in SQL holds for the row of every trace that a filter matches', async () => {
  let known = 0;
  await fc.assert(
    fc.asyncProperty(arbitraryFilterOf(operandsIn(SUBJECTS.slice(0, 100))), async (filter) => {
      const condition = rowConditionSql(filter.condition);
      if (condition === undefined) return;
      known++;
      const rows = await store.query<{ trace_id: string }>(
        sql`SELECT lower(hex(trace_id)) AS trace_id FROM trace_summaries FINAL WHERE ${condition}`,
      );
      const found = new Set(rows.map(({ trace_id: id }) => id));
      const matching = SUBJECTS.filter((subject) => matches(filter, subject)).map(({ trace }) => trace.id);
      expect(matching.filter((id) => !found.has(id))).toEqual([]);
    }),
    { numRuns: 150, endOnFailure: true },
  );
  expect(known).toBeGreaterThan(20);
}, 60_000);

test.each([
  ['service("shop") { fault = true }', 'service("shop") { fault }'],
  ['service("shop") { fault = true AND error != true }', 'service("shop") { fault AND error = false }'],
  ['service() { throttle = true OR fault }', 'service() { fault OR throttle }'],
])('%s reads the same rows as %s, and fewer than all', async (one, other) => {
  const rowsOf = async (text: string) => {
    const condition = rowConditionSql(parseFilter(text).condition) as Sql;
    return store.query<{ trace_id: string }>(
      sql`SELECT lower(hex(trace_id)) AS trace_id FROM trace_summaries FINAL WHERE ${condition} ORDER BY trace_id`,
    );
  };
  const rows = await rowsOf(one);
  expect(rows).toEqual(await rowsOf(other));
  expect(rows.length).toBeLessThan(SUBJECTS.length);
});

test.each([
  ['a number beyond a double', '"annotations":{"n":9007199254740993}'],
  [
    'values of two types',
    '"annotations":{"n":1},"subsegments":[{"id":"00000000000000aa","name":"s","start_time":1,"end_time":2,"annotations":{"n":"a"}}]',
  ],
  ['an empty URL', '"http":{"request":{"url":""}}'],
  ['half a surrogate pair', '"annotations":{"t":"\\ud800"}'],
])('a row keeps %s', async (what, members) => {
  const text = `${JSON.stringify(aSegment()).slice(0, -1)},${members}}`;
  const trace = assembleTrace(receivedTexts([text]));
  if (trace === undefined) throw new Error('no trace');
  const { graph, summary } = subjectOf(trace);
  await store.command(sql`TRUNCATE TABLE trace_summaries`);
  const block = newSummaryBlock(7);
  block.add(summaryRowOf({ trace, graph, summary, covered: COVERED }));
  await store.insert(block.end(what) as RowBlock);
  expect((await storedRows()).map((row) => subjectFromStored(row).summary)).toEqual([summary]);
});

test('a cancelled row is not read, and a row of a later version replaces an earlier one', async () => {
  await store.command(sql`TRUNCATE TABLE trace_summaries`);
  const [first, second] = SUBJECTS;
  if (first === undefined || second === undefined) throw new Error('no traces');
  const before = newSummaryBlock(7);
  for (const { trace, graph, summary } of [first, second])
    before.add(summaryRowOf({ trace, graph, summary, covered: COVERED }));
  await store.insert(before.end('before') as RowBlock);
  const after = newSummaryBlock(8);
  after.cancel(first.trace.id, first.trace.startUs);
  const changed = { ...second.summary, revision: 99 };
  after.add(summaryRowOf({ trace: second.trace, graph: second.graph, summary: changed, covered: COVERED }));
  await store.insert(after.end('after') as RowBlock);
  expect((await storedRows()).map(({ trace_id: id, revision }) => [id, revision])).toEqual([[second.trace.id, 99]]);
});
