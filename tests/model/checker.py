"""Judges the history of a run by its log: `python -m model.checker FILE` judges a recorded one.

A workload's (test_consistency.py) it judges by itself, too, without the log.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from model.anomalies import anomalies, is_workload
from model.clients import check_clients
from model.history import History
from model.reads import check_reads
from model.serial import Violation
from model.timeline import Timeline, replayed
from model.undos import check_undos
from model.writes import check_writes


def violations(history: History) -> list[Violation]:
    """All that must not be, each once; nothing where all is as promised."""
    (end,) = history.of("end")
    trimmed = {change["seq"]: change for entry in history.of("trimmed") for change in entry["log"]}
    timeline = replayed([*trimmed.values(), *(c for c in end["log"] if c["seq"] not in trimmed)])
    found = list(_check_log(timeline))
    timeline.trims += [(entry["floor"], entry["end"]) for entry in history.of("trimmed")]
    if not found:
        found += check_writes(history, end, timeline)
        found += check_reads(history, timeline)
        found += check_undos(end, timeline)
        found += check_clients(history, end, timeline)
    return list(dict.fromkeys(found))


def _check_log(timeline: Timeline) -> Iterator[Violation]:
    """What contradicts itself would make all else hard to read."""
    seqs = [change["seq"] for change in timeline.log]
    if seqs != list(range(1, len(seqs) + 1)):
        yield Violation("gap", f"the log has {seqs}")
    for fault in timeline.faults:
        yield Violation("wrong log", fault)


def main(path: str) -> int:
    """Judges a recorded history, and says what it found."""
    with Path(path).open() as file:
        history = History.load(file)
    found = violations(history) + (anomalies(history) if is_workload(history) else [])
    print("\n".join(map(str, found)) or "nothing is wrong")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
