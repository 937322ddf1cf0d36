import { isJsonObject, type JsonValue } from '../../model/json.ts';
import { malformedReason } from './malformed.ts';
import { type GatewayResponse, headersOf } from './responses.ts';

const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';
const PRELUDE_END = Buffer.alloc(8);
const PRELUDE_MAX_BYTES = 64 * 1024;

export type StreamHead = Pick<GatewayResponse, 'status' | 'headers'>;

/** Destination of a streamed response: first the head, once, then the body. */
export type StreamSink = {
  readonly head: (head: StreamHead) => void;
  /** Resolves when the next chunk may be written. */
  readonly write: (chunk: Buffer) => Promise<void>;
};

/**
 * Turns the chunks of a streaming function into an HTTP response. With the content type of an HTTP integration they are
 * a prelude of JSON, eight zero bytes and the body; with any other content type all of them are the body.
 */
export function openResponseStream(sink: StreamSink): (chunk: Buffer, contentType: string) => Promise<void> {
  let waiting = Buffer.alloc(0);
  let hasHead = false;
  return async (chunk, contentType) => {
    if (hasHead) return sink.write(chunk);
    if (contentType !== PRELUDE_TYPE) {
      hasHead = true;
      sink.head({ status: 200, headers: [['content-type', contentType]] });
      return sink.write(chunk);
    }
    waiting = Buffer.concat([waiting, chunk]);
    const end = waiting.indexOf(PRELUDE_END);
    if (end < 0 && waiting.length < PRELUDE_MAX_BYTES) return;
    hasHead = true;
    sink.head(end < 0 ? { status: 502, headers: [] } : headOf(waiting.subarray(0, end).toString()));
    const body = end < 0 ? Buffer.alloc(0) : waiting.subarray(end + PRELUDE_END.length);
    if (body.length > 0) await sink.write(body);
  };
}

function headOf(prelude: string): StreamHead {
  let value: JsonValue;
  try {
    value = JSON.parse(prelude);
  } catch {
    return { status: 502, headers: [] };
  }
  if (!isJsonObject(value)) return { status: 502, headers: [] };
  const head = { ...value, statusCode: value.statusCode ?? 200 };
  if (malformedReason({ kind: 'url' }, head) !== undefined) return { status: 502, headers: [] };
  return { status: Number(head.statusCode), headers: headersOf(head, 'url') };
}
