"""G2: a stream goes on exactly where it was, whatever was lost in between."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import psycopg
import pytest

from rowcast.config import server_password
from rowcast.hub import Pace
from rowcast.schema import migrate
from streams.conftest import Server, serving
from streams.streaming import (
    Reader,
    assert_whole,
    create_in_psql,
    following,
    head,
    in_threads,
)
from support import SECRET, Client, Cluster, Database, ServerProcess, eventually, server_url

SpawnServer = Callable[..., ServerProcess]


@pytest.mark.parametrize("way", ["header", "query", "since"])
async def test_a_client_that_was_away_gets_exactly_what_it_missed(
    server: Server, database: Database, workspace: str, events: str, way: str
) -> None:
    create_in_psql(database, workspace, 3)
    reader = Reader(server.client, events)
    async with following(reader):
        create_in_psql(database, workspace, 2)
        seen = head(database, workspace)
        await reader.reached(seen)
    await eventually(lambda: server.hub.stream_count == 0)
    create_in_psql(database, workspace, 700)
    place = reader.last_event_id
    again = {
        "header": Reader(server.client, events, place),
        "query": Reader(server.client, f"{events}?lastEventId={place}"),
        "since": Reader(server.client, f"{events}?since={seen}"),
    }[way]
    async with following(again):
        await again.reached(seen + 700)
        create_in_psql(database, workspace, 1)
        await again.reached(seen + 701)
    assert again.resets == []
    assert again.seqs == list(range(seen + 1, seen + 702))


async def test_the_header_of_a_reconnect_wins_over_the_query_of_the_first_connect(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    create_in_psql(database, workspace, 5)
    reader = Reader(server.client, f"{events}?since=2")
    async with following(reader):
        await reader.reached(head(database, workspace))
        await reader.reconnect()
        create_in_psql(database, workspace, 1)
        await reader.reached(head(database, workspace))
    assert reader.seqs == list(range(3, head(database, workspace) + 1))


async def test_connected_carries_no_id_where_a_client_resumes(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    """Or a client that is lost right behind it would come back without what the old id led to."""
    async with server.client.events(events) as stream:
        first = await stream.next()
    async with server.client.events(events, first.id) as stream:
        again = await stream.next()
    assert first.id is not None
    assert (again.name, again.id, again.data["seq"]) == ("connected", None, first.data["seq"])


@pytest.mark.parametrize("bad", ["nonsense", "1", "-1-a-b-c", "1-a-b", "1-x-y-z", "9" * 40])
async def test_what_is_no_event_id_is_refused(server: Server, events: str, bad: str) -> None:
    path = f"{events}?lastEventId={bad}"
    problem = await server.client.call("GET", path, status=422)
    assert problem["code"] == "invalid_cursor"


async def test_a_stream_survives_kill_9_of_its_server_under_load(
    spawn: SpawnServer,
    session: aiohttp.ClientSession,
    database: Database,
    workspace: str,
    events: str,
) -> None:
    other = Client(session, spawn().url, database.token())
    victim = spawn()
    reader = Reader(Client(session, victim.url, database.token()), events)
    first = head(database, workspace) + 1
    async with following(reader):
        writing = asyncio.create_task(in_threads(lambda: create_in_psql(database, workspace, 400)))
        await eventually(lambda: len(reader.seqs) > 20)
        victim.kill()
        reader.client = other
        await writing
        last = head(database, workspace)
        await reader.reached(last)
    assert reader.resets == []
    assert_whole(reader.seqs, first, last)


async def test_a_stream_survives_that_its_listeners_are_terminated_again_and_again(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    """The hub looks at all logs after each reconnect; the poll of this server never comes."""
    reader = Reader(server.client, events)
    first = head(database, workspace) + 1
    async with following(reader):
        for n in range(1, 4):
            await eventually(
                lambda: (
                    database.run(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name = 'rowcast listener'"
                        " and datname = current_database()"
                    )
                    != []
                )
            )
            await in_threads(lambda: create_in_psql(database, workspace, 10))
            await reader.reached(first - 1 + 10 * n)
    assert reader.connects == 1
    assert reader.seqs == list(range(first, first + 30))


async def test_a_lost_notification_costs_a_poll_interval(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    readers = [Reader(client, events) for client in two]
    async with following(*readers):
        create_in_psql(database, workspace, 1, silently=True)
        for reader in readers:
            await reader.reached(head(database, workspace), seconds=5)


async def test_a_lost_notification_is_found_also_while_others_are_busy(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    busy = database.workspace()
    noise = Reader(two[0], f"/api/v1/workspaces/{busy}/events")
    reader = Reader(two[0], events)
    task = database.task(busy, title="Busy")["id"]

    async def write() -> None:
        for n in range(10_000):
            await two[1].call("PATCH", f"/api/tasks/{task}", {"patch": {"points": n}})

    async with following(noise, reader):
        writing = asyncio.create_task(write())
        await eventually(lambda: len(noise.seqs) > 5)
        create_in_psql(database, workspace, 1, silently=True)
        await reader.reached(head(database, workspace), seconds=6)
        assert not writing.done()
        writing.cancel()


async def test_a_log_that_can_not_be_read_delays_nobody_else(
    lively: Server, database: Database, workspace: str, events: str
) -> None:
    """A change of members whose account is no uuid is what the reader stumbles over."""
    broken = database.workspace()
    stuck = Reader(lively.client, f"/api/v1/workspaces/{broken}/events")
    reader = Reader(lively.client, events)
    async with following(stuck, reader):
        with database.connect() as connection, connection.transaction():
            connection.execute(
                "insert into core.change (workspace_id, seq, at, action, patch)"
                " values (%s, %s, now(), 'access', %s)",
                [broken, head(database, broken) + 1, '{"event": "member-left", "accountId": "?"}'],
            )
        for _ in range(10):
            create_in_psql(database, workspace, 1)
            await reader.reached(head(database, workspace), seconds=2)
        assert stuck.seqs == []
        last = head(database, broken)
        database.run(
            'update core.change set patch = \'{"event": "member-left"}\''
            " where workspace_id = %s and seq = %s",
            broken,
            last,
        )
        await stuck.reached(last)


@pytest.fixture
def mortal(cluster: Cluster) -> Iterator[tuple[Cluster, Database]]:
    """A cluster of its own that may be killed, and a database in it."""
    base = Path(tempfile.mkdtemp(prefix="rowcast-mortal-"))
    base.chmod(0o711)
    own = Cluster(base / "cluster", cluster.kind, {"max_connections": "100"})
    with psycopg.connect(own.url("postgres"), autocommit=True) as connection:
        connection.execute("create database mortal")
    migrate(own.url("mortal"), server_password(SECRET))
    yield own, Database(own.url("mortal"), server_url(own.url("mortal")))
    own.stop()
    shutil.rmtree(base, ignore_errors=True)


async def test_streams_survive_kill_9_of_postgres_under_load(
    mortal: tuple[Cluster, Database], tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    cluster, database = mortal
    async with serving(database, session, Pace()) as server:
        workspace = database.workspace()
        first = head(database, workspace) + 1
        path = f"/api/v1/workspaces/{workspace}/events"
        steady, restless = Reader(server.client, path), Reader(server.client, path)
        async with following(steady, restless):

            def write_until_killed() -> None:
                with pytest.raises(psycopg.OperationalError):
                    create_in_psql(database, workspace, 100_000)

            writing = asyncio.create_task(in_threads(write_until_killed))
            await eventually(lambda: len(steady.seqs) > 50)
            await asyncio.to_thread(cluster.kill)
            await writing
            restless.drop()
            await eventually(lambda: len(restless.refused) > 0)
            await asyncio.to_thread(cluster.start)
            await in_threads(lambda: create_in_psql(database, workspace, 20))
            last = head(database, workspace)
            for reader in (steady, restless):
                await reader.reached(last, seconds=30)
        assert steady.connects == 1, "a stream outlives the database"
        assert restless.connects == 2
        for reader in (steady, restless):
            assert reader.resets == []
            assert_whole(reader.seqs, first, last)
