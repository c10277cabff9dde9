"""Nobody finds what he may not read, in one workspace or in all of his."""

import json
from typing import Any

import psycopg
import pytest

from search.conftest import index_all
from support import Client, Database

REST: dict[str, dict[str, str]] = {
    "task": {},
    "request": {"description": "Mill", "vendor": "HDL", "priority": "Low"},
}


@pytest.fixture(params=[False, True], ids=["not yet indexed", "indexed"])
def spaces(request: pytest.FixtureRequest, database: Database) -> dict[str, str]:
    """Workspaces by name, each with `zebra of <name>`: Bob is a requester in one of Ada's."""
    found = {
        "shared": database.workspace("Ada", "requests", "shared"),
        "Ada's": database.workspace("Ada", name="Ada's"),
        "Bob's": database.workspace("Bob", name="Bob's"),
        "gone": database.workspace("Bob", name="gone"),
    }
    database.join(found["shared"], "Bob", "requester")
    for name, workspace in found.items():
        owner = "Bob" if name in ("Bob's", "gone") else "Ada"
        kind = "request" if name == "shared" else "task"
        made = write(database, workspace, owner, kind, f"zebra of {name}")
        database.call(
            "comment_create",
            workspace,
            actor=owner,
            arguments={"id": made["id"], "body": f"quagga of {name}"},
        )
    write(database, found["shared"], "Bob", "request", "zebra of Bob in shared")
    if request.param:
        for workspace in found.values():
            index_all(database, workspace)
    database.call("workspace_delete", found["gone"], actor="Bob")
    return found


def write(database: Database, workspace: str, actor: str, kind: str, title: str) -> Any:
    return database.call(
        "record_create",
        workspace,
        actor=actor,
        arguments={"collection": kind, "data": {"title": title, **REST[kind]}},
    )


def found(database: Database, actor: str, q: str, workspace: str | None = None) -> set[str]:
    """The titles that somebody finds, in a workspace or in all."""
    function = "search_all" if workspace is None else "search"
    results = database.read(function, workspace, actor, q=q, limit=200)["results"]
    return {result["record"]["data"]["title"] for result in results}


def test_a_search_finds_what_its_caller_may_read(
    database: Database, spaces: dict[str, str]
) -> None:
    everything = {"zebra of shared", "zebra of Bob in shared"}
    assert found(database, "Ada", "zebra", spaces["shared"]) == everything
    assert found(database, "Bob", "zebra", spaces["shared"]) == {"zebra of Bob in shared"}
    assert found(database, "Ada", "quagga", spaces["shared"]) == {"zebra of shared"}
    assert found(database, "Bob", "quagga", spaces["shared"]) == set()
    request = database.read("search", spaces["shared"], "Ada", q="zebra of shared")["results"][0]
    display = request["record"]["displayId"]
    assert found(database, "Ada", display, spaces["shared"]) == {"zebra of shared"}
    assert found(database, "Bob", display, spaces["shared"]) == set()


def test_a_search_over_all_ones_workspaces_finds_what_its_caller_may_read_in_each(
    database: Database, spaces: dict[str, str]
) -> None:
    assert found(database, "Ada", "zebra") == {
        "zebra of shared",
        "zebra of Bob in shared",
        "zebra of Ada's",
    }
    assert found(database, "Bob", "zebra") == {"zebra of Bob in shared", "zebra of Bob's"}
    assert found(database, "Bob", "quagga") == {"zebra of Bob's"}
    database.account("Cleo")
    assert found(database, "Cleo", "zebra") == set()
    text = json.dumps(database.read("search_all", None, "Bob", q="zebra", limit=200))
    assert not [word for word in ("of shared", "Ada's", spaces["Ada's"]) if word in text]
    results = database.read("search_all", None, "Bob", q="zebra")["results"]
    assert {result["workspaceId"] for result in results} == {spaces["shared"], spaces["Bob's"]}


def test_rights_that_change_hold_for_the_next_search(
    database: Database, spaces: dict[str, str]
) -> None:
    database.join(spaces["shared"], "Bob", "admin")
    assert "zebra of shared" in found(database, "Bob", "zebra")
    database.run(
        "delete from core.member where workspace_id = %s and account_id = %s",
        spaces["shared"],
        database.account("Bob"),
    )
    assert found(database, "Bob", "zebra") == {"zebra of Bob's"}


def test_the_server_reads_the_index_only_through_its_functions(
    database: Database, spaces: dict[str, str]
) -> None:
    workspace = spaces["shared"]
    for statement in (
        "select * from core.search_entry",
        "select * from logic.search_entries(%s, 'zebra')",
        "select * from logic.search_hits(%s, 'zebra')",
        "select * from logic.search_find(%s, '*', 'zebra', null, null, 10)",
        "select logic.search_candidates(%s, 'zebra')",
    ):
        with database.connect_server() as connection, connection.transaction(force_rollback=True):
            connection.execute("select logic.enter(%s, %s)", [workspace, database.account("Bob")])
            parameters = [workspace] if "%s" in statement else []
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode(), parameters)


async def test_pages_of_a_search_hold_each_result_once(database: Database, client: Client) -> None:
    mine = [database.workspace("Ada", name=name) for name in ("one", "two")]
    for n in range(11):
        database.task(mine[n % 2], title=f"zebra {n % 3}", n=n)
    paths = ("/api/v1/search", f"/api/v1/workspaces/{mine[0]}/search")
    for path, count in zip(paths, (11, 6), strict=True):
        whole = await client.call("GET", path, params={"q": "zebra", "limit": "200"})
        order = [result["record"]["id"] for result in whole["results"]]
        assert (len(order), len(set(order)), whole["nextCursor"]) == (count, count, None)
        ranks = [result["rank"] for result in whole["results"]]
        assert ranks == sorted(ranks, reverse=True)
        paged: list[str] = []
        query = {"q": "zebra", "limit": "3"}
        while True:
            page = await client.call("GET", path, params=query)
            paged += [result["record"]["id"] for result in page["results"]]
            if page["nextCursor"] is None:
                break
            query["cursor"] = page["nextCursor"]
        assert paged == order
        reply = await client.send("GET", path, params={**query, "q": "zebras"})
        reply.problem(422, "invalid_cursor")
    for query in ({}, {"q": "x" * 201}, {"q": "x", "limit": "0"}, {"q": "x", "page": "1"}):
        (await client.send("GET", paths[1], params=query)).problem(422)
    (await client.send("GET", paths[1], params={"q": "x", "collection": "no"})).problem(404)
    assert (
        len(
            (await client.call("GET", paths[1], params={"q": "zebra", "collection": "tasks"}))[
                "results"
            ]
        )
        == 6
    )
