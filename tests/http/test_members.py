"""Members: who is listed how, changes of role, leaving; and never a workspace without an owner."""

import asyncio
import threading
import uuid
from typing import Any

import psycopg
import pytest

from streams.streaming import Reader, following
from support import Client, Database, ServerProcess, eventually


@pytest.fixture
def members(workspace: str) -> str:
    """The path of the members."""
    return f"/api/v1/workspaces/{workspace}/members"


def as_member(client: Client, database: Database, workspace: str, name: str, role: str) -> Client:
    database.join(workspace, name, role)
    return Client(client.session, client.url, database.token(name))


def owners(database: Database, workspace: str) -> list[str]:
    return [
        name
        for (name,) in database.run(
            "select a.name from core.member m join core.account a on a.id = m.account_id"
            " where m.workspace_id = %s and m.role = 'owner' order by 1",
            workspace,
        )
    ]


# The list


async def test_addresses_are_for_who_may_manage(
    client: Client, database: Database, workspace: str, members: str
) -> None:
    for role in ("admin", "editor", "commenter", "viewer"):
        each = as_member(client, database, workspace, role.title(), role)
        reply = await each.send("GET", members)
        assert ("@" in reply.text) == (role == "admin")
        assert reply.json["members"][0]["name"] == "Ada"
    listed = (await client.call("GET", members))["members"]
    assert [(m["name"], m["role"], m["email"]) for m in listed[:2]] == [
        ("Ada", "owner", "Ada@example.org"),
        ("Admin", "admin", "Admin@example.org"),
    ]
    assert set(listed[0]) == {"id", "name", "avatar", "role", "joinedAt", "email"}


# Roles of members


async def test_a_changed_role_holds_at_once(
    client: Client, database: Database, workspace: str, members: str
) -> None:
    bob = as_member(client, database, workspace, "Bob", "viewer")
    path = f"/api/v1/workspaces/{workspace}/records?collection=task"
    (await bob.send("POST", path, {"data": {"title": "X"}})).problem(403, "not_permitted")
    changed = await client.call("PATCH", f"{members}/{database.account('Bob')}", {"role": "editor"})
    assert (changed["name"], changed["role"]) == ("Bob", "editor")
    assert changed["seq"] > 0
    assert (await bob.send("POST", path, {"data": {"title": "X"}})).status == 201


async def test_who_may_not_manage_changes_and_removes_nobody(
    client: Client, database: Database, workspace: str, members: str
) -> None:
    database.join(workspace, "Vic", "viewer")
    editor = as_member(client, database, workspace, "Ed", "editor")
    for name in ("Vic", "Ed", "Ada"):
        path = f"{members}/{database.account(name)}"
        (await editor.send("PATCH", path, {"role": "viewer"})).problem(403, "not_permitted")
        if name != "Ed":
            (await editor.send("DELETE", path)).problem(403, "not_permitted")


async def test_an_admin_neither_makes_nor_unmakes_owners(
    client: Client, database: Database, workspace: str, members: str
) -> None:
    admin = as_member(client, database, workspace, "Al", "admin")
    database.join(workspace, "Olga", "owner")
    for name in ("Al", "Ada", "Olga"):
        path = f"{members}/{database.account(name)}"
        (await admin.send("PATCH", path, {"role": "owner"})).problem(403, "not_permitted")
    for name in ("Ada", "Olga"):
        path = f"{members}/{database.account(name)}"
        (await admin.send("PATCH", path, {"role": "viewer"})).problem(403, "not_permitted")
        (await admin.send("DELETE", path)).problem(403, "not_permitted")
    assert owners(database, workspace) == ["Ada", "Olga"]


async def test_nobody_gives_a_role_that_is_wider_than_his_own(
    client: Client, database: Database, workspace: str, members: str
) -> None:
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may) values"
        " (%s, 'clerk', 'Clerk', '{task:own}', '{}', '{manage:*}')",
        workspace,
    )
    clerk = as_member(client, database, workspace, "Cleo", "clerk")
    database.join(workspace, "Bob", "clerk")
    path = f"{members}/{database.account('Bob')}"
    for role in ("viewer", "editor", "admin", "owner"):
        (await clerk.send("PATCH", path, {"role": role})).problem(403, "not_permitted")
        own = f"{members}/{database.account('Cleo')}"
        (await clerk.send("PATCH", own, {"role": role})).problem(403, "not_permitted")
    assert (await clerk.send("PATCH", path, {"role": "clerk"})).status == 200


async def test_an_unknown_member_or_role_is_named(
    client: Client, database: Database, members: str
) -> None:
    stranger = database.account("Eve")
    for account in (stranger, str(uuid.uuid4())):
        reply = await client.send("PATCH", f"{members}/{account}", {"role": "viewer"})
        reply.problem(404, "unknown_member")
        (await client.send("DELETE", f"{members}/{account}")).problem(404, "unknown_member")
    path = f"{members}/{database.account()}"
    (await client.send("PATCH", path, {"role": "emperor"})).problem(422, "unknown_role")


# Leaving


async def test_who_leaves_is_a_stranger_and_his_stream_ends(
    client: Client, database: Database, workspace: str, members: str
) -> None:
    bob = as_member(client, database, workspace, "Bob", "viewer")
    reader = Reader(bob, f"/api/v1/workspaces/{workspace}/events")
    async with following(reader):
        left = await bob.call("DELETE", f"{members}/{database.account('Bob')}")
        assert left["id"] == database.account("Bob")
        await reader.was_refused(404, seconds=1)
    (await bob.send("GET", members)).problem(404, "unknown_workspace")
    assert (await bob.call("GET", "/api/v1/workspaces"))["workspaces"] == []


async def test_who_is_removed_may_be_invited_again(
    client: Client, database: Database, workspace: str, members: str
) -> None:
    bob = as_member(client, database, workspace, "Bob", "viewer")
    await client.call("DELETE", f"{members}/{database.account('Bob')}")
    (await bob.send("GET", members)).problem(404)
    body = {"email": "bob@example.org", "role": "viewer"}
    path = f"/api/v1/workspaces/{workspace}/invitations"
    assert (await client.send("POST", path, body)).status == 201


# An owner always


async def test_the_last_owner_stays(
    client: Client, database: Database, workspace: str, members: str
) -> None:
    database.join(workspace, "Al", "admin")
    ada = f"{members}/{database.account()}"
    (await client.send("PATCH", ada, {"role": "admin"})).problem(409, "last_owner")
    (await client.send("DELETE", ada)).problem(409, "last_owner")
    assert (await client.send("PATCH", ada, {"role": "owner"})).status == 200
    al = f"{members}/{database.account('Al')}"
    await client.call("PATCH", al, {"role": "owner"})
    await client.call("PATCH", ada, {"role": "admin"})
    assert owners(database, workspace) == ["Al"]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from core.member",
        "delete from core.member where role = 'owner'",
        "update core.member set role = 'admin'",
        "update core.member set role = 'admin' where role = 'owner'",
        "with x as (delete from core.member where role = 'owner' returning *) select from x",
    ],
)
def test_the_last_owner_stays_in_psql_too(
    database: Database, workspace: str, statement: str
) -> None:
    database.join(workspace, "Olga", "owner")
    database.join(workspace, "Vic", "viewer")
    with pytest.raises(psycopg.Error) as caught:
        database.run(statement)
    assert caught.value.sqlstate == "PT409"
    assert owners(database, workspace) == ["Ada", "Olga"]


def test_owners_who_leave_in_two_transactions_at_once_leave_one(
    database: Database, workspace: str
) -> None:
    database.join(workspace, "Olga", "owner")
    leave = "delete from core.member where workspace_id = %s and account_id = %s"
    failed: list[str | None] = []
    with database.connect() as first, database.connect() as second:

        def follow() -> None:
            try:
                second.execute(leave, [workspace, database.account("Olga")])
            except psycopg.Error as error:
                failed.append(error.sqlstate)

        with first.transaction():
            first.execute(leave, [workspace, database.account("Ada")])
            other = threading.Thread(target=follow)
            other.start()
            waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            while not database.value(waiting):
                pass
        other.join()
    assert failed == ["PT409"]
    assert owners(database, workspace) == ["Olga"]


async def test_owners_who_leave_at_the_same_moment_through_two_processes_leave_one(
    client: Client, database: Database, spawn: Any
) -> None:
    servers: list[ServerProcess] = [spawn() for _ in range(2)]
    for n in range(8):
        workspace = database.workspace(name=str(n))
        database.join(workspace, "Olga", "owner")
        replies = await asyncio.gather(
            *(
                Client(client.session, server.url, database.token(name)).send(
                    "DELETE", f"/api/v1/workspaces/{workspace}/members/{database.account(name)}"
                )
                for server, name in zip(servers, ("Ada", "Olga"), strict=True)
            )
        )
        assert sorted(reply.status for reply in replies) == [200, 409]
        assert len(owners(database, workspace)) == 1


async def test_owners_who_are_erased_at_the_same_moment_leave_one(
    client: Client, database: Database, spawn: Any
) -> None:
    servers: list[ServerProcess] = [spawn() for _ in range(2)]
    for n in range(6):
        names = (f"A{n}", f"B{n}")
        workspace = database.workspace(names[0], name=str(n))
        database.join(workspace, names[1], "owner")
        replies = await asyncio.gather(
            *(
                Client(client.session, server.url, database.token(name)).send(
                    "DELETE", "/api/v1/me"
                )
                for server, name in zip(servers, names, strict=True)
            )
        )
        assert sorted(reply.status for reply in replies) == [200, 409], replies
        await eventually(lambda: len(owners(database, workspace)) == 1)  # noqa: B023
        assert owners(database, workspace) != ["Erased user"]


async def test_one_owner_leaves_while_the_other_is_erased(
    client: Client, database: Database, spawn: Any
) -> None:
    servers: list[ServerProcess] = [spawn() for _ in range(2)]
    for n in range(6):
        leaver, erased = (f"L{n}", f"E{n}")
        workspace = database.workspace(leaver, name=str(n))
        database.join(workspace, erased, "owner")
        path = f"/api/v1/workspaces/{workspace}/members/{database.account(leaver)}"
        replies = await asyncio.gather(
            Client(client.session, servers[0].url, database.token(leaver)).send("DELETE", path),
            Client(client.session, servers[1].url, database.token(erased)).send(
                "DELETE", "/api/v1/me"
            ),
        )
        assert sorted(reply.status for reply in replies) == [200, 409], replies
        await eventually(lambda: len(owners(database, workspace)) == 1)  # noqa: B023
        assert owners(database, workspace) != ["Erased user"]


async def test_an_owner_whose_erasure_is_under_way_counts_as_none(
    database: Database, workspace: str
) -> None:
    database.join(workspace, "Olga", "owner")
    with database.connect() as connection:
        connection.execute("select logic.account_scrub(%s)", [database.account("Olga")])
    for statement in (
        "delete from core.member where account_id = %s",
        "update core.member set role = 'admin' where account_id = %s",
    ):
        with pytest.raises(psycopg.Error) as caught:
            database.run(statement, database.account("Ada"))
        assert caught.value.sqlstate == "PT409"
    database.run("delete from core.member where account_id = %s", database.account("Olga"))
    assert owners(database, workspace) == ["Ada"]
