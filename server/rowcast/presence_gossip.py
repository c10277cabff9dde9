"""Between what a process knows and what is said: what it has to say, and what it makes of the rest.

Nothing here waits or sends; see presence.py for that.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rowcast.presence_exchange import All, Conflict, Gone, Hello, Here, Payload, Said
from rowcast.presence_registry import EVERYBODY, Key, Registry


@dataclass(frozen=True, slots=True)
class Due:
    """What a registry has to say, taken out of it."""

    outbox: dict[Key, int | None]
    asks: set[str]
    asked: bool


def has_due(registry: Registry) -> bool:
    """Whether there is something to say, beside that the process is alive."""
    return bool(registry.outbox or registry.asks or registry.asked)


def take_due(registry: Registry) -> Due:
    """Takes out what is to be said."""
    due = Due(registry.outbox, registry.asks, registry.asked)
    registry.outbox, registry.asks, registry.asked = {}, set(), False
    return due


def put_back(registry: Registry, due: Due) -> None:
    """What could not be said is to be said, as it then is."""
    for key, left in due.outbox.items():
        if registry.outbox.setdefault(key, left) is None:
            registry.outbox[key] = left
    registry.asks |= due.asks
    registry.asked |= due.asked


def said_of(registry: Registry, due: Due, number: int) -> Iterator[Said]:
    """What to say in one commit; number: of its first payload. Each has a digest at its end."""
    yield from map(Hello, due.asks)
    for key in dict.fromkeys([*due.outbox, *(registry.own if due.asked else ())]):
        here = registry.owned(key)
        yield Gone(key, due.outbox.get(key)) if here is None else Here(key, *here)
    yield All(registry.digest(registry.process), number if due.asked else None)


def hear(registry: Registry, payload: Payload, now: float) -> list[Conflict]:
    """Has a registry know what was said; the conflicts of which streams are to be told."""
    process, number = payload.process, payload.number
    conflicts: list[Conflict] = []
    if not registry.heard(process, number, now):
        return conflicts
    for said in payload.said:
        match said:
            case Here(key, person, at):
                registry.told_here(process, key, person, at, number)
            case Gone(key, left):
                registry.told_gone(process, key, left)
            case All(digest, since):
                registry.told_all(process, digest, since, now)
            case Hello(asked):
                if process != registry.process and asked in (EVERYBODY, registry.process):
                    registry.asked = True
            case Conflict():
                if process != registry.process:
                    conflicts.append(said)
    return conflicts
