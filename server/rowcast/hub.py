"""The streams of one process: one reader of the log, which relays it to the clients.

The log is the truth. A notification only says where to look, and every few seconds the hub looks at
all workspaces and all rights that it serves, so that a lost one costs seconds. Whoever is attached
gets each change that he may read once, in order; whatever can't be continued exactly is a `reset`.

Who joins reads the log at his own pace until he stands where his workspace's topic stands, and is
attached to it. The relay never waits for a client: one costs it a write per burst, what waits for
it is counted in bytes, and who does not read is closed.
"""

import asyncio
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

import orjson
from aiohttp.http_writer import StreamWriter
from aiohttp_sse import EventSourceResponse

from rowcast import logs
from rowcast.frames import (
    NATIVE,
    Burst,
    Change,
    Cursor,
    View,
    plurals_told,
    position_frame,
)
from rowcast.identity import Actor
from rowcast.log_reader import LogReader, Opened
from rowcast.problems import Problem
from rowcast.stream import Stream

PAGE = 500  # changes of one workspace in one read
READ_WORKSPACES = 200  # workspaces in one read
READ_RIGHTS = 1000  # streams whose rights are compared in one read
MAX_JOINING = 4  # reads at once for those who join: the read pool has others to serve
RETRY_SECONDS = 0.2  # the database is away

log = logs.get("rowcast.hub")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, in seconds: poll: a look at all logs and rights; beat: a heartbeat.

    life: a stream lasts at most this long, and is then rotated.
    """

    poll: float = 3.0
    beat: float = 15.0
    life: float = 1800.0


@dataclass(slots=True, eq=False)
class Topic:
    """A workspace that is watched: how far its log is relayed, and to whom."""

    workspace: str
    cursor: Cursor
    streams: set[Stream] = field(default_factory=set)


class Hub:
    """The streams of one process; `run` must be running."""

    def __init__(self, reader: LogReader, pace: Pace) -> None:
        self.pace = pace
        self._reader = reader
        self._topics: dict[str, Topic] = {}
        self._streams: set[Stream] = set()  # also those that still join
        self._by_workspace: dict[str, set[Stream]] = {}  # the same
        self._dirty: dict[str, None] = {}  # workspaces to read, in order
        self._unsure: set[Stream] = set()  # streams whose rights are to be read again
        self._woken = asyncio.Event()
        self._poll_now = asyncio.Event()
        self._joining = asyncio.Semaphore(MAX_JOINING)
        self._closing = False
        self.member_left: Callable[[str, str], None] = lambda workspace, account: None

    @property
    def stream_count(self) -> int:
        """How many streams are served."""
        return len(self._streams)

    @property
    def workspace_count(self) -> int:
        """How many workspaces are watched for them."""
        return len(self._topics)

    def streams_of(self, workspace: str) -> list[Stream]:
        """Those of a workspace, also such as are still reading what they missed."""
        return list(self._by_workspace.get(workspace, ()))

    # Waking

    def notified(self, payload: str) -> None:
        """Takes a notification: the workspaces in which something changed, or an account."""
        if payload.startswith("account "):
            account = payload.removeprefix("account ")
            self._doubt(s for s in self._streams if s.rights.account == account)
        else:
            self._wake(payload.split(" "))

    def wake_all(self) -> None:
        """Has everything looked at: after a reconnect nobody knows what was missed."""
        self._poll_now.set()

    def _wake(self, workspaces: Iterable[str]) -> None:
        """Has the logs of these workspaces read, those that are watched."""
        for workspace in workspaces:
            if workspace in self._topics:
                self._dirty[workspace] = None
                self._woken.set()

    def _doubt(self, streams: Iterable[Stream]) -> None:
        """Has the rights of these read again, before more is relayed to them."""
        self._unsure.update(streams)
        self._woken.set()

    async def run(self) -> None:
        """Reads and relays until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay())
            group.create_task(self._poll())
            group.create_task(self._beat())

    async def _poll(self) -> None:
        """Finds what no notification told of, however busy the relay is with what others did."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.pace.poll):
                    await self._poll_now.wait()
            self._poll_now.clear()
            self._wake(list(self._topics))
            streams = list(self._streams)
            for start in range(0, len(streams), READ_RIGHTS):
                part = streams[start : start + READ_RIGHTS]
                try:
                    rights = await self._reader.rights({stream.key for stream in part})
                except Problem as problem:
                    log.warning("rights not readable", code=problem.code)
                    break
                changed = [s for s in part if s in self._streams and rights.get(s.key) != s.rights]
                for stream in changed:
                    if stream.key not in rights:
                        stream.end()  # also one that joins, and does not read
                self._doubt(changed)

    async def _beat(self) -> None:
        """A data-less id, so that a stream that sees little still resumes near the head."""
        while True:
            await asyncio.sleep(self.pace.beat)
            for topic in list(self._topics.values()):
                for stream in list(topic.streams):
                    if stream.sent < topic.cursor.seq:
                        frame = position_frame(stream.rights, topic.cursor)
                        await stream.push(frame, topic.cursor)

    # Relaying: this task alone moves topics, and changes the rights of attached streams.

    async def _relay(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._settle()
                await self._read_dirty()
            except Problem as problem:
                # Cursors stand where they stood, doubts stay doubts; look again soon.
                log.warning("log not readable", code=problem.code)
                self._woken.set()
                await asyncio.sleep(RETRY_SECONDS)
            if self._dirty:
                self._woken.set()

    async def _settle(self) -> None:
        """Reads doubtful rights again: other rights are a reset, none the end."""
        unsure = [stream for stream in self._unsure if stream.attached]
        if not unsure:
            return
        self._unsure.difference_update(unsure)  # who is doubted meanwhile is looked at again
        try:
            rights = await self._reader.rights({stream.key for stream in unsure})
        except Problem:
            self._doubt(stream for stream in unsure if stream.attached)
            raise
        for stream in unsure:
            if stream.attached and stream.grant(rights.get(stream.key)):
                cursor = self._topics[stream.workspace].cursor
                await stream.push(stream.reset_frame("access", cursor), cursor)

    async def _read_dirty(self) -> None:
        topics: dict[str, Topic] = {}
        for workspace in list(islice(self._dirty, READ_WORKSPACES)):
            del self._dirty[workspace]
            if workspace in self._topics:
                topics[workspace] = self._topics[workspace]
        found: dict[str, list[Change]] = {}
        try:
            for change in await self._read(list(topics.values())):
                found.setdefault(change.workspace, []).append(change)
            for workspace, changes in found.items():
                await self._deliver(topics[workspace], changes)
        except Problem:
            self._wake(topics)
            raise
        self._wake(workspace for workspace, changes in found.items() if changes[-1].more)

    async def _read(self, topics: Sequence[Topic]) -> list[Change]:
        """Reads on in some logs. One that can't be read is left to the next poll, and holds up

        nobody. Raises Problem where the database is away.
        """
        if not topics:
            return []
        cursors = [(topic.workspace, topic.cursor) for topic in topics]
        views = {stream.view for topic in topics for stream in topic.streams}
        forms = sorted({form for view in views for form in view.forms} - {NATIVE})
        try:
            return await self._reader.read(cursors, forms, PAGE)
        except Problem as problem:
            if problem.code == "database_unavailable":
                raise
            if len(topics) == 1:
                log.error("one log not readable", code=problem.code, workspace=cursors[0][0])
                return []
        return [change for topic in topics for change in await self._read([topic])]

    async def _deliver(self, topic: Topic, changes: Sequence[Change]) -> None:
        """Relays what follows the topic's cursor; behind a change of rights by the new ones."""
        if changes[0].is_reset:
            await self._reset_topic(topic, changes[0])
            return
        start = 0
        for index, change in enumerate(changes, 1):
            if change.is_access:
                await self._relay_burst(topic, changes[start:index])
                start = index
                if change.event == "member-left" and change.account is not None:
                    self.member_left(topic.workspace, change.account)
                self._doubt(s for s in topic.streams if change.may_touch(s.rights.account))
                await self._settle()
        if start < len(changes):
            await self._relay_burst(topic, changes[start:])

    async def _relay_burst(self, topic: Topic, changes: Sequence[Change]) -> None:
        """One write per client. No task sees the cursor moved and a write not yet made."""
        plurals = plurals_told(changes)
        for stream in topic.streams if plurals else ():
            stream.view = stream.view.knowing(plurals)
        burst = Burst(changes, topic.cursor.epoch)
        topic.cursor = Cursor(changes[-1].seq, topic.cursor.epoch, changes[-1].mark)
        for stream in list(topic.streams):
            chunk = burst.encode(stream.rights, stream.view, stream.sent)
            if chunk:
                await stream.push(chunk, topic.cursor)

    async def _reset_topic(self, topic: Topic, reset: Change) -> None:
        """The log is not the one that the cursor knew: everybody starts again from its head."""
        rights = await self._reader.rights({stream.key for stream in topic.streams})
        topic.cursor, reason = _reset_told(reset)
        for stream in list(topic.streams):
            stream.grant(rights.get(stream.key))
            await stream.push(stream.reset_frame(reason, topic.cursor), topic.cursor)

    # One stream

    async def open(self, workspace: str, actor: Actor) -> Opened:
        """What a stream starts with. Raises Problem where the account may not enter."""
        async with self._joining:
            return await self._reader.open(workspace, actor)

    async def serve(
        self,
        response: EventSourceResponse,
        writer: StreamWriter,
        workspace: str,
        opened: Opened,
        view: View,
        cursor: Cursor | None,
        lifetime: float,
        client: str | None = None,
    ) -> None:
        """Streams to one client: `connected`, what it missed since `cursor` (None: it starts now),

        then live, until it is told to end, `lifetime` seconds at most. client: its id, where it has
        one of its own. Raises ConnectionError.
        """
        life = asyncio.timeout(0 if self._closing else lifetime)
        client = client or str(uuid.uuid4())
        stream = Stream(writer, workspace, opened.rights, view, life, client)
        self._streams.add(stream)
        self._by_workspace.setdefault(workspace, set()).add(stream)
        try:
            async with life:
                await self._join(stream, cursor, opened.head)
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            if not life.expired():
                raise
        except Problem as problem:
            # The client comes back with the id that it has; by then it can perhaps be read.
            log.warning("stream can't go on", code=problem.code)
        finally:
            self._leave(stream)
        await stream.finish(response)

    async def _join(self, stream: Stream, cursor: Cursor | None, head: Cursor) -> None:
        """Replays what the client missed, until it can be attached to its topic."""
        position = await _start(stream, cursor, head)
        epoch = head.epoch
        forms = [form for form in stream.view.forms if form != NATIVE]
        at_end = position is head
        while not (at_end and self._attach(stream, position)):
            async with self._joining:
                changes = await self._reader.read([(stream.workspace, position)], forms, PAGE)
            if any(change.may_touch(stream.rights.account) for change in changes):
                self._unsure.add(stream)
            if stream in self._unsure:
                self._unsure.discard(stream)
                rights = await self._reader.rights([stream.key])
                if stream.grant(rights.get(stream.key)):
                    here = Cursor(position.seq, epoch, position.mark)
                    await stream.send(stream.reset_frame("access", here))
            if stream.ended:
                return
            if not changes:
                position = Cursor(position.seq, epoch, position.mark)
                if at_end:
                    # The topic is ahead of the log: that was restored, as the relay will notice.
                    await asyncio.sleep(RETRY_SECONDS)
                at_end = True
            elif changes[0].is_reset:
                position, reason = _reset_told(changes[0])
                epoch, at_end = position.epoch, True
                await stream.send(stream.reset_frame(reason, position))
            else:
                position = Cursor(changes[-1].seq, epoch, changes[-1].mark)
                stream.view = stream.view.knowing(plurals_told(changes))
                await stream.send(Burst(changes, epoch).encode(stream.rights, stream.view))
                at_end = not changes[-1].more

    def _attach(self, stream: Stream, position: Cursor) -> bool:
        """Attaches a stream that has got all up to `position`, unless its topic is ahead of that.

        What the topic has yet to relay up to there, the stream does not get again.
        """
        topic = self._topics.get(stream.workspace)
        if topic is None:
            topic = self._topics[stream.workspace] = Topic(stream.workspace, position)
        self._wake([stream.workspace])
        if topic.cursor.seq > position.seq:
            return False
        stream.attached, stream.sent = True, position.seq
        topic.streams.add(stream)
        return True

    def _leave(self, stream: Stream) -> None:
        stream.ended, stream.attached = True, False
        self._streams.discard(stream)
        self._unsure.discard(stream)
        others = self._by_workspace[stream.workspace]
        others.discard(stream)
        if not others:
            del self._by_workspace[stream.workspace]
        topic = self._topics.get(stream.workspace)
        if topic is not None:
            topic.streams.discard(stream)
            if not topic.streams:
                del self._topics[stream.workspace]

    def close(self) -> None:
        """Ends all streams cleanly; clients come back to whoever serves next."""
        self._closing = True
        for stream in list(self._streams):
            stream.end()


async def _start(stream: Stream, cursor: Cursor | None, head: Cursor) -> Cursor:
    """Sends `connected`; where the stream goes on from: `head` itself where nothing was missed."""
    start, frame = head, b""
    if cursor is None:
        frame = stream.connected_frame(head, resumed=False)
    else:
        frame = stream.connected_frame(Cursor(cursor.seq, head.epoch), resumed=True)
        if cursor.fingerprint not in (None, stream.rights.fingerprint):
            frame += stream.reset_frame("access", head)
        elif cursor.mark is not None or cursor.seq != head.seq:
            start = cursor
    await stream.send(frame)
    stream.greeted = True
    return start


def _reset_told(reset: Change) -> tuple[Cursor, str]:
    """Where to go on, and the reason, of a reset that api.log_read tells of."""
    told = orjson.loads(reset.native)
    return Cursor(reset.seq, told["epoch"], reset.mark), told["reason"]
