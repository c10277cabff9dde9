"""What a page costs in a workspace of 20,000 records, against one of 1,000: in pages of buffers.

As rowcast_server, through the door that requests use; time would depend on the machine.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from search.conftest import index_all
from support import Database

SMALL, BIG = 1_000, 20_000
RARE = 5  # records with the priority `urgent`, and with the word `zebra`, however many there are

Cost = Callable[..., tuple[int, int]]


def fill(database: Database, workspace: str, count: int) -> None:
    """Records without their log, as if they were there since long ago."""
    with database.connect() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "insert into core.record (workspace_id, collection, number, display_id, position,"
            "   audience, created_at, data)"
            " select %(w)s::uuid, 'task', n, 'TSK-' || n || '-' || left(%(w)s::text, 8),"
            "   lpad(n::text, 8, '0'), '{}', timestamptz '2026-01-01' + n * interval '1 minute',"
            "   jsonb_build_object('title', 'task ' || md5(n::text), 'points', n %% 100,"
            "     'status', (array['todo', 'review', 'done'])[1 + n %% 3],"
            "     'priority', case when n %% %(each)s = %(each)s - 1 then 'urgent' else 'low' end,"
            "     'description', case when n %% %(each)s = 7 then 'zebra' else 'horse' end)"
            " from generate_series(1, %(count)s) n",
            {"w": workspace, "count": count, "each": count // RARE},
        )


@pytest.fixture(scope="module")
def costs(shared_database: Database) -> Cost:
    """The pages of buffers that a read touches in the small and in the big workspace."""
    spaces = [shared_database.workspace(name=name) for name in ("small", "big")]
    for workspace, count in zip(spaces, (SMALL, BIG), strict=True):
        fill(shared_database, workspace, count)
        index_all(shared_database, workspace, 5000)
    shared_database.run("vacuum analyze core.record")
    shared_database.run("vacuum analyze core.search_entry")

    def cost(function: str, rows: int | None, **arguments: Any) -> tuple[int, int]:
        found = []
        with shared_database.connect_server() as connection:
            for workspace in spaces:
                at = {**arguments}
                if callable(at.get("cursor")):
                    at["cursor"] = at["cursor"](workspace)
                query = "select answer from api.query(%s, %s, %s, null, null, %s)"
                ask = [function, shared_database.account(), workspace, json.dumps(at)]
                for _ in range(2):  # the first one fills the caches of plans and catalogues
                    row = connection.execute(query.encode(), ask).fetchone()
                    assert row is not None
                    answer = json.loads(row[0])
                    if rows is not None:
                        assert len(answer.get("tasks", answer.get("results"))) == rows
                explain = f"explain (analyze, buffers, timing off, format json) {query}"
                row = connection.execute(explain.encode(), ask).fetchone()
                assert row is not None
                plan = row[0][0]["Plan"]
                found.append(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
        return found[0], found[1]

    return cost


def behind(database: Database, sort: str) -> Callable[[str], str]:
    """A cursor near the end of a workspace."""

    def cursor(workspace: str) -> str:
        number, at = database.run(
            "select number, created_at::text from core.record where workspace_id = %s"
            " order by number desc offset 120 limit 1",
            workspace,
        )[0]
        values = [at, str(number)] if "createdAt" in sort else [str(number)]
        return str(database.value("select logic.cursor_encode(%s, %s)", sort, json.dumps(values)))

    return cursor


LISTS: dict[str, dict[str, Any]] = {
    "the first page": {},
    "the newest": {"sort": "-createdAt"},
    "the manual order": {"sort": "position"},
    "a page by a common value": {"filter": {"status": {"eq": "todo"}}},
    "a page by a common number": {"filter": {"points": {"gte": "50"}}, "sort": "-createdAt"},
}


@pytest.mark.parametrize("name", LISTS)
def test_a_page_costs_the_same_in_a_workspace_of_any_size(costs: Cost, name: str) -> None:
    small, big = costs("record_list", 50, collection="task", **LISTS[name])
    assert big <= 1.3 * small, (small, big)


@pytest.mark.parametrize("sort", ["", "createdAt"])
def test_a_deep_page_costs_the_same_too(shared_database: Database, costs: Cost, sort: str) -> None:
    more = {"sort": sort} if sort else {}
    cursor = behind(shared_database, sort)
    small, big = costs("record_list", 50, collection="task", cursor=cursor, **more)
    assert big <= 1.3 * small, (small, big)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("search", {"q": "zebra"}),
        ("search", {"q": "zeb task"}),
        ("record_list", {"collection": "task", "q": "zebra", "sort": "-points"}),
        ("record_list", {"collection": "task", "q": "zebra", "filter": {"points": {"gte": "0"}}}),
        (
            "record_list",
            {"collection": "task", "sort": "points", "filter": {"priority": {"eq": "urgent"}}},
        ),
    ],
)
def test_what_is_rare_is_found_by_the_search_index(
    costs: Cost, function: str, arguments: dict[str, Any]
) -> None:
    small, big = costs(function, RARE, **arguments)
    assert big <= 1.5 * small + 20, (small, big)


def test_a_rare_value_costs_a_bounded_look_at_the_order_and_then_the_index(costs: Cost) -> None:
    terms = {"priority": {"eq": "urgent"}}
    small, big = costs("record_list", RARE, collection="task", filter=terms)
    _, everything = costs("record_list", 0, collection="task", filter={"points": {"gt": "100"}})
    assert big < 0.4 * everything, (small, big, everything)
    assert big <= 3 * small, (small, big)
