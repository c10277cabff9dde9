"""Filters and sorts of every type of field against a plain oracle, on random documents.

The documents come before the fields, so that they hold values of every type in every field: what
is not of the field's type is absent.
"""

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from support import Database

FIELDS = {
    "title": "text",
    "body": "long_text",
    "link": "url",
    "points": "number",
    "urgent": "boolean",
    "due": "date",
    "done": "datetime",
    "priority": "select",
    "tags": "multi_select",
    "assignee": "user",
    "parent": "reference",
}
OPTIONS: list[Any] = ["low", {"value": "medium", "label": "Medium"}, "high", "Urgent"]
PLACES = ["low", "medium", "high", "Urgent"]
IDS = [f"{n}0000000-0000-4000-8000-00000000000{n}" for n in range(1, 4)]
WORDS = ["a", "B", "é", "Grün", "a,b", "10", "", "it's", 'say "x"']
INSTANTS = [
    "2026-01-01T10:00:00+02:00",
    "2026-01-01T08:00:00Z",
    "2026-01-01T08:00Z",
    "2026-01-01T08:00:00.5Z",
    "2026-01-01 09:30",
    "2026-01-01",
    "2025-12-31T23:00:00-01:30",
]
DAYS = ["2026-01-01", "2025-12-31", "2024-02-29", "0001-01-01"]
GOOD: dict[str, list[Any]] = {
    "text": WORDS,
    "long_text": WORDS,
    "url": WORDS,
    "number": [0, -1, 1, 9, 10, 10.5, 1e3, 12345678901234567890],
    "boolean": [True, False],
    "date": DAYS,
    "datetime": INSTANTS,
    "select": [*PLACES, "gone", "also gone"],
    "multi_select": [[], ["a"], ["a", "B"], ["10"], ["a,b", 'say "x"'], ["é", 10]],
    "user": [*IDS, IDS[0].upper(), IDS[:2], []],
    "reference": IDS,
}
BAD = ["x", "2026-02-30", "2026-01-01T25:00:00Z", 7, True, ["a"], {"a": 1}, "0000-01-01", [["a"]]]
OPERATORS = {
    "text": "eq ne in gt gte lt lte contains empty",
    "long_text": "eq ne in gt gte lt lte contains empty",
    "url": "eq ne in gt gte lt lte contains empty",
    "number": "eq ne in gt gte lt lte empty",
    "boolean": "eq ne in gt gte lt lte empty",
    "date": "eq ne in gt gte lt lte empty",
    "datetime": "eq ne in gt gte lt lte empty",
    "select": "eq ne in gt gte lt lte contains empty",
    "multi_select": "eq ne in contains empty",
    "user": "eq ne in empty",
    "reference": "eq ne in empty",
}


def instant(text: str) -> datetime | None:
    """An instant as the documents write it; None for another text."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?", text):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day(text: str) -> date | None:
    """A day as the documents write it; None for another text."""
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def is_id(text: Any) -> bool:
    """Whether it is a uuid in its usual form."""
    return isinstance(text, str) and bool(
        re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-.{12}", text)
    )


def known(kind: str, value: Any) -> Any:
    """A value in the form in which it compares; None where it is absent, or of another type."""
    if kind == "number":
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "multi_select":
        return (value or None) if isinstance(value, list) else None
    if kind in ("user", "reference"):
        ids = value if isinstance(value, list) else [value]
        return [item.lower() for item in ids if is_id(item)] or None
    if not isinstance(value, str):
        return None
    if kind == "date":
        return day(value)
    if kind == "datetime":
        return instant(value)
    if kind == "select":
        return (PLACES.index(value) if value in PLACES else 9999, value.encode())
    return value.encode()


def operand(kind: str, text: str) -> Any:
    """The value of a filter in the form in which it compares."""
    if kind == "number":
        return float(text)
    if kind == "boolean":
        return text == "true"
    if kind == "multi_select":
        return text
    if kind in ("user", "reference"):
        return text.lower()
    return known(kind, text)


def holds(kind: str, value: Any, operator: str, texts: list[str]) -> bool:
    """One term on one value."""
    mine = known(kind, value)
    if operator == "empty":
        return (mine is None) == (texts[0] == "true")
    wanted = [operand(kind, text) for text in texts]
    if kind in ("multi_select", "user", "reference"):
        held = [item for item in mine or [] if isinstance(item, str)]
        equal = any(item in held for item in wanted)
    else:
        equal = mine is not None and mine in wanted
    if operator == "ne":
        return not equal
    if mine is None:
        return False
    if operator in ("eq", "in") or (operator == "contains" and kind == "multi_select"):
        return equal
    if operator == "contains":
        return texts[0].lower() in str(value).lower()
    above, below = bool(mine > wanted[0]), bool(mine < wanted[0])
    return {
        "gt": above,
        "gte": above or equal,
        "lt": below,
        "lte": below or equal,
    }[operator]


def documents() -> list[dict[str, Any]]:
    """Random documents: good values, values of other types, and none."""
    chance = random.Random(7)
    found = []
    for _ in range(70):
        data = {}
        for key, kind in FIELDS.items():
            drawn = chance.random()
            if drawn < 0.6:
                data[key] = chance.choice(GOOD[kind])
            elif drawn < 0.8:
                data[key] = chance.choice(BAD)
        found.append(data)
    return found


RECORDS = documents()
Find = Callable[[dict[str, dict[str, str]], str], list[int]]


@pytest.fixture(scope="module")
def find(shared_database: Database) -> Iterator[Find]:
    """The numbers of the records that a filter finds, in the order of a sort."""
    workspace = shared_database.workspace()
    shared_database.run(
        "insert into core.collection (workspace_id, key, plural, label, prefix)"
        " values (%s, 'thing', 'things', 'Things', 'THG')",
        workspace,
    )
    shared_database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'thing', x.value from jsonb_array_elements(%s) with ordinality x(value, n)"
        " order by x.n",
        workspace,
        Jsonb(RECORDS),
    )
    for key, kind in FIELDS.items():
        shared_database.run(
            "insert into core.field (workspace_id, collection, key, label, type, options)"
            " values (%s, 'thing', %s, %s, %s, %s)",
            workspace,
            key,
            key,
            kind,
            Jsonb(OPTIONS if kind == "select" else []),
        )
    with shared_database.connect() as connection:
        connection.execute("set timezone = 'Asia/Kolkata'")  # which decides nothing

        def find(terms: dict[str, dict[str, str]], sort: str) -> list[int]:
            compiled = connection.execute(
                "select logic.filter_compile(%s, 'thing', %s), s.ordering"
                " from logic.sort_compile(%s, 'thing', %s, null) s",
                [workspace, Jsonb(terms), workspace, sort],
            ).fetchone()
            assert compiled is not None
            query = sql.SQL(
                "select number from core.record r"
                " where r.workspace_id = {} and r.collection = 'thing' and {} order by {}"
            ).format(workspace, sql.SQL(compiled[0]), sql.SQL(compiled[1]))
            return [number for (number,) in connection.execute(query)]

        yield find


@st.composite
def terms(draw: st.DrawFn) -> tuple[str, str, list[str]]:
    """A term: key, operator, values."""
    key = draw(st.sampled_from(sorted(FIELDS)))
    kind = FIELDS[key]
    operator = draw(st.sampled_from(OPERATORS[kind].split()))
    if operator == "empty":
        return key, operator, [draw(st.sampled_from(["true", "false"]))]
    values = {
        "boolean": ["true", "false"],
        "number": ["9", "10", "10.50", "-1", "0", "1e3"],
        "multi_select": ["a", "B", "10", "a,b", 'say "x"'],
        "user": [*IDS, IDS[0].upper()],
        "select": PLACES,
    }.get(kind, [value for value in GOOD[kind] if isinstance(value, str)])
    if kind == "select" and operator in ("eq", "ne", "in", "contains"):
        values = [*values, "gone", "e", "00"]
    count = draw(st.integers(1, 3)) if operator == "in" else 1
    return key, operator, draw(st.lists(st.sampled_from(values), min_size=count, max_size=count))


def written(operator: str, texts: list[str]) -> str:
    """The values as they stand in an address."""
    if operator != "in":
        return texts[0]
    return ",".join('"' + t.replace('"', '""') + '"' if set(t) & set(',"') else t for t in texts)


def test_filters_of_every_type_agree_with_a_plain_oracle(find: Find) -> None:
    @settings(max_examples=600, deadline=None)
    @given(st.lists(terms(), min_size=1, max_size=3, unique_by=lambda term: term[:2]))
    def check(drawn: list[tuple[str, str, list[str]]]) -> None:
        wanted: dict[str, dict[str, str]] = {}
        for key, operator, texts in drawn:
            wanted.setdefault(key, {})[operator] = written(operator, texts)
        assert find(wanted, "") == [
            number
            for number, data in enumerate(RECORDS, 1)
            if all(holds(FIELDS[key], data.get(key), op, texts) for key, op, texts in drawn)
        ]

    check()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("key", [key for key in FIELDS if key != "tags"])
def test_sorts_of_every_type_agree_with_a_plain_oracle(
    find: Find, key: str, descending: bool
) -> None:
    values = [(known(FIELDS[key], data.get(key)), n) for n, data in enumerate(RECORDS, 1)]
    present = sorted((value, n) for value, n in values if value is not None)
    absent = [n for value, n in values if value is None]
    wanted = [n for _, n in present] + absent
    if descending:
        wanted = [n for _, n in reversed(present)] + absent[::-1]
    assert find({}, f"-{key}" if descending else key) == wanted
