"""A queue of transactions whose server dies on the way is sent again, and each happened once."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from faults.invariants import check_workspace
from support import Client, Database, ServerProcess, eventually


def queue_of(tasks: int) -> list[dict[str, Any]]:
    """A queue in which each second creation is refused, and what hangs on it; steps on the rest."""
    queue = []
    for n in range(tasks):
        task = str(uuid.uuid4())
        data = {"title": "New", "points": "none" if n % 2 else 0}
        step = {"type": "increment", "recordId": task, "key": "points", "by": 1}
        for operation in (
            {"type": "create", "collection": "task", "recordId": task, "data": data},
            step,
            step,
        ):
            queue.append({"id": str(uuid.uuid4()), "operations": [operation]})
    return queue


async def test_a_queue_whose_server_is_killed_on_the_way_takes_effect_once(
    database: Database, spawn: Callable[..., ServerProcess], session: aiohttp.ClientSession
) -> None:
    workspace, token = database.workspace(), database.token("Ada")
    path = f"/api/v1/workspaces/{workspace}/transactions/replay"
    queue = queue_of(60)
    count = "select count(*) from core.change where action <> 'access'"
    first = spawn()
    sending = asyncio.create_task(
        Client(session, first.url, token).send("POST", path, {"transactions": queue})
    )
    await eventually(lambda: database.value(count) >= 20, what="a part of the queue")
    first.kill()
    with pytest.raises(aiohttp.ClientError):
        await sending
    assert database.value(count) < 90, "it was killed on the way"
    client = Client(session, spawn().url, token)
    answers = [await client.call("POST", path, {"transactions": queue}) for _ in range(2)]
    for answer in answers:
        codes = [r["problem"]["code"] if "problem" in r else "ok" for r in answer["results"]]
        refused = ["invalid_document_fields", "depends_on_refused", "depends_on_refused"]
        assert codes == ["ok", "ok", "ok", *refused] * 30
    seqs = [[r.get("seq") for r in answer["results"]] for answer in answers]
    assert seqs[0] == seqs[1]
    applied = [seq for seq in seqs[0] if seq is not None]
    assert applied == list(range(applied[0], applied[0] + 90)), "in order, nothing between"
    check_workspace(database, workspace)
    assert database.value(count) == 90
    assert database.run("select distinct data ->> 'points' from core.record") == [("2",)]
