"""A network between the server and Postgres on which a connection that announces people stalls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from faults.proxy import upstream

_ANNOUNCES = b"trusted.presence_tell"


@dataclass
class Network:
    """Passes bytes on, but of the next `stalls` connections that announce, from then on, nothing.

    Such a connection stays open, and neither side hears of the other.
    """

    host: str
    port: int
    stalls: int = 0
    stalled: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        up_reader, up_writer = await upstream(self.host, self.port)
        tasks = [
            asyncio.create_task(self._pass(reader, up_writer)),
            asyncio.create_task(self._pass(up_reader, writer)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            writer.close()
            up_writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stalled = False
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                if self.stalls > 0 and _ANNOUNCES in data:
                    self.stalls -= 1
                    self.stalled += 1
                    stalled = True
                if not stalled:
                    writer.write(data)
                    await writer.drain()


@asynccontextmanager
async def stalling(conninfo: str) -> AsyncIterator[tuple[Network, str]]:
    """A network before a database, and the conninfo that leads through it."""
    found = conninfo_to_dict(conninfo)
    network = Network(str(found["host"]), int(found.get("port") or 5432))
    server = await asyncio.start_server(network.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield network, make_conninfo(conninfo, host="127.0.0.1", port=port)
    finally:
        server.close()
