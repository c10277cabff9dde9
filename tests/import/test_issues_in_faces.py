"""4,000 issues as requests of Sim-Flow and as tasks of Atlas: filters agree with the file."""

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from command_line import run
from issue_file import Issues
from support import Client, Database

Row = dict[str, str]

# The statuses of the tracker in those of the systems; all others were turned down.
REQUEST_STATUS = {
    "": "Submitted", "New": "Submitted", "Unassigned": "Submitted", "Question": "In Review",
    "Assigned": "In Progress", "FutureRelease": "In Progress", "Released": "Completed",
}  # fmt: skip
TASK_STATUS = {
    "": "todo", "New": "todo", "Unassigned": "todo", "Question": "review",
    "Assigned": "in_progress", "FutureRelease": "in_progress",
}  # fmt: skip


def as_request(row: Row) -> Row:
    """An issue as a request."""
    return {
        "title": row["title"],
        "description": row["title"],
        "vendor": row["type"] or "Unknown",
        "status": REQUEST_STATUS.get(row["status"], "Rejected"),
        "createdAt": row["created_at"],
    }


def as_task(row: Row) -> Row:
    """An issue as a task of Atlas."""
    status = TASK_STATUS.get(row["status"], "done")
    kept = {key: row[key] for key in ("title", "type", "owner", "reporter")}
    return {**kept, "status": status, "createdAt": row["created_at"]}


def bring_in(rows: list[Row], file: Path, database: Database, *options: str) -> None:
    """Imports rows by the command."""
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = run("import", file, *options, database=database)
    assert done.stdout.startswith(f"{len(rows)} created, 0 skipped"), done.stderr


async def pages(client: Client, path: str, plural: str, filters: Mapping[str, str]) -> list[Any]:
    """All that a list holds under some filters, page by page."""
    found: list[Any] = []
    params = {f"filter[{key}]": value for key, value in filters.items()}
    for page in range(100):
        answer = await client.call("GET", path, params={**params, "page": str(page)})
        found += answer[plural]
        if not (answer.get("nextCursor") or answer.get("hasMore")):
            return found
    raise AssertionError("the list has no end")


@pytest.mark.timeout(120)
async def test_issues_are_requests_and_keep_to_the_workflow(
    database: Database, client: Client, issues: Issues, tmp_path: Path
) -> None:
    database.workspace(template="requests")
    rows = [as_request(row) for row in issues.rows]
    bring_in(rows, tmp_path / "requests.csv", database, "--collection", "request")
    counted = Counter((row["status"], row["vendor"]) for row in rows)
    assert len(counted) >= 6
    for (status, vendor), number in counted.items():
        filters = {"status": status, "vendor": vendor}
        found = await pages(client, "/api/requests", "requests", filters)
        assert len(found) == number, filters
        assert {(r["status"], r["vendor"]) for r in found} == {(status, vendor)}
    for status, refused, taken in (
        ("Completed", ("In Review", "Submitted", "Rejected"), None),
        ("Submitted", ("Completed", "In Progress"), "In Review"),
    ):
        query = {"filter[status]": status, "limit": "1"}
        (one,) = (await client.call("GET", "/api/requests", params=query))["requests"]
        at = f"/api/requests/{one['id']}/status"
        for step in refused:
            assert (await client.send("PATCH", at, {"status": step})).status == 409, step
        if taken:
            answer = await client.call("PATCH", at, {"status": taken})
            assert answer["request"]["status"] == taken


@pytest.mark.timeout(120)
async def test_issues_are_tasks_of_atlas(
    database: Database, client: Client, issues: Issues, tmp_path: Path
) -> None:
    database.workspace()
    rows = [as_task(row) for row in issues.rows]
    bring_in(rows, tmp_path / "tasks.csv", database)
    found = await pages(client, "/api/tasks", "tasks", {})
    assert [task["data"]["title"] for task in found] == [row["title"] for row in rows]
    counted = Counter((row["status"], row["type"]) for row in rows if row["type"])
    for (status, kind), number in counted.items():
        filters = {"status": status, "type": kind}
        assert len(await pages(client, "/api/tasks", "tasks", filters)) == number, filters
