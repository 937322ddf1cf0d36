import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { leanDocument } from '../model/lean-document.ts';
import { parseDocument } from '../model/parse-document.ts';
import { arbitraryDelivery, arbitraryTrace } from '../model/testing/arbitrary-trace.ts';
import { A_TRACE_ID, aSegment, aSubsegment } from '../model/testing/builders.ts';
import { traceIdAt } from '../store/lean-heads.ts';
import { copyLeanSegments, leanSegmentAt, newLeanSegmentBuffer } from '../store/lean-segments.ts';
import { type RowBuffer, writtenBytes } from '../store/row-binary.ts';
import { newRowBuffers } from '../store/write/block.ts';
import { writeDocument, writeEntities } from '../store/write/rows.ts';
import { writeCommonSegment } from './segment-rows.ts';

const SEQ = 1_790_000_000_000_000;
const SERVER = 7;
const MAX_BYTES = 64 * 1024;

const textOf = (rows: RowBuffer) => Buffer.from(writtenBytes(rows)).toString('latin1');

/** Undefined for a rare document. */
function written(text: string) {
  const rows = newRowBuffers();
  const buffer = newLeanSegmentBuffer();
  const isCommon = writeCommonSegment(text, { seq: SEQ, server: SERVER, maxBytes: MAX_BYTES }, rows, buffer);
  const { entities, documents } = rows;
  const segments = copyLeanSegments(buffer);
  if (!isCommon) {
    expect(entities.length + documents.length + segments.heads.length + segments.records.length).toBe(0);
    return undefined;
  }
  const lean = leanSegmentAt(segments, 0, traceIdAt(segments.heads, 0));
  return { lean, entities: textOf(entities), documents: textOf(documents) };
}

/** Undefined for an invalid document. */
function expected(text: string) {
  const [parsed, ...others] = parseDocument(text, SEQ);
  if (parsed?.ok !== true || others.length > 0) return undefined;
  const { entities, documents } = newRowBuffers();
  writeEntities(entities, parsed.document);
  writeDocument(documents, parsed.document, SERVER);
  return { lean: leanDocument(parsed.document), entities: textOf(entities), documents: textOf(documents) };
}

/** Whether the document is a common one. */
function compare(text: string): boolean {
  const found = written(text);
  if (found !== undefined) expect(found).toEqual(expected(text));
  return found !== undefined;
}

test('rows and lean documents of traces are those of the way over objects, byte for byte', () => {
  let common = 0;
  let all = 0;
  fc.assert(
    fc.property(arbitraryTrace().chain(arbitraryDelivery), (texts) => {
      for (const text of texts) {
        all++;
        if (compare(text)) common++;
      }
    }),
    { numRuns: 500 },
  );
  expect(common / all).toBeGreaterThan(0.4);
});

test('documents that are stored together leave out the attributes of earlier ones, as over objects', () => {
  fc.assert(
    fc.property(arbitraryTrace().chain(arbitraryDelivery), (texts) => {
      const [rows, expectedRows] = [newRowBuffers(), newRowBuffers()];
      for (const [index, text] of texts.entries()) {
        const seq = SEQ + index;
        for (const parsed of parseDocument(text, seq)) {
          if (!parsed.ok) continue;
          writeEntities(expectedRows.entities, parsed.document, expectedRows.texts);
          const source = { seq, server: SERVER, maxBytes: MAX_BYTES };
          if (!writeCommonSegment(text, source, rows, newLeanSegmentBuffer()))
            writeEntities(rows.entities, parsed.document, rows.texts);
        }
      }
      expect(textOf(rows.entities)).toBe(textOf(expectedRows.entities));
    }),
    { numRuns: 500 },
  );
});

const oddText = fc.oneof(
  fc.constantFrom(
    '',
    'GET',
    'a"b',
    'a\\b',
    'line\nbreak',
    'é',
    'x'.repeat(150),
    'y'.repeat(300),
    '503',
    '5a6b7c8d9e0f1a20',
  ),
  fc.string({ maxLength: 8 }),
);
const oddValue: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 4, arbitrary: oddText },
  {
    weight: 2,
    arbitrary: fc.constantFrom(0, 1, 1.5, -2, 200, 404.7, 429, 503, 700, 1e21, 1e-7, 2 ** 53, true, false, null),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue> },
);
const NAMES = ['a', 'b', 'c', 'default', 'request', 'response', 'method', 'status', 'url', 'a.b', '7', 'Key', 'stack'];
const name = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.string({ maxLength: 5 }),
  fc.constantFrom('x'.repeat(90), 'x'.repeat(99)),
);
const { value: tree } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthIdentifier: 'tree', maxDepth: 3, withCrossShrink: true },
    oddValue,
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
}));

const ec2 = fc.record({ instance_id: oddValue, availability_zone: oddValue }, { requiredKeys: [] });
const aws = fc.record(
  { account_id: oddValue, operation: oddText, ec2: fc.oneof(ec2, oddValue), xray: tree },
  { requiredKeys: [] },
);
const request = fc.record(
  { method: oddValue, url: oddValue, user_agent: oddText, client_ip: oddValue, x_forwarded_for: oddValue },
  { requiredKeys: [] },
);
const response = fc.record({ status: oddValue, content_length: oddValue }, { requiredKeys: [] });
const http = fc.record(
  { request: fc.oneof(request, tree), response: fc.oneof(response, tree), other: tree },
  { requiredKeys: [] },
);

/** Members that a segment or a subsegment may have; most values have the type that X-Ray documents. */
const members = fc.record(
  {
    name: fc.oneof({ weight: 5, arbitrary: fc.constantFrom('shop', '## index.handler', 'a@b') }, oddText),
    start_time: fc.constantFrom(1716560000, 1716560000.25, 1716560000.123457, 0, -1, '1'),
    end_time: fc.constantFrom(1716560000, 1716560001.25, 1716560000.5713923, 0, null),
    in_progress: fc.constantFrom(true, false, null),
    type: fc.constantFrom('subsegment', 'segment', '', null, 'other'),
    parent_id: fc.constantFrom('1'.repeat(16), 'A'.repeat(16), '', null, '0'.repeat(16)),
    fault: fc.constantFrom<JsonValue>(true, false, 1),
    error: fc.constantFrom<JsonValue>(true, false, 'yes'),
    throttle: fc.boolean(),
    namespace: fc.oneof(fc.constantFrom('aws', 'remote', 'local'), oddValue),
    origin: fc.oneof(fc.constantFrom('AWS::EC2::Instance', 'AWS::Lambda::Function'), oddValue),
    user: oddValue,
    resource_arn: oddValue,
    annotations: fc.oneof({ weight: 5, arbitrary: fc.dictionary(name, oddValue, { maxKeys: 5 }) }, tree),
    metadata: tree,
    http: fc.oneof({ weight: 5, arbitrary: http }, tree),
    aws: fc.oneof({ weight: 5, arbitrary: aws }, tree),
    sql: tree,
    links: fc.constantFrom<JsonValue>([], null, [{ trace_id: A_TRACE_ID, id: '1'.repeat(16) }]),
    cause: fc.constantFrom<JsonValue>({}, '1'.repeat(16), { exceptions: [{ type: 'E', message: 'm' }] }),
    custom: tree,
    service: fc.constantFrom<JsonValue>({ version: '1.2' }, null),
  },
  { requiredKeys: [] },
);

/** Few of them, so that most documents are valid. */
const fewMembers: fc.Arbitrary<JsonObject> = fc
  .tuple(members, fc.array(fc.nat(25), { maxLength: 6 }))
  .map(([all, picked]) => {
    const entries = Object.entries(all);
    return Object.fromEntries(
      picked.flatMap((at) => entries.slice(at % Math.max(1, entries.length), (at % entries.length) + 1)),
    );
  });

test('rows and lean documents of documents with any members are those of the way over objects', () => {
  let common = 0;
  const anyId = fc.integer({ min: 1, max: 40 }).map((number) => number.toString(16).padStart(16, '0'));
  const subsegment = fc.tuple(anyId, fewMembers).map(([id, fields]) => aSubsegment({ ...fields, id }));
  const document = fc
    .tuple(fewMembers, fc.array(subsegment, { maxLength: 4 }), fc.constantFrom(undefined, 2), fc.boolean())
    .map(([fields, list, indent, isNested]) => {
      const [first, ...others] = list;
      const subsegments = isNested && first !== undefined ? [{ ...first, subsegments: others }] : list;
      return JSON.stringify(aSegment({ ...fields, ...(list.length > 0 && { subsegments }) }), null, indent);
    });
  fc.assert(
    fc.property(document, (text) => {
      // Twice: names that come again are found by the one before them.
      for (let time = 0; time < 2; time++) if (compare(text)) common++;
    }),
    { numRuns: 3_000 },
  );
  expect(common).toBeGreaterThan(500);
});

describe('a common document', () => {
  test.each<[string, JsonObject]>([
    ['has names and values of many kinds', aSegment({ annotations: { a: 'x', b: 1, c: 2.5, d: true, e: '' } })],
    ['has a list of objects with the same names', aSegment({ metadata: { d: [{ a: 1 }, { a: 1 }, { a: '1' }] } })],
    ['has values beyond the length of an indexed string', aSegment({ metadata: { d: 'x'.repeat(400) } })],
    ['has escapes in values', aSegment({ user: 'a"b', metadata: { d: 'two\nlines', e: '\u00e9'.slice(1) } })],
    [
      'has subsegments in subsegments',
      aSegment({ subsegments: [aSubsegment({ subsegments: [aSubsegment({ id: '1'.repeat(16) })] })] }),
    ],
    ['is a subsegment', aSubsegment({ parent_id: '1'.repeat(16), namespace: 'remote' })],
    ['is in progress', aSegment({ end_time: undefined, in_progress: true })],
    ['ends before it starts', aSegment({ end_time: 1 })],
    ['has the same number twice, spelled in two ways', JSON.parse('{"x":[1,1.0,1e0]}')],
  ])('%s', (_, fields) => {
    expect(compare(JSON.stringify(fields.id === undefined ? aSegment({ metadata: fields }) : fields))).toBe(true);
  });

  test('has white space between its tokens', () => {
    expect(compare(JSON.stringify(aSegment({ metadata: { a: [1, 'b c'] } }), null, 2))).toBe(true);
  });
});

describe('a rare document', () => {
  const withMember = (member: string) => JSON.stringify(aSegment()).replace('}', `,${member}}`);
  test.each([
    withMember('"user":"a","user":"b"'),
    withMember('"metadata":{"d":{"a":1,"a":2}}'),
    withMember('"annotations":{"a":1,"a":2}'),
    withMember('"metadata":{"b":1,"2":2,"1":3}'),
    withMember('"metadata":{"__proto__":1}'),
    withMember('"http.request.method":"GET"'),
    withMember('"http":[{"request":{"method":"GET"}}]'),
    withMember('"http":{"response":{"status":"503"}}'),
    withMember('"aws":[{"account_id":"1"}]'),
    withMember('"annotations":{"a":9007199254740993}'),
    withMember('"metadata":{"openray.otlp":{}}'),
    withMember(`"metadata":${JSON.stringify(Array.from({ length: 300 }, (_, index) => index))}`),
    withMember('"subsegments":{}'),
    JSON.stringify(aSegment({ subsegments: [aSubsegment(), aSubsegment()] })),
    JSON.stringify(aSegment({ id: 'A'.repeat(16) })),
    JSON.stringify([aSegment()]),
  ])('is left to the way over objects: %s', (text) => {
    expect(compare(text)).toBe(false);
  });
});
