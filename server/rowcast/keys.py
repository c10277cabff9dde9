"""What this server signs: access tokens and the links of mails (JWT, RFC 7519, HS256).

Each kind has an audience of its own, so that one is never taken for another. A token says in its
header which key signed it (`kid`); keys derive from the secrets of the settings, of which the first
signs and all verify: so a secret can be replaced without signing anybody out.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any

import jwt

_ALGORITHM = "HS256"
_ISSUER = "rowcast"
ACCESS = "rowcast:access"
VERIFY_EMAIL = "rowcast:verify-email"
PASSWORD_RESET = "rowcast:password-reset"
INVITATION = "rowcast:invitation"

ACCESS_SECONDS = 900


class TokenError(Exception):
    """A token that this server did not sign for this purpose, or that has expired."""


class Keys:
    """Signs and verifies. `secrets`: the current one first, then those that are still accepted."""

    def __init__(self, secrets: Sequence[str]) -> None:
        keys = [
            hmac.new(secret.encode(), b"rowcast token signing", hashlib.sha256).digest()
            for secret in secrets
        ]
        self._keys = {hashlib.sha256(b"kid" + key).hexdigest()[:16]: key for key in keys}
        self._current = next(iter(self._keys))

    def sign(self, audience: str, claims: Mapping[str, object], expires: float) -> str:
        """A token for one purpose; `expires` in seconds since the epoch."""
        return jwt.encode(
            {**claims, "iss": _ISSUER, "aud": audience, "exp": int(expires)},
            self._keys[self._current],
            algorithm=_ALGORITHM,
            headers={"kid": self._current},
        )

    def verify(self, audience: str, token: str) -> dict[str, Any]:
        """The claims of a token. Raises TokenError."""
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            return jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=audience,
                issuer=_ISSUER,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise TokenError from error

    def access_token(self, account: str, session: str, seconds: float = ACCESS_SECONDS) -> str:
        """An access token for a session of an account (uuids), good for `seconds`."""
        claims = {"sub": account, "sid": session, "iat": int(time.time())}
        return self.sign(ACCESS, claims, time.time() + seconds)
