"""What becomes of a write whose record was deleted, moved or migrated meanwhile.

The table of docs/transactions.md, over HTTP: Ada has read a record at version 1; Bob does something
to it; then Ada sends what she did, with the version.
"""

import itertools
import uuid
from datetime import datetime
from typing import Any

import pytest

from support import Client, Database, HttpReply

RULES = ("reject", "theirs", "yours")
CHANGES: dict[str, dict[str, Any]] = {
    "set": {"key": "title", "value": "Mine"},
    "merge": {"patch": {"title": "Mine"}},
    "unset": {"key": "owner"},
    "set-now": {"key": "owner"},
    "increment": {"key": "points", "by": 2},
    "list-insert": {"key": "tags", "value": "b"},
    "list-remove": {"key": "tags", "value": "a"},
}
TASK = {"title": "One", "status": "todo", "points": 1, "owner": "Eve", "tags": ["a"]}


@pytest.fixture
def home(workspace: str) -> str:
    """The path of the workspace."""
    return f"/api/v1/workspaces/{workspace}"


@pytest.fixture
def bob(client: Client, database: Database, workspace: str) -> Client:
    """Somebody else."""
    database.join(workspace, "Bob", "editor")
    return Client(client.session, client.url, database.token("Bob"))


class Desk:
    """A record that Ada has read, and what she and Bob do to it."""

    def __init__(self, ada: Client, bob: Client, home: str, database: Database) -> None:
        self.ada, self.bob, self.home, self.database = ada, bob, home, database

    async def task(self, **data: Any) -> str:
        """A new task at version 1."""
        body = {"data": {**TASK, **data}}
        return str(
            (await self.ada.call("POST", f"{self.home}/records?collection=task", body))["id"]
        )

    async def send(
        self, rule: str, *operations: Any, base: int = 1, ada: Client | None = None
    ) -> Any:
        """Ada's transaction, based on this version of all its records; the reply."""
        body = {
            "operations": operations,
            "baseVersions": {str(o["recordId"]): base for o in operations if "recordId" in o},
            "onConflict": rule,
        }
        return await (ada or self.ada).send("POST", f"{self.home}/transactions", body)

    async def delete(self, id: str) -> None:
        """Bob deletes it."""
        await self.bob.call("DELETE", f"{self.home}/records/{id}")

    async def patch(self, id: str, **patch: Any) -> None:
        """Bob changes it."""
        await self.bob.call("PATCH", f"{self.home}/records/{id}", {"patch": patch})

    def row(self, id: str) -> tuple[Any, bool]:
        """Its document as it is, and whether it is there."""
        query = "select data, deleted_at is null from core.record where id = %s"
        data, there = self.database.run(query, id)[0]
        return data, there

    def length(self) -> int:
        """How many changes the log has."""
        return int(self.database.value("select count(*) from core.change"))


@pytest.fixture
def desk(client: Client, bob: Client, home: str, database: Database) -> Desk:
    """The two and their workspace."""
    return Desk(client, bob, home, database)


def op(kind: str, id: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "recordId": id, **CHANGES.get(kind, {}), **more}


def changed(kind: str, now: str = "") -> dict[str, Any]:
    """The task as an operation leaves it, at this time."""
    match kind:
        case "set" | "merge":
            return {**TASK, "title": "Mine"}
        case "unset":
            return {key: value for key, value in TASK.items() if key != "owner"}
        case "set-now":
            return {**TASK, "owner": now}
        case "increment":
            return {**TASK, "points": 3}
        case "list-insert":
            return {**TASK, "tags": ["a", "b"]}
        case "list-remove":
            return {**TASK, "tags": []}
    return {**TASK, "status": "done"}


def time_in(data: dict[str, Any], kind: str) -> str:
    """The time that `set-now` has put into a document; of all else nothing."""
    if kind != "set-now":
        return ""
    now = str(data["owner"])
    assert datetime.fromisoformat(now).tzinfo is not None
    return now


# Deleted meanwhile


async def test_a_version_that_the_record_does_not_have_yet_collides_in_all_that_differs(
    client: Client, database: Database, workspace: str
) -> None:
    """Of a client that knew more than the backup which was restored, or that is mistaken."""
    home = f"/api/v1/workspaces/{workspace}"
    task = database.task(workspace, title="One", points=1)
    path, mine = f"/api/tasks/{task['id']}", {"title": "Mine", "points": 1, "owner": "Ada"}
    reply = await client.send("PATCH", path, {"patch": mine, "baseVersion": 7})
    expected = [
        {"recordId": task["id"], "key": key, "base": None, "yours": mine[key], "theirs": theirs}
        for key, theirs in (("owner", None), ("title", "One"))
    ]
    conflicts = reply.problem(409, "conflict")["conflicts"]
    assert [c for c in conflicts if c["key"] in mine] == expected

    async def send(operation: dict[str, Any], policy: str) -> HttpReply:
        body = {
            "operations": [{**operation, "recordId": task["id"]}],
            "baseVersions": {task["id"]: 7},
            "onConflict": policy,
        }
        return await client.send("POST", f"{home}/transactions", body)

    merge = {"type": "merge", "patch": mine}
    assert (await send(merge, "reject")).problem(409, "conflict")["conflicts"] == expected
    (whole,) = (await send({"type": "delete"}, "reject")).problem(409, "conflict")["conflicts"]
    assert (whole["key"], whole["base"]) == (None, None)
    same = {"type": "set", "key": "title", "value": "One"}
    assert (await send(same, "reject")).json["records"][0]["version"] == 1
    assert (await send(merge, "theirs")).json["records"][0]["version"] == 1
    assert (await send(merge, "yours")).json["records"][0]["data"] == mine


async def test_a_change_of_what_was_deleted_collides_with_the_deletion(desk: Desk) -> None:
    for rule, kind in itertools.product(RULES, [*CHANGES, "move"]):
        more = {"field": "status", "value": "done"} if kind == "move" else {}
        id = await desk.task()
        await desk.delete(id)
        before = desk.length()
        reply = await desk.send(rule, op(kind, id, **more))
        if rule == "reject":
            (found,) = reply.problem(409, "conflict")["conflicts"]
            yours = changed(kind, time_in(found["yours"], kind))
            assert found == {
                "recordId": id, "key": None, "base": TASK, "yours": yours, "theirs": None
            }  # fmt: skip
        else:
            (record,) = reply.json["records"]
            assert (record["deletedAt"] is None) == (rule == "yours")
        if rule == "yours":
            data, there = desk.row(id)
            assert (data, there) == (changed(kind, time_in(data, kind)), True)
        else:
            assert (desk.row(id), desk.length()) == ((TASK, False), before)


async def test_both_want_a_record_gone_or_back(desk: Desk) -> None:
    for rule in RULES:
        id = await desk.task()
        await desk.delete(id)
        before = desk.length()
        reply = await desk.send(rule, op("delete", id))
        assert reply.json["records"][0]["deletedAt"]
        assert desk.length() == before, "what is gone is not deleted again"
        assert (await desk.send(rule, op("restore", id))).json["records"][0]["deletedAt"] is None
        before = desk.length()
        await desk.send(rule, op("restore", id), base=2)
        assert desk.length() == before, "what is back is not restored again"


async def test_a_deletion_that_was_known_or_is_ones_own_is_no_conflict(desk: Desk) -> None:
    id = await desk.task()
    for rule in RULES:  # one's own, in the same transaction
        reply = await desk.send(rule, op("delete", id), op("set", id))
        assert reply.problem(404, "unknown_record")["operation"] == 1
    await desk.delete(id)
    for rule in RULES:
        for kind in ("set", "delete"):
            reply = await desk.send(rule, op(kind, id), base=2)
            reply.problem(404, "unknown_record")
    bare = {"operations": [op("set", id)]}
    reply = await desk.ada.send("POST", f"{desk.home}/transactions", bare)
    reply.problem(404, "unknown_record")


async def test_bringing_back_what_was_deleted_needs_the_right_to(
    desk: Desk, database: Database, workspace: str
) -> None:
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'writer', 'Writer', '{*}', '{*}', '{create:*,move:*}')",
        workspace,
    )
    database.join(workspace, "Wim", "writer")
    wim = Client(desk.ada.session, desk.ada.url, database.token("Wim"))
    for kind in ("set", "move"):
        id = await desk.task()
        await desk.delete(id)
        operation = op(kind, id)
        (await desk.send("reject", operation, ada=wim)).problem(409, "conflict")
        (await desk.send("yours", operation, ada=wim)).problem(403, "not_permitted")
    database.join(workspace, "Vera", "viewer")
    vera = Client(desk.ada.session, desk.ada.url, database.token("Vera"))
    for rule in RULES:
        for kind in ("set", "move", "delete"):
            reply = await desk.send(rule, op(kind, id), ada=vera)
            reply.problem(403, "not_permitted")


async def test_a_patch_with_a_version_collides_with_a_deletion_too(desk: Desk) -> None:
    id = await desk.task()
    await desk.delete(id)
    path = f"{desk.home}/records/{id}"
    patch = {"patch": {"title": "Mine"}}
    reply = await desk.ada.send("PATCH", path, {**patch, "baseVersion": 1})
    assert reply.problem(409, "conflict")["conflicts"] == [
        {"recordId": id, "key": None, "base": TASK, "yours": changed("set"), "theirs": None}
    ]
    for body in (patch, {**patch, "baseVersion": 2}):
        (await desk.ada.send("PATCH", path, body)).problem(404, "unknown_record")


# Deleted by oneself, changed meanwhile


async def test_a_deletion_collides_with_what_somebody_changed(desk: Desk) -> None:
    for rule in RULES:
        id = await desk.task()
        await desk.patch(id, points=9)
        before = desk.length()
        reply = await desk.send(rule, op("delete", id))
        theirs = {**TASK, "points": 9}
        if rule == "reject":
            assert reply.problem(409, "conflict")["conflicts"] == [
                {"recordId": id, "key": None, "base": TASK, "yours": None, "theirs": theirs}
            ]
        if rule == "yours":
            assert desk.row(id) == (theirs, False)
        else:
            assert (desk.row(id), desk.length()) == ((theirs, True), before)


async def test_a_deletion_does_not_collide_with_ones_own_changes_nor_with_a_move(
    desk: Desk,
) -> None:
    other = await desk.task()
    for rule in RULES:
        id = await desk.task()
        await desk.bob.call("POST", f"{desk.home}/records/{id}/move", {"before": other})
        assert (await desk.send(rule, op("set", id), op("delete", id))).status == 200
        assert desk.row(id)[1] is False


async def test_what_was_deleted_and_restored_is_there_as_it_is(desk: Desk) -> None:
    for rule in RULES:
        id = await desk.task()
        await desk.delete(id)
        await desk.bob.call("POST", f"{desk.home}/records/{id}/restore")
        assert (await desk.send(rule, op("set", id))).status == 200
        assert desk.row(id) == ({**TASK, "title": "Mine"}, True)
        assert (await desk.send(rule, op("delete", id), base=4)).status == 200


# Moved meanwhile


async def test_a_place_never_collides_and_the_last_move_wins(desk: Desk) -> None:
    one, two, three = [await desk.task(title=name) for name in ("1", "2", "3")]
    for rule in RULES:
        await desk.bob.call("POST", f"{desk.home}/records/{three}/move", {"before": one})
        assert (await desk.send(rule, op("move", three, after=two))).status == 200
        query = f"{desk.home}/records?collection=task&sort=position"
        listed = await desk.ada.call("GET", query)
        assert [record["id"] for record in listed["tasks"]] == [one, two, three]


async def test_the_value_that_comes_with_a_move_collides_like_any(desk: Desk) -> None:
    first = await desk.task(title="First")
    for rule in RULES:
        id = await desk.task()
        await desk.bob.call(
            "POST", f"{desk.home}/records/{id}/move", {"field": "status", "value": "review"}
        )
        same = op("move", id, field="status", value="review")
        assert (await desk.send(rule, same)).status == 200, "both want the same"
        reply = await desk.send(rule, op("move", id, field="status", value="done", before=first))
        if rule == "reject":
            assert reply.problem(409, "conflict")["conflicts"] == [
                {
                    "recordId": id,
                    "key": "status",
                    "base": "todo",
                    "yours": "done",
                    "theirs": "review",
                }
            ]
        else:
            (record,) = reply.json["records"]
            assert record["data"]["status"] == ("done" if rule == "yours" else "review")
            placed = "select (select position from core.record where id = %s) < position"
            query = f"{placed} from core.record where id = %s"
            assert desk.database.value(query, id, first), "its place is Ada's"


# The fields changed meanwhile


async def fields(desk: Desk, *changes: Any) -> None:
    """Ada as admin gives the tasks these fields (and `title`); what others hold stays unknown."""
    path = f"{desk.home}/collections/task/fields"
    title = {"key": "title", "label": "Title", "type": "text"}
    await desk.ada.call("PUT", path, {"fields": [title, *changes]})


NOTE = {"key": "note", "label": "Note", "type": "text"}
REMARK = {**NOTE, "key": "remark"}


@pytest.fixture
async def noted(desk: Desk) -> list[str]:
    """Three tasks with a note, a field of their collection; no other fields are taken."""
    path = f"{desk.home}/collections/task"
    await fields(desk, NOTE)
    await desk.ada.call("PATCH", path, {"unknownFields": "refuse"})
    made = []
    for _ in RULES:
        body = {"data": {"title": "One", "note": "Old"}}
        answer = await desk.ada.call("POST", f"{desk.home}/records?collection=task", body)
        made.append(answer["id"])
    return made


async def test_a_field_that_was_removed_collides_and_can_not_be_written(
    desk: Desk, noted: list[str]
) -> None:
    await fields(desk)
    for rule, id in zip(RULES, noted, strict=True):
        both = op("merge", id, patch={"note": "Mine", "title": "Two"})
        reply = await desk.send(rule, both)
        match rule:
            case "reject":
                (found,) = reply.problem(409, "conflict")["conflicts"]
                assert found == {
                    "recordId": id, "key": "note", "base": "Old", "yours": "Mine", "theirs": None
                }  # fmt: skip
            case "theirs":
                assert desk.row(id) == ({"title": "Two"}, True)
            case "yours":
                assert reply.problem(422, "invalid_document_fields")["recordId"] == id
    for rule in RULES:  # nobody took it from this record: there is no conflict, and no such field
        id = await desk.task(**dict.fromkeys([*TASK][1:]), title="Bare")
        reply = await desk.send(rule, op("set", id, key="note"))
        reply.problem(422, "invalid_document_fields")


async def test_a_field_that_was_renamed_collides_under_its_old_key(
    desk: Desk, noted: list[str]
) -> None:
    await fields(desk, {**REMARK, "renamedFrom": "note"})
    for rule, id in zip(RULES, noted, strict=True):
        reply = await desk.send(rule, op("set", id, key="note", value="Mine"))
        match rule:
            case "reject":
                (found,) = reply.problem(409, "conflict")["conflicts"]
                assert (found["key"], found["base"], found["theirs"]) == ("note", "Old", None)
            case "theirs":
                assert desk.row(id) == ({"title": "One", "remark": "Old"}, True)
            case "yours":
                reply.problem(422, "invalid_document_fields")


async def test_a_field_of_another_type_collides_where_values_were_converted(
    desk: Desk, noted: list[str]
) -> None:
    for id in noted:
        await desk.patch(id, note="5")
    await fields(desk, {**NOTE, "type": "number"})
    for rule, id in zip(RULES, noted, strict=True):
        reply = await desk.send(rule, op("set", id, key="note", value="Mine"), base=2)
        match rule:
            case "reject":
                (found,) = reply.problem(409, "conflict")["conflicts"]
                assert (found["key"], found["base"], found["theirs"]) == ("note", "5", 5)
            case "theirs":
                assert desk.row(id)[0]["note"] == 5
            case "yours":
                reply.problem(422, "invalid_document_fields")
        assert (await desk.send(rule, op("set", id, key="note", value=5), base=2)).status == 200


# Together


async def test_all_conflicts_are_told_at_once_and_nothing_is_written(desk: Desk) -> None:
    gone, dropped, moved, titled, free = [await desk.task() for _ in range(5)]
    await desk.delete(gone)
    await desk.patch(dropped, points=9)
    await desk.patch(moved, status="review")
    await desk.patch(titled, title="Theirs", points=7)
    new = str(uuid.uuid4())
    operations = (
        op("set", gone, key="title", value="Early"),
        {"type": "create", "collection": "task", "data": TASK, "recordId": new},
        op("delete", dropped),
        op("set", free),
        op("move", moved, field="status", value="done"),
        op("set", titled),
        op("increment", titled),
        op("set", gone),
    )
    before = desk.length()
    reply = await desk.send("reject", *operations)
    found = reply.problem(409, "conflict")["conflicts"]
    assert [(c["recordId"], c["key"]) for c in found] == [
        (gone, None),
        (dropped, None),
        (moved, "status"),
        (titled, "title"),
    ]
    assert found[0]["yours"]["title"] == "Mine", "each is told once, as it was in the end"
    assert desk.length() == before
    answer = (await desk.send("theirs", *operations)).json
    assert [r["id"] for r in answer["records"]] == [gone, new, dropped, free, moved, titled]
    assert [desk.row(id)[1] for id in (gone, dropped)] == [False, True]
    assert desk.row(titled)[0] == {**TASK, "title": "Theirs", "points": 9}
    before = desk.length()
    answer = (await desk.send("yours", *[o for o in operations if o["type"] != "create"])).json
    assert [desk.row(id)[1] for id in (gone, dropped)] == [True, False]
    assert desk.row(titled)[0] == {**TASK, "title": "Mine", "points": 11}
    assert desk.row(moved)[0]["status"] == "done"


async def test_a_fault_behind_a_conflict_does_not_hide_it(desk: Desk) -> None:
    id = await desk.task()
    await desk.delete(id)
    wrong = op("increment", await desk.task(), key="title")
    moved = {"type": "move", "recordId": str(uuid.uuid4())}
    reply = await desk.send("reject", op("set", id), moved, wrong)
    assert reply.problem(409, "conflict")["conflicts"][0]["recordId"] == id
    assert (await desk.send("theirs", op("set", id), moved, wrong)).json["operation"] == 1


# What no rule decides


def narrow(desk: Desk, workspace: str) -> tuple[Client, str]:
    """Nora, who sees what is her own; and her account."""
    desk.database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may) values"
        " (%s, 'narrow', 'Narrow', '{task:own}', '{task:own}', '{create:*,delete:*,move:*}')",
        workspace,
    )
    account = desk.database.join(workspace, "Nora", "narrow")
    return Client(desk.ada.session, desk.ada.url, desk.database.token("Nora")), account


async def test_a_record_that_left_ones_sight_is_unknown_and_an_id_that_is_taken_exists(
    desk: Desk, workspace: str
) -> None:
    nora, _ = narrow(desk, workspace)
    id = await desk.task()
    for rule in RULES:
        for kind in ("set", "move", "delete", "restore"):
            reply = await desk.send(rule, op(kind, id), ada=nora)
            reply.problem(404, "unknown_record")
        create = {"type": "create", "collection": "task", "data": {"title": "x"}, "recordId": id}
        reply = await desk.send(rule, create, ada=nora)
        reply.problem(409, "record_exists")


async def test_what_one_could_not_read_then_is_no_base_of_a_conflict(
    desk: Desk, workspace: str
) -> None:
    nora, nora_id = narrow(desk, workspace)
    await fields(desk, {"key": "assignee", "label": "Assignee", "type": "user"})
    id = await desk.task(title="Secret")
    await desk.patch(id, title="Told", assignee=nora_id)
    reply = await desk.send("reject", op("set", id), ada=nora)
    (found,) = reply.problem(409, "conflict")["conflicts"]
    assert (found["base"], found["theirs"]) == (None, "Told")
    reply = await desk.send("reject", op("delete", id), ada=nora)
    (found,) = reply.problem(409, "conflict")["conflicts"]
    assert (found["base"], found["theirs"]["title"]) == (None, "Told")
    assert "Secret" not in reply.text
