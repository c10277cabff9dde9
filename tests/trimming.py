"""Trims logs as `rowcast compact` does, up to a seq of the test's choice."""

from typing import Any

from support import Database


def trim(
    database: Database, workspace: str, seq: int, rows: int = 10_000, forgetting: bool = True
) -> int:
    """Trims the changes of a workspace up to a seq, `rows` in a step; the floor.

    forgetting: then drops what is kept of the writes that made them.
    """
    before = database.value(
        "select coalesce(min(at), clock_timestamp()) from core.change"
        " where workspace_id = %s and seq > %s",
        workspace,
        seq,
    )
    step: dict[str, Any] = {"more": True}
    while step["more"]:
        step = database.value("select trusted.log_compact(%s, %s, %s)", workspace, before, rows)
    if forgetting:
        forget(database, workspace, before)
    return int(step["floor"])


def forget(database: Database, workspace: str, before: Any, rows: int = 10_000) -> None:
    """Drops what is kept of the writes whose changes are trimmed, `rows` in a step."""
    actor = key = None
    while True:
        step = database.value(
            "select trusted.transactions_compact(%s, %s, %s, %s, %s)",
            workspace, before, actor, key, rows,
        )  # fmt: skip
        actor, key = step["actor"], step["id"]
        if key is None:
            return


def floor_of(database: Database, workspace: str) -> int:
    """Up to which seq the log of a workspace is trimmed."""
    return int(database.value("select floor from core.clock where workspace_id = %s", workspace))


def faults(database: Database) -> dict[str, Any]:
    """What `rowcast doctor` finds wrong with the logs: nothing, where all is well."""
    found = database.value("select trusted.installation_check()")
    return {name: found[name] for name in ("clockless", "gaps", "baselines") if found[name]}
