import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOpenray } from '../scripts/openray.ts';
import { entityId, segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer, temporaryFolder } from './support/server.ts';
import { eventually } from './support/wait.ts';

/** Numbers that a double cannot hold: every way in, every way out, and filters. */

const NUMBERS = [
  '9007199254740993',
  '1234567890123456789',
  '-9223372036854775808',
  '12345678901234567890123',
  '0.1234567890123456789012',
  '1E400',
  '1e-400',
  '-0',
];
const INTEGERS = NUMBERS.filter((text) => /^-?\d{16,19}$/.test(text));

let server: TestServer;
let folder: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await startTestServer(['--backup-dir', join(folder, 'backups')], join(folder, 'data'));
});

afterAll(async () => {
  await server.stop();
  await removeFolder(folder);
});

async function post(path: string, body: string | object, url = server.url): Promise<string> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: text,
  });
  const answer = await response.text();
  expect(response.status, answer).toBe(200);
  return answer;
}

/** A segment with the numbers as annotations `n0`, `n1`, … and in metadata, as text. */
function documentWith(numbers: readonly string[]): { readonly id: string; readonly text: string } {
  const top = segment();
  const annotations = numbers.map((number, index) => `"n${index}":${number}`).join(',');
  const members = `"annotations":{${annotations}},"metadata":{"default":{"list":[${numbers.join(',')}]}}`;
  return { id: top.trace_id, text: JSON.stringify(top).replace(/\}$/, `,${members}}`) };
}

/** The text of the trace's documents. */
async function documentsOf(id: string, url = server.url): Promise<string> {
  const { Traces } = JSON.parse(await post('/Traces', { TraceIds: [id] }, url));
  return Traces.flatMap(({ Segments }: { Segments: { Document: string }[] }) =>
    Segments.map((one) => one.Document),
  ).join();
}

function expectNumbers(text: string, numbers: readonly string[]): void {
  for (const [index, number] of numbers.entries()) expect(text).toContain(`"n${index}":${number}`);
  expect(text).toContain(`[${numbers.join(',')}]`);
}

async function isFound(id: string, filter: string, url = server.url): Promise<boolean> {
  const nowS = Date.now() / 1000;
  const window = { StartTime: nowS - 300, EndTime: nowS + 60 };
  return (await post('/TraceSummaries', { ...window, FilterExpression: filter }, url)).includes(id);
}

test('PutTraceSegments: documents come back digit by digit, and so do summaries', async () => {
  const { id, text } = documentWith(NUMBERS);
  await post('/TraceSegments', { TraceSegmentDocuments: [text] });
  expectNumbers(await documentsOf(id), NUMBERS);
  const nowS = Date.now() / 1000;
  const summaries = await post('/TraceSummaries', { StartTime: nowS - 300, EndTime: nowS + 60 });
  for (const number of NUMBERS) expect(summaries).toContain(`"NumberValue":${number}`);
});

test('a datagram: documents come back digit by digit', async () => {
  const { id, text } = documentWith(NUMBERS);
  const socket = createSocket('udp4');
  socket.send(`{"format":"json","version":1}\n${text}`, Number(new URL(server.url).port), '127.0.0.1');
  await eventually(async () => expectNumbers(await documentsOf(id), NUMBERS));
  socket.close();
});

test('filters compare all digits', async () => {
  const { id, text } = documentWith(['9007199254740993', '1E400', '1e-400', '0.1234567890123456789012']);
  await post('/TraceSegments', { TraceSegmentDocuments: [text] });
  const cases: readonly (readonly [string, boolean])[] = [
    ['annotation.n0 = 9007199254740993', true],
    ['annotation.n0 = 9007199254740993.0', true],
    ['annotation.n0 = 9007199254740992', false],
    ['annotation.n0 != 9007199254740992', true],
    ['annotation.n0 != 9007199254740993', false],
    ['annotation.n0 > 9007199254740992', true],
    ['annotation.n0 > 9007199254740993', false],
    ['annotation.n0 < 9007199254740994', true],
    ['annotation.n0 < 9007199254740993', false],
    ['annotation.n0 >= 9007199254740993 AND annotation.n0 <= 9007199254740993', true],
    ['annotation.n0 IN (1, 9007199254740993)', true],
    ['annotation.n0 IN (1, 9007199254740992)', false],
    ['annotation.n1 > 1e399', true],
    ['annotation.n1 < 1e401', true],
    ['annotation.n1 = 10e399', true],
    ['annotation.n2 > 0', true],
    ['annotation.n2 < 1e-399', true],
    ['annotation.n3 < 0.1234567890123456789013', true],
    ['annotation.n3 < 0.1234567890123456789012', false],
    ['metadata.default.list = 9007199254740993', true],
    ['metadata.default.list > 1e399', true],
    ['metadata.default.list = 9007199254740992', false],
  ];
  for (const [filter, expected] of cases) expect(await isFound(id, filter), filter).toBe(expected);
});

type Sent = { readonly id: string; readonly hex: string };

/** A span with the integers as attributes `n0`, `n1`, …, each with `asJson`. */
async function postSpan(numbers: readonly string[], asJson: (number: string) => string): Promise<Sent> {
  const hex = Math.floor(Date.now() / 1000).toString(16) + randomBytes(12).toString('hex');
  const nanos = `${Date.now() - 1000}000000`;
  const attributes = numbers.map((number, index) => `{"key":"n${index}","value":{"intValue":${asJson(number)}}}`);
  const list = `{"key":"list","value":{"arrayValue":{"values":[${numbers.map((number) => `{"intValue":${asJson(number)}}`)}]}}}`;
  const annotated = `{"key":"aws.xray.annotations","value":{"arrayValue":{"values":[${numbers.map((_, index) => `{"stringValue":"n${index}"}`)}]}}}`;
  const span = `{"traceId":"${hex}","spanId":"${entityId()}","name":"GET","kind":2,"startTimeUnixNano":"${nanos}","endTimeUnixNano":"${nanos}","attributes":[${[...attributes, list, annotated]}]}`;
  await post('/v1/traces', `{"resourceSpans":[{"resource":{},"scopeSpans":[{"spans":[${span}]}]}]}`);
  return { id: `1-${hex.slice(0, 8)}-${hex.slice(8)}`, hex };
}

test.each([
  ['a text', (number: string) => `"${number}"`],
  ['a bare number', (number: string) => number],
])('OTLP/JSON, integers as %s: X-Ray, OTLP and Jaeger give all digits', async (_kind, asJson) => {
  const { id, hex } = await postSpan(INTEGERS, asJson);
  expectNumbers(await documentsOf(id), INTEGERS);
  const spans = await (await fetch(`${server.url}/v1/traces/${hex}`)).text();
  const jaeger = await (await fetch(`${server.url}/api/traces/${hex}`)).text();
  for (const number of INTEGERS) {
    expect(spans).toContain(`{"intValue":"${number}"}`);
    expect(jaeger).toContain(`"value":"${number}"`);
  }
  expect(await isFound(id, `annotation.n0 = ${INTEGERS[0]}`)).toBe(true);
  expect(await isFound(id, 'annotation.n0 = 9007199254740992')).toBe(false);
  const found = async (tag: string) => {
    const tags = encodeURIComponent(JSON.stringify({ n0: tag }));
    const service = encodeURIComponent(JSON.parse(jaeger).data[0].processes.p1.serviceName);
    return (await (await fetch(`${server.url}/api/traces?service=${service}&tags=${tags}`)).text()).includes(hex);
  };
  expect(await found('9007199254740993')).toBe(true);
  expect(await found('9007199254740992')).toBe(false);
});

test('the command line, an export and a restored backup give all digits', async () => {
  const { id, text } = documentWith(NUMBERS);
  await post('/TraceSegments', { TraceSegmentDocuments: [text] });
  const printed = await runOpenray(['traces', '--trace-id', id, '--output', 'json', '--endpoint-url', server.url]);
  expectNumbers(printed.stdout, NUMBERS);
  const file = join(folder, 'traces.jsonl');
  const exported = await runOpenray(['export', '--file', file, '--endpoint-url', server.url]);
  expect(exported.exitCode, exported.stderr).toBe(0);
  const saved = await runOpenray(['backup', 'all', '--endpoint-url', server.url]);
  expect(saved.exitCode, saved.stderr).toBe(0);
  const flags = ['--backup-dir', join(folder, 'backups'), '--data-dir', join(folder, 'restored')];
  const restored = await runOpenray(['restore', 'all', ...flags]);
  expect(restored.exitCode, restored.stderr).toBe(0);
  for (const name of ['restored', 'imported']) {
    const other = await startTestServer([], join(folder, name));
    try {
      if (name === 'imported') {
        const imported = await runOpenray(['import', file, '--endpoint-url', other.url]);
        expect(imported.exitCode, imported.stderr).toBe(0);
      }
      expectNumbers(await documentsOf(id, other.url), NUMBERS);
      expect(await isFound(id, 'annotation.n0 = 9007199254740993', other.url)).toBe(true);
      expect(await isFound(id, 'annotation.n0 = 9007199254740992', other.url)).toBe(false);
    } finally {
      await other.stop();
    }
  }
});
