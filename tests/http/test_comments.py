"""Comments over HTTP: threads, mentions, counts, and who may do what with whose."""

import asyncio
import uuid
from typing import Any

import pytest

from people import ME, log_in, sign_up
from support import Client, Database, eventually

MEMBERS = {
    "id", "recordId", "parentId", "body", "author", "mentions", "createdAt", "editedAt",
    "deletedAt",
}  # fmt: skip


@pytest.fixture
def task(database: Database, workspace: str) -> str:
    """A task of Ada's."""
    return str(database.task(workspace, title="One")["id"])


@pytest.fixture
def path(records: str, task: str) -> str:
    """The path of its comments."""
    return f"{records}/{task}/comments"


def of(workspace: str, comment: dict[str, Any]) -> str:
    """The path of a comment."""
    return f"/api/v1/workspaces/{workspace}/comments/{comment['id']}"


async def say(client: Client, path: str, body: str = "Why?", **more: Any) -> Any:
    return await client.call("POST", path, {"body": body, **more}, status=201)


async def listed(client: Client, path: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.call("GET", path, params=params))["comments"]
    return found


def person(database: Database, name: str) -> dict[str, str]:
    return {"id": database.account(name), "name": name}


async def test_a_comment_is_answered_with_all_its_members_and_its_seq(
    client: Client, database: Database, workspace: str, task: str, path: str
) -> None:
    database.join(workspace, "Bob", "viewer")
    said = await say(client, path, "Look, @Bob!")
    seq = said.pop("seq")
    assert seq == database.value("select max(seq) from core.change")
    assert set(said) == MEMBERS
    assert said["author"] == person(database, "Ada")
    assert said["mentions"] == [person(database, "Bob")]
    assert (said["recordId"], said["body"]) == (task, "Look, @Bob!")
    assert (said["parentId"], said["editedAt"], said["deletedAt"]) == (None, None, None)
    assert await listed(client, path) == [said]


async def test_a_thread_is_listed_flat_the_oldest_first_and_in_pages(
    client: Client, database: Database, workspace: str, records: str, path: str
) -> None:
    first = await say(client, path, "1")
    reply = await say(client, path, "2", parentId=first["id"])
    await say(client, path, "3", parentId=reply["id"])
    for n in range(4, 8):
        await say(client, path, str(n))
    found = await listed(client, path)
    assert [comment["body"] for comment in found] == list("1234567")
    assert [comment["parentId"] for comment in found[:4]] == [None, first["id"], reply["id"], None]
    pages: list[list[str]] = []
    cursor: str | None = None
    while not pages or cursor is not None:
        params: dict[str, Any] = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = await client.call("GET", path, params=params)
        pages.append([comment["body"] for comment in page["comments"]])
        cursor = page["nextCursor"]
    assert pages == [["1", "2", "3"], ["4", "5", "6"], ["7"]]
    other = f"{records}/{database.task(workspace)['id']}/comments"
    for wrong in (first["id"], str(uuid.uuid4())):
        (await client.send("GET", other, params={"cursor": wrong})).problem(422, "invalid_cursor")
    assert (await client.call("GET", other)) == {"comments": [], "nextCursor": None}


async def test_comments_are_counted_and_raise_no_version(
    client: Client, records: str, task: str, workspace: str, path: str
) -> None:
    said = [await say(client, path) for _ in range(3)]
    await client.call("DELETE", of(workspace, said[0]))
    record = await client.call("GET", f"{records}/{task}")
    assert (record["commentCount"], record["version"]) == (2, 1)
    page = await client.call("GET", f"{records}?collection=task")
    assert [record["commentCount"] for record in page["tasks"]] == [2]
    snapshot = await client.call("GET", f"/api/v1/workspaces/{workspace}/snapshot")
    assert snapshot["records"][0]["commentCount"] == 2
    patched = await client.call("PATCH", f"{records}/{task}", {"patch": {"title": "Two"}})
    assert (patched["commentCount"], patched["version"]) == (2, 2)


async def test_many_who_comment_at_once_are_all_counted(
    client: Client, records: str, task: str, path: str
) -> None:
    await asyncio.gather(*(say(client, path, str(n)) for n in range(30)))
    assert (await client.call("GET", f"{records}/{task}"))["commentCount"] == 30
    assert len(await listed(client, path)) == 30


async def test_an_edit_changes_body_and_mentions_and_says_when(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    database.join(workspace, "Bob", "viewer")
    said = await say(client, path, "Look, @Bob!")
    edited = await client.call("PATCH", of(workspace, said), {"body": "@ada: never mind"})
    assert edited["seq"] == said["seq"] + 1
    assert (edited["body"], edited["mentions"]) == ("@ada: never mind", [person(database, "Ada")])
    assert edited["editedAt"] > said["createdAt"]
    again = await client.call("PATCH", of(workspace, said), {"body": "@ada: never mind"})
    assert again == edited, "the same again writes nothing"


async def test_a_deleted_comment_keeps_its_place_and_loses_its_words(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    first = await say(client, path, "Secret, @ada")
    reply = await say(client, path, "Yes", parentId=first["id"])
    answer = await client.call("DELETE", of(workspace, first))
    assert answer == {"id": first["id"], "seq": reply["seq"] + 1}
    reply_again = await say(client, path, "No", parentId=first["id"])
    gone, *rest = await listed(client, path)
    assert [comment["id"] for comment in rest] == [reply["id"], reply_again["id"]]
    assert (gone["id"], gone["body"], gone["mentions"]) == (first["id"], None, [])
    assert gone["deletedAt"] is not None
    for method, body in (("PATCH", {"body": "Back"}), ("DELETE", None)):
        reply = await client.send(method, of(workspace, first), body)
        reply.problem(404, "unknown_comment")


async def test_the_id_may_be_the_clients_own_once(
    client: Client, database: Database, workspace: str, task: str, path: str
) -> None:
    ident = str(uuid.uuid4())
    said = await say(client, path, "Why?", commentId=ident)
    assert (said["id"], said["recordId"]) == (ident, task)
    body = {"body": "Another", "commentId": ident}
    (await client.send("POST", path, body)).problem(409, "comment_exists")
    (await client.send("POST", path, {**body, "id": ident})).problem(422, "invalid_request")
    other = database.workspace("Eve")
    theirs = database.task(other, "Eve", title="Theirs")["id"]
    eve = Client(client.session, client.url, database.token("Eve"))
    hers = await say(eve, f"/api/v1/workspaces/{other}/records/{theirs}/comments", commentId=ident)
    assert hers["id"] == ident, "ids are the workspace's own"
    assert [comment["body"] for comment in await listed(client, path)] == ["Why?"]


async def test_what_can_not_be_a_comment_is_refused_by_its_path(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    said = await say(client, path, "x" * 20_000)
    other = database.task(workspace, title="Two")["id"]
    elsewhere = path.replace(said["recordId"], other)
    blank = {"body": " \n\t"}
    for method, where, body, member in (
        ("POST", path, {"body": " \n\t"}, "body"),
        ("PATCH", of(workspace, said), blank, "body"),
        ("POST", elsewhere, {"body": "x", "parentId": said["id"]}, "parentId"),
        ("POST", path, {"body": "x", "parentId": str(uuid.uuid4())}, "parentId"),
    ):
        problem = (await client.send(method, where, body)).problem(422, "invalid_comment")
        assert [error["path"] for error in problem["errors"]] == [member]
    for body in ({}, {"body": ""}, {"body": None}, {"body": 1}, {"body": "x" * 20_001},
                 {"body": "x", "parentId": "x"}, {"body": "x", "author": "x"}):  # fmt: skip
        (await client.send("POST", path, body)).problem(422, "invalid_request")
    assert len(await listed(client, path)) == 1


async def test_on_a_deleted_record_comments_can_only_be_read(
    client: Client, workspace: str, path: str
) -> None:
    said = await say(client, path)
    record = path.removesuffix("/comments")
    await client.call("DELETE", record)
    assert len(await listed(client, path)) == 1
    for method, where, body in (
        ("POST", path, {"body": "x"}),
        ("PATCH", of(workspace, said), {"body": "x"}),
        ("DELETE", of(workspace, said), None),
    ):
        (await client.send(method, where, body)).problem(404, "unknown_record")
    await client.call("POST", f"{record}/restore")
    await client.call("DELETE", of(workspace, said))


async def test_one_edits_the_own_comments_and_a_manager_deletes_any(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    people = {}
    for name, role in (("Cora", "commenter"), ("Abe", "admin"), ("Vic", "viewer")):
        database.join(workspace, name, role)
        people[name] = Client(client.session, client.url, database.token(name))
    hers, his = await say(people["Cora"], path), await say(people["Abe"], path)
    (await people["Vic"].send("POST", path, {"body": "x"})).problem(403, "not_permitted")
    for name, comment in (("Abe", hers), ("Cora", his), ("Vic", hers)):
        reply = await people[name].send("PATCH", of(workspace, comment), {"body": "Mine now"})
        reply.problem(403, "not_permitted")
    for name, comment in (("Cora", his), ("Vic", hers)):
        reply = await people[name].send("DELETE", of(workspace, comment))
        reply.problem(403, "not_permitted")
    await people["Cora"].call("PATCH", of(workspace, hers), {"body": "Hers"})
    await people["Abe"].call("DELETE", of(workspace, hers))
    database.join(workspace, "Abe", "viewer")
    reply = await people["Abe"].send("DELETE", of(workspace, his))
    reply.problem(403, "not_permitted")


async def test_a_token_that_only_reads_comments_on_nothing(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    said = await say(client, path)
    for scopes, status in ((["read"], 403), (["write"], 201)):
        made = await client.call("POST", f"{ME}/tokens", {"name": "ci", "scopes": scopes})
        program = Client(client.session, client.url, made["token"])
        assert (await program.send("POST", path, {"body": "x"})).status == status
        if status == 403:
            (await program.send("DELETE", of(workspace, said))).problem(403, "not_permitted")


async def test_who_sees_the_own_records_talks_about_these_alone(
    client: Client, database: Database, workspace: str, records: str
) -> None:
    database.run(
        "insert into core.role (workspace_id, key, label, read, edit, may) values"
        " (%s, 'own', 'Own', '{task:own}', '{task:own}', '{create:task,comment:task:own}')",
        workspace,
    )
    database.join(workspace, "Bob", "own")
    bob = Client(client.session, client.url, database.token("Bob"))
    his = f"{records}/{database.task(workspace, 'Bob', title='His')['id']}/comments"
    hers = f"{records}/{database.task(workspace, title='Hers')['id']}/comments"
    said = await say(client, hers, "Secret, @Bob")
    assert said["mentions"] == [], "he may not see it"
    await say(bob, his, "Mine")
    await say(client, his, "Hello, @bob")
    assert [comment["body"] for comment in await listed(bob, his)] == ["Mine", "Hello, @bob"]
    (await bob.send("GET", hers)).problem(404, "unknown_record")
    (await bob.send("POST", hers, {"body": "x"})).problem(404, "unknown_record")
    for method, body in (("PATCH", {"body": "x"}), ("DELETE", None)):
        reply = await bob.send(method, of(workspace, said), body)
        reply.problem(404, "unknown_comment")
    body = {"body": "x", "parentId": said["id"]}
    problem = (await bob.send("POST", his, body)).problem(422, "invalid_comment")
    unknown = {**body, "parentId": str(uuid.uuid4())}
    assert (await bob.send("POST", his, unknown)).problem(422) == problem


async def test_comments_come_into_sight_and_leave_it_with_their_record(
    client: Client, database: Database, workspace: str, records: str, path: str
) -> None:
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'assignee', 'Assignee', 'user')",
        workspace,
    )
    database.run(
        "insert into core.role (workspace_id, key, label, read, may) values"
        " (%s, 'own', 'Own', '{task:own}', '{comment:task:own}')",
        workspace,
    )
    account = database.join(workspace, "Bob", "own")
    bob = Client(client.session, client.url, database.token("Bob"))
    first = await say(client, path, "Before")
    record = path.removesuffix("/comments")
    await client.call("PATCH", record, {"patch": {"assignee": account}})
    assert [comment["body"] for comment in await listed(bob, path)] == ["Before"]
    his = await say(bob, path, "Mine now", parentId=first["id"])
    await client.call("PATCH", record, {"patch": {"assignee": None}})
    (await bob.send("GET", path)).problem(404, "unknown_record")
    reply = await bob.send("PATCH", of(workspace, his), {"body": "Still mine?"})
    reply.problem(404, "unknown_comment")
    assert [comment["body"] for comment in await listed(client, path)] == ["Before", "Mine now"]


async def test_another_tenants_comments_do_not_exist(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    said = await say(client, path, "Secret")
    own = database.workspace("Eve", name="Eve's own")
    eve = Client(client.session, client.url, database.token("Eve"))
    for where, code in ((workspace, "unknown_workspace"), (own, "unknown_comment")):
        for method, body in (("PATCH", {"body": "x"}), ("DELETE", None)):
            (await eve.send(method, of(where, said), body)).problem(404, code)
    assert [comment["body"] for comment in await listed(client, path)] == ["Secret"]


async def test_who_is_erased_is_mentioned_no_more_and_her_comments_stay(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    her = await sign_up(client, database, "mallory@example.org", name="Mallory Quux")
    mallory = await log_in(client, "mallory@example.org")
    database.run("insert into core.member values (%s, %s, 'editor')", workspace, her)
    await say(mallory.client, path, "Mine")
    said = await say(client, path, "@Mallory and @Ada, look")
    await client.call("PATCH", of(workspace, said), {"body": "@mallory@example.org, @Ada, look"})
    gone = await say(client, path, "@Mallory")
    await client.call("DELETE", of(workspace, gone))
    seqs = database.value("select array_agg(seq order by seq) from core.change")
    mentioned = (
        "select (select count(*) from core.comment c where %s::uuid = any (c.mentions)) + ("
        " select count(*) from core.change c where (c.patch -> 'comment' -> 'mentions')::text ~ %s"
        " or (c.before -> 'comment' -> 'mentions')::text ~ %s)"
    )
    assert database.value(mentioned, her, her, her) == 6
    await mallory.client.call("DELETE", ME)
    await eventually(lambda: database.value(mentioned, her, her, her) == 0, 20, "the erasure")
    hers, edited, _ = await listed(client, path)
    assert (hers["body"], hers["author"]) == ("Mine", {"id": her, "name": "Erased user"})
    assert edited["mentions"] == [person(database, "Ada")]
    await eventually(
        lambda: (
            database.value("select array_agg(seq order by seq) from core.change")
            == [*seqs, seqs[-1] + 1]
        ),
        what="the end of a membership, and no other change",
    )
