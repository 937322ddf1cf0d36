import type { WireTrace } from 'openray/api-types';
import { expect, test, vi } from 'vitest';
import { aTrace } from '../../testing/trace.ts';
import { readTrace } from './entities.ts';
import { loadParts } from './trace-parts.ts';

const parts: readonly WireTrace[] = [
  aTrace([{ id: 'a', name: 'shop', start_time: 1 }]),
  aTrace([], [{ id: 'b', name: 'work', parent_id: 'a', start_time: 2, end_time: 3 }]),
  aTrace([{ id: 'a', name: 'shop', start_time: 1, end_time: 4 }]),
];

const pages = () =>
  vi.fn(async (token: string | null) => {
    const at = Number(token ?? 0);
    const NextToken = at + 1 < parts.length ? String(at + 1) : null;
    return { Traces: [parts[at] as WireTrace], NextToken, IsIncomplete: false, IsDamaged: false };
  });

test('the parts of a trace are one trace: subsegments stand below parents of other parts, later versions replace', async () => {
  const loadPage = pages();
  const { loaded } = await loadParts(loadPage, 5);
  expect(loadPage.mock.calls.map(([token]) => token)).toEqual([null, '1', '2']);
  expect(loaded?.hasMore).toBe(false);
  const { roots, orphans } = readTrace(loaded?.trace as WireTrace);
  expect(orphans).toEqual([]);
  expect(roots.map(({ id, endUs, children }) => [id, endUs, children.map((child) => child.id)])).toEqual([
    ['a', 4e6, ['b']],
  ]);
});

test('only the wanted parts are loaded', async () => {
  const { loaded } = await loadParts(pages(), 2);
  expect(loaded?.hasMore).toBe(true);
  expect(loaded?.trace.Orphans).toHaveLength(1);
});

test('a trace without documents is unknown', async () => {
  const nothing = async () => ({ Traces: [], NextToken: null, IsIncomplete: true, IsDamaged: false });
  expect(await loadParts(nothing, 3)).toEqual({ loaded: undefined, isIncomplete: true, isDamaged: false });
});
