"""What must hold of a workspace whatever happened: G1, G7, and that the log tells the tables.

Of a trimmed log that is what stands above its floor, from the baselines on.
"""

from collections import defaultdict
from typing import Any

from support import Database


def log_of(database: Database, workspace: str) -> list[dict[str, Any]]:
    """The changes of a workspace, in order of seq."""
    names = (
        "seq",
        "at",
        "action",
        "collection",
        "record_id",
        "version",
        "patch",
        "before",
        "position",
        "position_before",
        "document",
        "inverse",
        "actor_id",
        "transaction_id",
    )
    rows = database.run(
        "select seq, at, action, collection, record_id::text, version, patch, before, position,"
        " position_before, document, inverse, actor_id::text, transaction_id::text"
        " from core.change where workspace_id = %s order by seq",
        workspace,
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def check_workspace(database: Database, workspace: str) -> list[dict[str, Any]]:
    """Fails unless seq, times, numbers, versions and documents are as promised; the log."""
    whole = log_of(database, workspace)
    (floor,) = database.run("select floor from core.clock where workspace_id = %s", workspace)[0]
    log = [change for change in whole if change["seq"] > floor]
    seqs = [change["seq"] for change in log]
    assert seqs == list(range(floor + 1, floor + len(log) + 1)), "seq has a gap"
    times = [change["at"] for change in log]
    assert times == sorted(times), "a change is dated before the one that it follows"
    _check_numbers(database, workspace, log)
    baselines = [change for change in whole if change["seq"] <= floor]
    stored = {
        row[0]: {"data": row[1], "position": row[2], "version": row[3], "deleted": row[4]}
        for row in database.run(
            "select id::text, data, position, version, deleted_at is not null"
            " from core.record where workspace_id = %s",
            workspace,
        )
    }
    start = _rolled_back(stored, log, baselines)
    assert _replay(start, log) == stored, "the log, replayed, does not give the tables"
    return log


def _check_numbers(database: Database, workspace: str, log: list[dict[str, Any]]) -> None:
    """Numbers are 1..n per collection in order of the log, and every display id is told once."""
    created: dict[str, list[int]] = defaultdict(list)
    for change in log:
        if change["action"] == "created":
            created[change["collection"]].append(change["document"]["number"])
    rows = database.run(
        "select collection, number, display_id from core.record where workspace_id = %s"
        " order by collection, number",
        workspace,
    )
    assert len({row[2] for row in rows}) == len(rows), "a display id is there twice"
    for collection, numbers in created.items():
        stored = [row[1] for row in rows if row[0] == collection]
        assert stored == list(range(1, len(stored) + 1)), f"numbers of {collection}: {stored}"
        assert stored[len(stored) - len(numbers) :] == numbers, "created in another order"
    assert all(int(row[2].rsplit("-", 1)[1]) == row[1] for row in rows), "a display id is wrong"


def _rolled_back(
    stored: dict[str, dict[str, Any]], log: list[dict[str, Any]], baselines: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The records as they were at the floor. Fails unless each has one baseline, and no other."""
    records = {key: {**record, "data": dict(record["data"])} for key, record in stored.items()}
    for change in reversed(log):
        record = records.get(change["record_id"])
        if change["action"] == "created":
            del records[change["record_id"]]
        elif record is not None:
            for field, old in (change["before"] or {}).items():
                if old is None:
                    record["data"].pop(field, None)
                else:
                    record["data"][field] = old
            record["position"] = change["position_before"] or record["position"]
            if change["action"] in ("deleted", "restored"):
                record["deleted"] = change["action"] == "restored"
    kept = [change for change in baselines if change["collection"] is not None]
    assert {change["action"] for change in baselines} <= {"baseline"}, "history below the floor"
    assert sorted(change["record_id"] for change in kept) == sorted(records), "baselines"
    for change in kept:
        records[change["record_id"]]["version"] = change["version"]
    return records


def _replay(
    records: dict[str, dict[str, Any]], log: list[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What a log makes of records. Fails where a version is skipped or a `before` is not so."""
    for change in log:
        if change["action"] == "access":
            continue
        key, seq = change["record_id"], change["seq"]
        if change["action"] == "created":
            assert key not in records, f"seq {seq} creates a record again"
            document = change["document"]
            records[key] = {
                "data": dict(document["data"]),
                "position": change["position"],
                "version": 0,
                "deleted": False,
            }
        record = records[key]
        assert change["version"] == record["version"] + 1, f"seq {seq} skips a version"
        record["version"] = change["version"]
        for field, old in (change["before"] or {}).items():
            assert record["data"].get(field) == old, f"seq {seq} has a wrong before of {field}"
        for field, new in (change["patch"] or {}).items():
            if new is None:
                record["data"].pop(field)
            else:
                record["data"][field] = new
        if change["action"] != "created" and change["position"] is not None:
            assert record["position"] == change["position_before"]
            record["position"] = change["position"]
        if change["action"] in ("deleted", "restored"):
            record["deleted"] = change["action"] == "deleted"
    return records


def titles_written(log: list[dict[str, Any]]) -> list[str]:
    """Every title that was ever given in a workspace, in order of the log."""
    titles = []
    for change in log:
        data = change["document"]["data"] if change["action"] == "created" else change["patch"]
        if data and data.get("title") is not None:
            titles.append(data["title"])
    return titles
