/**
 * X-Ray's form of a trace id, from what somebody pasted: that form, OpenTelemetry's 32 hex digits,
 * or either inside a trace header (`Root=1-…;Sampled=1`, `00-<32 hex>-…`) or a log line. Undefined when there is none.
 */
export function readTraceId(text: string): string | undefined {
  const xray = /(?<![0-9a-z])1-([0-9a-f]{8})-([0-9a-f]{24})(?![0-9a-z])/i.exec(text);
  if (xray) return `1-${xray[1]}-${xray[2]}`.toLowerCase();
  const hex = /(?<![0-9a-z])([0-9a-f]{8})([0-9a-f]{24})(?![0-9a-z])/i.exec(text);
  return hex ? `1-${hex[1]}-${hex[2]}`.toLowerCase() : undefined;
}
