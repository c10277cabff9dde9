"""G9: a client that does not read costs bounded memory, delays nobody, and is closed."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from streams.conftest import Server
from streams.streaming import (
    Reader,
    create_in_psql,
    following,
    head,
    in_threads,
    stalled,
)
from support import Client, Database, ServerProcess, eventually

MIB = 1 << 20
PIECE = 100_000  # bytes of each record


def resident(server: ServerProcess) -> int:
    """The resident memory of a server, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def flood(database: Database, workspace: str, mebibytes: int) -> None:
    """Writes records that are long, in transactions of ten."""
    with database.connect() as connection:
        for _ in range(mebibytes * MIB // PIECE // 10):
            connection.execute(
                "insert into core.record (workspace_id, collection, data)"
                " select %s, 'task', jsonb_build_object('title', repeat('x', %s))"
                " from generate_series(1, 10)",
                [workspace, PIECE],
            )


async def test_a_reader_that_stops_costs_a_few_mebibytes_while_tens_pass_it(
    spawn: Callable[..., ServerProcess],
    session: aiohttp.ClientSession,
    database: Database,
    workspace: str,
    events: str,
) -> None:
    server = spawn()
    client = Client(session, server.url, database.token())
    reader = Reader(client, events)
    async with following(reader):
        await in_threads(lambda: flood(database, workspace, 10))  # what a server needs anyway
        await reader.reached(head(database, workspace))
        before = resident(server)
        async with stalled(client, events), stalled(client, f"{events}?since=1"):
            await in_threads(lambda: flood(database, workspace, 40))
            await reader.reached(head(database, workspace))
            grown = resident(server) - before
            assert grown < 12 * MIB, f"{grown / MIB:.1f} MiB for two who do not read"

            async def closed() -> bool:
                ready = await client.call("GET", "/health/ready")
                return bool(ready["streams"] == 2)  # the one that joins waits, at no cost

            await eventually(closed, 10, "the live one is closed")
    assert reader.resets == []
    assert reader.connects == 1


async def slowest_change(
    server: Server, database: Database, workspace: str, reader: Reader
) -> float:
    """While the workspace is flooded: how long the slowest of many changes takes, in seconds."""
    slowest = 0.0
    async with following(reader):
        flooding = asyncio.create_task(in_threads(lambda: flood(database, workspace, 30)))
        task = (await server.client.call("POST", "/api/tasks", {"data": {"title": "x"}}))["id"]
        for n in range(1_000):
            patch = {"patch": {"points": n}}
            seq = (await server.client.call("PATCH", f"/api/tasks/{task}", patch))["seq"]
            started = time.monotonic()  # the PATCH itself waits for those who flood the workspace
            await reader.reached(seq)
            slowest = max(slowest, time.monotonic() - started)
            if flooding.done():
                break
        await flooding
        await reader.reached(head(database, workspace))
    return slowest


async def test_twenty_who_do_not_read_delay_nobody(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    alone = await slowest_change(server, database, workspace, Reader(server.client, events))
    reader = Reader(server.client, events)
    async with AsyncExitStack() as stack:
        for path in (events, f"{events}?since=0") * 10:
            await stack.enter_async_context(stalled(server.client, path))
        slowest = await slowest_change(server, database, workspace, reader)
    bound = max(2, 2 * alone)  # the flood alone takes its time on a machine with much to do
    assert slowest < bound, f"a change took {slowest:.1f} s, {alone:.1f} s without them"
    assert (reader.connects, reader.resets) == (1, [])


async def test_who_reads_on_after_too_long_is_told_by_a_reset_and_a_clean_end(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    create_in_psql(database, workspace, 1)
    reader = Reader(server.client, events)
    async with stalled(server.client, events) as slow:
        async with following(reader):
            await in_threads(lambda: flood(database, workspace, 20))
            await reader.reached(head(database, workspace))  # all is relayed, to both
        got = await slow.rest()
    *_, last = got.replace(b"\r\n", b"").split(b"id: ")
    assert b"event: reset" in last
    assert b'"reason":"overflow"' in last
    assert got.endswith(b"0\r\n\r\n"), "a clean end"
    place = last.split(b"\n")[0].decode()
    reader = Reader(server.client, events, place)
    async with following(reader):
        create_in_psql(database, workspace, 1)
        last_seq = head(database, workspace)
        await reader.reached(last_seq)
    assert reader.resets == []
    assert reader.seqs == list(range(int(place.split("-")[0]) + 1, last_seq + 1))


async def test_a_reader_that_is_slow_but_reads_replays_a_long_past_whole(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    """Whoever joins sets the pace, and overflows nothing."""
    await in_threads(lambda: flood(database, workspace, 10))
    last = head(database, workspace)
    async with stalled(server.client, f"{events}?since=0") as slow:
        quick = Reader(server.client, f"{events}?since=0")
        async with following(quick):
            await quick.reached(last)  # by then the slow one has made the server wait
        async with asyncio.timeout(30):
            got = await slow.rest(b'"seq": %d,' % last)
    assert b"event: reset" not in got
    assert got.count(b"event: task-created") == last - 1
