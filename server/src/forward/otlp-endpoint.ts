/** OTLP's transports, as `OTEL_EXPORTER_OTLP_PROTOCOL` names them. */
export const OTLP_PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'] as const;

export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number];

export type OtlpSignal = 'traces' | 'logs';

/** Another backend that takes OTLP. */
export type OtlpEndpoint = {
  readonly protocol: OtlpProtocol;
  /** Where requests go over HTTP; over gRPC only scheme, host and port count. */
  readonly urls: Readonly<Record<OtlpSignal, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly isCompressed: boolean;
  /** For one try. */
  readonly timeoutMs: number;
};

export type OtlpEndpointOptions = {
  /** Without it the port tells: 4317 is gRPC's. */
  readonly protocol?: OtlpProtocol | undefined;
  /** `name=value`. */
  readonly headers?: readonly string[] | undefined;
  readonly isCompressed?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  /** The URL is where spans go, whatever its path. */
  readonly isTracesUrl?: boolean | undefined;
};

const TIMEOUT_MS = 10_000;
const GRPC_PORT = '4317';

/** `url` as users write it: the base, or the whole address of `/v1/traces`; a name and password in it become a header. */
export function otlpEndpoint(
  url: string,
  {
    protocol,
    headers = [],
    isCompressed: isPacked = true,
    timeoutMs = TIMEOUT_MS,
    isTracesUrl: isWhole = false,
  }: OtlpEndpointOptions = {},
): OtlpEndpoint {
  const { origin, pathname, search, port, username, password } = new URL(url);
  const base = pathname.replace(/\/(v1\/traces\/?)?$/, '');
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    protocol: protocol ?? (port === GRPC_PORT ? 'grpc' : 'http/protobuf'),
    urls: {
      traces: isWhole ? `${origin}${pathname}${search}` : `${origin}${base}/v1/traces${search}`,
      logs: `${origin}${base}/v1/logs${search}`,
    },
    headers: {
      ...(credentials !== ':' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
      ...Object.fromEntries(headers.map(headerOf)),
    },
    isCompressed: isPacked,
    timeoutMs,
  };
}

function headerOf(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}
