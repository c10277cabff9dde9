"""What the attacks share: a server, somebody to attack, and how a request is sent."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from attacks.sending import Sender
from attacks.stage import Builder, Stage
from rowcast.edge import Edge
from storing import storage_in
from support import Database, deployed, serving

TRUSTED = "https://app.example.org"


@pytest.fixture
def builder(database: Database) -> Iterator[Builder]:
    """Makes whom and what to attack."""
    made = Builder(database)
    yield made
    made.connection.close()


@pytest.fixture
def stage(builder: Builder) -> Stage:
    """Somebody to attack."""
    return builder.stage()


@pytest.fixture
async def sender(
    database: Database, session: aiohttp.ClientSession, tmp_path: Path
) -> AsyncIterator[Sender]:
    """A way to a server that pages of TRUSTED may ask, behind a proxy that it believes."""
    deployment = deployed(
        database,
        origins=frozenset({TRUSTED}),
        edge=Edge(proxies=("127.0.0.1",), body_seconds=2),
        storage=storage_in(tmp_path),
    )
    async with serving(deployment) as url:
        yield Sender(session, url)
