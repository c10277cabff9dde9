"""Workspaces: create, list, get, and their collections."""

import pytest

from support import Client, Database

MEMBERS = {
    "id",
    "number",
    "name",
    "slug",
    "template",
    "language",
    "epoch",
    "role",
    "createdAt",
}


async def test_a_workspace_is_created_from_a_template_and_owned(client: Client) -> None:
    reply = await client.send("POST", "/api/v1/workspaces", {"name": "Ours", "template": "tasks"})
    assert reply.status == 201
    workspace = reply.json
    assert set(workspace) == MEMBERS  # no seq: it happened outside any workspace
    assert (workspace["name"], workspace["template"], workspace["role"]) == (
        "Ours",
        "tasks",
        "owner",
    )
    assert await client.call("GET", f"/api/v1/workspaces/{workspace['id']}") == workspace
    listed = await client.call("GET", "/api/v1/workspaces")
    assert listed == {"workspaces": [workspace], "nextCursor": None}


async def test_the_list_holds_the_callers_own_in_order(client: Client, database: Database) -> None:
    ours = [database.workspace(name=name) for name in ("One", "Two")]
    database.workspace("Bob", name="Bob's")
    database.join(database.workspace("Bob", name="Shared"), "Ada", "viewer")
    listed = (await client.call("GET", "/api/v1/workspaces"))["workspaces"]
    assert [w["id"] for w in listed[:2]] == ours
    assert [(w["name"], w["role"]) for w in listed] == [
        ("One", "owner"),
        ("Two", "owner"),
        ("Shared", "viewer"),
    ]


async def test_each_workspace_numbers_its_own_display_ids(
    client: Client, database: Database
) -> None:
    for number in (1, 2):
        workspace = database.workspace()
        task = database.task(workspace, title="x")
        assert task["displayId"] == f"TSK-{number:03}-0001"


async def test_the_id_of_a_workspace_is_taken_in_any_case(
    client: Client, database: Database
) -> None:
    workspace = database.workspace()
    assert (await client.call("GET", f"/api/v1/workspaces/{workspace.upper()}"))["id"] == workspace


async def test_collections_come_with_their_fields(client: Client, workspace: str) -> None:
    answer = await client.call("GET", f"/api/v1/workspaces/{workspace}/collections")
    (task,) = answer["collections"]
    assert answer["nextCursor"] is None
    assert (task["key"], task["plural"], task["prefix"]) == ("task", "tasks", "TSK")
    title = task["fields"][0]
    assert (title["key"], title["type"], title["required"]) == ("title", "text", False)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"template": "tasks"}, "name"),
        ({"name": "", "template": "tasks"}, "name"),
        ({"name": "x" * 201, "template": "tasks"}, "name"),
        ({"name": 7, "template": "tasks"}, "name"),
        ({"name": None, "template": "tasks"}, "name"),
        ({"name": "Ours"}, "template"),
        ({"name": "Ours", "template": "tasks", "number": 1}, "number"),
    ],
)
async def test_what_is_wrong_with_a_workspace_is_named(
    client: Client, database: Database, body: dict[str, object], path: str
) -> None:
    problem = (await client.send("POST", "/api/v1/workspaces", body)).problem(
        422, "invalid_request"
    )
    assert [error["path"] for error in problem["errors"]] == [path]
    assert database.value("select count(*) from core.workspace") == 0


async def test_an_unknown_template_is_refused(client: Client, database: Database) -> None:
    for template in ("nonsense", "", "tasks'--"):
        body = {"name": "Ours", "template": template}
        reply = await client.send("POST", "/api/v1/workspaces", body)
        reply.problem(422, "unknown_template")
    assert database.value("select count(*) from core.workspace") == 0


async def test_a_name_is_kept_as_it_is(client: Client) -> None:
    name = 'Ünïcödé 🚀 "quoted" <b> \' -- '
    body = {"name": name, "template": "tasks"}
    workspace = await client.call("POST", "/api/v1/workspaces", body)
    assert workspace["name"] == name
