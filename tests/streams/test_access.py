"""Rights that change reach open streams at once, and are looked at again on resume."""

import asyncio
from dataclasses import replace

import pytest

from streams.conftest import Server
from streams.streaming import Reader, as_account, create_in_psql, following, head, names, stalled
from support import Client, Database, eventually


@pytest.fixture
def bob(database: Database, workspace: str) -> str:
    """The account of Bob, who reads all tasks by a role of his own."""
    database.run(
        "insert into core.role (workspace_id, key, label, read)"
        " values (%s, 'narrow', 'Narrow', '{task}')",
        workspace,
    )
    return database.join(workspace, "Bob", "narrow")


def narrow(database: Database, workspace: str, read: str = "{task:own}") -> None:
    """Changes what Bob's role may read."""
    database.run(
        "update core.role set read = %s where workspace_id = %s and key = 'narrow'", read, workspace
    )


async def test_a_narrowed_role_resets_its_streams_in_every_process(
    two: list[Client], database: Database, workspace: str, events: str, bob: str
) -> None:
    bobs = [Reader(as_account(client, database, "Bob"), events) for client in two]
    ada = Reader(two[0], events)
    async with following(*bobs, ada):
        create_in_psql(database, workspace, 1)
        narrow(database, workspace)
        for reader in bobs:
            await reader.was_reset("access", seconds=1)
        create_in_psql(database, workspace, 3)
        narrow(database, workspace, "{task}")
        for reader in bobs:
            await reader.was_reset("access", "access", seconds=1)
        create_in_psql(database, workspace, 1)
        last = head(database, workspace)
        for reader in (*bobs, ada):
            await reader.reached(last)
    for reader in bobs:
        assert names(reader.events[1:]) == ["task-created", "reset", "reset", "task-created"]
    assert (ada.resets, names(ada.events).count("task-created")) == ([], 5)


async def test_a_narrowing_ends_the_sight_of_what_follows_it_in_the_log(
    server: Server, database: Database, workspace: str, events: str, bob: str
) -> None:
    reader, ada = (
        Reader(as_account(server.client, database, "Bob"), events),
        Reader(server.client, events),
    )
    async with following(reader, ada):
        with database.connect() as connection, connection.transaction():
            for title, read in (("before", "{task:own}"), ("secret", "{task:unassigned}")):
                connection.execute(
                    "insert into core.record (workspace_id, collection, data)"
                    " values (%s, 'task', jsonb_build_object('title', %s::text))",
                    [workspace, title],
                )
                if title == "before":
                    connection.execute(
                        "update core.role set read = %s where key = 'narrow'", [read]
                    )
        await ada.reached(head(database, workspace))
        await reader.was_reset("access")
        database.task(workspace, title="fence")
        narrow(database, workspace, "{task}")
        await eventually(lambda: len(reader.resets) == 2)
    assert names(reader.events[1:]) == ["task-created", "reset", "reset"]
    assert "secret" not in str(reader.events)


async def test_a_member_with_another_role_is_reset_alone(
    server: Server, database: Database, workspace: str, events: str, bob: str
) -> None:
    database.join(workspace, "Eve", "narrow")
    reader = Reader(as_account(server.client, database, "Bob"), events)
    other = Reader(as_account(server.client, database, "Eve"), events)
    async with following(reader, other):
        database.join(workspace, "Bob", "viewer")
        await reader.was_reset("access")
        create_in_psql(database, workspace, 1)
        for each in (reader, other):
            await each.reached(head(database, workspace))
    assert names(other.events[1:]) == ["member-changed", "task-created"]
    assert other.events[1].data["account"] == {"id": bob, "name": "Bob"}
    assert other.events[1].data["role"] == "viewer"


@pytest.mark.parametrize("read", ["{task:own}", "{*}"])
async def test_who_comes_back_with_other_rights_is_reset(
    server: Server, database: Database, workspace: str, events: str, bob: str, read: str
) -> None:
    client = as_account(server.client, database, "Bob")
    reader = Reader(client, events)
    async with following(reader):
        create_in_psql(database, workspace, 1)
        await reader.reached(head(database, workspace))
    create_in_psql(database, workspace, 5)
    narrow(database, workspace, read)
    again = Reader(client, events, reader.last_event_id)
    async with following(again):
        await again.was_reset("access")
        assert names(again.events) == ["connected", "reset"], "nothing is replayed"
        assert again.events[1].data["seq"] == head(database, workspace)


async def test_the_cursor_of_another_account_is_reset(
    server: Server, database: Database, workspace: str, events: str, bob: str
) -> None:
    reader = Reader(as_account(server.client, database, "Bob"), f"{events}?since=1")
    create_in_psql(database, workspace, 2)
    async with following(reader):
        await reader.reached(head(database, workspace))
    other = Reader(server.client, events, reader.last_event_id)
    async with following(other):
        await other.was_reset("access")
    assert names(other.events) == ["connected", "reset"]


async def test_the_streams_of_a_removed_member_end_within_a_second_in_every_process(
    two: list[Client], database: Database, workspace: str, events: str, bob: str
) -> None:
    bobs = [Reader(as_account(client, database, "Bob"), events) for client in two]
    ada = Reader(two[0], events)
    async with following(*bobs, ada):
        database.run("delete from core.member where account_id = %s", bob)
        for reader in bobs:
            await reader.was_refused(404, seconds=1)
        create_in_psql(database, workspace, 1)
        await ada.reached(head(database, workspace))
    for reader in bobs:
        assert reader.seqs in ([], ada.seqs[:1]), "nothing behind the change of members"
    assert names(ada.events[1:]) == ["member-left", "task-created"]


async def test_the_streams_of_a_disabled_account_end_within_a_second_in_every_process(
    two: list[Client], database: Database, events: str, bob: str
) -> None:
    bobs = [Reader(as_account(client, database, "Bob"), events) for client in two]
    async with following(*bobs):
        database.run("update core.account set disabled_at = now() where id = %s", bob)
        for reader in bobs:
            await reader.was_refused(401, seconds=1)


async def test_streams_end_also_when_an_account_is_disabled_and_enabled_again(
    server: Server, database: Database, events: str, bob: str
) -> None:
    """Its sessions ended when it was disabled, and stay so."""
    reader = Reader(as_account(server.client, database, "Bob"), events)
    async with following(reader):
        with database.connect() as connection, connection.transaction():
            connection.execute("update core.account set disabled_at = now() where id = %s", [bob])
            connection.execute("update core.account set disabled_at = null where id = %s", [bob])
        await reader.was_refused(401)


async def test_rights_lost_without_a_notification_end_a_stream_at_the_next_poll(
    lively: Server, database: Database, events: str, bob: str
) -> None:
    reader = Reader(as_account(lively.client, database, "Bob"), events)
    async with following(reader):
        with database.connect() as connection:
            connection.execute("set session_replication_role = replica")  # no triggers
            connection.execute("delete from core.member where account_id = %s", [bob])
        await reader.was_refused(404)


async def test_who_is_removed_while_the_past_is_replayed_gets_nothing_written_later(
    lively: Server, database: Database, workspace: str, events: str, bob: str
) -> None:
    """He does not read, so that the replay lasts."""
    database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'task', jsonb_build_object('title', repeat('x', 200000))"
        " from generate_series(1, 60)",
        workspace,
    )
    client = as_account(lively.client, database, "Bob")
    async with stalled(client, f"{events}?since=1") as reader:
        quick = Reader(lively.client, f"{events}?since=1")
        async with following(quick):
            await quick.reached(head(database, workspace))  # now the server waits for Bob
        database.run("delete from core.member where account_id = %s", bob)
        database.task(workspace, title="secret")
        await eventually(lambda: lively.hub.stream_count == 0)
        got = await reader.rest()
    assert b"event: connected" in got
    assert b"secret" not in got


async def test_a_role_narrowed_while_the_past_is_replayed_narrows_the_replay(
    server: Server, database: Database, workspace: str, events: str, bob: str
) -> None:
    database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'task', jsonb_build_object('title', repeat('x', 200000))"
        " from generate_series(1, 60)",
        workspace,
    )
    client = as_account(server.client, database, "Bob")
    async with stalled(client, f"{events}?since=1") as reader, asyncio.timeout(20):
        narrow(database, workspace)
        database.task(workspace, title="secret")
        database.join(workspace, "Carol", "viewer")
        got = await reader.rest(b"event: member-joined")
    assert got.count(b'"reason":"access"') == 1
    assert b"secret" not in got


async def test_a_stranger_and_an_unknown_workspace_get_a_404_and_no_stream(
    server: Server, database: Database, events: str
) -> None:
    stranger = replace(server.client, token=database.token("Eve"))
    missing = "/api/v1/workspaces/00000000-0000-0000-0000-000000000001/events"
    for client, path in ((stranger, events), (server.client, missing)):
        problem = await client.call("GET", path, status=404)
        assert problem["code"] == "unknown_workspace"
    assert server.hub.stream_count == 0
