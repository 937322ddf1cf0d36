import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../model/json.ts';
import type { FunctionTarget, GatewayApi } from '../spec/routes.ts';
import { responseOf, timedOutResponse, tooLargeResponse } from './responses.ts';

type Kind = GatewayApi['kind'];

function apiOf(kind: Kind, binaryMediaTypes: readonly string[] = []): GatewayApi {
  return { kind, binaryMediaTypes } as unknown as GatewayApi;
}

const VERSIONS = { rest: '1.0', http: '2.0', url: '2.0' } as const;

function answerTo(kind: Kind, result: JsonValue, version: '1.0' | '2.0' = VERSIONS[kind]) {
  const target = { payloadVersion: version } as FunctionTarget;
  const { response } = responseOf(apiOf(kind), target, Buffer.from(JSON.stringify(result)), { rawHeaders: [] });
  return { ...response, body: response.body.toString() };
}

describe('headers and multiValueHeaders become one list', () => {
  test.each([
    [{ a: '1' }, { b: ['2', '3'] }, ['a: 1', 'b: 2', 'b: 3']],
    [{ a: '1' }, { a: ['2'] }, ['a: 1', 'a: 2']],
    [{ A: '1' }, { a: ['1', '2'] }, ['a: 1', 'a: 2']],
    [{ n: 1, t: true }, { 'set-cookie': ['x=1', 'y=2'] }, ['n: 1', 't: true', 'set-cookie: x=1', 'set-cookie: y=2']],
  ])('%j and %j', (headers, multiValueHeaders, expected) => {
    const result = { statusCode: 200, headers, multiValueHeaders, body: '' };
    for (const [kind, version] of [
      ['rest', '1.0'],
      ['http', '1.0'],
    ] as const) {
      const { headers: own } = answerTo(kind, result, version);
      const texts = own.map(([name, value]) => `${name}: ${value}`);
      expect(texts.slice(0, -1)).toEqual(expected);
      expect(texts.at(-1)).toMatch(/^content-type: /);
    }
  });
});

describe('a payload of version 2.0', () => {
  test('has cookies, and one value a header', () => {
    const result = { statusCode: 200, headers: { a: '1' }, multiValueHeaders: { b: ['2'] }, cookies: ['c=1', 'd=2'] };
    expect(answerTo('http', result).headers).toEqual([
      ['a', '1'],
      ['set-cookie', 'c=1'],
      ['set-cookie', 'd=2'],
      ['content-type', 'text/plain; charset=utf-8'],
    ]);
    expect(answerTo('http', result, '1.0').headers.map(([name]) => name)).toEqual(['a', 'b', 'content-type']);
  });

  test.each<readonly [JsonValue, string]>([
    [{ message: 'hi' }, '{"message":"hi"}'],
    ['hi', 'hi'],
    [7, '7'],
    [[1, 2], '[1,2]'],
    [false, 'false'],
    [null, 'null'],
    [{}, '{}'],
    [{ body: 'x' }, '{"body":"x"}'],
  ])('without a status, %j is the body', (result, body) => {
    for (const kind of ['http', 'url'] as const) {
      const { status, headers, body: sent } = answerTo(kind, result);
      expect([status, headers, sent]).toEqual([200, [['content-type', 'application/json']], body]);
    }
  });

  test('that is not JSON is an error', () => {
    const target = { payloadVersion: '2.0' } as FunctionTarget;
    const { response, malformed } = responseOf(apiOf('http'), target, Buffer.from('<p>'), { rawHeaders: [] });
    expect([response.status, malformed]).toEqual([500, 'it is not JSON']);
  });
});

describe('a body in Base64', () => {
  const result = { statusCode: 200, headers: { 'content-type': 'image/png' }, body: 'AAH/', isBase64Encoded: true };
  const bodyFor = (kind: Kind, types: readonly string[], accept: string | undefined) => {
    const target = { payloadVersion: VERSIONS[kind] } as FunctionTarget;
    const rawHeaders = accept === undefined ? [] : ['Accept', accept];
    return responseOf(apiOf(kind, types), target, Buffer.from(JSON.stringify(result)), { rawHeaders });
  };

  test.each([
    [['image/png'], 'image/png'],
    [['image/png'], 'IMAGE/PNG;q=0.8, text/html'],
    [['image/*'], 'image/webp,*/*'],
    [['*/*'], '*/*'],
    [['*/*'], undefined],
  ])('is decoded by a REST API with the binary types %j for Accept %s', (types, accept) => {
    const { response, warning } = bodyFor('rest', types, accept);
    expect([response.body, warning]).toEqual([Buffer.from([0, 1, 255]), undefined]);
  });

  test.each([
    [['image/png'], '*/*', '*/*'],
    [['image/png'], 'text/html, image/png', 'text/html'],
    [[], 'image/png', 'image/png'],
    [['image/png'], undefined, 'no type'],
  ])('stays as it is with the binary types %j for Accept %s, and the log says why', (types, accept, first) => {
    const { response, warning } = bodyFor('rest', types, accept);
    expect(response.body.toString()).toBe('AAH/');
    expect(warning).toBe(
      `the body stays Base64: the request accepts ${first} first, which is none of BinaryMediaTypes`,
    );
  });

  test.each(['http', 'url'] as const)('is always decoded: %s', (kind) => {
    expect(bodyFor(kind, [], undefined).response.body).toEqual(Buffer.from([0, 1, 255]));
  });
});

describe('headers that belong to the connection', () => {
  const headers = {
    Connection: 'close',
    'Content-Length': '900',
    'Transfer-Encoding': 'chunked',
    Date: 'then',
    Server: 'mine',
    'WWW-Authenticate': 'Basic',
    'X-Own': '1',
    'Content-Type': 'text/x',
  };

  test('are sent under another name by a REST API', () => {
    expect(answerTo('rest', { statusCode: 200, headers, body: 'x' }).headers).toEqual([
      ['x-amzn-Remapped-Connection', 'close'],
      ['x-amzn-Remapped-Content-Length', '900'],
      ['x-amzn-Remapped-Date', 'then'],
      ['x-amzn-Remapped-Server', 'mine'],
      ['x-amzn-Remapped-WWW-Authenticate', 'Basic'],
      ['X-Own', '1'],
      ['Content-Type', 'text/x'],
    ]);
  });

  test('are left out by the others', () => {
    const { headers: sent } = answerTo('http', { statusCode: 200, headers, body: 'x' });
    expect(sent.map(([name]) => name)).toEqual(['Date', 'Server', 'WWW-Authenticate', 'X-Own', 'Content-Type']);
  });
});

test.each([
  ['rest', 504, 'Endpoint request timed out'],
  ['http', 503, 'Service Unavailable'],
] as const)('a timeout of the integration: %s', (kind, status, message) => {
  const { status: sent, body } = timedOutResponse(apiOf(kind));
  expect([sent, JSON.parse(body.toString())]).toEqual([status, { message }]);
});

test.each(['rest', 'http', 'url'] as const)('a body that is too large is 413: %s', (kind) => {
  expect(tooLargeResponse(apiOf(kind), 'gateway').status).toBe(413);
});

test.each([
  ['200', 200],
  [404, 404],
  ['599', 599],
] as const)('a status may be a text of digits: %j', (statusCode, status) => {
  for (const kind of ['rest', 'http', 'url'] as const) expect(answerTo(kind, { statusCode }).status).toBe(status);
});
