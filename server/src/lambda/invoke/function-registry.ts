import { statSync } from 'node:fs';
import { OpenrayError, toFailure } from '../../errors.ts';
import { samBuildTemplate } from '../build/build.ts';
import { LOCAL_CREDENTIALS } from '../runtime/environment-variables.ts';
import { debugOf } from '../runtime/runtime-command.ts';
import type { LocalServices } from '../services/open-services.ts';
import { parseFunctionReference } from '../spec/function-reference.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import type { GatewayRoute } from '../spec/routes.ts';
import type { ScheduleSpec } from '../template/schedules.ts';
import { readTemplate, type Template } from '../template/template.ts';
import { openSampler } from '../tracing/sampling-decision.ts';
import { EnvironmentPool } from './environment-pool.ts';
import type { LambdaServiceOptions } from './lambda-service.ts';
import { newSemaphore } from './semaphore.ts';

/** SAM's limit for a function that waits for a debugger. */
const DEBUG_TIMEOUT_MS = 36_000_000;

export type FoundFunction = {
  readonly pool: EnvironmentPool;
  /** Whether an invocation that nobody decided about is traced. */
  readonly sample: () => boolean;
  /** What stood behind the name. */
  readonly qualifier: string | undefined;
};

/** The functions of a template as it is now: when its file changes, what changed in it is opened anew. */
export type FunctionRegistry = {
  /** By logical id, name, ARN or the name that it has in the CDK or Serverless Framework application. Throws ResourceNotFoundException. */
  readonly find: (nameOrArn: string) => FoundFunction;
  readonly list: () => readonly FunctionSpec[];
  readonly routes: () => readonly GatewayRoute[];
  readonly schedules: () => readonly ScheduleSpec[];
  /** Looks whether the template has changed. */
  readonly refresh: () => void;
  readonly fingerprint: (nameOrArn: string) => string;
  readonly kill: () => void;
  readonly close: () => Promise<void>;
};

type RegisteredFunction = { readonly pool: EnvironmentPool; readonly sample: () => boolean };

export function openFunctionRegistry(
  options: LambdaServiceOptions,
  services: LocalServices,
  note: (sentence: string) => void,
): FunctionRegistry {
  const { region, accountId, hotReload = false, reloadTemplate: reread } = options;
  const newPool = poolFactory(options, services, note);
  let template = options.template;
  let members = membersOf(template, new Map());
  let changedMs = modifiedMs(template.file);
  template.warnings.forEach(note);

  /** Functions that the new template has unchanged keep their environments. */
  function membersOf(
    from: Template,
    before: ReadonlyMap<string, RegisteredFunction>,
  ): ReadonlyMap<string, RegisteredFunction> {
    const create = newPool(from);
    return new Map(
      from.functions.map((spec) => {
        const old = before.get(spec.logicalId);
        if (old !== undefined && JSON.stringify(old.pool.spec) === JSON.stringify(spec)) return [spec.logicalId, old];
        return [spec.logicalId, { pool: create(spec), sample: openSampler(options.sampling ?? 'all') }];
      }),
    );
  }

  function refresh(): void {
    if (!hotReload || reread === undefined) return;
    const nowMs = modifiedMs(template.file);
    if (nowMs === changedMs) return;
    changedMs = nowMs;
    try {
      template = reread();
    } catch (error) {
      note(`The template has changed and can't be read; the one before stays in force. ${toFailure(error).message}`);
      return;
    }
    template.warnings.forEach(note);
    services.update(template.services);
    const before = members;
    members = membersOf(template, before);
    for (const [id, { pool }] of before) if (members.get(id)?.pool !== pool) void pool.retire();
  }

  function find(nameOrArn: string): FoundFunction {
    refresh();
    const { name, qualifier } = parseFunctionReference(nameOrArn);
    const all = [...members.values()];
    // The emulator in AWS's images serves its one function under this name.
    const only = name === 'function' && all.length === 1 ? all[0] : undefined;
    const called = all.filter(({ pool }) => pool.spec.frameworkName === name);
    const byTool = called.length === 1 ? called[0] : undefined;
    const member = all.find(({ pool }) => pool.spec.name === name) ?? members.get(name) ?? byTool ?? only;
    if (member === undefined) {
      const sentence = `Function not found: ${functionArn(name, region, accountId)}`;
      throw new OpenrayError('ResourceNotFoundException', sentence);
    }
    return { ...member, qualifier };
  }

  const pools = () => [...members.values()].map(({ pool }) => pool);
  return {
    find,
    refresh,
    fingerprint: (nameOrArn) => `${modifiedMs(template.file)}\n${find(nameOrArn).pool.fingerprint()}`,
    list() {
      refresh();
      return pools().map(({ spec }) => spec);
    },
    routes() {
      refresh();
      return template.routes;
    },
    schedules() {
      refresh();
      return template.services.schedules;
    },
    kill() {
      for (const pool of pools()) pool.kill();
    },
    async close() {
      await Promise.all(pools().map((pool) => pool.close()));
    },
  };
}

/** What all functions share; then, for a template, how each of its functions is opened. */
function poolFactory(options: LambdaServiceOptions, services: LocalServices, note: (sentence: string) => void) {
  const { region, accountId, debug } = options;
  const interpreters = {
    nodePath: options.nodePath ?? process.execPath,
    pythonPath: options.pythonPath,
    runtimesDir: options.runtimesDir,
    hostVariables: options.hostVariables,
    debug,
  };
  const settings = {
    region,
    accountId,
    daemonAddress: options.daemonAddress,
    cacheDir: options.cacheDir,
    credentials: options.credentials ?? LOCAL_CREDENTIALS,
    environmentOverrides: options.environmentOverrides ?? {},
    interpreters,
    services,
    // One debugger can look at one process.
    semaphore: newSemaphore(debug === undefined ? (options.maxConcurrency ?? 32) : 1),
    hotReload: options.hotReload ?? false,
    freeze: options.freeze ?? false,
    onLogEvent: options.onLogEvent ?? (() => {}),
    warn: note,
  };
  return (template: Template) => {
    const builtFile = samBuildTemplate(template.file);
    const built = builtFile === undefined ? undefined : readTemplate(builtFile, { parameters: {}, region, accountId });
    return (spec: FunctionSpec) => {
      const samBuild = built?.functions.find(({ logicalId }) => logicalId === spec.logicalId);
      const isDebugged = debugOf(spec.logicalId, { debug }) !== undefined;
      return new EnvironmentPool(isDebugged ? { ...spec, timeoutMs: DEBUG_TIMEOUT_MS } : spec, {
        ...settings,
        samBuild,
        initTimeoutMs: isDebugged ? DEBUG_TIMEOUT_MS : (options.initTimeoutMs ?? 10_000),
      });
    };
  };
}

/** 0 for a file that is not there. */
function modifiedMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
