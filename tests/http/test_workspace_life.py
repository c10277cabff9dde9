"""A workspace is renamed, handed over, deleted, restored, and at last removed for good."""

from typing import Any

import pytest

from people import ME
from streams.streaming import Reader, following
from support import Client, Database, eventually

TENANT_TABLES = (
    "select c.table_name::text from information_schema.columns c"
    " join information_schema.tables t using (table_schema, table_name)"
    " where c.table_schema = 'core' and c.column_name = 'workspace_id'"
    " and t.table_type = 'BASE TABLE' order by 1"
)


def base(workspace: str) -> str:
    return f"/api/v1/workspaces/{workspace}"


def as_member(client: Client, database: Database, workspace: str, name: str, role: str) -> Client:
    database.join(workspace, name, role)
    return Client(client.session, client.url, database.token(name))


def rows_of(database: Database, workspace: str) -> dict[str, str]:
    """All rows of a workspace, by table."""
    return {
        table: str(
            database.run(
                f"select t::text from core.{table} t where workspace_id = %s order by 1",  # noqa: S608
                workspace,
            )
        )
        for (table,) in database.run(TENANT_TABLES)
    }


# Renaming


async def test_a_renamed_workspace_is_told_to_its_streams(
    client: Client, database: Database, workspace: str
) -> None:
    viewer = as_member(client, database, workspace, "Vic", "viewer")
    reader = Reader(viewer, f"{base(workspace)}/events")
    async with following(reader):
        renamed = await client.call("PATCH", base(workspace), {"name": "New name"})
        assert renamed["name"] == "New name"
        await reader.reached(renamed["seq"])
    event = reader.events[-1]
    assert (event.name, event.data["name"]) == ("workspace-updated", "New name")
    assert reader.resets == []
    assert (await viewer.call("GET", base(workspace)))["name"] == "New name"


async def test_a_name_that_is_the_same_is_no_change(client: Client, workspace: str) -> None:
    first = await client.call("PATCH", base(workspace), {"name": "New"})
    again = await client.call("PATCH", base(workspace), {"name": "New"})
    assert again["seq"] == first["seq"]


@pytest.mark.parametrize("name", ["", " ", "x" * 201])
async def test_a_workspace_has_a_proper_name(client: Client, workspace: str, name: str) -> None:
    (await client.send("PATCH", base(workspace), {"name": name})).problem(422)
    body = {"name": name, "template": "tasks"}
    (await client.send("POST", "/api/v1/workspaces", body)).problem(422)


async def test_who_may_not_manage_renames_nothing(
    client: Client, database: Database, workspace: str
) -> None:
    editor = as_member(client, database, workspace, "Ed", "editor")
    reply = await editor.send("PATCH", base(workspace), {"name": "Mine"})
    reply.problem(403, "not_permitted")
    admin = as_member(client, database, workspace, "Al", "admin")
    assert (await admin.send("PATCH", base(workspace), {"name": "Ours"})).status == 200


# Deleting and restoring


async def test_a_deleted_workspace_does_not_exist_for_anybody(
    client: Client, database: Database, workspace: str
) -> None:
    task = database.task(workspace, title="One")["id"]
    admin = as_member(client, database, workspace, "Al", "admin")
    readers = [Reader(each, f"{base(workspace)}/events") for each in (client, admin)]
    async with following(*readers):
        deleted = await client.call("DELETE", base(workspace))
        assert set(deleted) == {"id", "seq"}
        for reader in readers:
            await reader.was_refused(404, seconds=1)
    for each in (client, admin):
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"name": "X"}),
            ("DELETE", "", None),
            ("GET", "/members", None),
            ("GET", "/audit", None),
            ("GET", "/snapshot", None),
            ("GET", f"/records/{task}", None),
            ("PATCH", f"/records/{task}", {"patch": {"title": "X"}}),
            ("POST", "/records?collection=task", {"data": {}}),
        ):
            (await each.send(method, base(workspace) + path, body)).problem(404)
        (await each.send("PATCH", f"/api/tasks/{task}", {"patch": {"title": "X"}})).problem(404)
        assert (await each.call("GET", "/api/v1/workspaces"))["workspaces"] == []


async def test_an_owner_takes_the_deletion_back_and_all_is_as_it_was(
    client: Client, database: Database, workspace: str
) -> None:
    task = database.task(workspace, title="One")
    member = as_member(client, database, workspace, "Ed", "editor")
    await client.call("DELETE", base(workspace))
    (found,) = (await client.call("GET", "/api/v1/workspaces?deleted=true"))["workspaces"]
    assert (found["id"], "deletedAt" in found) == (workspace, True)
    assert (await member.call("GET", "/api/v1/workspaces?deleted=true"))["workspaces"] == []
    restored = await client.call("POST", f"{base(workspace)}/restore")
    assert "deletedAt" not in restored
    for each in (client, member):
        found = await each.call("GET", f"{base(workspace)}/records/{task['id']}")
        assert found == {key: value for key, value in task.items() if key != "seq"}
    assert (await client.call("POST", f"{base(workspace)}/restore"))["seq"] == restored["seq"]


async def test_who_does_not_own_a_deleted_workspace_neither_restores_nor_sees_it(
    client: Client, database: Database, workspace: str
) -> None:
    admin = as_member(client, database, workspace, "Al", "admin")
    eve = Client(client.session, client.url, database.token("Eve"))
    (await admin.send("DELETE", base(workspace))).problem(403, "not_permitted")
    await client.call("DELETE", base(workspace))
    for each in (admin, eve):
        reply = await each.send("POST", f"{base(workspace)}/restore")
        reply.problem(404, "unknown_workspace")


async def test_a_restore_does_not_let_the_same_batch_in_without_its_session(
    client: Client, database: Database, workspace: str
) -> None:
    """A token may not restore, also not behind a change of rights in the same transaction."""
    body = {"name": "x", "scopes": ["read", "write", "manage"]}
    token = await client.call("POST", f"{ME}/tokens", body)
    session = database.open_session("Ada")
    with database.connect_server() as connection:
        rows = connection.execute(
            "select n, state, answer from api.batch_run("
            "array['workspace_delete', 'workspace_restore'],"
            " array[%s, %s]::uuid[], array[%s, %s]::uuid[], array[null, null], array[null, null],"
            " array[gen_random_uuid(), gen_random_uuid()], array['{}', '{}'], 0,"
            " array[%s, %s]::uuid[])",
            [*[database.account()] * 2, *[workspace] * 2, session, token["id"]],
        ).fetchall()
    states = {n: state for n, state, _ in rows}
    assert (states[1], states[2]) == ("ok", "PT403"), rows


# Removed for good


def fill(database: Database, workspace: str) -> None:
    """Something in every table of tenants."""
    database.join(workspace, "Bob", "editor")
    for n in range(7):
        task = database.task(workspace, title=str(n))["id"]
        if n > 3:
            database.call("comment_create", workspace, arguments={"id": task, "body": "Why?"})
    database.run(
        "insert into core.attachment (workspace_id, record_id, name, type, size, sha256)"
        " values (%s, %s, 'x', 'a/b', 0, sha256(''))",
        workspace,
        task,
    )
    arguments = {"email": "new@example.org", "role": "viewer"}
    database.call("invitation_create", workspace, arguments=arguments)
    database.run("select trusted.search_index(array[%s]::uuid[])", workspace)


async def gone_for_good(database: Database, workspace: str) -> None:
    """Runs the upkeep until nothing is left of a workspace."""
    database.run("select pg_notify('rowcast', 'upkeep')")
    await eventually(
        lambda: (
            not database.value(
                "select count(*) from core.workspace where workspace_id = %s", workspace
            )
        ),
        what="the removal of the workspace",
    )


async def test_after_thirty_days_every_row_of_it_goes_and_none_of_another(
    client: Client, database: Database, workspace: str
) -> None:
    other = database.workspace(name="Other")
    for each in (workspace, other):
        fill(database, each)
    await client.call("DELETE", base(workspace))
    database.run(
        "update core.workspace set deleted_at = deleted_at - interval '31 days'"
        " where workspace_id = %s",
        workspace,
    )
    kept, before = rows_of(database, other), rows_of(database, workspace)
    empty = [table for table, rows in before.items() if rows == "[]"]
    assert empty == [], "the test fills every table"
    await gone_for_good(database, workspace)
    assert set(rows_of(database, workspace).values()) == {"[]"}
    assert rows_of(database, other) == kept
    (await client.send("POST", f"{base(workspace)}/restore")).problem(404, "unknown_workspace")
    assert (await client.call("GET", "/api/v1/workspaces?deleted=true"))["workspaces"] == []
    assert (await client.call("GET", base(other)))["name"] == "Other"


def test_a_removal_goes_in_pieces(database: Database) -> None:
    workspace, other = database.workspace(), database.workspace(name="Other")
    for each in (workspace, other):
        fill(database, each)
    database.run(
        "update core.workspace set deleted_at = now() - interval '31 days' where workspace_id = %s",
        workspace,
    )
    kept, steps = rows_of(database, other), 0
    count = "select count(*) from core.change where workspace_id = %s"
    changes = database.value(count, workspace)
    while database.value("select trusted.upkeep_run(3)")["more"]:
        steps += 1
        assert database.value(count, workspace) <= max(0, changes - 3 * steps)
    assert steps > 3
    assert set(rows_of(database, workspace).values()) == {"[]"}
    assert rows_of(database, other) == kept


def test_before_thirty_days_nothing_goes(database: Database, workspace: str) -> None:
    fill(database, workspace)
    database.run(
        "update core.workspace set deleted_at = now() - interval '30 days' + interval '1 hour'"
    )
    before = rows_of(database, workspace)
    assert database.value("select trusted.upkeep_run()") == {"more": False}
    assert rows_of(database, workspace) == before


def test_upkeep_clears_what_has_had_its_time_and_nothing_else(database: Database) -> None:
    old, young = (database.open_session() for _ in range(2))
    database.run(
        "update core.session set revoked_at = now() - interval '31 days' where id = %s", old
    )
    database.run(
        "update core.session set revoked_at = now() - interval '29 days' where id = %s", young
    )
    database.run(
        "insert into core.ticket (hash, session_id, expires_at)"
        " select sha256(n::text::bytea), %s, now() + n * interval '1 minute'"
        " from unnest(array[-1, 1]) n",
        young,
    )
    database.run(
        "insert into core.one_time_token (purpose, email, expires_at)"
        " select 'verify-email', 'a@b', now() + n * interval '1 hour'"
        " from unnest(array[-25, -23]) n"
    )
    database.run(
        "insert into core.mail (kind, address, sent_at)"
        " values ('x', 'a@b', now() - interval '31 days'), ('x', 'a@b', now()), ('x', 'a@b', null)"
    )
    database.run(
        "insert into core.attempt values ('old', now() - interval '1 second'),"
        " ('new', now() + interval '1 hour')"
    )
    database.value("select trusted.upkeep_run()")
    counts = {
        table: database.value(f"select count(*) from core.{table}")  # noqa: S608
        for table in ("session", "refresh_token", "ticket", "one_time_token", "mail", "attempt")
    }
    assert counts == {
        "session": 1, "refresh_token": 1, "ticket": 1, "one_time_token": 1, "mail": 2, "attempt": 1,
    }  # fmt: skip


# Handing over


async def test_a_workspace_is_handed_over_and_its_owner_becomes_admin(
    client: Client, database: Database, workspace: str
) -> None:
    bob = as_member(client, database, workspace, "Bob", "viewer")
    body: dict[str, Any] = {"accountId": database.account("Bob")}
    assert (await client.call("POST", f"{base(workspace)}/transfer", body))["role"] == "admin"
    assert (await bob.call("GET", base(workspace)))["role"] == "owner"
    (await client.send("POST", f"{base(workspace)}/transfer", body)).problem(403, "not_permitted")
    assert (await bob.call("DELETE", base(workspace)))["id"] == workspace


async def test_a_workspace_is_handed_over_to_members_by_its_owner_alone(
    client: Client, database: Database, workspace: str
) -> None:
    admin = as_member(client, database, workspace, "Al", "admin")
    path = f"{base(workspace)}/transfer"
    body = {"accountId": database.account("Al")}
    (await admin.send("POST", path, body)).problem(403, "not_permitted")
    body = {"accountId": database.account("Eve")}
    (await client.send("POST", path, body)).problem(404, "unknown_member")
    mine = {"accountId": database.account("Ada")}
    assert (await client.call("POST", path, mine))["role"] == "owner"
