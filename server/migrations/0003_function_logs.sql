-- What local functions and Lambda around them printed, a row each log event. at_us is unique for each sender, so that
-- a reader can go on behind the last one it saw. Zero bytes in trace_id and the empty string stand for "none".
CREATE TABLE IF NOT EXISTS function_logs (
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
ENGINE = MergeTree
PARTITION BY intDiv(at_us, 86400000000)
ORDER BY (function_name, at_us)
TTL toDateTime(intDiv(at_us, 1000000)) + INTERVAL 30 DAY;
