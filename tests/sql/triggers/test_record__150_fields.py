"""A document is held against the rules of its collection, whoever writes it."""

import json
import re
import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from record_table import Table
from support import Database

Errors = dict[str, str]


def field(table: Table, key: str, kind: str, **columns: Any) -> None:
    """A field of notes."""
    values = {"required": False, "options": [], "default": None, "target": None, **columns}
    table.database.run(
        "insert into core.field"
        " (workspace_id, collection, key, label, type, required, options, default_value, target)"
        " values (%s, 'note', %s, %s, %s, %s, %s, %s, %s)",
        table.workspace, key, key, kind, values["required"], Jsonb(values["options"]),
        None if values["default"] is None else Jsonb(values["default"]), values["target"],
    )  # fmt: skip


def refused(write: Callable[..., Any], *arguments: Any, **data: Any) -> Errors:
    """The errors with which a write is refused, by path."""
    with pytest.raises(psycopg.Error) as caught:
        write(*arguments, **data)
    assert (caught.value.sqlstate, caught.value.diag.message_hint) == (
        "PT422",
        "invalid_document_fields",
    )
    errors = json.loads(caught.value.diag.message_detail or "")["errors"]
    assert len({error["path"] for error in errors}) == len(errors)
    return {error["path"]: error["message"] for error in errors}


@pytest.fixture
def notes(table: Table) -> Table:
    """A workspace with a collection of notes that has no fields yet."""
    table.other_collection()
    return table


def note(notes: Table, **data: Any) -> dict[str, Any]:
    """What a new note holds."""
    found: dict[str, Any] = notes.row(notes.insert("note", **data))["data"]
    return found


def test_every_fault_comes_at_once_with_its_path(notes: Table) -> None:
    field(notes, "title", "text", required=True)
    field(notes, "points", "number")
    field(notes, "status", "select", options=[{"value": "a", "label": "A"}, "b"])
    assert refused(notes.insert, "note", points="3", status="c") == {
        "data.title": "is required.",
        "data.points": "must be a number.",
        "data.status": "must be one of a, b.",
    }
    assert notes.log() == []
    record = notes.insert("note", title="One", points=1)
    assert refused(notes.update, record, "data = %s", Jsonb({"points": [], "status": "A"})) == {
        "data.title": "is required.",
        "data.points": "must be a number.",
        "data.status": "must be one of a, b.",
    }
    assert notes.row(record)["version"] == 1


def test_a_new_document_gets_the_defaults_that_it_does_not_name(notes: Table) -> None:
    field(notes, "status", "select", options=["a", "b"], default="a", required=True)
    field(notes, "tags", "multi_select", default=["x"])
    assert note(notes) == {"status": "a", "tags": ["x"]}
    assert note(notes, status="b", tags=None) == {"status": "b"}
    assert refused(notes.insert, "note", status=None) == {"data.status": "is required."}


def test_an_update_gets_no_defaults(notes: Table) -> None:
    field(notes, "status", "text", default="a")
    record = notes.insert("note", status="b")
    notes.update(record, "data = '{}'")
    assert notes.row(record)["data"] == {}
    assert notes.log()[-1]["patch"] == {"status": None}


@pytest.mark.parametrize("kind", ["text", "select", "json"])
@pytest.mark.parametrize("unset", ["data - 'title'", "data || '{\"title\": null}'"])
def test_a_required_field_can_not_be_unset(notes: Table, unset: str, kind: str) -> None:
    field(notes, "title", kind, required=True)
    record = notes.insert("note", title="One", more=1)
    assert refused(notes.update, record, f"data = {unset}") == {"data.title": "is required."}
    notes.update(record, "data = data - 'more'")
    assert notes.row(record)["data"] == {"title": "One"}


def test_keys_that_are_no_field_are_kept_or_refused_as_the_collection_says(notes: Table) -> None:
    field(notes, "title", "text")
    record = notes.insert("note", title="One", else_=[1, {"a": 2}])
    notes.database.run("update core.collection set unknown_fields = 'refuse' where key = 'note'")
    assert refused(notes.insert, "note", other=1) == {
        "data.other": "is no field of this collection."
    }
    assert refused(notes.update, record, "data = data || '{\"else_\": 1}'")
    notes.update(record, 'data = data || \'{"title": "Two"}\'')
    notes.update(record, "data = data - 'else_'")
    assert notes.row(record)["data"] == {"title": "Two"}
    assert note(notes, nothing=None) == {}


def test_only_what_changes_is_checked(notes: Table) -> None:
    """A rule that is made later stops no other work on a record."""
    record = notes.insert("note", points="many", title=7)
    field(notes, "points", "number", required=True)
    field(notes, "title", "text")
    field(notes, "owner", "text", required=True)
    notes.update(record, "data = data || '{\"more\": 1}'")
    notes.update(record, "position = 'a0'")
    notes.update(record, "deleted_at = now()")
    notes.update(record, "deleted_at = null")
    assert notes.row(record)["data"] == {"points": "many", "title": 7, "more": 1}
    assert set(refused(notes.update, record, 'data = data || \'{"points": "few"}\'')) == {
        "data.points"
    }
    notes.update(record, "data = data || '{\"points\": 3}'")


def test_a_rule_holds_from_the_next_write_on(notes: Table) -> None:
    field(notes, "points", "number")
    assert refused(notes.insert, "note", points="3")
    notes.database.run("update core.field set type = 'text' where key = 'points'")
    assert note(notes, points="3") == {"points": "3"}
    notes.database.run("delete from core.field where key = 'points'")
    assert note(notes, points=[3]) == {"points": [3]}


def test_what_is_no_object_is_told_so(notes: Table, database: Database) -> None:
    field(notes, "title", "text", required=True)
    for value in ("[]", "7", "null", None):
        with pytest.raises(psycopg.Error) as caught:
            database.run(
                "insert into core.record (workspace_id, collection, data) values (%s, 'note', %s)",
                notes.workspace, value,
            )  # fmt: skip
        assert caught.value.diag.message_hint == "invalid_document"


# Users


def test_a_user_is_somebody_who_is_or_was_a_member(notes: Table, database: Database) -> None:
    field(notes, "who", "user")
    said = {"data.who": "must name accounts that are, or were, members of this workspace."}
    bob, eve = database.account("Bob"), database.account("Eve")
    other = database.workspace("Eve")
    database.join(other, "Bob", "viewer")
    database.run("delete from core.member where account_id = %s", bob)
    assert refused(notes.insert, "note", who=bob) == said
    assert refused(notes.insert, "note", who=eve) == said
    assert refused(notes.insert, "note", who=str(uuid.uuid4())) == said
    database.join(notes.workspace, "Bob", "viewer")
    ada = database.account("Ada")
    assert note(notes, who=[ada, bob.upper()])["who"] == [ada, bob.upper()]
    assert refused(notes.insert, "note", who=[ada, eve]) == said
    database.run("delete from core.member where account_id = %s", bob)
    assert note(notes, who=bob)["who"] == bob
    assert note(notes, who=[])["who"] == []
    database.run("update core.account set erased_at = now() where id = %s", bob)
    assert refused(notes.insert, "note", who=bob) == said


def test_an_erasure_unsets_what_is_required(notes: Table, database: Database) -> None:
    bob = database.join(notes.workspace, "Bob", "viewer")
    field(notes, "who", "user", required=True)
    record, other = notes.insert("note", who=bob), notes.insert("note", who=[bob, "x"][:1])
    database.run("update core.account set erased_at = now() where id = %s", bob)
    database.run("select trusted.account_erase_in(%s, %s)", notes.workspace, bob)
    assert notes.row(record)["data"] == {}
    assert notes.row(other)["data"] == {"who": []}
    assert refused(notes.insert, "note") == {"data.who": "is required."}


@pytest.mark.parametrize("claim", ["{workspace}", "{workspace} 1", "on"])
def test_an_exemption_of_another_transaction_is_not_believed(notes: Table, claim: str) -> None:
    field(notes, "title", "text", required=True)
    with notes.database.connect() as connection:
        connection.execute(
            "select set_config('rowcast.erasing', %s, false)",
            [claim.format(workspace=notes.workspace)],
        )
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(
                "insert into core.record (workspace_id, collection) values (%s, 'note')",
                [notes.workspace],
            )
    assert caught.value.diag.message_hint == "invalid_document_fields"


# References


def test_a_reference_leads_to_a_live_record_of_its_target(notes: Table, database: Database) -> None:
    field(notes, "any", "reference")
    field(notes, "task", "reference", target="task")
    task, other = notes.insert("task"), notes.insert("note")
    gone = notes.insert("task")
    notes.update(gone, "deleted_at = now()")
    foreign = database.task(database.workspace("Eve"), actor="Eve")["id"]
    assert note(notes, any=other, task=task.upper()) == {"any": other, "task": task.upper()}
    told = {
        refused(notes.insert, "note", task=key)["data.task"]
        for key in (gone, foreign, other, str(uuid.uuid4()))
    }
    assert told == {"names no record of task that there is."}
    assert set(refused(notes.insert, "note", any=[other], task=gone)) == {"data.any", "data.task"}


def test_a_record_out_of_ones_sight_is_no_such_record(notes: Table, database: Database) -> None:
    field(notes, "task", "reference", target="task")
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may)"
        " values (%s, 'clerk', 'Clerk', '{note,task:own}', '{note}', '{create:*}')",
        notes.workspace,
    )
    database.join(notes.workspace, "Bob", "clerk")
    hidden = database.task(notes.workspace, title="Not Bob's")["id"]
    own = database.task(notes.workspace, actor="Bob", title="Bob's")["id"]

    def told(target: str) -> Any:
        arguments = {"collection": "note", "data": {"task": target}}
        call = {"function": "record_create", "workspace": notes.workspace, "actor": "Bob"}
        return database.batch([{**call, "arguments": arguments}])[0]

    assert told(own).state == "ok"
    unseen, absent = told(hidden), told(str(uuid.uuid4()))
    assert unseen.state == "PT422"
    assert (unseen.state, unseen.answer) == (absent.state, absent.answer)
    with database.connect() as owner:  # as a function with the owner's rights, past row security
        owner.execute(
            "select set_config('rowcast.actor', %s, false),"
            " set_config('rowcast.read', 'note', false)",
            [database.account("Bob")],
        )
        query = "select logic.reference_violation(%s, 'task', %s)"
        (said,) = owner.execute(query, [notes.workspace, hidden]).fetchall()[0]
    assert said == "names no record of task that there is."


# Against a plain oracle

KINDS = [
    "text", "long_text", "number", "boolean", "date", "datetime", "select", "multi_select", "url",
    "json",
]  # fmt: skip
KEYS = [*KINDS, "must", "pick", "free", "other"]
RULES: dict[str, dict[str, Any]] = {
    **{kind: {"type": kind} for kind in KINDS},
    "select": {"type": "select", "options": ["a", "b"], "default": "a"},
    "multi_select": {"type": "multi_select", "options": ["a", "b", "c"]},
    "must": {"type": "number", "required": True},
    "pick": {"type": "select", "options": ["a", "b"], "required": True, "default": "b"},
    "free": {"type": "multi_select", "default": ["x"]},
}
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?"
    r"([Zz]|[+-](0\d|1[0-5]):[0-5]\d)",
    re.ASCII,
)


def is_day(text: Any) -> bool:
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return False
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def fits(rule: dict[str, Any], value: Any) -> bool:
    """Whether a value is of the type of a field."""
    options = rule.get("options", [])
    match rule["type"]:
        case "text" | "long_text":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "json":
            return True
        case "date":
            return is_day(value)
        case "datetime":
            found = TIME.fullmatch(value) if isinstance(value, str) else None
            return found is not None and is_day(found[1])
        case "url":
            return isinstance(value, str) and value.startswith(
                ("http://x", "https://x", "mailto:x@")
            )
        case "select":
            return isinstance(value, str) and value in options
        case "multi_select":
            return (
                isinstance(value, list)
                and all(isinstance(v, str) for v in value)
                and len(set(value)) == len(value)
                and (not options or set(value) <= set(options))
            )
    raise AssertionError(rule)


def expected(old: dict[str, Any] | None, new: dict[str, Any]) -> tuple[set[str], dict[str, Any]]:
    """The fields that are refused, and else the document."""
    if old is None:
        new = {key: rule["default"] for key, rule in RULES.items() if "default" in rule} | new
    new = {key: value for key, value in new.items() if value is not None}
    faults = set()
    for key in {*new, *RULES, *(old or {})}:
        rule = RULES.get(key)
        if key in new and (old is None or key not in old or not same(old[key], new[key])):
            if rule is None or not fits(rule, new[key]):
                faults.add(key)
        elif key not in new and rule and rule.get("required") and (old is None or key in old):
            faults.add(key)
    return faults, new


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal to jsonb, to which true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return type(a) is type(b) and a == b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


TEXTS = st.sampled_from(
    ["a", "b", "c", "", "2024-02-29", "2023-02-29", "2026-12-01T09:30:00Z", "2026-12-01T09:30:00",
     "2026-02-30T09:30:00Z", "2026-12-01t23:59:60.5+05:45", "https://x.example/p", "mailto:x@y",
     "javascript:x", "ftp://x", "1"],
) | st.dates().map(str)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.just(1.5) | TEXTS,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
GOOD: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS, "long_text": TEXTS, "number": st.integers(-5, 5), "must": st.integers(),
    "boolean": st.booleans(), "date": st.dates().map(str), "select": st.sampled_from("ab"),
    "datetime": st.datetimes().map(lambda at: f"{at.isoformat()}Z"),
    "multi_select": st.lists(st.sampled_from("abc"), unique=True),
}  # fmt: skip
DOCUMENTS = st.fixed_dictionaries(
    {"must": st.integers(-3, 3)},
    optional={key: GOOD.get(key, VALUES) | VALUES for key in KEYS if key != "must"},
) | st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)


@pytest.fixture(scope="module")
def things(shared_database: Database) -> Table:
    """A workspace with a collection that has a field of each type and refuses other keys."""
    table = Table(shared_database)
    table.other_collection()
    for key, rule in RULES.items():
        columns = {name: value for name, value in rule.items() if name != "type"}
        field(table, key, rule["type"], **columns)
    shared_database.run("update core.collection set unknown_fields = 'refuse' where key = 'note'")
    return table


@pytest.fixture(scope="module")
def writer(shared_database: Database, things: Table) -> Any:
    with shared_database.connect() as connection:
        yield connection


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=DOCUMENTS, second=DOCUMENTS)
def test_documents_are_taken_and_refused_as_a_plain_oracle_says(
    things: Table, writer: Any, first: dict[str, Any], second: dict[str, Any]
) -> None:
    def attempt(statement: str, *parameters: Any) -> tuple[set[str], Any]:
        try:
            (row,) = writer.execute(statement, parameters).fetchall()
        except psycopg.Error as error:
            errors = json.loads(error.diag.message_detail or "")["errors"]
            return {e["path"].removeprefix("data.") for e in errors}, None
        return set(), row

    faults, document = expected(None, first)
    found, row = attempt(
        "insert into core.record (workspace_id, collection, data) values (%s, 'note', %s)"
        " returning id, data",
        things.workspace, Jsonb(first),
    )  # fmt: skip
    assert found == faults
    if faults:
        return
    assert same(row[1], document)
    faults, after = expected(document, second)
    found, row = attempt(
        "update core.record set data = %s where id = %s returning data", Jsonb(second), row[0]
    )
    assert found == faults
    assert faults or same(row[0], after)
