"""Source document 5, the multi-user to-do list: auth, workspaces, tasks, categories, live updates.

Each test quotes the item of the document that it is about. Where the document names a technology
(Socket.io, Redis, Prisma), what it is for is tested, as it is done here.
"""

import uuid
from dataclasses import replace
from typing import Any

import pytest

from people import PASSWORD, log_in, mail_token, refresh, sign_up
from support import Client, Database

TASK = {
    "id", "displayId", "workspaceId", "title", "completed", "position", "version", "createdAt",
    "createdBy", "updatedAt", "updatedBy",
}  # fmt: skip
TASKS, CATEGORIES = "/api/v1/tasks", "/api/v1/categories"


@pytest.fixture
def workspace(database: Database) -> str:
    return database.workspace("Ada", "todo")


async def task(client: Client, title: str = "Water the plants", **fields: Any) -> Any:
    return await client.call("POST", TASKS, {"title": title, **fields}, status=201)


# "User registration/login endpoints", "JWT-based auth with refresh tokens", "Password reset"


async def test_register_sign_in_refresh_and_reset_a_password(
    client: Client, database: Database
) -> None:
    await sign_up(client, database, "pat@example.org")
    signed_in = await log_in(client, "pat@example.org")
    assert signed_in.client.token is not None
    assert signed_in.client.token.count(".") == 2, "a JWT"
    again = (await refresh(client, signed_in.refresh_token)).json
    assert again["refreshToken"] != signed_in.refresh_token
    anybody = replace(client, token=None)
    await anybody.call("POST", "/api/v1/auth/password-reset", {"email": "pat@example.org"})
    token = mail_token(database, "password-reset", "pat@example.org")
    body = {"token": token, "password": "another long password"}
    await anybody.call("POST", "/api/v1/auth/password-reset/confirm", body)
    reply = await anybody.send(
        "POST", "/api/v1/auth/login", {"email": "pat@example.org", "password": PASSWORD}
    )
    reply.problem(401, "wrong_credentials")


async def test_nothing_works_without_signing_in(client: Client, workspace: str) -> None:
    anybody = replace(client, token=None)
    for method, path in (("GET", TASKS), ("POST", TASKS), ("GET", "/api/v1/workspaces")):
        body = {"title": "x"} if method == "POST" else None
        (await anybody.send(method, path, body)).problem(401, "unauthenticated")


# "Workspace creation and management", "User invitations via email", "Member management"


async def test_a_workspace_is_made_and_somebody_invited_by_mail(
    client: Client, database: Database
) -> None:
    body = {"name": "Family", "template": "todo"}
    made = await client.call("POST", "/api/v1/workspaces", body, status=201)
    base = f"/api/v1/workspaces/{made['id']}"
    body = {"email": "bob@example.org", "role": "editor"}
    await client.call("POST", f"{base}/invitations", body, status=201)
    token = mail_token(database, "invitation", "bob@example.org")
    body = {"token": token, "name": "Bob", "password": PASSWORD}
    await replace(client, token=None).call("POST", "/api/v1/invitations/accept", body)
    bob = (await log_in(client, "bob@example.org")).client
    assert (await task(bob, "Buy milk"))["workspaceId"] == made["id"]
    assert [t["title"] for t in (await client.call("GET", TASKS))["tasks"]] == ["Buy milk"]
    members = (await client.call("GET", f"{base}/members"))["members"]
    assert [(m["name"], m["role"]) for m in members] == [("Ada", "owner"), ("Bob", "editor")]


# "Role-based permissions (basic)"


async def test_a_viewer_reads_and_writes_nothing(
    client: Client, database: Database, workspace: str
) -> None:
    made = await task(client)
    database.join(workspace, "Vic", "viewer")
    vic = replace(client, token=database.token("Vic"))
    assert len((await vic.call("GET", TASKS))["tasks"]) == 1
    (await vic.send("POST", TASKS, {"title": "x"})).problem(403, "not_permitted")
    at = f"{TASKS}/{made['id']}"
    (await vic.send("PATCH", at, {"completed": True})).problem(403, "not_permitted")
    (await vic.send("DELETE", at)).problem(403, "not_permitted")


# "REST endpoints for CRUD operations": tasks


async def test_a_task_is_created_read_changed_listed_and_deleted(
    client: Client, workspace: str
) -> None:
    made = await task(client, priority="high", dueDate="2026-12-01")
    assert set(made) == TASK | {"priority", "dueDate", "seq"}
    assert (made["workspaceId"], made["completed"], made["displayId"]) == (
        workspace, False, "TODO-001-0001",
    )  # fmt: skip
    at = f"{TASKS}/{made['id']}"
    shown = {key: value for key, value in made.items() if key != "seq"}
    assert await client.call("GET", at) == shown
    answer = await client.call("PATCH", at, {"completed": True, "priority": None})
    assert (answer["completed"], answer["version"]) == (True, 2)
    assert "priority" not in answer
    listed = await client.call("GET", TASKS)
    assert set(listed) == {"tasks", "nextCursor"}
    assert listed["tasks"] == [{key: value for key, value in answer.items() if key != "seq"}]
    assert set(await client.call("DELETE", at)) == {"id", "seq"}
    (await client.send("GET", at)).problem(404, "unknown_record")
    assert (await client.call("GET", TASKS))["tasks"] == []


async def test_tasks_are_filtered_sorted_and_paged(client: Client, workspace: str) -> None:
    for n in range(5):
        await task(client, str(n), completed=n % 2 == 0)
    open_ones = await client.call("GET", f"{TASKS}?filter[completed]=false&sort=-createdAt")
    assert [t["title"] for t in open_ones["tasks"]] == ["3", "1"]
    first = await client.call("GET", f"{TASKS}?limit=2")
    second = await client.call("GET", f"{TASKS}?limit=2&cursor={first['nextCursor']}")
    assert [t["title"] for t in (*first["tasks"], *second["tasks"])] == ["0", "1", "2", "3"]


async def test_a_workspace_is_named_where_there_are_several(
    client: Client, database: Database, workspace: str
) -> None:
    other = database.workspace("Ada", "todo", "Another")
    reply = await client.send("POST", TASKS, {"title": "x"})
    assert set(reply.problem(422, "ambiguous_workspace")["workspaces"]) == {workspace, other}
    assert (await task(client, workspaceId=other))["workspaceId"] == other
    assert (await client.call("GET", f"{TASKS}?workspaceId={workspace}"))["tasks"] == []
    assert len((await client.call("GET", f"{TASKS}?workspaceId={other}"))["tasks"]) == 1


# "Input validation with Joi/Zod", "Error handling middleware"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"completed": "yes"}, "data.completed"),
        ({"priority": "urgent"}, "data.priority"),
        ({"dueDate": "tomorrow"}, "data.dueDate"),
        ({"categoryId": "00000000-0000-0000-0000-000000000000"}, "data.categoryId"),
        ({"title": None}, "data.title"),
        ({"version": 7}, "version"),
    ],
)
async def test_what_does_not_fit_is_named(
    client: Client, workspace: str, fields: dict[str, Any], path: str
) -> None:
    reply = await client.send("POST", TASKS, {"title": "x", **fields})
    assert [error["path"] for error in reply.problem(422)["errors"]] == [path]


# "Categories with workspace scoping"


async def test_a_category_sorts_tasks_and_leaves_them_when_it_goes(
    client: Client, workspace: str
) -> None:
    home = await client.call("POST", CATEGORIES, {"name": "Home", "color": "#0a0"}, status=201)
    assert (home["name"], home["workspaceId"]) == ("Home", workspace)
    made = await task(client, categoryId=home["id"])
    await task(client, "Other")
    found = await client.call("GET", f"{TASKS}?filter[categoryId]={home['id']}")
    assert [t["id"] for t in found["tasks"]] == [made["id"]]
    at = f"{CATEGORIES}/{home['id']}"
    assert (await client.call("PATCH", at, {"color": "#00a"}))["color"] == "#00a"
    assert [c["name"] for c in (await client.call("GET", CATEGORIES))["categories"]] == ["Home"]
    (await client.send("GET", f"{TASKS}/{home['id']}")).problem(404, "unknown_record")
    await client.call("DELETE", at)
    assert "categoryId" not in await client.call("GET", f"{TASKS}/{made['id']}")


# "Real-time Task Updates": "socket.on('task-updated', …)", "this.updateLocalTask(data.task)"


async def test_the_handlers_of_the_document_get_the_whole_task(
    client: Client, workspace: str
) -> None:
    async with client.events(f"{TASKS}/{workspace}/events") as stream:
        assert (await stream.next()).name == "connected"
        made = await task(client)
        at = f"{TASKS}/{made['id']}"
        answer = await client.call("PATCH", at, {"completed": True})
        await client.call("DELETE", at)
        home = await client.call("POST", CATEGORIES, {"name": "Home"})
        events = await stream.take(4)
    assert [event.name for event in events] == [
        "task-created", "task-updated", "task-deleted", "category-created",
    ]  # fmt: skip
    assert set(events[0].data["task"]) == TASK
    assert events[1].data["patch"] == {"completed": True}
    assert events[1].data["task"]["completed"] is answer["completed"] is True
    assert events[3].data["category"]["id"] == home["id"]


async def test_the_native_stream_has_these_events_too(client: Client, workspace: str) -> None:
    async with client.events(f"/api/v1/workspaces/{workspace}/events") as stream:
        await stream.next()
        await task(client)
        event = await stream.next()
    assert (event.name, event.data["record"]["data"]["title"]) == (
        "task-created", "Water the plants",
    )  # fmt: skip


# "Room-based workspace segregation"


async def test_a_stream_is_of_one_workspace_and_for_its_members(
    client: Client, database: Database, workspace: str
) -> None:
    other = database.workspace("Ada", "todo", "Another")
    async with client.events(f"{TASKS}/{workspace}/events") as stream:
        await stream.next()
        await task(client, "Elsewhere", workspaceId=other)
        await task(client, "Here", workspaceId=workspace)
        assert (await stream.next()).data["task"]["title"] == "Here"
    eve = replace(client, token=database.token("Eve"))
    (await eve.send("GET", f"{TASKS}/{workspace}/events")).problem(404, "unknown_workspace")


# "Last-writer-wins conflict resolution", "conflict detection with user choice"


async def test_the_last_writer_wins_or_the_conflict_is_shown(
    client: Client, workspace: str
) -> None:
    made = await task(client)
    at = f"{TASKS}/{made['id']}"
    await client.call("PATCH", at, {"title": "One"})
    assert (await client.call("PATCH", at, {"title": "Two"}))["title"] == "Two"
    reply = await client.send("PATCH", at, {"title": "Three", "baseVersion": 1})
    (conflict,) = reply.problem(409, "conflict")["conflicts"]
    assert (conflict["key"], conflict["yours"], conflict["theirs"]) == ("title", "Three", "Two")
    answer = await client.call("PATCH", at, {"title": "Three", "baseVersion": 3})
    assert answer["title"] == "Three"


async def test_the_user_chooses_which_value_stays(client: Client, workspace: str) -> None:
    transactions = f"/api/v1/workspaces/{workspace}/transactions"
    for choice, title in (("theirs", "Two"), ("yours", "Three")):
        made = await task(client)
        at = f"{TASKS}/{made['id']}"
        await client.call("PATCH", at, {"title": "Two"})
        merge = {"title": "Three", "priority": "high"}
        body = {
            "operations": [{"type": "merge", "recordId": made["id"], "patch": merge}],
            "baseVersions": {made["id"]: 1},
        }
        (await client.send("POST", transactions, body)).problem(409, "conflict")
        await client.call("POST", transactions, {**body, "onConflict": choice})
        found = await client.call("GET", at)
        assert (found["title"], found["priority"]) == (title, "high")


# "Operation logging and replay", "Offline queue processing"


async def test_an_offline_queue_is_replayed_and_the_client_brought_up_to_date(
    client: Client, workspace: str
) -> None:
    base, known, new = f"/api/v1/workspaces/{workspace}", await task(client), str(uuid.uuid4())
    data = {"title": "Written offline"}
    queue = [
        {"id": str(uuid.uuid4()), "operations": [operation]}
        for operation in (
            {"type": "create", "collection": "task", "recordId": new, "data": data},
            {"type": "set", "recordId": known["id"], "key": "completed", "value": "no boolean"},
            {"type": "set", "recordId": new, "key": "completed", "value": True},
        )
    ]
    verdicts = []
    for _ in range(2):
        replay = f"{base}/transactions/replay"
        answer = await client.call("POST", replay, {"transactions": queue})
        assert [result["id"] for result in answer["results"]] == [each["id"] for each in queue]
        verdicts.append([
            result["problem"]["code"] if "problem" in result else result["seq"] - known["seq"]
            for result in answer["results"]
        ])  # fmt: skip
    assert verdicts == [[1, "invalid_document_fields", 2]] * 2
    path = f"{base}/changes?since={known['seq']}&coalesce=true"
    answer = await client.call("GET", path)
    assert (answer["seq"], answer["hasMore"]) == (known["seq"] + 2, False)
    (change,) = answer["changes"]
    assert (change["event"], change["id"], change["version"]) == ("task-created", new, 2)
    assert change["patch"] == {**data, "completed": True}


async def test_a_queue_that_is_sent_twice_takes_effect_once(client: Client, workspace: str) -> None:
    key = {"Idempotency-Key": "queue-1"}
    body = {"title": "Written offline"}
    first = await client.call("POST", TASKS, body, headers=key)
    again = await client.call("POST", TASKS, body, headers=key)
    assert (again["id"], again["seq"]) == (first["id"], first["seq"])
    assert len((await client.call("GET", TASKS))["tasks"]) == 1
    changes = await client.call("GET", f"/api/v1/workspaces/{workspace}/changes?since=0")
    assert "task-created" in [change["event"] for change in changes["changes"]]


async def test_a_stream_goes_on_where_it_broke_off(client: Client, workspace: str) -> None:
    path = f"{TASKS}/{workspace}/events"
    async with client.events(path) as stream:
        await stream.next()
        await task(client, "One")
        await stream.next()
        last = stream.last_event_id
    await task(client, "Two")
    async with client.events(path, last) as stream:
        await stream.next()
        assert (await stream.next()).data["task"]["title"] == "Two"


# "Activity feeds", "Activity logging for audit trail"


async def test_the_feed_tells_what_happened(client: Client, workspace: str) -> None:
    made = await task(client)
    await client.call("PATCH", f"{TASKS}/{made['id']}", {"completed": True})
    feed = await client.call("GET", f"/api/v1/workspaces/{workspace}/activity")
    assert [entry["text"] for entry in feed["activities"][:2]] == [
        "changed completed of TODO-001-0001", "created TODO-001-0001",
    ]  # fmt: skip
    assert feed["activities"][0]["actor"]["name"] == "Ada"


# "Implement search functionality with full-text search"


async def test_a_task_is_found_by_its_words(client: Client, workspace: str) -> None:
    await task(client, "Water the plants")
    await task(client, "Send the invoice")
    found = await client.call("GET", f"{TASKS}?q=plants")
    assert [t["title"] for t in found["tasks"]] == ["Water the plants"]


# "User presence indicators", "Typing notifications"


async def test_who_is_there_and_who_types_is_told(
    client: Client, database: Database, workspace: str
) -> None:
    made = await task(client)
    database.join(workspace, "Bob", "editor")
    bob = replace(client, token=database.token("Bob"))
    presence = f"/api/v1/workspaces/{workspace}/presence"
    async with client.events(f"{TASKS}/{workspace}/events") as stream:
        await stream.next()
        for state in ("active", "typing", "active"):
            await bob.call("PUT", presence, {"recordId": made["id"], "state": state})
        joined, begun, ended = await stream.take(3)
    assert (joined.name, joined.data["change"]) == ("presence", "joined")
    assert [(event.name, event.data["typing"]) for event in (begun, ended)] == [
        ("typing", True), ("typing", False),
    ]  # fmt: skip
    (there,) = (await client.call("GET", presence))["present"]
    assert (there["account"]["name"], there["recordId"]) == ("Bob", made["id"])


# "this.socket.on('conflict-detected', this.handleConflict)"


async def test_a_conflict_of_one_tab_is_told_to_the_other(client: Client, workspace: str) -> None:
    made = await task(client)
    await client.call("PATCH", f"{TASKS}/{made['id']}", {"title": "Repot them"})
    async with client.events(f"{TASKS}/{workspace}/events") as stream:
        await stream.next()
        path = f"/api/v1/workspaces/{workspace}/records/{made['id']}"
        stale = {"patch": {"title": "Sell them"}, "baseVersion": 1}
        (await client.send("PATCH", path, stale)).problem(409, "conflict")
        told = await stream.next()
    assert told.name == "conflict-detected"
    assert told.data["conflicts"] == [{"recordId": made["id"], "key": "title"}]


# "API documentation with Swagger"


async def test_the_documentation_has_the_documents_endpoints(client: Client) -> None:
    paths = (await client.call("GET", "/api/openapi.json"))["paths"]
    wanted = {TASKS, f"{TASKS}/{{id}}", CATEGORIES, "/api/v1/workspaces", "/api/v1/auth/login"}
    assert wanted <= set(paths)
