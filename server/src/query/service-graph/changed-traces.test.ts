import { expect, test } from 'vitest';
import { renderSql, type Sql } from '../../store/sql.ts';
import type { QueryOptions, Store } from '../../store/store.ts';
import { storeForThisFile } from '../../store/testing/store-for-this-file.ts';
import { receivedDocuments, SPREAD_US, START_US, subjectsOf } from '../testing/received-documents.ts';
import { rollUp } from './roll-up.ts';
import { serviceGraphOf } from './service-graph.ts';
import { referenceServiceGraph } from './testing/reference-service-graph.ts';
import { visibleGraph } from './testing/visible-graph.ts';

const opened = await storeForThisFile();
let queries: string[] = [];
let beforeQuery = async (_query: string): Promise<unknown> => undefined;
const store: Store = Object.create(opened, {
  query: {
    async value(statement: Sql, options?: QueryOptions) {
      const { query } = renderSql(statement);
      queries.push(query);
      await beforeQuery(query);
      return opened.query(statement, options);
    },
  },
});

const documents = receivedDocuments(60, 5);
const lastSeq = Math.max(...documents.map(({ seq }) => seq));
const everything = { fromUs: START_US - 60e6, toUs: START_US + 2 * SPREAD_US };
const subjects = subjectsOf(documents);
const expected = visibleGraph(referenceServiceGraph(subjects, subjects, everything));

const rollUpAll = async () => {
  while (await rollUp(opened, { toSeq: lastSeq }));
};

test('a trace that is rolled up while a graph is read counts once', async () => {
  await store.append(documents);
  // The watermark is known, and the sums are not read yet.
  beforeQuery = async (query) => {
    if (query.includes('inside_left')) await rollUpAll();
  };
  expect(visibleGraph(await serviceGraphOf(store, { window: everything, filter: undefined }))).toEqual(expected);
  beforeQuery = async () => undefined;
  expect(visibleGraph(await serviceGraphOf(store, { window: everything, filter: undefined }))).toEqual(expected);
});

test('while nothing changes, a graph of rolled-up traces reads the sums and the minutes at both ends', async () => {
  await serviceGraphOf(store, { window: everything, filter: undefined });
  queries = [];
  expect(visibleGraph(await serviceGraphOf(store, { window: everything, filter: undefined }))).toEqual(expected);
  expect(queries).toHaveLength(2);
});

test('a graph without histograms has the same counts', async () => {
  const cut = { fromUs: START_US + 20_000_001, toUs: START_US + SPREAD_US - 20_000_001 };
  for (const window of [everything, cut]) {
    const whole = await serviceGraphOf(store, { window, filter: undefined });
    const counts = await serviceGraphOf(store, { window, filter: undefined, hasHistograms: false });
    expect([...counts.nodes.keys()].sort()).toEqual([...whole.nodes.keys()].sort());
    expect([...counts.edges.keys()].sort()).toEqual([...whole.edges.keys()].sort());
    for (const [key, { statistics }] of whole.edges) expect(counts.edges.get(key)?.statistics).toEqual(statistics);
    for (const [key, { clientCount }] of whole.nodes) expect(counts.nodes.get(key)?.clientCount).toBe(clientCount);
  }
});
