-- A span of the format `otlp-packed` has no copies of its ids, times, kind and name in `body`, and none of its resource:
-- see model/otlp/wire/packed-span.ts. Rows of the other formats have empty columns, and stay as they are. This version
-- of the schema keeps older servers out, which cannot read the new format.
ALTER TABLE documents
  ADD COLUMN IF NOT EXISTS shared LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS name LowCardinality(String) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS kind UInt8 CODEC(ZSTD(1));

ALTER TABLE documents MODIFY COLUMN IF EXISTS format COMMENT 'xray, otlp-packed, otlp-protobuf (spans that cannot be packed), otlp (older spans, as JSON), otlp-log';
