import fc from 'fast-check';
import type { AnyValue, KeyValue, SpanWithResource } from '../otlp-messages.ts';

/** Keys of all conventions, so that every rule of the translation is tested with unusual values. */
const KEYS = [
  'http.request.method',
  'http.method',
  'http.response.status_code',
  'http.status_code',
  'url.full',
  'url.path',
  'url.query',
  'url.scheme',
  'http.url',
  'http.target',
  'http.host',
  'server.address',
  'server.port',
  'net.peer.name',
  'client.address',
  'network.peer.address',
  'user_agent.original',
  'http.response.body.size',
  'rpc.system',
  'rpc.service',
  'rpc.method',
  'rpc.grpc.status_code',
  'db.system',
  'db.system.name',
  'db.namespace',
  'db.query.text',
  'db.connection_string',
  'messaging.system',
  'messaging.destination.name',
  'aws.region',
  'cloud.region',
  'aws.request_id',
  'aws.request.id',
  'aws.sqs.queue.url',
  'aws.dynamodb.table_names',
  'aws.dynamodb.consumed_capacity',
  'aws.s3.bucket',
  'aws.remote.service',
  'aws.local.service',
  'aws.span.kind',
  'aws.xray.annotations',
  'aws.xray.metadata.app',
  'aws.xray.traced',
  'enduser.id',
  'user.id',
  'error.type',
  'peer.service',
  'faas.invocation_id',
  'tenant',
  'a-b',
  'a_b',
  '',
  '__proto__',
];

const hex = (length: number) =>
  fc
    .array(fc.integer({ min: 0, max: 15 }), { minLength: length, maxLength: length })
    .map((digits) => digits.map((digit) => digit.toString(16)).join(''))
    .filter((text) => !/^0*$/.test(text));

export const traceIdText = hex(32);
export const spanIdText = hex(16);

const word = fc.oneof(
  fc.constantFrom('GET', 'aws-api', 'DynamoDB', 'postgresql', 'aws_sqs', 'https://api.example.com:8443/x?y=1', '/x'),
  fc.constantFrom('{"a":{"b":12345678901234567890}}', '404', '[1]', 'LOCAL_ROOT', 'api.example.com', '10.0.0.9'),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);

const double = fc.oneof(
  fc.constantFrom('NaN' as const, 'Infinity' as const, '-Infinity' as const, '-0' as const, 1, 1e300),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
);

/** Values of every type, nested ones too. */
export const anyValue: fc.Arbitrary<AnyValue> = fc.letrec<{ value: AnyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    word.map((stringValue) => ({ stringValue })),
    fc.boolean().map((boolValue) => ({ boolValue })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({ intValue: value.toString() })),
    fc.constantFrom('200', '404', '429', '500', '1').map((intValue) => ({ intValue })),
    double.map((doubleValue) => ({ doubleValue })),
    fc.uint8Array({ maxLength: 5 }).map((bytes) => ({ bytesValue: Buffer.from(bytes).toString('base64') })),
    fc.constant({}),
    fc.array(tie('value'), { maxLength: 3 }).map((values) => ({ arrayValue: values.length > 0 ? { values } : {} })),
    fc
      .array(fc.record({ key: fc.constantFrom('k', 'l', ''), value: tie('value') }), { maxLength: 2 })
      .map((values) => ({ kvlistValue: values.length > 0 ? { values: values.map(entry) } : {} })),
  ),
})).value;

function entry({ key, value }: { key: string; value: AnyValue }): KeyValue {
  return key === '' ? { value } : { key, value };
}

const attributes = fc
  .array(fc.record({ key: fc.constantFrom(...KEYS), value: anyValue }), { minLength: 1, maxLength: 8 })
  .map((list) => list.map(entry));

const nanos = fc.bigInt({ min: 1n, max: 2n ** 62n }).map(String);
const moments = fc.oneof(nanos, fc.constantFrom('1700000000123456789', '1700000000123000000', '1700000000000000001'));
const count = fc.integer({ min: 1, max: 0xffff_ffff });
const name = word.filter((text) => text !== '');

/** Makes all members of an object optional. Omitted members are absent. */
function some<T extends Record<string, unknown>>(members: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) {
  return fc.record(members, { requiredKeys: [] });
}

const event = some({
  timeUnixNano: moments,
  name: fc.oneof(name, fc.constant('exception')),
  attributes,
  droppedAttributesCount: count,
});
const link = some({
  traceId: traceIdText,
  spanId: spanIdText,
  traceState: name,
  attributes,
  droppedAttributesCount: count,
  flags: count,
});

const exceptionEvent = fc
  .record({
    type: name,
    message: word,
    stack: fc.constantFrom('Error: x\n    at f (file:///app/x.mjs:10:5)', '', 'nonsense'),
  })
  .map(({ type, message, stack }) => ({
    timeUnixNano: '1700000000123456789',
    name: 'exception',
    attributes: [
      { key: 'exception.type', value: { stringValue: type } },
      { key: 'exception.message', value: { stringValue: message } },
      { key: 'exception.stacktrace', value: { stringValue: stack } },
    ],
  }));

/** A span with any fields and any resource and scope, in the canonical form. */
export const arbitrarySpan: fc.Arbitrary<SpanWithResource> = fc
  .record({
    resource: some({
      attributes: fc.array(
        fc
          .record({
            key: fc.constantFrom(
              'service.name',
              'cloud.platform',
              'cloud.provider',
              'host.id',
              'aws.log.group.names',
              'x',
            ),
            value: fc.oneof(
              word.map((stringValue) => ({ stringValue })),
              anyValue,
            ),
          })
          .map(entry),
        { minLength: 1, maxLength: 4 },
      ),
      droppedAttributesCount: count,
      entityRefs: fc.constant([{ schemaUrl: 's', type: 'service', idKeys: ['service.name'], descriptionKeys: ['x'] }]),
    }),
    scope: some({ name, version: name, attributes, droppedAttributesCount: count }),
    resourceSchemaUrl: fc.option(name, { nil: undefined }),
    scopeSchemaUrl: fc.option(name, { nil: undefined }),
    ids: fc.record({ traceId: traceIdText, spanId: spanIdText }),
    span: some({
      traceState: name,
      parentSpanId: spanIdText,
      flags: fc.constantFrom(1, 0x101, 0x300, 0x301, 0xff, 0xffff_ffff),
      name,
      kind: fc.constantFrom(1, 2, 3, 4, 5, 77),
      startTimeUnixNano: moments,
      endTimeUnixNano: moments,
      attributes,
      droppedAttributesCount: count,
      events: fc.array(fc.oneof(event, exceptionEvent), { minLength: 1, maxLength: 3 }),
      droppedEventsCount: count,
      links: fc.array(link, { minLength: 1, maxLength: 2 }),
      droppedLinksCount: count,
      status: fc.constantFrom({ code: 1 }, { code: 2 }, { message: 'boom', code: 2 }, { message: 'odd' }),
    }),
  })
  .map(({ ids, span, ...around }) => ({ ...around, span: { ...ids, ...span } }));
