import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { nowUs } from '../tracing/clock.ts';
import {
  type ExtensionProcesses,
  type ExternalExtension,
  extensionEnvironmentVariables,
  startExtensions,
} from './extension-processes.ts';
import { ExtensionsApi, type ExtensionsApiOptions } from './extensions-api.ts';
import {
  entrypointFailure,
  exitFailure,
  type HandlerFailure,
  type PlatformFailure,
  timeoutFailure,
} from './failures.ts';
import { type LineSplitter, newLineSplitter } from './line-splitter.ts';
import { startReaped } from './orphan-reaper.ts';
import { freezeTree, killGroup, killTree, peakKb, residentKb, treePeakKb } from './process-tree.ts';
import { type Completion, type Invocation, RuntimeApi, type RuntimeLimits } from './runtime-api.ts';

export type SandboxOptions = {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** The task root. */
  readonly cwd: string;
  /** Everything but `AWS_LAMBDA_RUNTIME_API`, which the sandbox adds. */
  readonly env: Readonly<Record<string, string>>;
  /** Gets each line that the process prints on stdout and stderr, in the order of printing. */
  readonly onLine: (line: string) => void;
  readonly extensions: SandboxExtensions;
  readonly limits?: RuntimeLimits;
};

/** Options of the Extensions API, and the external extensions to start. */
export type SandboxExtensions = Pick<
  ExtensionsApiOptions,
  'functionName' | 'handler' | 'accountId' | 'telemetry' | 'onStateChange'
> & {
  readonly external: readonly ExternalExtension[];
  readonly onLine: (line: string) => void;
};

export type ShutdownReason = 'spindown' | 'timeout' | 'failure';

/** How the Init phase ended. Epoch microseconds; `startUs` is when the sandbox was started. */
export type InitPhaseOutcome = { readonly startUs: number; readonly endUs: number } & (
  | { readonly kind: 'ready' }
  /** The runtime reported the failure. */
  | { readonly kind: 'failed'; readonly failure: HandlerFailure }
  | { readonly kind: 'exited'; readonly failure: PlatformFailure }
  | { readonly kind: 'timedOut' }
);

/** How an invocation ended, in epoch microseconds. Only after `ready` may the sandbox be used again. */
export type InvokePhaseOutcome = {
  /** When the event was written to the runtime. */
  readonly startUs: number;
  readonly endUs: number;
  /** When the runtime asked for its next event; extensions may have been busy longer. */
  readonly runtimeReadyUs: number | undefined;
  readonly completion: Completion | undefined;
  readonly end:
    | { readonly kind: 'ready' }
    | { readonly kind: 'exited'; readonly failure: PlatformFailure }
    | { readonly kind: 'timedOut'; readonly failure: PlatformFailure };
};

type SandboxSignal =
  | { readonly kind: 'initDone'; readonly atUs: number }
  | { readonly kind: 'initError'; readonly atUs: number; readonly failure: HandlerFailure }
  | { readonly kind: 'ready'; readonly atUs: number }
  | { readonly kind: 'exited'; readonly atUs: number; readonly failure: PlatformFailure };

const MEMORY_POLL_MS = 250;
const EXTERNAL_SHUTDOWN_MS = 2000;
const INTERNAL_SHUTDOWN_MS = 500;

/**
 * One execution environment: a process tree that serves one invocation at a time, with a Runtime API of its own.
 * A failure of its processes is an outcome, never an exception. No process is left after `stop()`.
 */
export class Sandbox {
  readonly #options: SandboxOptions;
  readonly #api: RuntimeApi;
  readonly #extensions: ExtensionsApi;
  readonly #externals: ExtensionProcesses | undefined;
  readonly #lines: LineSplitter;
  readonly #startUs: number;
  #process: ChildProcess | undefined;
  #exit: Extract<SandboxSignal, { kind: 'exited' }> | undefined;
  #pendingSignal: SandboxSignal | undefined;
  #waiter: ((signal: SandboxSignal) => void) | undefined;
  #startedUs = 0;
  #runtimeReadyUs: number | undefined;
  #completion: Completion | undefined;
  #peakKb = 0;
  #treeSampledMs = Number.NEGATIVE_INFINITY;
  #isStopping = false;

  /** Starts the processes. `waitForInit` returns how the Init phase ended. */
  static async start(options: SandboxOptions): Promise<Sandbox> {
    return new Sandbox(options, await RuntimeApi.open(options.limits));
  }

  private constructor(options: SandboxOptions, api: RuntimeApi) {
    const { external, onLine: onExtensionLine, ...extensions } = options.extensions;
    this.#options = options;
    this.#api = api;
    this.#lines = newLineSplitter(options.onLine);
    this.#extensions = new ExtensionsApi({
      ...extensions,
      externalNames: external.map(({ name }) => name),
      onFailure: (failure) => this.#fail(failure),
    });
    api.listen(
      {
        initDone: (atUs) =>
          this.#whenExtensionsReady(atUs, (endUs) => {
            this.#extensions.endInit();
            this.#signal({ kind: 'initDone', atUs: endUs });
          }),
        initError: (failure) => this.#signal({ kind: 'initError', atUs: nowUs(), failure }),
        started: (atUs) => {
          this.#startedUs = atUs;
        },
        completed: (completion) => {
          this.#completion = completion;
        },
        ready: (atUs) => {
          this.#runtimeReadyUs = atUs;
          this.#whenExtensionsReady(atUs, (endUs) => this.#signal({ kind: 'ready', atUs: endUs }));
        },
      },
      this.#extensions,
    );
    this.#startUs = nowUs();
    if (external.length === 0) {
      this.#startRuntime();
      return;
    }
    this.#externals = startExtensions(external, {
      cwd: options.cwd,
      env: { ...extensionEnvironmentVariables(options.env), AWS_LAMBDA_RUNTIME_API: api.address },
      onLine: onExtensionLine,
      onExit: (failure) => this.#fail(failure),
    });
    // As in Lambda, the runtime starts when every external extension has registered.
    void this.#extensions.waitUntil(() => this.#extensions.hasAllExternal).then(() => this.#startRuntime());
  }

  #startRuntime(): void {
    if (this.#isStopping || !this.isAlive) return;
    const { command, cwd, env } = this.#options;
    const child = startReaped(command, { cwd, env: { ...env, AWS_LAMBDA_RUNTIME_API: this.#api.address } });
    this.#process = child;
    child.stdout?.on('data', (chunk: Buffer) => this.#lines.write(chunk));
    child.stdout?.on('error', () => {});
    child.once('exit', (code, signal) => this.#exited(exitFailure({ code, signal })));
    child.once('error', (error) => this.#exited(entrypointFailure(error.message)));
  }

  #whenExtensionsReady(atUs: number, then: (endUs: number) => void): void {
    if (this.#extensions.isReady) then(atUs);
    else void this.#extensions.waitUntil(() => this.#extensions.isReady).then(() => then(nowUs()));
  }

  get isAlive(): boolean {
    return this.#exit === undefined;
  }

  /** Peak memory of the whole process tree so far, rounded up to MB. Never falls. */
  get peakMemoryMb(): number {
    return Math.ceil(this.#peakKb / 1024);
  }

  /** Waits until the runtime asks for its first event, at most `timeoutMs`. Call it once. */
  async waitForInit(timeoutMs: number): Promise<InitPhaseOutcome> {
    const signal = await this.#wait(timeoutMs);
    await this.#drainOutput();
    const times = { startUs: this.#startUs, endUs: signal?.atUs ?? nowUs() };
    switch (signal?.kind) {
      case undefined:
        return { ...times, kind: 'timedOut' };
      case 'initError':
        return { ...times, kind: 'failed', failure: signal.failure };
      case 'exited':
        return { ...times, kind: 'exited', failure: signal.failure };
      case 'initDone':
      case 'ready':
        return { ...times, kind: 'ready' };
    }
  }

  /**
   * Runs one event and waits until the runtime asks for the next. When that takes longer than `timeoutMs`, or the
   * process ends, the sandbox cannot be used again. The message about a timeout names `functionTimeoutMs`.
   */
  async invoke(invocation: Invocation, timeoutMs: number, functionTimeoutMs: number): Promise<InvokePhaseOutcome> {
    const offeredUs = nowUs();
    this.#completion = undefined;
    this.#runtimeReadyUs = undefined;
    this.#startedUs = offeredUs;
    const { requestId, deadlineMs, functionArn: invokedFunctionArn, traceHeader } = invocation;
    const tracing = { type: 'X-Amzn-Trace-Id', value: traceHeader };
    this.#extensions.offer({ eventType: 'INVOKE', deadlineMs, requestId, invokedFunctionArn, tracing });
    this.#api.offer(invocation);
    const poll = setInterval(() => void this.#sampleTree(), MEMORY_POLL_MS);
    const signal = await this.#wait(timeoutMs);
    clearInterval(poll);
    const endUs = signal?.atUs ?? nowUs();
    await this.#sampleMemory();
    if (signal === undefined) this.#killRuntime();
    await this.#drainOutput();
    const outcome = {
      startUs: this.#startedUs,
      endUs,
      runtimeReadyUs: this.#runtimeReadyUs,
      completion: this.#completion,
    };
    if (signal === undefined) {
      return { ...outcome, end: { kind: 'timedOut', failure: timeoutFailure(functionTimeoutMs) } };
    }
    if (signal.kind === 'exited') return { ...outcome, end: { kind: 'exited', failure: signal.failure } };
    return { ...outcome, end: { kind: 'ready' } };
  }

  /**
   * Ends all processes and frees the port. Without extensions the whole tree is killed at once, as in Lambda. With
   * extensions the runtime gets SIGTERM and the extensions get SHUTDOWN; they have 2 s, or 500 ms if all are internal.
   */
  async stop(reason: ShutdownReason = 'spindown'): Promise<void> {
    this.freeze(false);
    if (this.#extensions.hasAny && !this.#isStopping) {
      this.#isStopping = true;
      const limitMs = this.#extensions.hasExternal ? EXTERNAL_SHUTDOWN_MS : INTERNAL_SHUTDOWN_MS;
      const timedOut = new Promise<void>((resolve) => setTimeout(resolve, limitMs).unref());
      if (this.#exit === undefined) this.#process?.kill('SIGTERM');
      await Promise.race([this.#options.extensions.telemetry.flush(), timedOut]);
      this.#extensions.offer({ eventType: 'SHUTDOWN', shutdownReason: reason, deadlineMs: Date.now() + limitMs });
      await Promise.race([this.#externals?.ended ?? this.#runtimeEnded(), timedOut]);
    }
    this.kill();
    this.#process?.stdout?.destroy();
    await this.#api.close();
  }

  /**
   * Pauses all processes until `freeze(false)`, as Lambda does between invocations: timers and connections pause too.
   */
  freeze(isFrozen = true): void {
    if (!this.isAlive || this.#isStopping) return;
    for (const { pid } of [this.#process, ...(this.#externals?.processes ?? [])].filter(
      (child) => child !== undefined,
    )) {
      if (pid !== undefined) freezeTree(pid, isFrozen);
    }
  }

  /** Kills all processes without waiting, for use while the host process exits. */
  kill(): void {
    this.#isStopping = true;
    this.#externals?.kill();
    this.#killRuntime();
  }

  #killRuntime(): void {
    // The id of an ended process may already belong to another one.
    if (this.#process?.exitCode === null && this.#process.signalCode === null && this.#process.pid !== undefined) {
      killTree(this.#process.pid);
    }
  }

  async #runtimeEnded(): Promise<void> {
    if (this.#process?.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
  }

  #exited(failure: PlatformFailure): void {
    // Ends the processes that the runtime started and left behind.
    if (this.#process?.pid !== undefined) killGroup(this.#process.pid);
    this.#end(failure);
  }

  /** An extension failed or ended: as in Lambda, the environment ends with it. */
  #fail(failure: PlatformFailure): void {
    if (this.#isStopping) return;
    this.#end(failure);
    this.#killRuntime();
  }

  #end(failure: PlatformFailure): void {
    if (this.#exit !== undefined) return;
    this.#exit = { kind: 'exited', atUs: nowUs(), failure };
    this.#signal(this.#exit);
  }

  #signal(signal: SandboxSignal): void {
    if (this.#waiter) this.#waiter(signal);
    else this.#pendingSignal = signal;
  }

  /** The next signal, or undefined after `timeoutMs`. */
  #wait(timeoutMs: number): Promise<SandboxSignal | undefined> {
    const early = this.#exit ?? this.#pendingSignal;
    this.#pendingSignal = undefined;
    if (early !== undefined) return Promise.resolve(early);
    return new Promise((resolve) => {
      const finish = (signal: SandboxSignal | undefined) => {
        clearTimeout(timer);
        this.#waiter = undefined;
        resolve(signal);
      };
      const timer = setTimeout(finish, Math.ceil(timeoutMs), undefined);
      this.#waiter = finish;
    });
  }

  /**
   * Reads the output that the process printed before its last call. The output is in the pipe by then, since the
   * process writes both in order; one full round of the event loop reads the pipe empty.
   */
  async #drainOutput(): Promise<void> {
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    this.#lines.flush();
  }

  /** Reading the whole tree costs 0.1 to 0.2 ms, so that a short invocation reads only the root process. */
  async #sampleMemory(): Promise<void> {
    const pid = this.#process?.pid;
    if (pid === undefined) return;
    const nowMs = performance.now();
    if (nowMs - this.#treeSampledMs >= MEMORY_POLL_MS) await this.#sampleTree();
    else this.#peakKb = Math.max(this.#peakKb, peakKb(pid) ?? 0);
  }

  async #sampleTree(): Promise<void> {
    const pid = this.#process?.pid;
    if (pid === undefined) return;
    this.#treeSampledMs = performance.now();
    const kb = process.platform === 'linux' ? treePeakKb(pid) : await residentKb(pid);
    this.#peakKb = Math.max(this.#peakKb, kb ?? 0);
  }
}
