"""Idempotency-Key: a write takes effect once, however often it is sent."""

import asyncio
import uuid
from typing import Any

import pytest

from support import Client, Database


def head(database: Database) -> Any:
    """The end of the log and how many records and workspaces there are."""
    return database.run(
        "select (select max(seq) from core.change), (select count(*) from core.record),"
        " (select count(*) from core.workspace)"
    )


async def twice(client: Client, database: Database, method: str, path: str, body: Any) -> Any:
    """The answer to a write that is sent three times, and takes effect once."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = await client.send(method, path, body, headers=key)
    after = head(database)
    for _ in range(2):
        again = await client.send(method, path, body, headers=key)
        assert (again.status, again.json) == (first.status, first.json)
    assert head(database) == after
    assert first.status in (200, 201), first.text
    return first.json


async def test_a_create_takes_effect_once(client: Client, database: Database, records: str) -> None:
    body = {"data": {"title": "One"}}
    made = await twice(client, database, "POST", f"{records}?collection=task", body)
    assert made["number"] == 1


async def test_an_atlas_create_takes_effect_once(
    client: Client, database: Database, workspace: str
) -> None:
    body = {"workspaceId": workspace, "data": {"title": "One"}}
    await twice(client, database, "POST", "/api/tasks", body)


async def test_a_patch_a_move_a_delete_and_a_restore_take_effect_once(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    path = f"{records}/{database.task(workspace, title='One')['id']}"
    patched = await twice(client, database, "PATCH", path, {"patch": {"title": "Two"}})
    assert patched["version"] == 2
    done = {"field": "status", "value": "done"}
    moved = await twice(client, database, "POST", f"{path}/move", done)
    assert moved["version"] == 3
    deleted = await twice(client, database, "DELETE", path, None)
    assert deleted["seq"] == moved["seq"] + 1
    restored = await twice(client, database, "POST", f"{path}/restore", None)
    assert restored["seq"] == moved["seq"] + 2


async def test_a_comment_its_edit_and_its_deletion_take_effect_once(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    path = f"{records}/{database.task(workspace, title='One')['id']}/comments"
    said = await twice(client, database, "POST", path, {"body": "Why?"})
    await twice(client, database, "POST", path, {"body": "Why?", "parentId": said["id"]})
    comment = f"/api/v1/workspaces/{workspace}/comments/{said['id']}"
    await twice(client, database, "PATCH", comment, {"body": "How?"})
    await twice(client, database, "DELETE", comment, None)
    assert database.value("select count(*) from core.comment") == 2


async def test_a_workspace_is_created_once(client: Client, database: Database) -> None:
    body = {"name": "Ours", "template": "tasks"}
    await twice(client, database, "POST", "/api/v1/workspaces", body)
    assert database.value("select count(*) from core.workspace") == 1


async def test_a_repeated_patch_does_not_overwrite_what_came_after_it(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    path = f"{records}/{database.task(workspace, title='One')['id']}"
    key = {"Idempotency-Key": "mine"}
    body = {"patch": {"title": "Two"}}
    first = await client.call("PATCH", path, body, headers=key)
    await client.call("PATCH", path, {"patch": {"title": "Theirs"}})
    again = await client.call("PATCH", path, body, headers=key)
    assert (again["seq"], again["data"]["title"]) == (first["seq"], "Theirs")


async def test_a_patch_that_changed_nothing_does_not_take_effect_later(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    path = f"{records}/{database.task(workspace, title='One')['id']}"
    key = {"Idempotency-Key": "mine"}
    body = {"patch": {"title": "One"}}
    first = await client.call("PATCH", path, body, headers=key)
    await client.call("PATCH", path, {"patch": {"title": "Theirs"}})
    again = await client.call("PATCH", path, body, headers=key)
    assert (again["seq"], again["data"]["title"]) == (first["seq"], "Theirs")


async def test_a_repeat_of_a_create_finds_its_record_also_when_it_is_deleted(
    client: Client, records: str
) -> None:
    key = {"Idempotency-Key": "mine"}
    body = {"data": {"title": "One"}}
    made = await client.call("POST", f"{records}?collection=task", body, headers=key)
    await client.call("DELETE", f"{records}/{made['id']}")
    again = await client.call("POST", f"{records}?collection=task", body, headers=key)
    assert (again["id"], again["seq"]) == (made["id"], made["seq"])
    assert again["deletedAt"] is not None


async def test_the_same_key_with_another_request_is_refused(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    one = database.task(workspace, title="One")
    two = database.task(workspace, title="Two")
    path = f"{records}/{one['id']}"
    key = {"Idempotency-Key": "mine"}
    await client.call("PATCH", path, {"patch": {"title": "X"}}, headers=key)
    after = head(database)
    for method, target, body in (
        ("PATCH", path, {"patch": {"title": "Y"}}),
        ("PATCH", f"{records}/{two['id']}", {"patch": {"title": "X"}}),
        ("POST", f"{records}?collection=task", {"data": {}}),
        ("DELETE", path, None),
    ):
        reply = await client.send(method, target, body, headers=key)
        reply.problem(422, "transaction_reused")
    assert head(database) == after


async def test_a_refused_request_does_not_use_its_key_up(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="One")
    path = f"{records}/{task['id']}"
    key = {"Idempotency-Key": "mine"}
    stale = {**key, "If-Match": '"9"'}
    (await client.send("PATCH", path, {"patch": {"title": "X"}}, headers=stale)).problem(412)
    answer = await client.call("PATCH", path, {"patch": {"title": "X"}}, headers=key)
    assert answer["version"] == 2


async def test_keys_are_each_callers_own(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    database.join(workspace, "Bob", "editor")
    bob = Client(client.session, client.url, database.token("Bob"))
    key = {"Idempotency-Key": "the same"}
    body = {"data": {"title": "One"}}
    made = [
        await caller.call("POST", f"{records}?collection=task", body, headers=key)
        for caller in (client, bob)
    ]
    assert [record["number"] for record in made] == [1, 2]


async def test_keys_are_each_workspaces_own(client: Client, database: Database) -> None:
    key = {"Idempotency-Key": "the same"}
    for workspace in (database.workspace(), database.workspace()):
        path = f"/api/v1/workspaces/{workspace}/records?collection=task"
        made = await client.call("POST", path, {"data": {"title": "One"}}, headers=key)
        assert made["number"] == 1


@pytest.mark.parametrize("what", ["create", "patch", "delete", "workspace"])
async def test_the_same_key_twenty_times_at_once_takes_effect_once(
    client: Client, database: Database, workspace: str, records: str, what: str
) -> None:
    task = database.task(workspace, title="One", count=0)
    method, path, body = {
        "create": ("POST", f"{records}?collection=task", {"data": {"title": "New"}}),
        "patch": ("PATCH", f"{records}/{task['id']}", {"patch": {"title": "Two"}}),
        "delete": ("DELETE", f"{records}/{task['id']}", None),
        "workspace": ("POST", "/api/v1/workspaces", {"name": "New", "template": "tasks"}),
    }[what]
    key = {"Idempotency-Key": str(uuid.uuid4())}
    ((seq, count, workspaces),) = head(database)
    replies = await asyncio.gather(
        *(client.send(method, path, body, headers=key) for _ in range(20))
    )
    assert {reply.status for reply in replies} <= {200, 201}, [r.text for r in replies][:3]
    assert len({reply.text for reply in replies}) == 1
    ((seq_after, count_after, workspaces_after),) = head(database)
    assert count_after - count == (what == "create")
    assert workspaces_after - workspaces == (what == "workspace")
    if what != "workspace":
        assert seq_after - seq == 1
    else:
        assert len((await client.call("GET", "/api/v1/workspaces"))["workspaces"]) == 2
