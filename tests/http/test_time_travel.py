"""`?at=SEQ`: records and whole workspaces as they were, and back to it."""

import random
from typing import Any

from support import Client, Database
from undoing import content, planted


async def test_a_record_is_shown_as_it_was_at_every_seq(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = await client.call("POST", f"{records}?collection=task", {"data": {"title": "One"}})
    path = f"{records}/{task['id']}"
    other = database.task(workspace, title="Other")
    states = {task["seq"]: await client.call("GET", path)}
    for method, where, body in (
        ("PATCH", path, {"patch": {"title": "Two", "owner": "Ada", "meta": {"a": [1, None]}}}),
        ("PATCH", path, {"patch": {"owner": None, "meta": {"a": [2]}}}),
        ("POST", f"{path}/move", {"field": "status", "value": "done", "after": other["id"]}),
        ("DELETE", path, None),
        ("POST", f"{path}/restore", None),
        ("PATCH", path, {"patch": {"title": "Three"}}),
    ):
        seq = (await client.call(method, where, body))["seq"]
        states[seq] = await client.call("GET", path)
    for seq, state in states.items():
        then = await client.call("GET", f"{path}?at={seq}")
        assert (then["deletedAt"] is None) == (state["deletedAt"] is None)
        assert {**then, "deletedAt": None} == {**state, "deletedAt": None}
    (await client.send("GET", f"{path}?at={task['seq'] - 1}")).problem(404, "unknown_record")
    (await client.send("GET", f"{path}?at={max(states) + 1}")).problem(422, "unknown_seq")


async def test_a_snapshot_is_shown_as_it_was_at_every_seq(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    rng = random.Random(3)
    snapshots = []
    made = [database.task(workspace, title=f"{n}")["id"] for n in range(5)]
    for n in range(40):
        path = f"{records}/{rng.choice(made)}"
        act = rng.random()
        if act < 0.15:
            body = {"data": {"title": f"new {n}"}}
            made.append((await client.call("POST", f"{records}?collection=task", body))["id"])
        elif act < 0.3:
            await client.send("DELETE", path)
        elif act < 0.45:
            await client.call("POST", f"{path}/restore")
        elif act < 0.6:
            await client.send("POST", f"{path}/move", {"before": rng.choice(made)})
        else:
            patch = {rng.choice(("points", "x", "y")): rng.choice((None, n))}
            await client.send("PATCH", path, {"patch": {"title": f"{n}", **patch}})
        snapshots.append(await client.call("GET", f"/api/v1/workspaces/{workspace}/snapshot"))
    for snapshot in snapshots:
        then = await client.call(
            "GET", f"/api/v1/workspaces/{workspace}/snapshot?at={snapshot['seq']}"
        )
        assert then == snapshot


async def test_a_record_gets_back_what_it_was_by_a_change_of_its_own(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = await client.call("POST", f"{records}?collection=task", {"data": {"title": "One"}})
    path = f"{records}/{task['id']}"
    await client.call("PATCH", path, {"patch": {"title": "Two", "owner": "Ada"}})
    back = await client.call("POST", f"{path}/restore?at={task['seq']}")
    assert (back["data"], back["version"], back["seq"]) == (task["data"], 3, task["seq"] + 2)
    again = await client.call("POST", f"{path}/restore?at={task['seq']}")
    assert (again["version"], again["seq"]) == (3, back["seq"]), "nothing to change"
    deleted = await client.call("DELETE", path)
    alive = await client.call("POST", f"{path}/restore?at={task['seq'] + 1}")
    assert (alive["deletedAt"], alive["data"]["title"]) == (None, "Two")
    assert alive["seq"] == deleted["seq"] + 2
    database.join(workspace, "Vera", "viewer")
    vera = Client(client.session, client.url, database.token("Vera"))
    (await vera.send("POST", f"{path}/restore?at={task['seq']}")).problem(403, "not_permitted")


async def test_a_record_that_was_deleted_then_is_there_with_its_document_of_then(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = database.task(workspace, title="One")
    path = f"{records}/{task['id']}"
    deleted = await client.call("DELETE", path)
    restored = await client.call("POST", f"{path}/restore")
    again = await client.call("POST", f"{path}/restore?at={deleted['seq']}")
    assert (again["deletedAt"], again["seq"]) == (None, restored["seq"]), "it was this already"
    await client.call("PATCH", path, {"patch": {"title": "Two"}})
    for gone in (False, True):
        if gone:
            await client.call("DELETE", path)
        back = await client.call("POST", f"{path}/restore?at={deleted['seq']}")
        assert (back["deletedAt"], back["data"]) == (None, task["data"])
        assert (await client.call("GET", path))["deletedAt"] is None


async def test_what_comes_back_is_the_document_and_not_the_place(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    one, two = (database.task(workspace, title=title) for title in ("One", "Two"))
    path = f"{records}/{two['id']}"
    body = {"field": "status", "value": "done", "before": one["id"]}
    moved = await client.call("POST", f"{path}/move", body)
    back = await client.call("POST", f"{path}/restore?at={two['seq']}")
    assert back["data"] == two["data"]
    assert back["position"] == moved["position"] != two["position"]


async def test_undo_takes_a_return_to_an_earlier_seq_back_exactly(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    home = f"/api/v1/workspaces/{workspace}"
    task = planted(database, workspace, title="One", points=1, meta={"a": [1]})
    path = f"{records}/{task}"
    was = await client.call("GET", f"{home}/snapshot")
    change = {"patch": {"title": "Two", "points": None, "meta": {"a": [2], "b": 3}, "owner": "Ada"}}
    await client.call("PATCH", path, change)
    for gone in (False, True):
        if gone:
            await client.call("DELETE", path)
        before = content(database, workspace)
        await client.call("POST", f"{path}/restore?at={was['seq']}")
        after = content(database, workspace)
        assert after != before
        for name, expected in (("undo", before), ("redo", after), ("undo", before)):
            assert (await client.call("POST", f"{home}/{name}"))["skipped"] == []
            assert content(database, workspace) == expected


async def test_who_could_not_read_it_then_does_not_see_it(
    client: Client, database: Database
) -> None:
    workspace = database.workspace(template="requests")
    bob = database.join(workspace, "Bob", "engineer")
    carl = database.join(workspace, "Carl", "engineer")
    data = {"title": "T", "description": "D", "vendor": "V", "assignedTo": carl}
    body = {"collection": "request", "data": data}
    made: Any = database.call("record_create", workspace, arguments=body)
    to_bob = {"id": made["id"], "patch": {"assignedTo": bob}}
    handed: Any = database.call("record_update", workspace, arguments=to_bob)
    reader = Client(client.session, client.url, database.token("Bob"))
    home = f"/api/v1/workspaces/{workspace}"
    path = f"{home}/records/{made['id']}"
    assert (await reader.call("GET", f"{path}?at={handed['seq']}"))["version"] == 2
    (await reader.send("GET", f"{path}?at={made['seq']}")).problem(404, "unknown_record")
    assert (await reader.call("GET", f"{home}/snapshot?at={made['seq']}"))["records"] == []
    assert len((await reader.call("GET", f"{home}/snapshot?at={handed['seq']}"))["records"]) == 1
