import { symlinkSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../model/json.ts';
import { lambdaSegments, subsegment } from '../testing/daemon.ts';
import { type LocalLambda, openLocalLambda, resultOf } from '../testing/local-lambda.ts';

const MODULES = fileURLToPath(new URL('../../../../node_modules', import.meta.url));

/** As users write it: handler and method are traced by hand, the HTTP call by Tracer's patch. */
const BODY = `
  const tracer = new Tracer({ serviceName: 'registration' });
  const submit = async (url, event) => {
    const parent = tracer.getSegment();
    const segment = parent.addNewSubsegment('### submitUser');
    tracer.setSegment(segment);
    try {
      tracer.putAnnotation('user_id', event.user_id);
      await fetch(url);
    } finally {
      segment.close();
      tracer.setSegment(parent);
    }
  };
  const handler = async (event) => {
    const parent = tracer.getSegment();
    const segment = parent.addNewSubsegment('## ' + process.env._HANDLER);
    tracer.setSegment(segment);
    tracer.annotateColdStart();
    tracer.addServiceNameAnnotation();
    try {
      await submit(process.env.TARGET_URL, event);
      return event.user_id;
    } finally {
      segment.close();
      tracer.setSegment(parent);
    }
  };`;

const FUNCTION =
  'Type: AWS::Serverless::Function, Properties: {Tracing: Active, CodeUri: app, Timeout: 20, Runtime: nodejs20.x';
const ENVIRONMENT = 'Environment: {Variables: {TARGET_URL: set by the test}}';

let local: LocalLambda;
const requests: IncomingHttpHeaders[] = [];
const downstream = createServer((request, response) => {
  requests.push(request.headers);
  response.end('ok');
});

beforeAll(async () => {
  await new Promise<void>((resolve) => downstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(downstream.address() as AddressInfo).port}/2024/`;
  local = await openLocalLambda(
    {
      'template.yaml': `
Resources:
  Cjs: {${FUNCTION}, Handler: index.handler, ${ENVIRONMENT}}}
  Esm: {${FUNCTION}, Handler: module.handler, ${ENVIRONMENT}}}
  Bundled: {${FUNCTION}, Handler: source.handler, ${ENVIRONMENT}}}
  Sdk: {${FUNCTION}, Handler: sdk.handler, ${ENVIRONMENT}}}`,
      'app/index.js': `const { Tracer } = require('@aws-lambda-powertools/tracer');${BODY}\nexports.handler = handler;`,
      'app/module.mjs': `import { Tracer } from '@aws-lambda-powertools/tracer';${BODY}\nexport { handler };`,
      'app/source.ts': `import { Tracer } from '@aws-lambda-powertools/tracer';${BODY}\nexport { handler };`,
      'app/sdk.mjs': `
        import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
        const client = new LambdaClient({ endpoint: process.env.TARGET_URL, maxAttempts: 1 });
        export const handler = () => client.send(new ListFunctionsCommand({})).then(() => 'sent', () => 'sent');`,
    },
    { environmentOverrides: { Parameters: { TARGET_URL: url } } },
  );
  symlinkSync(MODULES, `${local.dir}/app/node_modules`);
});
afterAll(async () => {
  await local.close();
  downstream.closeAllConnections();
  downstream.close();
});

describe.each(['Cjs', 'Esm', 'Bundled'])('Powertools’ Tracer in a function of the kind %s', (name) => {
  test('its subsegments are below Invocation, with one cold start, and the HTTP call has the trace header', async () => {
    for (const [user, coldStart] of [
      ['brian1', true],
      ['dan1', false],
    ] as const) {
      const sent = requests.length;
      const result = await local.invoke(name, { user_id: user });
      expect(resultOf(result)).toBe(user);
      const { sandbox } = await local.daemon.until((documents) => lambdaSegments(documents, result.requestId));
      const own = await local.daemon.until((documents) => {
        const found = documents.filter(({ type, trace_id: id }) => type === 'subsegment' && id === sandbox.trace_id);
        return found.length === 3 ? found : undefined;
      });
      const [remote, method, handler] = own as [JsonObject, JsonObject, JsonObject];
      expect(handler).toMatchObject({
        name: expect.stringMatching(/^## (index|module|source)\.handler$/),
        parent_id: subsegment(sandbox, 'Invocation')?.id,
        annotations: { ColdStart: coldStart, Service: 'registration' },
      });
      expect(method).toMatchObject({ name: '### submitUser', parent_id: handler.id, annotations: { user_id: user } });
      expect(remote).toMatchObject({ namespace: 'remote', parent_id: method.id, http: { response: { status: 200 } } });
      expect(requests[sent]?.['x-amzn-trace-id']).toBe(`Root=${sandbox.trace_id};Parent=${remote.id};Sampled=1`);
    }
  });
});

test('an AWS SDK call of a function without any tracing library carries Root and Invocation', async () => {
  const sent = requests.length;
  const result = await local.invoke('Sdk');
  expect(resultOf(result)).toBe('sent');
  const { sandbox } = await local.daemon.until((documents) => lambdaSegments(documents, result.requestId));
  expect(requests[sent]?.['x-amzn-trace-id']).toBe(
    `Root=${sandbox.trace_id};Parent=${subsegment(sandbox, 'Invocation')?.id};Sampled=1`,
  );
});
