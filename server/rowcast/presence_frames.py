"""What a reader sees of somebody present, and the events that tell of it.

As for changes of records tokens are compared here, and nothing is decided. An event is made once
for all who see the same of it.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from rowcast.frames import View
from rowcast.presence_registry import ACTIVE, TYPING, Key, Person

Sight = tuple[str | None, str]  # record and state; no record where he is on none that is seen


def sight(person: Person | None, tokens: frozenset[str], view: View) -> Sight | None:
    """What a reader with these tokens sees of somebody; None where he sees nobody.

    A narrowed view shows who is on its records, or on a record of its collections.
    """
    if person is None:
        return None
    record = None if tokens.isdisjoint(person.tokens) else person.record
    if view.records is not None and record not in view.records:
        return None
    if view.collections is not None and (
        record is None or person.collection not in view.collections
    ):
        return None
    return record, person.state


def shown(key: Key, person: Person, seen: Sight) -> dict[str, Any]:
    """Somebody present, as clients are shown him."""
    _, account, client = key
    record, state = seen
    return {
        "account": {"id": account, "name": person.name},
        "clientId": client,
        "recordId": record,
        "state": state,
    }


def frame(event: str, data: Mapping[str, Any]) -> bytes:
    """An event that carries no id."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), orjson.dumps(data))


class News:
    """What has changed of somebody, who is `before` as streams know it; None: not present."""

    def __init__(self, key: Key, before: Person | None, after: Person | None) -> None:
        self._key = key
        self._before, self._after = before, after
        self._frames: dict[tuple[Sight | None, Sight | None], bytes] = {}

    def told(self, tokens: frozenset[str], view: View) -> bytes:
        """The event for a reader; nothing where all that he sees is as it was."""
        seen = sight(self._before, tokens, view), sight(self._after, tokens, view)
        if seen not in self._frames:
            self._frames[seen] = self._event(*seen)
        return self._frames[seen]

    def _event(self, before: Sight | None, after: Sight | None) -> bytes:
        if before == after:
            return b""
        if before is None:
            return self._presence("joined", after)
        if after is None:
            return self._presence("left", before)
        if before[0] == after[0] and after[1] == TYPING:
            return self._typing(after, True)
        if before[0] == after[0] and (before[1], after[1]) == (TYPING, ACTIVE):
            return self._typing(after, False)
        return self._presence("changed", after)

    def _presence(self, change: str, seen: Sight | None) -> bytes:
        person = self._after or self._before
        assert person is not None
        assert seen is not None
        return frame(
            "presence",
            {"workspaceId": self._key[0], "change": change, **shown(self._key, person, seen)},
        )

    def _typing(self, seen: Sight, typing: bool) -> bytes:
        assert self._after is not None
        data = shown(self._key, self._after, seen)
        del data["state"]
        return frame("typing", {"workspaceId": self._key[0], **data, "typing": typing})
