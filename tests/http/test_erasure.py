"""Erasure: a person leaves accounts, documents and the log; all else stays whole.

The rule: e-mail address, name, picture, password, sessions, mails and
invitations go at once; then, workspace by workspace, membership and the id in user fields, of
documents by a logged change, in the log by null. What stays is an id that says nothing.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import psycopg
import pytest

from people import (
    ME,
    PASSWORD,
    SignIn,
    anonymous,
    log_in,
    mail_token,
    refresh,
    register,
    sign_up,
    try_log_in,
)
from streams.streaming import Reader, following, head, names
from support import Client, Database, ServerProcess, eventually

MALLORY = "mallory.quux@example.org"
NAME = "Mallory Quux"
DONE = "ffffffff-ffff-ffff-ffff-ffffffffffff"
LEFT = (
    "select count(*) from core.account"
    " where erased_at is not null and erased_through is distinct from %s"
)


@pytest.fixture
async def mallory(client: Client, database: Database) -> SignIn:
    """Who is going to be erased, signed in."""
    await sign_up(client, database, MALLORY, name=NAME)
    return await log_in(client, MALLORY)


@pytest.fixture
def workspace(database: Database) -> str:
    """A workspace of Ada's with requests, which are assigned to people."""
    return requests_of(database)


def requests_of(database: Database, name: str = "Test") -> str:
    """A workspace of Ada's whose requests have watchers besides."""
    workspace = database.workspace(template="requests", name=name)
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type)"
        " values (%s, 'request', 'watchers', 'Watchers', 'user')",
        workspace,
    )
    return workspace


# What every request holds: what is required, and the defaults.
BASIC = {
    "description": "Thrice",
    "vendor": "Contoso",
    "status": "Submitted",
    "priority": "Medium",
}


def join(database: Database, workspace: str, account: str, role: str = "editor") -> None:
    database.run("insert into core.member values (%s, %s, %s)", workspace, account, role)


def base(workspace: str) -> str:
    return f"/api/v1/workspaces/{workspace}"


async def request(client: Client, workspace: str, **data: Any) -> str:
    """A new request; its id."""
    path = f"{base(workspace)}/records?collection=request"
    body = {"data": {**BASIC, **data}}
    return str((await client.call("POST", path, body, status=201))["id"])


async def change(client: Client, workspace: str, record: str, **data: Any) -> None:
    await client.call("PATCH", f"{base(workspace)}/records/{record}", {"patch": data})


async def erased(database: Database) -> None:
    """Waits until every erasure is carried through."""
    await eventually(lambda: database.value(LEFT, DONE) == 0, 20, "the erasure")


def log_of(database: Database, workspace: str) -> list[Any]:
    return [
        json.loads(row)
        for (row,) in database.run(
            "select to_jsonb(c)::text from core.change c where workspace_id = %s order by seq",
            workspace,
        )
    ]


def everything(database: Database) -> str:
    """All that any table of the database holds, as text; bytes as hex."""
    tables = database.run(
        "select c.oid::regclass::text from pg_class c where c.relkind in ('r', 'm')"
        " and c.relnamespace <> all ('{pg_catalog,information_schema}'::regnamespace[])"
        " order by 1"
    )
    assert len(tables) > 15
    rows = (database.run(f"select t::text from {table} t") for (table,) in tables)  # noqa: S608
    return "\n".join(str(found) for found in rows)


def user_values(change: dict[str, Any]) -> list[Any]:
    """What a change of a request holds in its user fields."""
    fields = [change["patch"], change["before"], (change["document"] or {}).get("data")]
    return [f.get(key) for f in fields if f for key in ("assignedTo", "watchers")]


async def test_nothing_of_the_person_is_left_anywhere(
    client: Client, database: Database, workspace: str, mallory: SignIn
) -> None:
    join(database, workspace, mallory.account, "admin")
    await mallory.client.call("PATCH", ME, {"avatar": "https://example.org/quux.png"})
    await mallory.client.call("POST", f"{ME}/tokens", {"name": NAME, "scopes": ["read"]})
    await mallory.client.call("POST", "/api/v1/auth/ticket")
    await register(client, MALLORY.upper(), name=NAME)
    body = {"email": MALLORY.title()}
    await client.call("POST", "/api/v1/auth/password-reset", body)
    body = {"email": "sam@example.org", "role": "editor"}
    await mallory.client.call("POST", f"{base(workspace)}/invitations", body)
    other = database.workspace(name="Other")
    body = {"email": MALLORY, "role": "editor"}
    await client.call("POST", f"{base(other)}/invitations", body)
    invitation = mail_token(database, "invitation", MALLORY)
    await request(mallory.client, workspace, title="Hers", assignedTo=mallory.account)
    before = everything(database).lower()
    for secret in (MALLORY, NAME.lower(), "quux"):
        assert secret in before

    assert await mallory.client.call("DELETE", ME) == {"id": mallory.account}
    assert "quux" not in everything(database).lower(), "what tells who it was goes at once"
    assert not await mallory.is_in()
    (await try_log_in(client, MALLORY)).problem(401, "wrong_credentials")
    reply = await client.send(
        "POST",
        "/api/v1/invitations/accept",
        {"token": invitation, "name": "X", "password": PASSWORD},
    )
    reply.problem(422, "invalid_token")
    await erased(database)
    after = everything(database)
    for word in ("quux", "mallory"):
        assert word not in after.lower()
        assert word.encode().hex() not in after
    assert "sam@example.org" in after, "the invitations that she sent are others' business"
    listed = (await client.call("GET", f"{base(workspace)}/members"))["members"]
    assert [member["name"] for member in listed] == ["Ada"]


async def test_documents_change_by_the_log_and_the_past_is_cleared_in_it(
    client: Client, database: Database, workspace: str, mallory: SignIn
) -> None:
    her, bob = mallory.account, database.join(workspace, "Bob", "editor")
    join(database, workspace, her)
    hers = await request(mallory.client, workspace, title="Hers", assignedTo=bob)
    given = await request(client, workspace, title="Given", assignedTo=her, watchers=[bob, her])
    await change(client, workspace, given, title="Given again")
    once = await request(client, workspace, title="Once", assignedTo=her)
    await change(client, workspace, once, assignedTo=bob)
    gone = await request(client, workspace, title="Gone", assignedTo=her)
    await client.call("DELETE", f"{base(workspace)}/records/{gone}")
    others = await request(client, workspace, title="Others", assignedTo=bob, description=her)
    await change(client, workspace, others, title="Others'")
    past = log_of(database, workspace)

    reader = Reader(client, f"{base(workspace)}/events")
    async with following(reader):
        await mallory.client.call("DELETE", ME)
        await erased(database)
        await reader.reached(head(database, workspace))
    assert sorted(names(reader.events[1:])) == ["member-left", "request-updated", "request-updated"]
    assert reader.resets == []
    patches = {e.data["id"]: e.data["patch"] for e in reader.events if "patch" in e.data}
    assert patches == {given: {"assignedTo": None, "watchers": [bob]}, gone: {"assignedTo": None}}
    found = await client.call("GET", f"{base(workspace)}/records/{given}")
    assert found["data"] == {**BASIC, "title": "Given again", "watchers": [bob]}
    assert found["version"] == 3
    assert (await client.call("GET", f"{base(workspace)}/records/{hers}"))["createdBy"] == her

    log = log_of(database, workspace)
    assert [c["seq"] for c in log] == list(range(1, len(past) + 4))
    assert her not in str([user_values(c) for c in log])
    for old, new in zip(past, log[: len(past)], strict=True):
        contents = {"patch", "before", "document"}
        assert {k: v for k, v in old.items() if k not in contents} == {
            k: v for k, v in new.items() if k not in contents
        }
        if her not in str(user_values(old)):
            assert new == old, "nothing else is touched"
    created = next(c for c in log if c["record_id"] == given)
    assert created["document"]["data"] == {**BASIC, "title": "Given", "watchers": [bob]}
    handed = next(c for c in log if c["record_id"] == once and c["action"] == "updated")
    assert (handed["before"], handed["patch"]) == ({"assignedTo": None}, {"assignedTo": bob})


async def test_a_stream_goes_on_across_an_erasure(
    client: Client, database: Database, workspace: str, mallory: SignIn
) -> None:
    join(database, workspace, mallory.account)
    reader = Reader(client, f"{base(workspace)}/events?since=0")
    async with following(reader):
        await request(client, workspace, title="Given", assignedTo=mallory.account)
        await reader.reached(head(database, workspace))
    await mallory.client.call("DELETE", ME)
    await erased(database)
    again = Reader(client, f"{base(workspace)}/events", reader.last_event_id)
    fresh = Reader(client, f"{base(workspace)}/events?since=0")
    async with following(again, fresh):
        for each in (again, fresh):
            await each.reached(head(database, workspace))
    assert (again.resets, fresh.resets) == ([], [])
    assert sorted(names(again.events)) == ["connected", "member-left", "request-updated"]
    assert NAME not in str(fresh.events)


async def test_the_last_owner_is_refused_with_the_workspaces_that_need_another(
    client: Client, database: Database, mallory: SignIn
) -> None:
    made = [
        (
            await mallory.client.call(
                "POST", "/api/v1/workspaces", {"name": name, "template": "tasks"}
            )
        )["id"]
        for name in ("Alone", "Shared", "Deleted", "Alone too")
    ]
    join(database, made[1], database.account("Bob"), "owner")
    join(database, made[0], database.account("Bob"), "admin")
    await mallory.client.call("DELETE", base(made[2]))
    problem = (await mallory.client.send("DELETE", ME)).problem(409, "last_owner")
    assert problem["workspaces"] == [
        {"id": made[0], "name": "Alone"},
        {"id": made[3], "name": "Alone too"},
    ]
    assert await mallory.is_in(), "nothing has happened"
    body = {"accountId": database.account("Bob")}
    await mallory.client.call("POST", f"{base(made[0])}/transfer", body)
    await mallory.client.call("DELETE", base(made[3]))
    assert (await mallory.client.send("DELETE", ME)).status == 200
    await erased(database)
    member = "select count(*) from core.member where account_id = %s"
    assert database.value(member, mallory.account) == 0, "also of the deleted ones"


async def test_who_was_erased_may_come_again_as_somebody_new(
    client: Client, database: Database, mallory: SignIn
) -> None:
    await mallory.client.call("DELETE", ME)
    (await refresh(client, mallory.refresh_token)).problem(401, "invalid_refresh_token")
    assert await sign_up(client, database, MALLORY, name=NAME) != mallory.account
    again = await log_in(client, MALLORY)
    assert (await again.client.call("GET", "/api/v1/workspaces"))["workspaces"] == []


async def test_an_erased_account_is_neither_listed_nor_let_in_again(
    client: Client, database: Database, mallory: SignIn
) -> None:
    await mallory.client.call("DELETE", ME)
    listed = database.value("select trusted.account_list()")["accounts"]
    assert mallory.account not in {account["id"] for account in listed}
    address = f"{mallory.account}@invalid"
    for function in ("account_disable(%s, false)", "account_find(%s)"):
        with pytest.raises(psycopg.Error) as caught:
            database.run(f"select trusted.{function}", address)
        assert caught.value.sqlstate == "PT404"
    (await try_log_in(client, address)).problem(401, "wrong_credentials")


async def test_an_erasure_is_taken_up_again_after_a_kill(
    database: Database, session: aiohttp.ClientSession, spawn: Callable[..., ServerProcess]
) -> None:
    first = spawn()
    client = Client(session, first.url, database.token("Ada"))
    account = await sign_up(client, database, MALLORY, name=NAME)
    workspaces = sorted(requests_of(database, str(n)) for n in range(5))
    for n, workspace in enumerate(workspaces):
        join(database, workspace, account)
        await request(client, workspace, title="Given", assignedTo=account)
        if n == 3:  # there she stands in a document, and is no member any more
            database.run("delete from core.member where account_id = %s and workspace_id = %s",
                         account, workspace)  # fmt: skip
    mallory = await log_in(client, MALLORY)
    through = "select erased_through::text from core.account where id = %s"
    with database.connect() as blocker:
        with blocker.transaction():
            blocker.execute(
                "select from core.clock where workspace_id = %s for update", [workspaces[2]]
            )
            await mallory.client.call("DELETE", ME)
            await eventually(lambda: database.value(through, account) == workspaces[1])
            first.kill()
        left = [her_traces(database, workspace, account) for workspace in workspaces]
    assert left[:2] == [0, 0]
    assert all(left[2:])
    spawn()
    await erased(database)
    assert [her_traces(database, workspace, account) for workspace in workspaces] == [0] * 5
    for workspace in workspaces:
        log = log_of(database, workspace)
        assert [c["seq"] for c in log] == list(range(1, len(log) + 1))
        cleared = [c for c in log if c["patch"] and "assignedTo" in c["patch"]]
        assert len(cleared) == 1, "cleared once"


def her_traces(database: Database, workspace: str, account: str) -> int:
    """In how many places a workspace has an account as member or in a user field."""
    inside = sum(account in str(user_values(c)) for c in log_of(database, workspace))
    data = database.run("select data::text from core.record where workspace_id = %s", workspace)
    member = database.value(
        "select count(*) from core.member where workspace_id = %s and account_id = %s",
        workspace,
        account,
    )
    return inside + sum(account in text for (text,) in data) + int(member)


async def test_an_erasure_that_fails_is_tried_again_and_holds_up_no_other_upkeep(
    client: Client, database: Database, workspace: str, mallory: SignIn
) -> None:
    join(database, workspace, mallory.account)
    database.run(
        "create function public.fail() returns trigger language plpgsql as"
        " $$ begin raise 'not now'; end $$"
    )
    database.run(
        "create trigger fail before delete on core.member"
        " for each row execute function public.fail()"
    )
    await mallory.client.call("DELETE", ME)
    database.run(
        "insert into core.ticket values (sha256(''), gen_random_uuid(), now() - interval '1 hour')"
    )
    database.run("select pg_notify('rowcast', 'upkeep')")
    await eventually(lambda: database.value("select count(*) from core.ticket") == 0)
    assert database.value(LEFT, DONE) == 1
    database.run("drop trigger fail on core.member")
    database.run("select pg_notify('rowcast', 'upkeep')")
    await erased(database)


async def test_two_who_are_erased_at_once_are_both_gone(
    client: Client, database: Database, workspace: str, mallory: SignIn
) -> None:
    await sign_up(client, database, "oscar@example.org", name="Oscar")
    oscar = await log_in(client, "oscar@example.org")
    for each in (mallory, oscar):
        join(database, workspace, each.account)
    shared = await request(client, workspace, title="x", watchers=[mallory.account, oscar.account])
    await asyncio.gather(*(each.client.call("DELETE", ME) for each in (mallory, oscar)))
    await erased(database)
    found = await client.call("GET", f"{base(workspace)}/records/{shared}")
    assert found["data"] == {**BASIC, "title": "x", "watchers": []}
    for each in (mallory, oscar):
        assert her_traces(database, workspace, each.account) == 0


async def test_only_who_has_signed_in_erases_himself(client: Client, database: Database) -> None:
    (await anonymous(client).send("DELETE", ME)).problem(401, "unauthenticated")
    assert database.value("select count(*) from core.account where erased_at is not null") == 0
