"""Undo and redo at whichever server process: what was written at one is taken back at another."""

import uuid
from typing import Any

from faults.invariants import check_workspace
from support import Client, Database
from undoing import content, planted_all


async def test_what_was_written_at_one_process_is_undone_at_another_and_redone_at_the_first(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    home = f"/api/v1/workspaces/{workspace}"
    documents: list[dict[str, Any]] = [{"title": "One", "points": 1}, {"title": "Two"}]
    one, other = planted_all(database, workspace, documents)
    before = content(database, workspace)
    new = str(uuid.uuid4())
    operations = [
        {"type": "create", "collection": "task", "recordId": new, "data": {"title": "New"}},
        {"type": "increment", "recordId": one, "key": "points", "by": 2},
        {"type": "move", "recordId": other, "before": one},
    ]
    written = await two[0].call("POST", f"{home}/transactions", {"operations": operations})
    after = content(database, workspace)
    (offered,) = (await two[1].call("GET", f"{home}/undo"))["undo"]
    assert (offered["id"], offered["seq"]) == (written["id"], written["seq"])
    undone = await two[1].call("POST", f"{home}/undo")
    assert (undone["undone"]["id"], undone["skipped"]) == (written["id"], [])
    assert [row for row in content(database, workspace) if str(row[0]) != new] == before
    (offered,) = (await two[0].call("GET", f"{home}/undo"))["redo"]
    assert offered["id"] == undone["id"]
    redone = await two[0].call("POST", f"{home}/redo")
    assert (redone["undone"]["id"], redone["skipped"]) == (undone["id"], [])
    assert content(database, workspace) == after
    for client in two:
        (await client.send("POST", f"{home}/redo")).problem(409, "nothing_to_redo")
    check_workspace(database, workspace)
