import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { PutTraceSegmentsCommand } from '@aws-sdk/client-xray';
import { expect, onTestFinished, test } from 'vitest';
import { cleanEnvironment } from '../scripts/openray.ts';
import { segment } from './support/documents.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { waitFor } from './support/wait.ts';

const PROGRAM = new URL('../server/bin/openray.cjs', import.meta.url).pathname;

/** Stores a trace and returns its id. */
async function putTrace({ xray }: TestServer): Promise<string> {
  const document = segment();
  await xray.send(new PutTraceSegmentsCommand({ TraceSegmentDocuments: [JSON.stringify(document)] }));
  return document.trace_id;
}

/** A command that follows the server prints what arrives after it was started. */
async function untilAsked({ url }: TestServer): Promise<void> {
  await waitFor('the first request of the command', async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return /_request_duration_seconds_count\{.*route="\/TraceSummaries"/.test(metrics) || undefined;
  });
}

test.each(['tail', 'traces --tail'])('openray %s goes on after the server was restarted', async (command) => {
  let server = await startTestServer();
  const { dataDir } = server;
  onTestFinished(async () => {
    await server.stop();
    await removeFolder(dataDir);
  });
  const args = [PROGRAM, ...command.split(' '), '--endpoint-url', server.url];
  const child = spawn(process.execPath, args, { env: cleanEnvironment() });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const printed = { out: '', err: '' };
  child.stdout.on('data', (bytes: Buffer) => {
    printed.out += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    printed.err += bytes.toString();
  });
  await untilAsked(server);
  const untilPrinted = async (id: string) => waitFor('the trace', () => printed.out.includes(id) || undefined);
  await untilPrinted(await putTrace(server));
  // This trace is not in the first list that the command reads. A failure of the first reading ends the command.
  await untilPrinted(await putTrace(server));

  await server.stop();
  await waitFor('a sentence about the server', () => printed.err.includes('; trying again\n') || undefined);
  server = await startTestServer(['--port', new URL(server.url).port], dataDir);
  await untilPrinted(await putTrace(server));
  await waitFor('a sentence about its return', () => printed.err.includes('the server answers again\n') || undefined);
  expect(printed.err.match(/trying again/g)).toHaveLength(1);

  child.kill('SIGTERM');
  const [code] = await exited;
  // Null: the signal arrived during a request.
  expect([0, null]).toContain(code);
});
