import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assembleTrace } from './assemble.ts';
import { inferredSegments } from './inferred.ts';
import type { JsonObject } from './json.ts';
import { arbitraryTrace, plainDelivery } from './testing/arbitrary-trace.ts';
import { A_START, A_TRACE_ID, anId, aSegment, aSubsegment, received, receivedTexts } from './testing/builders.ts';
import type { Trace } from './trace.ts';

const CALL = anId('ca11');

function inferredOf(...sent: readonly JsonObject[]) {
  return inferredSegments(assembleTrace(received(...sent)) as Trace);
}

const calling = (fields: JsonObject) => aSegment({ subsegments: [aSubsegment({ id: CALL, ...fields })] });

test('a finished call makes a segment with its times, its outcome and the called resource', () => {
  const aws = { operation: 'GetItem', table_name: 'carts', region: 'eu-west-1' };
  const http = { response: { status: 400 } };
  const [inferred] = inferredOf(
    calling({
      name: 'DynamoDB',
      namespace: 'aws',
      aws,
      http,
      error: true,
      cause: { exceptions: [{ message: 'm' }] },
      annotations: { a: 1 },
      metadata: { m: {} },
    }),
  );
  expect(inferred?.segment.fields).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{16}$/),
    name: 'DynamoDB',
    trace_id: A_TRACE_ID,
    parent_id: CALL,
    start_time: A_START + 0.1,
    end_time: A_START + 0.4,
    inferred: true,
    origin: 'AWS::DynamoDB::Table',
    http,
    aws,
    error: true,
  });
  expect(inferred?.segment).toMatchObject({ kind: 'segment', outcome: 'error', cause: undefined, annotations: {} });
});

test('a host has no origin, a database has one', () => {
  expect(inferredOf(calling({ namespace: 'remote' }))[0]?.segment.fields.origin).toBeUndefined();
  expect(inferredOf(calling({ namespace: 'remote', sql: { url: 'u' } }))[0]?.segment.fields.origin).toBe(
    'Database::SQL',
  );
});

test('a message waits in its queue for as long as it takes to send it', () => {
  const send = calling({
    name: 'SQS',
    namespace: 'aws',
    aws: { operation: 'SendMessageBatch', queue_url: 'https://q' },
  });
  const [inferred] = inferredOf(send);
  expect(inferred?.queueTime?.fields).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{16}$/),
    name: 'QueueTime',
    start_time: A_START + 0.1,
    end_time: A_START + 0.4,
  });
  expect(
    inferredOf(calling({ name: 'SQS', namespace: 'aws', aws: { operation: 'ReceiveMessage' } }))[0]?.queueTime,
  ).toBeUndefined();
});

test.each<[string, JsonObject[]]>([
  ['work inside the process', [calling({ namespace: 'local' })]],
  ['an unfinished call', [calling({ namespace: 'remote', end_time: null, in_progress: true })]],
  [
    'a call with a segment of the called service',
    [calling({ namespace: 'remote' }), aSegment({ id: anId('b'), parent_id: CALL })],
  ],
  ['a call outside of a segment', [aSubsegment({ id: CALL, namespace: 'remote', parent_id: anId('e') })]],
])('%s makes no inferred segment', (_, sent) => {
  expect(inferredOf(...sent)).toEqual([]);
});

test('ids are the same each time, and differ from each other and from all sent ids', () => {
  fc.assert(
    fc.property(arbitraryTrace(), (generated) => {
      const trace = assembleTrace(receivedTexts(plainDelivery(generated))) as Trace;
      const made = inferredSegments(trace).flatMap(({ segment, queueTime }) => [
        segment.id,
        ...(queueTime ? [queueTime.id] : []),
      ]);
      expect(new Set([...made, ...trace.entities.keys()]).size).toBe(made.length + trace.entities.size);
      expect(inferredSegments(trace).map(({ segment }) => segment.id)).toEqual(
        inferredSegments(trace).map(({ segment }) => segment.id),
      );
    }),
  );
});

test('ids of calls with consecutive ids look random', () => {
  const calls = Array.from({ length: 2_000 }, (_, index) =>
    aSubsegment({ id: (index + 1).toString(16).padStart(16, '0'), namespace: 'remote' }),
  );
  const trace = assembleTrace(
    calls
      .flatMap((call) =>
        received({ ...call, type: 'subsegment', parent_id: anId('5a6b7c8d9e0f1a20'), trace_id: A_TRACE_ID }),
      )
      .concat(received(aSegment())),
  ) as Trace;
  const ids = inferredSegments(trace).map(({ segment }) => segment.id);
  expect(new Set(ids).size).toBe(2_000);
  for (let position = 0; position < 16; position++) {
    const counts = new Map<string, number>();
    for (const id of ids) counts.set(id.charAt(position), (counts.get(id.charAt(position)) ?? 0) + 1);
    // 125 of each of the 16 digits are expected; six standard deviations are 65.
    for (const count of counts.values()) expect(Math.abs(count - 125)).toBeLessThan(65);
    expect(counts.size).toBe(16);
  }
});

describe('a request that two instrumentations recorded', () => {
  const INNER = anId('1a1b');
  const sqs = (operation: string | undefined, queue_url?: string) => ({
    name: 'SQS',
    namespace: 'aws',
    aws: { ...(operation !== undefined && { operation }), ...(queue_url !== undefined && { queue_url }) },
  });
  const nested = (outer: JsonObject, inner: JsonObject) =>
    calling({ ...outer, subsegments: [aSubsegment({ id: INNER, ...inner })] });
  const idsOf = (...sent: readonly JsonObject[]) => inferredOf(...sent).map(({ segment }) => segment.fields.parent_id);

  test.each<[string, JsonObject, JsonObject, readonly string[]]>([
    ['both name the queue', sqs('SendMessage', 'https://q'), sqs('SendMessage', 'https://q'), [CALL]],
    ['a batch', sqs('SendMessage', 'https://q'), sqs('SendMessageBatch', 'https://q'), [CALL]],
    ['only the inner record names the queue', sqs('SendMessage'), sqs('SendMessage', 'https://q'), [INNER]],
    ['only the outer record names the queue', sqs('SendMessage', 'https://q'), sqs('SendMessage'), [CALL]],
    ['the outer record names no operation', sqs(undefined), sqs('SendMessage', 'https://q'), [INNER]],
    ['two queues are two requests', sqs('SendMessage', 'https://q'), sqs('SendMessage', 'https://r'), [CALL, INNER]],
    ['two operations are two requests', sqs('ReceiveMessage'), sqs('DeleteMessage'), [CALL, INNER]],
    ['two services are two requests', sqs('SendMessage'), { ...sqs('GetCallerIdentity'), name: 'STS' }, [CALL, INNER]],
    ['a host is not a service of AWS', { namespace: 'remote' }, { namespace: 'remote' }, [CALL, INNER]],
  ])('%s', (_, outer, inner, ids) => {
    expect(idsOf(nested(outer, inner)).sort()).toEqual([...ids].sort());
  });

  test('has no inferred segment once one of its records has the segment of the called service', () => {
    const records = nested(sqs('SendMessage', 'https://q'), sqs('SendMessage', 'https://q'));
    for (const parent_id of [CALL, INNER]) {
      expect(idsOf(records, aSegment({ id: anId('5e'), name: 'worker', parent_id }))).toEqual([]);
    }
  });
});
