import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTraceHeader } from '../../model/trace-header.ts';
import { decideRetry, decideTrace, headerText, openSampler } from './sampling-decision.ts';

const ROOT = '1-6650a080-3c4d5e6f708192a3b4c5d6e7';
const PARENT = 'a1b2c3d4e5f60718';
const COMPLETE = /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]/;

type Case = { mode?: 'Active' | 'PassThrough'; header?: string; sample?: boolean; traceFormat?: 1 | 2 };

function decide({ mode = 'Active', header, sample = true, traceFormat = 1 }: Case) {
  const incoming = header === undefined ? undefined : parseTraceHeader(header);
  return decideTrace({ mode, traceFormat, incoming, sample: () => sample, nowUs: 0x6650a080 * 1e6 });
}

describe('Active', () => {
  test('without a header starts a trace with the current time, and samples', () => {
    const sampled = decide({});
    expect(headerText(sampled)).toMatch(/^Root=1-6650a080-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1$/);
    expect(sampled.callerId).toBeUndefined();
    const unsampled = decide({ sample: false });
    expect(headerText(unsampled)).toMatch(/;Sampled=0$/);
    expect(unsampled.ids).toBeUndefined();
  });

  test('gives Invocation as parent in format 1, and the function’s segment in format 2', () => {
    const first = decide({ traceFormat: 1 });
    expect(first.header.parent).toBe(first.ids?.invocation);
    const second = decide({ traceFormat: 2 });
    expect(second.header.parent).toBe(second.ids?.function);
  });

  test('keeps the caller’s trace and decision', () => {
    const sampled = decide({ header: `Root=${ROOT};Parent=${PARENT};Sampled=1`, sample: false });
    expect(sampled).toMatchObject({ callerId: PARENT, isSampled: true });
    expect(headerText(sampled)).toBe(`Root=${ROOT};Parent=${sampled.ids?.invocation};Sampled=1`);
    const unsampled = decide({ header: `Root=${ROOT};Parent=${PARENT};Sampled=0` });
    expect(unsampled).toMatchObject({ isSampled: false, ids: undefined });
    expect(headerText(unsampled)).toMatch(COMPLETE);
  });

  test.each([`Root=${ROOT}`, `Root=${ROOT};Sampled=?`])('samples %s itself', (header) => {
    expect(decide({ header })).toMatchObject({ isSampled: true });
    expect(decide({ header, sample: false })).toMatchObject({ isSampled: false });
    expect(headerText(decide({ header }))).toContain(ROOT);
  });

  test('passes Lineage and other fields on', () => {
    const header = headerText(decide({ header: `Root=${ROOT};Parent=${PARENT};Sampled=1;Lineage=1:01cfa446:0` }));
    expect(header).toMatch(/;Sampled=1;Lineage=1:01cfa446:0$/);
  });
});

describe('PassThrough', () => {
  test('forwards a sampled header as it is, and writes nothing', () => {
    const decision = decide({ mode: 'PassThrough', header: `Root=${ROOT};Parent=${PARENT};Sampled=1` });
    expect(headerText(decision)).toBe(`Root=${ROOT};Parent=${PARENT};Sampled=1`);
    expect(decision.ids).toBeUndefined();
  });

  test.each([undefined, `Root=${ROOT}`, `Root=${ROOT};Sampled=?`])('is unsampled with %s', (header) => {
    const decision = decide({ mode: 'PassThrough', ...(header === undefined ? {} : { header }) });
    expect(decision).toMatchObject({ isSampled: false, ids: undefined });
    expect(headerText(decision)).toMatch(COMPLETE);
  });
});

test('for any header, the function gets all three fields', () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), fc.boolean(), (header, isActive, sample) => {
      expect(headerText(decide({ mode: isActive ? 'Active' : 'PassThrough', header, sample }))).toMatch(COMPLETE);
    }),
  );
});

test('another attempt keeps the trace and gets new ids for its sandbox', () => {
  const first = decide({});
  const second = decideRetry(first, 1);
  expect(second.traceId).toBe(first.traceId);
  expect(second.ids?.service).toBe(first.ids?.service);
  expect(second.ids?.function).not.toBe(first.ids?.function);
  expect(second.header.parent).toBe(second.ids?.invocation);
});

test('Lambda’s own sampling takes the first of each second and 5 % of the rest', () => {
  let nowMs = 1000;
  let random = 0.5;
  const sample = openSampler('aws', { nowMs: () => nowMs, random: () => random });
  expect([sample(), sample(), sample()]).toEqual([true, false, false]);
  random = 0.049;
  expect(sample()).toBe(true);
  random = 0.5;
  nowMs = 2000;
  expect([sample(), sample()]).toEqual([true, false]);
});
