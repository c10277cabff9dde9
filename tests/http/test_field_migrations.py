"""New fields take the documents along: what is renamed, removed, converted, filled, and refused."""

import asyncio
import time
from typing import Any

import pytest

from support import Client, Database, eventually

Field = dict[str, Any]

TITLE: Field = {"key": "title", "type": "text", "required": True}
SIZE: Field = {"key": "size", "type": "select", "options": ["s", "m", "l"]}


class Things:
    """A collection of things with some documents, and its fields put anew."""

    def __init__(self, client: Client, database: Database, workspace: str) -> None:
        self.client, self.database, self.workspace = client, database, workspace
        self.path = f"/api/v1/workspaces/{workspace}/collections"
        self.records = f"/api/v1/workspaces/{workspace}/records"
        self.ids: list[str] = []

    async def make(self, fields: list[Field], *documents: Any, **more: Any) -> None:
        body = {"key": "thing", "label": "Things", "fields": fields, **more}
        await self.client.call("POST", self.path, body)
        for document in documents:
            await self.add(document)

    async def add(self, document: Any) -> str:
        body = {"collection": "thing", "data": document}
        self.ids.append((await self.client.call("POST", self.records, body))["id"])
        return self.ids[-1]

    async def put(self, *fields: Field) -> Any:
        path = f"{self.path}/thing/fields"
        dry = await self.client.call("PUT", path, {"fields": fields, "dryRun": True})
        versions = self.versions()
        before = self.documents()
        answer = await self.client.call("PUT", path, {"fields": fields})
        changed = [a for a, b in zip(versions, self.versions(), strict=True) if a != b]
        assert dry["records"] == len(changed), "the dry run told as many as were changed"
        assert len(changed) == sum(a != b for a, b in zip(before, self.documents(), strict=True)), (
            "no version without a change"
        )
        return {**answer, "dry": dry["changes"]}

    async def refused(self, code: str, *fields: Field) -> Any:
        before = self.documents(), self.seq()
        path = f"{self.path}/thing/fields"
        reply = await self.client.send("PUT", path, {"fields": fields})
        problem = reply.problem(409, code)
        dry = await self.client.send("PUT", path, {"fields": fields, "dryRun": True})
        assert dry.problem(409, code) == problem
        assert (self.documents(), self.seq()) == before, "nothing was changed"
        return problem

    def documents(self) -> list[Any]:
        return [row[0] for row in self._rows("data")]

    def versions(self) -> list[int]:
        return [row[0] for row in self._rows("version")]

    def _rows(self, column: str) -> list[tuple[Any, ...]]:
        return self.database.run(
            f"select {column} from core.record where workspace_id = %s and collection = 'thing'"  # noqa: S608
            " order by number",
            self.workspace,
        )

    def seq(self) -> int:
        return int(
            self.database.value(
                "select max(seq) from core.change where workspace_id = %s", self.workspace
            )
        )

    async def changes(self, since: int) -> list[Any]:
        path = f"/api/v1/workspaces/{self.workspace}/changes?since={since}"
        found: list[Any] = (await self.client.call("GET", path))["changes"]
        return found


@pytest.fixture
def things(client: Client, database: Database, workspace: str) -> Things:
    return Things(client, database, workspace)


async def test_a_renamed_field_takes_its_values_along(things: Things) -> None:
    await things.make([TITLE, SIZE], {"title": "a", "size": "s"}, {"title": "b"})
    before = things.seq()
    answer = await things.put(TITLE, {**SIZE, "key": "width", "renamedFrom": "size"})
    assert things.documents() == [{"title": "a", "width": "s"}, {"title": "b"}]
    assert answer["dry"]["renamed"] == [{"from": "size", "to": "width"}]
    assert [field["key"] for field in answer["fields"]] == ["title", "width"]
    schema, change = await things.changes(before)
    assert (schema["event"], schema["collection"]) == ("schema-changed", "thing")
    assert schema["fields"] == answer["fields"]
    assert (change["event"], change["version"], change["seq"]) == (
        "thing-updated",
        2,
        answer["seq"],
    )
    assert change["patch"] == {"size": None, "width": "s"}
    before_patch = things.database.value(
        "select before from core.change where workspace_id = %s and seq = %s",
        things.workspace,
        answer["seq"],
    )
    assert before_patch == {"size": "s", "width": None}, "undo finds what was there"
    path = f"{things.records}/{things.ids[0]}"
    for body, status in (({"width": "xxl"}, 422), ({"width": "m"}, 200), ({"size": "xxl"}, 200)):
        assert (await things.client.send("PATCH", path, {"patch": body})).status == status, body


async def test_two_fields_change_their_names_with_each_other(things: Things) -> None:
    text = {"type": "text"}
    await things.make(
        [{**text, "key": "a"}, {**text, "key": "b"}], {"a": "1", "b": "2"}, {"a": "3"}
    )
    await things.put(
        {**text, "key": "b", "renamedFrom": "a"}, {**text, "key": "a", "renamedFrom": "b"}
    )
    assert things.documents() == [{"a": "2", "b": "1"}, {"b": "3"}]


async def test_a_rename_that_is_sent_again_is_done_already(things: Things) -> None:
    await things.make([SIZE], {"size": "s"})
    renamed = {**SIZE, "key": "width", "renamedFrom": "size"}
    first = await things.put(renamed)
    assert (await things.put(renamed))["seq"] == first["seq"]


async def test_a_field_that_is_left_out_leaves_the_documents(things: Things) -> None:
    await things.make([TITLE, SIZE], {"title": "a", "size": "s", "other": 1}, {"title": "b"})
    answer = await things.put(TITLE)
    assert things.documents() == [{"title": "a", "other": 1}, {"title": "b"}]
    assert things.versions() == [2, 1]
    assert answer["dry"]["removed"] == ["size"]


async def test_deleted_records_are_migrated_and_logged_too(things: Things) -> None:
    await things.make([SIZE], {"size": "s"})
    await things.client.call("DELETE", f"{things.records}/{things.ids[0]}")
    before = things.seq()
    await things.put({**SIZE, "key": "width", "renamedFrom": "size"})
    assert things.documents() == [{"width": "s"}]
    logged = things.database.run(
        "select action, patch from core.change where seq > %s and record_id is not null", before
    )
    assert logged == [("updated", {"size": None, "width": "s"})]
    restored = await things.client.call("POST", f"{things.records}/{things.ids[0]}/restore")
    assert restored["data"] == {"width": "s"}


async def test_renamed_options_take_their_values_along(things: Things) -> None:
    tags = {"key": "tags", "type": "multi_select", "options": ["x", "y", "z"]}
    await things.make([SIZE, tags], {"size": "s", "tags": ["x", "z"]}, {"size": "m"})
    big = [{"value": "l", "renamedFrom": "s"}, "m", {"value": "s", "renamedFrom": "l"}]
    answer = await things.put(
        {**SIZE, "options": big},
        {**tags, "options": [{"value": "a", "renamedFrom": "x", "label": "A"}, "y", "z"]},
    )
    assert things.documents() == [{"size": "l", "tags": ["a", "z"]}, {"size": "m"}]
    assert answer["dry"]["options"] == [
        {"key": "size", "renamed": {"s": "l", "l": "s"}, "removed": []},
        {"key": "tags", "renamed": {"x": "a"}, "removed": []},
    ]
    assert answer["fields"][0]["options"][0] == {"value": "l", "label": "l"}


async def test_values_of_an_option_that_is_left_out_become_the_default_or_are_unset(
    things: Things,
) -> None:
    tags = {"key": "tags", "type": "multi_select", "options": ["x", "y"]}
    documents = [{"size": "s", "tags": ["x", "y"]}, {"size": "l", "tags": ["x"]}, {"size": "m"}]
    await things.make([SIZE, tags], *documents)
    await things.put({**SIZE, "options": ["m", "l"]}, {**tags, "options": ["y"]})
    assert things.documents() == [{"tags": ["y"]}, {"size": "l"}, {"size": "m"}]
    await things.put({**SIZE, "options": ["m"], "default": "m"}, {**tags, "options": ["y"]})
    assert things.documents() == [{"tags": ["y"]}, {"size": "m"}, {"size": "m"}]


async def test_an_option_in_use_of_a_required_field_without_default_is_refused(
    things: Things,
) -> None:
    size = {**SIZE, "required": True}
    await things.make([size], {"size": "s"}, {"size": "m"}, {"size": "s"})
    problem = await things.refused("option_in_use", {**size, "options": ["m", "l"]})
    assert problem["records"] == 2
    assert [error["displayId"][-1] for error in problem["errors"]] == ["1", "3"]
    await things.put({**size, "options": ["s", "m"]})
    await things.put({**size, "options": ["m"], "default": "m"})
    assert things.documents() == [{"size": "m"}] * 3


# A field's type and value, another type, what becomes of it.
CONVERSIONS: list[tuple[str, Any, Field, Any]] = [
    ("number", 3, {"type": "text"}, "3"),
    ("number", -1.25, {"type": "long_text"}, "-1.25"),
    ("number", 2, {"type": "select", "options": ["1", "2"]}, "2"),
    ("text", "12.5", {"type": "number"}, 12.5),
    ("text", "0", {"type": "number"}, 0),
    ("text", "true", {"type": "boolean"}, True),
    ("text", "m", {"type": "select", "options": ["s", "m"]}, "m"),
    ("text", "m", {"type": "multi_select", "options": ["s", "m"]}, ["m"]),
    ("text", "a\nb", {"type": "long_text"}, "a\nb"),
    ("text", "2026-02-28", {"type": "date"}, "2026-02-28"),
    ("text", "2026-02-28T10:00:00Z", {"type": "datetime"}, "2026-02-28T10:00:00Z"),
    ("text", "https://example.org/a", {"type": "url"}, "https://example.org/a"),
    ("url", "https://example.org/a", {"type": "text"}, "https://example.org/a"),
    ("date", "2026-02-28", {"type": "text"}, "2026-02-28"),
    ("boolean", False, {"type": "text"}, "false"),
    ("boolean", True, {"type": "json"}, True),
    ("multi_select", ["a"], {"type": "text"}, "a"),
    ("multi_select", ["a", "b"], {"type": "json"}, ["a", "b"]),
    ("multi_select", [], {"type": "text"}, None),
    ("json", ["a", "b"], {"type": "multi_select"}, ["a", "b"]),
    ("json", "5", {"type": "number"}, 5),
]


async def test_values_are_converted_where_nothing_is_lost(things: Things) -> None:
    """All at once, each in a field of its own."""
    cases = {f"a{n}": case for n, case in enumerate(CONVERSIONS)}
    await things.make(
        [{"key": key, "type": type_} for key, (type_, *_) in cases.items()],
        {"n": 1, **{key: value for key, (_, value, *_) in cases.items()}},
        {"n": 2},
    )
    answer = await things.put(*({"key": key, **field} for key, (_, _, field, _) in cases.items()))
    expected = {key: value for key, (*_, value) in cases.items() if value is not None}
    assert things.documents() == [{"n": 1, **expected}, {"n": 2}]
    assert answer["dry"]["converted"] == [
        {"key": key, "from": type_, "to": field["type"]}
        for key, (type_, _, field, _) in cases.items()
    ]


LOSSY: list[tuple[str, Any, Field]] = [
    ("text", "007", {"type": "number"}),
    ("text", "1e3", {"type": "number"}),
    ("text", "1.50", {"type": "number"}),
    ("text", "12345678901234567890", {"type": "number"}),
    ("text", "", {"type": "number"}),
    ("text", "yes", {"type": "boolean"}),
    ("text", "xl", {"type": "select", "options": ["s", "m"]}),
    ("text", "2026-02-30", {"type": "date"}),
    ("text", "javascript:alert(1)", {"type": "url"}),
    ("datetime", "2026-02-28T10:00:00Z", {"type": "date"}),
    ("date", "2026-02-28", {"type": "datetime"}),
    ("number", 5, {"type": "boolean"}),
    ("multi_select", ["a", "b"], {"type": "text"}),
    ("json", {"a": 1}, {"type": "text"}),
    ("json", [1], {"type": "multi_select"}),
    ("text", "somebody", {"type": "user"}),
    ("text", "TSK-001-0001", {"type": "reference"}),
]


async def test_values_that_would_lose_something_are_named_and_nothing_changes(
    things: Things,
) -> None:
    """All at once, each in a field of its own."""
    cases = {f"a{n:02}": case for n, case in enumerate(LOSSY)}
    await things.make(
        [{"key": key, "type": type_} for key, (type_, *_) in cases.items()],
        {key: value for key, (_, value, _) in cases.items()},
        {"n": 2},
    )
    problem = await things.refused(
        "values_do_not_fit", *({"key": key, **field} for key, (_, _, field) in cases.items())
    )
    assert [error["path"] for error in problem["errors"]] == [f"data.{key}" for key in cases]
    assert all(error["displayId"].endswith("-0001") for error in problem["errors"])
    assert all(error["message"] for error in problem["errors"])
    assert problem["records"] == 1


async def test_20_records_at_most_are_named_and_their_number_is_told(things: Things) -> None:
    await things.make([{"key": "a", "type": "text"}])
    things.database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'thing', '{\"a\": \"x\"}' from generate_series(1, 30)",
        things.workspace,
    )
    problem = await things.refused("values_do_not_fit", {"key": "a", "type": "number"})
    assert problem["records"] == 30
    assert [error["displayId"][-4:] for error in problem["errors"]] == [
        f"{n:04}" for n in range(1, 21)
    ]


async def test_a_field_that_becomes_required_needs_a_value_everywhere_or_a_default(
    things: Things,
) -> None:
    note = {"key": "note", "type": "text"}
    await things.make([note], {"note": "a"}, {"n": 1})
    problem = await things.refused("values_do_not_fit", {**note, "required": True})
    assert [error["message"] for error in problem["errors"]] == ["is required, and not set."]
    new = {"key": "new", "type": "number", "required": True}
    await things.refused("values_do_not_fit", note, new)
    answer = await things.put({**note, "required": True, "default": "-"}, {**new, "default": 0})
    assert things.documents() == [{"note": "a", "new": 0}, {"note": "-", "new": 0, "n": 1}]
    assert sorted(answer["dry"]["filled"]) == ["new", "note"]


async def test_a_default_alone_fills_nothing(things: Things) -> None:
    await things.make([{"key": "a", "type": "text"}], {"n": 1})
    await things.put({"key": "a", "type": "text", "default": "x"})
    assert things.documents() == [{"n": 1}]


async def test_a_new_field_takes_over_what_stands_in_documents_if_it_fits(
    things: Things,
) -> None:
    await things.make([TITLE], {"title": "a", "points": "3"}, {"title": "b", "points": 4})
    answer = await things.put(TITLE, {"key": "points", "type": "number"})
    assert things.documents() == [{"title": "a", "points": 3}, {"title": "b", "points": 4}]
    assert answer["dry"]["added"] == ["points"]
    await things.add({"title": "c", "tag": {"deep": 1}})
    await things.refused(
        "values_do_not_fit",
        TITLE,
        {"key": "points", "type": "number"},
        {"key": "tag", "type": "text"},
    )


async def test_a_rename_does_not_overwrite_what_stands_in_documents(things: Things) -> None:
    await things.make([TITLE], {"title": "a", "name": "mine"})
    problem = await things.refused(
        "values_do_not_fit", {**TITLE, "key": "name", "renamedFrom": "title"}
    )
    assert problem["errors"][0]["path"] == "data.name"


async def test_the_workflow_follows_fields_and_options(things: Things) -> None:
    workflow = [
        {
            "field": "size",
            "transitions": [
                {"from": "s", "to": "m", "requires": ["title", "note"]},
                {"from": "m", "to": "l"},
                {"from": "*", "to": "s"},
            ],
        }
    ]
    fields = [TITLE, {**SIZE, "default": "s"}, {"key": "note", "type": "text"}]
    documents = [{"title": "a", "note": "n"}, {"title": "b", "note": "n"}]
    await things.make(fields, *documents, workflow=workflow)
    path = f"{things.records}/{things.ids[1]}"
    await things.client.call("PATCH", path, {"patch": {"size": "m"}})
    answer = await things.put(
        {**TITLE, "key": "name", "renamedFrom": "title"},
        {
            **SIZE,
            "key": "width",
            "renamedFrom": "size",
            "options": [{"value": "small", "renamedFrom": "s"}, "m"],
            "default": "small",
        },
    )
    width = [{"name": "a", "width": "small"}, {"name": "b", "width": "m"}]
    assert things.documents() == width, "from nothing to m is no step of the workflow"
    assert answer["workflow"] == [
        {
            "field": "width",
            "transitions": [
                {"from": "small", "to": "m", "requires": ["name"]},
                {"from": "*", "to": "small"},
            ],
        }
    ]
    reply = await things.client.send("PATCH", path, {"patch": {"width": None}})
    reply.problem(409, "transition_not_allowed")
    text = {"key": "width", "type": "text"}
    answer = await things.put({**TITLE, "key": "name"}, text)
    assert answer["workflow"] is None, "no select, no workflow"
    await things.client.call("PATCH", path, {"patch": {"width": None}})


async def test_whom_a_record_concerns_follows_a_user_field(
    things: Things, database: Database, workspace: str
) -> None:
    """Renamed: one change, and the audience as before. Converted to text: nobody is assigned."""
    bob = database.join(workspace, "Bob", "viewer")
    owner = {"key": "owner", "type": "user"}
    await things.make([owner], {"owner": bob}, {"n": 1})
    audience = things._rows("audience")
    assert str(audience[0][0][1]) == bob
    before = things.seq()
    await things.put({**owner, "key": "assignee", "renamedFrom": "owner"})
    assert things._rows("audience") == audience
    assert len(await things.changes(before)) == 2, "the schema, and one record once"
    path, text = f"{things.path}/thing/fields", {"key": "assignee", "type": "text"}
    await things.client.call("PUT", path, {"fields": [text]})
    assert str(things._rows("audience")[0][0][1]) == "00000000-0000-0000-0000-000000000000"
    await things.client.call("PUT", path, {"fields": [{**text, "type": "user"}]})
    assert things._rows("audience") == audience
    assert things._rows("user_fields") == [(["assignee"],)] * 2


async def test_what_fits_no_rule_but_is_not_touched_stays(things: Things) -> None:
    """As psql or an older rule left it: renaming judges nobody's values."""
    await things.make([SIZE, {"key": "day", "type": "date"}], {"n": 1})
    things.database.run("alter table core.record disable trigger record__150_fields") if (
        things.database.value("select count(*) from pg_trigger where tgname = 'record__150_fields'")
    ) else None
    things.database.run(
        'update core.record set data = \'{"size": "huge", "day": "someday"}\' where id = %s',
        things.ids[0],
    )
    things.database.run("alter table core.record enable trigger all")
    day = {"key": "date", "type": "date", "renamedFrom": "day"}
    await things.put({**SIZE, "options": ["s", "m", "l", "xl"]}, day)
    assert things.documents() == [{"size": "huge", "date": "someday"}]


async def test_other_collections_and_tenants_are_left_alone(
    things: Things, database: Database
) -> None:
    theirs = database.workspace("Bob")
    for workspace, actor in ((things.workspace, "Ada"), (theirs, "Bob")):
        database.task(workspace, actor, title="t", status="todo")
    await things.make([TITLE, {"key": "status", "type": "text"}], {"title": "a", "status": "todo"})
    others = "select data, version from core.record where collection = 'task' order by id"
    before = database.run(others)
    await things.put({**TITLE, "key": "name", "renamedFrom": "title"})
    assert database.run(others) == before


async def test_writes_at_the_same_time_are_before_it_or_after_it(things: Things) -> None:
    """Patches of the old key that came too late are refused, and none is lost or left behind."""
    await things.make([SIZE], *({"size": "s"} for _ in range(10)), unknownFields="refuse")
    path = f"{things.path}/thing/fields"
    fields = [{**SIZE, "key": "width", "renamedFrom": "size"}]
    statuses: list[int] = []

    async def patch(record: str) -> None:
        for n in range(12):
            for key in ("size", "width"):
                body = {"patch": {key: "sml"[n % 3]}}
                reply = await things.client.send("PATCH", f"{things.records}/{record}", body)
                statuses.append(reply.status)

    async def migrate() -> None:
        await eventually(lambda: len(statuses) > 40)
        await things.client.call("PUT", path, {"fields": fields})

    await asyncio.gather(migrate(), *(patch(record) for record in things.ids))
    assert set(statuses) == {200, 422}
    assert [set(document) for document in things.documents()] == [{"width"}] * 10
    logged = things.database.run(
        "select record_id::text, patch from core.change where record_id is not null order by seq"
    )
    for record, document in zip(things.ids, things.documents(), strict=True):
        told: dict[str, Any] = {"size": "s"}
        for one, change in logged:
            told |= (change or {}) if one == record else {}
        assert {key: value for key, value in told.items() if value is not None} == document


async def test_a_record_that_psql_holds_is_waited_for_without_the_lock(
    things: Things, database: Database, workspace: str
) -> None:
    """The migration comes back for it; meanwhile others write."""
    await things.make([SIZE], {"size": "s"}, {"size": "m"})
    other = database.task(workspace, title="x")["id"]
    fields = [{**SIZE, "key": "width", "renamedFrom": "size"}]
    path = f"{things.path}/thing/fields"
    with database.connect() as holder:
        holder.execute("begin")
        holder.execute("select 1 from core.record where id = %s for update", [things.ids[1]])
        migration = asyncio.create_task(things.client.call("PUT", path, {"fields": fields}))
        for n in range(5):
            body = {"patch": {"title": str(n)}}
            await things.client.call("PATCH", f"{things.records}/{other}", body)
        assert not migration.done()
        holder.execute("commit")
    await migration
    assert things.documents() == [{"width": "s"}, {"width": "m"}]


async def test_10000_records_are_migrated_in_seconds_and_the_log_is_whole(
    things: Things,
) -> None:
    fields = [TITLE, SIZE, {"key": "points", "type": "number"}, {"key": "note", "type": "text"}]
    await things.make(fields)
    things.database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'thing', jsonb_build_object('title', 'T' || n, 'size', 's', 'points', n,"
        " 'note', repeat('x', 200)) from generate_series(1, 10000) n",
        things.workspace,
    )
    before = things.seq()
    body = {
        "fields": [
            {**TITLE, "key": "name", "renamedFrom": "title"},
            {**SIZE, "options": [{"value": "small", "renamedFrom": "s"}, "m"]},
            {"key": "points", "type": "text"},
            {"key": "kind", "type": "text", "required": True, "default": "k"},
        ]
    }
    started = time.monotonic()
    answer = await things.client.call("PUT", f"{things.path}/thing/fields", body)
    seconds = time.monotonic() - started
    print(f"10,000 records in {seconds:.1f} s")
    assert seconds < 15
    assert answer["seq"] == before + 10001
    migrated = things.database.value(
        "select count(*) from core.record where version = 2 and data = jsonb_build_object("
        "'name', 'T' || number, 'size', 'small', 'points', number::text, 'kind', 'k')"
    )
    assert migrated == 10000
