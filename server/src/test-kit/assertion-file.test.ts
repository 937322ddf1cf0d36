import { describe, expect, test } from 'vitest';
import { type RecordedTrace, recordedTrace } from '../client/recorded-trace.ts';
import { aSegment, aSubsegment } from '../model/testing/builders.ts';
import { failedExpectations, parseAssertions } from './assertion-file.ts';

const trace = recordedTrace([
  {
    Format: 'xray',
    Body: JSON.stringify(aSegment({ subsegments: [aSubsegment({ annotations: { user_id: 'brian1' } })] })),
  },
]) as RecordedTrace;

function failures(expectations: string) {
  const [check] = parseAssertions(`- {trace: 'service("shop")', expect: ${expectations}}`, 'checks.yaml');
  return failedExpectations(trace, check?.expectations ?? []).map((text) => text.split('\n', 1)[0]);
}

describe('a file of expectations', () => {
  test('gives the trace, the time to wait and the expectations of each check', () => {
    const text = `
- invoke: Orders
  event: {user: brian1}
  timeoutSeconds: 2
  expect: [toBeOk, {toCall: [Orders, payments]}, {not: {toHaveFault: /timeout/i}}]
`;
    expect(parseAssertions(text, 'checks.yaml')).toEqual([
      {
        target: { kind: 'invoke', functionName: 'Orders', event: { user: 'brian1' } },
        complete: true,
        untracedCaller: false,
        timeoutMs: 2000,
        expectations: [
          { matcher: 'toBeOk', args: [], isNegated: false },
          { matcher: 'toCall', args: ['Orders', 'payments'], isNegated: false },
          { matcher: 'toHaveFault', args: [/timeout/i], isNegated: true },
        ],
      },
    ]);
  });

  test('is checked against a trace', () => {
    expect(
      failures('[toBeOk, {toHaveAnnotation: [user_id, /^brian/]}, {toHaveSubsegment: "## index.handler"}]'),
    ).toEqual([]);
    expect(failures('[{not: toBeOk}, {toBeFasterThan: 100}]')).toEqual([
      'expected the trace not to be without fault, error and throttle',
      'expected the trace to be done in less than 100 ms; there is: the trace took 500 ms',
    ]);
  });

  test.each([
    ['- {trace: x, expect: [toFly]}', 'checks.yaml: 0.expect.0: '],
    ['- {trace: x, expect: [{toFly: 1}]}', 'checks.yaml: there is no expectation toFly; there are toHaveSegment, '],
    ['- {trace: x, invoke: y, expect: [toBeOk]}', 'name a function to invoke, or a trace by filter or id'],
    ['- {trace: x}', 'checks.yaml: 0.expect: '],
    ['{', 'checks.yaml: '],
  ])('%s is rejected', (text, reason) => {
    expect(() => parseAssertions(text, 'checks.yaml')).toThrow(reason);
  });
});
