-- Small parts are merged ten at a time and not three: what each insert brings is written again half as often, for a few
-- more parts to look at.
ALTER TABLE documents MODIFY SETTING min_parts_to_merge_at_once = 10;

ALTER TABLE entities MODIFY SETTING min_parts_to_merge_at_once = 10;
