"""Comments written as psql does: counted, logged, bounded, and in step with their record."""

import threading
import time
import uuid
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from record_table import Table
from support import Database


def say(table: Table, record: str, body: str = "Why?", **more: Any) -> str:
    """A new comment, as psql writes it; its id."""
    values = {"workspace_id": table.workspace, "record_id": record, "body": body, **more}
    marks = ", ".join(["%s"] * len(values))
    return str(
        table.database.value(
            f"insert into core.comment ({', '.join(values)}) values ({marks}) returning id",  # noqa: S608
            *values.values(),
        )
    )


def comment(database: Database, ident: str) -> dict[str, Any]:
    """A comment as it stands."""
    row: dict[str, Any] = database.value(
        "select to_jsonb(c) from core.comment c where id = %s", ident
    )
    return row


def refused(database: Database, statement: str, *parameters: Any) -> tuple[str | None, str | None]:
    """SQLSTATE and code of a statement that fails."""
    with pytest.raises(psycopg.Error) as failed:
        database.run(statement, *parameters)
    return failed.value.sqlstate, failed.value.diag.message_hint


def test_a_comment_is_counted_and_logged_and_is_no_version_of_its_record(
    table: Table, database: Database
) -> None:
    record = table.insert(title="One")
    before = table.row(record)
    ident = say(table, record, author_id=database.account("Ada"))
    assert table.row(record) == before | {"comment_count": 1}
    change = table.log()[-1]
    assert (change["action"], change["version"], change["before"]) == ("comment", None, None)
    assert (change["collection"], change["record_id"]) == ("task", record)
    assert change["audience_before"] == change["audience_after"] == before["audience"]
    facts = change["patch"]["comment"]
    assert change["patch"]["event"] == "comment-created"
    assert (facts["id"], facts["body"], facts["parentId"]) == (ident, "Why?", None)
    assert facts["authorId"] == database.account("Ada"), "an id, no name"
    assert table.seqs() == list(range(1, len(table.seqs()) + 1))


def test_what_was_said_before_stands_in_the_log_and_a_deletion_leaves_the_thread(
    table: Table, database: Database
) -> None:
    record = table.insert(title="One")
    ident = say(table, record)
    reply = say(table, record, "Because.", parent_id=ident)
    database.run("update core.comment set body = 'Why not?' where id = %s", ident)
    database.run("delete from core.comment where id = %s", ident)
    assert table.row(record)["comment_count"] == 1
    edited, deleted = table.log()[-2:]
    assert edited["patch"]["event"] == "comment-updated"
    assert edited["patch"]["comment"]["editedAt"] is not None
    assert edited["before"]["comment"]["body"] == "Why?"
    assert deleted["patch"]["event"] == "comment-deleted"
    assert deleted["patch"]["comment"]["body"] is None
    assert deleted["before"]["comment"]["body"] == "Why not?"
    assert comment(database, reply)["parent_id"] == ident
    database.run("delete from core.comment where id = %s", ident)
    assert len(table.log()) == 5, "it is deleted already"
    database.run("update core.comment set deleted_at = null where id = %s", ident)
    back = table.log()[-1]["patch"]
    assert (back["event"], back["comment"]["body"]) == ("comment-updated", "Why not?")
    assert table.row(record)["comment_count"] == 2


def test_a_write_that_changes_nothing_is_not_logged(table: Table, database: Database) -> None:
    record = table.insert(title="One")
    ident = say(table, record)
    before = table.log(), comment(database, ident)
    database.run("update core.comment set body = body where id = %s", ident)
    assert (table.log(), comment(database, ident)) == before


@pytest.mark.parametrize("body", ["", "  ", "\n\t\u00a0", "x" * 20_001])
def test_what_a_comment_says_has_bounds(table: Table, database: Database, body: str) -> None:
    record = table.insert()
    ident = say(table, record, "x" * 20_000)
    insert = "insert into core.comment (workspace_id, record_id, body) values (%s, %s, %s)"
    invalid = ("PT422", "invalid_comment")
    assert refused(database, insert, table.workspace, record, body) == invalid
    assert refused(database, "update core.comment set body = %s", body) == invalid
    assert comment(database, ident)["body"] == "x" * 20_000
    assert table.row(record)["comment_count"] == 1


def test_where_a_comment_stands_never_changes(table: Table, database: Database) -> None:
    record, other = table.insert(), table.insert()
    say(table, record)
    for assignment in (
        f"record_id = '{other}'",
        "id = gen_random_uuid()",
        "parent_id = id",
        "author_id = gen_random_uuid()",
        "created_at = now()",
    ):
        statement = f"update core.comment set {assignment}"  # noqa: S608
        assert refused(database, statement) == ("PT422", "comment_identity")


def test_a_parent_is_a_comment_of_the_same_record(table: Table, database: Database) -> None:
    record, other = table.insert(), table.insert()
    parent = say(table, record)
    insert = (
        "insert into core.comment (workspace_id, record_id, parent_id, body)"
        " values (%s, %s, %s, 'x')"
    )
    for where, under in ((other, parent), (record, str(uuid.uuid4()))):
        found = refused(database, insert, table.workspace, where, under)
        assert found == ("PT422", "invalid_comment")
    database.run("delete from core.comment where id = %s", parent)
    database.run(insert, table.workspace, record, parent)


def test_a_record_that_there_is_not_has_no_comments(table: Table, database: Database) -> None:
    insert = "insert into core.comment (workspace_id, record_id, body) values (%s, %s, 'x')"
    nowhere = refused(database, insert, table.workspace, str(uuid.uuid4()))
    assert nowhere == ("PT404", "unknown_record")


def test_comments_go_with_their_record_to_whom_it_concerns(
    table: Table, database: Database
) -> None:
    table.user_field("assignee")
    record, other = table.insert(title="One"), table.insert(title="Two")
    idents = [say(table, record), say(table, record), say(table, other)]
    database.run("delete from core.comment where id = %s", idents[1])
    bob = database.join(table.workspace, "Bob", "viewer")
    count = len(table.log())
    table.update(record, "data = %s", Jsonb({"title": "One", "assignee": bob}))
    assert len(table.log()) == count + 1, "that is a change of the record alone"
    assert comment(database, idents[0])["audience"] == [bob]
    assert comment(database, idents[1])["audience"] == [bob], "a deleted one too"
    assert comment(database, idents[2])["audience"] == table.row(other)["audience"] != [bob]


def test_a_patch_that_hands_nothing_on_touches_no_comment(table: Table, database: Database) -> None:
    record = table.insert(title="One")
    ident = say(table, record)
    version = "select xmin::text from core.comment where id = %s"
    before = database.value(version, ident)
    table.update(record, "data = %s", Jsonb({"title": "Two"}))
    table.update(record, "deleted_at = now()")
    table.update(record, "deleted_at = null")
    assert database.value(version, ident) == before


def test_counting_keeps_a_record_on_its_page_and_its_indexes_as_they_are(
    table: Table, database: Database
) -> None:
    record = table.insert(title="One")
    with database.connect() as connection, connection.transaction():
        for _ in range(3):
            connection.execute(
                "insert into core.comment (workspace_id, record_id, body) values (%s, %s, 'x')",
                [table.workspace, record],
            )
        updated = connection.execute(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables"
            " where relid = 'core.record'::regclass"
        ).fetchone()
    assert updated == (3, 3)


def test_mentions_are_of_members_who_may_see_the_record(table: Table, database: Database) -> None:
    database.run(
        "insert into core.role (workspace_id, key, label, read)"
        " values (%s, 'own', 'Own', '{task:own}')",
        table.workspace,
    )
    database.account("Dan")
    bob = database.join(table.workspace, "Bob", "viewer")
    cleo = database.join(table.workspace, "Cleo", "own")
    eve = database.join(table.workspace, "Eve", "editor")
    database.run("update core.account set disabled_at = now() where id = %s", eve)
    table.user_field("assignee")
    theirs, hers = table.insert(), table.insert(assignee=cleo)
    text = "@ada @bob @cleo @dan @eve"
    ada = database.account("Ada")
    first = say(table, theirs, text)
    assert comment(database, first)["mentions"] == [ada, bob]
    assert comment(database, say(table, hers, text))["mentions"] == [ada, bob, cleo]
    database.run("update core.comment set body = 'no, @bob@example.org' where id = %s", first)
    assert comment(database, first)["mentions"] == [bob]
    assert table.log()[-1]["patch"]["comment"]["mentions"] == [bob]
    assert table.log()[-1]["before"]["comment"]["mentions"] == [ada, bob]


def test_comments_of_a_record_that_changes_hands_all_the_time_end_up_with_it(
    table: Table, database: Database
) -> None:
    """psql comments while others hand the record on, by the server and in psql."""
    table.user_field("assignee")
    record = table.insert(title="One")
    people = [database.join(table.workspace, name, "editor") for name in ("Bob", "Cleo")]
    database.join(table.workspace, "Ada", "owner")

    def in_psql(statement: str, *parameters: Any) -> None:
        with database.connect() as connection:
            for _ in range(40):
                try:
                    connection.execute(statement.encode(), parameters)
                except psycopg.errors.DeadlockDetected:
                    continue

    def by_the_server() -> None:
        for n in range(40):
            arguments = {"id": record, "patch": {"assignee": people[n % 2]}}
            call = {"function": "record_update", "workspace": table.workspace, "record": record}
            database.batch([{**call, "arguments": arguments}])

    insert = "insert into core.comment (workspace_id, record_id, body) values (%s, %s, 'x')"
    hand_on = (
        "update core.record set data = data || jsonb_build_object("
        "'assignee', case when random() < 0.5 then %s else %s end) where id = %s"
    )
    works = [
        threading.Thread(target=in_psql, args=(insert, table.workspace, record)),
        threading.Thread(target=in_psql, args=(hand_on, *people, record)),
        threading.Thread(target=by_the_server),
    ]
    for work in works:
        work.start()
    for work in works:
        work.join(60)
    row = table.row(record)
    audiences = database.run("select distinct audience::text[] from core.comment")
    assert audiences == [(row["audience"],)]
    assert row["comment_count"] == database.value("select count(*) from core.comment") > 0
    assert table.seqs() == list(range(1, len(table.seqs()) + 1))


def test_a_comment_that_waited_for_its_record_to_change_hands_goes_with_it(
    table: Table, database: Database
) -> None:
    table.user_field("assignee")
    record = table.insert(title="One")
    bob = database.join(table.workspace, "Bob", "editor")
    said: list[str] = []
    speaking = threading.Thread(target=lambda: said.append(say(table, record)))
    with database.connect() as connection:
        with connection.transaction():
            connection.execute(
                "update core.record set data = data || jsonb_build_object('assignee', %s::text)"
                " where id = %s",
                [bob, record],
            )
            speaking.start()
            waiting = (
                "select count(*) from pg_stat_activity where datname = current_database()"
                " and wait_event_type = 'Lock' and query like 'insert into core.comment%%'"
            )
            deadline = time.monotonic() + 20
            while not database.value(waiting) and time.monotonic() < deadline:
                pass
        speaking.join(20)
    assert comment(database, said[0])["audience"] == table.row(record)["audience"] == [bob]
