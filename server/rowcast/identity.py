"""Who a request acts for: access tokens (JWT, RFC 7519), or the demo owner.

The sign-in to come hands out the same tokens; `Identity.actor` is the one place that says who it
is.
"""

import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import jwt
from aiohttp import web

from rowcast.problems import Problem

_ALGORITHM = "HS256"
_ISSUER = "rowcast"
_CACHE = 4096
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Actor:
    """The account that a request acts for.

    expires: until when its token holds, in seconds since the epoch.
    """

    account: str
    expires: float = float("inf")


def make_token(secret: str, account: str, access_epoch: int, seconds: int) -> str:
    """An access token for an account (its uuid), good for `seconds`."""
    now = int(time.time())
    claims = {
        "iss": _ISSUER,
        "sub": account,
        "iat": now,
        "exp": now + seconds,
        "epoch": access_epoch,
    }
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)


@dataclass(slots=True)
class Identity:
    """Tells who a request acts for. `demo_account`: who acts without credentials, in demo mode."""

    secret: str
    origins: frozenset[str] = frozenset()
    demo_account: str | None = None
    _verified: dict[str, Actor] = field(default_factory=dict)

    def actor(self, request: web.Request) -> Actor:
        """The actor of a request.

        Raises Problem 401 without or with bad credentials, 403 for a request that a foreign page
        may have made.
        """
        header = request.headers.get("Authorization")
        if header is not None:
            scheme, _, token = header.partition(" ")
            if scheme.lower() != "bearer":
                raise _unauthenticated("Use Authorization: Bearer <access token>.")
            return self._verify(token.strip())
        if self.demo_account is not None:
            self._refuse_foreign(request)
            return Actor(self.demo_account)
        raise _unauthenticated("Sign in first.")

    def _verify(self, token: str) -> Actor:
        actor = self._verified.get(token)
        if actor is None:
            actor = self._decode(token)
            if len(self._verified) >= _CACHE:
                self._verified.clear()
            self._verified[token] = actor
        if actor.expires <= time.time():
            self._verified.pop(token, None)
            raise _unauthenticated("The access token has expired.")
        return actor

    def _decode(self, token: str) -> Actor:
        try:
            claims = jwt.decode(
                token,
                self.secret,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                options={"require": ["sub", "exp", "iss"]},
            )
            return Actor(str(uuid.UUID(claims["sub"])), float(claims["exp"]))
        except (jwt.InvalidTokenError, ValueError) as error:
            raise _unauthenticated("The access token is not valid.") from error

    def _refuse_foreign(self, request: web.Request) -> None:
        """Refuses what a page of another origin may have sent. Raises Problem 403.

        Without credentials the browser's word on who asks is all there is: so also a page whose
        name was pointed at this machine (DNS rebinding) gets nothing.
        """
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname
        if host not in _LOOPBACK:
            raise Problem(403, "foreign_host", "Demo mode answers on a loopback address only.")
        origin = request.headers.get("Origin")
        if origin is None or origin in self.origins:
            return
        if urlsplit(origin).netloc != request.headers.get("Host"):
            raise Problem(403, "foreign_origin", "Demo mode answers its own pages only.")


def _unauthenticated(detail: str) -> Problem:
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})
