import protobuf from 'protobufjs/minimal.js';

const { Writer } = protobuf;

/*
 * The body of a document `otlp-protobuf`, as a message of protobuf. Its fields are always in this order:
 *
 *   1 service         text    the labels: SQL finds the names of a service's spans in these first bytes
 *   2 kind            varint
 *   3 name            text
 *   4 annotations     text    repeated: keys that the setting made annotations when the span arrived
 *   5 resource_spans  bytes   a ResourceSpans without its scope_spans, as received
 *   6 scope_spans     bytes   a ScopeSpans without its spans, as received
 *   7 span            bytes   the Span, as received
 *
 * Spans of one scope have the same bytes from field 4 to field 6: a writer encodes them once, a reader decodes them
 * once.
 */

const TAG = { service: 10, kind: 16, name: 26, annotation: 34, resourceSpans: 42, scopeSpans: 50, span: 58 } as const;

/** In front of the length of the span. */
export const SPAN_TAG = TAG.span;

type SpanLabels = {
  readonly service: string;
  /** 0 for a kind of a later version of the protocol. */
  readonly kind: number;
  /** The first characters of a name that is longer than all names that people read. */
  readonly name: string;
};

const MAX_LABEL_LENGTH = 4_000;

export function encodeLabels({ service, kind, name }: SpanLabels): Uint8Array {
  return Writer.create()
    .uint32(TAG.service)
    .string(service)
    .uint32(TAG.kind)
    .uint32(kind > 0 && kind < 0x80 ? kind : 0)
    .uint32(TAG.name)
    .string(name.length > MAX_LABEL_LENGTH ? name.slice(0, MAX_LABEL_LENGTH) : name)
    .finish();
}

/** The bytes in front of the kind, which is one byte. The tag of the name follows it, then the name with its length. */
export function labelsPrefix(service: string): Uint8Array {
  return Writer.create().uint32(TAG.service).string(service).uint32(TAG.kind).finish();
}

/** The first label. */
export function serviceLabel(service: string): Uint8Array {
  return labelsPrefix(service).subarray(0, -1);
}

/** What the spans of one scope share. */
export type SharedFields = {
  readonly annotations: Iterable<string>;
  readonly resourceSpans: Uint8Array;
  readonly scopeSpans: Uint8Array;
};

export function encodeShared({ annotations, resourceSpans, scopeSpans }: SharedFields): Uint8Array {
  const out = Writer.create();
  for (const key of annotations) out.uint32(TAG.annotation).string(key);
  return out.uint32(TAG.resourceSpans).bytes(resourceSpans).uint32(TAG.scopeSpans).bytes(scopeSpans).finish();
}

/** The tag and the length in front of a span. */
export function encodeSpanHead(spanBytes: number): Uint8Array {
  return Writer.create().uint32(TAG.span).uint32(spanBytes).finish();
}

/** A stored body in its parts, all with one Latin-1 character a byte. */
export type StoredSpanParts = {
  /** The fields 4 to 6. */
  readonly shared: string;
  readonly span: string;
};

/** Throws RangeError if the text is no such body. */
export function splitStoredSpan(text: string): StoredSpanParts {
  const { shared, spanTag, span } = storedSpanPositions(text);
  return { shared: text.slice(shared, spanTag), span: text.slice(span, fieldIn(text, spanTag).end) };
}

/** Where the fields of a stored body begin, in characters. */
export type StoredSpanPositions = {
  /** Behind the label of the service. */
  readonly kind: number;
  /** Behind all labels: the fields 4 to 6. */
  readonly shared: number;
  /** The tag of the span, and its value. */
  readonly spanTag: number;
  readonly span: number;
};

/** Throws RangeError if the text is no such body. */
export function storedSpanPositions(text: string): StoredSpanPositions {
  const kind = endOfService(text);
  const shared = fieldIn(text, fieldIn(text, kind).end).end;
  let spanTag = shared;
  while (text.charCodeAt(spanTag) !== TAG.span) spanTag = fieldIn(text, spanTag).end;
  return { kind, shared, spanTag, span: fieldIn(text, spanTag).start };
}

/** The position behind the label of the service, with which the text begins. */
export function endOfService(text: string): number {
  return fieldIn(text, 0).end;
}

export type DecodedShared = {
  readonly annotations: readonly string[];
  readonly resourceSpans: Buffer;
  readonly scopeSpans: Buffer;
};

export function decodeShared(shared: string): DecodedShared {
  const annotations: string[] = [];
  let resourceSpans: Buffer = Buffer.alloc(0);
  let scopeSpans: Buffer = Buffer.alloc(0);
  for (let at = 0; at < shared.length; ) {
    const tag = shared.charCodeAt(at);
    const { start, end } = fieldIn(shared, at);
    const bytes = bytesOf(shared.slice(start, end));
    if (tag === TAG.annotation) annotations.push(bytes.toString('utf8'));
    else if (tag === TAG.resourceSpans) resourceSpans = bytes;
    else scopeSpans = bytes;
    at = end;
  }
  return { annotations, resourceSpans, scopeSpans };
}

/** The bytes of a stored body, or of a part of it. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The value of the field at `at`. Tags are one byte; a varint is read as its own length, which is one byte, too. */
function fieldIn(text: string, at: number): { readonly start: number; readonly end: number } {
  if (text.charCodeAt(at) === TAG.kind) return { start: at + 1, end: at + 2 };
  let length = 0;
  let start = at + 1;
  for (let scale = 1; ; scale *= 0x80) {
    const group = text.charCodeAt(start++);
    length += (group & 0x7f) * scale;
    if (!(group >= 0x80)) break;
  }
  const end = start + length;
  if (!(end <= text.length)) throw new RangeError('the body is no stored span');
  return { start, end };
}
