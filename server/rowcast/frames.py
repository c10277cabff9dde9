"""What streams carry: cursors, rights, changes, and their bytes.

Each form of an event is encoded once, and shared by all who get it. Here sets of tokens are
compared, and nothing is decided: rights come from api.stream_rights, the tokens of a record from
api.log_read.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from rowcast.problems import Problem

NATIVE = "native"
_FOR_ALL_MEMBERS = ("member-", "workspace-updated", "schema-changed")

# seq, epoch, mark (empty at the start of a log), fingerprint
_EVENT_ID = re.compile(r"[0-9]{1,18}-[0-9a-f]{0,8}-[0-9a-f]{0,8}-[0-9a-f]{0,8}")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log of a workspace, which proves itself (see logic.log_verdict).

    None stands for what a bare `?since=` does not say. fingerprint: of account and rights.
    """

    seq: int
    epoch: str | None = None
    mark: str | None = None
    fingerprint: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Reads an event id. Raises Problem 422 for what is none."""
        if not _EVENT_ID.fullmatch(text):
            raise Problem(422, "invalid_cursor", "This is no event id of this server.")
        seq, epoch, mark, fingerprint = text.split("-")
        return cls(int(seq), epoch, mark, fingerprint)

    def head(self) -> bytes:
        """The event id up to the fingerprint, which differs from reader to reader."""
        return f"{self.seq}-{(self.epoch or '')[:8]}-{self.mark or ''}-".encode()


Holder = tuple[str, str, str | None]  # whose rights: workspace, account, session


@dataclass(frozen=True, slots=True)
class Rights:
    """What a stream may get: its account's tokens, as long as its session holds."""

    account: str
    tokens: frozenset[str]
    fingerprint: str
    session: str | None


@dataclass(frozen=True, slots=True)
class View:
    """What a stream wants: the forms of its events, and perhaps only some collections or records.

    In each form a change is one event, or none; with several they follow one another.
    """

    forms: tuple[str, ...] = (NATIVE,)
    collections: frozenset[str] | None = None
    records: frozenset[str] | None = None

    def knowing(self, plurals: Mapping[str, str]) -> "View":
        """The same, where collections it asked for by plural have come to be."""
        if self.collections is None or self.collections.isdisjoint(plurals):
            return self
        keys = {plurals[name] for name in self.collections if name in plurals}
        return replace(self, collections=self.collections | keys)


@dataclass(frozen=True, slots=True)
class Change:
    """A row of api.log_read. Texts that only pass through are bytes."""

    workspace: str
    seq: int
    mark: str
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
    more: bool

    @property
    def is_reset(self) -> bool:
        """Whether it says that the cursor can't be continued; native says why."""
        return self.event == "reset"

    @property
    def is_access(self) -> bool:
        """Whether it is a change of members or roles."""
        return self.collection is None and self.event.startswith(
            ("member-", "role-", "workspace-deleted")
        )

    def may_touch(self, account: str) -> bool:
        """Whether an account's rights may differ from here on."""
        return self.is_access and self.account in (None, account)


def plurals_told(changes: Sequence[Change]) -> dict[str, str]:
    """The keys of collections by their plurals, of which changes of the schema tell."""
    return {
        told["plural"]: told["collection"]
        for change in changes
        if change.collection is None and change.event == "schema-changed"
        for told in [orjson.loads(change.native)]
    }


class Burst:
    """Changes that follow one another in one log, encoded once for all who get the same of them."""

    def __init__(self, changes: Sequence[Change], epoch: str | None) -> None:
        self._changes = changes
        self._epoch = epoch
        self._actors = {change.actor for change in changes}
        self._chunks: dict[tuple[View, str, int], bytes] = {}
        self._pieces: dict[tuple[View, frozenset[str], str, int], list[bytes]] = {}

    def encode(self, rights: Rights, view: View, seen: int = 0) -> bytes:
        """What a reader who knows all up to `seen` gets: one piece of the stream, or nothing."""
        start = max(0, seen + 1 - self._changes[0].seq)
        key = (view, rights.fingerprint, start)
        chunk = self._chunks.get(key)
        if chunk is None:
            pieces = self._pieces_for(rights, view, start)
            chunk = rights.fingerprint.encode().join(pieces) if len(pieces) > 1 else b""
            self._chunks[key] = chunk
        return chunk

    def _pieces_for(self, rights: Rights, view: View, start: int) -> list[bytes]:
        """The bytes between the fingerprints: all that does not differ from reader to reader."""
        account = rights.account if rights.account in self._actors else ""
        key = (view, rights.tokens, account, start)
        pieces = self._pieces.get(key)
        if pieces is None:
            pieces = self._pieces[key] = [b""]
            for change in self._changes[start:]:
                events = _events(change, rights.tokens, view)
                if not events and account and change.actor == account:
                    # Its author waits for this seq, although the change is not for this stream.
                    events = [b'event: cursor\ndata: {"seq": %d}\n\n' % change.seq]
                if events:
                    # With several the last has the id: who is lost between them gets all again.
                    place = b"id: " + Cursor(change.seq, self._epoch, change.mark).head()
                    pieces[-1] += b"".join(events[:-1]) + place
                    pieces.append(b"\n" + events[-1])
        return pieces


def _events(change: Change, tokens: frozenset[str], view: View) -> list[bytes]:
    """What a reader gets of a change, as fields of an event stream, in each form that says it."""
    events = []
    for form in view.forms:
        shown = _shown(change, tokens, view, form)
        if shown is not None:
            name, data = shown
            event = b"event: " + name.encode() + b"\n" if name else b""
            events.append(event + b"data: " + data + b"\n\n")
    return events


def _shown(
    change: Change, tokens: frozenset[str], view: View, form: str
) -> tuple[str | None, bytes] | None:
    """Name and data of what a reader gets of a change in one form; None: nothing."""
    native = form in (NATIVE, "record")
    if change.collection is None:
        visible = native and change.event.startswith(_FOR_ALL_MEMBERS)
        return (change.event, change.native) if visible else None
    if view.collections is not None and change.collection not in view.collections:
        return None
    if view.records is not None and change.record not in view.records:
        return None
    after = change.after is not None and not tokens.isdisjoint(change.after)
    before = change.before is not None and not tokens.isdisjoint(change.before)
    if after and form != NATIVE:
        # These forms show the record of today, which may have left the reader's sight again.
        if change.today is None or tokens.isdisjoint(change.today):
            return None
        return change.forms.get(form)
    if after:
        return change.event, change.native if before else change.whole or change.native
    if before and native:
        return f"{change.collection}-removed", change.removed or b"{}"
    return None


def connected_frame(client: str, rights: Rights, cursor: Cursor, *, resumed: bool) -> bytes:
    """The first event of a stream.

    Where it resumes it carries no id: a client that is lost now still has its own, and so gets what
    follows that one (perhaps a `reset`) the next time.
    """
    data = orjson.dumps({"clientId": client, "seq": cursor.seq, "epoch": cursor.epoch})
    place = b"" if resumed else b"id: %b%b\n" % (cursor.head(), rights.fingerprint.encode())
    retry = random.randint(1000, 4000)
    return b"retry: %d\n%bevent: connected\ndata: %b\n\n" % (retry, place, data)


def reset_frame(workspace: str, rights: Rights, reason: str, cursor: Cursor) -> bytes:
    """Tells a client that it can't be continued exactly, and from where it goes on."""
    data = orjson.dumps(
        {"reason": reason, "workspaceId": workspace, "seq": cursor.seq, "epoch": cursor.epoch}
    )
    place = cursor.head() + rights.fingerprint.encode()
    return b"id: %b\nevent: reset\ndata: %b\n\n" % (place, data)


def position_frame(rights: Rights, cursor: Cursor) -> bytes:
    """An id without data: from here the client would resume, although nothing here was for it."""
    return b"id: %b%b\n\n" % (cursor.head(), rights.fingerprint.encode())
