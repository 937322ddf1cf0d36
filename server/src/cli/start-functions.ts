import { once } from 'node:events';
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
  readFunctionSettings,
  withSamConfig,
} from './function-flags.ts';
import { newLog } from './log.ts';
import { thisProcess } from './process.ts';
import { findOrStartServer } from './target-server.ts';

type StartFlags = FunctionFlags & {
  readonly port: string;
  readonly host: string;
  readonly watch: boolean;
  readonly disableAuthorizer?: boolean;
};

type StartFunctionServer = (
  config: Config,
  functions: LambdaService,
  options: GatewayEndpointOptions,
) => Promise<HttpEndpoint>;

/** `openray start-lambda`: serves the Invoke API on the default port of `sam local start-lambda`. */
export function startLambdaCommand(done: (exitCode: number) => void): Command {
  const command = startCommand('start-lambda', "serve the Invoke API for the template's functions", '3001');
  return command.action((flags: StartFlags) =>
    runFunctionServer(withSamConfig(command, 'local_start_lambda', flags), startInvokeServer, describeFunctions, done),
  );
}

/** `openray start-api`: serves the template's APIs and function URLs on the default port of `sam local start-api`. */
export function startApiCommand(done: (exitCode: number) => void): Command {
  const command = startCommand('start-api', "serve the template's APIs and function URLs", '3000');
  command.option('--disable-authorizer', 'call no authorizers');
  return command.action((flags: StartFlags) =>
    runFunctionServer(withSamConfig(command, 'local_start_api', flags), startGateway, describeRoutes, done),
  );
}

function startCommand(name: string, description: string, port: string): Command {
  const command = new Command(name)
    .description(description)
    .option('-p, --port <port>', 'port to listen on; traces go to the running server, or to one that is started', port)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--no-watch', 'do not reload changed code or a changed template');
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
  const log = newLog(config.logLevel);
  const own = { ...thisProcess(log), environmentVariables };
  const targetServer = await findOrStartServer(config, own);
  const closers = [targetServer.close];
  try {
    const { daemonAddress } = targetServer;
    const onWarning = (sentence: string) => process.stderr.write(`openray: ${sentence}\n`);
    const onLine = (line: string) => process.stderr.write(line.endsWith('\n') ? line : `${line}\n`);
    const lambdaService = openConfiguredLambdaService(config, {
      ...own,
      daemonAddress,
      onWarning,
      onLine,
      debug: debugOptions(flags),
      gatewayUrl: start === startGateway ? gatewayUrl(host, port) : undefined,
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
    });
    closers.push(server.close);
    const lines = [...describe(lambdaService, server.url), `traces at ${targetServer.url}`];
    process.stdout.write(`${lines.join('\n')}\n`);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    done(0);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Undefined for port 0, whose number is known only after the template is read. */
function gatewayUrl(host: string, port: number): string | undefined {
  const isEveryAddress = host === '0.0.0.0' || host === '::';
  return port === 0 ? undefined : `http://${isEveryAddress ? '127.0.0.1' : host}:${port}`;
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
