import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assembleTrace } from '../../assemble.ts';
import type { Document } from '../../entity.ts';
import { KIND, type LogRecord, type SpanWithResource, STATUS } from '../../otlp-messages.ts';
import { aSegment, aSubsegment, received } from '../../testing/builders.ts';
import { aSpan, attributes } from '../../testing/spans.ts';
import type { Trace } from '../../trace.ts';
import { traceGraph } from '../../trace-graph.ts';
import { logWriter, spanWriter } from './stored-spans.ts';

const TRACE = '6650a0803c4d5e6f708192a3b4c5d6e7';
const id = (digit: string) => digit.repeat(16);

let seq = 0;
const stored = (entry: SpanWithResource): Document => spanWriter(entry, new Set())(entry.span, ++seq);
const logged = (record: LogRecord): Document => logWriter({ ...EMPTY })({ traceId: TRACE, ...record }, ++seq);
const EMPTY = { resource: {}, resourceSchemaUrl: undefined, scope: {}, scopeSchemaUrl: undefined };

/** The trace of these documents. Checks that it is the same in any order. */
function traceOf(...documents: readonly Document[]): Trace {
  const trace = assembleTrace(documents) as Trace;
  const outline = (of: Trace | undefined) => [...(of?.entities.values() ?? [])].map(({ fields, ...entity }) => entity);
  fc.assert(
    fc.property(fc.shuffledSubarray([...documents], { minLength: documents.length }), (shuffled) => {
      expect(outline(assembleTrace(shuffled))).toEqual(outline(trace));
    }),
    { numRuns: 10 },
  );
  return trace;
}

const kindOf = (trace: Trace, digit: string) => trace.entities.get(id(digit) as never)?.kind;

test('the span around a handler is part of the function that Lambda reports', () => {
  const invocation = aSubsegment({ id: id('b'), name: 'Invocation' });
  const lambda = aSegment({
    id: id('a'),
    name: 'register',
    origin: 'AWS::Lambda::Function',
    subsegments: [invocation],
  });
  const handler = aSpan(
    { traceId: TRACE, spanId: id('c'), parentSpanId: id('b'), flags: 0x301, kind: KIND.server, name: 'register' },
    { 'service.name': 'registration', 'faas.name': 'register' },
  );
  const trace = traceOf(...received(lambda), stored(handler));
  expect(kindOf(trace, 'c')).toBe('subsegment');
  expect(traceGraph(trace).nodes.map(({ service }) => service.type)).toEqual(['AWS::Lambda::Function', 'client']);
  expect(kindOf(traceOf(stored(handler)), 'c')).toBe('segment');
});

test('a span without flags becomes a segment if its parent is of another service', () => {
  const caller = aSpan({ traceId: TRACE, spanId: id('a'), kind: KIND.server }, { 'service.name': 'shop' });
  const below = { traceId: TRACE, spanId: id('b'), parentSpanId: id('a'), kind: KIND.internal };
  const elsewhere = aSpan(below, { 'service.name': 'stock' });
  const inside = aSpan(below, { 'service.name': 'shop' });
  expect(kindOf(traceOf(stored(elsewhere)), 'b')).toBe('subsegment');
  expect(kindOf(traceOf(stored(caller), stored(elsewhere)), 'b')).toBe('segment');
  expect(kindOf(traceOf(stored(caller), stored(inside)), 'b')).toBe('subsegment');
});

test('a document has the entities that its span may become', () => {
  const below = { traceId: TRACE, spanId: id('b'), parentSpanId: id('a'), kind: KIND.client };
  const [document] = [stored(aSpan(below, { 'service.name': 'stock' }))];
  expect(document?.format === 'otlp' && document.alternativeEntities().map(({ kind, name }) => [kind, name])).toEqual([
    ['segment', 'stock'],
    ['subsegment', 'work'],
  ]);
});

test('a call that is the first work of its service is below a segment of that service, with any parent', () => {
  const caller = aSegment({ id: id('a'), name: 'web' });
  const call = aSpan(
    { traceId: TRACE, spanId: id('b'), parentSpanId: id('a'), flags: 0x301, kind: KIND.client },
    { 'service.name': 'shop' },
  );
  const trace = traceOf(...received(caller), stored(call));
  expect(trace.segments.map(({ name }) => name).sort()).toEqual(['shop', 'web']);
  expect(trace.isPartial).toBe(false);
  expect(trace.segmentOf.get(id('b') as never)?.name).toBe('shop');
});

const failure = { code: STATUS.error, message: 'failed' };
const exception = (type: string) => attributes({ 'exception.type': type, 'exception.message': 'no' });

test('exceptions in log records belong to their span, in the order of time', () => {
  const events = [{ name: 'exception', timeUnixNano: '1716560000200000000', attributes: exception('Second') }];
  const span = aSpan({ traceId: TRACE, spanId: id('a'), kind: KIND.server, status: failure, events });
  const trace = traceOf(
    logged({ spanId: id('a'), timeUnixNano: '1716560000100000000', attributes: exception('First') }),
    stored(span),
    logged({ spanId: id('a'), observedTimeUnixNano: '1716560000300000000', attributes: exception('Third') }),
    // A duplicate of the event.
    logged({ spanId: id('a'), timeUnixNano: '1716560000200400000', attributes: exception('Second') }),
  );
  expect(trace.root?.cause?.exceptions.map(({ type }) => type)).toEqual(['First', 'Second', 'Third']);
});

test('log records without a span are no trace', () => {
  expect(assembleTrace([logged({ spanId: id('a'), attributes: exception('Lost') })])).toBeUndefined();
});

test('a finished span replaces the unfinished one', () => {
  const open = aSpan({ traceId: TRACE, spanId: id('a'), endTimeUnixNano: undefined, name: 'open' });
  const done = aSpan({ traceId: TRACE, spanId: id('a') });
  const trace = traceOf(stored(open), stored(done));
  expect(trace.segments).toHaveLength(1);
  expect(trace.root?.endUs).toBe(1716560000500000);
  expect(traceOf(stored(open)).root?.endUs).toBeUndefined();
});
