"""G2: what can't be continued exactly is a `reset`, live and on resume; never a silent skip."""

from collections.abc import Callable

import pytest

from streams.conftest import Server
from streams.streaming import Reader, create_in_psql, following, head, names
from support import Database, eventually
from trimming import trim

Damage = Callable[[Database, str], None]


def new_epoch(database: Database, workspace: str) -> None:
    """What an operator does after a restore (docs/operations.md, Backup)."""
    database.run(
        "update core.workspace set epoch = gen_random_uuid() where workspace_id = %s", workspace
    )


def lose_the_newest(database: Database, workspace: str) -> None:
    """A restored volume: the log is shorter than what clients know."""
    database.run(
        "delete from core.change where workspace_id = %s and seq > %s",
        workspace,
        head(database, workspace) - 3,
    )


def replace_the_newest(database: Database, workspace: str) -> None:
    """A fail-over that lost commits: others stand at their seqs, and the log is longer again."""
    lose_the_newest(database, workspace)
    create_in_psql(database, workspace, 5)


def trim_all(database: Database, workspace: str) -> None:
    """A trim past what the client has got."""
    create_in_psql(database, workspace, 2, silently=True)
    trim(database, workspace, head(database, workspace) - 1)


DAMAGES = [
    pytest.param(new_epoch, "epoch", id="epoch"),
    pytest.param(lose_the_newest, "expired", id="shorter"),
    pytest.param(replace_the_newest, "expired", id="replaced"),
    pytest.param(trim_all, "expired", id="trimmed"),
]


def end_of_log(database: Database, workspace: str) -> int:
    """Where the log ends, also an empty one."""
    return int(database.value("select seq from logic.log_position(%s)", workspace))


@pytest.mark.parametrize(("damage", "reason"), DAMAGES)
async def test_connected_clients_are_told_and_go_on_from_the_head(
    lively: Server, database: Database, workspace: str, events: str, damage: Damage, reason: str
) -> None:
    create_in_psql(database, workspace, 10)
    readers = [Reader(lively.client, events), Reader(lively.client, f"{events}?include=record")]
    async with following(*readers):
        damage(database, workspace)
        for reader in readers:
            await reader.was_reset(reason)
        told = readers[0].events[-1].data
        create_in_psql(database, workspace, 2)
        last = head(database, workspace)
        for reader in readers:
            await reader.reached(last)
    for reader in readers:
        at = names(reader.events).index("reset")
        reset = reader.events[at].data
        assert reset["workspaceId"] == workspace
        assert reset["epoch"] == str(
            database.value("select epoch from core.workspace where workspace_id = %s", workspace)
        )
        after = [event.data["seq"] for event in reader.events[at + 1 :]]
        assert after == list(range(reset["seq"] + 1, last + 1)), "nothing missing behind the reset"
        assert reader.connects == 1
    assert told["reason"] == reason


@pytest.mark.parametrize(("damage", "reason"), DAMAGES)
async def test_a_client_that_comes_back_is_told_and_goes_on_from_the_head(
    server: Server, database: Database, workspace: str, events: str, damage: Damage, reason: str
) -> None:
    create_in_psql(database, workspace, 10)
    reader = Reader(server.client, f"{events}?since=1")
    async with following(reader):
        await reader.reached(head(database, workspace))
    await eventually(lambda: server.hub.stream_count == 0)
    damage(database, workspace)
    end = end_of_log(database, workspace)
    again = Reader(server.client, events, reader.last_event_id)
    async with following(again):
        await eventually(lambda: len(again.events) == 2)
        create_in_psql(database, workspace, 1)
        await again.reached(end + 1)
    assert names(again.events[:2]) == ["connected", "reset"]
    assert (again.resets, again.events[1].data["seq"]) == ([reason], end)
    assert again.seqs == [end + 1]


@pytest.mark.parametrize("ahead", [1, 1000, 2**40])
async def test_a_cursor_beyond_the_head_is_reset(
    server: Server, database: Database, workspace: str, events: str, ahead: int
) -> None:
    create_in_psql(database, workspace, 3)
    last = head(database, workspace)
    for attached in (0, 1):  # alone, and beside a stream that stands at the head
        reader = Reader(server.client, f"{events}?since={last + ahead}")
        async with following(*[Reader(server.client, events) for _ in range(attached)], reader):
            await reader.was_reset("expired")
            assert reader.events[1].data["seq"] == last


async def test_a_trim_of_what_was_seen_disturbs_nobody(
    lively: Server, database: Database, workspace: str, events: str
) -> None:
    create_in_psql(database, workspace, 10)
    reader = Reader(lively.client, events)
    async with following(reader):
        create_in_psql(database, workspace, 1)
        last = head(database, workspace)
        await reader.reached(last)
        assert trim(database, workspace, last) == last - 1
        create_in_psql(database, workspace, 1)
        await reader.reached(last + 1)
        await reader.reconnect()
        create_in_psql(database, workspace, 1)
        await reader.reached(last + 2)
    assert reader.resets == []
    assert reader.seqs == [last, last + 1, last + 2]


async def test_a_client_lost_between_connected_and_reset_is_told_the_next_time(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    create_in_psql(database, workspace, 3)
    reader = Reader(server.client, f"{events}?since=1")
    async with following(reader):
        await reader.reached(head(database, workspace))
    new_epoch(database, workspace)
    place = reader.last_event_id
    async with server.client.events(events, place) as stream:
        place = (await stream.next()).id or place
    again = Reader(server.client, events, place)
    async with following(again):
        await again.was_reset("epoch")
