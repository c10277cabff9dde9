"""What every client got: a run of the log without a hole, and in the end what all have."""

from collections.abc import Iterable, Iterator

from model.history import Entry, History
from model.serial import Violation
from model.timeline import Timeline

SHOWN = ("version", "data", "position")


def check_clients(history: History, end: Entry, timeline: Timeline) -> Iterator[Violation]:
    """Judges what clients were told by the log, and where everything ended."""
    finals = list(history.of("final"))
    for final in finals:
        entries = [e for e in history.entries if e.get("client") == final["client"]]
        yield from _check_run(final["client"], entries, timeline)
    for final in finals:
        if final["epoch"] != end["epoch"]:
            yield Violation("reset not told", f"{final['client']} goes by an epoch that is over")
        if final["seq"] < timeline.last:
            yield Violation("not converged", f"{final['client']} ended at {final['seq']}")
    truth = _shown(end["tables"])
    for name, records in (
        ("the snapshot", end["snapshot"]),
        ("the replayed log", timeline.live(timeline.last)),
        *((final["client"], final["records"]) for final in finals),
    ):
        yield from _differences(name, _shown(records), truth)
    for final in finals:
        if final["view"] != {key: state["data"] for key, state in final["records"].items()}:
            yield Violation("not converged", f"{final['client']} sees what is not confirmed")


def _check_run(client: str, entries: Iterable[Entry], timeline: Timeline) -> Iterator[Violation]:
    """Follows one client through the log: it may get a change again, but pass over none."""
    changes = {change["seq"]: change for change in timeline.log}
    position = 0
    for entry in entries:
        told: list[Entry] = []
        if entry["type"] == "snapshot" and entry["applied"]:
            position = entry["seq"]
        elif entry["type"] == "connected" and entry["seq"] > position:
            yield Violation(
                "gap", f"{client} at {position} was connected behind {entry['seq']} without a reset"
            )
        elif entry["type"] == "event":
            told = [entry]
        elif entry["type"] == "changes":
            told = entry["changes"]
        for event in told:
            if event["seq"] > position + 1:
                yield Violation("gap", f"{client} got {event['seq']} behind {position}")
            position = max(position, event["seq"])
            yield from _check_event(client, event, changes.get(event["seq"]))
        if entry["type"] == "changes" and entry["seq"] > position:
            yield Violation("gap", f"{client} was sent on from {position} to {entry['seq']}")


def _check_event(client: str, event: Entry, change: Entry | None) -> Iterator[Violation]:
    """Whether an event says what the log does."""
    if change is None:
        yield Violation("invented", f"{client} got {event}, which the log does not have")
    elif change["action"] != "access" and event["record"] is not None:
        said = (event["record"], event["version"])
        if said != (change["record_id"], change["version"]) or (
            change["action"] == "updated" and event["patch"] != change["patch"]
        ):
            yield Violation("wrong event", f"{client} got {event}, the log has {change}")


def _shown(records: Entry) -> Entry:
    return {key: {name: state[name] for name in SHOWN} for key, state in records.items()}


def _differences(name: str, records: Entry, truth: Entry) -> Iterator[Violation]:
    for record in {**records, **truth}:
        if records.get(record) != truth.get(record):
            yield Violation(
                "not converged",
                f"{name} has {records.get(record)} of {record}, the tables {truth.get(record)}",
            )
