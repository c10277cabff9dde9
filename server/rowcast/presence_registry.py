"""Who is present, as one process knows it: those who tell it themselves, and those of others.

Nothing here waits or sends. Times are given (of the loop's clock); what streams are to be told
gathers in `untold`, what other processes are to be told in `outbox`, both by client, so that they
hold the last state only, however fast somebody changes.

Every process hears all announcements, its own too, in one order: that of their commits. A client
may turn to one process now and to another a moment later; what it said last counts, whichever is
announced first: changes carry a time, of the wall's clock, but above every time heard of before
(Lamport, Time, Clocks, and the Ordering of Events in a Distributed System, 1978).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rowcast.problems import Problem

Key = tuple[str, str, str]  # workspace, account, client

ACTIVE, TYPING = "active", "typing"
EVERYBODY = ""
MAX_CLIENTS = 20  # of an account in a workspace; the one that was silent longest goes
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


@dataclass(frozen=True, slots=True)
class _Heard:
    at: float
    number: int  # of the last payload


class Registry:
    """Who is present; `process` is the name of the one that holds it."""

    def __init__(self, process: str, pace: PresencePace) -> None:
        self.process = process
        self.untold: dict[Key, Person | None] = {}  # as streams know it
        self.outbox: dict[Key, int | None] = {}  # when he left, if it was not this process alone
        self.asks: set[str] = set()  # processes that are to tell all that they have; EVERYBODY
        self._pace = pace
        self._entries: dict[str, dict[str, dict[str, _Entry]]] = {}
        self._count = 0
        self._mine: dict[Key, float] = {}  # until when; the next to expire first
        self._typing: dict[Key, float] = {}  # of mine; in the same order
        self._others: dict[str, _Heard] = {}
        self._clock = 0
        self._doubted: set[Key] = set()
        self._doubted_until: float | None = None
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
        if self._hearing:
            if self._others:
                times.append(min(h.at for h in self._others.values()) + self._pace.silence)
            if self._doubted_until is not None:
                times.append(self._doubted_until)
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
        for process, heard in list(self._others.items()):
            if heard.at + self._pace.silence <= now:
                del self._others[process]
                for key in [k for k, entry in self._all() if entry.owner == process]:
                    self._remove(key)
        if self._doubted_until is not None and self._doubted_until <= now:
            self._doubted_until = None
            for key in list(self._doubted):
                self._remove(key)
            self.say_all()  # what others said of mine meanwhile was not heard

    def _expire_one(self, key: Key) -> None:
        self._remove(key)
        self.outbox.setdefault(key, None)

    # What other processes tell

    def connected(self, now: float) -> None:
        """From now on all is heard. What was missed, the others are to tell again.

        Those of mine who moved meanwhile are told of with it; the rest is announced again, later.
        """
        self._hearing = True
        self._others = {p: _Heard(now, heard.number) for p, heard in self._others.items()}
        self.asks = {EVERYBODY}
        self._doubted = {key for key, _ in self._all() if key not in self._mine}
        self._doubted_until = now + self._pace.silence

    def lost(self) -> None:
        """Nothing is heard any more; who is silent now is not taken for dead."""
        self._hearing = False

    def heard(self, process: str, number: int, now: float) -> bool:
        """A process is alive; whether this payload of its is a new one.

        One that is new here, or was silent for so long that it was taken for dead, is asked for all
        that it has.
        """
        if process != self.process:
            last = self._others.get(process)
            if last is not None and number <= last.number:
                return False
            self._others[process] = _Heard(now, number)
            if last is None and EVERYBODY not in self.asks:
                self.asks.add(process)
        return True

    def say_all(self) -> None:
        """Has all who are here announced again, for a process that asks."""
        for key in self._mine:
            self.outbox.setdefault(key, None)

    def told_here(self, process: str, key: Key, person: Person, at: int) -> None:
        """A process has announced somebody."""
        self._clock = max(self._clock, at)
        entry = self._entry(key)
        mine = key in self._mine
        if process == self.process and mine:
            return
        if entry is not None and (entry.at, entry.owner) > (at, process):
            if mine:
                self.outbox.setdefault(key, None)  # it was announced before that, or not yet
            return
        left = self.outbox.get(key)
        if (left is not None and left >= at) or (entry is None and self._count >= MAX_PEOPLE):
            return
        self._mine.pop(key, None)
        self._typing.pop(key, None)
        self._store(key, person, process, at)
        if process == self.process:
            self.outbox.setdefault(key, None)  # he has gone since: all who hear this hear that, too

    def told_gone(self, process: str, key: Key, left: int | None) -> None:
        """A process has announced that somebody is gone.

        left: when he said so, or was refused, and is gone wherever he is; None: only from there.
        """
        self._clock = max(self._clock, left or 0)
        entry = self._entry(key)
        mine = key in self._mine
        if entry is None or (process == self.process and mine):
            return
        if entry.owner == process or (left is not None and left >= entry.at):
            self._remove(key)
            if mine:
                self.outbox.setdefault(key, None)  # what was announced of him is on its way

    # Entries

    def _tick(self, at: int = 0) -> int:
        """The time of a change."""
        self._clock = max(self._clock + 1, at)
        return self._clock

    def _entry(self, key: Key) -> _Entry | None:
        workspace, account, client = key
        return self._entries.get(workspace, {}).get(account, {}).get(client)

    def _all(self) -> Iterator[tuple[Key, _Entry]]:
        for workspace, accounts in self._entries.items():
            for account, clients in accounts.items():
                for client, entry in clients.items():
                    yield (workspace, account, client), entry

    def _store(self, key: Key, person: Person, owner: str, at: int) -> None:
        workspace, account, client = key
        self._doubted.discard(key)
        entry = self._entry(key)
        if entry is None:
            self.untold.setdefault(key, None)
            clients = self._entries.setdefault(workspace, {}).setdefault(account, {})
            clients[client] = _Entry(person, owner, at)
            self._count += 1
        else:
            self.untold.setdefault(key, entry.person)
            entry.person, entry.owner, entry.at = person, owner, at

    def _remove(self, key: Key) -> None:
        workspace, account, client = key
        entry = self._entry(key)
        if entry is None:
            return
        self.untold.setdefault(key, entry.person)
        accounts = self._entries[workspace]
        del accounts[account][client]
        if not accounts[account]:
            del accounts[account]
        if not accounts:
            del self._entries[workspace]
        self._count -= 1
        self._mine.pop(key, None)
        self._typing.pop(key, None)
        self._doubted.discard(key)


def _passed(by_time: Mapping[Key, float], now: float) -> list[Key]:
    """Those whose time has come, from the front."""
    found = []
    for key, until in by_time.items():
        if until > now:
            break
        found.append(key)
    return found
