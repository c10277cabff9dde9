"""A network between the server and Postgres that can lose an answer at a chosen moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from psycopg.conninfo import conninfo_to_dict, make_conninfo


async def upstream(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a Postgres, by its socket where the host is a directory."""
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


@dataclass
class Proxy:
    """Passes bytes on, but for the next `lose_answers` answers to connections of `application`.

    Such an answer is dropped with its connection: Postgres has done the work, and nobody learns it.
    """

    host: str
    port: int
    application: bytes
    lose_answers: int = 0
    lost: int = 0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        up_reader, up_writer = await upstream(self.host, self.port)
        ours = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._up(reader, up_writer, ours))
                group.create_task(self._down(up_reader, writer, up_writer, ours))
        except* (ConnectionError, _LostError):
            writer.transport.abort()
        finally:
            writer.close()
            up_writer.close()

    async def _up(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ours: asyncio.Event
    ) -> None:
        while data := await reader.read(1 << 16):
            if b"application_name\0" + self.application + b"\0" in data:
                ours.set()
            writer.write(data)
            await writer.drain()
        raise _LostError

    async def _down(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: asyncio.StreamWriter,
        ours: asyncio.Event,
    ) -> None:
        while data := await reader.read(1 << 16):
            if ours.is_set() and self.lose_answers > 0 and _rows(data):
                self.lose_answers -= 1
                self.lost += 1
                while not _ready(data):  # the work is done, commit included, when Postgres is ready
                    data = data[-6:] + await reader.read(1 << 16)
                raise _LostError
            writer.write(data)
            await writer.drain()
        raise _LostError


class _LostError(Exception):
    """The connection is to be cut."""


def _rows(data: bytes) -> bool:
    """Whether this starts as the answer to a statement: no error, and no part of signing in."""
    return data[:1] in (b"1", b"2", b"T")  # ParseComplete, BindComplete, RowDescription


def _ready(data: bytes) -> bool:
    """Whether this ends with ReadyForQuery, outside a transaction."""
    return data.endswith(b"Z\0\0\0\5I")


@asynccontextmanager
async def proxied(conninfo: str, application: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before a database, and the conninfo that leads through it."""
    found = conninfo_to_dict(conninfo)
    proxy = Proxy(str(found["host"]), int(found.get("port") or 5432), application.encode())
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield proxy, make_conninfo(conninfo, host="127.0.0.1", port=port)
    finally:
        server.close()
