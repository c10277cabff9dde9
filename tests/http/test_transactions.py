"""POST transactions: several operations, all or nothing."""

import asyncio
import json
import uuid
from typing import Any

import pytest

from support import Client, Database
from undoing import content


@pytest.fixture
def transactions(workspace: str) -> str:
    return f"/api/v1/workspaces/{workspace}/transactions"


@pytest.fixture
def records(workspace: str) -> str:
    return f"/api/v1/workspaces/{workspace}/records"


async def apply(client: Client, path: str, *operations: Any, **more: Any) -> Any:
    return await client.call("POST", path, {"operations": list(operations), **more})


def log_length(database: Database, workspace: str) -> int:
    """How many changes the log holds."""
    query = "select count(*) from core.change where workspace_id = %s"
    return int(database.value(query, workspace))


def title(database: Database, task: Any) -> Any:
    """The title that a task has now."""
    return database.value("select data ->> 'title' from core.record where id = %s", task["id"])


async def test_the_operations_of_the_source_document_take_effect_together(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    """Document 4, "Example Use Cases": `set` and `set-now`, with its names `table` and `id`."""
    task = database.task(workspace, title="One")
    answer = await apply(
        client,
        transactions,
        {"type": "set", "table": "tasks", "id": task["id"], "key": "status", "value": "done"},
        {"type": "set-now", "table": "tasks", "id": task["id"], "key": "updatedAt"},
        id=(own := str(uuid.uuid4())),
    )
    assert (answer["id"], answer["seq"]) == (own, task["seq"] + 1)
    (record,) = answer["records"]
    assert (record["id"], record["version"]) == (task["id"], 2)
    assert (record["data"]["title"], record["data"]["status"]) == ("One", "done")
    assert "updatedAt" not in record["data"]


async def test_every_type_of_operation_does_what_it_says(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    one, two, three = (database.task(workspace, title=name) for name in ("One", "Two", "Three"))
    database.run("delete from core.record where id = %s", three["id"])
    new = str(uuid.uuid4())
    a = {"recordId": one["id"]}
    answer = await apply(
        client,
        transactions,
        {"type": "create", "collection": "task", "recordId": new, "data": {"title": "New"}},
        {"type": "set", "recordId": new, "key": "points", "value": 1},
        {"type": "set", **a, "path": ["meta", "deep", "x"], "value": {"y": 1}},
        {"type": "set-now", **a, "path": ["meta", "at"]},
        {"type": "merge", **a, "patch": {"title": "Uno", "meta": {"deep": {"z": 2}}}},
        {"type": "unset", **a, "path": ["meta", "deep", "x"]},
        {"type": "increment", **a, "key": "points", "by": 2.5},
        {"type": "increment", **a, "key": "points", "by": -1},
        {"type": "list-insert", **a, "key": "tags", "value": "b"},
        {"type": "list-insert", **a, "key": "tags", "value": "a", "before": "b"},
        {"type": "list-insert", **a, "key": "tags", "value": "c", "after": "a"},
        {"type": "list-insert", **a, "key": "tags", "value": "z", "index": 0},
        {"type": "list-insert", **a, "key": "tags", "value": "b"},
        {"type": "list-remove", **a, "key": "tags", "value": "c"},
        {"type": "move", "recordId": two["displayId"], "field": "status", "value": "review"},
        {"type": "restore", "recordId": three["id"]},
        {"type": "delete", "recordId": two["id"]},
    )
    by_id = {record["id"]: record for record in answer["records"]}
    assert list(by_id) == [new, one["id"], two["id"], three["id"]], "in order of first mention"
    assert (by_id[new]["version"], by_id[new]["data"]["points"]) == (1, 1), "created once, whole"
    data = by_id[one["id"]]["data"]
    at = data["meta"].pop("at")
    assert at.endswith("Z")
    assert data["title"] == "Uno"
    assert (data["points"], data["tags"], data["meta"]) == (
        1.5,
        ["z", "a", "b"],
        {"deep": {"z": 2}},
    )
    assert by_id[one["id"]]["version"] == 2, "one change, however many operations"
    assert by_id[two["id"]]["deletedAt"]
    assert by_id[two["id"]]["data"]["status"] == "review"
    assert by_id[three["id"]]["deletedAt"] is None


async def test_steps_do_not_lead_to_a_number_that_nobody_can_read(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    task = database.task(workspace, title="One")
    step = {"type": "increment", "recordId": task["id"], "key": "points", "by": 1e308}
    reply = await client.send("POST", transactions, {"operations": [step, step]})
    assert reply.problem(422, "number_out_of_range")["operation"] == 1
    answer = await client.call("POST", transactions, {"operations": [step]})
    assert float(answer["records"][0]["data"]["points"]) == 1e308
    down = {**step, "by": -1e308}
    answer = await client.call("POST", transactions, {"operations": [down, down]})
    assert float(answer["records"][0]["data"]["points"]) == -1e308


async def test_it_is_all_or_nothing_and_says_which_operation_failed(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    task = database.task(workspace, title="One", tags=["a"])
    before = log_length(database, workspace)
    mine = {"recordId": task["id"]}
    good = {"type": "set", **mine, "key": "title", "value": "Two"}
    for bad, status, code in (
        ({"type": "delete", "recordId": str(uuid.uuid4())}, 404, "unknown_record"),
        ({"type": "set", "recordId": "TSK-9-9", "key": "a", "value": 1}, 404, "unknown_record"),
        ({"type": "create", "collection": "cow", "data": {}}, 404, "unknown_collection"),
        ({"type": "increment", **mine, "key": "title", "by": 1}, 422, "not_a_number"),
        ({"type": "list-insert", **mine, "key": "title", "value": 1}, 422, "not_a_list"),
        ({"type": "set", **mine, "path": ["title", "x"], "value": 1}, 422, "invalid_path"),
        ({"type": "set", **mine, "path": ["tags", "x"], "value": 1}, 422, "invalid_path"),
        ({"type": "unset", **mine, "path": ["tags", "x"]}, 422, "invalid_path"),
    ):
        reply = await client.send("POST", transactions, {"operations": [good, good, bad]})
        assert reply.problem(status, code)["operation"] == 2
    taken = {"type": "create", "collection": "task", "recordId": task["id"], "data": {"title": "x"}}
    reply = await client.send("POST", transactions, {"operations": [taken, good]})
    assert reply.problem(409, "record_exists")["recordId"] == task["id"]
    assert log_length(database, workspace) == before
    assert title(database, task) == "One"


async def test_what_spans_collections_is_written_in_all_of_them_or_in_none(
    client: Client, database: Database
) -> None:
    workspace = database.workspace(template="collaboration")
    home = f"/api/v1/workspaces/{workspace}"
    task = database.task(workspace, title="One")
    note = await client.call(
        "POST", f"{home}/records", {"collection": "note", "data": {"title": "Ideas"}}
    )
    new = str(uuid.uuid4())
    create = {"type": "create", "collection": "board", "recordId": new, "data": {"title": "New"}}
    on_task = {"type": "set", "recordId": task["id"], "key": "boardId", "value": new}
    on_note = {"type": "set", "recordId": note["id"], "key": "content", "value": "Hello"}
    refused = {"type": "set", "recordId": note["id"], "key": "pinned", "value": "yes"}
    before = content(database, workspace), log_length(database, workspace)
    body = {"operations": [create, on_task, on_note, refused]}
    reply = await client.send("POST", f"{home}/transactions", body)
    assert reply.problem(422, "invalid_document_fields")["recordId"] == note["id"]
    assert (content(database, workspace), log_length(database, workspace)) == before
    own = str(uuid.uuid4())
    answer = await apply(client, f"{home}/transactions", create, on_task, on_note, id=own)
    assert [record["id"] for record in answer["records"]] == [new, task["id"], note["id"]]
    changes = (await client.call("GET", f"{home}/changes?since={note['seq']}"))["changes"]
    assert [(change["event"], change["seq"] - note["seq"]) for change in changes] == [
        ("board-created", 1),
        ("task-updated", 2),
        ("note-updated", 3),
    ]
    assert {change["transactionId"] for change in changes} == {own}


@pytest.mark.parametrize(
    "operation",
    [
        {"type": "explode", "recordId": "x"},
        {"type": "set", "recordId": "x", "value": 1},
        {"type": "set", "recordId": "x", "key": "a", "path": ["b"], "value": 1},
        {"type": "set", "recordId": "x", "key": "a"},
        {"type": "set", "key": "a", "value": 1},
        {"type": "increment", "recordId": "x", "key": "a", "by": "1"},
        {"type": "merge", "recordId": "x", "patch": []},
        {"type": "create", "data": {}},
        {"type": "delete"},
        {"type": "delete", "recordId": "x", "force": True},
    ],
)
async def test_what_is_no_operation_is_refused_by_its_path(
    client: Client, transactions: str, operation: Any
) -> None:
    reply = await client.send("POST", transactions, {"operations": [operation]})
    errors = reply.problem(422, "invalid_request")["errors"]
    assert all(error["path"].startswith("operations.0") for error in errors)


async def test_a_transaction_has_1_to_1000_operations(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    task = database.task(workspace, title="One")
    step = {"type": "increment", "recordId": task["id"], "key": "points", "by": 1}
    for count in (0, 1001):
        reply = await client.send("POST", transactions, {"operations": [step] * count})
        reply.problem(422, "invalid_request")
    answer = await apply(client, transactions, *[step] * 1000)
    assert answer["records"][0]["data"]["points"] == 1000
    assert answer["records"][0]["version"] == 2


async def test_the_same_id_takes_effect_once_and_answers_the_same(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    task = database.task(workspace, title="One")
    body = {
        "id": str(uuid.uuid4()),
        "operations": [
            {"type": "create", "collection": "task", "data": {"title": "New"}},
            {"type": "increment", "recordId": task["id"], "key": "points", "by": 1},
        ],
    }
    first = await client.call("POST", transactions, body)
    again = await asyncio.gather(*(client.call("POST", transactions, body) for _ in range(5)))
    assert all(answer == first for answer in again)
    other = {**body, "operations": body["operations"][:1]}
    (await client.send("POST", transactions, other)).problem(422, "transaction_reused")


async def test_a_repeat_gets_the_first_answer_whatever_has_happened_since(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    one, two, three = (database.task(workspace, title=title) for title in ("One", "Two", "Three"))
    new = str(uuid.uuid4())
    body = {
        "id": str(uuid.uuid4()),
        "operations": [
            {"type": "create", "collection": "task", "data": {"title": "A"}},
            {"type": "set", "recordId": two["displayId"], "key": "title", "value": "Two"},
            {"type": "create", "collection": "task", "recordId": new.upper(), "data": {}},
            {"type": "set", "recordId": one["id"], "key": "title", "value": "Uno"},
            {"type": "create", "collection": "task", "data": {"title": "B"}},
            {"type": "delete", "recordId": three["id"]},
            {"type": "set", "recordId": one["id"].upper(), "key": "points", "value": 1},
        ],
    }
    first = await client.call("POST", transactions, body)
    assert [record["version"] for record in first["records"]] == [1, 1, 1, 3, 1, 2]
    await client.call("PATCH", f"/api/tasks/{one['id']}", {"patch": {"title": "Later"}})
    await client.call("DELETE", f"/api/v1/workspaces/{workspace}/records/{one['id']}")
    await client.call("PATCH", f"/api/tasks/{two['id']}", {"patch": {"title": "Later"}})
    assert await client.call("POST", transactions, body) == first
    replayed = await client.call("POST", f"{transactions}/replay", {"transactions": [body]})
    assert replayed["results"] == [first]


async def test_ones_own_step_does_not_hide_what_others_have_changed(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    task = database.task(workspace, title="One", points=1)
    a = {"recordId": task["id"], "key": "points"}
    await client.call("PATCH", f"/api/tasks/{task['id']}", {"patch": {"points": 100}})
    base = {"baseVersions": {task["id"]: 1}}
    step, said = {"type": "increment", **a, "by": 1}, {"type": "set", **a, "value": 5}
    move = {"type": "move", "recordId": task["id"], "field": "status", "value": "done"}
    reply = await client.send("POST", transactions, {"operations": [step, move, said], **base})
    (conflict,) = reply.problem(409, "conflict")["conflicts"]
    assert (conflict["key"], conflict["theirs"]) == ("points", 101)
    queue = [{"id": str(uuid.uuid4()), "operations": [each], **base} for each in (step, said)]
    answer = await client.call("POST", f"{transactions}/replay", {"transactions": queue})
    assert "records" in answer["results"][0]
    assert answer["results"][1]["problem"]["code"] == "conflict"


async def test_each_operation_means_a_record_of_the_collection_that_it_names(
    client: Client, database: Database, transactions: str
) -> None:
    workspace = database.workspace(template="collaboration")
    path = f"/api/v1/workspaces/{workspace}/transactions"
    a = {"recordId": database.task(workspace, title="One")["id"]}
    title = {"type": "set", "key": "title", "value": "x", **a}
    for wrong in (
        [{**title, "table": "note"}],
        [{**title, "table": "task"}, {**title, "table": "note"}],
        [{"type": "move", "collection": "note", **a}],
        [{"type": "delete", "table": "note", **a}],
    ):
        (await client.send("POST", path, {"operations": wrong})).problem(404, "unknown_record")
    nowhere = [{"type": "delete", "table": "nonsense", **a}]
    reply = await client.send("POST", path, {"operations": nowhere})
    reply.problem(404, "unknown_collection")
    right = [{**title, "table": "tasks"}, {"type": "delete", "collection": "task", **a}]
    await client.call("POST", path, {"operations": right})


async def test_a_repeat_is_known_again_in_whatever_spelling(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    task = database.task(workspace, title="One")
    step = {"type": "increment", "recordId": task["id"], "key": "points", "by": 1}
    body = {"id": str(uuid.uuid4()), "operations": [step]}
    first = await client.call("POST", transactions, body)
    for other in (
        {"operations": [dict(reversed(step.items()))], "id": str(body["id"]).upper()},
        {**body, "baseVersions": {}, "onConflict": "reject"},
    ):
        assert await client.call("POST", transactions, other) == first
    text = json.dumps(body, indent=4).encode()
    headers = {"Content-Type": "application/json"}
    async with client.request("POST", transactions, data=text, headers=headers) as response:
        assert await response.json() == first
    for other in (
        {**body, "operations": [{**step, "by": 2}]},
        {**body, "baseVersions": {task["id"]: 1}},
        {**body, "onConflict": "yours"},
    ):
        (await client.send("POST", transactions, other)).problem(422, "transaction_reused")


async def test_a_refused_document_is_told_by_the_operation_that_named_it_first(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    task = database.task(workspace, title="One")
    collection = {"key": "note", "plural": "notes", "label": "Notes", "prefix": "NOT"}
    home = f"/api/v1/workspaces/{workspace}"
    fields = [{"key": "text", "type": "text"}]
    await client.call("POST", f"{home}/collections", {**collection, "fields": fields})
    good = {"type": "create", "collection": "note", "data": {"text": "x"}}
    bad = {"type": "create", "collection": "note", "data": {"text": 7}}
    title = {"type": "set", "recordId": task["id"], "key": "title", "value": "x"}
    for operations in (
        [good, title, bad, good],
        [title, good, bad, {"type": "delete", "recordId": task["id"]}],
    ):
        reply = await client.send("POST", transactions, {"operations": operations})
        problem = reply.problem(422, "invalid_document_fields")
        assert problem["operation"] == 2


async def test_a_repeat_does_not_tell_of_what_its_author_may_no_longer_read(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    task = database.task(workspace, title="One")
    database.join(workspace, "Bob", "editor")
    bob = Client(client.session, client.url, database.token("Bob"))
    body = {
        "id": str(uuid.uuid4()),
        "operations": [{"type": "set", "recordId": task["id"], "key": "title", "value": "Bob's"}],
    }
    first = await bob.call("POST", transactions, body)
    assert first["records"][0]["data"]["title"] == "Bob's"
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'narrow', 'Narrow', '{task:own}', '{*}', '{}')",
        workspace,
    )
    database.join(workspace, "Bob", "narrow")
    assert await bob.call("POST", transactions, body) == {**first, "records": [{"id": task["id"]}]}


async def test_what_two_change_in_different_fields_merges_and_in_the_same_collides(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    task = database.task(workspace, title="One", points=1, tags=["a"])
    theirs = {"title": "Theirs", "points": 5, "tags": ["a", "b"], "priority": "high"}
    await client.call("PATCH", f"/api/tasks/{task['id']}", {"patch": theirs})
    a = {"recordId": task["id"]}
    base = {"baseVersions": {task["id"].upper(): 1}}
    meaning = (
        {"type": "increment", **a, "key": "points", "by": 1},
        {"type": "list-insert", **a, "key": "tags", "value": "c"},
        {"type": "set", **a, "key": "owner", "value": "Ada"},
    )
    merged = (await apply(client, transactions, *meaning, **base))["records"][0]["data"]
    assert (merged["points"], merged["tags"], merged["owner"]) == (6, ["a", "b", "c"], "Ada")
    mine = {"type": "merge", **a, "patch": {"title": "Mine", "priority": "high", "owner": "Bob"}}
    before = log_length(database, workspace)
    reply = await client.send("POST", transactions, {"operations": [mine], **base})
    conflicts = reply.problem(409, "conflict")["conflicts"]
    assert conflicts == [
        {"recordId": task["id"], "key": "owner", "base": None, "yours": "Bob", "theirs": "Ada"},
        {
            "recordId": task["id"],
            "key": "title",
            "base": "One",
            "yours": "Mine",
            "theirs": "Theirs",
        },
    ]
    assert log_length(database, workspace) == before
    kept = await apply(client, transactions, mine, onConflict="theirs", **base)
    assert kept["records"][0]["data"]["title"] == "Theirs"
    won = await apply(client, transactions, mine, onConflict="yours", **base)
    assert (won["records"][0]["data"]["title"], won["records"][0]["data"]["owner"]) == (
        "Mine",
        "Bob",
    )


async def test_conflicts_of_all_records_are_told_at_once(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    tasks = [database.task(workspace, title=f"{n}") for n in range(3)]
    for task in tasks[:2]:
        await client.call("PATCH", f"/api/tasks/{task['id']}", {"patch": {"title": "Theirs"}})
    mine = [
        {"type": "set", "recordId": task["id"], "key": "title", "value": "Mine"} for task in tasks
    ]
    versions = {task["id"]: 1 for task in tasks}
    body = {"operations": mine, "baseVersions": versions}
    reply = await client.send("POST", transactions, body)
    found = [c["recordId"] for c in reply.problem(409, "conflict")["conflicts"]]
    assert found == [task["id"] for task in tasks[:2]]
    assert title(database, tasks[2]) == "2"


async def test_each_record_is_judged_by_the_rights_to_it(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    database.join(workspace, "Vera", "viewer")
    task = database.task(workspace, title="One")
    vera = Client(client.session, client.url, database.token("Vera"))
    for operation in (
        {"type": "set", "recordId": task["id"], "key": "title", "value": "x"},
        {"type": "create", "collection": "task", "data": {"title": "x"}},
        {"type": "delete", "recordId": task["id"]},
        {"type": "move", "recordId": task["id"], "field": "status", "value": "done"},
    ):
        reply = await vera.send("POST", transactions, {"operations": [operation]})
        reply.problem(403, "not_permitted")


async def test_two_hundred_records_are_created_and_ordered_in_one_go(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    ids = [str(uuid.uuid4()) for _ in range(200)]
    create = [
        {"type": "create", "collection": "task", "recordId": id, "data": {"title": f"{n}"}}
        for n, id in enumerate(ids)
    ]
    moves = [{"type": "move", "recordId": id, "before": ids[0]} for id in ids[1:50]]
    answer = await apply(client, transactions, *create, *moves)
    assert len(answer["records"]) == 200
    listed = await client.call(
        "GET", f"/api/v1/workspaces/{workspace}/records?collection=task&sort=position&limit=200"
    )
    order = [record["id"] for record in listed["tasks"]]
    assert order[:50] == [*ids[1:50], ids[0]]


async def test_the_same_id_of_two_people_is_two_transactions(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    database.join(workspace, "Bob", "editor")
    bob = Client(client.session, client.url, database.token("Bob"))
    create = {"type": "create", "collection": "task", "data": {"title": "New"}}
    body = {"id": str(uuid.uuid4()), "operations": [create]}
    first = [await person.call("POST", transactions, body) for person in (client, bob)]
    again = [await person.call("POST", transactions, body) for person in (client, bob)]
    assert first == again
    assert first[0]["records"][0]["id"] != first[1]["records"][0]["id"]


async def test_an_operation_that_names_another_collection_finds_no_record(
    client: Client, database: Database, workspace: str, transactions: str
) -> None:
    database.run(
        "insert into core.collection (workspace_id, key, plural, label, prefix)"
        " values (%s, 'note', 'notes', 'Notes', 'NTE')",
        workspace,
    )
    task = database.task(workspace, title="One")
    operation = {"type": "set", "table": "notes", "id": task["id"], "key": "title", "value": "x"}
    reply = await client.send("POST", transactions, {"operations": [operation]})
    reply.problem(404, "unknown_record")
