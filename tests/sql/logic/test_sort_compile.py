import random
from typing import Any

import psycopg
import pytest

from support import Database

# Every combination that matters: absent, equal, of another type than the field's, not ASCII.
RECORDS: list[dict[str, Any]] = [
    {"title": "b", "points": 2},
    {"title": "a", "points": 10},
    {"points": 2},
    {"title": "B"},
    {"title": "é", "points": "2"},
    {},
    {"title": "a", "points": 2},
    {"title": "", "points": -1.5},
    {"title": "10", "points": 10},
    {"title": "9", "points": 0},
    {},
]


@pytest.fixture(scope="module")
def workspace(shared_database: Database) -> str:
    """A workspace with the records above as tasks, numbered from 1."""
    workspace = shared_database.workspace()
    with shared_database.before_rules(workspace):
        for data in RECORDS:
            shared_database.task(workspace, **data)
    return workspace


def expected(sort: str) -> list[int]:
    """The order of the numbers: code points and numeric values, absent values last either way.

    Ties are by number, in the direction of the last key.
    """
    order = list(range(1, len(RECORDS) + 1))
    if sort.rpartition(",")[2].startswith("-"):
        order.reverse()
    for key in reversed([key for key in sort.split(",") if key]):
        name, descending = key.lstrip("-"), key.startswith("-")

        def value(number: int, name: str = name) -> Any:
            if name == "number":
                return number
            found = RECORDS[number - 1].get(name)
            return None if name == "points" and isinstance(found, str) else found

        present = [number for number in order if value(number) is not None]
        absent = [number for number in order if value(number) is None]
        order = sorted(present, key=value, reverse=descending) + absent
    return order


SORTS = ["", "title", "-title", "points", "-points", "points,-title", "-points,title",
         "-title,-points", "number", "-number", "points,-number"]  # fmt: skip


def pages(database: Database, workspace: str, sort: str, limit: int) -> list[int]:
    """The numbers of all tasks, page by page."""
    numbers: list[int] = []
    cursor = None
    for _ in range(len(RECORDS) + 1):
        page = database.read(
            "record_list", workspace, collection="task", sort=sort, limit=limit, cursor=cursor
        )
        numbers += [record["number"] for record in page["tasks"]]
        cursor = page["nextCursor"]
        if cursor is None:
            return numbers
        assert len(page["tasks"]) == limit
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 2, 4, len(RECORDS), 200])
def test_pages_hold_each_record_once_in_order_absent_values_last(
    shared_database: Database, workspace: str, sort: str, limit: int
) -> None:
    assert pages(shared_database, workspace, sort, limit) == expected(sort)


@pytest.mark.parametrize(
    "sort", ["displayId", "-createdAt", "position", "version", "createdBy", "-updatedBy"]
)
def test_pages_by_every_field_of_the_record_itself(
    shared_database: Database, workspace: str, sort: str
) -> None:
    whole = pages(shared_database, workspace, sort, 200)
    assert sorted(whole) == list(range(1, len(RECORDS) + 1))
    assert pages(shared_database, workspace, sort, 3) == whole


@pytest.mark.parametrize(
    ("sort", "after", "bound"),
    [
        ("", '["7"]', "(number >= "),
        ("-number", '["7", "7"]', "(number <= "),
        ("position", '["V", "7"]', '("position" >= '),
        ("createdAt", '["2026-01-01T00:00:00Z", "7"]', "(created_at >= "),
        ("-createdAt", '["2026-01-01T00:00:00Z", "7"]', "(created_at <= "),
    ],
)
def test_an_index_leads_to_a_deep_page(
    shared_database: Database, workspace: str, sort: str, after: str, bound: str
) -> None:
    with shared_database.connect() as connection:
        connection.execute("set enable_seqscan = off; set enable_bitmapscan = off")
        connection.execute("set enable_sort = off")
        parts = connection.execute(
            "select ordering, behind from logic.sort_compile(%s, 'task', %s, %s)",
            [workspace, sort, after],
        ).fetchone()
        assert parts is not None
        ordering, behind = parts
        plan = connection.execute(
            f"explain select from core.record r where r.workspace_id = '{workspace}'"
            f" and r.collection = 'task' and {behind} order by {ordering} limit 5".encode()
        ).fetchall()
    lines = [line.strip() for (line,) in plan]
    assert [line for line in lines if line.startswith("Index Cond") and bound in line], lines
    assert not [line for line in lines if line.startswith("->  Sort ")], lines


def test_a_page_behind_a_cursor_is_not_moved_by_what_comes_and_goes(database: Database) -> None:
    workspace = database.workspace()
    shuffle = random.Random(3)
    ids = {}
    for n in range(20):
        task = database.task(workspace, title=f"{shuffle.randrange(5)}", n=n)
        ids[task["number"]] = task["id"]
    seen: list[int] = []
    cursor = None
    while True:
        page = database.read(
            "record_list", workspace, collection="task", sort="title", limit=3, cursor=cursor
        )
        seen += [record["number"] for record in page["tasks"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
        database.call("record_delete", workspace, arguments={"id": ids.pop(seen[-1])})
        database.task(workspace, title="")
    first = [number for number in seen if number <= 20]
    assert len(first) == len(set(first))
    assert set(ids) <= set(first)


@pytest.mark.parametrize("sort", ["nothing", "title desc", "title;", "'", "title,,points", "data"])
def test_an_unknown_key_is_refused(shared_database: Database, workspace: str, sort: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        shared_database.read("record_list", workspace, collection="task", sort=sort)
    assert (caught.value.sqlstate, caught.value.diag.message_hint) == ("PT422", "unknown_field")
