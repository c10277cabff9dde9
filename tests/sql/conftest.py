"""Fixtures for the stored logic: one clone per module, for tests that only read or only compute."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from record_table import Table
from support import Database

Ask = Callable[..., Any]
Rows = Callable[..., list[Any]]


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
