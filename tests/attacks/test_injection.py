"""SQL injection: a payload in every place of every request that takes text, and nothing happens.

The places come from the route table and its models; a route or a member that is not in
endpoints.py fails the first tests here. What reached the text of a statement would be a syntax
error, which is a 500.
"""

import ast
import asyncio
import base64
import json
import re
import time
from collections.abc import Iterator
from dataclasses import fields

import psycopg
import pytest

from attacks.endpoints import (
    BODIES,
    ENDPOINTS,
    QUERIES,
    Endpoint,
    Wanted,
    attacks,
    members,
    names,
    request,
)
from attacks.sending import Sender
from attacks.stage import Builder, Stage
from rowcast import models
from rowcast.app import make_app
from support import LEAKS, ROOT, Database, HttpReply, deployed

PARTS = 8  # of the attack on everything, so that several processes share it
SLEEP = 4  # seconds that a payload wants to sleep

# None has what LEAKS looks for: an answer may quote them.
PAYLOADS = {
    "quote": "'",
    "stacked": 'x\'; drop table "core"."record"; --',
    "update": 'x\'); update "core"."account" set name = \'pwned\'; --',
    "sleep": f"x'||pg_sleep({SLEEP})||'",
    "sleep as a number": f"1); select pg_sleep({SLEEP}); --",
    "dollar quote": "$$; drop schema core cascade; $$",
    "backslash": f"\\'; select pg_sleep({SLEEP}); --",
    "unicode quotes": '\u02bc\u2019\uff07\u02b9; drop table "core"."record"; --',
    "double quote": 'x"; drop table "core"."record"; --',
    "formats": "%I %s %L %1$s %% {0} %(x)s $1 :x ? %_\\",
    "nul": 'a\0\'; drop table "core"."record"; --',
    "line": 'x\r\n\'; drop table "core"."record"; --',
    "long": "'\"" * 450,
}
IN_HEADERS = ("stacked", "sleep", "backslash")
HEADERS = (
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Last-Event-ID",
    "Authorization",
    "Cookie",
    "X-Forwarded-For",
    "User-Agent",
    "X-Request-ID",
    "Origin",
)
# Requests that can leave nothing to attack: after one that went through, all is made anew.
CONSUMES = {
    "api/v1/me": {"DELETE", "PATCH"},
    "api/v1/me/sessions/{session}": {"DELETE"},
    "api/v1/me/tokens/{token}": {"DELETE"},
    "api/v1/auth/login": {"POST"},
    "api/v1/auth/verify-email": {"POST"},
    "api/v1/auth/refresh": {"POST"},
    "api/v1/auth/logout": {"POST"},
    "api/v1/auth/password-reset/confirm": {"POST"},
    "api/v1/invitations/accept": {"POST"},
    "api/v1/workspaces/{workspace}": {"DELETE"},
    "api/v1/workspaces/{workspace}/transfer": {"POST"},
    "api/v1/workspaces/{workspace}/members/{account}": {"DELETE"},
    "api/v1/workspaces/{workspace}/invitations/{invitation}": {"DELETE"},
    "api/v1/workspaces/{workspace}/records/{id}": {"DELETE"},
    "api/v1/workspaces/{workspace}/attachments/{attachment}": {"DELETE"},
    "api/v1/tasks/{id}": {"DELETE"},
    "api/v1/categories/{id}": {"DELETE"},
    "api/campaigns/{workspace}/tasks/{id}": {"DELETE"},
    "api/campaigns/{workspace}/phases/{id}": {"DELETE"},
}


async def test_every_address_of_the_server_is_attacked(database: Database) -> None:
    """What the application really answers, not only what its tables say."""
    router = make_app(deployed(database), lambda: None).router
    answered = {
        (route.method, route.resource.canonical)
        for route in router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert answered == {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS}


def test_every_model_of_a_route_has_a_good_request_with_every_member() -> None:
    for endpoint in ENDPOINTS:
        assert endpoint.body is None or endpoint.body in BODIES, endpoint
        assert endpoint.query is None or endpoint.query in QUERIES, endpoint
    stage = Stage(*["x"] * len(fields(Stage)))
    for model, good in BODIES.items():
        assert names(good(stage)) == members(model), model
    for query, shown in QUERIES.items():
        found = {name.split("[")[0] for name in shown(stage)}
        # by the workspace of the path, or of the record
        assert found == {name.split(".")[0] for name in members(query)}, query


async def test_every_good_request_is_good(sender: Sender, builder: Builder) -> None:
    """What the attacks change one place of is no request that is refused anyway."""
    for endpoint in ENDPOINTS:
        reply = await sender.want(request(endpoint, builder.stage()))
        if endpoint.body is models.DemoLogin or "demo" in endpoint.path:
            assert reply.status == 404, endpoint
        elif endpoint.path.endswith("/me") and endpoint.method == "DELETE":
            reply.problem(409, "last_owner")
        elif endpoint.path.endswith("/redo"):
            reply.problem(409, "nothing_to_redo")
        else:
            assert reply.status < 300, (str(endpoint), reply.text)


def assert_harmless(reply: HttpReply, payload: str, where: str) -> None:
    assert reply.status < 500, (where, payload[:60], reply.text[:500])
    assert not 300 <= reply.status < 304, (where, reply.headers)
    for name, value in reply.headers.items():
        assert name == "X-Request-ID" or payload[:8] not in value or len(payload) < 3, (where, name)
    if reply.status >= 400:
        assert not LEAKS.search(reply.text), (where, reply.text[:500])


class Attack:
    """Sends attacks on one endpoint after another, and judges what comes."""

    def __init__(self, sender: Sender, builder: Builder) -> None:
        self.sender, self.builder = sender, builder
        self.count = 0
        self.let_through: set[str] = set()

    async def on(self, endpoint: Endpoint) -> None:
        """Every payload in every place."""
        consumes = endpoint.method in CONSUMES.get(endpoint.path[1:], ())
        stage = self.builder.stage()
        for name, payload in PAYLOADS.items():
            headers = HEADERS if name in IN_HEADERS else ()
            waiting = list(attacks(endpoint, stage, payload, headers))
            for n in range(len(waiting)):
                where, wanted = waiting[n]
                reply = await self.send(wanted, payload, f"{endpoint} {where}")
                if consumes and (reply.status < 300 or reply.status == 401):
                    stage = self.builder.stage()
                    waiting = list(attacks(endpoint, stage, payload, headers))

    async def send(self, wanted: Wanted, payload: str, where: str) -> HttpReply:
        """One attack."""
        if wanted.path.startswith(("/api/v1/auth", "/api/v1/me", "/api/v1/inv")):
            self.builder.forget_attempts()
        started = time.perf_counter()
        reply = await self.sender.want(wanted)
        assert time.perf_counter() - started < SLEEP - 0.5, (where, payload[:60])
        assert_harmless(reply, payload, where)
        self.count += 1
        if reply.status < 300:
            self.let_through.add(where)
        return reply


@pytest.mark.parametrize("part", range(PARTS))
async def test_a_payload_in_any_place_of_any_request_does_nothing(
    sender: Sender, builder: Builder, part: int
) -> None:
    bystander = builder.stage()
    catalogue = builder.catalogue()
    before = builder.tenant(bystander.workspace, bystander.account)
    attack = Attack(sender, builder)
    # Addresses that differ in the collection alone (face_create and its like) are one.
    waiting = list(
        {
            (e.method, e.function or e.path, e.body, e.query, "{workspace}" in e.path): e
            for e in ENDPOINTS
        }.values()
    )[part::PARTS]
    addresses = {str(endpoint) for endpoint in waiting}

    async def work() -> None:
        while waiting:
            await attack.on(waiting.pop())

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(work())
    assert attack.count > 4000 // PARTS
    # some are just text: the attack came as far as text does
    for place in (
        "POST /api/v1/workspaces body .name",
        "POST /api/v1/workspaces/{workspace}/records body .data.<key>",
        "PATCH /api/v1/workspaces/{workspace}/records/{id} body .patch.<key>",
        "POST /api/v1/workspaces/{workspace}/records header Idempotency-Key",
        "POST /api/v1/auth/login header User-Agent",
        "GET /api/v1/workspaces/{workspace}/records query filter[title]",
        "PUT /api/v1/workspaces/{workspace}/roles body .roles.0.label",
        "POST /api/v1/workspaces/{workspace}/import text",
        "POST /api/v1/workspaces/{workspace}/records/{id}/attachments form name",
    ):
        address = " ".join(place.split(" ")[:2])
        assert place in attack.let_through or address not in addresses, place
    assert builder.catalogue() == catalogue
    assert builder.tenant(bystander.workspace, bystander.account) == before
    assert builder.value("select count(*) from core.account where name = 'pwned'") == 0


def hostile_texts() -> Iterator[str]:
    """Payloads that can be stored, each short enough for a key."""
    for payload in PAYLOADS.values():
        if "\0" not in payload:
            yield payload[:100]


async def test_a_payload_that_was_stored_does_nothing_when_it_is_read(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    """Second order: names, labels, keys of fields and documents that are SQL."""
    login = {"Authorization": f"Bearer {stage.access}"}
    base = f"/api/v1/workspaces/{stage.workspace}"
    bystander = builder.stage()
    before = builder.tenant(bystander.workspace, bystander.account)
    catalogue = builder.catalogue()
    for n, text in enumerate(hostile_texts()):
        shown = text.replace("\r\n", " ")
        for kind in ("text", "number", "boolean", "multi_select"):
            builder.connection.execute(
                "insert into core.field (workspace_id, collection, key, label, type, position)"
                " values (%s, 'task', %s, %s, %s, 9)"
                " on conflict (workspace_id, collection, key) do update set type = excluded.type",
                (stage.workspace, text, text, kind),
            )
            for value in (text, 1, True, [text]):
                reply = await sender.send(
                    "POST", f"{base}/records?collection=task", {"data": {text: value}}, **login
                )
                assert reply.status in (201, 422), reply.text
                if reply.status == 422:
                    reply.problem(422, "invalid_document_fields")
            for query in (
                {"sort": text, "limit": "1"},
                {f"filter[{text}]": text},
                {f"filter[{text}][contains]": text},
                {f"filter[{text}][in]": text},
                {f"filter[{text}][gt]": text},
                {f"filter[{text}][empty]": "false"},
            ):
                wanted = Wanted(
                    "GET", f"{base}/records", {}, {"collection": "task", **query}, headers=login
                )
                reply = await sender.want(wanted)
                assert_harmless(reply, text, f"{query}")
                cursor = reply.json.get("nextCursor") if reply.status == 200 else None
                if cursor is not None:
                    deeper = {**wanted.query, "cursor": cursor}
                    reply = await sender.want(Wanted("GET", wanted.path, {}, deeper, headers=login))
                    assert reply.status == 200, reply.text
        await sender.send("PATCH", base, {"name": shown}, **login)
        await sender.send("PATCH", "/api/v1/me", {"name": shown, "avatar": text}, **login)
        role = {"key": f"r{n}", "label": shown}
        rest = [{"key": key, "label": shown} for key in ("admin", "editor")]
        reply = await sender.send("PUT", f"{base}/roles", {"roles": [role, *rest]}, **login)
        assert reply.status == 200, reply.text
        for path in ("", "/members", "/roles", "/collections", "/audit", "/snapshot",
                     "/invitations", "/changes?since=0"):  # fmt: skip
            reply = await sender.send("GET", base + path, **login)
            assert reply.status == 200, (path, reply.text)
    assert builder.catalogue() == catalogue
    assert builder.tenant(bystander.workspace, bystander.account) == before


async def test_a_forged_cursor_is_text_to_the_database(sender: Sender, stage: Stage) -> None:
    """A cursor carries values that stand in a condition: they are literals of the key's type."""
    login = {"Authorization": f"Bearer {stage.access}"}
    for payload in PAYLOADS.values():
        for sort, values in (
            ("", [payload]),
            ("title", [payload, payload]),
            ("title", [payload, "1"]),
            ("createdAt", [payload, "1"]),
            ("-points", [payload, "1"]),
            (payload, [payload, "1"]),
            ("createdBy", [payload, "1"]),
        ):
            text = json.dumps({"s": sort, "v": values}).encode()
            cursor = base64.urlsafe_b64encode(text).decode().rstrip("=")
            query = {"collection": "task", "cursor": cursor[:4000], "sort": sort}
            reply = await sender.want(
                Wanted(
                    "GET",
                    "/api/v1/workspaces/{workspace}/records",
                    {"workspace": stage.workspace},
                    query,
                    headers=login,
                )
            )
            assert reply.status in (200, 422), reply.text
            assert_harmless(reply, payload, f"cursor {sort}")


DYNAMIC = {
    "logic/dispatcher_build.sql",  # from the catalogue, when sql/ is loaded
    "logic/faces_build.sql",  # likewise
    "logic/record_scan.sql",  # from the filter compiler: %L and %I alone
}


def test_statements_are_put_together_in_few_places_only() -> None:
    """Why there is nothing to inject into: `execute` stands in these files of sql/ and no other."""
    found = set()
    for path in (ROOT / "sql").rglob("*.sql"):
        code = re.sub(r"--.*", "", path.read_text())
        if re.search(
            r"^\s*(return query )?execute\s+(?!function)", code, re.MULTILINE | re.IGNORECASE
        ):
            found.add(path.relative_to(ROOT / "sql").as_posix())
    assert found == DYNAMIC


def is_fixed(statement: ast.expr) -> bool:
    """A literal, or a name for one; or one made of constants of its module."""
    if isinstance(statement, ast.JoinedStr):
        holes = [part.value for part in statement.values if isinstance(part, ast.FormattedValue)]
        return all(isinstance(hole, ast.Name) and hole.id.isupper() for hole in holes)
    return isinstance(statement, ast.Constant | ast.Name | ast.Starred)


def test_the_process_sends_fixed_statements_only() -> None:
    """No f-string, no %, no format and no + makes a statement in the modules that take requests."""
    # These run before a request can come, or for the operator.
    own = {"schema.py", "embedded.py", "doctor.py", "cli.py", "importer.py"}
    for path in (ROOT / "server" / "rowcast").glob("*.py"):
        if path.name in own:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("execute", "fetch", "executemany", "copy")
            ):
                assert is_fixed(node.args[0]), f"{path.name}:{node.lineno}"


def test_the_server_can_change_no_schema(database: Database) -> None:
    """Even a statement of an attacker's own could not drop or make anything."""
    with database.connect_server() as connection:
        for statement in (
            "drop table core.record",
            "drop schema core cascade",
            "create table core.x ()",
            "create function api.x() returns int language sql as 'select 1'",
            "alter table core.record disable row level security",
            "truncate core.record",
            "create role x",
            "set role rowcast_owner",
            "copy core.record to program 'id'",
            "select pg_read_file('/etc/passwd')",
            "select * from core.session",
            "select * from core.refresh_token",
            "select password_hash from core.account",
            "select * from core.mail",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
