"""Sessions: refresh tokens that rotate, signing out, the list of sign-ins, and their end."""

import asyncio
import uuid
from dataclasses import replace

import pytest

from people import AUTH, ME, SignIn, anonymous, log_in, refresh, sign_up
from support import KEYS, Client, Database

PAT = "pat@example.org"
SESSIONS = f"{ME}/sessions"
LATER = "update core.refresh_token set used_at = used_at - interval '21 seconds'"


@pytest.fixture
async def pat(client: Client, database: Database) -> SignIn:
    """Pat, signed in."""
    await sign_up(client, database, PAT)
    return await log_in(client, PAT)


async def test_a_refresh_token_is_exchanged_for_the_next(client: Client, pat: SignIn) -> None:
    token = pat.refresh_token
    for _ in range(3):
        reply = await refresh(client, token)
        assert set(reply.json) == {"user", "accessToken", "refreshToken", "expiresIn"}
        assert reply.json["refreshToken"] != token
        token = reply.json["refreshToken"]
        fresh = Client(client.session, client.url, reply.json["accessToken"])
        assert (await fresh.call("GET", ME))["id"] == pat.account
    assert len((await pat.client.call("GET", SESSIONS))["sessions"]) == 1
    assert await pat.is_in(), "the cookie goes on, and so does the access token until it expires"


async def test_a_refresh_token_that_comes_back_later_ends_the_whole_session(
    client: Client, database: Database, pat: SignIn
) -> None:
    elsewhere = await log_in(client, PAT)
    latest = (await refresh(client, pat.refresh_token)).json
    database.run(LATER)
    (await refresh(client, pat.refresh_token)).problem(401, "refresh_token_reused")
    (await refresh(client, latest["refreshToken"])).problem(401, "invalid_refresh_token")
    (await refresh(client, pat.refresh_token)).problem(401, "invalid_refresh_token")
    assert not await pat.is_in()
    fresh = Client(client.session, client.url, latest["accessToken"])
    (await fresh.send("GET", ME)).problem(401, "unauthenticated")
    assert await elsewhere.is_in(), "another sign-in is another family"


async def test_an_old_refresh_token_from_the_middle_ends_the_session_too(
    client: Client, database: Database, pat: SignIn
) -> None:
    tokens = [pat.refresh_token]
    for _ in range(3):
        tokens.append((await refresh(client, tokens[-1])).json["refreshToken"])
        database.run(LATER)
    (await refresh(client, tokens[1])).problem(401, "refresh_token_reused")
    (await refresh(client, tokens[-1])).problem(401, "invalid_refresh_token")


async def test_two_tabs_that_refresh_at_the_same_moment_stay_signed_in(
    client: Client, database: Database, pat: SignIn
) -> None:
    replies = await asyncio.gather(*(refresh(client, pat.refresh_token) for _ in range(4)))
    assert [reply.status for reply in replies] == [200] * 4
    assert len({reply.json["refreshToken"] for reply in replies}) == 4
    database.run(LATER)
    for reply in replies:
        assert (await refresh(client, reply.json["refreshToken"])).status == 200
    assert await pat.is_in()


async def test_the_grace_is_for_the_same_client_alone(
    client: Client, database: Database, pat: SignIn
) -> None:
    assert (await refresh(client, pat.refresh_token)).status == 200
    thief = await refresh(client, pat.refresh_token, agent="Thief/1.0")
    thief.problem(401, "refresh_token_reused")
    assert not await pat.is_in()


async def test_who_refreshes_first_with_a_stolen_token_is_found_out_by_its_owner(
    client: Client, pat: SignIn
) -> None:
    stolen = await refresh(client, pat.refresh_token, agent="Thief/1.0")
    assert stolen.status == 200, "a browser that was updated has another User-Agent"
    (await refresh(client, pat.refresh_token)).problem(401, "refresh_token_reused")
    thief = Client(client.session, client.url, stolen.json["accessToken"])
    (await thief.send("GET", ME)).problem(401, "unauthenticated")
    (await refresh(client, stolen.json["refreshToken"], "Thief/1.0")).problem(401)


async def test_the_grace_is_not_prolonged_by_its_use(
    client: Client, database: Database, pat: SignIn
) -> None:
    await refresh(client, pat.refresh_token)
    database.run(LATER.replace("21", "15"))
    assert (await refresh(client, pat.refresh_token)).status == 200
    database.run(LATER.replace("21", "6"))
    (await refresh(client, pat.refresh_token)).problem(401, "refresh_token_reused")


@pytest.mark.parametrize("token", ["", "x", "é", "rct_x", "\u0000", "a" * 200])
async def test_what_is_no_refresh_token_is_none(client: Client, token: str) -> None:
    reply = await refresh(client, token)
    assert reply.status in (401, 422)
    assert reply.json["code"] in ("invalid_refresh_token", "nul_character")


async def test_no_secret_is_good_for_another_purpose(client: Client, pat: SignIn) -> None:
    assert await pat.is_in()  # now the process knows them
    access, cookie = pat.client.token or "", pat.cookie.partition("=")[2]
    program = await pat.client.call("POST", f"{ME}/tokens", {"name": "x", "scopes": ["read"]})
    await replace(client, token=program["token"]).call("GET", ME)
    assert (await refresh(client, access)).status == 422
    for token in (cookie, program["token"]):
        (await refresh(client, token)).problem(401, "invalid_refresh_token")
    for token in (pat.refresh_token, cookie):
        bearer = Client(client.session, client.url, token)
        (await bearer.send("GET", ME)).problem(401, "unauthenticated")
    name = pat.cookie.partition("=")[0]
    for token in (pat.refresh_token, access, program["token"]):
        headers = {"Cookie": f"{name}={token}"}
        reply = await anonymous(client).send("GET", ME, headers=headers)
        reply.problem(401, "unauthenticated")
        assert "Max-Age=0" in reply.headers["Set-Cookie"], "the browser need not send it again"


# Signing out


async def test_signing_out_ends_the_session_with_all_its_secrets(
    client: Client, pat: SignIn
) -> None:
    elsewhere = await log_in(client, PAT)
    reply = await pat.by_cookie("POST", f"{AUTH}/logout", {})
    assert reply.json == {"status": "signed_out"}
    assert f"{pat.cookie.partition('=')[0]}=;" in reply.headers["Set-Cookie"]
    assert "Max-Age=0" in reply.headers["Set-Cookie"]
    assert not await pat.is_in()
    (await refresh(client, pat.refresh_token)).problem(401, "invalid_refresh_token")
    assert await elsewhere.is_in()


async def test_a_program_signs_out_by_its_access_or_its_refresh_token(
    client: Client, pat: SignIn
) -> None:
    other = await log_in(client, PAT)
    await pat.client.call("POST", f"{AUTH}/logout")
    assert not await pat.is_in()
    await anonymous(client).call("POST", f"{AUTH}/logout", {"refreshToken": other.refresh_token})
    assert not await other.is_in()
    (await anonymous(client).send("POST", f"{AUTH}/logout")).problem(401, "unauthenticated")


# The list


async def test_the_list_says_where_one_is_signed_in_and_which_is_this(
    client: Client, database: Database, pat: SignIn
) -> None:
    await log_in(client, PAT, agent="Phone/2.0")
    await pat.client.call("POST", f"{ME}/tokens", {"name": "x", "scopes": ["read"]})
    listed = (await pat.client.call("GET", SESSIONS))["sessions"]
    assert [(s["client"], s["current"]) for s in listed] == [
        ("Phone/2.0", False),
        ("Tests/1.0", True),
    ]
    assert set(listed[0]) == {
        "id", "client", "address", "current", "createdAt", "usedAt", "expiresAt",
    }  # fmt: skip
    assert listed[0]["address"] == "127.0.0.1"


async def test_a_session_is_revoked_from_another(client: Client, pat: SignIn) -> None:
    phone = await log_in(client, PAT, agent="Phone/2.0")
    (one,) = [s for s in (await pat.client.call("GET", SESSIONS))["sessions"] if not s["current"]]
    assert await pat.client.call("DELETE", f"{SESSIONS}/{one['id']}") == {"id": one["id"]}
    assert not await phone.is_in()
    (await refresh(client, phone.refresh_token)).problem(401, "invalid_refresh_token")
    assert await pat.is_in()
    (await pat.client.send("DELETE", f"{SESSIONS}/{one['id']}")).problem(404, "unknown_session")


async def test_nobody_sees_or_ends_the_sessions_of_another(
    client: Client, database: Database, pat: SignIn
) -> None:
    listed = (await client.call("GET", SESSIONS))["sessions"]
    (his,) = (await pat.client.call("GET", SESSIONS))["sessions"]
    assert his["id"] not in {s["id"] for s in listed}
    for session in (his["id"], str(uuid.uuid4())):
        (await client.send("DELETE", f"{SESSIONS}/{session}")).problem(404, "unknown_session")
    (await client.send("DELETE", f"{SESSIONS}/x")).problem(404)
    assert await pat.is_in()


# Expiry


async def test_a_session_that_has_expired_is_over(
    client: Client, database: Database, pat: SignIn
) -> None:
    assert await pat.is_in()
    database.run("update core.session set expires_at = now() where account_id = %s", pat.account)
    assert not await pat.is_in(), "also where the process knows its secrets"
    (await refresh(client, pat.refresh_token)).problem(401, "invalid_refresh_token")


async def test_a_session_in_use_is_prolonged_up_to_half_a_year(
    client: Client, database: Database, pat: SignIn
) -> None:
    def days() -> int:
        seconds = database.value(
            "select extract(epoch from expires_at - now()) from core.session where account_id = %s",
            pat.account,
        )
        return round(float(seconds) / 86400)

    change = (
        "update core.session set created_at = now() - %s * interval '1 day',"
        " used_at = now() - interval '2 hours', expires_at = now() + interval '5 days'"
    )
    assert days() == 30
    database.run(change, 20)
    await pat.by_cookie("GET", ME)
    assert days() == 30
    database.run(change, 170)
    assert (await refresh(client, pat.refresh_token)).status == 200
    assert days() == 10


async def test_an_access_token_is_good_for_its_own_account_and_session_alone(
    client: Client, database: Database, pat: SignIn
) -> None:
    session = database.value("select id::text from core.session where account_id = %s", pat.account)
    mixed = Client(client.session, client.url, KEYS.access_token(database.account(), session))
    for method, path in (("GET", ME), ("GET", SESSIONS), ("POST", f"{AUTH}/ticket")):
        (await mixed.send(method, path)).problem(401, "unauthenticated")
