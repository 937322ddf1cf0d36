import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  GetFunctionCommand,
  InvokeCommand,
  type InvokeCommandInput,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  ListFunctionsCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalLambda, openLocalLambda } from '../testing/local-lambda.ts';
import { handleInvoke, handleLambdaRequest, type LambdaApiResponse } from './invoke-api.ts';

const FUNCTION =
  'Type: AWS::Serverless::Function, Properties: {Tracing: Active, CodeUri: app, Timeout: 20, Runtime: nodejs20.x';

let local: LocalLambda;
let client: LambdaClient;

/** The routes, as a server would have them. */
const server = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const url = new URL(request.url ?? '', 'http://localhost');
  const result = (await handleLambdaRequest(local.lambda, {
    method: request.method ?? '',
    path: url.pathname,
    headers: request.headers,
    query: Object.fromEntries(url.searchParams),
    body: Buffer.concat(chunks),
  })) as LambdaApiResponse;
  response.writeHead(result.status, result.headers);
  if (Buffer.isBuffer(result.body)) response.end(result.body);
  else result.body.pipe(response);
});

beforeAll(async () => {
  local = await openLocalLambda({
    'template.yaml': `
Resources:
  Hello: {${FUNCTION}, Handler: index.hello, FunctionName: hello-name, AutoPublishAlias: prod}}
  Streaming: {${FUNCTION}, Handler: index.streaming}}
  Dotnet: {Type: AWS::Serverless::Function, Properties: {Runtime: dotnet8, Handler: a.B::c, CodeUri: app}}`,
    'app/index.js': `
      const { existsSync } = require('node:fs');
      exports.streaming = awslambda.streamifyResponse(async (event, stream) => {
        stream.write('first ');
        // The second chunk leaves only after a file says that the first one has arrived.
        while (!existsSync('first-chunk-arrived')) await new Promise((done) => setTimeout(done, 10));
        if (event.fail) throw new TypeError('midway');
        stream.end('second');
      });
      exports.hello = async (event, context) => {
        if (event.fail) throw new Error('as asked');
        console.log('hello');
        return { event, custom: context.clientContext?.custom, arn: context.invokedFunctionArn };
      };`,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = new LambdaClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  server.close();
  await local.close();
});

const invoke = (input: Partial<InvokeCommandInput> = {}) =>
  client.send(new InvokeCommand({ FunctionName: 'hello-name', ...input }));

describe('the AWS SDK invokes', () => {
  test('with payload, log tail, client context and qualifier', async () => {
    const answer = await invoke({
      Payload: JSON.stringify({ a: 1 }),
      LogType: 'Tail',
      ClientContext: Buffer.from('{"custom":{"b":2}}').toString('base64'),
      Qualifier: 'prod',
    });
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(answer.FunctionError).toBeUndefined();
    expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toEqual({
      event: { a: 1 },
      custom: { b: 2 },
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:hello-name:prod',
    });
    expect(Buffer.from(answer.LogResult ?? '', 'base64').toString()).toMatch(
      /^START RequestId: .*\tINFO\thello\nEND .*XRAY TraceId: /s,
    );
  });

  test('with a qualifier that the template does not have: ResourceNotFoundException', async () => {
    await expect(invoke({ Qualifier: 'nope' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: expect.stringContaining(
        'function:hello-name:nope. The template has $LATEST, prod, numbers of versions.',
      ),
    });
    await expect(
      client.send(new GetFunctionCommand({ FunctionName: 'hello-name', Qualifier: 'nope' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(invoke({ FunctionName: 'hello-name:prod', Qualifier: '3' })).rejects.toThrow('not the one');
    expect((await invoke({ Qualifier: '3' })).StatusCode).toBe(200);
  });

  test('without payload, by logical id and by ARN; the log only on request', async () => {
    for (const FunctionName of ['Hello', 'arn:aws:lambda:us-east-1:000000000000:function:hello-name']) {
      const answer = await invoke({ FunctionName });
      expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toMatchObject({ event: {} });
      expect(answer.LogResult).toBeUndefined();
    }
  });

  test('a failing function: status 200 and the function error', async () => {
    const answer = await invoke({ Payload: '{"fail":true}' });
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toMatchObject({ errorMessage: 'as asked' });
  });

  test('Event and DryRun', async () => {
    const event = await invoke({ InvocationType: 'Event' });
    expect(event.StatusCode).toBe(202);
    expect(event.ExecutedVersion).toBeUndefined();
    expect((await invoke({ InvocationType: 'DryRun' })).StatusCode).toBe(204);
    await local.lambda.whenIdle();
  });

  test.each([
    [{ FunctionName: 'missing' }, 'ResourceNotFoundException', 404],
    [{ Payload: '{no json' }, 'InvalidRequestContentException', 400],
    [{ ClientContext: 'bm8ganNvbg==' }, 'InvalidRequestContentException', 400],
    [{ InvocationType: 'Sometime' as 'Event' }, 'InvalidParameterValueException', 400],
    [{ FunctionName: 'no such/name' }, 'ValidationException', 400],
    [{ Payload: `"${'x'.repeat(6 * 1024 * 1024)}"` }, 'RequestTooLargeException', 413],
    [{ InvocationType: 'Event' as const, Payload: `"${'x'.repeat(1024 * 1024)}"` }, 'RequestTooLargeException', 413],
    [{ FunctionName: 'Dotnet' }, 'InvalidRuntimeException', 502],
  ])('case %#: is rejected as %s', async (input, name, status) => {
    await expect(invoke(input)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
  });
});

test('the AWS SDK lists and describes functions', async () => {
  const { Functions } = await client.send(new ListFunctionsCommand({}));
  expect(Functions?.map(({ FunctionName }) => FunctionName)).toEqual(['hello-name', 'Streaming', 'Dotnet']);
  const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName: 'hello-name' }));
  expect(Configuration).toMatchObject({
    FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello-name',
    Runtime: 'nodejs20.x',
    Handler: 'index.hello',
    Timeout: 20,
    TracingConfig: { Mode: 'Active' },
    State: 'Active',
  });
});

test('the response has the trace header that the function got', async () => {
  const traceHeader = 'Root=1-6650a080-3c4d5e6f708192a3b4c5d6e7;Parent=a1b2c3d4e5f60718;Sampled=1';
  const answer = await handleInvoke(local.lambda, {
    functionName: 'Hello',
    headers: { 'x-amzn-trace-id': traceHeader },
    query: {},
    body: Buffer.from('{}'),
  });
  expect(answer.headers['x-amzn-trace-id']).toMatch(
    /^Root=1-6650a080-3c4d5e6f708192a3b4c5d6e7;Parent=[0-9a-f]{16};Sampled=1$/,
  );
});

test('a single function also has the name `function`', async () => {
  const single = await openLocalLambda({
    'template.yaml': `Resources:\n  Only: {${FUNCTION}, Handler: index.handler}}`,
    'app/index.js': 'exports.handler = async () => 1;',
  });
  const answer = await handleInvoke(single.lambda, {
    functionName: 'function',
    headers: {},
    query: {},
    body: Buffer.alloc(0),
  });
  await single.close();
  expect([answer.status, answer.body.toString()]).toEqual([200, '1']);
});

describe('InvokeWithResponseStream', () => {
  async function stream(name: string, event: object) {
    const command = new InvokeWithResponseStreamCommand({
      FunctionName: name,
      Payload: JSON.stringify(event),
      LogType: 'Tail',
    });
    const { EventStream: events = [], StatusCode: status } = await client.send(command);
    const chunks: string[] = [];
    await rm(`${local.dir}/app/first-chunk-arrived`, { force: true });
    for await (const { PayloadChunk: chunk, InvokeComplete: complete } of events) {
      if (chunk?.Payload) {
        chunks.push(Buffer.from(chunk.Payload).toString());
        await writeFile(`${local.dir}/app/first-chunk-arrived`, '');
      }
      if (complete) return { status, chunks, complete };
    }
    throw new Error('the stream ended without InvokeComplete');
  }

  test('a function that streams: each chunk arrives before the function sends the next one', async () => {
    const { status, chunks, complete } = await stream('Streaming', {});
    expect(status).toBe(200);
    expect(chunks).toEqual(['first ', 'second']);
    expect(Buffer.from(complete.LogResult ?? '', 'base64').toString()).toContain('REPORT RequestId: ');
  });

  test('a failure midway is reported at the end', async () => {
    const { chunks, complete } = await stream('Streaming', { fail: true });
    expect(chunks).toEqual(['first ']);
    expect(complete.ErrorCode).toBe('Unhandled');
    expect(JSON.parse(complete.ErrorDetails ?? '')).toMatchObject({ errorType: 'TypeError', errorMessage: 'midway' });
  });

  test('a function with a buffered response gives one chunk', async () => {
    const { chunks } = await stream('Hello', { a: 1 });
    expect(chunks.map((text) => JSON.parse(text).event)).toEqual([{ a: 1 }]);
    await expect(stream('Missing', {})).rejects.toThrow('Function not found');
  });
});
