import { formatTraceId, type TraceId } from 'openray/model';

/**
 * Finds a trace id in a text and returns it in X-Ray's form. The text may have that form or OpenTelemetry's 32 hex
 * digits, alone or in a trace header (`Root=1-…;Sampled=1`, `00-<32 hex>-…`) or a log line. Undefined without an id.
 */
export function readTraceId(text: string): string | undefined {
  const found =
    /(?<![0-9a-z])1-([0-9a-f]{8})-([0-9a-f]{24})(?![0-9a-z])/i.exec(text) ??
    /(?<![0-9a-z])([0-9a-f]{8})([0-9a-f]{24})(?![0-9a-z])/i.exec(text);
  return found ? formatTraceId(`${found[1]}${found[2]}`.toLowerCase() as TraceId) : undefined;
}
