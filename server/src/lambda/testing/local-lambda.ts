import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import type { JsonValue } from '../../model/json.ts';
import type { FunctionLogEvent } from '../invoke/function-log-event.ts';
import { openLambdaService } from '../invoke/lambda-service.ts';
import type { LambdaServiceOptions } from '../invoke/options.ts';
import type { InvokeRequest, InvokeResult, LambdaService } from '../spec/lambda-client.ts';
import { readTemplate } from '../template/template.ts';
import { openTestDaemon, type TestDaemon } from './daemon.ts';

export const ACCOUNT = '000000000000';
export const REGION = 'us-east-1';
export const RUNTIMES_DIR = fileURLToPath(new URL('../../../runtimes', import.meta.url));

export type LocalLambda = {
  readonly lambda: LambdaService;
  readonly daemon: TestDaemon;
  readonly dir: string;
  readonly logEvents: readonly FunctionLogEvent[];
  readonly warnings: readonly string[];
  /** Invokes synchronously with `event` as JSON. */
  readonly invoke: (name: string, event?: JsonValue, request?: Partial<InvokeRequest>) => Promise<InvokeResult>;
  readonly close: () => Promise<void>;
};

/** Writes files into a new folder, `template.yaml` among them, and opens the Lambda service over it. */
export async function openLocalLambda(
  files: Readonly<Record<string, string>>,
  options: Partial<LambdaServiceOptions> = {},
): Promise<LocalLambda> {
  const dir = await writeFiles(files);
  const daemon = await openTestDaemon();
  const logEvents: FunctionLogEvent[] = [];
  const warnings: string[] = [];
  const lambda = openLambdaService({
    template: readTemplate(join(dir, 'template.yaml'), { parameters: {}, region: REGION, accountId: ACCOUNT }),
    region: REGION,
    accountId: ACCOUNT,
    daemonAddress: daemon.address,
    runtimesDir: RUNTIMES_DIR,
    cacheDir: join(dir, '.cache'),
    // biome-ignore lint/style/noProcessEnv: the programs under test are found on the host's PATH
    hostVariables: { PATH: process.env.PATH },
    onLogEvent: (event) => logEvents.push(event),
    onWarning: (sentence) => warnings.push(sentence),
    ...options,
  });
  return {
    lambda,
    daemon,
    dir,
    logEvents,
    warnings,
    invoke: (name, event = {}, request = {}) => {
      const payload = Buffer.from(JSON.stringify(event));
      return lambda.invoke(name, { invocationType: 'RequestResponse', payload, ...request });
    },
    async close() {
      await lambda.close();
      await daemon.close();
    },
  };
}

const written: string[] = [];
afterAll(async () => {
  await Promise.all(written.map((dir) => rm(dir, { recursive: true, force: true })));
});

/** Writes files into a new folder, which is deleted after the tests. */
export async function writeFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'openray-lambda-'));
  written.push(dir);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return dir;
}

/** The payload, parsed as JSON. */
export function resultOf(result: InvokeResult): JsonValue {
  return JSON.parse(result.payload.toString());
}
