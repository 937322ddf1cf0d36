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
  RequestTimeoutException: { http: 408, exit: 75, grpc: 'DEADLINE_EXCEEDED' },
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

/** An issue of a schema, as zod reports it. */
type SchemaIssue = {
  readonly code: string;
  readonly message: string;
  readonly expected?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly inclusive?: unknown;
  readonly origin?: unknown;
  readonly values?: readonly unknown[];
  readonly divisor?: unknown;
  readonly keys?: readonly string[];
  readonly format?: unknown;
};

/**
 * What is wrong with a value, to be read after its name: `must be a number, not a text`. Messages that a schema has of
 * its own are kept. The words of the schema library are about types of JavaScript, which its users need not know.
 */
export function issueSentence(issue: SchemaIssue | undefined): string {
  if (issue === undefined) return 'is not valid';
  if (issue.code === 'custom' || !LIBRARY_WORDS.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return typeSentence(String(issue.expected), issue.message);
    case 'too_small':
      return boundSentence(issue.inclusive === false ? 'more than' : 'at least', issue.minimum, issue.origin);
    case 'too_big':
      return boundSentence(issue.inclusive === false ? 'less than' : 'at most', issue.maximum, issue.origin);
    case 'invalid_value':
      return `must be ${(issue.values ?? []).map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `has unknown members: ${(issue.keys ?? []).join(', ')}`;
    case 'invalid_format':
      return issue.format === 'url' ? 'must be a URL' : 'does not have the required form';
    case 'invalid_union':
      return 'has none of the allowed forms';
    default:
      return 'is not valid';
  }
}

const LIBRARY_WORDS = /^(?:Invalid |Too small|Too big|Unrecognized key)/;

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  map: 'an object',
  null: 'null',
};

function typeSentence(expected: string, message: string): string {
  const wanted = TYPE_WORDS[expected] ?? expected;
  const received = /received (\w+)$/.exec(message)?.[1] ?? '';
  if (received === 'undefined') return `is missing: it must be ${wanted}`;
  const given = TYPE_WORDS[received];
  return given === undefined || (expected === 'int' && received === 'number')
    ? `must be ${wanted}`
    : `must be ${wanted}, not ${given}`;
}

function boundSentence(comparison: string, bound: unknown, origin: unknown): string {
  if (origin === 'string') return `must have ${comparison} ${bound} characters`;
  if (origin === 'array') return `must have ${comparison} ${bound} items`;
  return `must be ${comparison} ${bound}`;
}
