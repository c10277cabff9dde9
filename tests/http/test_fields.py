"""What a client is told of fields, references and workflows."""

import io
import uuid
from dataclasses import replace

import pytest
from psycopg.types.json import Jsonb

from support import Client, Database

FAULTS = [
    {"path": "data.points", "message": "must be a number."},
    {"path": "data.status", "message": "must be one of todo, in_progress, review, done."},
]
WRONG = {"title": "One", "points": "3", "status": "Done", "mine": [1]}
REQUEST = {"title": "One", "description": "Thrice", "vendor": "Contoso"}


@pytest.fixture
def requests(database: Database) -> str:
    """The path of the records of a workspace for requests, with a manager and a requester."""
    workspace = database.workspace("Ada", "requests")
    database.join(workspace, "Max", "manager")
    database.join(workspace, "Rosa", "requester")
    return f"/api/v1/workspaces/{workspace}/records"


def told(problem: dict[str, object]) -> list[object]:
    errors = problem["errors"]
    assert isinstance(errors, list)
    return sorted(errors, key=lambda error: str(error["path"]))


async def test_every_write_names_all_faults_and_changes_nothing(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="Here")
    path = f"{records}/{task['id']}"
    create = {"type": "create", "collection": "task", "data": WRONG}
    for method, where, body in [
        ("POST", f"{records}?collection=task", {"data": WRONG}),
        ("PATCH", path, {"patch": WRONG}),
        ("PATCH", path, {"patch": WRONG, "baseVersion": 1}),
        ("POST", "/api/tasks", {"workspaceId": workspace, "data": WRONG}),
        ("PATCH", f"/api/tasks/{task['id']}", {"patch": WRONG}),
        (
            "POST",
            f"/api/v1/workspaces/{workspace}/transactions",
            {"id": str(uuid.uuid4()), "operations": [create]},
        ),
    ]:
        problem = (await client.send(method, where, body)).problem(422, "invalid_document_fields")
        assert told(problem) == FAULTS, (method, where)
        assert "points must be a number." in problem["detail"]
    move = {"field": "status", "value": "Done"}
    (await client.send("POST", f"{path}/move", move)).problem(422, "invalid_document_fields")
    assert (await client.call("GET", path))["version"] == 1
    assert database.value("select count(*) from core.record") == 1


async def test_an_import_tells_the_line_and_takes_the_others(
    client: Client, workspace: str
) -> None:
    body = "title,status,due\nOne,todo,1\nTwo,Obsolete,2\n"
    answer = await client.call(
        "POST",
        f"/api/v1/workspaces/{workspace}/import?collection=task",
        data=io.BytesIO(body.encode()),
        headers={"Content-Type": "text/csv"},
    )
    assert answer["created"] == 1
    assert answer["rejected"] == [
        {"line": 3, "reason": "status must be one of todo, in_progress, review, done."}
    ]


async def test_what_is_required_and_what_is_the_default(client: Client, requests: str) -> None:
    reply = await client.send("POST", f"{requests}?collection=request", {"data": {"vendor": ""}})
    assert told(reply.problem(422, "invalid_document_fields")) == [
        {"path": "data.description", "message": "is required."},
        {"path": "data.title", "message": "is required."},
    ]
    made = await client.call("POST", f"{requests}?collection=request", {"data": REQUEST})
    assert made["data"] == {**REQUEST, "status": "Submitted", "priority": "Medium"}
    reply = await client.send("PATCH", f"{requests}/{made['id']}", {"patch": {"title": None}})
    reply.problem(422, "invalid_document_fields")


async def test_a_step_that_is_not_open_names_those_that_are(
    client: Client, database: Database, requests: str
) -> None:
    rosa, manager = (replace(client, token=database.token(name)) for name in ("Rosa", "Max"))
    made = await rosa.call("POST", f"{requests}?collection=request", {"data": REQUEST})
    path = f"{requests}/{made['displayId']}"
    expected = {"Rosa": [], "Max": ["In Review", "Rejected"]}
    for name, somebody in (("Rosa", rosa), ("Max", manager)):
        reply = await somebody.send("PATCH", path, {"patch": {"status": "In Progress"}})
        problem = reply.problem(409, "transition_not_allowed")
        assert (problem["field"], problem["from"], problem["to"]) == (
            "status", "Submitted", "In Progress"
        )  # fmt: skip
        assert sorted(problem["possible"]) == expected[name]
    await manager.call("POST", f"{path}/move", {"field": "status", "value": "In Review"})
    reply = await manager.send("PATCH", path, {"patch": {"status": "In Progress"}})
    assert told(reply.problem(422, "invalid_document_fields")) == [
        {"path": "data.assignedTo", "message": "is needed where status becomes In Progress."}
    ]
    patch = {"status": "In Progress", "assignedTo": database.account("Max")}
    assert (await manager.call("PATCH", path, {"patch": patch}))["data"]["status"] == "In Progress"


async def test_a_record_that_others_refer_to_stays_or_takes_them_along(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type, target, on_delete)"
        " values (%s, 'task', 'needs', 'Needs', 'reference', 'task', 'refuse'),"
        " (%s, 'task', 'after', 'After', 'reference', 'task', 'unset')",
        workspace, workspace,
    )  # fmt: skip
    first = database.task(workspace, title="First")["id"]
    second = database.task(workspace, title="Second", needs=first, after=first)
    problem = (await client.send("DELETE", f"{records}/{first}")).problem(409, "record_in_use")
    assert problem["records"] == [second["displayId"]]
    await client.call("PATCH", f"{records}/{second['id']}", {"patch": {"needs": None}})
    await client.call("DELETE", f"{records}/{first}")
    found = await client.call("GET", f"{records}/{second['id']}")
    assert (found["data"], found["version"]) == ({"title": "Second"}, 3)
    body = {"patch": {"after": first}}
    problem = (await client.send("PATCH", f"{records}/{second['id']}", body)).problem(422)
    assert told(problem) == [
        {"path": "data.after", "message": "names no record of task that there is."}
    ]


async def test_a_field_that_becomes_stricter_stops_no_other_work(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="One", status="todo")
    database.run(
        "update core.field set options = %s where key = 'status'", Jsonb(["open", "closed"])
    )
    path = f"{records}/{task['id']}"
    await client.call("PATCH", path, {"patch": {"title": "Two"}})
    (await client.send("PATCH", path, {"patch": {"status": "done"}})).problem(422)
    await client.call("PATCH", path, {"patch": {"status": "closed"}})
