"""What streams tell of the schema: to all members, live and on resume, and of what comes later."""

from typing import Any

import pytest

from streams.conftest import Server
from streams.streaming import Reader, as_account, following, head, names
from support import Database

MEETING = {
    "key": "meeting",
    "label": "Meetings",
    "fields": [{"key": "title", "type": "text"}],
}


@pytest.fixture
def collections(workspace: str) -> str:
    """The path of the collections."""
    return f"/api/v1/workspaces/{workspace}/collections"


async def meet(server: Server, workspace: str, title: str) -> Any:
    body = {"collection": "meeting", "data": {"title": title}}
    return await server.client.call("POST", f"/api/v1/workspaces/{workspace}/records", body)


async def test_all_members_are_told_live_and_on_resume(
    server: Server, database: Database, workspace: str, events: str, collections: str
) -> None:
    """A viewer too, and one who follows other collections only."""
    database.join(workspace, "Vic", "viewer")
    start = head(database, workspace)
    readers = [
        Reader(as_account(server.client, database, "Vic"), events),
        Reader(server.client, f"{events}?collections=task"),
    ]
    async with following(*readers):
        made = await server.client.call("POST", collections, MEETING)
        for reader in readers:
            await reader.reached(made["seq"])
    resumed = Reader(as_account(server.client, database, "Vic"), f"{events}?since={start}")
    async with following(resumed):
        await resumed.reached(made["seq"])
    for reader in (*readers, resumed):
        (event,) = [event for event in reader.events if event.name == "schema-changed"]
        data = event.data
        assert (data["seq"], data["workspaceId"]) == (made["seq"], workspace)
        assert (data["collection"], data["fields"]) == ("meeting", made["fields"])
        assert data["actor"] == {"id": database.account("Ada"), "name": "Ada"}
        assert data["at"].endswith("Z")
        assert event.id is not None


async def test_another_tenant_is_told_nothing(
    server: Server, database: Database, workspace: str, events: str, collections: str
) -> None:
    theirs = database.workspace("Bob")
    reader = Reader(
        as_account(server.client, database, "Bob"), f"/api/v1/workspaces/{theirs}/events"
    )
    async with following(reader):
        await server.client.call("POST", collections, MEETING)
        await reader.reached(database.task(theirs, "Bob", title="x")["seq"])
    assert names(reader.events) == ["connected", "task-created"]


@pytest.mark.parametrize("wanted", ["", "?collections=meeting", "?collections=meetings,notes"])
async def test_an_open_stream_gets_the_records_of_a_collection_that_is_made_later(
    server: Server, database: Database, workspace: str, events: str, collections: str, wanted: str
) -> None:
    """Asked for by key, by plural, or not at all; live, and where the stream comes back."""
    reader = Reader(server.client, events + wanted)
    async with following(reader):
        await server.client.call("POST", collections, MEETING)
        await reader.reached((await meet(server, workspace, "one"))["seq"])
        await reader.reconnect()
        await reader.reached((await meet(server, workspace, "two"))["seq"])
    start = head(database, workspace) - 3
    late = Reader(server.client, f"{events}?since={start}" + wanted.replace("?", "&"))
    async with following(late):
        await late.reached(head(database, workspace))
    assert names(reader.events) == [
        "connected", "schema-changed", "meeting-created", "connected", "meeting-created",
    ]  # fmt: skip
    assert names(late.events)[1:] == ["schema-changed", "meeting-created", "meeting-created"]


async def test_an_open_stream_that_asked_by_plural_catches_up_over_the_making(
    lively: Server, database: Database, workspace: str, events: str, collections: str
) -> None:
    """The collection comes to be while the stream is away: it was opened before, resumed after."""
    reader = Reader(lively.client, f"{events}?collections=meetings")
    async with following(reader):
        pass
    await lively.client.call("POST", collections, MEETING)
    made = await meet(lively, workspace, "one")
    async with following(reader):
        await reader.reached(made["seq"])
    assert names(reader.events)[-2:] == ["schema-changed", "meeting-created"]


async def test_a_migration_is_streamed_schema_first_then_each_record_once(
    server: Server, database: Database, workspace: str, events: str, collections: str
) -> None:
    await server.client.call("POST", collections, MEETING)
    made = [await meet(server, workspace, str(n)) for n in range(3)]
    reader = Reader(server.client, events)
    async with following(reader):
        fields = [{"key": "name", "type": "text", "renamedFrom": "title"}]
        answer = await server.client.call(
            "PUT", f"{collections}/meeting/fields", {"fields": fields}
        )
        await reader.reached(answer["seq"])
    schema, *updates = reader.events[1:]
    assert schema.data["fields"] == answer["fields"]
    assert [event.name for event in updates] == ["meeting-updated"] * 3
    names_by_id = {record["id"]: record["data"]["title"] for record in made}
    assert {event.data["id"] for event in updates} == set(names_by_id)
    for event in updates:
        assert event.data["patch"] == {"title": None, "name": names_by_id[event.data["id"]]}
        assert event.data["version"] == 2
        assert event.data["transactionId"] == schema.data["transactionId"]
