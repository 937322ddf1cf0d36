import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyValue, arbitrarySpan, spanIdText, traceIdText } from '../../testing/arbitrary-span.ts';
import { encode, type MessageName, messageType } from '../../testing/otlp-protocol.ts';
import { encodeLogs, encodeTraces } from './encode.ts';
import { resourceSpansOf } from './resource-spans.ts';

/** Fields may be in any order. */
const read = (name: MessageName, bytes: Uint8Array) => messageType(name).decode(bytes);

test('every field of every span is written as an independent encoder writes it', () => {
  fc.assert(
    fc.property(fc.array(arbitrarySpan, { maxLength: 4 }), (entries) => {
      const data = { resourceSpans: resourceSpansOf(entries) };
      expect(read('TracesData', encodeTraces(data))).toEqual(read('TracesData', encode('TracesData', data)));
    }),
    { numRuns: 500 },
  );
});

test('every field of every log record is written as an independent encoder writes it', () => {
  const record = fc.record({
    timeUnixNano: fc.constant('1716560000000000001'),
    observedTimeUnixNano: fc.constant('18446744073709551615'),
    severityNumber: fc.integer({ min: 1, max: 24 }),
    severityText: fc.constant('ERROR'),
    body: anyValue,
    attributes: fc.array(fc.record({ key: fc.constant('k'), value: anyValue })),
    droppedAttributesCount: fc.integer({ min: 1, max: 9 }),
    flags: fc.constant(1),
    traceId: traceIdText,
    spanId: spanIdText,
    eventName: fc.constant('exception'),
  });
  fc.assert(
    fc.property(record, (one) => {
      const scopeLogs = [{ scope: { name: 's' }, logRecords: [one], schemaUrl: 'b' }];
      const data = { resourceLogs: [{ resource: { attributes: [] }, scopeLogs, schemaUrl: 'a' }] };
      expect(read('LogsData', encodeLogs(data))).toEqual(read('LogsData', encode('LogsData', data)));
    }),
  );
});
