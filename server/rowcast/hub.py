"""Streams: one log reader per process, which relays what it reads to the clients of each workspace.

The log is the truth. A notification only says where to look, and every few seconds the hub looks at all
workspaces that it serves, so that a lost one costs seconds. Whoever is attached gets each change that he may
read once, in order; whatever can't be continued exactly is a `reset`.

The hub compares sets of tokens and decides nothing: rights come from api.stream_open, the tokens of a
record from api.log_read. Each form of an event is encoded once, and shared by all who get it; a client costs
one write per burst. Buffers are bounded per client and counted in bytes: who does not read is closed.
"""

import asyncio
import random
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import orjson
from aiohttp_sse import EventSourceResponse

from rowcast import logs
from rowcast.problems import Problem

POLL_SECONDS = 3.0
BEAT_SECONDS = 15.0
PAGE = 500  # changes of one workspace in one read
READ_WORKSPACES = 200  # workspaces in one read
MAX_BUFFER = 1 << 20  # bytes that wait for one client
DIRECT_BUFFER = 48 << 10  # below aiohttp's high-water mark: a write up to here never waits
FINISH_SECONDS = 5.0
NATIVE = "native"

log = logs.get("rowcast.hub")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log of a workspace, which proves itself: epoch and mark (see logic.log_verdict).

    None stands for what a bare `?since=` does not say. fingerprint: of account and rights.
    """

    seq: int
    epoch: str | None = None
    mark: str | None = None
    fingerprint: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Reads an event id. Raises Problem 422 for what is none."""
        parts = text.split("-")
        if len(parts) != 4 or not parts[0].isdecimal() or len(parts[0]) > 18:
            raise Problem(422, "invalid_cursor", "This is no event id of this server.")
        return cls(int(parts[0]), *parts[1:])

    def head(self) -> bytes:
        """The event id up to the fingerprint, which differs from reader to reader."""
        return f"{self.seq}-{(self.epoch or '')[:8]}-{self.mark or ''}-".encode()


@dataclass(frozen=True, slots=True)
class Rights:
    """What a stream may get: its account's tokens, and their fingerprint."""

    account: str
    tokens: frozenset[str]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class View:
    """What a stream wants: the form of its events, and perhaps only some collections or records."""

    form: str = NATIVE
    collections: frozenset[str] | None = None
    records: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A row of api.log_read. Texts that only pass through are bytes."""

    workspace: str
    seq: int | None
    mark: str | None
    event: str
    collection: str | None
    record: str | None
    actor: str | None
    account: str | None
    before: frozenset[str] | None
    after: frozenset[str] | None
    today: frozenset[str] | None
    native: bytes
    whole: bytes | None
    removed: bytes | None
    forms: dict[str, tuple[str | None, bytes]]


@dataclass(slots=True, eq=False)
class Stream:
    """One client. `ended` is set with the last bytes to send when the stream is to end."""

    response: EventSourceResponse
    transport: asyncio.Transport
    workspace: str
    rights: Rights
    view: View
    ended: "asyncio.Future[bytes]"
    sent: int = 0
    backlog: list[bytes] = field(default_factory=list)
    backlog_size: int = 0
    flusher: "asyncio.Task[None] | None" = None

    def end(self, last: bytes = b"") -> None:
        """Asks the stream's handler to close it, after `last`."""
        if not self.ended.done():
            self.ended.set_result(last)


@dataclass(slots=True, eq=False)
class Topic:
    """A workspace that is watched: how far its log is relayed, and to whom."""

    workspace: str
    cursor: Cursor
    streams: set[Stream] = field(default_factory=set)
    moved: asyncio.Event = field(default_factory=asyncio.Event)


class Source(Protocol):
    """What the hub needs of the database; each raises Problem."""

    async def read(
        self, cursors: Sequence[tuple[str, Cursor]], forms: Sequence[str], limit: int
    ) -> list[Change]:
        """What follows in the logs of some workspaces, each behind its cursor."""

    async def open(self, workspace: str, account: str) -> tuple[Rights, Cursor, dict[str, str]]:
        """An account's rights, the end of the log, and the collections by their plural."""


class Hub:
    """The streams of one process; `run` must be running."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._topics: dict[str, Topic] = {}
        self._dirty: dict[str, None] = {}
        self._accounts: set[str] = set()
        self._woken = asyncio.Event()
        self._closing = False

    @property
    def stream_count(self) -> int:
        """How many streams are attached."""
        return sum(len(topic.streams) for topic in self._topics.values())

    # Waking

    def notified(self, payload: str) -> None:
        """Takes a notification: the workspaces in which something changed, or an account."""
        if payload.startswith("account "):
            self._accounts.add(payload.removeprefix("account "))
            self._woken.set()
        else:
            self.wake(payload.split(" "))

    def wake(self, workspaces: Iterable[str]) -> None:
        """Has the logs of these workspaces read, those that are watched."""
        for workspace in workspaces:
            if workspace in self._topics:
                self._dirty[workspace] = None
                self._woken.set()

    async def wake_all(self) -> None:
        """Has all logs read, and all rights looked at: after a reconnect nobody knows what was missed."""
        self._accounts.update(
            stream.rights.account for topic in self._topics.values() for stream in topic.streams
        )
        self._woken.set()
        self.wake(list(self._topics))

    async def run(self) -> None:
        """Reads and relays until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay())
            group.create_task(self._beat())

    async def _relay(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                await self.wake_all()
            self._woken.clear()
            try:
                accounts, self._accounts = self._accounts, set()
                await self._look_at_accounts(accounts)
                await self._read_dirty()
            except Problem as problem:
                # The database is away or busy. Cursors stand where they stood; look again soon.
                log.warning("log not readable", code=problem.code)
                await asyncio.sleep(0.2)

    async def _read_dirty(self) -> None:
        while self._dirty:
            workspaces = list(self._dirty)[:READ_WORKSPACES]
            topics = {}
            for workspace in workspaces:
                del self._dirty[workspace]
                if workspace in self._topics:
                    topics[workspace] = self._topics[workspace]
            forms = {s.view.form for topic in topics.values() for s in topic.streams} - {NATIVE}
            try:
                changes = await self._source.read(
                    [(workspace, topic.cursor) for workspace, topic in topics.items()],
                    sorted(forms),
                    PAGE,
                )
            except Problem:
                self.wake(topics)
                raise
            by_workspace: dict[str, list[Change]] = {}
            for change in changes:
                by_workspace.setdefault(change.workspace, []).append(change)
            for workspace, found in by_workspace.items():
                if len(found) == PAGE:
                    self.wake([workspace])
                await self._deliver(topics[workspace], found)

    # Delivering

    async def _deliver(self, topic: Topic, changes: Sequence[Change]) -> None:
        """Relays what follows the topic's cursor; behind a change of rights by the new ones."""
        start = 0
        for index, change in enumerate(changes):
            if change.event == "reset":
                await self._reset_topic(topic, change.native.decode())
                return
            if change.event.startswith(("member-", "role-")):
                await self._relay_segment(topic, changes[start : index + 1])
                start = index + 1
                await self._look_at_rights(
                    [s for s in topic.streams if change.account in (None, s.rights.account)]
                )
        await self._relay_segment(topic, changes[start:])

    async def _relay_segment(self, topic: Topic, changes: Sequence[Change]) -> None:
        if not changes:
            return
        chunks: dict[tuple[View, str], bytes] = {}
        frames: dict[tuple[View, frozenset[str], str], list[bytes]] = {}
        epoch, last = topic.cursor.epoch, changes[-1]
        # The cursor moves first: who joins from here on has this burst behind him, or replays it.
        streams = list(topic.streams)
        topic.cursor = Cursor(last.seq or 0, epoch, last.mark)
        topic.moved.set()
        topic.moved.clear()
        for stream in streams:
            key = (stream.view, stream.rights.fingerprint)
            chunk = chunks.get(key)
            if chunk is None:
                chunk = chunks[key] = encode(changes, epoch, stream.rights, stream.view, frames)
            if chunk:
                await self._push(stream, chunk)
                stream.sent = topic.cursor.seq

    async def _push(self, stream: Stream, chunk: bytes) -> None:
        """Sends to one client without ever waiting for it; closes it when too much waits."""
        if stream.transport.is_closing() or stream.ended.done():
            return
        waiting = stream.transport.get_write_buffer_size() + stream.backlog_size
        if waiting + len(chunk) > MAX_BUFFER:
            stream.backlog.clear()
            stream.backlog_size = 0
            stream.end(await self._reset_frame(stream.workspace, stream.rights, "overflow"))
        elif stream.backlog or waiting + len(chunk) > DIRECT_BUFFER:
            stream.backlog.append(chunk)
            stream.backlog_size += len(chunk)
            if stream.flusher is None or stream.flusher.done():
                stream.flusher = asyncio.create_task(_flush(stream))
        else:
            with suppress(ConnectionError):
                await stream.response.write(chunk)

    async def _beat(self) -> None:
        """A stream that sees little still resumes near the head: a data-less id carries its cursor."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            for topic in list(self._topics.values()):
                head = topic.cursor.head()
                for stream in list(topic.streams):
                    if stream.sent < topic.cursor.seq:
                        stream.sent = topic.cursor.seq
                        fingerprint = stream.rights.fingerprint.encode()
                        await self._push(stream, b"id: %b%b\n\n" % (head, fingerprint))

    # Rights and resets

    async def _look_at_accounts(self, accounts: set[str]) -> None:
        if accounts:
            for topic in list(self._topics.values()):
                await self._look_at_rights(
                    [stream for stream in topic.streams if stream.rights.account in accounts]
                )

    async def _look_at_rights(self, streams: Sequence[Stream]) -> None:
        """Reads the rights of streams of one workspace again: other rights are a reset, none the end."""
        by_account: dict[str, list[Stream]] = {}
        for stream in streams:
            by_account.setdefault(stream.rights.account, []).append(stream)
        for account, affected in by_account.items():
            try:
                rights, _, _ = await self._source.open(affected[0].workspace, account)
            except Problem as problem:
                if problem.status >= 500:
                    self._accounts.add(account)
                    self._woken.set()
                    raise
                for stream in affected:
                    stream.end()
                continue
            for stream in affected:
                if stream.rights.fingerprint != rights.fingerprint:
                    stream.rights = rights
                    await self._push(
                        stream, await self._reset_frame(stream.workspace, rights, "access")
                    )

    async def _reset_topic(self, topic: Topic, reason: str) -> None:
        """The log is not the one that the topic's cursor knew: everybody starts again from its head."""
        cursor = None
        for stream in list(topic.streams):
            try:
                stream.rights, cursor, _ = await self._source.open(
                    topic.workspace, stream.rights.account
                )
            except Problem as problem:
                if problem.status >= 500:
                    raise
                stream.end()
                continue
            topic.cursor = cursor
            await self._push(stream, reset_frame(topic.workspace, stream.rights, reason, cursor))
        if cursor is None:
            self._topics.pop(topic.workspace, None)

    async def _reset_frame(self, workspace: str, rights: Rights, reason: str) -> bytes:
        return reset_frame(workspace, rights, reason, self._topics[workspace].cursor)

    # One stream

    async def collections(self, workspace: str, account: str) -> dict[str, str]:
        """The collections of a workspace by their plural. Raises Problem."""
        return (await self._source.open(workspace, account))[2]

    async def serve(
        self,
        response: EventSourceResponse,
        transport: asyncio.Transport,
        workspace: str,
        account: str,
        view: View,
        cursor: Cursor | None,
        lifetime: float,
    ) -> None:
        """Streams to one client until it is to end: `connected`, what it missed since `cursor` (None: it

        starts now), then live, for at most `lifetime` seconds. Raises Problem, ConnectionError.
        """
        rights, head, _ = await self._source.open(workspace, account)
        ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        stream = Stream(response, transport, workspace, rights, view, ended)
        start = cursor or head
        await response.write(connected_frame(rights, Cursor(start.seq, head.epoch, start.mark)))
        try:
            await self._join(stream, cursor, head)
            await self._look_at_rights([stream])
            try:
                async with asyncio.timeout(lifetime):
                    last = await ended
            except TimeoutError:
                last = b""
            await _finish(stream, last)
        finally:
            self._leave(stream)

    async def _join(self, stream: Stream, cursor: Cursor | None, head: Cursor) -> None:
        """Replays what the client missed, then attaches it where the topic stands at that moment."""
        position = cursor or head
        checked = cursor is None
        if cursor is not None and cursor.fingerprint not in (None, stream.rights.fingerprint):
            await stream.response.write(
                reset_frame(stream.workspace, stream.rights, "access", head)
            )
            position, checked = head, True
        forms = [stream.view.form] if stream.view.form != NATIVE else []
        while not self._closing:
            topic = self._topics.get(stream.workspace)
            if checked and (topic is None or topic.cursor.seq == position.seq):
                if topic is None:
                    topic = Topic(stream.workspace, Cursor(position.seq, head.epoch, position.mark))
                    self._topics[stream.workspace] = topic
                stream.sent = position.seq
                topic.streams.add(stream)
                self.wake([stream.workspace])
                return
            if checked and topic is not None and topic.cursor.seq < position.seq:
                self.wake([stream.workspace])
                async with asyncio.timeout(POLL_SECONDS * 2):
                    await topic.moved.wait()
                continue
            changes = await self._source.read([(stream.workspace, position)], forms, PAGE)
            checked = True
            if changes and changes[0].event == "reset":
                reason = changes[0].native.decode()
                _, position, _ = await self._source.open(stream.workspace, stream.rights.account)
                await stream.response.write(
                    reset_frame(stream.workspace, stream.rights, reason, position)
                )
            elif changes:
                chunk = encode(changes, head.epoch, stream.rights, stream.view, {})
                position = Cursor(changes[-1].seq or 0, head.epoch, changes[-1].mark)
                if chunk:
                    await stream.response.write(chunk)
            elif topic is not None:
                # The topic is ahead of a log that has nothing behind us: it will notice by itself.
                await asyncio.sleep(POLL_SECONDS / 10)

    def _leave(self, stream: Stream) -> None:
        if stream.flusher is not None:
            stream.flusher.cancel()
        topic = self._topics.get(stream.workspace)
        if topic is not None:
            topic.streams.discard(stream)
            if not topic.streams:
                del self._topics[stream.workspace]

    def close(self) -> None:
        """Ends all streams cleanly; clients come back to whoever serves next."""
        self._closing = True
        for topic in list(self._topics.values()):
            for stream in list(topic.streams):
                stream.end()


# Frames


def encode(
    changes: Sequence[Change],
    epoch: str | None,
    rights: Rights,
    view: View,
    shared: dict[tuple[View, frozenset[str], str], list[bytes]],
) -> bytes:
    """What a reader gets of a burst, as one piece of the stream; empty if it sees nothing of it.

    All that does not differ from reader to reader is encoded once and kept in `shared`: the pieces
    between the fingerprints, which then only have to be joined.
    """
    account = rights.account if any(c.actor == rights.account for c in changes) else ""
    key = (view, rights.tokens, account)
    pieces = shared.get(key)
    if pieces is None:
        pieces = shared[key] = _pieces(changes, epoch, rights.tokens, account, view)
    return rights.fingerprint.encode().join(pieces) if len(pieces) > 1 else b""


def _pieces(
    changes: Sequence[Change],
    epoch: str | None,
    tokens: frozenset[str],
    account: str,
    view: View,
) -> list[bytes]:
    pieces = [b""]
    for change in changes:
        shown = _shown(change, tokens, view)
        if shown is None:
            if not account or change.actor != account:
                continue
            # Its author waits for this seq, although the change is not for this stream.
            shown = ("cursor", b'{"seq": %d}' % (change.seq or 0))
        name, data = shown
        pieces[-1] += b"id: " + Cursor(change.seq or 0, epoch, change.mark).head()
        event = b"\nevent: " + name.encode() if name else b""
        pieces.append(event + b"\ndata: " + data + b"\n\n")
    return pieces


def _shown(change: Change, tokens: frozenset[str], view: View) -> tuple[str | None, bytes] | None:
    """Name and data of what a reader gets of a change; None: nothing."""
    native = view.form in (NATIVE, "record")
    if change.collection is None:
        visible = native and change.event.startswith("member-")
        return (change.event, change.native) if visible else None
    if view.collections is not None and change.collection not in view.collections:
        return None
    if view.records is not None and change.record not in view.records:
        return None
    after = change.after is not None and not tokens.isdisjoint(change.after)
    before = change.before is not None and not tokens.isdisjoint(change.before)
    if after and view.form != NATIVE:
        if change.today is None or tokens.isdisjoint(change.today):
            return None
        return change.forms.get(view.form)
    if after:
        return change.event, change.native if before else change.whole or change.native
    if before and native:
        return f"{change.collection}-removed", change.removed or b"{}"
    return None


def connected_frame(rights: Rights, cursor: Cursor) -> bytes:
    """The first event of a stream."""
    data = orjson.dumps({"clientId": str(uuid.uuid4()), "seq": cursor.seq, "epoch": cursor.epoch})
    retry = random.randint(1000, 4000)
    return b"retry: %d\nid: %b%b\nevent: connected\ndata: %b\n\n" % (
        retry,
        cursor.head(),
        rights.fingerprint.encode(),
        data,
    )


def reset_frame(workspace: str, rights: Rights, reason: str, cursor: Cursor) -> bytes:
    """Tells a client that it can't be continued exactly, and from where it goes on."""
    data = orjson.dumps(
        {"reason": reason, "workspaceId": workspace, "seq": cursor.seq, "epoch": cursor.epoch}
    )
    return b"id: %b%b\nevent: reset\ndata: %b\n\n" % (
        cursor.head(),
        rights.fingerprint.encode(),
        data,
    )


async def _flush(stream: Stream) -> None:
    """Writes the backlog of a client that reads slowly, at its pace."""
    with suppress(ConnectionError):
        while stream.backlog:
            chunk = b"".join(stream.backlog)
            stream.backlog.clear()
            await stream.response.write(chunk)
            stream.backlog_size -= len(chunk)


async def _finish(stream: Stream, last: bytes) -> None:
    """The clean close of a stream; who does not even read that is cut off."""
    try:
        async with asyncio.timeout(FINISH_SECONDS):
            if last:
                await stream.response.write(last)
            await stream.response.write_eof()
    except TimeoutError:
        stream.transport.abort()
