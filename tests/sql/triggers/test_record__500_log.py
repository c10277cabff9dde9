import uuid

from psycopg.types.json import Jsonb

from record_table import Table
from support import Database


def test_every_psql_write_is_one_change_without_a_gap(table: Table, database: Database) -> None:
    record = table.insert(title="One", n=1)
    table.update(record, "data = %s", Jsonb({"title": "Two", "m": 2}))
    table.update(record, "position = 'zz'")
    database.run("delete from core.record where id = %s", record)
    table.update(record, "deleted_at = null")
    log = table.log()
    assert [(change["action"], change["version"]) for change in log] == [
        ("created", 1),
        ("updated", 2),
        ("moved", 3),
        ("deleted", 4),
        ("restored", 5),
    ]
    seqs = table.seqs()
    assert seqs == list(range(1, len(seqs) + 1))
    assert {change["record_id"] for change in log} == {record}


def test_a_created_record_stands_whole_in_the_log(table: Table) -> None:
    record = table.insert(title="One")
    change = table.log()[0]
    assert (change["patch"], change["before"]) == (None, None)
    assert change["document"]["id"] == record
    assert change["document"]["data"] == {"title": "One"}
    assert change["position"] == table.row(record)["position"]


def test_a_change_holds_its_fields_and_their_exact_inverse(table: Table) -> None:
    record = table.insert(title="One", n=1, same={"a": [1]})
    table.update(record, "data = %s", Jsonb({"title": "Two", "m": 2, "same": {"a": [1]}}))
    change = table.log()[-1]
    assert change["patch"] == {"title": "Two", "n": None, "m": 2}
    assert change["before"] == {"title": "One", "n": 1, "m": None}


def test_a_move_holds_both_places_and_what_changed_with_it(table: Table) -> None:
    record = table.insert(status="todo")
    place = table.row(record)["position"]
    table.update(record, "position = 'zz', data = %s", Jsonb({"status": "done"}))
    change = table.log()[-1]
    assert (change["action"], change["position"], change["position_before"]) == (
        "moved",
        "zz",
        place,
    )
    assert change["patch"] == {"status": "done"}


def test_many_rows_of_one_statement_are_a_change_each(table: Table, database: Database) -> None:
    ids = [table.insert(n=n) for n in range(20)]
    database.run("update core.record set data = data || '{\"m\": 1}'")
    log = table.log()[20:]
    assert sorted(change["record_id"] for change in log) == sorted(ids)
    seqs = table.seqs()
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_change_knows_its_actor_and_its_transaction(table: Table, database: Database) -> None:
    transaction = str(uuid.uuid4())
    database.call(
        "record_create",
        table.workspace,
        actor="Ada",
        id=transaction,
        arguments={"collection": "task"},
    )
    change = table.log()[-1]
    assert (change["actor_id"], change["transaction_id"]) == (database.account("Ada"), transaction)
