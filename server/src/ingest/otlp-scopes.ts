import { type BoundedReader, checkFieldEnd, readFieldEnd } from '../model/otlp/wire/bounded-reader.ts';

/** Spans of one scope, as ranges of a request. */
export type ReceivedScope = {
  /** The fields of the ResourceSpans except its scopes, and of the ScopeSpans except its spans. */
  readonly resourceSpans: Buffer;
  readonly scopeSpans: Buffer;
  /** Start and end of each span, in turn. */
  readonly spans: readonly number[];
};

/**
 * The scopes of an ExportTraceServiceRequest, with their spans unread. The fields of a message may be in any order:
 * everything around the spans is known before the first of them is read.
 * Throws when the bytes are not a message, as `decodeTraces` does.
 */
export function* scopesIn(reader: BoundedReader): Generator<ReceivedScope> {
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 !== 1) {
      reader.skipType(tag & 7);
      continue;
    }
    const resource = splitMessage(reader, readFieldEnd(reader));
    const end = reader.pos;
    for (let at = 0; at < resource.inner.length; at += 2) {
      reader.pos = resource.inner[at] as number;
      const scope = splitMessage(reader, resource.inner[at + 1] as number);
      yield { resourceSpans: resource.around, scopeSpans: scope.around, spans: scope.inner };
    }
    reader.pos = end;
  }
}

/** Both messages have their list in field 2: scopes, and spans. */
function splitMessage(reader: BoundedReader, end: number): { readonly around: Buffer; readonly inner: number[] } {
  const inner: number[] = [];
  const around: Buffer[] = [];
  const bytes = reader.buf as Buffer;
  while (reader.pos < end) {
    const start = reader.pos;
    const tag = reader.uint32();
    if (tag >>> 3 === 2) {
      const innerEnd = readFieldEnd(reader);
      inner.push(reader.pos, innerEnd);
      reader.pos = innerEnd;
    } else {
      reader.skipType(tag & 7);
      around.push(bytes.subarray(start, reader.pos));
    }
  }
  checkFieldEnd(reader, end);
  return { around: around.length === 1 ? (around[0] as Buffer) : Buffer.concat(around), inner };
}
