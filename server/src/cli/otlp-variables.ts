import { OpenrayError } from '../errors.ts';
import { OTLP_PROTOCOLS, type OtlpEndpointOptions, type OtlpProtocol } from '../forward/otlp-endpoint.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** The destination, by the environment variables of OpenTelemetry's exporters. */
export type OtlpVariables = OtlpEndpointOptions & { readonly url: string | undefined };

/**
 * Reads `OTEL_EXPORTER_OTLP_…`; a variable for traces wins over the one for all signals. Throws SettingInvalid for an
 * unknown protocol or compression and for an invalid timeout.
 * @see https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */
export function readOtlpVariables(variables: Variables): OtlpVariables {
  const variable = (name: string) =>
    variables[`OTEL_EXPORTER_OTLP_TRACES_${name}`]?.trim() ||
    variables[`OTEL_EXPORTER_OTLP_${name}`]?.trim() ||
    undefined;
  const url = variable('ENDPOINT');
  return {
    url,
    isTracesUrl: url !== undefined && url === variables.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim(),
    protocol: protocolOf(variable('PROTOCOL')),
    headers: headersOf(variable('HEADERS') ?? ''),
    isCompressed: isGzip(variable('COMPRESSION')),
    timeoutMs: timeoutOf(variable('TIMEOUT')),
  };
}

export function protocolOf(text: string | undefined): OtlpProtocol | undefined {
  const protocol = OTLP_PROTOCOLS.find((one) => one === text);
  if (text !== undefined && protocol === undefined) {
    throw new OpenrayError('SettingInvalid', `protocol ${text} is none of ${OTLP_PROTOCOLS.join(', ')}`);
  }
  return protocol;
}

/** `name=value` pairs, separated by commas and URL-encoded. */
function headersOf(text: string): readonly string[] {
  return text
    .split(',')
    .filter((header) => header.includes('='))
    .map(unescaped);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isGzip(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (text === 'gzip' || text === 'none') return text === 'gzip';
  throw new OpenrayError('SettingInvalid', `OTEL_EXPORTER_OTLP_COMPRESSION ${text} is neither gzip nor none`);
}

function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const timeoutMs = Number(text);
  if (Number.isSafeInteger(timeoutMs) && timeoutMs > 0) return timeoutMs;
  throw new OpenrayError('SettingInvalid', `OTEL_EXPORTER_OTLP_TIMEOUT ${text} is not a number of milliseconds`);
}
