"""What happens to accounts, sessions and roles reaches open streams at once, in every process."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from people import AUTH, ME, PASSWORD, SignIn, anonymous, log_in, mail_token, refresh, sign_up
from streams.conftest import Server
from streams.streaming import Reader, as_account, create_in_psql, following, head, names
from support import Client, Database, Event, HttpReply, eventually

Way = Callable[[SignIn, SignIn], Awaitable[object]]


def elsewhere(client: Client, others: list[Client]) -> list[Client]:
    """The same caller at other servers."""
    return [replace(client, url=other.url) for other in others]


async def member(
    client: Client, database: Database, workspace: str, name: str, role: str = "viewer"
) -> SignIn:
    """Somebody new in a workspace, signed in."""
    account = await sign_up(client, database, f"{name}@example.org", name=name)
    database.run("insert into core.member values (%s, %s, %s)", workspace, account, role)
    return await log_in(client, f"{name}@example.org")


# The end


async def test_streams_end_with_what_let_them_in_within_a_second_in_every_process(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    """Each way has an account of its own, which is signed in twice: as `pat` and as `other`."""
    client, base = two[0], f"/api/v1/workspaces/{workspace}"

    async def revoke(pat: SignIn, other: SignIn) -> None:
        (listed,) = [
            session
            for session in (await other.client.call("GET", f"{ME}/sessions"))["sessions"]
            if not session["current"]
        ]
        await other.client.call("DELETE", f"{ME}/sessions/{listed['id']}")

    async def log_out(pat: SignIn, other: SignIn) -> None:
        await pat.by_cookie("POST", f"{AUTH}/logout", {})

    async def change_password(pat: SignIn, other: SignIn) -> None:
        body = {"password": "a new password", "currentPassword": PASSWORD}
        await other.client.call("PATCH", ME, body)

    async def reuse(pat: SignIn, other: SignIn) -> None:
        await refresh(client, pat.refresh_token)
        (await refresh(client, pat.refresh_token, "Thief/1.0")).problem(401)

    async def expire(pat: SignIn, other: SignIn) -> None:
        database.run(
            "update core.session set expires_at = now() where secret_hash = sha256(%s)",
            pat.cookie.partition("=")[2].encode(),
        )

    async def disable(pat: SignIn, other: SignIn) -> None:
        database.run("update core.account set disabled_at = now() where id = %s", pat.account)

    async def reset_password(pat: SignIn, other: SignIn) -> None:
        email = (await pat.client.call("GET", ME))["email"]
        await anonymous(client).call("POST", f"{AUTH}/password-reset", {"email": email})
        token = mail_token(database, "password-reset", email)
        body = {"token": token, "password": "a new password"}
        await anonymous(client).call("POST", f"{AUTH}/password-reset/confirm", body)

    async def erase(pat: SignIn, other: SignIn) -> None:
        await pat.client.call("DELETE", ME)

    async def leave(pat: SignIn, other: SignIn) -> None:
        await other.client.call("DELETE", f"{base}/members/{pat.account}")

    async def be_removed(pat: SignIn, other: SignIn) -> None:
        await client.call("DELETE", f"{base}/members/{pat.account}")

    # The status with which pat is then refused, and other; None: his streams go on.
    ways: dict[Way, tuple[int, int | None]] = {
        revoke: (401, None),
        log_out: (401, None),
        change_password: (401, None),
        reuse: (401, None),
        expire: (401, None),
        disable: (401, 401),
        reset_password: (401, 401),
        erase: (401, 401),
        leave: (404, 404),
        be_removed: (404, 404),
    }
    ada = Reader(two[1], events)
    for way, (his_end, others_end) in ways.items():
        database.run("delete from core.attempt")
        pat = await member(client, database, workspace, way.__name__)
        other = await log_in(client, f"{way.__name__}@example.org")
        his = [Reader(each, events) for each in elsewhere(pat.client, two)]
        his += [Reader(each, events) for each in elsewhere(pat.browser, two)]
        others = [Reader(each, events) for each in elsewhere(other.client, two)]
        async with following(ada, *his, *others):
            await way(pat, other)
            for reader in his:
                await reader.was_refused(his_end, seconds=1)
            create_in_psql(database, workspace, 1)
            await ada.reached(last := head(database, workspace))
            for reader in others:
                if others_end is None:
                    await reader.reached(last)
                    assert reader.refused == [], way.__name__
                else:
                    await reader.was_refused(others_end, seconds=1)
        for reader in his:
            assert reader.connects == 1, way.__name__
            assert "task-created" not in names(reader.events), way.__name__


async def test_the_streams_of_a_deleted_workspace_end_in_every_process_and_come_back_with_it(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    pat = await member(two[0], database, workspace, "pat")
    readers = [Reader(each, events) for c in (two[0], pat.client) for each in elsewhere(c, two)]
    async with following(*readers):
        await two[0].call("DELETE", f"/api/v1/workspaces/{workspace}")
        for reader in readers:
            await reader.was_refused(404, seconds=1)
        await two[0].call("POST", f"/api/v1/workspaces/{workspace}/restore")
        await eventually(lambda: all(reader.connects == 2 for reader in readers))
        create_in_psql(database, workspace, 1)
        for reader in readers:
            await reader.reached(head(database, workspace))
            assert reader.resets == []


async def test_the_stream_of_a_token_ends_with_the_token_alone(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    pat = await member(server.client, database, workspace, "pat")
    readers, ids = [], []
    for scope in ("read", "write"):
        body = {"name": "x", "scopes": [scope]}
        token = await pat.client.call("POST", f"{ME}/tokens", body)
        ids.append(token["id"])
        readers.append(Reader(replace(pat.client, token=token["token"]), events))
    own = Reader(pat.client, events)
    async with following(own, *readers):
        await pat.client.call("DELETE", f"{ME}/tokens/{ids[0]}")
        await readers[0].was_refused(401, seconds=1)
        create_in_psql(database, workspace, 1)
        for reader in (own, readers[1]):
            await reader.reached(head(database, workspace))
    assert readers[0].seqs == []


async def test_a_stream_ends_when_its_session_has_had_its_time(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    """This server does not poll: the stream knows by itself."""
    pat = await member(server.client, database, workspace, "pat")
    database.run(
        "update core.session set expires_at = clock_timestamp() + interval '2.2 seconds'"
        " where account_id = %s",
        pat.account,
    )
    reader = Reader(pat.browser, events)
    async with following(reader):
        await reader.was_refused(401, seconds=5)


# Roles


async def put_role(client: Client, workspace: str, key: str, **change: Any) -> None:
    """Changes one role over HTTP."""
    path = f"/api/v1/workspaces/{workspace}/roles"
    roles = (await client.call("GET", path))["roles"]
    wanted = [role | change if role["key"] == key else role for role in roles]
    await client.call("PUT", path, {"roles": wanted})


@pytest.mark.parametrize("how", ["role", "member"])
async def test_rights_that_are_narrowed_or_widened_reset_streams_in_every_process(
    two: list[Client], database: Database, workspace: str, events: str, how: str
) -> None:
    base = f"/api/v1/workspaces/{workspace}"
    roles = (await two[0].call("GET", f"{base}/roles"))["roles"]
    narrow = {"key": "narrow", "label": "Narrow", "read": ["task:own"]}
    await two[0].call("PUT", f"{base}/roles", {"roles": [*roles, narrow]})
    pat = await member(two[0], database, workspace, "pat")
    bystander = await member(two[0], database, workspace, "sam", "editor")

    async def change(client: Client, read: list[str], role: str) -> None:
        if how == "role":
            await put_role(client, workspace, "viewer", read=read)
        else:
            await client.call("PATCH", f"{base}/members/{pat.account}", {"role": role})

    his = [Reader(each, events) for each in elsewhere(pat.client, two)]
    others = [Reader(each, events) for each in elsewhere(bystander.client, two)]
    async with following(*his, *others):
        await change(two[0], ["task:own"], "narrow")
        for reader in his:
            await reader.was_reset("access", seconds=1)
        create_in_psql(database, workspace, 1)
        await change(two[1], ["*"], "viewer")
        for reader in his:
            await reader.was_reset("access", "access", seconds=1)
        create_in_psql(database, workspace, 1)
        for reader in (*his, *others):
            await reader.reached(head(database, workspace))
    for reader in (*his, *others):
        told = [name for name in names(reader.events[1:]) if name != "member-changed"]
        resets, tasks = (["reset", "reset"], 1) if reader in his else ([], 2)
        assert told == resets + ["task-created"] * tasks


@pytest.mark.parametrize("read", [["task:own"], ["*", "task"]], ids=["narrowed", "widened"])
@pytest.mark.parametrize("how", ["role", "member"])
async def test_who_comes_back_after_his_role_changed_is_reset(
    server: Server, database: Database, workspace: str, events: str, read: list[str], how: str
) -> None:
    roles = f"/api/v1/workspaces/{workspace}/roles"
    listed = (await server.client.call("GET", roles))["roles"]
    held = {"key": "held", "label": "Held", "read": ["task"]}
    await server.client.call(
        "PUT", roles, {"roles": [*listed, held, held | {"key": "b", "read": read}]}
    )
    pat = await member(server.client, database, workspace, "pat", "held")
    reader = Reader(pat.client, events)
    async with following(reader):
        create_in_psql(database, workspace, 1)
        await reader.reached(head(database, workspace))
    if how == "role":
        await put_role(server.client, workspace, "held", read=read)
    else:
        path = f"/api/v1/workspaces/{workspace}/members/{pat.account}"
        await server.client.call("PATCH", path, {"role": "b"})
    create_in_psql(database, workspace, 2)
    again = Reader(pat.client, events, reader.last_event_id)
    async with following(again):
        await again.was_reset("access")
    assert names(again.events) == ["connected", "reset"], "nothing is replayed"


async def test_another_user_of_the_same_browser_gets_nothing_of_the_first_ones_past(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    pat = await member(server.client, database, workspace, "pat", "editor")
    reader = Reader(pat.browser, events)
    async with following(reader):
        create_in_psql(database, workspace, 1)
        await reader.reached(head(database, workspace))
        database.task(workspace, title="meanwhile")
        await pat.by_cookie("POST", f"{AUTH}/logout", {})
        await reader.was_refused(401)
    sam = await member(server.client, database, workspace, "sam", "editor")
    create_in_psql(database, workspace, 1)
    again = Reader(sam.browser, events, reader.last_event_id)
    async with following(again):
        await again.was_reset("access")
        assert names(again.events) == ["connected", "reset"]
        assert again.events[1].data["seq"] == head(database, workspace)


async def test_the_same_user_who_signs_in_again_goes_on_where_he_was(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    pat = await member(server.client, database, workspace, "pat", "editor")
    reader = Reader(pat.browser, events)
    async with following(reader):
        create_in_psql(database, workspace, 1)
        await reader.reached(head(database, workspace))
        await pat.by_cookie("POST", f"{AUTH}/logout", {})
        await reader.was_refused(401)
    create_in_psql(database, workspace, 2)
    again = Reader(
        (await log_in(server.client, "pat@example.org")).browser, events, reader.last_event_id
    )
    async with following(again):
        await again.reached(head(database, workspace))
    assert names(again.events) == ["connected", "task-created", "task-created"]


# Who sees which requests


@pytest.fixture
def requests(database: Database) -> str:
    """A workspace of Ada's for requests, with its people."""
    workspace = database.workspace(template="requests")
    for name, role in {
        "Riley": "requester", "Rosa": "requester", "Erin": "engineer", "Emil": "engineer",
        "Max": "manager",
    }.items():  # fmt: skip
        database.join(workspace, name, role)
    return workspace


def told(events: list[Event], requests: dict[str, str]) -> list[str]:
    """What a reader was told of requests, by their titles; with its whole if that came."""
    return [
        f"{requests[event.data['id']]} {event.name.removeprefix('request-')}"
        + (" whole" if "record" in event.data else "")
        for event in events
        if event.name.startswith("request-")
    ]


async def test_everybody_is_told_of_what_is_in_sight_live_and_in_replay(
    two: list[Client], database: Database, requests: str
) -> None:
    base = f"/api/v1/workspaces/{requests}"
    people = ["Riley", "Rosa", "Erin", "Emil", "Max"]
    clients = {name: as_account(two[n % 2], database, name) for n, name in enumerate(people)}
    live = {name: Reader(client, f"{base}/events") for name, client in clients.items()}
    start = head(database, requests)
    made: dict[str, str] = {}

    async def create(who: str, title: str, **data: Any) -> None:
        path = f"{base}/records?collection=request"
        body = {"data": {"title": title, "description": "Thrice", "vendor": "Contoso", **data}}
        record = await clients[who].call("POST", path, body)
        made[record["id"]] = title

    async def change(who: str, title: str, **data: Any) -> None:
        record = next(key for key, value in made.items() if value == title)
        await clients[who].call("PATCH", f"{base}/records/{record}", {"patch": data})

    erin, emil = database.account("Erin"), database.account("Emil")
    async with following(*live.values()):
        await create("Riley", "R")  # nobody's: both engineers see it
        await change("Max", "R", assignedTo=erin)  # out of Emil's sight
        await change("Erin", "R", status="In Review")
        await change("Erin", "R", assignedTo=emil)  # she hands it over, out of her own sight
        await change("Emil", "R", status="In Progress", estimatedHours=4)
        await change("Emil", "R", assignedTo=None)  # back, for Erin too
        await create("Rosa", "S", assignedTo=emil)
        await create("Max", "M", assignedTo=erin)
        await change("Max", "M", assignedTo=None)
        last = head(database, requests)
        await live["Max"].reached(last)
        for name in ("Erin", "Emil"):
            await live[name].reached(last)
        await live["Riley"].reached(last - 3)
        await live["Rosa"].reached(last - 2)
    seen = {name: told(reader.events, made) for name, reader in live.items()}
    assert seen == {
        "Riley": ["R created whole", *["R updated"] * 5],
        "Rosa": ["S created whole"],
        "Erin": [
            "R created whole", "R updated", "R updated", "R removed", "R updated whole",
            "M created whole", "M updated",
        ],
        "Emil": [
            "R created whole", "R removed", "R updated whole", "R updated", "R updated",
            "S created whole", "M updated whole",
        ],
        "Max": [
            "R created whole", *["R updated"] * 5, "S created whole", "M created whole",
            "M updated",
        ],
    }  # fmt: skip
    assert "In Progress" not in str(live["Erin"].events[1:5]), "nothing of what she did not see"
    assert "estimatedHours" not in str(live["Erin"].events[1:5])
    assert emil not in str(live["Erin"].events[4].data), "nor to whom it went"

    for name, client in clients.items():
        replay = Reader(client, f"{base}/events?since={start}")
        async with following(replay):
            await eventually(
                lambda: len(told(replay.events, made)) >= len(seen[name]),  # noqa: B023
                what=f"the replay of {name}",
            )
        assert told(replay.events, made) == seen[name], name
        listed = await client.call("GET", f"{base}/records?collection=request")
        assert {r["data"]["title"] for r in listed["requests"]} == {
            "Riley": {"R"}, "Rosa": {"S"}, "Erin": {"R", "M"}, "Emil": {"R", "S", "M"},
            "Max": {"R", "S", "M"},
        }[name]  # fmt: skip


async def test_who_resumes_behind_a_hand_over_learns_that_it_is_out_of_sight(
    server: Server, database: Database, requests: str
) -> None:
    base = f"/api/v1/workspaces/{requests}"
    manager, erins = (as_account(server.client, database, name) for name in ("Max", "Erin"))
    path = f"{base}/records?collection=request"
    data = {"title": "R", "description": "Thrice", "vendor": "Contoso"}
    body = {"data": {**data, "assignedTo": database.account("Erin")}}
    reader = Reader(erins, f"{base}/events")
    async with following(reader):
        record = await manager.call("POST", path, body)
        await reader.reached(record["seq"])
    for assigned, title in ((database.account("Emil"), "Secret"), (None, "Open")):
        patch = {"patch": {"assignedTo": assigned, "title": title}}
        await manager.call("PATCH", f"{base}/records/{record['id']}", patch)
    again = Reader(erins, f"{base}/events", reader.last_event_id)
    async with following(again):
        await again.reached(head(database, requests))
    assert names(again.events) == ["connected", "request-removed", "request-updated"]
    assert again.events[2].data["record"]["data"]["title"] == "Open"
    assert "Secret" not in str(again.events[1])


# How a stream is opened


async def ticket_of(client: Client) -> str:
    answer = await client.call("POST", f"{AUTH}/ticket")
    assert answer["expiresIn"] == 15
    return str(answer["ticket"])


async def not_opened(client: Client, path: str) -> HttpReply:
    """The answer to who asks for a stream and gets none: a stream would have no end."""
    return await client.send("GET", path, timeout=aiohttp.ClientTimeout(total=5))


async def test_a_ticket_opens_one_stream_in_whatever_process(
    two: list[Client], database: Database, workspace: str, events: str
) -> None:
    pat = await member(two[0], database, workspace, "pat")
    ticket = await ticket_of(pat.client)
    nobody = anonymous(two[1])
    reader = Reader(nobody, f"{events}?ticket={ticket}")
    async with following(reader):
        create_in_psql(database, workspace, 1)
        await reader.reached(head(database, workspace))
        for client in (nobody, anonymous(two[0])):
            reply = await not_opened(client, f"{events}?ticket={ticket}")
            reply.problem(401, "invalid_ticket")
        await pat.by_cookie("POST", f"{AUTH}/logout", {})
        await reader.was_refused(401, seconds=1)


@pytest.mark.parametrize("how", ["expired", "wrong", "signed out", "no member", "disabled"])
async def test_a_ticket_that_is_not_good_opens_nothing(
    server: Server, database: Database, workspace: str, events: str, how: str
) -> None:
    pat = await member(server.client, database, workspace, "pat")
    ticket = await ticket_of(pat.client)
    if how == "expired":
        database.run("update core.ticket set expires_at = now()")
    elif how == "wrong":
        ticket = ticket[::-1]
    elif how == "signed out":
        await pat.client.call("POST", f"{AUTH}/logout")
    elif how == "disabled":
        database.run("update core.account set disabled_at = now() where id = %s", pat.account)
    else:
        database.run("delete from core.member where account_id = %s", pat.account)
    reply = await not_opened(anonymous(server.client), f"{events}?ticket={ticket}")
    if how == "no member":
        reply.problem(404, "unknown_workspace")
    else:
        reply.problem(401, "invalid_ticket")
    assert server.hub.stream_count == 0


async def test_a_ticket_is_for_streams_alone(
    server: Server, database: Database, workspace: str
) -> None:
    pat = await member(server.client, database, workspace, "pat")
    nobody = anonymous(server.client)
    for path in (ME, f"/api/v1/workspaces/{workspace}", f"/api/v1/workspaces/{workspace}/snapshot"):
        ticket = await ticket_of(pat.client)
        (await nobody.send("GET", f"{path}?ticket={ticket}")).problem(401, "unauthenticated")
        bearer = replace(nobody, token=ticket)
        (await bearer.send("GET", path)).problem(401, "unauthenticated")


async def test_a_token_in_the_address_is_refused_and_opens_nothing(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    """Addresses end up in logs."""
    pat = await member(server.client, database, workspace, "pat")
    body = {"name": "x", "scopes": ["read"]}
    program = (await pat.client.call("POST", f"{ME}/tokens", body))["token"]
    for secret in (str(pat.client.token), program, pat.cookie.partition("=")[2]):
        for name in ("access_token", "token", "authorization", "jwt"):
            reply = await not_opened(anonymous(server.client), f"{events}?{name}={secret}")
            reply.problem(422, "invalid_request")
            reply = await not_opened(pat.client, f"{events}?{name}={secret}")
            reply.problem(422, "invalid_request")
            assert secret not in reply.text
        reply = await not_opened(anonymous(server.client), f"{events}?ticket={secret[:100]}")
        reply.problem(401, "invalid_ticket")
    assert server.hub.stream_count == 0


async def test_the_cookie_opens_a_stream_as_event_source_sends_it(
    server: Server, database: Database, workspace: str, events: str
) -> None:
    """A GET of our own page, without an Origin."""
    pat = await member(server.client, database, workspace, "pat")
    headers: dict[str, str] = {"Cookie": pat.cookie}
    async with anonymous(server.client).request("GET", events, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
