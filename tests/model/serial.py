"""Whether the log is what its transactions make, one after the other: a serial execution.

What each wrote is worked out anew from the state before it, by docs/transactions.md. What somebody
else had done since the version that a transaction was based on must not have been written over
unseen: a lost update.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from model.documents import (
    ON_DOCUMENTS,
    Document,
    Operation,
    RefusedError,
    applied,
    claims_of,
    with_fields,
)
from model.timeline import Timeline


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
    timeline: Timeline, first: int, last: int, request: dict[str, Any]
) -> Iterator[Violation]:
    """Holds what one transaction wrote, from seq to seq, against what its operations say."""
    operations: list[Operation] = request["operations"]
    for record in dict.fromkeys(operation["recordId"] for operation in operations):
        own = [operation for operation in operations if operation["recordId"] == record]
        before, after = timeline.at(record, first - 1), timeline.at(record, last)
        course = _course(timeline, record, before, request)
        try:
            for operation in own:
                course.run(operation)
            course.write()
        except RefusedError as error:
            yield Violation("wrong result", f"seq {first}: {error}, and it was written")
        except UnseenError as error:
            yield Violation("lost update", f"seq {first} wrote {own} over {record}: {error}")
        else:
            if (after["data"], after["deleted"]) != (course.document, course.deleted):
                yield Violation(
                    "wrong result",
                    f"seq {first} to {last} made {after} of {record}, but {own} on {before} makes"
                    f" {course.document} (deleted: {course.deleted})",
                )


@dataclass
class _Course:
    """One record in the course of a transaction.

    base: the version that it is based on, if others came after it; taken: the fields that these
    have changed; gone: they deleted it. Operations make a draft, which is then held against that.
    """

    document: Document
    deleted: bool
    policy: str
    base: int | None
    taken: set[str]
    gone: bool
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
                self._bring_back()
            case "delete":
                self._delete()
            case "restore":
                self.deleted = self.gone = False

    def write(self) -> None:
        """Writes the draft, as far as nobody else stands in its way. Raises UnseenError."""
        if self.draft is not None and self._bring_back():
            held = {
                key
                for key in self.taken & self.claims
                if self.draft.get(key) != self.document.get(key)
            }
            if held and self.policy == "reject":
                raise UnseenError(f"{sorted(held)} had changed since version {self.base}")
            kept = held if self.policy == "theirs" else set()
            self.document = with_fields(self.draft, self.document, kept)
        self.draft, self.claims = None, set()

    def _check_there(self) -> None:
        if not self.exists or (self.deleted and not self.gone):
            raise RefusedError("the record is not there")

    def _bring_back(self) -> bool:
        """Whether it may be written; what others have deleted is restored, if that is wanted."""
        if self.gone and self.policy == "reject":
            raise UnseenError(f"it was deleted since version {self.base}")
        if self.gone and self.policy == "yours":
            self.deleted = self.gone = False
        return not self.gone

    def _delete(self) -> None:
        if self.gone:
            return
        self._check_there()
        if self.taken and self.policy == "reject":
            raise UnseenError(f"{sorted(self.taken)} had changed since version {self.base}")
        self.deleted = not self.taken or self.policy == "yours"


def _course(
    timeline: Timeline, record: str, before: dict[str, Any], request: dict[str, Any]
) -> _Course:
    """A record where a transaction begins, and what others did since it was last seen."""
    base = request.get("baseVersions", {}).get(record)
    if base == before["version"]:
        base = None
    since = timeline.states[record][max((base or 0) - 1, 0) : before["version"]]
    return _Course(
        document=before["data"],
        deleted=before["deleted"],
        policy=request.get("onConflict", "reject"),
        base=base,
        taken=set() if base is None else _changed(since),
        gone=base is not None
        and before["deleted"]
        and any(not old["deleted"] and new["deleted"] for old, new in pairwise(since)),
        exists=before["version"] > 0,
    )


def _changed(states: list[dict[str, Any]]) -> set[str]:
    """The fields that changed on the way, even if they changed back."""
    return {
        key
        for old, new in pairwise(states)
        for key in {*old["data"], *new["data"]}
        if old["data"].get(key) != new["data"].get(key)
    }
