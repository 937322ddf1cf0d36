import fc from 'fast-check';
import { printJson } from '../exact-json.ts';
import { numberOf } from '../exact-number.ts';
import type { JsonObject, JsonValue } from '../json.ts';

/** A segment or subsegment, without the fields that depend on the way it is sent. */
export type GeneratedEntity = {
  readonly id: string;
  readonly kind: 'segment' | 'subsegment';
  /** Id of the enclosing or calling entity; some segments name one that is never sent. */
  readonly parentId: string | undefined;
  /** Everything but ids, type and subsegments. In progress: no `end_time`. */
  readonly fields: JsonObject;
  readonly subsegments: readonly GeneratedEntity[];
};

/** The content of a trace. `arbitraryDelivery` gives the ways in which clients may send it. */
export type GeneratedTrace = { readonly traceId: string; readonly segments: readonly GeneratedEntity[] };

const START_US = 1_716_560_000_000_000;

const hexText = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: length, maxLength: length })
    .map((digits) => digits.map((digit) => digit.toString(16)).join(''));

const httpStatus = fc.constantFrom(200, 200, 200, 201, 302, 404, 409, 429, 500, 503);

/** Neighbours that a double rounds to one number, and numbers that `annotations` have as well. */
const longNumber = fc
  .constantFrom(
    ...[
      '9007199254740992',
      '9007199254740993',
      '1234567890123456789',
      '1234567890123456790',
      '1e400',
      '1e401',
      '-1e400',
    ],
    ...['1', '1.0000000000000000001', '0.9999999999999999999', '0', '-0', '1e-400', '-1e-400', '0.30000000000000004'],
    ...['123456789012345678901234567890', '123456789012345678901234567891', '1.2345678901234567890123e25'],
  )
  .map(numberOf);

const annotations = fc.dictionary(
  fc.constantFrom('user_id', 'tier', 'ColdStart', 'Service', 'attempt'),
  fc.oneof(fc.constantFrom('gold', 'brian1', ''), fc.integer({ min: -3, max: 3 }), fc.boolean(), longNumber),
  { maxKeys: 3 },
);

const metadata = fc.dictionary(
  fc.constantFrom('default', 'app'),
  fc.oneof(
    { arbitrary: fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>, weight: 4 },
    fc.record({ n: fc.oneof(longNumber, fc.array(longNumber, { maxLength: 2 })) }),
  ),
  {
    maxKeys: 2,
  },
);

const cause = fc
  .array(
    fc.record(
      {
        id: hexText(16),
        type: fc.constantFrom('TimeoutError', 'ZodError', 'Error'),
        message: fc.string({ maxLength: 12 }),
        remote: fc.boolean(),
        stack: fc.array(fc.record({ path: fc.constant('index.js'), line: fc.nat(99), label: fc.constant('handler') }), {
          maxLength: 2,
        }),
      },
      { requiredKeys: ['type', 'message'] },
    ),
    { maxLength: 2 },
  )
  .map((exceptions) => ({ working_directory: '/var/task', exceptions }));

const seldom = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });

/** Members that any entity may have. */
const common = fc.record({
  annotations: seldom(annotations),
  metadata: seldom(metadata),
  fault: seldom(fc.constant(true)),
  error: seldom(fc.constant(true)),
  throttle: seldom(fc.constant(true)),
  cause: seldom(cause),
  status: seldom(httpStatus),
});

const service = fc.constantFrom<JsonObject>(
  { name: 'shop' },
  {
    name: 'stock',
    origin: 'AWS::ECS::Container',
    aws: { ec2: { instance_id: 'i-01', availability_zone: 'eu-west-1a' } },
  },
  { name: 'RegisterFunction', origin: 'AWS::Lambda', resource_arn: 'arn:aws:lambda:eu-west-1:000000000000:function:r' },
  { name: 'RegisterFunction', origin: 'AWS::Lambda::Function', aws: { account_id: '000000000000' } },
);

const work = fc.constantFrom<JsonObject>(
  { name: 'Invocation' },
  { name: '## index.handler', namespace: 'local' },
  { name: 'stock.example', namespace: 'remote' },
  { name: 'orders@db.example', namespace: 'remote', sql: { sanitized_query: 'SELECT 1', database_type: 'PostgreSQL' } },
  { name: 'DynamoDB', namespace: 'aws', aws: { operation: 'GetItem', table_name: 'carts' } },
  { name: 'dynamodb', namespace: 'aws', aws: { operation: 'PutItem', table_name: 'carts' } },
  { name: 'SQS', namespace: 'aws', aws: { operation: 'SendMessage', queue_url: 'https://sqs.example/orders' } },
  { name: 'S3', namespace: 'aws', aws: { region: 'eu-west-1', bucket_name: 'photos' } },
);

type Draft = {
  readonly identity: JsonObject;
  readonly common: { readonly [key: string]: JsonValue | undefined };
  readonly user: string | undefined;
  readonly offsetUs: number;
  readonly durationUs: number | undefined;
  readonly children: readonly Draft[];
  readonly callees: readonly Draft[];
};

/** Most entities finish; children may start before and end after their parent, as Lambda's do. */
const times = {
  offsetUs: fc.integer({ min: -2_000, max: 900_000 }),
  durationUs: fc.oneof({ arbitrary: fc.integer({ min: 0, max: 3_000_000 }), weight: 12 }, fc.constant(undefined)),
};

const drafts = fc.letrec<{ segment: Draft; subsegment: Draft }>((tie) => ({
  segment: fc.record({
    identity: service,
    common,
    user: seldom(fc.constantFrom('ann', 'brian')),
    ...times,
    children: fc.array(tie('subsegment'), { maxLength: 3, depthIdentifier: 'trace' }),
    callees: fc.constant([]),
  }),
  subsegment: fc.record({
    identity: work,
    common,
    user: fc.constant(undefined),
    ...times,
    children: fc.oneof(
      { depthIdentifier: 'trace', maxDepth: 4 },
      fc.constant([]),
      fc.array(tie('subsegment'), { maxLength: 2 }),
    ),
    callees: fc.oneof(
      { depthIdentifier: 'trace', maxDepth: 4 },
      fc.constant([]),
      fc.array(tie('segment'), { maxLength: 2 }),
    ),
  }),
}));

/**
 * Traces as applications send them: services that call each other, AWS, databases and hosts, with failures,
 * exceptions, annotations and unfinished work. Some have no root, or a parent that is never received.
 */
export function arbitraryTrace(): fc.Arbitrary<GeneratedTrace> {
  return fc
    .record({
      trace: hexText(24),
      seed: fc.integer({ min: 1, max: 0xffff }),
      tops: fc.array(drafts.segment, { minLength: 1, maxLength: 2 }),
      lostParent: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
    })
    .map(({ trace, seed, tops, lostParent }) => {
      let count = 0;
      const nextId = () => `${seed.toString(16).padStart(4, '0')}${(++count).toString(16).padStart(12, '0')}`;
      const segments: GeneratedEntity[] = [];
      tops.forEach((draft, index) => {
        const parentId = lostParent && index === 0 ? 'ffffffffffffffff' : undefined;
        grow(draft, 'segment', parentId, START_US + index, nextId, segments);
      });
      return { traceId: `1-6650a080-${trace}`, segments };
    });
}

function grow(
  draft: Draft,
  kind: 'segment' | 'subsegment',
  parentId: string | undefined,
  parentStartUs: number,
  nextId: () => string,
  segments: GeneratedEntity[],
): GeneratedEntity {
  const id = nextId();
  const startUs = parentStartUs + draft.offsetUs;
  const children = draft.children.map((child) => grow(child, 'subsegment', id, startUs, nextId, segments));
  const entity = { id, kind, parentId, fields: fieldsOf(draft, startUs), subsegments: children };
  for (const callee of draft.callees) grow(callee, 'segment', id, startUs, nextId, segments);
  if (kind === 'segment') segments.push(entity);
  return entity;
}

function fieldsOf({ identity, common, user, durationUs }: Draft, startUs: number): JsonObject {
  const { status, ...shared } = common;
  const fields: { readonly [key: string]: JsonValue | undefined } = {
    ...identity,
    start_time: startUs / 1e6,
    ...(durationUs === undefined ? { in_progress: true } : { end_time: (startUs + durationUs) / 1e6 }),
    ...(user !== undefined && { user }),
    ...(status !== undefined && {
      http: { request: { method: 'GET', url: 'https://shop.example/' }, response: { status } },
    }),
    ...shared,
  };
  const entries = Object.entries(fields);
  return Object.fromEntries(entries.filter((entry): entry is [string, JsonValue] => entry[1] !== undefined));
}

/** Texts in the order in which they arrive. */
export type Delivery = readonly string[];

/**
 * One way of sending a trace: each subsegment inline or independent, some entities in progress first and
 * complete later, some documents sent twice, all in any order.
 */
export function arbitraryDelivery(trace: GeneratedTrace): fc.Arbitrary<Delivery> {
  const size = trace.segments.reduce((sum, segment) => sum + sizeOf(segment), 0);
  const choice = fc.record({ alone: fc.boolean(), announced: fc.boolean(), repeated: fc.boolean() });
  return fc.array(choice, { minLength: size, maxLength: size }).chain((choices) => {
    const documents: JsonObject[] = [];
    let at = 0;
    const send = (entity: GeneratedEntity): JsonObject => {
      const { alone, announced, repeated } = choices[at++] ?? { alone: false, announced: false, repeated: false };
      const inline = entity.subsegments.map(send).filter((document) => document !== SENT_ALONE);
      const document = { id: entity.id, ...entity.fields, ...(inline.length > 0 && { subsegments: inline }) };
      if (entity.kind === 'subsegment' && !alone) return document;
      const envelope = {
        trace_id: trace.traceId,
        ...(entity.parentId !== undefined && { parent_id: entity.parentId }),
        ...(entity.kind === 'subsegment' && { type: 'subsegment' }),
      };
      documents.push({ ...document, ...envelope });
      if (repeated) documents.push({ ...document, ...envelope });
      if (announced && entity.fields.end_time !== undefined) documents.push({ ...announcement(entity), ...envelope });
      return SENT_ALONE;
    };
    trace.segments.forEach(send);
    const texts = documents.map((document) => printJson(document));
    return fc.shuffledSubarray(texts, { minLength: texts.length, maxLength: texts.length });
  });
}

/** Marks a subsegment that is not inline in its parent. */
const SENT_ALONE: JsonObject = {};

function announcement(entity: GeneratedEntity): JsonObject {
  return {
    id: entity.id,
    name: entity.fields.name ?? '',
    start_time: entity.fields.start_time ?? 0,
    in_progress: true,
  };
}

function sizeOf(entity: GeneratedEntity): number {
  return entity.subsegments.reduce((sum, subsegment) => sum + sizeOf(subsegment), 1);
}

/** The simplest way: one document per segment, all subsegments inline, callers first. */
export function plainDelivery(trace: GeneratedTrace): Delivery {
  const inline = (entity: GeneratedEntity): JsonObject => ({
    id: entity.id,
    ...entity.fields,
    ...(entity.subsegments.length > 0 && { subsegments: entity.subsegments.map(inline) }),
  });
  return trace.segments.toReversed().map((segment) =>
    printJson({
      ...inline(segment),
      trace_id: trace.traceId,
      ...(segment.parentId !== undefined && { parent_id: segment.parentId }),
    }),
  );
}

/** A trace and ways to send it, for tests that compare the results. */
export function arbitraryDeliveries(
  count: number,
): fc.Arbitrary<{ trace: GeneratedTrace; deliveries: readonly Delivery[] }> {
  return arbitraryTrace().chain((trace) =>
    fc
      .array(arbitraryDelivery(trace), { minLength: count, maxLength: count })
      .map((deliveries) => ({ trace, deliveries })),
  );
}
