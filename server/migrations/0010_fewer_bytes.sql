-- Rows that hold a token of the text index, as differences of as many bits as they need.
ALTER TABLE entities MODIFY SETTING text_index_posting_list_codec = 'bitpacking';

-- Merges column by column copy whole runs of rows. Row by row, each text below would be looked up in the dictionary.
-- Of small parts a merge by rows costs less.
ALTER TABLE entities MODIFY SETTING vertical_merge_algorithm_min_rows_to_activate = 16384;

-- Most texts occur in many rows. A dictionary in each part holds them once, and rows refer to it: 19 and not 34 bytes a
-- span for attributes. Parts of earlier versions are rewritten in the background, and converted by readers until then.
ALTER TABLE entities
  MODIFY COLUMN IF EXISTS annotations_string Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(1)),
  MODIFY COLUMN IF EXISTS annotations_number Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
  MODIFY COLUMN IF EXISTS annotations_bool Map(LowCardinality(String), Bool) CODEC(ZSTD(1)),
  MODIFY COLUMN IF EXISTS attributes Array(LowCardinality(String)) CODEC(ZSTD(1))
  SETTINGS alter_sync = 0;
