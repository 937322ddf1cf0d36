import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLocalLambda, resultOf } from '../testing/local-lambda.ts';

const TEMPLATE = `Resources:
  Python:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Timeout: 60
      Code:
        ZipFile: |
          import cfnresponse
          def handler(event, context):
              cfnresponse.send(event, context, cfnresponse.SUCCESS, {"Length": 3}, "disk")
              return "sent"
  Node:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      Timeout: 60
      Code:
        ZipFile: |
          const response = require('cfn-response');
          exports.handler = async (event, context) => {
            await response.send(event, context, response.SUCCESS, { Length: 3 }, 'disk');
            return 'sent';
          };
  Callback:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      Timeout: 60
      Code:
        ZipFile: |
          const response = require('cfn-response');
          exports.handler = (event, context) => response.send(event, context, response.FAILED);
`;
const requests: { method: string | undefined; body: unknown }[] = [];
const server = createServer(async (request, response) => {
  requests.push({ method: request.method, body: JSON.parse(await text(request)) });
  response.end();
});
let local: Awaited<ReturnType<typeof openLocalLambda>>;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  local = await openLocalLambda({ 'template.yaml': TEMPLATE });
});
afterAll(async () => {
  await local.close();
  server.close();
});

const event = () => ({
  ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`,
  StackId: 'stack',
  RequestId: 'request',
  LogicalResourceId: 'Disk',
});

/** As on AWS, `send` ends Node's invocation with `context.done()`, so that the handler's own result has no effect. */
const RESULTS = [
  ['Python', 'sent'],
  ['Node', null],
] as const;

test.each(RESULTS)('%s code in the template answers CloudFormation', async (name, expected) => {
  requests.length = 0;
  expect(resultOf(await local.invoke(name, event()))).toBe(expected);
  const { ResponseURL: _url, ...ids } = event();
  expect(requests).toEqual([
    {
      method: 'PUT',
      body: {
        ...ids,
        ...{ Status: 'SUCCESS', PhysicalResourceId: 'disk', NoEcho: false, Data: { Length: 3 } },
        Reason: expect.stringContaining('CloudWatch Log Stream'),
      },
    },
  ]);
});

test('a handler without a promise ends when the response is sent', async () => {
  requests.length = 0;
  const { functionError } = await local.invoke('Callback', event());
  expect(functionError).toBeUndefined();
  expect(requests).toMatchObject([{ body: { Status: 'FAILED' } }]);
});

test.each(RESULTS)('%s code ends without an address for the response', async (name, expected) => {
  const result = await local.invoke(name, {});
  expect(resultOf(result)).toBe(expected);
  expect(result.log).toContain('no ResponseURL');
});
