import { OpenrayError } from '../errors.ts';
import { parseJson, printJson } from '../model/exact-json.ts';
import { isJsonObject, type JsonValue } from '../model/json.ts';

/** Content of one line of a file. */
export type ImportLine =
  | { readonly kind: 'otlp'; readonly resourceSpans: readonly JsonValue[]; readonly resourceLogs: readonly JsonValue[] }
  | { readonly kind: 'xray'; readonly documents: readonly string[] };

/**
 * Reads a line of OTLP/JSON, or of X-Ray: a document, a list of documents, or a response of BatchGetTraces. Drops
 * segments that X-Ray inferred, since openray infers its own.
 * Throws SerializationException for any other text.
 */
export function readImportLine(line: string): ImportLine {
  let value: JsonValue;
  try {
    value = parseJson(line);
  } catch (cause) {
    throw new OpenrayError('SerializationException', `it is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (isJsonObject(value) && ('resourceSpans' in value || 'resourceLogs' in value)) {
    return { kind: 'otlp', resourceSpans: listOf(value.resourceSpans), resourceLogs: listOf(value.resourceLogs) };
  }
  return { kind: 'xray', documents: documentsIn(value, line) };
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

/** `text`: source of `value` where known, because its numbers may have more digits than a double can hold. */
function documentsIn(value: JsonValue, text?: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => documentsIn(one));
  if (!isJsonObject(value)) throw unknownFormat();
  if (Array.isArray(value.Traces)) return documentsIn(value.Traces);
  if (Array.isArray(value.Segments)) return documentsIn(value.Segments);
  if (typeof value.Document === 'string') return documentsIn(parseJson(value.Document), value.Document);
  if (typeof value.trace_id !== 'string') throw unknownFormat();
  return value.inferred === true ? [] : [text ?? printJson(value)];
}

function unknownFormat(): OpenrayError {
  return new OpenrayError('SerializationException', 'it is neither OTLP/JSON nor a segment document');
}
