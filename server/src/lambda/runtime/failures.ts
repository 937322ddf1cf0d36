import type { JsonObject } from '../../model/json.ts';

/** A failure that the platform reports. `errorType` begins with `Runtime`, `Function`, `Sandbox` or `Extension`. */
export type PlatformFailure = {
  readonly kind: 'timeout' | 'exit' | 'entrypoint' | 'tooLarge' | 'extension';
  readonly errorType: string;
  /** Without the prefix `RequestId: … Error: `. */
  readonly message: string;
};

/** A failure that a runtime reported, of its handler or of its initialisation. `body` goes to the caller unchanged. */
export type HandlerFailure = {
  readonly body: Buffer;
  /** Sanitised category, for log lines; the payload is `body`. */
  readonly errorType: string | undefined;
  /** The `cause` of the segment; undefined when the report has no usable one. */
  readonly cause: JsonObject | undefined;
};

/** How a process ended: the arguments of Node's `exit` event. */
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

/** The error message for the caller. AWS leaves out the request id when the payload is too large. */
export function failureMessage(failure: PlatformFailure, requestId: string): string {
  return failure.kind === 'tooLarge' ? failure.message : `RequestId: ${requestId} Error: ${failure.message}`;
}

/** The payload of the Invoke API for a failure of the platform. */
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
