drop index core.record_created_idx;
