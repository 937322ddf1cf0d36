import { formatTraceId, type TraceId } from 'openray/model';

/**
 * X-Ray's form of a trace id, from what somebody pasted: that form, OpenTelemetry's 32 hex digits,
 * or either inside a trace header (`Root=1-…;Sampled=1`, `00-<32 hex>-…`) or a log line. Undefined when there is none.
 */
export function readTraceId(text: string): string | undefined {
  const found =
    /(?<![0-9a-z])1-([0-9a-f]{8})-([0-9a-f]{24})(?![0-9a-z])/i.exec(text) ??
    /(?<![0-9a-z])([0-9a-f]{8})([0-9a-f]{24})(?![0-9a-z])/i.exec(text);
  return found ? formatTraceId(`${found[1]}${found[2]}`.toLowerCase() as TraceId) : undefined;
}
