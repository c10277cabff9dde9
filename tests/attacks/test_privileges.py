"""Nobody gets more than was given: roles that are stretched, tokens beyond their scopes."""

import uuid
from dataclasses import replace
from typing import Any

from attacks.endpoints import ENDPOINTS, request
from attacks.sending import Sender
from attacks.stage import PASSWORD, Builder, Stage, sign
from rowcast import models
from rowcast.keys import INVITATION
from rowcast.replay import PATH as REPLAY
from support import KEYS, HttpReply

ME = "/api/v1/me"


def bearer(builder: Builder, account: str) -> dict[str, str]:
    """The header of somebody who has signed in."""
    session = builder.session(account)["sessionId"]
    return {"Authorization": f"Bearer {KEYS.access_token(account, session)}"}


def program(builder: Builder, account: str, *scopes: str) -> dict[str, str]:
    """The header of a personal access token."""
    token = builder.value(
        "select logic.token_issue(%s, 'p', %s::text[], 1)->>'token'", account, list(scopes)
    )
    return {"Authorization": f"Bearer {token}"}


async def change_role(
    sender: Sender, workspace: str, account: str, role: str, login: dict[str, str]
) -> HttpReply:
    """Gives a member another role."""
    path = f"/api/v1/workspaces/{workspace}/members/{account}"
    return await sender.send("PATCH", path, {"role": role}, **login)


def role_of(builder: Builder, workspace: str, account: str) -> Any:
    return builder.value(
        "select max(role) from core.member where workspace_id = %s and account_id = %s",
        workspace,
        account,
    )


async def test_an_admin_becomes_no_owner_and_makes_none(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    admin = builder.join(stage.workspace, "admin")
    login, ws = bearer(builder, admin), stage.workspace
    base = f"/api/v1/workspaces/{ws}"
    for account in (admin, stage.member):
        (await change_role(sender, ws, account, "owner", login)).problem(403, "not_permitted")
    (await change_role(sender, ws, stage.account, "viewer", login)).problem(403, "not_permitted")
    for method, path, body in (
        ("POST", f"{base}/transfer", {"accountId": admin}),
        ("POST", f"{base}/invitations", {"email": "x@example.org", "role": "owner"}),
        ("DELETE", f"{base}/members/{stage.account}", None),
        ("DELETE", base, None),
        ("POST", f"{base}/restore", None),
    ):
        (await sender.send(method, path, body, **login)).problem(403, "not_permitted")
    # nor by the name of the role
    for name in ("Owner", "owner ", " owner", "OWNER", "owner\u200b"):
        (await change_role(sender, ws, admin, name, login)).problem(422, "unknown_role")
    assert role_of(builder, ws, admin) == "admin"
    assert role_of(builder, ws, stage.account) == "owner"


async def test_no_role_but_a_manager_s_touches_members_roles_or_invitations(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    ws = builder.workspace(stage.account, "requests")
    base = f"/api/v1/workspaces/{ws}"
    victim = builder.join(ws, "viewer")
    for role in ("viewer", "commenter", "editor", "requester", "engineer", "manager"):
        account = builder.join(ws, role)
        login = bearer(builder, account)
        before = builder.tables()
        for wider in ("owner", "admin", "editor", role):
            reply = await change_role(sender, ws, account, wider, login)
            reply.problem(403, "not_permitted")
        for method, path, body in (
            ("PATCH", f"{base}/members/{victim}", {"role": "requester"}),
            ("DELETE", f"{base}/members/{victim}", None),
            ("PUT", f"{base}/roles", {"roles": [{"key": role, "label": "X", "read": ["*"]}]}),
            ("POST", f"{base}/invitations", {"email": "x@example.org", "role": role}),
            ("GET", f"{base}/invitations", None),
            ("GET", f"{base}/audit", None),
            ("PATCH", base, {"name": "X"}),
            ("DELETE", base, None),
            ("POST", f"{base}/transfer", {"accountId": account}),
        ):
            (await sender.send(method, path, body, **login)).problem(403, "not_permitted")
        assert builder.tables() == before, role


def stretched(builder: Builder, workspace: str, key: str, **rights: list[str]) -> str:
    """A member with a role of its own; its account."""
    builder.connection.execute(
        "insert into core.role (workspace_id, key, label, read, edit, may, position)"
        " values (%s, %s, %s, %s, %s, %s, 50)",
        (workspace, key, key, *(rights.get(name, []) for name in ("read", "edit", "may"))),
    )
    return builder.join(workspace, key)


async def test_who_manages_gives_nothing_that_he_does_not_hold(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    """A role that manages and sees little: it widens no role, its own neither, by any spelling."""
    ws = builder.workspace(stage.account, "requests")
    base = f"/api/v1/workspaces/{ws}"
    account = stretched(
        builder, ws, "clerk", read=["request:own"], edit=["request:own"], may=["manage:*"]
    )
    login = bearer(builder, account)
    roles = (await sender.send("GET", f"{base}/roles", **login)).json["roles"]
    kept = [
        {name: role[name] for name in ("key", "label", "read", "edit", "may")}
        for role in roles
        if role["key"] not in ("owner", "clerk")
    ]
    own = {"key": "clerk", "label": "Clerk", "read": ["request:own"], "edit": ["request:own"],
           "may": ["manage:*"]}  # fmt: skip

    async def put(**changes: Any) -> HttpReply:
        return await sender.send(
            "PUT", f"{base}/roles", {"roles": [*kept, {**own, **changes}]}, **login
        )

    assert (await put()).status == 200  # what changes no right is let through
    for changes in (
        {"read": ["*"]},
        {"read": ["request"]},
        {"read": ["request:own", "request:unassigned"]},
        {"edit": ["*"]},
        {"edit": ["request"]},
        {"may": ["manage:*", "create:*"]},
        {"may": ["manage:*", "delete:request:own"]},
        {"may": ["manage:*", "manage:request", "comment:request"]},
    ):
        (await put(**changes)).problem(403, "not_permitted")
    # what is no token: blanks and lines that would make two of one, uuids of others, patterns
    for token in (
        "request:own *", "* ", " *", "request:own\t*", "request:own\n*", "*:own", "*|request",
        ".*", "request.*", "reques.", "(request)", "request:", "request:OWN", "", "!",
        f"request:{stage.account}", f"request:{account}",
        "request:00000000-0000-0000-0000-000000000000", "task", "own", ":own", "request:own:own",
        "request:own,*", "{*}", "request:own$", "request\\w", "^", "request:own|.*",
    ):  # fmt: skip
        (await put(read=[token])).problem(422, "invalid_role")
        (await put(edit=["request:own", token])).problem(422, "invalid_role")
        (await put(may=["manage:*", f"create:{token}"])).problem(422, "invalid_role")
    for token in ("*", "manage", "admin:*", "manage:*:own", "manage:* create:*", "x:request"):
        (await put(may=["manage:*", token])).problem(422, "invalid_role")
    # another's wider role: neither taken nor given
    for role in ("admin", "editor", "viewer", "manager", "engineer"):
        (await change_role(sender, ws, account, role, login)).problem(403, "not_permitted")
        reply = await sender.send(
            "POST", f"{base}/invitations", {"email": "me2@example.org", "role": role}, **login
        )
        reply.problem(403, "not_permitted")
    stored = builder.connection.execute(
        "select read, edit, may from core.role where workspace_id = %s and key = 'clerk'", (ws,)
    ).fetchone()
    assert stored == (["request:own"], ["request:own"], ["manage:*"])


async def test_roles_of_owners_and_of_other_workspaces_stay(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    admin = builder.join(stage.workspace, "admin")
    login = bearer(builder, admin)
    other = builder.stage()
    before = builder.tenant(other.workspace, other.account)
    path = f"/api/v1/workspaces/{stage.workspace}/roles"
    shown = (await sender.send("GET", path, **login)).json["roles"]
    roles = [{k: role[k] for k in ("key", "label", "read", "edit", "may")} for role in shown]
    emptied = [
        {**role, "read": [], "edit": [], "may": []} if role["key"] == "owner" else role
        for role in roles
    ]
    reply = await sender.send("PUT", path, {"roles": emptied}, **login)
    assert reply.status in (200, 422), reply.text
    owner = builder.connection.execute(
        "select read, may from core.role where workspace_id = %s and key = 'owner'",
        (stage.workspace,),
    ).fetchone()
    assert owner == (["*"], ["create:*", "move:*", "delete:*", "comment:*", "manage:*"])
    assert builder.tenant(other.workspace, other.account) == before


async def test_a_token_of_scope_read_changes_nothing_anywhere(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    login = program(builder, stage.account, "read")
    stage = replace(stage, access=login["Authorization"].removeprefix("Bearer "))
    await sender.send("GET", ME, **login)
    before = builder.tables("attempt", "ticket")
    refused = 0
    for endpoint in ENDPOINTS:
        wanted = request(endpoint, stage)
        # presence is for who may look, and is in no table
        reads = endpoint.method == "GET" or endpoint.path.endswith(("/records/get", "/presence"))
        if reads or endpoint.path.startswith("/api/v1/auth/"):
            continue
        if endpoint.body is models.Acceptance:
            wanted = replace(wanted, body={"token": stage.invitation_token})
        reply = await sender.want(wanted)
        if endpoint.path.endswith("/redo"):  # who can't write can't undo
            reply.problem(409, "nothing_to_redo")
            continue
        told = [reply.json]
        if endpoint.path == REPLAY:  # each of a queue gets a verdict of its own
            told = [result["problem"] for result in reply.json["results"]]
        for problem in told:
            assert problem["status"] == 403, (str(endpoint), reply.text)
            assert problem["code"] in ("not_permitted", "sign_in_required")
        refused += len(told)
    own = f"/api/v1/workspaces/{stage.workspace}/members/"
    reply = await sender.send("DELETE", own + stage.account, **login)
    assert reply.status == 403, reply.text
    assert refused > 15
    assert builder.tables("attempt", "ticket") == before


async def test_no_token_whatever_its_scopes_reaches_the_account(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    """It makes no other token, changes no password, lists and ends no session."""
    login = program(builder, stage.account, "read", "write", "manage")
    before = builder.tables("attempt")
    for method, path, body in (
        ("POST", f"{ME}/tokens", {"name": "x", "scopes": ["read"]}),
        ("GET", f"{ME}/tokens", None),
        ("DELETE", f"{ME}/tokens/{uuid.uuid4()}", None),
        ("GET", f"{ME}/sessions", None),
        ("DELETE", f"{ME}/sessions/{stage.session}", None),
        ("PATCH", ME, {"name": "X"}),
        ("PATCH", ME, {"password": "x" * 12, "currentPassword": PASSWORD}),
        ("DELETE", ME, None),
        ("POST", "/api/v1/invitations/accept", {"token": stage.invitation_token}),
    ):
        (await sender.send(method, path, body, **login)).problem(403, "sign_in_required")
    assert builder.tables("attempt") == before


async def test_scopes_do_not_widen_a_role_and_a_role_does_not_widen_scopes(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    ws, base = stage.workspace, f"/api/v1/workspaces/{stage.workspace}"
    viewer = builder.join(ws, "viewer")
    login = program(builder, viewer, "read", "write", "manage")
    reply = await sender.send("PATCH", f"{base}/records/{stage.record}", {"patch": {}}, **login)
    reply.problem(403, "not_permitted")
    # an owner's token that may manage but not write gives nobody what it lacks itself: it is an
    # owner's, and so gives every role; but itself it writes nothing
    login = program(builder, stage.account, "read", "manage")
    reply = await sender.send(
        "PATCH", f"{base}/records/{stage.record}", {"patch": {"title": "x"}}, **login
    )
    reply.problem(403, "not_permitted")
    # an admin's is narrowed in what it gives, too
    admin = builder.join(ws, "admin")
    login = program(builder, admin, "read", "manage")
    reply = await change_role(sender, ws, stage.member, "commenter", login)
    reply.problem(403, "not_permitted")
    reply = await change_role(sender, ws, stage.member, "viewer", login)
    assert reply.status == 200, reply.text


async def test_an_invitation_is_for_its_address_alone(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    other, _ = builder.account("finder")
    login = bearer(builder, other)
    accept = "/api/v1/invitations/accept"
    reply = await sender.send("POST", accept, {"token": stage.invitation_token}, **login)
    reply.problem(403, "other_account")
    # signed for another workspace, or with an id of another kind, it names nothing
    mine = builder.stage()
    for claims in (
        {"jti": stage.invitation, "ws": mine.workspace},
        {"jti": mine.invitation, "ws": stage.workspace},
        {"jti": stage.workspace, "ws": stage.workspace},
    ):
        reply = await sender.send("POST", accept, {"token": sign(INVITATION, **claims)}, **login)
        assert reply.status in (403, 422), reply.text
        assert reply.json["code"] in ("invalid_token", "unknown_workspace")
    # what is no uuid is no 500 either
    for jti, ws in (("x", "y"), (None, None), ([], {})):
        token = sign(INVITATION, jti=jti, ws=ws)
        reply = await sender.send("POST", accept, {"token": token}, **login)
        assert 400 <= reply.status < 500, (jti, reply.text)
    assert role_of(builder, stage.workspace, other) is None
