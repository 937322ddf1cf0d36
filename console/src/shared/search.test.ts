import { defaultStringifySearch } from '@tanstack/react-router';
import fc from 'fast-check';
import { edgeKey, nodeKey } from 'openray/model';
import { expect, test } from 'vitest';
import { z } from 'zod/mini';
import { parseSearch, rootSearch, textParam } from './search.ts';

test('a damaged link opens with defaults in place of its invalid values', () => {
  expect(rootSearch.parse({ range: 'yesterday', live: 'maybe' })).toEqual({ range: '1h', live: true, inGroup: '' });
  expect(rootSearch.parse({})).toEqual({ range: '1h', live: true, inGroup: '' });
});

test('a valid link keeps its values', () => {
  expect(rootSearch.parse({ range: '15m', live: false })).toEqual({ range: '15m', live: false, inGroup: '' });
});

const idIn = (search: string) => z.parse(z.object({ entity: textParam }), parseSearch(search)).entity;

test.each(['1234567890123456', '12345678e9012345', '0000000000000001', '9999999999999999', 'true', '1e5'])(
  'an id that looks like a number or a boolean stays text: %s',
  (id) => expect(idIn(`?entity=${id}`)).toBe(id),
);

test('keys of a node and of an edge survive the URL', () => {
  const node = nodeKey({ name: 'fn', type: 'AWS::Lambda', accountId: undefined });
  for (const entity of [node, edgeKey({ from: node, to: node, type: 'link' })]) {
    expect(idIn(defaultStringifySearch({ entity }))).toBe(entity);
  }
});

test('every id of the URL is read as it is written, by hand or by the router', () => {
  const id = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(id, (entity) => {
      expect(idIn(`?entity=${entity}`)).toBe(entity);
      expect(idIn(defaultStringifySearch({ entity }))).toBe(entity);
    }),
  );
});
