"""POST undo and redo: a person's own last write in a workspace, taken back by the log."""

import asyncio
import uuid
from typing import Any

import pytest

from support import Client, Database
from undoing import content, planted


@pytest.fixture
def home(workspace: str) -> str:
    """The path of the workspace."""
    return f"/api/v1/workspaces/{workspace}"


async def apply(client: Client, home: str, *operations: Any) -> Any:
    return await client.call("POST", f"{home}/transactions", {"operations": list(operations)})


async def undo(client: Client, home: str) -> Any:
    return await client.call("POST", f"{home}/undo")


async def redo(client: Client, home: str) -> Any:
    return await client.call("POST", f"{home}/redo")


def other(client: Client, database: Database, workspace: str, name: str = "Bob") -> Client:
    """Another editor."""
    database.join(workspace, name, "editor")
    return Client(client.session, client.url, database.token(name))


async def test_each_kind_of_write_is_undone_and_redone_exactly(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    ids = [planted(database, workspace, title=f"{n}", tags=["a"], points=1) for n in range(4)]
    a = {"recordId": ids[0]}
    new = str(uuid.uuid4())
    writes: tuple[Any, ...] = (
        (
            "PATCH",
            f"/api/tasks/{ids[0]}",
            {"patch": {"title": "x", "owner": "Ada", "points": None}},
        ),
        ("POST", f"{home}/records?collection=task", {"id": new, "data": {"title": "New"}}),
        ("POST", f"{home}/records/{ids[1]}/move", {"field": "status", "value": "done"}),
        ("POST", f"{home}/records/{ids[1]}/move", {"before": ids[0]}),
        ("DELETE", f"{home}/records/{ids[2]}", None),
        ("POST", f"{home}/records/{ids[2]}/restore", None),
        (
            "POST",
            f"{home}/transactions",
            {
                "operations": [
                    {"type": "increment", **a, "key": "points", "by": 2},
                    {"type": "list-insert", **a, "key": "tags", "value": "b", "index": 0},
                    {"type": "list-remove", **a, "key": "tags", "value": "a"},
                    {"type": "set", **a, "path": ["meta", "x"], "value": 1},
                    {"type": "create", "collection": "task", "data": {"title": "Newer"}},
                    {"type": "move", "recordId": ids[3], "before": ids[0]},
                    {"type": "delete", "recordId": ids[3]},
                ]
            },
        ),
    )
    states = [content(database, workspace)]
    for method, path, body in writes:
        await client.call(method, path, body)
        states.append(content(database, workspace))
    for before in reversed(states[:-1]):
        answer = await undo(client, home)
        assert answer["skipped"] == []
        gone = {row[0] for row in before}
        left = [row for row in content(database, workspace) if row[0] in gone or not row[3]]
        assert left == before
    (await client.send("POST", f"{home}/undo")).problem(409, "nothing_to_undo")
    for after in states[1:]:
        assert (await redo(client, home))["skipped"] == []
        assert [row for row in content(database, workspace) if row in after] == after
    (await client.send("POST", f"{home}/redo")).problem(409, "nothing_to_redo")


async def test_undo_is_a_write_like_any_other_logged_and_answered(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    task = planted(database, workspace, title="One")
    patched = await client.call("PATCH", f"/api/tasks/{task}", {"patch": {"title": "Two"}})
    answer = await undo(client, home)
    assert answer["seq"] == patched["seq"] + 1
    (record,) = answer["records"]
    assert (record["id"], record["version"], record["data"]["title"]) == (task, 3, "One")
    changes = await client.call("GET", f"{home}/changes?since={patched['seq']}")
    (change,) = changes["changes"]
    assert (change["transactionId"], change["patch"]) == (answer["id"], {"title": "One"})


async def test_what_others_changed_since_is_left_alone_and_told(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    task = await client.call(
        "POST", f"{home}/records?collection=task", {"data": {"title": "One", "points": 1}}
    )
    path = f"/api/tasks/{task['id']}"
    await client.call("PATCH", path, {"patch": {"title": "Two", "points": 2}})
    await bob.call("PATCH", path, {"patch": {"title": "Bob's"}})
    answer = await undo(client, home)
    assert answer["skipped"] == [
        {"recordId": task["id"], "key": "title", "yours": "One", "theirs": "Bob's"}
    ]
    assert answer["records"][0]["data"]["points"] == 1
    assert answer["records"][0]["data"]["title"] == "Bob's"
    creation = await undo(client, home)  # of what Bob has worked on
    assert creation["skipped"] == [{"recordId": task["id"], "key": None}]
    assert creation["records"] == []
    (await client.send("POST", f"{home}/undo")).problem(409, "nothing_to_undo")


async def test_steps_and_list_operations_are_undone_by_their_meaning(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    id = planted(database, workspace, title="One", points=1, tags=["a", "b", "c"])
    a = {"recordId": id}
    await apply(
        client,
        home,
        {"type": "increment", **a, "key": "points", "by": 5},
        {"type": "list-insert", **a, "key": "tags", "value": "mine"},
        {"type": "list-remove", **a, "key": "tags", "value": "a"},
    )
    theirs = [
        {"type": "increment", **a, "key": "points", "by": 10},
        {"type": "list-insert", **a, "key": "tags", "value": "theirs"},
    ]
    await apply(bob, home, *theirs)
    answer = await undo(client, home)
    data = answer["records"][0]["data"]
    assert answer["skipped"] == []
    assert (data["points"], data["tags"]) == (11, ["a", "b", "c", "theirs"])
    await apply(bob, home, {"type": "increment", **a, "key": "points", "by": 100})
    data = (await redo(client, home))["records"][0]["data"]
    assert data["points"] == 116
    assert sorted(data["tags"]) == ["b", "c", "mine", "theirs"]
    data = (await undo(bob, home))["records"][0]["data"]
    assert data["points"] == 16


async def test_steps_are_left_alone_where_the_value_is_no_number_and_no_list_any_more(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    a = {"recordId": planted(database, workspace, title="One", n=1, list=["a"])}
    await apply(client, home, {"type": "set", **a, "key": "title", "value": "Two"})
    steps = (
        {"type": "increment", **a, "key": "n", "by": 5},
        {"type": "list-insert", **a, "key": "list", "value": "b"},
    )
    await apply(client, home, *steps)
    said = {"n": "many", "list": "all"}
    await apply(bob, home, *({"type": "set", **a, "key": k, "value": said[k]} for k in said))
    assert (await undo(client, home))["skipped"] == [
        {**a, "key": "n", "yours": 1, "theirs": "many"},
        {**a, "key": "list", "yours": ["a"], "theirs": "all"},
    ]
    assert (await undo(client, home))["records"][0]["data"] == {"title": "One", **said}


async def test_a_step_that_was_undone_by_value_is_redone_by_its_meaning(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    a = {"recordId": planted(database, workspace, title="One", points=1)}
    await apply(client, home, {"type": "increment", **a, "key": "points", "by": 5})
    await undo(client, home)
    await apply(bob, home, {"type": "increment", **a, "key": "points", "by": 100})
    assert (await redo(client, home))["records"][0]["data"]["points"] == 106


async def test_several_list_operations_are_taken_back_the_last_one_first(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    a = {"recordId": planted(database, workspace, title="One", tags=["a", "b", "c"])}
    to_front = [
        {"type": "list-insert", **a, "key": "tags", "value": value, "index": 0} for value in "ca"
    ]
    await apply(client, home, *to_front)
    await apply(bob, home, {"type": "list-insert", **a, "key": "tags", "value": "theirs"})
    data = (await undo(client, home))["records"][0]["data"]
    assert data["tags"] == ["a", "b", "c", "theirs"]


async def test_a_field_whose_value_was_said_too_is_undone_by_value_alone(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    a = {"recordId": planted(database, workspace, title="One", points=1)}
    said = {"type": "set", **a, "key": "points", "value": 10}
    step = {"type": "increment", **a, "key": "points", "by": 1}
    await apply(client, home, said, step)
    await apply(bob, home, step)
    assert (await undo(client, home))["skipped"] == [
        {**a, "key": "points", "yours": 1, "theirs": 12}
    ]


async def test_what_is_out_of_sight_is_left_alone_and_not_told(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    id = planted(database, workspace, title="One")
    await bob.call("PATCH", f"/api/tasks/{id}", {"patch": {"title": "Two"}})
    database.run('update core.record set data = data || \'{"title": "Secret"}\'')
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'narrow', 'Narrow', '{task:own}', '{*}', '{create:*,move:*,delete:*}')",
        workspace,
    )
    database.run("update core.member set role = 'narrow' where account_id = %s", bob_id(database))
    answer = await undo(bob, home)
    assert (answer["records"], answer["skipped"]) == ([], [])


async def test_a_deletion_is_undone_with_the_references_that_it_took_away(
    client: Client, database: Database
) -> None:
    workspace = database.workspace(template="campaign")
    home = f"/api/v1/workspaces/{workspace}"
    phase, task = await phase_with_task(client, client, home)
    await client.call("DELETE", f"{home}/records/{phase}")
    assert "phaseId" not in (await client.call("GET", f"{home}/records/{task}"))["data"]
    assert (await undo(client, home))["skipped"] == []
    assert (await client.call("GET", f"{home}/records/{task}"))["data"]["phaseId"] == phase
    assert (await client.call("GET", f"{home}/records/{phase}"))["deletedAt"] is None


async def phase_with_task(owner: Client, other: Client, home: str) -> tuple[str, str]:
    """The ids of a phase, and of a task in it that perhaps somebody else made."""
    body = {"collection": "phase", "data": {"title": "P", "name": "P"}}
    phase = (await owner.call("POST", f"{home}/records", body))["id"]
    body = {"collection": "task", "data": {"title": "T", "phaseId": phase}}
    return phase, (await other.call("POST", f"{home}/records", body))["id"]


async def test_what_hung_on_a_deletion_out_of_sight_is_not_told(
    client: Client, database: Database
) -> None:
    workspace = database.workspace(template="campaign")
    home = f"/api/v1/workspaces/{workspace}"
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may) values"
        " (%s, 'narrow', 'Narrow', '{phase,task:own}', '{phase,task:own}', '{create:*,delete:*}')",
        workspace,
    )
    bob = other(client, database, workspace)
    database.join(workspace, "Bob", "narrow")
    phase, hidden = await phase_with_task(bob, client, home)
    await bob.call("DELETE", f"{home}/records/{phase}")
    listed = await bob.call("GET", f"{home}/undo")
    assert (listed["undo"][0]["count"], hidden in str(listed)) == (1, False)
    key = {"Idempotency-Key": "once"}
    for answer in [await bob.send("POST", f"{home}/undo", headers=key) for _ in range(2)]:
        assert [record["id"] for record in answer.json["records"]] == [phase]
        assert answer.json["skipped"] == []


async def test_a_creation_in_which_others_have_put_something_is_left_alone(
    client: Client, database: Database
) -> None:
    workspace = database.workspace(template="campaign")
    home = f"/api/v1/workspaces/{workspace}"
    bob = other(client, database, workspace)
    phase, task = await phase_with_task(bob, client, home)
    answer = await undo(bob, home)
    assert (answer["records"], answer["skipped"]) == ([], [{"recordId": phase, "key": None}])
    assert (await client.call("GET", f"{home}/records/{task}"))["data"]["phaseId"] == phase


async def test_what_can_be_undone_is_told_in_words(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    ids = [planted(database, workspace, title=f"{n}", status="todo") for n in range(2)]
    await client.call("PATCH", f"/api/tasks/{ids[0]}", {"patch": {"status": "done"}})
    both = [{"type": "set", "recordId": id, "key": "title", "value": "x"} for id in ids]
    answer = await apply(client, home, *both)
    listed = await client.call("GET", f"{home}/undo")
    assert [(u["text"], u["count"]) for u in listed["undo"]] == [
        ("changed title of TSK-001-0001", 2),
        ("moved TSK-001-0001 from todo to done", 1),
    ]
    assert (listed["undo"][0]["id"], listed["redo"]) == (answer["id"], [])
    await undo(client, home)
    listed = await client.call("GET", f"{home}/undo")
    assert (len(listed["undo"]), len(listed["redo"])) == (1, 1)
    await client.call("POST", f"{home}/records/{ids[0]}/comments", {"body": "No document"})
    assert len((await client.call("GET", f"{home}/undo"))["redo"]) == 1


async def test_everybody_undoes_his_own_writes_on_any_device(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    mine, his = (planted(database, workspace, title=name) for name in ("Mine", "His"))
    await client.call("PATCH", f"/api/tasks/{mine}", {"patch": {"title": "A"}})
    await bob.call("PATCH", f"/api/tasks/{his}", {"patch": {"title": "B"}})
    phone = Client(client.session, client.url, database.token("Ada"))
    assert (await undo(phone, home))["records"][0]["id"] == mine
    assert (await undo(bob, home))["records"][0]["id"] == his
    await redo(client, home)


async def test_a_new_write_clears_redo_and_undo_goes_on_behind_it(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    path = f"/api/tasks/{planted(database, workspace, title='0')}"
    for title in "123":
        await client.call("PATCH", path, {"patch": {"title": title}})
    await undo(client, home)
    await undo(client, home)
    await redo(client, home)
    await client.call("PATCH", path, {"patch": {"title": "4"}})
    (await client.send("POST", f"{home}/redo")).problem(409, "nothing_to_redo")
    titles = [(await undo(client, home))["records"][0]["data"]["title"] for _ in range(3)]
    assert titles == ["2", "1", "0"]


async def test_a_repeat_undoes_once_and_is_answered_the_same(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    path = f"/api/tasks/{planted(database, workspace, title='0')}"
    for title in "12":
        await client.call("PATCH", path, {"patch": {"title": title, "points": int(title)}})
    await bob.call("PATCH", path, {"patch": {"points": 9}})
    key = {"Idempotency-Key": "undo once"}
    answers = [await client.send("POST", f"{home}/undo", headers=key) for _ in range(3)]
    assert answers[0].json["skipped"][0]["key"] == "points"
    assert [a.json for a in answers] == [answers[0].json] * 3
    answers = await asyncio.gather(*(client.send("POST", f"{home}/undo") for _ in range(4)))
    assert sorted(a.status for a in answers) == [200, 409, 409, 409]


async def test_undo_needs_the_rights_that_the_write_needed(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    bob = other(client, database, workspace)
    id = planted(database, workspace, title="One")
    await bob.call("PATCH", f"/api/tasks/{id}", {"patch": {"title": "Two"}})
    database.run("update core.member set role = 'viewer' where account_id = %s", bob_id(database))
    (await bob.send("POST", f"{home}/undo")).problem(403, "not_permitted")
    database.run("delete from core.member where account_id = %s", bob_id(database))
    (await bob.send("POST", f"{home}/undo")).problem(404, "unknown_workspace")


def bob_id(database: Database) -> str:
    return database.account("Bob")


async def test_imports_comments_and_members_are_not_undone(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    id = planted(database, workspace, title="One")
    await client.call("PATCH", f"/api/tasks/{id}", {"patch": {"title": "Two"}})
    await client.call("POST", f"{home}/records/{id}/comments", {"body": "Well done"})
    await client.call("PATCH", home, {"name": "Renamed"})
    async with client.request(
        "POST", f"{home}/import?collection=task", data=b"title\nImported\n",
        headers={"Content-Type": "text/csv"},
    ) as response:  # fmt: skip
        assert response.status == 200
    assert (await undo(client, home))["records"][0]["data"]["title"] == "One"
    (await client.send("POST", f"{home}/undo")).problem(409, "nothing_to_undo")
