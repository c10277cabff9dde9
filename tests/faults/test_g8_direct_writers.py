"""G8: what is written in psql is versioned, numbered, logged and streamed as a browser's write."""

import asyncio
import json
import random

import psycopg
import pytest

from faults.invariants import check_workspace, titles_written
from faults.load import Load, Reader, check_outcomes, patch_in_psql, psql
from support import Client, Database


async def test_an_update_in_psql_is_versioned_logged_and_streamed_by_every_server(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    path = f"/api/v1/workspaces/{workspace}/events"
    async with two[0].events(path) as one, two[1].events(path) as other:
        for stream in (one, other):
            assert (await stream.next()).name == "connected"
        async with psql(database) as connection:
            await patch_in_psql(connection, workspace, task["id"], "By hand")
            await connection.execute("delete from core.record where id = %s", [task["id"]])
        for stream in (one, other):
            updated, deleted = await stream.take(2)
            assert (updated.name, deleted.name) == ("task-updated", "task-deleted")
            assert updated.data["patch"] == {"title": "By hand"}
            assert [updated.data["version"], deleted.data["version"]] == [2, 3]
            assert [updated.data["seq"], deleted.data["seq"]] == [task["seq"] + 1, task["seq"] + 2]
    check_workspace(database, workspace)


async def test_one_statement_over_many_records_is_one_gapless_run_of_the_log(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'task', jsonb_build_object('title', 'T' || n) from generate_series(1, 500) n",
        workspace,
    )
    path = f"/api/v1/workspaces/{workspace}/records?collection=task"
    body = {"data": {"title": "Meanwhile"}}
    async with psql(database) as connection:
        await asyncio.gather(
            connection.execute(
                """update core.record set data = data || '{"points": 1}' where workspace_id = %s""",
                [workspace],
            ),
            *(client.call("POST", path, body) for client in two * 3),
        )
    log = check_workspace(database, workspace)
    updates = [change["seq"] for change in log if change["action"] == "updated"]
    assert updates == list(range(updates[0], updates[0] + len(updates)))
    assert len(updates) >= 500


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
@pytest.mark.parametrize("statement", ["insert", "update"])
async def test_above_read_committed_a_writer_that_came_too_late_is_told_to_try_again(
    isolation: str, statement: str, database: Database
) -> None:
    workspace = database.workspace()
    one, other = (database.task(workspace, title=t)["id"] for t in ("One", "Other"))
    async with psql(database) as connection:
        await connection.execute(f"begin isolation level {isolation}")
        await connection.execute("select from core.record")  # takes the snapshot
        database.task(workspace, title="Meanwhile")
        late = (
            patch_in_psql(connection, workspace, one, "Late")
            if statement == "update"
            else connection.execute(
                "insert into core.record (workspace_id, collection) values (%s, 'task')",
                [workspace],
            )
        )
        with pytest.raises(psycopg.errors.SerializationFailure):
            await late
        await connection.execute("rollback")
        await connection.execute(f"begin isolation level {isolation}")
        await patch_in_psql(connection, workspace, other, "In time")
        await connection.execute("commit")
    log = check_workspace(database, workspace)
    assert titles_written(log) == ["One", "Other", "Meanwhile", "In time"]


@pytest.mark.parametrize("level", ["session", "local"])
async def test_a_seq_that_somebody_set_by_hand_is_not_believed(
    level: str, database: Database
) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    async with psql(database) as connection:
        for xact in ("0", "1", "7777"):
            await connection.execute("begin")
            await connection.execute(
                "select set_config('rowcast.seq', %s, %s)",
                [f"{workspace} {xact} 4000", level == "local"],
            )
            await patch_in_psql(connection, workspace, task["id"], f"After {xact}")
            await connection.execute("commit")
    check_workspace(database, workspace)
    assert database.task(workspace, title="Two")["seq"] == task["seq"] + 4


async def test_a_seq_carried_by_an_earlier_transaction_of_the_session_is_not_believed(
    database: Database,
) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    async with psql(database) as connection:
        async with connection.transaction():
            await patch_in_psql(connection, workspace, task["id"], "Two")
            cursor = await connection.execute("select current_setting('rowcast.seq')")
            row = await cursor.fetchone()
            assert row is not None
            await connection.execute("select set_config('rowcast.seq', %s, false)", [row[0]])
        database.task(workspace, title="Meanwhile")
        await patch_in_psql(connection, workspace, task["id"], "Three")
    check_workspace(database, workspace)


async def test_a_write_in_psql_that_changes_nothing_writes_no_change(database: Database) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    for statement in (
        "update core.record set data = data where id = %s",
        "update core.record set version = 99, updated_at = now() where id = %s",
        "update core.record set data = data || '{\"gone\": null}' where id = %s",
    ):
        database.run(statement, task["id"])
    log = check_workspace(database, workspace)
    assert log[-1]["seq"] == task["seq"]
    assert database.value("select version from core.record where id = %s", task["id"]) == 1


async def test_four_psql_writers_and_two_servers_on_the_same_twenty_records_all_finish(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    records = [database.task(workspace, title="First")["id"] for _ in range(20)]
    load = Load(two, {workspace: records})
    reader = Reader(two, workspace)

    async def writes(n: int, at_once: int, times: int) -> None:
        """Some records per transaction, in any order; the victim of a dead-lock tries again."""
        rng = random.Random(n)
        async with psql(database, deadlock_timeout="50ms") as connection:
            for k in range(times):
                while True:
                    try:
                        async with connection.transaction():
                            for part, record in enumerate(rng.sample(records, at_once)):
                                title = f"psql {n} {k} {part}"
                                await patch_in_psql(connection, workspace, record, title)
                        break
                    except psycopg.errors.DeadlockDetected:
                        continue

    async with load.running(writers=16), asyncio.TaskGroup() as group:
        for n in range(4):
            group.create_task(writes(n, 2, 30) if n % 2 else writes(n, 1, 60))
        await load.more(300)
    await reader.poll()
    log = check_workspace(database, workspace)
    titles = titles_written(log)
    check_outcomes(load.outcomes, titles)
    assert {outcome.status for outcome in load.outcomes} == {200, 201}, "a client saw an error"
    assert sum(title.startswith("psql") for title in titles) == 2 * 60 + 2 * 30 * 2


async def test_a_direct_writer_is_bound_by_the_limits_of_a_document(database: Database) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    deep = "[" * 40 + "]" * 40
    for document in ({"title": "x" * 300_000}, {"title": json.loads(deep)}):
        with pytest.raises(psycopg.Error) as caught:
            database.run(
                "update core.record set data = %s where id = %s", json.dumps(document), task["id"]
            )
        assert caught.value.sqlstate in ("PT413", "PT422")
    check_workspace(database, workspace)
