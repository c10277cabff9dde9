from record_table import Table
from support import Database


def test_a_psql_delete_is_soft(table: Table, database: Database) -> None:
    record = table.insert(title="One")
    database.run("delete from core.record where id = %s", record)
    row = table.row(record)
    assert row["deleted_at"] is not None
    assert (row["data"], row["version"]) == ({"title": "One"}, 2)
    assert [change["action"] for change in table.log()] == ["created", "deleted"]


def test_deleting_twice_is_deleting_once(table: Table, database: Database) -> None:
    record = table.insert()
    database.run("delete from core.record where id = %s", record)
    first = table.row(record)
    database.run("delete from core.record where id = %s", record)
    assert table.row(record) == first
    assert len(table.log()) == 2


def test_a_bare_delete_of_all_is_soft(table: Table, database: Database) -> None:
    ids = [table.insert() for _ in range(3)]
    database.run("delete from core.record")
    assert all(table.row(record)["deleted_at"] for record in ids)
    assert [change["action"] for change in table.log()] == ["created"] * 3 + ["deleted"] * 3


def test_psql_can_restore(table: Table, database: Database) -> None:
    record = table.insert(title="One")
    database.run("delete from core.record where id = %s", record)
    table.update(record, "deleted_at = null")
    last = table.log()[-1]
    assert (last["action"], last["version"]) == ("restored", 3)
    assert last["document"]["data"] == {"title": "One"}
