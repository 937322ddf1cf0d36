import { AssertionError } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RecordedTrace, recordedTrace } from '../client/recorded-trace.ts';
import { anId, aSegment, aSubsegment } from '../model/testing/builders.ts';
import { expectTrace } from './expect-trace.ts';
import { isAsExpected } from './expected-value.ts';
import { traceMatchers } from './matchers.ts';

const trace = recordedTrace(
  [
    aSegment({ id: anId('1'), name: 'orders', origin: 'AWS::Lambda', http: { response: { status: 200 } } }),
    aSegment({
      id: anId('2'),
      parent_id: anId('1'),
      name: 'orders',
      origin: 'AWS::Lambda::Function',
      subsegments: [aSubsegment({ id: anId('3'), name: 'Invocation' })],
    }),
    aSubsegment({
      id: anId('4'),
      parent_id: anId('3'),
      annotations: { user_id: 'brian1', cold: true, tries: 2 },
      metadata: { shop: { response: { status_code: 200, items: ['a'] } } },
      fault: true,
      cause: { exceptions: [{ id: anId('e'), type: 'TypeError', message: 'no user' }] },
    }),
    aSubsegment({
      id: anId('5'),
      parent_id: anId('4'),
      name: 'us.pycon.org',
      namespace: 'remote',
      http: { request: { url: 'https://us.pycon.org/', method: 'GET' }, response: { status: 500 } },
    }),
  ].map((document) => ({ Format: 'xray', Body: JSON.stringify(document) })),
) as RecordedTrace;

describe('an expectation about a trace', () => {
  test.each([
    ['toHaveSegment', ['orders', { origin: 'AWS::Lambda::Function' }], ['orders', { origin: 'AWS::EC2' }]],
    ['toHaveSubsegment', ['## index.handler', { fault: true }], ['us.pycon.org', { status: 200 }]],
    ['toHaveSubsegment', [/^##/], ['orders']],
    ['toHaveAnnotation', ['user_id', 'brian1'], ['user_id', 'dan1']],
    ['toHaveAnnotation', ['tries', (value: unknown) => Number(value) > 1], ['tier']],
    ['toHaveMetadata', ['response', { status_code: 200 }], ['response', { status_code: 201 }]],
    ['toHaveMetadata', ['response', { items: expect.any(Array) }], ['request']],
    ['toCall', ['us.pycon.org'], ['us.pycon.org', 'orders']],
    ['toCall', ['orders', /pycon/], ['payments']],
    ['toBeFasterThan', [501], [500]],
    ['toBeFasterThan', [301, 'Invocation'], [301, 'invocation']],
    ['toHaveFault', ['TypeError'], ['RangeError']],
    ['toHaveFault', [/no user$/], [/^no user/]],
    ['toMatchFilter', ['annotation.tries = 2'], ['annotation.tries = 3']],
  ] as const)('%s holds for %j and not for %j', (name, passing, failing) => {
    const expectations = expectTrace(trace) as unknown as Record<string, (...args: readonly unknown[]) => void>;
    const negated = expectTrace(trace).not as unknown as typeof expectations;
    expectations[name]?.(...passing);
    negated[name]?.(...failing);
    expect(() => expectations[name]?.(...failing)).toThrow(AssertionError);
    expect(() => negated[name]?.(...passing)).toThrow(/^expected the trace not /);
  });

  test('that fails names the actual values and shows the trace', () => {
    const { message } = traceMatchers.toHaveSubsegment(trace, '## index.handlr');
    expect(message()).toBe(
      [
        'expected the trace to have a subsegment "## index.handlr"; there is: Invocation, ## index.handler, us.pycon.org',
        '',
        '1-6650a080-3c4d5e6f708192a3b4c5d6e7',
        ' - 0.500s - orders [HTTP: 200] (AWS::Lambda)',
        '   - 0.500s - orders (AWS::Lambda::Function)',
        '     - 0.300s - Invocation',
        '       - 0.300s - ## index.handler (fault)  user_id="brian1"  cold=true  tries=2  metadata: shop  TypeError: no user',
        '         - 0.300s - us.pycon.org [HTTP: 500] (remote, fault)',
      ].join('\n'),
    );
  });

  test('works as a matcher of vitest, also negated', () => {
    expect.extend(traceMatchers);
    const expected = () => expect(trace) as unknown as ReturnType<typeof expectTrace>;
    expected().toCall('orders', 'us.pycon.org');
    expected().not.toBeOk();
    expect(() => expected().toBeOk()).toThrow('expected the trace to be without fault, error and throttle');
  });

  test('about completeness names what is missing', () => {
    const open = recordedTrace([
      { Format: 'xray', Body: JSON.stringify(aSegment({ end_time: undefined, in_progress: true })) },
    ]) as RecordedTrace;
    expectTrace(trace).toBeComplete();
    expect(() => expectTrace(open).toBeComplete()).toThrow('; there is: "shop" is in progress');
    expect(() => expectTrace(open).toBeFasterThan(1000)).toThrow('the trace is in progress');
  });
});

test('every JSON value matches itself', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => isAsExpected(structuredClone(value), value)));
});
