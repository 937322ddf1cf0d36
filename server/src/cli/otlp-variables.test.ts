import { expect, test } from 'vitest';
import { readOtlpVariables } from './otlp-variables.ts';

test('without variables nothing is said', () => {
  expect(readOtlpVariables({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).toEqual({ headers: [], isTracesUrl: false });
});

test('what is said of traces wins, one by one', () => {
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%2Cb, x=y=z',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
    OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
  };
  expect(readOtlpVariables(variables)).toEqual({
    url: 'http://a:4318',
    isTracesUrl: false,
    protocol: 'grpc',
    headers: ['api-key=a,b', ' x=y=z'],
    isCompressed: false,
    timeoutMs: 2_500,
  });
});

test('the address of traces is taken as it is', () => {
  const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/in' };
  expect(readOtlpVariables(variables)).toMatchObject({ url: 'http://b/in', isTracesUrl: true });
});

test.each([
  ['PROTOCOL', 'http', /none of grpc, http\/protobuf, http\/json/],
  ['COMPRESSION', 'zstd', /neither gzip nor none/],
  ['TIMEOUT', '10s', /no number of milliseconds/],
])('OTEL_EXPORTER_OTLP_%s=%s is refused', (name, value, sentence) => {
  expect(() => readOtlpVariables({ [`OTEL_EXPORTER_OTLP_${name}`]: value })).toThrow(sentence);
});
