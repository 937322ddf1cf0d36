import { Command } from 'commander';
import { invokeRemote } from '../client/invoke.ts';
import type { RecordedTrace } from '../client/recorded-trace.ts';
import { waitForTrace } from '../client/wait-for-trace.ts';
import { startServer } from '../compose/start-server.ts';
import { loadConfig } from '../config.ts';
import { toFailure } from '../errors.ts';
import { type FileCheck, failedExpectations, readAssertionFile } from '../test-kit/assertion-file.ts';
import { readEndpointUrl } from './endpoint-url.ts';
import { newLog } from './log.ts';
import { thisProcess } from './process.ts';

type AssertFlags = Readonly<Record<string, unknown>> & { readonly endpointUrl?: string; readonly config?: string };

/**
 * `openray assert FILE.yaml`: invokes functions, waits for traces, and checks them against the expectations of the
 * file. Exits with 1 when an expectation fails.
 */
export function assertCommand(done: (exitCode: number) => void): Command {
  return new Command('assert')
    .argument('<file>', 'file of expectations, in YAML or JSON')
    .option(
      '--endpoint-url <url>',
      'URL of a running server (default: the command starts a server for the functions of --template)',
      readEndpointUrl,
    )
    .action(async (file: string, flags: AssertFlags) => {
      const checks = readAssertionFile(file);
      const ownServer = flags.endpointUrl === undefined ? await startOwnServer(flags) : undefined;
      try {
        const url = ownServer?.url ?? (flags.endpointUrl as string);
        let failed = 0;
        for (const check of checks) failed += (await runCheck(check, url)) ? 0 : 1;
        process.stdout.write(`${checks.length - failed} of ${checks.length} passed\n`);
        done(failed === 0 ? 0 : 1);
      } finally {
        await ownServer?.close();
      }
    });
}

async function startOwnServer(flags: AssertFlags) {
  const { config } = loadConfig({ port: 0, ...flags }, process.env, flags.config);
  return startServer(config, thisProcess(newLog(config.logLevel === 'info' ? 'error' : config.logLevel)));
}

/** Prints `ok` and the name, or `FAILED`, the name, and each failed expectation with the trace. */
async function runCheck(check: FileCheck, url: string): Promise<boolean> {
  const { target } = check;
  const name = target.kind === 'invoke' ? target.functionName : target.filterOrId;
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

async function traceOf({ target, ...options }: FileCheck, url: string): Promise<RecordedTrace> {
  if (target.kind === 'trace') return waitForTrace(url, target.filterOrId, options);
  const { traceId } = await invokeRemote({
    endpointUrl: url,
    functionName: target.functionName,
    payload: Buffer.from(JSON.stringify(target.event)),
    invocationType: 'RequestResponse',
    qualifier: undefined,
    clientContext: undefined,
  });
  return waitForTrace(url, traceId, options);
}
