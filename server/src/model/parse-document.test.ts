import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from './json.ts';
import { DEFAULT_LIMITS, parseDocument } from './parse-document.ts';
import { A_START, A_TRACE_ID, anId, aSegment, aSubsegment } from './testing/builders.ts';

const ID = '5a6b7c8d9e0f1a20';
const CHILD = '7c2e3f4a5b6c7d82';

function parseOne(document: JsonValue) {
  const [parsed, ...others] = parseDocument(JSON.stringify(document), 1);
  expect(others).toEqual([]);
  return parsed;
}

function accepted(document: JsonValue) {
  const parsed = parseOne(document);
  if (!parsed?.ok) throw new Error(parsed?.message);
  return parsed.document;
}

function topOf(document: JsonObject) {
  const [top] = accepted(document).entities;
  if (top === undefined) throw new Error('a document has at least one entity');
  return top;
}

describe('an accepted document', () => {
  test('gives its segment, then its inline subsegments in document order, each below its enclosing entity', () => {
    const document = accepted(
      aSegment({
        subsegments: [
          aSubsegment({ id: 'a'.repeat(16), subsegments: [aSubsegment({ id: 'b'.repeat(16) })] }),
          aSubsegment({ id: 'c'.repeat(16) }),
        ],
      }),
    );
    expect(document.entities.map(({ id, parentId, kind }) => [id, parentId, kind])).toEqual([
      [ID, undefined, 'segment'],
      ['a'.repeat(16), ID, 'subsegment'],
      ['b'.repeat(16), 'a'.repeat(16), 'subsegment'],
      ['c'.repeat(16), ID, 'subsegment'],
    ]);
    expect(document.entities.every(({ traceId }) => traceId === '6650a0803c4d5e6f708192a3b4c5d6e7')).toBe(true);
  });

  test('keeps its text without white space, and every entity its own fields', () => {
    const segment = aSegment({ custom: { deep: [1] }, subsegments: [aSubsegment({ other: null })] });
    const [parsed] = parseDocument(` ${JSON.stringify(segment, null, 2)}\n`, 7);
    const { subsegments, ...own } = segment;
    expect(parsed).toMatchObject({ ok: true, document: { seq: 7, text: JSON.stringify(segment) } });
    expect(parsed?.ok && parsed.document.entities.map(({ fields }) => fields)).toEqual([
      own,
      (subsegments as JsonObject[])[0],
    ]);
  });

  test('folds ids to lower case', () => {
    const top = topOf(
      aSubsegment({ id: ID.toUpperCase(), parent_id: CHILD.toUpperCase(), trace_id: A_TRACE_ID.toUpperCase() }),
    );
    expect(top).toMatchObject({ id: ID, parentId: CHILD, traceId: '6650a0803c4d5e6f708192a3b4c5d6e7' });
  });

  test('has times in whole microseconds, and no end while in progress', () => {
    expect(topOf(aSegment({ start_time: 1.5, end_time: 2.000001 }))).toMatchObject({
      startUs: 1_500_000,
      endUs: 2_000_001,
    });
    expect(topOf(aSegment({ end_time: undefined, in_progress: true })).endUs).toBeUndefined();
    expect(topOf(aSegment({ end_time: A_START + 1, in_progress: false })).endUs).toBe((A_START + 1) * 1e6);
  });

  test('has its name cut at 200 characters, but not inside a surrogate pair', () => {
    expect(topOf(aSegment({ name: 'x'.repeat(300) })).name).toBe('x'.repeat(200));
    const letter = '\u{20000}';
    expect(topOf(aSegment({ name: `${'x'.repeat(199)}${letter}` })).name).toBe('x'.repeat(199));
  });

  test.each(['déjà vu 日本', 'a_b.c:d/e%f&g#h=i+j\\k-l@m', '## index.handler', 'orders@db.example'])(
    'may be named %s',
    (name) => {
      expect(topOf(aSegment({ name })).name).toBe(name);
    },
  );

  test('counts members of other types than documented as absent, and keeps them in its fields', () => {
    const odd = {
      user: '',
      origin: '',
      namespace: null,
      parent_id: '',
      cause: {},
      http: { request: { method: '', url: null }, response: { status: '503', content_length: '12' } },
      annotations: { kept: 'x', nested: { a: 1 }, list: [1], nothing: null, zero: 0, no: false },
      links: [{ trace_id: 'nonsense' }, 'nonsense'],
      aws: { operation: '' },
    };
    const top = topOf(aSegment(odd));
    expect(top).toMatchObject({
      user: undefined,
      origin: undefined,
      namespace: undefined,
      parentId: undefined,
      cause: undefined,
      outcome: 'fault',
      links: [],
    });
    expect(top.http).toEqual({ status: 503 });
    expect(top.annotations).toEqual({ kept: 'x', zero: 0, no: false });
    expect(top.fields).toMatchObject(odd);
  });

  test('may have stack frames without a line, which ES modules have', () => {
    const cause = {
      exceptions: [{ type: 'E', message: 'm', stack: [{ path: 'file', line: null, label: 'handler' }] }],
    };
    expect(topOf(aSegment({ cause })).cause?.exceptions).toEqual([
      { type: 'E', message: 'm', stack: [{ path: 'file', label: 'handler' }] },
    ]);
  });

  test('may refer to an exception in both forms', () => {
    expect(topOf(aSegment({ cause: 'AB'.repeat(8) })).cause).toEqual({ exceptions: [], exceptionId: 'ab'.repeat(8) });
    expect(topOf(aSegment({ cause: { id: CHILD, exceptions: [] } })).cause).toEqual({
      exceptions: [],
      exceptionId: CHILD,
    });
  });

  test('may have fields of independent subsegments on nested ones', () => {
    const python = aSubsegment({ type: 'subsegment', trace_id: A_TRACE_ID, parent_id: ID, in_progress: false });
    expect(accepted(aSegment({ subsegments: [python] })).entities).toHaveLength(2);
  });

  test('may nest 500 subsegments', () => {
    let text = '';
    for (let level = 500; level > 0; level--) {
      const id = level.toString(16).padStart(16, '0');
      text = `{"id":"${id}","name":"n","start_time":1,"end_time":2${text && `,"subsegments":[${text}]`}}`;
    }
    const [parsed] = parseDocument(JSON.stringify(aSegment()).replace('}', `,"subsegments":[${text}]}`), 1);
    expect(parsed?.ok && parsed.document.entities.length).toBe(501);
  });
});

describe('a rejected document', () => {
  const subsegment = (fields: JsonObject) => ({ ...aSubsegment({ parent_id: ID }), ...fields });

  test.each<[string, JsonValue, string, string]>([
    ['a number', 7, 'ParseError', 'entity'],
    ['null', null, 'ParseError', 'entity'],
    ['of an unknown type', aSegment({ type: 'span' }), 'UnknownType', 'entity'],
    ['an empty object', {}, 'MissingId', 'segment'],
    ['an empty array', [], 'MissingId', 'segment'],
    ['with an empty id', aSegment({ id: '' }), 'MissingId', 'segment'],
    ['with an id of 15 digits', aSegment({ id: '5a6b7c8d9e0f1a2' }), 'InvalidId', 'segment'],
    ['with a number for an id', aSegment({ id: 5 }), 'InvalidId', 'segment'],
    ['with an id of zeros', aSegment({ id: '0'.repeat(16) }), 'InvalidId', 'segment'],
    ['without a name', aSegment({ name: undefined }), 'MissingName', 'segment'],
    ['with an empty name', subsegment({ name: '' }), 'MissingName', 'subsegment'],
    ['with brackets in its name', subsegment({ name: 'db@(local)' }), 'InvalidName', 'subsegment'],
    ['with an object for a name', aSegment({ name: {} }), 'InvalidName', 'segment'],
    ['without a trace id', aSegment({ trace_id: undefined }), 'MissingTraceId', 'segment'],
    ['with a W3C trace id', aSegment({ trace_id: '6650a0803c4d5e6f708192a3b4c5d6e7' }), 'InvalidTraceId', 'segment'],
    [
      'with a trace id of zeros',
      aSegment({ trace_id: '1-00000000-000000000000000000000000' }),
      'InvalidTraceId',
      'segment',
    ],
    ['without a start', aSegment({ start_time: undefined }), 'MissingStartTime', 'segment'],
    ['with a text for its start', aSegment({ start_time: '1716560000' }), 'MissingStartTime', 'segment'],
    ['without an end', aSegment({ end_time: undefined }), 'MissingEndTime', 'segment'],
    ['not in progress, without an end', aSegment({ end_time: null, in_progress: false }), 'MissingEndTime', 'segment'],
    ['in progress with an end', aSegment({ in_progress: true }), 'InProgressSegmentHasEndTime', 'segment'],
    [
      'a subsegment in progress with an end',
      subsegment({ in_progress: true }),
      'InProgressSubsegmentHasEndTime',
      'subsegment',
    ],
    ['independent, without a parent', subsegment({ parent_id: '' }), 'MissingParentId', 'subsegment'],
    ['with an invalid parent id', subsegment({ parent_id: 'zz' }), 'InvalidParentId', 'subsegment'],
    ['a segment with an invalid parent id', aSegment({ parent_id: 'zz' }), 'InvalidParentId', 'segment'],
    ['with a text among its subsegments', aSegment({ subsegments: ['x'] }), 'ParseError', 'entity'],
    ['with an invalid subsegment', aSegment({ subsegments: [aSubsegment({ name: '' })] }), 'MissingName', 'subsegment'],
  ])('%s', (_, document, code, kind) => {
    const sentId = typeof document === 'object' && document !== null && 'id' in document ? document.id : undefined;
    expect(parseOne(document)).toEqual({
      ok: false,
      id: typeof sentId === 'string' ? sentId : undefined,
      code,
      message: `Invalid ${kind}. ErrorCode: ${code}${kind === 'subsegment' ? ', Cause: null' : ''}`,
    });
  });

  test.each([
    ['{"id":', 'Invalid segment. ErrorCode: ParseError'],
    ['{} {}', 'Invalid segment. ErrorCode: ParseError'],
    ['nonsense', 'Invalid entity. ErrorCode: ParseError'],
    ['', 'Invalid entity. ErrorCode: ParseError'],
  ])('not JSON: %s', (text, message) => {
    expect(parseDocument(text, 1)).toEqual([{ ok: false, id: undefined, code: 'ParseError', message }]);
  });

  test('the first failing check is the one that is reported', () => {
    const inOrder: [string, JsonValue, string][] = [
      ['type', 'span', 'UnknownType'],
      ['id', '', 'MissingId'],
      ['name', '', 'MissingName'],
      ['trace_id', '', 'MissingTraceId'],
      ['start_time', '', 'MissingStartTime'],
      ['end_time', '', 'MissingEndTime'],
      ['parent_id', 'zz', 'InvalidParentId'],
    ];
    inOrder.forEach(([, , code], index) => {
      const broken = Object.fromEntries(inOrder.slice(index).map(([member, value]) => [member, value]));
      expect(parseOne(aSegment(broken))).toMatchObject({ code });
    });
  });

  test('over the limit in bytes, not characters', () => {
    const segment = JSON.stringify(aSegment({ user: 'é'.repeat(100) }));
    const bytes = new TextEncoder().encode(segment).length;
    expect(bytes).toBeGreaterThan(segment.length);
    expect(parseDocument(segment, 1, { ...DEFAULT_LIMITS, maxBytes: bytes })[0]?.ok).toBe(true);
    expect(parseDocument(segment, 1, { ...DEFAULT_LIMITS, maxBytes: bytes - 1 })).toEqual([
      { ok: false, id: undefined, code: 'DocumentTooLarge', message: 'Invalid entity. ErrorCode: DocumentTooLarge' },
    ]);
  });

  test('nested too deep', () => {
    const text = JSON.stringify(aSegment()).replace('}', `,"metadata":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
    expect(parseDocument(text, 1)).toMatchObject([{ ok: false, id: ID, code: 'DocumentTooDeep' }]);
  });
});

test('each document of an array is accepted or rejected separately', () => {
  const parsed = parseDocument(
    JSON.stringify([aSegment(), aSubsegment({ parent_id: ID }), aSegment({ id: 'x' }), 3]),
    9,
  );
  expect(parsed).toMatchObject([
    { ok: true, document: { id: ID, seq: 9 } },
    { ok: true, document: { id: CHILD, seq: 9 } },
    { ok: false, id: 'x', code: 'InvalidId' },
    { ok: false, id: undefined, code: 'ParseError' },
  ]);
});

test('the parser throws for no text', () => {
  const almost = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .dictionary(
        fc.constantFrom(
          'id',
          'name',
          'trace_id',
          'start_time',
          'end_time',
          'type',
          'subsegments',
          'http',
          'aws',
          'cause',
          'links',
        ),
        fc.oneof(fc.constantFrom(ID, A_TRACE_ID, 'subsegment', 1, true), fc.jsonValue({ maxDepth: 3 })),
      )
      .map((fields) => JSON.stringify({ ...aSegment(), ...fields })),
  );
  fc.assert(
    fc.property(almost, (text) => {
      const results = parseDocument(text, 1);
      expect(results.length).toBeGreaterThan(0);
      for (const result of results)
        expect(result.ok ? result.document.entities.length : result.message.length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});

describe('inline subsegments with one id', () => {
  const SAME = anId('5a');
  const twice = aSegment({
    subsegments: [
      aSubsegment({ id: SAME, name: 'first', subsegments: [aSubsegment({ id: anId('c1'), name: 'below first' })] }),
      aSubsegment({ id: SAME, name: 'second', subsegments: [aSubsegment({ id: anId('c2'), name: 'below second' })] }),
    ],
  });
  const entitiesOf = (text: string) => {
    const [parsed] = parseDocument(text, 1);
    return parsed?.ok === true ? parsed.document.entities : [];
  };

  test('are all kept, each with its own subsegments and an id of its own', () => {
    const entities = entitiesOf(JSON.stringify(twice));
    const byName = new Map(entities.map((entity) => [entity.name, entity]));
    expect(new Set(entities.map(({ id }) => id)).size).toBe(5);
    expect(byName.get('first')?.id).toBe(SAME);
    expect(byName.get('below first')?.parentId).toBe(SAME);
    expect(byName.get('below second')?.parentId).toBe(byName.get('second')?.id);
    expect(byName.get('second')?.fields.id).toBe(byName.get('second')?.id);
  });

  test('have the same ids each time', () => {
    const text = JSON.stringify(twice);
    expect(entitiesOf(text).map(({ id }) => id)).toEqual(entitiesOf(text).map(({ id }) => id));
  });

  test('one with the id of its segment is kept, too', () => {
    const entities = entitiesOf(JSON.stringify(aSegment({ id: SAME, subsegments: [aSubsegment({ id: SAME })] })));
    expect(new Set(entities.map(({ id }) => id)).size).toBe(2);
    expect(entities[1]?.parentId).toBe(SAME);
  });
});
