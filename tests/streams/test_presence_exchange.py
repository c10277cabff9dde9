"""What processes tell one another of who is present: however it arrives, they come to agree."""

import random
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rowcast import presence_gossip as gossip
from rowcast.presence_exchange import (
    MAX_PAYLOAD,
    All,
    Conflict,
    Exchange,
    Gone,
    Hello,
    Here,
    Payload,
    Said,
)
from rowcast.presence_registry import EVERYBODY, Key, Person, PresencePace, Registry
from rowcast.problems import Problem

ROUNDS = 20  # of half a beat: what differs is found after a beat, asked for, and so again
PACE = PresencePace(present=100, typing=6, announce=0.5, beat=5, silence=15)
ADA = ("w", "ada", "tab")
PERSON = Person("Ada", "record", "task", frozenset({"*", "task"}), "active", "2026")


# Payloads


def test_what_is_said_arrives_as_it_was_said() -> None:
    said: list[Said] = [
        Here(ADA, PERSON, 1),
        Here(ADA, replace(PERSON, name="Zoë 🦊", record=None, tokens=frozenset()), 2),
        Gone(ADA, None),
        Gone(ADA, 3),
        Hello(EVERYBODY),
        All(2**56 - 1, None),
        All(0, 7),
        Conflict("w", "ada", None, "t", (("r", "title"), ("r", None))),
    ]
    (text,) = Exchange("one", ["new", "old"]).payloads(said)
    payload = Exchange("two", ["newer", "new"]).read(text)
    assert payload is not None
    assert (payload.process, payload.number, payload.said) == ("one", 1, said)


def test_every_payload_is_one_that_postgresql_takes() -> None:
    tokens = frozenset({"*", "task", *(f"task:{n:036}" for n in range(1000))})
    crowded = Here(ADA, replace(PERSON, name="ä" * 200, tokens=tokens), 1)
    many = Conflict("w", "ada", None, "t", tuple((f"{n:036}", "key" * 10) for n in range(1000)))
    said: list[Said] = [crowded, many, *[Here(ADA, PERSON, 1)] * 200, crowded]
    read = Exchange("two", ["s"]).read
    texts = list(Exchange("one", ["s"]).payloads(said))
    payloads = [read(text) for text in texts]
    assert max(len(text.encode()) for text in texts) <= MAX_PAYLOAD
    assert sum(len(payload.said) for payload in payloads if payload) == len(said)
    assert payloads[0] is not None
    here = payloads[0].said[0]
    assert isinstance(here, Here)
    assert {"*", "task"} < here.person.tokens < tokens, "fewer see the record, and nobody more"


@pytest.mark.parametrize(
    "text",
    ["", "x", "é" * 100, "\x00" * 30, "AAAA", "A" * 400, b64encode(b'["one",1,[]]' * 5).decode()],
)
def test_what_no_server_of_the_secret_has_written_is_left_out(text: str) -> None:
    assert Exchange("two", ["s"]).read(text) is None


def test_a_payload_is_read_with_a_secret_of_the_servers_alone_and_as_it_was_written() -> None:
    read = Exchange("two", ["new", "old"]).read
    for secret, known in (("new", True), ("old", True), ("another", False), ("", False)):
        (text,) = Exchange("one", [secret]).payloads([Hello("")])
        assert (read(text) is not None) is known
    (text,) = Exchange("one", ["new"]).payloads([Here(ADA, PERSON, 1)])
    raw = b64decode(text)
    assert b'"Ada"' not in raw
    for n in range(len(raw)):
        changed = raw[:n] + bytes([raw[n] ^ 1]) + raw[n + 1 :]
        assert read(b64encode(changed).decode()) is None
    assert read(b64encode(raw[:-1]).decode()) is None


def test_what_a_newer_version_says_is_left_out_and_the_rest_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = [b'["dance","w"]', b'["gone","w",7]', b"[]", b"[7]", b'["hello",""]', b'["here"]']
    written = iter(parts)
    monkeypatch.setattr("rowcast.presence_exchange._written", lambda said: next(written))
    (text,) = Exchange("one", ["s"]).payloads([Hello("")] * len(parts))
    payload = Exchange("two", ["s"]).read(text)
    assert payload is not None
    assert payload.said == [Hello("")]


# Processes, with a channel that each hears in one order, at its own pace


@dataclass
class World:
    """Some processes, and what was said on the channel."""

    count: int = 3
    now: float = 0.0
    channel: list[Payload] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [f"p{n}" for n in range(self.count)]
        self.processes = [Registry(name, PACE) for name in names]
        self.heard = [0] * self.count
        for process in self.processes:
            process.connected(self.now)

    def wall(self, n: int) -> int:
        """The wall clock of a process, in milliseconds: they are not the same."""
        return int(self.now * 1000) + 300 * n

    def put(self, n: int, key: Key, person: Person) -> None:
        """A client says something to a process."""
        self.processes[n].put(key, person, self.now, self.wall(n))

    def announce(self, n: int) -> None:
        """A process says what it has to say, or that it is alive, where it has people."""
        process = self.processes[n]
        if process.has_own or gossip.has_due(process):
            number = len(self.channel) + 1
            said = list(gossip.said_of(process, gossip.take_due(process), number))
            self.channel.append(Payload(process.process, number, said))

    def hear(self, n: int, count: int = 1) -> None:
        """A process hears the next of what was said."""
        for payload in self.channel[self.heard[n] :][:count]:
            self.heard[n] += 1
            gossip.hear(self.processes[n], payload, self.now)

    def wait(self, seconds: float) -> None:
        """Time goes by. Whoever hears, hears within seconds."""
        self.now += seconds
        for n in range(self.count if seconds > 1 else 0):
            self.hear(n, len(self.channel))

    def lose(self, n: int) -> None:
        """The listener of a process misses what was said up to now, and hears again."""
        self.processes[n].lost()
        self.heard[n] = len(self.channel)
        self.processes[n].connected(self.now)

    def settle(self) -> None:
        """All is said and heard, and time goes by in which nobody falls silent."""
        for _ in range(ROUNDS):
            for n in range(self.count):
                self.announce(n)
            for n in range(self.count):
                self.hear(n, len(self.channel))
            self.now += PACE.beat / 2
            for process in self.processes:
                for key in process.own:
                    process.keep(key, self.now)
                process.expire(self.now)

    def shown(self, n: int) -> dict[Key, Person]:
        """Who is present, as a process knows it."""
        return dict(self.processes[n].present("w"))


@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.booleans())
@example(9498, True)
@example(37992, True)
@example(3365601, True)
@example(1626223, True)
def test_processes_come_to_agree_on_who_is_present_and_where(seed: int, cuts: bool) -> None:
    """Clients go from one to another, leave, fall silent; announcements and hearing are late."""
    rng = random.Random(seed)
    world = World()
    keys = [("w", account, "tab") for account in "abcd"]
    records = ["r1", "r2", None]
    for _ in range(rng.randrange(5, 60)):
        n = rng.randrange(3)
        process = world.processes[n]
        match rng.randrange(9 if cuts else 8):
            case 0 | 1 | 2:
                state = rng.choice(["active", "typing", "idle"])
                person = replace(PERSON, record=rng.choice(records), state=state)
                world.put(n, rng.choice(keys), person)
            case 3:
                process.leave(rng.choice(keys), world.wall(n))
            case 4 | 5:
                world.announce(n)
            case 6:
                world.hear(n, rng.randrange(1, 6))
            case 7:
                world.wait(rng.choice([0.1, 7.0, 60.0]))
                process.expire(world.now)
            case _:
                world.lose(n)
    world.settle()
    first, *others = (world.shown(n) for n in range(3))
    assert all(other == first for other in others)
    for key in first:
        assert sum(process.owned(key) is not None for process in world.processes) == 1, key


def two() -> World:
    """Two processes that know of one another, and Ada at the first."""
    world = World(2)
    world.put(0, ADA, PERSON)
    world.settle()
    assert world.shown(1) == {ADA: PERSON}
    for process in world.processes:
        process.untold.clear()
    return world


def test_who_tells_it_to_another_process_moves_there_without_leaving() -> None:
    world = two()
    world.put(1, ADA, PERSON)
    world.settle()
    assert [process.owned(ADA) is None for process in world.processes] == [True, False]
    changes = [process.untold.get(ADA, PERSON) for process in world.processes]
    assert changes == [PERSON, PERSON]
    world.processes[0].expire(world.now + 1)
    assert world.shown(0) == {ADA: PERSON}, "only the other one lets her expire"


@pytest.mark.parametrize("first", [0, 1])
def test_what_a_client_said_last_counts_whichever_process_announces_it_first(first: int) -> None:
    world = two()
    world.put(0, ADA, replace(PERSON, record="before"))
    world.now += 1
    world.put(1, ADA, replace(PERSON, record="after"))
    world.announce(first)
    world.announce(1 - first)
    world.settle()
    assert [world.shown(n)[ADA].record for n in range(2)] == ["after", "after"]


def test_who_leaves_at_a_process_that_has_not_heard_of_him_leaves() -> None:
    world = two()
    bob = ("w", "bob", "tab")
    world.put(0, bob, PERSON)
    world.announce(0)
    world.processes[1].leave(bob, world.wall(1))
    world.settle()
    assert [set(world.shown(n)) for n in range(2)] == [{ADA}, {ADA}]


def test_a_process_that_is_silent_loses_its_people_once() -> None:
    world = two()
    other = world.processes[1]
    due = other.due()
    assert due is not None
    assert due <= world.now + PACE.silence
    other.expire(due)
    assert other.untold == {ADA: PERSON}
    assert (world.shown(1), other.outbox) == ({}, {}), "and it tells nobody"
    other.untold.clear()
    other.expire(due + 100)
    assert other.untold == {}


def test_a_process_that_was_taken_for_dead_is_asked_for_its_people() -> None:
    world = two()
    other = world.processes[1]
    other.expire(world.now + PACE.silence)
    world.settle()
    assert world.shown(1) == {ADA: PERSON}


def test_a_process_that_was_idle_and_comes_back_makes_nobody_else_say_anything() -> None:
    world = World()
    world.put(0, ADA, PERSON)
    world.put(1, ("w", "bob", "tab"), PERSON)
    world.settle()
    world.processes[1].leave(("w", "bob", "tab"), world.wall(1))
    world.announce(1)
    for _ in range(8):
        world.announce(0)
        world.wait(PACE.beat)
        for process in world.processes:
            process.keep(ADA, world.now)
            process.expire(world.now)
    world.put(1, ("w", "bob", "tab"), PERSON)
    told = len(world.channel)
    world.settle()
    said = [s for payload in world.channel[told:] for s in payload.said if isinstance(s, Here)]
    assert {one.key for one in said} == {("w", "bob", "tab")}, "and nobody Ada"
    assert len(world.shown(2)) == 2


@pytest.mark.parametrize("moved", [True, False])
def test_what_was_not_heard_without_anybody_noticing_is_found_by_the_digest(moved: bool) -> None:
    world = two()
    world.put(0, ("w", "bob", "tab"), PERSON)  # so that it goes on to give signs of life
    world.settle()
    if moved:
        world.put(0, ADA, replace(PERSON, record="another"))
    else:
        world.processes[0].leave(ADA, world.wall(0))
    world.announce(0)
    world.heard[1] = len(world.channel)
    world.settle()
    assert world.shown(1) == world.shown(0)


def test_a_process_that_comes_back_with_more_than_it_says_is_asked_at_once() -> None:
    world = two()
    world.processes[1].expire(world.now + PACE.silence)
    assert world.shown(1) == {}
    world.announce(0)
    world.hear(1, len(world.channel))
    assert world.processes[1].asks == {"p0"}


def test_who_moves_makes_no_process_ask_another_for_all_that_it_has() -> None:
    world = two()
    world.put(1, ADA, replace(PERSON, record="another"))
    world.announce(1)
    world.put(0, ("w", "bob", "tab"), PERSON)
    world.announce(0)  # it has not heard that she moved
    said = len(world.channel)
    world.settle()
    assert not [s for payload in world.channel[said:] for s in payload.said if isinstance(s, Hello)]


def test_who_moved_and_left_is_gone_though_he_is_announced_late_by_the_process_he_was_at() -> None:
    world = World()
    bob = ("w", "bob", "tab")
    world.put(0, ADA, PERSON)
    world.settle()
    world.put(0, bob, PERSON)
    world.now += 1
    world.put(1, bob, PERSON)
    world.announce(1)
    world.processes[1].expire(world.now + PACE.present)
    world.announce(1)
    world.announce(0)
    world.hear(0, len(world.channel))
    world.announce(0)
    world.hear(2, len(world.channel))
    assert set(world.shown(2)) == {ADA}, "with no time gone by"


def test_who_left_is_not_told_as_joined_again_before_all_have_heard_that_he_left() -> None:
    world = two()
    bob = ("w", "bob", "tab")
    here = world.processes[1]
    world.put(0, bob, PERSON)
    world.announce(0)
    here.leave(bob, world.wall(1))
    world.announce(1)  # so that it is not in what is to be said any more
    world.hear(1, 1)
    assert (world.shown(1), here.untold.get(bob)) == ({ADA: PERSON}, None)
    world.settle()
    assert [set(world.shown(n)) for n in range(2)] == [{ADA}, {ADA}]
    world.put(0, bob, PERSON)
    world.settle()
    assert [set(world.shown(n)) for n in range(2)] == [{ADA, bob}, {ADA, bob}]
    assert not here._left, "and nothing is kept"


def test_while_nothing_is_heard_nobody_is_taken_for_dead() -> None:
    world = two()
    other = world.processes[1]
    other.lost()
    other.expire(world.now + 1000)
    assert world.shown(1) == {ADA: PERSON}
    other.connected(world.now + 1000)
    other.expire(world.now + 1000 + PACE.silence - 1)
    assert world.shown(1) == {ADA: PERSON}, "the others have time to tell it again"
    other.expire(world.now + 1000 + PACE.silence)
    assert world.shown(1) == {}


def test_what_a_process_had_said_before_is_not_believed_a_second_time() -> None:
    world = two()
    world.processes[0].leave(ADA, world.wall(0))
    world.settle()
    assert world.shown(1) == {}
    for payload in world.channel:
        if payload.process == "p0":
            assert not world.processes[1].heard("p0", payload.number, world.now)


def test_what_was_said_last_counts_however_wrong_the_clock_of_a_process_is() -> None:
    world = two()
    hour = 3_600_000
    ahead, right = world.processes
    ahead.put(ADA, replace(PERSON, record="before"), world.now, world.wall(0) + hour)
    world.settle()
    assert world.shown(1)[ADA].record == "before"
    world.put(1, ADA, replace(PERSON, record="after"))
    world.settle()
    assert [world.shown(n)[ADA].record for n in range(2)] == ["after", "after"]
    ahead.put(ADA, replace(PERSON, record="again"), world.now, world.wall(0) + hour)
    world.settle()
    right.leave(ADA, world.wall(1))
    world.settle()
    assert [world.shown(n) for n in range(2)] == [{}, {}]


def test_there_is_an_end_to_the_people_that_a_process_knows_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rowcast.presence_registry.MAX_PEOPLE", 2)
    world = two()
    world.put(0, ("w", "bob", "tab"), PERSON)
    world.settle()
    for process in range(2):
        with pytest.raises(Problem) as refused:
            world.put(process, ("w", "eve", "tab"), PERSON)
        assert (refused.value.status, refused.value.code) == (503, "overloaded")
    there = Here(("w", "eve", "tab"), PERSON, 9)
    world.channel.append(Payload("p9", 1, [there, All(7, None)]))
    for n in range(2):
        world.hear(n, len(world.channel))
        assert set(world.shown(n)) == {ADA, ("w", "bob", "tab")}
        assert len(world.processes[n]) == 2
        assert not world.processes[n].asks, "for what it could not keep"
    world.put(1, ADA, replace(PERSON, record="another"))
    world.settle()
    assert world.shown(0)[ADA].record == "another", "who is there may still move"
