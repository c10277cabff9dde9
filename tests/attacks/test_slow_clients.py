"""Clients that send too much, too slowly or without end: others do not notice, and it ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from attacks.sending import Sender
from attacks.stage import Builder, Stage
from rowcast.app import MAX_BODY
from rowcast.edge import Edge
from support import Database, deployed, serving

CLIENTS = 300
WAIT = 1.0  # seconds that the server waits for a head or a body


@pytest.fixture
async def impatient(database: Database, sender: Sender) -> AsyncIterator[Sender]:
    """A way to a server that waits a second."""
    edge = Edge(body_seconds=WAIT, head_seconds=WAIT)
    async with serving(deployed(database, edge=edge)) as url:
        yield Sender(sender.session, url)


@asynccontextmanager
async def sockets(
    url: str, count: int
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    """Open connections."""
    parts = urlsplit(url)
    made = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(count)]
    try:
        yield made
    finally:
        for _, writer in made:
            writer.close()


async def test_many_slow_clients_stop_nobody_and_are_sent_away(
    impatient: Sender, stage: Stage
) -> None:
    """Slowloris: heads, bodies and chunks that never end; two hundred of them and more."""
    login = b"Authorization: Bearer " + stage.access.encode()
    beginnings = (
        b"GET / HT",
        b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-A: b\r\n",
        b"PATCH /api/v1/me HTTP/1.1\r\nHost: x\r\n" + login
        + b"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
        b"PATCH /api/v1/me HTTP/1.1\r\nHost: x\r\n" + login
        + b"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{",
        b"",
    )  # fmt: skip
    async with sockets(impatient.url, CLIENTS) as slow:
        for n, (_, writer) in enumerate(slow):
            writer.write(beginnings[n % len(beginnings)])
        times = []
        deadline = time.perf_counter() + 0.8 * WAIT
        while time.perf_counter() < deadline:
            started = time.perf_counter()
            reply = await impatient.send(
                "PATCH", "/api/v1/me", {"name": "On"}, Authorization=f"Bearer {stage.access}"
            )
            assert reply.status == 200
            times.append(time.perf_counter() - started)
        assert len(times) > 20
        assert sorted(times)[len(times) // 2] < 0.05
        async with asyncio.timeout(10 * WAIT):
            ends = await asyncio.gather(*(reader.read() for reader, _ in slow))
    answers = {end.split(b"\r\n")[0] for end in ends}
    assert answers <= {b"", b"HTTP/1.1 408 Request Timeout", b"HTTP/1.0 408 Request Timeout"}


async def test_a_body_without_end_is_refused_at_its_bound(sender: Sender, stage: Stage) -> None:
    """Said beforehand or found on the way; nothing near a body's size is kept."""
    login = b"Authorization: Bearer " + stage.access.encode()
    head = b"PATCH /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + login
    head += b"\r\nContent-Type: application/json\r\n"
    parts = urlsplit(sender.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
    status = asyncio.create_task(reader.readuntil(b"\r\n"))
    sent = 0
    while not status.done():
        writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await writer.drain()
        sent += 65536
        assert sent < 16 * MAX_BODY
    assert b" 413 " in await status
    writer.close()
    for length in (MAX_BODY + 1, 10**12, 10**30):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(head + b"Content-Length: %d\r\n\r\n" % length)
        if length == MAX_BODY + 1:
            writer.write(b" " * length)
        else:
            writer.write(b" " * 3 * MAX_BODY)
        async with asyncio.timeout(10):
            try:
                answer = await reader.read(1000)
                assert answer.split(b" ")[1] in (b"413", b"400"), answer
            except ConnectionError:
                pass
        writer.close()
    reply = await sender.send("GET", "/api/v1/me", Authorization=f"Bearer {stage.access}")
    assert reply.status == 200


async def test_what_unfolds_to_much_is_refused(sender: Sender, stage: Stage) -> None:
    """Nesting, long lists, many keys, numbers of many digits: bounded time, and no 500."""
    login = {"Authorization": f"Bearer {stage.access}"}
    path = f"/api/v1/workspaces/{stage.workspace}/records?collection=task"
    for raw in (
        b'{"data": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001,
        b"[" * 100_000,
        b'{"data": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b'{"data": {"a": ' + b"9" * 1_000_000 + b"}}",
        b'{"data": {"a": 1e308, "b": 1e-400, "c": 1e999999999}}',
        b'{"data": {' + b",".join(b'"k%d": 1' % n for n in range(60_000)) + b"}}",
        b'{"data": {"a": [' + b"1," * 400_000 + b"1]}}",
        b'{"data": {"a": "' + b"\\u00e9" * 200_000 + b'"}}',
    ):
        started = time.perf_counter()
        reply = await sender.send("POST", path, raw, **login)
        assert 400 <= reply.status < 500 or reply.status == 201, reply.text[:200]
        assert time.perf_counter() - started < 5, raw[:40]


async def test_a_flood_of_sign_ins_does_not_stop_who_is_in(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    """Hashing is bounded and off the loop: what is too much is 503 or 429, and reads go on."""
    body = json.dumps({"email": stage.email, "password": "wrong"}).encode()
    flood = [
        asyncio.create_task(
            sender.send("POST", "/api/v1/auth/login", body, X_Forwarded_For=f"10.0.{n % 250}.1")
        )
        for n in range(400)
    ]
    for _ in range(20):
        reply = await sender.send("GET", "/api/v1/me", Authorization=f"Bearer {stage.access}")
        assert reply.status == 200
    statuses = {(await answer).status for answer in flood}
    assert statuses <= {401, 429, 503}
    assert 429 in statuses
