import type { JsonObject, JsonValue } from '../../json.ts';
import type { Span } from '../../otlp-messages.ts';

/**
 * Prints a document of `spanToDocuments` with the numbers that a double cannot hold: times in nanoseconds and
 * annotations of 64 bits.
 */
export function exactDocumentText(document: JsonObject, span: Span): string {
  const members = Object.entries(document).map(([key, value]) => `${JSON.stringify(key)}:${textOf(key, value, span)}`);
  return `{${members.join(',')}}`;
}

function textOf(key: string, value: JsonValue, span: Span): string {
  switch (key) {
    case 'start_time':
      return secondsText(span.startTimeUnixNano ?? '0');
    case 'end_time':
      return secondsText(span.endTimeUnixNano ?? '0');
    case 'annotations':
      return annotationsText(value as JsonObject, span);
    default:
      return JSON.stringify(value);
  }
}

/** Seconds with up to nine decimals, without trailing zeros. */
export function secondsText(nanos: string): string {
  const digits = nanos.padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, -9) : `${digits.slice(0, -9)}.${fraction}`;
}

function annotationsText(annotations: JsonObject, { attributes = [] }: Span): string {
  const exact = new Map<string, string>();
  for (const { key = '', value } of attributes) {
    if (value?.intValue !== undefined) exact.set(key.replace(/[^\w.]/g, '_'), value.intValue);
  }
  const members = Object.entries(annotations).map(([key, value]) => {
    const digits = exact.get(key);
    const isExact = digits !== undefined && Number(digits) === value;
    return `${JSON.stringify(key)}:${isExact ? digits : JSON.stringify(value)}`;
  });
  return `{${members.join(',')}}`;
}
