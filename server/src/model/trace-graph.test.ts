import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import type { GraphNode } from './graph.ts';
import type { JsonObject } from './json.ts';
import { isSameRequest } from './service-names.ts';
import { arbitraryDeliveries } from './testing/arbitrary-trace.ts';
import { A_START, anId, aSegment, aSubsegment, received, receivedTexts } from './testing/builders.ts';
import type { Trace } from './trace.ts';
import { traceGraph } from './trace-graph.ts';

const CALL = anId('ca11');
const CALLEE = anId('b');

function graphOf(...sent: readonly JsonObject[]) {
  return traceGraph(assembleTrace(received(...sent)) as Trace);
}

const keyOf = (name: string, type: string | null = null, accountId: string | null = null) =>
  JSON.stringify([name, type, accountId]);
const labelOf = ({ service }: GraphNode) => `${service.name} ${service.type ?? '-'}`;
const calling = (fields: JsonObject) => aSegment({ subsegments: [aSubsegment({ id: CALL, ...fields })] });

describe('nodes', () => {
  test('of a single segment are its service and the client', () => {
    const { nodes, edges } = graphOf(aSegment());
    expect(nodes).toMatchObject([
      {
        service: { name: 'shop', type: 'client' },
        state: 'unknown',
        isClient: true,
        isRoot: false,
        isInferred: false,
        responses: [],
      },
      { service: { name: 'shop', type: undefined }, state: 'active', isClient: false, isRoot: true, isInferred: false },
    ]);
    expect(nodes[1]?.responses).toEqual([{ startUs: A_START * 1e6, durationUs: 500_000, outcome: 'ok' }]);
    expect(edges).toMatchObject([
      { from: keyOf('shop', 'client'), to: keyOf('shop'), aliases: [], calls: [{ durationUs: 500_000 }] },
    ]);
  });

  test('of services that sent no segment are inferred from the calls to them', () => {
    const { nodes } = graphOf(
      aSegment({
        subsegments: [
          aSubsegment({ id: anId('1'), name: 'host', namespace: 'remote' }),
          aSubsegment({
            id: anId('2'),
            name: 'DynamoDB',
            namespace: 'aws',
            aws: { operation: 'GetItem', table_name: 'carts' },
          }),
          aSubsegment({
            id: anId('3'),
            name: 'DynamoDB',
            namespace: 'aws',
            aws: { operation: 'PutItem', table_name: 'carts' },
          }),
          aSubsegment({ id: anId('4'), name: 'work', namespace: 'local' }),
        ],
      }),
    );
    expect(nodes.map((node) => [labelOf(node), node.state, node.isInferred, node.responses.length])).toEqual([
      ['carts AWS::DynamoDB::Table', 'unknown', true, 2],
      ['host remote', 'passive', true, 1],
      ['shop client', 'unknown', false, 0],
      ['shop -', 'active', false, 1],
    ]);
  });

  test('have the duration of their own work, not that of the services they called', () => {
    const { nodes } = graphOf(
      aSegment({
        start_time: 100,
        end_time: 102,
        subsegments: [
          aSubsegment({ id: anId('1'), name: 'Initialization', start_time: 99, end_time: 99.5 }),
          aSubsegment({ id: CALL, namespace: 'remote', start_time: 100.5, end_time: 103 }),
        ],
      }),
      aSegment({ id: CALLEE, name: 'stock', parent_id: CALL, start_time: 101, end_time: 110 }),
    );
    const shop = nodes.find((node) => node.isRoot);
    expect(shop?.responses.map(({ durationUs }) => durationUs)).toEqual([2_000_000]);
    expect(shop?.durationsUs).toEqual([4_000_000]);
    expect(shop?.entities.map(({ name }) => name)).toEqual(['Initialization', 'shop', '## index.handler']);
  });

  test('of Lambda are two with one name: the service and the function', () => {
    const { nodes, edges } = graphOf(
      aSegment({ name: 'f', origin: 'AWS::Lambda' }),
      aSegment({
        id: CALLEE,
        name: 'f',
        origin: 'AWS::Lambda::Function',
        parent_id: anId('5a6b7c8d9e0f1a20'),
        aws: { account_id: '000000000000' },
      }),
    );
    expect(nodes.map(labelOf)).toEqual(['f AWS::Lambda', 'f AWS::Lambda::Function', 'f client']);
    expect(edges.map(({ from, to }) => [from, to])).toEqual([
      [keyOf('f', 'AWS::Lambda'), keyOf('f', 'AWS::Lambda::Function', '000000000000')],
      [keyOf('f', 'client'), keyOf('f', 'AWS::Lambda')],
    ]);
  });

  test('count no unfinished requests, and no requests that an unfinished caller made', () => {
    const { nodes, edges } = graphOf(
      aSegment({
        end_time: undefined,
        in_progress: true,
        subsegments: [aSubsegment({ id: CALL, name: 'host', namespace: 'remote' })],
      }),
    );
    expect(nodes.flatMap(({ responses, durationsUs }) => [...responses, ...durationsUs])).toEqual([]);
    expect(edges.map(({ calls }) => calls.length)).toEqual([0, 1]);
  });

  test('of a trace without a root do not include a client', () => {
    const { nodes, edges } = graphOf(aSegment({ parent_id: CALL }));
    expect(nodes.map(labelOf)).toEqual(['shop -']);
    expect(nodes[0]?.isRoot).toBe(false);
    expect(edges).toEqual([]);
  });

  test('omit orphans', () => {
    expect(graphOf(aSubsegment({ parent_id: CALL, namespace: 'remote' }))).toEqual({ nodes: [], edges: [] });
  });
});

describe('edges', () => {
  test('to a service that reported count the requests that the caller saw, and keep its alias', () => {
    const { nodes, edges } = graphOf(
      calling({ name: 'stock.example', namespace: 'remote', http: { response: { status: 503 } } }),
      aSegment({ id: CALLEE, name: 'stock', parent_id: CALL, start_time: A_START + 0.2, end_time: A_START + 0.3 }),
    );
    expect(nodes.map(labelOf)).toEqual(['shop client', 'shop -', 'stock -']);
    expect(edges[1]).toMatchObject({
      from: keyOf('shop'),
      to: keyOf('stock'),
      aliases: [{ name: 'stock.example', type: 'remote' }],
      calls: [{ durationUs: 300_000, outcome: 'fault' }],
      entities: [{ id: CALL }],
    });
    expect(nodes[2]?.responses).toMatchObject([{ durationUs: 100_000, outcome: 'ok' }]);
  });

  test('below work inside the process count the requests that the called service reported', () => {
    const { edges } = graphOf(
      calling({}),
      aSegment({ id: CALLEE, name: 'stock', parent_id: CALL, end_time: A_START + 0.25 }),
    );
    expect(edges[1]).toMatchObject({ aliases: [], calls: [{ durationUs: 250_000 }], entities: [{ id: CALLEE }] });
  });

  test('count a call once, even with several segments below it', () => {
    const { nodes, edges } = graphOf(
      calling({ namespace: 'remote' }),
      aSegment({ id: anId('1'), name: 'stock', parent_id: CALL }),
      aSegment({ id: anId('2'), name: 'stock', parent_id: CALL }),
    );
    expect(edges[1]?.calls).toHaveLength(1);
    expect(nodes.find(({ service }) => service.name === 'stock')?.responses).toHaveLength(2);
  });

  test('to an inferred service disappear once its segment was received', () => {
    const call = calling({ name: 'stock.example', namespace: 'remote' });
    expect(graphOf(call).nodes.map(labelOf)).toContain('stock.example remote');
    const answered = graphOf(call, aSegment({ id: CALLEE, name: 'stock', parent_id: CALL }));
    expect(answered.nodes.map(labelOf)).not.toContain('stock.example remote');
  });
});

test('the graph is the same for every way of sending a trace', () => {
  fc.assert(
    fc.property(arbitraryDeliveries(2), ({ deliveries }) => {
      const [one, other] = deliveries.map((delivery) => {
        const { nodes, edges } = traceGraph(assembleTrace(receivedTexts(delivery)) as Trace);
        return {
          nodes: nodes.map(({ segments, entities, ...node }) => ({
            ...node,
            segments: segments.map(({ id }) => id),
            entities: entities.map(({ id }) => id),
          })),
          edges: edges.map(({ entities, ...edge }) => ({ ...edge, entities: entities.map(({ id }) => id) })),
        };
      });
      expect(one).toEqual(other);
    }),
  );
});

test('every edge joins two nodes, and every finished call, or its other record, is on one of its edges', () => {
  fc.assert(
    fc.property(arbitraryDeliveries(1), ({ deliveries }) => {
      const trace = assembleTrace(receivedTexts(deliveries[0] ?? [])) as Trace;
      const { nodes, edges } = traceGraph(trace);
      const keys = new Set(nodes.map(({ key }) => key));
      for (const { from, to } of edges) expect(keys.has(from) && keys.has(to)).toBe(true);
      const onEdges = new Set(edges.flatMap(({ entities }) => entities.map(({ id }) => id)));
      for (const entity of trace.entities.values()) {
        const isCall = entity.namespace === 'aws' || entity.namespace === 'remote';
        if (!isCall || entity.endUs === undefined) continue;
        const records = [...trace.entities.values()].filter(
          (other) => other === entity || isSameRequest(other, entity) || isSameRequest(entity, other),
        );
        expect(records.some(({ id }) => onEdges.has(id))).toBe(true);
      }
    }),
  );
});
