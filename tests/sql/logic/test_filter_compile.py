import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from support import Database

FIELDS = {
    "title": "text",
    "due": "date",
    "points": "number",
    "urgent": "boolean",
    "tags": "multi_select",
    "it's %s 100%": "text",
}
TRICKY = "it's %s 100%"
RECORDS: list[dict[str, Any]] = [
    {"title": "Alpha", "due": "2026-01-01", "points": 9, "urgent": True, "tags": ["a", "b"]},
    {"title": "beta", "due": "2026-10-01", "points": 10, "urgent": False, "tags": ["b"]},
    {"title": "Ünter ' ; --", "points": 10.5, "tags": []},
    {"title": "", "points": -1},
    {"title": "10", "points": "10", "urgent": "true", TRICKY: "x"},
    {},
]

Find = Callable[[dict[str, Any]], list[int]]


@pytest.fixture(scope="module")
def workspace(shared_database: Database) -> str:
    """A workspace with a collection of some types of field and the records above, from 1.

    The records come first: what they hold was never held against the types of the fields.
    """
    workspace = shared_database.workspace()
    shared_database.run(
        "insert into core.collection (workspace_id, key, plural, label, prefix)"
        " values (%s, 'thing', 'things', 'Things', 'THG')",
        workspace,
    )
    for data in RECORDS:
        shared_database.run(
            "insert into core.record (workspace_id, collection, data) values (%s, 'thing', %s)",
            workspace, Jsonb(data),
        )  # fmt: skip
    for key, kind in FIELDS.items():
        shared_database.run(
            "insert into core.field (workspace_id, collection, key, label, type)"
            " values (%s, 'thing', %s, %s, %s)",
            workspace, key, key, kind,
        )  # fmt: skip
    return workspace


@pytest.fixture(scope="module")
def find(shared_database: Database, workspace: str) -> Iterator[Find]:
    """The numbers of the records that a filter finds."""
    with shared_database.connect() as connection:

        def find(terms: dict[str, Any]) -> list[int]:
            compiled = connection.execute(
                "select logic.filter_compile(%s, 'thing', %s)", [workspace, Jsonb(terms)]
            ).fetchone()
            assert compiled is not None
            query = sql.SQL(
                "select coalesce(array_agg(number order by number), '{{}}') from core.record r"
                " where r.workspace_id = {} and r.collection = 'thing' and {}"
            ).format(workspace, sql.SQL(compiled[0]))
            row = connection.execute(query).fetchone()
            assert row is not None
            return list(row[0])

        yield find


@pytest.mark.parametrize(
    ("terms", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"title": {"eq": "beta"}}, [2]),
        ({"title": {"eq": ""}}, [4]),
        ({"title": {"ne": "beta"}}, [1, 3, 4, 5, 6]),
        ({"title": {"in": "beta,10,nothing"}}, [2, 5]),
        ({"title": {"gt": "Alpha"}}, [2, 3]),
        ({"title": {"contains": "ALP"}}, [1]),
        ({"title": {"contains": "Ünter"}}, [3]),
        ({"title": {"contains": "%"}}, []),
        ({"title": {"empty": "true"}}, [6]),
        ({"title": {"empty": "false"}}, [1, 2, 3, 4, 5]),
        ({"points": {"eq": "10.0"}}, [2]),
        ({"points": {"gt": "9"}}, [2, 3]),
        ({"points": {"gte": "9", "lt": "10.5"}}, [1, 2]),
        ({"points": {"lte": "-1"}}, [4]),
        ({"points": {"ne": "10"}}, [1, 3, 4, 5, 6]),
        ({"points": {"empty": "true"}}, [5, 6]),
        ({"points": {"in": "9,10.50"}}, [1, 3]),
        ({"urgent": {"eq": "true"}}, [1]),
        ({"urgent": {"ne": "true"}}, [2, 3, 4, 5, 6]),
        ({"urgent": {"empty": "true"}}, [3, 4, 5, 6]),
        ({"due": {"gte": "2026-02-01"}}, [2]),
        ({"due": {"lt": "2026-10-01"}}, [1]),
        ({"tags": {"eq": "b"}}, [1, 2]),
        ({"tags": {"contains": "a"}}, [1]),
        ({"tags": {"contains": "[\""}}, []),
        ({"tags": {"in": "a,c"}}, [1]),
        ({"tags": {"empty": "true"}}, [3, 4, 5, 6]),
        ({"title": {"in": '"beta","Ünter \' ; --"'}}, [2, 3]),
        ({"title": {"in": '"beta,10"'}}, []),
        ({"tags": {"ne": "b"}}, [3, 4, 5, 6]),
        ({"number": {"gt": "4"}}, [5, 6]),
        ({"version": {"eq": "1"}}, [1, 2, 3, 4, 5, 6]),
        ({"displayId": {"eq": "THG-001-0003"}}, [3]),
        ({"createdAt": {"gt": "2000-01-01T00:00:00Z"}}, [1, 2, 3, 4, 5, 6]),
        ({"createdBy": {"empty": "true"}}, [1, 2, 3, 4, 5, 6]),
        ({"title": {"ne": "beta"}, "points": {"gte": "10"}}, [3]),
        ({TRICKY: {"eq": "x"}}, [5]),
        ({TRICKY: {"in": "x,y"}}, [5]),
        ({TRICKY: {"contains": "X"}}, [5]),
        ({TRICKY: {"gte": "w"}}, [5]),
        ({TRICKY: {"empty": "false"}}, [5]),
        ({"title": {"eq": None}}, []),
        ({"title": {"gt": None}}, []),
    ],
)  # fmt: skip
def test_finds(find: Find, terms: dict[str, Any], numbers: list[int]) -> None:
    assert find(terms) == numbers


INJECTIONS = [
    "' or true --",
    "x'::text) or (true",
    "\\' or true --",
    "E'\\'' or true",
    "%L or %s or %1$s",
    "$1",
    "{a,b}\"'",
    "); drop table core.record; --",
]


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("operator", ["eq", "ne", "in", "gt", "contains"])
@pytest.mark.parametrize("key", ["title", "tags", TRICKY])
def test_a_value_is_only_ever_a_value(find: Find, key: str, operator: str, text: str) -> None:
    if operator == "ne":
        assert find({key: {operator: text}}) == [1, 2, 3, 4, 5, 6]
    elif operator == "gt" and key != "tags":
        find({key: {operator: text}})  # parses
    elif operator == "gt":
        with pytest.raises(psycopg.Error, match="says nothing") as caught:
            find({key: {operator: text}})
        assert caught.value.diag.message_hint == "unknown_operator"
    else:
        assert find({key: {operator: text}}) == []


@pytest.mark.parametrize("key", [*INJECTIONS, "data", "", "title ", "TITLE", "r.number"])
def test_an_unknown_field_is_refused_by_its_name(find: Find, key: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        find({key: {"eq": "x"}})
    assert (caught.value.sqlstate, caught.value.diag.message_hint) == ("PT422", "unknown_field")
    assert json.loads(caught.value.diag.message_detail or "")["errors"][0]["path"] == key


@pytest.mark.parametrize("operator", ["like", "", "EQ", "eq --", "or"])
def test_an_unknown_operator_is_refused_by_its_name(find: Find, operator: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        find({"title": {operator: "x"}})
    assert (caught.value.sqlstate, caught.value.diag.message_hint) == ("PT422", "unknown_operator")
    assert json.loads(caught.value.diag.message_detail or "")["errors"] == [
        {"path": "title", "message": f"unknown operator {operator}"}
    ]


@pytest.mark.parametrize(
    ("key", "operator", "value"),
    [
        ("points", "gt", "many"),
        ("points", "eq", "1e"),
        ("points", "in", "1,x"),
        ("points", "gte", "NaN"),
        ("points", "empty", "1"),
        ("urgent", "eq", "perhaps"),
        ("due", "gte", "2026-02-29"),
        ("due", "eq", "2026-01-01T00:00:00Z"),
        ("createdAt", "lt", "yesterday noon"),
        ("createdBy", "eq", "Ada"),
        ("number", "in", "1,x"),
        ("number", "eq", "1.5"),
        ("version", "eq", "99999999999"),
        ("title", "empty", "maybe"),
    ],
)
def test_a_value_of_another_type_is_refused_where_it_stands(
    find: Find, key: str, operator: str, value: str
) -> None:
    with pytest.raises(psycopg.Error) as caught:
        find({key: {operator: value}})
    assert (caught.value.sqlstate, caught.value.diag.message_hint) == ("PT422", "invalid_value")
    errors = json.loads(caught.value.diag.message_detail or "")["errors"]
    assert [error["path"] for error in errors] == [f"filter[{key}][{operator}]"]


@pytest.mark.parametrize("terms", [{"title": "beta"}, {"title": ["beta"]}, ["title"], "title"])
def test_what_is_no_filter_is_a_data_error(find: Find, terms: Any) -> None:
    with pytest.raises(psycopg.DataError) as caught:
        find(terms)
    assert (caught.value.sqlstate or "").startswith("22")
