"""Fixtures for the stored logic: one clone per module, for tests that only read or only compute."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from record_table import Table
from support import Cluster, Database, server_url

Ask = Callable[..., Any]


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


@pytest.fixture(scope="module")
def ask(shared_database: Database) -> Iterator[Ask]:
    """Asks for the one value of a query, with `%s` parameters."""
    with shared_database.connect() as connection:

        def ask(query: str, *parameters: Any) -> Any:
            row = connection.execute(query.encode(), parameters).fetchone()
            assert row is not None
            return row[0]

        yield ask


@pytest.fixture
def table(database: Database) -> Table:
    """The records of a new workspace, written as psql does."""
    return Table(database)
