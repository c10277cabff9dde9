"""What the conformance tests share: a server in demo mode, as the documents' curl lines need it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import aiohttp
import pytest

from support import Client, Database, deployed, serving


@pytest.fixture
async def demo(database: Database, session: aiohttp.ClientSession) -> AsyncIterator[Client]:
    """A client without credentials of a server in demo mode: it acts as Demo."""
    async with serving(deployed(database, demo_account=database.account("Demo"))) as url:
        yield Client(session, url, None)


@pytest.fixture
def member(demo: Client, database: Database) -> Callable[[str, str, str], Client]:
    """A client as a member of a workspace: `member(workspace, name, role)`."""

    def join(workspace: str, name: str, role: str) -> Client:
        database.join(workspace, name, role)
        return replace(demo, token=database.token(name))

    return join
