-- Ends lie close together where starts do, by which rows are sorted: windows of ends skip all other granules.
ALTER TABLE entities ADD INDEX IF NOT EXISTS end_range end_us TYPE minmax GRANULARITY 1;

ALTER TABLE entities MATERIALIZE INDEX IF EXISTS end_range;

-- What ended in each minute, ten minutes, hour and day, a row a service (from_key is empty) or a call: sums of the
-- graphs of traces as they were when `batch` was the last document, see query/roll-up.ts. A period ends with `ends_us`
-- and holds it. The row of period 0 is there for its batch alone, up to which everything is counted.
CREATE TABLE IF NOT EXISTS service_map (
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
ENGINE = AggregatingMergeTree
ORDER BY (period_s, ends_us, from_key, key, type, place)
SETTINGS non_replicated_deduplication_window = 1000;
