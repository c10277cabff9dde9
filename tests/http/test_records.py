"""Records over HTTP: CRUD, versions and ETags, merges, display ids."""

import asyncio
import uuid
from typing import Any

from support import Client, Database

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
MEMBERS = {
    "id", "displayId", "collection", "number", "data", "position", "version",
    "commentCount", "attachmentCount",
    "createdAt", "createdBy", "updatedAt", "updatedBy", "deletedAt",
}  # fmt: skip


async def create(client: Client, records: str, **data: Any) -> Any:
    return await client.call("POST", f"{records}?collection=task", {"data": data})


async def test_a_record_is_created_with_all_its_members(
    client: Client, database: Database, records: str
) -> None:
    reply = await client.send("POST", f"{records}?collection=task", {"data": {"title": "One"}})
    assert (reply.status, reply.headers["ETag"]) == (201, '"1"')
    record = reply.json
    assert set(record) == MEMBERS | {"seq"}
    assert record["data"] == {"title": "One"}
    assert (record["collection"], record["number"], record["version"]) == ("task", 1, 1)
    assert (record["createdBy"], record["deletedAt"]) == (database.account("Ada"), None)
    assert record["createdAt"].endswith("Z")
    got = await client.send("GET", f"{records}/{record['id']}")
    assert got.headers["ETag"] == '"1"'
    assert got.json == {k: v for k, v in record.items() if k != "seq"}


async def test_the_collection_may_stand_in_the_body(client: Client, records: str) -> None:
    body = {"collection": "task", "data": {"title": "One"}}
    assert (await client.call("POST", records, body))["collection"] == "task"


async def test_a_collection_is_taken_in_plural_and_singular(client: Client, records: str) -> None:
    for key in ("task", "tasks"):
        record = await client.call("POST", f"{records}?collection={key}", {"data": {"title": key}})
        assert record["collection"] == "task"
        listed = await client.call("GET", f"{records}?collection={key}")
        assert set(listed) == {"tasks", "nextCursor"}


async def test_the_client_may_choose_the_id_once(client: Client, records: str) -> None:
    own = str(uuid.uuid4())
    body = {"id": own, "data": {"title": "Mine"}}
    assert (await client.call("POST", f"{records}?collection=task", body))["id"] == own
    again = await client.send("POST", f"{records}?collection=task", body)
    again.problem(409, "record_exists")


async def test_numbers_and_display_ids_count_up_per_collection(
    client: Client, records: str
) -> None:
    made = [await create(client, records, title=str(n)) for n in range(3)]
    assert [r["displayId"] for r in made] == ["TSK-001-0001", "TSK-001-0002", "TSK-001-0003"]


async def test_a_display_id_stands_for_the_id_in_every_path(client: Client, records: str) -> None:
    made = await create(client, records, title="One")
    path = f"{records}/{made['displayId'].lower()}"
    assert (await client.call("GET", path))["id"] == made["id"]
    assert (await client.call("PATCH", path, {"patch": {"title": "Two"}}))["version"] == 2
    assert (await client.call("POST", f"{path}/move", {"field": "status", "value": "done"}))[
        "data"
    ] == {"title": "Two", "status": "done"}
    assert (await client.call("DELETE", path))["id"] == made["id"]
    assert (await client.call("POST", f"{path}/restore"))["deletedAt"] is None


async def test_a_patch_merges_as_rfc_7396_says(client: Client, records: str) -> None:
    made = await create(client, records, title="One", nested={"a": 1, "b": {"c": 2}}, list=[1, 2])
    patch = {"title": None, "nested": {"a": None, "b": {"d": 3}}, "list": [None], "new": True}
    answer = await client.call("PATCH", f"{records}/{made['id']}", {"patch": patch})
    assert answer["data"] == {"nested": {"b": {"c": 2, "d": 3}}, "list": [None], "new": True}
    assert answer["version"] == 2


async def test_a_bare_merge_patch_is_taken_by_its_content_type(
    client: Client, records: str
) -> None:
    made = await create(client, records, title="One", status="todo")
    path = f"{records}/{made['id']}"
    reply = await client.send(
        "PATCH", path, data=b'{"title": "Two", "status": null}', headers=MERGE_PATCH
    )
    assert (reply.status, reply.json["data"]) == (200, {"title": "Two"})


async def test_a_bare_merge_patch_is_one_json_value_and_nothing_behind_it(
    client: Client, records: str
) -> None:
    made = await create(client, records, title="One")
    for raw in (b'{"title": "Two"}, "baseVersion": 1', b'{"title": "Two"}}', b"", b"[1]", b'"x"'):
        reply = await client.send("PATCH", f"{records}/{made['id']}", data=raw, headers=MERGE_PATCH)
        assert reply.status in (400, 422), raw
        reply.problem(reply.status)
    assert (await client.call("GET", f"{records}/{made['id']}"))["version"] == 1


async def test_a_patch_that_changes_nothing_answers_with_the_last_seq(
    client: Client, database: Database, records: str
) -> None:
    made = await create(client, records, title="One")
    await create(client, records, title="Another")
    head = database.value("select max(seq) from core.change")
    answer = await client.call("PATCH", f"{records}/{made['id']}", {"patch": {"title": "One"}})
    assert (answer["seq"], answer["version"]) == (made["seq"], 1)
    assert database.value("select max(seq) from core.change") == head


async def test_every_write_answers_with_the_seq_of_its_change(
    client: Client, database: Database, records: str
) -> None:
    made = await create(client, records, title="One")
    path = f"{records}/{made['id']}"
    other = await create(client, records, title="Two")
    seqs = [
        (await client.call("PATCH", path, {"patch": {"title": "Three"}}))["seq"],
        (await client.call("POST", f"{path}/move", {"before": other["id"]}))["seq"],
        (await client.call("DELETE", path))["seq"],
        (await client.call("POST", f"{path}/restore"))["seq"],
    ]
    assert seqs == list(range(other["seq"] + 1, other["seq"] + 5))
    assert database.value("select max(seq) from core.change") == seqs[-1]


async def test_if_match_lets_only_the_seen_version_be_written(client: Client, records: str) -> None:
    made = await create(client, records, title="One")
    path = f"{records}/{made['id']}"
    first = await client.send(
        "PATCH", path, {"patch": {"title": "Two"}}, headers={"If-Match": '"1"'}
    )
    assert (first.status, first.headers["ETag"]) == (200, '"2"')
    stale = {"If-Match": '"1"'}
    for method, target, body in (
        ("PATCH", path, {"patch": {"title": "Three"}}),
        ("POST", f"{path}/move", {"field": "status", "value": "done"}),
        ("DELETE", path, None),
    ):
        reply = await client.send(method, target, body, headers=stale)
        assert reply.problem(412, "version_mismatch")["version"] == 2
    assert (await client.call("GET", path))["data"] == {"title": "Two"}


async def test_if_match_takes_a_star_and_a_list(client: Client, records: str) -> None:
    made = await create(client, records, title="One")
    path = f"{records}/{made['id']}"
    for number, value in enumerate(("*", '"7", "2"')):
        body = {"patch": {"title": str(number)}}
        assert (await client.send("PATCH", path, body, headers={"If-Match": value})).status == 200
    weak = await client.send("PATCH", path, {"patch": {}}, headers={"If-Match": 'W/"3"'})
    weak.problem(412, "version_mismatch")


async def test_if_none_match_answers_304_until_the_record_changes(
    client: Client, records: str
) -> None:
    made = await create(client, records, title="One")
    path = f"{records}/{made['id']}"
    for known in ('"1"', 'W/"1"', '"9", "1"', "*"):
        reply = await client.send("GET", path, headers={"If-None-Match": known})
        assert (reply.status, reply.text, reply.headers["ETag"]) == (304, "", '"1"'), known
    await client.call("PATCH", path, {"patch": {"title": "Two"}})
    reply = await client.send("GET", path, headers={"If-None-Match": '"1"'})
    assert (reply.status, reply.headers["ETag"]) == (200, '"2"')


async def test_a_list_has_an_etag_of_what_the_caller_may_see(client: Client, records: str) -> None:
    made = await create(client, records, title="One")
    path = f"{records}?collection=task"
    etag = (await client.send("GET", path)).headers["ETag"]
    assert (await client.send("GET", path, headers={"If-None-Match": etag})).status == 304
    await client.call("PATCH", f"{records}/{made['id']}", {"patch": {"title": "Two"}})
    assert (await client.send("GET", path, headers={"If-None-Match": etag})).status == 200


async def test_a_base_version_merges_changes_of_different_fields(
    client: Client, records: str
) -> None:
    made = await create(client, records, title="One", status="todo")
    path = f"{records}/{made['id']}"
    await client.call("PATCH", path, {"patch": {"title": "Theirs"}})
    answer = await client.call("PATCH", path, {"patch": {"status": "done"}, "baseVersion": 1})
    assert answer["data"] == {"title": "Theirs", "status": "done"}
    assert answer["version"] == 3


async def test_a_base_version_conflicts_where_the_same_field_changed(
    client: Client, records: str
) -> None:
    made = await create(client, records, title="One", status="todo", owner="Ada")
    path = f"{records}/{made['id']}"
    await client.call("PATCH", path, {"patch": {"title": "Two", "owner": None}})
    await client.call("PATCH", path, {"patch": {"title": "Theirs"}})
    patch = {"title": "Mine", "status": "done", "owner": "Grace"}
    reply = await client.send("PATCH", path, {"patch": patch, "baseVersion": 1})
    assert reply.problem(409, "conflict")["conflicts"] == [
        {"recordId": made["id"], "key": "owner", "base": "Ada", "yours": "Grace", "theirs": None},
        {
            "recordId": made["id"],
            "key": "title",
            "base": "One",
            "yours": "Mine",
            "theirs": "Theirs",
        },
    ]
    assert (await client.call("GET", path))["data"] == {"title": "Theirs", "status": "todo"}


async def test_the_same_change_by_both_is_no_conflict(client: Client, records: str) -> None:
    made = await create(client, records, title="One")
    path = f"{records}/{made['id']}"
    await client.call("PATCH", path, {"patch": {"title": "Two"}})
    answer = await client.call(
        "PATCH", path, {"patch": {"title": "Two", "status": "done"}, "baseVersion": 1}
    )
    assert answer["data"] == {"title": "Two", "status": "done"}


async def test_a_move_raises_the_version_but_conflicts_with_no_field(
    client: Client, records: str
) -> None:
    made = await create(client, records, title="One")
    other = await create(client, records, title="Two")
    path = f"{records}/{made['id']}"
    assert (await client.call("POST", f"{path}/move", {"before": other["id"]}))["version"] == 2
    answer = await client.call("PATCH", path, {"patch": {"title": "Mine"}, "baseVersion": 1})
    assert answer["version"] == 3


async def test_without_versions_the_last_writer_wins_per_field(
    client: Client, records: str
) -> None:
    made = await create(client, records, title="One", count=0)
    path = f"{records}/{made['id']}"
    await asyncio.gather(
        *(client.call("PATCH", path, {"patch": {f"field{n}": n}}) for n in range(20))
    )
    record = await client.call("GET", path)
    assert record["data"] == {"title": "One", "count": 0} | {f"field{n}": n for n in range(20)}
    assert record["version"] == 21


async def test_delete_and_restore_keep_number_and_data(client: Client, records: str) -> None:
    made = await create(client, records, title="One")
    path = f"{records}/{made['id']}"
    deleted = await client.call("DELETE", path)
    assert deleted == {"id": made["id"], "seq": made["seq"] + 1}
    assert (await client.call("GET", f"{records}?collection=task"))["tasks"] == []
    assert (await client.call("GET", path))["deletedAt"] is not None
    for method, target, body in (
        ("PATCH", path, {"patch": {"title": "Two"}}),
        ("POST", f"{path}/move", {}),
        ("DELETE", path, None),
    ):
        (await client.send(method, target, body)).problem(404, "unknown_record")
    restored = await client.call("POST", f"{path}/restore")
    assert (restored["deletedAt"], restored["data"]) == (None, {"title": "One"})
    assert restored["displayId"] == made["displayId"]
    again = await client.call("POST", f"{path}/restore")
    assert (again["seq"], again["version"]) == (restored["seq"], restored["version"])
    assert (await create(client, records, title="Two"))["number"] == 2


async def test_nulls_are_absent_members_except_in_lists(client: Client, records: str) -> None:
    data = {"a": None, "b": {"c": None, "d": 1}, "list": [None, {"e": None}]}
    made = await create(client, records, **data)
    assert made["data"] == {"b": {"d": 1}, "list": [None, {"e": None}]}


async def test_a_query_can_not_name_another_record_than_the_path(
    client: Client, records: str
) -> None:
    one, two = [await create(client, records, title=title) for title in ("One", "Two")]
    for method, target, body in (
        ("PATCH", f"{records}/{one['id']}?id={two['id']}", {"patch": {"title": "X"}}),
        ("DELETE", f"{records}/{one['id']}?id={two['id']}", None),
        ("GET", f"{records}?collection=task&id={two['id']}", None),
        ("PATCH", f"/api/tasks/{one['id']}?id={two['id']}", {"patch": {"title": "X"}}),
    ):
        problem = (await client.send(method, target, body)).problem(422, "invalid_request")
        assert [error["path"] for error in problem["errors"]] == ["id"]
    titles = [
        r["data"]["title"]
        for r in (await client.call("GET", f"{records}?collection=task"))["tasks"]
    ]
    assert titles == ["One", "Two"]


async def test_several_records_are_fetched_by_their_ids(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    """Document 4, "Other Users Get Update": fetch what has a newer version."""
    one, two, gone = (database.task(workspace, title=title) for title in ("1", "2", "3"))
    await client.call("DELETE", f"{records}/{gone['id']}")
    elsewhere = database.task(database.workspace(name="Other"), title="4")
    nowhere = str(uuid.uuid4())
    ids = [two["displayId"].lower(), nowhere, one["id"], elsewhere["id"], gone["id"], "cow"]
    answer = await client.call("POST", f"{records}/get", {"ids": ids})
    assert [r["id"] for r in answer["records"]] == [two["id"], one["id"], gone["id"]]
