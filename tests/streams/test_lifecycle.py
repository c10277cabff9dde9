"""How a stream begins, stays alive, and ends."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import aiohttp
import jwt
import pytest

from rowcast.hub import Pace
from streams.conftest import Server, serving
from streams.streaming import Reader, create_in_psql, following, head, names, stalled
from support import Client, Database, ServerProcess, eventually


@pytest.fixture
async def brief(database: Database, session: aiohttp.ClientSession) -> AsyncIterator[Server]:
    """A server whose streams last a quarter of a second at most."""
    async with serving(database, session, Pace(life=0.25)) as server:
        yield server


async def raw(client: Client, path: str, enough: bytes) -> bytes:
    """The bytes of a stream until some have come."""
    got = b""
    async with client.request("GET", path) as response, asyncio.timeout(10):
        assert response.headers["Content-Type"] == "text/event-stream"
        assert "Content-Encoding" not in response.headers
        while enough not in got:
            got += await response.content.readany()
    return got


async def test_a_stream_begins_with_connected_and_a_retry_that_differs(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    epoch = database.value("select epoch from core.workspace where workspace_id = %s", workspace)
    retries = set()
    for _ in range(5):
        got = await raw(server.client, events, b"\n\n")
        match = re.fullmatch(rb"retry: (\d+)\nid: (\S+)\nevent: connected\ndata: (\{.*\})\n\n", got)
        assert match, got
        retries.add(int(match[1]))
        assert b'"epoch":"%b"' % str(epoch).encode() in match[3]
        assert b'"seq":%d' % head(database, workspace) in match[3]
    assert len(retries) > 1
    assert min(retries) >= 1000
    assert max(retries) <= 4000


async def test_a_stream_beats_when_nothing_happens(lively: Server, events: str) -> None:
    got = await raw(lively.client, events, b": ping\n\n: ping\n\n")
    assert got.count(b"event: ") == 1


async def test_an_idle_stream_with_a_filter_resumes_near_the_head(
    lively: Server, database: Database, workspace: str, events: str
) -> None:
    """A beat carries an id without data; the browser keeps it, and nothing is replayed."""
    path = f"{events}?collections=other"
    reader = Reader(lively.client, path)
    async with following(reader):
        create_in_psql(database, workspace, 30)
        last = head(database, workspace)
        await eventually(lambda: (reader.last_event_id or "").startswith(f"{last}-"))
        assert names(reader.events) == ["connected"]
        beats = reader.last_event_id
    again = Reader(lively.client, path, beats)
    async with following(again):
        assert again.events[0].data["seq"] == last
        create_in_psql(database, workspace, 1)
        await eventually(lambda: (again.last_event_id or "").startswith(f"{last + 1}-"))
    assert names(again.events) == ["connected"]


async def test_nothing_but_heartbeats_reaches_a_stream_that_knows_the_head(
    lively: Server, database: Database, workspace: str, events: str
) -> None:
    create_in_psql(database, workspace, 1)
    got = await raw(lively.client, events, b": ping\n\n: ping\n\n: ping\n\n")
    assert got.count(b"id: ") == 1


async def test_a_stream_ends_cleanly_before_its_token_expires(
    server: Server, database: Database, events: str
) -> None:
    token = database.token(seconds=3)
    expiry = jwt.decode(token, options={"verify_signature": False})["exp"]
    client = replace(server.client, token=token)
    async with client.request("GET", events) as response, asyncio.timeout(10):
        got = await response.content.read()  # fails where the end is not a clean one
    assert b"event: connected" in got
    assert time.time() < expiry
    assert server.hub.stream_count == 0


async def test_streams_are_rotated_and_miss_nothing_by_it(
    brief: Server, database: Database, workspace: str, events: str
) -> None:
    reader = Reader(brief.client, events)
    first = head(database, workspace) + 1
    async with following(reader):
        async with asyncio.timeout(20):
            while reader.connects < 5:
                create_in_psql(database, workspace, 1)
                await asyncio.sleep(0)  # the server's turn
        await reader.reached(head(database, workspace))
    assert reader.seqs == list(range(first, head(database, workspace) + 1))
    assert reader.resets == []


async def test_sigterm_ends_all_streams_cleanly_within_seconds(
    spawn: Callable[..., ServerProcess],
    session: aiohttp.ClientSession,
    database: Database,
    workspace: str,
    events: str,
) -> None:
    """Also with one client that does not read what it asked for."""
    database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'task', jsonb_build_object('title', repeat('x', 200000))"
        " from generate_series(1, 60)",
        workspace,
    )
    server = spawn()
    client = Client(session, server.url, database.token())

    async def read() -> bytes:
        async with client.request("GET", events) as response:
            return await response.content.read()

    async with stalled(client, f"{events}?since=1"):
        readers = [asyncio.create_task(read()) for _ in range(20)]

        async def all_stream() -> bool:
            return bool((await client.call("GET", "/health/ready"))["streams"] == 21)

        await eventually(all_stream)
        started = time.monotonic()
        assert await asyncio.to_thread(server.terminate) == 0
        assert time.monotonic() - started < 4
        for got in await asyncio.gather(*readers):
            assert b"event: connected" in got


async def test_no_stream_is_kept_for_clients_that_have_left(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    readers = [Reader(server.client, path) for path in (events, f"{events}?since=0") * 10]
    async with following(*readers):
        assert server.hub.stream_count == 20
        create_in_psql(database, workspace, 5)
        assert server.hub.workspace_count == 1
    await eventually(lambda: server.hub.stream_count == 0, what="all have left")
    assert server.hub.workspace_count == 0
    create_in_psql(database, workspace, 5)
    reader = Reader(server.client, events)
    async with following(reader):
        create_in_psql(database, workspace, 1)
        await reader.reached(head(database, workspace))
    assert len(reader.seqs) == 1
