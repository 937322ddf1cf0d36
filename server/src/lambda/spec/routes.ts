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
  /** Ten characters, the same at every start. */
  readonly id: string;
  readonly name: string;
  readonly stage: string;
  /** Only REST APIs have tracing of their own. */
  readonly isTraced: boolean;
  readonly stageVariables: Readonly<Record<string, string>> | undefined;
  readonly cors: Cors | undefined;
  readonly binaryMediaTypes: readonly string[];
};

export type GatewayRoute = {
  readonly api: GatewayApi;
  /** In capitals; `ANY` for all. */
  readonly method: string;
  /** `/users/{id}`, `/{proxy+}`; `$default` takes what no other route of an HTTP API takes. */
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
  /** The answer may be sent while it is made. */
  readonly isStreamed: boolean;
  /** How long the gateway waits; undefined for a function URL, which waits as long as the function may run. */
  readonly timeoutMs: number | undefined;
};

/** The gateway answers itself: a mock integration, as tools write them for CORS. */
export type FixedTarget = {
  readonly kind: 'fixed';
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
};

/** A function that is asked before a route's own. */
export type Authorizer = {
  readonly name: string;
  /** `token` gets the text of one header, `request` the whole request. */
  readonly kind: 'token' | 'request';
  /** Logical id. */
  readonly functionId: string;
  /** Of its event; REST APIs have only 1.0. */
  readonly payloadVersion: '1.0' | '2.0';
  /** It may answer `isAuthorized` instead of a policy. */
  readonly isSimple: boolean;
  /** What has to be there, or nobody is asked. */
  readonly identity: readonly IdentitySource[];
  /** What a token has to look like. */
  readonly validation: string | undefined;
};

export type IdentitySource = { readonly location: 'header' | 'query' | 'other'; readonly name: string };

/** What a route says of whom it lets in. An authorizer that openray can not ask lets everybody in, and is named. */
export type RouteAuthorization =
  | { readonly kind: 'open' }
  | { readonly kind: 'asks'; readonly authorizer: Authorizer }
  | { readonly kind: 'unsupported'; readonly description: string };

export const NO_AUTHORIZATION: RouteAuthorization = { kind: 'open' };
