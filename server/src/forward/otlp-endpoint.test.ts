import { expect, test } from 'vitest';
import { otlpEndpoint } from './otlp-endpoint.ts';

test.each([
  ['http://a:4318', 'http://a:4318/v1/traces', 'http://a:4318/v1/logs'],
  ['http://a:4318/', 'http://a:4318/v1/traces', 'http://a:4318/v1/logs'],
  ['https://a/otlp/v1/traces', 'https://a/otlp/v1/traces', 'https://a/otlp/v1/logs'],
  ['https://a/otlp?key=1', 'https://a/otlp/v1/traces?key=1', 'https://a/otlp/v1/logs?key=1'],
])('spans for %s are sent to %s', (given, traces, logs) => {
  expect(otlpEndpoint(given).urls).toEqual({ traces, logs });
});

test('a full traces URL is used as it is', () => {
  expect(otlpEndpoint('https://a/in?key=1', { isTracesUrl: true }).urls.traces).toBe('https://a/in?key=1');
});

test.each([
  ['http://a:4317', undefined, 'grpc'],
  ['http://a:4318', undefined, 'http/protobuf'],
  ['https://a', undefined, 'http/protobuf'],
  ['http://a:4317', 'http/json', 'http/json'],
  ['http://a:4318', 'grpc', 'grpc'],
] as const)('%s with the protocol %s is %s', (url, protocol, expected) => {
  expect(otlpEndpoint(url, { protocol }).protocol).toBe(expected);
});

test('a name and password become a header, in addition to the given headers', () => {
  const { urls, headers } = otlpEndpoint('http://me:p%40ss@a/x', { headers: ['X-Team = red', 'x-key=a=b'] });
  expect(urls.traces).toBe('http://a/x/v1/traces');
  expect(headers).toEqual({
    authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
    'x-team': 'red',
    'x-key': 'a=b',
  });
});
