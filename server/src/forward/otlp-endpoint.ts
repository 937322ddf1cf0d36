/** OTLP's transports, as `OTEL_EXPORTER_OTLP_PROTOCOL` names them. */
export const OTLP_PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'] as const;

export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number];

export type OtlpSignal = 'traces' | 'logs';

/** Another backend that accepts OTLP. */
export type OtlpEndpoint = {
  readonly protocol: OtlpProtocol;
  /** URLs for HTTP; gRPC uses their scheme, host and port only. */
  readonly urls: Readonly<Record<OtlpSignal, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly isCompressed: boolean;
  /** Limit of one attempt. */
  readonly timeoutMs: number;
};

export type OtlpEndpointOptions = {
  /** By default gRPC for port 4317, protobuf over HTTP for others. */
  readonly protocol?: OtlpProtocol | undefined;
  /** `name=value`. */
  readonly headers?: readonly string[] | undefined;
  readonly isCompressed?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  /** The URL is used for spans as it is: `/v1/traces` is not appended. */
  readonly isTracesUrl?: boolean | undefined;
};

const TIMEOUT_MS = 10_000;
const GRPC_PORT = '4317';

/** `url` is the base or the full address of `/v1/traces`. A name and password in it become an authorization header. */
export function otlpEndpoint(
  url: string,
  {
    protocol,
    headers = [],
    isCompressed = true,
    timeoutMs = TIMEOUT_MS,
    isTracesUrl = false,
  }: OtlpEndpointOptions = {},
): OtlpEndpoint {
  const { origin, pathname, search, port, username, password } = new URL(url);
  const base = pathname.replace(/\/(v1\/traces\/?)?$/, '');
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    protocol: protocol ?? (port === GRPC_PORT ? 'grpc' : 'http/protobuf'),
    urls: {
      traces: isTracesUrl ? `${origin}${pathname}${search}` : `${origin}${base}/v1/traces${search}`,
      logs: `${origin}${base}/v1/logs${search}`,
    },
    headers: {
      ...(credentials !== ':' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
      ...Object.fromEntries(headers.map(headerOf)),
    },
    isCompressed,
    timeoutMs,
  };
}

function headerOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}
