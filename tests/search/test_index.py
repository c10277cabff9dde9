"""The index is exact, however far behind it is; and it is in nobody's way."""

import asyncio
import json
import random
import uuid
from collections.abc import Callable
from typing import Any

import aiohttp
import psycopg
import pytest

from search.conftest import Find, index_all
from support import Client, Database, deployed, eventually, serving

WORDS = ["keyboard", "keyboards", "french", "layout", "red", "reader", "the", "TSK-001-0003"]
QUERIES = ["keyboard", "red", '"french layout"', "reader -french", "the"]
FILTERS: list[dict[str, Any]] = [
    {"status": {"eq": "done"}},
    {"tags": {"in": "red,reader"}, "status": {"ne": "done"}},
]


def answers(database: Database, workspace: str) -> list[Any]:
    """What searches, searches of lists and filters find."""
    found: list[Any] = []
    for q in QUERIES:
        hits = database.read("search", workspace, q=q, limit=200)["results"]
        found.append([(r["record"]["id"], r["rank"], r.get("comments")) for r in hits])
    page = database.read("record_list", workspace, collection="task", q="red layout", limit=200)
    found.append([record["id"] for record in page["tasks"]])
    for terms in FILTERS:
        page = database.read("record_list", workspace, collection="task", filter=terms, limit=2)
        found.append([record["id"] for record in page["tasks"]])
    return found


def test_what_is_found_never_depends_on_how_much_is_indexed(
    database: Database, workspace: str
) -> None:
    """Random writes of every kind, indexed in random pieces; the oracle is to have no index."""
    chance = random.Random(11)
    ids: list[str] = []
    said: list[str] = []

    def data() -> dict[str, Any]:
        return {
            "title": " ".join(chance.choices(WORDS, k=3)),
            "description": " ".join(chance.choices(WORDS, k=5)),
            "status": chance.choice(["todo", "done"]),
            "tags": chance.sample(["red", "reader", "blue"], 2),
        }

    def call(function: str, **arguments: Any) -> Any:
        replies = database.batch(
            [{"function": function, "workspace": workspace, "arguments": arguments}]
        )
        return replies[0].answer  # some are refused: what is deleted can't be patched

    def create() -> None:
        ids.append(call("record_create", collection="task", data=data())["id"])

    def comment() -> None:
        made = call("comment_create", id=chance.choice(ids), body=" ".join(chance.choices(WORDS)))
        if "recordId" in made:
            said.append(made["id"])

    def in_psql() -> None:
        database.run(
            "update core.record set data = data || %s where id = %s",
            json.dumps(data()),
            chance.choice(ids),
        )

    def another_field_is_the_title() -> None:
        database.run(
            "update core.field set position = %s where workspace_id = %s and key = 'owner'",
            chance.choice([-5, 50]),
            workspace,
        )

    acts: list[Callable[[], Any]] = [
        create,
        create,
        comment,
        in_psql,
        lambda: call("record_update", id=chance.choice(ids), patch=data()),
        lambda: call("record_delete", id=chance.choice(ids)),
        lambda: call("record_restore", id=chance.choice(ids)),
        lambda: said and call("comment_update", comment=chance.choice(said), body="red layout"),
        lambda: said and call("comment_delete", comment=chance.choice(said)),
        lambda: call("workspace_update", language=chance.choice(["simple", "english"])),
        another_field_is_the_title,
    ]
    for _ in range(8):
        create()
    for _ in range(7):
        for _ in range(chance.randrange(1, 6)):
            chance.choice(acts)()
        database.run(
            "select trusted.search_index(array[%s]::uuid[], %s)", workspace, chance.randrange(1, 9)
        )
        chance.choice(acts)()
        indexed = answers(database, workspace)
        head, entries = (
            database.run(f"select * from core.{table}")  # noqa: S608
            for table in ("search_head", "search_entry")
        )
        assert head
        assert entries or not indexed
        with database.connect() as connection:
            connection.execute("create table saved as table core.search_head")
            connection.execute("delete from core.search_head")
            try:
                assert indexed == answers(database, workspace)
            finally:
                connection.execute("insert into core.search_head table saved")
                connection.execute("drop table saved")
    index_all(database, workspace)
    assert not database.value("select jsonb_array_length(trusted.search_behind()->'behind')")
    assert answers(database, workspace)
    live = database.run("select id from core.record where deleted_at is null")
    kept = database.run("select distinct record_id from core.search_entry")
    assert set(kept) == set(live), "what is deleted leaves the index"


def test_an_index_that_is_up_to_date_answers_by_itself(
    database: Database, workspace: str, find: Find, index: Callable[..., None]
) -> None:
    for title in ("one", "two"):
        database.task(workspace, title=title)
    index()
    database.run("update core.search_entry set words = words || to_tsvector('simple', 'proof')")
    assert find("proof") == ["two", "one"], "it is the index that is read"
    database.run("update core.record set data = data || '{\"points\": 1}' where number = 1")
    assert find("proof") == ["two"], "and not for what has changed"


def test_a_write_is_not_held_up_by_the_indexing_nor_the_indexing_by_a_writer(
    database: Database, workspace: str
) -> None:
    task = database.task(workspace, title="one")
    with database.connect_server() as indexing, psycopg.connect(database.admin) as psql:
        with indexing.transaction():
            row = indexing.execute(
                "select trusted.search_index(array[%s]::uuid[])", [workspace]
            ).fetchone()
            assert row is not None
            assert row[0] == {"behind": []}
            database.call(
                "record_update", workspace, arguments={"id": task["id"], "patch": {"title": "two"}}
            )
            with database.connect(options="-c lock_timeout=1s") as other:
                row = other.execute(
                    "select trusted.search_index(array[%s]::uuid[])", [workspace]
                ).fetchone()
            assert row == ({"behind": []},), "another process leaves it out"
        psql.execute('update core.record set data = \'{"title": "three"}\'')
        psql.execute("select from core.clock for update")
        indexing.execute("set lock_timeout = '1ms'")
        indexing.execute("select trusted.search_index(array[%s]::uuid[])", [workspace])
    words = database.value("select words::text from core.search_entry")
    assert "'two'" in words


def test_a_trimmed_log_and_a_lost_head_are_made_up_for(
    database: Database, workspace: str, find: Find, index: Callable[..., None]
) -> None:
    for title in ("one", "two", "three"):
        database.task(workspace, title=title)
    index(1)
    database.task(workspace, title="four")
    seq = database.value("select max(seq) from core.change where workspace_id = %s", workspace)
    database.run("delete from core.change where workspace_id = %s", workspace)
    database.run("update core.clock set floor = %s where workspace_id = %s", seq, workspace)
    assert find("four") == ["four"]
    index(2)
    assert find("four") == ["four"]
    assert sorted(find("-nothing")) == ["four", "one", "three", "two"]
    assert database.value("select count(*) from core.search_entry") == 4


async def test_the_server_indexes_what_is_written_by_whomever(database: Database) -> None:
    """Two processes at it; after a notification, and by a sweep for what there was before."""
    before, workspace = database.workspace(name="Before"), database.workspace()
    database.task(before, title="early")

    def indexed() -> int:
        return int(
            database.value(
                "select count(*) from core.search_entry where words @@ 'late | early | psql'"
            )
        )

    def behind() -> Any:
        return database.value("select trusted.search_behind()")["behind"]

    async with (
        serving(deployed(database, search_pause=0.01)) as url,
        serving(deployed(database, search_pause=0.01)),
    ):
        await eventually(lambda: indexed() == 1 and not behind(), what="the sweep")
        async with asyncio.timeout(20):
            async with aiohttp.ClientSession() as session:
                client = Client(session, url, database.token("Ada"))
                await client.call(
                    "POST",
                    f"/api/v1/workspaces/{workspace}/records",
                    {"collection": "task", "data": {"title": "late"}},
                )
                await eventually(lambda: indexed() == 2, what="what HTTP wrote")
        database.run(
            "insert into core.record (workspace_id, collection, data)"
            " values (%s, 'task', '{\"title\": \"psql\"}')",
            workspace,
        )
        await eventually(lambda: indexed() == 3 and not behind(), what="what psql wrote")


async def test_one_workspace_that_can_not_be_indexed_holds_up_no_other(database: Database) -> None:
    bad, good = database.workspace(name="Bad"), database.workspace(name="Good")
    database.run("update core.workspace set language = 'klingon' where workspace_id = %s", bad)
    for workspace in (bad, good):
        database.task(workspace, title="one")
    async with serving(deployed(database, search_pause=0.01)):
        await eventually(
            lambda: (
                [(uuid.UUID(good),)]
                == database.run("select distinct workspace_id from core.search_entry")
            ),
            what="the index of the good one",
        )


@pytest.mark.parametrize("count", [1, 3])
def test_a_sweep_goes_through_all_workspaces(database: Database, count: int) -> None:
    spaces = {database.workspace(name=str(n)) for n in range(4)}
    found: set[str] = set()
    after = None
    while True:
        step = database.value("select trusted.search_behind(%s, %s)", after, count)
        found |= set(step["behind"])
        after = step["next"]
        if after is None:
            break
    assert found == spaces
