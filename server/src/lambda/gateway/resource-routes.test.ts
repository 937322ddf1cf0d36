import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { ACCOUNT, type LocalLambda, openLocalLambda, REGION } from '../testing/local-lambda.ts';
import { openSegmentSender, parseDaemonAddress } from '../tracing/segment-sender.ts';
import { type Gateway, openGateway } from './gateway.ts';
import { bodyOf, sender } from './testing/send.ts';

const PROXY = (id: string) => `
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Join ['', ['arn:', !Ref AWS::Partition, ':apigateway:', !Ref AWS::Region, ':lambda:path/2015-03-31/functions/', !GetAtt ${id}.Arn, /invocations]]`;

const FUNCTION = (handler: string) =>
  `{Type: AWS::Lambda::Function, Properties: {Code: ., Runtime: nodejs20.x, Timeout: 20, Handler: index.${handler}, TracingConfig: {Mode: Active}}}`;

const TEMPLATE = `
Resources:
  Echo: ${FUNCTION('echo')}
  Slow: ${FUNCTION('slow')}
  TokenAsk: ${FUNCTION('token')}
  Simple: ${FUNCTION('simple')}
  Rest: {Type: AWS::ApiGateway::RestApi, Properties: {Name: shop}}
  Deployment: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Rest}}
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Rest, DeploymentId: !Ref Deployment, StageName: live, TracingEnabled: true, Variables: {color: green}}}
  Users: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: users}}
  User: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Rest, ParentId: !Ref Users, PathPart: '{id}'}}
  Secret: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: secret}}
  Asked: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: asked}}
  Late: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: late}}
  GetRoot:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Rest, ResourceId: !GetAtt Rest.RootResourceId, HttpMethod: GET, AuthorizationType: AWS_IAM, Integration: {Type: HTTP_PROXY, Uri: 'http://example.com'}}
  GetUser:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref User
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:${PROXY('Echo')}
  UserOptions:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref User
      HttpMethod: OPTIONS
      AuthorizationType: NONE
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{statusCode:200}'}
        IntegrationResponses:
          - StatusCode: '204'
            ResponseParameters: {method.response.header.Access-Control-Allow-Origin: "'*'", method.response.header.X-Other: integration.response.header.x}
  Tokens: {Type: AWS::ApiGateway::Authorizer, Properties: {Name: tokens, Type: TOKEN, RestApiId: !Ref Rest, IdentitySource: method.request.header.Authorization, IdentityValidationExpression: 'Bearer .+', AuthorizerUri: !Sub 'arn:aws:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/\${TokenAsk.Arn}/invocations'}}
  Requests: {Type: AWS::ApiGateway::Authorizer, Properties: {Name: requests, Type: REQUEST, RestApiId: !Ref Rest, IdentitySource: 'method.request.querystring.key, context.path', AuthorizerUri: !Sub 'arn:aws:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/\${TokenAsk.Arn}/invocations'}}
  Pool: {Type: AWS::ApiGateway::Authorizer, Properties: {Name: pool, Type: COGNITO_USER_POOLS, RestApiId: !Ref Rest}}
  GetSecret:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Secret
      HttpMethod: GET
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Tokens
      Integration:${PROXY('Echo')}
  PostSecret:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Secret
      HttpMethod: POST
      AuthorizationType: COGNITO_USER_POOLS
      AuthorizerId: !Ref Pool
      Integration:${PROXY('Echo')}
  GetAsked:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Asked
      HttpMethod: ANY
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Requests
      Integration:${PROXY('Echo')}
  GetLate:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Late
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:${PROXY('Slow')}
        TimeoutInMillis: 50
  Web: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: web, ProtocolType: HTTP, CorsConfiguration: {AllowOrigins: ['http://localhost:5173'], AllowMethods: [GET]}}}
  WebStage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Web, StageName: $default, AutoDeploy: true}}
  WebEcho: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Web, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Echo.Arn, PayloadFormatVersion: '2.0'}}
  WebSlow: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Web, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Slow.Arn, PayloadFormatVersion: '2.0', TimeoutInMillis: 50}}
  WebAsk: {Type: AWS::ApiGatewayV2::Authorizer, Properties: {ApiId: !Ref Web, Name: simple, AuthorizerType: REQUEST, AuthorizerPayloadFormatVersion: '2.0', EnableSimpleResponses: true, IdentitySource: [$request.header.X-Key], AuthorizerUri: !Sub 'arn:aws:apigateway:\${AWS::Region}:lambda:path/2015-03-31/functions/\${Simple.Arn}/invocations'}}
  WebRoute: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Web, RouteKey: 'GET /web/{name}', Target: !Join [/, [integrations, !Ref WebEcho]]}}
  WebLate: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Web, RouteKey: 'GET /web-late', Target: !Join [/, [integrations, !Ref WebSlow]]}}
  WebGuarded: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Web, RouteKey: 'GET /guarded', AuthorizationType: CUSTOM, AuthorizerId: !Ref WebAsk, Target: !Join [/, [integrations, !Ref WebEcho]]}}
  Chat: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: chat, ProtocolType: WEBSOCKET}}
`;

const CODE = `
const policy = (Effect, Resource) => ({ Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] });
exports.echo = async (event) => ({ statusCode: 200, body: JSON.stringify({ event, header: process.env._X_AMZN_TRACE_ID }) });
exports.slow = () => new Promise((done) => setTimeout(done, 2_000, { statusCode: 200 }));
exports.token = async (event) => {
  console.log('ASKED ' + JSON.stringify(event));
  const token = event.authorizationToken ?? event.queryStringParameters.key;
  if (token.endsWith('broken')) throw new Error('no idea');
  if (token.endsWith('unknown')) throw new Error('Unauthorized');
  if (token.endsWith('nonsense')) return { hello: 1 };
  const [arn] = event.methodArn.split('/', 1);
  const effect = token.endsWith('evil') ? 'Deny' : 'Allow';
  const resource = token.endsWith('elsewhere') ? arn + '/live/GET/other' : arn + '/live/*/?' + event.methodArn.split('/').pop().slice(1);
  return { principalId: 'brian1', policyDocument: policy(effect, resource), context: { tier: 'gold', level: 7 } };
};
exports.simple = async (event) => {
  console.log('ASKED ' + JSON.stringify(event));
  return { isAuthorized: event.identitySource[0] === 'open sesame', context: { level: 7 } };
};
`;

let local: LocalLambda;
let gateway: Gateway;
let send: ReturnType<typeof sender>;

beforeAll(async () => {
  local = await openLocalLambda({ 'template.yaml': TEMPLATE, 'index.js': CODE });
  const segments = openSegmentSender(parseDaemonAddress(local.daemon.address));
  const options = { lambda: local.lambda, sender: segments, accountId: ACCOUNT, region: REGION };
  gateway = openGateway({ ...options, sample: () => true });
  send = sender(gateway);
});
afterAll(() => local.close());

function asked(name: string): JsonObject {
  const line = local.logEvents.findLast(({ functionName, text }) => functionName === name && text.includes('ASKED '));
  return JSON.parse(line?.text.slice(line.text.indexOf('ASKED ') + 6) ?? 'null') as JsonObject;
}

test('each unsupported route gives one warning', () => {
  expect(local.warnings).toEqual([
    'GetRoot: openray serves only functions (AWS_PROXY) and mocks; this route is left out.',
    'Chat: openray does not serve WebSocket APIs; the routes of this API are left out.',
    'openray cannot run the authorizer Pool (COGNITO_USER_POOLS): every caller is allowed.',
  ]);
});

describe('pages of other sites', () => {
  test.each([
    ['a mock for OPTIONS that allows all', 'GET', '/users/7', 'https://app.example', true],
    ['the preflight request of it', 'OPTIONS', '/users/7', 'https://app.example', true],
    ['the same in the stage', 'GET', '/live/users/7', 'https://app.example', true],
    ['no mock for OPTIONS', 'POST', '/secret', 'https://app.example', false],
    ['a path without a route', 'GET', '/nowhere', 'https://app.example', false],
    ['an HTTP API that names the origin', 'GET', '/web/brian', 'http://localhost:5173', true],
    ['an HTTP API that names another origin', 'GET', '/web/brian', 'https://app.example', false],
  ])('%s', (_case, method, path, origin, isAllowed) => {
    expect(gateway.allowsOrigin({ method, path, rawHeaders: ['Host', 'localhost:3000'] }, origin)).toBe(isAllowed);
  });
});

describe('a REST API of plain resources', () => {
  test('routes to the function of the method, in its stage, with tracing', async () => {
    const { event, header } = bodyOf(await send({ path: '/live/users/7' })) as { event: JsonObject; header: string };
    expect(event).toMatchObject({
      resource: '/users/{id}',
      pathParameters: { id: '7' },
      stageVariables: { color: 'green' },
      requestContext: { stage: 'live', path: '/live/users/7' },
    });
    const root = /Root=([^;]+)/.exec(header)?.[1];
    const stage = await local.daemon.until((documents) =>
      documents.find(({ trace_id: id, name, end_time: end }) => id === root && name === 'shop/live' && end),
    );
    expect(stage).toMatchObject({ origin: 'AWS::ApiGateway::Stage', subsegments: [{ name: 'Lambda' }] });
    expect((await send({ method: 'POST', path: '/secret' })).status).toBe(200);
  });

  test('responds to mocks itself, as browsers need for CORS', async () => {
    const answer = await send({ method: 'OPTIONS', path: '/users/7', rawHeaders: ['Origin', 'http://localhost'] });
    expect(answer).toMatchObject({ status: 204, headers: [['Access-Control-Allow-Origin', '*']] });
  });

  test('does not wait longer than the timeout of its integration, and the trace has the 504', async () => {
    const answer = await send({ path: '/late' });
    expect([answer.status, bodyOf(answer)]).toEqual([504, { message: 'Endpoint request timed out' }]);
    await local.daemon.until((documents) =>
      documents.find(
        ({ origin, fault, http }) =>
          origin === 'AWS::ApiGateway::Stage' && fault && (http as { response: JsonObject }).response.status === 504,
      ),
    );
  });
});

describe('a token authorizer', () => {
  const call = (token?: string, path = '/secret') =>
    send({ path, rawHeaders: token === undefined ? [] : ['authorization', token] });

  test('runs first; the function receives its context, and both are calls of the stage', async () => {
    const { event, header } = bodyOf(await call('Bearer good')) as { event: JsonObject; header: string };
    expect(event.requestContext).toMatchObject({ authorizer: { principalId: 'brian1', tier: 'gold', level: '7' } });
    expect(asked('TokenAsk')).toEqual({
      type: 'TOKEN',
      authorizationToken: 'Bearer good',
      methodArn: expect.stringMatching(/^arn:aws:execute-api:us-east-1:000000000000:[a-z0-9]{10}\/live\/GET\/secret$/),
    });
    const root = /Root=([^;]+)/.exec(header)?.[1];
    const stage = await local.daemon.until((documents) =>
      documents.find(
        ({ trace_id: id, origin, end_time: end }) => id === root && origin === 'AWS::ApiGateway::Stage' && end,
      ),
    );
    const calls = stage.subsegments as readonly JsonObject[];
    expect(calls).toMatchObject([{ aws: { function_name: 'TokenAsk' } }, { aws: { function_name: 'Echo' } }]);
    const services = await local.daemon.until((documents) => {
      const found = documents.filter(
        ({ trace_id: id, origin, end_time: end }) => id === root && origin === 'AWS::Lambda' && end,
      );
      return found.length === 2 ? found : undefined;
    });
    expect(services.map(({ parent_id: parent }) => parent).sort()).toEqual(calls.map(({ id }) => id).sort());
  });

  test.each([
    [undefined, 401, { message: 'Unauthorized' }],
    ['Basic good', 401, { message: 'Unauthorized' }],
    ['Bearer unknown', 401, { message: 'Unauthorized' }],
    ['Bearer evil', 403, { Message: 'User is not authorized to access this resource with an explicit deny' }],
    ['Bearer elsewhere', 403, { Message: 'User is not authorized to access this resource' }],
    ['Bearer broken', 500, { message: null }],
    ['Bearer nonsense', 500, { message: null }],
  ])('refuses %s with %i', async (token, status, body) => {
    const answer = await call(token);
    expect([answer.status, bodyOf(answer)]).toEqual([status, body]);
  });
});

test('a request authorizer receives the request without its body', async () => {
  const answer = await send({ method: 'PUT', path: '/asked', query: 'key=good', body: Buffer.from('secret') });
  expect(answer.status).toBe(200);
  const event = asked('TokenAsk');
  expect(event).toMatchObject({
    type: 'REQUEST',
    resource: '/asked',
    httpMethod: 'PUT',
    queryStringParameters: { key: 'good' },
    pathParameters: {},
    requestContext: { stage: 'live' },
  });
  expect(event).not.toHaveProperty('body');
  expect((await send({ path: '/asked' })).status).toBe(401);
});

describe('an HTTP API of plain resources', () => {
  test('routes to the function of the integration, with CORS', async () => {
    const answer = await send({ path: '/web/brian', rawHeaders: ['Origin', 'http://localhost:5173'] });
    expect(bodyOf(answer).event).toMatchObject({
      version: '2.0',
      routeKey: 'GET /web/{name}',
      pathParameters: { name: 'brian' },
    });
    expect(answer.headers).toContainEqual(['access-control-allow-origin', 'http://localhost:5173']);
  });

  test('runs an authorizer that returns simple responses', async () => {
    const call = (key: string) => send({ path: '/guarded', query: 'a=1', rawHeaders: ['x-key', key] });
    const { event } = bodyOf(await call('open sesame')) as { event: JsonObject };
    expect(event.requestContext).toMatchObject({ authorizer: { lambda: { level: 7 } } });
    expect(asked('Simple')).toMatchObject({
      version: '2.0',
      type: 'REQUEST',
      routeArn: expect.stringMatching(/\/\$default\/GET\/guarded$/),
      identitySource: ['open sesame'],
      routeKey: 'GET /guarded',
      rawQueryString: 'a=1',
    });
    const closed = await call('open barley');
    expect([closed.status, bodyOf(closed)]).toEqual([403, { message: 'Forbidden' }]);
    expect((await send({ path: '/guarded' })).status).toBe(401);
  });

  test('does not wait longer than the timeout of its integration', async () => {
    const answer = await send({ path: '/web-late' });
    expect([answer.status, bodyOf(answer)]).toEqual([503, { message: 'Service Unavailable' }]);
  });
});

test('without callsAuthorizers no authorizer runs, and without hasTimeouts no call is cut off', async () => {
  const segments = openSegmentSender(parseDaemonAddress(local.daemon.address));
  const options = { lambda: local.lambda, sender: segments, accountId: ACCOUNT, region: REGION };
  const open = sender(openGateway({ ...options, sample: () => true, callsAuthorizers: false, hasTimeouts: false }));
  expect((await open({ path: '/secret' })).status).toBe(200);
  expect((await open({ path: '/late' })).status).toBe(200);
});
