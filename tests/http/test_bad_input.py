"""Bad input of every kind: a clear problem, nothing changed, no 5xx, no hang."""

import asyncio
import io
import json
import re
import uuid
import zlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from psycopg import sql

from support import LEAKS, Client, Database, HttpReply

JSON = {"Content-Type": "application/json"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
TABLES = ("workspace", "member", "role", "collection", "field", "record", "transaction", "change")


def everything(database: Database) -> Any:
    """All that is stored, as a hash per table."""
    query = "select md5(coalesce(string_agg(x::text, ' ' order by x::text), '')) from core.{} x"
    with database.connect() as connection:
        return [
            connection.execute(sql.SQL(query).format(sql.Identifier(table))).fetchone()
            for table in TABLES
        ]


class Target:
    """A workspace with one task, and the check that nothing in the database has changed."""

    def __init__(self, client: Client, database: Database) -> None:
        self.client, self.database = client, database
        self.workspace = database.workspace()
        self.task = database.task(self.workspace, title="One", status="todo")["id"]
        self.base = f"/api/v1/workspaces/{self.workspace}"
        self.record = f"{self.base}/records/{self.task}"
        self.before = everything(database)

    @property
    def with_body(self) -> list[tuple[str, str]]:
        """Every endpoint that takes a body."""
        return [
            ("POST", f"{self.base}/records?collection=task"),
            ("PATCH", self.record),
            ("POST", f"{self.record}/move"),
            ("POST", "/api/v1/workspaces"),
            ("POST", "/api/tasks"),
            ("PATCH", f"/api/tasks/{self.task}"),
        ]

    @property
    def documents(self) -> list[tuple[str, str, str]]:
        """Endpoints that take a document, and the text around it."""
        return [
            ("POST", f"{self.base}/records?collection=task", '{"data": %s}'),
            ("PATCH", self.record, '{"patch": %s}'),
            ("POST", "/api/tasks", '{"data": %s}'),
            ("PATCH", f"/api/tasks/{self.task}", '{"patch": %s}'),
        ]

    async def send(self, method: str, path: str, raw: Any, **kwargs: Any) -> HttpReply:
        """A body as it is, as JSON."""
        headers = JSON | kwargs.pop("headers", {})
        return await self.client.send(method, path, data=raw, headers=headers, **kwargs)

    def unchanged(self) -> None:
        assert everything(self.database) == self.before


@pytest.fixture
async def target(client: Client, database: Database) -> AsyncIterator[Target]:
    """Fails where a test has changed anything."""
    made = Target(client, database)
    yield made
    made.unchanged()


async def raw_request(url: str, request: bytes) -> tuple[int, bytes]:
    """Sends bytes as they are; the status and the whole response."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(10):
            response = await reader.read()
    finally:
        writer.close()
    return int(response.split(b" ", 2)[1]), response


MALFORMED = {
    "empty": b"",
    "blank": b" \n",
    "cut off": b'{"data": {"title": "x"',
    "single quotes": b"{'data': {}}",
    "trailing comma": b'{"data": {},}',
    "two values": b'{"data": {}} {"data": {}}',
    "garbage": b"\x01\x02\x03",
    "a form": b"data=1&patch=2",
    "xml": b"<data/>",
    "comment": b'{"data": {} /* x */}',
    "NaN": b'{"data": {"a": NaN}, "patch": {"a": NaN}}',
    "Infinity": b'{"data": {"a": Infinity}, "patch": {"a": -Infinity}}',
    "hexadecimal": b'{"data": {"a": 0x10}, "patch": {"a": 0x10}}',
    "leading zero": b'{"data": {"a": 010}, "patch": {"a": 010}}',
    "byte order mark": b'\xef\xbb\xbf{"data": {}}',
    "raw NUL": b'{"data": {"a": "\x00"}, "patch": {"a": "\x00"}}',
    "raw newline in text": b'{"data": {"a": "\n"}, "patch": {"a": "\n"}}',
    "bad escape": b'{"data": {"a": "\\x41"}, "patch": {"a": "\\x41"}}',
    "lone high surrogate": b'{"data": {"a": "\\ud800"}, "patch": {"a": "\\ud800"}}',
    "lone low surrogate": b'{"data": {"a": "\\udc00"}, "patch": {"a": "\\udc00"}}',
    "surrogates in the wrong order": b'{"data": {"a": "\\udc00\\ud800"}}',
    "surrogate in a key": b'{"data": {"\\ud83d": 1}, "patch": {"\\ud83d": 1}}',
    "surrogate in utf-8": b'{"data": {"a": "\xed\xa0\x80"}}',
    "latin-1": '{"data": {"a": "é"}}'.encode("latin-1"),
    "utf-16": '{"data": {}}'.encode("utf-16"),
    "utf-8 cut off": b'{"data": {"a": "\xf0\x9f\x9a"}}',
    "overlong utf-8": b'{"data": {"a": "\xc0\xaf"}}',
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_not_json_is_400(target: Target, raw: bytes) -> None:
    for method, path in target.with_body:
        (await target.send(method, path, raw)).problem(400, "malformed_json")
    for path in (target.record, f"/api/tasks/{target.task}"):
        reply = await target.send("PATCH", path, raw, headers=MERGE_PATCH)
        reply.problem(400, "malformed_json")


@pytest.mark.parametrize("raw", [b"null", b"true", b"7", b'"text"', b"[]", b'[{"data": {}}]'])
async def test_a_body_that_is_no_object_is_422(target: Target, raw: bytes) -> None:
    for method, path in target.with_body:
        (await target.send(method, path, raw)).problem(422, "invalid_body")


@pytest.mark.parametrize("value", ["null", "[]", '"text"', "7", "true"])
async def test_a_document_that_is_no_object_is_named(target: Target, value: str) -> None:
    for method, path, around in target.documents:
        problem = (await target.send(method, path, around % value)).problem(422, "invalid_request")
        assert [error["path"] for error in problem["errors"]] == [around[2:].split('"')[0]]


NO_VERSIONS: tuple[object, ...] = ("1", 1.5, 0, -1, 2**31, True, [], {})
WRONG = [
    ("PATCH", "{record}", {"patch": {}, "baseVersion": value}, "baseVersion")
    for value in NO_VERSIONS
] + [
    ("PATCH", "{record}", {}, "patch"),
    ("PATCH", "{record}", {"patch": {}, "version": 3}, "version"),
    ("PATCH", "{record}", {"title": "bare"}, "patch"),
    ("PATCH", "/api/tasks/{task}", {"patch": {}, "createdBy": "me"}, "createdBy"),
    ("POST", "{base}/records?collection=task", {"data": {}, "number": 7}, "number"),
    ("POST", "{base}/records?collection=task", {"data": {}, "workspaceId": "x"}, "workspaceId"),
    ("POST", "{base}/records?collection=task", {"data": {}, "id": "not-a-uuid"}, "id"),
    ("POST", "{base}/records?collection=task", {"data": {}, "id": 7}, "id"),
    ("POST", "{base}/records?collection=task", {"data": {}, "id": f"{uuid.UUID(int=1)}\n"}, "id"),
    ("POST", "{base}/records", {"collection": "x" * 101}, "collection"),
    ("POST", "{base}/records", {"collection": 7}, "collection"),
    ("POST", "/api/tasks", {"workspaceId": 7, "data": {}}, "workspaceId"),
    ("POST", "/api/tasks", {"workspaceId": "x" * 1001, "data": {}}, "workspaceId"),
    ("POST", "/api/tasks", {"workspace_id": "x", "data": {}}, "workspace_id"),
    ("POST", "{record}/move", {"before": 7}, "before"),
    ("POST", "{record}/move", {"before": "x" * 1001}, "before"),
    ("POST", "{record}/move", {"field": ""}, "field"),
    ("POST", "{record}/move", {"field": "x" * 101}, "field"),
    ("POST", "{record}/move", {"position": "a0"}, "position"),
]


@pytest.mark.parametrize(("method", "path", "body", "fault"), WRONG)
async def test_a_member_that_is_wrong_unknown_or_missing_is_named(
    target: Target, method: str, path: str, body: Any, fault: str
) -> None:
    path = path.format(record=target.record, task=target.task, base=target.base)
    problem = (await target.client.send(method, path, body)).problem(422, "invalid_request")
    assert fault in [error["path"] for error in problem["errors"]]


async def test_all_faults_are_told_at_once(target: Target) -> None:
    body = {"patch": [], "baseVersion": "x", "colour": "red"}
    problem = (await target.client.send("PATCH", target.record, body)).problem(422)
    assert {error["path"] for error in problem["errors"]} == {"patch", "baseVersion", "colour"}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "x",
        "",
    ],
)
async def test_another_content_type_is_415(target: Target, content_type: str) -> None:
    for method, path in target.with_body:
        reply = await target.client.send(
            method, path, data=b'{"data": {}}', headers={"Content-Type": content_type}
        )
        reply.problem(415, "unsupported_media_type")


async def test_a_merge_patch_is_only_for_patches(target: Target) -> None:
    for method, path in target.with_body:
        if method == "POST":
            reply = await target.send(method, path, b"{}", headers=MERGE_PATCH)
            reply.problem(415, "unsupported_media_type")


@pytest.mark.parametrize(
    "value",
    [
        r'{"a": "\u0000"}',
        r'{"a": ["x", {"b": "y\u0000z"}]}',
        r'{"a\u0000b": 1}',
        r'{"a": {"\u0000": 1}}',
    ],
)
async def test_an_escaped_nul_is_422(target: Target, value: str) -> None:
    for method, path, around in target.documents:
        (await target.send(method, path, around % value)).problem(422, "nul_character")
    move = '{"field": "title", "value": %s}' % value  # noqa: UP031
    (await target.send("POST", f"{target.record}/move", move)).problem(422, "nul_character")
    name = r'{"name": "a\u0000", "template": "tasks"}'
    (await target.send("POST", "/api/v1/workspaces", name)).problem(422, "nul_character")


async def test_a_nul_in_a_path_names_nothing_and_in_a_query_is_422(target: Target) -> None:
    for path in (f"{target.base}/records/a%00b", f"/api/v1/workspaces/%00{target.workspace[1:]}"):
        (await target.client.send("GET", path)).problem(404)
    (await target.client.send("PATCH", "/api/tasks/%00", {"patch": {}})).problem(404)
    for query in ("sort=%00", "collection=task%00", "filter[title]=%00", "%00=1", "cursor=%00"):
        path = f"{target.base}/records?collection=task&{query}"
        (await target.client.send("GET", path)).problem(422, "nul_character")
    for query in ("lastEventId=%00", "records=%00", "collections=%00"):
        path = f"{target.base}/events?{query}"
        (await target.client.send("GET", path)).problem(422, "nul_character")


def nested(levels: int, kind: str) -> str:
    if kind == "lists":
        return '{"a": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"
    return '{"a": ' * levels + "1" + "}" * levels


@pytest.mark.parametrize("kind", ["lists", "objects"])
@pytest.mark.parametrize(
    ("levels", "status"), [(33, 422), (39, 422), (40, 422), (100, 422), (1000, 422), (100_000, 400)]
)
async def test_deep_nesting_is_refused(target: Target, kind: str, levels: int, status: int) -> None:
    for method, path, around in target.documents:
        problem = (await target.send(method, path, around % nested(levels, kind))).problem(status)
        assert problem["code"] in ("too_deep", "document_too_deep", "malformed_json")


async def test_a_patch_can_not_deepen_a_document_step_by_step(target: Target) -> None:
    deep = json.loads(nested(33, "objects"))
    (await target.client.send("PATCH", target.record, {"patch": deep})).problem(
        422, "document_too_deep"
    )


@pytest.mark.parametrize(
    "number",
    ["1e400", "-1e400", "1e-99999", "1E+400", "1e131071", "1e99999999999999999999", "1e-400",
     "1" + "0" * 5000, "-" + "9" * 400, "0e-99999999",
     "0." + "0" * 20000 + "1", "1." + "1" * 20000],
    ids=lambda number: number[:24],
)  # fmt: skip
async def test_a_number_out_of_range_is_refused(target: Target, number: str) -> None:
    for value in (f'{{"a": {number}}}', f'{{"a": [1, {{"b": {number}}}]}}'):
        for method, path, around in target.documents:
            reply = await target.send(method, path, around % value)
            assert reply.status in (400, 422), reply.text[:200]
            reply.problem(reply.status)


async def test_a_body_of_ten_megabytes_is_413(target: Target) -> None:
    raw = b'{"data": {"a": "' + b"x" * (10 << 20) + b'"}}'
    for method, path in target.with_body:
        (await target.send(method, path, io.BytesIO(raw))).problem(413, "body_too_large")


async def test_ten_megabytes_in_chunks_of_unknown_length_are_413(target: Target) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"patch": {"a": "'
        for _ in range(160):
            yield b"x" * 65536

    reply = await target.send("PATCH", target.record, chunks())
    reply.problem(413, "body_too_large")


async def test_a_document_over_its_bound_is_413(target: Target) -> None:
    big = {
        "one text": {"a": "x" * (300 << 10)},
        "one key": {"k" * (300 << 10): 1},
        "many keys": {f"key{n}": n for n in range(30_000)},
        "escapes": {"a": "\u0001" * 60_000},
        "long numbers": {"a": [1e300] * 3000},
    }
    for name, document in big.items():
        for method, path, around in target.documents:
            reply = await target.send(method, path, around % json.dumps(document))
            assert reply.problem(413)["code"] == "document_too_large", name


async def test_a_compressed_body_is_bounded_by_what_it_unpacks_to(target: Target) -> None:
    raw = zlib.compress(b'{"patch": {"a": "' + b"x" * (20 << 20) + b'"}}')
    reply = await target.send("PATCH", target.record, raw, headers={"Content-Encoding": "deflate"})
    reply.problem(413, "body_too_large")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_is_not_compressed_as_it_says_is_400(
    target: Target, encoding: str
) -> None:
    headers = JSON | {
        "Content-Encoding": encoding,
        "Authorization": f"Bearer {target.client.token}",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"PATCH {target.record} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}"
    body = b"this is not compressed"
    status, _ = await raw_request(
        target.client.url, f"{request}Content-Length: {len(body)}\r\n\r\n".encode() + body
    )
    assert status == 400


@pytest.mark.parametrize(
    "record", ["x", "TSK-001-9999", "not-a-uuid", "...", "%2F", "%20", "é", "%F0%9F%9A%80",
               "'; drop table core.record; --", "x" * 101, "x" * 3000, f"{uuid.UUID(int=7)}",
               f"{{{uuid.UUID(int=7)}}}", uuid.UUID(int=7).hex, "0", "-1", "%FF", "%ED%A0%80"],
)  # fmt: skip
async def test_an_id_of_nothing_is_404(target: Target, record: str) -> None:
    for method, path, body in (
        ("GET", f"{target.base}/records/{record}", None),
        ("PATCH", f"{target.base}/records/{record}", {"patch": {}}),
        ("DELETE", f"{target.base}/records/{record}", None),
        ("POST", f"{target.base}/records/{record}/restore", None),
        ("POST", f"{target.base}/records/{record}/move", {}),
        ("PATCH", f"/api/tasks/{record}", {"patch": {}}),
    ):
        (await target.client.send(method, path, body)).problem(404)


@pytest.mark.parametrize(
    "workspace", ["abc-123", "x", "'", "%20", "é", "x" * 500, "0" * 32, f"{uuid.UUID(int=7)}"]
)
async def test_a_workspace_that_is_none_is_404(target: Target, workspace: str) -> None:
    client = target.client
    for path in ("", "/records?collection=task", "/records/x", "/snapshot", "/changes?since=0",
                 "/events", "/collections"):  # fmt: skip
        (await client.send("GET", f"/api/v1/workspaces/{workspace}{path}")).problem(404)
    (await client.send("GET", f"/api/tasks/{workspace}/events")).problem(404)
    (await client.send("GET", f"/api/tasks?workspaceId={workspace}")).problem(404)
    (await client.send("GET", f"/api/fields?workspaceId={workspace}")).problem(404)


async def test_a_workspace_is_said_where_several_are_possible(
    target: Target, database: Database
) -> None:
    other = database.workspace(name="Another")
    target.before = everything(database)
    for method, path, body in (
        ("GET", "/api/tasks", None),
        ("GET", "/api/fields", None),
        ("POST", "/api/tasks", {"data": {}}),
    ):
        problem = (await target.client.send(method, path, body)).problem(422, "ambiguous_workspace")
        assert problem["workspaces"] == [target.workspace, other]


@pytest.mark.parametrize(
    "query",
    ["lastEventId=x", "lastEventId=1-2", "lastEventId=1-2-3-4-5", "lastEventId=-1---",
     "lastEventId=1-a-b%0Adata:x-c", "lastEventId=%D9%A1-a-b-c",
     "lastEventId=" + "9" * 50 + "-a-b-c",
     "lastEventId=" + "x" * 101, "since=-1", "since=x", f"since={2**63}", "include=everything",
     "colour=red", "records=" + "x" * 8001],
)  # fmt: skip
async def test_a_stream_refuses_a_bad_start(target: Target, query: str) -> None:
    for path in (f"{target.base}/events", f"/api/tasks/{target.workspace}/events"):
        (await target.client.send("GET", f"{path}?{query}")).problem(422)


@pytest.mark.parametrize(
    "last", ["x", "1-2-3", "999999999999999999999-a-b-c", "1-a-b-c; drop table"]
)
async def test_a_bad_last_event_id_is_422(target: Target, last: str) -> None:
    reply = await target.client.send(
        "GET", f"{target.base}/events", headers={"Last-Event-ID": last}
    )
    reply.problem(422, "invalid_cursor")


async def test_a_wrong_method_is_405_and_says_which_are_right(target: Target) -> None:
    for method, path, allowed in (
        ("PUT", target.record, {"GET", "PATCH", "DELETE"}),
        ("POST", target.record, {"GET", "PATCH", "DELETE"}),
        ("DELETE", "/api/v1/workspaces", {"GET", "POST"}),
        ("POST", f"{target.base}/events", {"GET"}),
        ("DELETE", f"/api/tasks/{target.task}", {"PATCH"}),
        ("PUT", "/api/tasks", {"GET", "POST"}),
    ):
        reply = await target.client.send(method, path)
        reply.problem(405, "method_not_allowed")
        assert {verb.strip() for verb in reply.headers["Allow"].split(",")} >= allowed


@pytest.mark.parametrize(
    "path", ["/nothing", "/api", "/api/v2/workspaces", "/api/tasks/a/b/c", "//", "/%00"]
)
async def test_an_unknown_address_is_404(target: Target, path: str) -> None:
    (await target.client.send("GET", path)).problem(404, "not_found")


@pytest.mark.parametrize("request_id", ["x\r\nX-Evil: 1", "x" * 101, "é", "", "tab\tbed", "\x7f"])
async def test_a_request_id_that_could_do_harm_is_replaced(target: Target, request_id: str) -> None:
    lines = f"X-Request-ID: {request_id}\r\nConnection: close\r\n"
    _, response = await raw_request(
        target.client.url, f"GET /health/live HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode()
    )
    head = response.split(b"\r\n\r\n")[0].decode("latin-1")
    given_back = re.search(r"^X-Request-ID: (.*)$", head, re.MULTILINE)
    assert "\nX-Evil" not in head
    if request_id.startswith("x\r\n"):  # to a server these are two headers, the first harmless
        assert given_back is not None
        assert given_back[1].strip() == "x"
    elif given_back is not None:  # a parser may refuse it before it comes to an id
        assert re.fullmatch(r"[0-9a-f]{16,32}", given_back[1].strip())
    else:
        assert b" 400 " in response[:20]


async def test_a_request_id_comes_back(target: Target) -> None:
    for path, status in (("/health/live", 200), ("/nowhere", 404)):
        reply = await target.client.send("GET", path, headers={"X-Request-ID": "my-id 7"})
        assert (reply.status, reply.headers["X-Request-ID"]) == (status, "my-id 7")
    reply = await target.client.send("GET", "/health/live")
    assert re.fullmatch(r"[0-9a-f]{16,32}", reply.headers["X-Request-ID"])


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_an_idempotency_key_has_bounds(target: Target, key: str) -> None:
    reply = await target.client.send(
        "PATCH", target.record, {"patch": {"title": "X"}}, headers={"Idempotency-Key": key}
    )
    reply.problem(422, "invalid_idempotency_key")


@pytest.mark.parametrize(
    "header",
    [b"Idempotency-Key", b"If-Match", b"Last-Event-ID", b"If-None-Match", b"Authorization",
     b"X-Request-ID", b"Content-Type", b"Origin"],
)  # fmt: skip
@pytest.mark.parametrize("value", [b"\xff\xfe", b"\xed\xa0\x80", b"a\x00b", b'"1"\xff'])
async def test_a_header_that_is_not_utf_8_is_refused_or_ignored(
    target: Target, header: bytes, value: bytes
) -> None:
    stream = header == b"Last-Event-ID"
    body = b'{"patch": {"title": "One"}}'
    lines = [
        b"GET %b/events HTTP/1.1" % target.base.encode()
        if stream
        else b"PATCH %b HTTP/1.1" % target.record.encode(),
        b"Host: localhost",
        b"Connection: close",
        header + b": " + value,
    ]
    if header != b"Content-Type":
        lines.append(b"Content-Type: application/json")
    if header != b"Authorization":
        lines.append(b"Authorization: Bearer " + str(target.client.token).encode())
    lines += [b"Content-Length: %d" % len(body), b"", b""]
    status, response = await raw_request(target.client.url, b"\r\n".join(lines) + body)
    if header in (b"If-None-Match", b"X-Request-ID", b"Origin"):
        # They mean nothing to a PATCH that changes nothing; what it leaves is the memory of its id.
        assert status in (200, 400), response[:300]
        target.before = everything(target.database)
    else:
        assert status in (400, 401, 412, 415, 422), response[:300]


@pytest.mark.parametrize(
    "path", [b"/api/tasks/\xff\xfe", b"/api/tasks/\xed\xa0\x80", b"/\xff", b"/api/tasks?sort=\xff"]
)
async def test_raw_bytes_in_an_address_are_4xx(target: Target, path: bytes) -> None:
    authorization = b"Authorization: Bearer " + str(target.client.token).encode()
    lines = [
        b"PATCH " + path + b" HTTP/1.1",
        b"Host: localhost",
        b"Connection: close",
        authorization,
    ]
    lines += [b"Content-Type: application/json", b"Content-Length: 12", b"", b'{"patch":{}}']
    status, response = await raw_request(target.client.url, b"\r\n".join(lines))
    assert 400 <= status < 500, response[:300]


@pytest.mark.parametrize(
    "request_bytes",
    [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"nonsense\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
     b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
     b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n"],
    ids=["tls", "target", "version", "nonsense", "header", "length", "long target", "long header"],
)  # fmt: skip
async def test_what_is_not_http_is_400_and_ends_the_connection(
    target: Target, request_bytes: bytes
) -> None:
    status, _ = await raw_request(target.client.url, request_bytes)
    assert status == 400


async def test_errors_in_the_database_do_not_tell_its_words(target: Target) -> None:
    """Errors that PostgreSQL itself raises: HttpReply.problem looks for its words in each."""
    for query in ("filter[points]=x'", "filter[createdAt]=%27%29%3B", "cursor=e30", "sort=title'"):
        path = f"{target.base}/records?collection=task&{query}"
        (await target.client.send("GET", path)).problem(422)


# What is not bad: it comes back as it was sent.

ROUND_TRIPS = [
    '"Ünïcödé, 日本語, العربية, 🚀👩‍👩‍👧‍👦, \\u00e9, \\ud83d\\ude80, e\u0301"',
    '"quotes \\" \\\\ \\/ \\b\\f\\n\\r\\t \\u007f \\u2028 \\ufeff \\uffff"',
    "12345678901234567890123",
    "-98765432109876543210987654321098765432109876543210",
    "0.1000",
    "3.14159265358979323846264338327950288419716939937510",
    "100000000000000000000000.00000000000000000000001",
    "[1.0, 1.00, 10, 0]",
    "9007199254740993",
    '{"": 1}',
    '{"a b": {"ключ": [true, false, []]}}',
    '"; drop table core.record; --"',
    '"%s %d %(x)s {0} $1 :x"',
]


@pytest.mark.parametrize("text", ROUND_TRIPS)
async def test_a_value_comes_back_exactly(client: Client, database: Database, text: str) -> None:
    def exact(raw: str) -> Any:
        return json.loads(raw, parse_int=str, parse_float=str)

    base = f"/api/v1/workspaces/{database.workspace()}"
    raw = f'{{"data": {{"value": {text}}}}}'.encode()
    made = await client.send("POST", f"{base}/records?collection=task", data=raw, headers=JSON)
    assert made.status == 201, made.text
    assert exact(made.text)["data"]["value"] == exact(text)
    record = made.json["id"]
    raw = f'{{"patch": {{"other": {text}}}}}'.encode()
    await client.send("PATCH", f"/api/tasks/{record}", data=raw, headers=JSON)
    expected = {"value": exact(text), "other": exact(text)}
    assert exact((await client.send("GET", f"{base}/records/{record}")).text)["data"] == expected
    assert (
        exact((await client.send("GET", f"{base}/snapshot")).text)["records"][0]["data"] == expected
    )
    changes = exact((await client.send("GET", f"{base}/changes?since=1")).text)["changes"]
    assert changes[-1]["patch"] == {"other": exact(text)}


async def test_of_doubled_keys_the_last_counts_wherever_they_stand(
    client: Client, database: Database
) -> None:
    workspace = database.workspace()
    one, two = database.task(workspace, title="One"), database.task(workspace, title="Two")
    raw = b'{"patch": {"a": 9}, "patch": {"a": 1, "b": {"c": 1, "c": 2}, "a": 2}}'
    reply = await client.send("PATCH", f"/api/tasks/{one['id']}", data=raw, headers=JSON)
    assert reply.json["data"] == {"title": "One", "a": 2, "b": {"c": 2}}
    raw = b'{"patch": {"a": 1}, "baseVersion": 99, "baseVersion": "x"}'
    reply = await client.send("PATCH", f"/api/tasks/{two['id']}", data=raw, headers=JSON)
    reply.problem(422, "invalid_request")


async def test_a_document_may_have_as_many_levels_as_it_says(
    client: Client, database: Database
) -> None:
    path = f"/api/v1/workspaces/{database.workspace()}/records?collection=task"
    for kind in ("lists", "objects"):
        raw = '{"data": %s}' % nested(32, kind)  # noqa: UP031
        assert (await client.send("POST", path, data=raw.encode(), headers=JSON)).status == 201


# Anything at all

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["\0", "\ud800", "1e999", "task", "TSK-001-0001", str(uuid.UUID(int=0))]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
MEMBERS = st.sampled_from(
    ["patch", "data", "baseVersion", "id", "collection", "workspaceId", "name", "template",
     "field", "value", "before", "after", "ifMatch", "__proto__"]
)  # fmt: skip
BODIES = VALUES | st.dictionaries(MEMBERS, VALUES, max_size=5)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=BODIES, which=st.integers(0, 5), bare=st.booleans())
async def test_whatever_json_comes_the_answer_is_json_and_no_5xx(
    fuzzed: Target, body: Any, which: int, bare: bool
) -> None:
    method, path = fuzzed.with_body[which]
    raw = json.dumps(body).encode()
    headers = MERGE_PATCH if bare and method == "PATCH" else JSON
    before = everything(fuzzed.database)
    reply = await fuzzed.client.send(method, path, data=raw, headers=headers)
    assert reply.status < 500, (raw, reply.text)
    if reply.status >= 400:
        reply.problem(reply.status)
        assert everything(fuzzed.database) == before
    else:
        assert isinstance(reply.json, dict)


@pytest.fixture
def fuzzed(client: Client, database: Database) -> Target:
    """A target that may be written to."""
    return Target(client, database)


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    query=st.dictionaries(
        st.sampled_from(["collection", "limit", "page", "sort", "cursor", "filter[title]", "filter",
                         "filter[points][gt]", "filter[tags][in]", "filter[createdAt][lt]", "id"])
        | st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
        st.text(st.characters(codec="utf-8"), max_size=12)
        | st.sampled_from(["task", "-points,title", "1", "50", "2026-01-01", "NaN", "%", "e30"]),
        max_size=5,
    )
)  # fmt: skip
async def test_whatever_query_comes_the_answer_is_json_and_no_5xx(
    fuzzed: Target, query: dict[str, str]
) -> None:
    assume(not LEAKS.search(" ".join(query)))  # an answer names what it does not know
    async with fuzzed.client.request(
        "GET", f"{fuzzed.base}/records", params={"collection": "task"} | query
    ) as response:
        reply = HttpReply(response.status, response.headers, await response.text())
    assert reply.status < 500, (query, reply.text)
    if reply.status >= 400:
        reply.problem(reply.status)
    fuzzed.unchanged()
