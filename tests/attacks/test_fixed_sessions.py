"""Sessions that somebody fixed beforehand, or kept a copy of: neither is worth anything."""

from attacks.sending import Sender
from attacks.stage import PASSWORD, Builder, Stage
from rowcast.edge import Edge
from support import Database, HttpReply, deployed, serving

LOGIN = "/api/v1/auth/login"
ME = "/api/v1/me"


def cookie_of(reply: HttpReply) -> str:
    """The value of the cookie that an answer sets."""
    name, value = reply.headers["Set-Cookie"].split(";")[0].split("=", 1)
    assert name == "rowcast_session"
    return value


async def test_a_cookie_set_before_signing_in_is_never_adopted(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    attacker = builder.stage()
    body = {"email": stage.email, "password": PASSWORD}
    seen = {attacker.cookie, stage.cookie}
    for planted in (attacker.cookie, stage.cookie, "chosen-by-the-attacker", "", "x" * 4000):
        reply = await sender.send("POST", LOGIN, body, Cookie=f"rowcast_session={planted}")
        assert reply.status == 200, reply.text
        cookie = cookie_of(reply)
        assert cookie not in seen
        assert planted == "" or planted not in cookie
        seen.add(cookie)
        who = await sender.send("GET", ME, Cookie=f"rowcast_session={cookie}")
        assert who.json["id"] == stage.account
    reply = await sender.send("GET", ME, Cookie="rowcast_session=chosen-by-the-attacker")
    reply.problem(401, "unauthenticated")
    # what was planted is still the attacker's own, and nobody else's
    who = await sender.send("GET", ME, Cookie=f"rowcast_session={attacker.cookie}")
    assert who.json["id"] == attacker.account


async def test_an_invitation_signs_a_new_person_in_by_a_new_cookie(
    sender: Sender, builder: Builder, stage: Stage
) -> None:
    attacker = builder.stage()
    body = {"token": stage.invitation_token, "name": "Guest", "password": PASSWORD}
    reply = await sender.send(
        "POST", "/api/v1/invitations/accept", body, Cookie=f"rowcast_session={attacker.cookie}"
    )
    assert reply.status == 200, reply.text
    assert cookie_of(reply) != attacker.cookie
    who = await sender.send("GET", ME, Cookie=f"rowcast_session={cookie_of(reply)}")
    assert who.json["email"].startswith("guest-")


async def test_signing_out_ends_the_session_on_the_server(sender: Sender, stage: Stage) -> None:
    """Not only in the browser: whoever kept a copy of cookie or tokens has nothing."""
    cookie = f"rowcast_session={stage.cookie}"
    assert (await sender.send("GET", ME, Cookie=cookie)).status == 200  # it is remembered now
    reply = await sender.send("POST", "/api/v1/auth/logout", {}, Cookie=cookie, Origin=sender.url)
    assert reply.status == 200
    assert "Max-Age=0" in reply.headers["Set-Cookie"]
    (await sender.send("GET", ME, Cookie=cookie)).problem(401, "unauthenticated")
    reply = await sender.send("GET", ME, Authorization=f"Bearer {stage.access}")
    reply.problem(401, "unauthenticated")
    reply = await sender.send("POST", "/api/v1/auth/refresh", {"refreshToken": stage.refresh})
    reply.problem(401, "invalid_refresh_token")


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_hosts(
    sender: Sender, database: Database, stage: Stage
) -> None:
    body = {"email": stage.email, "password": PASSWORD}
    reply = await sender.send("POST", LOGIN, body)
    parts = set(reply.headers["Set-Cookie"].split("; ")[1:])
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert not [part for part in parts if part.startswith("Domain")]
    async with serving(deployed(database, edge=Edge(https=True))) as url:
        secure = Sender(sender.session, url)
        reply = await secure.send("POST", LOGIN, body)
        name, *rest = reply.headers["Set-Cookie"].split("; ")
        assert name.startswith("__Host-rowcast_session=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(rest)
        value = name.split("=", 1)[1]
        # the name that plain HTTP and other hosts could set is not looked at
        reply = await secure.send("GET", ME, Cookie=f"rowcast_session={value}")
        reply.problem(401, "unauthenticated")
        cookie = f"__Host-rowcast_session={value}"
        assert (await secure.send("GET", ME, Cookie=cookie)).status == 200
        # and a page of the same name that came by plain HTTP is foreign
        reply = await secure.send("PATCH", ME, {"name": "X"}, Cookie=cookie, Origin=url)
        reply.problem(403, "foreign_origin")
        own = url.replace("http:", "https:")
        reply = await secure.send("PATCH", ME, {"name": "X"}, Cookie=cookie, Origin=own)
        assert reply.status == 200, reply.text
