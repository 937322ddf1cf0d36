import { InvokeCommand, type InvokeCommandOutput, LambdaClient } from '@aws-sdk/client-lambda';
import { BatchGetTracesCommand, GetServiceGraphCommand, GetTraceSummariesCommand } from '@aws-sdk/client-xray';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../scripts/free-port.ts';
import { type RegistrationPageProcess, startRegistrationPage } from '../scripts/registration-page.ts';
import { aroundNow } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { eventually } from './support/wait.ts';

const TEMPLATE = 'examples/user-registration/template.yaml';
const USER = { user_id: 'brian1', first_name: 'Brian', last_name: 'McNamara', email: 'brian@mcnamara.com' };

type Document = {
  readonly id: string;
  readonly name: string;
  readonly parent_id?: string;
  readonly origin?: string;
  readonly namespace?: string;
  readonly inferred?: boolean;
  readonly fault?: boolean;
  readonly start_time: number;
  readonly end_time: number;
  readonly annotations?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly http?: { readonly response?: { readonly status?: number } };
  readonly cause?: { readonly exceptions: readonly { readonly type: string; readonly message: string }[] };
  readonly subsegments?: readonly Document[];
};

let server: TestServer;
let page: RegistrationPageProcess;
let lambda: LambdaClient;

beforeAll(async () => {
  const port = await freePort();
  page = await startRegistrationPage({ daemonAddress: `127.0.0.1:${port}`, port: 0 });
  const functions = ['--template', TEMPLATE, '--parameter-overrides', `RegistrationUrl=${page.url}`];
  server = await startTestServer(['--port', String(port), ...functions]);
  lambda = new LambdaClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
});

afterAll(async () => {
  lambda.destroy();
  await page.stop();
  await server.stop();
  await removeFolder(server.dataDir);
});

const invoke = (FunctionName: string, event: object): Promise<InvokeCommandOutput> =>
  lambda.send(new InvokeCommand({ FunctionName, LogType: 'Tail', Payload: Buffer.from(JSON.stringify(event)) }));

const logOf = ({ LogResult }: InvokeCommandOutput) => Buffer.from(LogResult ?? '', 'base64').toString();
const payloadOf = ({ Payload }: InvokeCommandOutput) => JSON.parse(Buffer.from(Payload ?? []).toString());
const traceIdOf = (answer: InvokeCommandOutput) => /XRAY TraceId: (\S+)/.exec(logOf(answer))?.[1] as string;

/** All segments of the trace, when Lambda's segments are complete and the assertions of `expectMore` pass. */
async function documentsOf(
  id: string,
  expectMore: (documents: readonly Document[]) => void = () => undefined,
): Promise<readonly Document[]> {
  return eventually(async () => {
    const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [id] }));
    const documents = (Traces?.[0]?.Segments ?? []).map(({ Document }) => JSON.parse(Document ?? '') as Document);
    for (const origin of ['AWS::Lambda', 'AWS::Lambda::Function']) {
      expect(find(documents, origin), origin).toHaveProperty('end_time');
    }
    expectMore(documents);
    return documents;
  });
}

const find = (documents: readonly Document[], origin: string) =>
  documents.find((document) => document.origin === origin);
const child = (parent: Document | undefined, name: string) =>
  parent?.subsegments?.find((subsegment) => subsegment.name === name);

describe('the instrumented function', () => {
  let cold: InvokeCommandOutput;
  let documents: readonly Document[];

  beforeAll(async () => {
    cold = await invoke('InstrumentedFunction', USER);
    documents = await documentsOf(traceIdOf(cold), (all) => {
      const handler = child(child(find(all, 'AWS::Lambda::Function'), 'Invocation'), '## index.handler');
      expect(child(handler, '### submitUser')?.subsegments).toHaveLength(1);
      expect(all.find(({ name }) => name === 'registration-page')).toHaveProperty('end_time');
    });
  });

  test('returns the registered user and logs like Lambda', () => {
    expect(payloadOf(cold)).toEqual({ status_code: 200, ...USER });
    expect(cold).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(cold.FunctionError).toBeUndefined();
    const log = logOf(cold);
    expect(log).toMatch(/^START RequestId: [0-9a-f-]{36} Version: \$LATEST$/m);
    expect(log).toMatch(/"message":"submit_user successful".*"xray_trace_id":"1-[0-9a-f]{8}-[0-9a-f]{24}"/);
    expect(log).toMatch(/"CloudWatchMetrics":\[\{"Namespace":"Pycon2024"/);
    expect(log).toMatch(/^REPORT RequestId: [0-9a-f-]{36}\tDuration: \d+\.\d\d ms\t.*Init Duration: \d+\.\d\d ms\t$/m);
    expect(log).toMatch(/^XRAY TraceId: 1-[0-9a-f]{8}-[0-9a-f]{24}\tSegmentId: [0-9a-f]{16}\tSampled: true\t$/m);
  });

  test('its trace has the Lambda service, the function and the called service', () => {
    const service = find(documents, 'AWS::Lambda');
    const fn = find(documents, 'AWS::Lambda::Function');
    const called = documents.find(({ name }) => name === 'registration-page');
    expect(service?.parent_id).toBeUndefined();
    expect(service?.http?.response?.status).toBe(200);
    expect(fn?.parent_id).toBe(service?.id);
    expect(fn?.subsegments?.map(({ name }) => name).toSorted()).toEqual(['Initialization', 'Invocation', 'Overhead']);

    const handler = child(child(fn, 'Invocation'), '## index.handler');
    expect(handler?.annotations).toEqual({ ColdStart: true, Service: 'instrumented-user-registration' });
    const method = child(handler, '### submitUser');
    expect(method?.annotations).toEqual({ user_id: 'brian1' });
    expect(method?.metadata?.['instrumented-user-registration']).toHaveProperty('request_id');
    const call = method?.subsegments?.find(({ namespace }) => namespace === 'remote');
    expect(call?.http?.response?.status).toBe(200);
    expect(called?.parent_id).toBe(call?.id);
    expect(called?.subsegments?.map(({ name }) => name)).toEqual(['render page']);
    expect(documents.filter(({ inferred }) => inferred)).toEqual([]);
  });

  test('initialisation is before the segment, and its parts follow each other', () => {
    const fn = find(documents, 'AWS::Lambda::Function') as Document;
    const [init, invocation, overhead] = ['Initialization', 'Invocation', 'Overhead'].map((name) =>
      child(fn, name),
    ) as [Document, Document, Document];
    expect(init.end_time).toBeLessThanOrEqual(fn.start_time);
    expect(invocation.start_time).toBeGreaterThanOrEqual(fn.start_time);
    const handler = child(invocation, '## index.handler') as Document;
    // The X-Ray SDK rounds to milliseconds.
    expect(handler.start_time).toBeGreaterThanOrEqual(invocation.start_time - 0.001);
    expect(handler.end_time).toBeLessThanOrEqual(invocation.end_time + 0.001);
    expect(overhead.start_time).toBeGreaterThanOrEqual(invocation.end_time);
    expect(fn.end_time).toBeGreaterThanOrEqual(overhead.end_time);
  });

  test('a warm invocation has no initialisation and is no cold start', async () => {
    const warm = await invoke('InstrumentedFunction', USER);
    expect(logOf(warm)).not.toContain('Init Duration');
    await documentsOf(traceIdOf(warm), (all) => {
      const fn = find(all, 'AWS::Lambda::Function');
      expect(child(fn, 'Initialization')).toBeUndefined();
      expect(child(child(fn, 'Invocation'), '## index.handler')?.annotations?.ColdStart).toBe(false);
    });
  });

  test('an invalid event is a fault of the handler and the function, and an error in the response', async () => {
    const failed = await invoke('InstrumentedFunction', { ...USER, email: 'https://dan.furman.com' });
    expect(failed).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(payloadOf(failed)).toMatchObject({
      errorType: 'ValidationError',
      errorMessage: expect.stringContaining('email'),
    });
    await documentsOf(traceIdOf(failed), (all) => {
      const fn = find(all, 'AWS::Lambda::Function');
      expect(fn).toMatchObject({ fault: true, cause: { exceptions: [{ type: 'ValidationError' }] } });
      expect(child(child(fn, 'Invocation'), '## index.handler')?.fault).toBe(true);
      expect(find(all, 'AWS::Lambda')?.fault).toBeUndefined();
    });
  });

  test("the workshop's search finds exactly the traces of that function and user", async () => {
    await invoke('InstrumentedFunction', { ...USER, user_id: 'dan1' });
    const expected = [traceIdOf(cold), traceIdOf(await invoke('InstrumentedFunction', USER))];
    await eventually(async () => {
      const { TraceSummaries = [] } = await server.xray.send(
        new GetTraceSummariesCommand({
          ...aroundNow(),
          FilterExpression: 'Annotation.Service = "instrumented-user-registration" Annotation.user_id = "brian1"',
        }),
      );
      expect(TraceSummaries.map(({ Id }) => Id)).toEqual(expect.arrayContaining(expected));
      for (const { Annotations } of TraceSummaries) {
        const values = (key: string) => Annotations?.[key]?.map(({ AnnotationValue }) => AnnotationValue?.StringValue);
        expect(values('Service')).toEqual(['instrumented-user-registration']);
        expect(values('user_id')).toEqual(['brian1']);
      }
    });
  });
});

describe('the vanilla function', () => {
  test("has Lambda's segments and no subsegments of its own", async () => {
    const answer = await invoke('VanillaFunction', USER);
    expect(payloadOf(answer)).toEqual({ status_code: 200, ...USER });
    expect(logOf(answer)).toContain('[Success] Added user Brian McNamara (brian1): 200');
    const documents = await documentsOf(traceIdOf(answer));
    expect(documents.map(({ origin }) => origin).toSorted()).toEqual(['AWS::Lambda', 'AWS::Lambda::Function']);
    expect(child(find(documents, 'AWS::Lambda::Function'), 'Invocation')?.subsegments).toBeUndefined();
  });
});

test('the service graph joins client, Lambda, the function and the called service', async () => {
  await invoke('InstrumentedFunction', USER);
  const edges = async () => {
    const { Services = [] } = await server.xray.send(new GetServiceGraphCommand(aroundNow()));
    const label = (id: number | undefined) => {
      const service = Services.find(({ ReferenceId }) => ReferenceId === id);
      return `${service?.Name} ${service?.Type ?? '-'}`;
    };
    return Services.flatMap(({ ReferenceId, Edges = [] }) =>
      Edges.map((edge) => `${label(ReferenceId)} → ${label(edge.ReferenceId)}`),
    );
  };
  await expect
    .poll(edges)
    .toEqual(
      expect.arrayContaining([
        'InstrumentedFunction client → InstrumentedFunction AWS::Lambda',
        'InstrumentedFunction AWS::Lambda → InstrumentedFunction AWS::Lambda::Function',
        'InstrumentedFunction AWS::Lambda::Function → registration-page -',
      ]),
    );
});
