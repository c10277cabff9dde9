"""What happened in a run: one JSON object per line, in the order in which it was noticed.

`type` says what it is, and what else it has:

    write      client, server, id, request, started, ended, earlier, outcome, settled, code, seq,
               records
    read       client, server, record, started, ended, version, data, deleted
    snapshot   client, server, started, ended, seq, epoch, records, applied
    changes    client, server, started, ended, since, seq, changes, coalesced, more, reset
    connected  client, server, at, seq
    event      client, server, at, seq, record, name, version, patch
    reset      client, at, reason, seq
    psql       started, ended, records
    act        at, what, and what was drawn for it: a user's act or a fault, done on purpose
    trimmed    floor, end, log: up to which seq the log was trimmed, where it ended, what it lost
    final      client, seq, epoch, records, view
    end        epoch, log, transactions, tables, snapshot

Times are of one monotonic clock. outcome is `ok`, `refused`, or `unknown`: no answer, or one that
does not tell. earlier: the ids of those that stood before it in the same request. settled: nothing
of this try can still be under way. records are by their ids, each with version, data, position and
deleted; version 0 stands for none.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


@dataclass
class History:
    """The entries of a run."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, type_: str, **more: Any) -> None:
        """Notes what has just happened."""
        self.entries.append({"type": type_, **more})

    def act(self, what: str, **drawn: Any) -> None:
        """Notes what is done now, on purpose: by a user, or to the system."""
        self.add("act", at=now(), what=what, drawn=drawn)

    def of(self, *types: str) -> Iterator[Entry]:
        """The entries of some types."""
        return (entry for entry in self.entries if entry["type"] in types)

    def save(self, path: Path) -> Path:
        """Writes it to a file."""
        path.write_text("".join(json.dumps(entry) + "\n" for entry in self.entries))
        return path

    @staticmethod
    def load(lines: Iterable[str]) -> "History":
        """Reads what `save` wrote."""
        return History([json.loads(line) for line in lines if line.strip()])


def now() -> float:
    """The time of a history."""
    return time.monotonic()


def record_of(shape: Any) -> Entry:
    """What a history keeps of a record that the API answered."""
    return {
        "version": shape["version"],
        "data": shape["data"],
        "position": shape["position"],
        "deleted": shape["deletedAt"] is not None,
    }
