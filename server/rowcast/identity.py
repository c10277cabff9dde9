"""Who a request acts for: an access token, a personal access token, a cookie, or the demo's owner.

Here a secret is only traced to its session. That the session still holds, the database judges with
every call (logic.rights, logic.session_live); so what is found may be remembered.
"""

import hashlib
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from aiohttp import web

from rowcast.keys import ACCESS, Keys, TokenError
from rowcast.problems import Problem

TOKEN_PREFIX = "rct_"
_CACHE = 4096
_REMEMBER = 600.0  # seconds after which a session is looked at again: it may need to be prolonged
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Ask(Protocol):
    """Calls a function of the database as nobody, and answers what it answers, parsed."""

    def __call__(self, name: str, /, **arguments: object) -> Awaitable[Any]:
        """Raises Problem."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The account that a request acts for, and the session that proves it.

    session: None where this process vouches for the account itself. expires: until when the proof
    holds, in seconds since the epoch.
    """

    account: str
    session: str | None = None
    expires: float = float("inf")


@dataclass(frozen=True, slots=True)
class _Known:
    actor: Actor
    until: float


def digest(secret: str) -> str:
    """What the database knows a random secret by: sha256, hex."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


@dataclass(slots=True)
class Identity:
    """Tells who a request acts for.

    ask: calls a function of the database as nobody. origins: whose pages may write, beside our own.
    demo_account: who acts without credentials, in demo mode. admit: counts a request of an account,
    suspect: one with an unknown secret; both raise Problem 429.
    """

    keys: Keys
    ask: Ask
    origins: frozenset[str] = frozenset()
    secure: bool = False
    demo_account: str | None = None
    admit: Callable[[str], None] = lambda account: None
    suspect: Callable[[web.Request], None] = lambda request: None
    _known: dict[str, _Known] = field(default_factory=dict)

    @property
    def cookie(self) -> str:
        """The name of the cookie. With the prefix no other host and no plain HTTP can set it."""
        return "__Host-rowcast_session" if self.secure else "rowcast_session"

    async def actor(self, request: web.Request) -> Actor:
        """The actor of a request.

        Raises Problem 401 without or with bad credentials, 403 for a request that a foreign page
        may have made, 429 for too many.
        """
        actor = await self.optional_actor(request)
        if actor is None:
            raise _unauthenticated("Sign in first.")
        return actor

    async def optional_actor(self, request: web.Request) -> Actor | None:
        """The actor of a request, None without any credentials. Raises as `actor`."""
        header = request.headers.get("Authorization")
        if header is not None:
            actor = await self._bearer(request, header)
        elif self.cookie in request.cookies:
            if request.method not in _SAFE:
                self._check_origin(request)
            actor = await self._by_cookie(request)
        elif self.demo_account is not None:
            self._refuse_foreign(request)
            actor = Actor(self.demo_account)
        else:
            return None
        self.admit(actor.account)
        return actor

    async def ticket_actor(self, ticket: str) -> Actor:
        """The actor of a stream's ticket, which is good once. Raises Problem 401."""
        found = await self.ask("trusted.ticket_redeem", hash=digest(ticket))
        return Actor(found["accountId"], found["sessionId"], found["expiresAt"])

    async def _bearer(self, request: web.Request, header: str) -> Actor:
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer":
            raise _unauthenticated("Use Authorization: Bearer <access token>.")
        known = self._known.get(token)
        if known is None or known.until <= time.time():
            if token.startswith(TOKEN_PREFIX):
                return await self._find(request, "token", token, token)
            known = self._remember(token, _Known(*self._decode(token)))
        return known.actor

    def _decode(self, token: str) -> tuple[Actor, float]:
        try:
            claims = self.keys.verify(ACCESS, token)
            expires = float(claims["exp"])
            account, session = uuid.UUID(claims["sub"]), uuid.UUID(claims["sid"])
        except (TokenError, KeyError, ValueError, AttributeError, TypeError) as error:
            raise _unauthenticated("The access token is not good, or has expired.") from error
        return Actor(str(account), str(session), expires), expires

    async def _by_cookie(self, request: web.Request) -> Actor:
        secret = request.cookies[self.cookie]
        key = f"cookie\n{secret}"  # no header has a line end: no bearer's token is known by this
        known = self._known.get(key)
        if known is not None and known.until > time.time():
            return known.actor
        try:
            return await self._find(request, "sign-in", secret, key)
        except Problem as problem:
            if problem.status == 401:
                # The browser need not send it again.
                problem.headers["Set-Cookie"] = self.cleared_cookie()
            raise

    async def _find(self, request: web.Request, kind: str, secret: str, key: str) -> Actor:
        """The session, of a kind, of a random secret; remembered by `key`. Raises Problem 401."""
        self._known.pop(key, None)
        self.suspect(request)
        found = await self.ask("trusted.session_find", hash=digest(secret))
        if found["kind"] != kind:
            raise _unauthenticated("Sign in first.")
        if found["stale"]:
            found |= await self.ask("trusted.session_touch", sessionId=found["sessionId"])
        actor = Actor(found["accountId"], found["sessionId"], found["expiresAt"] or 0)
        until = min(time.time() + _REMEMBER, actor.expires)
        return self._remember(key, _Known(actor, until)).actor

    def _remember(self, key: str, known: _Known) -> _Known:
        if len(self._known) >= _CACHE:
            self._known.clear()
        self._known[key] = known
        return known

    def session_cookie(self, secret: str, expires: float) -> str:
        """The Set-Cookie that signs a browser in, until `expires`."""
        return self._cookie(secret, int(expires - time.time()))

    def cleared_cookie(self) -> str:
        """The Set-Cookie that takes the cookie away."""
        return self._cookie("", 0)

    def _cookie(self, value: str, seconds: int) -> str:
        secure = "; Secure" if self.secure else ""
        return f"{self.cookie}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"

    def refuse_foreign_page(self, request: web.Request) -> None:
        """For sign-in: a foreign page must not sign a browser in as somebody. Raises Problem 403.

        Programs send no Origin.
        """
        if self.demo_account is not None:
            self._refuse_foreign(request)
        elif "Origin" in request.headers:
            self._check_origin(request)

    def _check_origin(self, request: web.Request) -> None:
        """For writes by cookie: the browser must say that our own page asks. Raises Problem 403."""
        origin = request.headers.get("Origin")
        if origin is None:
            raise Problem(403, "foreign_origin", "A write by cookie needs an Origin header.")
        if origin not in self.origins and not self._is_own(request, origin):
            raise Problem(403, "foreign_origin", "Pages of this origin may not write here.")

    def _refuse_foreign(self, request: web.Request) -> None:
        """Refuses what a page of another origin may have sent. Raises Problem 403.

        Without credentials the browser's word on who asks is all there is: so also a page whose
        name was pointed at this machine (DNS rebinding) gets nothing.
        """
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname
        if host not in _LOOPBACK:
            raise Problem(403, "foreign_host", "Demo mode answers on a loopback address only.")
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self.origins and not self._is_own(request, origin):
            raise Problem(403, "foreign_origin", "Demo mode answers its own pages only.")

    def _is_own(self, request: web.Request, origin: str) -> bool:
        """Whether an origin is that of the host that the request was sent to.

        Where browsers come by https, a page of the same host that came without is foreign: anybody
        on the way may have written it.
        """
        scheme, _, netloc = origin.partition("://")
        schemes = ("https",) if self.secure else ("http", "https")
        return scheme in schemes and netloc == request.headers.get("Host")


def _unauthenticated(detail: str) -> Problem:
    return Problem(401, "unauthenticated", detail)
