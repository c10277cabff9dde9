"""Migrations (server/rowcast/schema.py): again, back, at once, and after a killed one."""

import threading
import tomllib

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rowcast.resources import resource_directory
from rowcast.schema import migrate, rollback
from support import Database

CATALOGUE = """
select array_agg(o.text order by o.text) from (
  select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
    || coalesce(column_default, '')
  from information_schema.columns where table_schema = 'core'
  union all
  select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
  from pg_constraint where connamespace = 'core'::regnamespace
  union all
  select indexrelid::regclass || ' ' || pg_get_indexdef(indexrelid)
  from pg_index i join pg_class c on c.oid = i.indrelid where c.relnamespace = 'core'::regnamespace
  union all
  select tablename || ' ' || policyname || ' ' || concat(cmd, qual, with_check)
  from pg_policies where schemaname = 'core'
  union all
  select p.oid::regprocedure || md5(pg_get_functiondef(p.oid)) || coalesce(p.proacl::text, '')
  from pg_proc p where p.pronamespace = any ('{core,logic,api,faces,reporting}'::regnamespace[])
  union all
  select tgrelid::regclass || ' ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  union all
  select nspname || coalesce(nspacl::text, '') from pg_namespace where nspname !~ '^pg_'
  union all
  select relname || coalesce(relacl::text, '') || relrowsecurity
  from pg_class where relnamespace = 'core'::regnamespace
  union all
  select attrelid::regclass || '.' || attname || attacl::text
  from pg_attribute where attacl is not null
) o(text)
"""


def test_migrating_again_does_nothing(database: Database) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    before = database.value(CATALOGUE)
    assert migrate(database.admin) == []
    assert database.value(CATALOGUE) == before
    assert database.read("record_get", workspace, id=task["id"])["data"] == {"title": "One"}


def test_everything_goes_back_and_comes_again(database: Database) -> None:
    database.task(database.workspace(), title="One")
    before = database.value(CATALOGUE)
    undone = rollback(database.admin)
    assert undone == sorted(undone, reverse=True)
    left = database.run(
        "select relname::text from pg_class where relnamespace = 'core'::regnamespace"
        " and relkind = 'r' and relname !~ 'yoyo'"
    )
    assert left == []
    assert database.value("select to_regnamespace('logic') is null")
    assert migrate(database.admin) != []
    assert database.value(CATALOGUE) == before
    database.accounts.clear()
    assert database.task(database.workspace(), title="Two")["displayId"] == "TSK-001-0001"


def test_every_migration_has_a_rollback() -> None:
    directory = resource_directory("migrations")
    names = {path.name for path in directory.glob("*.sql")}
    forward = {name for name in names if ".rollback." not in name}
    assert {name.replace(".sql", ".rollback.sql") for name in forward} == names - forward


def test_a_lock_that_a_killed_migration_left_blocks_nobody(database: Database) -> None:
    table = database.value("select oid::regclass::text from pg_class where relname = 'yoyo_lock'")
    database.run(f"insert into {table} values (1, now(), 999999)")  # noqa: S608
    assert migrate(database.admin) == []
    assert database.value(f"select count(*) from {table}") == 0  # noqa: S608


def test_two_migrations_at_once_do_it_once(database: Database) -> None:
    rollback(database.admin)
    together = threading.Barrier(2)
    done: list[list[str]] = []

    def run() -> None:
        together.wait(20)
        done.append(migrate(database.admin))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(bool, done)) == [False, True]


def test_the_templates_are_stored_as_their_files_say(database: Database) -> None:
    standard = tomllib.loads((resource_directory("templates") / "standard/roles.toml").read_text())
    definitions = {
        definition["key"]: definition | {"roles": standard["roles"] + definition.get("roles", [])}
        for definition in (
            tomllib.loads(path.read_text())
            for path in sorted(resource_directory("templates").glob("*.toml"))
        )
    }
    assert definitions
    stored = "select jsonb_object_agg(key, definition) from core.template"
    assert database.value(stored) == definitions
    database.run("update core.template set definition = '{}'")
    migrate(database.admin)
    assert database.value(stored) == definitions


def test_the_password_of_the_server_is_set_and_else_left(database: Database) -> None:
    """On the shared cluster: it is set back before anybody else looks."""
    migrate(database.admin)
    with database.connect_server() as connection:
        assert connection.execute("select current_user").fetchone() == ("rowcast_server",)
    password = database.value("select rolpassword from pg_authid where rolname = 'rowcast_server'")
    assert password.startswith("SCRAM-SHA-256$")


def test_the_server_itself_can_not_migrate(database: Database) -> None:
    with pytest.raises(psycopg.Error) as caught:
        migrate(make_conninfo(database.server))
    assert caught.value.sqlstate == "42501"
