import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import { graphEndedIn } from './graph.ts';
import { totalOf } from './histogram.ts';
import type { JsonObject } from './json.ts';
import {
  addGraph,
  addTrace,
  newServiceGraph,
  type ServiceGraph,
  type ServiceNode,
  serviceGraph,
  stateOf,
  withoutZeros,
} from './service-graph.ts';
import { nodeKey, serviceOfKey } from './service-names.ts';
import { arbitraryTrace, plainDelivery } from './testing/arbitrary-trace.ts';
import { anId, aSegment, aSubsegment, received, receivedTexts } from './testing/builders.ts';
import { ALL_TIMES, splitBefore } from './time-interval.ts';
import type { Trace } from './trace.ts';
import { edgeKey, traceGraph } from './trace-graph.ts';

function graphOf(...sent: readonly JsonObject[]) {
  return traceGraph(assembleTrace(received(...sent)) as Trace);
}

const SHOP = nodeKey({ name: 'shop', type: undefined, accountId: undefined });
const CLIENT = nodeKey({ name: 'shop', type: 'client', accountId: undefined });

const traceGraphs = fc.array(
  arbitraryTrace().map((trace) => traceGraph(assembleTrace(receivedTexts(plainDelivery(trace))) as Trace)),
  { maxLength: 6 },
);

test('outcomes, response times and bounds add up over traces', () => {
  const at = (start: number, seconds: number, fields: JsonObject = {}) =>
    graphOf(aSegment({ start_time: start, end_time: start + seconds, ...fields }));
  const graph = serviceGraph([
    at(107.2, 1),
    at(100.9, 2, { http: { response: { status: 404 } } }),
    at(103, 2, { http: { response: { status: 429 } } }),
    at(104.5, 3.5, { fault: true }),
  ]);
  const shop = graph.nodes.get(SHOP);
  expect(shop).toMatchObject({ traceCount: 4, rootCount: 4, activeCount: 4, startUs: 100e6, endUs: 108e6 });
  expect(shop?.statistics).toEqual({
    okCount: 1,
    errorCount: 1,
    throttleCount: 1,
    faultCount: 1,
    totalCount: 4,
    totalResponseTimeUs: 8_500_000,
  });
  expect(shop?.responseTimes).toEqual(
    new Map([
      [1_000_000, 1],
      [2_000_000, 2],
      [3_500_000, 1],
    ]),
  );
  expect(graph.nodes.get(CLIENT)?.statistics.totalCount).toBe(0);
  expect(graph.edges.get(edgeKey({ from: CLIENT, to: SHOP, type: undefined }))?.statistics).toEqual(shop?.statistics);
});

test('bounds are those of the root for every service of the trace, regardless of their own clocks', () => {
  const graph = serviceGraph([
    graphOf(
      aSegment({
        start_time: 100.5,
        end_time: 120,
        subsegments: [aSubsegment({ name: 'host', namespace: 'remote', start_time: 115, end_time: 116 })],
      }),
      aSegment({ id: anId('b'), name: 'ahead', parent_id: anId('5a6b7c8d9e0f1a20'), start_time: 98, end_time: 99 }),
    ),
  ]);
  expect(graph.nodes.size).toBe(4);
  for (const node of graph.nodes.values()) expect(node).toMatchObject({ startUs: 100e6, endUs: 101e6 });
});

test('without a root the bounds are those of the earliest segment', () => {
  const graph = serviceGraph([graphOf(aSegment({ parent_id: anId('e'), start_time: 100.5, end_time: 101 }))]);
  expect(graph.nodes.get(SHOP)).toMatchObject({ startUs: 100e6, endUs: 101e6 });
});

test('a service that reported once is active, and all its aliases are kept', () => {
  const call = (name: string) =>
    aSegment({ subsegments: [aSubsegment({ id: anId('ca11'), name, namespace: 'remote' })] });
  const callee = aSegment({ id: anId('b'), name: 'stock', origin: 'remote', parent_id: anId('ca11') });
  const inferred = graphOf(call('stock'));
  const graph = serviceGraph([inferred, graphOf(call('stock.b'), callee), graphOf(call('stock.a'), callee), inferred]);
  const stock = nodeKey({ name: 'stock', type: 'remote', accountId: undefined });
  const node = graph.nodes.get(stock) as ServiceNode;
  expect(stateOf(node)).toBe('active');
  expect(node).toMatchObject({ traceCount: 4, inferredCount: 2, activeCount: 2 });
  const edge = graph.edges.get(edgeKey({ from: SHOP, to: stock, type: undefined }));
  expect(edge?.statistics.totalCount).toBe(4);
  const names = [...(edge?.aliases.keys() ?? [])].map((key) => serviceOfKey(key).name);
  expect(names.sort()).toEqual(['stock.a', 'stock.b']);
});

test('the order and grouping of traces make no difference', () => {
  fc.assert(
    fc.property(traceGraphs, traceGraphs, (some, others) => {
      const whole = serviceGraph([...some, ...others]);
      expect(serviceGraph([...others, ...some].toReversed())).toEqual(whole);
      const sum = newServiceGraph();
      addGraph(sum, serviceGraph(others));
      addGraph(sum, serviceGraph(some));
      expect(sum).toEqual(whole);
    }),
    { numRuns: 40 },
  );
});

test('a subtracted trace changes only the bounds', () => {
  fc.assert(
    fc.property(traceGraphs, traceGraphs, (some, others) => {
      const sum = newServiceGraph();
      for (const trace of [...some, ...others]) addTrace(sum, trace);
      addGraph(sum, serviceGraph(others), -1);
      expect(withoutBounds(withoutZeros(sum))).toEqual(withoutBounds(serviceGraph(some)));
      for (const trace of some) addTrace(sum, trace, -1);
      expect(withoutZeros(sum)).toEqual(newServiceGraph());
    }),
    { numRuns: 40 },
  );
});

test('parts of adjacent intervals add up to the whole: requests, calls, outcomes and times', () => {
  const at = fc.integer({ min: 1_716_560_000_000_000, max: 1_716_560_004_000_000 });
  fc.assert(
    fc.property(traceGraphs, at, (traces, cutUs) => {
      const [before, after] = splitBefore(ALL_TIMES, cutUs);
      const parts = serviceGraph(traces.flatMap((trace) => [graphEndedIn(trace, before), graphEndedIn(trace, after)]));
      const whole = serviceGraph(traces.map((trace) => graphEndedIn(trace, ALL_TIMES)));
      expect([...parts.nodes.keys()].sort()).toEqual([...whole.nodes.keys()].sort());
      for (const [key, { statistics, responseTimes, durations }] of whole.nodes) {
        expect(parts.nodes.get(key)).toMatchObject({ statistics, responseTimes, durations });
      }
      for (const [key, { statistics, responseTimes }] of whole.edges) {
        expect(parts.edges.get(key)).toMatchObject({ statistics, responseTimes });
      }
    }),
    { numRuns: 40 },
  );
});

function withoutBounds({ nodes, edges }: ServiceGraph) {
  return { nodes: [...nodes.values()].map(({ startUs, endUs, ...node }) => node), edges };
}

test('counts add up: outcomes to the total, histograms to the total', () => {
  fc.assert(
    fc.property(traceGraphs, (traces) => {
      const graph = serviceGraph(traces);
      for (const { statistics, responseTimes } of [...graph.nodes.values(), ...graph.edges.values()]) {
        const { okCount, errorCount, throttleCount, faultCount, totalCount } = statistics;
        expect(okCount + errorCount + throttleCount + faultCount).toBe(totalCount);
        expect(totalOf(responseTimes)).toBe(totalCount);
      }
    }),
    { numRuns: 40 },
  );
});
