"""What every read saw: never a torn or an invented state, never an older one than was known."""

from collections.abc import Iterator

from model.history import Entry, History
from model.serial import Violation
from model.timeline import Timeline, transactions


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
    known: dict[str, tuple[int, Entry]] = {}
    head: tuple[int, Entry] | None = None
    for _, begins, _, entry in sorted(moments, key=lambda moment: moment[:3]):
        if begins:
            yield from _compare(entry, known, head)
            continue
        for record, version in _versions(entry).items():
            if version > known.get(record, (0, entry))[0]:
                known[record] = (version, entry)
        seq = entry.get("seq")
        if seq is not None and (head is None or seq > head[0]):
            head = (seq, entry)


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


def _compare(
    entry: Entry,
    known: dict[str, tuple[int, Entry]],
    head: tuple[int, Entry] | None,
) -> Iterator[Violation]:
    if entry["type"] == "read":
        version, source = known.get(entry["record"], (0, entry))
        if entry["version"] < version:
            yield _stale(entry, source, f"version {entry['version']}, when {version} was known")
    elif head is not None and entry["seq"] < head[0] and not entry.get("more"):
        yield _stale(entry, head[1], f"seq {entry['seq']}, when {head[0]} was known")


def _stale(entry: Entry, source: Entry, what: str) -> Violation:
    """Names what was broken by who knew more, and how."""
    if entry["client"] != source["client"]:
        kind = "stale read"
    elif source["type"] == "write":
        kind = "stale read after own write"
    else:
        kind = "non-monotonic read"
    return Violation(
        kind, f"{entry['client']} got from server {entry['server']} {what} by a {source['type']}"
    )
