import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment } from '../scripts/openray.ts';
import { removeFolder, startTestServer, type TestServer, temporaryFolder } from './support/server.ts';
import { waitFor } from './support/wait.ts';

const PROGRAM = new URL('../server/bin/openray.cjs', import.meta.url).pathname;

const TEMPLATE = `
Resources:
  Queue: { Type: AWS::SQS::Queue }
  Web:
    Type: AWS::Serverless::HttpApi
    Properties: { CorsConfiguration: { AllowOrigins: ['https://app.example'], AllowMethods: [POST] } }
  Ports:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: index.handler
      Runtime: nodejs20.x
      Timeout: 60
      Events:
        Cors: { Type: HttpApi, Properties: { Path: /cors, Method: any, ApiId: !Ref Web } }
        Plain: { Type: Api, Properties: { Path: /plain, Method: any } }
`;
/** Both ports are open only while the function's environment is kept. */
const CODE = `exports.handler = async () => ({ statusCode: 200, body: JSON.stringify({
  runtimeApi: process.env.AWS_LAMBDA_RUNTIME_API, services: process.env.AWS_ENDPOINT_URL_SQS ?? process.env.AWS_ENDPOINT_URL_LAMBDA }) });`;
const INVOKE = '/2015-03-31/functions/Ports/invocations';

type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string };

type FunctionPorts = { readonly runtimeApi: string; readonly services: string };

let folder: string;
let server: TestServer;
let startApi: StartedCommand;
let startLambda: StartedCommand;

beforeAll(async () => {
  folder = await temporaryFolder();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'template.yaml'), TEMPLATE);
  await writeFile(join(folder, 'index.js'), CODE);
  server = await startTestServer(['--template', join(folder, 'template.yaml')]);
  startApi = await startCommand('start-api', '--port', '0');
  startLambda = await startCommand('start-lambda', '--port', '0');
});

afterAll(async () => {
  await startApi?.stop();
  await startLambda?.stop();
  await server.stop();
  await removeFolder(server.dataDir);
  await removeFolder(folder);
});

type StartedCommand = { readonly url: string; readonly pid: number; readonly stop: () => Promise<void> };

/** Starts a command that runs until SIGTERM. */
async function startCommand(...args: readonly string[]): Promise<StartedCommand> {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: cleanEnvironment({ OPENRAY_PORT: new URL(server.url).port, OPENRAY_DATA_DIR: join(folder, args[0] ?? '') }),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    printed += bytes.toString();
  });
  const url = await waitFor('the URL', () => /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0]);
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** One request with exactly these headers. Rejects when the port does not speak HTTP/1.1. */
function send(port: number | string, method: string, path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, headers, setHost: false, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(method === 'POST' ? '{}' : undefined);
  });
}

function portOf(url: string): string {
  return new URL(url.includes('://') ? url : `http://${url}`).port;
}

/** Invokes the function and keeps its environment: what it sees of its ports. */
async function functionPorts(invoke: () => Promise<Answer>): Promise<FunctionPorts> {
  const { body } = await invoke();
  const parsed = JSON.parse(body) as { body?: string } & FunctionPorts;
  return parsed.body === undefined ? parsed : (JSON.parse(parsed.body) as FunctionPorts);
}

/** TCP ports on which a process listens, as the kernel has them. */
function listeningPorts(pid: number): readonly string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        // Closed since the folder was read.
        return [];
      }
    }),
  );
  const rows = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1),
  );
  return rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
    return state === '0A' && sockets.has(inode) ? [String(Number.parseInt(local.split(':')[1] ?? '', 16))] : [];
  });
}

/** Every listener of HTTP, by name; all are open when this resolves. */
async function allListeners(): Promise<readonly (readonly [name: string, port: string])[]> {
  const ofServer = await functionPorts(() => send(portOf(server.url), 'POST', INVOKE, { host: 'localhost' }));
  const ofApi = await functionPorts(() => send(portOf(startApi.url), 'POST', '/plain', { host: 'localhost' }));
  const ofLambda = await functionPorts(() => send(portOf(startLambda.url), 'POST', INVOKE, { host: 'localhost' }));
  return [
    ['the main port', portOf(server.url)],
    ['OTLP over HTTP', portOf(server.otlpHttpUrl ?? '')],
    ['start-api', portOf(startApi.url)],
    ['start-lambda', portOf(startLambda.url)],
    ...[ofServer, ofApi, ofLambda].flatMap(({ runtimeApi, services }, i) => [
      [`Runtime API and Extensions API ${i}`, portOf(runtimeApi)] as const,
      [`local services ${i}`, portOf(services)] as const,
    ]),
  ];
}

/** A path of each API: none of them may answer. */
const CALLS: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/'],
  ['GET', '/metrics'],
  ['GET', '/plain'],
  ['POST', '/cors'],
  ['POST', INVOKE],
  ['POST', '/TraceSummaries'],
  ['POST', '/v1/traces'],
  ['GET', '/2018-06-01/runtime/invocation/next'],
  ['POST', '/2020-01-01/extension/register'],
];

test('every listener refuses a rebound name and a page of another site, at every path', async () => {
  for (const [name, port] of await allListeners()) {
    for (const [method, path] of CALLS) {
      const rebound = await send(port, method, path, { host: `a.evil.test:${port}`, 'sec-fetch-site': 'same-origin' });
      expect([name, method, path, rebound.status]).toEqual([name, method, path, 403]);
      expect(rebound.body).toContain(`host a.evil.test:${port} is not an address of this server`);
      const page = await send(port, method, path, { host: `localhost:${port}`, origin: 'http://evil.test' });
      expect([name, method, path, page.status]).toEqual([name, method, path, 403]);
      expect(page.headers['access-control-allow-origin']).toBeUndefined();
    }
  }
});

test.runIf(process.platform === 'linux')(
  'no process has a listener of HTTP that the test above does not try',
  async () => {
    const known = new Set((await allListeners()).map(([, port]) => port));
    const pids = [server.process.pid ?? 0, startApi.pid, startLambda.pid];
    const unknown = pids.flatMap(listeningPorts).filter((port) => !known.has(port));
    const grpcPort = portOf(server.otlpGrpcUrl ?? '');
    expect(unknown).toEqual([grpcPort]);
    // No page can reach it: it speaks HTTP/2 without TLS, and browsers do not.
    await expect(send(grpcPort, 'POST', '/', { host: 'a.evil.test' })).rejects.toThrow();
  },
);

describe('start-api', () => {
  const call = (path: string, origin: string, method = 'POST') =>
    send(portOf(startApi.url), method, path, { host: '127.0.0.1', origin, 'sec-fetch-site': 'cross-site' });

  test('lets pages call it that the CORS of the template names, preflight included', async () => {
    const answer = await call('/cors', 'https://app.example');
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, 'https://app.example']);
    const preflight = await call('/cors', 'https://app.example', 'OPTIONS');
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, 'https://app.example']);
    expect((await call('/plain', 'https://app.example')).status).toBe(403);
  });

  test('lets local pages call every route: the function may answer CORS itself', async () => {
    expect((await call('/plain', 'http://localhost:5173')).status).toBe(200);
  });
});
