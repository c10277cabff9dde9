"""Roles as data: who may change them, to what, and that it holds at once."""

from typing import Any

import pytest

from support import Client, Database

Roles = list[dict[str, Any]]


@pytest.fixture
def path(workspace: str) -> str:
    """The path of the roles."""
    return f"/api/v1/workspaces/{workspace}/roles"


async def roles_of(client: Client, path: str) -> Roles:
    roles: Roles = (await client.call("GET", path))["roles"]
    return roles


def as_member(client: Client, database: Database, workspace: str, name: str, role: str) -> Client:
    database.join(workspace, name, role)
    return Client(client.session, client.url, database.token(name))


async def test_every_member_reads_the_roles(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    viewer = as_member(client, database, workspace, "Vic", "viewer")
    roles = await roles_of(viewer, path)
    assert [r["key"] for r in roles] == ["owner", "admin", "editor", "commenter", "viewer"]
    assert roles[3] == {
        "key": "commenter", "label": "Commenter", "read": ["*"], "edit": [], "may": ["comment:*"],
    }  # fmt: skip


async def test_the_roles_are_replaced_all_at_once(client: Client, path: str) -> None:
    roles = await roles_of(client, path)
    new = {
        "key": "guest",
        "label": "Guest",
        "read": ["task:own", "task:unassigned"],
        "edit": ["task:own"],
        "may": ["create:task", "delete:task:own"],
    }
    wanted = [roles[0], new, roles[1], {**roles[4], "label": "Reader"}]
    answer = await client.call("PUT", path, {"roles": wanted})
    assert answer["roles"] == wanted
    assert answer["seq"] > 0
    assert await roles_of(client, path) == wanted
    again = await client.call("PUT", path, {"roles": wanted})
    assert again["seq"] == answer["seq"], "no change"


async def test_what_a_role_may_holds_at_once(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    viewer = as_member(client, database, workspace, "Vic", "viewer")
    task = f"/api/v1/workspaces/{workspace}/records/{database.task(workspace, title='One')['id']}"
    (await viewer.send("PATCH", task, {"patch": {"title": "X"}})).problem(403, "not_permitted")
    roles = await roles_of(client, path)
    await client.call("PUT", path, {"roles": [*roles[:4], {**roles[4], "edit": ["task"]}]})
    assert (await viewer.send("PATCH", task, {"patch": {"title": "X"}})).status == 200
    await client.call("PUT", path, {"roles": [*roles[:4], {**roles[4], "read": ["task:own"]}]})
    (await viewer.send("GET", task)).problem(404, "unknown_record")


async def test_the_owners_role_stays_as_it_is(client: Client, path: str) -> None:
    roles = await roles_of(client, path)
    owner = {"key": "owner", "label": "King", "read": [], "edit": [], "may": []}
    for wanted in ([owner, *roles[1:]], roles[1:]):
        answer = await client.call("PUT", path, {"roles": wanted})
        assert sorted(r["key"] for r in answer["roles"]) == sorted(r["key"] for r in roles)
        assert roles[0] in answer["roles"]
    await client.call("PUT", path, {"roles": []})
    assert await roles_of(client, path) == [roles[0]]


async def test_a_role_that_somebody_holds_is_not_left_out(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    database.join(workspace, "Vic", "viewer")
    roles = await roles_of(client, path)
    (await client.send("PUT", path, {"roles": roles[:4]})).problem(409, "role_in_use")
    assert await roles_of(client, path) == roles, "and nothing else is changed"
    database.join(workspace, "Vic", "editor")
    assert (await client.send("PUT", path, {"roles": roles[:4]})).status == 200


async def test_an_admin_makes_roles_of_what_he_holds_himself(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    admin = as_member(client, database, workspace, "Al", "admin")
    roles = await roles_of(admin, path)
    guest = {"key": "guest", "label": "Guest", "read": ["task:own"], "may": ["create:task"]}
    assert (await admin.send("PUT", path, {"roles": [*roles, guest]})).status == 200


@pytest.mark.parametrize(
    "wider",
    [
        {"read": ["*"]},
        {"read": ["task:unassigned"]},
        {"edit": ["task:own"]},
        {"may": ["manage:*", "delete:task:own"]},
        {"may": ["comment:*"]},
    ],
)
async def test_nobody_makes_a_role_wider_than_his_own(
    client: Client, database: Database, workspace: str, path: str, wider: dict[str, Any]
) -> None:
    clerk = {
        "key": "clerk", "label": "Clerk", "read": ["task:own"], "edit": [], "may": ["manage:*"],
    }  # fmt: skip
    roles = [*await roles_of(client, path), clerk]
    await client.call("PUT", path, {"roles": roles})
    cleo = as_member(client, database, workspace, "Cleo", "clerk")
    for other in ({**clerk, **wider}, {**clerk, **wider, "key": "new"}):
        wanted = [*roles[:5], other] if other["key"] == "clerk" else [*roles, other]
        (await cleo.send("PUT", path, {"roles": wanted})).problem(403, "not_permitted")
    narrower = {**clerk, "key": "new", "may": []}
    assert (await cleo.send("PUT", path, {"roles": [*roles, narrower]})).status == 200


async def test_who_may_not_manage_changes_no_role(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    editor = as_member(client, database, workspace, "Ed", "editor")
    roles = await roles_of(editor, path)
    (await editor.send("PUT", path, {"roles": roles})).problem(403, "not_permitted")


async def test_every_right_that_there_is_not_is_named_with_its_path(
    client: Client, path: str
) -> None:
    roles = await roles_of(client, path)
    bad = {
        "key": "bad",
        "label": "Bad",
        "read": ["task", "tasks", "*:own"],
        "edit": ["task:mine", ""],
        "may": ["create:task", "fly:task", "create", "manage:*:own"],
    }
    reply = await client.send("PUT", path, {"roles": [*roles, bad]})
    errors = reply.problem(422, "invalid_role")["errors"]
    assert [e["path"] for e in errors] == [
        "roles.5.edit.0", "roles.5.edit.1", "roles.5.may.1", "roles.5.may.2", "roles.5.may.3",
        "roles.5.read.1", "roles.5.read.2",
    ]  # fmt: skip
    assert await roles_of(client, path) == roles


@pytest.mark.parametrize(
    "change",
    [{"key": "Bad"}, {"key": ""}, {"key": "1a"}, {"key": "viewer"}, {"key": "a b"}, {"label": ""}],
)
async def test_a_role_has_a_key_of_its_own_and_a_label(
    client: Client, path: str, change: dict[str, Any]
) -> None:
    roles = await roles_of(client, path)
    role = {"key": "new", "label": "New"} | change
    body = (await client.send("PUT", path, {"roles": [*roles, role]})).problem(422)
    assert body["errors"][0]["path"] == ("roles.5.label" if "label" in change else "roles.5.key")
    assert await roles_of(client, path) == roles


async def test_a_role_that_is_gone_takes_its_invitations_with_it(
    client: Client, workspace: str, path: str
) -> None:
    invitations = f"/api/v1/workspaces/{workspace}/invitations"
    for role in ("viewer", "editor"):
        body = {"email": f"{role}@example.org", "role": role}
        await client.call("POST", invitations, body)
    roles = await roles_of(client, path)
    await client.call("PUT", path, {"roles": roles[:4]})
    open_ones = (await client.call("GET", invitations))["invitations"]
    assert [i["role"] for i in open_ones] == ["editor"]
