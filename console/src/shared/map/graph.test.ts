import type { WireEdge, WireService, WireStatistics } from 'openray/api-types';
import { edgeKey, nodeKey } from 'openray/model';
import { expect, test } from 'vitest';
import { describeEdge, describeNode, volumeText } from './describe.ts';
import { clientTraffic, neighbourhood, toServiceGraph } from './graph.ts';

function statistics(ok: number, fault: number): WireStatistics {
  return {
    OkCount: ok,
    ErrorStatistics: { ThrottleCount: 0, OtherCount: 0, TotalCount: 0 },
    FaultStatistics: { OtherCount: fault, TotalCount: fault },
    TotalCount: ok + fault,
    TotalResponseTime: (ok + fault) * 0.5,
  };
}

function edgeTo(ReferenceId: number, more: Partial<WireEdge> = {}): WireEdge {
  return {
    ReferenceId,
    StartTime: null,
    EndTime: null,
    SummaryStatistics: statistics(3, 1),
    ResponseTimeHistogram: [{ Value: 0.5, Count: 4 }],
    Aliases: [],
    ...more,
  };
}

function aService(ReferenceId: number, Name: string, Type: string | null, Edges: readonly WireEdge[]): WireService {
  const isClient = Type === 'client';
  return {
    ReferenceId,
    Name,
    Names: [Name],
    Root: null,
    AccountId: null,
    Type,
    State: isClient ? 'unknown' : 'active',
    StartTime: null,
    EndTime: null,
    Edges,
    SummaryStatistics: isClient ? null : statistics(3, 1),
    DurationHistogram: null,
    ResponseTimeHistogram: isClient ? null : [{ Value: 0.5, Count: 4 }],
  };
}

const key = (name: string, type: string) => nodeKey({ name, type, accountId: undefined });
const callKey = (from: string, to: string) => edgeKey({ from, to, type: undefined });

function aLink(ReferenceId: number): WireEdge {
  const ages = [
    { Value: 0.2, Count: 1 },
    { Value: 0.6, Count: 3 },
  ];
  return edgeTo(ReferenceId, { EdgeType: 'link', ResponseTimeHistogram: [], ReceivedEventAgeHistogram: ages });
}

const services = [
  aService(0, 'fn', 'client', [edgeTo(1)]),
  aService(1, 'fn', 'AWS::Lambda', [edgeTo(2)]),
  aService(2, 'fn', 'AWS::Lambda::Function', [aLink(3), edgeTo(99)]),
  aService(3, 'queue', 'AWS::SQS::Queue', []),
];

test('services of the same name and different types are different nodes', () => {
  expect(toServiceGraph(services).nodes.map(({ key }) => key)).toEqual([
    key('fn', 'AWS::Lambda'),
    key('fn', 'AWS::Lambda::Function'),
    key('fn', 'client'),
    key('queue', 'AWS::SQS::Queue'),
  ]);
});

test('services of the same name in different accounts are different nodes', () => {
  const elsewhere = { ...aService(4, 'queue', 'AWS::SQS::Queue', []), AccountId: '111122223333' };
  expect(toServiceGraph([...services, elsewhere]).nodes).toHaveLength(5);
});

test('a call and a message between the same services are two edges', () => {
  const graph = toServiceGraph([aService(0, 'a', null, [edgeTo(1), aLink(1)]), aService(1, 'b', null, [])]);
  expect(new Set(graph.edges.map((edge) => edge.key)).size).toBe(2);
});

test('the graph does not depend on how the server numbers and orders its services', () => {
  const renumbered = services
    .map((service) => ({
      ...service,
      ReferenceId: 10 - service.ReferenceId,
      Edges: service.Edges.map((edge) => ({ ...edge, ReferenceId: 10 - edge.ReferenceId })),
    }))
    .reverse();
  expect(toServiceGraph(renumbered)).toEqual(toServiceGraph(services));
});

test('an edge to a service that was not sent is left out', () => {
  expect(toServiceGraph(services).edges).toHaveLength(3);
});

test('an edge of messages is a link and has their average age', () => {
  expect(toServiceGraph(services).edges.filter(({ isLink }) => isLink)).toMatchObject([
    { to: key('queue', 'AWS::SQS::Queue'), traffic: { total: 4, averageUs: 500_000 } },
  ]);
});

test('the traffic of a client is the sum of its edges', () => {
  const graph = toServiceGraph([aService(0, 'a', 'client', [edgeTo(1), edgeTo(2)]), ...services.slice(1)]);
  expect(clientTraffic(graph, key('a', 'client'))).toEqual({
    counts: { ok: 6, error: 0, throttle: 0, fault: 2 },
    total: 8,
    averageUs: 500_000,
    times: [
      { us: 500_000, count: 4 },
      { us: 500_000, count: 4 },
    ],
  });
});

test('the neighbourhood of a node has its edges and their other ends, that of an edge has its ends', () => {
  const graph = toServiceGraph(services);
  const [fn, lambda, client] = [key('fn', 'AWS::Lambda::Function'), key('fn', 'AWS::Lambda'), key('fn', 'client')];
  expect([...neighbourhood(graph, { kind: 'node', key: lambda })].sort()).toEqual(
    [fn, lambda, client, callKey(lambda, fn), callKey(client, lambda)].sort(),
  );
  expect(neighbourhood(graph, { kind: 'edge', key: callKey(client, lambda) }).size).toBe(3);
});

test('the texts of nodes and edges for screen readers have the shares of failed requests', () => {
  const graph = toServiceGraph(services);
  const node = graph.nodes.find((one) => one.key === key('fn', 'AWS::Lambda::Function'));
  const [edge, link] = graph.edges;
  if (!node || !edge || !link) throw new Error('the graph has nodes and edges');
  expect(describeNode(node, 2)).toBe('Lambda function fn, average 500 ms, 2/min, 25 % faults');
  expect(describeEdge(edge, graph, undefined)).toBe('fn to fn, average 500 ms, 4 requests, 25 % faults');
  expect(describeEdge(link, graph, undefined)).toBe('Messages from fn to queue, average age 500 ms, 4 messages');
  expect(volumeText({ ...edge.traffic, total: 1 }, undefined)).toBe('1 request');
});
