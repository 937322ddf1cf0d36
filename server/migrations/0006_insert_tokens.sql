-- A block whose insert is repeated, after a failure or from the journal at the start, is stored once: of the inserts with
-- one token only the first takes effect, in each partition. The tokens of the last thousand inserts are known.
ALTER TABLE documents MODIFY SETTING non_replicated_deduplication_window = 1000;

ALTER TABLE entities MODIFY SETTING non_replicated_deduplication_window = 1000;
