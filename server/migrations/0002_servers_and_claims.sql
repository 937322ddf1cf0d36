-- Several servers on one store may give two versions of a document the same seq. Which server took it tells them
-- apart: a number that each draws when it starts, so that merges never take one version for a repeat of the other.
ALTER TABLE documents ADD COLUMN IF NOT EXISTS server UInt32 AFTER seq, MODIFY ORDER BY (trace_id, id, seq, server);

-- An insert with a token that one of the last thousand had is dropped, which is how one of several servers wins.
ALTER TABLE objects MODIFY SETTING non_replicated_deduplication_window = 1000;

-- Who wrote a version: by this a server knows whether it won.
ALTER TABLE objects ADD COLUMN IF NOT EXISTS writer String;
