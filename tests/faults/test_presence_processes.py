"""Presence over processes: seen in all, kept in none but memory, gone with the one that dies."""

import asyncio
import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from faults.presence_network import stalling
from rowcast.listener import PRESENCE_CHANNEL
from rowcast.presence_exchange import Exchange, Here
from rowcast.presence_registry import Person, PresencePace
from support import KEYS, ROOT, SECRET, Client, Database, Event, deployed, eventually, serving

PACE = PresencePace(present=600, typing=600, announce=0.02, beat=0.2, silence=600)
USERS = 500


@pytest.fixture
def process(database: Database, tmp_path: Path) -> Iterator[Callable[[PresencePace], Any]]:
    """Starts server processes of a pace; kills what is left of them."""
    started: list[subprocess.Popen[str]] = []

    def start(pace: PresencePace) -> tuple[subprocess.Popen[str], str]:
        script = ROOT / "tests" / "faults" / "presence_process.py"
        with (tmp_path / f"presence-{len(started)}.log").open("w") as log:
            running = subprocess.Popen(
                [sys.executable, str(script), database.server, json.dumps(asdict(pace))],
                env={**os.environ, "PYTHONPATH": f"{ROOT / 'server'}:{ROOT / 'tests'}"},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        started.append(running)
        assert running.stdout is not None
        address = next((line for line in running.stdout if line.startswith("http")), "")
        assert address, (tmp_path / f"presence-{len(started) - 1}.log").read_text()
        return running, address.strip()

    yield start
    for running in started:
        running.kill()
        running.wait()
        assert running.stdout is not None
        running.stdout.close()


@asynccontextmanager
async def two_servers(
    database: Database, session: aiohttp.ClientSession, pace: PresencePace
) -> AsyncIterator[list[Client]]:
    """Clients of two servers in this process, each with a listener of its own."""
    token = database.token("Ada")
    async with AsyncExitStack() as stack:
        clients = []
        for _ in range(2):
            url = await stack.enter_async_context(serving(deployed(database, presence_pace=pace)))
            clients.append(Client(session, url, token))
        yield clients


def presence_of(workspace: str) -> str:
    """The path of a workspace's presence."""
    return f"/api/v1/workspaces/{workspace}/presence"


async def put(client: Client, workspace: str, tab: str, **body: Any) -> Any:
    """Says that somebody is here."""
    headers = {"Rowcast-Client": tab}
    return await client.call("PUT", presence_of(workspace), body, headers=headers)


async def leave(client: Client, workspace: str, tab: str) -> None:
    """Says that somebody is gone."""
    await client.call("DELETE", presence_of(workspace), headers={"Rowcast-Client": tab})


async def tabs(client: Client, workspace: str) -> list[str]:
    """Whose clients a server knows to be present."""
    answer = await client.call("GET", presence_of(workspace))
    return sorted(one["clientId"] for one in answer["present"])


def told(event: Event) -> tuple[str, str]:
    """What an event says of whom."""
    return event.data.get("change", event.name), event.data["clientId"]


def listeners(database: Database) -> set[int]:
    """The backends of the servers' listeners."""
    rows = database.run(
        "select pid from pg_stat_activity"
        " where datname = current_database() and application_name = 'rowcast listener'"
    )
    return {pid for (pid,) in rows}


async def test_people_are_seen_over_all_processes_and_move_without_leaving(
    database: Database, session: aiohttp.ClientSession
) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="A")["id"]
    events = f"/api/v1/workspaces/{workspace}/events"
    async with two_servers(database, session, PACE) as (one, two), two.events(events) as stream:
        assert (await stream.next()).name == "connected"
        await put(one, workspace, "tab", recordId=task)
        joined = await stream.next()
        assert (told(joined), joined.data["recordId"]) == (("joined", "tab"), task)
        assert joined.data["account"] == {"id": database.account(), "name": "Ada"}
        assert await tabs(two, workspace) == ["tab"]
        await put(one, workspace, "tab", recordId=task, state="typing")
        assert (await stream.next()).data["typing"] is True
        await put(two, workspace, "tab", recordId=task, state="typing")  # it came back elsewhere
        await put(two, workspace, "tab")
        await put(one, workspace, "tab", state="idle")  # and here again, before this one has heard
        assert [told(await stream.next()) for _ in range(2)] == [("changed", "tab")] * 2
        await leave(two, workspace, "tab")
        assert told(await stream.next()) == ("left", "tab")
        await eventually(lambda: nobody(one, workspace))


async def nobody(client: Client, workspace: str) -> bool:
    """Whether a server knows of nobody."""
    return await tabs(client, workspace) == []


async def test_conflicts_are_told_to_the_authors_tabs_at_other_processes(
    database: Database, session: aiohttp.ClientSession
) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="A")["id"]
    events = f"/api/v1/workspaces/{workspace}/events?collections=none"
    async with two_servers(database, session, PACE) as (one, two), two.events(events) as stream:
        assert (await stream.next()).name == "connected"
        path = f"/api/v1/workspaces/{workspace}/records/{task}"
        for base, status in ((1, 200), (1, 409)):
            body = {"patch": {"title": f"for {status}"}, "baseVersion": base}
            assert (await one.send("PATCH", path, body)).status == status
        found = [await stream.next() for _ in range(2)]
    conflict = next(event for event in found if event.name == "conflict-detected")
    assert conflict.data["conflicts"] == [{"recordId": task, "key": "title"}]


async def test_a_process_that_is_killed_takes_its_people_along_once(
    database: Database,
    session: aiohttp.ClientSession,
    process: Callable[[PresencePace], tuple[subprocess.Popen[str], str]],
) -> None:
    workspace, token = database.workspace(), database.token("Ada")
    pace = replace(PACE, silence=1.5)
    running, address = process(pace)
    _, other = process(pace)
    one, two = Client(session, address, token), Client(session, other, token)
    async with two.events(f"/api/v1/workspaces/{workspace}/events") as stream:
        assert (await stream.next()).name == "connected"
        for tab in ("a", "b", "c"):
            await put(one, workspace, tab)
        await put(two, workspace, "d")
        assert {told(await stream.next()) for _ in range(4)} == {("joined", tab) for tab in "abcd"}
        loop = asyncio.get_running_loop()
        running.kill()
        running.wait()
        killed = loop.time()
        await put(two, workspace, "c")  # who comes back in time was never away
        left = [told(await stream.next()) for _ in range(2)]
        assert loop.time() - killed < pace.silence + 2
        assert sorted(left) == [("left", "a"), ("left", "b")]
        await put(two, workspace, "last")
        assert told(await stream.next()) == ("joined", "last"), "and nothing twice"
        assert await tabs(two, workspace) == ["c", "d", "last"]


def hear(connection: psycopg.Connection[Any], *words: str) -> list[str]:
    """Waits until notifications have told of these; their payloads."""
    exchange = Exchange("test", [SECRET])
    text, sent = "", []
    for notification in connection.notifies(timeout=10):
        sent.append(notification.payload)
        text += str(exchange.read(notification.payload))
        if all(word in text for word in words):
            return sent
    raise AssertionError(f"{words} were not told: {text}")


async def test_a_role_that_listens_reads_of_nobody_and_what_it_notifies_is_not_believed(
    database: Database, session: aiohttp.ClientSession
) -> None:
    workspace, account = database.workspace(), database.account()
    task = database.task(workspace, title="A")["id"]
    async with two_servers(database, session, PACE) as (one, two):
        with psycopg.connect(database.admin, autocommit=True) as stranger:
            stranger.execute("set session authorization rowcast_analyst")
            stranger.execute(f"listen {PRESENCE_CHANNEL}".encode())
            await put(one, workspace, "the-tab", recordId=task)
            sent = await asyncio.to_thread(hear, stranger, account, task, "the-tab", "Ada")
            for payload in sent:
                for word in (account, task, workspace, "the-tab", '"Ada"', '"here"'):
                    assert word not in payload
                    assert word.encode() not in b64decode(payload)
            person = Person("Eve", task, "task", frozenset("*"), "active", "2026")
            here = Here((workspace, account, "forged"), person, 1)
            (forged,) = Exchange("eve", ["another secret"]).payloads([here])
            for payload in (forged, str(here), sent[0][:-8], "", "x"):
                stranger.execute("select pg_notify(%s, %s)", (PRESENCE_CHANNEL, payload))
        await put(one, workspace, "last")
        await eventually(lambda: is_seen(two, workspace, "last"))
        assert await tabs(two, workspace) == ["last", "the-tab"]


async def is_seen(client: Client, workspace: str, tab: str) -> bool:
    """Whether a server knows of a client."""
    return tab in await tabs(client, workspace)


async def test_what_a_process_missed_while_its_listener_was_away_is_caught_up(
    database: Database, session: aiohttp.ClientSession
) -> None:
    workspace = database.workspace()
    name = database.value("select quote_ident(current_database())")
    pace = replace(PACE, silence=0.6)  # of the second; the first tells what it is asked for only
    token = database.token("Ada")
    async with serving(deployed(database, presence_pace=PACE)) as first:
        await eventually(lambda: len(listeners(database)) == 1)
        before = listeners(database)
        async with serving(deployed(database, presence_pace=pace)) as second:
            one, two = (Client(session, url, token) for url in (first, second))
            await eventually(lambda: len(listeners(database)) == 2)
            (missing,) = listeners(database) - before
            async with two.events(f"/api/v1/workspaces/{workspace}/events") as stream:
                assert (await stream.next()).name == "connected"
                for tab in ("stays", "leaves", "moves"):
                    await put(one, workspace, tab)
                    assert told(await stream.next()) == ("joined", tab)
                with psycopg.connect(database.admin, autocommit=True) as hears:
                    hears.execute(f"listen {PRESENCE_CHANNEL}".encode())
                    # Nobody but a superuser comes in, so that the listener stays away.
                    database.run(f"alter database {name} connection limit 0")
                    database.run("select pg_terminate_backend(%s)", missing)
                    await leave(one, workspace, "leaves")
                    await put(one, workspace, "moves", state="idle")
                    await put(one, workspace, "comes")
                    await asyncio.to_thread(hear, hears, "Gone", "'comes'", "'idle'")
                database.run(f"alter database {name} connection limit -1")
                found = [told(await stream.next()) for _ in range(3)]
                assert sorted(found) == [
                    ("changed", "moves"), ("joined", "comes"), ("left", "leaves"),
                ]  # fmt: skip
                await put(two, workspace, "last")
                assert told(await stream.next()) == ("joined", "last")
                assert await tabs(two, workspace) == ["comes", "last", "moves", "stays"]


async def test_a_connection_that_stalls_does_not_keep_a_process_from_announcing(
    database: Database, session: aiohttp.ClientSession
) -> None:
    workspace, token = database.workspace(), database.token("Ada")
    pace = replace(PACE, beat=1, silence=3)
    async with AsyncExitStack() as stack:
        network, conninfo = await stack.enter_async_context(stalling(database.server))
        behind = replace(deployed(database, presence_pace=pace), conninfo=conninfo)
        one = Client(session, await stack.enter_async_context(serving(behind)), token)
        url = await stack.enter_async_context(serving(deployed(database, presence_pace=pace)))
        two = Client(session, url, token)
        events = two.events(f"/api/v1/workspaces/{workspace}/events")
        stream = await stack.enter_async_context(events)
        assert (await stream.next()).name == "connected"
        await put(one, workspace, "stays")
        assert told(await stream.next()) == ("joined", "stays")
        network.stalls = 2
        await put(one, workspace, "comes")
        assert told(await stream.next()) == ("joined", "comes"), "and nobody has left"
        assert network.stalled == 2


# What it costs


def make_users(database: Database, workspace: str) -> list[str]:
    """The access tokens of many members."""
    rows = database.run(
        "with made as ("
        " insert into core.account (email, name)"
        " select 'user' || n || '@example.org', 'User ' || n from generate_series(1, %s) n"
        " returning id),"
        " joined as ("
        " insert into core.member (workspace_id, account_id, role)"
        " select %s, id, 'editor' from made returning account_id)"
        " select account_id::text from joined",
        USERS,
        workspace,
    )
    sessions = database.run(
        "select a.id, trusted.session_open(a.id, 'test', '127.0.0.1') ->> 'sessionId'"
        " from unnest(%s::uuid[]) a(id)",
        [account for (account,) in rows],
    )
    return [KEYS.access_token(str(account), session, 3600) for account, session in sessions]


def contents(database: Database) -> dict[str, Any]:
    """A hash of each table."""
    tables = database.run(
        "select quote_ident(schemaname) || '.' || quote_ident(relname) from pg_stat_user_tables"
    )
    return {
        table: database.value(
            f"select md5(coalesce(string_agg(t::text, ',' order by t::text), '')) from {table} t"  # noqa: S608
        )
        for (table,) in tables
    }


@pytest.mark.timeout(150)
async def test_500_present_users_cost_a_few_notifications_a_second_and_no_table_write(
    database: Database, session: aiohttp.ClientSession
) -> None:
    workspace = database.workspace()
    records = [database.task(workspace, title=title)["id"] for title in "AB"]
    tokens = make_users(database, workspace)
    room = asyncio.Semaphore(16)
    loop = asyncio.get_running_loop()
    async with two_servers(database, session, PresencePace()) as servers:
        clients = [replace(servers[n % 2], token=token) for n, token in enumerate(tokens)]

        async def beat(client: Client, record: str) -> None:
            async with room:
                await client.call("PUT", presence_of(workspace), {"recordId": record})

        async def round_of(*moving: int) -> None:
            """A sign of life of everybody; some go to another record."""
            await asyncio.gather(
                *(beat(client, records[n in moving]) for n, client in enumerate(clients))
            )

        async def all_are_seen() -> bool:
            found = [len(await tabs(server, workspace)) for server in servers]
            return found == [USERS, USERS]

        await round_of()
        await eventually(all_are_seen)
        with psycopg.connect(database.admin, autocommit=True) as hears:
            hears.execute(f"listen {PRESENCE_CHANNEL}".encode())
            before, first = contents(database), next_transaction(database)
            started = loop.time()
            await round_of()
            await round_of()
            heard = len(list(hears.notifies(timeout=0)))
            # A sign of life of each process every five seconds, and no more.
            assert heard <= 2 * ((loop.time() - started) / 5 + 1)
            started = loop.time()
            moving = range(0, USERS, 10)
            await round_of(*moving)

            async def moves_are_seen() -> bool:
                answer = await servers[0].call("GET", presence_of(workspace))
                on = [one for one in answer["present"] if one["recordId"] == records[1]]
                return len(on) == len(moving)

            await eventually(moves_are_seen)
            moved = len(list(hears.notifies(timeout=0.1)))
            # At most one commit each half a second of each process; a payload holds 15 of them.
            assert moved <= 2 * (2 * (loop.time() - started) + 1) + len(moving) / 15 + 2
            assert contents(database) == before
            assert next_transaction(database) - first <= heard + moved, "nothing else wrote"


def next_transaction(database: Database) -> int:
    """The id of the next transaction that writes, of the whole cluster; asking takes none."""
    return int(database.value("select pg_snapshot_xmax(pg_current_snapshot())::text"))
