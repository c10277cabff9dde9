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
Rows = Callable[..., list[Any]]


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


@pytest.fixture(scope="module")
def rows(shared_database: Database) -> Iterator[Rows]:
    """The rows of a query on the catalogue; a single column comes as plain values."""
    with shared_database.connect() as connection:

        def rows(query: str, *parameters: Any) -> list[Any]:
            named = isinstance(parameters[0], dict) if parameters else False
            found = connection.execute(
                query.encode(), parameters[0] if named else parameters
            ).fetchall()
            return [row[0] if len(row) == 1 else row for row in found]

        yield rows
