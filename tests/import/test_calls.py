"""api.record_import itself: what the writer may do to a chunk."""

import uuid
from typing import Any

from support import Database


def chunk(*titles: str) -> dict[str, Any]:
    rows = [
        {"line": n, "transactionId": str(uuid.uuid4()), "data": {"title": title}}
        for n, title in enumerate(titles)
    ]
    return {"collection": "task", "rows": rows}


def test_a_chunk_that_is_sent_again_with_its_id_answers_the_same_and_adds_nothing(
    database: Database,
) -> None:
    workspace = database.workspace()
    arguments = chunk("One", "x" * 270_000, "Two")
    call = {
        "function": "record_import",
        "workspace": workspace,
        "arguments": arguments,
        "id": str(uuid.uuid4()),
    }
    first, second = (database.batch([call])[0].answer for _ in range(2))
    assert (first["created"], first["skipped"], len(first["rejected"])) == (2, 0, 1)
    assert second == first
    assert database.value("select count(*) from core.record") == 2
    other = database.call("record_import", workspace, arguments=arguments)
    assert (other["created"], other["skipped"], len(other["rejected"])) == (0, 2, 1)


def test_a_row_that_comes_twice_in_a_chunk_comes_in_once_and_order_is_kept(
    database: Database,
) -> None:
    workspace = database.workspace()
    arguments = chunk("One", "Two", "Three")
    arguments["rows"].insert(2, arguments["rows"][0])
    answer = database.call("record_import", workspace, arguments=arguments)
    assert (answer["created"], answer["skipped"]) == (3, 1)
    rows = database.run("select data ->> 'title' from core.record order by number")
    assert rows == [("One",), ("Two",), ("Three",)]


def test_a_bad_time_in_a_row_refuses_this_row_alone(database: Database) -> None:
    workspace = database.workspace()
    arguments = chunk("One", "Two", "Three")
    arguments["rows"][1]["createdAt"] = "no time"
    answer = database.call("record_import", workspace, arguments=arguments)
    assert answer["created"] == 2
    assert [row["line"] for row in answer["rejected"]] == [1]
