"""The load generator: keep-alive connections, each with one PATCH under way (a closed loop).

It has to cost far less than the server that it measures, so requests are bytes made beforehand and
of answers only the status line and Content-Length are read. Run as a child (see child.py).
"""

from __future__ import annotations

import asyncio
import gc
import random
import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any, TypedDict, cast

from bench import child

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_DIGITS = 12
_NUMBERS = count(random.randrange(10**6) * 10**6)  # values that no round before has written


class Group(TypedDict):
    """Connections that share a server and their records: [[record id, access token], …]."""

    port: int
    connections: int
    records: str  # key of a set of records that was given with `records`


@dataclass(slots=True)
class Tally:
    """What the connections of one group saw within the measured span."""

    begins: float
    ends: float
    latencies: array[float] = field(default_factory=lambda: array("d"))
    statuses: dict[str, int] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        """Rate in requests/s and latencies in ms, of good answers."""
        latencies = sorted(self.latencies)
        seconds = self.ends - self.begins
        return {
            "requests": len(latencies),
            "rate": len(latencies) / seconds,
            "p50": quantile(latencies, 0.50) * 1000,
            "p99": quantile(latencies, 0.99) * 1000,
            "longest": (latencies[-1] if latencies else 0.0) * 1000,
            "failed": self.statuses,
        }


def quantile(ordered: list[float], q: float) -> float:
    """The q-quantile of numbers in order; 0 where there are none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * q))] if ordered else 0.0


def patch_parts(record: str, token: str) -> tuple[bytes, bytes]:
    """A PATCH request up to and behind the number that makes each one a change."""
    before, after = b'{"patch":{"title":"Task ', b'"}}'
    length = len(before) + _DIGITS + len(after)
    return _head("PATCH", f"/api/tasks/{record}", token, length) + before, after


def transaction_parts(workspace: str, token: str, records: list[str]) -> tuple[bytes, ...]:
    """A transaction that gives each record the next title, in pieces around its number."""
    operations = [
        f'{{"type":"set","recordId":"{record}","key":"title","value":"Task @"}}'
        for record in records
    ]
    first, *rest = f'{{"operations":[{",".join(operations)}]}}'.encode().split(b"@")
    length = len(first) + sum(_DIGITS + len(piece) for piece in rest)
    path = f"/api/v1/workspaces/{workspace}/transactions"
    return _head("POST", path, token, length) + first, *rest


def _head(method: str, path: str, token: str, length: int) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def patch_bytes(parts: tuple[bytes, ...]) -> bytes:
    """The next request of its kind: a number in each of its gaps makes it a change."""
    return (b"%012d" % next(_NUMBERS)).join(parts)


class Targets:
    """Requests by their parts, in a random order that goes round: none comes twice in a row."""

    def __init__(self, parts: list[tuple[bytes, ...]]) -> None:
        self._parts = parts
        random.Random(1).shuffle(self._parts)
        self._next = 0

    def request(self) -> bytes:
        """The next request."""
        self._next = (self._next + 1) % len(self._parts)
        return patch_bytes(self._parts[self._next])


class Connection(asyncio.Protocol):
    """One connection, which sends its next request as soon as the last one is answered."""

    def __init__(self, targets: Targets, tally: Tally, done: Callable[[], None]) -> None:
        self._targets, self._tally, self._done = targets, tally, done
        self._received = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not of its class

    def send(self) -> None:
        """Sends the next request."""
        self._sent = monotonic()
        self._transport.write(self._targets.request())

    def data_received(self, data: bytes) -> None:
        if self._received:
            data = self._received + data
        end = data.find(b"\r\n\r\n")
        length = _LENGTH.search(data, 0, end + 2) if end >= 0 else None
        if length is None or len(data) < end + 4 + int(length[1]):
            self._received = data
            return
        self._received = b""
        now, tally = monotonic(), self._tally
        if tally.begins <= now < tally.ends:
            if data.startswith(b"HTTP/1.1 200"):
                tally.latencies.append(now - self._sent)
            else:
                status = data[9:12].decode()
                tally.statuses[status] = tally.statuses.get(status, 0) + 1
        if now < tally.ends:
            self.send()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        now = monotonic()
        if now < self._tally.ends:
            self._tally.statuses["lost"] = self._tally.statuses.get("lost", 0) + 1
        self._done()


class Generator:
    """The commands of this helper."""

    def __init__(self) -> None:
        self._targets: dict[str, Targets] = {}

    async def records(self, key: str, records: list[tuple[str, str]]) -> dict[str, Any]:
        """Names a set of records."""
        self._targets[key] = Targets([patch_parts(record, token) for record, token in records])
        return {}

    async def transactions(
        self, key: str, targets: list[tuple[str, str, list[str]]]
    ) -> dict[str, Any]:
        """Names a set of transactions: each of a workspace, its token, and records of it."""
        self._targets[key] = Targets([transaction_parts(*target) for target in targets])
        return {}

    async def run(self, groups: list[Group], seconds: float, warm: float) -> dict[str, Any]:
        """A closed loop of `seconds`, behind `warm` seconds that don't count; a report per group.

        Answers once all that was sent is answered.
        """
        gc.collect()
        gc.freeze()
        loop = asyncio.get_running_loop()
        connections: list[Connection] = []
        tallies = []
        finished: list[asyncio.Future[None]] = []
        begins = monotonic() + warm
        for group in groups:
            tally = Tally(begins, begins + seconds)
            tallies.append(tally)
            for _ in range(group["connections"]):
                done: asyncio.Future[None] = loop.create_future()
                finished.append(done)
                _, connection = await loop.create_connection(
                    lambda group=group, tally=tally, done=done: Connection(  # type: ignore[misc]
                        self._targets[group["records"]], tally, lambda: done.set_result(None)
                    ),
                    "127.0.0.1",
                    group["port"],
                )
                connections.append(connection)
        for connection in connections:
            connection.send()
        await asyncio.gather(*finished)
        return {"groups": [tally.report() for tally in tallies]}

    async def paced(self, port: int, records: str, rate: float, seconds: float) -> dict[str, Any]:
        """PATCHes at a fixed rate, each at its time whether or not others are answered.

        Answers [[seq, when sent (CLOCK_MONOTONIC)], …].
        """
        targets = self._targets[records]
        sent: list[tuple[int, float]] = []
        idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        loop, started = asyncio.get_running_loop(), monotonic()

        async def write(number: int) -> None:
            await asyncio.sleep(max(0.0, started + number / rate - monotonic()))
            reader, writer = (
                idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
            )
            at = monotonic()
            writer.write(targets.request())
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            assert length is not None
            body = await reader.readexactly(int(length[1]))
            seq = re.search(rb'"seq": ?(\d+)', body)
            assert head.startswith(b"HTTP/1.1 200"), head + body
            assert seq is not None
            sent.append((int(seq[1]), at))
            idle.append((reader, writer))

        await asyncio.gather(*[loop.create_task(write(n)) for n in range(int(rate * seconds))])
        for _, writer in idle:
            writer.close()
        return {"sent": sent}


if __name__ == "__main__":

    def _commands() -> dict[str, child.Command]:
        generator = Generator()
        return {
            "records": generator.records,
            "transactions": generator.transactions,
            "run": generator.run,
            "paced": generator.paced,
        }

    child.serve(_commands)
