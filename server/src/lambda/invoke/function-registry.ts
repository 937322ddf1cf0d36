import { statSync } from 'node:fs';
import { OpenrayError, toFailure } from '../../errors.ts';
import { builtLayers, samBuildTemplate } from '../build/build.ts';
import { NO_AWS } from '../runtime/aws-access.ts';
import { debugOf } from '../runtime/interpreters.ts';
import { queuePaths } from '../services/local-endpoint.ts';
import { parseFunctionReference } from '../spec/function-reference.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import type { ServiceSpecs } from '../spec/services.ts';
import { readTemplate, type Template } from '../template/template.ts';
import { openSampler } from '../tracing/sampling-decision.ts';
import { EnvironmentPool, type EnvironmentPoolSettings } from './environment-pool.ts';
import { newIdleLimit } from './idle-limit.ts';
import type { LambdaServiceOptions } from './options.ts';
import { newSemaphore } from './semaphore.ts';
import { withStartedCommand } from './started-command.ts';

const MAX_CONCURRENCY = 32;
/** Idle environments of all functions, in units of the concurrency: two functions in turn find their own again. */
const IDLE_PER_PERMIT = 2;
const IDLE_MS = 10 * 60 * 1000;
/** SAM's limit for a function that waits for a debugger. */
const DEBUG_TIMEOUT_MS = 36_000_000;

export type FoundFunction = RegisteredFunction & {
  /** The given qualifier, or that in the name or ARN. */
  readonly qualifier: string | undefined;
};

/** The functions of a template. When the template changes, the functions that differ in it get new pools. */
export type FunctionRegistry = {
  /** The template as it was read last. */
  readonly template: () => Template;
  /**
   * Finds a function by logical id, name, ARN, or its name in the CDK or Serverless Framework application.
   * Throws ResourceNotFoundException when there is no such function, or no such alias or version of it, and
   * InvalidRequestException when the ARN has another qualifier than `qualifier`.
   */
  readonly find: (nameOrArn: string, qualifier?: string) => FoundFunction;
  /** Whether `find` finds one. */
  readonly has: (nameOrArn: string) => boolean;
  readonly list: () => readonly FunctionSpec[];
  readonly fingerprint: (nameOrArn: string) => string;
  /** Reads the template again when its file has changed, and then returns its new services. */
  readonly refresh: () => ServiceSpecs | undefined;
  /** Ends all processes without waiting. */
  readonly kill: () => void;
  readonly close: () => Promise<void>;
};

type RegisteredFunction = {
  readonly pool: EnvironmentPool;
  /** Decides whether an invocation is traced when its caller did not. */
  readonly sample: () => boolean;
};

export type RegistryContext = Pick<EnvironmentPoolSettings, 'endpointUrl' | 'warn'>;

export function openFunctionRegistry(options: LambdaServiceOptions, context: RegistryContext): FunctionRegistry {
  const { region, accountId, hotReload = false, reloadTemplate } = options;
  const { warn } = context;
  let template = options.template;
  let changedMs = modifiedMs(template.file);
  const newPools = newPoolFactory(options, {
    ...context,
    queuePaths: () => queuePaths(template.services.queues, accountId),
  });
  const retiring = new Set<EnvironmentPool>();
  let functions = register(template, new Map());
  warnOfTemplate();

  function warnOfTemplate(): void {
    template.warnings.forEach(warn);
    if (options.warnsOfSources !== false) template.sourceWarnings.forEach(warn);
  }

  /** A function that is unchanged keeps its pool. */
  function register(
    from: Template,
    before: ReadonlyMap<string, RegisteredFunction>,
  ): ReadonlyMap<string, RegisteredFunction> {
    const newPool = newPools(from);
    return new Map(
      from.functions.map((spec) => {
        const old = before.get(spec.logicalId);
        if (old !== undefined && JSON.stringify(old.pool.spec) === JSON.stringify(spec)) return [spec.logicalId, old];
        return [spec.logicalId, { pool: newPool(spec), sample: openSampler(options.sampling ?? 'all') }];
      }),
    );
  }

  function refresh(): ServiceSpecs | undefined {
    if (!hotReload || reloadTemplate === undefined) return undefined;
    const fileMs = modifiedMs(template.file);
    if (fileMs === changedMs) return undefined;
    changedMs = fileMs;
    try {
      template = reloadTemplate();
    } catch (error) {
      const reason = toFailure(error).message;
      warn(`The template has changed and cannot be read; the previous one stays in use. ${reason}`);
      return undefined;
    }
    warnOfTemplate();
    const before = functions;
    functions = register(template, before);
    for (const [id, { pool }] of before) if (functions.get(id)?.pool !== pool) retire(pool);
    return template.services;
  }

  function retire(pool: EnvironmentPool): void {
    retiring.add(pool);
    void pool.retire().finally(() => retiring.delete(pool));
  }

  function lookUp(name: string): RegisteredFunction | undefined {
    const all = [...functions.values()];
    // The emulator in AWS's images serves its one function under this name.
    const only = name === 'function' && all.length === 1 ? all[0] : undefined;
    const named = all.filter(({ pool }) => pool.spec.frameworkName === name);
    const byFrameworkName = named.length === 1 ? named[0] : undefined;
    return all.find(({ pool }) => pool.spec.name === name) ?? functions.get(name) ?? byFrameworkName ?? only;
  }

  function find(nameOrArn: string, given?: string): FoundFunction {
    const { name, qualifier = given } = parseFunctionReference(nameOrArn);
    if (given !== undefined && given !== qualifier) {
      const sentence = `The qualifier ${given.slice(0, 128)} is not the one in the function's name: ${qualifier}`;
      throw new OpenrayError('InvalidRequestException', sentence);
    }
    const found = lookUp(name);
    if (found === undefined) {
      const sentence = `Function not found: ${functionArn(name, region, accountId)}`;
      throw new OpenrayError('ResourceNotFoundException', sentence);
    }
    const { spec } = found.pool;
    if (qualifier !== undefined && !hasQualifier(spec, qualifier)) {
      const arn = `${functionArn(spec.name, region, accountId)}:${qualifier.slice(0, 128)}`;
      const known = ['$LATEST', ...spec.aliases, ...(spec.hasVersions ? ['numbers of versions'] : [])].join(', ');
      throw new OpenrayError('ResourceNotFoundException', `Function not found: ${arn}. The template has ${known}.`);
    }
    return { ...found, qualifier };
  }

  const current = () => [...functions.values()].map(({ pool }) => pool);
  const all = () => [...current(), ...retiring];
  return {
    template: () => template,
    find,
    has: (nameOrArn) => lookUp(parseFunctionReference(nameOrArn).name) !== undefined,
    refresh,
    fingerprint: (nameOrArn) => `${modifiedMs(template.file)}\n${find(nameOrArn).pool.fingerprint()}`,
    list: () => current().map(({ spec }) => spec),
    kill() {
      for (const pool of all()) pool.kill();
    },
    async close() {
      await Promise.all(all().map((pool) => pool.close()));
    },
  };
}

/** Every number is a version: AWS counts on with each deployment. */
function hasQualifier({ aliases, hasVersions }: FunctionSpec, qualifier: string): boolean {
  return qualifier === '$LATEST' || aliases.includes(qualifier) || (hasVersions && /^[1-9]\d*$/.test(qualifier));
}

/** Takes the settings that all pools share, then a template, then one of its specs; returns the pool. */
function newPoolFactory(
  options: LambdaServiceOptions,
  context: Pick<EnvironmentPoolSettings, 'endpointUrl' | 'queuePaths' | 'warn'>,
) {
  const { region, accountId, debug } = options;
  // A debugger attaches to one process.
  const permits = debug === undefined ? (options.maxConcurrency ?? MAX_CONCURRENCY) : 1;
  const settings = {
    ...context,
    region,
    accountId,
    daemonAddress: options.daemonAddress,
    cacheDir: options.cacheDir,
    aws: options.aws ?? NO_AWS,
    environmentOverrides: options.environmentOverrides ?? {},
    interpreters: {
      nodePath: options.nodePath ?? process.execPath,
      pythonPath: options.pythonPath,
      runtimesDir: options.runtimesDir,
      hostVariables: options.hostVariables,
      packagesDir: options.packagesDir,
      debug,
    },
    semaphore: newSemaphore(permits),
    idleLimit: newIdleLimit(permits * IDLE_PER_PERMIT),
    idleMs: options.idleMs ?? IDLE_MS,
    hotReload: options.hotReload ?? false,
    freeze: options.freeze ?? false,
    onLogEvent: options.onLogEvent ?? (() => {}),
    onHint(sentence: string) {
      const hint = withStartedCommand(sentence, options.hostVariables);
      if (options.onHint === undefined) context.warn(`Hint: ${hint}`);
      else options.onHint(hint);
    },
  };
  return (template: Template) => {
    const builtFile = samBuildTemplate(template.file);
    const built = builtFile === undefined ? undefined : readTemplate(builtFile, { parameters: {}, region, accountId });
    return (spec: FunctionSpec) => {
      const samBuild = built?.functions.find(({ logicalId }) => logicalId === spec.logicalId);
      const isDebugged = debugOf(spec.logicalId, { debug }) !== undefined;
      const layerDirs = builtLayers(spec.layerDirs, samBuild?.layerDirs);
      return new EnvironmentPool(
        { ...spec, layerDirs, ...(isDebugged && { timeoutMs: DEBUG_TIMEOUT_MS }) },
        {
          ...settings,
          samBuild,
          initTimeoutMs: isDebugged ? DEBUG_TIMEOUT_MS : (options.initTimeoutMs ?? 10_000),
        },
      );
    };
  };
}

/** 0 when the file does not exist. */
function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
