import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { ACCOUNT, type LocalLambda, openLocalLambda, REGION } from '../testing/local-lambda.ts';
import { openSegmentSender, parseDaemonAddress } from '../tracing/segment-sender.ts';
import { openGateway } from './gateway.ts';
import type { GatewayRefusal } from './options.ts';
import type { StreamHead } from './response-stream.ts';
import { bodyOf, sender } from './testing/send.ts';

const TEMPLATE = `
Globals:
  Function: { CodeUri: ., Runtime: nodejs20.x, Timeout: 20, Tracing: Active }
Resources:
  Shop:
    Type: AWS::Serverless::Api
    Properties: { StageName: live, TracingEnabled: true, Cors: "'*'", BinaryMediaTypes: [image~1*] }
  Web:
    Type: AWS::Serverless::HttpApi
    Properties: { CorsConfiguration: { AllowOrigins: [http://localhost:5173], AllowMethods: [GET, POST] } }
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.echo
      Events:
        Rest: { Type: Api, Properties: { Path: '/users/{id}', Method: post, RestApiId: !Ref Shop } }
        Http: { Type: HttpApi, Properties: { Path: '/web/{proxy+}', Method: any, ApiId: !Ref Web } }
        Other: { Type: Schedule, Properties: { Schedule: rate(1 minute) } }
  Plain:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.plain
      FunctionUrlConfig: { AuthType: NONE }
      Events: { Http: { Type: HttpApi, Properties: { Path: /plain, Method: GET, ApiId: !Ref Web } } }
  Broken:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.broken
      Events:
        Rest: { Type: Api, Properties: { Path: /broken, Method: get, RestApiId: !Ref Shop } }
        Http: { Type: HttpApi, Properties: { Path: /broken-web, Method: get, ApiId: !Ref Web } }
  Nonsense:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.nonsense
      Events: { Rest: { Type: Api, Properties: { Path: /nonsense, Method: get, RestApiId: !Ref Shop } } }
  Returning:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.returning
      FunctionUrlConfig: { AuthType: NONE }
      Events:
        Rest: { Type: Api, Properties: { Path: /returning, Method: any, RestApiId: !Ref Shop } }
        Http: { Type: HttpApi, Properties: { Path: '/returning-web/{id}', Method: any, ApiId: !Ref Web } }
        Old: { Type: HttpApi, Properties: { Path: '/old-web/{id}', Method: any, ApiId: !Ref Web, PayloadFormatVersion: '1.0' } }
  Guarded:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      Auth:
        DefaultAuthorizer: Tokens
        Authorizers:
          Tokens: { FunctionArn: !GetAtt Asker.Arn, Identity: { Header: X-Token, ValidationExpression: '[a-z]+' } }
          Queries: { FunctionArn: !GetAtt Asker.Arn, FunctionPayloadType: REQUEST, Identity: { QueryStrings: [key] } }
          Pool: { UserPoolArn: 'arn:aws:cognito-idp:us-east-1:000000000000:userpool/p' }
  GuardedWeb:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: v1
      Auth:
        Authorizers:
          Old: { FunctionArn: !GetAtt Asker.Arn, AuthorizerPayloadFormatVersion: '1.0', Identity: { Headers: [X-Token] } }
  Large:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.large
      FunctionUrlConfig: { AuthType: NONE }
      Events:
        Rest: { Type: Api, Properties: { Path: /large, Method: get, RestApiId: !Ref Shop } }
        Http: { Type: HttpApi, Properties: { Path: /large-web, Method: GET, ApiId: !Ref Web } }
  Asker: { Type: AWS::Serverless::Function, Properties: { Handler: index.asker } }
  Careful:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.echo
      Events:
        Default: { Type: Api, Properties: { Path: /careful, Method: get, RestApiId: !Ref Guarded } }
        Open: { Type: Api, Properties: { Path: /open, Method: get, RestApiId: !Ref Guarded, Auth: { Authorizer: NONE } } }
        Query: { Type: Api, Properties: { Path: /query, Method: get, RestApiId: !Ref Guarded, Auth: { Authorizer: Queries } } }
        Pool: { Type: Api, Properties: { Path: /pool, Method: get, RestApiId: !Ref Guarded, Auth: { Authorizer: Pool } } }
        Old: { Type: HttpApi, Properties: { Path: /old, Method: get, ApiId: !Ref GuardedWeb, Auth: { Authorizer: Old } } }
  Streaming:
    Type: AWS::Serverless::Function
    Properties: { Handler: index.streaming, FunctionUrlConfig: { AuthType: NONE, InvokeMode: RESPONSE_STREAM } }
`;

/** `streaming` sends its second chunk only after a file says that the first one has arrived. */
const CODE = `
const { existsSync } = require('node:fs');
exports.echo = async (event) => ({
  statusCode: 201,
  headers: { 'x-one': '1' },
  multiValueHeaders: { 'x-many': ['a', 'b'] },
  ...(event.version === '2.0' ? { cookies: ['c=1', 'd=2'] } : {}),
  body: JSON.stringify({ event, header: process.env._X_AMZN_TRACE_ID }),
});
exports.plain = async ({ rawQueryString }) => ({ query: rawQueryString });
exports.broken = async () => { throw new Error('no'); };
exports.asker = async (event) => ({
  principalId: event.type,
  policyDocument: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
  context: { source: event.identitySource ?? '' },
});
exports.returning = async (event) => event.body ? JSON.parse(event.isBase64Encoded ? Buffer.from(event.body, 'base64') : event.body)
  : { statusCode: 200, body: JSON.stringify({ path: event.path, rawPath: event.rawPath, contextPath: event.requestContext.path, httpPath: event.requestContext.http?.path }) };
exports.large = async () => ({ statusCode: 200, body: 'x'.repeat(6_400_000) });
exports.nonsense = async () => 'not a proxy response';
exports.streaming = awslambda.streamifyResponse(async (event, stream) => {
  const http = awslambda.HttpResponseStream.from(stream, { statusCode: 206, headers: { 'content-type': 'text/x' }, cookies: ['e=3'] });
  http.write('first ');
  while (!existsSync('first-chunk-arrived')) await new Promise((done) => setTimeout(done, 10));
  http.write('second');
  http.end();
});
`;

let local: LocalLambda;
let send: ReturnType<typeof sender>;
const refusals: GatewayRefusal[] = [];

beforeAll(async () => {
  local = await openLocalLambda({ 'template.yaml': TEMPLATE, 'index.js': CODE });
  const segments = openSegmentSender(parseDaemonAddress(local.daemon.address));
  const options = { lambda: local.lambda, sender: segments, accountId: ACCOUNT, region: REGION };
  send = sender(openGateway({ ...options, sample: () => true, onRefusal: (refusal) => refusals.push(refusal) }));
});
afterAll(() => local.close());

describe('a REST API', () => {
  test('gives the function an event of version 1 and answers with what it returns', async () => {
    const answer = await send({
      method: 'POST',
      path: '/users/7%208',
      query: 'a=1&a=2&b=%20',
      rawHeaders: ['Host', 'localhost:3000', 'X-Many', 'x', 'x-many', 'y', 'User-Agent', 'curl/8.5.0'],
      body: Buffer.from('{"name":"brian"}'),
    });
    expect(answer.status).toBe(201);
    expect(answer.headers).toEqual([
      ['x-one', '1'],
      ['x-many', 'a'],
      ['x-many', 'b'],
      ['content-type', 'application/json'],
    ]);
    const { event } = bodyOf(answer) as { event: JsonObject };
    expect(event).toMatchObject({
      resource: '/users/{id}',
      path: '/users/7%208',
      httpMethod: 'POST',
      headers: {
        Host: 'localhost:3000',
        'X-Many': 'y',
        'User-Agent': 'curl/8.5.0',
        'X-Forwarded-For': '127.0.0.1',
        'X-Forwarded-Port': '3000',
        'X-Forwarded-Proto': 'http',
      },
      multiValueHeaders: { 'X-Many': ['x', 'y'], 'X-Forwarded-For': ['127.0.0.1'], 'X-Forwarded-Port': ['3000'] },
      queryStringParameters: { a: '2', b: ' ' },
      multiValueQueryStringParameters: { a: ['1', '2'] },
      pathParameters: { id: '7 8' },
      stageVariables: null,
      body: '{"name":"brian"}',
      isBase64Encoded: false,
      requestContext: { stage: 'live', path: '/live/users/7%208', identity: { sourceIp: '127.0.0.1' } },
    });
    expect(event).not.toHaveProperty('version');
  });

  test('with tracing writes a segment of its stage, as the parent of the function', async () => {
    const answer = await send({ method: 'POST', path: '/live/users/9' });
    const { event, header } = bodyOf(answer) as { event: { headers: Record<string, string> }; header: string };
    const [root] = /1-[0-9a-f]{8}-[0-9a-f]{24}/.exec(header) ?? [];
    const stage = await local.daemon.until((documents) =>
      documents.find(
        ({ trace_id: id, origin, end_time: end }) => id === root && origin === 'AWS::ApiGateway::Stage' && end,
      ),
    );
    const [integration] = stage.subsegments as readonly JsonObject[];
    expect(stage).toMatchObject({
      name: 'Shop/live',
      http: { request: { method: 'POST', url: 'http://localhost:3000/live/users/9' }, response: { status: 201 } },
    });
    expect(integration).toMatchObject({ name: 'Lambda', namespace: 'aws', aws: { function_name: 'Echo' } });
    expect(event.headers['X-Amzn-Trace-Id']).toBe(`Root=${root};Parent=${integration?.id};Sampled=1`);
    const service = await local.daemon.until((documents) =>
      documents.find(({ trace_id: id, origin }) => id === root && origin === 'AWS::Lambda'),
    );
    expect(service.parent_id).toBe(integration?.id);
  });

  test('continues the trace of its caller, and writes no segment when it is not sampled', async () => {
    const root = '1-6650a080-3c4d5e6f708192a3b4c5d6e7';
    const traced = ['X-Amzn-Trace-Id', `Root=${root};Parent=7c2e3f4a5b6c7d82;Sampled=1`];
    await send({ method: 'POST', path: '/users/9', rawHeaders: traced });
    const stage = await local.daemon.until((documents) =>
      documents.find(({ trace_id: id, origin }) => id === root && origin === 'AWS::ApiGateway::Stage'),
    );
    expect(stage.parent_id).toBe('7c2e3f4a5b6c7d82');
    const silent = '1-6650a081-3c4d5e6f708192a3b4c5d6e7';
    const unsampled = ['x-amzn-trace-id', `Root=${silent};Sampled=0`];
    const { header } = bodyOf(await send({ method: 'POST', path: '/users/9', rawHeaders: unsampled }));
    expect(header).toMatch(new RegExp(`^Root=${silent};Parent=.*;Sampled=0$`));
    expect(local.daemon.documents.filter(({ trace_id: id }) => id === silent)).toEqual([]);
  });

  test('passes binary types in Base64', async () => {
    const rawHeaders = ['Content-Type', 'image/png'];
    const { event } = bodyOf(await send({ method: 'POST', path: '/users/1', rawHeaders, body: Buffer.from([255, 0]) }));
    expect(event).toMatchObject({ body: '/wA=', isBase64Encoded: true });
  });

  test('answers 502 when the function fails or its result is invalid, 403 without a route', async () => {
    for (const path of ['/broken', '/nonsense']) {
      const answer = await send({ path });
      expect([answer.status, bodyOf(answer)]).toEqual([502, { message: 'Internal server error' }]);
    }
    const none = await send({ path: '/nothing' });
    expect([none.status, bodyOf(none)]).toEqual([403, { message: 'Missing Authentication Token' }]);
  });

  test('answers 502 to a malformed result, and the log says why', async () => {
    refusals.length = 0;
    const answer = await send({
      method: 'POST',
      path: '/returning',
      body: Buffer.from('{"statusCode":200,"body":{}}'),
    });
    expect([answer.status, bodyOf(answer)]).toEqual([502, { message: 'Internal server error' }]);
    expect(refusals).toEqual([
      {
        route: 'ANY /returning',
        functionName: 'Returning',
        status: 502,
        reason: "the function's response is malformed: body is an object, not a string: use JSON.stringify",
      },
    ]);
    const web = { method: 'POST', path: '/returning-web/1', body: Buffer.from('{"statusCode":200,"body":{}}') };
    expect((await send(web)).status).toBe(200);
  });

  test.each([
    ['/returning', 10 * 1024 * 1024 + 1, { message: 'HTTP content length exceeded 10485760 bytes.' }],
    ['/returning', 7 * 1024 * 1024, { message: 'Request Too Long' }],
    ['/returning-web/1', 10 * 1024 * 1024 + 1, { message: 'Request Entity Too Large' }],
    ['/returning-web/1', 7 * 1024 * 1024, { message: 'Request Entity Too Large' }],
    ['/lambda-url/Returning/', 7 * 1024 * 1024, { message: 'Request Entity Too Large' }],
  ])('answers 413 to a body above the limits: %s, %i bytes', async (path, bytes, body) => {
    refusals.length = 0;
    const answer = await send({ method: 'POST', path, body: Buffer.alloc(bytes, 'a') });
    expect([answer.status, bodyOf(answer)]).toEqual([413, body]);
    expect(refusals).toMatchObject([{ functionName: 'Returning', status: 413 }]);
  });

  test.each([
    ['/large', 502],
    ['/large-web', 500],
    ['/lambda-url/Large/', 502],
  ])('answers %s, whose function returns more than Lambda allows, with %i', async (path, status) => {
    expect((await send({ path })).status).toBe(status);
  });

  test('has no HEAD beside GET, and ANY has both', async () => {
    expect((await send({ method: 'HEAD', path: '/broken' })).status).toBe(403);
    expect((await send({ method: 'HEAD', path: '/returning' })).status).toBe(200);
  });

  test.each(['/users/1', '/returning'])('answers a preflight request without the function: %s', async (path) => {
    const answer = await send({ method: 'OPTIONS', path, rawHeaders: ['Origin', 'http://localhost:5173'] });
    expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(answer.headers).toContainEqual(['access-control-allow-origin', '*']);
  });
});

describe('an HTTP API', () => {
  test('gives the function an event of version 2 and sets its cookies', async () => {
    const answer = await send({
      method: 'PUT',
      path: '/web/a/b',
      query: 'a=1&a=2',
      rawHeaders: [
        ...['Host', 'localhost:3000', 'Cookie', 'x=1; y=2', 'Accept', 'a', 'accept', 'b'],
        ...['x-forwarded-for', '10.0.0.7', 'X-Forwarded-Proto', 'https'],
      ],
      body: Buffer.from('n=1'),
    });
    expect(answer.headers).toContainEqual(['set-cookie', 'd=2']);
    const { event, header } = bodyOf(answer) as { event: JsonObject; header: string };
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /web/{proxy+}',
      rawPath: '/web/a/b',
      rawQueryString: 'a=1&a=2',
      cookies: ['x=1', 'y=2'],
      headers: {
        host: 'localhost:3000',
        'x-forwarded-for': '10.0.0.7, 127.0.0.1',
        'x-forwarded-port': '3000',
        'x-forwarded-proto': 'http',
        accept: 'a,b',
        'x-amzn-trace-id': expect.stringMatching(/^Root=1-[0-9a-f-]{33}$/),
      },
      queryStringParameters: { a: '1,2' },
      pathParameters: { proxy: 'a/b' },
      requestContext: { http: { method: 'PUT', path: '/web/a/b', sourceIp: '127.0.0.1' }, stage: '$default' },
      body: Buffer.from('n=1').toString('base64'),
      isBase64Encoded: true,
    });
    const root = (event.headers as JsonObject)['x-amzn-trace-id'];
    expect(header.startsWith(`${root};Parent=`)).toBe(true);
  });

  test('takes JSON without a status as the body', async () => {
    const answer = await send({ path: '/plain', query: 'q=1', rawHeaders: ['Origin', 'http://localhost:5173'] });
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('{"query":"q=1"}') });
    expect(answer.headers).toContainEqual(['access-control-allow-origin', 'http://localhost:5173']);
    expect((await send({ path: '/broken-web' })).status).toBe(500);
  });
});

describe('a preflight request to an HTTP API', () => {
  const preflight = (path: string, origin: string) =>
    send({
      method: 'OPTIONS',
      path,
      rawHeaders: ['Host', 'localhost:3000', 'Origin', origin, 'Access-Control-Request-Method', 'GET'],
    });

  test.each(['/plain', '/returning-web/7'])('is answered as CORS says, and calls no function: %s', async (path) => {
    const { status, headers } = await preflight(path, 'http://localhost:5173');
    expect(status).toBe(204);
    expect(headers).toContainEqual(['access-control-allow-origin', 'http://localhost:5173']);
    expect(headers).toContainEqual(['access-control-allow-methods', 'GET,POST']);
  });

  test('of another origin allows nothing', async () => {
    const { status, headers } = await preflight('/plain', 'https://other.example');
    expect(status).toBe(204);
    expect(headers.map(([name]) => name)).not.toContain('access-control-allow-origin');
  });
});

describe('the path in an event', () => {
  test.each([
    ['/returning-web/caf%C3%A9%2Fau%20lait', '/returning-web/café/au lait'],
    ['/returning-web/100%25', '/returning-web/100%'],
    ['/returning-web/%FF%zz%C3%A9', '/returning-web/%FF%zzé'],
  ])('of an HTTP API is decoded: %s', async (path, decoded) => {
    expect(bodyOf(await send({ path }))).toEqual({ rawPath: decoded, httpPath: decoded });
  });

  test('of an HTTP API with payload version 1.0 is decoded', async () => {
    expect(bodyOf(await send({ path: '/old-web/caf%C3%A9' }))).toEqual({
      path: '/old-web/café',
      contextPath: '/old-web/café',
    });
  });

  test('of a function URL stays encoded', async () => {
    expect(bodyOf(await send({ path: '/lambda-url/Returning/caf%C3%A9' }))).toEqual({
      rawPath: '/caf%C3%A9',
      httpPath: '/caf%C3%A9',
    });
  });
});

describe('an authorizer of SAM', () => {
  const authorizerOf = async (path: string, rawHeaders: readonly string[] = []) => {
    const answer = await send({ path, query: 'key=k', rawHeaders });
    if (answer.status !== 200 && answer.status !== 201) return answer.status;
    return ((bodyOf(answer).event as JsonObject).requestContext as JsonObject).authorizer;
  };

  test('is called where the API or the event names it', async () => {
    expect(await authorizerOf('/careful', ['x-token', 'abc'])).toMatchObject({ principalId: 'TOKEN' });
    expect(await authorizerOf('/careful')).toBe(401);
    expect(await authorizerOf('/careful', ['x-token', '123'])).toBe(401);
    expect(await authorizerOf('/open')).toBeUndefined();
    expect(await authorizerOf('/query')).toMatchObject({ principalId: 'REQUEST' });
    expect(await authorizerOf('/v1/old', ['x-token', 'abc'])).toEqual({ lambda: { source: 'abc' } });
  });

  test('of another kind allows every caller, with a warning', async () => {
    expect(await authorizerOf('/pool')).toBeUndefined();
    expect(local.warnings).toContain('openray cannot run the authorizer Pool: every caller is allowed.');
  });
});

describe('a function URL', () => {
  test.each([
    ['/lambda-url/Plain/x', 'localhost:3000'],
    ['/x', 'plain.localhost:3000'],
  ])('answers at %s of %s', async (path, host) => {
    const answer = await send({ path, query: 'u=1', rawHeaders: ['Host', host] });
    expect(bodyOf(answer)).toEqual({ query: 'u=1' });
  });

  test('streams each chunk before the function sends the next one', async () => {
    const heads: StreamHead[] = [];
    const chunks: string[] = [];
    const answer = await send(
      { path: '/lambda-url/Streaming/' },
      {
        head: (head) => void heads.push(head),
        write: async (chunk) => {
          chunks.push(String(chunk));
          await writeFile(`${local.dir}/first-chunk-arrived`, '');
        },
      },
    );
    expect(answer).toBeUndefined();
    expect(heads).toEqual([
      {
        status: 206,
        headers: [
          ['content-type', 'text/x'],
          ['set-cookie', 'e=3'],
        ],
      },
    ]);
    expect(chunks).toEqual(['first ', 'second']);
  });
});
