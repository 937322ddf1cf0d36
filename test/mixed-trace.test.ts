import { randomBytes } from 'node:crypto';
import { BatchGetTracesCommand, GetTraceGraphCommand } from '@aws-sdk/client-xray';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXAMPLE } from '../scripts/example.ts';
import { freePort } from '../scripts/free-port.ts';
import { type RegistrationPageProcess, startRegistrationPage } from '../scripts/registration-page.ts';
import { type Checkout, startCheckout } from './support/checkout.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { eventually } from './support/wait.ts';

/** One request through services with OpenTelemetry, Lambda with Powertools, and the X-Ray SDK. */

const USER = { user_id: 'brian1', first_name: 'Brian', last_name: 'McNamara', email: 'brian@mcnamara.com' };

type Document = { readonly name: string; readonly origin?: string; readonly subsegments?: readonly Document[] };

let server: TestServer;
let page: RegistrationPageProcess;
let checkout: Checkout;

beforeAll(async () => {
  const port = await freePort();
  page = await startRegistrationPage({ daemonAddress: `127.0.0.1:${port}`, port: 0 });
  const functions = [`${EXAMPLE}/template.yaml`, '--parameter-overrides', `RegistrationUrl=${page.url}`];
  server = await startTestServer(['--port', String(port), '--template', ...functions]);
  checkout = startCheckout(server);
});

afterAll(async () => {
  await checkout.stop();
  await page.stop();
  await server.stop();
  await removeFolder(server.dataDir);
});

async function checkOut(functionName: string): Promise<string> {
  const { traceId, answer } = await checkout.request(functionName, USER);
  expect(answer).toEqual({ status_code: 200, ...USER });
  return traceId;
}

const hasEntity = (documents: readonly Document[] | undefined, name: string): boolean =>
  documents?.some((document) => document.name === name || hasEntity(document.subsegments, name)) === true;

async function documentsOf(id: string): Promise<readonly Document[]> {
  const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [id] }));
  return (Traces?.[0]?.Segments ?? []).map(({ Document }) => JSON.parse(Document ?? '') as Document);
}

function expectNoneInProgress(documents: readonly Document[]): void {
  expect(documents.filter((document) => 'in_progress' in document)).toEqual([]);
}

async function edgesOf(id: string): Promise<readonly string[]> {
  const { Services = [] } = await server.xray.send(new GetTraceGraphCommand({ TraceIds: [id] }));
  const shown = (service: (typeof Services)[number] | undefined) => `${service?.Name} (${service?.Type ?? 'no type'})`;
  return Services.flatMap((service) =>
    (service.Edges ?? []).map(
      ({ ReferenceId }) => `${shown(service)} → ${shown(Services.find((one) => one.ReferenceId === ReferenceId))}`,
    ),
  ).sort();
}

test('services with OpenTelemetry, Powertools and the X-Ray SDK are one trace and one graph', async () => {
  const id = await checkOut('InstrumentedFunction');
  await eventually(async () => {
    const documents = await documentsOf(id);
    expectNoneInProgress(documents);
    expect(hasEntity(documents, 'render page')).toBe(true);
    expect(hasEntity(documents, '### submitUser')).toBe(true);
  });
  await expect
    .poll(() => edgesOf(id))
    .toEqual([
      'InstrumentedFunction (AWS::Lambda) → InstrumentedFunction (AWS::Lambda::Function)',
      'InstrumentedFunction (AWS::Lambda::Function) → registration-page (no type)',
      'checkout (client) → checkout (no type)',
      'checkout (no type) → InstrumentedFunction (AWS::Lambda)',
    ]);
});

test('a function joins the trace of a W3C traceparent header', async () => {
  const [traceId, parentId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  const response = await fetch(`${server.url}/2015-03-31/functions/VanillaFunction/invocations`, {
    method: 'POST',
    headers: { traceparent: `00-${traceId}-${parentId}-01` },
    body: JSON.stringify(USER),
  });
  expect(response.status).toBe(200);
  const id = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
  await eventually(async () => {
    const documents = await documentsOf(id);
    expectNoneInProgress(documents);
    expect(hasEntity(documents, 'Invocation')).toBe(true);
    expect(documents.find(({ origin }) => origin === 'AWS::Lambda')).toMatchObject({ parent_id: parentId });
  });
});

test('a function that is traced with OpenTelemetry is one node of the graph, not two', async () => {
  const id = await checkOut('OtelFunction');
  const insideInvocation = async () => {
    const documents = await documentsOf(id);
    expectNoneInProgress(documents);
    expect(hasEntity(documents, 'render page')).toBe(true);
    const own = documents.find(({ origin }) => origin === 'AWS::Lambda::Function');
    return own?.subsegments?.find(({ name }) => name === 'Invocation')?.subsegments;
  };
  await expect.poll(insideInvocation).toMatchObject([
    {
      name: 'OtelFunction',
      subsegments: [
        {
          name: 'submitUser',
          annotations: { user_id: 'brian1' },
          subsegments: [{ name: '127.0.0.1', namespace: 'remote', http: { response: { status: 200 } } }],
        },
      ],
    },
  ]);
  await expect
    .poll(() => edgesOf(id))
    .toEqual([
      'OtelFunction (AWS::Lambda) → OtelFunction (AWS::Lambda::Function)',
      'OtelFunction (AWS::Lambda::Function) → registration-page (no type)',
      'checkout (client) → checkout (no type)',
      'checkout (no type) → OtelFunction (AWS::Lambda)',
    ]);
});
