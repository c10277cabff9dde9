"""Lists: pages by cursor and by number, sort, filters, and what they refuse."""

import base64
import json
import random
from typing import Any
from urllib.parse import quote

import pytest

from support import Client, Database

ROWS: list[dict[str, Any]] = [
    {"title": "Alpha", "status": "todo", "points": 3, "tags": ["red", "green"]},
    {"title": "Beta", "status": "done", "points": 10, "dueDate": "2026-01-02"},
    {"title": "gamma ray", "status": "todo", "points": 2.5, "tags": ["red"]},
    {"title": "Delta", "status": "review", "points": "3", "owner": "Ada"},
    {"title": "Epsilon", "points": -1, "dueDate": "2025-12-31"},
]


def fill(database: Database, workspace: str, rows: list[dict[str, Any]]) -> None:
    """Inserts tasks as a direct writer, before their fields had types: lists hold those too."""
    with database.before_rules(workspace):
        database.run(
            "insert into core.record (workspace_id, collection, data)"
            " select %s, 'task', x.value"
            " from jsonb_array_elements(%s::jsonb) with ordinality x(value, n) order by x.n",
            workspace,
            json.dumps(rows),
        )


async def numbers(client: Client, records: str, query: str) -> list[int]:
    answer = await client.call("GET", f"{records}?collection=task&{query}")
    return [record["number"] for record in answer["tasks"]]


async def walk(client: Client, records: str, query: str) -> list[int]:
    """All numbers, page by page along the cursors."""
    found: list[int] = []
    cursor = ""
    while True:
        answer = await client.call("GET", f"{records}?collection=task&{query}{cursor}")
        found += [record["number"] for record in answer["tasks"]]
        if answer["nextCursor"] is None:
            return found
        cursor = f"&cursor={quote(answer['nextCursor'])}"


async def test_a_list_has_fifty_by_default_and_a_cursor_behind_them(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    fill(database, workspace, [{"title": str(n)} for n in range(51)])
    first = await client.call("GET", f"{records}?collection=task")
    assert [r["number"] for r in first["tasks"]] == list(range(1, 51))
    second = await client.call("GET", f"{records}?collection=task&cursor={first['nextCursor']}")
    assert ([r["number"] for r in second["tasks"]], second["nextCursor"]) == ([51], None)


async def test_a_list_that_fits_exactly_has_no_cursor(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    fill(database, workspace, [{"title": str(n)} for n in range(4)])
    answer = await client.call("GET", f"{records}?collection=task&limit=4")
    assert (len(answer["tasks"]), answer["nextCursor"]) == (4, None)


async def test_pages_by_number_start_at_zero(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    fill(database, workspace, [{"title": str(n)} for n in range(5)])
    pages = [await numbers(client, records, f"limit=2&page={page}") for page in range(4)]
    assert pages == [[1, 2], [3, 4], [5], []]


@pytest.mark.parametrize(
    "sort",
    ["", "points", "-points", "status,-title", "-createdAt", "dueDate", "-tags,owner", "-number"],
)
async def test_cursors_give_each_record_once_in_every_sort(
    client: Client, database: Database, workspace: str, records: str, sort: str
) -> None:
    chance = random.Random(1)
    fill(
        database,
        workspace,
        [chance.choice(ROWS) | {"points": chance.choice([1, 2, None, "x"])} for _ in range(23)],
    )
    whole = await numbers(client, records, f"limit=200&sort={sort}")
    assert sorted(whole) == list(range(1, 24))
    assert await walk(client, records, f"limit=4&sort={sort}") == whole


async def test_a_cursor_skips_and_repeats_nothing_while_others_write(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    fill(database, workspace, [{"title": str(n)} for n in range(6)])
    first = await client.call("GET", f"{records}?collection=task&limit=2&sort=-number")
    fill(database, workspace, [{"title": "new"}])
    database.run("delete from core.record where number in (6, 4)")
    second = await client.call(
        "GET", f"{records}?collection=task&limit=2&sort=-number&cursor={first['nextCursor']}"
    )
    assert [r["number"] for r in second["tasks"]] == [3, 2]


async def test_sort_compares_by_type_and_puts_what_is_absent_last(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    fill(database, workspace, ROWS)
    assert await numbers(client, records, "sort=points") == [5, 3, 1, 2, 4]
    assert await numbers(client, records, "sort=-points") == [2, 1, 3, 5, 4]
    assert await numbers(client, records, "sort=dueDate,-number") == [5, 2, 4, 3, 1]
    assert await numbers(client, records, "sort=-status,title") == [2, 4, 1, 3, 5]
    assert await numbers(client, records, "sort=status,-title") == [3, 1, 4, 2, 5]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter[status]=todo", [1, 3]),
        ("filter[status][eq]=todo", [1, 3]),
        ("filter[status][ne]=todo", [2, 4, 5]),
        ("filter[status][in]=done,review", [2, 4]),
        ("filter[status][empty]=true", [5]),
        ("filter[status][empty]=false", [1, 2, 3, 4]),
        ("filter[points]=3.0", [1]),
        ("filter[points][gt]=2.5", [1, 2]),
        ("filter[points][gte]=2.5", [1, 2, 3]),
        ("filter[points][lt]=0", [5]),
        ("filter[points][lte]=2.5", [3, 5]),
        ("filter[points][in]=10,-1", [2, 5]),
        ("filter[title][contains]=A R", [3]),
        ("filter[title][contains]=100%25", []),
        ("filter[tags]=green", [1]),
        ("filter[tags][in]=green,red", [1, 3]),
        ("filter[tags][ne]=red", [2, 4, 5]),
        ("filter[dueDate][lt]=2026-01-01", [5]),
        ("filter[number][gte]=4", [4, 5]),
        ("filter[status][gt]=todo", [2, 4]),
        ("filter[status][lte]=review", [1, 3, 4]),
        ("filter[tags][empty]=true", [2, 4, 5]),
        ("filter[displayId]=TSK-001-0002", [2]),
        ("filter[version]=1&filter[status]=todo&filter[points][lt]=3", [3]),
        ("filter[createdAt][gt]=2020-01-01T00:00:00Z", [1, 2, 3, 4, 5]),
        ("filter[owner]='; drop table core.record; --", []),
    ],
)
async def test_filters(
    client: Client,
    database: Database,
    workspace: str,
    records: str,
    query: str,
    expected: list[int],
) -> None:
    fill(database, workspace, ROWS)
    assert await numbers(client, records, query) == expected


async def test_a_filter_takes_a_key_with_percent_signs_and_quotes(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    key = """50%s of "it's" %L"""
    for kind, name in (("text", key), ("multi_select", key + "s")):
        database.run(
            "insert into core.field (workspace_id, collection, key, label, type)"
            " values (%s, 'task', %s, 'x', %s)",
            workspace,
            name,
            kind,
        )
    fill(database, workspace, [{key: "a"}, {key + "s": ["b"]}])
    assert await numbers(client, records, f"filter[{quote(key)}]=a") == [1]
    assert await numbers(client, records, f"filter[{quote(key)}s][in]=b,c") == [2]
    assert await numbers(client, records, f"filter[{quote(key)}s][ne]=b") == [1]
    assert await numbers(client, records, f"sort={quote(key)}") == [1, 2]


async def test_deleted_records_are_not_listed(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    fill(database, workspace, ROWS)
    database.run("delete from core.record where number = 3")
    assert await numbers(client, records, "") == [1, 2, 4, 5]


@pytest.mark.parametrize(
    "query", ["sort=colour", "sort=-points,colour", "filter[colour]=red", "filter[colour][gt]=1"]
)
async def test_an_unknown_field_is_named(client: Client, records: str, query: str) -> None:
    reply = await client.send("GET", f"{records}?collection=task&{query}")
    problem = reply.problem(422, "unknown_field")
    assert problem["errors"] == [{"path": "colour", "message": "unknown field"}]
    assert "colour" in problem["detail"]


async def test_an_unknown_operator_is_named(client: Client, records: str) -> None:
    reply = await client.send("GET", f"{records}?collection=task&filter[points][like]=3")
    problem = reply.problem(422, "unknown_operator")
    assert problem["errors"] == [{"path": "points", "message": "unknown operator like"}]
    assert "like" in problem["detail"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=99999999999999999999999", "limit"),
        ("page=-1", "page"),
        ("page=1000001", "page"),
        ("page=1e400", "page"),
        ("colour=red", "colour"),
        ("filter[points][GTE]=3", "filter[points][GTE]"),
        ("filter=x", "filter"),
        ("filter=x&filter[points]=3", "filter"),
        (f"sort={'number,' * 200}", "sort"),
        (f"filter[title]={'x' * 1001}", "filter.title.eq"),
    ],
)
async def test_what_is_out_of_bounds_or_unknown_is_named(
    client: Client, records: str, query: str, path: str
) -> None:
    problem = (await client.send("GET", f"{records}?collection=task&{query}")).problem(422)
    assert [error["path"] for error in problem["errors"]] == [path]


@pytest.mark.parametrize(
    ("term", "value"),
    [
        ("filter[points][eq]", "three"),
        ("filter[points][gt]", ""),
        ("filter[createdAt][gt]", "soon"),
        ("filter[completedAt][lt]", "2026-13-01"),
        ("filter[dueDate][lt]", "2026-01-01T00:00:00Z"),
        ("filter[createdBy][eq]", "me"),
        ("filter[status][empty]", "perhaps"),
        ("filter[status][gt]", "finished"),
        ("filter[number][eq]", "99999999999999999999"),
    ],
)
async def test_a_value_that_is_not_of_the_fields_type_is_refused(
    client: Client, records: str, term: str, value: str
) -> None:
    reply = await client.send("GET", f"{records}?collection=task", params={term: value})
    problem = reply.problem(422, "invalid_value")
    assert [error["path"] for error in problem["errors"]] == [term]


async def test_limit_takes_its_bounds(client: Client, records: str) -> None:
    for limit in (1, 200):
        await client.call("GET", f"{records}?collection=task&limit={limit}")


def forged(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%20",
        "////",
        "é",
        forged(b"\xff\xfe"),
        forged(b"not json"),
        forged(b'"\\u0000"'),
        forged(b"[" * 2500),
        forged(7),
        forged("s"),
        forged([]),
        forged({}),
        forged({"s": ""}),
        forged({"s": "", "v": None}),
        forged({"s": "", "v": {}}),
        forged({"s": "", "v": []}),
        forged({"s": "", "v": [None]}),
        forged({"s": "", "v": [1, 2]}),
        forged({"s": "points", "v": ["1", "1"]}),
        forged({"s": "", "v": ["1; drop table core.record"]}),
        forged({"s": "", "v": [{"a": 1}]}),
        forged({"s": "", "v": ["99999999999999999999999"]}),
        "A" * 4001,
    ],
)
async def test_a_forged_cursor_is_refused(
    client: Client, database: Database, workspace: str, records: str, cursor: str
) -> None:
    fill(database, workspace, ROWS)
    reply = await client.send("GET", f"{records}?collection=task&cursor={quote(cursor)}")
    assert reply.problem(422)["code"] in ("invalid_cursor", "invalid_value", "invalid_request")


async def test_a_cursor_belongs_to_its_sort(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    fill(database, workspace, ROWS)
    first = await client.call("GET", f"{records}?collection=task&limit=2&sort=points")
    reply = await client.send(
        "GET", f"{records}?collection=task&limit=2&sort=-points&cursor={first['nextCursor']}"
    )
    reply.problem(422, "invalid_cursor")


async def test_a_cursor_shows_nothing_of_another_tenant(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    fill(database, workspace, ROWS)
    first = await client.call("GET", f"{records}?collection=task&limit=2")
    other = database.workspace("Bob", name="Bob's")
    bob = Client(client.session, client.url, database.token("Bob"))
    path = f"/api/v1/workspaces/{other}/records?collection=task&cursor={first['nextCursor']}"
    assert (await bob.call("GET", path))["tasks"] == []


async def test_an_unknown_collection_is_404_and_a_missing_one_is_named(
    client: Client, records: str
) -> None:
    (await client.send("GET", f"{records}?collection=note")).problem(404, "unknown_collection")
    problem = (await client.send("GET", records)).problem(422, "invalid_request")
    assert [error["path"] for error in problem["errors"]] == ["collection"]


async def test_a_long_list_is_compressed_for_who_takes_it(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    fill(database, workspace, ROWS)
    async with client.session.get(
        client.url + f"{records}?collection=task",
        headers={"Authorization": f"Bearer {client.token}", "Accept-Encoding": "gzip"},
        auto_decompress=False,
    ) as response:
        assert response.headers["Content-Encoding"] == "gzip"
    async with client.request(
        "GET", f"{records}?collection=task", headers={"Accept-Encoding": "identity"}
    ) as response:
        assert "Content-Encoding" not in response.headers
