import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    """A workspace with a collection of all types of field and the records above, from 1."""
    workspace = shared_database.workspace()
    shared_database.run(
        "insert into core.collection (workspace_id, key, plural, label, prefix)"
        " values (%s, 'thing', 'things', 'Things', 'THG')",
        workspace,
    )
    for key, kind in FIELDS.items():
        shared_database.run(
            "insert into core.field (workspace_id, collection, key, label, type)"
            " values (%s, 'thing', %s, %s, %s)",
            workspace, key, key, kind,
        )  # fmt: skip
    for data in RECORDS:
        shared_database.run(
            "insert into core.record (workspace_id, collection, data) values (%s, 'thing', %s)",
            workspace, Jsonb(data),
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


def holds(value: Any, kind: str, operator: str, operand: str) -> bool:
    """The oracle: one term on one value, for operands without a comma."""
    if kind == "number":
        known: Any = (
            value if isinstance(value, int | float) and not isinstance(value, bool) else None
        )
        wanted: Any = float(operand)
    else:
        known = value if value is None or isinstance(value, str) else json.dumps(value)
        wanted = operand
    if operator == "empty":
        return known is None
    if operator == "ne":
        return known is None or known != wanted
    if known is None:
        return False
    outcomes: dict[str, bool] = {
        "eq": known == wanted,
        "in": known == wanted,
        "gt": known > wanted,
        "gte": known >= wanted,
        "lt": known < wanted,
        "lte": known <= wanted,
        "contains": operand.lower() in str(known).lower(),
    }
    return outcomes[operator]


operators = st.sampled_from(["eq", "ne", "in", "gt", "gte", "lt", "lte"])
operands = st.sampled_from(["9", "10", "10.5", "-1", "0"])
words = st.text(st.sampled_from("aAbB1 '\"\\%$L{}()-;é😀"), min_size=1, max_size=4)


def test_agrees_with_a_plain_oracle(find: Find) -> None:
    numbers = st.tuples(st.just("points"), operators, operands)
    titles = st.tuples(
        st.just("title"),
        operators | st.just("contains"),
        words
        | st.sampled_from([str(data.get("title", "x")) for data in RECORDS if data.get("title")]),
    )

    @settings(max_examples=200, deadline=None)
    @given(st.lists(numbers | titles, max_size=3))
    def check(terms: list[tuple[str, str, str]]) -> None:
        wanted: dict[str, dict[str, str]] = {}
        for key, operator, operand in terms:
            wanted.setdefault(key, {})[operator] = operand
        found = [
            number
            for number, data in enumerate(RECORDS, 1)
            if all(
                holds(data.get(key), FIELDS[key], operator, operand)
                for key, term in wanted.items()
                for operator, operand in term.items()
            )
        ]
        assert find(wanted) == found

    check()


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
    elif operator == "gt":
        find({key: {operator: text}})  # parses
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
    "terms",
    [
        {"points": {"gt": "many"}},
        {"points": {"eq": "1e"}},
        {"urgent": {"eq": "perhaps"}},
        {"createdAt": {"lt": "yesterday noon"}},
        {"createdBy": {"eq": "Ada"}},
        {"number": {"in": "1,x"}},
        {"version": {"eq": "99999999999"}},
        {"title": {"empty": "maybe"}},
        {"title": "beta"},
        {"title": ["beta"]},
        ["title"],
        "title",
    ],
)
def test_a_value_of_the_wrong_type_is_a_data_error(find: Find, terms: Any) -> None:
    with pytest.raises(psycopg.DataError) as caught:
        find(terms)
    assert (caught.value.sqlstate or "").startswith("22")
