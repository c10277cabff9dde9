"""Invitations: to new and to existing people, once, in time, into a role that there is."""

import asyncio
import uuid
from typing import Any

import pytest

from people import (
    ME,
    PASSWORD,
    SignIn,
    anonymous,
    invitation_token,
    log_in,
    mail_of,
    mail_token,
    sign_up,
    signed_in,
    try_log_in,
)
from streams.streaming import Reader, following
from support import Client, Database, HttpReply

PAT = "pat@example.org"
ACCEPT = "/api/v1/invitations/accept"


@pytest.fixture
def path(workspace: str) -> str:
    """The path of the invitations."""
    return f"/api/v1/workspaces/{workspace}/invitations"


@pytest.fixture
async def pat(client: Client, database: Database) -> SignIn:
    """Pat, signed in."""
    await sign_up(client, database, PAT)
    return await log_in(client, PAT)


async def invite(client: Client, path: str, email: str = PAT, role: str = "editor") -> str:
    """Invites; the invitation's id."""
    invited = await client.call("POST", path, {"email": email, "role": role}, status=201)
    return str(invited["id"])


async def accept(client: Client, token: str, **new: str) -> HttpReply:
    return await client.send("POST", ACCEPT, {"token": token, **new})


async def members_of(client: Client, workspace: str) -> dict[str, str]:
    listed = (await client.call("GET", f"/api/v1/workspaces/{workspace}/members"))["members"]
    return {member["email"]: member["role"] for member in listed}


# Inviting


async def test_an_invitation_is_told_to_whom_it_is_for(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    invited = await client.call("POST", path, {"email": f" {PAT} ", "role": "viewer"})
    assert set(invited) == {
        "id", "email", "role", "invitedBy", "createdAt", "expiresAt", "seq",
    }  # fmt: skip
    assert (invited["email"], invited["role"]) == (PAT, "viewer")
    listed = (await client.call("GET", path))["invitations"]
    assert listed == [{key: value for key, value in invited.items() if key != "seq"}]
    data = mail_of(database, "invitation", PAT)
    assert (data["inviter"], data["workspace"], data["role"]) == ("Ada", "Test", "Viewer")
    assert "token" not in str(data)


async def test_a_member_needs_no_invitation(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    database.join(workspace, "Bob", "viewer")
    body = {"email": "bob@EXAMPLE.org", "role": "viewer"}
    (await client.send("POST", path, body)).problem(409, "already_member")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"email": "nobody"}, "invalid_account"),
        ({"email": "a b@example.org"}, "invalid_account"),
        ({"email": "a@example.org\r\nBcc: b@example.org"}, "invalid_account"),
        ({"role": "emperor"}, "unknown_role"),
        ({"expiresInDays": 0}, "invalid_request"),
        ({"expiresInDays": 91}, "invalid_request"),
    ],
)
async def test_what_can_be_no_invitation_is_refused(
    client: Client, database: Database, path: str, change: dict[str, Any], code: str
) -> None:
    body = {"email": PAT, "role": "viewer"} | change
    (await client.send("POST", path, body)).problem(422, code)
    assert database.value("select count(*) from core.mail") == 0


async def test_who_may_not_manage_invites_nobody_and_sees_no_invitation(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    invitation = await invite(client, path)
    database.join(workspace, "Ed", "editor")
    editor = Client(client.session, client.url, database.token("Ed"))
    body = {"email": "x@example.org", "role": "viewer"}
    (await editor.send("POST", path, body)).problem(403, "not_permitted")
    (await editor.send("GET", path)).problem(403, "not_permitted")
    (await editor.send("DELETE", f"{path}/{invitation}")).problem(403, "not_permitted")


async def test_an_admin_invites_no_owner(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    database.join(workspace, "Al", "admin")
    admin = Client(client.session, client.url, database.token("Al"))
    body = {"email": PAT, "role": "owner"}
    (await admin.send("POST", path, body)).problem(403, "not_permitted")
    assert (await admin.send("POST", path, {**body, "role": "admin"})).status == 201
    assert (await client.send("POST", path, body)).status == 201


async def test_a_repeated_request_invites_once(
    client: Client, database: Database, path: str
) -> None:
    body, headers = {"email": PAT, "role": "viewer"}, {"Idempotency-Key": "one"}
    first = await client.call("POST", path, body, headers=headers)
    assert await client.call("POST", path, body, headers=headers) == first
    assert database.value("select count(*) from core.mail") == 1


# Accepting


async def test_somebody_new_accepts_with_name_and_password_and_is_signed_in(
    client: Client, database: Database, workspace: str, path: str
) -> None:
    await invite(client, path)
    reader = Reader(client, f"/api/v1/workspaces/{workspace}/events")
    async with following(reader):
        token = mail_token(database, "invitation", PAT)
        reply = await accept(anonymous(client), token, name="Pat", password=PASSWORD)
        found = reply.json["workspace"]
        await reader.reached(found["seq"])
    assert (found["id"], found["role"]) == (workspace, "editor")
    joined = reader.events[-1]
    assert (joined.name, joined.data["account"]["name"]) == ("member-joined", "Pat")
    pat = signed_in(client, reply)
    assert await pat.is_in()
    assert (await pat.client.call("GET", f"/api/v1/workspaces/{workspace}"))["role"] == "editor"
    assert (await try_log_in(client, PAT)).status == 200, "the address is verified by the link"
    assert (await client.call("GET", path))["invitations"] == []


async def test_who_has_an_account_signs_in_and_accepts(
    client: Client, database: Database, workspace: str, path: str, pat: SignIn
) -> None:
    await invite(client, path, PAT.upper())
    token = mail_token(database, "invitation", PAT)
    body = {"name": "Pat", "password": PASSWORD}
    (await accept(anonymous(client), token, **body)).problem(409, "account_exists")
    (await accept(anonymous(client), token)).problem(401, "unauthenticated")
    reply = await pat.by_cookie("POST", ACCEPT, {"token": token})
    assert (reply.status, reply.json["id"], reply.json["role"]) == (200, workspace, "editor")
    assert (await members_of(client, workspace))[PAT] == "editor"


async def test_another_account_does_not_accept_an_invitation(
    client: Client, database: Database, path: str, pat: SignIn
) -> None:
    await invite(client, path, "sam@example.org")
    token = mail_token(database, "invitation", "sam@example.org")
    (await accept(pat.client, token)).problem(403, "other_account")
    reply = await accept(anonymous(client), token, name="Sam", password=PASSWORD)
    assert reply.status == 200, "it is still good"


async def test_a_token_for_programs_accepts_nothing(
    client: Client, database: Database, path: str, pat: SignIn
) -> None:
    body = {"name": "x", "scopes": ["read", "write", "manage"]}
    token = (await pat.client.call("POST", f"{ME}/tokens", body))["token"]
    await invite(client, path)
    program = Client(client.session, client.url, token)
    reply = await accept(program, mail_token(database, "invitation", PAT))
    reply.problem(403, "sign_in_required")


async def test_an_invitation_is_good_once(
    client: Client, database: Database, workspace: str, path: str, pat: SignIn
) -> None:
    await invite(client, path)
    token = mail_token(database, "invitation", PAT)
    assert (await accept(pat.client, token)).status == 200
    (await accept(pat.client, token)).problem(422, "invalid_token")
    await pat.client.call("DELETE", f"/api/v1/workspaces/{workspace}/members/{pat.account}")
    (await accept(pat.client, token)).problem(422, "invalid_token")


async def test_a_repeated_acceptance_gets_the_first_answer(
    client: Client, database: Database, path: str, pat: SignIn
) -> None:
    await invite(client, path)
    body = {"token": mail_token(database, "invitation", PAT)}
    headers = {"Idempotency-Key": "one"}
    first = await pat.client.call("POST", ACCEPT, body, headers=headers)
    assert await pat.client.call("POST", ACCEPT, body, headers=headers) == first


@pytest.mark.parametrize("how", ["expired", "revoked", "role", "deleted", "replaced", "unknown"])
async def test_an_invitation_that_is_no_longer_good_lets_nobody_in(
    client: Client, database: Database, workspace: str, path: str, pat: SignIn, how: str
) -> None:
    tokens = {}
    for email in (PAT, "new@example.org"):
        invitation = await invite(client, path, email)
        tokens[email] = mail_token(database, "invitation", email)
        if how == "revoked":
            deleted = await client.call("DELETE", f"{path}/{invitation}")
            assert deleted["id"] == invitation
            again = await client.send("DELETE", f"{path}/{invitation}")
            again.problem(404, "unknown_invitation")
        elif how == "replaced":
            await invite(client, path, email.upper(), "viewer")
        elif how == "unknown":
            tokens[email] = invitation_token(workspace, str(uuid.uuid4()))
    if how == "expired":
        database.run("update core.invitation set expires_at = now()")
        assert (await client.call("GET", path))["invitations"] == []
    elif how == "role":
        database.run("delete from core.role where key = 'editor'")
    elif how == "deleted":
        await client.call("DELETE", f"/api/v1/workspaces/{workspace}")
    (await accept(pat.client, tokens[PAT])).problem(422, "invalid_token")
    new = {"name": "New", "password": PASSWORD}
    reply = await accept(anonymous(client), tokens["new@example.org"], **new)
    reply.problem(422, "invalid_token")
    assert database.value("select count(*) from core.account where email like 'new@%%'") == 0
    assert database.value("select count(*) from core.member") == 1


async def test_a_second_invitation_takes_the_place_of_the_first(
    client: Client, database: Database, workspace: str, path: str, pat: SignIn
) -> None:
    await invite(client, path, PAT, "editor")
    await invite(client, path, PAT.upper(), "viewer")
    (listed,) = (await client.call("GET", path))["invitations"]
    assert listed["role"] == "viewer"
    await accept(pat.client, mail_token(database, "invitation", PAT))
    assert (await members_of(client, workspace))[PAT] == "viewer"


async def test_an_expired_invitation_does_not_stand_in_the_way_of_another(
    client: Client, database: Database, workspace: str, path: str, pat: SignIn
) -> None:
    await invite(client, path)
    database.run("update core.invitation set expires_at = now()")
    await invite(client, path)
    assert (await accept(pat.client, mail_token(database, "invitation", PAT))).status == 200


async def test_who_became_a_member_meanwhile_keeps_his_role(
    client: Client, database: Database, workspace: str, path: str, pat: SignIn
) -> None:
    await invite(client, path, role="admin")
    database.run(
        "insert into core.member (workspace_id, account_id, role) values (%s, %s, 'viewer')",
        workspace,
        pat.account,
    )
    reply = await accept(pat.client, mail_token(database, "invitation", PAT))
    assert reply.json["role"] == "viewer"


async def test_of_acceptances_at_the_same_moment_one_takes_effect(
    client: Client, database: Database, workspace: str, path: str, pat: SignIn
) -> None:
    await invite(client, path)
    token = mail_token(database, "invitation", PAT)
    replies = await asyncio.gather(*(accept(pat.client, token) for _ in range(6)))
    assert sorted(reply.status for reply in replies) == [200] + [422] * 5
    await invite(client, path, "new@example.org")
    token = mail_token(database, "invitation", "new@example.org")
    new = {"name": "New", "password": PASSWORD}
    replies = await asyncio.gather(*(accept(anonymous(client), token, **new) for _ in range(6)))
    assert [reply.status for reply in replies].count(200) == 1
    assert {reply.status for reply in replies} <= {200, 409, 422}
    assert len(await members_of(client, workspace)) == 3
    count = "select count(*) from core.change where patch ->> 'event' = 'member-joined'"
    assert database.value(count) == 3


async def test_invitations_are_not_a_way_to_send_many_mails(
    client: Client, database: Database, path: str
) -> None:
    for n in range(100):
        await invite(client, path, f"u{n}@example.org")
    reply = await client.send("POST", path, {"email": PAT, "role": "viewer"})
    reply.problem(429, "too_many_attempts")
    assert 1 <= int(reply.headers["Retry-After"]) <= 60


async def test_a_token_of_another_kind_invites_nobody(
    client: Client, database: Database, path: str, pat: SignIn
) -> None:
    for token in (str(pat.client.token), "garbage", ""):
        (await accept(pat.client, token)).problem(422, "invalid_token")
