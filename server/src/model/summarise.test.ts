import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import type { JsonObject } from './json.ts';
import { summariseTrace } from './summarise.ts';
import { arbitraryDeliveries } from './testing/arbitrary-trace.ts';
import { A_START, anId, aSegment, aSubsegment, received, receivedTexts } from './testing/builders.ts';
import type { Trace } from './trace.ts';

const CALL = anId('ca11');

function summaryOf(...sent: readonly JsonObject[]) {
  return summariseTrace(assembleTrace(received(...sent)) as Trace);
}

describe('times', () => {
  const root = (fields: JsonObject = {}) =>
    aSegment({
      start_time: 100,
      end_time: 102,
      subsegments: [aSubsegment({ id: CALL, namespace: 'remote', start_time: 100.1, end_time: 101 })],
      ...fields,
    });
  const callee = (fields: JsonObject = {}) =>
    aSegment({ id: anId('b'), parent_id: CALL, start_time: 100.5, end_time: 107, ...fields });

  test('the response time is that of the root, the duration that of the whole trace', () => {
    expect(summaryOf(root(), callee())).toMatchObject({
      startUs: 100e6,
      responseTimeUs: 2_000_000,
      durationUs: 7_000_000,
    });
  });

  test('the duration is undefined while an entity is unfinished, the response time only while the root is', () => {
    const open = { end_time: null, in_progress: true };
    expect(summaryOf(root(), callee(open))).toMatchObject({ responseTimeUs: 2_000_000, durationUs: undefined });
    expect(summaryOf(root(open))).toMatchObject({ responseTimeUs: undefined, durationUs: undefined, isPartial: false });
  });

  test('a trace starts with its earliest entity, which may be a subsegment', () => {
    const early = aSubsegment({ start_time: 99.25, end_time: 99.5 });
    expect(summaryOf(root({ subsegments: [early] })).startUs).toBe(99_250_000);
  });

  test('an orphan does not change the duration', () => {
    const orphan = aSubsegment({ id: anId('d'), parent_id: anId('e'), start_time: 100, end_time: 200 });
    expect(summaryOf(root(), orphan)).toMatchObject({ durationUs: 2_000_000, isPartial: true });
    expect(summaryOf(orphan)).toMatchObject({
      durationUs: undefined,
      startUs: 100e6,
      segmentCount: 0,
      subsegmentCount: 1,
    });
  });
});

describe('flags', () => {
  test('are those of the root; a failure that it handled is in the any-flags', () => {
    const sent = [
      aSegment({ subsegments: [aSubsegment({ id: CALL, namespace: 'remote', http: { response: { status: 429 } } })] }),
      aSegment({ id: anId('b'), parent_id: CALL, fault: true }),
    ];
    expect(summaryOf(...sent)).toMatchObject({
      hasFault: false,
      hasError: false,
      hasThrottle: false,
      anyFault: true,
      anyError: false,
      anyThrottle: true,
      worstOutcome: 'fault',
    });
  });

  test('the worst outcome is that of one entity: a throttle that is flagged as a fault too is a throttle', () => {
    const both = aSegment({ fault: true, throttle: true });
    expect(summaryOf(both)).toMatchObject({ anyFault: true, anyThrottle: true, worstOutcome: 'throttle' });
    expect(summaryOf({ ...both, subsegments: [aSubsegment({ fault: true })] }).worstOutcome).toBe('fault');
  });

  test('a throttled root is no error', () => {
    expect(summaryOf(aSegment({ error: true, throttle: true }))).toMatchObject({ hasThrottle: true, hasError: false });
  });

  test('are all false without a root, and there is no entry point', () => {
    const summary = summaryOf(aSegment({ parent_id: CALL, fault: true, http: { response: { status: 500 } } }));
    expect(summary).toMatchObject({
      hasFault: false,
      anyFault: true,
      isPartial: true,
      entryPoint: undefined,
      http: {},
    });
    expect(summary.responseTimeUs).toBeUndefined();
  });
});

test('values come from every entity, each once, in order of their start', () => {
  const summary = summaryOf(
    aSegment({
      user: 'ann',
      resource_arn: 'arn:1',
      aws: { ec2: { instance_id: 'i-1', availability_zone: 'a' } },
      annotations: { tier: 'gold', n: 1 },
      subsegments: [
        aSubsegment({
          id: anId('2'),
          start_time: A_START + 0.3,
          annotations: { tier: 'silver', n: true, __proto: 'x' },
        }),
        aSubsegment({ id: anId('1'), start_time: A_START + 0.2, annotations: { tier: 'gold', n: '1' } }),
      ],
    }),
    aSegment({
      id: anId('b'),
      parent_id: anId('1'),
      start_time: A_START + 0.4,
      user: 'brian',
      resource_arn: 'arn:1',
      aws: { ec2: { instance_id: 'i-2', availability_zone: 'a' } },
      annotations: { n: 1 },
    }),
    aSegment({ id: anId('c'), parent_id: anId('1'), start_time: A_START + 0.45, user: 'ann' }),
  );
  expect(summary).toMatchObject({
    users: ['ann', 'brian'],
    resourceArns: ['arn:1'],
    instanceIds: ['i-1', 'i-2'],
    availabilityZones: ['a'],
    segmentCount: 3,
    subsegmentCount: 2,
  });
  expect(summary.annotations).toEqual({ tier: ['gold', 'silver'], n: [1, '1', true], __proto: ['x'] });
});

test('an annotation may have any name', () => {
  const text = JSON.stringify(aSegment({ annotations: { NAME: 1 } })).replace('NAME', '__proto__');
  const { annotations } = summariseTrace(assembleTrace(receivedTexts([text])) as Trace);
  expect(Object.entries(annotations)).toEqual([['__proto__', [1]]]);
});

test('the root gives the entry point and the request, the graph the services', () => {
  const http = {
    request: { method: 'GET', url: 'https://shop.example/', client_ip: '192.0.2.9', user_agent: 'curl/8' },
    response: { status: 200 },
  };
  const summary = summaryOf(
    aSegment({
      origin: 'AWS::ECS::Container',
      http,
      subsegments: [aSubsegment({ name: 'host', namespace: 'remote' })],
    }),
  );
  const entry = { name: 'shop', type: 'AWS::ECS::Container', accountId: undefined };
  expect(summary.entryPoint).toEqual(entry);
  expect(summary.services).toEqual([
    { name: 'host', type: 'remote', accountId: undefined },
    entry,
    { ...entry, type: 'client' },
  ]);
  expect(summary.http).toEqual({
    method: 'GET',
    url: 'https://shop.example/',
    clientIp: '192.0.2.9',
    userAgent: 'curl/8',
    status: 200,
  });
});

test('root causes, revision and time of the last document are those of the trace', () => {
  const summary = summaryOf(
    aSegment({ fault: true, cause: { exceptions: [{ type: 'E', message: 'm' }] } }),
    aSubsegment({ parent_id: anId('e') }),
  );
  expect(summary.rootCauses.fault).toHaveLength(1);
  expect(summary).toMatchObject({ revision: 2, updatedUs: A_START * 1e6 + 1 });
});

test('the summary is the same for every way of sending a trace, except for revision and arrival', () => {
  fc.assert(
    fc.property(arbitraryDeliveries(2), ({ deliveries }) => {
      const [one, other] = deliveries.map((delivery) => {
        const { revision, updatedUs, ...summary } = summariseTrace(assembleTrace(receivedTexts(delivery)) as Trace);
        return summary;
      });
      expect(one).toEqual(other);
    }),
  );
});
