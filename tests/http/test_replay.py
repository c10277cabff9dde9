"""POST transactions/replay: what was done offline, in order, each with a verdict of its own."""

import json
import uuid
from typing import Any

import pytest

from rowcast import bodies, replay
from rowcast.gateway import Call
from rowcast.problems import Problem, outcome_unknown, unavailable
from rowcast.writer import Writer
from support import Client, Database, HttpReply
from trimming import trim


@pytest.fixture
def home(workspace: str) -> str:
    """The path of the workspace."""
    return f"/api/v1/workspaces/{workspace}"


def transaction(*operations: Any, **more: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "operations": list(operations), **more}


def create(id: str, **data: Any) -> dict[str, Any]:
    data = {"title": "New", **data}
    return {"type": "create", "collection": "task", "recordId": id, "data": data}


def put(id: str, key: str, value: Any) -> dict[str, Any]:
    return {"type": "set", "recordId": id, "key": key, "value": value}


async def send_raw(client: Client, path: str, raw: str) -> HttpReply:
    """A body as it is, as JSON."""
    headers = {"Content-Type": "application/json"}
    return await client.send("POST", path, data=raw.encode(), headers=headers)


async def send(client: Client, home: str, *transactions: Any) -> Any:
    body = {"transactions": list(transactions)}
    return await client.call("POST", f"{home}/transactions/replay", body)


def codes(answer: Any) -> list[str]:
    """Of each result the code that refused it, or `ok`."""
    return [r["problem"]["code"] if "problem" in r else "ok" for r in answer["results"]]


def new() -> str:
    return str(uuid.uuid4())


async def test_a_queue_takes_effect_in_order_each_transaction_by_itself(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    task, known = new(), database.task(workspace, title="Known")
    queue = [
        transaction(create(task, points=1)),
        transaction(put(task, "title", "Two"), put(known["id"], "title", "Mine")),
        transaction({"type": "increment", "recordId": task, "key": "title", "by": 1}),
        transaction({"type": "increment", "recordId": task, "key": "points", "by": 1}),
    ]
    answer = await send(client, home, *queue)
    results = answer["results"]
    assert [r["id"] for r in results] == [t["id"] for t in queue]
    assert codes(answer) == ["ok", "ok", "not_a_number", "ok"]
    problem = results[2]["problem"]
    assert (problem["status"], problem["operation"]) == (422, 0)
    assert answer["seq"] == results[3]["seq"] == known["seq"] + 4
    assert results[3]["records"][0]["data"] == {"title": "Two", "points": 2}
    (first, *_) = (await client.call("GET", f"{home}/changes?since={known['seq']}"))["changes"]
    assert first["transactionId"] == queue[0]["id"]
    reply = await client.send("POST", f"{home}/transactions", queue[1])
    assert (reply.status, reply.json["seq"]) == (200, results[1]["seq"]), "it came by itself again"


async def test_what_depends_on_a_refused_create_is_refused_for_the_root_of_it(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    fields = [
        {"key": "title", "label": "Title", "type": "text", "required": True},
        {"key": "points", "label": "Points", "type": "number"},
        {"key": "parent", "label": "Parent", "type": "reference", "target": "task"},
    ]
    await client.call("PUT", f"{home}/collections/task/fields", {"fields": fields})
    known = database.task(workspace, title="x")["id"]
    refused, child, grandchild = (new() for _ in range(3))
    queue = [
        transaction(create(refused, points="many")),
        transaction(put(refused.upper(), "title", "x")),
        transaction(create(child, parent=refused)),
        transaction(put(known, "title", "apart")),
        transaction({"type": "move", "recordId": known, "after": child}),
        transaction(create(grandchild), put(child, "title", "x")),
        transaction({"type": "delete", "recordId": grandchild.upper()}),
        transaction(put(known, "title", 5), put(known, "points", refused)),
        transaction(put(new(), "title", "nobody's")),
    ]
    answer = await send(client, home, *queue)
    depends = "depends_on_refused"
    assert codes(answer) == [
        "invalid_document_fields",
        *(depends, depends, "ok", depends, depends, depends, depends, "unknown_record"),
    ]
    causes = [r["problem"]["cause"] for r in answer["results"] if r.get("problem", {}).get("cause")]
    root = {"transactionId": queue[0]["id"], "code": "invalid_document_fields"}
    assert causes == [root] * 6
    assert {r["problem"]["status"] for r in answer["results"] if "problem" in r} == {422, 424, 404}
    query = "select count(*) from core.record where id = any (%s::uuid[])"
    assert database.value(query, [refused, child, grandchild]) == 0

    queue[0]["operations"] = [create(refused)]  # corrected: all is judged anew
    del queue[7]
    answer = await send(client, home, *queue)
    assert codes(answer) == ["ok"] * 7 + ["unknown_record"]


async def test_a_queue_that_comes_again_gets_the_same_answers_and_the_refused_a_new_chance(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    task, missing = new(), new()
    queue = [
        transaction(create(task)),
        transaction(put(missing, "title", "x")),
        transaction(put(task, "title", "Two"), baseVersions={task: 1}),
    ]
    first = await send(client, home, *queue)
    assert codes(first) == ["ok", "unknown_record", "ok"]
    length = database.value("select count(*) from core.change")
    again = await send(client, home, *queue)
    kept = [(r["id"], r.get("seq")) for r in first["results"]]
    assert [(r["id"], r.get("seq")) for r in again["results"]] == kept
    assert (again["seq"], codes(again)) == (first["seq"], codes(first))
    assert database.value("select count(*) from core.change") == length
    await client.call("POST", f"{home}/transactions", {"operations": [create(missing)]})
    assert codes(await send(client, home, *queue)) == ["ok"] * 3
    alone = await client.call("POST", f"{home}/transactions", queue[2])
    assert alone["seq"] == first["results"][2]["seq"], "alone it is the same transaction too"
    other = {**queue[2], "operations": [put(task, "title", "Else")]}
    assert codes(await send(client, home, queue[0], other)) == ["ok", "transaction_reused"]


async def test_what_the_same_queue_has_changed_is_no_conflict_and_what_others_have_is(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    database.join(workspace, "Bob", "editor")
    bob = Client(client.session, client.url, database.token("Bob"))
    task = database.task(workspace, title="One", status="todo")["id"]
    base = {"baseVersions": {task: 1}}
    offline = [
        transaction(put(task, "title", "Two"), **base),
        transaction(put(task, "title", "Three"), put(task, "status", "review"), **base),
        transaction(put(task, "title", "Four"), **base),
        transaction({"type": "delete", "recordId": task}, **base),
        transaction(put(task, "title", "Five"), **base),
    ]
    assert codes(await send(client, home, *offline)) == ["ok"] * 4 + ["unknown_record"]

    task = database.task(workspace, title="One", status="todo")["id"]
    base = {"baseVersions": {task: 1}}
    await bob.call("PATCH", f"{home}/records/{task}", {"patch": {"title": "Bob's"}})
    offline = [
        transaction(put(task, "status", "review"), **base),
        transaction(put(task, "title", "Mine"), put(task, "status", "done"), **base),
        transaction(put(task, "title", "Mine, still"), onConflict="yours", **base),
        transaction(put(task, "title", "Mine at last"), **base),
        transaction({"type": "delete", "recordId": task}, **base),
    ]
    answer = await send(client, home, *offline)
    assert codes(answer) == ["ok", "conflict", "ok", "ok", "conflict"]
    found = [r["problem"]["conflicts"][0] for r in answer["results"] if "problem" in r]
    assert [(c["key"], c["base"], c["theirs"]) for c in found[:1]] == [("title", "One", "Bob's")]
    assert (found[1]["key"], found[1]["theirs"]["title"]) == (None, "Mine at last")

    other = database.task(workspace, title="One")["id"]
    same = transaction(put(other, "title", "Two"))
    await bob.call("POST", f"{home}/transactions", same)  # by the id of one of Ada's
    mine = transaction(put(other, "title", "Three"), baseVersions={other: 1})
    answer = await send(client, home, {**same, "operations": [put(other, "points", 1)]}, mine)
    assert codes(answer) == ["ok", "conflict"], "another person's write is no write of the queue's"


async def test_without_a_verdict_the_rest_is_not_tried(
    client: Client, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away behind the second one; and a queue has its time."""
    queue = [transaction(create(new())) for _ in range(5)]
    await send(client, home, queue[0])
    apply = replay.Queue.apply

    async def away(self: replay.Queue, *args: Any) -> Any:
        if len(self.earlier) == 2:
            raise unavailable()
        return await apply(self, *args)

    with monkeypatch.context() as patched:
        patched.setattr(replay.Queue, "apply", away)
        answer = await send(client, home, *queue)
    assert codes(answer) == ["ok", "ok", "database_unavailable", "not_tried", "not_tried"]
    assert {r["problem"]["retryAfter"] for r in answer["results"][2:]} == {1}
    with monkeypatch.context() as patched:
        patched.setattr(replay, "SECONDS", -1)
        answer = await send(client, home, *queue)
    assert codes(answer) == ["ok"] + ["not_tried"] * 4
    assert codes(await send(client, home, *queue)) == ["ok"] * 5


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("delete from core.member where account_id = %s", "unknown_workspace"),
        ("update core.session set expires_at = now() where account_id = %s", "unauthenticated"),
    ],
)
async def test_who_is_nobody_or_no_member_gets_no_verdicts_and_who_no_longer_is_no_further_ones(
    client: Client,
    database: Database,
    workspace: str,
    home: str,
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
    code: str,
) -> None:
    path = f"{home}/transactions/replay"
    queue = {"transactions": [transaction(create(new())) for _ in range(3)]}
    stranger = Client(client.session, client.url, database.token("Eve"))
    (await stranger.send("POST", path, queue)).problem(404, "unknown_workspace")
    bad = Client(client.session, client.url, "no token")
    (await bad.send("POST", path, queue)).problem(401, "unauthenticated")
    database.join(workspace, "Bob", "editor")
    bob = Client(client.session, client.url, database.token("Bob"))
    apply = replay.Queue.apply

    async def leave(self: replay.Queue, *args: Any) -> Any:
        if len(self.earlier) == 1:
            database.run(statement, database.account("Bob"))
        return await apply(self, *args)

    monkeypatch.setattr(replay.Queue, "apply", leave)
    answer = await send(bob, home, *queue["transactions"])
    assert codes(answer) == ["ok", code, "not_tried"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"transactions": []}, "transactions"),
        ({}, "transactions"),
        ({"transactions": [{"operations": [create(new())]}]}, "transactions.0.id"),
        ({"transactions": [transaction(create(new())), {"id": "one"}]}, "transactions.1.id"),
        ({"transactions": [[]]}, "transactions.0"),
        ({"transactions": [transaction(create(new()))], "more": 1}, "more"),
        ({"transactions": [transaction(create(new()))] * 1001}, "transactions"),
    ],
)
async def test_what_is_no_queue_is_refused_as_a_whole(
    client: Client, home: str, body: Any, path: str
) -> None:
    reply = await client.send("POST", f"{home}/transactions/replay", body)
    (error, *_) = reply.problem(422, "invalid_request")["errors"]
    assert error["path"].startswith(path)


async def test_what_is_no_json_or_too_deep_is_refused_as_a_whole(client: Client, home: str) -> None:
    path, good = f"{home}/transactions/replay", json.dumps(transaction(create(new())))
    deep = json.dumps(transaction(put(new(), "title", "@"))).replace('"@"', "[" * 40 + "]" * 40)
    for bad, status, code in (
        (deep, 422, "too_deep"),
        ("{", 400, "malformed_json"),
        ('{"id": 1e400}', 400, "malformed_json"),
    ):
        raw = f'{{"transactions": [{good}, {bad}]}}'
        (await send_raw(client, path, raw)).problem(status, code)
    (await send_raw(client, path, "[]")).problem(422, "invalid_body")
    (await client.send("POST", path, data="{}")).problem(415)


@pytest.mark.parametrize(
    ("operation", "code", "path"),
    [
        ('{"type": "sett", "recordId": "x", "key": "title", "value": 1}', None, "operations.1"),
        ('{"type": "set", "recordId": "x", "value": 1}', None, "operations.1.set"),
        ('{"type": "increment", "recordId": "x", "key": "n", "by": "1"}', None, "operations.1.inc"),
        ('"delete"', None, "operations.1"),
        ('{"type": "unset", "recordId": "x", "key": "\\u0000"}', "nul_character",
         "operations.1.key"),
        ('{"type": "merge", "recordId": "x", "patch": {"a\\u0000": 1}}', "nul_character",
         "operations.1.patch"),
        ('{"type": "increment", "recordId": "x", "key": "n", "by": 1e-400}', "number_out_of_range",
         None),
    ],
)  # fmt: skip
async def test_a_malformed_transaction_is_refused_by_itself_and_what_depends_on_it(
    client: Client, home: str, operation: str, code: str | None, path: str | None
) -> None:
    code, lost, apart = code or "invalid_request", new(), new()
    malformed = transaction(create(lost.upper(), number=1), "@")
    queue = [
        transaction(create(apart)),
        malformed,
        transaction(put(apart, "title", "Two")),
        transaction(put(lost, "title", "Two")),
    ]
    raw = json.dumps({"transactions": queue}).replace('"@"', operation)
    answer = (await send_raw(client, f"{home}/transactions/replay", raw)).json
    assert codes(answer) == ["ok", code, "ok", "depends_on_refused"]
    result, cause = answer["results"][1], answer["results"][3]["problem"]["cause"]
    assert (result["id"], result["problem"]["status"]) == (malformed["id"], 422)
    assert path is None or result["problem"]["errors"][0]["path"].startswith(path)
    assert cause == {"transactionId": malformed["id"], "code": code}


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"operations": []}, "operations"),
        ({"operations": 5}, "operations"),
        ({"operations": [{"type": "create", "id": 5}] * 1001}, "operations"),
        ({"baseVersions": {"x": 0}}, "baseVersions.x"),
        ({"onConflict": "mine"}, "onConflict"),
        ({"queue": {"earlier": []}}, "queue"),
    ],
)
async def test_whatever_else_is_wrong_with_a_transaction_is_its_own_verdict(
    client: Client, home: str, more: Any, path: str
) -> None:
    queue = [{**transaction(create(new())), **more}, transaction(create(new()))]
    answer = await send(client, home, *queue)
    assert codes(answer) == ["invalid_request", "ok"]
    assert answer["results"][0]["problem"]["errors"][0]["path"] == path


async def test_a_malformed_one_is_no_verdict_of_the_database(
    client: Client, database: Database, home: str
) -> None:
    stranger = Client(client.session, client.url, database.token("Eve"))
    queue = {"transactions": [transaction(), transaction(create(new()))]}
    reply = await stranger.send("POST", f"{home}/transactions/replay", queue)
    reply.problem(404, "unknown_workspace")


async def test_a_request_is_told_where_a_text_can_not_be_stored(client: Client, home: str) -> None:
    raw = r'{"collection": "task", "data": {"title": "a\u0000", "a": [{"\u0000": 1}]}}'
    problem = (await send_raw(client, f"{home}/records", raw)).problem(422, "nul_character")
    assert [error["path"] for error in problem["errors"]] == ["data.title", "data.a.0"]
    reply = await client.send("GET", f"{home}/records?collection=task&sort=%00")
    assert reply.problem(422, "nul_character")["errors"][0]["path"] == "sort"


async def test_a_value_beside_which_another_goes_is_no_record(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    task, refused = database.task(workspace, title="One", tags=["a"])["id"], new()
    insert = {
        "type": "list-insert",
        "recordId": task,
        "key": "tags",
        "value": "b",
        "before": refused,
    }
    queue = [transaction(create(refused, points="many")), transaction(insert)]
    assert codes(await send(client, home, *queue)) == ["invalid_document_fields", "ok"]


async def test_a_client_can_not_say_what_became_of_others(client: Client, home: str) -> None:
    body = {**transaction(create(new())), "queue": {"earlier": []}}
    (await client.send("POST", f"{home}/transactions", body)).problem(422, "invalid_request")


def test_the_elements_of_a_list_are_taken_as_they_came() -> None:
    texts = ['{"a": [1,2], "n":1.10}', "-0.0", '"]},{\\"\\u00e9"', "[ ]", "12345678901234567890123"]
    for raw, comma in (
        ('{"x":[1,{"list":[]}],"list":[@],"y":null}', ","),
        (' {\n"list" :\t[ @ ] , "x" : "}" } ', " ,\n "),
        ('{"list":[1],"list":[@]}', ","),
    ):
        raw = raw.replace("@", comma.join(texts))
        assert [json.loads(text) for text in texts] == json.loads(raw)["list"]
        assert bodies.elements(raw.encode(), "list") == texts
    assert bodies.elements(b'{"list":[]}', "list") == bodies.elements(b"{}", "list") == []
    huge = "9" * 5000  # more digits than int() takes
    assert bodies.elements(f'{{"list":[{huge}]}}'.encode(), "list") == [huge]


async def test_what_a_transaction_creates_itself_it_does_not_wait_for(
    client: Client, home: str
) -> None:
    task = new()
    queue = [
        transaction(create(task, points="many")),
        transaction(create(task, points="many again")),
        transaction(create(task), put(task, "points", 1)),
        transaction(put(task, "points", 2)),
    ]
    answer = await send(client, home, *queue)
    assert codes(answer) == ["invalid_document_fields"] * 2 + ["ok"] * 2


async def test_an_answer_has_its_bound_and_the_queue_goes_on_behind_it(
    client: Client, database: Database, workspace: str, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each result holds the whole record, a conflict its values: what fits no more comes in short.

    All of the queue gets its verdict, so that one that is sent again comes further.
    """
    database.join(workspace, "Bob", "editor")
    bob = Client(client.session, client.url, database.token("Bob"))
    text = "x" * 5000
    large, taken = (database.task(workspace, title=text)["id"] for _ in range(2))
    await bob.call("PATCH", f"{home}/records/{taken}", {"patch": {"title": "y" * 5000}})
    conflicting = transaction(put(taken, "title", "Mine"), baseVersions={taken: 1})
    queue = [transaction(put(large, "points", n)) for n in range(10)]
    queue[3:3] = [conflicting, {**conflicting, "id": new()}]
    monkeypatch.setattr(replay, "BYTES", 28_000)  # three records, and one conflict
    for _ in range(2):
        answer = await send(client, home, *queue)
        results = answer["results"]
        assert codes(answer) == ["ok"] * 3 + ["conflict"] * 2 + ["ok"] * 7
        assert [len(r["records"]) for r in results if "seq" in r] == [1] * 3 + [0] * 7
        assert [len(r["problem"]["conflicts"]) for r in results[3:5]] == [1, 0]
        assert answer["seq"] == results[-1]["seq"]
        assert [r["id"] for r in results] == [t["id"] for t in queue]
        assert len(json.dumps(answer)) < 28_000 + len(queue) * 500
    monkeypatch.setattr(replay, "BYTES", 100)
    answer = await send(client, home, *queue[:2])
    assert [len(r["records"]) for r in answer["results"]] == [1, 0], "the first as if it were alone"


async def test_what_took_effect_too_long_ago_is_no_refusal(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    """What it was to create is not missing for that, even where another had its id by mistake."""
    missing, old = new(), transaction(create(new()))
    await send(client, home, old)
    trim(database, workspace, database.task(workspace)["seq"] - 1)
    queue = [{**old, "operations": [create(missing)]}, transaction(put(missing, "title", "Two"))]
    assert codes(await send(client, home, *queue)) == ["transaction_expired", "unknown_record"]


@pytest.mark.parametrize("problem", [unavailable(), outcome_unknown()], ids=["503", "504"])
async def test_what_is_no_verdict_stops_the_queue(
    client: Client, home: str, monkeypatch: pytest.MonkeyPatch, problem: Problem
) -> None:
    apply = replay.Queue.apply

    async def away(self: replay.Queue, *args: Any) -> Any:
        if self.earlier:
            raise problem
        return await apply(self, *args)

    monkeypatch.setattr(replay.Queue, "apply", away)
    answer = await send(client, home, *(transaction(create(new())) for _ in range(3)))
    assert codes(answer) == ["ok", problem.code, "not_tried"]


async def test_seq_is_the_highest_of_all_results(client: Client, home: str) -> None:
    early, late = (transaction(create(new())) for _ in range(2))
    first = await send(client, home, early)
    answer = await send(client, home, late, early)
    assert [r["seq"] for r in answer["results"]] == [first["seq"] + 1, first["seq"]]
    assert answer["seq"] == first["seq"] + 1
    refused = await send(client, home, transaction(put(new(), "title", "x")))
    assert refused["seq"] is None


async def test_ids_may_be_in_upper_case_and_a_create_may_call_its_own_id(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    task, refused = database.task(workspace, title="One")["id"], new()
    first = transaction(put(task, "title", "Two"), baseVersions={task.upper(): 1})
    operation = {"type": "create", "table": "task", "id": refused.upper(), "data": {"points": "x"}}
    queue = [
        {**first, "id": first["id"].upper()},
        transaction(put(task.upper(), "title", "Three"), baseVersions={task: 1}),
        transaction(operation),
        transaction({"type": "set", "id": refused, "key": "title", "value": "x"}),
    ]
    answer = await send(client, home, *queue)
    assert codes(answer) == ["ok", "ok", "invalid_document_fields", "depends_on_refused"]


async def test_a_heavy_transaction_goes_alone(
    client: Client, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty operations may share a batch with the writes of others, and 64 K characters may."""
    call, alone = Writer.call, []

    async def seen(self: Writer, made: Call) -> Any:
        if made.function.name == "transaction_apply":
            alone.append(made.alone)
        return await call(self, made)

    monkeypatch.setattr(Writer, "call", seen)
    task = new()
    steps = [{"type": "increment", "recordId": task, "key": "points", "by": 1}] * 51
    queue = [
        transaction(create(task)),
        transaction(*steps[:50]),
        transaction(*steps),
        transaction(put(task, "title", "x" * (64 << 10))),
    ]
    answer = await send(client, home, *queue)
    assert (codes(answer), alone) == (["ok"] * 4, [False, False, True, True])


async def test_an_unknown_parameter_is_refused(client: Client, home: str) -> None:
    queue = {"transactions": [transaction(create(new()))]}
    reply = await client.send("POST", f"{home}/transactions/replay?dryRun=true", queue)
    assert reply.problem(422, "invalid_request")["errors"][0]["path"] == "dryRun"
