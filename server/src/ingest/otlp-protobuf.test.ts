import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeLogs, decodeTraces } from '../model/otlp/wire/decode.ts';
import type { SpanWithResource, TracesData } from '../model/otlp-messages.ts';
import { arbitrarySpan } from '../model/testing/arbitrary-span.ts';
import { encode, messageType } from '../model/testing/otlp-protocol.ts';
import { readTraces } from './otlp-json.ts';

/** A request with one span. */
function requestOf({ resource, resourceSchemaUrl, scope, scopeSchemaUrl, span }: SpanWithResource): TracesData {
  return {
    resourceSpans: [
      { resource, scopeSpans: [{ scope, spans: [span], schemaUrl: scopeSchemaUrl }], schemaUrl: resourceSchemaUrl },
    ],
  };
}

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

test('every field of every message is read, both from bytes and from JSON', () => {
  fc.assert(
    fc.property(arbitrarySpan, (spanWithResource) => {
      const request = requestOf(spanWithResource);
      expect(plain(decodeTraces(encode('TracesData', request)))).toEqual(plain(request));
      expect(plain(readTraces(JSON.stringify(request)))).toEqual(plain(request));
    }),
    { numRuns: 500 },
  );
});

test('every field of a log record is read', () => {
  const request = {
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'api' } }] },
        scopeLogs: [
          {
            scope: { name: 's' },
            logRecords: [
              {
                timeUnixNano: '18446744073709551615',
                observedTimeUnixNano: '1',
                severityNumber: 17,
                severityText: 'ERROR',
                body: { stringValue: 'no' },
                attributes: [{ key: 'exception.type', value: { stringValue: 'E' } }],
                droppedAttributesCount: 1,
                flags: 1,
                traceId: 'a'.repeat(32),
                spanId: 'b'.repeat(16),
                eventName: 'exception',
              },
            ],
            schemaUrl: 'u',
          },
        ],
        schemaUrl: 'v',
      },
    ],
  };
  expect(plain(decodeLogs(encode('LogsData', request)))).toEqual(request);
});

test('any bytes are a message or an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        expect(decodeTraces(Buffer.from(bytes)).resourceSpans).toBeInstanceOf(Array);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a message that is cut off at any position is an error', () => {
  const whole = encode(
    'TracesData',
    requestOf(fc.sample(arbitrarySpan, { numRuns: 1, seed: 7 })[0] as SpanWithResource),
  );
  for (let length = 1; length < whole.length; length++) {
    expect(() => decodeTraces(whole.subarray(0, length)), `${length} of ${whole.length} bytes`).toThrow();
  }
});

test('a field must not be longer than the message that holds it', () => {
  // resource_spans of three bytes with a resource of nine bytes.
  expect(() => decodeTraces(Buffer.from([10, 3, 10, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))).toThrow(RangeError);
});

test('unknown fields are skipped', () => {
  const known = encode('TracesData', { resourceSpans: [{ schemaUrl: 'u' }] });
  const unknown = Buffer.from([0xfa, 0x3f, 2, 1, 2]);
  expect(plain(decodeTraces(Buffer.concat([unknown, known, unknown])))).toEqual({
    resourceSpans: [{ schemaUrl: 'u' }],
  });
});

test('invalid UTF-8 is replaced and does not reject the request', () => {
  const bytes = encode('TracesData', { resourceSpans: [{ schemaUrl: 'ab' }] });
  bytes[bytes.length - 1] = 0xff;
  expect(plain(decodeTraces(bytes))).toEqual({ resourceSpans: [{ schemaUrl: 'a\ufffd' }] });
});

test('of two members of one value the last is read, two lists are merged', () => {
  const type = messageType('AnyValue');
  const part = (value: object) => Buffer.from(type.encode(type.fromObject(value)).finish());
  const valueIn = (...parts: readonly object[]) => {
    const value = Buffer.concat(parts.map(part));
    const keyValue = Buffer.concat([Buffer.from([10, 1, 120, 18, value.length]), value]);
    const resource = Buffer.concat([Buffer.from([10, keyValue.length]), keyValue]);
    const resourceSpans = Buffer.concat([Buffer.from([10, resource.length]), resource]);
    const bytes = Buffer.concat([Buffer.from([10, resourceSpans.length]), resourceSpans]);
    return decodeTraces(bytes).resourceSpans?.[0]?.resource?.attributes?.[0]?.value;
  };
  expect(valueIn({ stringValue: 'a' }, { intValue: '-7' })).toEqual({ intValue: '-7' });
  expect(
    valueIn({ arrayValue: { values: [{ boolValue: true }] } }, { arrayValue: { values: [{ intValue: '1' }] } }),
  ).toEqual({ arrayValue: { values: [{ boolValue: true }, { intValue: '1' }] } });
});

test('spans of two bytes cannot exhaust the memory', () => {
  const spans = Buffer.alloc(14_000_000);
  for (let at = 0; at < spans.length; at += 2) spans[at] = 18;
  const length = (of: number) => {
    const bytes: number[] = [];
    for (let rest = of; ; rest = Math.floor(rest / 128)) {
      bytes.push(rest >= 128 ? (rest % 128) + 128 : rest);
      if (rest < 128) return Buffer.from(bytes);
    }
  };
  const scopeSpans = Buffer.concat([Buffer.from([18]), length(spans.length), spans]);
  const bytes = Buffer.concat([Buffer.from([10]), length(scopeSpans.length), scopeSpans]);
  expect(() => decodeTraces(bytes)).toThrow('more than');
});
