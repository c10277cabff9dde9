"""Calls that travel together fail alone: whatever is wrong with one, its neighbours are written."""

import asyncio
import json
import uuid
from typing import Any

import psycopg
import pytest

from faults.invariants import check_workspace, titles_written
from faults.load import psql
from support import Client, Database, eventually

PATCH = "record_update"
BIG = 300_000  # characters: more than a document may have


def _call(function: str, workspace: str | None, arguments: Any, **rest: Any) -> dict[str, Any]:
    return {"function": function, "workspace": workspace, "arguments": arguments, **rest}


def _patch(workspace: str | None, record: str, title: str, **rest: Any) -> dict[str, Any]:
    arguments = {"id": record, "patch": {"title": title}}
    return _call(PATCH, workspace, arguments, record=record, **rest)


# what is wrong with the call in the middle -> its arguments, and the state that it answers
_WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "text that is not JSON": ({"arguments": '{"patch": '}, "22P02"),
    "JSON that is no object": ({"arguments": "[1, 2]"}, "PT404"),
    "a NUL character": ({"patch": '{"title": "a\\u0000b"}'}, "22P05"),
    "a lone surrogate": ({"patch": '{"title": "\\ud800"}'}, "22P02"),
    "a number out of range": ({"patch": '{"points": 1e999999}'}, "22003"),
    "a document too large": ({"patch": json.dumps({"title": "x" * BIG})}, "PT413"),
    "a document too deep": ({"patch": json.dumps({"d": json.loads("[" * 40 + "]" * 40)})}, "PT422"),
    "a patch that is no object": ({"patch": "7"}, "PT422"),
    "an unknown function": ({"function": "no_such_function"}, "PT404"),
    "a function that can't be named": ({"function": "batch_run"}, "PT404"),
    "a wrong type of argument": ({"more": {"baseVersion": "many"}}, "22P02"),
    "an unknown record": ({"record": str(uuid.uuid4())}, "PT404"),
    "an unknown workspace": ({"workspace": str(uuid.uuid4())}, "PT404"),
    "a stranger": ({"actor": "Eve"}, "PT404"),
    "a viewer": ({"actor": "Vic"}, "PT403"),
    "an old version": ({"more": {"ifMatch": '"77"'}}, "PT412"),
}


@pytest.mark.parametrize("fault", _WRONG)
def test_one_call_that_fails_in_some_way_fails_alone(fault: str, database: Database) -> None:
    workspace, other = database.workspace(name="One"), database.workspace(name="Other")
    database.join(workspace, "Vic", "viewer")
    one, two, victim = (database.task(workspace, title=f"{n}")["id"] for n in range(3))
    elsewhere = database.task(other, title="First")["id"]
    wrong, state = _WRONG[fault]
    record = wrong.get("record", victim)
    text = json.dumps({"id": record, **wrong.get("more", {})})[:-1]
    middle = _call(
        wrong.get("function", PATCH),
        wrong.get("workspace", workspace),
        wrong.get(
            "arguments", text + f', "patch": {wrong.get("patch", json.dumps({"title": "W"}))}}}'
        ),
        record=record,
        actor=wrong.get("actor", "Ada"),
    )
    replies = database.batch(
        [
            _patch(workspace, one, "Before"),
            middle,
            _patch(other, elsewhere, "Elsewhere"),
            _patch(workspace, two, "After"),
        ]
    )
    assert [reply.state for reply in replies] == ["ok", state, "ok", "ok"], replies[1]
    titles = titles_written(check_workspace(database, workspace))
    assert titles == ["0", "1", "2", "Before", "After"]
    assert titles_written(check_workspace(database, other)) == ["First", "Elsewhere"]
    assert database.value("select data ->> 'title' from core.record where id = %s", victim) == "2"


def _break_record(database: Database, record: str, statement: str) -> None:
    """A trigger for the test: whoever updates this record runs a statement first."""
    database.run("create sequence public.attempts")
    database.run("grant usage on sequence public.attempts to public")
    database.run("create table public.obstacle (id integer primary key)")
    database.run("insert into public.obstacle values (1)")
    database.run("grant all on public.obstacle to public")
    database.run(
        "create function public.break_record() returns trigger language plpgsql as $$"
        f" begin {statement} return new; end $$"
    )
    database.run(
        "create trigger record__000_break before update on core.record for each row"
        f" when (old.id = '{record}') execute function public.break_record()"
    )


async def _patch_together(
    client: Client, database: Database, workspace: str, records: list[str]
) -> list[tuple[int, Any]]:
    """PATCHes that go out together, but for the first, which goes at once; status and answer."""

    async def patch(record: str) -> tuple[int, Any]:
        body = {"patch": {"title": "Second"}}
        async with client.request("PATCH", f"/api/tasks/{record}", json=body) as response:
            return response.status, await response.json()

    return list(await asyncio.gather(*(patch(record) for record in records)))


async def test_a_statement_timeout_of_one_call_ends_its_batch_but_no_call(
    client: Client, database: Database
) -> None:
    workspace = database.workspace()
    records = [database.task(workspace, title="First")["id"] for _ in range(12)]
    _break_record(  # the first attempt outlasts any batch, the second is quick
        database,
        records[5],
        "if nextval('public.attempts') = 1 then perform pg_catalog.pg_sleep(60); end if;",
    )
    answers = await _patch_together(client, database, workspace, records)
    assert [status for status, _ in answers] == [200] * 12
    assert database.value("select last_value from public.attempts") == 2
    titles = titles_written(check_workspace(database, workspace))
    assert titles == ["First"] * 12 + ["Second"] * 12


async def test_a_call_that_is_cancelled_every_time_gets_a_503_and_its_neighbours_succeed(
    client: Client, database: Database
) -> None:
    workspace = database.workspace()
    records = [database.task(workspace, title="First")["id"] for _ in range(12)]
    _break_record(
        database,
        records[5],
        "perform nextval('public.attempts'); raise sqlstate '57014' using message = 'too long';",
    )
    answers = await _patch_together(client, database, workspace, records)
    assert [status for status, _ in answers] == [200] * 5 + [503] + [200] * 6
    assert answers[5][1]["code"] == "timeout"
    assert database.value("select last_value from public.attempts") >= 2, "tried once more, alone"
    titles = titles_written(check_workspace(database, workspace))
    assert titles == ["First"] * 12 + ["Second"] * 11


async def test_a_dead_lock_of_one_call_is_tried_again_while_its_neighbours_succeed(
    client: Client, database: Database
) -> None:
    workspace = database.workspace()
    records = [database.task(workspace, title="First")["id"] for _ in range(12)]
    _break_record(  # once the holder waits for the batch's clock, the batch wants what he holds
        database,
        records[5],
        "if nextval('public.attempts') = 1 then"
        " while not exists (select from pg_locks where locktype = 'transactionid' and not granted)"
        " loop perform pg_sleep(0.01); end loop; end if;"
        " begin perform from public.obstacle for update; exception when deadlock_detected then"
        " perform nextval('public.dead_locks'); raise; end;",
    )
    database.run("create sequence public.dead_locks")
    database.run("grant usage on sequence public.dead_locks to public")
    name = database.value("select current_database()")
    database.run(f"alter database \"{name}\" set deadlock_timeout = '10ms'")
    async with psql(database, deadlock_timeout="60s") as holder:
        await holder.execute("begin")
        await holder.execute("select from public.obstacle for update")
        answers = asyncio.create_task(_patch_together(client, database, workspace, records))
        await eventually(
            lambda: database.value("select is_called from public.attempts"), what="an attempt"
        )
        await holder.execute(
            "insert into core.record (workspace_id, collection) values (%s, 'task')", [workspace]
        )
        await holder.execute("commit")
        assert [status for status, _ in await answers] == [200] * 12
    assert database.value("select is_called from public.dead_locks"), "there was no dead-lock"
    titles = titles_written(check_workspace(database, workspace))
    assert titles == ["First"] * 12 + ["Second"] * 12


@pytest.mark.parametrize("state", ["40P01", "40001", "55P03"])
@pytest.mark.parametrize(("failures", "status"), [(2, 200), (1000, 503)])
async def test_a_conflict_is_tried_again_some_times_and_then_answered_busy(
    state: str,
    failures: int,
    status: int,
    client: Client,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rowcast.writer.PATIENCE", 2.0)
    workspace = database.workspace()
    records = [database.task(workspace, title="First")["id"] for _ in range(6)]
    _break_record(
        database,
        records[2],
        f"if nextval('public.attempts') <= {failures} then"
        f" raise sqlstate '{state}' using message = 'conflict'; end if;",
    )
    answers = await _patch_together(client, database, workspace, records)
    assert [answer[0] for answer in answers] == [200, 200, status, 200, 200, 200]
    if status == 503:
        assert answers[2][1]["code"] == "busy"
        if state != "55P03":  # a lock is waited for as long as patience lasts
            assert database.value("select last_value from public.attempts") <= 5
    check_workspace(database, workspace)


def test_a_narrowed_role_is_respected_by_later_calls_of_the_same_batch(database: Database) -> None:
    workspace, other = database.workspace(name="One"), database.workspace(name="Other")
    for place in (workspace, other):
        database.join(place, "Bob", "editor")
    task = database.task(workspace, title="First")["id"]
    elsewhere = database.task(other, title="First")["id"]
    database.run(
        "create function api.test_member_change(p_workspace_id uuid, p_account uuid, p_role text)"
        " returns jsonb language plpgsql volatile security definer as $$ begin"
        " if p_role is null then delete from core.member m"
        " where m.workspace_id = p_workspace_id and m.account_id = p_account;"
        " else update core.member m set role = p_role"
        " where m.workspace_id = p_workspace_id and m.account_id = p_account; end if;"
        " return '{}'; end $$"
    )
    database.run("grant execute on function api.test_member_change to rowcast_server")
    database.run("select logic.dispatcher_build()")
    bob = database.account("Bob")

    def change(role: str | None) -> dict[str, Any]:
        return _call("test_member_change", workspace, {"account": bob, "role": role})

    replies = database.batch(
        [
            _patch(workspace, task, "As an editor", actor="Bob"),
            change("viewer"),
            _patch(workspace, task, "As a viewer", actor="Bob"),
            _patch(other, elsewhere, "Elsewhere", actor="Bob"),
            _patch(workspace, task, "By Ada"),
            change("editor"),
            _patch(workspace, task, "As an editor again", actor="Bob"),
            change(None),
            _patch(workspace, task, "As a stranger", actor="Bob"),
        ]
    )
    states = [reply.state for reply in replies]
    # a record that is named twice in a batch is written twice
    assert states == ["ok", "ok", "PT403", "ok", "ok", "ok", "ok", "ok", "PT404"]
    assert titles_written(check_workspace(database, workspace)) == [
        "First",
        "As an editor",
        "By Ada",
        "As an editor again",
    ]


def test_after_a_call_that_fails_to_enter_the_next_statement_sees_no_tenant(
    database: Database,
) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="First")["id"]
    with database.connect_server() as connection, connection.transaction():
        replies = database.batch(
            [_patch(workspace, task, "Second"), _patch(workspace, task, "E", actor="Eve")],
            connection,
        )
        assert [reply.state for reply in replies] == ["ok", "PT404"]
        row = connection.execute("select count(*) from core.record").fetchone()
        left = connection.execute(
            "select string_agg(current_setting('rowcast.' || x, true), '') from unnest(array["
            "'workspace', 'actor', 'read', 'edit', 'may', 'transaction', 'repeat', 'written']) x"
        ).fetchone()
    assert row == (0,)
    assert left == ("",)


def test_the_same_record_id_in_two_workspaces_shifts_nobodys_answer(database: Database) -> None:
    adas, bobs = database.workspace("Ada", name="Ada's"), database.workspace("Bob", name="Bob's")
    shared = str(uuid.uuid4())
    for workspace, actor in ((adas, "Ada"), (bobs, "Bob")):
        arguments = {"collection": "task", "id": shared, "data": {"title": actor}}
        database.call("record_create", workspace, actor=actor, arguments=arguments)
    own = database.task(adas, title="Own")["id"]
    display_id = database.value("select display_id from core.record where id = %s", own)
    database.join(adas, "Cas", "editor")
    database.join(bobs, "Cas", "editor")
    replies = database.batch(
        [
            _patch(None, own, "Own 1"),
            _patch(None, shared, "By Cas", actor="Cas"),
            _patch(None, shared, "By Ada"),
            _patch(None, shared, "By Eve", actor="Eve"),
            _patch(None, shared, "By Bob", actor="Bob"),
            _patch(None, display_id, "Own 2"),
            _patch(bobs, shared, "By Cas for Bob", actor="Cas"),
            _patch(None, own, "Own 3"),
        ]
    )
    states = [reply.state for reply in replies]
    assert states == ["ok", "PT422", "ok", "PT404", "ok", "ok", "ok", "ok"]
    assert [r.answer["data"]["title"] for r in replies if r.state == "ok"] == [
        "Own 1",
        "By Ada",
        "By Bob",
        "Own 2",
        "By Cas for Bob",
        "Own 3",
    ]
    refused = replies[1].answer
    assert refused["hint"] == "ambiguous_workspace"
    detail = refused["detail"]
    candidates = (json.loads(detail) if isinstance(detail, str) else detail)["workspaces"]
    assert set(candidates) == {adas, bobs}
    assert titles_written(check_workspace(database, adas)) == [
        "Ada",
        "Own",
        "Own 1",
        "By Ada",
        "Own 2",
        "Own 3",
    ]
    assert titles_written(check_workspace(database, bobs)) == ["Bob", "By Bob", "By Cas for Bob"]


async def test_over_http_an_ambiguous_record_is_a_422_and_its_neighbours_get_their_own_answers(
    client: Client, database: Database
) -> None:
    workspaces = [database.workspace(name=f"W{n}") for n in range(2)]
    shared = str(uuid.uuid4())
    for workspace in workspaces:
        arguments = {"collection": "task", "id": shared, "data": {"title": "Shared"}}
        database.call("record_create", workspace, arguments=arguments)
    records = [database.task(workspaces[n % 2], title="First")["id"] for n in range(10)]
    mixed = [*records[:5], shared, *records[5:]]
    for _ in range(5):
        answers = await _patch_together(client, database, workspaces[0], mixed)
        assert [status for status, _ in answers] == [200] * 5 + [422] + [200] * 5
        assert answers[5][1]["code"] == "ambiguous_workspace"
        found = [answer["id"] for status, answer in answers if status == 200]
        assert found == records


async def test_a_batch_of_calls_from_many_tenants_answers_each_its_own(
    client: Client, database: Database
) -> None:
    names = [f"Person{n}" for n in range(8)]
    spaces = {name: database.workspace(name) for name in names}
    records = {name: database.task(spaces[name], name, title="First")["id"] for name in names}
    clients = {name: Client(client.session, client.url, database.token(name)) for name in names}

    async def patch(who: str, whose: str) -> tuple[int, Any]:
        body = {"patch": {"title": f"By {who}"}}
        path = f"/api/tasks/{records[whose]}"
        async with clients[who].request("PATCH", path, json=body) as response:
            return response.status, await response.json()

    pairs = [(who, whose) for who in names for whose in names]
    answers = await asyncio.gather(*(patch(who, whose) for who, whose in pairs))
    for (who, whose), (status, answer) in zip(pairs, answers, strict=True):
        assert status == (200 if who == whose else 404)
        if who == whose:
            assert (answer["id"], answer["data"]["title"]) == (records[whose], f"By {who}")
    for name in names:
        titles = titles_written(check_workspace(database, spaces[name]))
        assert titles == ["First", f"By {name}"]


def test_above_the_limits_of_one_batch_nothing_is_half_written(database: Database) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="First")["id"]
    with database.connect_server() as connection:
        connection.execute("set statement_timeout = '30ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            database.batch([_patch(workspace, task, f"{n}") for n in range(2000)], connection)
    assert titles_written(check_workspace(database, workspace)) == ["First"]
    assert database.value("select count(*) from core.transaction") == 2
