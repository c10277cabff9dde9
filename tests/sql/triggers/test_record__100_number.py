import psycopg
import pytest

from record_table import Table
from support import Database


def test_a_psql_insert_is_numbered_in_its_collection(table: Table, database: Database) -> None:
    note = table.other_collection()
    for collection in ("task", note, "task"):
        table.insert(collection)
    assert database.run(
        "select display_id, number from core.record where workspace_id = %s order by display_id",
        table.workspace,
    ) == [("NTE-001-0001", 1), ("TSK-001-0001", 1), ("TSK-001-0002", 2)]


def test_whatever_number_psql_names_the_next_one_is_given(table: Table, database: Database) -> None:
    assert database.value(
        "insert into core.record (workspace_id, collection, number, display_id)"
        " values (%s, 'task', 99, 'X-1') returning display_id",
        table.workspace,
    ) == "TSK-001-0001"  # fmt: skip


def test_many_rows_of_one_statement_are_numbered_without_a_gap(
    table: Table, database: Database
) -> None:
    rows = database.run(
        "insert into core.record (workspace_id, collection) select %s, 'task'"
        " from generate_series(1, 200) returning number",
        table.workspace,
    )
    assert [number for (number,) in rows] == list(range(1, 201))


def test_the_number_of_a_deleted_record_is_never_used_again(
    table: Table, database: Database
) -> None:
    last = [table.insert(), table.insert()][-1]
    database.run("delete from core.record where id = %s", last)
    assert table.row(table.insert())["number"] == 3


def test_the_number_of_a_purged_record_is_never_used_again(
    table: Table, database: Database
) -> None:
    """A purge raises the floor of the collection."""
    record = table.insert()
    with database.connect() as connection, connection.transaction():
        connection.execute("set local session_replication_role = replica")
        connection.execute("delete from core.record where id = %s", [record])
        connection.execute("update core.collection set number_floor = 1")
    assert table.row(table.insert())["number"] == 2


def test_a_new_record_stands_behind_the_others(table: Table, database: Database) -> None:
    ids = [table.insert() for _ in range(70)]
    rows = database.run(
        "select id::text from core.record where workspace_id = %s order by position, id",
        table.workspace,
    )
    assert [row for (row,) in rows] == ids


def test_an_unknown_collection_is_refused(table: Table) -> None:
    with pytest.raises(psycopg.Error) as caught:
        table.insert("tsak")
    assert caught.value.diag.message_hint == "unknown_collection"
    assert table.log() == []
