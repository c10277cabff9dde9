"""Nobody gets more than was given: members that name columns, and roles that are stretched."""

import json
import uuid
from dataclasses import replace
from typing import Any

from attacks.endpoints import BODIES, ENDPOINTS, request
from attacks.sending import Sender
from attacks.stage import PASSWORD, Builder, Stage, sign
from rowcast import models
from rowcast.keys import INVITATION
from support import KEYS, HttpReply

# What tables call their columns, and what other servers have fallen for.
COLUMNS = (
    "accountId", "account_id", "actor", "admin", "audience", "createdAt", "createdBy", "created_by",
    "deletedAt", "disabledAt", "disabled_at", "emailVerified", "erasedAt", "expiresAt", "function",
    "ifMatch", "invitedBy", "isAdmin", "isOwner", "kind", "number", "owner", "ownerId",
    "passwordHash", "password_hash", "position", "seq", "session", "sessionId", "slug",
    "tokenId", "updatedBy", "userFields", "verifiedHash", "version", "workspace_id", "__proto__",
    "constructor", "p_workspace_id", "id", "role", "roles", "scopes", "workspaceId", "email",
)  # fmt: skip
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


# Mass assignment


async def test_every_further_member_of_every_body_and_query_is_refused(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    before = builder.tables("attempt")
    for endpoint in ENDPOINTS:
        good = request(endpoint, stage)
        for name in COLUMNS:
            if endpoint.body is not None and name not in BODIES[endpoint.body](stage):
                body = {**good.body, name: str(uuid.uuid4())}
                reply = await sender.want(replace(good, body=body))
                problem = reply.problem(422, "invalid_request")
                assert [error["path"] for error in problem["errors"]] == [name], endpoint
            if endpoint.query is not None and name not in model_members(endpoint.query):
                reply = await sender.want(replace(good, query={**good.query, name: "1"}))
                assert reply.status == 422, (str(endpoint), name)
                assert reply.json["code"] == "invalid_request"
    for name in COLUMNS:
        for role in ({"key": "x", "label": "X", name: "y"},):
            reply = await sender.send(
                "PUT", f"/api/v1/workspaces/{stage.workspace}/roles", {"roles": [role]},
                Authorization=f"Bearer {stage.access}",
            )  # fmt: skip
            reply.problem(422, "invalid_request")
    assert builder.tables("attempt") == before


def model_members(model: type[Any]) -> set[str]:
    """The names of a query's parameters."""
    return {info.alias or name for name, info in model.model_fields.items()}


async def test_what_addresses_take_without_a_model_changes_nothing_but_what_it_is_for(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    """Actions read no query; a body where none belongs is not looked at."""
    login = {"Authorization": f"Bearer {stage.access}"}
    other = builder.stage()
    wanted = {"id": other.account, "accountId": other.account, "sessionId": other.session,
              "role": "owner", "workspaceId": other.workspace}  # fmt: skip
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    before = builder.tenant(other.workspace, other.account)
    await sender.send("PATCH", f"{ME}?{query}", {"name": "Mine"}, **login)
    await sender.send("POST", "/api/v1/auth/ticket", wanted, **login)
    await sender.send("DELETE", ME, wanted, **login)
    await sender.send("DELETE", f"{ME}/sessions/{stage.other_session}", wanted, **login)
    await sender.send(
        "DELETE", f"/api/v1/workspaces/{stage.workspace}/members/{stage.member}", wanted, **login
    )
    await sender.send(
        "DELETE", f"/api/v1/workspaces/{stage.workspace}/records/{stage.record}", wanted, **login
    )
    await sender.send("DELETE", f"/api/v1/workspaces/{stage.workspace}", wanted, **login)
    await sender.send("POST", f"/api/v1/auth/logout?{query}", {}, **login)
    assert builder.tenant(other.workspace, other.account) == before


async def test_a_document_can_name_columns_and_they_stay_text(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    """In data such keys are the user's own; the record's columns are the server's."""
    login = {"Authorization": f"Bearer {stage.access}"}
    base = f"/api/v1/workspaces/{stage.workspace}"
    other = builder.stage()
    hostile = {
        "id": other.record, "workspaceId": other.workspace, "workspace_id": other.workspace,
        "createdBy": other.account, "created_by": other.account, "updatedBy": other.account,
        "version": 999, "number": 999, "displayId": "TSK-999-9999", "position": "a",
        "deletedAt": "2020-01-01T00:00:00Z", "audience": [other.account], "collection": "x",
        "seq": 1,
    }  # fmt: skip
    row = (
        "select jsonb_build_array(workspace_id, id, number, version, display_id, created_by,"
        " updated_by, deleted_at, collection) from core.record where id = %s"
    )
    for method, path, body in (
        ("POST", f"{base}/records?collection=task", {"data": {"title": "x", **hostile}}),
        ("POST", "/api/tasks", {"data": {"title": "x", **hostile}}),
        ("PATCH", f"{base}/records/{stage.record}", {"patch": hostile}),
        ("PATCH", f"/api/tasks/{stage.record}", {"patch": hostile}),
    ):
        before = builder.tenant(other.workspace, other.account)
        reply = await sender.send(method, path, body, **login)
        assert reply.status in (200, 201), reply.text
        made = reply.json["id"]
        stored = builder.value(row, made)
        assert stored[0] == stage.workspace
        assert made != other.record
        assert stored[2] < 100
        assert stored[3] < 10
        assert stored[4] != "TSK-999-9999"
        assert stored[5:] == [stage.account, stage.account, None, "task"]
        assert builder.tenant(other.workspace, other.account) == before
    # members of the envelope that come twice, or spelled with escapes, mean no other record
    raw = (
        b'{"patch": {"title": "x"}, "\\u0069d": "%b"}' % other.record.encode(),
        b'{"id": "%b", "patch": {"title": "x"}}' % other.record.encode(),
    )
    for text in raw:
        reply = await sender.send("PATCH", f"{base}/records/{stage.record}", text, **login)
        reply.problem(422, "invalid_request")
    merge = b'{"id": "%b"}}' % other.record.encode()
    reply = await sender.send(
        "PATCH", f"{base}/records/{stage.record}", merge + b', "id": "x"',
        Content_Type="application/merge-patch+json", **login,
    )  # fmt: skip
    reply.problem(400, "malformed_json")


async def test_an_import_can_name_no_column_of_the_server(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    other = builder.stage()
    login = {"Authorization": f"Bearer {stage.access}"}
    before = builder.tenant(other.workspace, other.account)
    path = f"/api/v1/workspaces/{stage.workspace}/import?collection=task"
    row = {
        "title": "x", "id": other.record, "workspaceId": other.workspace,
        "createdBy": other.account, "version": 99, "transactionId": str(uuid.uuid4()),
    }  # fmt: skip
    reply = await sender.send(
        "POST", path, json.dumps(row).encode(), Content_Type="application/x-ndjson", **login
    )
    assert reply.status == 200, reply.text
    assert builder.tenant(other.workspace, other.account) == before
    made = builder.connection.execute(
        "select created_by::text, version from core.record where workspace_id = %s and id <> %s",
        (stage.workspace, stage.record),
    ).fetchall()
    assert made == [(stage.account, 1)]


# Privileges


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
        if endpoint.method == "GET" or endpoint.path.startswith("/api/v1/auth/"):
            continue
        if endpoint.body is models.Acceptance:
            wanted = replace(wanted, body={"token": stage.invitation_token})
        reply = await sender.want(wanted)
        assert reply.status == 403, (str(endpoint), reply.text)
        assert reply.json["code"] in ("not_permitted", "sign_in_required")
        refused += 1
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
