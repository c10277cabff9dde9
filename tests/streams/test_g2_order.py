"""G2: a connected client receives every change in order, whoever writes, in every process."""

import asyncio
from contextlib import AsyncExitStack

from streams.conftest import Server
from streams.streaming import (
    Reader,
    assert_whole,
    create_in_psql,
    following,
    head,
    in_threads,
)
from support import Client, Database


async def test_every_change_of_http_and_psql_reaches_the_streams_of_two_processes_in_order(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    tasks = [database.task(workspace, title=str(n))["id"] for n in range(4)]
    first = head(database, workspace) + 1
    readers = [Reader(client, events) for client in two for _ in range(3)]

    async def patch(client: Client, task: str) -> None:
        for n in range(40):
            await client.call("PATCH", f"/api/tasks/{task}", {"patch": {"points": n}})

    async with following(*readers):
        await asyncio.gather(
            *(patch(client, task) for client in two for task in tasks),
            in_threads(
                lambda: create_in_psql(database, workspace, 40),
                lambda: create_in_psql(database, workspace, 40),
            ),
        )
        last = head(database, workspace)
        for reader in readers:
            await reader.reached(last)
    for reader in readers:
        assert reader.connects == 1
        assert reader.seqs == list(range(first, last + 1)), "each once, in order"


async def test_the_author_sees_the_own_change_on_the_own_stream(
    client: Client, database: Database, workspace: str, events: str
) -> None:
    task = database.task(workspace, title="One")
    async with client.events(events) as stream:
        await stream.next()
        answer = await client.call("PATCH", f"/api/tasks/{task['id']}", {"patch": {"title": "Two"}})
        event = await stream.next()
    assert (event.data["seq"], event.data["actor"]["id"]) == (answer["seq"], database.account())


async def test_a_transaction_of_5_000_rows_in_psql_is_relayed_whole(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    readers = [Reader(client, events) for client in two]
    first = head(database, workspace) + 1
    async with following(*readers):
        await in_threads(
            lambda: database.run(
                "insert into core.record (workspace_id, collection, data)"
                " select %s, 'task', jsonb_build_object('title', n::text)"
                " from generate_series(1, 5000) n",
                workspace,
            )
        )
        for reader in readers:
            await reader.reached(first + 4999, seconds=15)  # polls alone would take longer
    for reader in readers:
        assert reader.seqs == list(range(first, first + 5000))
        assert reader.resets == []


async def test_big_changes_in_bulk_overflow_nobody_who_reads(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    reader = Reader(two[0], events)
    first = head(database, workspace) + 1
    async with following(reader):
        await in_threads(
            lambda: database.run(
                "insert into core.record (workspace_id, collection, data)"
                " select %s, 'task', jsonb_build_object('title', repeat('x', 200000))"
                " from generate_series(1, 40) n",
                workspace,
            )
        )
        await reader.reached(first + 39, seconds=60)
    assert reader.resets == []
    assert reader.seqs == list(range(first, first + 40))


async def test_joining_in_the_middle_of_a_burst_misses_nothing(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    """Whoever joins gets what follows the seq that `connected` (or the client itself) names."""
    create_in_psql(database, workspace, 20)
    readers: list[Reader] = []

    async def write(client: Client) -> None:
        task = (await client.call("POST", "/api/tasks", {"data": {"title": "x"}}))["id"]
        for n in range(100):
            await client.call("PATCH", f"/api/tasks/{task}", {"patch": {"points": n}})

    async with AsyncExitStack() as joined:
        writing = asyncio.gather(
            *(write(client) for client in two for _ in range(4)),
            in_threads(lambda: create_in_psql(database, workspace, 150)),
        )
        while not writing.done():
            new = [Reader(client, path) for client in two for path in (events, f"{events}?since=5")]
            await joined.enter_async_context(following(*new))
            readers += new
        await writing
        last = head(database, workspace)
        assert len(readers) > 20
        for reader in readers:
            start = reader.events[0].data["seq"]
            if start < last:
                await reader.reached(last)
                assert reader.seqs == list(range(start + 1, last + 1))


async def test_a_client_that_reconnects_all_the_time_misses_nothing(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    first = head(database, workspace) + 1
    readers = [Reader(client, events) for client in two]
    async with following(*readers):
        for _ in range(10):
            writing = asyncio.create_task(
                in_threads(lambda: create_in_psql(database, workspace, 40))
            )
            for reader in readers:
                await reader.reconnect()
            await writing
        last = head(database, workspace)
        for reader in readers:
            await reader.reached(last)
    for reader in readers:
        assert reader.resets == []
        assert_whole(reader.seqs, first, last)


async def test_one_batch_wakes_the_streams_of_all_its_workspaces(
    server: Server, database: Database
) -> None:
    """The poll of this server never comes."""
    workspaces = [database.workspace() for _ in range(3)]
    readers = [Reader(server.client, f"/api/v1/workspaces/{w}/events") for w in workspaces]
    async with following(*readers):
        arguments = {"collection": "task", "data": {"title": "x"}}
        replies = database.batch(
            [
                {"function": "record_create", "workspace": workspace, "arguments": arguments}
                for workspace in workspaces
            ]
        )
        assert {reply.state for reply in replies} == {"ok"}
        for reader in readers:
            await reader.reached(2)
