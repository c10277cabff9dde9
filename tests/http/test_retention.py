"""What the API says of a workspace whose older history was trimmed."""

import uuid
from typing import Any

import pytest

from support import Client, Database
from trimming import forget, trim

NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def home(workspace: str) -> str:
    """The path of the workspace."""
    return f"/api/v1/workspaces/{workspace}"


def since(database: Database, workspace: str) -> dict[str, Any]:
    """What answers say of where history begins: the floor, and its time."""
    seq, at = database.run(
        "select floor, logic.utc(floor_at) from core.clock where workspace_id = %s", workspace
    )[0]
    return {"seq": seq, "at": at}


async def test_all_that_tells_of_history_says_from_where_on(
    client: Client, database: Database, workspace: str, home: str, records: str
) -> None:
    task = await client.call("POST", f"{records}?collection=task", {"data": {"title": "One"}})
    path = f"{records}/{task['id']}"
    for n in range(4):
        await client.call("PATCH", path, {"patch": {"title": f"{n}"}})
    told = (f"{home}/undo", f"{home}/activity", f"{path}/activity", f"{home}/audit")
    for where in told:
        assert (await client.call("GET", where))["since"] is None
    assert trim(database, workspace, 4, forgetting=False) == 4
    for where in told:
        assert (await client.call("GET", where))["since"] == since(database, workspace)
    assert [a["seq"] for a in (await client.call("GET", told[1]))["activities"]] == [6, 5]
    assert [a["seq"] for a in (await client.call("GET", told[2]))["activities"]] == [6, 5]
    assert (await client.call("GET", told[3]))["events"] == []
    assert [u["seq"] for u in (await client.call("GET", told[0]))["undo"]] == [6, 5]
    undone = [await client.call("POST", f"{home}/undo") for _ in range(2)]
    assert undone[-1]["records"][0]["data"]["title"] == "1"
    (await client.send("POST", f"{home}/undo")).problem(409, "nothing_to_undo")


async def test_pages_of_activity_end_at_the_floor(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    for n in range(6):
        database.task(workspace, title=f"{n}")
    trim(database, workspace, 4)
    page = await client.call("GET", f"{home}/activity?limit=2")
    assert [a["seq"] for a in page["activities"]] == [7, 6]
    page = await client.call("GET", f"{home}/activity?limit=2&cursor={page['nextCursor']}")
    assert ([a["seq"] for a in page["activities"]], page["nextCursor"]) == ([5], None)


async def test_what_was_before_the_floor_is_gone_and_said_to_be(
    client: Client, database: Database, workspace: str, home: str, records: str
) -> None:
    """Also where a baseline stands: it is no place to go on from."""
    untouched = database.task(workspace, title="Untouched")
    task = await client.call("POST", f"{records}?collection=task", {"data": {"title": "One"}})
    path = f"{records}/{task['id']}"
    for n in range(3):
        await client.call("PATCH", path, {"patch": {"title": f"{n}"}})
    assert (untouched["seq"], trim(database, workspace, 4)) == (2, 4)
    for method, where in (
        ("GET", f"{path}?at=2"),
        ("GET", f"{home}/snapshot?at=2"),
        ("GET", f"{home}/snapshot?at=0"),
        ("POST", f"{path}/restore?at=2"),
    ):
        problem = (await client.send(method, where)).problem(410, "seq_expired")
        assert problem["since"] == since(database, workspace)
        assert "from seq 4 on" in problem["detail"]
    at_floor = await client.call("GET", f"{path}?at=4")
    assert (at_floor["data"]["title"], at_floor["version"]) == ("0", 2)
    assert at_floor["updatedBy"] == database.account("Ada")
    back = await client.call("POST", f"{path}/restore?at=4")
    assert back["data"] == at_floor["data"]
    (await client.send("GET", f"{path}?at=99")).problem(422, "unknown_seq")
    for behind in range(4):
        answer = await client.call("GET", f"{home}/changes?since={behind}")
        assert (answer["changes"], answer["reset"]["reason"]) == ([], "expired")
    assert len((await client.call("GET", f"{home}/changes?since=4"))["changes"]) == 3


async def test_a_write_that_changes_nothing_still_answers_a_seq(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = await client.call("POST", f"{records}?collection=task", {"data": {"title": "One"}})
    await client.call("POST", f"{records}/{task['id']}/comments", {"body": "Said"})
    database.task(workspace, title="Two")
    trim(database, workspace, 3)
    same = await client.call("PATCH", f"{records}/{task['id']}", {"patch": {"title": "One"}})
    assert same["seq"] == task["seq"]


async def test_a_base_version_from_before_collides_wherever_values_differ(
    client: Client, database: Database, workspace: str, home: str, records: str
) -> None:
    data = {"title": "One", "points": 1, "x": "y"}
    task = await client.call("POST", f"{records}?collection=task", {"data": data})
    path = f"{records}/{task['id']}"
    for patch in ({"title": "Two"}, {"points": 2}, {"points": 3}):
        await client.call("PATCH", path, {"patch": patch})
    other = database.task(workspace, title="Other")
    call = {"id": other["id"], "patch": {"title": "Changed"}}
    database.call("record_update", workspace, arguments=call)
    database.task(workspace, title="Last")
    trim(database, workspace, task["seq"] + 1)
    mine = {"patch": {"title": "Mine", "points": 3, "x": None}, "baseVersion": 1}
    conflicts = (await client.send("PATCH", path, mine)).problem(409, "conflict")["conflicts"]
    assert conflicts == [
        {"recordId": task["id"], "key": key, "base": None, "yours": yours, "theirs": theirs}
        for key, yours, theirs in (("title", "Mine", "Two"), ("x", None, "y"))
    ]
    deletion = {
        "operations": [{"type": "delete", "recordId": task["id"]}],
        "baseVersions": {task["id"]: 1},
    }
    reply = await client.send("POST", f"{home}/transactions", deletion)
    (whole,) = reply.problem(409, "conflict")["conflicts"]
    assert (whole["key"], whole["base"]) == (None, None)
    since_baseline = {"patch": {"title": "Mine", "points": 5}, "baseVersion": 2}
    (only,) = (await client.send("PATCH", path, since_baseline)).problem(409)["conflicts"]
    assert (only["key"], only["base"]) == ("points", 1)
    deletion["baseVersions"] = {task["id"]: 2}
    reply = await client.send("POST", f"{home}/transactions", deletion)
    (whole,) = reply.problem(409, "conflict")["conflicts"]
    assert whole["base"] == {**data, "title": "Two"}
    trim(database, workspace, other["seq"] + 1)
    unknown = {
        "operations": [{"type": "delete", "recordId": other["id"]}],
        "baseVersions": {other["id"]: 1},
    }
    reply = await client.send("POST", f"{home}/transactions", unknown)
    (whole,) = reply.problem(409, "conflict")["conflicts"]
    assert (whole["base"], whole["theirs"]) == (None, {**other["data"], "title": "Changed"})


async def test_a_deletion_that_the_version_knew_is_no_conflict_when_it_is_trimmed(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    gone, kept = (database.task(workspace, title=title) for title in ("Gone", "Kept"))
    path = f"{records}/{gone['id']}"
    await client.call("DELETE", path)
    last = await client.call("PATCH", f"{records}/{kept['id']}", {"patch": {"points": 1}})
    trim(database, workspace, last["seq"] - 1)
    for base, status in ((1, 409), (2, 404)):
        stale = {"patch": {"title": "Mine"}, "baseVersion": base}
        assert (await client.send("PATCH", path, stale)).status == status


async def test_a_repeat_from_before_the_floor_is_refused_and_does_nothing(
    client: Client, database: Database, workspace: str, home: str, records: str
) -> None:
    """From the moment that the floor is there, and when the rest is dropped."""
    writes: list[tuple[str, str, Any]] = [
        ("POST", f"{records}?collection=task", {"data": {"title": "One"}}),
        ("POST", f"{home}/transactions", {"operations": [{"type": "create", "data": {}}] * 2}),
    ]
    for operation in writes[1][2]["operations"]:
        operation["collection"] = "task"
    keys = [{"Idempotency-Key": str(uuid.uuid4())} for _ in writes]
    for (method, path, body), headers in zip(writes, keys, strict=True):
        await client.call(method, path, body, headers=headers)
    last = await client.call("POST", f"{records}?collection=task", {"data": {"title": "Last"}})
    before = database.value("select min(at) from core.change where seq = %s", last["seq"])
    step = database.value("select trusted.log_compact(%s, %s)", workspace, before)
    assert step["floor"] == last["seq"] - 1
    for dropped in (False, True):
        for (method, path, body), headers in zip(writes, keys, strict=True):
            for sent in (body, {**body, "data": {"title": "Other"}}):
                reply = await client.send(method, path, sent, headers=headers)
                if reply.status != 422 or sent is body:
                    reply.problem(410, "transaction_expired")
        count = "select count(*) from core.record where workspace_id = %s"
        assert database.value(count, workspace) == 4
        if not dropped:
            forget(database, workspace, before, rows=1)
    kept = database.run(
        "select function, request_hash, first_seq, last_seq, undone_by, skipped"
        " from core.transaction where workspace_id = %s and expired",
        workspace,
    )
    assert kept == [(None,) * 6] * 2, "the key is kept, and nothing else"


async def test_what_changed_nothing_and_what_has_no_workspace_goes_by_its_time(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    task = await client.call("POST", f"{records}?collection=task", {"data": {"title": "One"}})
    same = ("PATCH", f"{records}/{task['id']}", {"patch": {"title": "One"}})
    made = ("POST", "/api/v1/workspaces", {"name": "New", "template": "tasks"})
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    for write in (same, made):
        await client.call(*write, headers=headers)
    database.task(workspace, title="Last")
    first = database.value("select at from core.change where seq = 2")
    step = database.value("select trusted.log_compact(%s, 'infinity')", workspace)
    assert step["floor"] == task["seq"]
    for place in (workspace, NOWHERE):
        forget(database, place, first)
    for write in (same, made):
        await client.call(*write, headers=headers)
    for place in (workspace, NOWHERE):
        forget(database, place, "infinity")
    for write in (same, made):
        (await client.send(*write, headers=headers)).problem(410, "transaction_expired")
    workspaces = (await client.call("GET", "/api/v1/workspaces"))["workspaces"]
    assert [each["name"] for each in workspaces].count("New") == 1


async def test_an_undo_of_something_from_before_can_be_repeated(
    client: Client, database: Database, workspace: str, home: str, records: str
) -> None:
    await client.call("POST", f"{records}?collection=task", {"data": {"title": "One"}})
    database.join(workspace, "Bob", "editor")
    database.task(workspace, actor="Bob", title="Two")
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    undone = await client.call("POST", f"{home}/undo", headers=headers)
    database.task(workspace, actor="Bob", title="Three")
    assert trim(database, workspace, undone["seq"] - 1) == undone["seq"] - 1
    again = await client.call("POST", f"{home}/undo", headers=headers)
    assert {**again, "records": []} == {**undone, "records": []}
    trim(database, workspace, undone["seq"])
    (await client.send("POST", f"{home}/undo", headers=headers)).problem(410, "transaction_expired")
    kept = database.value(
        "select count(*) from core.transaction where workspace_id = %s and undone_by is not null",
        workspace,
    )
    assert kept == 0


async def test_an_import_again_adds_nothing(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    body = b"title\nOne\nTwo\n"
    headers = {"Idempotency-Key": "names the file", "Content-Type": "text/csv"}
    for created, skipped in ((2, 0), (0, 2)):
        reply = await client.send("POST", f"{home}/import", data=body, headers=headers)
        assert (reply.json["created"], reply.json["skipped"]) == (created, skipped)
        database.task(workspace, title="Later")
        trim(database, workspace, database.value("select max(seq) - 1 from core.change"))


async def test_what_depends_on_an_expired_write_of_a_queue_is_written(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    """It took effect: what it created is there."""
    record = str(uuid.uuid4())
    queue: list[dict[str, Any]] = [
        {"type": "create", "collection": "task", "recordId": record, "data": {"title": "One"}},
        {"type": "set", "recordId": record, "key": "title", "value": "Two"},
    ]
    sent = [{"id": str(uuid.uuid4()), "operations": [operation]} for operation in queue]
    await client.call("POST", f"{home}/transactions", sent[0])
    database.task(workspace, title="Last")
    trim(database, workspace, 2)
    replayed = await client.call("POST", f"{home}/transactions/replay", {"transactions": sent})
    expired, written = replayed["results"]
    assert expired["problem"]["code"] == "transaction_expired"
    assert written["records"][0]["data"]["title"] == "Two"
