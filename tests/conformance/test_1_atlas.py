"""Source document 1, the Atlas backend integration guide: its endpoints, examples and events.

Each test quotes the section that it is from. In demo mode, without credentials, as its curl lines.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import psycopg
import pytest
from psycopg import sql

from rowcast.app import Deployment
from support import (
    CHEAP,
    SECRET,
    Client,
    Cluster,
    Database,
    Event,
    EventStream,
    eventually,
    serving,
)

TASK = {
    "id", "workspaceId", "displayId", "sequenceNumber", "data", "version", "createdAt", "updatedAt",
}  # fmt: skip
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
async def atlas(database: Database, session: aiohttp.ClientSession) -> AsyncIterator[Client]:
    """A client without credentials of a server in demo mode."""
    deployment = Deployment(
        database.server,
        database.server,
        (SECRET,),
        hasher=CHEAP,
        demo_account=database.account("Demo"),
    )
    async with serving(deployment) as url:
        yield Client(session, url, None)


@pytest.fixture
def workspace(database: Database) -> str:
    return database.workspace("Demo")


async def post(atlas: Client, workspace: str, **data: Any) -> Any:
    return await atlas.call("POST", "/api/tasks", {"workspaceId": workspace, "data": data})


async def patch(atlas: Client, task: str, **changes: Any) -> Any:
    return await atlas.call("PATCH", f"/api/tasks/{task}", {"patch": changes})


async def get(atlas: Client, workspace: str, page: int = 0) -> Any:
    return await atlas.call("GET", f"/api/tasks?workspaceId={workspace}&page={page}")


async def message(stream: EventStream) -> Event:
    """The next unnamed event: what `addEventListener("message", …)` gets."""
    while True:
        event = await stream.next()
        if event.name == "message":
            return event


# "Step 2: Understand the API Endpoints", "#### GET /api/tasks — Fetch paginated tasks …"


async def test_get_answers_with_the_documents_shape(atlas: Client, workspace: str) -> None:
    await post(atlas, workspace, title="Task 1", status="todo")
    answer = await get(atlas, workspace)
    assert set(answer) == {"tasks", "page", "perPage", "hasMore"}
    assert (answer["page"], answer["perPage"], answer["hasMore"]) == (0, 50, False)
    (task,) = answer["tasks"]
    assert set(task) == TASK
    assert UUID.fullmatch(task["id"])
    assert task["displayId"] == "TSK-001-0001"
    assert task["data"] == {"title": "Task 1", "status": "todo"}
    assert task["version"] == 1


async def test_get_without_a_page_is_the_first(atlas: Client, workspace: str) -> None:
    await post(atlas, workspace, title="Task 1")
    answer = await atlas.call("GET", f"/api/tasks?workspaceId={workspace}")
    assert (len(answer["tasks"]), answer["page"]) == (1, 0)


async def test_pages_hold_fifty_and_say_whether_there_are_more(
    atlas: Client, database: Database, workspace: str
) -> None:
    def add(count: int) -> None:
        database.run(
            "insert into core.record (workspace_id, collection, data)"
            " select %s, 'task', jsonb_build_object('title', n::text)"
            " from generate_series(1, %s) n order by n",
            workspace,
            count,
        )

    add(100)
    pages = [await get(atlas, workspace, page) for page in range(3)]
    assert [len(page["tasks"]) for page in pages] == [50, 50, 0]
    assert [page["hasMore"] for page in pages] == [True, False, False]
    assert [page["page"] for page in pages] == [0, 1, 2]
    add(1)
    pages = [await get(atlas, workspace, page) for page in range(3)]
    assert [page["hasMore"] for page in pages] == [True, True, False]
    numbers = [task["sequenceNumber"] for page in pages for task in page["tasks"]]
    assert numbers == list(range(1, 102))


async def test_an_empty_workspace_has_an_empty_page(atlas: Client, workspace: str) -> None:
    empty = {"tasks": [], "page": 0, "perPage": 50, "hasMore": False}
    assert await get(atlas, workspace) == empty


async def test_a_workspace_that_is_none_is_refused(atlas: Client, workspace: str) -> None:
    """The document's own `workspaceId=abc-123` stands for an id; there is no such one."""
    (await atlas.send("GET", "/api/tasks?workspaceId=abc-123&page=0")).problem(404)
    body = {"workspaceId": "abc-123", "data": {"title": "New Task"}}
    (await atlas.send("POST", "/api/tasks", body)).problem(404, "unknown_workspace")
    (await atlas.send("GET", "/api/tasks/abc-123/events")).problem(404)


async def test_the_callers_only_workspace_need_not_be_named(atlas: Client, workspace: str) -> None:
    task = await atlas.call("POST", "/api/tasks", {"data": {"title": "New Task"}})
    assert task["workspaceId"] == workspace
    assert len((await atlas.call("GET", "/api/tasks"))["tasks"]) == 1


@pytest.mark.parametrize("page", ["-1", "x", "1.5", "1000001"])
async def test_a_page_that_is_none_is_named(atlas: Client, workspace: str, page: str) -> None:
    reply = await atlas.send("GET", f"/api/tasks?workspaceId={workspace}&page={page}")
    assert [error["path"] for error in reply.problem(422)["errors"]] == ["page"]


# "#### POST /api/tasks — Create a new task."


async def test_post_creates_the_task_of_the_example(atlas: Client, workspace: str) -> None:
    raw = (
        '{ "workspaceId": "' + workspace + '", "data": {'
        ' "title": "New Task", "status": "todo", "priority": "high" } }'
    )
    reply = await atlas.send(
        "POST", "/api/tasks", data=raw, headers={"Content-Type": "application/json"}
    )
    assert reply.status == 201
    task = reply.json
    assert set(task) == TASK | {"seq"}
    assert task["data"] == {"title": "New Task", "status": "todo", "priority": "high"}
    assert (task["workspaceId"], task["version"]) == (workspace, 1)
    listed = (await get(atlas, workspace))["tasks"]
    assert listed == [{key: task[key] for key in TASK}]


async def test_a_task_that_is_no_object_is_refused(atlas: Client, workspace: str) -> None:
    wrong: tuple[object, ...] = ([], "text", 7, None)
    for data in wrong:
        reply = await atlas.send("POST", "/api/tasks", {"workspaceId": workspace, "data": data})
        assert [error["path"] for error in reply.problem(422)["errors"]] == ["data"]
    assert (await get(atlas, workspace))["tasks"] == []


# "#### PATCH /api/tasks/[id] — Update a task (JSONB merge)."


async def test_patch_merges_the_example(atlas: Client, workspace: str) -> None:
    task = await post(atlas, workspace, title="New Task", status="todo", priority="high")
    answer = await patch(atlas, task["id"], status="done")
    assert set(answer) == TASK | {"seq"}
    assert answer["data"] == {"title": "New Task", "status": "done", "priority": "high"}
    assert answer["version"] == 2
    assert answer["updatedAt"] > task["updatedAt"]
    assert answer["createdAt"] == task["createdAt"]


async def test_patch_takes_the_display_id_too(atlas: Client, workspace: str) -> None:
    """`updateTask.mutate({ displayId: "TSK-001-0001", patch: { status, completedAt } })`."""
    await post(atlas, workspace, title="New Task")
    at = "2026-11-20T20:36:00.000Z"
    answer = await patch(atlas, "TSK-001-0001", status="done", completedAt=at)
    assert answer["data"] == {"title": "New Task", "status": "done", "completedAt": at}


async def test_null_removes_a_field(atlas: Client, workspace: str) -> None:
    task = await post(atlas, workspace, title="New Task", owner="John Doe")
    assert (await patch(atlas, task["id"], owner=None))["data"] == {"title": "New Task"}


async def test_the_last_writer_wins_per_field(atlas: Client, workspace: str) -> None:
    task = await post(atlas, workspace, title="New Task", status="todo")
    await asyncio.gather(
        patch(atlas, task["id"], status="done"),
        patch(atlas, task["id"], priority="low"),
        patch(atlas, task["id"], owner="John Doe"),
    )
    data = (await get(atlas, workspace))["tasks"][0]["data"]
    assert data == {
        "title": "New Task", "status": "done", "priority": "low", "owner": "John Doe",
    }  # fmt: skip


async def test_a_patch_of_no_task_is_refused(atlas: Client, workspace: str) -> None:
    """The document's `uuid-here` and `TASK_ID` stand for an id."""
    for task in ("uuid-here", "TASK_ID", "TSK-001-0001", "00000000-0000-0000-0000-000000000000"):
        reply = await atlas.send("PATCH", f"/api/tasks/{task}", {"patch": {"status": "done"}})
        reply.problem(404, "unknown_record")


async def test_a_patch_without_its_wrapper_is_refused(atlas: Client, workspace: str) -> None:
    task = await post(atlas, workspace, title="New Task")
    reply = await atlas.send("PATCH", f"/api/tasks/{task['id']}", {"status": "done"})
    paths = {error["path"] for error in reply.problem(422, "invalid_request")["errors"]}
    assert paths == {"patch", "status"}


# "#### GET /api/tasks/[workspaceId]/events — SSE stream for real-time updates."


async def test_events_are_a_stream_that_no_proxy_holds_back(atlas: Client, workspace: str) -> None:
    """Section "SSE Not Working": the header `X-Accel-Buffering: no` is set."""
    async with atlas.events(f"/api/tasks/{workspace}/events") as stream:
        headers = stream.response.headers
        assert headers["Content-Type"].startswith("text/event-stream")
        assert headers["X-Accel-Buffering"] == "no"
        assert "no-cache" in headers["Cache-Control"]
        assert "Content-Encoding" not in headers


async def test_a_patch_is_an_unnamed_task_update(atlas: Client, workspace: str) -> None:
    """ "data: ${JSON.stringify({ type: "task_update", task })}", section "4. SSE Live Sync"."""
    task = await post(atlas, workspace, title="New Task", status="todo")
    async with atlas.events(f"/api/tasks/{workspace}/events") as stream:
        await stream.next()
        answer = await patch(atlas, task["id"], status="done")
        event = await message(stream)
    assert set(event.data) == {"type", "task"}
    assert event.data["type"] == "task_update"
    assert event.data["task"] == {key: answer[key] for key in TASK}


async def test_creating_deleting_and_restoring_are_events_too(
    atlas: Client, workspace: str
) -> None:
    async with atlas.events(f"/api/tasks/{workspace}/events") as stream:
        await stream.next()
        task = await post(atlas, workspace, title="New Task")
        path = f"/api/v1/workspaces/{workspace}/records/{task['id']}"
        await atlas.call("DELETE", path)
        await atlas.call("POST", f"{path}/restore")
        events = [(await message(stream)).data for _ in range(3)]
    assert [event["type"] for event in events] == ["task_created", "task_deleted", "task_created"]
    assert {event["task"]["id"] for event in events} == {task["id"]}
    assert [event["task"]["displayId"] for event in events] == ["TSK-001-0001"] * 3


async def test_a_stream_resumes_where_it_broke_off(atlas: Client, workspace: str) -> None:
    path = f"/api/tasks/{workspace}/events"
    async with atlas.events(path) as stream:
        await stream.next()
        task = await post(atlas, workspace, title="One")
        await message(stream)
        last = stream.last_event_id
    for n in range(3):
        await patch(atlas, task["id"], title=str(n))
    async with atlas.events(path, last) as stream:
        events = [(await message(stream)).data for _ in range(3)]
        answer = await patch(atlas, task["id"], title="live")
        live = (await message(stream)).data
    # The document's event carries the task as it is now, at least as new as the change.
    versions = [event["task"]["version"] for event in events]
    assert all(version >= n for n, version in enumerate(versions, 2))
    assert (live["task"]["version"], live["task"]["data"]) == (answer["version"], {"title": "live"})


async def test_a_stream_says_nothing_of_another_workspace(
    atlas: Client, database: Database, workspace: str
) -> None:
    other = database.workspace("Demo", name="Another")
    async with atlas.events(f"/api/tasks/{workspace}/events") as stream:
        await stream.next()
        await post(atlas, other, title="Elsewhere")
        await post(atlas, workspace, title="Here")
        assert (await message(stream)).data["task"]["data"] == {"title": "Here"}


# "app/api/fields/route.ts — GET field configurations"


async def test_fields_are_the_configuration_of_the_columns(atlas: Client, workspace: str) -> None:
    answer = await atlas.call("GET", f"/api/fields?workspaceId={workspace}")
    assert set(answer) == {"fields"}
    fields = {field["key"]: field for field in answer["fields"]}
    assert {"title", "status", "priority", "owner", "completedAt"} <= set(fields)
    assert (fields["title"]["type"], fields["title"]["required"]) == ("text", False)
    assert fields["status"]["type"] == "select"
    assert {"todo", "done"} <= set(fields["status"]["options"])
    assert fields["priority"]["options"][:3] == ["low", "medium", "high"]


# "1. Database Schema": displayId "TSK-001-0001", sequenceNumber "Auto-incrementing per workspace"


async def test_numbers_count_up_per_workspace(
    atlas: Client, database: Database, workspace: str
) -> None:
    other = database.workspace("Demo", name="Another")
    tasks = [await post(atlas, place, title="x") for place in (workspace, workspace, other)]
    assert [task["sequenceNumber"] for task in tasks] == [1, 2, 1]
    assert [task["displayId"] for task in tasks] == ["TSK-001-0001", "TSK-001-0002", "TSK-002-0001"]


async def test_numbers_have_no_gap_when_many_create_at_once(atlas: Client, workspace: str) -> None:
    tasks = await asyncio.gather(*(post(atlas, workspace, title=str(n)) for n in range(30)))
    assert sorted(task["sequenceNumber"] for task in tasks) == list(range(1, 31))


# "2. Type Mapping": data is JSONB, "flexible schema … any other fields"


async def test_a_task_holds_any_other_fields(atlas: Client, workspace: str) -> None:
    """ "Adding New Fields: Update the database (optional - JSONB is flexible)" """
    data = {"title": "Task title", "newField": "default value", "nested": {"list": [1, None, "x"]}}
    task = await post(atlas, workspace, **data)
    assert (await get(atlas, workspace))["tasks"][0]["data"] == task["data"] == data


# "Test Live Sync": "Open http://localhost:3000 in two browser tabs … In Tab B: Observe"


async def test_two_tabs_show_the_same_after_edits_in_both(atlas: Client, workspace: str) -> None:
    for n in range(3):
        await post(atlas, workspace, title=f"Task {n}")

    async def tab(stream: EventStream, cache: dict[str, Any], events: int) -> None:
        for _ in range(events):
            task = (await message(stream)).data["task"]
            if task["version"] > cache[task["displayId"]]["version"]:
                cache[task["displayId"]] = task

    path = f"/api/tasks/{workspace}/events"
    async with atlas.events(path) as one, atlas.events(path) as two:
        await one.next()
        await two.next()
        cached = {task["displayId"]: task for task in (await get(atlas, workspace))["tasks"]}
        caches = dict(cached), dict(cached)
        edits = [
            patch(atlas, f"TSK-001-000{n % 3 + 1}", **{"owner": f"s{n}", f"tab{n % 2}": n})
            for n in range(12)
        ]
        await asyncio.gather(*edits, tab(one, caches[0], 12), tab(two, caches[1], 12))
    final = {task["displayId"]: task for task in (await get(atlas, workspace))["tasks"]}
    assert caches[0] == caches[1] == final


# "Multi-Instance Deployment": "Or use PostgreSQL NOTIFY/LISTEN"


async def test_a_stream_of_another_instance_gets_the_event(
    atlas: Client, database: Database, workspace: str
) -> None:
    task = await post(atlas, workspace, title="New Task")
    second = Deployment(
        database.server,
        database.server,
        (SECRET,),
        hasher=CHEAP,
        demo_account=database.account("Demo"),
    )
    async with serving(second) as url:
        other = Client(atlas.session, url, None)
        async with other.events(f"/api/tasks/{workspace}/events") as stream:
            await stream.next()
            await patch(atlas, task["id"], status="done")
            assert (await message(stream)).data["task"]["data"]["status"] == "done"


# "Test Error Handling": "Stop the database … Try to edit a task … UI rolls back to previous value"


async def test_without_a_database_an_edit_is_refused_and_nothing_is_applied(
    atlas: Client, database: Database, cluster: Cluster, workspace: str
) -> None:
    task = database.task(workspace, "Demo", title="New Task")
    name = sql.Identifier(database.value("select current_database()"))
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as admin:
        allow = sql.SQL("alter database {} with allow_connections {}")
        admin.execute(allow.format(name, sql.SQL("false")))
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            [name.as_string(None).strip('"')],
        )
        reply = await atlas.send("PATCH", f"/api/tasks/{task['id']}", {"patch": {"status": "x"}})
        reply.problem(503, "database_unavailable")
        assert int(reply.headers["Retry-After"]) >= 1
        admin.execute(allow.format(name, sql.SQL("true")))

    async def back() -> bool:
        path = f"/api/tasks?workspaceId={workspace}&page=0"
        return (await atlas.send("GET", path)).status == 200

    await eventually(back, seconds=20, what="the return of the database")
    assert (await get(atlas, workspace))["tasks"][0]["data"] == {"title": "New Task"}
    assert (await patch(atlas, task["id"], status="done"))["version"] == 2


# Demo mode: the curl lines need no credentials, and foreign pages get nothing.


async def test_the_curl_lines_work_as_written(atlas: Client, workspace: str) -> None:
    """Section "Test API Endpoints", line by line, with curl itself."""
    script = f"""
    set -e
    WORKSPACE_ID="{workspace}"
    BASE="{atlas.url}"
    curl -sS "$BASE/api/tasks?workspaceId=$WORKSPACE_ID&page=0"; echo
    TASK=$(curl -sS -X POST "$BASE/api/tasks" \
      -H "Content-Type: application/json" \
      -d "{{\\"workspaceId\\":\\"$WORKSPACE_ID\\",\
\\"data\\":{{\\"title\\":\\"Test\\",\\"status\\":\\"todo\\"}}}}")
    echo "$TASK"
    TASK_ID=$(echo "$TASK" | sed 's/.*"id": *"\\([^"]*\\)".*/\\1/')
    curl -sS -X PATCH "$BASE/api/tasks/$TASK_ID" \
      -H "Content-Type: application/json" \
      -d '{{"patch":{{"status":"done"}}}}'; echo
    curl -sS -N --max-time 1 "$BASE/api/tasks/$WORKSPACE_ID/events?since=1" || true
    """
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        output, _ = await process.communicate()
    empty, created, patched, *stream = output.decode().splitlines()
    assert json.loads(empty)["tasks"] == []
    assert json.loads(created)["data"] == {"title": "Test", "status": "todo"}
    assert json.loads(patched)["data"] == {"title": "Test", "status": "done"}
    events = [json.loads(line[6:]) for line in stream if line.startswith("data: ")]
    assert [event.get("type") for event in events][-2:] == ["task_created", "task_update"]


async def test_a_foreign_page_or_name_gets_nothing(atlas: Client, workspace: str) -> None:
    task = await post(atlas, workspace, title="New Task")
    path = f"/api/tasks/{task['id']}"
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": ""},
    ):
        code = "foreign_host" if "Host" in headers else "foreign_origin"
        reply = await atlas.send("PATCH", path, {"patch": {"title": "x"}}, headers=headers)
        reply.problem(403, code)
    own = {"Origin": atlas.url}
    reply = await atlas.send("PATCH", path, {"patch": {"title": "own"}}, headers=own)
    assert reply.status == 200


async def test_a_form_that_a_foreign_page_may_post_is_no_write(
    atlas: Client, workspace: str
) -> None:
    body = json.dumps({"workspaceId": workspace, "data": {"title": "x"}})
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        reply = await atlas.send(
            "POST", "/api/tasks", data=body, headers={"Content-Type": content_type}
        )
        reply.problem(415, "unsupported_media_type")


async def test_a_wrong_token_is_not_the_demo_owner(atlas: Client, workspace: str) -> None:
    headers = {"Authorization": "Bearer garbage"}
    reply = await atlas.send("GET", f"/api/tasks?workspaceId={workspace}", headers=headers)
    reply.problem(401, "unauthenticated")
