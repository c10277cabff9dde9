"""Personal access tokens: what each scope is good for, and what none is."""

from typing import Any

import pytest

from people import AUTH, ME
from support import Client, Database

TOKENS = f"{ME}/tokens"


async def issue(client: Client, *scopes: str, **more: Any) -> tuple[Client, str]:
    """A client with a new token of the caller's, and the token's id."""
    body = {"name": "program", "scopes": list(scopes), **more}
    token = await client.call("POST", TOKENS, body, status=201)
    return Client(client.session, client.url, token["token"]), token["id"]


def calls(workspace: str, task: str, other: str) -> dict[str, list[tuple[str, str, Any]]]:
    """What each scope is asked for: calls that succeed with it, one after another."""
    base = f"/api/v1/workspaces/{workspace}"
    return {
        "read": [
            ("GET", ME, None),
            ("GET", "/api/v1/workspaces", None),
            ("GET", base, None),
            ("GET", f"{base}/records/{task}", None),
            ("GET", f"{base}/members", None),
            ("GET", f"{base}/snapshot", None),
        ],
        "write": [
            ("PATCH", f"{base}/records/{task}", {"patch": {"title": "New"}}),
            ("POST", f"{base}/records?collection=task", {"data": {"title": "X"}}),
            ("POST", f"{base}/records/{task}/move", {"field": "status", "value": "done"}),
            ("DELETE", f"{base}/records/{task}", None),
            ("POST", f"{base}/records/{task}/restore", None),
        ],
        "manage": [
            ("PATCH", base, {"name": "New"}),
            ("GET", f"{base}/audit", None),
            ("GET", f"{base}/invitations", None),
            ("POST", f"{base}/invitations", {"email": "x@example.org", "role": "viewer"}),
            ("PATCH", f"{base}/members/{other}", {"role": "viewer"}),
            ("DELETE", f"{base}/members/{other}", None),
            ("POST", "/api/v1/workspaces", {"name": "X", "template": "tasks"}),
        ],
    }


@pytest.mark.parametrize(
    "scopes",
    [("read",), ("write",), ("manage",), ("read", "write"), ("read", "write", "manage")],
    ids="-".join,
)
async def test_a_token_may_what_its_scopes_say_and_no_more(
    client: Client, database: Database, workspace: str, scopes: tuple[str, ...]
) -> None:
    task = database.task(workspace, title="One")["id"]
    program, _ = await issue(client, *scopes)
    for scope, asked in calls(workspace, task, database.join(workspace, "Bob", "editor")).items():
        for method, path, body in asked:
            reply = await program.send(method, path, body)
            if scope in scopes or scope == "read":
                assert reply.status in (200, 201), (method, path, reply.text)
            else:
                reply.problem(403, "not_permitted")


async def test_no_token_gives_more_than_its_account_has(
    client: Client, database: Database, workspace: str
) -> None:
    task = database.task(workspace, title="One")["id"]
    database.join(workspace, "Vic", "viewer")
    vic = Client(client.session, client.url, database.token("Vic"))
    program, _ = await issue(vic, "read", "write", "manage")
    asked = calls(workspace, task, database.join(workspace, "Bob", "editor"))
    for method, path, body in asked["write"] + asked["manage"][:-1]:
        (await program.send(method, path, body)).problem(403, "not_permitted")


async def test_no_token_manages_the_account(
    client: Client, database: Database, workspace: str
) -> None:
    program, own = await issue(client, "read", "write", "manage")
    for method, path, body in (
        ("PATCH", ME, {"name": "X"}),
        ("PATCH", ME, {"password": "long enough", "currentPassword": "x"}),
        ("DELETE", ME, None),
        ("GET", f"{ME}/sessions", None),
        ("DELETE", f"{ME}/sessions/{own}", None),
        ("GET", TOKENS, None),
        ("POST", TOKENS, {"name": "x", "scopes": ["read"]}),
        ("DELETE", f"{TOKENS}/{own}", None),
    ):
        (await program.send(method, path, body)).problem(403, "sign_in_required")
    await client.call("DELETE", f"/api/v1/workspaces/{workspace}")
    reply = await program.send("POST", f"/api/v1/workspaces/{workspace}/restore")
    reply.problem(403, "sign_in_required")


async def test_a_token_without_managing_does_not_leave_a_workspace(
    client: Client, database: Database, workspace: str
) -> None:
    bob = database.join(workspace, "Bob", "editor")
    bobs = Client(client.session, client.url, database.token("Bob"))
    program, _ = await issue(bobs, "read", "write")
    path = f"/api/v1/workspaces/{workspace}/members/{bob}"
    (await program.send("DELETE", path)).problem(403, "not_permitted")
    program, _ = await issue(bobs, "manage")
    assert (await program.call("DELETE", path))["id"] == bob


async def test_the_list_shows_tokens_without_their_secret(client: Client) -> None:
    program, first = await issue(client, "read")
    await issue(client, "write", "manage", expiresInDays=7)
    reply = await client.send("GET", TOKENS)
    assert str(program.token) not in reply.text
    listed = reply.json["tokens"]
    assert [token["scopes"] for token in listed] == [["write", "manage"], ["read"]]
    assert listed[1]["id"] == first
    assert set(listed[0]) == {"id", "name", "scopes", "createdAt", "usedAt", "expiresAt"}


async def test_a_token_that_is_revoked_is_over(client: Client) -> None:
    program, token = await issue(client, "read")
    another, _ = await issue(client, "read")
    assert (await program.send("GET", ME)).status == 200
    assert await client.call("DELETE", f"{TOKENS}/{token}") == {"id": token}
    (await program.send("GET", ME)).problem(401, "unauthenticated")
    assert (await another.send("GET", ME)).status == 200
    (await client.send("DELETE", f"{TOKENS}/{token}")).problem(404, "unknown_session")


async def test_nobody_revokes_the_token_of_another(client: Client, database: Database) -> None:
    program, token = await issue(client, "read")
    eve = Client(client.session, client.url, database.token("Eve"))
    (await eve.send("DELETE", f"{TOKENS}/{token}")).problem(404, "unknown_session")
    (await client.send("DELETE", f"{ME}/sessions/{token}")).problem(404, "unknown_session")
    assert (await program.send("GET", ME)).status == 200


async def test_a_token_that_has_expired_is_over(client: Client, database: Database) -> None:
    program, token = await issue(client, "read", expiresInDays=1)
    assert (await program.send("GET", ME)).status == 200
    database.run("update core.session set expires_at = now() where id = %s", token)
    (await program.send("GET", ME)).problem(401, "unauthenticated")
    assert (await client.call("GET", TOKENS))["tokens"] == []


async def test_a_repeated_request_makes_one_token_and_tells_its_secret_once(
    client: Client, database: Database
) -> None:
    body, headers = {"name": "x", "scopes": ["read"]}, {"Idempotency-Key": "one"}
    first = await client.call("POST", TOKENS, body, headers=headers)
    again = await client.call("POST", TOKENS, body, headers=headers)
    assert "token" in first
    assert "token" not in again
    assert len((await client.call("GET", TOKENS))["tokens"]) == 1


@pytest.mark.parametrize(
    "change",
    [{"scopes": []}, {"scopes": ["admin"]}, {"name": ""}, {"expiresInDays": 0}, {"scopes": None}],
)
async def test_what_can_be_no_token_is_refused(client: Client, change: dict[str, Any]) -> None:
    body = {"name": "x", "scopes": ["read"]} | change
    (await client.send("POST", TOKENS, body)).problem(422, "invalid_request")


async def test_signing_out_does_not_end_a_token(client: Client) -> None:
    program, _ = await issue(client, "read")
    await program.call("POST", f"{AUTH}/logout")
    assert (await program.send("GET", ME)).status == 200
    await client.call("POST", f"{AUTH}/logout")
    assert (await program.send("GET", ME)).status == 200
