"""Who is in a workspace and on which record: told once, and only to who may know it."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from rowcast.endpoints import id_of_key
from rowcast.presence import MAX_CONFLICTS
from rowcast.presence_registry import MAX_CLIENTS, PresencePace
from streams.conftest import Server
from streams.streaming import as_account, patch, stalled
from support import Client, Database, Event, EventStream, deployed, eventually, serving

PACE = PresencePace(present=600, typing=600, announce=0.02, beat=600, silence=600)


@dataclass(frozen=True)
class Place:
    """A workspace of Ada's on a server in this process."""

    client: Client
    database: Database
    workspace: str

    @property
    def path(self) -> str:
        """Of its presence."""
        return f"/api/v1/workspaces/{self.workspace}/presence"

    def as_(self, name: str) -> Client:
        """The server for another account."""
        return as_account(self.client, self.database, name)

    async def put(
        self, record: str | None = None, state: str = "active", *, by: Client | None = None,
        tab: str = "tab",
    ) -> Any:  # fmt: skip
        """Says that somebody (Ada) is here, at a client."""
        body = {"recordId": record, "state": state}
        headers = {"Rowcast-Client": tab}
        return await (by or self.client).call("PUT", self.path, body, headers=headers)

    async def present(self, by: Client | None = None) -> list[Any]:
        """Who is there."""
        found: list[Any] = (await (by or self.client).call("GET", self.path))["present"]
        return found

    @asynccontextmanager
    async def stream(self, query: str = "", by: Client | None = None) -> AsyncIterator[EventStream]:
        """A stream of it that has been greeted."""
        path = f"/api/v1/workspaces/{self.workspace}/events{query}"
        async with (by or self.client).events(path) as stream:
            assert (await stream.next()).name == "connected"
            yield stream


@asynccontextmanager
async def place_at(
    database: Database, session: aiohttp.ClientSession, pace: PresencePace
) -> AsyncIterator[Place]:
    """A server with a pace of its own, and a workspace."""
    async with serving(deployed(database, presence_pace=pace)) as url:
        yield Place(Client(session, url, database.token("Ada")), database, database.workspace())


@pytest.fixture
async def place(database: Database, session: aiohttp.ClientSession) -> AsyncIterator[Place]:
    """One where nobody expires while a test runs."""
    async with place_at(database, session, PACE) as place:
        yield place


async def fence(place: Place, *streams: EventStream) -> list[list[tuple[str, Any]]]:
    """What streams got up to now, as (change or event, clientId); a visitor marks the end."""
    await place.put(tab="fence")
    await place.client.call("DELETE", place.path, headers={"Rowcast-Client": "fence"})
    found = []
    for stream in streams:
        told: list[tuple[str, Any]] = []
        while (event := await stream.next()).data.get("clientId") != "fence":
            told.append(summary(event))
        assert (await stream.next()).data["change"] == "left"
        found.append(told)
    return found


def summary(event: Event) -> tuple[str, Any]:
    """What happened, and on which record."""
    data = event.data
    if event.name == "typing":
        return f"typing {data['typing']}", data["recordId"]
    return data["change"], data["recordId"]


async def test_coming_changing_and_leaving_are_told_once_however_often_it_is_repeated(
    place: Place,
) -> None:
    task = place.database.task(place.workspace, title="A")
    async with place.stream() as stream:
        for _ in range(3):
            await place.put(task["displayId"])
        for _ in range(3):
            await place.put(task["id"], "idle")
        for _ in range(2):
            await place.client.call("DELETE", place.path, headers={"Rowcast-Client": "tab"})
        joined, changed, left = [await stream.next() for _ in range(3)]
        assert await fence(place, stream) == [[]]
    ada = {"id": place.database.account(), "name": "Ada"}
    rest = {
        "workspaceId": place.workspace, "clientId": "tab", "account": ada, "recordId": task["id"],
    }  # fmt: skip
    assert {joined.name, changed.name, left.name} == {"presence"}
    assert {joined.id, changed.id, left.id} == {None}
    assert joined.data == {**rest, "change": "joined", "state": "active"}
    assert changed.data == {**rest, "change": "changed", "state": "idle"}
    assert left.data == {**rest, "change": "left", "state": "idle"}


async def test_what_a_put_answers_and_what_it_refuses(place: Place) -> None:
    task = place.database.task(place.workspace, title="A")["id"]
    answer = await place.put(task.upper(), "typing")
    assert answer == {"clientId": "tab", "recordId": task, "state": "typing", "expiresIn": 600}
    own = await place.client.call("PUT", place.path, {})
    again = await place.client.call("PUT", place.path, {})
    assert (own["clientId"], own["recordId"]) == (again["clientId"], None)
    assert own["clientId"] != "tab"
    for body in ({"state": "asleep"}, {"recordId": 7}, {"recordId": ""}, {"recrodId": task}):
        (await place.client.send("PUT", place.path, body)).problem(422, "invalid_request")
    missing = {"recordId": place.workspace}
    (await place.client.send("PUT", place.path, missing)).problem(404, "unknown_record")
    for tab in ("", "x" * 65, "a b", "ä"):
        reply = await place.client.send("PUT", place.path, {}, headers={"Rowcast-Client": tab})
        reply.problem(422, "invalid_client_id")


async def test_typing_has_an_event_of_its_own_and_ends_by_itself(
    database: Database, session: aiohttp.ClientSession
) -> None:
    pace = PresencePace(typing=0.1, announce=0.02)
    async with place_at(database, session, pace) as place:
        task = database.task(place.workspace, title="A")["id"]
        async with place.stream() as stream:
            await place.put(task)
            await place.put(task, "typing")
            told = await stream.take(3)
        assert [summary(event) for event in told] == [
            ("joined", task), ("typing True", task), ("typing False", task),
        ]  # fmt: skip
        assert [(event.name, event.id) for event in told[1:]] == [("typing", None)] * 2
        assert (await place.present())[0]["state"] == "active"


async def test_typing_on_another_record_is_a_change_of_place(place: Place) -> None:
    one, two = (place.database.task(place.workspace, title=title)["id"] for title in "AB")
    async with place.stream() as stream:
        for record, state in ((one, "typing"), (two, "typing"), (two, "active"), (two, "typing")):
            await place.put(record, state)
        assert await fence(place, stream) == [
            [("joined", one), ("changed", two), ("typing False", two), ("typing True", two)]
        ]


async def test_who_says_nothing_more_is_gone_and_who_goes_on_saying_it_stays(
    database: Database, session: aiohttp.ClientSession
) -> None:
    pace = PresencePace(present=0.8, announce=0.02)
    async with place_at(database, session, pace) as place, place.stream() as stream:
        await place.put(tab="silent")
        await place.put(tab="alive")
        assert [summary(await stream.next())[0] for _ in range(2)] == ["joined", "joined"]

        async def only_one_is_left() -> bool:
            await place.put(tab="alive")
            return len(await place.present()) == 1

        await eventually(only_one_is_left)
        left = await stream.next()
        assert (left.data["change"], left.data["clientId"]) == ("left", "silent")
        assert [one["clientId"] for one in await place.present()] == ["alive"]


async def test_who_may_not_read_the_record_sees_the_person_on_none(place: Place) -> None:
    database, workspace = place.database, place.workspace
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'own', 'Own', '{task:own}', '{task:own}', '{create:task}')",
        workspace,
    )
    database.join(workspace, "Bob", "own")
    bob = place.as_("Bob")
    hers, too = (database.task(workspace, title=title)["id"] for title in "AB")
    his = database.task(workspace, "Bob", title="C")["id"]
    async with place.stream(by=bob) as bobs, place.stream() as adas:
        for record in (hers, too, his, hers):
            await place.put(record)
        await place.put(too, "idle")
        told = await fence(place, bobs, adas)
    assert told[0] == [("joined", None), ("changed", his), ("changed", None), ("changed", None)]
    assert told[1] == [
        ("joined", hers), ("changed", too), ("changed", his), ("changed", hers), ("changed", too),
    ]  # fmt: skip
    assert [one["recordId"] for one in await place.present(bob)] == [None]
    assert [one["recordId"] for one in await place.present()] == [too]
    refused = await bob.send("PUT", place.path, {"recordId": hers})
    refused.problem(404, "unknown_record")


async def test_a_narrowed_stream_tells_who_comes_to_its_records_and_who_leaves_them(
    place: Place,
) -> None:
    database, workspace = place.database, place.workspace
    database.run(
        "insert into core.collection (workspace_id, key, plural, label, prefix)"
        " values (%s, 'note', 'notes', 'Notes', 'NOTE')",
        workspace,
    )
    task = database.task(workspace, title="A")["id"]
    body = {"collection": "note", "data": {"title": "N"}}
    note = database.call("record_create", workspace, arguments=body)["id"]
    async with (
        place.stream(f"?records={task}") as one,
        place.stream("?collections=notes") as notes,
    ):
        for record in (None, task, note, task, None):
            await place.put(record)
        await place.put(task, tab="last")
        await place.put(note, tab="last")
        told = []
        for stream, count in ((one, 6), (notes, 3)):
            told.append([summary(await stream.next()) for _ in range(count)])
    assert told[0] == [("joined", task), ("left", task)] * 3
    assert told[1] == [("joined", note), ("left", note), ("joined", note)]


async def test_several_tabs_are_several_entries_and_the_list_shows_them_all(place: Place) -> None:
    place.database.join(place.workspace, "Bob", "viewer")
    await place.put(tab="one")
    await place.put(tab="two", state="idle")
    await place.put(by=place.as_("Bob"), tab="one")
    shown = [
        (one["account"]["name"], one["clientId"], one["state"]) for one in await place.present()
    ]
    assert shown == [("Ada", "one", "active"), ("Ada", "two", "idle"), ("Bob", "one", "active")]


async def test_the_tab_that_was_silent_longest_goes_when_there_are_too_many(place: Place) -> None:
    for n in range(MAX_CLIENTS):
        await place.put(tab=f"tab-{n}")
    await place.put(tab="tab-0")
    await place.put(tab="one-more")
    tabs = {one["clientId"] for one in await place.present()}
    assert tabs == {f"tab-{n}" for n in range(MAX_CLIENTS) if n != 1} | {"one-more"}


async def test_who_is_no_member_any_more_is_gone_at_once(place: Place) -> None:
    database, workspace = place.database, place.workspace
    bob = database.join(workspace, "Bob", "viewer")
    async with place.stream() as stream:
        for tab in ("one", "two"):
            await place.put(by=place.as_("Bob"), tab=tab)
            assert (await stream.next()).data["change"] == "joined"
        database.call("member_remove", workspace, arguments={"account": bob})
        told = [await stream.next() for _ in range(3)]
    left = sorted(event.data["clientId"] for event in told if event.name == "presence")
    assert left == ["one", "two"]
    assert await place.present() == []


async def test_who_is_refused_is_gone_at_once(place: Place) -> None:
    database, workspace = place.database, place.workspace
    database.join(workspace, "Bob", "viewer")
    bob = place.as_("Bob")
    await place.put(by=bob)
    database.run("update core.session set revoked_at = now() where account_id = %s",
                 database.account("Bob"))  # fmt: skip
    (await bob.send("PUT", place.path, {}, headers={"Rowcast-Client": "tab"})).problem(401)
    assert await place.present() == []


async def test_changed_rights_to_a_record_are_told_with_the_next_sign_of_life(
    place: Place,
) -> None:
    database, workspace = place.database, place.workspace
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'assignee', 'Assignee', 'user')",
        workspace,
    )
    database.run(
        "insert into core.role (workspace_id, key, label, read) values (%s, 'own', 'Own',"
        " '{task:own}')",
        workspace,
    )
    bob = database.join(workspace, "Bob", "own")
    task = database.task(workspace, title="A")["id"]
    await place.put(task)
    async with place.stream("?collections=none", by=place.as_("Bob")), AsyncExitStack() as stack:
        stream = await stack.enter_async_context(place.stream(by=place.as_("Bob")))
        database.call(
            "record_update",
            workspace,
            record=task,
            arguments={"id": task, "patch": {"assignee": bob}},
        )
        assert (await stream.next()).name == "task-updated"
        await place.put(task)
        assert summary(await stream.next()) == ("changed", task)


# conflict-detected: to the author's other tabs


async def test_a_refused_write_is_told_to_the_authors_other_tabs(place: Place) -> None:
    database, workspace = place.database, place.workspace
    database.join(workspace, "Bob", "editor")
    task = database.task(workspace, title="A")["id"]
    path = f"/api/v1/workspaces/{workspace}"
    async with AsyncExitStack() as stack:
        writing = await stack.enter_async_context(
            place.client.events(f"{path}/events?collections=none")
        )
        tab = (await writing.next()).data["clientId"]
        other = await stack.enter_async_context(place.stream("?collections=none"))
        bobs = await stack.enter_async_context(place.stream(by=place.as_("Bob")))
        patch(database, workspace, task, "Bob", title="B")
        assert (await bobs.next()).name == "task-updated"
        stale = {"patch": {"title": "C"}, "baseVersion": 1}
        headers = {"Rowcast-Client": tab, "Idempotency-Key": "one"}
        for address in (f"{path}/records/{task}", f"/api/tasks/{task}"):
            reply = await place.client.send("PATCH", address, stale, headers=headers)
            reply.problem(409, "conflict")
        body = {
            "operations": [{"type": "set", "recordId": task, "key": "title", "value": "D"}],
            "baseVersions": {task: 1},
            "id": str(uuid.uuid4()),
        }
        transactions = f"{path}/transactions"
        reply = await place.client.send("POST", transactions, body, headers=headers)
        reply.problem(409, "conflict")
        queue = {"transactions": [{**body, "id": str(uuid.uuid4())}]}
        answer = await place.client.call("POST", f"{transactions}/replay", queue, headers=headers)
        told = await other.take(4)
        patch(database, workspace, task, title="E")
        assert (await writing.next()).name == "cursor", "not to the tab that wrote"
        assert (await bobs.next()).name == "task-updated", "not to anybody else"
    assert {(event.name, event.id) for event in told} == {("conflict-detected", None)}
    conflicts = [{"recordId": task, "key": "title"}]
    for event in told:
        assert (event.data["workspaceId"], event.data["conflicts"]) == (workspace, conflicts)
    ids = [event.data["transactionId"] for event in told]
    assert ids[2:] == [body["id"], answer["results"][0]["id"]]


async def test_a_conflict_over_a_whole_record_names_no_key(place: Place) -> None:
    database, workspace = place.database, place.workspace
    database.join(workspace, "Bob", "editor")
    task = database.task(workspace, title="A")["id"]
    record = f"/api/v1/workspaces/{workspace}/records/{task}"
    async with place.stream("?collections=none") as stream:
        await place.as_("Bob").call("DELETE", record)
        reply = await place.client.send(
            "PATCH", record, {"patch": {"title": "B"}, "baseVersion": 1}
        )
        (conflict,) = reply.problem(409, "conflict")["conflicts"]
        assert conflict["key"] is None
        while (told := await stream.next()).name == "cursor":
            continue
    assert told.name == "conflict-detected"
    assert told.data["conflicts"] == [{"recordId": task, "key": None}]


async def test_a_client_with_an_id_of_its_own_is_the_same_in_stream_presence_and_writes(
    place: Place,
) -> None:
    database, workspace = place.database, place.workspace
    database.join(workspace, "Bob", "editor")
    task = database.task(workspace, title="A")["id"]
    patch(database, workspace, task, "Bob", title="B")
    path = f"/api/v1/workspaces/{workspace}"
    events = f"{path}/events?collections=none&client="
    for _ in range(2):  # it reconnects, and is who it was
        async with AsyncExitStack() as stack:
            mine = await stack.enter_async_context(place.client.events(events + "my_Tab-1"))
            assert (await mine.next()).data["clientId"] == "my_Tab-1"
            other = await stack.enter_async_context(place.client.events(events + "other"))
            assert (await other.next()).data["clientId"] == "other"
            stale = {"patch": {"title": "C"}, "baseVersion": 1}
            for tab in ("my_Tab-1", "other"):
                headers = {"Rowcast-Client": tab, "Idempotency-Key": tab}
                address = f"{path}/records/{task}"
                reply = await place.client.send("PATCH", address, stale, headers=headers)
                reply.problem(409, "conflict")
            for stream, tab in ((mine, "other"), (other, "my_Tab-1")):
                told = await stream.next()
                assert (told.name, told.data["transactionId"]) == (
                    "conflict-detected", id_of_key(tab),
                )  # fmt: skip


async def test_a_stream_of_any_form_takes_the_id_of_its_client_and_refuses_what_is_none(
    place: Place,
) -> None:
    addresses = [
        f"/api/v1/workspaces/{place.workspace}/events",
        f"/api/v1/tasks/{place.workspace}/events",
        f"/api/tasks/{place.workspace}/events",
        f"/api/events/{place.workspace}",
    ]
    for address in addresses:
        for client in ("", "x" * 65, "a%20b", "%C3%A4", "a%0A"):
            reply = await place.client.send("GET", f"{address}?client={client}")
            reply.problem(422, "invalid_request")
        async with place.client.events(f"{address}?client={'x' * 64}") as stream:
            assert (await stream.next()).data["clientId"] == "x" * 64


async def test_a_conflict_event_names_at_most_a_hundred_fields(place: Place) -> None:
    database, workspace = place.database, place.workspace
    database.join(workspace, "Bob", "editor")
    task = database.task(workspace, title="A")["id"]
    fields = {f"field{n}": n for n in range(MAX_CONFLICTS + 20)}
    patch(database, workspace, task, "Bob", **fields)
    async with place.stream("?collections=none") as stream:
        stale = {"patch": dict.fromkeys(fields, "mine"), "baseVersion": 1}
        address = f"/api/v1/workspaces/{workspace}/records/{task}"
        reply = await place.client.send("PATCH", address, stale)
        assert len(reply.problem(409, "conflict")["conflicts"]) == len(fields)
        told = await stream.next()
    assert len(told.data["conflicts"]) == MAX_CONFLICTS


async def test_a_client_that_does_not_read_what_it_is_told_aside_is_closed_and_others_go_on(
    place: Place,
) -> None:
    """G9. Conflicts are the longest of it: a few dozen fill what a connection holds."""
    database, workspace = place.database, place.workspace
    database.join(workspace, "Bob", "editor")
    task = database.task(workspace, title="A")["id"]
    fields = {f"{n:0900}": n for n in range(MAX_CONFLICTS)}
    patch(database, workspace, task, "Bob", **fields)
    stale = {"patch": dict.fromkeys(fields, "mine"), "baseVersion": 1}
    path = f"/api/v1/workspaces/{workspace}"
    async with (
        place.stream("?collections=none") as reads,
        stalled(place.client, f"{path}/events?collections=none") as slow,
    ):

        async def only_the_reader_is_left() -> bool:
            reply = await place.client.send("PATCH", f"{path}/records/{task}", stale)
            reply.problem(409, "conflict")
            assert (await reads.next()).name == "conflict-detected"
            return bool((await place.client.call("GET", "/health/ready"))["streams"] == 1)

        await eventually(only_the_reader_is_left, 60)
        assert b"event: reset" not in await slow.rest(), "it goes on from the id that it has"


# What is told to whom


@pytest.mark.parametrize("address", ["/api/tasks/{}/events", "/api/events/{}"])
async def test_streams_of_clients_that_know_nothing_of_presence_get_none(
    place: Place, address: str
) -> None:
    async with place.client.events(address.format(place.workspace)) as old, place.stream() as new:
        assert (await old.next()).name == "connected"
        await put_and_see(place, new)
        place.database.task(place.workspace, title="A")
        assert (await new.next()).name == "task-created"
        assert (await old.next()).name not in ("presence", "typing")


async def put_and_see(place: Place, stream: EventStream) -> None:
    """Somebody comes, of which a stream is told."""
    await place.put()
    assert (await stream.next()).data["change"] == "joined"


async def test_a_stream_of_a_collection_tells_nothing_of_who_is_on_a_record_that_is_hidden(
    place: Place,
) -> None:
    database, workspace = place.database, place.workspace
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'own', 'Own', '{task:own}', '{task:own}', '{create:task}')",
        workspace,
    )
    database.join(workspace, "Bob", "own")
    hers = database.task(workspace, title="A")["id"]
    his = database.task(workspace, "Bob", title="B")["id"]
    async with (
        place.stream("?collections=task", by=place.as_("Bob")) as narrow,
        place.stream(f"?records={hers},{his}", by=place.as_("Bob")) as narrower,
    ):
        for record in (hers, his, hers, None):
            await place.put(record)
        await place.put(hers, tab="other")
        await place.put(his, tab="last")
        for stream in (narrow, narrower):
            told = await stream.take(3)
            assert [summary(one) for one in told] == [
                ("joined", his), ("left", his), ("joined", his),
            ]  # fmt: skip
            assert told[2].data["clientId"] == "last"


async def test_who_stops_typing_to_be_idle_is_told_with_his_state(place: Place) -> None:
    task = place.database.task(place.workspace, title="A")["id"]
    async with place.stream() as stream:
        for state in ("typing", "idle", "typing", "active"):
            await place.put(task, state)
        told = await stream.take(4)
    assert [summary(event) for event in told] == [
        ("joined", task), ("changed", task), ("typing True", task), ("typing False", task),
    ]  # fmt: skip
    assert [event.data["state"] for event in told[:2]] == ["typing", "idle"]


async def test_without_a_header_a_session_is_one_entry_and_another_session_another(
    place: Place,
) -> None:
    clients = [place.as_("Ada") for _ in range(2)]  # each has a session of its own
    ids = [(await client.call("PUT", place.path, {}))["clientId"] for client in clients * 2]
    assert ids[:2] == ids[2:]
    assert sorted(one["clientId"] for one in await place.present()) == sorted(set(ids))
    assert len(set(ids)) == 2
    await clients[0].call("DELETE", place.path)
    assert [one["clientId"] for one in await place.present()] == [ids[1]]


async def test_who_is_no_member_can_neither_come_nor_make_anybody_leave(place: Place) -> None:
    eve = place.as_("Eve")
    await place.put()
    headers = {"Rowcast-Client": "tab"}
    for method, body in (("DELETE", None), ("PUT", {}), ("GET", None)):
        reply = await eve.send(method, place.path, body, headers=headers)
        reply.problem(404, "unknown_workspace")
    assert [one["clientId"] for one in await place.present()] == ["tab"]


async def test_a_hub_keeps_nothing_of_streams_that_have_ended(
    server: Server, database: Database
) -> None:
    workspace = database.workspace()
    path = f"/api/v1/workspaces/{workspace}/events"
    async with server.client.events(path) as one, server.client.events(path) as two:
        for stream in (one, two):
            assert (await stream.next()).name == "connected"
        assert len(server.hub.streams_of(workspace)) == 2
    await eventually(lambda: server.hub.stream_count == 0)
    assert (server.hub._by_workspace, server.hub.streams_of(workspace)) == ({}, [])
