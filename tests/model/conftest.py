"""Fixtures of the model tests: a stage for the tests of a module."""

from collections.abc import Iterator

import pytest

from model.scene import Stage, staged
from support import Database, start_server


@pytest.fixture(scope="module")
def stage(shared_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Two servers on a database of the module's own."""
    logs = tmp_path_factory.mktemp("servers")
    with staged(shared_database, lambda: start_server(shared_database, logs)) as stage:
        yield stage
