"""What became of every write: acknowledged ones are in the log once, refused ones nowhere."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from model.history import Entry, History
from model.serial import Violation, check_result
from model.timeline import Change, Timeline, transactions


def check_writes(history: History, end: Entry, timeline: Timeline) -> Iterator[Violation]:
    """Judges the writes of a run by the log and the table of transactions."""
    tries: dict[str, list[Entry]] = defaultdict(list)
    for entry in history.of("write"):
        tries[entry["id"]].append(entry)
    found: dict[str, list[list[Change]]] = defaultdict(list)
    for changes in transactions(timeline.log):
        if changes[0]["transaction_id"] is not None:
            found[changes[0]["transaction_id"]].append(changes)
    kept: dict[str, list[Any]] = defaultdict(list)
    for id_, first, last in end["transactions"]:
        kept[id_].append((first, last))
    for id_, entries in tries.items():
        yield from _check_one(id_, entries, found[id_], kept[id_], timeline)
    yield from _check_real_time({id_: entries for id_, entries in tries.items() if found[id_]})


def _check_one(
    id_: str,
    entries: list[Entry],
    found: list[list[Change]],
    kept: list[Any],
    timeline: Timeline,
) -> Iterator[Violation]:
    accepted = [entry for entry in entries if entry["outcome"] == "ok"]
    if len(found) > 1 or len(kept) > 1:
        yield Violation("applied twice", f"{id_} is in the log at {_places(found)}")
    elif not accepted and not _may_be_there(entries):
        if found or kept:
            yield Violation("refused but written", f"{id_} is in the log at {_places(found)}")
    elif accepted and (len(kept) != 1 or (kept[0][0] is not None and not found)):
        yield Violation("acknowledged but lost", f"{id_} is not in the log")
    elif kept:
        yield from _check_answers(id_, accepted, found, kept[0], timeline)
        request = entries[0]["request"]
        if found and "operations" in request:
            yield from check_result(timeline, found[0], request)
    for entry in entries:
        yield from _check_conflicts(entry, timeline)
        if entry.get("status") == 500:
            yield Violation("server error", f"{id_} was answered 500")


def _may_be_there(entries: list[Entry]) -> bool:
    """Whether some try may have taken effect, or is still under way. After a refusal none has

    that was settled before: it would have been answered.
    """
    refused = any(entry["outcome"] == "refused" for entry in entries)
    silent = any(entry["outcome"] == "unknown" and "status" not in entry for entry in entries)
    return any(not entry["settled"] for entry in entries) or (silent and not refused)


def _check_answers(
    id_: str,
    accepted: list[Entry],
    found: list[list[Change]],
    kept: tuple[int | None, int],
    timeline: Timeline,
) -> Iterator[Violation]:
    first, last = kept
    seqs = [change["seq"] for change in found[0]] if found else []
    if first is not None and seqs != list(range(first, last + 1)):
        yield Violation("torn transaction", f"{id_} is {first} to {last}, and stands at {seqs}")
    for entry in accepted:
        if entry["seq"] != last:
            yield Violation("wrong answer", f"{id_} was answered seq {entry['seq']}, it is {last}")
        for record, state in entry["records"].items():
            true = timeline.version(record, state["version"])
            if true is None or true["data"] != state["data"]:
                yield Violation("wrong answer", f"{id_} was answered {state}, it is {true}")


def _check_conflicts(entry: Entry, timeline: Timeline) -> Iterator[Violation]:
    """A write is refused only for what somebody else did, and not for what it did itself."""
    for conflict in entry.get("conflicts", []):
        record, key = conflict["recordId"], conflict["key"]
        base = entry["request"].get("baseVersions", {}).get(record, 0)
        states = timeline.states[record][max(base - 1, 0) :]
        if key is not None:
            states = [state["data"].get(key) for state in states]
        if all(state == states[0] for state in states):
            yield Violation(
                "refused for nothing", f"{entry['id']}: nobody changed {key} since version {base}"
            )


def _check_real_time(tries: dict[str, list[Entry]]) -> Iterator[Violation]:
    """A write that began when another one was acknowledged stands behind it in the log."""
    events: list[tuple[float, int, str, int]] = []
    for id_, entries in tries.items():
        done = [entry for entry in entries if entry["outcome"] == "ok"]
        if done:
            events.append((min(e["started"] for e in entries), 0, id_, done[0]["seq"]))
            events.append((min(e["ended"] for e in done), 1, id_, done[0]["seq"]))
    highest, whose = 0, ""
    for _, is_end, id_, seq in sorted(events):
        if not is_end and seq < highest and id_ != whose:
            yield Violation(
                "not in real time", f"{id_} at {seq} began when {whose} at {highest} was known"
            )
        elif is_end and seq > highest:
            highest, whose = seq, id_


def _places(found: list[list[Change]]) -> list[int]:
    return [change["seq"] for changes in found for change in changes]
