"""Fixtures: a cluster for the session, a database cloned per test, a server in this process."""

import asyncio
import functools
import inspect
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import psycopg
import pytest
import uvloop
from psycopg import sql

from rowcast.config import server_password
from rowcast.schema import migrate
from support import (
    FAST,
    SECRET,
    Client,
    Cluster,
    Database,
    ServerProcess,
    deployed,
    server_url,
    serving,
    start_server,
)

KIND = os.environ.get("ROWCAST_TEST_POSTGRES", "embedded")
ASYNC_TIMEOUT = 90  # seconds; pytest's own timeout, which ends the whole process, comes later
REQUIRE_ALL = os.environ.get("REQUIRE_ALL") == "1"


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, object]:
    return {"uvloop": uvloop.new_event_loop}


def bounded(test: Callable[..., Awaitable[None]], seconds: float) -> Callable[..., Awaitable[None]]:
    """The test with an end: what it awaits when its time is up is in the traceback."""

    @functools.wraps(test)
    async def run(*args: object, **kwargs: object) -> None:
        async with asyncio.timeout(seconds):
            await test(*args, **kwargs)

    return run


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            own = item.get_closest_marker("timeout")
            item.obj = bounded(item.obj, own.args[0] - 30 if own else ASYNC_TIMEOUT)


def skip_or_fail(reason: str) -> None:
    """For what a machine may lack: a skip that says so, or with REQUIRE_ALL=1 a failure."""
    if REQUIRE_ALL:
        pytest.fail(f"REQUIRE_ALL=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def cluster_base() -> Iterator[Path]:
    """A directory in memory where there is room, else on disk."""
    shm = Path("/dev/shm")
    roomy = shm.is_dir() and shutil.disk_usage(shm).free > 1 << 30
    base = Path(tempfile.mkdtemp(prefix="rowcast-test-", dir=shm if roomy else None))
    base.chmod(0o711)
    yield base
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(cluster_base: Path) -> Iterator[Cluster]:
    """The server that all tests share, but those that kill one."""
    started = Cluster(cluster_base / "shared", KIND, FAST)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """The name of a migrated database that others are cloned from."""
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute("create database rowcast_template")
    migrate(cluster.url("rowcast_template"), server_password(SECRET))
    return "rowcast_template"


@pytest.fixture
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    """A migrated database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    strategy = " strategy file_copy"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}" + strategy).format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    yield Database(cluster.url(name), server_url(cluster.url(name)))
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def shared_database(cluster: Cluster, template: str) -> Iterator[Database]:
    """A migrated database that the tests of a module share: for those that leave it as it is."""
    name = sql.Identifier(f"shared_{uuid.uuid4().hex[:12]}")
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                name, sql.Identifier(template)
            )
        )
        url = cluster.url(name.as_string().strip('"'))
        yield Database(url, server_url(url))
        connection.execute(sql.SQL("drop database {} with (force)").format(name))


@pytest.fixture
async def app_url(database: Database) -> AsyncIterator[str]:
    """A server in this process; its address."""
    async with serving(deployed(database)) as url:
        yield url


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session without a limit of connections."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


@pytest.fixture
def client(app_url: str, database: Database, session: aiohttp.ClientSession) -> Client:
    """A client of the server in this process, signed in as Ada."""
    return Client(session, app_url, database.token("Ada"))


@pytest.fixture
def spawn(database: Database, tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Starts server processes on the test's database; kills what is left of them."""
    started: list[ServerProcess] = []

    def start(*options: str, **environment: str) -> ServerProcess:
        started.append(start_server(database, tmp_path, *options, environment=environment))
        return started[-1]

    yield start
    for server in started:
        server.kill()
