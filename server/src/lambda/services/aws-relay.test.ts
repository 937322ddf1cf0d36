import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAwsAccess } from '../runtime/aws-access.ts';
import { type LocalLambda, openLocalLambda, resultOf } from '../testing/local-lambda.ts';
import { newSigner } from './aws-relay.ts';

const FILES = {
  'template.yaml': `
Resources:
  Orders: {Type: AWS::SQS::Queue, Properties: {QueueName: orders}}
  Env: {Type: AWS::Serverless::Function, Properties: {Runtime: nodejs20.x, Handler: index.handler, CodeUri: app, Timeout: 60}}
`,
  'app/index.js': 'exports.handler = async () => process.env;',
};

type Received = { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders };

/** An emulator that answers each request with the same JSON. */
const received: Received[] = [];
const emulator = createServer((incoming, response) => {
  received.push({ method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers });
  incoming.resume().on('end', () => {
    const isSns = !('x-amz-target' in incoming.headers) && incoming.url === '/';
    response.end(
      isSns
        ? '<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>'
        : '{"MessageId":"from the emulator"}',
    );
  });
});

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const FOREIGN_QUEUE = 'https://sqs.eu-west-1.amazonaws.com/123456789012/foreign';
const FOREIGN_TOPIC = 'arn:aws:sns:eu-west-1:123456789012:foreign';

/** Clients with the endpoints that a function of `local` has. */
async function clientsOf(local: LocalLambda) {
  const env = resultOf(await local.invoke('Env')) as Record<string, string>;
  const common = { region: 'eu-west-1', credentials: CREDENTIALS, maxAttempts: 1 };
  return {
    env,
    sqs: new SQSClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SQS ?? '' }),
    sns: new SNSClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_SNS ?? '' }),
    lambda: new LambdaClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_LAMBDA ?? '' }),
  };
}

describe('with an emulator', () => {
  let local: LocalLambda;
  let clients: Awaited<ReturnType<typeof clientsOf>>;

  beforeAll(async () => {
    await new Promise<void>((resolve) => emulator.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(emulator.address() as AddressInfo).port}`;
    local = await openLocalLambda(FILES, { aws: readAwsAccess({ mode: 'none', endpoint }, {}) });
    clients = await clientsOf(local);
  });
  afterAll(async () => {
    await local.close();
    emulator.close();
    emulator.closeAllConnections();
  });

  test('a queue, topic or function outside of the template is that of the emulator', async () => {
    await expect(
      clients.sqs.send(new SendMessageCommand({ QueueUrl: FOREIGN_QUEUE, MessageBody: 'a' })),
    ).rejects.toThrow(/checksum|MD5/i);
    await expect(
      clients.sns.send(new PublishCommand({ TopicArn: FOREIGN_TOPIC, Message: 'a' })),
    ).resolves.toMatchObject({ MessageId: 'm' });
    const { Payload } = await clients.lambda.send(new InvokeCommand({ FunctionName: 'foreign' }));
    expect(Buffer.from(Payload ?? []).toString()).toBe('{"MessageId":"from the emulator"}');
    expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /',
      'POST /',
      'POST /2015-03-31/functions/foreign/invocations',
    ]);
    for (const { headers } of received) expect(headers.authorization).toContain('Credential=test/');
  });

  test('a queue of the template stays here', async () => {
    const before = received.length;
    await clients.sqs.send(
      new SendMessageCommand({ QueueUrl: `${clients.env.AWS_ENDPOINT_URL_SQS}/000000000000/orders`, MessageBody: 'a' }),
    );
    expect(received).toHaveLength(before);
  });

  test.each([{ host: 'evil.example.com' }, { origin: 'https://evil.example.com' }])(
    'a web page cannot use it: %j',
    async (headers) => {
      const before = received.length;
      const status = await new Promise((resolve, reject) => {
        const authorization = 'AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/sqs/aws4_request';
        const outgoing = request(clients.env.AWS_ENDPOINT_URL_SQS ?? '', {
          method: 'POST',
          headers: { authorization, 'x-amz-target': 'AmazonSQS.SendMessage', ...headers },
        });
        outgoing.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
        outgoing.end(JSON.stringify({ QueueUrl: FOREIGN_QUEUE, MessageBody: 'a' }));
      });
      expect(status).toBeGreaterThanOrEqual(400);
      expect(received).toHaveLength(before);
    },
  );
});

test('without AWS they are refused, and the refusal names the flags', async () => {
  const local = await openLocalLambda(FILES);
  const { sqs, sns, lambda } = await clientsOf(local);
  for (const call of [
    () => sqs.send(new SendMessageCommand({ QueueUrl: FOREIGN_QUEUE, MessageBody: 'a' })),
    () => sns.send(new PublishCommand({ TopicArn: FOREIGN_TOPIC, Message: 'a' })),
    () => lambda.send(new InvokeCommand({ FunctionName: 'foreign' })),
  ]) {
    await expect(call()).rejects.toThrow('With --aws passthrough or --aws-endpoint URL');
  }
  await local.close();
});

test('a request for AWS is signed anew, with the credentials of the caller', async () => {
  const sign = newSigner({
    AWS_ACCESS_KEY_ID: 'AKIACALLER',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
  });
  const authorization = 'AWS4-HMAC-SHA256 Credential=openray/20260101/eu-west-1/lambda/aws4_request, Signature=0';
  const path =
    '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Aforeign/invocations?Qualifier=live';
  const { url, headers } = await sign({ method: 'POST', headers: { authorization } }, path, {}, Buffer.from('{}'));
  expect(url.href).toBe(`https://lambda.eu-west-1.amazonaws.com${path}`);
  expect(headers).toMatchObject({ host: 'lambda.eu-west-1.amazonaws.com', 'x-amz-security-token': 'token' });
  expect(headers.authorization).toMatch(/Credential=AKIACALLER\/\d{8}\/eu-west-1\/lambda\/aws4_request/);
});
