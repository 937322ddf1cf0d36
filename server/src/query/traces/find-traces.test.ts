import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseFilter } from '../../filter/parser.ts';
import { A_START, anId, aSegment, aSubsegment, received } from '../../model/testing/builders.ts';
import type { Store } from '../../store/store.ts';
import { makeTestDirectory, openTestStore } from '../../store/testing/open-test-store.ts';
import { findTraces } from './find-traces.ts';

let store: Store;
let directory: Awaited<ReturnType<typeof makeTestDirectory>>;

beforeEach(async () => {
  directory = await makeTestDirectory();
  store = await openTestStore(directory.path);
});

afterEach(async () => {
  await store.close();
  await directory.remove();
});

async function found(expression: string): Promise<number> {
  const window = { fromUs: (A_START - 60) * 1e6, toUs: (A_START + 60) * 1e6 };
  let count = 0;
  for await (const _ of findTraces(store, { window, timeRangeType: 'TraceId', filter: parseFilter(expression) }))
    count++;
  return count;
}

test('a trace is partial when the only version that contained a parent was replaced', async () => {
  const unfinished = { end_time: undefined, in_progress: true };
  const finished = aSubsegment({ id: anId('3') });
  const lost = aSubsegment({ id: anId('2'), ...unfinished, subsegments: [finished] });
  const replaced = aSubsegment({ id: anId('1'), ...unfinished, subsegments: [lost] });
  const segment = aSegment({ id: anId('a'), ...unfinished, subsegments: [replaced] });
  await store.append(received(segment, aSubsegment({ id: anId('1'), parent_id: anId('a') })));
  expect(await found('partial = true')).toBe(1);
  expect(await found('partial = false')).toBe(0);
});
