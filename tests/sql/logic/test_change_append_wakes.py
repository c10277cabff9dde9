from collections.abc import Callable

from psycopg.types.json import Jsonb

from record_table import Table
from support import Database


def heard(database: Database, write: Callable[[], object]) -> list[str]:
    """The payloads of the notifications that a write causes, up to a last one of the test's own."""
    with database.connect() as listener:
        listener.execute("listen rowcast")
        write()
        database.run("select pg_notify('rowcast', 'end of test')")
        payloads: list[str] = []
        for note in listener.notifies(timeout=20):
            if note.payload == "end of test":
                return payloads
            payloads.append(note.payload)
    raise AssertionError("the last notification did not come")


def test_a_psql_write_wakes_the_listeners_of_its_workspace(
    table: Table, database: Database
) -> None:
    record = table.insert()
    assert heard(database, table.insert) == [table.workspace]
    assert heard(database, lambda: table.update(record, "data = %s", Jsonb({"a": 1}))) == [
        table.workspace
    ]
    assert heard(
        database, lambda: database.run("delete from core.record where id = %s", record)
    ) == [table.workspace]


def test_a_write_that_changes_nothing_wakes_nobody(table: Table, database: Database) -> None:
    record = table.insert()
    assert heard(database, lambda: table.update(record, "data = data, version = 9")) == []


def test_a_batch_wakes_once_for_all_its_calls(table: Table, database: Database) -> None:
    other = database.workspace()
    create = {"function": "record_create", "arguments": {"collection": "task"}}
    calls = [{**create, "workspace": place} for place in (table.workspace, other, table.workspace)]
    (payload,) = heard(database, lambda: database.batch(calls))
    assert sorted(payload.split()) == sorted([table.workspace, other])


def test_a_batch_that_changes_nothing_wakes_nobody(table: Table, database: Database) -> None:
    task = database.task(table.workspace, title="One")
    patch = {"id": task["id"], "patch": {"title": "One"}}
    assert (
        heard(database, lambda: database.call("record_update", table.workspace, arguments=patch))
        == []
    )
