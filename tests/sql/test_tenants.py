"""Batches of several tenants: each call has its own rights, whatever came before it."""

import json
import uuid
from typing import Any

import pytest

from support import Database

SECRET = "only Bob's"

# Every api function that writes into a workspace, with arguments for a record of it.
WRITES: dict[str, Any] = {
    "record_create": lambda _: {"collection": "task", "data": {"title": "new"}},
    "record_update": lambda record: {"id": record, "patch": {"n": 1}},
    "record_move": lambda record: {"id": record, "field": "status", "value": "done"},
    "record_delete": lambda record: {"id": record},
    "record_restore": lambda record: {"id": record},
    "record_import": lambda _: {
        "collection": "task",
        "rows": [{"line": 1, "transactionId": str(uuid.uuid4()), "data": {"title": "imported"}}],
    },
    "atlas_task_create": lambda _: {"data": {"title": "new"}},
    "atlas_task_update": lambda record: {"id": record, "patch": {"n": 2}},
}


def test_the_functions_here_are_all_that_write_into_a_workspace(database: Database) -> None:
    rows = database.run(
        "select proname::text from pg_proc where pronamespace = 'api'::regnamespace"
        " and provolatile = 'v' and prorettype = 'jsonb'::regtype"
        " and 'p_workspace_id' = any (proargnames)"
    )
    assert {name for (name,) in rows} == set(WRITES)


@pytest.fixture
def tenants(database: Database) -> dict[str, tuple[str, str]]:
    """Per owner, a workspace and a record in it. Cleo has an account and no workspace."""
    found = {}
    for owner in ("Ada", "Bob"):
        workspace = database.workspace(owner)
        record = database.task(workspace, actor=owner, title=f"only {owner}'s")["id"]
        found[owner] = (workspace, record)
    database.account("Cleo")
    return found


def call(function: str, actor: str, place: tuple[str, str], *, by_record: bool) -> dict[str, Any]:
    """A call on a place, which it names by the workspace or by the record alone."""
    workspace, record = place
    named = {"record": record} if by_record else {"workspace": workspace}
    return {"function": function, "actor": actor, "arguments": WRITES[function](record), **named}


@pytest.mark.parametrize("by_record", [False, True], ids=["by workspace", "by record"])
@pytest.mark.parametrize("function", WRITES)
def test_a_batch_that_alternates_tenants_and_strangers_answers_each_with_its_own(
    database: Database, tenants: dict[str, tuple[str, str]], function: str, by_record: bool
) -> None:
    ada, bob = tenants["Ada"], tenants["Bob"]
    who = [("Ada", ada), ("Cleo", bob), ("Bob", bob), ("Ada", bob), ("Ada", ada), ("Bob", ada),
           ("Cleo", ada), ("Bob", bob), ("Cleo", bob), ("Ada", ada)]  # fmt: skip
    replies = database.batch([call(function, a, place, by_record=by_record) for a, place in who])
    for (actor, place), reply in zip(who, replies, strict=True):
        if place == tenants.get(actor):
            assert reply.state in ("ok", "PT404"), reply  # 404: deleted by the call before
            assert reply.workspace == place[0]
            if actor == "Ada":
                assert "Bob" not in json.dumps(reply.answer)
                assert tenants["Bob"][0] not in json.dumps(reply.answer)
        else:
            assert (reply.state, reply.workspace) == ("PT404", None), reply
            assert reply.answer["hint"] in ("unknown_workspace", "unknown_record")
            text = json.dumps(reply.answer)
            assert not [leak for leak in (SECRET, *place) if leak in text]
    assert replies[0].state == replies[2].state == "ok"


def test_a_record_of_another_tenant_named_within_ones_own_workspace_is_unknown(
    database: Database, tenants: dict[str, tuple[str, str]]
) -> None:
    (mine, _), (_, theirs) = tenants["Ada"], tenants["Bob"]
    functions = [name for name in WRITES if "id" in WRITES[name](theirs)]
    calls = [
        {"function": name, "workspace": mine, "arguments": WRITES[name](theirs)}
        for name in functions
    ]
    for reply in database.batch(calls):
        assert (reply.state, reply.answer["hint"]) == ("PT404", "unknown_record")


PEEK = """
create function api.test_peek(p_workspace_id uuid) returns jsonb language plpgsql volatile as $$
begin
  return jsonb_build_object(
    'actor', current_setting('rowcast.actor', true),
    'workspaces', coalesce((
      select jsonb_agg(distinct workspace_id) from (
        select workspace_id from core.record union all select workspace_id from core.member
        union all select workspace_id from core.workspace
        union all select workspace_id from core.role
      ) seen), '[]'));
end $$;
grant execute on function api.test_peek(uuid) to rowcast_server;
select logic.dispatcher_build()
"""
SETTINGS = ("workspace", "actor", "read", "edit", "may", "transaction", "repeat", "written")


def settings(connection: Any) -> dict[str, str]:
    """The settings of a call that are not empty."""
    rows = connection.execute(
        "select name, current_setting('rowcast.' || name, true) from unnest(%s::text[]) name",
        [list(SETTINGS)],
    ).fetchall()
    return {name: value for name, value in rows if value}


def test_what_a_call_sees_is_its_own_workspace_whatever_failed_before_it(
    database: Database, tenants: dict[str, tuple[str, str]]
) -> None:
    database.run(PEEK)
    (mine, record), (theirs, _) = tenants["Ada"], tenants["Bob"]
    gone = database.workspace("Ada")
    database.run("update core.workspace set deleted_at = now() where workspace_id = %s", gone)
    database.join(mine, "Dan", "owner")
    database.run("update core.account set disabled_at = now() where name = 'Dan'")

    def peek(actor: str, workspace: str) -> dict[str, Any]:
        return {"function": "test_peek", "actor": actor, "workspace": workspace, "arguments": {}}

    failures: list[dict[str, Any]] = [
        {"function": "record_create", "actor": "Cleo", "workspace": theirs, "arguments": {}},
        {"function": "record_create", "actor": "Dan", "workspace": mine, "arguments": {}},
        {"function": "record_create", "actor": "Ada", "workspace": gone, "arguments": {}},
        {"function": "record_create", "workspace": mine, "arguments": "{"},
        {"function": "record_create", "workspace": mine, "arguments": '{"collection": "\\u0000"}'},
        {"function": "no_such_function", "workspace": mine},
        {"function": "record_update", "workspace": mine, "arguments": {"id": record, "patch": 7}},
    ]
    calls = []
    for failure in failures:
        calls += [peek("Ada", mine), failure, peek("Bob", theirs), failure, peek("Ada", mine)]
    replies = database.batch(calls)
    for asked, reply in zip(calls, replies, strict=True):
        if asked["function"] == "test_peek":
            assert reply.state == "ok"
            assert reply.answer == {
                "actor": database.account(asked["actor"]),
                "workspaces": [asked["workspace"]],
            }
        else:
            assert reply.state != "ok", asked


@pytest.mark.parametrize("last", ["succeeds", "is refused", "fails"])
def test_after_a_batch_nobody_has_entered_anything(
    database: Database, tenants: dict[str, tuple[str, str]], last: str
) -> None:
    database.run(PEEK)
    mine, record = tenants["Ada"]
    ends: dict[str, dict[str, Any]] = {
        "succeeds": {"function": "record_update", "arguments": {"id": record, "patch": {"n": 1}}},
        "is refused": {"function": "record_update", "actor": "Cleo", "arguments": {}},
        "fails": {"function": "record_update", "arguments": "["},
    }
    with database.connect_server() as connection, connection.transaction():
        database.batch([call("record_create", "Ada", tenants["Ada"], by_record=False),
                        {"workspace": mine, **ends[last]}], connection)  # fmt: skip
        assert settings(connection) == {}
        assert connection.execute("select count(*) from core.record").fetchone() == (0,)
        row = connection.execute(
            "select state, answer from api.account_batch_run(array['test_peek'],"
            " array[%s]::uuid[], array[gen_random_uuid()], array['{}'])",
            [database.account("Ada")],
        ).fetchone()
        assert row is not None
        assert (row[0], json.loads(row[1])["workspaces"]) == ("ok", [])
        assert settings(connection) == {}


def test_a_read_that_fails_to_enter_leaves_nothing_to_one_that_does_not_enter(
    database: Database, tenants: dict[str, tuple[str, str]]
) -> None:
    """The rollback of the failure brings the tenant before it back; the next call clears him."""
    database.run(PEEK)
    query = "select answer from api.query(%s, %s, %s, null, null, '{}')"
    ada = database.account("Ada")
    with database.connect_server() as connection, connection.transaction():
        connection.execute(query, ["test_peek", ada, tenants["Ada"][0]])
        with pytest.raises(Exception, match="no such workspace"), connection.transaction():
            connection.execute(query, ["test_peek", ada, tenants["Bob"][0]])
        assert settings(connection)["workspace"] == tenants["Ada"][0]
        row = connection.execute(query, ["test_peek", ada, None]).fetchone()
        assert row is not None
        assert json.loads(row[0]) == {"actor": ada, "workspaces": []}
