import { expect, test } from 'vitest';
import { readOtlpVariables } from './otlp-variables.ts';

test('without variables there is no URL and no header', () => {
  expect(readOtlpVariables({ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' })).toEqual({ headers: [], isTracesUrl: false });
});

test('a variable for traces wins over the one for all signals, each by itself', () => {
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

test('the endpoint of traces is used without adding a path', () => {
  const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/in' };
  expect(readOtlpVariables(variables)).toMatchObject({ url: 'http://b/in', isTracesUrl: true });
});

test.each([
  ['PROTOCOL', 'http', /none of grpc, http\/protobuf, http\/json/],
  ['COMPRESSION', 'zstd', /neither gzip nor none/],
  ['TIMEOUT', '10s', /not a number of milliseconds/],
])('OTEL_EXPORTER_OTLP_%s=%s is rejected', (name, value, sentence) => {
  expect(() => readOtlpVariables({ [`OTEL_EXPORTER_OTLP_${name}`]: value })).toThrow(sentence);
});
