import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BatchGetTracesCommand } from '@aws-sdk/client-xray';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXAMPLE } from '../scripts/example.ts';
import { freePort } from '../scripts/free-port.ts';
import { runOpenray } from '../scripts/openray.ts';
import { type RegistrationPageProcess, startRegistrationPage } from '../scripts/registration-page.ts';
import { removeFolder, startTestServer, type TestServer } from './support/server.ts';
import { eventually } from './support/wait.ts';

/** The workshop's own functions in Python. They need python3 and the packages of requirements.txt. */
const VENV = join(EXAMPLE, 'python/.venv');

function preparePython(): string | undefined {
  if (existsSync(join(VENV, '.ready'))) return undefined;
  const run = (program: string, ...args: readonly string[]) =>
    spawnSync(program, args, { stdio: 'ignore', timeout: 240_000 }).status === 0;
  if (!run('python3', '-m', 'venv', VENV)) return 'there is no python3 that can make a virtual environment';
  const pip = join(VENV, 'bin/pip');
  const requirements = join(EXAMPLE, 'python/requirements.txt');
  if (run(pip, 'install', '--quiet', '--requirement', requirements) && run('touch', join(VENV, '.ready')))
    return undefined;
  rmSync(VENV, { recursive: true, force: true });
  return 'pip cannot install Powertools for Python';
}

const reason = preparePython();
if (reason !== undefined) process.stderr.write(`Python functions are not tested: ${reason}\n`);

type Document = {
  readonly name: string;
  readonly origin?: string;
  readonly parent_id?: string;
  readonly id: string;
} & {
  readonly annotations?: object;
  readonly metadata?: Readonly<Record<string, object>>;
  readonly subsegments?: readonly Document[];
};

describe.skipIf(reason !== undefined)(
  "the workshop's functions in Python",
  () => {
    let server: TestServer;
    let page: RegistrationPageProcess;

    beforeAll(async () => {
      const port = await freePort();
      page = await startRegistrationPage({ daemonAddress: `127.0.0.1:${port}`, port: 0 });
      server = await startTestServer(['--port', String(port)]);
    });

    afterAll(async () => {
      await page.stop();
      await server.stop();
      await removeFolder(server.dataDir);
    });

    const invoke = (name: string, event: string) =>
      runOpenray(
        [
          ...['invoke', name, '--event-file', `${EXAMPLE}/events/${event}.json`],
          ...['--template', `${EXAMPLE}/python/template.yaml`, '--parameter-overrides', `RegistrationUrl=${page.url}`],
          ...['--port', server.daemonAddress.split(':')[1] as string, '--data-dir', server.dataDir],
        ],
        { env: { VIRTUAL_ENV: VENV, PATH: [join(VENV, 'bin'), process.env.PATH].join(delimiter) } },
      );

    async function documentsOf(stderr: string): Promise<readonly Document[]> {
      const id = /XRAY TraceId: (\S+)/.exec(stderr)?.[1] as string;
      const { Traces } = await server.xray.send(new BatchGetTracesCommand({ TraceIds: [id] }));
      return (Traces?.[0]?.Segments ?? []).map(({ Document }) => JSON.parse(Document ?? '') as Document);
    }

    const child = (parent: Document | undefined, name: string) =>
      parent?.subsegments?.find((subsegment) => subsegment.name === name);

    test('InstrumentedFunction: handler, method, call and the called service', async () => {
      const { stdout, stderr, exitCode } = await invoke('InstrumentedFunction', 'valid_user');
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toBe(
        '{"status_code": 200, "user_id": "brian1", "first_name": "Brian", "last_name": "McNamara", "email": "brian@mcnamara.com"}',
      );
      expect(stderr).toMatch(/^REPORT .*\tInit Duration: /m);
      await eventually(async () => {
        const documents = await documentsOf(stderr);
        const fn = documents.find(({ origin }) => origin === 'AWS::Lambda::Function');
        const handler = child(child(fn, 'Invocation'), '## handler');
        expect(handler?.annotations).toEqual({ ColdStart: true, Service: 'instrumented-user-registration' });
        const method = child(handler, '## instrumented.submit_user');
        expect(method?.annotations).toEqual({ user_id: 'brian1' });
        const call = method?.subsegments?.[0];
        expect(call).toBeDefined();
        expect(documents.find(({ name }) => name === 'registration-page')?.parent_id).toBe(call?.id);
      });
    });

    test('VanillaFunction: no subsegment below Invocation', async () => {
      const { stderr, exitCode } = await invoke('VanillaFunction', 'valid_user');
      expect(exitCode, stderr).toBe(0);
      expect(stderr).toContain('[Success] Added user Brian McNamara (brian1): 200');
      await eventually(async () => {
        const documents = await documentsOf(stderr);
        expect(documents).toHaveLength(2);
        const fn = documents.find(({ origin }) => origin === 'AWS::Lambda::Function');
        expect(child(fn, 'Invocation')).toBeDefined();
        expect(child(fn, 'Invocation')?.subsegments).toBeUndefined();
      });
    });

    test('an invalid event is a function error of the Python runtime', async () => {
      const { stdout, exitCode } = await invoke('InstrumentedFunction', 'invalid_user_missing_attribute');
      expect(exitCode).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ errorType: 'ValidationError', stackTrace: expect.any(Array) });
    });
  },
  300_000,
);
