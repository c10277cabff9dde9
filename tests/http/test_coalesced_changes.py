"""GET changes?coalesce=true: one change per record, and after each page the same as one by one."""

import json
import uuid
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import Client, Database

Known = dict[str, dict[str, Any]]


def follow(known: Known, changes: list[Any]) -> Known:
    """What a client knows behind these changes, by docs/events.md: {id: record}."""
    for change in changes:
        name = change["event"]
        if name.startswith("comment-"):
            more = {"comment-created": 1, "comment-deleted": -1}.get(name, 0)
            if change["recordId"] in known:
                known[change["recordId"]]["commentCount"] += more
        elif name.endswith(("-removed", "-deleted")) and name.startswith("task"):
            known.pop(change["id"], None)
        elif "record" in change:
            known[change["id"]] = change["record"]
        elif change.get("id") in known:
            record = known[change["id"]]
            assert change["version"] > record["version"], "it is no older than what is known"
            data = {**record["data"], **change["patch"]}
            record["data"] = {key: value for key, value in data.items() if value is not None}
            record["position"] = change.get("position", record["position"])
            record["version"] = change["version"]
    return known


MEMBERS = ("id", "displayId", "collection", "number", "data", "position", "version", "commentCount")


def told(known: Known) -> dict[str, Any]:
    """What is compared: all but who wrote when."""
    return {
        id: {name: record[name] for name in (*MEMBERS, "deletedAt")} for id, record in known.items()
    }


class Scene:
    """A workspace with Ada, who writes and sees all, and Nora, who sees what is assigned to her."""

    def __init__(self, database: Database, connection: Any) -> None:
        self.database, self.connection = database, connection
        self.workspace = database.workspace(template="todo")
        self.nora = database.account("Nora")
        database.run(
            "insert into core.role (workspace_id, key, label, read, edit, may)"
            " values (%s, 'narrow', 'Narrow', '{task:own}', '{}', '{}')",
            self.workspace,
        )
        database.join(self.workspace, "Nora", "narrow")
        self.tasks: list[str] = []
        self.dead: set[str] = set()
        self.comments: list[tuple[str, str]] = []  # with their records
        for n in range(3):
            self.write("create", n, None)

    def call(self, function: str, **arguments: Any) -> Any:
        call = {"function": function, "workspace": self.workspace, "arguments": arguments}
        if "id" in arguments:
            call["record"] = arguments["id"]
        (reply,) = self.database.batch([call], self.connection)
        assert reply.state == "ok", reply
        return reply.answer

    def read(self, actor: str, function: str, **arguments: Any) -> Any:
        row = self.connection.execute(
            "select answer from api.query(%s, %s, %s, null, null, %s)",
            [function, self.database.account(actor), self.workspace, json.dumps(arguments)],
        ).fetchone()
        return json.loads(row[0])

    def write(self, kind: str, n: int, value: Any) -> None:
        """One write to the n-th task, where it can be done."""
        if kind == "create":
            data = {"title": f"{n}", "assignee": self.nora if value else None}
            answer = self.call("record_create", collection="task", data=data)
            self.tasks.append(answer["id"])
            return
        id = self.tasks[n % len(self.tasks)]
        if (kind == "restore") != (id in self.dead):
            return
        match kind:
            case "patch":
                self.call("record_update", id=id, patch={f"k{n % 2}": value, "last": n})
            case "assign":
                self.call("record_update", id=id, patch={"assignee": self.nora if value else None})
            case "move":
                self.call("record_move", id=id, before=self.tasks[(n + 1) % len(self.tasks)])
            case "delete":
                self.call("record_delete", id=id)
                self.dead.add(id)
            case "restore":
                self.call("record_restore", id=id)
                self.dead.remove(id)
            case "comment":
                own = str(uuid.uuid4())
                self.call("comment_create", id=id, body="Why?", commentId=own)
                self.comments.append((own, id))
            case "uncomment" if self.comments and self.comments[-1][1] not in self.dead:
                self.call("comment_delete", comment=self.comments.pop()[0])

    def page(self, reader: str, since: int, limit: int, *, coalesce: bool) -> Any:
        return self.read(reader, "changes", since=since, limit=limit, coalesce=coalesce)

    def one_by_one(self, reader: str, known: Known, since: int, until: int) -> Known:
        """What a reader knows at a seq, by all changes up to it."""
        changes = self.page(reader, since, 1000, coalesce=False)["changes"]
        return follow(known, [change for change in changes if change["seq"] <= until])


KINDS = ("create", "patch", "assign", "move", "delete", "restore", "comment", "uncomment")
WRITES = st.tuples(st.sampled_from(KINDS), st.integers(0, 3), st.sampled_from([None, 1, "x"]))


@pytest.mark.timeout(400)  # a fault takes long to be shrunk
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    first=st.lists(WRITES, max_size=4),
    away=st.lists(WRITES, min_size=2, max_size=14),
    between=st.lists(st.lists(WRITES, max_size=2), max_size=6),
    limit=st.sampled_from([1, 2, 3, 1000]),
)
def test_after_each_page_it_is_the_same_as_one_by_one_whoever_reads_and_writes(
    database: Database, first: list[Any], away: list[Any], between: list[Any], limit: int
) -> None:
    with database.connect_server() as connection:
        scene = Scene(database, connection)
        for write in first:
            scene.write(*write)
        starts = {reader: scene.read(reader, "snapshot") for reader in ("Ada", "Nora")}
        for write in away:
            scene.write(*write)
        for reader, start in starts.items():
            since = start["seq"]
            known = {record["id"]: record for record in start["records"]}
            beside = json.loads(json.dumps(known))
            pauses, more = iter(between), True
            while more:
                page = scene.page(reader, since, limit, coalesce=True)
                of_records = [c["id"] for c in page["changes"] if "patch" in c or "id" in c]
                assert len(of_records) == len(set(of_records)), "each record once"
                assert len(page["changes"]) <= limit
                follow(known, page["changes"])
                scene.one_by_one(reader, beside, since, page["seq"])
                assert told(known) == told(beside)
                since, more = page["seq"], page["hasMore"]
                for write in next(pauses, []):
                    scene.write(*write)
                    more = True
            now = scene.read(reader, "snapshot")
            assert since == now["seq"]
            assert told(known) == told({record["id"]: record for record in now["records"]})


@pytest.fixture
def home(workspace: str) -> str:
    """The path of the workspace."""
    return f"/api/v1/workspaces/{workspace}"


async def test_many_changes_of_a_record_come_as_one(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    known = database.task(workspace, title="Known", owner="Eve")
    path = f"{home}/records/{known['id']}"
    for n in range(5):
        await client.call("PATCH", path, {"patch": {"points": n, "owner": None}})
    new = database.task(workspace, title="New")
    last = await client.call("PATCH", f"{home}/records/{new['id']}", {"patch": {"title": "Newer"}})
    query = f"{home}/changes?since={known['seq']}&coalesce=true"
    page = await client.call("GET", query)
    assert (page["seq"], page["hasMore"]) == (last["seq"], False)
    updated, created = page["changes"]
    assert (updated["event"], updated["version"], updated["seq"]) == (
        "task-updated",
        6,
        new["seq"] - 1,
    )
    assert updated["patch"] == {"points": 4, "owner": None}
    assert "record" not in updated
    assert (created["event"], created["seq"]) == ("task-created", last["seq"])
    assert created["patch"] == {"title": "Newer"}
    now = await client.call("GET", f"{home}/records/{new['id']}")
    assert created["record"] == now
    (first,) = (await client.call("GET", f"{query}&limit=1"))["changes"]
    assert first == updated
    alone = await client.call("GET", f"{home}/changes?since={known['seq']}")
    assert len(alone["changes"]) == 7, "unless it is asked for, all come"


async def test_what_happens_to_a_record_out_of_sight_is_not_told(
    database: Database,
) -> None:
    with database.connect_server() as connection:
        scene = Scene(database, connection)
        scene.write("assign", 0, 1)
        since = scene.read("Nora", "snapshot")["seq"]
        scene.write("patch", 0, "seen")
        scene.write("assign", 0, None)
        left = scene.read("Ada", "snapshot")["seq"]
        scene.write("patch", 0, "secret")
        page = scene.page("Nora", since, 10, coalesce=True)
        (change,) = page["changes"]
        assert (change["event"], change["seq"], change["version"]) == ("task-removed", left, 4)
        assert page["seq"] == left + 1
        assert not {"patch", "record"} & set(change)
        one_by_one = scene.page("Nora", since, 10, coalesce=False)["changes"]
        assert change == one_by_one[-1]


async def test_a_page_is_bounded_in_changes_and_bytes_too(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    task = database.task(workspace, title="One")
    with database.connect_server() as connection:
        for n in range(12):
            arguments = {"id": task["id"], "patch": {"points": n}}
            call = {"function": "record_update", "workspace": workspace, "arguments": arguments}
            database.batch([call], connection)
    query = f"{home}/changes?coalesce=true&limit=1&since="
    page = await client.call("GET", f"{query}{task['seq']}")
    assert (page["seq"], page["hasMore"]) == (task["seq"] + 10, True), "ten of one record"
    start = page["seq"] + 2
    for n in range(6):
        big = {"patch": {"description": f"{n}" + "x" * 250_000}}
        await client.call("PATCH", f"{home}/records/{task['id']}", big)
    pages: list[Any] = []
    while not pages or pages[-1]["hasMore"]:
        pages.append(await client.call("GET", f"{query}{pages[-1]['seq'] if pages else start}"))
    assert [p["seq"] for p in pages] == [start + 5, start + 6]


async def test_what_is_behind_a_floor_is_a_reset(
    client: Client, database: Database, workspace: str, home: str
) -> None:
    answer = await client.call("GET", f"{home}/changes?since=99&coalesce=true")
    assert (answer["changes"], answer["reset"]["reason"]) == ([], "expired")
    reply = await client.send("GET", f"{home}/changes?since=0&coalesce=maybe")
    (fault,) = reply.problem(422, "invalid_request")["errors"]
    assert fault["path"] == "coalesce"
    with pytest.raises(psycopg.Error, match="no such workspace"):
        database.run("select logic.changes_coalesced(%s, 0, 10, '{*}')", workspace)


async def test_what_was_out_of_sight_for_a_while_comes_whole(
    client: Client, database: Database
) -> None:
    """Its comments were out of sight, too, and none of them was told."""
    workspace = database.workspace(template="todo")
    home = f"/api/v1/workspaces/{workspace}"
    nora = database.account("Nora")
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'narrow', 'Narrow', '{task:own}', '{}', '{}')",
        workspace,
    )
    database.join(workspace, "Nora", "narrow")
    reader = Client(client.session, client.url, database.token("Nora"))
    body = {"collection": "task", "data": {"title": "x", "assignee": nora}}
    task = (await client.call("POST", f"{home}/records", body))["id"]
    since = (await reader.call("GET", f"{home}/snapshot"))["seq"]
    path = f"{home}/records/{task}"
    await client.call("PATCH", path, {"patch": {"assignee": None}})
    await client.call("POST", f"{path}/comments", {"body": "Not for Nora"})
    await client.call("PATCH", path, {"patch": {"assignee": nora}})
    page = await reader.call("GET", f"{home}/changes?since={since}&coalesce=true")
    (change,) = page["changes"]
    assert (change["event"], change["record"]["commentCount"]) == ("task-updated", 1)
