"""Fixtures of the fault tests: two servers on one database, and a cluster that may be killed."""

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psycopg
import pytest
from psycopg import sql

from rowcast.config import server_password
from rowcast.schema import migrate
from support import SECRET, Client, Cluster, Database, ServerProcess, server_url


@pytest.fixture
def two(
    database: Database, spawn: Callable[..., ServerProcess], session: aiohttp.ClientSession
) -> list[Client]:
    """Clients of two server processes on the test's database, both signed in as Ada."""
    token = database.token("Ada")
    return [Client(session, spawn().url, token) for _ in range(2)]


@dataclass(frozen=True)
class Durable:
    """A cluster of its own that syncs what it commits, and a database in it."""

    cluster: Cluster
    database: Database


@pytest.fixture(scope="module")
def durable_cluster(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster on disk with fsync, to be killed. A test that kills it starts it again."""
    base = Path(tempfile.mkdtemp(prefix="rowcast-durable-"))
    base.chmod(0o711)
    started = Cluster(base / "cluster", cluster.kind, {})
    yield started
    started.stop()
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def durable(durable_cluster: Cluster) -> Durable:
    """A migrated database in the durable cluster."""
    name = f"durable_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(durable_cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    admin = durable_cluster.url(name)
    migrate(admin, server_password(SECRET))
    return Durable(durable_cluster, Database(admin, server_url(admin)))
