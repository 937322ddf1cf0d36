import { randomBytes } from 'node:crypto';
import { OpenrayError } from '../../errors.ts';
import { type PreparedCode, prepareCode, type SamBuild } from '../build/build.ts';
import { missingPackageHint } from '../build/missing-package.ts';
import { fingerprint } from '../build/source-files.ts';
import type { AwsAccess } from '../runtime/aws-access.ts';
import {
  type EnvironmentVariableOverrides,
  functionEnvironmentVariables,
  logStreamName,
  startVariables,
} from '../runtime/environment-variables.ts';
import type { Interpreters } from '../runtime/interpreters.ts';
import { runtimeCommand, runtimeVersion } from '../runtime/runtime-command.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import { nowUs } from '../tracing/clock.ts';
import { awsHint, usesAwsSdk } from './aws-hint.ts';
import { type Attempt, type AttemptResult, ExecutionEnvironment } from './execution-environment.ts';
import type { FunctionLogEvent } from './function-log-event.ts';
import type { IdleLimit } from './idle-limit.ts';
import type { Semaphore } from './semaphore.ts';

export type EnvironmentPoolSettings = {
  readonly region: string;
  readonly accountId: string;
  readonly daemonAddress: string;
  readonly cacheDir: string;
  readonly samBuild: SamBuild | undefined;
  readonly aws: AwsAccess;
  readonly environmentOverrides: EnvironmentVariableOverrides;
  readonly initTimeoutMs: number;
  readonly interpreters: Interpreters;
  readonly semaphore: Semaphore;
  readonly idleLimit: IdleLimit;
  /** An environment that is idle this long is stopped. */
  readonly idleMs: number;
  /** Address of the local services: queues, topics, rules, other functions. */
  readonly endpointUrl: () => Promise<string>;
  /** By the URL that a queue has on AWS. */
  readonly queuePaths: () => ReadonlyMap<string, string>;
  /** Whether the next invocation runs changed code. */
  readonly hotReload: boolean;
  readonly freeze: boolean;
  readonly onLogEvent: (event: FunctionLogEvent) => void;
  readonly warn: (sentence: string) => void;
  /** Called with the hint for a failed invocation, when openray knows one. */
  readonly onHint: (sentence: string) => void;
};

/** The end of a log and of a payload that is searched for known failures. */
const HINT_SEARCH_CHARS = 64 * 1024;

/** Shortest time between two checks of the source files. */
const CHANGE_CHECK_INTERVAL_MS = 100;

/** Prepared code of one invocation. A retired pool stays open until each of its runs is released. */
export type PreparedRun = {
  /** Runs one attempt in a warm environment or a new one. Throws ThrottledException over the reserved concurrency. */
  readonly run: (attempt: Attempt) => Promise<AttemptResult>;
  /** Call after the last call of `run`; runs in progress keep the pool open themselves. */
  readonly release: () => void;
};

type IdleEnvironment = {
  readonly environment: ExecutionEnvironment;
  /** Cancels the timer that would stop it. */
  readonly wake: () => void;
};

/**
 * The environments of one function: one for each concurrent attempt. The most recently used one is used first, so that
 * the extra environments of a burst reach their idle time and are stopped. No attempt waits for a stop.
 */
export class EnvironmentPool {
  readonly spec: FunctionSpec;
  readonly #settings: EnvironmentPoolSettings;
  readonly #busy = new Set<ExecutionEnvironment>();
  /** All run the code of `#current`. */
  #idle: IdleEnvironment[] = [];
  readonly #stopping = new Map<ExecutionEnvironment, Promise<void>>();
  #running = 0;
  #holds = 0;
  readonly #releaseWaiters: (() => void)[] = [];
  /** The newest code; pending during its build. */
  #code: Promise<PreparedCode> | undefined;
  /** Result of `#code` after its build. */
  #current: PreparedCode | undefined;
  #sources: readonly string[];
  /** Fingerprint of the sources of `#current`, and the time of the last check. */
  #lastFingerprint: { readonly print: string; atMs: number } | undefined;
  #isClosed = false;

  constructor(spec: FunctionSpec, settings: EnvironmentPoolSettings) {
    this.spec = spec;
    this.#settings = settings;
    this.#sources = [spec.codeDir];
  }

  /** Builds the code if it is not built or has changed. Throws SettingInvalid when it cannot be built. */
  async prepare(): Promise<PreparedRun> {
    const release = this.#hold();
    try {
      const code = await this.#prepareCode();
      return { run: (attempt) => this.#run(attempt, code), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Of the files as they are; another value than before means that a source has changed. */
  fingerprint(): string {
    return fingerprint(this.#sources);
  }

  async #prepareCode(): Promise<PreparedCode> {
    const { cacheDir, samBuild, warn, hotReload, interpreters } = this.#settings;
    if (hotReload) await this.#checkForChanges();
    this.#code ??= prepareCode(this.spec, { cacheDir, samBuild, hostVariables: interpreters.hostVariables });
    const building = this.#code;
    let code: PreparedCode;
    try {
      code = await building;
    } catch (error) {
      // The next invocation builds again: the user may repair the sources.
      if (this.#code === building) this.#code = undefined;
      throw error;
    }
    code.warnings.forEach(warn);
    if (this.#code === building) {
      this.#current = code;
      this.#sources = code.sources;
      if (hotReload) this.#lastFingerprint ??= { print: fingerprint(code.sources), atMs: performance.now() };
    }
    return code;
  }

  async #checkForChanges(): Promise<void> {
    if (this.#code === undefined || this.#lastFingerprint === undefined) return;
    const nowMs = performance.now();
    if (nowMs - this.#lastFingerprint.atMs < CHANGE_CHECK_INTERVAL_MS) return;
    this.#lastFingerprint.atMs = nowMs;
    const { sources } = await this.#code;
    if (this.#lastFingerprint !== undefined && fingerprint(sources) !== this.#lastFingerprint.print) this.#invalidate();
  }

  /** The next invocation builds again and starts a new environment. A busy environment stops after its attempt. */
  #invalidate(): void {
    this.#code = undefined;
    this.#current = undefined;
    this.#lastFingerprint = undefined;
    for (const { environment, wake } of this.#idle.splice(0)) {
      wake();
      this.#stop(environment);
    }
  }

  /** Closes after the last prepared or running invocation. */
  async retire(): Promise<void> {
    this.#invalidate();
    if (this.#holds > 0) await new Promise<void>((resolve) => this.#releaseWaiters.push(resolve));
    await this.close();
  }

  /** Keeps the pool open until the returned function is called; later calls have no effect. */
  #hold(): () => void {
    this.#holds++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds--;
      if (this.#holds === 0) for (const resolve of this.#releaseWaiters.splice(0)) resolve();
    };
  }

  async #run(attempt: Attempt, code: PreparedCode): Promise<AttemptResult> {
    if (this.spec.reservedConcurrency !== undefined && this.#running >= this.spec.reservedConcurrency) {
      throw new OpenrayError('ThrottledException', 'Rate Exceeded.', { retryAfterSeconds: 1 });
    }
    const release = this.#hold();
    this.#running++;
    try {
      const releasePermit = await this.#settings.semaphore.acquire();
      try {
        // No await between #acquireIdle and #runIn: `close` would not find the environment in any list.
        const environment = this.#acquireIdle(code) ?? this.#create(code, await this.#beforeCreate());
        return await this.#runIn(environment, attempt, code);
      } finally {
        releasePermit();
      }
    } finally {
      this.#running--;
      release();
    }
  }

  /** Ends all processes without waiting, for the exit of the host process. */
  kill(): void {
    this.#isClosed = true;
    for (const environment of this.#all()) environment.kill();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { wake } of this.#idle) wake();
    for (const environment of this.#all()) this.#stop(environment);
    this.#idle = [];
    await Promise.all(this.#stopping.values());
  }

  #all(): readonly ExecutionEnvironment[] {
    return [...this.#busy, ...this.#idle.map(({ environment }) => environment), ...this.#stopping.keys()];
  }

  /** Stops the environment in the background, which takes up to 2 s with extensions. `close` waits for the end. */
  #stop(environment: ExecutionEnvironment): void {
    if (this.#stopping.has(environment)) return;
    const stopped = environment.stop().finally(() => this.#stopping.delete(environment));
    this.#stopping.set(environment, stopped);
  }

  async #runIn(environment: ExecutionEnvironment, attempt: Attempt, code: PreparedCode): Promise<AttemptResult> {
    if (this.#isClosed) throw new OpenrayError('ServiceUnavailable', 'the local Lambda service is closed');
    this.#busy.add(environment);
    try {
      const result = await environment.run(attempt);
      this.#hint(result, code.codeDir);
      return result;
    } finally {
      this.#busy.delete(environment);
      const isCurrent = code === this.#current;
      if (environment.isUsable && isCurrent && !this.#isClosed) this.#keepWarm(environment);
      else this.#stop(environment);
    }
  }

  #hint({ log, payload }: AttemptResult, codeDir: string): void {
    const { aws, onHint, interpreters } = this.#settings;
    const output = `${log.slice(-HINT_SEARCH_CHARS)}\n${payload.subarray(-HINT_SEARCH_CHARS).toString()}`;
    const { packagesDir, hostVariables } = interpreters;
    const context = { packagesDir, hasVirtualEnv: Boolean(hostVariables.VIRTUAL_ENV) };
    const hint =
      missingPackageHint(this.spec, output, context) ??
      awsHint(this.spec.logicalId, aws, output, () => usesAwsSdk(codeDir));
    if (hint !== undefined) onHint(hint);
  }

  #keepWarm(environment: ExecutionEnvironment): void {
    const { idleMs, idleLimit } = this.#settings;
    const end = () => {
      wake();
      this.#idle = this.#idle.filter((idle) => idle.environment !== environment);
      this.#stop(environment);
    };
    const timer = setTimeout(end, idleMs);
    timer.unref();
    const leaveLimit = idleLimit.add(end);
    const wake = () => {
      clearTimeout(timer);
      leaveLimit();
    };
    this.#idle.push({ environment, wake });
  }

  #acquireIdle(code: PreparedCode): ExecutionEnvironment | undefined {
    if (code !== this.#current) return undefined;
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      idle.wake();
      if (idle.environment.isUsable) return idle.environment;
      // Its process died while it was idle; its port is still open.
      this.#stop(idle.environment);
    }
    return undefined;
  }

  /** Returns the URL of the local services. */
  async #beforeCreate(): Promise<string> {
    const { interpreters, endpointUrl } = this.#settings;
    // Two processes cannot listen on the debugger's port.
    if (interpreters.debug !== undefined) await Promise.all(this.#stopping.values());
    return endpointUrl();
  }

  #create(code: PreparedCode, endpointUrl: string): ExecutionEnvironment {
    const { spec } = this;
    const { region, accountId, interpreters, warn, ...settings } = this.#settings;
    const variablesAtStart = startVariables(spec, settings.environmentOverrides, code.codeDir);
    const command = runtimeCommand(spec, code, interpreters, variablesAtStart);
    if (command.ok && command.warning !== undefined) warn(command.warning);
    const logStream = logStreamName(nowUs(), randomBytes(16).toString('hex'));
    const variables = functionEnvironmentVariables({
      ...settings,
      spec,
      codeDir: code.codeDir,
      handler: code.handler,
      sourceMaps: code.sourceMaps,
      region,
      logStream,
      runtimeDir: command.ok ? command.runtimeDir : interpreters.runtimesDir,
      hostVariables: interpreters.hostVariables,
      endpointUrl,
      queuePaths: settings.queuePaths(),
      packagesDir: interpreters.packagesDir,
    });
    return new ExecutionEnvironment({
      spec,
      functionArn: functionArn(spec.name, region, accountId),
      accountId,
      runtimeCommand: command,
      codeDir: code.codeDir,
      environmentVariables: variables,
      logStream,
      initTimeoutMs: settings.initTimeoutMs,
      freezesWhenIdle: settings.freeze,
      runtimeVersion: runtimeVersion(spec.runtime, command.ok ? command.command : [], region),
      onLogEvent: settings.onLogEvent,
    });
  }
}
