import type {
  ALBEvent,
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayRequestAuthorizerEvent,
  APIGatewayTokenAuthorizerEvent,
  AppSyncResolverEvent,
  CloudFrontRequestEvent,
  CloudFrontResponseEvent,
} from 'aws-lambda';
import { arnOf, PLACE, REQUEST_ID, type ServiceEvents, sampleEvent, TIME_MS } from './sample-event.ts';

const REQUEST = { method: 'POST', path: '/path/to/resource', body: '{"test":"body"}', stage: 'prod' };
const DNS = { accountId: PLACE.accountId, dnsSuffix: `${PLACE.region}.amazonaws.com` };
const SOURCE_IP = '127.0.0.1';
const USER_AGENT = 'curl/8.5.0';
const REQUEST_TIME = '15/Jan/2026:12:00:00 +0000';
const API_ID = '1234567890';

const headersOf = (host: string) => ({
  Accept: '*/*',
  'Content-Type': 'application/json',
  Host: host,
  'User-Agent': USER_AGENT,
  'X-Forwarded-For': `${SOURCE_IP}, 127.0.0.2`,
  'X-Forwarded-Port': '443',
  'X-Forwarded-Proto': 'https',
});

const listsOf = (headers: Readonly<Record<string, string>>): Record<string, string[]> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]));

/** `--path` may leave out the slash at the start, as SAM's default does. */
const absolute = (path: string) => (path.startsWith('/') ? path : `/${path}`);

/** The value of `{proxy+}`, or of each other variable of the resource in turn. */
function pathParametersOf(resource: string, path: string): Record<string, string> {
  const parts = absolute(path).split('/');
  return Object.fromEntries(
    absolute(resource)
      .split('/')
      .flatMap((part, index) => {
        const [, name, isGreedy] = /^\{(.+?)(\+?)\}$/.exec(part) ?? [];
        if (name === undefined) return [];
        return [[name, isGreedy === '+' ? parts.slice(index).join('/') : (parts[index] ?? '')]];
      }),
  );
}

type RestRequest = Readonly<Record<'method' | 'path' | 'stage' | 'resource' | 'accountId', string>>;

function restContext(request: RestRequest, host: string) {
  const { method, stage, accountId } = request;
  return {
    accountId,
    apiId: API_ID,
    authorizer: undefined,
    domainName: host,
    domainPrefix: API_ID,
    httpMethod: method,
    identity: {
      accessKey: null,
      accountId: null,
      apiKey: null,
      apiKeyId: null,
      caller: null,
      clientCert: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: SOURCE_IP,
      user: null,
      userAgent: USER_AGENT,
      userArn: null,
    },
    path: `/${stage}${absolute(request.path)}`,
    protocol: 'HTTP/1.1',
    requestId: REQUEST_ID,
    requestTime: REQUEST_TIME,
    requestTimeEpoch: TIME_MS,
    resourceId: '123456',
    resourcePath: absolute(request.resource),
    stage,
  };
}

/** The members that an event for a function and one for an authorizer share. */
function restRequest(request: RestRequest, host: string) {
  const headers = headersOf(host);
  return {
    resource: absolute(request.resource),
    path: absolute(request.path),
    httpMethod: request.method,
    headers,
    multiValueHeaders: listsOf(headers),
    queryStringParameters: { foo: 'bar' },
    multiValueQueryStringParameters: { foo: ['bar'] },
    pathParameters: pathParametersOf(request.resource, request.path),
    stageVariables: null,
    requestContext: restContext(request, host),
  };
}

const AUTHORIZED = { ...PLACE, stage: 'prod', method: 'GET' };
type Authorized = Readonly<Record<keyof typeof AUTHORIZED, string>>;

const methodArn = ({ stage, method, ...place }: Authorized, apiId: string, path: string) =>
  arnOf('execute-api', place, `${apiId}/${stage}/${method}${absolute(path)}`);

export const apigateway: ServiceEvents = {
  'aws-proxy': sampleEvent(
    'a request to a REST API',
    { ...REQUEST, resource: '/{proxy+}', ...DNS },
    ({ body, dnsSuffix, ...request }) =>
      ({
        ...restRequest(request, `${API_ID}.execute-api.${dnsSuffix}`),
        body,
        isBase64Encoded: false,
      }) satisfies APIGatewayProxyEvent,
  ),
  'http-api-proxy': sampleEvent(
    'a request to an HTTP API (payload version 2.0)',
    { ...REQUEST, routeKey: '$default', stage: '$default', ...DNS },
    ({ method, path, body, stage, routeKey, accountId, dnsSuffix }) => {
      const host = `${API_ID}.execute-api.${dnsSuffix}`;
      const rawPath = stage === '$default' ? absolute(path) : `/${stage}${absolute(path)}`;
      const [, resource] = routeKey.split(' ');
      return {
        version: '2.0',
        routeKey,
        rawPath,
        rawQueryString: 'foo=bar',
        headers: Object.fromEntries(
          Object.entries(headersOf(host)).map(([name, value]) => [name.toLowerCase(), value]),
        ),
        queryStringParameters: { foo: 'bar' },
        requestContext: {
          accountId,
          apiId: API_ID,
          domainName: host,
          domainPrefix: API_ID,
          http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: SOURCE_IP, userAgent: USER_AGENT },
          requestId: 'JKJaXmPLvHcESHA=',
          routeKey,
          stage,
          time: REQUEST_TIME,
          timeEpoch: TIME_MS,
        },
        ...(resource === undefined ? {} : { pathParameters: pathParametersOf(resource, path) }),
        body,
        isBase64Encoded: false,
      } satisfies APIGatewayProxyEventV2;
    },
  ),
  authorizer: sampleEvent(
    'a request to a TOKEN authorizer',
    { ...AUTHORIZED, resource: '/path/to/resource', restApiId: API_ID, token: 'allow' },
    ({ token, resource, restApiId, ...request }) =>
      ({
        type: 'TOKEN',
        authorizationToken: token,
        methodArn: methodArn(request, restApiId, resource),
      }) satisfies APIGatewayTokenAuthorizerEvent,
  ),
  'request-authorizer': sampleEvent(
    'a request to a REQUEST authorizer',
    { ...AUTHORIZED, resource: '/{proxy+}', path: '/path/to/resource' },
    ({ resource, path, ...request }) =>
      ({
        type: 'REQUEST',
        methodArn: methodArn(request, API_ID, path),
        ...restRequest({ ...request, resource, path }, `${API_ID}.execute-api.${request.region}.amazonaws.com`),
      }) satisfies APIGatewayRequestAuthorizerEvent,
  ),
};

export const lambda: ServiceEvents = {
  url: sampleEvent(
    'a request to a function URL',
    { method: 'POST', path: '/path/to/resource', body: '{"test":"body"}', region: PLACE.region },
    ({ method, path, body, region }) => {
      const host = `abcdefghijklmnopqrstuvwxyz012345.lambda-url.${region}.on.aws`;
      return {
        version: '2.0',
        routeKey: '$default',
        rawPath: absolute(path),
        rawQueryString: 'foo=bar',
        headers: Object.fromEntries(
          Object.entries(headersOf(host)).map(([name, value]) => [name.toLowerCase(), value]),
        ),
        queryStringParameters: { foo: 'bar' },
        requestContext: {
          accountId: 'anonymous',
          apiId: 'abcdefghijklmnopqrstuvwxyz012345',
          domainName: host,
          domainPrefix: 'abcdefghijklmnopqrstuvwxyz012345',
          http: { method, path: absolute(path), protocol: 'HTTP/1.1', sourceIp: SOURCE_IP, userAgent: USER_AGENT },
          requestId: REQUEST_ID,
          routeKey: '$default',
          stage: '$default',
          time: REQUEST_TIME,
          timeEpoch: TIME_MS,
        },
        body,
        isBase64Encoded: false,
      } satisfies APIGatewayProxyEventV2;
    },
  ),
};

export const alb: ServiceEvents = {
  request: sampleEvent(
    'a request to an Application Load Balancer',
    { ...PLACE, method: 'POST', path: '/path/to/resource', body: '{"test":"body"}', targetGroup: 'lambda-target' },
    ({ method, path, body, targetGroup, ...place }) =>
      ({
        requestContext: {
          elb: { targetGroupArn: arnOf('elasticloadbalancing', place, `targetgroup/${targetGroup}/d6190d154bc908a5`) },
        },
        httpMethod: method,
        path: absolute(path),
        queryStringParameters: { foo: 'bar' },
        headers: {
          accept: '*/*',
          'content-type': 'application/json',
          host: `lambda-alb-1234567890.${place.region}.elb.amazonaws.com`,
          'user-agent': USER_AGENT,
          'x-amzn-trace-id': 'Root=1-69691040-3c4d5e6f708192a3b4c5d6e7',
          'x-forwarded-for': SOURCE_IP,
          'x-forwarded-port': '80',
          'x-forwarded-proto': 'http',
        },
        body,
        isBase64Encoded: false,
      }) satisfies ALBEvent,
  ),
};

const CLOUDFRONT = { method: 'GET', uri: '/test', querystring: 'auth=test&foo=bar' };

const cloudFrontRequest = ({ method, uri, querystring }: Readonly<Record<keyof typeof CLOUDFRONT, string>>) => ({
  clientIp: '203.0.113.178',
  method,
  uri,
  querystring,
  headers: {
    host: [{ key: 'Host', value: 'd111111abcdef8.cloudfront.net' }],
    'user-agent': [{ key: 'User-Agent', value: USER_AGENT }],
  },
});

const cloudFrontConfig = <Type extends string>(eventType: Type) => ({
  distributionDomainName: 'd111111abcdef8.cloudfront.net',
  distributionId: 'EDFDVBD6EXAMPLE',
  eventType,
  requestId: '4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==',
});

export const cloudfront: ServiceEvents = {
  'viewer-request': sampleEvent(
    'a request to Lambda@Edge',
    CLOUDFRONT,
    (request) =>
      ({
        Records: [{ cf: { config: cloudFrontConfig('viewer-request'), request: cloudFrontRequest(request) } }],
      }) satisfies CloudFrontRequestEvent,
  ),
  'modify-response-header': sampleEvent(
    'a response that Lambda@Edge may change',
    { ...CLOUDFRONT, status: '200' },
    ({ status, ...request }) =>
      ({
        Records: [
          {
            cf: {
              config: cloudFrontConfig('viewer-response'),
              request: cloudFrontRequest(request),
              response: {
                status,
                statusDescription: status === '200' ? 'OK' : '',
                headers: {
                  'content-type': [{ key: 'Content-Type', value: 'text/html' }],
                  server: [{ key: 'Server', value: 'MyCustomOrigin' }],
                },
              },
            },
          },
        ],
      }) satisfies CloudFrontResponseEvent,
  ),
};

export const appsync: ServiceEvents = {
  'direct-resolver': sampleEvent(
    'a field that a function resolves',
    { typeName: 'Query', fieldName: 'getPost', id: '1' },
    ({ typeName, fieldName, id }) =>
      ({
        arguments: { id },
        identity: null,
        source: null,
        request: {
          headers: { 'content-type': 'application/json', host: 'example.appsync-api.us-east-1.amazonaws.com' },
          domainName: null,
        },
        prev: null,
        info: {
          selectionSetList: ['id', 'title'],
          selectionSetGraphQL: '{\n  id\n  title\n}',
          parentTypeName: typeName,
          fieldName,
          variables: { id },
        },
        stash: {},
      }) satisfies AppSyncResolverEvent<{ id: string }>,
  ),
};
