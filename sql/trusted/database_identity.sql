-- What tells this database from every other one, also from a copy that was restored from its dump: the cluster, and its place there.
create or replace function trusted.database_identity() returns jsonb
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('id', c.system_identifier || '/' || d.oid)
  from pg_control_system() c, pg_database d
  where d.datname = current_database()
$$;
comment on function trusted.database_identity() is 'What tells this database from every other one.';
