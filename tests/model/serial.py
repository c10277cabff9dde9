"""Whether the log is what its transactions make, one after the other: a serial execution.

What each wrote is worked out anew from the state before it, by docs/transactions.md. What somebody
else had done since the version that a transaction was based on must not have been written over
unseen: a lost update.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from model.documents import (
    ON_DOCUMENTS,
    Document,
    Operation,
    RefusedError,
    applied,
    claims_of,
    seen,
    with_fields,
)
from model.timeline import Since, Timeline


@dataclass(frozen=True)
class Violation:
    """What must not be: a kind, by which tests know it, and words for people."""

    kind: str
    words: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.words}"


class UnseenError(Exception):
    """A transaction wrote over what others had done, which it did not know."""


def check_result(
    timeline: Timeline, first: int, last: int, request: dict[str, Any], earlier: Collection[str]
) -> Iterator[Violation]:
    """Holds what one transaction wrote, from seq to seq, against what its operations say.

    What the `earlier` ones of the same request wrote collides with nothing.
    """
    operations: list[Operation] = request["operations"]
    for record in dict.fromkeys(operation["recordId"] for operation in operations):
        own = [operation for operation in operations if operation["recordId"] == record]
        before, after = timeline.at(record, first - 1), timeline.at(record, last)
        course = _course(timeline, record, first, before, request, earlier)
        try:
            for operation in own:
                course.run(operation)
            course.write()
        except RefusedError as error:
            yield Violation("wrong result", f"seq {first}: {error}, and it was written")
        except UnseenError as error:
            yield Violation("lost update", f"seq {first} wrote {own} over {record}: {error}")
        else:
            made = seen(course.document, after["data"])
            if (after["data"], after["deleted"]) != (made, course.deleted):
                yield Violation(
                    "wrong result",
                    f"seq {first} to {last} made {after} of {record}, but {own} on {before} makes"
                    f" {course.document} (deleted: {course.deleted})",
                )
    yield from _check_place(timeline, first, last, operations)


def _check_place(
    timeline: Timeline, first: int, last: int, operations: list[Operation]
) -> Iterator[Violation]:
    """Whether the only move of a transaction, if it was done, put its record beside the other."""
    moves = [operation for operation in operations if operation["type"] == "move"]
    named = [(m, side) for m in moves for side in ("before", "after") if side in m]
    if len(moves) != 1 or not named:
        return
    ((move, side),) = named
    record, other = move["recordId"], move[side]
    if timeline.at(record, first - 1)["position"] == timeline.at(record, last)["position"]:
        return  # it was there already, or was left where it was
    order = timeline.order(last)
    step = 1 if side == "before" else -1
    if order.index(record) + step != order.index(other):
        yield Violation("wrong place", f"seq {first} to {last} did {move}, which made {order}")


@dataclass
class _Course:
    """One record in the course of a transaction.

    base: the version that it is based on, if there are later ones; since: what others did after
    it. Operations make a draft, which is then held against that.
    """

    document: Document
    deleted: bool
    policy: str
    base: int | None
    since: Since
    exists: bool
    draft: Document | None = None
    claims: set[str] = field(default_factory=set)

    def run(self, operation: Operation) -> None:
        """One operation. Raises RefusedError, UnseenError."""
        if operation["type"] in ON_DOCUMENTS:
            self._check_there()
            self.draft = applied(self.document if self.draft is None else self.draft, operation)
            self.claims |= claims_of([operation])
            return
        if operation["type"] == "create":
            if self.exists:
                raise RefusedError("the record is there already")
            self.draft, self.deleted, self.exists = dict(operation["data"]), False, True
            return
        self.write()
        match operation["type"]:
            case "move":
                self._check_there()
                if "field" in operation:
                    self.draft = with_fields(
                        self.document,
                        {operation["field"]: operation["value"]},
                        [operation["field"]],
                    )
                    self.claims = {operation["field"]}
                    self.write()
                else:
                    self._bring_back()
            case "delete":
                self._delete()
            case "restore":
                self.deleted = self.since.gone = False

    def write(self) -> None:
        """Writes the draft, as far as nobody else stands in its way. Raises UnseenError."""
        if self.draft is not None and self._bring_back():
            held = {
                key
                for key in self.claims & self.since.held | self._untold()
                if self.draft.get(key) != self.document.get(key)
            }
            if held and self.policy == "reject":
                raise UnseenError(f"{sorted(held)} had changed since version {self.base}")
            kept = held if self.policy == "theirs" else set()
            self.document = with_fields(self.draft, self.document, kept)
        self.draft, self.claims = None, set()

    def _untold(self) -> set[str]:
        """The claims of which it can't be told any more whether others changed them."""
        return self.claims - self.since.mine if self.since.trimmed else set()

    def _check_there(self) -> None:
        if not self.exists or (self.deleted and not self.since.gone):
            raise RefusedError("the record is not there")

    def _bring_back(self) -> bool:
        """Whether it may be written; what others have deleted is restored, if that is wanted."""
        if self.since.gone and self.policy == "reject":
            raise UnseenError(f"it was deleted since version {self.base}")
        if self.since.gone and self.policy == "yours":
            self.deleted = self.since.gone = False
        return not self.since.gone

    def _delete(self) -> None:
        if self.since.gone:
            return
        self._check_there()
        touched = sorted(self.since.touched) or self.since.trimmed
        if touched and self.policy == "reject":
            raise UnseenError(f"{touched} may have changed since version {self.base}")
        self.deleted = not touched or self.policy == "yours"


def _course(
    timeline: Timeline,
    record: str,
    first: int,
    before: dict[str, Any],
    request: dict[str, Any],
    earlier: Collection[str],
) -> _Course:
    """A record where a transaction begins, and what others did since it was last seen."""
    base, version = request.get("baseVersions", {}).get(record), before["version"]
    since = Since() if base is None else timeline.since(record, base, version, earlier)
    since.trimmed = base is not None and timeline.trimmed_since(record, base, first)
    return _Course(
        document=before["data"],
        deleted=before["deleted"],
        policy=request.get("onConflict", "reject"),
        base=base,
        since=since,
        exists=version > 0,
    )
