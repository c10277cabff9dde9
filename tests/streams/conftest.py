"""Fixtures of the stream tests: servers, and a workspace."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from rowcast.app import Deployment, make_app
from rowcast.endpoints import HUB
from rowcast.hub import Hub, Pace
from support import CHEAP, SECRET, Client, Database, ServerProcess


@dataclass(frozen=True)
class Server:
    """A server in this process, and its hub."""

    client: Client
    hub: Hub


@asynccontextmanager
async def serving(
    database: Database, session: aiohttp.ClientSession, pace: Pace
) -> AsyncIterator[Server]:
    """A server in this process with a pace of its own; a client of it is signed in as Ada."""
    app = make_app(
        Deployment(database.server, database.server, (SECRET,), hasher=CHEAP, pace=pace),
        lambda: None,
    )
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Server(Client(session, url, database.token("Ada")), app[HUB])
    finally:
        await runner.cleanup()


@pytest.fixture
async def server(database: Database, session: aiohttp.ClientSession) -> AsyncIterator[Server]:
    """A server in this process that polls and beats so rarely that no test meets it."""
    async with serving(database, session, Pace(poll=600, beat=600)) as server:
        yield server


@pytest.fixture
async def lively(database: Database, session: aiohttp.ClientSession) -> AsyncIterator[Server]:
    """A server in this process that polls and beats all the time."""
    async with serving(database, session, Pace(poll=0.1, beat=0.1)) as server:
        yield server


@pytest.fixture
def two(
    database: Database, spawn: Callable[..., ServerProcess], session: aiohttp.ClientSession
) -> list[Client]:
    """Clients of two server processes on the test's database, both signed in as Ada."""
    token = database.token("Ada")
    return [Client(session, spawn().url, token) for _ in range(2)]


@pytest.fixture
def workspace(database: Database) -> str:
    """A workspace of Ada's."""
    return database.workspace()


@pytest.fixture
def events(workspace: str) -> str:
    """The path of its stream."""
    return f"/api/v1/workspaces/{workspace}/events"
