"""What happened, read from the log: of a record or a workspace, and only what one may see."""

import uuid
from typing import Any

import pytest

from support import Client, Database


def base(workspace: str) -> str:
    return f"/api/v1/workspaces/{workspace}"


async def activities(client: Client, path: str, **params: Any) -> list[dict[str, Any]]:
    """One page, without its cursor."""
    answer = await client.call("GET", path, params=params)
    found: list[dict[str, Any]] = answer["activities"]
    return found


def texts(found: list[dict[str, Any]]) -> list[str]:
    """What it says, the oldest first."""
    return [activity["text"] for activity in reversed(found)]


async def test_each_thing_that_happens_to_a_record_is_a_sentence(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type, position)"
        " values (%s, 'task', 'assignee', 'Assignee', 'user', 90)",
        workspace,
    )
    bob = database.join(workspace, "Bob", "editor")
    task = database.task(workspace, title="One", status="todo", points=1)
    path, name = f"{records}/{task['id']}", task["displayId"]

    async def patch(**fields: Any) -> None:
        await client.call("PATCH", path, {"patch": fields})

    await patch(title="Two", points=2)
    await patch(status="done")
    await patch(status="todo", title="Three")
    await patch(status=None)
    await patch(priority="high")
    await patch(assignee=bob)
    await patch(assignee=[bob, database.account("Ada")])
    await patch(assignee=None)
    await patch(title="4", points=3, type="bug", reporter="R", dueDate="2030-01-01", own=1)
    other = database.task(workspace, title="Other")
    await client.call("POST", f"{path}/move", {"after": other["id"]})
    comment = await client.call("POST", f"{path}/comments", {"body": "Why?"})
    reply = {"body": "Because.", "parentId": comment["id"]}
    await client.call("POST", f"{path}/comments", reply)
    comments = f"{base(workspace)}/comments/{comment['id']}"
    await client.call("PATCH", comments, {"body": "How?"})
    await client.call("DELETE", comments)
    database.run("update core.comment set deleted_at = null where id = %s", comment["id"])
    database.run(
        "insert into core.attachment (workspace_id, record_id, name, type, size, sha256)"
        " values (%s, %s, 'plan.pdf', 'application/pdf', 0, sha256(''))",
        workspace,
        task["id"],
    )
    database.run("delete from core.attachment")
    await client.call("DELETE", path)
    await client.call("POST", f"{path}/restore")
    found = await activities(client, f"{path}/activity")
    assert texts(found) == [
        f"created {name}",
        f"changed title and points of {name}",
        f"moved {name} from todo to done",
        f"moved {name} from done to todo, and changed title",
        f"moved {name} out of todo",
        f"changed priority of {name}",
        f"assigned {name} to Bob",
        f"assigned {name} to Bob and Ada",
        f"unassigned {name}",
        f"changed title, type, reporter and 3 more of {name}",
        f"moved {name}",
        f"commented on {name}",
        f"replied to a comment on {name}",
        f"edited a comment on {name}",
        f"deleted a comment on {name}",
        f"restored a comment on {name}",
        f"attached plan.pdf to {name}",
        f"removed plan.pdf from {name}",
        f"deleted {name}",
        f"restored {name}",
    ]
    assert [a["seq"] for a in found] == sorted((a["seq"] for a in found), reverse=True)
    assert (await client.call("GET", f"{records}/{name}/activity"))["activities"] == found


async def test_an_entry_says_who_did_what_and_what_changed(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'assignee', 'Assignee', 'user')",
        workspace,
    )
    bob = database.join(workspace, "Bob", "editor")
    task = database.task(workspace, title="One", points=1)
    key = str(uuid.uuid4())
    await client.call(
        "PATCH",
        f"{records}/{task['id']}",
        {"patch": {"title": "Two", "points": None, "assignee": bob, "own": {"a": [1]}}},
        headers={"Idempotency-Key": key},
    )
    entry = (await activities(client, f"{records}/{task['id']}/activity"))[0]
    at, transaction = entry.pop("at"), entry.pop("transactionId")
    assert at.endswith("Z")
    assert uuid.UUID(transaction)
    assert sorted(entry.pop("changes"), key=lambda change: str(change["key"])) == [
        {"key": "assignee", "label": "Assignee", "from": None, "to": "Bob"},
        {"key": "own", "label": "own", "from": None, "to": {"a": [1]}},
        {"key": "points", "label": "Points", "from": 1, "to": None},
        {"key": "title", "label": "Title", "from": "One", "to": "Two"},
    ]
    assert entry == {
        "seq": task["seq"] + 1,
        "actor": {"id": database.account("Ada"), "name": "Ada"},
        "action": "updated",
        "collection": "task",
        "recordId": task["id"],
        "displayId": task["displayId"],
        "text": f"changed assignee, title, points and own of {task['displayId']}",
    }


async def test_long_values_are_cut_and_labels_of_options_are_used(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    database.run(
        "update core.field set options = %s::jsonb where key = 'status' and workspace_id = %s",
        '[{"value": "todo", "label": "To do"}, {"value": "done", "label": "All done"}]',
        workspace,
    )
    task = database.task(workspace, title="One", status="todo")
    path = f"{records}/{task['id']}"
    long = {"description": "x" * 5000, "own": {"a": ["y" * 5000]}}
    await client.call("PATCH", path, {"patch": long})
    await client.call("PATCH", path, {"patch": {"status": "done"}})
    moved, changed, _ = await activities(client, f"{path}/activity")
    assert moved["text"] == f"moved {task['displayId']} from To do to All done"
    assert moved["changes"] == [{"key": "status", "label": "Status", "from": "todo", "to": "done"}]
    values = {change["key"]: change["to"] for change in changed["changes"]}
    assert values["description"] == "x" * 500 + "…"
    assert len(values["own"]) == 501


async def test_members_and_the_workspace_are_part_of_its_activity(
    client: Client, database: Database, workspace: str
) -> None:
    bob = database.join(workspace, "Bob", "viewer")
    members = f"{base(workspace)}/members/{bob}"
    await client.call("PATCH", members, {"role": "editor"})
    bobs = Client(client.session, client.url, database.token("Bob"))
    await client.call("PATCH", base(workspace), {"name": "Ours"})
    await client.call("PATCH", f"{base(workspace)}/collections/task", {"label": "Jobs"})
    await bobs.call("DELETE", members)
    database.join(workspace, "Bob", "viewer")
    await client.call("DELETE", members)
    found = await activities(client, f"{base(workspace)}/activity")
    assert texts(found)[-7:] == [
        "Bob joined as viewer",
        "made Bob editor",
        "renamed the workspace to Ours",
        "changed the fields of Jobs",
        "left",
        "Bob joined as viewer",
        "removed Bob",
    ]
    left = found[2]
    assert (left["action"], left["actor"]["name"]) == ("member-left", "Bob")
    assert (left["recordId"], left["collection"], left["changes"]) == (None, None, [])


async def test_whom_nobody_made_a_member_stays_an_id(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    stranger = database.account("Quux")
    task = database.task(workspace, title="One")
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'assignee', 'Assignee', 'user')",
        workspace,
    )
    database.run("alter table core.record disable trigger user")
    database.run(
        "update core.record set data = data || jsonb_build_object('assignee', %s::text)", stranger
    )
    database.run(
        "insert into core.change (workspace_id, seq, at, action, collection, record_id, version,"
        " patch, before, audience_before, audience_after)"
        " select workspace_id, seq + 1, at, 'updated', collection, record_id, 2,"
        " jsonb_build_object('assignee', %s::text), '{}', audience_after, audience_after"
        " from core.change where seq = %s",
        stranger,
        task["seq"],
    )
    reply = await client.send("GET", f"{records}/{task['id']}/activity")
    assert stranger in reply.text
    assert "Quux" not in reply.text


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
        " values (%s, 'own', 'Own', '{task:own}', '{}', '{}')",
        workspace,
    )
    return database.join(workspace, "Bob", "own")


async def test_one_reads_what_one_could_read_when_it_happened(
    client: Client, database: Database, workspace: str, records: str, bob: str
) -> None:
    hidden = database.task(workspace, title="Secret 1")
    task = database.task(workspace, title="One", status="todo")
    path, name = f"{records}/{task['id']}", task["displayId"]
    bobs = Client(client.session, client.url, database.token("Bob"))
    await client.call("POST", f"{path}/comments", {"body": "Secret 3"})
    await client.call("PATCH", path, {"patch": {"assignee": bob, "status": "done"}})
    await client.call("PATCH", path, {"patch": {"title": "Two"}})
    await client.call("POST", f"{path}/comments", {"body": "Hello"})
    of_record = await bobs.send("GET", f"{path}/activity")
    assert texts(of_record.json["activities"]) == [
        f"moved {name} to done, and changed assignee",
        f"changed title of {name}",
        f"commented on {name}",
    ]
    assert of_record.json["activities"][-1]["changes"][0]["from"] is None, "he could not see it"
    before = await bobs.send("GET", f"{base(workspace)}/activity")
    await client.call("PATCH", path, {"patch": {"assignee": None, "title": "Secret 4"}})
    await client.call("PATCH", path, {"patch": {"title": "Secret 5"}})
    (await bobs.send("GET", f"{path}/activity")).problem(404, "unknown_record")
    (await bobs.send("GET", f"{records}/{hidden['id']}/activity")).problem(404, "unknown_record")
    after = await bobs.send("GET", f"{base(workspace)}/activity")
    assert after.json == before.json, "what is out of sight is not told"
    assert "Secret" not in after.text + of_record.text
    assert "Secret" in (await client.send("GET", f"{base(workspace)}/activity")).text


async def test_the_activity_is_paged_by_seq_to_its_end(
    client: Client, database: Database, workspace: str
) -> None:
    for n in range(7):
        database.task(workspace, title=str(n))
    path = f"{base(workspace)}/activity"
    whole = await activities(client, path)
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor is not None:
        params: dict[str, Any] = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = await client.call("GET", path, params=params)
        found += page["activities"]
        cursor, pages = page["nextCursor"], pages + 1
    assert found == whole
    assert len(found) >= 8
    for params in ({"limit": 0}, {"limit": 201}, {"cursor": "x"}):
        reply = await client.send("GET", path, params=params)
        reply.problem(422, "invalid_request")


async def test_who_sees_little_gets_short_pages_that_go_on(
    client: Client, database: Database, workspace: str, bob: str
) -> None:
    first = database.task(workspace, title="His", assignee=bob)
    database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'task', '{\"title\": \"x\"}' from generate_series(1, 4500)",
        workspace,
    )
    bobs = Client(client.session, client.url, database.token("Bob"))
    path = f"{base(workspace)}/activity"
    sizes: list[int] = []
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while not sizes or cursor is not None:
        page = await bobs.call("GET", path, params={"cursor": cursor} if cursor else {})
        found += page["activities"]
        sizes.append(len(page["activities"]))
        cursor = page["nextCursor"]
    assert len(sizes) == 3
    assert sizes[:2] == [0, 0]
    assert first["id"] in [activity["recordId"] for activity in found]
