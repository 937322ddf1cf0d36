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

/** Writes files into a folder of its own, `template.yaml` among them, and serves its functions. */
export async function openLocalLambda(
  files: Readonly<Record<string, string>>,
  options: Partial<LambdaServiceOptions> = {},
): Promise<LocalLambda> {
  const dir = await writeFiles(files);
  const daemon = await openTestDaemon();
  const lines: FunctionLogEvent[] = [];
  const notes: string[] = [];
  const functions = openLambdaService({
    template: readTemplate(join(dir, 'template.yaml'), { parameters: {}, region: REGION, accountId: ACCOUNT }),
    region: REGION,
    accountId: ACCOUNT,
    daemonAddress: daemon.address,
    runtimesDir: RUNTIMES_DIR,
    cacheDir: join(dir, '.cache'),
    // biome-ignore lint/style/noProcessEnv: the programs under test are found on the host's PATH
    hostVariables: { PATH: process.env.PATH },
    onLogEvent: (line) => lines.push(line),
    onWarning: (note) => notes.push(note),
    ...options,
  });
  return {
    lambda: functions,
    daemon,
    dir,
    logEvents: lines,
    warnings: notes,
    invoke: (name, event = {}, request = {}) => {
      const payload = Buffer.from(JSON.stringify(event));
      return functions.invoke(name, { invocationType: 'RequestResponse', payload, ...request });
    },
    async close() {
      await functions.close();
      await daemon.close();
    },
  };
}

const written: string[] = [];
afterAll(async () => {
  await Promise.all(written.map((dir) => rm(dir, { recursive: true, force: true })));
});

/** Files in a folder of their own, which is gone when the tests are over. */
export async function writeFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'openray-lambda-'));
  written.push(dir);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return dir;
}

/** The payload as JSON. */
export function resultOf(result: InvokeResult): JsonValue {
  return JSON.parse(result.payload.toString());
}
