"""A lock that somebody holds in psql keeps nobody waiting but who needs just that one."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from faults.invariants import check_workspace, titles_written
from faults.load import Load, Psql, psql
from rowcast import writer
from support import Client, Database, eventually


@asynccontextmanager
async def _held(database: Database, statement: str, *parameters: str) -> AsyncIterator[Psql]:
    """A psql transaction that has run a statement and stays open; `commit` it, or it rolls back."""
    async with psql(database) as connection:
        await connection.execute("begin")
        await connection.execute(statement.encode(), parameters)
        yield connection


def _hold_clock(database: Database, workspace: str) -> Any:
    return _held(
        database,
        "insert into core.record (workspace_id, collection) values (%s, 'task')",
        workspace,
    )


def _patch(client: Client, record: str, title: str) -> "asyncio.Task[Any]":
    return asyncio.create_task(
        client.call("PATCH", f"/api/tasks/{record}", {"patch": {"title": title}})
    )


async def _lanes_waiting(watcher: Psql, count: int = 1) -> bool:
    cursor = await watcher.execute(
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and application_name like 'rowcast lane%' and wait_event_type = 'Lock'"
    )
    row = await cursor.fetchone()
    return row is not None and row[0] >= count


async def _seconds(client: Client, record: str, count: int = 20) -> list[float]:
    """How long single PATCHes take."""
    taken = []
    for n in range(count):
        started = time.monotonic()
        await _patch(client, record, f"{started} {n}")
        taken.append(time.monotonic() - started)
    return taken


@pytest.mark.parametrize("held", ["clock", "record"])
async def test_a_batch_takes_no_lock_that_somebody_holds_and_answers_busy_for_it_alone(
    held: str, database: Database
) -> None:
    stuck, free = database.workspace(name="Stuck"), database.workspace(name="Free")
    locked, other = (database.task(stuck, title="First")["id"] for _ in range(2))
    elsewhere = database.task(free, title="First")["id"]
    calls = [
        {
            "function": "record_update",
            "record": record,
            "arguments": {"id": record, "patch": {"title": "Second"}},
        }
        for record in (locked, elsewhere, other)
    ]
    select = {
        "clock": "select from core.clock where workspace_id = %s for update",
        "record": "select from core.record where workspace_id = %s and id = %s for update",
    }[held]
    parameters = (stuck,) if held == "clock" else (stuck, locked)
    async with _held(database, select, *parameters):
        with database.connect_server() as connection:
            connection.execute("set lock_timeout = '1s'")  # if it waits at all, it fails here
            replies = database.batch(calls, connection)
    states = [reply.state for reply in replies]
    assert states == ["busy", "ok", "busy" if held == "clock" else "ok"]
    assert replies[0].workspace == stuck, "it says where it waits"


async def test_a_transaction_left_open_in_one_workspace_delays_only_that_one(
    two: list[Client], database: Database
) -> None:
    stuck, free = database.workspace(name="Stuck"), database.workspace(name="Free")
    waiting_for = [database.task(stuck, title="First")["id"] for _ in range(10)]
    records = [database.task(free, title="First")["id"] for _ in range(10)]
    load = Load(two, {free: records})
    async with _hold_clock(database, stuck) as holder, psql(database) as watcher:
        waiting = [_patch(two[n % 2], record, "Second") for n, record in enumerate(waiting_for)]
        await eventually(lambda: _lanes_waiting(watcher, 2), what="a waiting lane in each process")
        async with load.running(writers=8):
            await load.more(400)
        assert not any(task.done() for task in waiting), "the lock was not respected"
        await holder.execute("commit")
        answers = await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert {answer["data"]["title"] for answer in answers} == {"Second"}
    assert {outcome.status for outcome in load.outcomes} == {200, 201}
    # far below the 250 ms that one turn of a lane waits for a clock, also on a slow machine
    assert statistics.median(outcome.seconds for outcome in load.outcomes) < 0.2
    for workspace in (stuck, free):
        check_workspace(database, workspace)


async def test_a_record_locked_in_psql_delays_only_that_record(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    locked, other = (database.task(workspace, title="First")["id"] for _ in range(2))
    select = "select from core.record where id = %s for update"
    async with _held(database, select, locked) as holder:
        waiting = [_patch(client, locked, "Second") for client in two]
        for client in two:
            await asyncio.wait_for(_seconds(client, other), 20)
        assert not any(task.done() for task in waiting), "the lock was not respected"
        await holder.execute("rollback")
        await asyncio.wait_for(asyncio.gather(*waiting), 10)
    titles = titles_written(check_workspace(database, workspace))
    assert titles.count("Second") == 1  # the second of them changed nothing


async def test_more_stuck_workspaces_than_lanes_each_go_on_when_released(
    two: list[Client], database: Database
) -> None:
    client = two[0]
    stuck = [database.workspace(name=f"W{n}") for n in range(writer.LANES + 3)]
    records = [database.task(workspace, title="First")["id"] for workspace in stuck]
    free = database.task(database.workspace(name="Free"), title="First")["id"]
    async with AsyncExitStack() as stack:
        watcher = await stack.enter_async_context(psql(database))
        holders = [await stack.enter_async_context(_hold_clock(database, w)) for w in stuck]
        waiting = [_patch(client, record, "Second") for record in records]
        await eventually(lambda: _lanes_waiting(watcher, writer.LANES), what="all lanes to wait")
        assert statistics.median(await _seconds(client, free)) < 0.2
        # from the last to the first: none has to wait for another that is stuck
        for n in reversed(range(len(stuck))):
            assert not waiting[n].done()
            await holders[n].execute("commit")
            assert (await asyncio.wait_for(waiting[n], 10))["data"]["title"] == "Second"
            assert not any(task.done() for task in waiting[:n])
    for workspace in stuck:
        check_workspace(database, workspace)


async def test_a_write_whose_patience_ends_is_answered_busy_and_never_applied(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "PATIENCE", 1.0)
    workspace = database.workspace()
    task = database.task(workspace, title="First")["id"]
    patch = {"patch": {"title": "Second"}}
    async with _hold_clock(database, workspace) as holder:
        problems = await asyncio.gather(
            *(client.call("PATCH", f"/api/tasks/{task}", patch, status=503) for _ in range(5))
        )
        assert {problem["code"] for problem in problems} == {"busy"}
        monkeypatch.setattr(writer, "PATIENCE", 30.0)
        later = _patch(client, task, "Third")
        await holder.execute("commit")
        await asyncio.wait_for(later, 10)
    titles = titles_written(check_workspace(database, workspace))
    assert titles == ["First", "Third"]


async def test_account_calls_go_on_while_more_workspaces_than_lanes_are_held(
    two: list[Client], database: Database
) -> None:
    client = two[0]
    stuck = [database.workspace(name=f"W{n}") for n in range(writer.LANES + 1)]
    records = [database.task(workspace, title="First")["id"] for workspace in stuck]
    async with AsyncExitStack() as stack:
        watcher = await stack.enter_async_context(psql(database))
        holders = [await stack.enter_async_context(_hold_clock(database, w)) for w in stuck]
        waiting = [_patch(client, record, "Second") for record in records]
        await eventually(lambda: _lanes_waiting(watcher, writer.LANES), what="all lanes to wait")
        for n in range(5):
            create = client.call(
                "POST", "/api/v1/workspaces", {"name": f"New {n}", "template": "tasks"}
            )
            await asyncio.wait_for(create, 10)
        assert not any(task.done() for task in waiting)
        for holder in holders:
            await holder.execute("rollback")
        await asyncio.wait_for(asyncio.gather(*waiting), 20)


async def test_two_processes_on_one_hot_workspace_get_their_fair_shares(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    records = [database.task(workspace, title="First")["id"] for _ in range(16)]
    loads = [Load([client], {workspace: records}) for client in two]
    async with loads[0].running(writers=12), loads[1].running(writers=12):
        await eventually(lambda: sum(load.acknowledged for load in loads) > 1500, 60)
    shares = sorted(load.acknowledged for load in loads)
    assert shares[0] > 0.3 * shares[1], shares
    assert {o.status for load in loads for o in load.outcomes} == {200, 201}
    check_workspace(database, workspace)
