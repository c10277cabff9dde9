"""Whether the log is what its transactions make, one after the other: a serial execution.

What each wrote is worked out anew from the state before it. A field that somebody else had changed
since the version that a transaction was based on must not have been written over unseen: a lost
update.
"""

from collections.abc import Iterator
from dataclasses import dataclass
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
from model.timeline import Change, Timeline


@dataclass(frozen=True)
class Violation:
    """What must not be: a kind, by which tests know it, and words for people."""

    kind: str
    words: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.words}"


def check_result(
    timeline: Timeline, changes: list[Change], request: dict[str, Any]
) -> Iterator[Violation]:
    """Holds what one transaction wrote against what its operations say."""
    first, last = changes[0]["seq"], changes[-1]["seq"]
    operations: list[Operation] = request["operations"]
    for record in dict.fromkeys(operation["recordId"] for operation in operations):
        own = [operation for operation in operations if operation["recordId"] == record]
        before, after = timeline.at(record, first - 1), timeline.at(record, last)
        try:
            document, deleted = _outcome(own, before)
        except RefusedError as error:
            yield Violation("wrong result", f"seq {first}: {error}, and it was written")
            continue
        base = request.get("baseVersions", {}).get(record)
        taken = _taken_fields(timeline, record, base, before, document, own)
        if taken and request["onConflict"] == "theirs":
            document = with_fields(document, before["data"], taken)
        elif taken and request["onConflict"] == "reject":
            yield Violation(
                "lost update",
                f"seq {first} is based on version {base} of {record}, and wrote over"
                f" {', '.join(sorted(taken))}, which had changed since",
            )
        if (after["data"], after["deleted"]) != (document, deleted):
            yield Violation(
                "wrong result",
                f"seq {first} to {last} made {after['data']} (deleted: {after['deleted']}) of"
                f" {record}, but {own} on {before['data']} makes {document} (deleted: {deleted})",
            )


def _outcome(operations: list[Operation], before: dict[str, Any]) -> tuple[Document, bool]:
    """A document behind operations, and whether it is deleted then. Raises RefusedError."""
    document, deleted = before["data"], before["deleted"]
    for operation in operations:
        kind = operation["type"]
        if kind == "create":
            if before["version"]:
                raise RefusedError("the record is there already")
            document, deleted = operation["data"], False
        elif kind == "restore":
            deleted = False
        elif deleted:
            raise RefusedError("the record is not there")
        elif kind == "delete":
            deleted = True
        elif kind in ON_DOCUMENTS:
            document = applied(document, operation)
    return document, deleted


def _taken_fields(
    timeline: Timeline,
    record: str,
    base: int | None,
    before: dict[str, Any],
    document: Document,
    operations: list[Operation],
) -> set[str]:
    """The fields that these operations give a value other than the one that others gave them."""
    if base is None:
        return set()
    since = timeline.states[record][max(base - 1, 0) : before["version"]]
    changed = {
        key
        for old, new in pairwise(since)
        for key in {*old["data"], *new["data"]}
        if old["data"].get(key) != new["data"].get(key)
    }
    return {
        key
        for key in changed & claims_of(operations)
        if document.get(key) != before["data"].get(key)
    }
