-- The three roles of Rowcast. Roles belong to the whole cluster, not to one database: this file runs before every
-- migration, may run any number of times, and holds the cluster's advisory lock while it does (see schema.py).
-- rowcast_owner owns every object and can't log in; rowcast_server is what the process logs in as; rowcast_analyst is
-- the group of all analysts. None is a superuser, none bypasses row-level security.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'rowcast_owner') then
    create role rowcast_owner nologin;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'rowcast_server') then
    create role rowcast_server login noinherit connection limit -1;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'rowcast_analyst') then
    create role rowcast_analyst nologin;
  end if;
end
$$;

-- Whoever migrates must be able to act as the owner; a superuser is already.
do $$
begin
  if not pg_catalog.pg_has_role(current_user, 'rowcast_owner', 'member') then
    execute pg_catalog.format('grant rowcast_owner to %I', current_user);
  end if;
end
$$;

do $$
begin
  execute pg_catalog.format('revoke connect, temporary on database %I from public', current_database());
  execute pg_catalog.format('grant connect, create, temporary on database %I to rowcast_owner', current_database());
  execute pg_catalog.format('grant connect on database %I to rowcast_server, rowcast_analyst', current_database());
end
$$;

create schema if not exists core authorization rowcast_owner;
