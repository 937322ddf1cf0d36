import { expect, test } from 'vitest';
import { memoryLimits } from './memory-limits.ts';

const GiB = 1024 ** 3;
const SETTINGS = {
  memoryMaxBytes: undefined,
  queueMaxBytes: GiB / 8,
  engineMaxMemoryBytes: 4 * GiB,
  queryMaxMemoryBytes: GiB,
};

test.each([
  ['half of a small machine', { machineBytes: 4 * GiB, cgroupBytes: 0 }, 2 * GiB],
  ['at most 4 GiB of a large machine', { machineBytes: 64 * GiB, cgroupBytes: 0 }, 4 * GiB],
  ['all of its container', { machineBytes: 64 * GiB, cgroupBytes: 8 * GiB }, 8 * GiB],
  ['as without a container if its limit is none', { machineBytes: 4 * GiB, cgroupBytes: 2 ** 64 }, 2 * GiB],
])('openray takes %s', (_what, available, bytes) => {
  expect(memoryLimits(SETTINGS, available).totalBytes).toBe(bytes);
});

test('a setting wins, and the parts are shares of it', () => {
  const limits = memoryLimits({ ...SETTINGS, memoryMaxBytes: 1000 }, { machineBytes: GiB, cgroupBytes: GiB / 2 });
  expect(limits).toEqual({
    totalBytes: 1000,
    requestBytes: 150,
    queueBytes: 50,
    recentBytes: 50,
    engineBytes: 500,
    queryBytes: 250,
  });
});

test('the setting of a part can only make the part smaller', () => {
  const small = { ...SETTINGS, queueMaxBytes: 1, engineMaxMemoryBytes: 2, queryMaxMemoryBytes: 3 };
  expect(memoryLimits(small, { machineBytes: 8 * GiB, cgroupBytes: 0 })).toMatchObject({
    queueBytes: 1,
    engineBytes: 2,
    queryBytes: 3,
  });
});
