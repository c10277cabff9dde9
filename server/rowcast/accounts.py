"""Sign-in and the like: what takes more than one call of the database.

Each handler passes on what only this process can tell: that a password was right (argon2), that a
link was ours (its signature). Whether that lets anybody in is for the database to say.
"""

from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel

from rowcast import models
from rowcast.calls import Caller
from rowcast.demo import SampleUser
from rowcast.edge import client_address, take_address
from rowcast.endpoints import (
    IDENTITY,
    KEYS,
    PASSWORDS,
    Handler,
    header,
    read_body,
    respond,
    transaction_id,
)
from rowcast.gateway import Answer
from rowcast.identity import Actor, digest
from rowcast.keys import ACCESS_SECONDS, INVITATION, PASSWORD_RESET, VERIFY_EMAIL, TokenError
from rowcast.limits import limit_key
from rowcast.problems import Problem
from rowcast.routes import Action

DEMO_USERS = web.AppKey("demo_users", tuple[SampleUser, ...])


CALLER = web.AppKey("caller", Caller)


class _Request:
    """A request to a handler of this module, with its checked body."""

    def __init__(self, request: web.Request, body: Any) -> None:
        self.http = request
        self.body = body
        self.identity = request.app[IDENTITY]
        self.passwords = request.app[PASSWORDS]

    @property
    def client(self) -> str:
        """The User-Agent."""
        return (header(self.http, "User-Agent") or "")[:500]

    @property
    def address(self) -> str:
        """Where it comes from; of IPv6 the /64, within which a client can choose freely."""
        return limit_key(client_address(self.http))

    async def ask(self, function: str, /, **arguments: object) -> Any:
        """The answer of a function, called as nobody. Raises Problem."""
        return await self.http.app[CALLER].ask(function, **arguments)

    async def call(
        self,
        function: str,
        arguments: dict[str, object],
        actor: Actor,
        workspace: str | None = None,
        *,
        keyed: bool = True,
    ) -> Answer:
        """The answer of a function, called as somebody, `keyed` under the request's id.

        Raises Problem.
        """
        return await self.http.app[CALLER].call(
            function,
            arguments,
            actor=actor,
            workspace=workspace,
            transaction=transaction_id(self.http) if keyed else None,
        )

    def claims(self, audience: str) -> dict[str, Any]:
        """What the token of a mail says. Raises Problem 422."""
        try:
            return self.http.app[KEYS].verify(audience, self.body.token)
        except TokenError as error:
            raise Problem(
                422,
                "invalid_token",
                "This link is not good, or no longer: it was used, or it has expired.",
            ) from error

    def signed_in(self, opened: dict[str, Any], **more: object) -> web.Response:
        """Answers with the secrets of a session, and sets the cookie where there is a new one."""
        account, session = opened["user"]["id"], opened["sessionId"]
        body = {
            "user": opened["user"],
            "accessToken": self.http.app[KEYS].access_token(account, session),
            "refreshToken": opened["refreshToken"],
            "expiresIn": ACCESS_SECONDS,
            **more,
        }
        response = _json(body)
        if "cookie" in opened:
            response.headers["Set-Cookie"] = self.identity.session_cookie(
                opened["cookie"], opened["expiresAt"]
            )
        return response

    async def open_session(
        self, account: str, verified: str | None = None, rehashed: str | None = None
    ) -> dict[str, Any]:
        """A new session, whatever cookie came along: nobody is signed in by a fixed one."""
        opened: dict[str, Any] = await self.ask(
            "trusted.session_open",
            accountId=account,
            client=self.client,
            address=self.address,
            verifiedHash=verified,
            passwordHash=rehashed,
        )
        return opened


async def register(request: _Request) -> web.Response:
    """Takes a registration: 202, whether or not there is such an account."""
    body: models.Register = request.body
    answer = await request.ask(
        "trusted.registration_request",
        email=body.email,
        name=body.name,
        passwordHash=await request.passwords.hash(body.password),
        address=request.address,
    )
    return _json(answer, 202)


async def verify_email(request: _Request) -> web.Response:
    """Makes the account whose registration's link came back."""
    token = request.claims(VERIFY_EMAIL)["jti"]
    return _json(await request.ask("trusted.registration_confirm", tokenId=token), 201)


async def login(request: _Request) -> web.Response:
    """Signs in by e-mail address and password."""
    body: models.Login = request.body
    request.identity.refuse_foreign_page(request.http)
    begun = await request.ask("trusted.sign_in_begin", email=body.email, address=request.address)
    known = begun["passwordHash"]
    if not await request.passwords.verify(known, body.password):
        raise _wrong_credentials()
    rehashed = None
    if request.passwords.is_outdated(known):
        rehashed = await request.passwords.hash(body.password)
    return request.signed_in(await request.open_session(begun["accountId"], known, rehashed))


async def demo_users(request: _Request) -> web.Response:
    """The sample users, in demo mode only."""
    users = request.http.app[DEMO_USERS]
    if not users:
        raise Problem(404, "not_found", "There is nothing at this address.")
    return _json({"users": [asdict(user) for user in users], "nextCursor": None})


async def demo_login(request: _Request) -> web.Response:
    """Signs in as a sample user, in demo mode only."""
    body: models.DemoLogin = request.body
    request.identity.refuse_foreign_page(request.http)
    if body.email.lower() not in {user.email for user in request.http.app[DEMO_USERS]}:
        raise Problem(404, "unknown_account", "There is no such sample user here.")
    found = await request.ask("trusted.account_find", email=body.email)
    return request.signed_in(await request.open_session(found["id"]))


async def refresh(request: _Request) -> web.Response:
    """Exchanges a refresh token for the next, and a new access token."""
    body: models.Refresh = request.body
    answer = await request.ask(
        "trusted.session_refresh",
        hash=digest(body.refresh_token),
        client=request.client,
        address=request.address,
    )
    if "reused" in answer:
        raise Problem(
            401,
            "refresh_token_reused",
            "This refresh token was used before: its session has been ended. Sign in again.",
        )
    return request.signed_in(answer)


async def logout(request: _Request) -> web.Response:
    """Signs out: by the refresh token in the body, else whoever asks."""
    body: models.Logout = request.body
    if body.refresh_token is not None:
        await request.ask("trusted.session_close", refreshHash=digest(body.refresh_token))
    else:
        actor = await request.identity.actor(request.http)
        await request.ask("trusted.session_close", sessionId=actor.session)
    response = _json({"status": "signed_out"})
    response.headers["Set-Cookie"] = request.identity.cleared_cookie()
    return response


async def password_reset(request: _Request) -> web.Response:
    """Takes a wish to reset a password: 202, whether or not there is such an account."""
    body: models.PasswordReset = request.body
    answer = await request.ask(
        "trusted.password_reset_request", email=body.email, address=request.address
    )
    return _json(answer, 202)


async def password_reset_confirm(request: _Request) -> web.Response:
    """Sets a new password by the link of a mail."""
    body: models.PasswordResetConfirm = request.body
    token = request.claims(PASSWORD_RESET)["jti"]
    answer = await request.ask(
        "trusted.password_reset_confirm",
        tokenId=token,
        passwordHash=await request.passwords.hash(body.password),
    )
    return _json(answer)


async def update_me(request: _Request) -> web.StreamResponse:
    """Changes the caller's name and picture, and his password where he knows the old one."""
    body: models.AccountUpdate = request.body
    actor = await request.identity.actor(request.http)
    known = None
    if body.password is not None:
        begun = await request.call("trusted.password_check_begin", {}, actor, keyed=False)
        known = orjson.loads(begun.body)["passwordHash"]
        if known and not await request.passwords.verify(known, body.current_password or ""):
            raise _wrong_credentials()
    arguments: dict[str, object] = {"name": body.name, "avatar": body.avatar}
    answer = await request.call("account_update", arguments, actor)
    if body.password is not None:
        hashed = await request.passwords.hash(body.password)
        changed: dict[str, object] = {"passwordHash": hashed, "verifiedHash": known}
        await request.call("trusted.password_change", changed, actor, keyed=False)
    return respond(request.http, answer, 200)


async def accept_invitation(request: _Request) -> web.StreamResponse:
    """Accepts an invitation as who is signed in, or as somebody new with name and password."""
    body: models.Acceptance = request.body
    claims = request.claims(INVITATION)
    actor = None
    if body.password is None:
        actor = await request.identity.actor(request.http)
    opened = None
    if actor is None:
        request.identity.refuse_foreign_page(request.http)
        made = await request.ask(
            "trusted.invited_account_create",
            workspace=claims["ws"],
            invitation=claims["jti"],
            name=body.name,
            passwordHash=await request.passwords.hash(body.password or ""),
        )
        opened = await request.open_session(made["id"])
        actor = Actor(made["id"], opened["sessionId"])
    answer = await request.call(
        "trusted.invitation_accept", {"invitationId": claims["jti"]}, actor, claims["ws"]
    )
    if opened is None:
        return respond(request.http, answer, 200)
    return request.signed_in(opened, workspace=orjson.loads(answer.body))


def _wrong_credentials() -> Problem:
    """As the database says it."""
    return Problem(401, "wrong_credentials", "E-mail address or password is wrong.")


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


HANDLERS = {
    handler.__name__: handler
    for handler in (
        register,
        verify_email,
        login,
        demo_users,
        demo_login,
        refresh,
        logout,
        password_reset,
        password_reset_confirm,
        update_me,
        accept_invitation,
    )
}


def action_endpoint(action: Action) -> Handler:
    """The handler of an action of the route table."""
    handler = HANDLERS[action.handler]

    async def handle(request: web.Request) -> web.StreamResponse:
        take_address(request)
        body: BaseModel | None = None
        if action.body is models.Logout and not request.can_read_body:
            body = models.Logout()
        elif action.body is not None:
            _, body = await read_body(request, action.body)
        return await handler(_Request(request, body))

    return handle
