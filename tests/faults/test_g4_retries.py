"""G4: a retried write takes effect once and is answered as before; another body is refused."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from faults.invariants import check_workspace, titles_written
from faults.load import psql
from faults.proxy import proxied
from support import Client, Database, ServerProcess, eventually, start_server


def _key() -> dict[str, Any]:
    """The headers of one write and its retries."""
    return {"headers": {"Idempotency-Key": str(uuid.uuid4())}}


def _records(workspace: str) -> str:
    return f"/api/v1/workspaces/{workspace}/records"


async def test_the_same_id_through_two_processes_at_once_takes_effect_once(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    for n in range(15):
        create, same = f"{_records(workspace)}?collection=task", _key()
        body = {"data": {"title": f"Created {n}"}}
        answers = await asyncio.gather(
            *(client.call("POST", create, body, **same) for client in two * 3)
        )
        assert len({(a["id"], a["displayId"], a["seq"]) for a in answers}) == 1
        patch, same = f"/api/tasks/{answers[0]['id']}", _key()
        body = {"patch": {"title": f"Patched {n}"}}
        answers = await asyncio.gather(
            *(client.call("PATCH", patch, body, **same) for client in two * 3)
        )
        assert len({(a["seq"], a["version"]) for a in answers}) == 1
    titles = titles_written(check_workspace(database, workspace))
    assert titles == [f"{kind} {n}" for n in range(15) for kind in ("Created", "Patched")]


async def test_every_kind_of_write_takes_effect_once_and_answers_alike_when_retried(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    one, other = (database.task(workspace, title=t)["id"] for t in ("One", "Other"))
    operations = [
        {"type": "increment", "recordId": id_, "key": "points", "by": 1} for id_ in (one, other)
    ]
    writes: list[tuple[str, str, Any]] = [
        ("POST", f"{_records(workspace)}?collection=task", {"data": {"title": "New"}}),
        ("PATCH", f"{_records(workspace)}/{one}", {"patch": {"title": "Two"}}),
        ("POST", f"{_records(workspace)}/{one}/move", {"after": other}),
        ("DELETE", f"{_records(workspace)}/{one}", None),
        ("POST", f"{_records(workspace)}/{one}/restore", None),
        ("POST", f"/api/v1/workspaces/{workspace}/transactions", {"operations": operations}),
        ("POST", f"/api/v1/workspaces/{workspace}/undo", None),
        ("POST", f"/api/v1/workspaces/{workspace}/redo", None),
        ("POST", "/api/v1/workspaces", {"name": "Another", "template": "tasks"}),
    ]
    for method, path, body in writes:
        same = _key()
        first = await two[0].call(method, path, body, **same)
        again = await two[1].call(method, path, body, **same)
        assert again == first, f"{method} {path}"
    # the member, two tasks, five writes of one record, three of two
    assert len(check_workspace(database, workspace)) == 3 + 5 + 3 * 2
    assert database.value("select count(*) from core.workspace") == 2


async def test_another_body_function_or_record_with_the_same_id_is_refused(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    one, other = (database.task(workspace, title=t)["id"] for t in ("One", "Other"))
    same = _key()
    patch = {"patch": {"title": "Two"}}
    await two[0].call("PATCH", f"{_records(workspace)}/{one}", patch, **same)
    for method, path, body in (
        ("PATCH", f"{_records(workspace)}/{one}", {"patch": {"title": "Three"}}),
        ("PATCH", f"{_records(workspace)}/{other}", patch),
        ("DELETE", f"{_records(workspace)}/{one}", None),
    ):
        for client in two:
            problem = await client.call(method, path, body, status=422, **same)
            assert problem["code"] == "transaction_reused"
    assert titles_written(check_workspace(database, workspace)) == ["One", "Other", "Two"]


async def test_ids_are_remembered_per_caller_and_workspace(
    two: list[Client], database: Database
) -> None:
    mine, second = database.workspace(name="Mine"), database.workspace(name="Second")
    database.join(mine, "Bob", "editor")
    bob = Client(two[0].session, two[0].url, database.token("Bob"))
    same = _key()
    answers = [
        await client.call(
            "POST", f"{_records(w)}?collection=task", {"data": {"title": "T"}}, **same
        )
        for client, w in ((two[0], mine), (two[0], second), (bob, mine))
    ]
    assert len({answer["id"] for answer in answers}) == 3


async def test_a_retry_after_somebody_elses_edit_does_not_overwrite_it(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    task = database.task(workspace, title="One")
    path, same = f"{_records(workspace)}/{task['id']}", _key()
    # it changes nothing, and yet is remembered
    first = await two[0].call("PATCH", path, {"patch": {"title": "One"}}, **same)
    assert first["seq"] == task["seq"]
    await two[1].call("PATCH", path, {"patch": {"title": "Somebody else's"}})
    again = await two[0].call("PATCH", path, {"patch": {"title": "One"}}, **same)
    assert (again["data"]["title"], again["seq"]) == ("Somebody else's", first["seq"])
    assert titles_written(check_workspace(database, workspace)) == ["One", "Somebody else's"]


async def test_a_write_that_failed_may_be_tried_again_with_its_id(
    two: list[Client], database: Database
) -> None:
    workspace, task, same = database.workspace(), str(uuid.uuid4()), _key()
    patch = {"patch": {"title": "Two"}}
    await two[0].call("PATCH", f"{_records(workspace)}/{task}", patch, status=404, **same)
    body = {"id": task, "data": {"title": "One"}}
    await two[0].call("POST", f"{_records(workspace)}?collection=task", body)
    answer = await two[1].call("PATCH", f"{_records(workspace)}/{task}", patch, **same)
    assert answer["data"]["title"] == "Two"


async def test_ids_doubled_within_one_batch_take_effect_once(database: Database) -> None:
    workspace, same, other = database.workspace(), str(uuid.uuid4()), str(uuid.uuid4())

    def create(id_: str, title: str) -> dict[str, Any]:
        return {
            "function": "record_create",
            "workspace": workspace,
            "id": id_,
            "arguments": {"collection": "task", "data": {"title": title}},
        }

    calls = [create(same, "A"), create(other, "B"), create(same, "A"), create(same, "Else")]
    replies = database.batch(calls)
    assert [reply.state for reply in replies] == ["ok", "ok", "busy", "busy"]
    again = database.batch(calls[2:])  # as the writer does with busy calls; doubled once more
    assert [reply.state for reply in again] == ["ok", "busy"]
    assert again[0].answer == replies[0].answer
    assert [reply.state for reply in database.batch(calls[3:])] == ["PT422"]
    assert titles_written(check_workspace(database, workspace)) == ["A", "B"]


async def test_a_client_that_hangs_up_and_retries_elsewhere_writes_once(
    two: list[Client], database: Database
) -> None:
    workspace = database.workspace()
    path = f"{_records(workspace)}?collection=task"
    wanted = []
    for n in range(30):
        same, body = _key(), {"data": {"title": f"T{n}"}}
        wanted.append(f"T{n}")
        lost = asyncio.create_task(two[0].call("POST", path, body, **same))
        await asyncio.wait([lost], timeout=n % 10 / 2000)  # at any moment of its way
        lost.cancel()
        answer = await two[1].call("POST", path, body, **same)
        assert answer["data"]["title"] == f"T{n}"
        with contextlib.suppress(asyncio.CancelledError):
            await lost
    assert titles_written(check_workspace(database, workspace)) == wanted


async def test_a_retry_after_the_server_was_killed_finds_what_it_did(
    database: Database, spawn: Callable[..., ServerProcess], session: aiohttp.ClientSession
) -> None:
    workspace = database.workspace()
    tasks = [database.task(workspace, title="First")["id"] for _ in range(13)]
    first, second = spawn(), spawn()
    token = database.token("Ada")
    one, other = (Client(session, server.url, token) for server in (first, second))
    several = [
        {"type": "set", "recordId": tasks[12], "key": "title", "value": "Second 12"},
        {"type": "create", "collection": "task", "data": {"title": "Second 13"}},
    ]
    writes: list[tuple[str, str, Any, Any]] = [
        ("PATCH", f"/api/tasks/{task}", {"patch": {"title": f"Second {n}"}}, _key())
        for n, task in enumerate(tasks[:12])
    ]
    transactions = f"/api/v1/workspaces/{workspace}/transactions"
    writes.append(("POST", transactions, {"operations": several}, _key()))

    async def write(client: Client, n: int) -> Any:
        method, path, body, same = writes[n]
        return await client.call(method, path, body, **same)

    async with psql(database) as holder:
        await holder.execute("begin")
        # a batch that has done its work and can't commit yet
        await holder.execute("lock table core.transaction in share mode")
        lost = [asyncio.create_task(write(one, n)) for n in range(len(writes))]
        async with psql(database) as watcher:
            await eventually(lambda: _waiting(watcher), what="a batch under way")
        first.kill()
        await holder.execute("rollback")
    failed = await asyncio.gather(*lost, return_exceptions=True)
    assert all(isinstance(answer, aiohttp.ClientError) for answer in failed)
    *patched, applied = await asyncio.gather(*(write(other, n) for n in range(len(writes))))
    records = [*patched, *applied["records"]]
    assert [record["data"]["title"] for record in records] == [f"Second {n}" for n in range(14)]
    titles = titles_written(check_workspace(database, workspace))
    assert sorted(titles[13:]) == sorted(f"Second {n}" for n in range(14))
    at = titles.index("Second 12")
    assert titles[at : at + 2] == ["Second 12", "Second 13"], "nothing between"


async def _waiting(watcher: Any) -> bool:
    cursor = await watcher.execute(
        "select 1 from pg_stat_activity where datname = current_database()"
        " and application_name = 'rowcast writer' and wait_event_type = 'Lock'"
    )
    return await cursor.fetchone() is not None


async def test_an_answer_lost_between_database_and_server_is_given_all_the_same(
    database: Database, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    workspace = database.workspace()
    path = f"{_records(workspace)}?collection=task"
    async with proxied(database.server, "rowcast writer") as (proxy, conninfo):
        server = await asyncio.to_thread(start_server, Database(database.admin, conninfo), tmp_path)
        try:
            client = Client(session, server.url, database.token("Ada"))
            for n in range(5):
                proxy.lose_answers = 1
                answer = await client.call("POST", path, {"data": {"title": f"T{n}"}})
                assert (answer["number"], proxy.lost) == (n + 1, n + 1)
        finally:
            server.kill()
    assert titles_written(check_workspace(database, workspace)) == [f"T{n}" for n in range(5)]
