-- 0001_documents_and_entities.sql;

CREATE TABLE IF NOT EXISTS openray.documents_local ON CLUSTER 'main' (
  trace_id FixedString(16),
  id FixedString(8),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  format LowCardinality(String),
  in_progress Bool,
  start_us UInt64 CODEC(Delta, ZSTD(1)),
  end_us UInt64 CODEC(Delta, ZSTD(1)),
  body String CODEC(ZSTD(1)),
  -- The first completed document of an id beats all others, else the latest in progress.
  version UInt64 ALIAS if(in_progress, seq, 18446744073709551615 - seq),
  INDEX seq_range seq TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/openray/{database}/{table}/{shard}', '{replica}')
PARTITION BY intDiv(seq, 86400000000)
ORDER BY (trace_id, id, seq)
SETTINGS index_granularity = 256;

CREATE TABLE IF NOT EXISTS openray.documents ON CLUSTER 'main' (
  trace_id FixedString(16),
  id FixedString(8),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  format LowCardinality(String),
  in_progress Bool,
  start_us UInt64 CODEC(Delta, ZSTD(1)),
  end_us UInt64 CODEC(Delta, ZSTD(1)),
  body String CODEC(ZSTD(1)),
  version UInt64 MATERIALIZED if(in_progress, seq, 18446744073709551615 - seq)
)
ENGINE = Distributed('main', 'openray', 'documents_local', cityHash64(trace_id));

CREATE TABLE IF NOT EXISTS openray.entities_local ON CLUSTER 'main' (
  trace_id FixedString(16) CODEC(ZSTD(1)),
  id FixedString(8) CODEC(ZSTD(1)),
  parent_id FixedString(8) CODEC(ZSTD(1)),
  -- The top entity of the document for the entities inside it, none for the top entity itself.
  enclosing_id FixedString(8) CODEC(ZSTD(1)),
  document_id FixedString(8) ALIAS if(enclosing_id = unhex('0000000000000000'), id, enclosing_id),
  is_in_segment Bool,
  -- The segment that holds the entity; none where it came in a document of its own.
  segment_id FixedString(8) ALIAS if(is_in_segment, document_id, toFixedString('', 8)),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  is_segment Bool,
  is_root Bool,
  in_progress Bool,
  start_us UInt64 CODEC(Delta, ZSTD(1)),
  end_us UInt64 CODEC(Delta, ZSTD(1)),
  duration_us UInt64 ALIAS if(end_us > start_us, end_us - start_us, 0),
  name LowCardinality(String),
  origin LowCardinality(String),
  namespace LowCardinality(String),
  fault Bool,
  error Bool,
  throttle Bool,
  http_status UInt16,
  http_method LowCardinality(String),
  http_url String CODEC(ZSTD(1)),
  http_user_agent String CODEC(ZSTD(1)),
  http_client_ip String CODEC(ZSTD(1)),
  user String CODEC(ZSTD(1)),
  resource_arn String CODEC(ZSTD(1)),
  instance_id String CODEC(ZSTD(1)),
  availability_zone String CODEC(ZSTD(1)),
  account_id String CODEC(ZSTD(1)),
  annotations_string Map(String, String) CODEC(ZSTD(1)),
  annotations_number Map(String, Float64) CODEC(ZSTD(1)),
  annotations_bool Map(String, Bool) CODEC(ZSTD(1)),
  -- `path=value` of annotations, metadata and every other field, see store/attributes.ts.
  attributes Array(String) CODEC(ZSTD(1)),
  INDEX attributes_text attributes TYPE text(tokenizer = 'array')
)
ENGINE = ReplicatedMergeTree('/openray/{database}/{table}/{shard}', '{replica}')
PARTITION BY intDiv(seq, 86400000000)
ORDER BY (intDiv(start_us, 3600000000), name, start_us);

CREATE TABLE IF NOT EXISTS openray.entities ON CLUSTER 'main' (
  trace_id FixedString(16) CODEC(ZSTD(1)),
  id FixedString(8) CODEC(ZSTD(1)),
  parent_id FixedString(8) CODEC(ZSTD(1)),
  enclosing_id FixedString(8) CODEC(ZSTD(1)),
  document_id FixedString(8) MATERIALIZED if(enclosing_id = unhex('0000000000000000'), id, enclosing_id),
  is_in_segment Bool,
  segment_id FixedString(8) MATERIALIZED if(is_in_segment, document_id, toFixedString('', 8)),
  seq UInt64 CODEC(Delta, ZSTD(1)),
  is_segment Bool,
  is_root Bool,
  in_progress Bool,
  start_us UInt64 CODEC(Delta, ZSTD(1)),
  end_us UInt64 CODEC(Delta, ZSTD(1)),
  duration_us UInt64 MATERIALIZED if(end_us > start_us, end_us - start_us, 0),
  name LowCardinality(String),
  origin LowCardinality(String),
  namespace LowCardinality(String),
  fault Bool,
  error Bool,
  throttle Bool,
  http_status UInt16,
  http_method LowCardinality(String),
  http_url String CODEC(ZSTD(1)),
  http_user_agent String CODEC(ZSTD(1)),
  http_client_ip String CODEC(ZSTD(1)),
  user String CODEC(ZSTD(1)),
  resource_arn String CODEC(ZSTD(1)),
  instance_id String CODEC(ZSTD(1)),
  availability_zone String CODEC(ZSTD(1)),
  account_id String CODEC(ZSTD(1)),
  annotations_string Map(String, String) CODEC(ZSTD(1)),
  annotations_number Map(String, Float64) CODEC(ZSTD(1)),
  annotations_bool Map(String, Bool) CODEC(ZSTD(1)),
  attributes Array(String) CODEC(ZSTD(1))
)
ENGINE = Distributed('main', 'openray', 'entities_local', cityHash64(trace_id));

CREATE VIEW IF NOT EXISTS openray.traces ON CLUSTER 'main' AS
SELECT trace_id, min(start_us) AS start_us, max(end_us) AS end_us, max(seq) AS seq, count() AS documents
FROM documents
GROUP BY trace_id;

CREATE TABLE IF NOT EXISTS openray.objects_local ON CLUSTER 'main' (
  kind LowCardinality(String),
  name String,
  version UInt64,
  is_deleted UInt8,
  body String CODEC(ZSTD(1))
)
ENGINE = ReplicatedReplacingMergeTree('/openray/{database}/{table}/{shard}', '{replica}', version, is_deleted)
ORDER BY (kind, name);

CREATE TABLE IF NOT EXISTS openray.objects ON CLUSTER 'main' (
  kind LowCardinality(String),
  name String,
  version UInt64,
  is_deleted UInt8,
  body String CODEC(ZSTD(1))
)
ENGINE = Distributed('main', 'openray', 'objects_local', cityHash64(kind, name));

-- 0002_servers_and_claims.sql;

ALTER TABLE openray.documents_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS server UInt32 AFTER seq, MODIFY ORDER BY (trace_id, id, seq, server);

ALTER TABLE openray.documents ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS server UInt32 AFTER seq;

ALTER TABLE openray.objects_local ON CLUSTER 'main' MODIFY SETTING non_replicated_deduplication_window = 1000;

ALTER TABLE openray.objects_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS writer String;

ALTER TABLE openray.objects ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS writer String;

-- 0003_function_logs.sql;

CREATE TABLE IF NOT EXISTS openray.function_logs_local ON CLUSTER 'main' (
  function_name LowCardinality(String),
  at_us UInt64 CODEC(Delta, ZSTD(1)),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  request_id String CODEC(ZSTD(1)),
  log_group LowCardinality(String),
  log_stream LowCardinality(String),
  source LowCardinality(String),
  level LowCardinality(String),
  text String CODEC(ZSTD(1)),
  INDEX of_trace trace_id TYPE bloom_filter GRANULARITY 4,
  INDEX of_request request_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplicatedMergeTree('/openray/{database}/{table}/{shard}', '{replica}')
PARTITION BY intDiv(at_us, 86400000000)
ORDER BY (function_name, at_us)
TTL toDateTime(intDiv(at_us, 1000000)) + INTERVAL 30 DAY;

CREATE TABLE IF NOT EXISTS openray.function_logs ON CLUSTER 'main' (
  function_name LowCardinality(String),
  at_us UInt64 CODEC(Delta, ZSTD(1)),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  request_id String CODEC(ZSTD(1)),
  log_group LowCardinality(String),
  log_stream LowCardinality(String),
  source LowCardinality(String),
  level LowCardinality(String),
  text String CODEC(ZSTD(1))
)
ENGINE = Distributed('main', 'openray', 'function_logs_local', cityHash64(trace_id));

-- 0004_service_map.sql;

ALTER TABLE openray.entities_local ON CLUSTER 'main' ADD INDEX IF NOT EXISTS end_range end_us TYPE minmax GRANULARITY 1;

ALTER TABLE openray.entities_local ON CLUSTER 'main' MATERIALIZE INDEX IF EXISTS end_range;

CREATE TABLE IF NOT EXISTS openray.service_map_local ON CLUSTER 'main' (
  -- Sharded by place, which is always 0: a block is one part, and with it what is counted and up to where.
  place UInt8,
  period_s UInt32,
  ends_us UInt64 CODEC(Delta, ZSTD(1)),
  from_key LowCardinality(String),
  key LowCardinality(String),
  type LowCardinality(String),
  traces SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  roots SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  clients SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  actives SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  passives SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  inferreds SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  oks SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  errors SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  throttles SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  faults SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  response_us SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  first_us SimpleAggregateFunction(min, UInt64) CODEC(ZSTD(1)),
  last_us SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1)),
  responses SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(1)),
  durations SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(1)),
  aliases SimpleAggregateFunction(sumMap, Map(String, Int64)) CODEC(ZSTD(1)),
  ages SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(1)),
  batch SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1))
)
ENGINE = ReplicatedAggregatingMergeTree('/openray/{database}/{table}/{shard}', '{replica}')
ORDER BY (period_s, ends_us, from_key, key, type, place)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS openray.service_map ON CLUSTER 'main' (
  place UInt8,
  period_s UInt32,
  ends_us UInt64 CODEC(Delta, ZSTD(1)),
  from_key LowCardinality(String),
  key LowCardinality(String),
  type LowCardinality(String),
  traces SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  roots SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  clients SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  actives SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  passives SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  inferreds SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  oks SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  errors SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  throttles SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  faults SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  response_us SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
  first_us SimpleAggregateFunction(min, UInt64) CODEC(ZSTD(1)),
  last_us SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1)),
  responses SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(1)),
  durations SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(1)),
  aliases SimpleAggregateFunction(sumMap, Map(String, Int64)) CODEC(ZSTD(1)),
  ages SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(1)),
  batch SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1))
)
ENGINE = Distributed('main', 'openray', 'service_map_local', place);

-- 0005_merge_less.sql;

ALTER TABLE openray.documents_local ON CLUSTER 'main' MODIFY SETTING min_parts_to_merge_at_once = 10;

ALTER TABLE openray.entities_local ON CLUSTER 'main' MODIFY SETTING min_parts_to_merge_at_once = 10;

-- 0006_insert_tokens.sql;

ALTER TABLE openray.documents_local ON CLUSTER 'main' MODIFY SETTING non_replicated_deduplication_window = 1000;

ALTER TABLE openray.entities_local ON CLUSTER 'main' MODIFY SETTING non_replicated_deduplication_window = 1000;

-- 0007_span_bytes.sql;

ALTER TABLE openray.documents_local ON CLUSTER 'main' MODIFY COLUMN IF EXISTS format COMMENT 'xray, otlp-protobuf, otlp (older spans, as JSON), otlp-log';

ALTER TABLE openray.documents ON CLUSTER 'main' MODIFY COLUMN IF EXISTS format COMMENT 'xray, otlp-protobuf, otlp (older spans, as JSON), otlp-log';

-- 0008_trace_summaries.sql;

CREATE TABLE IF NOT EXISTS openray.trace_summaries_local ON CLUSTER 'main' (
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
ENGINE = ReplicatedReplacingMergeTree('/openray/{database}/{table}/{shard}', '{replica}', version, is_deleted)
ORDER BY (start_us, trace_id)
SETTINGS index_granularity = 1024, min_parts_to_merge_at_once = 10, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS openray.trace_summaries ON CLUSTER 'main' (
  start_us UInt64 CODEC(Delta, ZSTD(1)),
  trace_id FixedString(16),
  version UInt64 CODEC(Delta, ZSTD(1)),
  is_deleted UInt8,
  first_seq UInt64 CODEC(Delta, ZSTD(1)),
  last_seq UInt64 CODEC(Delta, ZSTD(1)),
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
  service_names Array(LowCardinality(String)),
  service_types Array(LowCardinality(String)),
  service_accounts Array(LowCardinality(String)),
  service_kinds Array(UInt8) CODEC(ZSTD(1)),
  service_outcomes Array(UInt8) CODEC(ZSTD(1)),
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
  exact String CODEC(ZSTD(1))
)
ENGINE = Distributed('main', 'openray', 'trace_summaries_local', cityHash64(trace_id));

-- 0009_span_texts.sql;

-- 0010_fewer_bytes.sql;

ALTER TABLE openray.entities_local ON CLUSTER 'main' MODIFY SETTING text_index_posting_list_codec = 'bitpacking';

ALTER TABLE openray.entities_local ON CLUSTER 'main' MODIFY SETTING vertical_merge_algorithm_min_rows_to_activate = 16384;

ALTER TABLE openray.entities_local ON CLUSTER 'main'
  MODIFY COLUMN IF EXISTS annotations_string Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
  MODIFY COLUMN IF EXISTS annotations_number Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
  MODIFY COLUMN IF EXISTS annotations_bool Map(LowCardinality(String), Bool) CODEC(ZSTD(1)),
  MODIFY COLUMN IF EXISTS attributes Array(LowCardinality(String)) CODEC(ZSTD(1))
  SETTINGS alter_sync = 0;

ALTER TABLE openray.entities ON CLUSTER 'main' MODIFY COLUMN IF EXISTS annotations_string Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)), MODIFY COLUMN IF EXISTS annotations_number Map(LowCardinality(String), Float64) CODEC(ZSTD(1)), MODIFY COLUMN IF EXISTS annotations_bool Map(LowCardinality(String), Bool) CODEC(ZSTD(1)), MODIFY COLUMN IF EXISTS attributes Array(LowCardinality(String)) CODEC(ZSTD(1))
  SETTINGS alter_sync = 0;

-- 0011_packed_spans.sql;

ALTER TABLE openray.documents_local ON CLUSTER 'main'
  ADD COLUMN IF NOT EXISTS shared LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS name LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS kind UInt8 CODEC(ZSTD(1));

ALTER TABLE openray.documents ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS shared LowCardinality(String) CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS name LowCardinality(String) CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS kind UInt8 CODEC(ZSTD(1));

ALTER TABLE openray.documents_local ON CLUSTER 'main' MODIFY COLUMN IF EXISTS format COMMENT 'xray, otlp-packed, otlp-protobuf (spans that cannot be packed), otlp (older spans, as JSON), otlp-log';

ALTER TABLE openray.documents ON CLUSTER 'main' MODIFY COLUMN IF EXISTS format COMMENT 'xray, otlp-packed, otlp-protobuf (spans that cannot be packed), otlp (older spans, as JSON), otlp-log';

-- 0012_cheaper_merges.sql;

ALTER TABLE openray.entities_local ON CLUSTER 'main' MODIFY SETTING merge_selector_base = 7;

ALTER TABLE openray.documents_local ON CLUSTER 'main' MODIFY SETTING merge_selector_base = 7;

ALTER TABLE openray.entities_local ON CLUSTER 'main' MODIFY SETTING min_rows_for_wide_part = 16384, min_bytes_for_wide_part = 0, min_level_for_wide_part = 1;

-- 0013_attribute_shapes.sql;

ALTER TABLE openray.documents_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS shape LowCardinality(String) CODEC(ZSTD(1));

ALTER TABLE openray.documents ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS shape LowCardinality(String) CODEC(ZSTD(1));

ALTER TABLE openray.documents_local ON CLUSTER 'main'
  MODIFY COLUMN IF EXISTS seq UInt64 CODEC(Delta(8), T64, ZSTD(1)),
  MODIFY COLUMN IF EXISTS end_us UInt64 CODEC(Delta(8), T64, ZSTD(1));

ALTER TABLE openray.documents ON CLUSTER 'main' MODIFY COLUMN IF EXISTS seq UInt64 CODEC(Delta(8), T64, ZSTD(1)), MODIFY COLUMN IF EXISTS end_us UInt64 CODEC(Delta(8), T64, ZSTD(1));

ALTER TABLE openray.entities_local ON CLUSTER 'main'
  MODIFY COLUMN IF EXISTS seq UInt64 CODEC(Delta(8), T64, ZSTD(1)),
  MODIFY COLUMN IF EXISTS end_us UInt64 CODEC(Delta(8), T64, ZSTD(1));

ALTER TABLE openray.entities ON CLUSTER 'main' MODIFY COLUMN IF EXISTS seq UInt64 CODEC(Delta(8), T64, ZSTD(1)), MODIFY COLUMN IF EXISTS end_us UInt64 CODEC(Delta(8), T64, ZSTD(1));

ALTER TABLE openray.service_map_local ON CLUSTER 'main'
  MODIFY COLUMN IF EXISTS responses SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(3)),
  MODIFY COLUMN IF EXISTS durations SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(3));

ALTER TABLE openray.service_map ON CLUSTER 'main' MODIFY COLUMN IF EXISTS responses SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(3)), MODIFY COLUMN IF EXISTS durations SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(3));

-- 0014_cheaper_look_ups.sql;

ALTER TABLE openray.documents_local ON CLUSTER 'main' MODIFY SETTING min_compress_block_size = 16384;

ALTER TABLE openray.documents_local ON CLUSTER 'main' ADD INDEX IF NOT EXISTS format_set format TYPE set(8) GRANULARITY 64;

ALTER TABLE openray.documents_local ON CLUSTER 'main' MATERIALIZE INDEX IF EXISTS format_set;

-- 0015_old_parts.sql;

ALTER TABLE openray.documents_local ON CLUSTER 'main' MODIFY SETTING
  old_parts_lifetime = 30, cleanup_delay_period = 10, max_cleanup_delay_period = 10, cleanup_delay_period_random_add = 0;

ALTER TABLE openray.entities_local ON CLUSTER 'main' MODIFY SETTING
  old_parts_lifetime = 30, cleanup_delay_period = 10, max_cleanup_delay_period = 10, cleanup_delay_period_random_add = 0;

ALTER TABLE openray.trace_summaries_local ON CLUSTER 'main' MODIFY SETTING
  old_parts_lifetime = 30, cleanup_delay_period = 10, max_cleanup_delay_period = 10, cleanup_delay_period_random_add = 0;

ALTER TABLE openray.service_map_local ON CLUSTER 'main' MODIFY SETTING
  old_parts_lifetime = 30, cleanup_delay_period = 10, max_cleanup_delay_period = 10, cleanup_delay_period_random_add = 0;
