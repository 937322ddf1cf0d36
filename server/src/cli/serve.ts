import { once } from 'node:events';
import { Command, Option } from 'commander';
import type { RunningServer } from '../compose/server.ts';
import { startServer } from '../compose/start-server.ts';
import type { Config } from '../config.ts';
import { type FunctionFlags, readFunctionSettings } from './function-flags.ts';
import { newLog } from './log.ts';
import { thisProcess, version } from './process.ts';
import { closeInTime, untilStopSignal } from './stop-signal.ts';

/** `openray serve`: runs until SIGINT or SIGTERM, then stops within STOP_MAX_MS. */
export function serveCommand(done: (exitCode: number) => void): Command {
  const command = new Command('serve')
    // For parent processes that may be killed: the pipe closes when the parent ends.
    .addOption(new Option('--until-stdin-ends').hideHelp());
  return command.action(async (flags: FunctionFlags & { readonly untilStdinEnds?: boolean }) => {
    const { config } = readFunctionSettings(flags, 'none', process.env);
    const log = newLog(config.logLevel);
    const startedMs = performance.now();
    const server = await startServer(config, thisProcess(log));
    // Listens before the banner: a parent process may send a signal as soon as it has read that.
    const stopSignal = untilStopSignal();
    process.stdout.write(banner(server, config, Math.round(performance.now() - startedMs)));
    const stdinEnds = flags.untilStdinEnds === true ? [once(process.stdin.resume(), 'end')] : [];
    await Promise.race([stopSignal, ...stdinEnds]);
    log.info('stopping');
    await closeInTime(server.close);
    done(0);
  });
}

/** Addresses of the server, with the environment variable for each. */
function banner(server: RunningServer, config: Config, readyMs: number): string {
  const { url, daemonAddress, otlpHttpUrl, otlpGrpcUrl, lambdaService } = server;
  const rows = [
    ['console', url],
    ['daemon', `${daemonAddress} (UDP and TCP): AWS_XRAY_DAEMON_ADDRESS=${daemonAddress}`],
    ['OTLP/HTTP', otlpHttpUrl && `${otlpHttpUrl}: OTEL_EXPORTER_OTLP_ENDPOINT=${otlpHttpUrl}`],
    ['OTLP/gRPC', otlpGrpcUrl],
    ['X-Ray API', `${url}: aws xray --endpoint-url ${url} …`],
    [
      'functions',
      lambdaService
        ?.list()
        .map(({ spec }) => spec.logicalId)
        .join(', '),
    ],
    ['data', config.storeUrl === undefined ? config.dataDir : 'in the ClickHouse of --store-url'],
  ] as const;
  const lines = rows.flatMap(([label, text]) => (text === undefined ? [] : [`  ${label.padEnd(9)} ${text}\n`]));
  return `openray ${version} is ready (${readyMs} ms)\n${lines.join('')}`;
}
