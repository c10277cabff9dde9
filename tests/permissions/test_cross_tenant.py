"""Another tenant's things, over HTTP: they are as if they were not, to the last byte."""

import asyncio
import base64
import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from permissions.calls import Request, cases
from permissions.world import KINDS, NAME, TITLE, World
from storing import FORM
from support import Client, Database, HttpReply

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PASSING = {"Date", "X-Request-ID"}


async def send(client: Client, request: Request, **headers: str) -> HttpReply:
    """Sends a request as a client."""
    more: dict[str, Any] = {}
    if request.csv is not None:
        more, headers = {"data": request.csv.encode()}, {**headers, "Content-Type": "text/csv"}
    if request.form is not None:
        more, headers = {"data": request.form}, {**headers, **FORM}
    return await client.send(
        request.method, request.path, request.body, params=request.query, headers=headers, **more
    )


def shown(reply: HttpReply) -> tuple[int, dict[str, str], str]:
    """All that a client can tell answers apart by."""
    headers = {name: value for name, value in reply.headers.items() if name not in _PASSING}
    return reply.status, headers, reply.text


def renamed(request: Request, names: Callable[[str], str]) -> Request:
    """A request with other ids in its path, query and body."""

    def rename(text: str) -> str:
        return _UUID.sub(lambda match: names(match[0]), text)

    return replace(
        request,
        path=rename(request.path),
        query=json.loads(rename(json.dumps(dict(request.query)))),
        body=json.loads(rename(json.dumps(request.body))),
    )


def own_of(workspace: str, own: str) -> Callable[[str], str]:
    """Puts one workspace in the place of another."""
    return lambda name: own if name == workspace else name


def phantom(request: Request, *kept: str) -> Request:
    """The request about things that there are not."""
    return renamed(request, lambda name: name if name in kept else str(uuid.uuid4()))


def queued(request: Request) -> list[str]:
    """The ids of a queue's transactions, which its answer says again."""
    body = request.body if isinstance(request.body, dict) else {}
    return [transaction["id"] for transaction in body.get("transactions", [])]


async def check_alike(client: Client, world: World, real: Request, unreal: Request) -> HttpReply:
    """Fails unless what is there, and is another's, looks like what is not."""
    replies = [await send(client, real), await send(client, unreal)]
    assert shown(replies[0]) == shown(replies[1])
    assert "ETag" not in replies[0].headers or replies[0].status < 400
    secrets = (TITLE, NAME, world.owner.email, world.mate.email, world.owner.account)
    assert not [secret for secret in secrets if secret in replies[0].text], replies[0].text
    return replies[0]


async def own_workspace(client: Client, kind: str) -> str:
    """A new workspace of the caller's."""
    body = {"name": "Elsewhere", "template": KINDS[kind][0]}
    return str((await client.call("POST", "/api/v1/workspaces", body))["id"])


# What names a thing by an id. (The link of an invitation is signed: nobody can make one up.)
NAMING = [
    case
    for case in cases()
    if "{" in case.name or case.kind != "request" or " /api/requests" in case.name
    if case.case != "one's own"
]
RECORDS = [case for case in NAMING if "{id}" in case.name]


@pytest.mark.parametrize("column", ["strng", "gone"])
async def test_every_route_answers_about_anothers_things_as_about_what_is_not_there(
    database: Database, client: Client, column: str
) -> None:
    worlds = {kind: World(database, column, kind) for kind in KINDS}
    for case in NAMING:
        world = worlds[case.kind]
        assert world.actor is not None
        actor = replace(client, token=world.actor.token)
        real = case.request(world)
        unreal = phantom(real, world.actor.account)
        assert real != unreal, case.name
        reply = await check_alike(actor, world, real, unreal)
        assert reply.status == 404, (case.name, case.case)


async def test_in_ones_own_workspace_anothers_things_are_what_is_not_there(
    database: Database, client: Client
) -> None:
    tried = set()
    for kind in KINDS:
        world = World(database, "strng", kind)
        assert world.actor is not None
        actor = replace(client, token=world.actor.token)
        own = await own_workspace(actor, kind)
        for case in NAMING:
            if case.kind != kind or case.case.startswith("oneself"):
                continue
            real = renamed(case.request(world), own_of(world.workspace, own))
            unreal = phantom(real, own, *queued(real))
            if own in real.path and real != unreal:
                reply = await check_alike(actor, world, real, unreal)
                # of what is not there the first gives none; each of a queue gets its own 404
                several = case.name.endswith(("/records/get", "/replay"))
                assert reply.status == (200 if several else 404), (case.name, case.case)
                tried.add(case.name.rpartition("{workspace}")[2])
    assert tried >= {
        "/transfer", "/members/{account}", "/invitations/{invitation}", "/records/{id}",
        "/records/{id}/move", "/records/{id}/restore",
    }, tried  # fmt: skip


async def test_a_record_that_a_role_does_not_show_is_as_one_that_is_not_there(
    database: Database, client: Client
) -> None:
    for case in RECORDS:
        world = World(database, "other", case.kind)
        assert world.actor is not None
        actor = replace(client, token=world.actor.token)
        real = case.request(world)
        reply = await check_alike(actor, world, real, phantom(real, world.workspace))
        assert reply.status == 404, (case.name, case.case)


# Two tenants, each with a workspace of the same template.


@dataclass(frozen=True)
class Tenant:
    """The owner of a workspace with three tasks, as a client."""

    client: Client
    workspace: str
    tasks: list[dict[str, Any]]

    @property
    def path(self) -> str:
        """The path of the workspace."""
        return f"/api/v1/workspaces/{self.workspace}"

    async def list(self, **query: str) -> HttpReply:
        """A page of the tasks."""
        params = {"collection": "task", **query}
        return await self.client.send("GET", f"{self.path}/records", params=params)

    def check_own(self, reply: HttpReply, other: "Tenant") -> Any:
        """The answer, which must tell nothing of another tenant."""
        assert reply.status in (200, 201), reply.text
        names = [other.workspace, *(task["id"] for task in other.tasks), "of Ada", "Ada Ltd"]
        assert not [name for name in names if name in reply.text]
        return reply.json


@pytest.fixture
def ada(client: Client, database: Database) -> Tenant:
    """Whose things are secret."""
    return tenant(client, database, "Ada")


@pytest.fixture
def eve(client: Client, database: Database) -> Tenant:
    """Who wants to know them."""
    return tenant(client, database, "Eve")


def tenant(client: Client, database: Database, name: str) -> Tenant:
    workspace = database.workspace(name, name=f"{name} Ltd")
    tasks = [
        database.task(workspace, name, title=f"{letter} of {name}", status="todo")
        for letter in "ABC"
    ]
    return Tenant(replace(client, token=database.token(name)), workspace, tasks)


async def test_display_ids_of_another_tenant_name_nothing(ada: Tenant, eve: Tenant) -> None:
    theirs, nothing = ada.tasks[0]["displayId"], "TSK-999-0001"
    own = eve.tasks[0]["id"]
    requests: list[tuple[str, str, Any]] = [
        ("PATCH", "/api/tasks/{}", {"patch": {"title": "X"}}),
        *(
            (method, f"{eve.path}/records/{{}}{rest}", body)
            for method, rest, body in (
                ("GET", "", None),
                ("PATCH", "", {"patch": {"title": "X"}}),
                ("DELETE", "", None),
                ("POST", "/restore", None),
                ("POST", "/move", {"field": "status", "value": "done"}),
            )
        ),
    ]
    for method, path, body in requests:
        for name in (theirs, theirs.lower(), ada.tasks[0]["id"]):
            replies = [await eve.client.send(method, path.format(x), body) for x in (name, nothing)]
            replies[0].problem(404, "unknown_record")
            assert shown(replies[0]) == shown(replies[1])
    for side in ("before", "after"):
        replies = [
            await eve.client.send("POST", f"{eve.path}/records/{own}/move", {side: name})
            for name in (theirs, nothing)
        ]
        assert replies[0].status in (404, 422)
        assert shown(replies[0]) == shown(replies[1])


async def test_filters_find_nothing_of_another_tenant(ada: Tenant, eve: Tenant) -> None:
    task = ada.tasks[0]
    for key, value in {
        "title": task["data"]["title"],
        "displayId": task["displayId"],
        "createdBy": task["createdBy"],
        "title][contains": "of Ada",
    }.items():
        reply = await eve.list(**{f"filter[{key}]": value})
        assert eve.check_own(reply, ada)["tasks"] == []
        reply = await eve.client.send(
            "GET",
            "/api/tasks",
            params={f"filter[{key}]": value, "workspaceId": eve.workspace},
        )
        assert eve.check_own(reply, ada)["tasks"] == []
    found = eve.check_own(await eve.list(**{"filter[title][contains]": "of"}), ada)
    assert [task["id"] for task in found["tasks"]] == [task["id"] for task in eve.tasks]


async def test_fields_and_collections_of_another_tenant_are_unknown(
    ada: Tenant, eve: Tenant, database: Database
) -> None:
    database.run(
        "insert into core.collection (workspace_id, key, plural, label, prefix)"
        " values (%s, 'merger', 'mergers', 'Mergers', 'MRG')",
        ada.workspace,
    )
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'task', 'target', 'Target', 'text')",
        ada.workspace,
    )
    assert (await ada.list(sort="target")).status == 200
    assert (await ada.list(collection="merger")).status == 200
    for query in ({"sort": "{}"}, {"filter[{}]": "x"}, {"collection": "{}"}):
        texts = set()
        for name in ("target", "merger", "absent"):
            named = {key.format(name): value.format(name) for key, value in query.items()}
            reply = await eve.list(**named)
            assert reply.status in (404, 422)
            texts.add(reply.text.replace(name, "NAME"))
        assert len(texts) == 1


async def test_the_workspace_of_the_path_wins_over_one_in_the_query(
    ada: Tenant, eve: Tenant
) -> None:
    for path in ("", "/members", "/roles", "/audit", "/collections", "/snapshot", "/invitations"):
        plain = await eve.client.send("GET", eve.path + path)
        named = await eve.client.send("GET", eve.path + path, params={"workspaceId": ada.workspace})
        eve.check_own(named, ada)
        assert shown(named) == shown(plain)


def cursor(sort: str, values: list[Any]) -> str:
    """A forged cursor, as the server would have made it."""
    text = json.dumps({"s": sort, "v": values})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("sort", ["", "title", "-title", "createdAt", "-number", "displayId"])
async def test_cursors_of_another_tenant_lead_nowhere_but_through_ones_own(
    ada: Tenant, eve: Tenant, sort: str
) -> None:
    query = {"sort": sort} if sort else {}
    given = (await ada.list(limit="1", **query)).json["nextCursor"]
    own = (await eve.list(limit="1", **query)).json["nextCursor"]
    assert given
    assert own
    seen = eve.check_own(await eve.list(cursor=given, **query), ada)["tasks"]
    assert {task["id"] for task in seen} <= {task["id"] for task in eve.tasks}
    task = ada.tasks[1]
    value = {**task, **task["data"]}.get(sort.lstrip("-"))
    values = [value, task["number"]] if sort else [task["number"]]
    forged = await eve.list(cursor=cursor(sort, values), **query)
    seen = eve.check_own(forged, ada)["tasks"]
    assert {task["id"] for task in seen} <= {task["id"] for task in eve.tasks}


def told_by(text: str) -> str:
    """What a cursor says to who decodes it."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


async def paged(client: Client, path: str, collection: str, sort: str) -> list[str]:
    """The titles of a list, read one record a page; each cursor must tell of that record alone."""
    titles: list[str] = []
    query = {"collection": collection, "limit": "1", "sort": sort}
    while True:
        reply = await client.call("GET", path, params=query)
        (record,) = reply[f"{collection}s"]
        titles.append(record["data"]["title"])
        if reply["nextCursor"] is None:
            return titles
        values = json.loads(told_by(reply["nextCursor"]))["v"]
        assert values == [titles[-1], str(record["number"])]
        query["cursor"] = reply["nextCursor"]


@pytest.mark.parametrize("sort", ["title", "-title"])
async def test_pages_are_cut_as_if_there_were_no_other_tenant(
    ada: Tenant, eve: Tenant, sort: str
) -> None:
    assert len(ada.tasks) == len(eve.tasks), "whose titles alternate"
    titles = await paged(eve.client, f"{eve.path}/records", "task", sort)
    assert titles == sorted((f"{x} of Eve" for x in "ABC"), reverse=sort != "title")


@pytest.mark.parametrize("sort", ["title", "-title"])
async def test_pages_are_cut_as_if_there_were_no_records_out_of_sight(
    client: Client, database: Database, sort: str
) -> None:
    workspace = database.workspace("Ada", "requests")
    database.join(workspace, "Rosa", "requester")
    for letter in "ABC":
        for actor in ("Ada", "Rosa"):
            title = f"{letter} of {actor}"
            data = {"title": title, "description": "Thrice", "vendor": "Contoso"}
            arguments = {"collection": "request", "data": data}
            database.call("record_create", workspace, actor=actor, arguments=arguments)
    rosa = replace(client, token=database.token("Rosa"))
    path = f"/api/v1/workspaces/{workspace}/records"
    titles = await paged(rosa, path, "request", sort)
    assert titles == sorted((f"{x} of Rosa" for x in "ABC"), reverse=sort != "title")


async def test_cursors_of_the_log_and_the_audit_stay_in_ones_own(ada: Tenant, eve: Tenant) -> None:
    for n in range(5):
        body = {"patch": {"title": f"{n} of Ada"}}
        await ada.client.call("PATCH", f"{ada.path}/records/{ada.tasks[0]['id']}", body)
    last = (await ada.client.call("GET", f"{ada.path}/snapshot"))["seq"]
    for since in range(last + 2):
        reply = await eve.client.send("GET", f"{eve.path}/changes?since={since}")
        changes = eve.check_own(reply, ada)["changes"]
        assert {change["workspaceId"] for change in changes} <= {eve.workspace}
        reply = await eve.client.send("GET", f"{eve.path}/audit?cursor={since + 1}")
        eve.check_own(reply, ada)


async def test_many_concurrent_requests_of_two_tenants_are_answered_each_with_its_own(
    ada: Tenant, eve: Tenant
) -> None:
    """They share batches and connections."""
    other = {ada.workspace: eve, eve.workspace: ada}

    async def write(who: Tenant, n: int) -> None:
        task = who.tasks[n % 3]
        mark = f"{n} {who.workspace}"
        path = f"{who.path}/records/{task['id']}" if n % 2 else f"/api/tasks/{task['id']}"
        reply = await who.client.send("PATCH", path, {"patch": {"description": mark}})
        assert reply.status == 200
        assert mark in reply.text
        assert other[who.workspace].workspace not in reply.text

    async def trespass(who: Tenant, n: int) -> None:
        task = other[who.workspace].tasks[n % 3]
        where = who if n % 2 else other[who.workspace]
        path = f"{where.path}/records/{task['id']}"
        reply = await who.client.send("PATCH", path, {"patch": {"description": "mine"}})
        reply.problem(404, "unknown_record" if n % 2 else "unknown_workspace")
        assert reply.text.count(task["id"]) == 0

    async def read(who: Tenant, n: int) -> None:
        reply = await who.client.send("GET", f"{who.path}/snapshot")
        assert {task["id"] for task in reply.json["records"]} == {t["id"] for t in who.tasks}
        assert other[who.workspace].workspace not in reply.text

    async with asyncio.TaskGroup() as group:
        for n in range(60):
            for who in (ada, eve):
                for act in (write, trespass, read):
                    group.create_task(act(who, n))
    for who in (ada, eve):
        for task in (await who.client.call("GET", f"{who.path}/snapshot"))["records"]:
            assert task["data"]["description"].endswith(who.workspace)


@pytest.mark.parametrize("form", ["native", "atlas"])
async def test_an_event_id_of_another_tenant_resumes_nothing(
    ada: Tenant, eve: Tenant, form: str
) -> None:
    def path(who: Tenant) -> str:
        return f"{who.path}/events" if form == "native" else f"/api/tasks/{who.workspace}/events"

    ids = []
    async with ada.client.events(path(ada)) as stream:
        for n in range(3):
            await stream.next()
            ids.append(stream.last_event_id)
            body = {"patch": {"title": f"{n} of Ada"}}
            await ada.client.call("PATCH", f"/api/tasks/{ada.tasks[0]['id']}", body)
    assert len(set(ids)) == 3
    for event_id in ids:
        assert event_id is not None
        async with eve.client.events(path(eve), event_id) as stream:
            begun = await stream.take(2)
            assert [event.name for event in begun] == ["connected", "reset"]
            assert ada.workspace not in json.dumps([event.data for event in begun])
            task = eve.tasks[0]["id"]
            await eve.client.call("PATCH", f"/api/tasks/{task}", {"patch": {"n": event_id}})
            event = await stream.next()
            assert task in json.dumps(event.data)
        replies = [
            await eve.client.send("GET", place, headers={"Last-Event-ID": event_id})
            for place in (path(ada), path(replace(ada, workspace=str(uuid.uuid4()))))
        ]
        replies[0].problem(404, "unknown_workspace")
        assert shown(replies[0]) == shown(replies[1])


async def test_a_stream_of_records_of_another_tenant_stays_silent_about_them(
    ada: Tenant, eve: Tenant
) -> None:
    theirs, own = ada.tasks[0]["id"], eve.tasks[0]["id"]
    async with eve.client.events(f"{eve.path}/events?records={theirs},{own}") as stream:
        assert (await stream.next()).name == "connected"
        body = {"patch": {"title": "changed, of Ada"}}
        await ada.client.call("PATCH", f"{ada.path}/records/{theirs}", body)
        await eve.client.call("PATCH", f"{eve.path}/records/{own}", {"patch": {"title": "mine"}})
        event = await stream.next()
        assert own in json.dumps(event.data)
        assert "of Ada" not in json.dumps(event.data)


async def test_a_ticket_opens_no_stream_of_another_tenant(ada: Tenant, eve: Tenant) -> None:
    nobody = replace(eve.client, token=None)
    replies = []
    for workspace in (ada.workspace, str(uuid.uuid4())):
        ticket = (await eve.client.call("POST", "/api/v1/auth/ticket"))["ticket"]
        path = f"/api/v1/workspaces/{workspace}/events?ticket={ticket}"
        replies.append(await nobody.send("GET", path))
    replies[0].problem(404, "unknown_workspace")
    assert shown(replies[0]) == shown(replies[1])


async def test_etags_of_another_tenant_prove_nothing(ada: Tenant, eve: Tenant) -> None:
    places = [f"{ada.path}/records/{ada.tasks[0]['id']}", ada.path, f"{ada.path}/members"]
    for place in places:
        etag = (await ada.client.send("GET", place)).headers["ETag"]
        nowhere = _UUID.sub(lambda _: str(uuid.uuid4()), place)
        plain = await eve.client.send("GET", nowhere)
        for known in (etag, "*", '"1"'):
            reply = await eve.client.send("GET", place, headers={"If-None-Match": known})
            assert shown(reply) == shown(plain)
            assert reply.status == 404
        headers = {"If-Match": etag}
        body: Any = {"patch": {"title": "X"}} if "records" in place else {"name": "X"}
        if not place.endswith("members"):
            replies = [
                await eve.client.send("PATCH", where, body, headers=given)
                for where, given in ((place, headers), (place, {"If-Match": '"99"'}), (nowhere, {}))
            ]
            assert len({str(shown(reply)) for reply in replies}) == 1
            assert replies[0].status == 404
    theirs = (await ada.list()).headers["ETag"]
    own = await eve.client.send(
        "GET", f"{eve.path}/records?collection=task", headers={"If-None-Match": theirs}
    )
    eve.check_own(own, ada)


async def test_idempotency_keys_are_each_tenants_own(ada: Tenant, eve: Tenant) -> None:
    headers = {"Idempotency-Key": "the-same-key"}
    created: Any = {"collection": "task", "data": {"title": "the same"}}
    paths: list[tuple[str, str, Any]] = [
        ("POST", "{}/records", created),
        ("PATCH", "{}", {"name": "Renamed"}),
        ("POST", "{}/invitations", {"email": "guest@example.org", "role": "viewer"}),
    ]
    for n, (method, path, body) in enumerate(paths):
        keyed = {"Idempotency-Key": f"key {n}"}
        first = await ada.client.send(method, path.format(ada.path), body, headers=keyed)
        same = await eve.client.send(method, path.format(eve.path), body, headers=keyed)
        assert first.status in (200, 201)
        assert ada.workspace not in same.text
        if method == "POST":
            assert eve.check_own(same, ada)["id"] != (first.json["id"])
        replies = [
            await eve.client.send(method, path.format(where), body, headers=keyed)
            for where in (ada.path, f"/api/v1/workspaces/{uuid.uuid4()}")
        ]
        replies[0].problem(404, "unknown_workspace")
        assert shown(replies[0]) == shown(replies[1])
    made: Any = {"name": "One more", "template": "tasks"}
    spaces = [
        await who.client.call("POST", "/api/v1/workspaces", made, headers=headers)
        for who in (ada, eve, ada, eve)
    ]
    assert [space["id"] for space in spaces[:2]] == [space["id"] for space in spaces[2:]]
    assert spaces[0]["id"] != spaces[1]["id"]
    tokens: Any = {"name": "t", "scopes": ["read"]}
    secrets = [
        await who.client.call(
            "POST", "/api/v1/me/tokens", tokens, headers={"Idempotency-Key": "a token"}
        )
        for who in (ada, eve)
    ]
    assert secrets[0]["id"] != secrets[1]["id"]
    other: Any = {"name": "Another", "template": "requests"}
    assert (await eve.client.send("POST", "/api/v1/workspaces", other, headers=headers)).problem(
        422, "transaction_reused"
    )


async def test_an_import_is_each_tenants_own_under_the_same_key(ada: Tenant, eve: Tenant) -> None:
    headers = {"Content-Type": "text/csv", "Idempotency-Key": "tasks.csv"}
    body = b"title\nOne\nTwo\n"
    for who in (ada, eve):
        answer = await who.client.send(
            "POST", f"{who.path}/import?collection=task", data=body, headers=headers
        )
        assert (answer.status, answer.json["created"], answer.json["skipped"]) == (200, 2, 0)
    replies = [
        await eve.client.send("POST", f"{where}/import", data=body, headers=headers)
        for where in (ada.path, f"/api/v1/workspaces/{uuid.uuid4()}")
    ]
    replies[0].problem(404, "unknown_workspace")
    assert shown(replies[0]) == shown(replies[1])


async def test_an_invitation_does_not_tell_whether_an_address_has_an_account(
    ada: Tenant, eve: Tenant, database: Database
) -> None:
    database.join(ada.workspace, "Ann", "editor")
    answers = []
    for email in ("Ann@example.org", "Abe@example.org"):
        body = {"email": email, "role": "viewer"}
        reply = await eve.client.send("POST", f"{eve.path}/invitations", body)
        answer = eve.check_own(reply, ada)
        assert answer.pop("email") == email
        answers.append({key: value for key, value in answer.items() if not _volatile(key)})
    assert answers[0] == answers[1]
    listed = await eve.client.call("GET", f"{eve.path}/invitations")
    assert {key for row in listed["invitations"] for key in row} <= set(reply.json)


def _volatile(key: str) -> bool:
    return key in ("id", "seq", "createdAt", "expiresAt")


async def test_members_and_audit_tell_of_ones_own_alone(
    ada: Tenant, eve: Tenant, database: Database
) -> None:
    """Also of somebody who is a member of both: no more than what he is and did here."""
    for who, role in ((ada, "admin"), (eve, "viewer")):
        database.join(who.workspace, "Ann", role)
    ann = database.account("Ann")
    body = {"role": "editor"}
    await ada.client.call("PATCH", f"{ada.path}/members/{ann}", body)
    members = eve.check_own(await eve.client.send("GET", f"{eve.path}/members"), ada)["members"]
    assert {m["name"]: m["role"] for m in members} == {"Eve": "owner", "Ann": "viewer"}
    audit = eve.check_own(await eve.client.send("GET", f"{eve.path}/audit"), ada)["events"]
    assert all(event.get("role") != "editor" for event in audit)
    both = replace(eve.client, token=database.token("Ann"))
    for who, status in ((ada, 200), (eve, 403)):
        reply = await both.send("PATCH", f"{who.path}/records/{who.tasks[0]['id']}",
                                {"patch": {"title": "X"}})  # fmt: skip
        assert reply.status == status
