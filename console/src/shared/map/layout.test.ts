import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layoutGraph, NODE_HEIGHT, NODE_WIDTH, type Topology } from './layout.ts';

test('callers are left of the services that they call', () => {
  const positions = layoutGraph({
    nodes: ['c', 'b', 'a'],
    edges: [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
    ],
  });
  const [a = 0, b = 0, c = 0] = ['a', 'b', 'c'].map((key) => positions.get(key)?.x);
  expect(b - a).toBeGreaterThan(NODE_WIDTH);
  expect(c - b).toBeGreaterThan(NODE_WIDTH);
});

test('the map of a service that calls a hundred others has about the proportions of a screen', () => {
  const called = Array.from({ length: 100 }, (_, index) => `service-${index}`);
  const positions = layoutGraph({
    nodes: ['gateway', ...called],
    edges: called.map((to) => ({ from: 'gateway', to })),
  });
  const width = Math.max(...[...positions.values()].map(({ x }) => x)) + NODE_WIDTH;
  const height = Math.max(...[...positions.values()].map(({ y }) => y)) + NODE_HEIGHT;
  expect(width / height).toBeGreaterThan(1);
  expect(width / height).toBeLessThan(3);
});

const anyTopology: fc.Arbitrary<Topology> = fc.integer({ min: 1, max: 40 }).chain((size) => {
  const nodes = Array.from({ length: size }, (_, index) => `n${index}`);
  const edge = fc.record({ from: fc.constantFrom(...nodes), to: fc.constantFrom(...nodes) });
  return fc.record({ nodes: fc.constant(nodes), edges: fc.array(edge, { maxLength: 60 }) });
});

test('no two nodes overlap, for any calls, cycles included', () => {
  fc.assert(
    fc.property(anyTopology, (topology) => {
      const placed = [...layoutGraph(topology).values()];
      expect(placed).toHaveLength(topology.nodes.length);
      for (const [index, a] of placed.entries()) {
        for (const b of placed.slice(index + 1)) {
          const isApart = Math.abs(a.x - b.x) >= NODE_WIDTH - 1 || Math.abs(a.y - b.y) >= NODE_HEIGHT - 1;
          expect(isApart).toBe(true);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('the layout of an empty graph is empty', () => {
  expect(layoutGraph({ nodes: [], edges: [] }).size).toBe(0);
});
