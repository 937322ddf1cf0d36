import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseTemplate } from './template.ts';

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:Fn';
const URI = `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${ARN}/invocations`;
const FUNCTION =
  'Fn: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs22.x, Handler: a.b, InlineCode: x}}';

const YAML = `
openapi: 3.0.1
paths:
  /users/{id}:
    parameters: [{name: id, in: path}]
    get: {x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: '${URI}', timeoutInMillis: 4000}}
    options:
      x-amazon-apigateway-integration:
        type: mock
        responses:
          default: {statusCode: '204', responseParameters: {method.response.header.Access-Control-Allow-Origin: "'*'"}}
  /away:
    get: {x-amazon-apigateway-integration: {type: http_proxy, uri: 'http://example.com'}}
  /event: {post: {responses: {}}}
`;
const JSON_TEXT = JSON.stringify({
  paths: {
    '/$default': {
      'x-amazon-apigateway-any-method': {
        'x-amazon-apigateway-integration': { $ref: '#/components/x-amazon-apigateway-integrations/fn' },
      },
    },
    '/old': {
      get: { 'x-amazon-apigateway-integration': { uri: URI, payloadFormatVersion: '1.0' }, security: [{ Pool: [] }] },
    },
  },
  components: { 'x-amazon-apigateway-integrations': { fn: { type: 'AWS_PROXY', uri: URI } } },
});

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'openray-openapi-'));
  writeFileSync(join(dir, 'openapi.yaml'), YAML);
  writeFileSync(join(dir, 'openapi.json'), JSON_TEXT);
  writeFileSync(join(dir, 'list.yaml'), '- 1');
});
afterAll(() => rmSync(dir, { recursive: true }));

function read(api: string) {
  const text = `Resources:\n  ${FUNCTION}\n  Api: {Type: ${api}}`;
  const { routes, sourceWarnings } = parseTemplate(text, join(dir, 'template.yaml'), {
    parameters: {},
    region: 'eu-west-1',
    accountId: '000000000000',
  });
  return {
    warnings: sourceWarnings,
    routes: routes.map(({ method, path, target }) => ({ route: `${method} ${path}`, target })),
  };
}

const AWAY = 'openray serves only functions of this template and mocks; this route is left out.';

test.each([
  ['AWS::Serverless::Api, Properties: {DefinitionUri: openapi.yaml}', 'Api: openapi.yaml/away.get: '],
  ['AWS::Serverless::Api, Properties: {DefinitionUri: !Sub "./openapi.yaml"}', 'Api: ./openapi.yaml/away.get: '],
  [
    'AWS::Serverless::Api, Properties: {DefinitionBody: {"Fn::Transform": {Name: AWS::Include, Parameters: {Location: openapi.yaml}}}}',
    'Api.DefinitionBody/away.get: ',
  ],
  [
    'AWS::ApiGateway::RestApi, Properties: {Body: {"Fn::Transform": {Name: AWS::Include, Parameters: {Location: openapi.yaml}}}}',
    'Api.Body/away.get: ',
  ],
])('a REST API has the routes of its document: %s', (api, place) => {
  const { routes, warnings } = read(api);
  expect(warnings).toEqual([place + AWAY]);
  expect(routes).toEqual([
    {
      route: 'GET /users/{id}',
      target: { kind: 'function', functionId: 'Fn', payloadVersion: '1.0', isStreamed: false, timeoutMs: 4000 },
    },
    {
      route: 'OPTIONS /users/{id}',
      target: { kind: 'fixed', status: 204, headers: [['Access-Control-Allow-Origin', '*']] },
    },
  ]);
});

test.each([
  'AWS::Serverless::HttpApi, Properties: {DefinitionUri: openapi.json}',
  'AWS::ApiGatewayV2::Api, Properties: {Body: {"Fn::Transform": {Name: AWS::Include, Parameters: {Location: openapi.json}}}}',
])('an HTTP API has the routes of its document: %s', (api) => {
  const { routes, warnings } = read(api);
  expect(warnings).toEqual(['openray cannot run the authorizer Pool: every caller is allowed.']);
  expect(routes).toMatchObject([
    { route: 'ANY $default', target: { functionId: 'Fn', payloadVersion: '2.0' } },
    { route: 'GET /old', target: { functionId: 'Fn', payloadVersion: '1.0' } },
  ]);
});

test.each([
  [
    'AWS::Serverless::Api, Properties: {DefinitionUri: s3://bucket/api.yaml}',
    'Api.DefinitionUri is "s3://bucket/api.yaml", which openray cannot read; name a local file. Its routes are left out.',
  ],
  [
    'AWS::Serverless::HttpApi, Properties: {DefinitionUri: {Bucket: b, Key: k}}',
    'Api.DefinitionUri is {"Bucket":"b","Key":"k"}, which openray cannot read; name a local file. Its routes are left out.',
  ],
  [
    'AWS::ApiGateway::RestApi, Properties: {BodyS3Location: {Bucket: b, Key: k}}',
    'Api.BodyS3Location is {"Bucket":"b","Key":"k"}, which openray cannot read; name a local file. Its routes are left out.',
  ],
  [
    'AWS::Serverless::Api, Properties: {DefinitionUri: none.yaml}',
    /none\.yaml cannot be read; its routes are left out/,
  ],
  ['AWS::Serverless::Api, Properties: {DefinitionUri: list.yaml}', /Api\.DefinitionUri: .*its routes are left out/],
  [
    'AWS::Serverless::Api, Properties: {DefinitionBody: [1]}',
    'Api.DefinitionBody is [1], not an object; its routes are left out.',
  ],
  [
    'AWS::Serverless::Api, Properties: {DefinitionBody: {paths: 42}}',
    'Api.DefinitionBody.paths is 42, not an object; its routes are left out.',
  ],
  [
    'AWS::Serverless::Api, Properties: {DefinitionBody: {paths: {/a: x}}}',
    'Api.DefinitionBody/a is "x", not an object; its routes are left out.',
  ],
])('a document that cannot be read is a warning: %s', (api, warning) => {
  const { warnings } = read(api);
  expect(warnings).toEqual([
    expect.stringMatching(typeof warning === 'string' ? warning.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : warning),
  ]);
});

const METHOD =
  'AWS::ApiGateway::Method, Properties: {ResourceId: x, HttpMethod: GET, Integration: {Type: AWS_PROXY, Uri: Fn}';
test.each([
  [`${METHOD}}`, 'Api has no RestApiId; it is left out.'],
  [
    `${METHOD}, RestApiId: other}`,
    'Api.RestApiId is "other", which is no AWS::ApiGateway::RestApi of this template; its route is left out.',
  ],
  [
    `${METHOD}, RestApiId: Rest}}\n  Rest: {Type: AWS::ApiGateway::RestApi`,
    'Api.ResourceId is "x", which is no resource of Rest; its route is left out.',
  ],
  [
    'AWS::ApiGatewayV2::Route, Properties: {ApiId: other, RouteKey: GET /, Target: Fn}',
    'Api.ApiId is "other", which is no AWS::ApiGatewayV2::Api of this template; its route is left out.',
  ],
  [
    'AWS::ApiGatewayV2::Route, Properties: {ApiId: other, RouteKey: users, Target: Fn}',
    'Api.RouteKey is "users", not a route such as GET /users, or $default; Api is left out.',
  ],
])('a route of a plain resource that has no place is a warning: %s', (resource, warning) => {
  expect(read(resource)).toEqual({ routes: [], warnings: [warning] });
});
