import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Command } from 'commander';
import {
  type GatewayEndpointOptions,
  type HttpEndpoint,
  openConfiguredLambdaService,
  startGateway,
  startInvokeServer,
} from '../compose/lambda.ts';
import type { Config } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import type { LambdaService } from '../lambda/spec/lambda-client.ts';
import {
  addFunctionFlags,
  debugOptions,
  type FunctionFlags,
  functionOutput,
  printMessage,
  readFunctionSettings,
  withSamConfig,
} from './function-flags.ts';
import { newLog } from './log.ts';
import { thisProcess } from './process.ts';
import { runThenClose, untilStopSignal } from './stop-signal.ts';
import { findOrStartServer } from './target-server.ts';

type StartFlags = FunctionFlags & {
  readonly port: string;
  readonly host: string;
  readonly watch: boolean;
  readonly disableAuthorizer?: boolean;
  readonly staticDir?: string;
  readonly sslCertFile?: string;
  readonly sslKeyFile?: string;
};

type StartFunctionServer = (
  config: Config,
  functions: LambdaService,
  options: GatewayEndpointOptions,
) => Promise<HttpEndpoint>;

/** `openray start-lambda`: serves the Invoke API on the default port of `sam local start-lambda`. */
export function startLambdaCommand(done: (exitCode: number) => void): Command {
  const command = startCommand('start-lambda', '3001');
  return command.action((flags: StartFlags) =>
    runFunctionServer(withSamConfig(command, 'local_start_lambda', flags), startInvokeServer, describeFunctions, done),
  );
}

/** `openray start-api`: serves the template's APIs and function URLs on the default port of `sam local start-api`. */
export function startApiCommand(done: (exitCode: number) => void): Command {
  const command = startCommand('start-api', '3000');
  command
    .option('--disable-authorizer', 'do not call authorizers')
    .option(
      '-s, --static-dir <folder>',
      'folder of files to serve for paths without a route (default: "public" beside the template)',
    )
    .option('--ssl-cert-file <file>', 'serve HTTPS with the certificate in this PEM file')
    .option('--ssl-key-file <file>', 'PEM file of the private key of the certificate');
  return command.action((flags: StartFlags) =>
    runFunctionServer(withSamConfig(command, 'local_start_api', flags), startGateway, describeRoutes, done),
  );
}

function startCommand(name: string, port: string): Command {
  const command = new Command(name)
    .option('-p, --port <port>', 'port to listen on', port)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--no-watch', 'do not reload changed code or a changed template')
    .addHelpText('after', '\nTraces go to a running openray server. Without one, the command starts a server.');
  return addFunctionFlags(command);
}

async function runFunctionServer(
  { port: portText, host, watch, ...flags }: StartFlags,
  start: StartFunctionServer,
  describe: (lambdaService: LambdaService, url: string) => readonly string[],
  done: (exitCode: number) => void,
): Promise<void> {
  const port = Number(portText);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new OpenrayError('InvalidRequestException', `--port ${portText} is not a port`);
  }
  const { config, environmentVariables } = readFunctionSettings(
    { hotReload: watch || undefined, ...flags, host },
    'passthrough',
    process.env,
  );
  const tls = tlsFiles(flags);
  const log = newLog(config.logLevel);
  const own = { ...thisProcess(log), environmentVariables };
  const targetServer = await findOrStartServer(config, own);
  const closers = [targetServer.close];
  const run = async () => {
    const { daemonAddress } = targetServer;
    const lambdaService = openConfiguredLambdaService(config, {
      ...own,
      daemonAddress,
      onWarning: printMessage,
      onLine: functionOutput(flags),
      debug: debugOptions(flags),
      gatewayUrl: start === startGateway ? gatewayUrl(tls === undefined ? 'http' : 'https', host, port) : undefined,
    });
    closers.push(lambdaService.close);
    const { disableAuthorizer = false } = flags;
    const isDebugged = debugOptions(flags) !== undefined;
    const server = await start(config, lambdaService, {
      log,
      host,
      port,
      daemonAddress,
      disableAuthorizer,
      isDebugged,
      staticDir: staticDirOf(flags, dirname(lambdaService.templateFile())),
      tls,
    });
    closers.push(server.close);
    const lines = [...describe(lambdaService, server.url), `traces at ${targetServer.url}`];
    // Listens before the lines: a parent process may send a signal as soon as it has read them.
    const stopSignal = untilStopSignal();
    process.stdout.write(`${lines.join('\n')}\n`);
    await stopSignal;
    done(0);
  };
  await runThenClose(run, async () => {
    for (const close of closers.reverse()) await close();
  });
}

/** Undefined for port 0, whose number is known only after the template is read. */
function gatewayUrl(scheme: 'http' | 'https', host: string, port: number): string | undefined {
  const isEveryAddress = host === '0.0.0.0' || host === '::';
  return port === 0 ? undefined : `${scheme}://${isEveryAddress ? '127.0.0.1' : host}:${port}`;
}

/** Throws InvalidRequestException when the folder of `--static-dir` does not exist. */
function staticDirOf({ staticDir }: Pick<StartFlags, 'staticDir'>, templateDir: string): string | undefined {
  const folder = resolve(templateDir, staticDir ?? 'public');
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return folder;
  if (staticDir === undefined) return undefined;
  throw new OpenrayError('InvalidRequestException', `--static-dir ${staticDir}: there is no folder ${folder}`);
}

/** Undefined without the flags. Throws InvalidRequestException when one is missing or a file cannot be read. */
function tlsFiles({
  sslCertFile,
  sslKeyFile,
}: Pick<StartFlags, 'sslCertFile' | 'sslKeyFile'>): GatewayEndpointOptions['tls'] {
  if (sslCertFile === undefined && sslKeyFile === undefined) return undefined;
  if (sslCertFile === undefined || sslKeyFile === undefined) {
    throw new OpenrayError('InvalidRequestException', '--ssl-cert-file and --ssl-key-file need each other');
  }
  return { cert: readPem('--ssl-cert-file', sslCertFile), key: readPem('--ssl-key-file', sslKeyFile) };
}

function readPem(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const sentence = `${flag} ${file} cannot be read: ${(cause as Error).message}`;
    throw new OpenrayError('InvalidRequestException', sentence, { cause });
  }
}

function describeFunctions(lambdaService: LambdaService, url: string): readonly string[] {
  const names = lambdaService.list().map(({ spec }) => spec.logicalId);
  return [`openray offers ${names.join(', ')} at ${url}`, `  aws lambda invoke --endpoint-url ${url} …`];
}

function describeRoutes(lambdaService: LambdaService, url: string): readonly string[] {
  const routes = lambdaService.routes().flatMap(({ api, method, path, target }) => {
    if (target.kind === 'fixed') return [];
    const route = api.kind === 'url' ? `/lambda-url/${target.functionId}/` : path;
    return [`  ${method.padEnd(7)} ${url}${route === '$default' ? '/' : route}  ${target.functionId}`];
  });
  return [`openray answers at ${url}`, ...(routes.length === 0 ? ['  the template has no API'] : routes)];
}
