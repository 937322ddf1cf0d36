import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import { exitFailure, timeoutFailure } from '../runtime/failures.ts';
import type { TraceDecision } from '../tracing/sampling-decision.ts';
import {
  billedMs,
  endLine,
  failureLines,
  initReportLine,
  initStartLine,
  logTail,
  platformLine,
  type Report,
  reportLines,
  reportRecord,
  startLine,
  startRecord,
} from './platform-log.ts';

const REQUEST_ID = '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11';
const traceId = '6650a0803c4d5e6f708192a3b4c5d6e7' as TraceId;
const id = (text: string) => text as EntityId;
const trace: TraceDecision = {
  traceId,
  callerId: undefined,
  isSampled: true,
  ids: {
    service: id('4f1c2d3e4a5b6c70'),
    function: id('5a6b7c8d9e0f1a20'),
    initialization: id('6b1d2e3f4a5b6c71'),
    invocation: id('7c2e3f4a5b6c7d82'),
    overhead: id('8d3f4a5b6c7d8e93'),
  },
  header: { root: traceId, parent: id('7c2e3f4a5b6c7d82'), sampled: '1', extras: [] },
};
const unsampled: TraceDecision = { ...trace, isSampled: false, ids: undefined };

function aReport(report: Partial<Report> = {}): Report {
  return {
    requestId: REQUEST_ID,
    durationUs: 1_028_490,
    initDurationUs: 615_620,
    memoryMb: 256,
    maxMemoryUsedMb: 93,
    status: 'success',
    errorType: undefined,
    timeoutMs: 5000,
    trace,
    ...report,
  };
}

describe('the lines around a function’s own', () => {
  test('START and END', () => {
    expect(startLine(REQUEST_ID)).toBe(`START RequestId: ${REQUEST_ID} Version: $LATEST`);
    expect(endLine(REQUEST_ID)).toBe(`END RequestId: ${REQUEST_ID}`);
  });

  test('REPORT and XRAY are one event of two lines, each with a tab at its end', () => {
    expect(reportLines(aReport(), 'withoutInit')).toBe(
      `REPORT RequestId: ${REQUEST_ID}\tDuration: 1028.49 ms\tBilled Duration: 1029 ms\tMemory Size: 256 MB\tMax Memory Used: 93 MB\tInit Duration: 615.62 ms\t\n` +
        'XRAY TraceId: 1-6650a080-3c4d5e6f708192a3b4c5d6e7\tSegmentId: 5a6b7c8d9e0f1a20\tSampled: true\t',
    );
  });

  test('a warm unsampled invocation has neither Init Duration nor XRAY', () => {
    expect(reportLines(aReport({ initDurationUs: undefined, durationUs: 3_100, trace: unsampled }))).toBe(
      `REPORT RequestId: ${REQUEST_ID}\tDuration: 3.10 ms\tBilled Duration: 4 ms\tMemory Size: 256 MB\tMax Memory Used: 93 MB\t`,
    );
  });

  test('failures of the platform add status and type', () => {
    const timedOut = aReport({ status: 'timeout', durationUs: 5_000_000, trace: unsampled, initDurationUs: undefined });
    expect(reportLines(timedOut)).toMatch(/\tMax Memory Used: 93 MB\tStatus: timeout\t$/);
    const exited = aReport({ status: 'error', errorType: 'Runtime.ExitError', trace: unsampled });
    expect(reportLines(exited)).toMatch(/\tInit Duration: 615.62 ms\tStatus: error\tError Type: Runtime.ExitError\t$/);
  });

  test('the lines for a timeout and for an exit', () => {
    const atUs = Date.UTC(2024, 4, 24, 14, 13, 25) * 1000;
    expect(failureLines(timeoutFailure(3000), REQUEST_ID, atUs)).toBe(
      `2024-05-24T14:13:25.000Z ${REQUEST_ID} Task timed out after 3.00 seconds\n`,
    );
    expect(failureLines(exitFailure({ code: 1, signal: null }), REQUEST_ID, atUs)).toBe(
      `RequestId: ${REQUEST_ID} Error: Runtime exited with error: exit status 1\nRuntime.ExitError`,
    );
  });

  test('INIT_START and INIT_REPORT', () => {
    expect(initStartLine('python:3.11.v33', 'arn:aws:lambda:us-east-1::runtime:ab')).toBe(
      'INIT_START Runtime Version: python:3.11.v33\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:ab',
    );
    expect(initReportLine(1_236_040, 'timeout')).toBe(
      'INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout',
    );
    expect(initReportLine(1_236_040, 'error', 'Runtime.ExitError')).toBe(
      'INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: error\tError Type: Runtime.ExitError',
    );
  });
});

describe('billed duration', () => {
  test.each([
    [2644.11, 620.29, 3265],
    [3.1, 542.01, 546],
    [1174.14, 491.36, 1666],
    [276.68, 611.77, 889],
  ])('%d ms and %d ms of initialisation are billed as %d ms', (durationMs, initMs, billed) => {
    expect(billedMs(aReport({ durationUs: durationMs * 1000, initDurationUs: initMs * 1000 }))).toBe(billed);
  });

  test('before August 2025 the initialisation was not billed', () => {
    expect(billedMs(aReport(), 'withoutInit')).toBe(1029);
  });

  test('a timeout is billed as the configured time', () => {
    expect(billedMs(aReport({ status: 'timeout', timeoutMs: 3000 }))).toBe(3000);
  });
});

describe('JSON records', () => {
  const logging = { format: 'JSON', applicationLevel: 'INFO', systemLevel: 'INFO', logGroup: 'g' } as const;

  test('platform.start has the trace, and its time in milliseconds', () => {
    const atUs = Date.UTC(2024, 4, 24, 14, 13, 22, 123) * 1000;
    expect(JSON.parse(platformLine(startRecord(REQUEST_ID, 'arn', trace), logging, atUs) ?? '')).toEqual({
      time: '2024-05-24T14:13:22.123Z',
      type: 'platform.start',
      record: {
        requestId: REQUEST_ID,
        functionArn: 'arn',
        version: '$LATEST',
        tracing: {
          spanId: '5a6b7c8d9e0f1a20',
          type: 'X-Amzn-Trace-Id',
          value: 'Root=1-6650a080-3c4d5e6f708192a3b4c5d6e7;Parent=4f1c2d3e4a5b6c70;Sampled=1',
        },
      },
    });
  });

  test('records below the system level are left out', () => {
    const quiet = { ...logging, systemLevel: 'WARN' } as const;
    expect(platformLine(reportRecord(aReport()), quiet, 0)).toBeUndefined();
    expect(platformLine(reportRecord(aReport({ status: 'timeout' })), quiet, 0)).toContain('"status":"timeout"');
  });
});

describe('the tail', () => {
  test('is the whole log when that is short', () => {
    expect(logTail('a\nb\n')).toBe('a\nb\n');
  });

  test('begins at a line, has at most 4 KB, and ends as the log does', () => {
    const text = fc.array(fc.string({ unit: 'grapheme', maxLength: 300 }), { maxLength: 80 });
    fc.assert(
      fc.property(text, (lines) => {
        const log = lines.map((line) => `${line}\n`).join('');
        const tail = logTail(log);
        expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(4096);
        expect(log.endsWith(tail)).toBe(true);
      }),
    );
  });

  test('of one line without end keeps whole characters', () => {
    expect(logTail(`x${'ü'.repeat(5000)}`)).toMatch(/^ü+$/);
  });
});
