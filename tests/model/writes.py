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
    for id_, first, last, _ in end["transactions"]:
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
    places = [change["seq"] for changes in found for change in changes]
    known = [seq for first, last in kept if first for seq in range(first, last + 1)]
    where = f"{id_} is known as {known}, and in the log at {places}"
    if len(kept) > 1 or set(places) - set(known):
        unknown = "forgotten" if accepted else "refused but written"
        kind = "applied twice" if kept else unknown
        yield Violation(kind, where)
    elif not accepted and kept and not _may_be_there(entries):
        yield Violation("refused but written", where)
    elif (accepted and not kept) or (known and not places):
        yield Violation("acknowledged but lost", where)
    elif places != known or len(found) > 1:
        yield Violation("torn transaction", where)
    elif kept:
        yield from _check_answers(id_, accepted, kept[0][1], timeline)
        request = entries[0]["request"]
        if "operations" in request:  # what changed nothing answers where the log ended then
            first, last = (kept[0][0], kept[0][1]) if found else (kept[0][1] + 1, kept[0][1])
            judged = [
                list(check_result(timeline, first, last, request, entry.get("earlier", ())))
                for entry in entries
            ]
            yield from min(judged, key=len)  # by the try that took effect, whichever that was
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
    last: int,
    timeline: Timeline,
) -> Iterator[Violation]:
    for entry in accepted:
        if entry.get("seq", last) != last:
            yield Violation("wrong answer", f"{id_} was answered seq {entry['seq']}, it is {last}")
        for record, state in entry["records"].items():
            true = timeline.at(record, last)
            if (true["version"], true["data"]) != (state["version"], state["data"]):
                yield Violation("wrong answer", f"{id_} was answered {state}, it is {true}")


def _check_conflicts(entry: Entry, timeline: Timeline) -> Iterator[Violation]:
    """A write is refused only for what somebody else did, and not for what it did itself."""
    for conflict in entry.get("conflicts", []):
        record, key = conflict["recordId"], conflict["key"]
        base = entry["request"].get("baseVersions", {}).get(record, 0)
        last = len(timeline.states[record])
        touched = timeline.since(record, base, last, entry.get("earlier", ())).touched
        deleted = key is None and any(state["deleted"] for state in timeline.states[record][base:])
        trimmed = timeline.trimmed_since(record, base, timeline.last + 1)
        if not (deleted or trimmed or (touched if key is None else key in touched)):
            yield Violation(
                "refused for nothing", f"{entry['id']}: nobody changed {key} since version {base}"
            )


def _check_real_time(tries: dict[str, list[Entry]]) -> Iterator[Violation]:
    """A write that began when another one was acknowledged stands behind it in the log."""
    events: list[tuple[float, int, str, int]] = []
    for id_, entries in tries.items():
        done = [entry for entry in entries if entry["outcome"] == "ok" and "seq" in entry]
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
