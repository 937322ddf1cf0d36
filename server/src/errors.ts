/**
 * Codes of all failures and their form at each edge: `http` is the status, `exit` the exit code of a command (of
 * sysexits.h where one fits), `grpc` the name of the status.
 */
type Failure = { readonly http: number; readonly exit: number; readonly grpc: string };

export const FAILURES = {
  InvalidRequestException: { http: 400, exit: 2, grpc: 'INVALID_ARGUMENT' },
  SerializationException: { http: 400, exit: 65, grpc: 'INVALID_ARGUMENT' },
  AccessDeniedException: { http: 403, exit: 77, grpc: 'PERMISSION_DENIED' },
  ResourceNotFoundException: { http: 404, exit: 66, grpc: 'NOT_FOUND' },
  UnknownOperationException: { http: 404, exit: 64, grpc: 'UNIMPLEMENTED' },
  RequestTooLargeException: { http: 413, exit: 65, grpc: 'RESOURCE_EXHAUSTED' },
  UnsupportedMediaTypeException: { http: 415, exit: 65, grpc: 'INVALID_ARGUMENT' },
  ThrottledException: { http: 429, exit: 75, grpc: 'RESOURCE_EXHAUSTED' },
  RequestCancelled: { http: 499, exit: 130, grpc: 'CANCELLED' },
  InternalFailure: { http: 500, exit: 70, grpc: 'INTERNAL' },
  ServiceUnavailable: { http: 503, exit: 69, grpc: 'UNAVAILABLE' },
  QueryTimeout: { http: 503, exit: 75, grpc: 'DEADLINE_EXCEEDED' },
  StoreInUse: { http: 503, exit: 73, grpc: 'UNAVAILABLE' },
  StoreUnusable: { http: 503, exit: 74, grpc: 'UNAVAILABLE' },
  SettingInvalid: { http: 500, exit: 78, grpc: 'INTERNAL' },
} as const satisfies Record<string, Failure>;

export type FailureCode = keyof typeof FAILURES;

/** The only error type that openray throws on purpose. `message` is a sentence that a user can act on. */
export class OpenrayError extends Error {
  override readonly name = 'OpenrayError';
  readonly code: FailureCode;
  /** Seconds after which the same call may succeed; undefined when that is not known. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: FailureCode, message: string, options?: { cause?: unknown; retryAfterSeconds?: number }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}

/**
 * The failure that an edge shows for a thrown value: an `OpenrayError` unchanged, any other value as an internal
 * failure.
 */
export function toFailure(thrown: unknown): OpenrayError {
  if (thrown instanceof OpenrayError) return thrown;
  return new OpenrayError('InternalFailure', 'openray failed on this request; its log has the reason', {
    cause: thrown,
  });
}
