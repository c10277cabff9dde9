"""Source document 4, real-time collaboration: transactions, conflicts, undo, subscriptions.

Each test quotes the section that it is from; operations are sent as the document writes them. Its
React hooks are the client's, its WebSocket is the stream.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from support import Client, Database, EventStream


@dataclass(frozen=True)
class Board:
    """A workspace with a board and a task on it, as its owner sees them."""

    client: Client
    workspace: str
    board: str
    task: str

    @property
    def base(self) -> str:
        """The path of the workspace."""
        return f"/api/v1/workspaces/{self.workspace}"

    def set(self, key: str, value: Any, task: str | None = None) -> dict[str, Any]:
        """An operation as the document writes it."""
        return {
            "type": "set", "table": "tasks", "id": task or self.task, "key": key, "value": value,
        }  # fmt: skip

    def now(self) -> dict[str, Any]:
        """What the document's examples end with."""
        return {"type": "set-now", "table": "tasks", "id": self.task, "key": "updatedAt"}

    async def write(self, *operations: Any, by: Client | None = None, **more: Any) -> Any:
        """`await write([…])`."""
        body = {"operations": list(operations), **more}
        return await (by or self.client).call("POST", f"{self.base}/transactions", body)

    async def get(self, record: str | None = None) -> Any:
        """A record as it is."""
        return await self.client.call("GET", f"{self.base}/records/{record or self.task}")


@pytest.fixture
async def board(demo: Client, database: Database) -> Board:
    workspace = database.workspace("Demo", "collaboration")
    path = f"/api/v1/workspaces/{workspace}/records"
    body = {"collection": "board", "data": {"title": "Release"}}
    made = await demo.call("POST", path, body)
    data = {"title": "Write the notes", "status": "todo", "boardId": made["id"]}
    task = await demo.call("POST", path, {"collection": "tasks", "data": data})
    return Board(demo, workspace, made["id"], task["id"])


# "Task Management: Change task status", "Kanban Boards: Drag task between columns"


async def test_the_documents_write_changes_a_task(board: Board) -> None:
    before = await board.get()
    answer = await board.write(board.set("status", "done"), board.now())
    task = await board.get()
    assert (task["data"]["status"], task["version"]) == ("done", before["version"] + 1)
    assert task["updatedAt"] > before["updatedAt"]
    assert answer["records"][0]["id"] == board.task
    assert answer["seq"] > 0


# "Note-Taking: Edit note content with debouncing"


async def test_the_documents_write_changes_a_note(board: Board) -> None:
    body = {"collection": "notes", "data": {"title": "Ideas"}}
    note = (await board.client.call("POST", f"{board.base}/records", body))["id"]
    await board.write(
        {"type": "set", "table": "notes", "id": note, "key": "content", "value": "Hello"},
        {"type": "set-now", "table": "notes", "id": note, "key": "updatedAt"},
    )
    assert (await board.get(note))["data"]["content"] == "Hello"


# "Batch operations - Combine multiple changes into one transaction"


async def test_a_transaction_is_all_or_nothing(board: Board) -> None:
    new = str(uuid.uuid4())
    create = {"type": "create", "table": "tasks", "id": new, "data": {"title": "Another"}}
    body = {"operations": [create, board.set("status", "no such column")]}
    reply = await board.client.send("POST", f"{board.base}/transactions", body)
    assert reply.status == 422
    (await board.client.send("GET", f"{board.base}/records/{new}")).problem(404)
    await board.write(create, board.set("status", "done"))
    assert (await board.get(new))["data"]["title"] == "Another"


# "Check version (conflict detection) … return { status: 409 }; // Conflict - client retries"


async def test_an_old_version_is_a_conflict_that_the_client_retries(board: Board) -> None:
    version = (await board.get())["version"]
    await board.write(board.set("status", "in_progress"))
    stale = {"baseVersions": {board.task: version}}
    body = {"operations": [board.set("status", "done")], **stale}
    reply = await board.client.send("POST", f"{board.base}/transactions", body)
    (conflict,) = reply.problem(409, "conflict")["conflicts"]
    assert conflict == {
        "recordId": board.task, "key": "status", "base": "todo", "yours": "done",
        "theirs": "in_progress",
    }  # fmt: skip
    await board.write(board.set("status", "done"), baseVersions={board.task: version + 1})
    assert (await board.get())["data"]["status"] == "done"


async def test_versions_merge_where_the_keys_differ(board: Board) -> None:
    """ "Conflict Resolution - Automatic version-based merging" """
    version = (await board.get())["version"]
    await board.write(board.set("status", "done"))
    await board.write(board.set("title", "Notes"), baseVersions={board.task: version})
    assert (await board.get())["data"]["status"] == "done"
    assert (await board.get())["data"]["title"] == "Notes"


# "Check permissions: if (!canEdit(user, task)) return { status: 403 }"


async def test_who_may_not_edit_is_refused(
    board: Board, member: Callable[[str, str, str], Client]
) -> None:
    vic = member(board.workspace, "Vic", "viewer")
    body = {"operations": [board.set("status", "done")]}
    reply = await vic.send("POST", f"{board.base}/transactions", body)
    reply.problem(403, "not_permitted")
    eve = member(board.workspace, "Eve", "editor")
    await board.write(board.set("status", "done"), by=eve)


# "Validate read access before returning data"


async def test_a_stranger_does_not_even_learn_that_it_is_there(
    board: Board, database: Database
) -> None:
    stranger = Client(board.client.session, board.client.url, database.token("Stranger"))
    body = {"operations": [board.set("status", "done")]}
    (await stranger.send("POST", f"{board.base}/transactions", body)).problem(404)
    (await stranger.send("GET", f"{board.base}/records/{board.task}")).problem(404)


# "Queue for Server (Offline-Safe): Save to localStorage, will retry when online"


async def test_a_transaction_that_is_sent_again_takes_effect_once(board: Board) -> None:
    transaction: dict[str, Any] = {"id": str(uuid.uuid4())}
    step = {"type": "increment", "table": "tasks", "id": board.task, "key": "points", "by": 2}
    first = await board.write(step, **transaction)
    again = await board.write(step, **transaction)
    assert (again["id"], again["seq"]) == (first["id"], first["seq"])
    assert (await board.get())["data"]["points"] == 2


# "Offline Support - Work without internet, auto-sync when online"


async def test_an_offline_queue_meets_what_others_did_and_a_retry_of_it_changes_nothing(
    board: Board, member: Callable[[str, str, str], Client]
) -> None:
    known, eve = await board.get(), member(board.workspace, "Eve", "editor")
    since = (await board.client.call("GET", f"{board.base}/snapshot"))["seq"]
    await board.write(board.set("title", "Eve's notes"), board.set("status", "done"), by=eve)
    new = str(uuid.uuid4())
    step = {"type": "increment", "table": "tasks", "id": board.task, "key": "points", "by": 2}
    queue: list[dict[str, Any]] = [
        {"operations": [board.set("title", "My notes")]},
        {"operations": [board.set("status", "in_progress")], "onConflict": "yours"},
        {"operations": [step]},
        {"operations": [{"type": "create", "table": "tasks", "id": new, "data": {"title": "New"}}]},
        {"operations": [board.set("boardId", board.board, new)]},
    ]
    base = {"baseVersions": {board.task: known["version"]}}
    body = {"transactions": [{"id": str(uuid.uuid4()), **base, **each} for each in queue]}
    verdicts, states = [], []
    for _ in range(2):  # the first answer may be lost
        answer = await board.client.call("POST", f"{board.base}/transactions/replay", body)
        verdicts.append([
            result["problem"]["conflicts"] if "problem" in result else result["seq"]
            for result in answer["results"]
        ])  # fmt: skip
        states.append(await board.client.call("GET", f"{board.base}/snapshot"))
    assert verdicts[0] == verdicts[1]
    assert states[0] == states[1]
    (conflict,) = verdicts[0][0]
    assert (conflict["key"], conflict["yours"], conflict["theirs"]) == (
        "title", "My notes", "Eve's notes",
    )  # fmt: skip
    data = (await board.get())["data"]
    assert (data["title"], data["status"], data["points"]) == ("Eve's notes", "in_progress", 2)
    path = f"{board.base}/changes?since={since}&coalesce=true"
    changes = (await board.client.call("GET", path))["changes"]
    assert {change["id"]: change["patch"] for change in changes} == {
        board.task: {"title": "Eve's notes", "status": "in_progress", "points": 2},
        new: (await board.get(new))["data"],
    }


# "Other Users Get Update: WebSocket message: task:task-123 version 5 … if (cachedVersion < 5)"


async def test_other_users_get_the_update_with_its_version(
    board: Board, member: Callable[[str, str, str], Client]
) -> None:
    eve = member(board.workspace, "Eve", "editor")
    async with eve.events(f"{board.base}/events") as stream:
        await stream.next()
        await board.write(board.set("status", "done"))
        event = await stream.next()
    assert (event.name, event.data["id"]) == ("task-updated", board.task)
    assert (event.data["version"], event.data["patch"]) == (2, {"status": "done"})


# "api.getRecords([{ table: 'tasks', id: 'task-123' }])"


async def test_records_are_read_by_their_ids(board: Board) -> None:
    body = {"ids": [board.task, board.board]}
    answer = await board.client.call("POST", f"{board.base}/records/get", body)
    assert {record["id"] for record in answer["records"]} == {board.task, board.board}


# "useRecords<Task>('tasks', { boardId: 'board-123' })"


async def test_records_are_listed_by_a_field(board: Board) -> None:
    other = {"collection": "task", "data": {"title": "Elsewhere"}}
    await board.client.call("POST", f"{board.base}/records", other)
    query = f"collection=tasks&filter[boardId]={board.board}"
    answer = await board.client.call("GET", f"{board.base}/records?{query}")
    assert [record["id"] for record in answer["tasks"]] == [board.task]


# "Subscribe selectively - Only subscribe to records you're viewing"


async def test_a_subscription_is_to_some_records(board: Board) -> None:
    other = {"collection": "task", "data": {"title": "Elsewhere"}}
    made = (await board.client.call("POST", f"{board.base}/records", other))["id"]
    async with board.client.events(f"{board.base}/events?records={board.task}") as stream:
        await stream.next()
        await board.write(board.set("status", "done", made))
        await board.write(board.set("status", "done"))
        events = await stream.take(2)
    assert [event.name for event in events] == ["cursor", "task-updated"]
    assert events[1].data["id"] == board.task


# "Undo/Redo - Full operation history"


async def test_undo_and_redo_invert_the_last_transaction(board: Board) -> None:
    await board.write(board.set("status", "done"), board.set("title", "Notes"))
    await board.client.call("POST", f"{board.base}/undo")
    data = (await board.get())["data"]
    assert (data["status"], data["title"]) == ("todo", "Write the notes")
    await board.client.call("POST", f"{board.base}/redo")
    data = (await board.get())["data"]
    assert (data["status"], data["title"]) == ("done", "Notes")
    reply = await board.client.send("POST", f"{board.base}/redo")
    reply.problem(409, "nothing_to_redo")


# "deleted: timestamp('deleted'), // Soft delete for undo"


async def test_a_deleted_record_is_kept_for_undo(board: Board) -> None:
    await board.write({"type": "delete", "table": "tasks", "id": board.task})
    assert (await board.get())["deletedAt"] is not None
    await board.client.call("POST", f"{board.base}/undo")
    assert (await board.get())["deletedAt"] is None


# "Handle collaborative lists"


async def test_two_people_write_one_list(board: Board) -> None:
    def insert(value: str) -> dict[str, Any]:
        return {
            "type": "list-insert", "table": "tasks", "id": board.task, "key": "checklist",
            "value": value,
        }  # fmt: skip

    version = (await board.get())["version"]
    await board.write(insert("Features"), baseVersions={board.task: version})
    await board.write(insert("Fixes"), baseVersions={board.task: version})
    assert (await board.get())["data"]["checklist"] == ["Features", "Fixes"]


# "Add comments and threads"


async def test_a_comment_gets_a_reply(
    board: Board, member: Callable[[str, str, str], Client]
) -> None:
    cleo = member(board.workspace, "Cleo", "commenter")
    at = f"{board.base}/records/{board.task}/comments"
    said = await cleo.call("POST", at, {"body": "When?"})
    await board.client.call("POST", at, {"body": "Soon.", "parentId": said["id"]})
    comments = (await cleo.call("GET", at))["comments"]
    assert [(c["body"], c["parentId"]) for c in comments] == [
        ("When?", None), ("Soon.", said["id"]),
    ]  # fmt: skip


# "test('real-time collaboration'): User 1 changes status; User 2 sees update within 2 seconds"


async def test_user_two_sees_user_ones_change_within_two_seconds(
    board: Board, member: Callable[[str, str, str], Client]
) -> None:
    eve = member(board.workspace, "Eve", "editor")

    async def status(stream: EventStream) -> str:
        return str((await stream.next(seconds=2)).data["patch"]["status"])

    async with (
        board.client.events(f"{board.base}/events") as one,
        eve.events(f"{board.base}/events") as two,
    ):
        await one.next()
        await two.next()
        await board.write(board.set("status", "done"))
        assert await status(two) == await status(one) == "done"


# "Unit Tests: should apply set operation": version 1 becomes 2


async def test_set_raises_the_version_by_one(board: Board) -> None:
    assert (await board.get())["version"] == 1
    await board.write(board.set("status", "done"))
    assert (await board.get())["version"] == 2


# "Show presence indicators"


async def test_who_is_on_the_task_is_shown_to_the_others(
    board: Board, member: Callable[[str, str, str], Client]
) -> None:
    eve = member(board.workspace, "Eve", "editor")
    async with board.client.events(f"{board.base}/events") as stream:
        await stream.next()
        await eve.call("PUT", f"{board.base}/presence", {"recordId": board.task})
        joined = await stream.next()
        await eve.call("DELETE", f"{board.base}/presence")
        left = await stream.next()
    assert (joined.name, joined.data["change"]) == ("presence", "joined")
    assert (joined.data["account"]["name"], joined.data["recordId"]) == ("Eve", board.task)
    assert left.data["change"] == "left"
