"""POST …/import: the same as the command."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from issue_file import Issues
from support import Client, Database

CSV = {"Content-Type": "text/csv"}
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def workspace(database: Database) -> str:
    return database.workspace()


@pytest.fixture
def path(workspace: str) -> str:
    return f"/api/v1/workspaces/{workspace}/import"


def documents(database: Database) -> list[dict[str, Any]]:
    return [data for (data,) in database.run("select data from core.record order by number")]


async def post(
    client: Client, path: str, body: Any, headers: dict[str, str] = CSV, status: int = 200
) -> Any:
    data = io.BytesIO(body) if isinstance(body, bytes) else body
    return await client.call("POST", path, data=data, headers=headers, status=status)


async def test_the_real_issues_come_in_once(
    client: Client, database: Database, path: str, issues: Issues
) -> None:
    body = issues.file.read_bytes()
    database.run(
        "update core.field set options = %s where key = 'status'",
        Jsonb(sorted({row["status"] for row in issues.rows} - {""})),
    )
    answer = await post(client, path, body)
    assert answer == {
        "created": 4000, "skipped": 0, "rejected": [], "rejectedCount": 0, "seq": 4001
    }  # fmt: skip
    again = await post(client, path, body)
    assert (again["created"], again["skipped"], again["seq"]) == (0, 4000, 4001)
    assert [d["title"] for d in documents(database)] == [row["title"] for row in issues.rows]


async def test_a_key_names_the_file_and_another_key_is_another_file(
    client: Client, database: Database, path: str
) -> None:
    for key, created in (("a", 1), ("a", 0), ("b", 1), (None, 1), (None, 0)):
        headers = CSV | ({"Idempotency-Key": key} if key else {})
        answer = await post(client, path, b"title\nOne\n", headers)
        assert answer["created"] == created
    assert len(documents(database)) == 3


async def test_columns_are_mapped_and_the_collection_is_named(
    client: Client, database: Database, path: str
) -> None:
    query = "?collection=tasks&map[title]=Summary&map[createdAt]=Opened"
    await post(client, path + query, b"Summary,Opened\nOne,2001-02-03\n")
    assert documents(database) == [{"title": "One"}]
    assert str(database.value("select created_at::date from core.record")) == "2001-02-03"


async def test_a_dry_run_writes_nothing(client: Client, database: Database, path: str) -> None:
    answer = await post(client, f"{path}?dryRun=true", b"title,points\nOne,1\nTwo,x\n")
    assert (answer["created"], answer["rejectedCount"], answer["dryRun"]) == (1, 1, True)
    assert documents(database) == []
    assert database.value("select count(*) from core.change where action = 'created'") == 0


async def test_a_row_that_is_not_text_is_rejected_alone(
    client: Client, database: Database, path: str
) -> None:
    answer = await post(client, path, b"title\nOne\n\xff\nnul\0\nTwo\n")
    assert [row["line"] for row in answer["rejected"]] == [3, 4]
    body = b'{"title":"3"}\n{"title":"\\u0000"}\n{"t":"\\ud800"}\n[1]\n{"n":1e999}\n{"title":"4"}'
    answer = await post(client, path, body, NDJSON)
    assert [row["line"] for row in answer["rejected"]] == [2, 3, 4, 5]
    assert all(row["reason"] for row in answer["rejected"])
    assert [d["title"] for d in documents(database)] == ["One", "Two", "3", "4"]


async def test_many_rejected_rows_are_counted_and_the_first_are_listed(
    client: Client, path: str
) -> None:
    answer = await post(client, path, "points\n" + "x\n" * 1500)
    assert answer["rejectedCount"] == 1500
    assert [row["line"] for row in answer["rejected"]] == list(range(2, 1002))


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/csv; charset=x"])
async def test_other_types_are_refused(client: Client, path: str, kind: str) -> None:
    problem = await post(client, path, b"title\n", {"Content-Type": kind}, 415)
    assert problem["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [
        ("", b"", 422, "invalid_file"),
        ("", b"a,a\n", 422, "invalid_file"),
        ("", b"\xfe\xffa", 422, "invalid_file"),
        ("?map[title]=x", b"a\n1\n", 422, "invalid_file"),
        ("?collection=x", b"a\n1\n", 404, "unknown_collection"),
        ("?dryRun=maybe", b"a\n1\n", 422, "invalid_request"),
        ("?colection=task", b"a\n1\n", 422, "invalid_request"),
        ("?collection=%00", b"a\n1\n", 422, "nul_character"),
    ],
)
async def test_bad_requests_are_problems_and_change_nothing(
    client: Client, database: Database, path: str, query: str, body: bytes, status: int, code: str
) -> None:
    problem = await post(client, path + query, body, CSV, status)
    assert problem["code"] == code
    assert documents(database) == []


async def test_a_viewer_may_not_import_and_a_stranger_sees_no_workspace(
    client: Client, database: Database, path: str, workspace: str
) -> None:
    database.join(workspace, "Vera", "viewer")
    for body in (b"title\nOne\n", b"title\n"):
        viewer = Client(client.session, client.url, database.token("Vera"))
        assert (await post(viewer, path, body, CSV, 403))["code"] == "not_permitted"
        stranger = Client(client.session, client.url, database.token("Bob"))
        assert (await post(stranger, path, body, CSV, 404))["code"] == "unknown_workspace"
    nobody = Client(client.session, client.url, None)
    await post(nobody, path, b"title\n", CSV, 401)
    await post(client, "/api/v1/workspaces/none/import", b"title\n", CSV, 404)
    assert documents(database) == []


async def test_more_than_the_limit_is_413_and_what_came_before_is_not_imported_twice(
    client: Client, database: Database, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rowcast.importer.MAX_UPLOAD", 300_000)

    async def body(rows: int) -> AsyncIterator[bytes]:
        yield b"title\n"
        for n in range(rows):
            yield b"%06d%s\n" % (n, b"x" * 93)

    assert (await post(client, path, body(6000), CSV, 413))["code"] == "body_too_large"
    assert (await post(client, path, b"title\n" + b"x" * 300_000, CSV, 413))["status"] == 413
    answer = await post(client, path, body(2000))
    assert 1000 <= answer["skipped"] < 2000
    assert answer["created"] + answer["skipped"] == len(documents(database)) == 2000


async def test_an_upload_that_breaks_off_leaves_whole_rows_and_can_be_sent_again(
    client: Client, database: Database, path: str
) -> None:
    rows = [b"title"] + [b"row %d" % n for n in range(3000)]

    async def broken() -> AsyncIterator[bytes]:
        yield b"\n".join(rows[:2000]) + b"\nro"
        raise ConnectionAbortedError

    with pytest.raises(Exception, match=r".*"):
        await post(client, path, broken())
    answer = await post(client, path, b"\n".join(rows))
    assert answer["created"] + answer["skipped"] == 3000
    titles = [d["title"] for d in documents(database)]
    assert sorted(titles) == sorted(row.decode() for row in rows[1:])


async def test_a_patch_during_an_import_is_answered_in_the_midst_of_it(
    client: Client, database: Database, path: str, workspace: str
) -> None:
    task = database.task(workspace, title="One")
    body = b"title\n" + b"\n".join(b"row %d" % n for n in range(6000))
    work = asyncio.create_task(post(client, path, body))
    seq = 0
    while not work.done() and seq < 1000:
        answer = await client.call(
            "PATCH", f"/api/tasks/{task['id']}", {"patch": {"title": str(seq)}}
        )
        seq = answer["seq"]
    answer = await work
    assert answer["created"] == 6000
    assert 1000 <= seq < answer["seq"]
