"""Accounts and signing in."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from rowcast.answers.base import Answer, Page, Time


class Account(Answer):
    """An account, as its holder sees it."""

    id: UUID
    email: str
    name: str
    avatar: str | None
    created_at: Time


class NewAccount(Answer):
    """The account that a link has made."""

    user: Account


class Erased(Answer):
    """What is gone, by its id; where no workspace has it in its log."""

    id: UUID


class SignedIn(Answer):
    """The secrets of a session."""

    user: Account
    access_token: str
    refresh_token: str
    expires_in: Annotated[int, Field(description="Seconds that the access token is good for.")]


class Status(Answer):
    """What became of the request, whoever asked."""

    status: Literal["verification_sent", "reset_sent", "password_changed", "signed_out"]


class SampleUser(Answer):
    """Somebody whom anybody may become, in the demo."""

    email: str
    name: str
    role: str


class SampleUsers(Page):
    """The demo's sample users."""

    users: list[SampleUser]


class SignIn(Answer):
    """Where an account is signed in."""

    id: UUID
    client: str | None
    address: str | None
    current: Annotated[bool, Field(description="Whether this request came by it.")]
    created_at: Time
    used_at: Time | None
    expires_at: Time


class SignIns(Page):
    """Where an account is signed in."""

    sessions: list[SignIn]


class AccessToken(Answer):
    """A personal access token, but for the token itself."""

    id: UUID
    name: str | None
    scopes: list[Literal["read", "write", "manage"]] | None
    created_at: Time
    used_at: Time | None
    expires_at: Time


class AccessTokens(Page):
    """The caller's personal access tokens."""

    tokens: list[AccessToken]


class NewAccessToken(AccessToken):
    """A personal access token, with the token, which is told this once."""

    token: Annotated[str, Field(pattern="^rct_")]


class RepeatedAccessToken(Answer):
    """What a repeat answers: the token was told once."""

    name: str
    scopes: list[str]


class Ticket(Answer):
    """Opens one stream, once: `?ticket=`."""

    ticket: str
    expires_in: Annotated[int, Field(description="Seconds.")]
