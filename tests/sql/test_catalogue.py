"""Rules for every table and every policy, asked of the catalogue."""

from collections.abc import Callable
from typing import Any

Rows = Callable[..., list[Any]]

SCHEMAS = ["core", "logic", "api", "faces", "reporting"]

# People and templates belong to no tenant; nor does what loader and migrations remember.
NO_TENANT = {
    "account",
    "session",
    "refresh_token",
    "one_time_token",
    "ticket",
    "attempt",
    "mail",
    "template",
    "bundle",
    "bundle_object",
}


def test_only_what_belongs_to_no_tenant_has_no_workspace(rows: Rows) -> None:
    without = rows(
        """
        select c.relname
        from pg_class c
        where c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p') and not exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id')
        """
    )
    assert {name for name in without if "yoyo" not in name} == NO_TENANT


def test_the_workspace_is_the_first_column_of_every_key(rows: Rows) -> None:
    """Primary keys, unique constraints and unique indexes, so that tenants can be distributed."""
    assert not rows(
        """
        select i.indexrelid::regclass::text
        from pg_index i
        join pg_class c on c.oid = i.indrelid and c.relnamespace = 'core'::regnamespace
        join pg_attribute w on w.attrelid = c.oid and w.attname = 'workspace_id'
        where i.indisunique and i.indkey[0] <> w.attnum
        """
    )
    assert not rows(
        """
        select c.relname
        from pg_class c
        join pg_attribute w on w.attrelid = c.oid and w.attname = 'workspace_id'
        where c.relnamespace = 'core'::regnamespace and c.relkind in ('r', 'p')
          and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
        """
    )


def test_every_foreign_key_stays_within_the_workspace(rows: Rows) -> None:
    keys = rows(
        """
        select k.conrelid::regclass || '.' || k.conname, a.attname, b.attname
        from pg_constraint k
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
        join pg_attribute b on b.attrelid = k.confrelid and b.attnum = k.confkey[1]
        where k.contype = 'f' and k.connamespace = 'core'::regnamespace
        """
    )
    assert keys
    between_accounts = [("account_id", "id"), ("session_id", "id")]
    allowed = [("workspace_id", "workspace_id"), *between_accounts]
    assert not [key for key in keys if key[1:] not in allowed]


def test_no_constraint_is_deferrable(rows: Rows) -> None:
    """A deferred one fails a whole batch at its commit."""
    assert not rows(
        """
        select k.conrelid::regclass || '.' || k.conname
        from pg_constraint k
        where k.connamespace = 'core'::regnamespace and k.condeferrable
        """
    )


def test_every_table_of_data_has_row_level_security(rows: Rows) -> None:
    without = rows(
        """
        select relname
        from pg_class
        where relnamespace = 'core'::regnamespace and relkind in ('r', 'p') and not relrowsecurity
        """
    )
    bookkeeping = {"bundle", "bundle_object"}
    assert {name for name in without if "yoyo" not in name} == bookkeeping
    assert not rows(
        """
        select table_name::text
        from information_schema.table_privileges
        where table_schema = 'core' and grantee in ('rowcast_server', 'rowcast_analyst', 'PUBLIC')
          and table_name = any (%s)
        """,
        without,
    )


def test_every_table_has_a_comment(rows: Rows) -> None:
    assert not rows(
        """
        select relname
        from pg_class
        where relnamespace = any (%s::regnamespace[]) and relkind in ('r', 'p', 'v', 'm')
          and relname !~ 'yoyo' and obj_description(oid, 'pg_class') is null
        """,
        SCHEMAS,
    )


def test_no_policy_reads_a_table(rows: Rows) -> None:
    assert rows("select count(*) from pg_policy") != [0]
    assert not rows(
        "select polname from pg_policy where concat(polqual::text, polwithcheck::text) ~ 'SUBLINK'"
    )


def test_no_function_of_a_policy_reads_a_table(rows: Rows) -> None:
    functions = rows(
        """
        select distinct d.refobjid::regprocedure::text, p.prosrc, p.prosecdef
        from pg_depend d
        join pg_proc p on p.oid = d.refobjid and p.pronamespace <> 'pg_catalog'::regnamespace
        where d.classid = 'pg_policy'::regclass and d.refclassid = 'pg_proc'::regclass
        """
    )
    assert functions
    assert not [name for name, text, definer in functions if " from " in text or definer]


def test_no_policy_asks_whether_a_record_is_deleted(rows: Rows) -> None:
    """A SELECT policy also judges the new row of the very update that deletes it."""
    assert not rows(
        """
        select policyname from pg_policies where concat(qual, with_check) ~ 'deleted_at'
        """
    )
