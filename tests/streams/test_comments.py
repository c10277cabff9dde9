"""Comments on streams: told once, live and on resume, to who may read their record."""

import pytest

from streams.conftest import Server
from streams.streaming import Reader, as_account, following, head, names, patch
from support import Client, Database


@pytest.fixture
def bob(database: Database, workspace: str) -> str:
    """Bob, who sees the tasks that are his."""
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'assignee', 'Assignee', 'user')",
        workspace,
    )
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'own', 'Own', '{task:own}', '{task:own}', '{create:task,comment:task:own}')",
        workspace,
    )
    return database.join(workspace, "Bob", "own")


@pytest.fixture
def bobs(server: Server, database: Database, bob: str) -> Client:
    """The server for Bob."""
    return as_account(server.client, database, "Bob")


def say(database: Database, workspace: str, record: str, body: str, actor: str = "Ada") -> str:
    """A new comment; its id."""
    arguments = {"id": record, "body": body}
    said = database.call("comment_create", workspace, actor=actor, arguments=arguments)
    return str(said["id"])


async def test_what_becomes_of_a_comment_is_told_with_who_did_it(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    task = database.task(workspace, title="One")
    reader = Reader(server.client, events)
    whole = Reader(server.client, f"{events}?include=record")
    async with following(reader, whole):
        ident = say(database, workspace, task["id"], "Hello, @ada")
        edit = {"comment": ident, "body": "Good-bye"}
        database.call("comment_update", workspace, arguments=edit)
        database.call("comment_delete", workspace, arguments={"comment": ident})
        await reader.reached(head(database, workspace))
        await whole.reached(head(database, workspace))
    created, updated, deleted = reader.events[1:]
    assert names(reader.events[1:]) == ["comment-created", "comment-updated", "comment-deleted"]
    data = created.data
    assert set(data) == {
        "seq", "workspaceId", "transactionId", "collection", "recordId", "displayId", "actor", "at",
        "comment",
    }  # fmt: skip
    assert (data["recordId"], data["displayId"]) == (task["id"], task["displayId"])
    ada = {"id": database.account(), "name": "Ada"}
    comment = data["comment"]
    assert (data["actor"], comment["author"], comment["mentions"]) == (ada, ada, [ada])
    assert set(comment) == {
        "id", "recordId", "parentId", "body", "author", "mentions", "createdAt", "editedAt",
        "deletedAt",
    }  # fmt: skip
    assert (comment["id"], comment["body"]) == (ident, "Hello, @ada")
    changed = {"body": "Good-bye", "mentions": []}
    edited = updated.data["comment"]
    assert edited == comment | changed | {"editedAt": edited["editedAt"]}
    assert deleted.data["comment"] == edited | {
        "body": None,
        "deletedAt": deleted.data["comment"]["deletedAt"],
    }
    assert [e.data for e in whole.events[1:]] == [e.data for e in reader.events[1:]]


async def test_a_resumed_stream_and_the_changes_tell_the_same(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    task = database.task(workspace, title="One")["id"]
    since = head(database, workspace)
    live = Reader(server.client, events)
    async with following(live):
        for n in range(3):
            say(database, workspace, task, str(n))
        await live.reached(head(database, workspace))
    resumed = Reader(server.client, events, live.events[1].id)
    async with following(resumed):
        await resumed.reached(head(database, workspace))
    told = [event.data for event in live.events[1:]]
    assert [event.data for event in resumed.events[1:]] == told[1:]
    changes = f"/api/v1/workspaces/{workspace}/changes?since={since}"
    answer = await server.client.call("GET", changes)
    assert answer["changes"] == [data | {"event": "comment-created"} for data in told]


async def test_comments_that_psql_writes_are_told_too(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    task = database.task(workspace, title="One")["id"]
    reader = Reader(server.client, events)
    async with following(reader):
        with database.connect() as connection:
            connection.execute(
                "insert into core.comment (workspace_id, record_id, body) values (%s, %s, 'psql')",
                [workspace, task],
            )
            connection.execute("update core.comment set body = 'psql says'")
            connection.execute("delete from core.comment")
        await reader.reached(head(database, workspace))
    assert names(reader.events[1:]) == ["comment-created", "comment-updated", "comment-deleted"]
    assert [event.data["comment"]["body"] for event in reader.events[1:]] == [
        "psql",
        "psql says",
        None,
    ]
    assert reader.events[1].data["actor"] is reader.events[1].data["comment"]["author"] is None


async def test_who_sees_the_own_records_hears_what_is_said_of_these_alone(
    database: Database, workspace: str, events: str, bob: str, bobs: Client
) -> None:
    his = database.task(workspace, "Bob", title="His")["id"]
    hers = database.task(workspace, title="Hers")["id"]
    secret = say(database, workspace, hers, "Secret 1")
    reader = Reader(bobs, events)
    async with following(reader):
        say(database, workspace, hers, "Secret 2")
        say(database, workspace, his, "Hello")
        patch(database, workspace, hers, assignee=bob)
        say(database, workspace, hers, "Now yours")
        edit = {"comment": secret, "body": "Now told"}
        database.call("comment_update", workspace, arguments=edit)
        patch(database, workspace, hers, assignee=None)
        say(database, workspace, hers, "Secret 3")
        database.call("comment_delete", workspace, arguments={"comment": secret})
        say(database, workspace, his, "Fence", "Bob")
        await reader.reached(head(database, workspace))
    assert names(reader.events[1:]) == [
        "comment-created",
        "task-updated",
        "comment-created",
        "comment-updated",
        "task-removed",
        "comment-created",
    ]
    said = [e.data["comment"]["body"] for e in reader.events[1:] if "comment" in e.data]
    assert said == ["Hello", "Now yours", "Now told", "Fence"]
    assert "Secret" not in str(reader.events)


async def test_a_narrowed_stream_carries_the_comments_of_what_it_is_about(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    one, two = (database.task(workspace, title=title)["id"] for title in "12")
    reader = Reader(server.client, f"{events}?records={one}")
    atlas = Reader(server.client, f"/api/tasks/{workspace}/events")
    async with following(reader, atlas):
        say(database, workspace, two, "Not this")
        say(database, workspace, one, "This")
        patch(database, workspace, one, title="Fence")
        await reader.reached(head(database, workspace))
    said = [e.data["comment"]["body"] for e in reader.events if e.name == "comment-created"]
    assert said == ["This"]
    assert not [event for event in atlas.events if "comment" in event.data]
