"""What the HTTP tests share: a workspace, and the path of its records."""

import pytest

from support import Database


@pytest.fixture
def workspace(database: Database) -> str:
    """A workspace of Ada's."""
    return database.workspace()


@pytest.fixture
def records(workspace: str) -> str:
    """The path of its records."""
    return f"/api/v1/workspaces/{workspace}/records"
