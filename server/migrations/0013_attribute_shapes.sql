-- The keys of the attributes of a span, and the types of their values, are in a dictionary, and their values in `body`:
-- see model/otlp/wire/attribute-shape.ts. Rows of earlier versions have an empty shape, and stay as they are. This
-- version of the schema keeps older servers out, which do not read the shape.
ALTER TABLE documents ADD COLUMN IF NOT EXISTS shape LowCardinality(String) CODEC(ZSTD(1));

-- Differences take as many bits as the largest of 64 neighbours needs. Merges write the new form; no part is rewritten.
ALTER TABLE documents
  MODIFY COLUMN IF EXISTS seq UInt64 CODEC(Delta(8), T64, ZSTD(1)),
  MODIFY COLUMN IF EXISTS end_us UInt64 CODEC(Delta(8), T64, ZSTD(1));

ALTER TABLE entities
  MODIFY COLUMN IF EXISTS seq UInt64 CODEC(Delta(8), T64, ZSTD(1)),
  MODIFY COLUMN IF EXISTS end_us UInt64 CODEC(Delta(8), T64, ZSTD(1));

-- Histograms of few requests: most of this table where few traces have many services.
ALTER TABLE service_map
  MODIFY COLUMN IF EXISTS responses SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(3)),
  MODIFY COLUMN IF EXISTS durations SimpleAggregateFunction(sumMap, Map(UInt64, Int64)) CODEC(ZSTD(3));
