import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../filter/ast.ts';
import { parseEntitySelector } from '../filter/entity-selector.ts';
import type { GroupLookup } from '../filter/groups.ts';
import { matches } from '../filter/matches.ts';
import { parseFilter } from '../filter/parser.ts';
import { printFilter } from '../filter/print.ts';
import type { FilterSubject } from '../filter/subject.ts';
import { arbitraryFilterOf } from '../filter/testing/arbitrary-filter.ts';
import { operandsIn } from '../filter/testing/operand-arbitraries.ts';
import type { TimeInterval } from '../model/time-interval.ts';
import type { Store } from '../store/store.ts';
import { STORES, type StoreLocation } from '../store/testing/stores.ts';
import { changeGroup, createGroup, resolveGroups } from './groups.ts';
import { rollUp } from './service-graph/roll-up.ts';
import { serviceGraphOf } from './service-graph/service-graph.ts';
import { referenceServiceGraph } from './service-graph/testing/reference-service-graph.ts';
import { referenceTimeSeries } from './service-graph/testing/reference-time-series.ts';
import { visibleGraph } from './service-graph/testing/visible-graph.ts';
import { serviceTimeSeries } from './service-graph/time-series.ts';
import { receivedDocuments, SPREAD_US, START_US, subjectsOf } from './testing/received-documents.ts';
import { findTraces } from './traces/find-traces.ts';
import {
  compareSortKeys,
  isInWindow,
  listOrder,
  type SortKey,
  sortKeyOf,
  type TimeRangeType,
} from './traces/sort-key.ts';
import { findTraceSummaries } from './traces/trace-summaries.ts';

/**
 * Compares the answers from SQL with those of the pure functions over the same documents in memory. ORACLE_TRACES is
 * the number of generated traces, ORACLE_RUNS the number of questions of each kind, ORACLE_SEED their seed,
 * ORACLE_STORE the name of the kind of store.
 */
const TRACES = Number(process.env.ORACLE_TRACES ?? 400);
const RUNS = Number(process.env.ORACLE_RUNS ?? 20);
const SEED = Number(process.env.ORACLE_SEED ?? 1);
const STORE = process.env.ORACLE_STORE ?? 'embedded store';
const TIMEOUT_MS = 60_000 + RUNS * TRACES * 60;

let store: Store;
let location: StoreLocation;
let subjects: readonly FilterSubject[];

beforeAll(async () => {
  location = await (STORES.find(({ name }) => name === STORE) as (typeof STORES)[number]).make();
  store = await location.open({ maxQueryMs: 60_000, maxQueryMemoryBytes: 2 ** 31, queueMaxBytes: 2 ** 28 });
  const documents = receivedDocuments(TRACES);
  for (let first = 0; first < documents.length; first += 1000) await store.append(documents.slice(first, first + 1000));
  subjects = subjectsOf(documents);
  // The first half of the documents is rolled up, the second half is not.
  const toSeq = documents[Math.floor(documents.length / 2)]?.seq ?? 0;
  while (await rollUp(store, { toSeq }));
}, 600_000);

afterAll(async () => {
  await store.close();
  await location.remove();
});

const everything = { fromUs: START_US - 10_000_000, toUs: START_US + 10_000_000_000 };
const timeUs = fc.oneof(
  fc.integer({ min: START_US - 100_000, max: START_US + 4_000_000 }),
  fc.integer({ min: START_US - 100_000, max: START_US + SPREAD_US }),
  fc.integer({ min: -1, max: SPREAD_US / 60e6 }).map((minute) => Math.ceil(START_US / 60e6 + minute) * 60_000_000),
);
const window = fc.oneof(
  fc.tuple(timeUs, timeUs).map(([a, b]): TimeInterval => ({ fromUs: Math.min(a, b), toUs: Math.max(a, b) + 1 })),
  fc.constant(everything),
);
const timeRangeType = fc.constantFrom<TimeRangeType>('TraceId', 'TraceId', 'Event', 'Service');

/**
 * Typical filters of users. `anyFilter` adds generated filters over all of the language and the values in the traces.
 */
const handWrittenExpression = fc.constantFrom(
  '',
  'ok',
  '!ok',
  'fault',
  'throttle = true',
  'partial',
  'partial = false',
  'inferred',
  'responsetime > 0.5',
  'duration >= 1',
  'http.status = 404',
  'http.status >= 500',
  'http.status IN (200, 503)',
  'http.url CONTAINS "shop"',
  'http.url MATCHES "^https://shop.*/$"',
  'user = "ann"',
  'instance.id = "i-01"',
  'resource.arn ENDSWITH ":function:r"',
  'annotation.tier = "gold"',
  'annotation.tier = "lead"',
  'annotation.tier != "gold"',
  'annotation.attempt > 0',
  'annotation.ColdStart = false',
  'annotation.user_id IN ("brian1", 2)',
  'segment.aws.table_name = "carts"',
  'segment.sql.database_type = "PostgreSQL" OR fault',
  'service("stock")',
  'service("carts") { responsetime > 1 }',
  'service("RegisterFunction") { fault OR annotation.tier = "gold" }',
  'service(id(name: "photos", type: "AWS::S3::Bucket"))',
  'service(id(type: "client")) { error }',
  'service("DynamoDB")',
  'service { annotation.tier = "gold" AND ok }',
  'edge("shop", "stock")',
  'edge("shop", "stock.example") { fault }',
  'edge { responsetime > 2 }',
  'rootcause.fault.service { name = "stock" }',
  'rootcause.responsetime.entity { coverage > 0.7 }',
);
/** Both ways to find traces: all candidates sorted in memory up to this number, slices above it. */
const sortInMemoryMax = fc.constantFrom(0, 20, 500);
const order = fc.constantFrom(
  '',
  ...['start', 'duration', 'responsetime'].flatMap((value) => [` ORDER BY ${value} ASC`, ` ORDER BY ${value} DESC`]),
);
const handWrittenFilter = fc.tuple(handWrittenExpression, order).map(([text, sorted]) => parseFilter(text + sorted));
const anyFilter = () => {
  const words = operandsIn(subjects.slice(0, 300));
  return fc.oneof(handWrittenFilter, arbitraryFilterOf(words));
};

/** Sort keys of the matching traces, in the order of the list. */
function expectedSortKeys(within: TimeInterval, timeRangeType: TimeRangeType, filter: Filter): readonly SortKey[] {
  const sorted = listOrder(filter, timeRangeType);
  return subjects
    .filter((subject) => isInWindow(subject.trace, timeRangeType, within) && matches(filter, subject))
    .map((subject) => sortKeyOf(subject, sorted, within))
    .sort((a, b) => compareSortKeys(sorted, a, b));
}

const OWNER = { region: 'eu-west-1', accountId: '123456789012' };

const printCase = (value: readonly [unknown, unknown, Filter]) => printFilter(value[2]);

describe('against the pure functions', () => {
  test(
    'finds exactly the traces that match, in order',
    async () => {
      await fc.assert(
        fc.asyncProperty(window, timeRangeType, anyFilter(), sortInMemoryMax, async (within, type, filter, max) => {
          const found: SortKey[] = [];
          const query = { window: within, timeRangeType: type, filter };
          for await (const { sortKey } of findTraces(store, query, { sortInMemoryMax: max })) found.push(sortKey);
          expect(found, printCase([0, 0, filter])).toEqual(expectedSortKeys(within, type, filter));
        }),
        { numRuns: RUNS * 3, seed: SEED, endOnFailure: true },
      );
    },
    TIMEOUT_MS,
  );

  test(
    'pages of any size contain each trace of the list once',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 150 }),
          timeRangeType,
          handWrittenFilter,
          sortInMemoryMax,
          async (pageSize, type, filter, max) => {
            const found: string[] = [];
            let after: SortKey | undefined;
            const least = Math.ceil(TRACES / 12);
            do {
              const query = {
                window: everything,
                timeRangeType: type,
                filter,
                after,
                pageSize: Math.max(pageSize, least),
              };
              const page = await findTraceSummaries(store, query, { sortInMemoryMax: max });
              found.push(...page.summaries.map(({ id }) => id));
              after = page.nextKey;
            } while (after !== undefined);
            expect(found, printCase([0, 0, filter])).toEqual(
              expectedSortKeys(everything, type, filter).map(({ traceId }) => traceId),
            );
          },
        ),
        { numRuns: Math.ceil(RUNS / 2), seed: SEED, endOnFailure: true },
      );
    },
    TIMEOUT_MS,
  );

  test(
    'the service graph of any window, with and without a filter',
    async () => {
      await fc.assert(
        fc.asyncProperty(window, fc.option(handWrittenFilter, { nil: undefined }), async (within, filter) => {
          const counted = subjects.filter((subject) => filter === undefined || matches(filter, subject));
          const graph = referenceServiceGraph(counted, subjects, within);
          expect(visibleGraph(await serviceGraphOf(store, { window: within, filter }))).toEqual(visibleGraph(graph));
        }),
        { numRuns: Math.ceil(RUNS / 2), seed: SEED, endOnFailure: true },
      );
    },
    TIMEOUT_MS,
  );

  test(
    'the service graph and the time series of a group',
    async () => {
      const insights = { isEnabled: false, sendsNotifications: false };
      await createGroup(store, OWNER, { name: 'g', expression: 'ok', insights, tags: [] });
      const selector = fc.constantFrom(
        ...[undefined, 'service("shop")', 'edge("shop", "stock")'].map((text) =>
          text === undefined ? undefined : parseEntitySelector(text),
        ),
      );
      const text = fc.constantFrom('group.name = "g"', 'group.name != "g"', 'group.name = "g" AND service("stock")');
      await fc.assert(
        fc.asyncProperty(window, handWrittenExpression, text, selector, async (within, expression, text, selector) => {
          await changeGroup(store, OWNER, { by: 'name', value: 'g' }, (group) => ({ ...group, expression }));
          const filter = await resolveGroups(store, OWNER, parseFilter(text));
          const lookup: GroupLookup = () => ({ name: 'g', filter: parseFilter(expression) });
          const counted = subjects.filter((subject) => matches(parseFilter(text), subject, lookup));
          expect(visibleGraph(await serviceGraphOf(store, { window: within, filter }))).toEqual(
            visibleGraph(referenceServiceGraph(counted, subjects, within)),
          );
          const query = { window: within, periodUs: 60_000_000, selector, filter };
          const graphs = counted.map(({ graph }) => graph);
          expect(await serviceTimeSeries(store, query)).toEqual(referenceTimeSeries(graphs, query));
        }),
        { numRuns: Math.ceil(RUNS / 2), seed: SEED, endOnFailure: true },
      );
    },
    TIMEOUT_MS,
  );
});
