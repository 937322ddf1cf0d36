import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assembleTrace } from '../../assemble.ts';
import type { Document } from '../../entity.ts';
import { KIND, type Span } from '../../otlp-messages.ts';
import type { EntityId } from '../../trace-id.ts';
import { serverSideId } from '../to-xray/derived-ids.ts';
import { spanWriter } from './stored-spans.ts';
import { traceToSpans } from './trace-to-spans.ts';

const TRACE = '6650a0803c4d5e6f708192a3b4c5d6e7';
const ROOT = 'a'.repeat(16);
const SHARED = 'b'.repeat(16);
const DERIVED = serverSideId(TRACE, SHARED);
const CHILD = 'c'.repeat(16);

type Sent = readonly [service: string, span: Partial<Span>];

function span(service: string, spanId: string, parentSpanId: string, kind: number, name = service): Sent {
  const times = { startTimeUnixNano: '1716560000000000000', endTimeUnixNano: '1716560000000001000' };
  return [service, { spanId, parentSpanId, kind, name, ...times }];
}

function documents(sent: readonly Sent[]): readonly Document[] {
  return sent.map(([service, members], index) => {
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
    const shared = { resource, resourceSchemaUrl: undefined, scope: undefined, scopeSchemaUrl: undefined };
    return spanWriter(shared, new Set())({ traceId: TRACE, spanId: '', ...members }, index + 1);
  });
}

/** Every entity with its name, its kind and its parent, by id. */
function shapeOf(sent: readonly Sent[]) {
  const entities = assembleTrace(documents(sent))?.entities ?? new Map();
  return Object.fromEntries(
    [...entities].sort().map(([id, { name, kind, parentId }]) => [id, `${kind} ${name} below ${parentId}`]),
  );
}

const FRONT = span('front', ROOT, '', KIND.server);
const CLIENT = span('front', SHARED, ROOT, KIND.client, 'get');
const SERVER = span('back', SHARED, ROOT, KIND.server);
const SERVER_OF_ZIPKIN = span('back', DERIVED, SHARED, KIND.server);
const BELOW_SERVER = span('back', CHILD, SHARED, KIND.internal, 'work');
const BELOW_CLIENT = span('front', 'd'.repeat(16), SHARED, KIND.internal, 'wait');

const SEPARATE = {
  [ROOT]: 'segment front below undefined',
  [SHARED]: `subsegment get below ${ROOT}`,
  [DERIVED]: `segment back below ${SHARED}`,
  [CHILD]: `subsegment work below ${DERIVED}`,
  ['d'.repeat(16)]: `subsegment wait below ${SHARED}`,
};

describe('both sides of a call with one span id', () => {
  test.each([
    ['by OTLP', SERVER],
    ['the server side by Zipkin, its child in another request', SERVER_OF_ZIPKIN],
  ])('are kept, in any order and with repeats: %s', (_, server) => {
    const all = [FRONT, CLIENT, server, BELOW_SERVER, BELOW_CLIENT];
    fc.assert(
      fc.property(fc.shuffledSubarray([...all, ...all], { minLength: 10 }), (sent) => {
        expect(shapeOf(sent)).toEqual(SEPARATE);
      }),
    );
  });

  test('are one server side if it arrives by both protocols', () => {
    const all = [FRONT, CLIENT, SERVER, SERVER_OF_ZIPKIN, BELOW_SERVER, BELOW_CLIENT];
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (sent) => {
        expect(shapeOf(sent)).toEqual(SEPARATE);
      }),
    );
  });

  test('keep the sent id while there is only one of them', () => {
    expect(Object.keys(shapeOf([FRONT, SERVER, BELOW_SERVER]))).toEqual([ROOT, SHARED, CHILD]);
  });

  test('are spans of their own in OpenTelemetry, too', () => {
    const sent = documents([FRONT, CLIENT, SERVER, BELOW_SERVER]);
    const trace = assembleTrace(sent);
    const spans = traceToSpans(trace as NonNullable<typeof trace>, sent).map(({ spanWithResource }) => [
      spanWithResource.span.spanId,
      spanWithResource.span.parentSpanId,
      spanWithResource.span.name,
    ]);
    expect(spans.sort()).toEqual(
      [
        [ROOT, '', 'front'],
        [SHARED, ROOT, 'get'],
        [DERIVED, SHARED, 'back'],
        [CHILD, DERIVED, 'work'],
      ].sort(),
    );
  });
});

test('no span is lost, with any ids, kinds and services of spans, and their order does not matter', () => {
  const anySpan = fc
    .record({
      service: fc.constantFrom('front', 'back', 'stock'),
      id: fc.constantFrom(ROOT, SHARED, CHILD),
      parent: fc.constantFrom('', ROOT, SHARED, CHILD),
      kind: fc.integer({ min: 1, max: 5 }),
    })
    .map(({ service, id, parent, kind }) => span(service, id, id === parent ? '' : parent, kind));
  const sideOf = ([service, { spanId, kind }]: Sent) => `${spanId} ${service} ${kind}`;
  const anyTrace = fc.uniqueArray(anySpan, { selector: sideOf, minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(
      anyTrace.chain((sent) => fc.tuple(fc.constant(sent), fc.shuffledSubarray(sent, { minLength: sent.length }))),
      ([sent, shuffled]) => {
        expect(shapeOf(shuffled)).toEqual(shapeOf(sent));
        const trace = assembleTrace(documents(sent));
        const received = traceToSpans(trace as NonNullable<typeof trace>, documents(sent));
        expect(received).toHaveLength(sent.length);
        expect(new Set(received.map(({ spanWithResource }) => spanWithResource.span.spanId)).size).toBe(sent.length);
      },
    ),
  );
});

test('the same span in two versions stays one span: the first finished one counts', () => {
  const [service, members] = SERVER;
  const running: Sent = [service, { ...members, name: 'running', endTimeUnixNano: undefined }];
  const again: Sent = [service, { ...members, name: 'again' }];
  const trace = assembleTrace(documents([CLIENT, running, SERVER, again]));
  expect(trace?.entities.get(DERIVED as EntityId)?.endUs).toBeDefined();
  expect(trace?.entities.size).toBe(2);
});
