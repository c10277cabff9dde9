"""One client of the hub: what it may get, what waits for it, and when it ends."""

import asyncio
from dataclasses import dataclass

from aiohttp.http_writer import StreamWriter
from aiohttp_sse import EventSourceResponse

from rowcast.frames import Cursor, Holder, Rights, View, connected_frame, reset_frame

MAX_WAITING = 1 << 20  # bytes that wait for one client; one burst may come on top
FINISH_SECONDS = 5.0


@dataclass(slots=True, eq=False)
class Stream:
    """One client. It ends when `life` runs out; `last` is sent before.

    client: its id, by which it names itself. greeted: it has been told that. attached: it gets what
    its workspace's topic relays; sent: the seq that the client knows of.
    """

    writer: StreamWriter
    workspace: str
    rights: Rights
    view: View
    life: asyncio.Timeout
    client: str
    greeted: bool = False
    attached: bool = False
    sent: int = 0
    ended: bool = False
    last: bytes = b""

    @property
    def key(self) -> Holder:
        """Whose rights count where."""
        return self.workspace, self.rights.account, self.rights.session

    def end(self, last: bytes = b"") -> None:
        """Has the stream's handler close it, after `last`."""
        if not self.ended and not self.life.expired():
            self.ended, self.last = True, last
            self.life.reschedule(0)

    def grant(self, rights: Rights | None) -> bool:
        """Gives it the rights of now; whether they differ. Without any it ends."""
        if rights is None:
            self.end()
            return False
        changed = rights.fingerprint != self.rights.fingerprint
        self.rights = rights
        return changed

    def connected_frame(self, cursor: Cursor, *, resumed: bool) -> bytes:
        """The first event."""
        return connected_frame(self.client, self.rights, cursor, resumed=resumed)

    def reset_frame(self, reason: str, cursor: Cursor) -> bytes:
        """The `reset` that starts it anew at a cursor."""
        return reset_frame(self.workspace, self.rights, reason, cursor)

    async def push(self, chunk: bytes, cursor: Cursor) -> None:
        """Sends what takes an attached client to `cursor`, unless too much waits for it already.

        Never waits, nor yields to other tasks: drain=False.
        """
        self.sent = cursor.seq
        transport = self.writer.transport
        if self.ended or transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > MAX_WAITING:
            self.end(self.reset_frame("overflow", cursor))
        else:
            await self.writer.write(chunk, drain=False)

    async def aside(self, chunk: bytes) -> None:
        """Sends what carries no id, to a client that was greeted; waits as little as `push`.

        Where too much waits already the stream ends: the client resumes with the id that it has.
        """
        transport = self.writer.transport
        if not self.greeted or self.ended or transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > MAX_WAITING:
            self.end()
        else:
            await self.writer.write(chunk, drain=False)

    async def send(self, chunk: bytes) -> None:
        """Sends at the pace at which the client reads. Raises ConnectionError.

        One that is told to end while it does not read is cut off: what waits for it can't be
        followed by a clean close.
        """
        if not chunk:
            return
        try:
            await self.writer.write(chunk)
            await self.writer.drain()
        except asyncio.CancelledError:
            self._abort()
            raise

    async def finish(self, response: EventSourceResponse) -> None:
        """The clean close; who does not read up to it is cut off. Raises ConnectionError."""
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self.writer.write(self.last)
                await response.write_eof()
        except TimeoutError:
            self._abort()

    def _abort(self) -> None:
        if self.writer.transport is not None:
            self.writer.transport.abort()
