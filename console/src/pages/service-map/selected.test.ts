import { edgeKey, nodeKey } from 'openray/model';
import { expect, test } from 'vitest';
import type { GraphEdge, GraphNode, ServiceGraph, Traffic } from '../../shared/map/graph.ts';
import { detailsOf } from './selected.ts';

const traffic: Traffic = { counts: { ok: 1, error: 0, throttle: 0, fault: 0 }, total: 1, averageUs: 5, times: [] };

function aNode(name: string, type: string | null): GraphNode {
  return {
    key: nodeKey({ name, type: type ?? undefined, accountId: undefined }),
    name,
    type,
    isClient: type === 'client',
    isRoot: false,
    isInferred: false,
    traffic,
  };
}

function anEdge(from: GraphNode, to: GraphNode): GraphEdge {
  return {
    key: edgeKey({ from: from.key, to: to.key, type: undefined }),
    from: from.key,
    to: to.key,
    isLink: false,
    traffic,
  };
}

const client = aNode('shop', 'client');
const shop = aNode('shop', null);
const queue = aNode('https://sqs.us-east-1.amazonaws.com/000000000000/orders', 'AWS::SQS::Queue');
const graph: ServiceGraph = { nodes: [client, shop, queue], edges: [anEdge(client, shop), anEdge(shop, queue)] };

test('the selector of a node has its name and type, and its connections are listed in both directions', () => {
  expect(detailsOf(graph, { kind: 'node', key: shop.key })).toMatchObject({
    title: 'shop',
    selector: 'service("shop")',
    neighbours: [{ text: 'from Client' }, { text: 'to orders' }],
  });
});

test('the selector of an edge has both ends', () => {
  expect(detailsOf(graph, { kind: 'edge', key: anEdge(client, shop).key })).toMatchObject({
    title: 'Client → shop',
    selector: 'edge(id(name: "shop", type: "client"), "shop")',
    neighbours: [{ selection: { kind: 'node', key: client.key } }, { selection: { kind: 'node', key: shop.key } }],
  });
});

test('a key that is not in the graph has no details', () => {
  expect(detailsOf(graph, { kind: 'node', key: 'x' })).toBeUndefined();
  expect(detailsOf(graph, { kind: 'edge', key: 'x' })).toBeUndefined();
});

test('an edge of messages leads to the traces of the consumer', () => {
  const link = { ...anEdge(queue, shop), isLink: true };
  expect(detailsOf({ ...graph, edges: [link] }, { kind: 'edge', key: link.key })).toMatchObject({
    isLink: true,
    selector: 'service("shop")',
  });
});
