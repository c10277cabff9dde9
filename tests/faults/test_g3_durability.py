"""G3: what was acknowledged is durable, whatever is killed; 503 means not applied; nobody hangs."""

import asyncio
import contextlib
import itertools
import json
import signal
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from faults.conftest import Durable
from faults.invariants import check_workspace, titles_written
from faults.load import Load, Outcome, Psql, check_outcomes, psql, write
from faults.proxy import Proxy, proxied
from support import Client, Database, ServerProcess, eventually, start_server


def _prepare(database: Database, clients: list[Client]) -> Load:
    """A load on two workspaces of ten tasks."""
    workspaces = [database.workspace(name=f"W{n}") for n in range(2)]
    return Load(
        clients,
        {w: [database.task(w, title="First")["id"] for _ in range(10)] for w in workspaces},
    )


def _check(database: Database, load: Load) -> None:
    """Every acknowledged write is there, once; none answered 503 is; the logs are whole."""
    titles = [t for w in load.workspaces for t in titles_written(check_workspace(database, w))]
    check_outcomes(load.outcomes, titles)


def _statuses(outcomes: list[Outcome]) -> set[int]:
    return {outcome.status for outcome in outcomes}


@asynccontextmanager
async def _server(
    database: Database, tmp_path: Path, *options: str, **environment: str
) -> AsyncIterator[ServerProcess]:
    server = await asyncio.to_thread(
        start_server, database, tmp_path, *options, environment=environment
    )
    try:
        yield server
    finally:
        server.kill()


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "two workers"])
async def test_a_killed_server_loses_no_acknowledged_write(
    options: tuple[str, ...], durable: Durable, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    database = durable.database
    load = _prepare(database, [])
    async with (
        _server(database, tmp_path, *options) as killed,
        _server(database, tmp_path) as survivor,
    ):
        token = database.token("Ada")
        load.clients = [Client(session, server.url, token) for server in (killed, survivor)]
        async with load.running(writers=16):
            await load.more(200)
            killed.kill()
            before = len(load.outcomes)
            await load.more(100)  # the other server goes on: what the dead one held is free
            await eventually(lambda: 0 in _statuses(load.outcomes), what="the kill to be noticed")
    _check(database, load)
    of_survivor = [outcome for outcome in load.outcomes[before:] if outcome.status]
    assert _statuses(of_survivor) <= {200, 201}


async def test_a_killed_postgres_loses_no_acknowledged_write_and_the_server_recovers(
    durable: Durable, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    database = durable.database
    load = _prepare(database, [])
    async with _server(database, tmp_path) as server, _server(database, tmp_path) as other:
        token = database.token("Ada")
        load.clients = [Client(session, s.url, token) for s in (server, other)]
        late: list[asyncio.Task[Outcome]] = []
        async with load.running(writers=16):
            for _ in range(2):
                await load.more(150)
                await asyncio.to_thread(durable.cluster.kill)
                # those under way wait for it to come back; who comes now is turned away at once
                for client in load.clients:
                    await eventually(partial(_turned_away, client, load, late), what="a 503")
                await asyncio.to_thread(durable.cluster.start)
            await load.more(150)
        load.outcomes += await asyncio.gather(*late)
        for client in load.clients:
            assert (await client.call("GET", "/health/ready"))["status"] == "ready"
    _check(database, load)
    assert max(outcome.seconds for outcome in load.outcomes) < 40
    assert 0 not in _statuses(load.outcomes)


async def _turned_away(client: Client, load: Load, late: list["asyncio.Task[Outcome]"]) -> bool:
    """Sends one more write, and says whether any of those that came late got a 503."""
    workspace = next(iter(load.workspaces))
    path = f"/api/v1/workspaces/{workspace}/records?collection=task"
    title = f"late {len(late)}"
    late.append(asyncio.create_task(write(client, "POST", path, title, {"data": {"title": title}})))
    await asyncio.wait(late[-1:], timeout=0.1)
    return any(task.result().status == 503 for task in late if task.done())


async def test_a_write_under_way_when_postgres_goes_away_is_answered_once_it_is_back(
    durable: Durable, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    database = durable.database
    workspace = database.workspace()
    record = database.task(workspace, title="First")["id"]
    async with _server(database, tmp_path) as server, psql(database) as holder:
        client = Client(session, server.url, database.token("Ada"))
        await holder.execute("begin")
        await holder.execute("lock table core.transaction in share mode")  # stops the batch's end
        write = asyncio.create_task(
            client.call("PATCH", f"/api/tasks/{record}", {"patch": {"title": "Second"}})
        )
        async with psql(database) as watcher:
            await eventually(lambda: _batch_under_way(watcher), what="a batch under way")
        await asyncio.to_thread(durable.cluster.kill)
        await asyncio.to_thread(durable.cluster.start)
        assert (await write)["data"]["title"] == "Second"
    assert titles_written(check_workspace(database, workspace)) == ["First", "Second"]


async def _batch_under_way(watcher: Psql) -> bool:
    # of the fast writer: what a process clears away at its start goes through a lane, and waits too
    cursor = await watcher.execute(
        "select 1 from pg_stat_activity where application_name = 'rowcast writer'"
        " and wait_event_type = 'Lock' and query like '%api.batch_run%'"
    )
    return await cursor.fetchone() is not None


async def test_the_writer_terminated_again_and_again_shows_no_client_an_error_but_503_and_504(
    two: list[Client], database: Database
) -> None:
    load = _prepare(database, two)
    async with psql(database) as killer, load.running(writers=24):
        killed = 0
        for n in itertools.count(1):
            await load.more(n * 7 % 23 + 1)
            cursor = await killer.execute(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity"
                " where datname = current_database() and (application_name = 'rowcast writer'"
                " or application_name like 'rowcast lane%%' and %s)",
                [n % 3 == 0],
            )
            row = await cursor.fetchone()
            killed += row[0] if row else 0
            if killed >= 60:
                break
    _check(database, load)
    assert _statuses(load.outcomes) <= {200, 201, 503, 504}


async def test_an_answer_lost_at_commit_is_found_again_and_applied_once(
    database: Database, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    load = _prepare(database, [])
    async with (
        proxied(database.server, "rowcast writer") as (proxy, conninfo),
        _server(Database(database.admin, conninfo), tmp_path) as server,
    ):
        load.clients = [Client(session, server.url, database.token("Ada"))]
        async with load.running(writers=12):
            for n in range(1, 16):
                await load.more(20)
                proxy.lose_answers += 1
                await eventually(partial(_has_lost, proxy, n), what="an answer to be lost")
    _check(database, load)
    assert _statuses(load.outcomes) == {200, 201}


def _has_lost(proxy: Proxy, count: int) -> bool:
    return proxy.lost >= count


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "two workers"])
async def test_sigterm_under_load_ends_cleanly_within_seconds_and_loses_nothing(
    options: tuple[str, ...],
    database: Database,
    spawn: Callable[..., ServerProcess],
    session: aiohttp.ClientSession,
) -> None:
    server = spawn(*options)
    client = Client(session, server.url, database.token("Ada"))
    load = _prepare(database, [client])
    workspace = next(iter(load.workspaces))
    async with client.events(f"/api/v1/workspaces/{workspace}/events") as stream:
        await stream.next()
        async with load.running(writers=16):
            await load.more(200)
            status = await asyncio.to_thread(server.terminate, 15)
        # a connection that breaks off in the middle of a chunked body raises here
        async with asyncio.timeout(5):
            async for _ in stream:
                continue
    assert status == 0
    _check(database, load)
    assert _statuses(load.outcomes) <= {200, 201, 503, 0}


async def test_workers_whose_parent_is_killed_end_too(
    database: Database, spawn: Callable[..., ServerProcess], session: aiohttp.ClientSession
) -> None:
    server = spawn("--workers", "2")
    server.process.kill()  # only the parent
    client = Client(session, server.url, None)

    async def gone() -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            await client.call("GET", "/health/live")
            return False
        return True

    await eventually(gone, 20, "the end of the workers")


async def test_sigterm_waits_for_a_write_that_waits_for_a_lock(
    database: Database, spawn: Callable[..., ServerProcess], session: aiohttp.ClientSession
) -> None:
    server = spawn()
    client = Client(session, server.url, database.token("Ada"))
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    async with psql(database) as holder, psql(database) as watcher:
        async with holder.transaction():
            await holder.execute(
                "select from core.clock where workspace_id = %s for update", [workspace]
            )
            path = f"/api/tasks/{task['id']}"
            write = asyncio.create_task(client.call("PATCH", path, {"patch": {"title": "Two"}}))
            await eventually(lambda: _lane_waits(watcher), what="a lane that waits")
            server.process.send_signal(signal.SIGTERM)
            # Of no record, so that one that comes too early is answered and does not wait too.
            other = f"/api/tasks/{uuid.uuid4()}"
            await eventually(lambda: _refuses(client, other), what="the server to take no more")
        assert (await write)["data"]["title"] == "Two"
    assert await asyncio.to_thread(server.process.wait, 15) == 0
    assert titles_written(check_workspace(database, workspace)) == ["One", "Two"]


async def _lane_waits(watcher: Psql) -> bool:
    cursor = await watcher.execute(
        "select 1 from pg_stat_activity where datname = current_database()"
        " and application_name like 'rowcast lane%' and wait_event_type = 'Lock'"
    )
    return await cursor.fetchone() is not None


async def _refuses(client: Client, path: str) -> bool:
    """Whether a server that shuts down turns a write away, or takes no more connections."""
    with contextlib.suppress(aiohttp.ClientError):
        async with client.request("PATCH", path, json={"patch": {"title": "Late"}}) as response:
            body = json.loads(await response.text())
            return response.status == 503 and body["code"] == "shutting_down"
    return True
