"""Members and columns that a request may not name: refused, or without effect."""

import json
import uuid
from dataclasses import replace
from typing import Any

from attacks.endpoints import BODIES, ENDPOINTS, request
from attacks.sending import Sender
from attacks.stage import Builder, Stage
from rowcast.models import FlatBody

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


async def test_every_further_member_of_every_body_and_query_is_refused(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    before = builder.tables("attempt")
    for endpoint in ENDPOINTS:
        good = request(endpoint, stage)
        flat = endpoint.body is not None and issubclass(endpoint.body, FlatBody)
        for name in COLUMNS:
            if endpoint.body and not flat and name not in BODIES[endpoint.body](stage):
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
    flat = {
        name: value
        for name, value in hostile.items()
        if name in ("workspace_id", "created_by", "audience")
    }
    for name in hostile.keys() - flat.keys() - {"id", "workspaceId"}:
        for method, path in (("POST", "/api/v1/tasks"), ("PATCH", f"/api/v1/tasks/{stage.record}")):
            body = {"workspaceId": stage.workspace, "title": "x", name: hostile[name]}
            reply = await sender.send(method, path, body, **login)
            assert [e["path"] for e in reply.problem(422, "read_only_field")["errors"]] == [name]
    for name in ("faceCollection", "faceShape", "ifMatch"):
        reply = await sender.send("PATCH", f"/api/v1/tasks/{stage.record}", {name: "x"}, **login)
        reply.problem(422, "invalid_request")
    writes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("POST", "/api/v1/tasks", {"workspaceId": stage.workspace, "title": "x", **flat}),
        ("PATCH", f"/api/v1/tasks/{stage.record}", flat),
        ("POST", f"{base}/records?collection=task", {"data": {"title": "x", **hostile}}),
        ("POST", "/api/tasks", {"data": {"title": "x", **hostile}}),
        ("PATCH", f"{base}/records/{stage.record}", {"patch": hostile}),
        ("PATCH", f"/api/tasks/{stage.record}", {"patch": hostile}),
    )
    for method, path, body in writes:
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
        "select created_by::text, version from core.record where workspace_id = %s and id <> %s"
        " and collection = 'task'",
        (stage.workspace, stage.record),
    ).fetchall()
    assert made == [(stage.account, 1)]
