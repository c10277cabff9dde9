"""What the search tests share: a workspace, what a search in it finds, its index."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from support import Database

Find = Callable[..., list[str]]


@pytest.fixture
def workspace(database: Database) -> str:
    """A workspace of Ada's."""
    return database.workspace()


def titles_found(database: Database, workspace: str, q: str, **more: Any) -> list[str]:
    """The titles that a search finds, in its order."""
    found = database.read("search", workspace, q=q, limit=200, **more)
    return [result["record"]["data"].get("title") for result in found["results"]]


def index_all(database: Database, workspace: str, limit: int = 500) -> None:
    """Indexes all that there is in a workspace, so many changes at a time."""
    query = "select trusted.search_index(array[%s]::uuid[], %s)"
    while database.value(query, workspace, limit)["behind"]:
        pass


@pytest.fixture
def find(database: Database, workspace: str) -> Find:
    """The titles that a search finds, in its order."""
    return partial(titles_found, database, workspace)


@pytest.fixture
def index(database: Database, workspace: str) -> Callable[..., None]:
    """Indexes all that there is, so many changes at a time."""
    return partial(index_all, database, workspace)
