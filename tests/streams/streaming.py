"""What stream tests do: follow a stream like a browser, make changes, judge what came."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from support import Client, Database, Event, EventStream, eventually

RETRY_SECONDS = 0.05  # a browser is told to wait longer


@dataclass
class Reader:
    """An EventSource: when its stream ends, it comes back with its last event id."""

    client: Client
    path: str
    last_event_id: str | None = None
    events: list[Event] = field(default_factory=list)
    connects: int = 0
    refused: list[int] = field(default_factory=list)
    _response: aiohttp.ClientResponse | None = None

    @property
    def seqs(self) -> list[int]:
        """The seqs of the changes that came, in the order in which they came."""
        return [e.data["seq"] for e in self.events if e.name not in ("connected", "reset")]

    @property
    def resets(self) -> list[str]:
        """The reasons of the resets that came."""
        return [e.data["reason"] for e in self.events if e.name == "reset"]

    async def run(self) -> None:
        """Reads until cancelled."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                await self._read()
            await asyncio.sleep(RETRY_SECONDS)

    async def _read(self) -> None:
        headers = {"Last-Event-ID": self.last_event_id} if self.last_event_id else None
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.client.request(
            "GET", self.path, headers=headers, timeout=timeout
        ) as response:
            if response.status != 200:
                self.refused.append(response.status)
                return
            self.connects += 1
            self._response = response
            async for event in EventStream(response):
                self.last_event_id = event.id or self.last_event_id
                if event.data is not None:
                    self.events.append(event)

    def drop(self) -> None:
        """Loses the connection."""
        if self._response is not None:
            self._response.close()

    async def reached(self, seq: int, seconds: float = 20) -> None:
        """Waits until it got the change of a seq; it is one of the last."""
        await eventually(
            lambda: any(
                event.name not in ("connected", "reset") and event.data["seq"] == seq
                for event in self.events[-200:]
            ),
            seconds,
            f"seq {seq}",
        )

    async def was_reset(self, *reasons: str, seconds: float = 10) -> None:
        """Waits until it got these resets, and no others."""
        await eventually(lambda: self.resets == list(reasons), seconds, f"resets {reasons}")

    async def was_refused(self, status: int, seconds: float = 10) -> None:
        """Waits until it was refused when it came back."""
        await eventually(lambda: self.refused[:1] == [status], seconds, f"refused: {status}")

    async def connected(self) -> None:
        """Waits until it is connected."""
        await eventually(lambda: "connected" in names(self.events), what="connected")

    async def reconnect(self) -> None:
        """Loses the connection, as a phone in a tunnel does, and waits until it is back."""
        before = names(self.events).count("connected")
        self.drop()
        await eventually(lambda: names(self.events).count("connected") > before, what="reconnected")


@asynccontextmanager
async def following(*readers: Reader) -> AsyncIterator[None]:
    """Lets readers read, from when all of them are connected."""
    tasks = [asyncio.create_task(reader.run()) for reader in readers]
    try:
        for reader in readers:
            await reader.connected()
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Stalled:
    """A client that has asked for a stream, has got its start, and reads no further."""

    socket: socket.socket
    got: bytes

    async def rest(self, enough: bytes | None = None) -> bytes:
        """All that comes when it reads on: to the end, or until something has come."""
        got, loop = bytearray(self.got), asyncio.get_running_loop()
        with contextlib.suppress(ConnectionResetError):
            while enough is None or enough not in got[-(1 << 16) - len(enough) :]:
                more = await loop.sock_recv(self.socket, 1 << 16)
                if not more:
                    break
                got += more
        self.got = bytes(got)
        return self.got


@asynccontextmanager
async def stalled(client: Client, path: str) -> AsyncIterator[Stalled]:
    """Opens a stream and stops to read; its connection is not kept for another request."""
    url = urlsplit(client.url)
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.setblocking(False)
        await loop.sock_connect(connection, (url.hostname, url.port))
        head = f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n"
        await loop.sock_sendall(
            connection, f"{head}Authorization: Bearer {client.token}\r\n\r\n".encode()
        )
        got = b""
        while b"event: connected" not in got:
            got += await loop.sock_recv(connection, 1000)
        yield Stalled(connection, got)


def assert_whole(seqs: list[int], first: int, last: int) -> None:
    """All changes from first to last came, in order; some perhaps twice, none passed over."""
    assert seqs, f"nothing came of {first} to {last}"
    assert (seqs[0], max(seqs)) == (first, last)
    for before, after in pairwise(seqs):
        assert after <= before + 1, f"{after} came after {before}"


def as_account(client: Client, database: Database, name: str) -> Client:
    """The same server for another account."""
    return replace(client, token=database.token(name))


def head(database: Database, workspace: str) -> int:
    """The last seq of a workspace."""
    return int(
        database.value("select max(seq) from core.change where workspace_id = %s", workspace)
    )


def create_in_psql(
    database: Database, workspace: str, count: int, *, silently: bool = False
) -> None:
    """Makes records in psql, one transaction each; silently: their notifications are lost."""
    with database.connect() as connection:
        if silently:
            connection.execute("set rowcast.batch = 'on'")  # a batch notifies by itself
        for n in range(count):
            connection.execute(
                "insert into core.record (workspace_id, collection, data)"
                " values (%s, 'task', jsonb_build_object('title', %s::text))",
                [workspace, str(n)],
            )


async def in_threads(*works: Callable[[], Any]) -> None:
    """Does what blocks, all at once, while streams are read."""
    await asyncio.gather(*(asyncio.to_thread(work) for work in works))


def patch(database: Database, workspace: str, record: str, actor: str = "Ada", **data: Any) -> Any:
    """Patches a record as one of its members; the answer."""
    return database.call(
        "record_update",
        workspace,
        record=record,
        actor=actor,
        arguments={"id": record, "patch": data},
    )


def names(events: Iterable[Event]) -> list[str]:
    """The names of events."""
    return [event.name for event in events]
