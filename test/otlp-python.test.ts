import { execFile, spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BatchGetTracesCommand } from '@aws-sdk/client-xray';
import { expect, test } from 'vitest';
import { serverForThisTest } from './support/server.ts';

const VENV = fileURLToPath(new URL('../node_modules/.cache/otel-python', import.meta.url));
const PROGRAM = fileURLToPath(new URL('support/python/otel_client.py', import.meta.url));
const PACKAGES = ['opentelemetry-sdk', 'opentelemetry-exporter-otlp-proto-http'];

/** The reason for which the client cannot be installed; undefined when it is installed. */
function preparePython(): string | undefined {
  if (existsSync(join(VENV, '.ready'))) return undefined;
  const run = (program: string, ...args: readonly string[]) =>
    spawnSync(program, args, { stdio: 'ignore', timeout: 240_000 }).status === 0;
  if (!run('python3', '-m', 'venv', VENV)) return 'there is no python3 that can make a virtual environment';
  if (run(join(VENV, 'bin/pip'), 'install', '--quiet', ...PACKAGES) && run('touch', join(VENV, '.ready')))
    return undefined;
  rmSync(VENV, { recursive: true, force: true });
  return `pip cannot install ${PACKAGES.join(' and ')}`;
}

const reason = preparePython();
if (reason !== undefined) process.stderr.write(`OpenTelemetry's SDK for Python is not tested: ${reason}\n`);

test.skipIf(reason !== undefined)("spans of OpenTelemetry's SDK for Python become X-Ray segments", async () => {
  const server = await serverForThisTest();
  const { stdout } = await promisify(execFile)(join(VENV, 'bin/python'), [PROGRAM, server.otlpHttpUrl ?? '']);
  const id = stdout.trim();
  const { Traces } = await server.xray.send(
    new BatchGetTracesCommand({ TraceIds: [`1-${id.slice(0, 8)}-${id.slice(8)}`] }),
  );
  const [document] = (Traces?.[0]?.Segments ?? []).map(({ Document }) => JSON.parse(Document ?? ''));
  expect(document).toMatchObject({
    name: 'python-shop',
    fault: true,
    aws: { xray: { sdk: 'opentelemetry for python' } },
    metadata: { default: { tenant: 'acme', sizes: [1, 2] } },
    cause: {
      exceptions: [
        {
          type: 'ZeroDivisionError',
          message: 'division by zero',
          stack: expect.arrayContaining([{ label: 'divide', path: PROGRAM, line: 13 }]),
        },
      ],
    },
    subsegments: [{ name: 'postgresql', namespace: 'remote', sql: { sanitized_query: 'SELECT 1' } }],
  });
  // The frame that threw is first.
  expect(document.cause.exceptions[0].stack[0].label).toBe('divide');
});
