import { describe, expect, test } from 'vitest';
import type { EntityId, TraceId } from '../../model/trace-id.ts';
import {
  functionSegment,
  inProgressFunctionSegment,
  inProgressServiceSegment,
  type RecordedTrace,
  type SandboxRun,
  type ServiceCall,
  serviceSegment,
} from './lambda-segments.ts';

const id = (text: string) => text as EntityId;
const traceId = '6650a0803c4d5e6f708192a3b4c5d6e7' as TraceId;
const trace: RecordedTrace = {
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
const arn = 'arn:aws:lambda:us-east-1:000000000000:function:VanillaFunction';
const fn = { name: 'VanillaFunction', arn, accountId: '000000000000', logGroup: '/aws/lambda/VanillaFunction' };
const aws = { function_arn: arn };

const call: ServiceCall = {
  function: fn,
  trace,
  requestId: '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11',
  startUs: 1716560000100250,
  endUs: 1716560001880001,
  status: 200,
};

const cold: SandboxRun = {
  function: fn,
  trace,
  traceFormat: 1,
  parentId: trace.ids.service,
  startUs: 1716560000848121,
  endUs: 1716560001877211,
  initialization: { startUs: 1716560000231340, endUs: 1716560000846955, isFault: false },
  invocation: { startUs: 1716560000848401, endUs: 1716560001876720 },
  responseStartUs: 1716560001876600,
  hasOverhead: true,
  isFault: false,
  cause: undefined,
};

describe('the service’s segment', () => {
  test('has the fields of AWS::Lambda; whole milliseconds enclose the measured times', () => {
    expect(serviceSegment(call)).toEqual({
      id: '4f1c2d3e4a5b6c70',
      name: 'VanillaFunction',
      start_time: 1716560000.1,
      trace_id: '1-6650a080-3c4d5e6f708192a3b4c5d6e7',
      end_time: 1716560001.881,
      http: { response: { status: 200 } },
      aws: { request_id: '2f6f6a3e-6c1f-4a57-9d5c-0b8f4d1e7a11' },
      origin: 'AWS::Lambda',
      resource_arn: arn,
    });
  });

  test('is a child of the caller that sent a parent', () => {
    const called = { ...call, trace: { ...trace, callerId: id('a1b2c3d4e5f60718') } };
    expect(serviceSegment(called).parent_id).toBe('a1b2c3d4e5f60718');
  });

  test('is marked when the service throttled or failed', () => {
    expect(serviceSegment({ ...call, status: 429 })).toMatchObject({ throttle: true, error: true });
    expect(serviceSegment({ ...call, status: 500 })).toMatchObject({ fault: true });
    expect(serviceSegment(call)).not.toHaveProperty('fault');
  });

  test('of an asynchronous call ends with its 202; dwell time and attempts end later', () => {
    const queued = {
      dwell: { startUs: 1716560010010000, endUs: 1716560010140000 },
      attempts: [{ id: id('2b3c4d5e6f708192'), startUs: 1716560010140000, endUs: 1716560010900000, status: 200 }],
    };
    const dwell = id('1a2b3c4d5e6f7081');
    expect(serviceSegment({ ...call, status: 202, queued }, { dwell })).toMatchObject({
      http: { response: { status: 202 } },
      subsegments: [
        { id: dwell, name: 'Dwell Time', start_time: 1716560010.01, end_time: 1716560010.14 },
        {
          id: '2b3c4d5e6f708192',
          name: 'Attempt #1',
          start_time: 1716560010.14,
          end_time: 1716560010.9,
          http: { response: { status: 200 } },
        },
      ],
    });
    expect(inProgressServiceSegment(call)).toMatchObject({ in_progress: true, start_time: 1716560000.1 });
    expect(inProgressServiceSegment(call)).not.toHaveProperty('end_time');
  });
});

describe('the sandbox’s segment', () => {
  const head = {
    id: '5a6b7c8d9e0f1a20',
    name: 'VanillaFunction',
    start_time: 1716560000.848121,
    trace_id: '1-6650a080-3c4d5e6f708192a3b4c5d6e7',
    parent_id: '4f1c2d3e4a5b6c70',
    aws: {
      account_id: '000000000000',
      function_arn: arn,
      cloudwatch_logs: [{ log_group: '/aws/lambda/VanillaFunction' }],
      resource_names: ['VanillaFunction'],
    },
    origin: 'AWS::Lambda::Function',
  };
  const initialization = {
    id: '6b1d2e3f4a5b6c71',
    start_time: 1716560000.23134,
    end_time: 1716560000.846955,
    aws,
  };

  test('of a cold start has Initialization before it, Invocation and Overhead in it', () => {
    expect(functionSegment(cold)).toEqual({
      ...head,
      end_time: 1716560001.877211,
      subsegments: [
        { ...initialization, name: 'Initialization' },
        { id: '7c2e3f4a5b6c7d82', name: 'Invocation', start_time: 1716560000.848401, end_time: 1716560001.87672, aws },
        { id: '8d3f4a5b6c7d8e93', name: 'Overhead', start_time: 1716560001.87672, end_time: 1716560001.877211, aws },
      ],
    });
  });

  test('of a warm one has no Initialization', () => {
    const { subsegments } = functionSegment({ ...cold, initialization: undefined });
    expect(subsegments).toMatchObject([{ name: 'Invocation' }, { name: 'Overhead' }]);
  });

  test('is in progress when the event is delivered', () => {
    expect(inProgressFunctionSegment(cold)).toEqual({ ...head, in_progress: true });
  });

  test('in format 2 has only Init below it, and the timings as annotations', () => {
    expect(functionSegment({ ...cold, traceFormat: 2 })).toEqual({
      ...head,
      end_time: 1716560001.877211,
      annotations: { 'aws:responseLatency': 1028.199, 'aws:responseDuration': 0.12, 'aws:runtimeOverhead': 0.491 },
      subsegments: [{ ...initialization, name: 'Init' }],
    });
  });

  test('of a failed handler is a fault with the runtime’s cause, and so is Invocation', () => {
    const cause = { exceptions: [{ id: '1a2b3c4d5e6f7081', type: 'TypeError', message: 'no' }] };
    const segment = functionSegment({ ...cold, initialization: undefined, isFault: true, cause });
    expect(segment).toMatchObject({ fault: true, cause, subsegments: [{ name: 'Invocation', fault: true }, {}] });
  });

  test('of a killed sandbox has no Overhead', () => {
    const { subsegments } = functionSegment({ ...cold, initialization: undefined, isFault: true, hasOverhead: false });
    expect(subsegments).toMatchObject([{ name: 'Invocation', fault: true }]);
  });

  test('of a failed initialisation has only that below it', () => {
    const initialization = { startUs: 1716560000231340, endUs: 1716560000846955, isFault: true };
    const segment = functionSegment({ ...cold, initialization, invocation: undefined, isFault: true });
    expect(segment).toMatchObject({ fault: true, subsegments: [{ name: 'Initialization', fault: true }] });
  });
});
