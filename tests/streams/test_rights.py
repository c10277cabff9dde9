"""What a stream carries is what its reader may see, and what it asked for."""

import pytest

from streams.conftest import Server
from streams.streaming import Reader, as_account, following, head, names, patch
from support import Client, Database


@pytest.fixture
def bob(database: Database, workspace: str) -> str:
    """The account of Bob, who sees tasks that he created or is assigned to."""
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'assignee', 'Assignee', 'user')",
        workspace,
    )
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'own', 'Own', '{task:own}', '{task:own}', '{create:task,delete:task:own}')",
        workspace,
    )
    return database.join(workspace, "Bob", "own")


@pytest.fixture
def bobs(server: Server, database: Database, bob: str) -> Client:
    """The server for Bob."""
    return as_account(server.client, database, "Bob")


async def test_a_reader_gets_what_happens_to_the_own_records_and_nothing_of_others(
    database: Database, workspace: str, events: str, bobs: Client
) -> None:
    hers = database.task(workspace, title="Hers")["id"]
    reader = Reader(bobs, events)
    async with following(reader):
        his = database.task(workspace, "Bob", title="His")["id"]
        patch(database, workspace, hers, title="Secret")
        patch(database, workspace, his, title="His own")
        database.task(workspace, title="Secret too")
        database.call("record_delete", workspace, record=his, arguments={"id": his})
        database.call("record_restore", workspace, record=his, arguments={"id": his})
        await reader.reached(head(database, workspace))
    assert names(reader.events[1:]) == [
        "task-created",
        "task-updated",
        "task-deleted",
        "task-restored",
    ]
    assert {event.data["id"] for event in reader.events[1:]} == {his}
    assert "Secret" not in str(reader.events)


async def test_an_event_says_who_did_what_to_which_version(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    reader = Reader(server.client, events)
    async with following(reader):
        task = database.task(workspace, title="One", points=1)
        patch(database, workspace, task["id"], title="Two", points=None)
        await reader.reached(head(database, workspace))
    created, updated = reader.events[1:]
    assert created.data["record"]["data"]["title"] == "One"
    data = updated.data
    assert set(data) == {
        "seq", "workspaceId", "transactionId", "collection", "id", "displayId", "version",
        "patch", "actor", "at",
    }  # fmt: skip
    assert data["patch"] == {"title": "Two", "points": None}
    assert (data["version"], data["displayId"]) == (2, task["displayId"])
    assert data["actor"] == {"id": database.account(), "name": "Ada"}


async def test_what_comes_into_sight_is_told_whole_and_what_leaves_it_without_its_patch(
    database: Database, workspace: str, events: str, bob: str, bobs: Client
) -> None:
    task = database.task(workspace, title="A", points=3)["id"]
    reader = Reader(bobs, events)
    async with following(reader):
        patch(database, workspace, task, assignee=bob)
        patch(database, workspace, task, title="B")
        patch(database, workspace, task, assignee=None, title="Secret")
        patch(database, workspace, task, title="Secret too")
        database.task(workspace, "Bob", title="Fence")
        await reader.reached(head(database, workspace))
    came, changed, left, fence = reader.events[1:]
    assert (came.name, changed.name, left.name) == ("task-updated", "task-updated", "task-removed")
    assert came.data["record"]["data"] == {
        "title": "A",
        "points": 3,
        "status": "todo",
        "assignee": bob,
    } or came.data["record"]["data"] == {"title": "A", "points": 3, "assignee": bob}
    assert (changed.data["patch"], "record" in changed.data) == ({"title": "B"}, False)
    assert left.data["id"] == task
    assert not {"patch", "record", "position"} & set(left.data)
    assert fence.name == "task-created"
    assert "Secret" not in str(reader.events)


async def test_what_came_into_sight_is_told_from_the_log_although_it_has_left_again(
    server: Server, database: Database, workspace: str, events: str, bob: str, bobs: Client
) -> None:
    task = database.task(workspace, title="A")["id"]
    before = head(database, workspace)
    patch(database, workspace, task, assignee=bob)
    patch(database, workspace, task, assignee=None)
    patch(database, workspace, task, title="Secret")
    database.task(workspace, "Bob", title="Fence")
    reader = Reader(bobs, f"{events}?since={before}")
    shown = Reader(bobs, f"{events}?since={before}&include=record")
    async with following(reader, shown):
        await reader.reached(head(database, workspace))
        await shown.reached(head(database, workspace))
    assert names(reader.events[1:]) == ["task-updated", "task-removed", "task-created"]
    record = reader.events[1].data["record"]
    assert (record["data"]["title"], record["data"]["assignee"]) == ("A", bob)
    assert names(shown.events[1:]) == ["task-removed", "task-created"], "today's row is hidden"
    assert "Secret" not in str(reader.events) + str(shown.events)


async def test_an_author_gets_a_cursor_event_for_a_change_out_of_the_own_sight(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    """Whoever waits for the seq of a write is answered."""
    database.run(
        "insert into core.role (workspace_id, key, label, read, may)"
        " values (%s, 'drop', 'Drop', '{}', '{create:task}')",
        workspace,
    )
    database.join(workspace, "Eve", "drop")
    eve = Reader(as_account(server.client, database, "Eve"), events)
    filtered = Reader(server.client, f"{events}?collections=other")
    async with following(eve, filtered):
        mine = database.task(workspace, "Eve", title="Dropped")
        hers = database.task(workspace, title="Hers")
        await eve.reached(mine["seq"])
        await filtered.reached(hers["seq"])
    assert [(e.name, e.data) for e in eve.events[1:]] == [("cursor", {"seq": mine["seq"]})]
    assert [(e.name, e.data) for e in filtered.events[1:]] == [("cursor", {"seq": hers["seq"]})]


async def test_include_record_puts_the_whole_record_into_every_event(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    task = database.task(workspace, title="A", points=1)["id"]
    reader = Reader(server.client, f"{events}?include=record")
    async with following(reader):
        patch(database, workspace, task, points=2)
        await reader.reached(head(database, workspace))
    event = reader.events[-1]
    assert event.name == "task-updated"
    assert (event.data["patch"], event.data["record"]["version"]) == ({"points": 2}, 2)
    assert event.data["record"]["data"]["title"] == "A"


async def test_a_stream_can_be_narrowed_to_collections_and_to_records(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    database.run(
        "insert into core.collection (workspace_id, key, plural, label, prefix)"
        " values (%s, 'note', 'notes', 'Notes', 'NOTE')",
        workspace,
    )
    task = database.task(workspace, title="A")["id"]
    notes = Reader(server.client, f"{events}?collections=notes")
    both = Reader(server.client, f"{events}?collections=note,task")
    one = Reader(server.client, f"{events}?records={task.upper()}")
    async with following(notes, both, one):
        with database.connect() as connection:  # nobody's changes, so that there are no cursors
            insert = (
                "insert into core.record (workspace_id, collection, data) values (%s, %s, '{}')"
            )
            for collection in ("task", "note", "task", "note"):
                connection.execute(insert, [workspace, collection])
            connection.execute(
                'update core.record set data = \'{"title": "B"}\' where id = %s', [task]
            )
        last = head(database, workspace)
        await both.reached(last)
        await one.reached(last)
        await notes.reached(last - 1)
    assert names(notes.events[1:]) == ["note-created"] * 2
    assert len(both.events[1:]) == 5
    assert [event.data["patch"]["title"] for event in one.events[1:]] == ["B"]


async def test_atlas_streams_carry_unnamed_events_with_the_task_of_today(
    server: Server, database: Database, workspace: str
) -> None:
    async with server.client.events(f"/api/tasks/{workspace}/events") as stream:
        assert (await stream.next()).name == "connected"
        task = database.task(workspace, title="A")
        created = await stream.next()
        patch(database, workspace, task["id"], title="B")
        updated = await stream.next()
        database.call("record_delete", workspace, record=task["id"], arguments={"id": task["id"]})
        deleted = await stream.next()
    assert {created.name, updated.name, deleted.name} == {"message"}
    assert [e.data["type"] for e in (created, updated, deleted)] == [
        "task_created",
        "task_update",
        "task_deleted",
    ]
    assert updated.data["task"]["data"]["title"] == "B"
    assert (updated.data["task"]["displayId"], updated.data["task"]["version"]) == (
        task["displayId"],
        2,
    )


async def test_atlas_streams_resume_too(server: Server, database: Database, workspace: str) -> None:
    path = f"/api/tasks/{workspace}/events"
    task = database.task(workspace, title="A")["id"]
    async with server.client.events(path) as stream:
        place = (await stream.next()).id
    for n in range(3):
        patch(database, workspace, task, points=n)
    async with server.client.events(path, place) as stream:
        again = await stream.take(4)
    assert [event.data.get("type") for event in again] == [None] + ["task_update"] * 3


async def test_the_changes_of_a_log_are_paged_to_its_end(
    server: Server, database: Database, workspace: str
) -> None:
    """Small ones by their number, big ones by their size too."""
    database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'task', jsonb_build_object('title', repeat('x', 100000))"
        " from generate_series(1, 8)",
        workspace,
    )
    database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'task', '{}' from generate_series(1, 30)",
        workspace,
    )
    seqs, pages, since, more = [], [], 0, True
    while more:
        page = await server.client.call(
            "GET", f"/api/v1/workspaces/{workspace}/changes?since={since}&limit=10"
        )
        seqs += [change["seq"] for change in page["changes"]]
        pages.append(len(page["changes"]))
        since, more = page["seq"], page["hasMore"]
    assert seqs == list(range(1, head(database, workspace) + 1))
    assert min(pages) > 0
    assert pages[0] < 10
    assert max(pages) == 10
