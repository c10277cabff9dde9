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
        if entry["type"] == "changes" and entry["reset"]:
            continue  # it is told, and begins anew with a snapshot
        if entry["type"] == "snapshot" and entry["applied"]:
            position = entry["seq"]
        elif entry["type"] == "connected" and entry["seq"] > position:
            yield Violation(
                "gap", f"{client} at {position} was connected behind {entry['seq']} without a reset"
            )
        elif entry["type"] == "event":
            told = [entry]
        elif entry["type"] == "changes" and entry["coalesced"]:
            yield from _check_page(client, entry, timeline)
            position = entry["seq"]
        elif entry["type"] == "changes":
            told = entry["changes"]
        for event in told:
            if event["seq"] > position + 1:
                yield Violation("gap", f"{client} got {event['seq']} behind {position}")
            position = max(position, event["seq"])
            yield from _check_event(client, event, changes.get(event["seq"]))
        if entry["type"] == "changes" and entry["seq"] > position:
            yield Violation("gap", f"{client} was sent on from {position} to {entry['seq']}")


def _check_page(client: str, page: Entry, timeline: Timeline) -> Iterator[Violation]:
    """Whether a coalesced page makes of each record what its changes do, one by one."""
    told = {event["record"]: event for event in page["changes"] if event["version"]}
    for record in list(timeline.states):
        old, new = timeline.at(record, page["since"]), timeline.at(record, page["seq"])
        if old["version"] == new["version"] or (old["deleted"] and new["deleted"]):
            continue
        event = told.get(record, {"version": 0, "patch": {}})
        patched = {**old["data"], **(event["patch"] or {})}
        data = {key: value for key, value in patched.items() if value is not None}
        there = not old["deleted"] and not new["deleted"]  # else the whole record comes along
        if event["version"] != new["version"] or (there and data != new["data"]):
            yield Violation(
                "wrong page",
                f"{client} got {event} of {record} behind {page['since']}: {old} is now {new}",
            )


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
