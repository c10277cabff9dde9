"""Pages while others write: what is there throughout comes once, and nothing comes twice."""

import json
import random
import threading
from typing import Any

import psycopg
import pytest

from support import Database

KEPT = 30
LISTS: list[dict[str, Any]] = [
    {},
    {"sort": "-createdAt"},
    {"sort": "position"},
    {"sort": "-priority,title"},
    {"filter": {"status": {"eq": "todo"}}},
    {"sort": "points", "filter": {"status": {"in": "todo,done"}}, "q": "zeb"},
]


def task(chance: random.Random) -> dict[str, Any]:
    """A task that all of the lists above hold, with few different values to sort by."""
    data: dict[str, Any] = {"title": f"zebra {chance.randrange(4)}", "status": "todo"}
    if chance.random() < 0.7:
        data["points"] = chance.randrange(3)
    if chance.random() < 0.7:
        data["priority"] = chance.choice(["low", "medium", "high", "urgent"])
    return data


class Writer(threading.Thread):
    """Inserts and deletes tasks of its own until it is told to stop; they have no mark `kept`."""

    def __init__(self, database: Database, workspace: str, seed: int) -> None:
        super().__init__()
        self._database, self._workspace = database, workspace
        self._chance = random.Random(seed)
        self._end = threading.Event()
        self.written = threading.Semaphore(0)  # a release for each write

    def run(self) -> None:
        """Works until `stop`."""
        with self._database.connect() as connection:
            while not self._end.is_set():
                if self._chance.random() < 0.5:
                    connection.execute(
                        "insert into core.record (workspace_id, collection, data)"
                        " values (%s, 'task', %s)",
                        [self._workspace, json.dumps(task(self._chance))],
                    )
                else:
                    connection.execute(
                        "delete from core.record where id = (select id from core.record"
                        " where workspace_id = %s and deleted_at is null and not data ? 'kept'"
                        " offset %s limit 1)",
                        [self._workspace, self._chance.randrange(20)],
                    )
                self.written.release()
                if self._chance.random() < 0.1:
                    connection.execute(
                        "select trusted.search_index(array[%s]::uuid[], 20)", [self._workspace]
                    )

    def stop(self) -> None:
        """Ends it."""
        self._end.set()
        self.join()


@pytest.fixture(scope="module")
def workspace(shared_database: Database) -> str:
    """A workspace with tasks that stay, and some that don't."""
    workspace = shared_database.workspace()
    chance = random.Random(2)
    for n in range(KEPT + 15):
        shared_database.run(
            "insert into core.record (workspace_id, collection, data) values (%s, 'task', %s)",
            workspace,
            json.dumps({**task(chance), **({"kept": True} if n % 3 else {})}),
        )
    return workspace


@pytest.mark.parametrize("arguments", LISTS, ids=json.dumps)
def test_a_record_that_is_there_throughout_comes_exactly_once(
    shared_database: Database, workspace: str, arguments: dict[str, Any]
) -> None:
    wanted = {
        number
        for (number,) in shared_database.run(
            "select number from core.record where workspace_id = %s and data ? 'kept'", workspace
        )
    }
    assert len(wanted) == KEPT
    writers = [Writer(shared_database, workspace, seed) for seed in (1, 2)]
    for writer in writers:
        writer.start()
    try:
        with shared_database.connect_server() as connection:
            more = {**arguments, "limit": 4}
            seen = walk(shared_database, connection, workspace, more, writers)
            assert len(seen) == len(set(seen)), "none twice"
            assert wanted <= set(seen), "each that stays"
    finally:
        for writer in writers:
            writer.stop()


def walk(
    database: Database,
    connection: psycopg.Connection[Any],
    workspace: str,
    arguments: dict[str, Any],
    writers: list[Writer],
) -> list[int]:
    """The numbers of a list, page by page; between two of them each writer writes."""
    seen: list[int] = []
    cursor = None
    while True:
        assert all(writer.written.acquire(timeout=20) for writer in writers)
        row = connection.execute(
            "select answer from api.query('record_list', %s, %s, null, null, %s)",
            [
                database.account(),
                workspace,
                json.dumps({"collection": "task", **arguments, "cursor": cursor}),
            ],
        ).fetchone()
        assert row is not None
        page = json.loads(row[0])
        seen += [record["number"] for record in page["tasks"]]
        cursor = page["nextCursor"]
        if cursor is None:
            return seen
