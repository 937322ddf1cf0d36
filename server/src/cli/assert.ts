import { Command } from 'commander';
import { invokeRemote } from '../client/invoke.ts';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { waitForTrace } from '../client/wait-for-trace.ts';
import { loadConfig } from '../config.ts';
import { toFailure } from '../errors.ts';
import { startServer } from '../serve.ts';
import { type FileCheck, failedExpectations, readAssertionFile } from '../test-kit/assertion-file.ts';
import { newLog } from './log.ts';
import { thisProcess } from './process.ts';

type AssertFlags = Readonly<Record<string, unknown>> & { readonly endpointUrl?: string; readonly config?: string };

/**
 * `openray assert FILE.yaml`: invokes functions, waits for traces, and holds them against what the file expects. Exits
 * with 1 when something does not hold.
 */
export function assertCommand(done: (exitCode: number) => void): Command {
  return new Command('assert')
    .description('hold traces against a file of expectations')
    .argument('<file>', 'YAML or JSON')
    .option('--endpoint-url <url>', 'a running openray; without it one is started for the functions of --template')
    .action(async (file: string, flags: AssertFlags) => {
      const checks = readAssertionFile(file);
      const own = flags.endpointUrl === undefined ? await startOwnServer(flags) : undefined;
      try {
        const url = own?.url ?? (flags.endpointUrl as string);
        let failed = 0;
        for (const check of checks) failed += (await runCheck(check, url)) ? 0 : 1;
        process.stdout.write(`${checks.length - failed} of ${checks.length} as expected\n`);
        done(failed === 0 ? 0 : 1);
      } finally {
        await own?.close();
      }
    });
}

async function startOwnServer(flags: AssertFlags) {
  const { config } = loadConfig({ port: 0, ...flags }, process.env, flags.config);
  return startServer(config, thisProcess(newLog(config.logLevel === 'info' ? 'error' : config.logLevel)));
}

/** Prints one line for what holds; the sentence and the trace for what does not. */
async function runCheck(check: FileCheck, url: string): Promise<boolean> {
  const { target: which } = check;
  const name = which.kind === 'invoke' ? which.functionName : which.filterOrId;
  let failures: readonly string[];
  try {
    failures = failedExpectations(await traceOf(check, url), check.expectations);
  } catch (thrown) {
    failures = [toFailure(thrown).message];
  }
  process.stdout.write(`${failures.length === 0 ? 'ok' : 'FAILED'}  ${name}\n`);
  for (const failure of failures) process.stdout.write(`${failure.replace(/^/gm, '    ')}\n\n`);
  return failures.length === 0;
}

async function traceOf({ target: which, ...options }: FileCheck, url: string): Promise<RecordedTrace> {
  if (which.kind === 'trace') return waitForTrace(url, which.filterOrId, options);
  const { traceId } = await invokeRemote({
    endpointUrl: url,
    functionName: which.functionName,
    payload: Buffer.from(JSON.stringify(which.event)),
    invocationType: 'RequestResponse',
    qualifier: undefined,
    clientContext: undefined,
  });
  return waitForTrace(url, traceId, options);
}
