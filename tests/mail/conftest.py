"""Fixtures: a real SMTP server on loopback, and servers of ours that deliver to it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from mailing import PUBLIC_URL, SENDER, Inbox, Serve
from rowcast.app import Deployment
from rowcast.mail import MailSettings
from support import CHEAP, SECRET, Database, free_port, serving


@pytest.fixture
async def closed_inbox() -> AsyncIterator[Inbox]:
    """An SMTP server that does not listen yet."""
    inbox = Inbox(free_port())
    inbox.open.set()
    yield inbox
    inbox.open.set()
    await inbox.stop()


@pytest.fixture
async def inbox(closed_inbox: Inbox) -> Inbox:
    """An SMTP server."""
    await closed_inbox.start()
    return closed_inbox


@pytest.fixture
def serve(database: Database) -> Serve:
    """Starts a server in this process that delivers to an inbox; its address."""

    def start(inbox: Inbox) -> AbstractAsyncContextManager[str]:
        mail = MailSettings(PUBLIC_URL, SENDER, inbox.server)
        return serving(
            Deployment(database.server, database.server, (SECRET,), hasher=CHEAP, mail=mail)
        )

    return start
