"""Where a client starts (snapshot) and how it catches up (changes)."""

import asyncio
import uuid
from typing import Any

import pytest

from support import Client, Database
from trimming import trim


@pytest.fixture
def base(workspace: str) -> str:
    """The path of the workspace."""
    return f"/api/v1/workspaces/{workspace}"


async def test_a_snapshot_holds_all_that_is_alive_as_of_its_seq(
    client: Client, database: Database, workspace: str, base: str
) -> None:
    kept = database.task(workspace, title="Kept")
    gone = database.task(workspace, title="Gone")
    await client.call("DELETE", f"{base}/records/{gone['id']}")
    snapshot = await client.call("GET", f"{base}/snapshot")
    assert set(snapshot) == {"seq", "epoch", "workspace", "collections", "records"}
    assert snapshot["seq"] == database.value("select max(seq) from core.change")
    assert [r["id"] for r in snapshot["records"]] == [kept["id"]]
    assert snapshot["records"][0] == await client.call("GET", f"{base}/records/{kept['id']}")
    assert (snapshot["workspace"]["id"], snapshot["workspace"]["role"]) == (workspace, "owner")
    assert [(c["key"], c["plural"]) for c in snapshot["collections"]] == [("task", "tasks")]


async def test_a_snapshot_of_an_empty_workspace_stands_at_its_own_making(
    client: Client, base: str
) -> None:
    snapshot = await client.call("GET", f"{base}/snapshot")
    assert (snapshot["seq"], snapshot["records"]) == (1, [])  # the owner has joined


async def test_a_snapshot_and_the_changes_behind_it_are_the_whole_truth(
    client: Client, database: Database, workspace: str, base: str
) -> None:
    """Snapshots taken amid writes, each brought up to date with its changes, are all the same."""
    tasks = [database.task(workspace, title="x", count=0) for _ in range(4)]

    async def write() -> None:
        for n in range(15):
            path = f"{base}/records/{tasks[n % 4]['id']}"
            await client.call("PATCH", path, {"patch": {"count": n, f"f{n % 3}": n}})
            await client.call("POST", f"{base}/records?collection=task", {"data": {"n": n}})

    async def read() -> list[Any]:
        return [await client.call("GET", f"{base}/snapshot") for _ in range(8)]

    snapshots = (await asyncio.gather(read(), write(), read(), write()))[::2]
    final = await client.call("GET", f"{base}/snapshot")
    wanted = {r["id"]: (r["version"], r["data"]) for r in final["records"]}
    for snapshot in [*snapshots[0], *snapshots[1]]:
        known = {r["id"]: (r["version"], r["data"]) for r in snapshot["records"]}
        for change in await follow(client, base, snapshot["seq"]):
            if change["event"] == "task-created":
                assert change["id"] not in known
                known[change["id"]] = (change["version"], change["record"]["data"])
            else:
                version, data = known[change["id"]]
                assert change["version"] == version + 1
                merged = {k: v for k, v in {**data, **change["patch"]}.items() if v is not None}
                known[change["id"]] = (change["version"], merged)
        assert known == wanted


async def follow(client: Client, base: str, since: int, limit: int = 7) -> list[Any]:
    """All changes behind a seq, page by page."""
    found: list[Any] = []
    while True:
        page = await client.call("GET", f"{base}/changes?since={since}&limit={limit}")
        found += page["changes"]
        since = page["seq"]
        if not page["hasMore"]:
            return found


async def test_changes_come_in_order_without_a_gap_whatever_the_page(
    client: Client, database: Database, workspace: str, base: str
) -> None:
    for n in range(10):
        database.task(workspace, title=str(n))
    for limit in (1, 3, 11, 1000):
        seqs = [change["seq"] for change in await follow(client, base, 0, limit)]
        assert seqs == list(range(1, 12))


async def test_a_page_of_changes_says_where_to_go_on(
    client: Client, database: Database, workspace: str, base: str
) -> None:
    for n in range(3):
        database.task(workspace, title=str(n))
    page = await client.call("GET", f"{base}/changes?since=1&limit=2")
    assert ([c["seq"] for c in page["changes"]], page["seq"], page["hasMore"]) == ([2, 3], 3, True)
    page = await client.call("GET", f"{base}/changes?since=3&limit=2")
    assert ([c["seq"] for c in page["changes"]], page["seq"], page["hasMore"]) == ([4], 4, False)
    assert await client.call("GET", f"{base}/changes?since=4") == {
        "changes": [],
        "seq": 4,
        "hasMore": False,
    }


async def test_a_change_says_what_its_event_says(
    client: Client, database: Database, workspace: str, base: str
) -> None:
    task = database.task(workspace, title="One", owner="Ada")
    patched = await client.call(
        "PATCH", f"{base}/records/{task['id']}", {"patch": {"title": "Two", "owner": None}}
    )
    created, updated = (await client.call("GET", f"{base}/changes?since=1"))["changes"]
    assert created["event"] == "task-created"
    assert created["record"]["data"] == created["patch"] == {"title": "One", "owner": "Ada"}
    assert updated.pop("transactionId")
    assert updated == {
        "event": "task-updated",
        "seq": patched["seq"],
        "workspaceId": workspace,
        "collection": "task",
        "id": task["id"],
        "displayId": "TSK-001-0001",
        "version": 2,
        "patch": {"title": "Two", "owner": None},
        "actor": {"id": database.account("Ada"), "name": "Ada"},
        "at": patched["updatedAt"],
    } | {"at": updated["at"]}
    assert updated["at"] >= created["at"]


async def test_a_seq_beyond_the_head_is_a_reset(client: Client, base: str) -> None:
    for since in (2, 2**62):
        answer = await client.call("GET", f"{base}/changes?since={since}")
        snapshot = await client.call("GET", f"{base}/snapshot")
        assert answer["changes"] == []
        reset = {"reason": "expired", "seq": snapshot["seq"], "epoch": snapshot["epoch"]}
        assert answer["reset"] == reset


async def test_a_trimmed_seq_is_a_reset(
    client: Client, database: Database, workspace: str, base: str
) -> None:
    for n in range(4):
        database.task(workspace, title=str(n))
    assert trim(database, workspace, 3) == 3
    assert (await client.call("GET", f"{base}/changes?since=2"))["reset"]["reason"] == "expired"
    rest = await client.call("GET", f"{base}/changes?since=3")
    assert [change["seq"] for change in rest["changes"]] == [4, 5]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("", "since"),
        ("since=-1", "since"),
        ("since=x", "since"),
        (f"since={2**62 + 1}", "since"),
        ("since=0&limit=0", "limit"),
        ("since=0&limit=1001", "limit"),
        ("since=0&colour=red", "colour"),
    ],
)
async def test_bounds_of_changes(client: Client, base: str, query: str, path: str) -> None:
    problem = (await client.send("GET", f"{base}/changes?{query}")).problem(422, "invalid_request")
    assert [error["path"] for error in problem["errors"]] == [path]


async def test_one_workspace_says_nothing_of_another(
    client: Client, database: Database, base: str
) -> None:
    other = database.workspace(name="Other")
    database.task(other, title="Elsewhere")
    assert "Elsewhere" not in str(await client.call("GET", f"{base}/changes?since=0"))
    assert "Elsewhere" not in str(await client.call("GET", f"{base}/snapshot"))
    stranger = Client(client.session, client.url, database.token("Eve"))
    for path in (f"{base}/snapshot", f"{base}/changes?since=0"):
        (await stranger.send("GET", path)).problem(404, "unknown_workspace")
    (await client.send("GET", f"/api/v1/workspaces/{uuid.uuid4()}/snapshot")).problem(404)
