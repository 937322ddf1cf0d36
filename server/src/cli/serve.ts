import { once } from 'node:events';
import { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { startServer } from '../serve.ts';
import { newLog } from './log.ts';
import { thisProcess, version } from './process.ts';

/** `openray serve`: runs until SIGINT or SIGTERM. */
export function serveCommand(done: (exitCode: number) => void): Command {
  return new Command('serve')
    .description('start the server: daemon, X-Ray API, console, and the functions of your templates')
    .action(async (flags: Record<string, unknown>) => {
      const { config } = loadConfig(flags, process.env, flags.config as string | undefined);
      const log = newLog(config.logLevel);
      const startedMs = performance.now();
      const server = await startServer(config, thisProcess(log));
      const readyMs = Math.round(performance.now() - startedMs);
      process.stdout.write(
        [
          `openray ${version} is ready (${readyMs} ms)`,
          `  console   ${server.url}`,
          `  daemon    ${server.daemonAddress} (UDP and TCP): AWS_XRAY_DAEMON_ADDRESS=${server.daemonAddress}`,
          ...(server.otlpHttpUrl
            ? [`  OTLP/HTTP ${server.otlpHttpUrl}: OTEL_EXPORTER_OTLP_ENDPOINT=${server.otlpHttpUrl}`]
            : []),
          ...(server.otlpGrpcUrl ? [`  OTLP/gRPC ${server.otlpGrpcUrl}`] : []),
          `  X-Ray API ${server.url}: aws xray --endpoint-url ${server.url} …`,
          ...(server.functions
            ? [
                `  functions ${server.functions
                  .list()
                  .map(({ spec }) => spec.logicalId)
                  .join(', ')}`,
              ]
            : []),
          `  data      ${config.dataDir}`,
          '',
        ].join('\n'),
      );
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
      log.info('stopping');
      await server.close();
      done(0);
    });
}
