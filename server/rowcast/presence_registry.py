"""Who is present, as one process knows it: those who tell it themselves, and those of others.

Nothing here waits or sends. Times are given (of the loop's clock); what streams are to be told
gathers in `untold`, what other processes are to be told in `outbox`, both by client, so that they
hold the last state only, however fast somebody changes.

Every process hears all announcements, its own too, in one order: that of their commits. A client
may turn to one process now and to another a moment later; what it said last counts, whichever is
announced first: changes carry a time, of the wall's clock, but above every time heard of before
(Lamport, Time, Clocks, and the Ordering of Events in a Distributed System, 1978).

What was missed or not believed is found by comparing: each process says with all that it says a
digest of those who are its own, and one of which another is known here is asked for all that it
has (Demers et al., Epidemic Algorithms for Replicated Database Maintenance, 1987: anti-entropy).
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf

import orjson

from rowcast.problems import Problem

Key = tuple[str, str, str]  # workspace, account, client

ACTIVE, TYPING = "active", "typing"
EVERYBODY = ""
MAX_CLIENTS = 20  # of an account in a workspace; the one that was silent longest goes
MAX_PROCESSES = 1000  # whose payloads are not believed a second time
MAX_PEOPLE = 50_000  # that a process knows of


@dataclass(frozen=True, slots=True)
class PresencePace:
    """Seconds. present: somebody stays so long after he said so; typing: the same for typing.

    announce: at least so long between two commits that tell other processes. beat: a process that
    has people says so this often; silence: one not heard of for so long is taken for dead.
    """

    present: float = 30.0
    typing: float = 6.0
    announce: float = 0.5
    beat: float = 5.0
    silence: float = 15.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a client, as others are told of him.

    tokens: any of which lets a reader see the record. since: when he came, RFC 3339.
    """

    name: str
    record: str | None
    collection: str | None
    tokens: frozenset[str]
    state: str
    since: str


@dataclass(slots=True)
class _Entry:
    person: Person
    owner: str  # the process to which he tells it
    at: int  # when that was changed last
    told: int  # the number of the payload that said so last; 0 where it is this process


class Registry:
    """Who is present; `process` is the name of the one that holds it."""

    def __init__(self, process: str, pace: PresencePace) -> None:
        self.process = process
        self.untold: dict[Key, Person | None] = {}  # as streams know it
        self.outbox: dict[Key, int | None] = {}  # when he left, if it was not this process alone
        self.asks: set[str] = set()  # processes that are to tell all that they have; EVERYBODY
        self.asked = False  # whether this one is to tell it
        self._pace = pace
        self._entries: dict[str, dict[str, dict[str, _Entry]]] = {}
        self._count = 0
        self._mine: dict[Key, float] = {}  # until when; the next to expire first
        self._typing: dict[Key, float] = {}  # of mine; in the same order
        self._others: dict[str, float] = {}  # when they were heard of
        self._numbers: dict[str, int] = {}  # of their last payloads; also of those now silent
        self._digests: dict[str, int] = {}  # of those who tell it to a process
        self._differs: dict[str, float] = {}  # since when another's digest is not the one here
        self._left: dict[Key, int] = {}  # who left here, until this process has heard that
        self._clock = 0
        self._hearing = False

    def __len__(self) -> int:
        """How many clients are present."""
        return self._count

    @property
    def has_own(self) -> bool:
        """Whether any of them tell it to this process."""
        return bool(self._mine)

    def owned(self, key: Key) -> tuple[Person, int] | None:
        """Somebody who tells it to this process, and when that was changed last."""
        entry = self._entry(key)
        return None if entry is None or key not in self._mine else (entry.person, entry.at)

    def find(self, key: Key) -> Person | None:
        """Somebody, if he is present."""
        entry = self._entry(key)
        return None if entry is None else entry.person

    @property
    def own(self) -> list[Key]:
        """Those who tell it to this process."""
        return list(self._mine)

    def digest(self, process: str) -> int:
        """Of who tells it to a process, and of when each was changed last."""
        return self._digests.get(process, 0)

    def present(self, workspace: str) -> Iterator[tuple[Key, Person]]:
        """Who is present in a workspace."""
        for account, clients in self._entries.get(workspace, {}).items():
            for client, entry in clients.items():
                yield (workspace, account, client), entry.person

    # What clients tell

    def put(self, key: Key, person: Person, now: float, at: int) -> None:
        """Somebody is here, or still is; at: the wall clock, in milliseconds.

        Raises Problem 503 where there is no room for him.
        """
        entry = self._entry(key)
        if entry is None:
            self._make_room(key)
        else:
            person = replace(person, since=entry.person.since)
        self.keep(key, now, new=True)
        self._typing.pop(key, None)
        if person.state == TYPING:
            self._typing[key] = now + self._pace.typing
        if entry is None or entry.person != person or entry.owner != self.process:
            self._left.pop(key, None)
            self._store(key, person, self.process, self._tick(at))
            self.outbox.setdefault(key, None)

    def keep(self, key: Key, now: float, *, new: bool = False) -> None:
        """Somebody who is here stays for another while."""
        if self._mine.pop(key, None) is not None or new:
            self._mine[key] = now + self._pace.present

    def leave(self, key: Key, at: int) -> None:
        """Somebody is gone, to whichever process he told that he was here."""
        self._remove(key)  # if he is known here: elsewhere he may be before this process hears it
        self.outbox[key] = self._tick(at)
        if self._hearing:
            self._left[key] = self._clock

    def forget(self, workspace: str, account: str, at: int) -> None:
        """An account is gone from a workspace, with all its clients."""
        for client in list(self._entries.get(workspace, {}).get(account, ())):
            self.leave((workspace, account, client), at)

    def _make_room(self, key: Key) -> None:
        workspace, account, _ = key
        clients = self._entries.get(workspace, {}).get(account, {})
        mine = [k for c in clients if (k := (workspace, account, c)) in self._mine]
        if len(mine) >= MAX_CLIENTS:
            self._expire_one(min(mine, key=self._mine.__getitem__))
        elif self._count >= MAX_PEOPLE:
            raise Problem(503, "overloaded", "Too many people are present; this was not noted.")

    # Time

    def due(self) -> float | None:
        """When `expire` has something to do, if nothing else happens."""
        times = [next(iter(by_time.values())) for by_time in (self._mine, self._typing) if by_time]
        if self._hearing and self._others:
            times.append(min(self._others.values()) + self._pace.silence)
        return min(times, default=None)

    def expire(self, now: float) -> None:
        """Removes who has not said that he is still here, and what silent processes told."""
        for key in _passed(self._typing, now):
            del self._typing[key]
            entry = self._entry(key)
            assert entry is not None
            self._store(key, replace(entry.person, state=ACTIVE), self.process, self._tick())
            self.outbox.setdefault(key, None)
        for key in _passed(self._mine, now):
            self._expire_one(key)
        if not self._hearing:
            return  # silence says nothing
        for process, heard_at in list(self._others.items()):
            if heard_at + self._pace.silence <= now:
                del self._others[process]
                self._differs.pop(process, None)
                self._remove_of(process)

    def _expire_one(self, key: Key) -> None:
        self._remove(key)
        self.outbox.setdefault(key, None)

    # What other processes tell

    def connected(self, now: float) -> None:
        """From now on all is heard. What was missed, the others are to tell again."""
        self._hearing = True
        self._others = dict.fromkeys(self._others, now)
        self.asks = {EVERYBODY}

    def lost(self) -> None:
        """Nothing is heard any more; who is silent now is not taken for dead."""
        self._hearing = False
        self._left.clear()

    def heard(self, process: str, number: int, now: float) -> bool:
        """A process is alive; whether this payload of its is a new one."""
        if process == self.process:
            return True
        if number <= self._numbers.get(process, 0):
            return False
        self._numbers.pop(process, None)
        self._numbers[process] = number
        if len(self._numbers) > MAX_PROCESSES:
            del self._numbers[next(iter(self._numbers))]
        if process not in self._others:
            self._differs[process] = -inf  # it is asked at once if it has more than it says
        self._others[process] = now
        return True

    def told_here(self, process: str, key: Key, person: Person, at: int, number: int) -> None:
        """A process has announced somebody, in its payload of this number."""
        self._clock = max(self._clock, at)
        if process == self.process:
            return
        entry = self._entry(key)
        if entry is None:
            if self._left.get(key, -1) >= at or self._count >= MAX_PEOPLE:
                return
        elif (entry.at, entry.owner) > (at, process):
            return
        self._disown(key)
        self._store(key, person, process, at, number)

    def told_gone(self, process: str, key: Key, left: int | None) -> None:
        """A process has announced that somebody is gone.

        left: when he said so, or was refused, and is gone wherever he is; None: only from there.
        """
        self._clock = max(self._clock, left or 0)
        if process == self.process and left is not None and self._left.get(key) == left:
            del self._left[key]
        entry = self._entry(key)
        if entry is None:
            return
        if entry.owner == process != self.process or (left is not None and left >= entry.at):
            self._disown(key)
            self._remove(key)

    def told_all(self, process: str, digest: int, since: int | None, now: float) -> None:
        """A process has said of how many it is told, by a digest, behind all that it had to say.

        since: the number of the payload from which on it has told all of them; None: it has not. It
        is asked for them where there are others here, and not only for a moment: of somebody who
        moves, two processes think for a while that he is theirs.
        """
        if process == self.process:
            return
        if since is not None:
            self._remove_of(process, since)
        if digest == self.digest(process) or self._count >= MAX_PEOPLE:
            self._differs.pop(process, None)
        elif self._differs.setdefault(process, now) + self._pace.beat <= now:
            self._differs[process] = now
            self.asks.add(process)

    def _disown(self, key: Key) -> None:
        """Somebody is another process's now, or nobody's.

        What was announced of him by this process may be on its way; behind that it says this.
        """
        if self._mine.pop(key, None) is not None:
            self._typing.pop(key, None)
            self.outbox.setdefault(key, None)

    # Entries

    def _tick(self, at: int = 0) -> int:
        """The time of a change."""
        self._clock = max(self._clock + 1, at)
        return self._clock

    def _entry(self, key: Key) -> _Entry | None:
        workspace, account, client = key
        return self._entries.get(workspace, {}).get(account, {}).get(client)

    def _store(self, key: Key, person: Person, owner: str, at: int, told: int = 0) -> None:
        workspace, account, client = key
        entry = self._entry(key)
        if entry is None:
            self.untold.setdefault(key, None)
            clients = self._entries.setdefault(workspace, {}).setdefault(account, {})
            clients[client] = _Entry(person, owner, at, told)
            self._count += 1
        else:
            self.untold.setdefault(key, entry.person)
            self._sum(key, entry)
            entry.person, entry.owner, entry.at, entry.told = person, owner, at, told
        self._sum(key, _Entry(person, owner, at, told))

    def _remove(self, key: Key) -> None:
        workspace, account, client = key
        entry = self._entry(key)
        if entry is None:
            return
        self.untold.setdefault(key, entry.person)
        self._sum(key, entry)
        accounts = self._entries[workspace]
        del accounts[account][client]
        if not accounts[account]:
            del accounts[account]
        if not accounts:
            del self._entries[workspace]
        self._count -= 1
        self._mine.pop(key, None)
        self._typing.pop(key, None)

    def _remove_of(self, process: str, before: float = inf) -> None:
        """Removes those of another process whom it has not told of since a payload."""
        gone = [
            (workspace, account, client)
            for workspace, accounts in self._entries.items()
            for account, clients in accounts.items()
            for client, entry in clients.items()
            if entry.owner == process and entry.told < before
        ]
        for key in gone:
            self._remove(key)

    def _sum(self, key: Key, entry: _Entry) -> None:
        """Has the digest of an entry's owner hold it, or hold it no more: it is an exclusive or."""
        text = orjson.dumps([*key, entry.at])
        one = int.from_bytes(hashlib.blake2b(text, digest_size=7).digest())
        found = self._digests.pop(entry.owner, 0) ^ one
        if found:
            self._digests[entry.owner] = found


def _passed(by_time: Mapping[Key, float], now: float) -> list[Key]:
    """Those whose time has come, from the front."""
    found = []
    for key, until in by_time.items():
        if until > now:
            break
        found.append(key)
    return found
