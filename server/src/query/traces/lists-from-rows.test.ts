import { expect, test } from 'vitest';
import { parseFilter } from '../../filter/parser.ts';
import type { Document } from '../../model/entity.ts';
import { A_START, aSegment, received } from '../../model/testing/builders.ts';
import { idSql } from '../../store/ids.ts';
import { sql } from '../../store/sql.ts';
import type { Store } from '../../store/store.ts';
import { storeForThisFile } from '../../store/testing/store-for-this-file.ts';
import { rollUp } from '../service-graph/roll-up.ts';
import { findTraceSummaries } from './trace-summaries.ts';

const opened = await storeForThisFile();
let queries = 0;
const store: Store = Object.create(opened, {
  query: {
    value: (...call: Parameters<Store['query']>) => {
      queries += 1;
      return opened.query(...call);
    },
  },
});

const DAY_S = 86_400;
let lastNumber = 0;

/** A trace that started so many days after the first one. */
function aTrace(name: string, days: number, annotations: Readonly<Record<string, string>> = {}): Document {
  lastNumber += 1;
  const start = A_START + days * DAY_S;
  const trace_id = `1-6650a080-${String(lastNumber).padStart(24, '0')}`;
  const [document] = received(aSegment({ trace_id, name, start_time: start, end_time: start + 1, annotations }));
  return { ...(document as Document), seq: A_START * 1e6 + lastNumber };
}

async function namesOf(filter?: string): Promise<readonly (string | undefined)[]> {
  const { summaries } = await findTraceSummaries(store, {
    window: { fromUs: 1, toUs: (A_START + 400 * DAY_S) * 1e6 },
    timeRangeType: 'TraceId',
    filter: filter === undefined ? undefined : parseFilter(filter),
    pageSize: 10,
  });
  return summaries.map(({ entryPoint }) => entryPoint?.name);
}

async function queriesOf(list: () => Promise<unknown>): Promise<number> {
  queries = 0;
  await list();
  return queries;
}

async function rollUpAll(): Promise<void> {
  while (await rollUp(store, { toSeq: A_START * 1e6 + lastNumber }));
}

test('while nothing changes, a list reads only rows, and each change of the store is in the next list', async () => {
  const first = aTrace('first', 0);
  await store.append([first, aTrace('second', 1)]);
  await rollUpAll();
  expect(await namesOf()).toEqual(['second', 'first']);
  expect(await queriesOf(namesOf)).toBe(1);

  await store.append([aTrace('third', 2)]);
  expect(await namesOf()).toEqual(['third', 'second', 'first']);
  await rollUpAll();
  expect(await namesOf()).toEqual(['third', 'second', 'first']);
  expect(await queriesOf(namesOf)).toBe(1);

  await store.append([aTrace('earlier', -1)]);
  expect(await namesOf()).toEqual(['third', 'second', 'first', 'earlier']);
  await store.command(sql`DELETE FROM trace_summaries WHERE trace_id = ${idSql(first.traceId)}`);
  expect(await namesOf()).toEqual(['third', 'second', 'earlier']);
});

test('while nothing changes, a list with a filter reads its rows only', async () => {
  await store.append([aTrace('newest', 10)]);
  await rollUpAll();
  expect(await namesOf('service("newest")')).toEqual(['newest']);
  expect(await queriesOf(() => namesOf('service("second")'))).toBe(1);
  await store.append([aTrace('newest', 20)]);
  await rollUpAll();
  expect(await namesOf('service("newest")')).toEqual(['newest', 'newest']);
});

test('a filter passes days without a trace at once', async () => {
  await store.append([aTrace('old', -300)]);
  await rollUpAll();
  // More than the first slice has.
  const afterUs = (A_START + 300 * DAY_S) * 1e6;
  await store.command(sql`
    INSERT INTO trace_summaries (start_us, trace_id, version)
    SELECT ${afterUs} + number, toFixedString(toString(number), 16), 1 FROM numbers(20001)`);
  expect(await namesOf('service("old")')).toEqual(['old']);
  expect(await queriesOf(() => namesOf('service("old")'))).toBeLessThan(6);
});

test('few traces with an annotation are found by its index, many by their rows, in one order', async () => {
  const many = Array.from({ length: 30 }, (_, index) => aTrace(`many ${index}`, 10 + index, { tier: 'common' }));
  const few = [aTrace('few', 50, { tier: 'rare' }), aTrace('few', 60, { tier: 'rare' }), aTrace('other', 70)];
  await store.append([...many, ...few]);
  await rollUpAll();
  const newest = ['many 29', 'many 28', 'many 27'];
  expect((await namesOf('annotation.tier = "common"')).slice(0, 3)).toEqual(newest);
  expect((await namesOf('service(id(name: "many 28")) AND annotation.tier = "common"')).slice(0, 1)).toEqual([
    'many 28',
  ]);
  const rare = 'service("few") AND annotation.tier = "rare"';
  expect(await namesOf(rare)).toEqual(['few', 'few']);
  expect(await namesOf('service("other") AND annotation.tier = "rare"')).toEqual([]);
  // The index, which is asked before the traces that are cached.
  expect(await queriesOf(() => namesOf(rare))).toBe(1);
});
