"""A real SMTP server on loopback, and what tests do with the outbox."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from rowcast.mail_texts import Mail
from rowcast.smtp import SmtpServer, parse_smtp_url
from support import Database

PUBLIC_URL = "https://rowcast.example"
SENDER = "Rowcast <rowcast@rowcast.example>"

Serve = Callable[..., AbstractAsyncContextManager[str]]


@dataclass
class Inbox:
    """An SMTP server: what it took, whom it was asked for, and what it answers instead of 250.

    answers: to the next recipients, in turn; refusal: to every message. While `open` is not set it
    answers to no message.
    """

    port: int
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refusal: str | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """As ROWCAST_SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def server(self) -> SmtpServer:
        """The same, parsed."""
        return parse_smtp_url(self.url)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.recipients.append(address)
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message: EmailMessage = BytesParser(_class=EmailMessage, policy=default).parsebytes(
            envelope.content
        )
        self.begun.set()
        await self.open.wait()
        if self.refusal is not None:
            return self.refusal.format(text=" ".join(message.get_content().split()))
        self.messages.append(message)
        return "250 OK"

    async def start(self, **options: Any) -> None:
        """Listens."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(self, hostname="inbox.example", **options), "127.0.0.1", self.port
        )

    async def stop(self) -> None:
        """Listens no more."""
        if self._server is not None:
            self._server.close()
            self._server = None


def put(database: Database, kind: str, address: str = "ada@example.org", **data: object) -> None:
    """A mail in the outbox."""
    with database.connect() as connection:
        connection.execute("select logic.mail_put(%s, %s, %s)", [kind, address, json.dumps(data)])


def row(database: Database) -> Mail:
    """The one mail of the outbox."""
    mails: list[Mail] = database.value("select trusted.mail_list(10)")["mails"]
    assert len(mails) == 1, mails
    return mails[0]


def fall_due(database: Database) -> None:
    """All that waits for another attempt is to be tried now."""
    database.run("update core.mail set next_at = clock_timestamp() - interval '1 second'")
    database.run("select pg_notify('rowcast', 'mail')")


def token_in(text: str) -> str:
    """The token on a line of its own, which must be that of the link too."""
    token = next(line for line in text.splitlines() if line.startswith("eyJ"))
    assert any(line.endswith("=" + token) for line in text.splitlines())
    return token
