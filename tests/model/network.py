"""The network between a client and the servers, which loses answers and cuts connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOST = "lost"  # the server has answered, and the answer is lost: what it did, it has done
CUT = "cut"  # the connection ends when the request is sent: nobody knows what becomes of it


@dataclass(eq=False)
class Line:
    """The way from one client to one server, wherever that is by now (`find` tells its URL)."""

    name: str
    find: Callable[[], str]
    url: str = ""
    fault: str | None = None  # what becomes of the next POST
    _streams: set["_Connection"] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def cut_stream(self, after: int) -> None:
        """Ends what streams here when so many more bytes have passed, in whatever they are."""
        for connection in list(self._streams):
            connection.left = after
            if after == 0:
                connection.abort()

    def close(self) -> None:
        """Ends whatever is left."""
        for task in self._tasks:
            task.cancel()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            target = urlsplit(self.find())
            up_reader, up_writer = await asyncio.open_connection(target.hostname, target.port)
            connection = _Connection(self, writer, up_writer)
            try:
                await connection.run(reader, up_reader)
            finally:
                self._streams.discard(connection)
                up_writer.transport.abort()
        writer.transport.abort()

    def asked(self, connection: "_Connection", request: bytes) -> None:
        """Looks at a request before it is passed on."""
        if request.startswith(b"POST "):
            connection.fault, self.fault = self.fault, None
        elif b"/events" in request.partition(b"\r\n")[0]:
            self._streams.add(connection)


@dataclass(eq=False)
class _Connection:
    line: Line
    down: asyncio.StreamWriter
    up: asyncio.StreamWriter
    fault: str | None = None
    left: int | None = None  # bytes until it is cut

    def abort(self) -> None:
        self.down.transport.abort()
        self.up.transport.abort()

    async def run(self, down: asyncio.StreamReader, up: asyncio.StreamReader) -> None:
        upwards = asyncio.create_task(self._upwards(down))
        try:
            await self._downwards(up)
        finally:
            self.abort()
            upwards.cancel()
            await asyncio.gather(upwards, return_exceptions=True)

    async def _upwards(self, reader: asyncio.StreamReader) -> None:
        while request := await _request(reader):
            self.line.asked(self, request)
            self.up.write(request)
            await self.up.drain()
            if self.fault == CUT:
                break
        self.abort()

    async def _downwards(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(1 << 16):
            if self.fault == LOST:
                return
            if self.left is not None:
                data, self.left = data[: self.left], self.left - len(data)
            self.down.write(data)
            await self.down.drain()
            if self.left is not None and self.left <= 0:
                await _flushed(self.down)
                return


async def _request(reader: asyncio.StreamReader) -> bytes:
    """A whole request; b"" at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return head + await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return b""


async def _flushed(writer: asyncio.StreamWriter) -> None:
    """Waits until what was written is with the kernel: abort() would drop it."""
    writer.transport.set_write_buffer_limits(0)
    await writer.drain()


@asynccontextmanager
async def lines(servers: Sequence[Callable[[], str]]) -> AsyncIterator[list[Line]]:
    """A line to each of some servers."""
    async with AsyncExitStack() as stack:
        made = []
        for number, find in enumerate(servers):
            line = Line(f"server {number}", find)
            server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
            stack.callback(server.close)
            stack.callback(line.close)
            line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            made.append(line)
        yield made
