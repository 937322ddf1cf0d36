-- Ids are the raw bytes of their hex form: read with lower(hex(trace_id)), compare with unhex('…').
-- Times are whole microseconds since 1970. seq orders documents by arrival; day = intDiv(seq, 86400000000).

-- Every document as it was received. The key holds seq, so that merges drop only what an insert that was tried
-- twice has doubled: repeated and re-sent documents are resolved when a trace is put together, and must give
-- the same answer (revision included) before and after a merge.
CREATE TABLE IF NOT EXISTS documents (
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
ENGINE = ReplacingMergeTree
PARTITION BY intDiv(seq, 86400000000)
ORDER BY (trace_id, id, seq)
SETTINGS index_granularity = 256;

-- One row an entity of every document, inline subsegments included, for finding. It says where to look and never
-- decides: documents do. So a row that an insert tried twice has doubled is as harmless as a re-sent document's.
-- Zero bytes stand for "no id", 0 in end_us for "unfinished", the empty string for "not sent".
-- LowCardinality only where rows are grouped or filtered by it: it costs time at insert and saves no bytes.
CREATE TABLE IF NOT EXISTS entities (
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
ENGINE = MergeTree
PARTITION BY intDiv(seq, 86400000000)
ORDER BY (intDiv(start_us, 3600000000), name, start_us);

-- When each trace began, ended and last changed. A view: the key of documents begins with trace_id, so that a
-- look-up by id reads a granule or two, and nothing has to be written twice.
CREATE VIEW IF NOT EXISTS traces AS
SELECT trace_id, min(start_us) AS start_us, max(end_us) AS end_us, max(seq) AS seq, count() AS documents
FROM documents
GROUP BY trace_id;

-- Small things that are changed by name: sampling rules, groups, what retention has pruned. Read with FINAL.
CREATE TABLE IF NOT EXISTS objects (
  kind LowCardinality(String),
  name String,
  version UInt64,
  is_deleted UInt8,
  body String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (kind, name);
