-- Parts that were merged stay for 30 s, since a failed write of a merge is found within seconds and then needs them.
-- The embedded engine keeps them for no time at all by default, and looks for them every 30 to 300 s: on the one hand
-- such a merge could lose rows, on the other the disk had twice the bytes for minutes.
ALTER TABLE documents MODIFY SETTING
  old_parts_lifetime = 30, cleanup_delay_period = 10, max_cleanup_delay_period = 10, cleanup_delay_period_random_add = 0;

ALTER TABLE entities MODIFY SETTING
  old_parts_lifetime = 30, cleanup_delay_period = 10, max_cleanup_delay_period = 10, cleanup_delay_period_random_add = 0;

ALTER TABLE trace_summaries MODIFY SETTING
  old_parts_lifetime = 30, cleanup_delay_period = 10, max_cleanup_delay_period = 10, cleanup_delay_period_random_add = 0;

ALTER TABLE service_map MODIFY SETTING
  old_parts_lifetime = 30, cleanup_delay_period = 10, max_cleanup_delay_period = 10, cleanup_delay_period_random_add = 0;
