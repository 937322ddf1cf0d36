import { expect, test } from 'vitest';
import { rootSearch } from './search.ts';

test('a mangled link still opens, with the defaults in place of what is wrong', () => {
  expect(rootSearch.parse({ range: 'yesterday', live: 'maybe' })).toEqual({ range: '1h', live: true });
  expect(rootSearch.parse({})).toEqual({ range: '1h', live: true });
});

test('a good link keeps what it says', () => {
  expect(rootSearch.parse({ range: '15m', live: false })).toEqual({ range: '15m', live: false });
});
