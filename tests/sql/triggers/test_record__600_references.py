"""What the deletion of a record does to the records that refer to it."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from record_table import Table
from support import Database


def refers(table: Table, key: str, does: str, **more: Any) -> None:
    """A field of tasks that refers to notes."""
    columns = {"target": "note", "required": False, **more}
    table.database.run(
        "insert into core.field"
        " (workspace_id, collection, key, label, type, target, required, on_delete)"
        " values (%s, 'task', %s, 'A note', 'reference', %s, %s, %s)",
        table.workspace, key, columns["target"], columns["required"], does,
    )  # fmt: skip


@pytest.fixture
def note(table: Table) -> str:
    """A note that nobody refers to yet."""
    table.other_collection()
    return table.insert("note", title="A note")


def gone(table: Table, record: str) -> bool:
    return table.row(record)["deleted_at"] is not None


def test_unset_takes_the_reference_away_as_a_change_like_others(table: Table, note: str) -> None:
    refers(table, "about", "unset")
    refers(table, "again", "unset")
    one, other = (
        table.insert(title="One", about=note, again=note.upper()),
        table.insert(title="Two"),
    )
    table.update(note, "deleted_at = now()")
    assert table.row(one)["data"] == {"title": "One"}
    assert (table.row(one)["version"], table.row(other)["version"]) == (2, 1)
    deleted, changed = table.log()[-2:]
    assert (deleted["record_id"], deleted["action"]) == (note, "deleted")
    assert changed["patch"] == {"about": None, "again": None}
    table.update(note, "deleted_at = null")
    assert "about" not in table.row(one)["data"], "a restore brings back the one record alone"


def test_delete_deletes_what_refers_and_what_refers_to_that(table: Table, note: str) -> None:
    refers(table, "about", "delete")
    refers(table, "under", "delete", target="task")
    one = table.insert(about=note)
    child, other = table.insert(under=one), table.insert()
    table.database.run("delete from core.record where id = %s", note)
    assert [gone(table, record) for record in (note, one, child, other)] == [True] * 3 + [False]
    assert [change["action"] for change in table.log()[-3:]] == ["deleted"] * 3
    table.update(note, "deleted_at = null")
    assert (gone(table, note), gone(table, one)) == (False, True)


def test_a_ring_of_references_is_deleted_once(table: Table, note: str) -> None:
    refers(table, "next", "delete", target=None)
    first = table.insert(title="One")
    second = table.insert(next=first)
    table.update(first, "data = data || %s", Jsonb({"next": second}))
    table.update(first, "deleted_at = now()")
    assert gone(table, first)
    assert gone(table, second)
    assert [change["action"] for change in table.log()].count("deleted") == 2
    itself = table.insert()
    table.update(itself, "data = data || %s", Jsonb({"next": itself}))
    table.update(itself, "deleted_at = now()")
    assert gone(table, itself)


@pytest.mark.parametrize(("does", "required"), [("refuse", False), ("unset", True)])
def test_refuse_keeps_the_record_and_names_who_refers(
    table: Table, note: str, does: str, required: bool
) -> None:
    refers(table, "about", does, required=required)
    one, two = table.insert(about=note), table.insert(about=note)
    count = len(table.log())
    with pytest.raises(psycopg.Error) as caught:
        table.update(note, "deleted_at = now()")
    assert (caught.value.sqlstate, caught.value.diag.message_hint) == ("PT409", "record_in_use")
    detail = json.loads(caught.value.diag.message_detail or "")
    assert detail == {"records": ["TSK-001-0001", "TSK-001-0002"]}
    assert not gone(table, note)
    assert len(table.log()) == count
    table.update(one, "deleted_at = now()")
    table.update(two, "deleted_at = now()")
    table.update(note, "deleted_at = now()")
    assert gone(table, note), "deleted records refer to nothing"


def test_a_refusal_names_only_what_the_caller_may_see(database: Database) -> None:
    table = Table(database)
    table.other_collection()
    refers(table, "about", "refuse")
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'clerk', 'Clerk', '{note,task:own}', '{note,task:own}',"
        " '{create:*,delete:note}')",
        table.workspace,
    )
    database.join(table.workspace, "Bob", "clerk")
    note = table.insert("note")
    table.insert(title="Not Bob's", about=note)
    database.task(table.workspace, actor="Bob", title="Bob's", about=note)
    reply = database.batch(
        [{"function": "record_delete", "workspace": table.workspace, "actor": "Bob",
          "arguments": {"id": note}}]
    )[0]  # fmt: skip
    assert (reply.state, reply.answer["hint"]) == ("PT409", "record_in_use")
    assert json.loads(reply.answer["detail"]) == {"records": ["TSK-001-0002"]}


def test_what_refers_is_changed_whoever_may_edit_it_in_one_transaction(database: Database) -> None:
    table = Table(database)
    table.other_collection()
    refers(table, "about", "unset")
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'clerk', 'Clerk', '{note}', '{note}', '{delete:note}')",
        table.workspace,
    )
    bob = database.join(table.workspace, "Bob", "clerk")
    note = table.insert("note")
    task = table.insert(about=note)
    write = str(uuid.uuid4())
    answer = database.call(
        "record_delete", table.workspace, actor="Bob", id=write, arguments={"id": note}
    )
    assert table.row(task)["data"] == {}
    changes = table.log()[-2:]
    assert [(c["actor_id"], c["transaction_id"]) for c in changes] == [(bob, write)] * 2
    assert answer["seq"] == changes[-1]["seq"]


def test_a_purge_removes_collections_that_refer_to_each_other(table: Table, note: str) -> None:
    refers(table, "about", "refuse")
    table.database.run(
        "insert into core.field (workspace_id, collection, key, label, type, target)"
        " values (%s, 'note', 'of', 'Of', 'reference', 'task')",
        table.workspace,
    )
    table.insert(about=note)
    table.database.run(
        "update core.workspace set deleted_at = now() - interval '40 days' where workspace_id = %s",
        table.workspace,
    )
    while table.database.value("select logic.workspace_purge(1000)"):
        pass
    assert table.database.value("select count(*) from core.collection") == 0


@pytest.mark.parametrize("first", ["the reference", "the deletion"])
def test_a_reference_and_a_deletion_at_once_leave_none_that_leads_nowhere(
    table: Table, note: str, first: str
) -> None:
    """Both take the clock, and whoever comes second sees what the first one did."""
    refers(table, "about", "refuse")
    task = table.insert(title="One")
    refer = ("update core.record set data = data || %s where id = %s",
             [Jsonb({"about": note}), task])  # fmt: skip
    delete = ("update core.record set deleted_at = now() where id = %s", [note])
    one, two = (refer, delete) if first == "the reference" else (delete, refer)
    waits = "select wait_event_type = 'Lock' from pg_stat_activity where pid = %s"
    with (
        psycopg.connect(table.database.admin) as a,
        psycopg.connect(table.database.admin) as b,
        ThreadPoolExecutor() as threads,
    ):
        a.execute(*one)
        second = threads.submit(lambda: b.execute(*two))
        while not table.database.value(waits, b.info.backend_pid):
            assert not second.done(), "it waits for the first one"
        a.commit()
        with pytest.raises(psycopg.Error) as caught:
            second.result(30)
    assert caught.value.sqlstate == ("PT409" if first == "the reference" else "PT422")
