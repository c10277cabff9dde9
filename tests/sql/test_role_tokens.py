"""What the roles of a workspace let their members do, through the functions of the api."""

from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from support import Database, Reply


@pytest.fixture
def workspace(database: Database) -> str:
    """A workspace whose tasks have an assignee, with roles that see and edit a part of them."""
    workspace = database.workspace("Ada")
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'assignee', 'Assignee', 'user')",
        workspace,
    )
    for role, tokens, may in (
        ("requester", ["task:own"], ["create:task", "delete:task:own", "move:task:own"]),
        ("engineer", ["task:own", "task:unassigned"], []),
    ):
        database.run(
            "insert into core.role (workspace_id, key, label, read, edit, may)"
            " values (%s, %s, %s, %s, %s, %s)",
            workspace, role, role, tokens, tokens, may,
        )  # fmt: skip
    database.join(workspace, "Bob", "requester")
    database.join(workspace, "Cleo", "requester")
    database.join(workspace, "Eve", "engineer")
    return workspace


def seen(database: Database, workspace: str, actor: str) -> set[str]:
    """The titles of the tasks that a member sees, the same in a list and in a snapshot."""
    listed = database.read("record_list", workspace, actor, collection="task")["tasks"]
    whole = database.read("snapshot", workspace, actor)["records"]
    titles = {record["data"]["title"] for record in listed}
    assert titles == {record["data"]["title"] for record in whole}
    return titles


def write(database: Database, function: str, workspace: str, actor: str, **rest: Any) -> Reply:
    """One write call and its reply."""
    call = {"function": function, "workspace": workspace, "actor": actor, "arguments": rest}
    return database.batch([call])[0]


def test_an_own_reader_sees_what_he_created_or_is_assigned_to(
    database: Database, workspace: str
) -> None:
    bob, cleo = database.account("Bob"), database.account("Cleo")
    database.task(workspace, title="Ada's")
    database.task(workspace, actor="Bob", title="Bob's")
    database.task(workspace, title="for Bob", assignee=bob)
    database.task(workspace, title="for Cleo", assignee=cleo)
    database.task(workspace, title="for both", assignee=[bob, cleo])
    assert seen(database, workspace, "Bob") == {"Bob's", "for Bob", "for both"}
    assert seen(database, workspace, "Cleo") == {"for Cleo", "for both"}
    assert seen(database, workspace, "Eve") == {"Ada's", "Bob's"}
    assert len(seen(database, workspace, "Ada")) == 5


def test_what_a_member_can_not_see_does_not_exist_for_him(
    database: Database, workspace: str
) -> None:
    task = database.task(workspace, title="Ada's")
    for name in (task["id"], task["displayId"]):
        with pytest.raises(psycopg.Error) as caught:
            database.read("record_get", workspace, "Bob", id=name)
        assert caught.value.sqlstate == "PT404"
        for function, rest in (
            ("record_update", {"patch": {"title": "Bob's"}}),
            ("record_delete", {}),
            ("record_restore", {}),
            ("record_move", {"field": "status", "value": "done"}),
        ):
            reply = write(database, function, workspace, "Bob", id=name, **rest)
            assert (reply.state, reply.answer["hint"]) == ("PT404", "unknown_record")


@pytest.mark.parametrize("function", ["record_update", "atlas_task_update", "record_move"])
def test_who_hands_his_record_on_is_answered_with_it_and_sees_it_no_more(
    database: Database, workspace: str, function: str
) -> None:
    bob, cleo = database.account("Bob"), database.account("Cleo")
    task = database.task(workspace, title="One", assignee=bob)
    rest: dict[str, Any] = (
        {"field": "assignee", "value": cleo}
        if function == "record_move"
        else {"patch": {"assignee": cleo}}
    )
    reply = write(database, function, workspace, "Bob", id=task["id"], **rest)
    assert reply.state == "ok", reply
    assert (reply.answer["data"]["assignee"], reply.answer["version"]) == (cleo, 2)
    assert seen(database, workspace, "Bob") == set()
    assert seen(database, workspace, "Cleo") == {"One"}
    again = write(database, function, workspace, "Bob", id=task["id"], **rest)
    assert again.state == "PT404"


def test_a_record_that_is_handed_on_is_open_to_its_writer_for_that_write_alone(
    database: Database, workspace: str
) -> None:
    bob, cleo = database.account("Bob"), database.account("Cleo")
    task = database.task(workspace, title="One", assignee=bob)
    hand_on = {"id": task["id"], "patch": {"assignee": cleo}}
    look = {"id": task["id"], "patch": {"title": "Two"}}
    calls = [
        {
            "function": "record_update",
            "workspace": workspace,
            "actor": "Bob",
            "arguments": arguments,
        }
        for arguments in (hand_on, look)
    ]
    assert [reply.state for reply in database.batch(calls)] == ["ok", "PT404"]


def test_an_own_reader_deletes_and_restores_what_is_his(database: Database, workspace: str) -> None:
    task = database.task(workspace, actor="Bob", title="Bob's")
    for function in ("record_delete", "record_restore"):
        assert write(database, function, workspace, "Bob", id=task["id"]).state == "ok"


def test_an_engineer_takes_what_nobody_has(database: Database, workspace: str) -> None:
    eve = database.account("Eve")
    task = database.task(workspace, title="One")
    reply = write(
        database, "record_update", workspace, "Eve", id=task["id"], patch={"assignee": eve}
    )
    assert reply.state == "ok", reply
    assert seen(database, workspace, "Eve") == {"One"}


def test_who_may_create_under_own_is_answered_with_what_he_created(
    database: Database, workspace: str
) -> None:
    cleo = database.account("Cleo")
    reply = write(
        database, "record_create", workspace, "Bob",
        collection="task", data={"title": "One", "assignee": cleo},
    )  # fmt: skip
    assert reply.state == "ok", reply
    assert seen(database, workspace, "Cleo") == {"One"}
    reply = write(database, "record_create", workspace, "Eve", collection="task", data={})
    assert (reply.state, reply.answer["hint"]) == ("PT403", "not_permitted")


def test_a_viewer_sees_all_and_changes_nothing(database: Database, workspace: str) -> None:
    database.join(workspace, "Vic", "viewer")
    task = database.task(workspace, title="One")
    assert seen(database, workspace, "Vic") == {"One"}
    row = [{"line": 1, "transactionId": task["id"], "data": {}}]
    for function, rest in (
        ("record_create", {"collection": "task"}),
        ("record_update", {"id": task["id"], "patch": {"title": "Two"}}),
        ("record_update", {"id": task["id"], "patch": {}}),
        ("record_move", {"id": task["id"], "field": "status", "value": "done"}),
        ("record_delete", {"id": task["id"]}),
        ("record_restore", {"id": task["id"]}),
        ("record_import", {"collection": "task", "rows": row}),
        ("atlas_task_create", {}),
        ("atlas_task_update", {"id": task["id"], "patch": {"title": "Two"}}),
    ):
        reply = write(database, function, workspace, "Vic", **rest)
        assert (reply.state, reply.answer["hint"]) == ("PT403", "not_permitted"), function
    assert database.read("record_get", workspace, id=task["id"])["version"] == 1


def test_rights_that_a_call_changes_hold_for_the_next_of_the_same_batch(
    database: Database, workspace: str
) -> None:
    """Who was let in before is looked at again."""
    database.run(
        """
        create function api.test_demote(p_workspace_id uuid) returns jsonb
        language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
        begin
          update core.member m set role = 'viewer'
          where m.workspace_id = p_workspace_id and m.account_id = core.entered_actor();
          return '{}';
        end $$;
        grant execute on function api.test_demote(uuid) to rowcast_server;
        select logic.dispatcher_build()
        """
    )
    create = {"function": "record_create", "workspace": workspace, "actor": "Bob",
              "arguments": {"collection": "task"}}  # fmt: skip
    demote = {**create, "function": "test_demote", "arguments": {}}
    states = [reply.state for reply in database.batch([create, demote, create])]
    assert states == ["ok", "ok", "PT403"]


@pytest.mark.parametrize(
    "call",
    [
        "api.record_create(%(workspace)s, 'task', %(data)s)",
        "api.record_update(%(workspace)s, %(id)s, %(data)s)",
        "api.record_move(%(workspace)s, %(id)s, 'assignee', %(value)s)",
    ],
)
def test_what_a_call_handed_on_is_out_of_its_sight_within_the_same_transaction(
    database: Database, workspace: str, call: str
) -> None:
    """The write function itself takes back what let the record past the policy."""
    task = database.task(workspace, title="One", assignee=database.account("Eve"))
    cleo = database.account("Cleo")
    values = {"workspace": workspace, "id": task["id"], "value": Jsonb(cleo),
              "data": Jsonb({"assignee": cleo})}  # fmt: skip
    with database.connect_server() as connection, connection.transaction():
        connection.execute("select logic.enter(%s, %s)", [workspace, database.account("Eve")])
        connection.execute("select set_config('rowcast.may', 'create:task move:task', true)")
        connection.execute(f"select {call}".encode(), values)
        assert connection.execute("select current_setting('rowcast.written')").fetchone() == ("",)
        left = connection.execute("select data ->> 'assignee' from core.record").fetchall()
    assert cleo not in [assignee for (assignee,) in left if "record_create" not in call]
