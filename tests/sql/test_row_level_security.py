"""Row-level security by itself: what the server's role reaches once it has entered."""

import json
import uuid
from typing import Any

import psycopg
import pytest
from psycopg import sql

from support import Database

TENANT_TABLES = [
    "workspace",
    "clock",
    "role",
    "member",
    "collection",
    "field",
    "record",
    "comment",
    "transaction",
    "change",
    "invitation",
    "attachment",
    "search_entry",
    "search_head",
]
# What belongs to accounts or to the installation: open to the server's role in no workspace.
COMMON_TABLES = [
    "account",
    "template",
    "session",
    "refresh_token",
    "one_time_token",
    "ticket",
    "attempt",
    "mail",
]
TABLES = [*TENANT_TABLES, *COMMON_TABLES]


def contents(database: Database, workspace: str) -> dict[str, str]:
    """What a workspace holds in each tenant table, hashed; the common tables whole."""
    with database.connect() as connection:
        found = {}
        for table in TABLES:
            row = connection.execute(
                sql.SQL(
                    "select count(*) || ' ' || md5(string_agg(t::text, ',' order by t::text))"
                    " from core.{} t {}"
                ).format(sql.Identifier(table), where(table, workspace))
            ).fetchone()
            assert row is not None
            found[table] = row[0]
    return found


def count(table: str) -> str:
    """The query for the number of rows of a table."""
    return sql.SQL("select count(*) from core.{}").format(sql.Identifier(table)).as_string()


@pytest.fixture(params=["as granted", "with every privilege"])
def tenants(request: pytest.FixtureRequest, database: Database) -> tuple[str, str]:
    """Ada's workspace and Bob's, with something in every table.

    With every privilege on every table, nothing but row-level security is left.
    """
    mine, theirs = database.workspace("Ada"), database.workspace("Bob")
    for workspace, owner in ((mine, "Ada"), (theirs, "Bob")):
        for n in range(3):
            task = database.task(workspace, actor=owner, title=f"{n}")["id"]
        database.call(
            "comment_create", workspace, actor=owner, arguments={"id": task, "body": "theirs"}
        )
        database.attachment(workspace, task, owner)
        database.call(
            "invitation_create",
            workspace,
            actor=owner,
            arguments={"email": f"new@{owner}.example", "role": "viewer"},
        )
        opened = database.open_session(owner)
        database.run(
            "insert into core.ticket values (%s, %s, now() + interval '1 hour')",
            owner.encode(),
            opened,
        )
        database.run(
            "select trusted.registration_request(%s, 'New', 'hash', '127.0.0.1')",
            f"newer@{owner}.example",
        )
    database.run("select trusted.search_index(%s)", [mine, theirs])
    assert not [table for table in TABLES if not database.value(count(table))], "all are filled"
    if request.param == "with every privilege":
        database.run("grant all on all tables in schema core to rowcast_server")
        database.run("revoke all on core.bundle, core.bundle_object from rowcast_server")
    return mine, theirs


def test_the_tables_here_are_all_tables_of_data(database: Database) -> None:
    rows = database.run(
        "select relname::text from pg_class where relnamespace = 'core'::regnamespace"
        " and relkind in ('r', 'p') and relrowsecurity"
    )
    assert {name for (name,) in rows} == set(TABLES)


def rows_or_refused(connection: psycopg.Connection[Any], query: sql.Composed) -> Any:
    """The rows of a statement in a subtransaction; None where it is refused."""
    try:
        with connection.transaction():
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else cursor.rowcount
    except psycopg.errors.InsufficientPrivilege:
        return None


UPDATES = {
    "workspace": "name = 'mine now'",
    "clock": "floor = 99",
    "role": "read = '{*}'",
    "member": "role = 'owner'",
    "collection": "label = 'mine now'",
    "field": "label = 'mine now'",
    "record": 'data = \'{"title": "mine now"}\'',
    "comment": "body = 'mine now'",
    "transaction": "last_seq = 0",
    "change": "patch = '{}'",
    "invitation": "role = 'owner'",
    "attachment": "deleted_at = now()",
    "search_entry": "words = 'mine'",
    "search_head": "seq = 0",
    "account": "name = 'mine now'",
    "template": "definition = '{}'",
    "session": "scopes = null",
    "refresh_token": "used_at = null",
    "one_time_token": "used_at = null",
    "ticket": "expires_at = 'infinity'",
    "attempt": "full_at = '-infinity'",
    "mail": "address = 'mine@example.org'",
}


def attack(database: Database, connection: psycopg.Connection[Any], theirs: str) -> set[str]:
    """Bare statements on every table; the workspaces that could be seen."""
    seen: set[str] = set()
    for table in TABLES:
        name = sql.Identifier(table)
        found = rows_or_refused(
            connection, sql.SQL("select to_jsonb(t) from core.{} t").format(name)
        )
        for (row,) in found or []:
            seen.add(row.get("workspace_id", table))
        row = database.value(
            sql.SQL("select to_jsonb(t)::text from core.{} t {} limit 1")
            .format(name, where(table, theirs))
            .as_string()
        )
        columns = database.value(
            "select string_agg(quote_ident(attname), ', ') from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and attidentity = ''"
            " and not attisdropped",
            f"core.{table}",
        )
        query = sql.SQL(
            "insert into core.{0} ({1}) select {1} from jsonb_populate_record(null::core.{0}, {2})"
        ).format(name, sql.SQL(columns), renamed(row))
        assert rows_or_refused(connection, query) is None, f"inserted into {table}"
        rows_or_refused(
            connection, sql.SQL("update core.{} set {}").format(name, sql.SQL(UPDATES[table]))
        )
        rows_or_refused(connection, sql.SQL("delete from core.{}").format(name))
    return seen


def where(table: str, workspace: str) -> sql.Composed:
    """What picks the rows of a workspace; of a common table all."""
    if table not in TENANT_TABLES:
        return sql.Composed([])
    return sql.SQL("where workspace_id = {}").format(workspace)


def renamed(row: str) -> str:
    """A row under another name, so that no unique index refuses it before the policy does."""
    another: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "key": "another",
        "storage_key": "another",
        "seq": 10_000,
        "hash": "\\x00",
        "secret_hash": "\\x00",
        "email": "another@example.org",
    }
    value = json.loads(row)
    return json.dumps({key: another.get(key, value[key]) for key in value})


def test_having_entered_one_workspace_no_statement_reaches_another(
    database: Database, tenants: tuple[str, str]
) -> None:
    mine, theirs = tenants
    before = contents(database, theirs)
    with database.connect_server() as connection:
        connection.execute("begin")
        connection.execute("select logic.enter(%s, %s)", [mine, database.account("Ada")])
        seen = attack(database, connection, theirs)
        connection.execute("commit")
    assert seen == {mine}
    assert contents(database, theirs) == before
    titles = database.run(
        "select distinct data ->> 'title' from core.record where workspace_id = %s", mine
    )
    assert titles == [("mine now",)], "the bare update reached what it may"


def test_having_entered_nothing_nothing_is_seen_or_changed(
    database: Database, tenants: tuple[str, str]
) -> None:
    before = [contents(database, workspace) for workspace in tenants]
    with database.connect_server() as connection:
        connection.execute("begin")
        assert attack(database, connection, tenants[1]) == set()
        connection.execute("commit")
    assert [contents(database, workspace) for workspace in tenants] == before


def test_with_a_workspace_named_but_no_rights_entered_no_record_is_seen(
    database: Database, tenants: tuple[str, str]
) -> None:
    with database.connect_server() as connection, connection.transaction():
        connection.execute("select set_config('rowcast.workspace', %s, true)", [tenants[1]])
        assert connection.execute("select count(*) from core.record").fetchone() == (0,)
        updated = connection.execute("update core.record set data = '{}'")
        assert updated.rowcount == 0


@pytest.mark.parametrize(
    ("role", "seen"), [("owner", 1), ("admin", 1), ("editor", 0), ("commenter", 0), ("viewer", 0)]
)
def test_invitations_are_seen_by_who_manages_the_workspace_alone(
    database: Database, tenants: tuple[str, str], role: str, seen: int
) -> None:
    mine, _ = tenants
    account = database.join(mine, "Dan", role)
    with database.connect_server() as connection, connection.transaction():
        connection.execute("select logic.enter(%s, %s)", [mine, account])
        assert connection.execute("select count(*) from core.invitation").fetchone() == (seen,)


def test_the_server_has_no_way_to_truncate_or_copy_into(database: Database) -> None:
    database.workspace()
    for statement in (
        "truncate core.record",
        "copy core.record from stdin",
        "delete from core.record",
    ):
        with (
            database.connect_server() as connection,
            pytest.raises(
                (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)
            ),
        ):
            connection.execute(statement.encode())


def test_a_comment_is_written_and_changed_under_the_own_name_and_rights_alone(
    database: Database, tenants: tuple[str, str]
) -> None:
    """Bare statements, behind no function's check."""
    mine, _ = tenants
    hers = database.value("select id from core.comment where workspace_id = %s", mine)
    record = database.value("select record_id from core.comment where id = %s", hers)
    insert = sql.SQL("insert into core.comment ({}) values ({})")
    names = sql.SQL("workspace_id, record_id, body")
    values = sql.SQL(", ").join([mine, str(record), "bare"])

    def reached(role: str, name: str) -> tuple[Any, ...]:
        account = database.join(mine, name, role)
        with database.connect_server() as connection, connection.transaction():
            connection.execute("select logic.enter(%s, %s)", [mine, account])
            seen = connection.execute("select count(*) from core.comment").fetchone()
            edit = sql.SQL("update core.comment set body = {} where id = {}")
            delete = sql.SQL("update core.comment set deleted_at = now() where id = {}")
            assert seen is not None
            edited: int | str | None
            try:
                with connection.transaction():
                    edited = connection.execute(edit.format("mine now", str(hers))).rowcount
            except psycopg.Error as refused:
                edited = refused.sqlstate
            return (
                seen[0],
                rows_or_refused(connection, insert.format(names, values)),
                edited,
                rows_or_refused(connection, delete.format(str(hers))),
            )

    assert reached("viewer", "Vic") == (1, None, 0, 0)
    assert reached("commenter", "Cora") == (1, 1, 0, 0)
    assert reached("admin", "Abe") == (2, 1, "PT403", 1)
    authors = "select distinct author_id::text from core.comment where body = 'bare'"
    assert {author for (author,) in database.run(authors)} == {
        database.account("Cora"),
        database.account("Abe"),
    }
    database.run(
        "insert into core.role (workspace_id, key, label, read, may)"
        " values (%s, 'own', 'Own', '{task:own}', '{comment:*}')",
        mine,
    )
    assert reached("own", "Bob") == (0, None, 0, 0), "who may not read, may not comment"
