import { printJson } from '../../exact-json.ts';
import type { JsonObject, JsonValue } from '../../json.ts';
import type { Span } from '../../otlp-messages.ts';

/** Prints a document of `spanToDocuments` with times in nanoseconds. */
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
    default:
      return printJson(value);
  }
}

/** Seconds with up to nine decimals, without trailing zeros. */
export function secondsText(nanos: string): string {
  const digits = nanos.padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, -9) : `${digits.slice(0, -9)}.${fraction}`;
}
