"""Whether an undo, or a redo, took back what the log says that its write did, and nothing else."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from model.history import Entry
from model.serial import Violation
from model.timeline import Change, Timeline


def check_undos(end: Entry, timeline: Timeline) -> Iterator[Violation]:
    """Holds each undo against the write that it took back, record by record.

    Where that write changed a record more than once, the steps between are not told any more.
    """
    changes: dict[str, list[Change]] = defaultdict(list)
    for change in timeline.log:
        if change["transaction_id"] is not None:
            changes[change["transaction_id"]].append(change)
    for id_, first, last, undone_by in end["transactions"]:
        if not first or undone_by is None or not changes[undone_by]:
            continue
        then = changes[undone_by][0]["seq"] - 1, changes[undone_by][-1]["seq"]
        for change in changes[id_]:
            alone = [other["record_id"] for other in changes[id_]].count(change["record_id"]) == 1
            if alone:
                yield from _check_one(timeline, change, last, *then)


def _check_one(
    timeline: Timeline, change: Change, last: int, before: int, after: int
) -> Iterator[Violation]:
    """One record, which a write changed once, and which an undo found and left like this."""
    record = change["record_id"]
    found, left = timeline.at(record, before), timeline.at(record, after)
    data, deleted = dict(found["data"]), found["deleted"]
    others = any(
        other["actor_id"] != change["actor_id"]
        for other in timeline.log
        if other["record_id"] == record and last < other["seq"] <= before
    )
    if change["action"] in ("created", "restored"):
        deleted = deleted or not others
    elif change["action"] == "deleted":
        deleted = False
    elif not deleted:
        data = _taken_back(change, found["data"], timeline.at(record, last)["data"], left["data"])
    if (left["data"], left["deleted"]) != (data, deleted):
        yield Violation(
            "wrong undo",
            f"seq {before + 1} to {after} undid {change} and made {left} of {found}, not {data}"
            f" (deleted: {deleted})",
        )


def _taken_back(
    change: Change, found: dict[str, Any], written: dict[str, Any], left: dict[str, Any]
) -> dict[str, Any]:
    """A document without what a change did. Lists that others have changed are believed."""
    data = dict(found)
    for key, old in (change["before"] or {}).items():
        steps = (change["inverse"] or {}).get(key, [])
        if found.get(key) == written.get(key):
            new = old
        elif steps and all(step["type"] == "increment" and step["path"] == [key] for step in steps):
            new = (found.get(key) or 0) + sum(step["by"] for step in steps)
        elif steps:
            new = left.get(key)
        else:
            new = found.get(key)
        if new is None:
            data.pop(key, None)
        else:
            data[key] = new
    return data
