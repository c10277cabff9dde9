"""Fixtures of the model tests: a stage for all of them."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from model.scene import Stage, staged
from support import Cluster, Database, server_url, start_server


@pytest.fixture(scope="package")
def stage(
    cluster: Cluster, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Two servers on a database of their own."""
    logs = tmp_path_factory.mktemp("servers")
    name = f"model_{uuid.uuid4().hex[:12]}"
    database = Database(cluster.url(name), server_url(cluster.url(name)))
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        with staged(database, lambda: start_server(database, logs)) as stage:
            yield stage
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
