"""An offline-first client as a browser has it: a copy of the records, and a queue of what it wrote.

What is confirmed comes from snapshots, streams, `changes` and answers; what its user sees is that,
with the queue applied on top. Either server serves it: when one is dead it goes to the other.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from model.documents import ON_DOCUMENTS, Operation, RefusedError, applied
from model.history import Entry, History, now, record_of
from model.network import Line
from model.outbox import BROKEN, NO_HANG, NOT_APPLIED, Outbox, Queued
from support import Client, HttpReply

RETRY_SECONDS = 0.02  # a browser is told to wait longer


@dataclass(eq=False)
class Replica:
    """One client of one account, with a way to each server."""

    name: str
    token: str
    workspace: str
    lines: Sequence[Line]
    session: aiohttp.ClientSession
    history: History
    home: int = 0  # the server that it prefers by now
    seq: int = 0
    epoch: str = ""  # of what it knows
    records: dict[str, Entry] = field(default_factory=dict)
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    _last_event_id: str | None = None
    _fresh: bool = False  # whether `records` can be gone on from
    _stream: "asyncio.Task[None] | None" = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.outbox = Outbox(
            self.name,
            self.token,
            self.workspace,
            self.lines,
            self.session,
            self.history,
            self._take_all,
        )

    # What its user does and sees

    def write(self, operations: list[Operation], policy: str | None = None) -> None:
        """Queues a transaction, based on what is confirmed: policy says what becomes of conflicts.

        None: based on nothing.
        """
        request: dict[str, Any] = {"operations": operations}
        if policy is not None:
            request |= {"baseVersions": self._bases(operations), "onConflict": policy}
        self.outbox.add(request)

    def call(self, name: str) -> None:
        """Queues an undo, or a redo."""
        self.outbox.add({"call": name})

    @property
    def queue(self) -> list[Queued]:
        """What is not confirmed yet."""
        return self.outbox.queue

    def _bases(self, operations: list[Operation]) -> dict[str, int]:
        named = {operation["recordId"] for operation in operations}
        return {record: self.records[record]["version"] for record in named & set(self.records)}

    def view(self) -> dict[str, Any]:
        """The documents that its user sees: what is confirmed, and what is not yet."""
        seen = {key: deepcopy(r["data"]) for key, r in self.records.items() if not r["deleted"]}
        for operation in (operation for item in self.queue for operation in item.operations):
            record = operation["recordId"]
            if operation["type"] == "create":
                seen.setdefault(record, operation["data"])
            elif operation["type"] == "delete":
                seen.pop(record, None)
            elif operation["type"] in ON_DOCUMENTS and record in seen:
                with contextlib.suppress(RefusedError):
                    seen[record] = applied(seen[record], operation)
        return seen

    @property
    def is_online(self) -> bool:
        """Whether it streams, or tries to."""
        return self._stream is not None

    # Sending

    async def flush(self, *servers: int, fault: str | None = None, first: int = 0) -> None:
        """Sends the queue in order, but what stands at `first` before what does not concern it.

        The fault hits the first call. Several servers get each call at the same time. Stops at
        the first outcome that is not known. Offline nothing is sent.
        """
        async with self._lock:
            self.outbox.bring_forward(first)
            while self.queue and self.is_online:
                if not await self.outbox.send_first(servers or (self.home,), fault):
                    self._go_elsewhere()
                    return
                fault = None

    async def replay(self, server: int, fault: str | None = None) -> None:
        """Sends what it can of the queue at once, as docs/transactions.md has it."""
        async with self._lock:
            if self.is_online and not await self.outbox.replay(server, fault):
                self._go_elsewhere()

    def _go_elsewhere(self) -> None:
        self.home = (self.home + 1) % len(self.lines)

    # What is confirmed

    def _take(self, record: str, state: Entry) -> None:
        """A whole record, unless a newer one is known."""
        if state["version"] > self.records.get(record, {"version": 0})["version"]:
            self.records[record] = state

    def _take_all(self, records: dict[str, Entry]) -> None:
        for record, state in records.items():
            self._take(record, state)

    async def online(self, how: str = "stream") -> None:
        """Goes online: streams on where it was, or reads `changes` or a `snapshot` first."""
        if self._stream is None:
            self._stream = asyncio.create_task(self._follow(how))
            self._stream.add_done_callback(lambda _: self.moved.set())

    async def offline(self) -> None:
        """Goes offline; the queue stays."""
        if self._stream is not None:
            self._stream.cancel()
            await asyncio.gather(self._stream, return_exceptions=True)
            self._stream = None

    async def reached(self, seq: int) -> None:
        """Waits until it has all changes up to a seq. Raises what its stream could not make out."""
        while self.seq < seq or not self._fresh:
            if self._stream is not None and self._stream.done():
                self._stream.result()
            self.moved.clear()
            await self.moved.wait()

    async def _follow(self, how: str) -> None:
        """Reads until cancelled, from whichever server is there."""
        while True:
            with contextlib.suppress(*BROKEN):
                if how in ("changes", "coalesced") and self._fresh:
                    await self._catch_up(how == "coalesced")
                elif how == "snapshot" or not self._fresh:
                    await self._start_anew()
                how = "stream"
                await self._read_stream()
            self._go_elsewhere()
            await asyncio.sleep(RETRY_SECONDS)

    async def _start_anew(self) -> None:
        """Drops what it knows for a snapshot. Nothing is confirmed meanwhile."""
        self._fresh = False
        async with self._lock:
            found = await self.snapshot(self.home, applied=True)
            if found is not None:
                self.records, self.epoch = found["records"], found["epoch"]
                self._went_on(found["seq"], None)

    async def _catch_up(self, coalesced: bool) -> None:
        """Reads the pages of `changes` that it has missed, perhaps each record once a page."""
        more = True
        while more:
            path = f"/api/v1/workspaces/{self.workspace}/changes?since={self.seq}&limit=7"
            path += "&coalesce=true" if coalesced else ""
            started, since = now(), self.seq
            reply = await self._get(self.home, path)
            if reply is None:
                return
            page = reply.json
            self.history.add(
                "changes",
                client=self.name,
                server=self.home,
                started=started,
                ended=now(),
                since=since,
                seq=page["seq"],
                changes=[_event_of(change["event"], change) for change in page["changes"]],
                coalesced=coalesced,
                more=page["hasMore"],
                reset=page.get("reset"),
            )
            if "reset" in page:
                await self._start_anew()
                return
            for change in page["changes"]:
                self._apply(change["event"], change)
            self._went_on(page["seq"], None)
            more = page["hasMore"]

    async def _read_stream(self) -> None:
        path = f"/api/v1/workspaces/{self.workspace}/events"
        if self._last_event_id is None:
            path += f"?since={self.seq}"
        server = self.home
        async with self._client(server).events(path, self._last_event_id) as stream:
            async for event in stream:
                if event.data is None:
                    self._last_event_id = event.id or self._last_event_id
                elif event.name == "connected":
                    self._saw("connected", server, at=now(), seq=event.data["seq"])
                    if self._last_event_id is None and event.data["epoch"] != self.epoch:
                        await self._start_anew()  # a bare seq does not tell of which epoch it is
                        return
                    self._last_event_id = event.id or self._last_event_id
                elif event.name == "reset":
                    told = event.data
                    self._saw("reset", server, at=now(), reason=told["reason"], seq=told["seq"])
                    await self._start_anew()
                    if not self._fresh:
                        return
                    self._last_event_id = event.id
                elif event.id is not None:  # what has none is of the moment, as presence is
                    told = _event_of(event.name, event.data)
                    self._saw("event", server, at=now(), **told)
                    self._apply(event.name, event.data)
                    self._went_on(max(self.seq, told["seq"]), event.id or self._last_event_id)

    def _apply(self, name: str, data: Any) -> None:
        """Takes an event over, as docs/events.md says."""
        record = data.get("id")
        if "record" in data:
            self._take(record, record_of(data["record"]))
        elif record in self.records and data["version"] > self.records[record]["version"]:
            old = self.records[record]
            patched = {**old["data"], **(data["patch"] or {})}
            self.records[record] = {
                "version": data["version"],
                "data": {key: value for key, value in patched.items() if value is not None},
                "position": data.get("position", old["position"]),
                "deleted": name.endswith("-deleted"),
            }

    def _went_on(self, seq: int, last_event_id: str | None) -> None:
        self.seq, self._last_event_id, self._fresh = seq, last_event_id, True
        self.moved.set()

    async def cut(self, after: int) -> None:
        """Has its stream cut when so many more bytes have come."""
        for line in self.lines:
            line.cut_stream(after)

    # Reads

    async def look(self, server: int, record: str, whole: bool) -> None:
        """Reads a record or a snapshot, as far as that server answers by now."""
        with contextlib.suppress(*BROKEN):
            await (self.snapshot(server) if whole else self.read(server, record))

    async def read(self, server: int, record: str) -> None:
        """Reads one record."""
        started = now()
        path = f"/api/v1/workspaces/{self.workspace}/records/{record}"
        reply = await self._get(server, path, 404)
        if reply is None:
            return
        there = reply.status == 200
        state = record_of(reply.json) if there else {"version": 0, "data": {}, "deleted": True}
        self._saw("read", server, started=started, ended=now(), record=record, **state)

    async def snapshot(self, server: int, *, applied: bool = False) -> Entry | None:
        """Reads all; None where the server is busy."""
        started = now()
        reply = await self._get(server, f"/api/v1/workspaces/{self.workspace}/snapshot")
        if reply is None:
            return None
        found = {
            "seq": reply.json["seq"],
            "epoch": reply.json["epoch"],
            "records": {record["id"]: record_of(record) for record in reply.json["records"]},
            "applied": applied,
        }
        self._saw("snapshot", server, started=started, ended=now(), **deepcopy(found))
        return found

    async def _get(self, server: int, path: str, *also: int) -> HttpReply | None:
        reply = await self._client(server).send("GET", path, timeout=NO_HANG)
        assert reply.status in (200, *NOT_APPLIED, *also), reply.text
        return None if reply.status in NOT_APPLIED else reply

    def _client(self, server: int) -> Client:
        return Client(self.session, self.lines[server].url, self.token)

    def _saw(self, type_: str, server: int, **more: Any) -> None:
        self.history.add(type_, client=self.name, server=server, **more)


def _event_of(name: str, data: Any) -> Entry:
    """What a history keeps of an event."""
    return {
        "seq": data["seq"],
        "name": name,
        "record": data.get("id"),
        "version": data.get("version"),
        "patch": data.get("patch"),
    }
