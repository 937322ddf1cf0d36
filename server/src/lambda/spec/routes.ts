export type Cors = {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  readonly allowsCredentials: boolean;
};

/** An API of the template, or the URL of a function. */
export type GatewayApi = {
  readonly kind: 'rest' | 'http' | 'url';
  /** Ten characters, derived from the logical id. */
  readonly id: string;
  readonly name: string;
  readonly stage: string;
  /** Only REST APIs can write segments. */
  readonly isTraced: boolean;
  readonly stageVariables: Readonly<Record<string, string>> | undefined;
  readonly cors: Cors | undefined;
  readonly binaryMediaTypes: readonly string[];
};

export type GatewayRoute = {
  readonly api: GatewayApi;
  /** In capitals; `ANY` matches all. */
  readonly method: string;
  /** `/users/{id}`, `/{proxy+}`; `$default` matches requests that no other route of an HTTP API matches. */
  readonly path: string;
  readonly target: RouteTarget;
  readonly authorization: RouteAuthorization;
};

export type RouteTarget = FunctionTarget | FixedTarget;

export type FunctionTarget = {
  readonly kind: 'function';
  /** Logical id. */
  readonly functionId: string;
  readonly payloadVersion: '1.0' | '2.0';
  /** The response is sent while the function writes it. */
  readonly isStreamed: boolean;
  /** How long the gateway waits; undefined for a function URL, which waits until the function's own timeout. */
  readonly timeoutMs: number | undefined;
};

/** A fixed response: a mock integration, as the CDK and the Serverless Framework write for CORS. */
export type FixedTarget = {
  readonly kind: 'fixed';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
};

/** A function that decides whether a route's own function may run. */
export type Authorizer = {
  readonly name: string;
  /** A `token` authorizer receives the value of one header, a `request` authorizer the whole request. */
  readonly kind: 'token' | 'request';
  /** Logical id. */
  readonly functionId: string;
  /** Version of its event; REST APIs have only 1.0. */
  readonly payloadVersion: '1.0' | '2.0';
  /** It may return `isAuthorized` instead of a policy. */
  readonly isSimple: boolean;
  /** A request without one of these is rejected, and the function does not run. */
  readonly identity: readonly IdentitySource[];
  /** Regular expression that a token must match as a whole. */
  readonly validation: string | undefined;
};

export type IdentitySource = { readonly location: 'header' | 'query' | 'other'; readonly name: string };

/** How a route checks its callers. With an authorizer that openray cannot run, every caller is allowed. */
export type RouteAuthorization =
  | { readonly kind: 'none' }
  | { readonly kind: 'authorizer'; readonly authorizer: Authorizer }
  | { readonly kind: 'unsupported'; readonly description: string };

export const NO_AUTHORIZATION: RouteAuthorization = { kind: 'none' };
