"""G7: display ids are unique, gapless in order of commit, and never reused."""

import asyncio
import contextlib

import psycopg
import pytest

from faults.invariants import check_workspace
from faults.load import Psql, psql, waits_for_lock
from support import Client, Database, eventually

_INSERT = """
    insert into core.record (workspace_id, collection, data)
    values (%s, 'task', '{"title": "By hand"}')
    returning display_id
"""


async def _insert(connection: Psql, workspace: str) -> str:
    cursor = await connection.execute(_INSERT, [workspace])
    row = await cursor.fetchone()
    assert row is not None
    return str(row[0])


async def test_creates_through_two_servers_and_psql_are_numbered_without_gap_or_repeat(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    path = f"/api/v1/workspaces/{workspace}/records?collection=task"

    async def over_http(client: Client) -> list[str]:
        body = {"data": {"title": "Over HTTP"}}
        return [(await client.call("POST", path, body))["displayId"] for _ in range(12)]

    async def by_hand(rolled_back: bool) -> list[str]:
        made = []
        async with psql(database) as connection:
            for _ in range(12):
                async with connection.transaction(force_rollback=rolled_back):
                    made += [await _insert(connection, workspace) for _ in range(2)]
        return [] if rolled_back else made

    given = await asyncio.gather(
        *(over_http(client) for client in two * 4), by_hand(False), by_hand(False), by_hand(True)
    )
    check_workspace(database, workspace)
    ids = sorted(display_id for some in given for display_id in some)
    total = 8 * 12 + 2 * 24
    number = database.value("select number from core.workspace where workspace_id = %s", workspace)
    assert ids == [f"TSK-{number:03}-{n:04}" for n in range(1, total + 1)]


async def test_inserts_committed_in_reverse_order_and_rolled_back_are_numbered_as_committed(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    committed: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        watcher = await stack.enter_async_context(psql(database))
        writers = [await stack.enter_async_context(psql(database)) for _ in range(6)]
        open_: dict[int, asyncio.Task[str]] = {}
        for n, writer in enumerate(writers):
            await writer.execute("begin")
            open_[n] = asyncio.create_task(_insert(writer, workspace))
            task, pid = open_[n], writer.info.backend_pid

            async def settled(task: "asyncio.Task[str]" = task, pid: int = pid) -> bool:
                return task.done() or await waits_for_lock(watcher, pid)

            await eventually(settled)
        while open_:
            await eventually(lambda: any(task.done() for task in open_.values()))
            last = max(n for n, task in open_.items() if task.done())
            display_id = await open_.pop(last)
            if last % 2:
                await writers[last].execute("rollback")
            else:
                await writers[last].execute("commit")
                committed.append(display_id)
    answer = await two[0].call(
        "POST", f"/api/v1/workspaces/{workspace}/records?collection=task", {"data": {"title": "L"}}
    )
    numbers = [
        int(display_id.rsplit("-", 1)[1]) for display_id in [*committed, answer["displayId"]]
    ]
    assert numbers == [1, 2, 3, 4]
    check_workspace(database, workspace)


async def test_a_deleted_records_number_is_never_given_again(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    base = f"/api/v1/workspaces/{workspace}/records"
    body = {"data": {"title": "T"}}
    over_http = await two[0].call("POST", f"{base}?collection=task", body)
    await two[0].call("DELETE", f"{base}/{over_http['id']}")
    second = await two[1].call("POST", f"{base}?collection=task", body)
    database.run("delete from core.record where id = %s", second["id"])
    third = await two[0].call("POST", f"{base}?collection=task", body)
    assert [over_http["number"], second["number"], third["number"]] == [1, 2, 3]
    check_workspace(database, workspace)


async def test_a_purge_that_raised_the_floor_leaves_no_number_to_give_again(
    database: Database,
) -> None:
    workspace = database.workspace()
    for n in range(3):
        database.task(workspace, title=f"{n}")
    with database.connect() as connection, connection.transaction():
        connection.execute("set local session_replication_role = replica")  # as the purge will be
        connection.execute("delete from core.record where number = 3")
        connection.execute("update core.collection set number_floor = 3")
    assert database.task(workspace, title="After")["number"] == 4


async def test_each_collection_of_a_workspace_is_numbered_by_itself(database: Database) -> None:
    workspace = database.workspace()
    database.run(
        "insert into core.collection (workspace_id, key, plural, label, prefix)"
        " values (%s, 'note', 'notes', 'Notes', 'NOTE')",
        workspace,
    )
    given = [
        database.call("record_create", workspace, arguments={"collection": collection, "data": {}})[
            "displayId"
        ]
        for collection in ("task", "note", "note", "task")
    ]
    assert [display_id.split("-")[0::2] for display_id in given] == [
        ["TSK", "0001"],
        ["NOTE", "0001"],
        ["NOTE", "0002"],
        ["TSK", "0002"],
    ]
    check_workspace(database, workspace)


async def test_what_names_a_record_can_not_be_chosen_or_changed_in_psql(database: Database) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    async with psql(database) as connection:
        cursor = await connection.execute(
            "insert into core.record (workspace_id, collection, number, display_id, version)"
            " values (%s, 'task', 77, 'TSK-7-77', 9) returning number, version",
            [workspace],
        )
        assert await cursor.fetchone() == (2, 1)
    with pytest.raises(psycopg.Error, match="never change"), database.connect() as connection_:
        connection_.execute("update core.record set number = 5 where id = %s", [task["id"]])
    assert database.value("select number from core.record where id = %s", task["id"]) == 1
    check_workspace(database, workspace)
