"""G1: per workspace, seq is gapless and in commit order, under any concurrency; G7, G8 with it."""

import asyncio
import contextlib
import random

import psycopg

from faults.invariants import check_workspace
from faults.load import Psql, Reader, patch_in_psql, psql, waits_for_lock
from support import Client, Database, eventually


async def test_servers_and_psql_at_once_leave_a_gapless_log_that_replays(
    two: list[Client], database: Database
) -> None:
    workspaces = [database.workspace(name=f"W{n}") for n in range(3)]
    records = {w: [database.task(w, title="First")["id"] for _ in range(8)] for w in workspaces}
    readers = [Reader(two, workspace) for workspace in workspaces]
    writing = True
    async with asyncio.TaskGroup() as reading:
        for reader in readers:
            reading.create_task(reader.run(lambda: not writing))
        try:
            async with asyncio.TaskGroup() as group:
                over_http = [
                    group.create_task(_write_over_http(two[n % 2], records, random.Random(n)))
                    for n in range(12)
                ]
                for n in range(4):
                    group.create_task(_write_in_psql(database, records, random.Random(100 + n)))
        finally:
            writing = False
    written: dict[tuple[str, int], str] = {}
    for workspace, reader in zip(workspaces, readers, strict=True):
        log = check_workspace(database, workspace)
        assert reader.seq == len(log), "the reader has not seen the whole log"
        written |= {(workspace, change["seq"]): change["record_id"] for change in log}
    answers = [answer for task in over_http for answer in task.result()]
    assert len(answers) > 100
    for workspace, seq, record in answers:
        assert written[workspace, seq] == record, "an answer names another write's seq"


async def _write_over_http(
    client: Client, records: dict[str, list[str]], rng: random.Random
) -> list[tuple[str, int, str]]:
    """All kinds of writes; workspace, seq and record of those that took effect."""
    answers = []
    for n in range(40):
        workspace = rng.choice(list(records))
        base, record = f"/api/v1/workspaces/{workspace}/records", rng.choice(records[workspace])
        data = {"title": f"{rng.random()}", "points": rng.choice([None, n])}
        method, path, body = rng.choice(
            [
                ("POST", f"{base}?collection=task", {"data": data}),
                ("PATCH", f"{base}/{record}", {"patch": data}),
                ("PATCH", f"/api/tasks/{record}", {"patch": data}),
                ("DELETE", f"{base}/{record}", None),
                ("POST", f"{base}/{record}/restore", None),
                ("POST", f"{base}/{record}/move", {"before": rng.choice(records[workspace])}),
            ]
        )
        async with client.request(method, path, json=body) as response:
            answer = await response.json()
            # a record that another writer has deleted is gone, and one that lives can't be restored
            assert response.status in (200, 201, 404, 409, 422), f"{method} {path} {answer}"
        if response.status < 300 and response.headers.get("ETag") and not path.endswith("/restore"):
            answers.append((workspace, answer["seq"], answer["id"]))
    return answers


async def _write_in_psql(
    database: Database, records: dict[str, list[str]], rng: random.Random
) -> None:
    """Transactions of a few writes; some are rolled back, as a whole or to a savepoint."""
    async with psql(database, deadlock_timeout="100ms") as connection:
        for _ in range(25):
            workspace = rng.choice(list(records))
            # several writers that write several records in any order may dead-lock, as in any psql
            with contextlib.suppress(psycopg.errors.DeadlockDetected):
                async with connection.transaction(force_rollback=rng.random() < 0.3):
                    await _write_once(connection, workspace, records[workspace], rng)
                    async with connection.transaction(force_rollback=rng.random() < 0.5):
                        await _write_once(connection, workspace, records[workspace], rng)
                    await _write_once(connection, workspace, records[workspace], rng)


async def _write_once(
    connection: Psql, workspace: str, records: list[str], rng: random.Random
) -> None:
    record = rng.choice(records)
    if rng.random() < 0.5:
        await patch_in_psql(connection, workspace, record, f"{rng.random()}")
    elif rng.random() < 0.5:
        await connection.execute(
            "insert into core.record (workspace_id, collection, data)"
            """ values (%s, 'task', '{"title": "By hand"}')""",
            [workspace],
        )
    else:
        await connection.execute(
            "delete from core.record where workspace_id = %s and id = %s", [workspace, record]
        )


async def test_commits_forced_out_of_order_never_show_a_lower_seq_later(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    records = [database.task(workspace, title=f"{n}")["id"] for n in range(9)]
    reader = Reader(two, workspace)
    await reader.poll()
    async with contextlib.AsyncExitStack() as stack:
        watcher = await stack.enter_async_context(psql(database))
        writers = [await stack.enter_async_context(psql(database)) for _ in range(6)]
        open_: dict[int, asyncio.Task[None]] = {}
        for n, writer in enumerate(writers):
            await writer.execute("begin")
            open_[n] = asyncio.create_task(
                patch_in_psql(writer, workspace, records[n], f"psql {n}")
            )
            await _settled(watcher, writer, open_[n])
        over_http = [
            asyncio.create_task(
                client.call("PATCH", f"/api/tasks/{record}", {"patch": {"title": "Over HTTP"}})
            )
            for client, record in zip(two, records[6:], strict=False)
        ]
        while open_:
            # the last one first, of those that have got through their write: with no lock, all have
            await eventually(lambda: any(task.done() for task in open_.values()))
            last = max(n for n, task in open_.items() if task.done())
            await open_.pop(last)
            await writers[last].execute("rollback" if last % 3 == 1 else "commit")
            await reader.poll()
            for n, task in open_.items():
                await _settled(watcher, writers[n], task)
        await asyncio.gather(*over_http)
    await reader.poll()
    log = check_workspace(database, workspace)
    assert reader.seq == len(log)
    titles = {change["patch"]["title"] for change in log if change["patch"] and change["seq"] > 10}
    assert titles == {"psql 0", "psql 2", "psql 3", "psql 5", "Over HTTP"}


async def _settled(watcher: Psql, writer: Psql, task: "asyncio.Task[None]") -> None:
    """Waits until a write has gone through, or waits for somebody's lock."""

    async def settled() -> bool:
        return task.done() or await waits_for_lock(watcher, writer.info.backend_pid)

    await eventually(settled)


async def test_writes_that_fail_or_change_nothing_take_no_seq(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    base = f"/api/v1/workspaces/{workspace}/records"
    await asyncio.gather(
        *(
            client.call("PATCH", f"{base}/{task['id']}", {"patch": {"title": "One"}})
            for client in two * 5
        ),
        *(
            client.call(
                "POST",
                f"{base}?collection=task",
                {"id": task["id"], "data": {"title": "Again"}},
                status=409,
            )
            for client in two * 5
        ),
        *(
            client.call("PATCH", f"{base}/TSK-9-9", {"patch": {"title": "None"}}, status=404)
            for client in two * 5
        ),
    )
    answer = await two[0].call("PATCH", f"{base}/{task['id']}", {"patch": {"title": "Two"}})
    assert answer["seq"] == task["seq"] + 1
    check_workspace(database, workspace)


async def test_a_rolled_back_savepoint_gives_its_seq_back(database: Database) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    async with psql(database) as connection, connection.transaction():
        await patch_in_psql(connection, workspace, task["id"], "kept")
        async with connection.transaction(force_rollback=True):
            await patch_in_psql(connection, workspace, task["id"], "undone")
            await patch_in_psql(connection, workspace, task["id"], "undone too")
        await patch_in_psql(connection, workspace, task["id"], "kept too")
    log = check_workspace(database, workspace)
    assert [change["patch"]["title"] for change in log[-2:]] == ["kept", "kept too"]


async def test_a_change_is_never_dated_before_the_one_that_it_follows(database: Database) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    async with psql(database) as connection:  # the machine's clock was ahead, and is set back
        await connection.execute(
            "update core.change set at = clock_timestamp() + interval '1 hour'"
            " where workspace_id = %s and seq = %s",
            [workspace, task["seq"]],
        )
    database.task(workspace, title="Two")
    check_workspace(database, workspace)
