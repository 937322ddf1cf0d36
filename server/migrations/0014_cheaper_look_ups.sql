-- A trace has a few rows, in one or two granules. Each column of them is in a block that is decompressed as a whole: of
-- 64 kB, thus of up to 30 granules of ids and times. Smaller blocks take 0.3 bytes a span more, and a read of 20 traces
-- half the time. Parts get them when they are written or merged.
ALTER TABLE documents MODIFY SETTING min_compress_block_size = 16384;

-- Searches look for log records, which are few or none: without the index they read the format of each document.
ALTER TABLE documents ADD INDEX IF NOT EXISTS format_set format TYPE set(8) GRANULARITY 64;

ALTER TABLE documents MATERIALIZE INDEX IF EXISTS format_set;
