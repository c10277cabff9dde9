"""People who sign in: what a browser or a program holds of it, and what they get by mail."""

import time
from dataclasses import dataclass, replace
from typing import Any

from rowcast.keys import INVITATION, PASSWORD_RESET, VERIFY_EMAIL
from support import KEYS, Client, Database, HttpReply

AUTH = "/api/v1/auth"
ME = "/api/v1/me"
PASSWORD = "correct horse battery"
AGENT = "Tests/1.0"


@dataclass(frozen=True)
class SignIn:
    """What a sign-in gave: a client with the access token, the refresh token, the cookie."""

    client: Client
    account: str
    refresh_token: str
    cookie: str  # name=value

    @property
    def browser(self) -> "Browser":
        """A client with the cookie alone."""
        return Browser(self.client.session, self.client.url, None, self.cookie)

    async def by_cookie(self, method: str, path: str, body: Any = None) -> HttpReply:
        """A request as the browser sends it from our own page."""
        return await self.browser.send(method, path, body)

    async def is_in(self) -> bool:
        """Whether access token and cookie are still good: both, or neither."""
        statuses = {(await self.client.send("GET", ME)).status}
        statuses.add((await self.by_cookie("GET", ME)).status)
        assert statuses in ({200}, {401}), statuses
        return statuses == {200}


@dataclass
class Browser(Client):
    """A client that sends a cookie, from our own page."""

    cookie: str = ""

    def _headers(self, headers: dict[str, str] | None) -> dict[str, str]:
        return {"Cookie": self.cookie, "Origin": self.url, **(headers or {})}


def anonymous(client: Client) -> Client:
    """The same server for nobody."""
    return replace(client, token=None)


def mail_of(database: Database, kind: str, email: str) -> dict[str, Any]:
    """The data of the last mail of a kind to an address."""
    found: dict[str, Any] = database.value(
        "select data from core.mail where kind = %s and lower(address) = lower(%s)"
        " order by created_at desc limit 1",
        kind,
        email,
    )
    return found


def mail_token(database: Database, kind: str, email: str, seconds: float = 3600) -> str:
    """The token in the link of the last mail of a kind to an address."""
    data = mail_of(database, kind, email)
    if kind == "invitation":
        return invitation_token(data["workspaceId"], data["invitationId"], seconds)
    audience = {"verify-email": VERIFY_EMAIL, "password-reset": PASSWORD_RESET}[kind]
    return KEYS.sign(audience, {"jti": data["tokenId"]}, _in(seconds))


def invitation_token(workspace: str, invitation: str, seconds: float = 3600) -> str:
    """The token in the link of an invitation."""
    return KEYS.sign(INVITATION, {"jti": invitation, "ws": workspace}, _in(seconds))


def _in(seconds: float) -> float:
    return time.time() + seconds


async def register(
    client: Client, email: str, password: str = PASSWORD, name: str = "Pat"
) -> HttpReply:
    """Asks for an account."""
    body = {"email": email, "password": password, "name": name}
    return await anonymous(client).send("POST", f"{AUTH}/register", body)


async def sign_up(
    client: Client,
    database: Database,
    email: str,
    password: str = PASSWORD,
    name: str = "Pat",
) -> str:
    """Registers and follows the link of the mail; the account's id."""
    assert (await register(client, email, password, name)).status == 202
    token = mail_token(database, "verify-email", email)
    answer = await anonymous(client).call(
        "POST", f"{AUTH}/verify-email", {"token": token}, status=201
    )
    return str(answer["user"]["id"])


async def try_log_in(
    client: Client, email: str, password: str = PASSWORD, agent: str = AGENT
) -> HttpReply:
    """Tries to sign in."""
    body = {"email": email, "password": password}
    headers = {"User-Agent": agent}
    return await anonymous(client).send("POST", f"{AUTH}/login", body, headers=headers)


async def log_in(
    client: Client, email: str, password: str = PASSWORD, agent: str = AGENT
) -> SignIn:
    """Signs in."""
    return signed_in(client, await try_log_in(client, email, password, agent))


def signed_in(client: Client, reply: HttpReply) -> SignIn:
    """What a reply to a sign-in gave."""
    assert reply.status == 200, reply.text
    cookie = reply.headers["Set-Cookie"].split(";")[0]
    answer = reply.json
    return SignIn(
        replace(client, token=answer["accessToken"]),
        answer["user"]["id"],
        answer["refreshToken"],
        cookie,
    )


async def refresh(client: Client, token: str, agent: str = AGENT) -> HttpReply:
    """Exchanges a refresh token."""
    return await anonymous(client).send(
        "POST", f"{AUTH}/refresh", {"refreshToken": token}, headers={"User-Agent": agent}
    )
