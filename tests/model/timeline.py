"""The states that a log tells of: each record, and the whole workspace, at every seq."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

Change = dict[str, Any]
NEVER: dict[str, Any] = {"version": 0, "data": {}, "position": None, "deleted": True}


@dataclass
class Timeline:
    """A log, replayed. `faults`: what in it contradicts itself, in words."""

    log: list[Change]
    seqs: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    states: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    authors: dict[str, list[str | None]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[str, list[set[str]]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    trims: list[tuple[int, int]] = field(
        default_factory=list
    )  # up to which seq, and where it ended

    @property
    def last(self) -> int:
        """The last seq."""
        return int(self.log[-1]["seq"]) if self.log else 0

    def at(self, record: str, seq: int) -> dict[str, Any]:
        """A record as it was behind a seq; version 0 where it was not there yet."""
        known = bisect_right(self.seqs[record], seq)
        return self.states[record][known - 1] if known else NEVER

    def version(self, record: str, version: int) -> dict[str, Any] | None:
        """A record as it was in one version; None where there is no such version."""
        found = self.states[record][version - 1 : version]
        return NEVER if version == 0 else found[0] if found else None

    def seq_of(self, record: str, version: int) -> int:
        """The seq of the change that made a version."""
        return self.seqs[record][version - 1] if version else 0

    def trimmed_since(self, record: str, base: int, seq: int) -> bool:
        """Whether before a seq it could no longer be told what was done behind a version."""
        floor = max((floor for floor, end in self.trims if end < seq), default=0)
        return int(self.at(record, floor)["version"]) > base

    def since(self, record: str, base: int, version: int, own: Collection[str]) -> "Since":
        """What was done to a record between two versions, but by one's own transactions."""
        found = Since()
        for later in range(max(base, 1), version):
            old, new = self.states[record][later - 1 : later + 1]
            keys = {
                key
                for key in {*old["data"], *new["data"]}
                if old["data"].get(key) != new["data"].get(key)
            }
            if old["deleted"] != new["deleted"]:
                found.gone = new["deleted"] and self.authors[record][later] not in own
            if self.authors[record][later] in own:
                said = keys - self.steps[record][later]  # a step was not held against the version
                found.held -= said
                found.mine |= said
            else:
                found.held |= keys
                found.mine -= keys
                found.touched |= keys
        return found

    def order(self, seq: int) -> list[str]:
        """All records in manual order behind a seq, deleted ones among them."""
        found = {record: self.at(record, seq) for record in list(self.states)}
        there = {record: state["position"] for record, state in found.items() if state["version"]}
        return sorted(there, key=lambda record: (there[record].encode(), record))

    def live(self, seq: int) -> dict[str, dict[str, Any]]:
        """All records that are there behind a seq."""
        found = {record: self.at(record, seq) for record in list(self.states)}
        return {record: state for record, state in found.items() if not state["deleted"]}


@dataclass
class Since:
    """Fields that others changed last, that oneself did, that others changed at all.

    gone: they deleted the record. trimmed: whatever oneself did not change last, others may have.
    """

    held: set[str] = field(default_factory=set)
    mine: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    gone: bool = False
    trimmed: bool = False


def replayed(log: Iterable[Change]) -> Timeline:
    """The states that a log tells of."""
    timeline = Timeline(list(log))
    for change in timeline.log:
        if change["action"] != "access":
            _step(timeline, change)
    return timeline


def _step(timeline: Timeline, change: Change) -> None:
    record, seq = change["record_id"], change["seq"]
    old = timeline.at(record, seq)
    if change["version"] != old["version"] + 1:
        timeline.faults.append(
            f"seq {seq} makes version {change['version']} of {record} behind {old['version']}"
        )
    data = dict(old["data"])
    if change["action"] == "created":
        data = dict(change["document"]["data"])
    for key, value in (change["before"] or {}).items():
        if data.get(key) != value:
            timeline.faults.append(f"seq {seq} says that {key} of {record} was {value!r}")
    for key, value in (change["patch"] or {}).items():
        if value is None:
            data.pop(key, None)
        else:
            data[key] = value
    timeline.seqs[record].append(seq)
    timeline.authors[record].append(change["transaction_id"])
    timeline.steps[record].append(set(change["inverse"] or {}))
    timeline.states[record].append(
        {
            "version": change["version"],
            "data": data,
            "position": change["position"] if change["position"] is not None else old["position"],
            "deleted": (old["deleted"] and change["action"] not in ("created", "restored"))
            or change["action"] == "deleted",
        }
    )


def transactions(log: Iterable[Change]) -> list[list[Change]]:
    """The changes of each transaction, in the order of the log.

    Those in psql have no id of their own, so the database's stands for it. One that stands in two
    places is there twice.
    """
    return [list(group) for _, group in groupby(log, key=_key)]


def _key(change: Change) -> tuple[str, str]:
    if change["transaction_id"] is not None:
        return "id", change["transaction_id"]
    return "xid", change["xid"]
