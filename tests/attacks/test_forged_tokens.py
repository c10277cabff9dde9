"""Access tokens that the server did not sign, or not for this: each is 401."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp

from attacks.sending import Sender
from attacks.stage import Builder, Stage, sign
from rowcast.keys import ACCESS, INVITATION, PASSWORD_RESET, VERIFY_EMAIL, Keys
from support import KEYS, SECRET, Database, deployed, serving

KEY = hmac.new(SECRET.encode(), b"rowcast token signing", hashlib.sha256).digest()
KID = hashlib.sha256(b"kid" + KEY).hexdigest()[:16]
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
ME = "/api/v1/me"


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def claims(stage: Stage) -> dict[str, Any]:
    """What a good token says."""
    return {
        "sub": stage.account,
        "sid": stage.session,
        "iss": "rowcast",
        "aud": ACCESS,
        "exp": int(time.time()) + 600,
    }


def forge(
    payload: Any, header: Any = None, key: bytes = KEY, hashed: str = "HS256", raw: bytes = b""
) -> str:
    """A token of any header and claims, signed by any key; `raw` instead of the header's JSON."""
    head = raw or json.dumps({"alg": "HS256", "typ": "JWT", "kid": KID} | (header or {})).encode()
    body = f"{b64(head)}.{b64(json.dumps(payload).encode())}"
    return f"{body}.{b64(hmac.new(key, body.encode(), HASHES[hashed]).digest())}"


async def status(sender: Sender, token: str) -> int:
    reply = await sender.send("GET", ME, Authorization=f"Bearer {token}")
    if reply.status != 200:
        reply.problem(401, "unauthenticated")
        assert "Set-Cookie" not in reply.headers
    return reply.status


async def test_a_token_made_by_hand_as_the_server_makes_it_is_good(
    sender: Sender, stage: Stage
) -> None:
    """So that what is refused below is refused for its one fault."""
    assert await status(sender, forge(claims(stage))) == 200
    assert await status(sender, stage.access) == 200


# (header, key, hash): all signed with what somebody may have thought is the key
ALGORITHMS: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "HS384": ({"alg": "HS384"}, KEY, "HS384"),
    "HS512": ({"alg": "HS512"}, KEY, "HS512"),
    "HS512, said to be HS256": ({}, KEY, "HS512"),
    "RS256 with our key": ({"alg": "RS256"}, KEY, "HS256"),
    "ES256": ({"alg": "ES256"}, KEY, "HS256"),
    "EdDSA": ({"alg": "EdDSA"}, KEY, "HS256"),
    "small letters": ({"alg": "hs256"}, KEY, "HS256"),
    "no algorithm": ({"alg": None}, KEY, "HS256"),
    "an object": ({"alg": {"name": "HS256"}}, KEY, "HS256"),
    "a list": ({"alg": ["HS256"]}, KEY, "HS256"),
    "the kid as key": ({}, KID.encode(), "HS256"),
    "the secret as key": ({}, SECRET.encode(), "HS256"),
    "an empty key": ({}, b"", "HS256"),
    "unknown critical header": ({"crit": ["x"], "x": 1}, KEY, "HS256"),
    "a public key in jwk": ({"jwk": {"kty": "oct", "k": b64(b"x" * 32)}}, b"x" * 32, "HS256"),
    "a key by address": ({"jku": "http://127.0.0.1:1/keys", "kid": "x"}, b"x" * 32, "HS256"),
}


async def test_another_algorithm_or_key_than_ours_is_refused(sender: Sender, stage: Stage) -> None:
    for name, (header, key, hashed) in ALGORITHMS.items():
        assert await status(sender, forge(claims(stage), header, key, hashed)) == 401, name


async def test_an_unsigned_token_is_refused(sender: Sender, stage: Stage) -> None:
    body = b64(json.dumps(claims(stage)).encode())
    for name in ("none", "None", "NONE", "nOnE", ""):
        for header in ({"alg": name}, {"alg": name, "kid": KID}):
            head = b64(json.dumps(header).encode())
            assert await status(sender, f"{head}.{body}.") == 401
            assert await status(sender, f"{head}.{body}") == 401
    head, body, signature = stage.access.split(".")
    assert await status(sender, f"{head}.{body}.") == 401
    assert await status(sender, f"{head}..{signature}") == 401
    other = b64(json.dumps(claims(stage) | {"sub": str(uuid.uuid4())}).encode())
    assert await status(sender, f"{head}.{other}.{signature}") == 401


KIDS: dict[str, Any] = {
    "unknown": "0" * 16,
    "foreign": hashlib.sha256(b"kid" + b"x" * 32).hexdigest()[:16],
    "path": "../../../../dev/null",
    "absolute path": "/dev/null",
    "sql": "x' union select 'key' --",
    "empty": "",
    "null": None,
    "number": 0,
    "true": True,
    "object": {"kid": KID},
    "list": [KID],
    "large letters": KID.upper(),
    "with a blank": f" {KID}",
    "with nul": f"{KID}\0",
    "attribute": "__class__",
}


async def test_a_wrong_kid_is_refused_whatever_signed(sender: Sender, stage: Stage) -> None:
    for name, kid in KIDS.items():
        for key in (KEY, b"", b"\0", b"x" * 32):
            assert await status(sender, forge(claims(stage), {"kid": kid}, key)) == 401, name


async def test_a_missing_kid_is_refused(sender: Sender, stage: Stage) -> None:
    for raw in (b'{"alg":"HS256"}', b'{"alg":"HS256","KID":"%b"}' % KID.encode()):
        assert await status(sender, forge(claims(stage), raw=raw)) == 401


ODD = {
    "deep": b"[" * 5000,
    "deep object": b'{"":' * 1200,
    "no object": b"[]",
    "null": b"null",
    "a number of many digits": b'{"alg":"HS256","kid":' + b"9" * 5000 + b"}",
    "nan": b'{"alg":"HS256","kid":NaN}',
    "latin-1": b'{"alg":"HS256","kid":"\xe9"}',
    "surrogate": b'{"alg":"HS256","kid":"\\ud800"}',
    "doubled": b'{"alg":"none","alg":"HS256","kid":"x","kid":"y"}',
    "empty": b" ",
}


async def test_an_odd_header_is_refused(sender: Sender, stage: Stage) -> None:
    for name, raw in ODD.items():
        assert await status(sender, forge(claims(stage), raw=raw)) == 401, name


CLAIMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "expired": lambda c: c | {"exp": int(time.time()) - 1},
    "no expiry": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "expiry is null": lambda c: c | {"exp": None},
    "expiry is text": lambda c: c | {"exp": "never"},
    "not yet": lambda c: c | {"nbf": int(time.time()) + 600},
    "other issuer": lambda c: c | {"iss": "rowcast2"},
    "no issuer": lambda c: {k: v for k, v in c.items() if k != "iss"},
    "no audience": lambda c: {k: v for k, v in c.items() if k != "aud"},
    "verify-email": lambda c: c | {"aud": VERIFY_EMAIL},
    "password-reset": lambda c: c | {"aud": PASSWORD_RESET},
    "invitation": lambda c: c | {"aud": INVITATION},
    "no session": lambda c: {k: v for k, v in c.items() if k != "sid"},
    "session is null": lambda c: c | {"sid": None},
    "another session": lambda c: c | {"sid": str(uuid.uuid4())},
    "no account": lambda c: {k: v for k, v in c.items() if k != "sub"},
    "account is an object": lambda c: c | {"sub": {}},
    "a list": lambda c: [c],
}


async def test_claims_that_do_not_fit_are_refused_though_the_signature_is_ours(
    sender: Sender, stage: Stage
) -> None:
    for name, change in CLAIMS.items():
        assert await status(sender, forge(change(claims(stage)))) == 401, name


async def test_a_session_proves_its_own_account_only(
    sender: Sender, stage: Stage, builder: Builder
) -> None:
    """Even signed by us: the database looks whose the session is."""
    other = builder.stage()
    assert await status(sender, forge(claims(stage) | {"sub": other.account})) == 401
    assert await status(sender, forge(claims(stage) | {"sid": other.session})) == 401


async def test_a_token_of_one_purpose_is_good_for_no_other(sender: Sender, stage: Stage) -> None:
    for token in (stage.verify_token, stage.reset_token, stage.invitation_token):
        assert await status(sender, token) == 401
    bodies = {
        "/api/v1/auth/verify-email": {},
        "/api/v1/auth/password-reset/confirm": {"password": "x" * 12},
        "/api/v1/invitations/accept": {"name": "X", "password": "x" * 12},
    }
    own = dict(
        zip(bodies, (stage.verify_token, stage.reset_token, stage.invitation_token), strict=True)
    )
    for path, body in bodies.items():
        for token in (stage.access, *(token for at, token in own.items() if at != path)):
            reply = await sender.send("POST", path, body | {"token": token})
            reply.problem(422, "invalid_token")
    # the ids of rows that exist, signed for what they are not
    for path, audience in (
        ("/api/v1/auth/verify-email", VERIFY_EMAIL),
        ("/api/v1/auth/password-reset/confirm", PASSWORD_RESET),
    ):
        for token in own.values():
            body = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
            crossed = sign(audience, jti=body["jti"])
            if own[path] == token:
                continue
            reply = await sender.send("POST", path, bodies[path] | {"token": crossed})
            reply.problem(422, "invalid_token")


async def test_a_secret_shown_in_another_place_than_its_own_is_refused(
    sender: Sender, stage: Stage, builder: Builder
) -> None:
    """A cookie is no bearer's token, a token is no cookie: also once the server remembers them."""
    program = builder.value(
        "select logic.token_issue(%s, 'p', array['read'], 1)->>'token'", stage.account
    )
    for secret in (stage.access, program):
        assert await status(sender, secret) == 200
        reply = await sender.send("GET", ME, Cookie=f"rowcast_session={secret}")
        reply.problem(401, "unauthenticated")
    reply = await sender.send("GET", ME, Cookie=f"rowcast_session={stage.cookie}")
    assert reply.status == 200
    for shown in (stage.cookie, f"cookie {stage.cookie}", stage.refresh, f"rct_{stage.cookie}"):
        assert await status(sender, shown) == 401
    for scheme in ("Basic", "Token", "JWT", ""):
        reply = await sender.send("GET", ME, Authorization=f"{scheme} {stage.access}".strip())
        reply.problem(401, "unauthenticated")
    for name in ("access_token", "token", "jwt", "bearer"):
        reply = await sender.send("GET", f"{ME}?{name}={stage.access}")
        reply.problem(401, "unauthenticated")


async def test_a_replaced_key_is_accepted_while_it_is_listed_and_not_after(
    database: Database, stage: Stage, session: aiohttp.ClientSession
) -> None:
    new = "another-secret-" + "1" * 32
    both = replace(deployed(database), secrets=(new, SECRET))
    async with serving(both) as url:
        sender = Sender(session, url)
        assert await status(sender, stage.access) == 200
        fresh = Keys([new]).access_token(stage.account, stage.session)
        assert await status(sender, fresh) == 200
        # the kid of one key over the signature of the other
        assert await status(sender, forge(claims(stage), {"kid": kid_of(new)})) == 401
        reply = await sender.send(
            "POST", "/api/v1/auth/refresh", {"refreshToken": stage.refresh}, User_Agent="attacks/1"
        )
        made = reply.json["accessToken"]
        assert json.loads(base64.urlsafe_b64decode(made.split(".")[0] + "=="))["kid"] == kid_of(new)
    async with serving(replace(deployed(database), secrets=(new,))) as url:
        sender = Sender(session, url)
        assert await status(sender, fresh) == 200
        assert await status(sender, made) == 200
        assert await status(sender, stage.access) == 401
        assert await status(sender, KEYS.access_token(stage.account, stage.session)) == 401
        reply = await sender.send(
            "POST", "/api/v1/auth/verify-email", {"token": stage.verify_token}
        )
        reply.problem(422, "invalid_token")


def kid_of(secret: str) -> str:
    """The `kid` of the key that derives from a secret."""
    token = Keys([secret]).sign("x", {}, time.time() + 9)
    return str(json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"])
