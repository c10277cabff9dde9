"""Who owns and who may do what in the database, asked of the catalogue."""

from collections.abc import Callable
from typing import Any

import psycopg

from support import Database

Rows = Callable[..., list[Any]]

SCHEMAS = ["core", "logic", "api", "faces", "reporting"]


def test_the_owner_owns_every_object(rows: Rows) -> None:
    assert not rows(
        """
        select o.name
        from (
          select n.nspname::text, n.nspowner
          from pg_namespace n where n.nspname = any (%(schemas)s)
          union all
          select c.oid::regclass::text, c.relowner
          from pg_class c where c.relnamespace = any (%(schemas)s::regnamespace[])
          union all
          select p.oid::regprocedure::text, p.proowner
          from pg_proc p where p.pronamespace = any (%(schemas)s::regnamespace[])
          union all
          select t.oid::regtype::text, t.typowner
          from pg_type t where t.typnamespace = any (%(schemas)s::regnamespace[])
        ) o(name, owner)
        where o.owner <> 'rowcast_owner'::regrole
        """,
        {"schemas": SCHEMAS},
    )


def test_our_roles_are_no_superusers_and_bypass_nothing(rows: Rows) -> None:
    assert rows(
        """
        select rolname::text, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication
        from pg_roles where rolname ~ '^rowcast_(owner|server|analyst)$' order by 1
        """
    ) == [(f"rowcast_{name}", *[False] * 5) for name in ("analyst", "owner", "server")]


def test_the_owner_can_not_log_in(rows: Rows) -> None:
    assert rows("select rolcanlogin from pg_roles where rolname = 'rowcast_owner'") == [False]


def test_server_and_analyst_own_nothing_and_are_nobody_else(rows: Rows) -> None:
    assert not rows(
        """
        select pg_describe_object(classid, objid, objsubid)
        from pg_shdepend
        where deptype = 'o' and refclassid = 'pg_authid'::regclass
          and refobjid in ('rowcast_server'::regrole, 'rowcast_analyst'::regrole)
          and dbid = (select oid from pg_database where datname = current_database())
        """
    )
    assert not rows(
        """
        select roleid::regrole::text from pg_auth_members
        where member in ('rowcast_server'::regrole, 'rowcast_analyst'::regrole)
        """
    )


def test_the_server_can_create_nothing(rows: Rows) -> None:
    assert not rows(
        """
        select nspname::text from pg_namespace
        where has_schema_privilege('rowcast_server', oid, 'create') and nspname !~ '^pg_temp'
        """
    )
    assert rows(
        "select has_database_privilege('rowcast_server', current_database(), 'create')"
    ) == [False]


def test_the_server_writes_tables_through_these_columns_alone(rows: Rows) -> None:
    granted = rows(
        """
        select table_name || '.' || column_name || ' ' || lower(privilege_type)
        from information_schema.column_privileges
        where grantee in ('rowcast_server', 'rowcast_analyst', 'PUBLIC') and table_schema = 'core'
          and privilege_type <> 'SELECT'
        """
    )
    written = {
        "record insert": "workspace_id id collection data position created_at",
        "record update": "data position deleted_at",
        "comment insert": "workspace_id id record_id parent_id body",
        "comment update": "body deleted_at",
        "attachment insert": "workspace_id id record_id name type size sha256 storage_key",
        "attachment update": "deleted_at",
    }
    assert set(granted) == {
        f"{key.split()[0]}.{column} {key.split()[1]}"
        for key, columns in written.items()
        for column in columns.split()
    }
    assert not rows(
        """
        select table_name || ' ' || privilege_type from information_schema.table_privileges
        where grantee in ('rowcast_server', 'rowcast_analyst', 'PUBLIC') and table_schema = 'core'
          and privilege_type <> 'SELECT'
        """
    )


def test_not_everybody_may_connect(rows: Rows, shared_database: Database) -> None:
    """Asked of the template: a clone has the default privileges."""
    with psycopg.connect(shared_database.admin, dbname="rowcast_template") as connection:
        row = connection.execute(
            "select count(*) from pg_database d cross join aclexplode(d.datacl) g"
            " where d.datname = current_database() and g.grantee = 0"
        ).fetchone()
    assert row == (0,)
