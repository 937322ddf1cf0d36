import { randomBytes } from 'node:crypto';
import { OpenrayError } from '../errors.ts';
import { type PreparedCode, prepareCode, type SamBuild } from './build.ts';
import { nowUs } from './clock.ts';
import {
  type Credentials,
  type EnvironmentOverrides,
  functionEnvironment,
  localPath,
  logStreamName,
} from './environment.ts';
import { ExecutionEnvironment, type FunctionLine, type Job, type JobResult } from './execution-environment.ts';
import { type FunctionSpec, functionArn } from './function-spec.ts';
import { type Interpreters, runtimeCommand, runtimeVersion } from './runtime-command.ts';
import type { Slots } from './slots.ts';

export type PoolSettings = {
  readonly region: string;
  readonly accountId: string;
  readonly daemonAddress: string;
  readonly cacheDir: string;
  readonly samBuild: SamBuild | undefined;
  readonly credentials: Credentials;
  readonly overrides: EnvironmentOverrides;
  readonly initTimeoutMs: number;
  readonly interpreters: Interpreters;
  readonly slots: Slots;
  readonly onLine: (line: FunctionLine) => void;
  readonly note: (sentence: string) => void;
};

/** Environments that are kept warm for one function, and for how long. */
const IDLE_MAX = 10;
const IDLE_MS = 10 * 60 * 1000;

type Idle = { readonly environment: ExecutionEnvironment; readonly timer: NodeJS.Timeout };

/** The environments of one function: as many as jobs at once, the last used first. */
export class FunctionPool {
  readonly spec: FunctionSpec;
  readonly #settings: PoolSettings;
  readonly #busy = new Set<ExecutionEnvironment>();
  #idle: Idle[] = [];
  #running = 0;
  #code: Promise<PreparedCode> | undefined;
  #isClosed = false;

  constructor(spec: FunctionSpec, settings: PoolSettings) {
    this.spec = spec;
    this.#settings = settings;
  }

  /** Builds the code if that is still to be done. Throws SettingInvalid when it can't be. */
  async prepare(): Promise<PreparedCode> {
    const { cacheDir, samBuild, note } = this.#settings;
    this.#code ??= prepareCode(this.spec, { cacheDir, samBuild }).catch((error: unknown) => {
      // The next invocation may find it repaired.
      this.#code = undefined;
      throw error;
    });
    const code = await this.#code;
    code.notes.forEach(note);
    return code;
  }

  /** Runs a job in a warm environment or a new one. Throws ThrottledException over the reserved concurrency. */
  async run(job: Job): Promise<JobResult> {
    if (this.spec.reservedConcurrency !== undefined && this.#running >= this.spec.reservedConcurrency) {
      throw new OpenrayError('ThrottledException', 'Rate Exceeded.', { retryAfterSeconds: 1 });
    }
    this.#running++;
    try {
      const code = await this.prepare();
      const giveBack = await this.#settings.slots.take();
      try {
        return await this.#runIn(this.#takeIdle() ?? this.#create(code), job);
      } finally {
        giveBack();
      }
    } finally {
      this.#running--;
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

  async #runIn(environment: ExecutionEnvironment, job: Job): Promise<JobResult> {
    if (this.#isClosed) throw new OpenrayError('ServiceUnavailable', 'the local functions are closed');
    this.#busy.add(environment);
    try {
      return await environment.run(job);
    } finally {
      this.#busy.delete(environment);
      if (environment.isUsable && !this.#isClosed && this.#idle.length < IDLE_MAX) this.#keep(environment);
      else await environment.stop();
    }
  }

  #keep(environment: ExecutionEnvironment): void {
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

  #create(code: PreparedCode): ExecutionEnvironment {
    const { spec } = this;
    const { region, accountId, interpreters, note, ...settings } = this.#settings;
    const wrapper = spec.environment.AWS_LAMBDA_EXEC_WRAPPER;
    const found = runtimeCommand(
      spec,
      code.codeDir,
      interpreters,
      wrapper && localPath(wrapper, code.codeDir, spec.layerDirs),
    );
    if (found.ok && found.note !== undefined) note(found.note);
    const logStream = logStreamName(nowUs(), randomBytes(16).toString('hex'));
    const variables = functionEnvironment({
      ...settings,
      spec,
      codeDir: code.codeDir,
      handler: code.handler,
      sourceMaps: code.sourceMaps,
      region,
      logStream,
      runtimeDir: found.ok ? found.runtimeDir : interpreters.runtimesDir,
      host: interpreters.host,
    });
    return new ExecutionEnvironment({
      spec,
      functionArn: functionArn(spec.name, region, accountId),
      start: found,
      codeDir: code.codeDir,
      variables,
      logStream,
      initTimeoutMs: settings.initTimeoutMs,
      runtimeVersion: runtimeVersion(spec.runtime, found.ok ? found.command : [], region),
      onLine: settings.onLine,
    });
  }
}
