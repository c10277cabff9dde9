"""Trimming beside everything else: nothing waits for it, tears, or is lost; kills included."""

import asyncio
import subprocess
import sys
from typing import Any

from command_line import environment
from faults.invariants import check_workspace, log_of, titles_written
from faults.load import Load, check_outcomes, psql, waits_for_lock
from streams.streaming import Reader, following
from support import Client, Database, HttpReply, eventually
from trimming import faults, floor_of, trim

_COMMAND = (
    "import rowcast.compact as c; c.STEP = 50; from rowcast.cli import main; main()"  # 50 a step
)


async def test_writers_readers_and_undo_go_on_while_the_log_is_trimmed(
    two: list[Client], database: Database
) -> None:
    """What was trimmed is checked from what was read before: each trim goes no further."""
    workspace = database.workspace()
    load = Load(two, {workspace: [database.task(workspace, title="First")["id"] for _ in range(9)]})
    database.join(workspace, "Bob", "editor")
    bob = Client(two[1].session, two[1].url, database.token("Bob"))
    readers = [Reader(client, f"/api/v1/workspaces/{workspace}/events") for client in two]
    known: dict[int, dict[str, Any]] = {}
    undone: list[HttpReply] = []

    async def undo() -> None:
        home = f"/api/v1/workspaces/{workspace}"
        for n in range(40):
            data = {"title": f"undone {n}"}
            await bob.call("POST", f"{home}/records?collection=task", {"data": data})
            undone.append(await bob.send("POST", f"{home}/undo"))

    async with following(*readers), load.running(writers=8):
        undoing = asyncio.create_task(undo())
        for _ in range(8):
            await load.more(60)
            read = await asyncio.to_thread(log_of, database, workspace)
            known |= {change["seq"]: change for change in read if change["action"] != "baseline"}
            for reader in readers:
                await reader.reached(read[-1]["seq"])
            await asyncio.to_thread(trim, database, workspace, read[-1]["seq"] - 1, 40)
        await undoing
    known |= {change["seq"]: change for change in check_workspace(database, workspace)}
    log = [known[seq] for seq in sorted(known)]
    assert [change["seq"] for change in log] == list(range(1, len(log) + 1))
    titles = titles_written([change for change in log if change["action"] != "access"])
    check_outcomes(load.outcomes, titles)
    assert {outcome.status for outcome in load.outcomes} == {200, 201}
    assert {reply.status for reply in undone} == {200}
    assert floor_of(database, workspace) > 400
    for reader in readers:
        assert reader.resets == []
        assert reader.seqs == list(range(reader.seqs[0], reader.seqs[0] + len(reader.seqs)))
    assert faults(database) == {}


async def test_no_write_waits_for_the_rows_of_a_trim(client: Client, database: Database) -> None:
    """A step that is stuck in the middle of its rows holds no clock; it tears nothing either."""
    workspace = database.workspace()
    tasks = [database.task(workspace, title=f"{n}") for n in range(20)]
    path = f"/api/v1/workspaces/{workspace}"
    before = await client.call("GET", f"{path}/changes?since=1")
    async with psql(database) as holder, psql(database) as trimming, psql(database) as watcher:
        await holder.execute("begin")
        await holder.execute("select from core.change where seq = 10 for update")
        step = asyncio.create_task(
            trimming.execute("select trusted.log_compact(%s, clock_timestamp())", [workspace])
        )
        pid = trimming.info.backend_pid
        while not await waits_for_lock(watcher, pid):
            assert not step.done()
        patch = {"patch": {"title": "New"}}
        await client.call("PATCH", f"{path}/records/{tasks[0]['id']}", patch)
        now = await client.call("GET", f"{path}/changes?since=1")
        assert now["changes"][:-1] == before["changes"]
        assert floor_of(database, workspace) == 0
        await holder.execute("commit")
        await step
    assert floor_of(database, workspace) == 20
    check_workspace(database, workspace)


async def test_a_compact_that_is_killed_leaves_a_sound_log_and_goes_on(
    client: Client, database: Database
) -> None:
    """The process, and its backend, in the middle of a later step."""
    workspace = database.workspace()
    for _ in range(4):
        operations = [{"type": "create", "collection": "task", "data": {}}] * 60
        arguments = {"operations": operations}
        database.call("transaction_apply", workspace, arguments=arguments)
    database.task(workspace, title="Last")
    command = [sys.executable, "-c", _COMMAND, "compact", "--older-than", "0s"]

    def compact() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, env=environment(database), stdout=subprocess.DEVNULL)

    async with psql(database) as holder:
        await holder.execute("begin")
        await holder.execute("select from core.change where seq = 170 for update")
        killed = compact()
        await eventually(lambda: floor_of(database, workspace) == 121, 30, "two steps")
        check_workspace(database, workspace)
        killed.kill()
        killed.wait()
        await holder.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'rowcast compact'"
        )
        await holder.execute("commit")
    assert (await client.send("GET", f"/api/v1/workspaces/{workspace}/snapshot")).status == 200
    check_workspace(database, workspace)
    assert floor_of(database, workspace) in (121, 181)
    assert compact().wait(60) == 0
    assert floor_of(database, workspace) == 241
    check_workspace(database, workspace)
    assert faults(database) == {}
