import { randomBytes } from 'node:crypto';
import { OpenrayError } from '../../errors.ts';
import { type PreparedCode, prepareCode, type SamBuild } from '../build/build.ts';
import { fingerprint } from '../build/source-files.ts';
import {
  type Credentials,
  type EnvironmentVariableOverrides,
  functionEnvironmentVariables,
  localPath,
  logStreamName,
} from '../runtime/environment-variables.ts';
import { type Interpreters, runtimeCommand, runtimeVersion } from '../runtime/runtime-command.ts';
import type { LocalServices } from '../services/open-services.ts';
import { type FunctionSpec, functionArn } from '../spec/function-spec.ts';
import { nowUs } from '../tracing/clock.ts';
import {
  type Attempt,
  type AttemptResult,
  ExecutionEnvironment,
  type FunctionLogEvent,
} from './execution-environment.ts';
import type { Semaphore } from './semaphore.ts';

export type EnvironmentPoolSettings = {
  readonly region: string;
  readonly accountId: string;
  readonly daemonAddress: string;
  readonly cacheDir: string;
  readonly samBuild: SamBuild | undefined;
  readonly credentials: Credentials;
  readonly environmentOverrides: EnvironmentVariableOverrides;
  readonly initTimeoutMs: number;
  readonly interpreters: Interpreters;
  readonly semaphore: Semaphore;
  readonly services: Pick<LocalServices, 'endpointUrl' | 'queuePaths'>;
  /** Code that has changed is run by the next invocation. */
  readonly hotReload: boolean;
  readonly freeze: boolean;
  readonly onLogEvent: (line: FunctionLogEvent) => void;
  readonly warn: (sentence: string) => void;
};

/** Environments that are kept warm for one function, and for how long. */
const IDLE_MAX = 10;
const IDLE_MS = 10 * 60 * 1000;
/** Files are looked at no more often than this. */
const CHANGE_CHECK_INTERVAL_MS = 100;

type IdleEnvironment = { readonly environment: ExecutionEnvironment; readonly timer: NodeJS.Timeout };

/** The environments of one function: as many as jobs at once, the last used first. */
export class EnvironmentPool {
  readonly spec: FunctionSpec;
  readonly #settings: EnvironmentPoolSettings;
  readonly #busy = new Set<ExecutionEnvironment>();
  #idle: IdleEnvironment[] = [];
  #running = 0;
  #code: Promise<PreparedCode> | undefined;
  #sources: readonly string[];
  /** Of the sources when `#code` was made, and when they were looked at last. */
  #lastFingerprint: { readonly print: string; atMs: number } | undefined;
  readonly #outdated = new WeakSet<ExecutionEnvironment>();
  #isClosed = false;
  readonly #idleWaiters: (() => void)[] = [];

  constructor(spec: FunctionSpec, settings: EnvironmentPoolSettings) {
    this.spec = spec;
    this.#settings = settings;
    this.#sources = [spec.codeDir];
  }

  /** Builds the code if that is still to be done. Throws SettingInvalid when it can't be. */
  async prepare(): Promise<PreparedCode> {
    const { cacheDir, samBuild, warn: note, hotReload, interpreters } = this.#settings;
    if (hotReload) await this.#checkForChanges();
    this.#code ??= prepareCode(this.spec, { cacheDir, samBuild, hostVariables: interpreters.hostVariables }).catch(
      (error: unknown) => {
        // The next invocation may find it repaired.
        this.#code = undefined;
        throw error;
      },
    );
    const code = await this.#code;
    code.warnings.forEach(note);
    this.#sources = code.sources;
    if (hotReload) this.#lastFingerprint ??= { print: fingerprint(code.sources), atMs: performance.now() };
    return code;
  }

  /** Of the sources as they are now. */
  fingerprint(): string {
    return fingerprint(this.#sources);
  }

  async #checkForChanges(): Promise<void> {
    if (this.#code === undefined || this.#lastFingerprint === undefined) return;
    const nowMs = performance.now();
    if (nowMs - this.#lastFingerprint.atMs < CHANGE_CHECK_INTERVAL_MS) return;
    this.#lastFingerprint.atMs = nowMs;
    const { sources } = await this.#code;
    if (this.#lastFingerprint !== undefined && fingerprint(sources) !== this.#lastFingerprint.print) this.#invalidate();
  }

  /** The next invocation builds and starts anew; what runs is finished first. */
  #invalidate(): void {
    this.#code = undefined;
    this.#lastFingerprint = undefined;
    for (const environment of this.#busy) this.#outdated.add(environment);
    for (const { environment, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      void environment.stop();
    }
  }

  /** Lets what runs end, then closes. */
  async retire(): Promise<void> {
    this.#invalidate();
    await this.#untilIdle();
    await this.close();
  }

  async #untilIdle(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  /** Runs a job in a warm environment or a new one. Throws ThrottledException over the reserved concurrency. */
  async run(job: Attempt): Promise<AttemptResult> {
    if (this.spec.reservedConcurrency !== undefined && this.#running >= this.spec.reservedConcurrency) {
      throw new OpenrayError('ThrottledException', 'Rate Exceeded.', { retryAfterSeconds: 1 });
    }
    this.#running++;
    try {
      const code = await this.prepare();
      const giveBack = await this.#settings.semaphore.acquire();
      try {
        const environment = this.#takeIdle() ?? this.#create(code, await this.#settings.services.endpointUrl());
        return await this.#runIn(environment, job);
      } finally {
        giveBack();
      }
    } finally {
      this.#running--;
      if (this.#running === 0) for (const resolve of this.#idleWaiters.splice(0)) resolve();
    }
  }

  /** Without waiting, for the moment in which the host itself exits. */
  kill(): void {
    this.#isClosed = true;
    for (const environment of this.#all()) environment.kill();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#all().map((environment) => environment.stop()));
    for (const { timer } of this.#idle) clearTimeout(timer);
    this.#idle = [];
  }

  #all(): readonly ExecutionEnvironment[] {
    return [...this.#busy, ...this.#idle.map(({ environment }) => environment)];
  }

  async #runIn(environment: ExecutionEnvironment, job: Attempt): Promise<AttemptResult> {
    if (this.#isClosed) throw new OpenrayError('ServiceUnavailable', 'the local functions are closed');
    this.#busy.add(environment);
    try {
      return await environment.run(job);
    } finally {
      this.#busy.delete(environment);
      const isOutdated = this.#outdated.has(environment);
      if (environment.isUsable && !isOutdated && !this.#isClosed && this.#idle.length < IDLE_MAX)
        this.#keepWarm(environment);
      else await environment.stop();
    }
  }

  #keepWarm(environment: ExecutionEnvironment): void {
    const timer = setTimeout(() => {
      this.#idle = this.#idle.filter((idle) => idle.environment !== environment);
      void environment.stop();
    }, IDLE_MS);
    timer.unref();
    this.#idle.push({ environment, timer });
  }

  #takeIdle(): ExecutionEnvironment | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (idle.environment.isUsable) return idle.environment;
      // It died with nothing to do; its port is still open.
      void idle.environment.stop();
    }
    return undefined;
  }

  #create(code: PreparedCode, endpointUrl: string): ExecutionEnvironment {
    const { spec } = this;
    const { region, accountId, interpreters, warn: note, ...settings } = this.#settings;
    const wrapper = spec.environmentVariables.AWS_LAMBDA_EXEC_WRAPPER;
    const found = runtimeCommand(
      spec,
      code.codeDir,
      interpreters,
      wrapper && localPath(wrapper, code.codeDir, spec.layerDirs),
    );
    if (found.ok && found.warning !== undefined) note(found.warning);
    const logStream = logStreamName(nowUs(), randomBytes(16).toString('hex'));
    const variables = functionEnvironmentVariables({
      ...settings,
      spec,
      codeDir: code.codeDir,
      handler: code.handler,
      sourceMaps: code.sourceMaps,
      region,
      logStream,
      runtimeDir: found.ok ? found.runtimeDir : interpreters.runtimesDir,
      hostVariables: interpreters.hostVariables,
      endpointUrl,
      queuePaths: settings.services.queuePaths(),
    });
    return new ExecutionEnvironment({
      spec,
      functionArn: functionArn(spec.name, region, accountId),
      accountId,
      runtimeCommand: found,
      codeDir: code.codeDir,
      environmentVariables: variables,
      logStream,
      initTimeoutMs: settings.initTimeoutMs,
      freezesWhenIdle: settings.freeze,
      runtimeVersion: runtimeVersion(spec.runtime, found.ok ? found.command : [], region),
      onLogEvent: settings.onLogEvent,
    });
  }
}
