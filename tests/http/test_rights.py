"""Who gets in: tokens, roles, and what is another tenant's."""

import time
import uuid
from typing import Any

import jwt
import pytest

from rowcast.keys import ACCESS
from support import KEYS, Client, Database, eventually


def writes(records: str, record: str) -> list[tuple[str, str, Any]]:
    return [
        ("POST", f"{records}?collection=task", {"data": {"title": "X"}}),
        ("PATCH", f"{records}/{record}", {"patch": {"title": "X"}}),
        ("POST", f"{records}/{record}/move", {"field": "status", "value": "done"}),
        ("DELETE", f"{records}/{record}", None),
        ("POST", f"{records}/{record}/restore", None),
        ("PATCH", f"/api/tasks/{record}", {"patch": {"title": "X"}}),
    ]


def reads(workspace: str, records: str, record: str) -> list[str]:
    return [
        f"/api/v1/workspaces/{workspace}",
        f"/api/v1/workspaces/{workspace}/collections",
        f"/api/v1/workspaces/{workspace}/snapshot",
        f"/api/v1/workspaces/{workspace}/changes?since=0",
        f"/api/v1/workspaces/{workspace}/events",
        f"/api/v1/workspaces/{workspace}/events?collections=tasks",
        f"/api/tasks/{workspace}/events",
        f"{records}?collection=task",
        f"{records}/{record}",
        f"/api/tasks?workspaceId={workspace}",
        f"/api/fields?workspaceId={workspace}",
    ]


async def test_another_tenants_workspace_does_not_exist(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="Secret")
    database.workspace("Eve", name="Eve's own")
    eve = Client(client.session, client.url, database.token("Eve"))
    everything = [("GET", path, None) for path in reads(workspace, records, task["id"])]
    for method, path, body in everything + writes(records, task["id"]):
        reply = await eve.send(method, path, body)
        problem = reply.problem(404)
        assert problem["code"] in ("unknown_workspace", "unknown_record"), path
        assert "Secret" not in reply.text
    body = {"workspaceId": workspace, "data": {}}
    (await eve.send("POST", "/api/tasks", body)).problem(404, "unknown_workspace")
    assert (await client.call("GET", f"{records}/{task['id']}"))["version"] == 1


async def test_another_tenants_record_and_none_at_all_look_alike(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="Secret")
    own = database.workspace("Eve", name="Eve's own")
    eve = Client(client.session, client.url, database.token("Eve"))
    for base in ("/api/tasks", f"/api/v1/workspaces/{own}/records"):
        texts = set()
        for record in (task["id"], task["displayId"], str(uuid.uuid4()), "TSK-999-0001", "x"):
            reply = await eve.send("PATCH", f"{base}/{record}", {"patch": {"title": "X"}})
            reply.problem(404, "unknown_record")
            texts.add(reply.text)
        assert len(texts) == 1


async def test_the_same_record_id_in_two_workspaces_is_two_records(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="Ada's")
    own = database.workspace("Eve", name="Eve's own")
    eve = Client(client.session, client.url, database.token("Eve"))
    body = {"id": task["id"], "data": {"title": "Eve's"}}
    await eve.call("POST", f"/api/v1/workspaces/{own}/records?collection=task", body)
    await eve.call("PATCH", f"/api/tasks/{task['id']}", {"patch": {"status": "done"}})
    assert (await client.call("GET", f"{records}/{task['id']}"))["data"] == {"title": "Ada's"}


async def test_a_viewer_reads_and_may_write_nothing(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="One")
    database.join(workspace, "Vic", "viewer")
    viewer = Client(client.session, client.url, database.token("Vic"))
    assert (await viewer.call("GET", f"{records}/{task['id']}"))["data"] == {"title": "One"}
    for method, path, body in writes(records, task["id"]):
        (await viewer.send(method, path, body)).problem(403, "not_permitted")
    assert (await viewer.call("GET", f"{records}?collection=task"))["tasks"][0]["version"] == 1


async def test_a_removed_member_is_a_stranger_at_once(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="One")
    database.join(workspace, "Bob", "editor")
    bob = Client(client.session, client.url, database.token("Bob"))
    await bob.call("PATCH", f"{records}/{task['id']}", {"patch": {"title": "Two"}})
    database.run("delete from core.member where account_id = %s", database.account("Bob"))
    for method, path, body in writes(records, task["id"]):
        (await bob.send(method, path, body)).problem(404)


async def test_a_disabled_account_can_do_nothing(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="One")
    database.run("update core.account set disabled_at = now()")
    for method, path, body in writes(records, task["id"]):
        (await client.send(method, path, body)).problem(401, "unauthenticated")
    body = {"name": "X", "template": "tasks"}
    (await client.send("POST", "/api/v1/workspaces", body)).problem(401, "unauthenticated")
    (await client.send("GET", "/api/v1/workspaces")).problem(401, "unauthenticated")


async def test_a_token_of_no_account_creates_nothing(client: Client, database: Database) -> None:
    nobody = Client(
        client.session, client.url, KEYS.access_token(str(uuid.uuid4()), str(uuid.uuid4()))
    )
    body = {"name": "X", "template": "tasks"}
    (await nobody.send("POST", "/api/v1/workspaces", body)).problem(401, "unauthenticated")
    assert database.value("select count(*) from core.workspace") == 0


def token(key: str | bytes | None = None, algorithm: str = "HS256", **changes: Any) -> str:
    """An access token as the server would sign it, but for some changes; None leaves one out."""
    ours = KEYS.sign(ACCESS, {}, time.time() + 60)
    kid = jwt.get_unverified_header(ours)["kid"]
    claims = {
        "iss": "rowcast",
        "aud": ACCESS,
        "sub": str(uuid.uuid4()),
        "sid": str(uuid.uuid4()),
        "exp": time.time() + 60,
    }
    kept = {k: v for k, v in (claims | changes).items() if v is not None}
    signing: Any = key if key is not None else KEYS._keys[kid]
    if algorithm == "none":
        signing = None
    headers = {"kid": kid}
    return jwt.encode(kept, signing, algorithm, headers)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer garbage",
        "Bearer a.b.c",
        "Bearer ééé",
        f"Bearer {'x' * 4000}",
        "Basic YWRhOmFkYQ==",
        f"Token {token()}",
        f"Bearer {token(exp=time.time() - 1)}",
        f"Bearer {token(exp=None)}",
        f"Bearer {token(sub=None)}",
        f"Bearer {token(sub='ada')}",
        f"Bearer {token(iss='somebody')}",
        f"Bearer {token(nbf=time.time() + 600)}",
        f"Bearer {token(sid=None)}",
        f"Bearer {token(aud='rowcast:invitation')}",
        f"Bearer {token(key='f' * 40)}",
        f"Bearer {token(algorithm='none')}",
    ],
)
async def test_without_a_good_token_nobody_gets_in(
    client: Client, database: Database, workspace: str, records: str, authorization: str | None
) -> None:
    client.token = None
    headers = {"Authorization": authorization} if authorization is not None else {}
    for method, path in (
        ("GET", f"{records}?collection=task"),
        ("PATCH", f"{records}/TSK-001-0001"),
        ("GET", f"/api/v1/workspaces/{workspace}/events"),
        ("GET", "/api/v1/workspaces"),
    ):
        reply = await client.send(method, path, headers=headers)
        reply.problem(401, "unauthenticated")
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_that_expires_while_it_is_known_is_refused(
    client: Client, database: Database
) -> None:
    brief = Client(client.session, client.url, database.token("Ada", seconds=1))
    assert (await brief.send("GET", "/api/v1/workspaces")).status == 200

    async def refused() -> bool:
        return (await brief.send("GET", "/api/v1/workspaces")).status == 401

    await eventually(refused, what="the refusal of an expired token")


async def test_health_needs_no_token(client: Client) -> None:
    client.token = None
    assert (await client.call("GET", "/health/live"))["status"] == "live"
    assert (await client.call("GET", "/health/ready"))["status"] == "ready"
