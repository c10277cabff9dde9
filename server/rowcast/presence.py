"""Who is in a workspace and on which record, over all processes.

Somebody is present as long as his client says so, and that is kept in memory: a sign of life costs
a look at his rights, and nobody hears of it. What changes is told to the streams of this process at
once, and to the other processes by notifications, many changes in one; see presence_registry.py for
who is present, presence_gossip.py and presence_exchange.py for what processes say.
"""

import asyncio
import hashlib
import secrets
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

from rowcast import logs
from rowcast import presence_gossip as gossip
from rowcast.frames import View
from rowcast.gateway import Call, Gateway, missing_function
from rowcast.hub import Hub
from rowcast.identity import Actor
from rowcast.presence_exchange import Conflict, Exchange
from rowcast.presence_frames import News, frame, shown, sight
from rowcast.presence_registry import Key, Person, PresencePace, Registry
from rowcast.problems import Problem
from rowcast.stream import Stream

MAX_CONFLICTS = 100  # that one event names
MAX_WAITING = 1000  # refused writes of which is still to be told
_FORMS = frozenset({"native", "record", "todo"})  # of streams that get these events

log = logs.get("rowcast.presence")


class Presence:
    """Presence in one process; `run` must be running."""

    def __init__(self, hub: Hub, gateway: Gateway, keys: Sequence[str], pace: PresencePace) -> None:
        process = secrets.token_hex(8)
        self.pace = pace
        self._hub = hub
        self._gateway = gateway
        self._registry = Registry(process, pace)
        self._exchange = Exchange(process, keys)
        self._conflicts: deque[Conflict] = deque(maxlen=MAX_WAITING)  # to tell streams
        self._conflicts_out: deque[Conflict] = deque(maxlen=MAX_WAITING)  # and other processes
        self._changed = asyncio.Event()
        self._said = asyncio.Event()

    @property
    def count(self) -> int:
        """How many clients are present, as far as this process knows."""
        return len(self._registry)

    # Clients

    async def put(
        self, actor: Actor, workspace: str, client: str | None, record: str | None, state: str
    ) -> dict[str, Any]:
        """Somebody is here; what to answer him. Who is refused is gone. Raises Problem."""
        key = workspace, actor.account, client or _own_client(actor)
        found = await self._enter(actor, key, record)
        person = Person(
            found["account"]["name"],
            found["recordId"],
            found["collection"],
            frozenset(found["tokens"] or ()),
            state,
            datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        self._registry.put(key, person, _now(), _wall())
        self._wake()
        return {
            "clientId": key[2],
            "recordId": person.record,
            "state": state,
            "expiresIn": int(self.pace.present),
        }

    async def leave(self, actor: Actor, workspace: str, client: str | None) -> dict[str, Any]:
        """Somebody is gone; what to answer him. Raises Problem."""
        key = workspace, actor.account, client or _own_client(actor)
        await self._enter(actor, key, None)
        self._registry.leave(key, _wall())
        self._wake()
        return {"clientId": key[2]}

    async def present(self, actor: Actor, workspace: str) -> dict[str, Any]:
        """Who is present, as somebody may see it. Raises Problem."""
        tokens = frozenset((await self._ask(actor, workspace, None))["read"])
        found = []
        for key, person in self._registry.present(workspace):
            seen = sight(person, tokens, View())
            assert seen is not None  # whoever is present is seen, if perhaps on no record
            found.append({**shown(key, person, seen), "since": person.since})
        return {"present": sorted(found, key=lambda one: one["since"]), "nextCursor": None}

    async def _enter(self, actor: Actor, key: Key, record: str | None) -> Any:
        """What the database knows of somebody. Who is refused is gone. Raises Problem."""
        try:
            return await self._ask(actor, key[0], record)
        except Problem as problem:
            if problem.code == "unknown_workspace":
                self.forget(key[0], key[1])
            elif problem.status == 401:
                self._registry.leave(key, _wall())
                self._wake()
            elif problem.status == 503:
                self._registry.keep(key, _now())  # nobody is gone because the database is away
            raise

    async def _ask(self, actor: Actor, workspace: str, record: str | None) -> Any:
        function = self._gateway.functions.get("presence_enter")
        if function is None:
            raise missing_function("presence_enter")
        arguments = "{}" if record is None else orjson.dumps({"recordId": record}).decode()
        call = Call(function, actor.account, arguments, workspace=workspace, session=actor.session)
        return orjson.loads((await self._gateway.read(call)).body)

    def forget(self, workspace: str, account: str) -> None:
        """An account may no longer be in a workspace."""
        self._registry.forget(workspace, account, _wall())
        self._wake()

    def refused(
        self,
        workspace: str,
        account: str,
        client: str | None,
        transaction: str,
        conflicts: Iterable[dict[str, Any]],
    ) -> None:
        """A write was refused with conflicts, of which the author's other clients are told."""
        named = [
            (str(one["recordId"]), None if one["key"] is None else str(one["key"])[:1000])
            for one in conflicts
        ]
        conflict = Conflict(workspace, account, client, transaction, tuple(named[:MAX_CONFLICTS]))
        self._conflicts.append(conflict)
        self._conflicts_out.append(conflict)
        self._wake()

    # Other processes

    def connected(self) -> None:
        """The listener hears, from now on."""
        self._registry.connected(_now())
        self._wake()

    def lost(self) -> None:
        """The listener hears nothing any more."""
        self._registry.lost()

    def heard(self, text: str) -> None:
        """Takes a notification, whatever it holds."""
        payload = self._exchange.read(text)
        if payload is not None:
            self._conflicts.extend(gossip.hear(self._registry, payload, _now()))
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        if self._has_to_say():
            self._said.set()

    # Telling

    async def run(self) -> None:
        """Tells streams and other processes until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tell_streams())
            group.create_task(self._tell_processes(group))

    async def _tell_streams(self) -> None:
        while True:
            await _woken(self._changed, self._registry.due())
            self._registry.expire(_now())
            if self._has_to_say():
                self._said.set()
            await self._deliver_people()
            while self._conflicts:
                await self._deliver_conflict(self._conflicts.popleft())

    async def _deliver_people(self) -> None:
        """Tells each stream what has changed of what it may see. No task runs in between."""
        untold, self._registry.untold = self._registry.untold, {}
        news: dict[str, list[News]] = {}
        for key, before in untold.items():
            after = self._registry.find(key)
            if before != after:
                news.setdefault(key[0], []).append(News(key, before, after))
        for workspace, some in news.items():
            chunks: dict[tuple[frozenset[str], View], bytes] = {}
            for stream in self._streams(workspace):
                view = stream.rights.tokens, stream.view
                if view not in chunks:
                    chunks[view] = b"".join(one.told(*view) for one in some)
                if chunks[view]:
                    await stream.aside(chunks[view])

    async def _deliver_conflict(self, conflict: Conflict) -> None:
        data = {
            "workspaceId": conflict.workspace,
            "transactionId": conflict.transaction,
            "conflicts": [{"recordId": record, "key": key} for record, key in conflict.conflicts],
        }
        event = frame("conflict-detected", data)
        for stream in self._streams(conflict.workspace):
            if stream.rights.account == conflict.account and stream.client != conflict.client:
                await stream.aside(event)

    def _streams(self, workspace: str) -> list[Stream]:
        streams = self._hub.streams_of(workspace)
        return [stream for stream in streams if not _FORMS.isdisjoint(stream.view.forms)]

    async def _tell_processes(self, group: asyncio.TaskGroup) -> None:
        """What has gathered goes out at once, or when the last commit is long enough ago."""
        beat_at = 0.0
        while True:
            await _woken(self._said, beat_at if self._registry.has_own else None)
            if self._registry.has_own or self._has_to_say():
                await self._announce(group)
                beat_at = _now() + self.pace.beat
                await asyncio.sleep(self.pace.announce)

    def _has_to_say(self) -> bool:
        return bool(gossip.has_due(self._registry) or self._conflicts_out)

    async def _announce(self, group: asyncio.TaskGroup) -> None:
        """One commit. What could not be said stays to be said, as it then is."""
        due = gossip.take_due(self._registry)
        conflicts = list(self._conflicts_out)
        self._conflicts_out.clear()
        said = [*conflicts, *gossip.said_of(self._registry, due, self._exchange.next)]
        telling = group.create_task(self._tell(list(self._exchange.payloads(said))))
        await asyncio.wait({telling}, timeout=self.pace.beat / 2)
        failure = telling.result() if telling.done() else "timeout"
        # psycopg takes seconds to give a stalled connection up. Who waits for that is silent for so
        # long that others take it for dead; so nobody does, and the next try has another one.
        telling.cancel()
        if failure is not None:
            log.warning("presence not announced", code=failure)
            gossip.put_back(self._registry, due)
            self._conflicts_out.extendleft(reversed(conflicts))
            self._said.set()

    async def _tell(self, texts: list[str]) -> str | None:
        """Sends payloads; the code of the problem where that failed."""
        try:
            await self._gateway.fetch("select trusted.presence_tell(%s)", (texts,))
        except Problem as problem:
            return problem.code
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()


def _wall() -> int:
    return time.time_ns() // 1_000_000


async def _woken(event: asyncio.Event, at: float | None) -> None:
    """Waits for an event, or for a time of the loop's clock."""
    with suppress(TimeoutError):
        async with asyncio.timeout_at(at):
            await event.wait()
    event.clear()


def _own_client(actor: Actor) -> str:
    """The one client of a session that names none (of the account, where there is no session)."""
    return hashlib.sha256(f"client {actor.session or actor.account}".encode()).hexdigest()[:32]
