"""The client of many streams: counts events in the bytes as they come. A child (see child.py).

Streams carry nothing but writes of one workspace, so that the n-th event of each stream is the n-th
write. To read the events would cost more than serving them; that they are right is for the tests.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from time import monotonic
from typing import Any, cast

from bench import child
from bench.client import request_bytes

_EVENT = b"\nevent: task-"
_CONNECTED = b"\nevent: connected"
_SOURCES = 4  # addresses on the loopback that streams come from, each with its own ports
_OPENING = 200  # streams that are being opened at a time
_buffer = bytearray(1 << 18)  # shared: what was received is counted before the next is
_view = memoryview(_buffer)


class Stream(asyncio.BufferedProtocol):
    """One stream: how many events it got, and how many bytes."""

    def __init__(self, streams: Streams, request: bytes) -> None:
        self._streams, self._request = streams, request
        self._end = b""  # of what was received last: an event's line may come in two parts
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.events = 0
        self.size = 0
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def get_buffer(self, sizehint: int) -> memoryview:
        return _view

    def buffer_updated(self, nbytes: int) -> None:
        self.size += nbytes
        found = _buffer.count(_EVENT, 0, nbytes)
        if self._end:
            # Only what straddles both parts is in here: each part is shorter than the text.
            found += (self._end + _buffer[: min(nbytes, len(_EVENT) - 1)]).count(_EVENT)
        if nbytes >= len(_EVENT) - 1:
            self._end = bytes(_view[nbytes - len(_EVENT) + 1 : nbytes])
        else:
            self._end = (self._end + bytes(_view[:nbytes]))[1 - len(_EVENT) :]
        if not self.opened.done() and _buffer.find(_CONNECTED, 0, nbytes) >= 0:
            self.opened.set_result(None)
        if found:
            if self._streams.times is not None:
                self._streams.seen(self.events, found)
            self.events += found

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = True
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(_buffer[:300].decode(errors="replace")))


class Streams:
    """The commands of this helper."""

    def __init__(self) -> None:
        self._streams: list[Stream] = []
        self.times: list[float] | None = None

    async def open(
        self, port: int, count: int, workspaces: Sequence[tuple[str, str]]
    ) -> dict[str, Any]:
        """Opens streams of workspaces ([[id, token], …], in turn); answers when all are open."""
        limit = asyncio.Semaphore(_OPENING)

        async def one(number: int) -> None:
            workspace, token = workspaces[number % len(workspaces)]
            path = f"/api/v1/workspaces/{workspace}/events"
            stream = Stream(self, request_bytes("GET", path, token))
            async with limit:
                await asyncio.get_running_loop().create_connection(
                    lambda: stream,
                    "127.0.0.1",
                    port,
                    local_addr=(f"127.0.0.{1 + number % _SOURCES}", 0),
                )
                await stream.opened
            self._streams.append(stream)

        started = monotonic()
        await asyncio.gather(*[one(number) for number in range(count)])
        gc.collect()
        gc.freeze()
        return {"seconds": monotonic() - started}

    def seen(self, number: int, count: int) -> None:
        """Notes when events, by their number, came last on any stream."""
        assert self.times is not None
        now = monotonic()
        missing = number + count - len(self.times)
        if missing > 0:
            self.times.extend([now] * missing)
        for n in range(number, number + count):
            self.times[n] = now

    async def watch(self, times: bool) -> dict[str, Any]:
        """Counts from 0 again; with `times` notes when events came, from here on."""
        for stream in self._streams:
            stream.events = stream.size = 0
        self.times = [] if times else None
        return {}

    async def count(self, times: bool = False) -> dict[str, Any]:
        """Events so far, over all streams and per stream at least and at most, and when.

        times: also when the last stream got each event. All by CLOCK_MONOTONIC.
        """
        events = [stream.events for stream in self._streams]
        return {
            "at": monotonic(),
            "events": sum(events),
            "least": min(events, default=0),
            "most": max(events, default=0),
            "bytes": sum(stream.size for stream in self._streams),
            "ended": sum(stream.ended for stream in self._streams),
            "times": self.times if times else None,
        }

    async def close(self) -> dict[str, Any]:
        """Closes all streams."""
        for stream in self._streams:
            stream.transport.abort()
        self._streams.clear()
        self.times = None
        return {}


if __name__ == "__main__":

    def _commands() -> dict[str, child.Command]:
        streams = Streams()
        return {
            "open": streams.open,
            "watch": streams.watch,
            "count": streams.count,
            "close": streams.close,
        }

    child.serve(_commands)
