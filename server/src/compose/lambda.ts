import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { OpenrayError } from '../errors.ts';
import { buildInvokeApp } from '../http/app.ts';
import { serveGateway, type TlsFiles } from '../http/gateway.ts';
import type { LambdaApi } from '../http/lambda-api.ts';
import { newMemoryBudget } from '../ingest/memory-budget.ts';
import { handleLambdaRequest } from '../lambda/api/invoke-api.ts';
import { openGateway } from '../lambda/gateway/gateway.ts';
import type { GatewayRefusal } from '../lambda/gateway/options.ts';
import { openLambdaService } from '../lambda/invoke/lambda-service.ts';
import { openLogSender } from '../lambda/invoke/log-sender.ts';
import { readAwsAccess } from '../lambda/runtime/aws-access.ts';
import type { DebugOptions } from '../lambda/runtime/interpreters.ts';
import { undeclaredFunction } from '../lambda/services/aws-relay.ts';
import type { LambdaFunctions, LambdaService } from '../lambda/spec/lambda-client.ts';
import { findTemplate, readEnvironmentFile } from '../lambda/template/input-files.ts';
import { parseParameterOverrides, readTemplate, type Template } from '../lambda/template/template.ts';
import { openSampler } from '../lambda/tracing/sampling-decision.ts';
import { openSegmentSender, parseDaemonAddress } from '../lambda/tracing/segment-sender.ts';
import { RUNTIMES_DIR } from '../package/files.ts';
import { layerFolders, unusedLayers } from './layers.ts';
import { memoryLimits } from './memory-limits.ts';
import { listenError } from './ports.ts';
import type { ServerProcess } from './process.ts';

export type LambdaServiceContext = Pick<ServerProcess, 'log' | 'environmentVariables'> & {
  readonly daemonAddress: string;
  /** Gets each line that a function prints. */
  readonly onLine?: (line: string) => void;
  readonly debug?: DebugOptions | undefined;
  /** URL of the gateway, for templates that give it to their functions; by default that of `start-api`. */
  readonly gatewayUrl?: string | undefined;
  /** False for a command that invokes a function itself. True by default. */
  readonly warnsOfSources?: boolean;
  /** Gets warnings for the user; without it they go to the log. */
  readonly onWarning?: (sentence: string) => void;
  /** Gets a hint after an invocation that needs one; without it each hint is one warning. */
  readonly onHint?: (sentence: string) => void;
};

/** The functions of the template that the settings name. Throws SettingInvalid when the template cannot be read. */
export function openConfiguredLambdaService(
  config: Config,
  { daemonAddress, environmentVariables, log, onLine, onWarning, onHint, ...context }: LambdaServiceContext,
): LambdaService {
  const { region, accountId, envVars, tracing } = config;
  const { debug, gatewayUrl, warnsOfSources = true } = context;
  const environmentOverrides = readEnvironmentFile(envVars);
  const file = resolve(config.template ?? findTemplate());
  const parameters = parseParameterOverrides(config.parameterOverrides);
  const layers = layerFolders(config.layer);
  const reloadTemplate = () => readTemplate(file, { parameters, region, accountId, gatewayUrl, tracing, layers });
  const template = reloadTemplate();
  const warn = onWarning ?? ((sentence: string) => log.warn(sentence));
  unusedLayers(layers, template).forEach(warn);
  if (debug?.functionId !== undefined) unusedDebugger(debug.functionId, template).forEach(warn);
  if (envVars !== undefined) unusedVariables(envVars, environmentOverrides, template).forEach(warn);
  // Log events go to the same server and port as traces.
  const logSender = openLogSender(`http://${daemonAddress}`);
  const lambdaService = openLambdaService({
    template,
    reloadTemplate,
    hotReload: config.hotReload,
    freeze: config.lambdaFreeze,
    runsSchedules: config.lambdaSchedules,
    debug,
    warnsOfSources,
    region,
    accountId,
    daemonAddress,
    runtimesDir: RUNTIMES_DIR,
    cacheDir: join(config.dataDir, 'functions'),
    packagesDir: runtimePackagesDir(environmentVariables),
    hostVariables: environmentVariables,
    aws: readAwsAccess({ mode: config.aws, endpoint: config.awsEndpoint }, environmentVariables),
    ...(onHint && { onHint }),
    sampling: config.lambdaSampling,
    traceFormat: config.lambdaTraceFormat,
    ...(environmentOverrides && { environmentOverrides }),
    onLogEvent: (line) => {
      logSender.add(line);
      onLine?.(line.text);
    },
    onWarning: warn,
  });
  return {
    ...lambdaService,
    async close() {
      await lambdaService.close();
      await logSender.close();
    },
  };
}

function unusedDebugger(functionId: string, { functions }: Template): readonly string[] {
  if (functions.some(({ logicalId }) => logicalId === functionId)) return [];
  return [`--debug-function ${functionId} has no effect: the template has no function with this logical id.`];
}

/** One sentence when the file of `--env-vars` has members that no function reads. */
function unusedVariables(file: string, overrides: object = {}, { functions }: Template): readonly string[] {
  const known = new Set(['Parameters', ...functions.flatMap(({ logicalId, name }) => [logicalId, name])]);
  const unknown = Object.keys(overrides).filter((key) => !known.has(key));
  if (unknown.length === 0) return [];
  const names = unknown.slice(0, NAMES_MAX).join(', ');
  return [
    `--env-vars ${file}: the template has no function ${names}; variables for all functions belong in "Parameters".`,
  ];
}

/** Of one sentence. */
const NAMES_MAX = 5;

/** Packages that Lambda's runtimes bring, one folder a language: of the user, not of one data directory. */
export function runtimePackagesDir({ HOME }: ServerProcess['environmentVariables']): string {
  return join(HOME || homedir(), '.openray', 'runtimes');
}

/** The operations of Lambda's API for these functions. */
export function newLambdaApi(lambdaService: LambdaService): LambdaApi {
  const functions: LambdaFunctions = {
    list: lambdaService.list,
    find(nameOrArn, qualifier) {
      requireFunction(nameOrArn, lambdaService);
      return lambdaService.find(nameOrArn, qualifier);
    },
    async invoke(nameOrArn, request) {
      requireFunction(nameOrArn, lambdaService);
      return lambdaService.invoke(nameOrArn, request);
    },
  };
  return {
    callLambda: (request) => handleLambdaRequest(functions, request),
    callAwsService: lambdaService.callAwsService,
  };
}

function requireFunction(nameOrArn: string, { has }: Pick<LambdaService, 'has'>): void {
  if (!has(nameOrArn)) throw undeclaredFunction(nameOrArn);
}

/** A port of its own for functions, beside the one port. */
export type HttpEndpoint = { readonly url: string; readonly close: () => Promise<void> };

export type HttpEndpointOptions = Pick<ServerProcess, 'log'> & {
  readonly host: string;
  readonly port: number;
  readonly daemonAddress: string;
};

export type GatewayEndpointOptions = HttpEndpointOptions & {
  /** Calls no authorizer: every caller is allowed. */
  readonly disableAuthorizer?: boolean;
  /** Folder whose files answer GET requests that no route matches. */
  readonly staticDir?: string | undefined;
  readonly tls?: TlsFiles | undefined;
  /** Switches off the time limits of integrations, since a debugger may stop the function. */
  readonly isDebugged?: boolean;
};

/** The Invoke API on a port of its own. Throws when the port is in use. */
export async function startInvokeServer(
  config: Config,
  lambdaService: LambdaService,
  { log, host, port }: HttpEndpointOptions,
): Promise<HttpEndpoint> {
  const app = buildInvokeApp({
    log,
    memory: newMemoryBudget(memoryLimits(config).requestBytes),
    bodyMaxBytes: config.bodyMaxBytes,
    lambda: () => newLambdaApi(lambdaService),
  });
  try {
    const url = await app.listen({ host, port });
    return { url, close: () => app.close() };
  } catch (cause) {
    throw listenError('TCP', host, port, cause);
  }
}

/** The template's APIs and function URLs. Throws when the port is in use. */
export async function startGateway(
  config: Config,
  lambdaService: LambdaService,
  { log, host, port, daemonAddress, disableAuthorizer = false, isDebugged = false, ...served }: GatewayEndpointOptions,
): Promise<HttpEndpoint> {
  const { accountId, region, bodyMaxBytes } = config;
  const sender = openSegmentSender(parseDaemonAddress(daemonAddress));
  const sample = openSampler(config.lambdaSampling);
  const limits = { callsAuthorizers: !disableAuthorizer, hasTimeouts: !isDebugged };
  const onRefusal = (refusal: GatewayRefusal) =>
    log.warn(refusal, 'the gateway refused or changed a request or a response');
  const gateway = openGateway({ lambda: lambdaService, sender, accountId, region, sample, onRefusal, ...limits });
  const server = await serveGateway(gateway, { host, port, bodyMaxBytes, ...served }).catch((cause: unknown) => {
    throw cause instanceof OpenrayError ? cause : listenError('TCP', host, port, cause);
  });
  return {
    url: server.url,
    async close() {
      await server.close();
      sender.close();
    },
  };
}
