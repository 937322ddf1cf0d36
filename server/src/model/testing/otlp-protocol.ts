import protobuf from 'protobufjs';

/**
 * OTLP's messages from its specification, for tests: an independent encoder writes the bytes that a client would send.
 * @see https://github.com/open-telemetry/opentelemetry-proto
 */
const PROTOCOL = `
syntax = "proto3";
package otlp;
message TracesData { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message LogsData { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; string schema_url = 3; }
message ScopeLogs { InstrumentationScope scope = 1; repeated LogRecord log_records = 2; string schema_url = 3; }
message Resource {
  repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; repeated EntityRef entity_refs = 3;
}
message EntityRef { string schema_url = 1; string type = 2; repeated string id_keys = 3; repeated string description_keys = 4; }
message InstrumentationScope {
  string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4;
}
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; fixed32 flags = 16;
  string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10;
  repeated Event events = 11; uint32 dropped_events_count = 12;
  repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15;
  message Event {
    fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4;
  }
  message Link {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4;
    uint32 dropped_attributes_count = 5; fixed32 flags = 6;
  }
}
message Status { string message = 2; int32 code = 3; }
message LogRecord {
  fixed64 time_unix_nano = 1; fixed64 observed_time_unix_nano = 11; int32 severity_number = 2; string severity_text = 3;
  AnyValue body = 5; repeated KeyValue attributes = 6; uint32 dropped_attributes_count = 7; fixed32 flags = 8;
  bytes trace_id = 9; bytes span_id = 10; string event_name = 12;
}
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
message ExportResponse { PartialSuccess partial_success = 1; }
message PartialSuccess { int64 rejected = 1; string error_message = 2; }
message RpcStatus { int32 code = 1; string message = 2; repeated Any details = 3; }
message Any { string type_url = 1; bytes value = 2; }
message RetryInfo { Duration retry_delay = 1; }
message Duration { int64 seconds = 1; int32 nanos = 2; }
`;

const { root } = protobuf.parse(PROTOCOL);

export type MessageName =
  | 'TracesData'
  | 'Span'
  | 'LogsData'
  | 'AnyValue'
  | 'ExportResponse'
  | 'RpcStatus'
  | 'RetryInfo';

export const messageType = (name: MessageName): protobuf.Type => root.lookupType(`otlp.${name}`);

/** The fields of every message, in camelCase as in OTLP/JSON. */
export function fieldsByMessage(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (space: protobuf.NamespaceBase) => {
    for (const inner of space.nestedArray) {
      if (inner instanceof protobuf.Type) found.set(inner.name, Object.keys(inner.fields));
      if (inner instanceof protobuf.Namespace) visit(inner);
    }
  };
  visit(root);
  return found;
}

const BYTES_IN_HEX = new Set(['traceId', 'spanId', 'parentSpanId']);

/** Encodes a value of the canonical OTLP/JSON form as a client would. */
export function encode(name: MessageName, value: object): Buffer {
  const type = messageType(name);
  return Buffer.from(type.encode(type.fromObject(wireForm(value) as object)).finish());
}

/** In OTLP/JSON ids are hex, all other bytes base64, and doubles without a JSON number are text. */
function wireForm(value: unknown, member = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => wireForm(item));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, inner]) => inner !== undefined)
        .map(([key, inner]) => [key, wireForm(inner, key)]),
    );
  }
  if (BYTES_IN_HEX.has(member)) return Buffer.from(String(value), 'hex').toString('base64');
  return member === 'doubleValue' ? Number(value) : value;
}
