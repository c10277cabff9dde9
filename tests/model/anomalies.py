"""Judges workloads by what clients saw alone, without the log, in the manner of Jepsen and Elle.

`title` holds registers, `n` counters, `balance` accounts that sum up to nothing, `list` lists to
which each transaction appends a value of its own. The order of a list is the order of the writes to
it: with what reads saw, and with real time, that makes a graph, and a cycle in it is an anomaly
(Kingsbury and Alvaro, Elle: Inferring Isolation Anomalies from Experimental Observations, 2020).
"""

from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from math import inf
from typing import Any

from model.history import Entry, History
from model.serial import Violation

Edges = dict[tuple[str, str], str]  # from, to: ww, wr, rw, or rt
LEVELS = (
    ("G0", {"ww"}),
    ("G2", {"ww", "wr", "rw"}),  # G-single, where one rw is in it
    ("real-time cycle", {"ww", "wr", "rw", "rt"}),
)


def is_workload(history: History) -> bool:
    """Whether it is of a workload, whose records say of which kind they are."""
    return any(
        "kind" in state["data"] for end in history.of("end") for state in end["tables"].values()
    )


def anomalies(history: History) -> list[Violation]:
    """What no strictly serializable system shows."""
    (end,) = history.of("end")
    writes = _acknowledged(history)
    found = [
        *_check_counters(writes, end),
        *_check_accounts(history),
        *_check_registers(writes),
        *_check_lists(history, writes, end),
    ]
    return list(dict.fromkeys(found))


def _acknowledged(history: History) -> dict[str, Entry]:
    """The writes that took effect, from their first try to their first answer."""
    started: dict[str, float] = {}
    writes: dict[str, Entry] = {}
    for entry in history.of("write"):
        begun = started[entry["id"]] = min(entry["started"], started.get(entry["id"], inf))
        ended = min(entry["ended"], writes.get(entry["id"], entry)["ended"])
        if entry["outcome"] == "ok":
            writes[entry["id"]] = {**entry, "started": begun, "ended": ended}
    return writes


def _operations(writes: dict[str, Entry], kind: str, key: str) -> Iterator[tuple[Entry, Any]]:
    for entry in writes.values():
        for operation in entry["request"].get("operations", []):
            if operation["type"] == kind and operation.get("key") == key:
                yield entry, operation


def _check_counters(writes: dict[str, Entry], end: Entry) -> Iterator[Violation]:
    """Every acknowledged step counts once."""
    sums: dict[str, int] = defaultdict(int)
    for _, step in _operations(writes, "increment", "n"):
        sums[step["recordId"]] += step["by"]
    for record, total in sums.items():
        counted = end["tables"][record]["data"].get("n", 0)
        if counted != total:
            yield Violation("lost step", f"{record} counts {counted}, the steps make {total}")


def _check_accounts(history: History) -> Iterator[Violation]:
    """What one account lost another one has, in whatever moment all are looked at."""
    for entry in history.of("snapshot"):
        total = sum(state["data"].get("balance", 0) for state in entry["records"].values())
        if total:
            yield Violation("torn transfer", f"at {entry['seq']} the accounts sum up to {total}")


def _check_registers(writes: dict[str, Entry]) -> Iterator[Violation]:
    """Of those who replace the same version of a value only one succeeds."""
    seen: dict[tuple[str, int], str] = {}
    for entry, write in _operations(writes, "set", "title"):
        base = entry["request"].get("baseVersions", {}).get(write["recordId"])
        if base is None or entry["request"]["onConflict"] != "reject":
            continue
        first = seen.setdefault((write["recordId"], base), entry["id"])
        if first != entry["id"]:
            yield Violation("lost update", f"{first} and {entry['id']} replaced version {base}")


def _check_lists(history: History, writes: dict[str, Entry], end: Entry) -> Iterator[Violation]:
    final = {
        key: state["data"]["list"]
        for key, state in end["tables"].items()
        if "list" in state["data"]
    }
    author = {}
    for entry, append in _operations(writes, "list-insert", "list"):
        record, value = append["recordId"], append["value"]
        author[record, value] = entry["id"]
        if final.get(record, []).count(value) != 1:
            yield Violation("lost append", f"{value} is not once in {record}: {final.get(record)}")
    reads = dict(_list_reads(history))
    broken = [
        Violation("incompatible order", f"{name} saw {values} in {record}, no prefix of the last")
        for name, (_, lists) in reads.items()
        for record, values in lists.items()
        if final.get(record, [])[: len(values)] != values
    ]
    yield from broken
    if not broken:
        yield from _check_cycles(writes, reads, final, author)


def _list_reads(history: History) -> Iterator[tuple[str, tuple[Entry, dict[str, list[str]]]]]:
    """The lists that each read saw."""
    for number, entry in enumerate(history.of("read", "snapshot")):
        single = entry["type"] == "read"
        records = {entry["record"]: entry} if single else entry["records"]
        lists = {
            record: state["data"].get("list", [])
            for record, state in records.items()
            if state["version"] and state["data"].get("kind") == "list"
        }
        if lists:
            yield f"{entry['type']} {number} of {entry['client']}", (entry, lists)


def _check_cycles(
    writes: dict[str, Entry],
    reads: dict[str, tuple[Entry, dict[str, list[str]]]],
    final: dict[str, list[str]],
    author: dict[tuple[str, str], str],
) -> Iterator[Violation]:
    edges: Edges = {}
    for record, values in final.items():
        authors = [author.get((record, value), value) for value in values]
        edges |= dict.fromkeys(pairwise(authors), "ww")
        for name, (_, lists) in reads.items():
            seen = len(lists.get(record, values))
            if seen > 0 and record in lists:
                edges.setdefault((authors[seen - 1], name), "wr")
            if seen < len(authors):
                edges.setdefault((name, authors[seen]), "rw")
    entries = {id_: writes[id_] for id_ in set(author.values())}
    entries |= {name: entry for name, (entry, _) in reads.items()}
    for first, earlier in entries.items():
        for second, later in entries.items():
            if earlier["ended"] < later["started"]:
                edges.setdefault((first, second), "rt")
    for name, kinds in LEVELS:
        cycle = _cycle({pair for pair, kind in edges.items() if kind in kinds})
        if cycle:
            steps = [f"{a} -{edges[a, b]}-> {b}" for a, b in pairwise(cycle)]
            single = name == "G2" and [edges[pair] for pair in pairwise(cycle)].count("rw") == 1
            yield Violation("G-single" if single else name, ", ".join(steps))
            return


def _cycle(pairs: set[tuple[str, str]]) -> list[str]:
    """A cycle in a graph, in the direction of its edges; none where there is none."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for earlier, later in pairs:
        sorter.add(later, earlier)
    try:
        sorter.prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
