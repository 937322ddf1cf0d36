-- A row a trace, written by the roll-up: what lists of traces show, sort by and filter by, as the pure functions compute
-- it from the documents through `version`. A later version replaces the row. When the start of a trace moves, a row with
-- is_deleted cancels the one at its former start. Read with FINAL, and only traces without documents after the roll-up
-- watermark. A row with start_us 0 says that no row decides about the trace: its documents do; root_start_us of such a
-- row is the start of the trace when it was written.
CREATE TABLE IF NOT EXISTS trace_summaries (
  start_us UInt64 CODEC(Delta, ZSTD(1)),
  trace_id FixedString(16),
  version UInt64 CODEC(Delta, ZSTD(1)),
  is_deleted UInt8,
  -- Of all documents that the row covers; last_seq may be later than the last one.
  first_seq UInt64 CODEC(Delta, ZSTD(1)),
  last_seq UInt64 CODEC(Delta, ZSTD(1)),
  -- When the trace changed last. A document that is sent again changes nothing.
  updated_us UInt64 CODEC(Delta, ZSTD(1)),
  documents UInt32 CODEC(ZSTD(1)),
  bytes UInt64 CODEC(ZSTD(1)),
  revision UInt32 CODEC(ZSTD(1)),
  segments UInt32 CODEC(ZSTD(1)),
  subsegments UInt32 CODEC(ZSTD(1)),
  root_start_us UInt64 CODEC(Delta, ZSTD(1)),
  end_us UInt64 CODEC(Delta, ZSTD(1)),
  has_duration Bool,
  duration_us UInt64 CODEC(ZSTD(1)),
  has_response Bool,
  response_us UInt64 CODEC(ZSTD(1)),
  has_root Bool,
  -- Of the root segment; any_… of every entity.
  fault Bool,
  error Bool,
  throttle Bool,
  any_fault Bool,
  any_error Bool,
  any_throttle Bool,
  worst_outcome LowCardinality(String),
  is_partial Bool,
  has_inferred Bool,
  http_method LowCardinality(String),
  http_url String CODEC(ZSTD(1)),
  http_user_agent String CODEC(ZSTD(1)),
  http_client_ip String CODEC(ZSTD(1)),
  http_status UInt16 CODEC(ZSTD(1)),
  entry_name LowCardinality(String),
  entry_type LowCardinality(String),
  entry_account LowCardinality(String),
  -- Services in the order of their keys. kinds: 1 root, 2 inferred. outcomes: bit n is set when a request had the flags
  -- n = fault + 2 * error + 4 * throttle.
  service_names Array(LowCardinality(String)),
  service_types Array(LowCardinality(String)),
  service_accounts Array(LowCardinality(String)),
  service_kinds Array(UInt8) CODEC(ZSTD(1)),
  service_outcomes Array(UInt8) CODEC(ZSTD(1)),
  -- Places of the two services of each call in the lists of services, from 0.
  edge_from Array(UInt32) CODEC(ZSTD(1)),
  edge_to Array(UInt32) CODEC(ZSTD(1)),
  edge_outcomes Array(UInt8) CODEC(ZSTD(1)),
  users Array(String) CODEC(ZSTD(1)),
  resource_arns Array(String) CODEC(ZSTD(1)),
  instance_ids Array(String) CODEC(ZSTD(1)),
  availability_zones Array(String) CODEC(ZSTD(1)),
  account_ids Array(String) CODEC(ZSTD(1)),
  annotations_string Map(String, Array(String)) CODEC(ZSTD(1)),
  annotations_number Map(String, Array(Float64)) CODEC(ZSTD(1)),
  annotations_bool Map(String, Array(Bool)) CODEC(ZSTD(1)),
  root_causes String CODEC(ZSTD(1)),
  -- JSON of members that the columns above cannot hold exactly; empty for nearly all traces.
  exact String CODEC(ZSTD(1)),
  INDEX version_range version TYPE minmax GRANULARITY 1,
  INDEX first_seq_range first_seq TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (start_us, trace_id)
SETTINGS index_granularity = 1024, min_parts_to_merge_at_once = 10, non_replicated_deduplication_window = 1000;
