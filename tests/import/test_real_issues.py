"""4,000 issues come in by the command, once, and are there for every client."""

import asyncio
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from command_line import environment, run
from issue_file import Issues
from support import Client, Database, eventually


@pytest.fixture
def workspace(database: Database, issues: Issues) -> str:
    """A workspace whose tasks may have the statuses of the tracker that the issues come from."""
    workspace = database.workspace()
    statuses = sorted({row["status"] for row in issues.rows} - {""})
    database.run(
        "update core.field set options = %s where workspace_id = %s and key = 'status'",
        Jsonb(statuses), workspace,
    )  # fmt: skip
    return workspace


def test_a_value_that_its_field_does_not_take_is_refused_with_its_line(
    database: Database, tmp_path: Path
) -> None:
    database.workspace()
    file = tmp_path / "two.csv"
    file.write_text("title,status,dueDate\nOne,todo,2026-01-31\nTwo,Obsolete,2026-02-31\n")
    done = run("import", file, database=database)
    assert (done.returncode, done.stdout) == (
        1,
        "1 created, 0 skipped (imported before), 1 rejected\n",
    )
    assert "status must be one of todo, in_progress, review, done." in done.stderr
    assert "dueDate must be a day that exists" in done.stderr
    mapped = run("import", file, "--map", "issueStatus=status", "--map", "due=dueDate",
                 database=database)  # fmt: skip
    assert mapped.stdout == "1 created, 1 skipped (imported before), 0 rejected\n"


def count(database: Database) -> int:
    return int(database.value("select count(*) from core.record"))


def lanes(database: Database, being: str | None = None) -> list[int]:
    """The backends through which imports write; only those in a state, or waiting for something."""
    rows = database.run(
        "select pid, state, wait_event_type from pg_stat_activity"
        " where application_name like 'rowcast lane%%' and datname = current_database()"
    )
    return [pid for pid, state, waits_for in rows if being in (None, state, waits_for)]


def whole(database: Database, workspace: str) -> None:
    """Numbers and log are gapless, each record has one change, and its own transaction."""
    records, last, changes, numbers, transactions = database.run(
        "select (select count(*) from core.record r where r.workspace_id = w.workspace_id),"
        " (select max(seq) from core.change c where c.workspace_id = w.workspace_id),"
        " (select count(*) from core.change c where c.workspace_id = w.workspace_id),"
        " (select max(number) from core.record r where r.workspace_id = w.workspace_id),"
        " (select count(*) from core.transaction t join core.change c"
        "   on c.workspace_id = t.workspace_id and c.seq = t.first_seq and c.record_id is not null"
        "   where t.workspace_id = w.workspace_id and t.first_seq = t.last_seq"
        "   and t.request_hash is null)"
        " from core.workspace w where w.workspace_id = %s",
        workspace,
    )[0]
    assert last == changes
    assert numbers == records
    assert transactions == records


async def test_every_issue_comes_in_as_it_stands_in_the_file(
    database: Database, workspace: str, issues: Issues
) -> None:
    done = run("import", issues.file, database=database)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("4000 created, 0 skipped")
    records = database.run(
        "select data, created_at from core.record where workspace_id = %s order by number",
        workspace,
    )
    assert len(records) == len(issues.rows) == 4000
    assert any(not row["title"].isascii() for row in issues.rows)
    for (data, created_at), row in zip(records, issues.rows, strict=True):
        assert data == {k: v for k, v in row.items() if v and k != "created_at"}
        if row["created_at"]:
            assert created_at == datetime.fromisoformat(row["created_at"])
    whole(database, workspace)


async def test_a_second_run_adds_nothing_and_a_corrected_file_adds_what_was_corrected(
    database: Database, workspace: str, issues: Issues, tmp_path: Path
) -> None:
    lines = issues.file.read_bytes().split(b"\r\n")
    file = tmp_path / "issues.csv"
    file.write_bytes(b"\r\n".join([*lines[:600], lines[600] + b",", *lines[601:]]))
    first = run("import", file, database=database)
    assert (first.returncode, count(database)) == (1, 3999)
    again = run("import", file, database=database)
    assert again.stdout == "0 created, 3999 skipped (imported before), 1 rejected\n"
    file.write_bytes(b"\r\n".join(lines))
    corrected = run("import", file, database=database)
    assert corrected.stdout == "1 created, 3999 skipped (imported before), 0 rejected\n"
    assert count(database) == 4000
    whole(database, workspace)


async def test_equal_rows_are_as_many_records_and_still_come_in_once(
    database: Database, workspace: str, tmp_path: Path
) -> None:
    file = tmp_path / "equal.csv"
    file.write_text("title\n" + "same\n" * 1200)
    assert run("import", file, database=database).stdout.startswith("1200 created")
    assert run("import", file, database=database).stdout.startswith("0 created, 1200 skipped")
    file.write_text("title\n" + "same\n" * 1203)
    assert run("import", file, database=database).stdout.startswith("3 created, 1200 skipped")


async def test_an_import_that_was_killed_goes_on_where_it_was(
    database: Database, workspace: str, issues: Issues
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "rowcast", "import", str(issues.file)),
        env=environment(database),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await eventually(lambda: count(database) > 0, 30, "the first chunk")
    finally:
        process.kill()
        await process.wait()
    await eventually(lambda: not lanes(database), 30, "the end of its connections")
    before = count(database)
    assert 0 < before < 4000
    done = run("import", issues.file, database=database)
    assert done.stdout.startswith(f"{4000 - before} created, {before} skipped")
    assert count(database) == 4000
    whole(database, workspace)


async def test_a_lost_connection_in_the_middle_is_made_again_and_nothing_comes_twice(
    database: Database, workspace: str, issues: Issues
) -> None:
    work = asyncio.create_task(asyncio.to_thread(run, "import", issues.file, database=database))
    killed = 0
    while not work.done() and killed < 3:
        for pid in await asyncio.to_thread(lanes, database, "active"):
            killed += database.value("select pg_terminate_backend(%s)", pid)
    done = await work
    assert killed >= 1
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("4000 created, 0 skipped")
    assert count(database) == 4000
    whole(database, workspace)


async def test_the_same_file_imported_twice_at_once_comes_in_once(
    database: Database, workspace: str, issues: Issues
) -> None:
    both = await asyncio.gather(
        *(asyncio.to_thread(run, "import", issues.file, database=database) for _ in range(2))
    )
    assert [done.returncode for done in both] == [0, 0], [done.stderr for done in both]
    assert sum(int(done.stdout.split()[0]) for done in both) == 4000
    assert count(database) == 4000
    whole(database, workspace)


async def test_a_clock_that_psql_holds_only_delays_an_import(
    database: Database, workspace: str, tmp_path: Path
) -> None:
    file = tmp_path / "one.csv"
    file.write_text("title\nOne\n")
    with psycopg.connect(database.admin) as psql:
        psql.execute(
            "select from core.clock where workspace_id = %s for update", [workspace]
        ).fetchone()
        work = asyncio.create_task(asyncio.to_thread(run, "import", file, database=database))
        await eventually(
            lambda: bool(lanes(database, "Lock")),
            30,
            "a lane that waits",
        )
        psql.rollback()
    done = await work
    assert (done.returncode, done.stdout.split()[0]) == (0, "1")


async def test_imported_issues_page_filter_and_patch_over_http(
    database: Database, workspace: str, issues: Issues, client: Client
) -> None:
    assert run("import", issues.file, database=database).returncode == 0
    path = f"/api/v1/workspaces/{workspace}/records"
    titles: list[str] = []
    cursor = ""
    while True:
        page = await client.call(
            "GET", f"{path}?collection=task&limit=200&sort=number{cursor and '&cursor=' + cursor}"
        )
        titles += [record["data"]["title"] for record in page["tasks"]]
        if page["nextCursor"] is None:
            break
        cursor = page["nextCursor"]
    assert titles == [row["title"] for row in issues.rows]
    statuses = Counter(row["status"] for row in issues.rows)
    for status in [status for status, _ in statuses.most_common()[-3:] if status]:
        found: list[Any] = []
        cursor = ""
        while True:
            page = await client.call(
                "GET",
                f"{path}?collection=task&limit=200{cursor and '&cursor=' + cursor}",
                params={"filter[status]": status},
            )
            found += page["tasks"]
            if page["nextCursor"] is None:
                break
            cursor = page["nextCursor"]
        assert {record["data"]["status"] for record in found} == {status}
        assert len(found) == statuses[status]
    record = (await client.call("GET", f"{path}?collection=task&limit=1&sort=number"))["tasks"][0]
    patched = await client.call(
        "PATCH", f"{path}/{record['displayId']}", {"patch": {"status": "Spam", "owner": None}}
    )
    assert patched["data"] == {
        k: v for k, v in {**record["data"], "status": "Spam"}.items() if k != "owner"
    }
    assert patched["createdAt"] == record["createdAt"]


async def test_two_streams_see_every_imported_issue_in_order(
    database: Database, workspace: str, issues: Issues, client: Client
) -> None:
    path = f"/api/v1/workspaces/{workspace}/events"

    async def read(opened: asyncio.Event) -> list[Any]:
        async with client.events(path) as stream:
            await stream.next()
            opened.set()
            return [event.data for event in await stream.take(4000, 60)]

    opened = [asyncio.Event(), asyncio.Event()]
    readers = [asyncio.create_task(read(event)) for event in opened]
    for event in opened:
        await event.wait()
    done = await asyncio.to_thread(run, "import", issues.file, database=database)
    assert done.returncode == 0, done.stderr
    for seen in await asyncio.gather(*readers):
        first = seen[0]["seq"]
        assert [change["seq"] for change in seen] == list(range(first, first + 4000))
        titles = [(change.get("record") or change["patch"])["data"]["title"] for change in seen]
        assert titles == [row["title"] for row in issues.rows]
