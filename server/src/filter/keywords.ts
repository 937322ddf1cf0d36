import type { Field, Operator, RootCauseKind, RootCauseLevel } from './ast.ts';

/** What a keyword may be said about: whole traces, or what stands before the braces around it. */
export type Scope =
  | 'trace'
  | 'service'
  | 'edge'
  | 'cause service'
  | 'cause entity'
  | 'response time cause entity'
  | 'cause exception';

/** `any` takes the type of whatever is stored. */
export type ValueType = 'bool' | 'number' | 'string' | 'any';

type KeywordDefinition = {
  readonly type: 'bool' | 'number' | 'string';
  readonly scopes: readonly Scope[];
  readonly description: string;
};

const REQUESTS: readonly Scope[] = ['trace', 'service', 'edge'];
const ROOT_CAUSES: readonly Scope[] = [
  'cause service',
  'cause entity',
  'response time cause entity',
  'cause exception',
];

/** Every keyword that is one word; fields with a path and selectors are the parser's. */
export const KEYWORDS = {
  ok: { type: 'bool', scopes: REQUESTS, description: 'neither error, fault nor throttle' },
  error: { type: 'bool', scopes: REQUESTS, description: 'client error (4xx) that is not a throttle' },
  fault: { type: 'bool', scopes: REQUESTS, description: 'server fault (5xx)' },
  throttle: { type: 'bool', scopes: REQUESTS, description: 'refused for its rate (429)' },
  partial: { type: 'bool', scopes: REQUESTS, description: 'a part of the trace has not arrived' },
  inferred: {
    type: 'bool',
    scopes: ['trace', 'service', 'cause service'],
    description: 'a service is known only from its caller',
  },
  root: { type: 'bool', scopes: ['service'], description: 'the service where the trace begins' },
  responsetime: { type: 'number', scopes: REQUESTS, description: 'seconds until the answer' },
  duration: { type: 'number', scopes: REQUESTS, description: 'seconds until all work was done' },
  'http.status': { type: 'number', scopes: REQUESTS, description: 'status of the response' },
  'http.url': { type: 'string', scopes: REQUESTS, description: 'requested URL' },
  'http.method': { type: 'string', scopes: REQUESTS, description: 'request method' },
  'http.useragent': { type: 'string', scopes: REQUESTS, description: 'user agent of the client' },
  'http.clientip': { type: 'string', scopes: REQUESTS, description: 'address of the client' },
  user: { type: 'string', scopes: REQUESTS, description: 'user that any segment recorded' },
  availabilityzone: { type: 'string', scopes: REQUESTS, description: 'EC2 availability zone' },
  'instance.id': { type: 'string', scopes: REQUESTS, description: 'EC2 instance' },
  'resource.arn': { type: 'string', scopes: REQUESTS, description: 'ARN of a resource' },
  'account.id': { type: 'string', scopes: [...REQUESTS, 'cause service'], description: 'AWS account' },
  name: {
    type: 'string',
    scopes: ['service', ...ROOT_CAUSES],
    description: 'name of the service, entity or exception',
  },
  type: { type: 'string', scopes: ['service', 'cause service'], description: 'type of the service' },
  message: { type: 'string', scopes: ['cause exception'], description: 'message of the exception' },
  remote: {
    type: 'bool',
    scopes: ['cause entity', 'response time cause entity'],
    description: 'a call to another service, as its caller saw it',
  },
  coverage: {
    type: 'number',
    scopes: ['response time cause entity'],
    description: 'share of the response time, 0 to 1',
  },
  first: { type: 'bool', scopes: ROOT_CAUSES, description: 'first of its path' },
  last: { type: 'bool', scopes: ROOT_CAUSES, description: 'last of its path' },
  index: { type: 'number', scopes: ROOT_CAUSES, description: 'place on its path, from 0' },
} as const satisfies Record<string, KeywordDefinition>;

export type Keyword = keyof typeof KEYWORDS;

export function isKeyword(text: string): text is Keyword {
  return Object.hasOwn(KEYWORDS, text);
}

/** Whether `keyword` may be said in `scope`. */
export function isKnownIn(keyword: Keyword, scope: Scope): boolean {
  return scopesOf(keyword).includes(scope);
}

export function scopesOf(keyword: Keyword): readonly Scope[] {
  return KEYWORDS[keyword].scopes;
}

/** Annotations, metadata and raw fields belong to segments: root causes have none. */
export function hasEntities(scope: Scope): boolean {
  return REQUESTS.includes(scope);
}

const EQUALITY: readonly Operator[] = ['=', '!='];
const NUMERIC: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>='];
const TEXTUAL: readonly Operator[] = ['=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH', 'MATCHES'];

/** Operators that make sense for values of the type. */
export const OPERATORS: Readonly<Record<ValueType, readonly Operator[]>> = {
  bool: EQUALITY,
  number: NUMERIC,
  string: TEXTUAL,
  any: [...NUMERIC, 'CONTAINS', 'BEGINSWITH', 'ENDSWITH', 'MATCHES'],
};

export function typeOf(field: Field): ValueType {
  return field.kind === 'keyword' ? KEYWORDS[field.keyword].type : 'any';
}

export const ROOT_CAUSE_LEVELS: Readonly<Record<RootCauseKind, readonly RootCauseLevel[]>> = {
  fault: ['service', 'entity', 'exception'],
  error: ['service', 'entity', 'exception'],
  responsetime: ['service', 'entity'],
};

/** What may be said inside the braces of `rootcause.<cause>.<level>`. */
export function rootCauseScope(cause: RootCauseKind, level: RootCauseLevel): Scope {
  if (level === 'entity' && cause === 'responsetime') return 'response time cause entity';
  return `cause ${level}`;
}
