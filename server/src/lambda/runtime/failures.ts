import type { JsonObject } from '../../model/json.ts';

/** Why an invocation failed, in the platform's terms. `errorType` is one of the `Runtime.…`, `Function.…`, `Sandbox.…`. */
export type PlatformFailure = {
  readonly kind: 'timeout' | 'exit' | 'entrypoint' | 'tooLarge' | 'extension';
  readonly errorType: string;
  /** Without the `RequestId: … Error: ` in front. */
  readonly message: string;
};

/** What a runtime reported of its handler or of its initialisation. `body` goes to the caller as it is. */
export type HandlerFailure = {
  readonly body: Buffer;
  /** Sanitised category; feeds log lines, not the payload. */
  readonly errorType: string | undefined;
  /** What belongs into the segment's `cause`, when the runtime sent one. */
  readonly cause: JsonObject | undefined;
};

/** How a process ended, as Node tells it. */
export type ProcessExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export function timeoutFailure(timeoutMs: number): PlatformFailure {
  const message = `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`;
  return { kind: 'timeout', errorType: 'Sandbox.Timedout', message };
}

export function exitFailure({ code, signal }: ProcessExit): PlatformFailure {
  const reason =
    signal !== null
      ? `Runtime exited with error: signal: ${signalText(signal)}`
      : code === 0
        ? 'Runtime exited without providing a reason'
        : `Runtime exited with error: exit status ${code}`;
  return { kind: 'exit', errorType: 'Runtime.ExitError', message: reason };
}

export function entrypointFailure(message: string): PlatformFailure {
  return { kind: 'entrypoint', errorType: 'Runtime.InvalidEntrypoint', message };
}

export function tooLargeFailure(bytes: number, maxBytes: number): PlatformFailure {
  const message = `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${maxBytes} bytes).`;
  return { kind: 'tooLarge', errorType: 'Function.ResponseSizeTooLarge', message };
}

/** The sentence a caller sees; a payload that is too large is told without the request id, as AWS does. */
export function failureMessage(failure: PlatformFailure, requestId: string): string {
  return failure.kind === 'tooLarge' ? failure.message : `RequestId: ${requestId} Error: ${failure.message}`;
}

/** The Invoke payload of a failure that the platform itself reports. */
export function failurePayload(failure: PlatformFailure, requestId: string): Buffer {
  return Buffer.from(
    JSON.stringify({ errorType: failure.errorType, errorMessage: failureMessage(failure, requestId) }),
  );
}

// Go's names for signals, which Lambda prints.
const SIGNAL_TEXT: Partial<Record<NodeJS.Signals, string>> = {
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGHUP: 'hangup',
  SIGILL: 'illegal instruction',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGPIPE: 'broken pipe',
  SIGQUIT: 'quit',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
  SIGTRAP: 'trace/breakpoint trap',
};

function signalText(signal: NodeJS.Signals): string {
  return SIGNAL_TEXT[signal] ?? signal.slice(3).toLowerCase();
}
