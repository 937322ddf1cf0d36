-- The tables as migrations 1 to 10 make them, for a new store: they take 28 statements. A test compares both.
-- A later migration runs after this file, which then needs no change.

CREATE TABLE IF NOT EXISTS documents
(
    `trace_id` FixedString(16),
    `id` FixedString(8),
    `seq` UInt64 CODEC(Delta(8), ZSTD(1)),
    `server` UInt32,
    `format` LowCardinality(String) COMMENT 'xray, otlp-protobuf, otlp (older spans, as JSON), otlp-log',
    `in_progress` Bool,
    `start_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `end_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `body` String CODEC(ZSTD(1)),
    `version` UInt64 ALIAS if(in_progress, seq, 18446744073709551615 - seq),
    INDEX seq_range seq TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(seq, 86400000000)
PRIMARY KEY (trace_id, id, seq)
ORDER BY (trace_id, id, seq, server)
SETTINGS index_granularity = 256, min_parts_to_merge_at_once = 10, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS entities
(
    `trace_id` FixedString(16) CODEC(ZSTD(1)),
    `id` FixedString(8) CODEC(ZSTD(1)),
    `parent_id` FixedString(8) CODEC(ZSTD(1)),
    `enclosing_id` FixedString(8) CODEC(ZSTD(1)),
    `document_id` FixedString(8) ALIAS if(enclosing_id = unhex('0000000000000000'), id, enclosing_id),
    `is_in_segment` Bool,
    `segment_id` FixedString(8) ALIAS if(is_in_segment, document_id, toFixedString('', 8)),
    `seq` UInt64 CODEC(Delta(8), ZSTD(1)),
    `is_segment` Bool,
    `is_root` Bool,
    `in_progress` Bool,
    `start_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `end_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `duration_us` UInt64 ALIAS if(end_us > start_us, end_us - start_us, 0),
    `name` LowCardinality(String),
    `origin` LowCardinality(String),
    `namespace` LowCardinality(String),
    `fault` Bool,
    `error` Bool,
    `throttle` Bool,
    `http_status` UInt16,
    `http_method` LowCardinality(String),
    `http_url` String CODEC(ZSTD(1)),
    `http_user_agent` String CODEC(ZSTD(1)),
    `http_client_ip` String CODEC(ZSTD(1)),
    `user` String CODEC(ZSTD(1)),
    `resource_arn` String CODEC(ZSTD(1)),
    `instance_id` String CODEC(ZSTD(1)),
    `availability_zone` String CODEC(ZSTD(1)),
    `account_id` String CODEC(ZSTD(1)),
    `annotations_string` Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
    `annotations_number` Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    `annotations_bool` Map(LowCardinality(String), Bool) CODEC(ZSTD(1)),
    `attributes` Array(LowCardinality(String)) CODEC(ZSTD(1)),
    INDEX attributes_text attributes TYPE text(tokenizer = 'array') GRANULARITY 100000000,
    INDEX end_range end_us TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY intDiv(seq, 86400000000)
ORDER BY (intDiv(start_us, 3600000000), name, start_us)
SETTINGS index_granularity = 8192, min_parts_to_merge_at_once = 10, non_replicated_deduplication_window = 1000, text_index_posting_list_codec = 'bitpacking', vertical_merge_algorithm_min_rows_to_activate = 16384;

CREATE TABLE IF NOT EXISTS function_logs
(
    `function_name` LowCardinality(String),
    `at_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `trace_id` FixedString(16) CODEC(ZSTD(1)),
    `request_id` String CODEC(ZSTD(1)),
    `log_group` LowCardinality(String),
    `log_stream` LowCardinality(String),
    `source` LowCardinality(String),
    `level` LowCardinality(String),
    `text` String CODEC(ZSTD(1)),
    INDEX of_trace trace_id TYPE bloom_filter GRANULARITY 4,
    INDEX of_request request_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY intDiv(at_us, 86400000000)
ORDER BY (function_name, at_us)
TTL toDateTime(intDiv(at_us, 1000000)) + toIntervalDay(30)
SETTINGS index_granularity = 8192;

CREATE TABLE IF NOT EXISTS objects
(
    `kind` LowCardinality(String),
    `name` String,
    `version` UInt64,
    `is_deleted` UInt8,
    `body` String CODEC(ZSTD(1)),
    `writer` String
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (kind, name)
SETTINGS index_granularity = 8192, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS service_map
(
    `place` UInt8,
    `period_s` UInt32,
    `ends_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `from_key` LowCardinality(String),
    `key` LowCardinality(String),
    `type` LowCardinality(String),
    `traces` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `roots` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `clients` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `actives` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `passives` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `inferreds` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `oks` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `errors` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `throttles` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `faults` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `response_us` SimpleAggregateFunction(sum, Int64) CODEC(ZSTD(1)),
    `first_us` SimpleAggregateFunction(min, UInt64) CODEC(ZSTD(1)),
    `last_us` SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1)),
    `responses` SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(1)),
    `durations` SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(1)),
    `aliases` SimpleAggregateFunction(sumMap, Map(String, Int64)) CODEC(ZSTD(1)),
    `ages` SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(1)),
    `batch` SimpleAggregateFunction(max, UInt64) CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (period_s, ends_us, from_key, key, type, place)
SETTINGS non_replicated_deduplication_window = 1000, index_granularity = 8192;

CREATE TABLE IF NOT EXISTS trace_summaries
(
    `start_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `trace_id` FixedString(16),
    `version` UInt64 CODEC(Delta(8), ZSTD(1)),
    `is_deleted` UInt8,
    `first_seq` UInt64 CODEC(Delta(8), ZSTD(1)),
    `last_seq` UInt64 CODEC(Delta(8), ZSTD(1)),
    `updated_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `documents` UInt32 CODEC(ZSTD(1)),
    `bytes` UInt64 CODEC(ZSTD(1)),
    `revision` UInt32 CODEC(ZSTD(1)),
    `segments` UInt32 CODEC(ZSTD(1)),
    `subsegments` UInt32 CODEC(ZSTD(1)),
    `root_start_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `end_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `has_duration` Bool,
    `duration_us` UInt64 CODEC(ZSTD(1)),
    `has_response` Bool,
    `response_us` UInt64 CODEC(ZSTD(1)),
    `has_root` Bool,
    `fault` Bool,
    `error` Bool,
    `throttle` Bool,
    `any_fault` Bool,
    `any_error` Bool,
    `any_throttle` Bool,
    `worst_outcome` LowCardinality(String),
    `is_partial` Bool,
    `has_inferred` Bool,
    `http_method` LowCardinality(String),
    `http_url` String CODEC(ZSTD(1)),
    `http_user_agent` String CODEC(ZSTD(1)),
    `http_client_ip` String CODEC(ZSTD(1)),
    `http_status` UInt16 CODEC(ZSTD(1)),
    `entry_name` LowCardinality(String),
    `entry_type` LowCardinality(String),
    `entry_account` LowCardinality(String),
    `service_names` Array(LowCardinality(String)),
    `service_types` Array(LowCardinality(String)),
    `service_accounts` Array(LowCardinality(String)),
    `service_kinds` Array(UInt8) CODEC(ZSTD(1)),
    `service_outcomes` Array(UInt8) CODEC(ZSTD(1)),
    `edge_from` Array(UInt32) CODEC(ZSTD(1)),
    `edge_to` Array(UInt32) CODEC(ZSTD(1)),
    `edge_outcomes` Array(UInt8) CODEC(ZSTD(1)),
    `users` Array(String) CODEC(ZSTD(1)),
    `resource_arns` Array(String) CODEC(ZSTD(1)),
    `instance_ids` Array(String) CODEC(ZSTD(1)),
    `availability_zones` Array(String) CODEC(ZSTD(1)),
    `account_ids` Array(String) CODEC(ZSTD(1)),
    `annotations_string` Map(String, Array(String)) CODEC(ZSTD(1)),
    `annotations_number` Map(String, Array(Float64)) CODEC(ZSTD(1)),
    `annotations_bool` Map(String, Array(Bool)) CODEC(ZSTD(1)),
    `root_causes` String CODEC(ZSTD(1)),
    `exact` String CODEC(ZSTD(1)),
    INDEX version_range version TYPE minmax GRANULARITY 1,
    INDEX first_seq_range first_seq TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (start_us, trace_id)
SETTINGS index_granularity = 1024, min_parts_to_merge_at_once = 10, non_replicated_deduplication_window = 1000;

CREATE VIEW IF NOT EXISTS traces
(
    `trace_id` FixedString(16),
    `start_us` UInt64,
    `end_us` UInt64,
    `seq` UInt64,
    `documents` UInt64
)
AS SELECT
    trace_id,
    min(start_us) AS start_us,
    max(end_us) AS end_us,
    max(seq) AS seq,
    count() AS documents
FROM documents
GROUP BY trace_id;
