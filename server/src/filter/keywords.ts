import type { RootCauseKind, RootCauseLevel } from './root-cause-kind.ts';

/** The subject of a condition: a whole trace, or the selector before the braces around the condition. */
export type Scope =
  | 'trace'
  | 'service'
  | 'edge'
  | 'root cause service'
  | 'root cause entity'
  | 'response time root cause entity'
  | 'root cause exception';

type KeywordDefinition = {
  readonly type: 'bool' | 'number' | 'string';
  readonly scopes: readonly Scope[];
  readonly description: string;
};

const REQUESTS: readonly Scope[] = ['trace', 'service', 'edge'];
const ROOT_CAUSES: readonly Scope[] = [
  'root cause service',
  'root cause entity',
  'response time root cause entity',
  'root cause exception',
];

/** Every keyword. Fields with a path (annotation, metadata, segment) and selectors are in the parser. */
export const KEYWORDS = {
  ok: { type: 'bool', scopes: REQUESTS, description: 'neither error, fault nor throttle' },
  error: { type: 'bool', scopes: REQUESTS, description: 'client error (4xx) that is not a throttle' },
  fault: { type: 'bool', scopes: REQUESTS, description: 'server fault (5xx)' },
  throttle: { type: 'bool', scopes: REQUESTS, description: 'throttled (429)' },
  partial: { type: 'bool', scopes: REQUESTS, description: 'a part of the trace has not arrived' },
  inferred: {
    type: 'bool',
    scopes: ['trace', 'service', 'root cause service'],
    description: 'a service is known only from its caller',
  },
  root: { type: 'bool', scopes: ['service'], description: 'the service where the trace begins' },
  responsetime: { type: 'number', scopes: REQUESTS, description: 'seconds until the response' },
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
  'account.id': { type: 'string', scopes: [...REQUESTS, 'root cause service'], description: 'AWS account' },
  name: {
    type: 'string',
    scopes: ['service', ...ROOT_CAUSES],
    description: 'name of the service, entity or exception',
  },
  type: { type: 'string', scopes: ['service', 'root cause service'], description: 'type of the service' },
  message: { type: 'string', scopes: ['root cause exception'], description: 'message of the exception' },
  remote: {
    type: 'bool',
    scopes: ['root cause entity', 'response time root cause entity'],
    description: 'a call to another service, as its caller saw it',
  },
  coverage: {
    type: 'number',
    scopes: ['response time root cause entity'],
    description: 'share of the response time, 0 to 1',
  },
  first: { type: 'bool', scopes: ROOT_CAUSES, description: 'first of its path' },
  last: { type: 'bool', scopes: ROOT_CAUSES, description: 'last of its path' },
  index: { type: 'number', scopes: ROOT_CAUSES, description: 'index on its path, from 0' },
} as const satisfies Record<string, KeywordDefinition>;

export type Keyword = keyof typeof KEYWORDS;

export function isKeyword(text: string): text is Keyword {
  return Object.hasOwn(KEYWORDS, text);
}

/** Whether `keyword` is allowed in `scope`. */
export function isKnownIn(keyword: Keyword, scope: Scope): boolean {
  return scopesOf(keyword).includes(scope);
}

export function scopesOf(keyword: Keyword): readonly Scope[] {
  return KEYWORDS[keyword].scopes;
}

/** Whether the scope has annotations, metadata and raw fields. Root causes have none. */
export function hasEntities(scope: Scope): boolean {
  return REQUESTS.includes(scope);
}

/** The scope inside the braces of `rootcause.<kind>.<level>`. */
export function rootCauseScope(kind: RootCauseKind, level: RootCauseLevel): Scope {
  if (level === 'entity' && kind === 'responsetime') return 'response time root cause entity';
  return `root cause ${level}`;
}
