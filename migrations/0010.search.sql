-- depends: 0006.accounts
-- What lists and search find records by, besides their numbers.

-- For lists in order of creation. Nothing in it ever changes, so updates stay heap-only.
create index record_created_idx on core.record (workspace_id, collection, created_at, number);
