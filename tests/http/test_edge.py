"""What every answer carries, whom it is shown to, and how long a client may take to ask."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from multidict import CIMultiDict

from rowcast.app import Deployment
from rowcast.edge import Edge
from rowcast.hub import Pace
from support import Client, Database, HttpReply, deployed, eventually, serving

APP = "https://app.example.org"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


def deployment(database: Database, **edge: Any) -> Deployment:
    """A server that lets pages of APP ask."""
    return deployed(
        database,
        origins=frozenset({APP, "null", "*"}),
        pace=Pace(beat=0.05),
        edge=Edge(**edge),
    )


@web.middleware
async def pages(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answers some addresses as the web app will."""
    match request.path:
        case "/page":
            return web.Response(text="<p>", content_type="text/html")
        case "/page-304":
            return web.Response(status=304)
        case "/asset":
            headers = {"Cache-Control": "public, max-age=60", "Vary": "Accept-Encoding"}
            return web.Response(text="x", content_type="text/javascript", headers=headers)
        case "/crash":
            raise ValueError("a bug")
        case "/length":
            return web.json_response({"length": len(await request.read())})
    response: web.StreamResponse = await handler(request)
    return response


@pytest.fixture
async def edge(database: Database, client: Client) -> AsyncIterator[Client]:
    """A client, signed in as Ada, of a server with the edge of production."""
    async with serving(deployment(database), pages) as url:
        yield Client(client.session, url, database.token("Ada"))


async def get(client: Client, path: str, **headers: str) -> HttpReply:
    return await client.send("GET", path, headers=headers)


def values(headers: Mapping[str, str], name: str) -> list[str]:
    """All values of a header, of all its lines."""
    assert isinstance(headers, Mapping)
    lines = headers.getall(name, []) if hasattr(headers, "getall") else []
    return [value.strip() for line in lines for value in line.split(",")]


def assert_secure(headers: Mapping[str, str], policy: str = API_POLICY) -> None:
    for name, value in {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": policy,
    }.items():
        assert values(headers, name) == [value], (name, headers)


def assert_shown(headers: Mapping[str, str]) -> None:
    """A page of APP may read this answer."""
    assert values(headers, "Access-Control-Allow-Origin") == [APP]
    assert values(headers, "Access-Control-Allow-Credentials") == ["true"]
    assert "Origin" in values(headers, "Vary")
    exposed = values(headers, "Access-Control-Expose-Headers")
    assert set(exposed) == {
        "ETag", "Retry-After", "X-Request-ID", "Content-Disposition", "Content-Range",
    }  # fmt: skip


def assert_not_shown(headers: Mapping[str, str]) -> None:
    assert [name for name in headers if name.lower().startswith("access-control-")] == []


class Wire:
    """A connection of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, raw: bytes) -> None:
        self._writer.write(raw)
        await self._writer.drain()

    async def answer(self) -> HttpReply:
        """The next response. Fails after ten seconds."""
        async with asyncio.timeout(10):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, *lines = head.rstrip().split("\r\n")
            headers: CIMultiDict[str] = CIMultiDict(
                (line.split(": ", 1)[0], line.split(": ", 1)[1]) for line in lines
            )
            body = await self._reader.readexactly(int(headers.get("Content-Length", "0")))
            return HttpReply(int(status.split()[1]), headers, body.decode())

    async def end(self) -> bytes:
        """What still comes until the server closes. Fails after ten seconds."""
        async with asyncio.timeout(10):
            try:
                return await self._reader.read()
            except ConnectionResetError:
                return b""

    @property
    def closed(self) -> bool:
        """Whether the server has closed it."""
        return self._reader.at_eof()


@asynccontextmanager
async def wire(url: str) -> AsyncIterator[Wire]:
    """A connection to a server."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


# Security headers


async def test_every_answer_has_the_security_headers(edge: Client, database: Database) -> None:
    workspace = database.workspace()
    anonymous = Client(edge.session, edge.url, None)
    assert_secure((await get(edge, "/api/v1/workspaces")).headers)
    assert_secure((await get(edge, "/health/live")).headers)
    for path, status in (("/nowhere", 404), ("/crash", 500), (f"/api/v1/workspaces/{1}/x", 404)):
        reply = await get(edge, path)
        reply.problem(status)
        assert_secure(reply.headers)
    reply = await get(anonymous, "/api/v1/workspaces")
    reply.problem(401)
    assert_secure(reply.headers)
    reply = await edge.send("DELETE", "/api/v1/workspaces")
    reply.problem(405)
    assert_secure(reply.headers)
    reply = await edge.send(
        "POST", "/api/v1/workspaces", data=io.BytesIO(bytes(3 << 20)), headers=JSON
    )
    reply.problem(413)
    assert_secure(reply.headers)
    async with edge.events(f"/api/v1/workspaces/{workspace}/events") as stream:
        assert_secure(stream.response.headers)
        assert values(stream.response.headers, "Cache-Control") == ["no-cache"]
        assert re.fullmatch("[0-9a-f]{16}", stream.response.headers["X-Request-ID"])


JSON = {"Content-Type": "application/json"}


async def test_a_page_may_use_its_own_scripts_styles_and_images_only(edge: Client) -> None:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert_secure((await get(edge, "/page")).headers, policy)
    # A 304 replaces the headers that the browser keeps with its copy: not the page's policy.
    assert "Content-Security-Policy" not in (await get(edge, "/page-304")).headers


async def test_what_may_be_kept_is_asked_for_again_and_secrets_are_not_kept(edge: Client) -> None:
    async def cache_control(path: str) -> list[str]:
        return values((await get(edge, path)).headers, "Cache-Control")

    assert await cache_control("/api/v1/workspaces") == ["private", "no-cache"]
    assert await cache_control("/nowhere") == ["private", "no-cache"]
    assert await cache_control("/asset") == ["public", "max-age=60"]
    for path in ("/api/v1/auth/x", "/api/v1/auth", "/api/v1/me", "/api/v1/me/tokens"):
        assert await cache_control(path) == ["no-store"], path
    assert await cache_control("/api/v1/members") == ["private", "no-cache"]
    etag = (await get(edge, "/api/v1/workspaces")).headers["ETag"]
    reply = await get(edge, "/api/v1/workspaces", **{"If-None-Match": etag})
    assert reply.status == 304
    assert_secure(reply.headers)


@pytest.mark.parametrize("https", [True, False])
async def test_a_browser_that_came_by_https_is_told_to_stay(
    database: Database, edge: Client, https: bool
) -> None:
    async with serving(deployment(database, https=https)) as edge.url:
        for path in ("/health/live", "/nowhere"):
            told = values((await get(edge, path)).headers, "Strict-Transport-Security")
            assert told == (["max-age=31536000"] if https else [])


# CORS


async def test_a_preflight_of_a_listed_origin_is_answered(edge: Client) -> None:
    anonymous = Client(edge.session, edge.url, None)
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    for path in ("/api/v1/workspaces", "/api/tasks/TSK-001-0001", "/nowhere"):
        reply = await anonymous.send("OPTIONS", path, headers=asked)
        assert (reply.status, reply.text) == (204, "")
        assert_shown(reply.headers)
        assert_secure(reply.headers)
        assert set(values(reply.headers, "Access-Control-Allow-Methods")) == {
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE",
        }  # fmt: skip
        assert set(values(reply.headers, "Access-Control-Allow-Headers")) == {
            "Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key",
            "Last-Event-ID", "Rowcast-Client", "X-Request-ID", "Range", "If-Range",
        }  # fmt: skip
        assert int(reply.headers["Access-Control-Max-Age"]) >= 600


async def test_a_listed_origin_may_read_every_answer(edge: Client, database: Database) -> None:
    workspace = database.workspace()
    anonymous = Client(edge.session, edge.url, None)
    origin = {"Origin": APP}
    for path in ("/api/v1/workspaces", "/health/live", "/nowhere", "/crash", "/asset"):
        reply = await get(edge, path, **origin)
        assert_shown(reply.headers)
    assert {"Accept-Encoding", "Origin"} == set(values(reply.headers, "Vary"))
    assert_shown((await get(anonymous, "/api/v1/workspaces", **origin)).headers)
    assert_shown((await edge.send("OPTIONS", "/api/v1/workspaces", headers=origin)).headers)
    path = f"/api/v1/workspaces/{workspace}/events"
    async with edge.request("GET", path, headers=origin) as stream:
        assert stream.status == 200
        assert_shown(stream.headers)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "*", "", "http://app.example.org", APP + ":444", APP + "/",
     APP + ".evil.example", "https://xapp.example.org", APP + ", " + APP, "é"],
)  # fmt: skip
async def test_another_origin_gets_nothing(edge: Client, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
    for method, path in (
        ("OPTIONS", "/api/v1/workspaces"),
        ("GET", "/api/v1/workspaces"),
        ("GET", "/nowhere"),
    ):
        reply = await edge.send(method, path, headers=asked)
        assert reply.status == {"OPTIONS": 405, "GET": 404 if "nowhere" in path else 200}[method]
        assert_not_shown(reply.headers)
        assert "Origin" in values(reply.headers, "Vary")


async def test_no_answer_is_kept_for_another_origin(edge: Client) -> None:
    reply = await get(edge, "/api/v1/workspaces")
    assert_not_shown(reply.headers)
    assert "Origin" in values(reply.headers, "Vary")


async def test_without_a_list_nobody_is_shown_anything(client: Client) -> None:
    asked = {"Origin": APP, "Access-Control-Request-Method": "PATCH"}
    reply = await client.send("OPTIONS", "/api/v1/workspaces", headers=asked)
    reply.problem(405)
    assert_not_shown(reply.headers)


# Slow bodies


def post(path: str, token: str | None, length: str, kind: str = "application/json") -> bytes:
    """The head of a request with a body."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {kind}\r\n{length}\r\n\r\n"
    ).encode()


async def test_a_body_that_takes_too_long_is_408(database: Database, edge: Client) -> None:
    head = post("/api/v1/workspaces", edge.token, "Content-Length: 100")
    async with serving(deployment(database, body_seconds=0.2)) as url, wire(url) as sent:
        await sent.send(head + b'{"name"')
        reply = await sent.answer()
        reply.problem(408, "body_too_slow")
        assert reply.headers["Connection"] == "close"
        assert_secure(reply.headers)
        assert await sent.end() == b""


async def test_a_body_that_drips_is_408_too(database: Database, edge: Client) -> None:
    head = post("/api/v1/workspaces", edge.token, "Transfer-Encoding: chunked")
    async with serving(deployment(database, body_seconds=0.3)) as url, wire(url) as sent:
        await sent.send(head)
        answer = asyncio.create_task(sent.answer())
        while not answer.done():
            await sent.send(b"1\r\n \r\n")
            await asyncio.wait([answer], timeout=0.02)
        (await answer).problem(408, "body_too_slow")


async def test_a_body_in_pieces_that_come_in_time_is_taken(edge: Client) -> None:
    async with wire(edge.url) as sent:
        for _ in range(2):  # and the connection goes on
            await sent.send(post("/length", edge.token, "Content-Length: 10") + b"12345")
            async with wire(edge.url) as other:  # another's answer says that the first half came
                await other.send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert (await other.answer()).status == 200
            await sent.send(b"67890")
            assert (await sent.answer()).json == {"length": 10}


async def test_a_body_that_came_in_time_may_be_read_later(database: Database, edge: Client) -> None:
    started = asyncio.Event()
    done = asyncio.Event()

    @web.middleware
    async def slow(request: web.Request, handler: Any) -> web.StreamResponse:
        started.set()
        await done.wait()
        return web.json_response({"length": len(await request.read())})

    async with serving(deployment(database, body_seconds=0.3), slow) as url, wire(url) as sent:
        await sent.send(post("/slow", None, "Content-Length: 2") + b"1")
        await started.wait()
        await sent.send(b"2")
        asyncio.get_running_loop().call_later(0.5, done.set)
        assert (await sent.answer()).json == {"length": 2}


CSV = [b"title\n", *(b"Task %d\n" % number for number in range(20))]


def import_path(database: Database) -> str:
    return f"/api/v1/workspaces/{database.workspace()}/import?collection=task"


async def test_an_import_may_take_longer_as_long_as_it_goes_on(
    database: Database, edge: Client
) -> None:
    head = post(import_path(database), edge.token, "Transfer-Encoding: chunked", "text/csv")
    async with serving(deployment(database, body_seconds=0.5)) as url, wire(url) as sent:
        await sent.send(head)
        answer = asyncio.create_task(sent.answer())
        for line in CSV:  # takes 20 times 0.05 s
            await sent.send(b"%x\r\n%b\r\n" % (len(line), line))
            done, _ = await asyncio.wait([answer], timeout=0.05)
            assert not done
        await sent.send(b"0\r\n\r\n")
        reply = await answer
        assert (reply.status, json.loads(reply.text)["created"]) == (200, 20)


async def test_an_import_that_stops_is_408(database: Database, edge: Client) -> None:
    head = post(import_path(database), edge.token, "Transfer-Encoding: chunked", "text/csv")
    async with serving(deployment(database, body_seconds=0.2)) as url, wire(url) as sent:
        await sent.send(head + b"6\r\ntitle\n\r\n")
        reply = await sent.answer()
        reply.problem(408, "body_too_slow")
        assert await sent.end() == b""


# Connections


@pytest.mark.parametrize(
    "raw",
    [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\n<script>\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
     b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
     b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ids=["tls", "target", "nonsense", "version", "header", "length", "long target", "long header",
         "smuggling"],
)  # fmt: skip
async def test_what_is_not_http_is_a_problem_and_ends_the_connection(
    edge: Client, raw: bytes
) -> None:
    async with wire(edge.url) as sent:
        await sent.send(raw)
        reply = await sent.answer()
        reply.problem(400, "malformed_request")
        assert_secure(reply.headers)
        assert not any(word in reply.text for word in ("script", "nonsense", "yyy"))
        assert await sent.end() == b""


async def test_who_does_not_finish_his_headers_is_cut_off(database: Database) -> None:
    async with (
        serving(deployment(database, head_seconds=0.2)) as url,
        wire(url) as silent,
        wire(url) as stuck,
        wire(url) as dripping,
    ):
        await stuck.send(b"GET /health/live HTTP/1.1\r\n")
        end = asyncio.create_task(dripping.end())
        await dripping.send(b"GET /health/live HTTP/1.1\r\nX: ")
        while not end.done():
            await dripping.send(b"x")
            await asyncio.wait([end], timeout=0.02)
        assert [await end, await stuck.end(), await silent.end()] == [b""] * 3


async def test_the_second_request_of_a_connection_has_to_finish_its_headers_too(
    database: Database,
) -> None:
    async with serving(deployment(database, head_seconds=0.2)) as url, wire(url) as sent:
        await sent.send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await sent.answer()).status == 200
        await sent.send(b"GET /health/live HTTP/1.1\r\n")
        assert await sent.end() == b""


async def test_who_has_asked_may_stay_and_so_may_streams(database: Database, edge: Client) -> None:
    """Others that are cut off meanwhile say that the time has passed."""
    workspace = database.workspace()
    path = f"/api/v1/workspaces/{workspace}/events"
    async with (
        serving(deployment(database, head_seconds=0.3)) as edge.url,
        wire(edge.url) as idle,
        edge.events(path) as stream,
    ):
        await stream.next()
        await idle.send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await idle.answer()).status == 200
        for _ in range(2):
            async with wire(edge.url) as stuck:
                await stuck.send(b"GET")
                await eventually(lambda stuck=stuck: stuck.closed)  # type: ignore[misc]
        assert not idle.closed
        database.task(workspace, title="One")
        await stream.next()
        await idle.send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await idle.answer()).status == 200
