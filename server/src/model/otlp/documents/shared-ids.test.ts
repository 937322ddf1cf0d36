import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assembleTrace } from '../../assemble.ts';
import type { Document } from '../../entity.ts';
import type { JsonObject } from '../../json.ts';
import { KIND, type Span } from '../../otlp-messages.ts';
import { processedDocuments } from '../../processed-document.ts';
import { anId, aSegment, aSubsegment, received, receivedTexts } from '../../testing/builders.ts';
import type { EntityId } from '../../trace-id.ts';
import { serverSideId } from '../to-xray/derived-ids.ts';
import { spanWriter } from './stored-spans.ts';
import { traceToSpans } from './trace-to-spans.ts';

const TRACE = '6650a0803c4d5e6f708192a3b4c5d6e7';
const ROOT = 'a'.repeat(16);
const SHARED = 'b'.repeat(16);
const DERIVED = serverSideId(TRACE, SHARED);
const CHILD = 'c'.repeat(16);

type SentSpan = readonly [service: string, span: Partial<Span>];
/** A span, or a document of X-Ray. */
type Sent = SentSpan | JsonObject;

function span(service: string, spanId: string, parentSpanId: string, kind: number, name = service): SentSpan {
  const times = { startTimeUnixNano: '1716560000000000000', endTimeUnixNano: '1716560000000001000' };
  return [service, { spanId, parentSpanId, kind, name, ...times }];
}

function documents(sent: readonly Sent[]): readonly Document[] {
  return sent.flatMap((one, index) => {
    if (!isSpan(one)) return receivedTexts([JSON.stringify(one)], index + 1);
    const [service, members] = one;
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
    const shared = { resource, resourceSchemaUrl: undefined, scope: undefined, scopeSchemaUrl: undefined };
    return spanWriter(shared, new Set())({ traceId: TRACE, spanId: '', ...members }, index + 1);
  });
}

const isSpan = (sent: Sent): sent is SentSpan => Array.isArray(sent);

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

const anyId = fc.constantFrom(ROOT, SHARED, CHILD);
const anyParent = fc.constantFrom('', ROOT, SHARED, CHILD);
type SentHalf = { readonly side: string; readonly sent: Sent };

const anySpan = fc
  .record({
    service: fc.constantFrom('front', 'back', 'stock'),
    id: anyId,
    parent: anyParent,
    kind: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ service, id, parent, kind }): SentHalf => {
    return { side: `${id} ${service} ${kind}`, sent: span(service, id, id === parent ? '' : parent, kind) };
  });

/** `names`: with a name of a service, a segment may be a version of a span. */
const anyDocument = (names: readonly string[]) =>
  fc
    .record({
      kind: fc.constantFrom('segment', 'inline', 'subsegment'),
      id: anyId,
      parent: anyParent,
      name: fc.constantFrom(...names),
    })
    .map(({ kind, id, parent, name }): SentHalf => {
      const isSegment = kind === 'segment';
      const parent_id = parent === '' || id === parent ? (isSegment ? undefined : 'f'.repeat(16)) : parent;
      if (isSegment) return { side: `${id} segment ${name}`, sent: aSegment({ id, name, parent_id }) };
      const side = `${id} subsegment ${name}`;
      if (kind === 'subsegment') return { side, sent: aSubsegment({ id, name, parent_id }) };
      const around = { id: serverSideId(name, id), name: 'around' };
      return { side, sent: aSegment({ ...around, subsegments: [aSubsegment({ id, name })] }) };
    });

const anyTrace = (names: readonly string[]) =>
  fc
    .uniqueArray(fc.oneof(anySpan, anyDocument(names)), { selector: ({ side }) => side, minLength: 1, maxLength: 8 })
    .map((halves) => halves.map(({ sent }) => sent))
    .chain((sent) => fc.tuple(fc.constant(sent), fc.shuffledSubarray(sent, { minLength: sent.length })));

test('no span, segment or subsegment is lost, with any ids, kinds and names, and their order does not matter', () => {
  fc.assert(
    fc.property(anyTrace(['shop', 'cart']), ([sent, shuffled]) => {
      expect(shapeOf(shuffled)).toEqual(shapeOf(sent));
      const trace = assembleTrace(documents(sent));
      const spans = traceToSpans(trace as NonNullable<typeof trace>, documents(sent));
      const inline = sent.filter((one) => !isSpan(one) && one.subsegments !== undefined).length;
      expect(spans).toHaveLength(sent.length + inline);
      expect(new Set(spans.map(({ spanWithResource }) => spanWithResource.span.spanId)).size).toBe(spans.length);
    }),
  );
});

test('a segment that is the translation of a span is a version of that span', () => {
  const translated = aSegment({ id: CHILD, name: 'back', parent_id: SHARED });
  expect(linesOf([FRONT, CLIENT, BELOW_SERVER, translated])).toEqual([
    'segment back < get',
    'segment front < none',
    'subsegment get < front',
  ]);
});

test('which ids there are does not depend on the order when segments are versions of spans', () => {
  const idsOf = (sent: readonly Sent[]) => {
    const trace = assembleTrace(documents(sent));
    const spans = traceToSpans(trace as NonNullable<typeof trace>, documents(sent));
    return spans.map(({ spanWithResource }) => spanWithResource.span.spanId).sort();
  };
  fc.assert(
    fc.property(anyTrace(['front', 'back']), ([sent, shuffled]) => {
      expect(idsOf(shuffled)).toEqual(idsOf(sent));
    }),
  );
});

test('a server side of another service keeps the derived id that it has from Zipkin', () => {
  const stock = span('stock', DERIVED, SHARED, KIND.server);
  const below = (service: string, id: string) => span(service, id.repeat(16), SHARED, KIND.internal, `in ${service}`);
  const all = [FRONT, CLIENT, SERVER, stock, below('stock', '1'), below('back', '2')];
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (sent) => {
      expect(linesOf(sent)).toEqual([
        'segment back < get',
        'segment front < none',
        'segment stock < get',
        'subsegment get < front',
        'subsegment in back < back',
        'subsegment in stock < stock',
      ]);
    }),
  );
});

test('the same span in two versions stays one span: the first finished one counts', () => {
  const [service, members] = SERVER;
  const running: SentSpan = [service, { ...members, name: 'running', endTimeUnixNano: undefined }];
  const again: SentSpan = [service, { ...members, name: 'again' }];
  const trace = assembleTrace(documents([CLIENT, running, SERVER, again]));
  expect(trace?.entities.get(DERIVED as EntityId)?.endUs).toBeDefined();
  expect(trace?.entities.size).toBe(2);
});

const XRAY_FRONT = aSegment({ id: ROOT, name: 'front' });
const XRAY_CALL = aSubsegment({ id: SHARED, name: 'back.example', namespace: 'remote' });
const HALVES = {
  'X-Ray segment': aSegment({ id: SHARED, name: 'back', parent_id: ROOT }),
  'inline X-Ray call': { ...XRAY_FRONT, subsegments: [XRAY_CALL] },
  'X-Ray call': aSubsegment({ ...XRAY_CALL, parent_id: ROOT }),
  'OTLP client': CLIENT,
  'OTLP server': SERVER,
} as const;
type HalfName = keyof typeof HALVES;
const CHILDREN = [BELOW_SERVER, aSubsegment({ id: 'e'.repeat(16), name: 'streamed', parent_id: SHARED })];

const CALLED_BELOW_CALL = ['segment back < back.example', 'subsegment back.example < front'];
const CALLED_BELOW_SPAN = ['segment back < get', 'subsegment get < front'];
const CALLS = ['subsegment back.example < front', 'subsegment get < front'];
const WORK_BELOW_CALLED = 'subsegment work < back';
/** Without its server side, the work of `back` is the first of that service. */
const ALONE = (parent: string) => `segment back < ${parent}`;

/** Every entity with the name of its parent. */
function linesOf(sent: readonly Sent[]) {
  const entities = assembleTrace(documents(sent))?.entities ?? new Map();
  const lines = [...entities.values()].map(({ kind, name, parentId }) => {
    return `${kind} ${name} < ${parentId === undefined ? 'none' : entities.get(parentId)?.name}`;
  });
  return lines.sort();
}

describe('X-Ray documents and spans with one id', () => {
  test.each<[HalfName, HalfName, readonly string[]]>([
    [
      'X-Ray segment',
      'inline X-Ray call',
      [...CALLED_BELOW_CALL, WORK_BELOW_CALLED, 'subsegment streamed < back.example'],
    ],
    ['X-Ray segment', 'X-Ray call', [...CALLED_BELOW_CALL, WORK_BELOW_CALLED, 'subsegment streamed < back.example']],
    ['X-Ray segment', 'OTLP client', [...CALLED_BELOW_SPAN, WORK_BELOW_CALLED, 'subsegment streamed < back']],
    ['X-Ray segment', 'OTLP server', ['segment back < front', WORK_BELOW_CALLED, 'subsegment streamed < back']],
    [
      'inline X-Ray call',
      'X-Ray call',
      ['subsegment back.example < front', ALONE('back.example'), 'subsegment streamed < back.example'],
    ],
    ['inline X-Ray call', 'OTLP client', [...CALLS, ALONE('get'), 'subsegment streamed < back.example']],
    [
      'inline X-Ray call',
      'OTLP server',
      [...CALLED_BELOW_CALL, WORK_BELOW_CALLED, 'subsegment streamed < back.example'],
    ],
    ['X-Ray call', 'OTLP client', [...CALLS, ALONE('get'), 'subsegment streamed < back.example']],
    ['X-Ray call', 'OTLP server', [...CALLED_BELOW_CALL, WORK_BELOW_CALLED, 'subsegment streamed < back.example']],
    ['OTLP client', 'OTLP server', [...CALLED_BELOW_SPAN, WORK_BELOW_CALLED, 'subsegment streamed < get']],
  ])('%s and %s: none is lost, in any order and with repeats', (one, other, expected) => {
    const hasFront = one.startsWith('inline') || other.startsWith('inline');
    const sent = [HALVES[one], HALVES[other], ...CHILDREN, ...(hasFront ? [] : [XRAY_FRONT])];
    fc.assert(
      fc.property(fc.shuffledSubarray(sent, { minLength: sent.length }), fc.subarray(sent), (order, repeats) => {
        expect(linesOf([...order, ...repeats])).toEqual(['segment front < none', ...expected].sort());
      }),
    );
  });
});

describe('X-Ray documents with one id', () => {
  const namesOf = (...sent: readonly JsonObject[]) => {
    const trace = assembleTrace(received(...sent));
    return [...(trace?.entities.values() ?? [])].map(({ kind, name }) => `${kind} ${name}`).sort();
  };

  test('two segments with one id and different names are both kept', () => {
    expect(namesOf(aSegment({ id: SHARED, name: 'shop' }), aSegment({ id: SHARED, name: 'stock' }))).toEqual([
      'segment shop',
      'segment stock',
    ]);
  });

  test('a segment with the id of the call to it is below that call', () => {
    const sent = [
      aSegment({ id: anId('1'), name: 'shop' }),
      aSubsegment({ id: SHARED, name: 'stock.example', namespace: 'remote', parent_id: anId('1') }),
      aSegment({ id: SHARED, name: 'stock', parent_id: anId('1'), subsegments: [aSubsegment({ id: anId('2') })] }),
    ];
    const trace = assembleTrace(received(...sent));
    const stock = trace?.segments.find(({ name }) => name === 'stock');
    expect(stock?.parentId).toBe(SHARED);
    expect(stock?.id).not.toBe(SHARED);
    expect(trace?.entities.get(anId('2'))?.parentId).toBe(stock?.id);
    expect(trace?.orphans).toEqual([]);
  });

  const CALL = aSubsegment({ id: SHARED, name: 'stock.example', namespace: 'remote' });
  const CALLER = aSegment({ id: anId('1'), name: 'shop', subsegments: [CALL] });
  const CALLED = aSegment({
    id: SHARED,
    name: 'stock',
    parent_id: anId('1'),
    subsegments: [aSubsegment({ id: anId('2') })],
  });

  test.each([
    ['first', [CALLER, CALLED]],
    ['last', [CALLED, CALLER]],
  ])('a segment with the id of an inline call is below that call, which arrives %s', (_, sent) => {
    const trace = assembleTrace(received(...sent));
    const stock = trace?.segments.find(({ name }) => name === 'stock');
    expect(trace?.entities.get(SHARED as EntityId)).toMatchObject({ name: 'stock.example', parentId: anId('1') });
    expect(stock?.parentId).toBe(SHARED);
    expect(trace?.entities.get(anId('2'))?.parentId).toBe(stock?.id);
  });

  test('inline subsegments of two documents with one id and different names are both kept, with what is inside', () => {
    const insideOf = (id: string) => [aSubsegment({ id: anId(id), name: `inside ${id}` })];
    const shop = aSegment({
      id: anId('1'),
      subsegments: [aSubsegment({ id: SHARED, name: 'b', subsegments: insideOf('3') })],
    });
    const stock = aSegment({
      id: anId('2'),
      subsegments: [aSubsegment({ id: SHARED, name: 'a', subsegments: insideOf('4') })],
    });
    const trace = assembleTrace(received(shop, stock));
    const parentName = (id: string) => trace?.entities.get(trace.entities.get(anId(id))?.parentId as EntityId)?.name;
    expect(['3', '4'].map(parentName)).toEqual(['b', 'a']);
    expect(trace?.entities.get(SHARED as EntityId)).toMatchObject({ name: 'a', parentId: anId('2') });
    expect(trace?.childrenOf.get(anId('1'))?.map(({ name }) => name)).toEqual(['b']);
  });

  test('an unfinished version of another name is replaced by the finished one', () => {
    const unfinished = aSegment({ id: SHARED, name: 'unnamed', end_time: undefined, in_progress: true });
    expect(namesOf(unfinished, aSegment({ id: SHARED, name: 'shop' }))).toEqual(['segment shop']);
  });

  test('a repeat with the same name is one entity', () => {
    expect(namesOf(aSegment({ id: SHARED }), aSegment({ id: SHARED, user: 'ann' }))).toEqual(['segment shop']);
  });

  test('the order of arrival does not matter', () => {
    const sent = [
      aSegment({ id: anId('1'), name: 'shop' }),
      aSubsegment({ id: SHARED, name: 'stock.example', namespace: 'remote', parent_id: anId('1') }),
      aSubsegment({ id: SHARED, name: 'other call', parent_id: anId('1') }),
      aSegment({ id: SHARED, name: 'stock', subsegments: [aSubsegment({ id: anId('2') })] }),
      aSegment({ id: SHARED, name: 'billing' }),
      aSegment({ id: SHARED, name: 'early', end_time: undefined, in_progress: true }),
      aSubsegment({ id: anId('3'), name: 'child', parent_id: SHARED }),
      aSegment({
        id: anId('4'),
        subsegments: [
          aSubsegment({
            id: SHARED,
            name: 'inline call',
            subsegments: [aSubsegment({ id: anId('2'), name: 'inside' })],
          }),
          aSubsegment({ id: anId('3'), name: 'inline child' }),
        ],
      }),
    ];
    const documentsOf = (order: typeof sent) => {
      const trace = assembleTrace(received(...order));
      return trace && processedDocuments(trace).map(({ document }) => document);
    };
    const expected = documentsOf(sent);
    fc.assert(
      fc.property(fc.shuffledSubarray(sent, { minLength: sent.length }), fc.subarray(sent), (order, repeated) => {
        expect(documentsOf([...order, ...repeated])).toEqual(expected);
      }),
    );
  });
});
