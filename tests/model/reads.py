"""What every read saw: never a torn or an invented state, never an older one than was known."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from model.history import Entry, History
from model.serial import Violation
from model.timeline import Timeline, transactions

SEQ = "all"  # stands for a record where all are read at once


def check_reads(history: History, timeline: Timeline) -> Iterator[Violation]:
    """Judges the reads and snapshots of a run by the log."""
    inside = {
        change["seq"]: changes[-1]["seq"]
        for changes in transactions(timeline.log)
        for change in changes[:-1]
    }
    for entry in history.of("snapshot"):
        if entry["seq"] in inside:
            yield Violation(
                "torn snapshot",
                f"{entry['client']} read one at {entry['seq']}, within a transaction that ends at"
                f" {inside[entry['seq']]}",
            )
        if entry["records"] != timeline.live(entry["seq"]):
            yield Violation(
                "wrong snapshot", f"{entry['client']} read one that is not the log's {entry['seq']}"
            )
    for entry in history.of("read"):
        true = timeline.version(entry["record"], entry["version"])
        if true is None or (true["data"], true["deleted"]) != (entry["data"], entry["deleted"]):
            yield Violation("invented", f"{entry['client']} read {entry}, the log has {true}")
    yield from _check_recency(history)


def _check_recency(history: History) -> Iterator[Violation]:
    """No read answers less than what was known, to whomever, when it began.

    One pass over all beginnings and ends, in order of time.
    """
    moments: list[tuple[float, int, int, Entry]] = []
    for number, entry in enumerate(history.of("write", "read", "snapshot", "event", "changes")):
        if entry["type"] == "write" and entry["outcome"] != "ok":
            continue
        moments.append((entry["at"] if "at" in entry else entry["ended"], 0, number, entry))
        if entry["type"] in ("read", "snapshot", "changes"):
            moments.append((entry["started"], 1, number, entry))
    known = _Known()
    for _, begins, _, entry in sorted(moments, key=lambda moment: moment[:3]):
        if begins:
            yield from known.judge(entry)
        else:
            known.learn(entry)


@dataclass
class _Known:
    """The newest that each client knows, and that any does (""): of each record, and as a seq."""

    newest: dict[tuple[str, str], tuple[int, Entry]] = field(default_factory=dict)

    def learn(self, entry: Entry) -> None:
        """Takes what an entry told."""
        told = {**_versions(entry), **({SEQ: entry["seq"]} if "seq" in entry else {})}
        for record, version in told.items():
            for who in (entry["client"], ""):
                old = self.newest.get((who, record), (0, entry))[0]
                if version > old or (version == old and entry["type"] == "write"):
                    self.newest[who, record] = (version, entry)

    def judge(self, entry: Entry) -> Iterator[Violation]:
        """A read that begins now is to answer no less than that."""
        if entry.get("more"):
            return
        what = entry["record"] if entry["type"] == "read" else SEQ
        got = entry["version"] if entry["type"] == "read" else entry["seq"]
        for who in (entry["client"], ""):
            version, source = self.newest.get((who, what), (0, entry))
            if got < version:
                yield Violation(
                    _staleness(who, source),
                    f"{entry['client']} got {got} of {what} from server {entry['server']}, when"
                    f" {version} was known to {source['client']} by a {source['type']}",
                )
                return


def _staleness(who: str, source: Entry) -> str:
    """What was broken, by who knew more, and how."""
    if not who:
        return "stale read"
    return "stale read after own write" if source["type"] == "write" else "non-monotonic read"


def _versions(entry: Entry) -> dict[str, int]:
    """Which versions of which records somebody knows behind an entry."""
    match entry["type"]:
        case "read":
            return {entry["record"]: entry["version"]}
        case "event":
            return {entry["record"]: entry["version"]} if entry["version"] else {}
        case "changes":
            return {c["record"]: c["version"] for c in entry["changes"] if c["version"]}
    return {record: state["version"] for record, state in entry["records"].items()}
