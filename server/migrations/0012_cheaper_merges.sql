-- A merge rewrites its largest part only if all parts together are seven times as large, and not five times. The engine
-- adds 5 MB to the size of each part, so that every ten small blocks were merged with the larger part before them: under
-- light load that part, of up to 90,000 rows, was rewritten again and again.
ALTER TABLE entities MODIFY SETTING merge_selector_base = 7;

ALTER TABLE documents MODIFY SETTING merge_selector_base = 7;

-- Merges of this many rows go column by column, see 0010, for which the result needs a file for each column. It had them
-- from 10 MB on, that is from about 45,000 rows on. Inserted parts have one file for all columns, of any size.
ALTER TABLE entities MODIFY SETTING min_rows_for_wide_part = 16384, min_bytes_for_wide_part = 0, min_level_for_wide_part = 1;
