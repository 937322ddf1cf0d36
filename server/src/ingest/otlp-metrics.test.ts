import fc from 'fast-check';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import { newStats } from '../stats.ts';
import { newMetricsDropper, readDataPointCount } from './otlp-metrics.ts';

/** OTLP's messages for metrics with the fields that lead to data points. */
const MetricsData = protobuf
  .parse(`
syntax = "proto3";
message MetricsData { repeated ResourceMetrics resource_metrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; string schema_url = 3; }
message Resource { uint32 dropped_attributes_count = 2; }
message ScopeMetrics { repeated Metric metrics = 2; string schema_url = 3; }
message Metric {
  string name = 1; string description = 2; string unit = 3;
  oneof data { Data gauge = 5; Data sum = 7; Data histogram = 9; Data exponential_histogram = 10; Data summary = 11; }
}
message Data { repeated Point data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Point { fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; double as_double = 4; }
`)
  .root.lookupType('MetricsData');

const KINDS = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;

const listOf = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 4 });
const metric = fc.record({
  name: fc.string(),
  kind: fc.constantFrom(...KINDS),
  points: fc.integer({ min: 0, max: 5 }),
});
const requests = listOf(listOf(listOf(metric)));

function requestOf(resources: readonly (readonly (readonly { name: string; kind: string; points: number }[])[])[]) {
  const point = { startTimeUnixNano: '1', timeUnixNano: '2', asDouble: 0.5 };
  return {
    resourceMetrics: resources.map((scopes) => ({
      resource: { droppedAttributesCount: 2 },
      schemaUrl: 'u',
      scopeMetrics: scopes.map((metrics) => ({
        schemaUrl: 'u',
        metrics: metrics.map(({ name, kind, points }) => ({
          name,
          [kind]: {
            aggregationTemporality: 2,
            isMonotonic: true,
            dataPoints: Array.from({ length: points }, () => point),
          },
        })),
      })),
    })),
  };
}

test('counts the data points of every kind of metric, in both encodings', () => {
  fc.assert(
    fc.property(requests, (resources) => {
      const request = requestOf(resources);
      const count = resources.flat(2).reduce((sum, { points }) => sum + points, 0);
      expect(readDataPointCount(Buffer.from(JSON.stringify(request)), 'json')).toBe(count);
      const bytes = MetricsData.encode(MetricsData.fromObject(request)).finish();
      expect(readDataPointCount(Buffer.from(bytes), 'protobuf')).toBe(count);
    }),
  );
});

test('a request that is cut off is refused, and any bytes end with a count or a sentence', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        expect(readDataPointCount(Buffer.from(bytes), 'protobuf')).toBeGreaterThanOrEqual(0);
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'SerializationException' });
      }
    }),
  );
  const request = requestOf([[[{ name: 'a', kind: 'sum', points: 2 }]]]);
  const whole = Buffer.from(MetricsData.encode(MetricsData.fromObject(request)).finish());
  for (let length = 1; length < whole.length; length++) {
    expect(() => readDataPointCount(whole.subarray(0, length), 'protobuf')).toThrow('not a protobuf message');
  }
});

test.each([
  ['{"resourceMetrics": 7}', 'resourceMetrics must be a list'],
  ['{"resourceSpans": [{}]}', 'send it to /v1/traces'],
  ['{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"gauge":[]}]}]}]}', 'gauge must be an object'],
])('the body %s is refused', (text, sentence) => {
  expect(() => readDataPointCount(Buffer.from(text), 'json')).toThrow(sentence);
});

test('the first dropped data point is logged, and each is counted', () => {
  const stats = newStats();
  const lines: object[] = [];
  const drop = newMetricsDropper(stats, { warn: (fields) => void lines.push(fields) });
  for (const dataPoints of [0, 3, 4]) drop(dataPoints);
  expect(lines).toEqual([{ dataPoints: 3 }]);
  expect(stats.ignored.dataPoints).toBe(7);
});
