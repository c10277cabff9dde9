"""What tests share: a cluster, databases cloned from a migrated template, clients, processes."""

import asyncio
import hashlib
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from aiohttp import web
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from psycopg.conninfo import make_conninfo

from document import check as check_document
from rowcast.app import Deployment, make_app
from rowcast.config import server_password
from rowcast.edge import accepting
from rowcast.embedded import EmbeddedPostgres
from rowcast.keys import Keys
from rowcast.serve import bind

SECRET = "test-secret-" + "0" * 32
KEYS = Keys([SECRET])
CHEAP = PasswordHasher.from_parameters(CHEAPEST)  # passwords of tests are no secrets
ROOT = Path(__file__).parent.parent
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "autovacuum": "off",
}


def real_data(name: str) -> Path | None:
    """A file of real data, from ROWCAST_REAL_DATA, else ../shared/data; None if neither has it."""
    for directory in (os.environ.get("ROWCAST_REAL_DATA"), ROOT.parent / "shared" / "data"):
        if directory and (Path(directory) / name).exists():
            return Path(directory) / name
    return None


class Cluster:
    """A PostgreSQL server of the kind under test (ROWCAST_TEST_POSTGRES).

    `embedded` (default), a directory of PostgreSQL binaries, or `container:IMAGE` (testcontainers).
    """

    def __init__(self, base: Path, kind: str, settings: dict[str, str]) -> None:
        self.kind = kind
        self._container: Any = None
        self._postgres: EmbeddedPostgres | None = None
        self._base, self._settings = base, settings
        self.start()

    def start(self) -> None:
        """Starts it, or starts it again after kill()."""
        if self.kind.startswith("container:"):
            if self._container is not None:
                self._container.get_wrapped_container().start()
            else:
                self._start_container()
            self._wait()
            return
        binaries = None if self.kind == "embedded" else Path(self.kind)
        self._postgres = EmbeddedPostgres(
            self._base, binaries=binaries, settings=self._settings
        ).start()

    def _start_container(self) -> None:
        from testcontainers.core.container import DockerContainer

        self._port = free_port()
        self._container = (
            DockerContainer(self.kind.removeprefix("container:"))
            .with_command(
                ["postgres", *(x for k, v in self._settings.items() for x in ("-c", f"{k}={v}"))]
            )
            .with_envs(POSTGRES_USER="test", POSTGRES_PASSWORD="test")
            .with_kwargs(shm_size="4g")
        )
        if self._settings.get("fsync") == "off":  # nobody kills it: its data may be in memory
            self._container.with_env("PGDATA", "/dev/shm/data")
        self._container.ports["5432/tcp"] = ("127.0.0.1", self._port)
        self._container.start()

    def _wait(self) -> None:
        for _ in range(300):
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise AssertionError("the container's PostgreSQL does not answer")

    def url(self, dbname: str) -> str:
        """The superuser's connection string."""
        if self._postgres is not None:
            return self._postgres.conninfo(dbname=dbname)
        return make_conninfo(
            host="127.0.0.1", port=self._port, user="test", password="test", dbname=dbname
        )

    def kill(self) -> None:
        """kill -9 of the whole server: postmaster first, then what is left of it."""
        if self._container is not None:
            self._container.get_wrapped_container().kill()
            return
        assert self._postgres is not None
        postmaster = self._postgres.pid
        assert postmaster is not None
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True
        ).stdout.split()
        os.kill(postmaster, signal.SIGKILL)
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue

    def stop(self) -> None:
        """Stops it for good."""
        if self._container is not None:
            self._container.stop()
        if self._postgres is not None:
            self._postgres.stop()


# Ports below the ephemeral ones, 40 for each process, in turn: what is down for a moment (a killed
# cluster) keeps its port, and test processes beside this one have others.
_PORTS = itertools.cycle(range(40))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    for _ in range(40):
        port = 20000 + os.getpid() % 300 * 40 + next(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("no port is free")


def attachment_of(record: str, **rest: Any) -> dict[str, Any]:
    """The arguments of attachment_create for an empty file, whose bytes nobody misses."""
    attachment = str(uuid.uuid4())
    return {
        "id": record,
        "attachment": attachment,
        "name": "notes.txt",
        "type": "text/plain",
        "size": 0,
        "digest": hashlib.sha256(b"").hexdigest(),
        "storageKey": f"{uuid.uuid4()}/{attachment}",
        **rest,
    }


@dataclass(frozen=True)
class Reply:
    """One row of api.batch_run, its answer read."""

    state: str
    workspace: str | None
    version: str | None
    answer: Any


@dataclass
class Database:
    """A migrated database of its own, and what a test does in it."""

    admin: str  # as superuser
    server: str  # as rowcast_server
    accounts: dict[str, str] = field(default_factory=dict)

    def connect(self, **kwargs: Any) -> psycopg.Connection[Any]:
        """A superuser's connection, in autocommit: what psql is in production."""
        return psycopg.connect(self.admin, autocommit=True, **kwargs)

    def connect_server(self, **kwargs: Any) -> psycopg.Connection[Any]:
        """A connection as rowcast_server, in autocommit."""
        return psycopg.connect(self.server, autocommit=True, **kwargs)

    def run(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """A superuser's statement and its rows."""
        with self.connect() as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, *parameters: Any) -> Any:
        """The one value of a superuser's query."""
        return self.run(statement, *parameters)[0][0]

    def account(self, name: str = "Ada") -> str:
        """The id of the account of this name, made when first asked for."""
        if name not in self.accounts:
            answer = self.value(
                "select trusted.account_create(%s, %s)", f"{name}@example.org", name
            )
            self.accounts[name] = answer["id"]
        return self.accounts[name]

    def workspace(self, owner: str = "Ada", template: str = "tasks", name: str = "Test") -> str:
        """The id of a new workspace."""
        with self.connect_server() as connection:
            row = connection.execute(
                "select state, answer from api.account_batch_run("
                "array['workspace_create'], array[%s]::uuid[], array[%s]::uuid[], array[%s])",
                [
                    self.account(owner),
                    str(uuid.uuid4()),
                    json.dumps({"name": name, "template": template}),
                ],
            ).fetchone()
        assert row is not None
        assert row[0] == "ok", row
        return str(json.loads(row[1])["id"])

    @contextmanager
    def before_rules(self, workspace: str) -> Iterator[None]:
        """Writes within are of a time when the fields had no types, and none was required."""
        self.run(
            "update core.collection set rules = '{}', defaults = '{}', required_fields = '{}'"
            " where workspace_id = %s",
            workspace,
        )
        yield
        self.run(
            "update core.collection c set (rules, defaults, required_fields) = ("
            " select r.rules, r.defaults, r.required_fields"
            " from logic.collection_rules(c.workspace_id, c.key, c.workflow) r)"
            " where workspace_id = %s",
            workspace,
        )

    def join(self, workspace: str, name: str, role: str) -> str:
        """Makes an account a member; its id."""
        self.run(
            "insert into core.member (workspace_id, account_id, role) values (%s, %s, %s)"
            " on conflict (workspace_id, account_id) do update set role = excluded.role",
            workspace,
            self.account(name),
            role,
        )
        return self.account(name)

    def token(self, name: str = "Ada", seconds: int = 3600) -> str:
        """An access token of a new session of an account."""
        return KEYS.access_token(self.account(name), self.open_session(name), seconds)

    def open_session(self, name: str = "Ada") -> str:
        """The id of a new session of an account."""
        opened = self.value(
            "select trusted.session_open(%s, 'test', '127.0.0.1')", self.account(name)
        )
        return str(opened["sessionId"])

    def batch(self, calls: list[dict[str, Any]], connection: Any = None) -> list[Reply]:
        """Runs calls as one batch as rowcast_server, answers in order.

        A call: {function, arguments, actor="Ada", workspace=None, record=None, template=None,
        id=new}.
        """

        def column(key: str, default: Callable[[], Any] = lambda: None) -> list[Any]:
            return [call[key] if key in call else default() for call in calls]

        parameters = (
            column("function"),
            [self.account(call.get("actor", "Ada")) for call in calls],
            column("workspace"),
            column("record"),
            column("template"),
            column("id", lambda: str(uuid.uuid4())),
            [a if isinstance(a, str) else json.dumps(a) for a in column("arguments", dict)],
        )
        statement = (
            "select n, state, workspace_id::text, version, answer from api.batch_run("
            "%s, %s::uuid[], %s::uuid[], %s, %s, %s::uuid[], %s)"
        )
        if connection is not None:
            rows = connection.execute(statement, parameters).fetchall()
        else:
            with self.connect_server() as own:
                rows = own.execute(statement, parameters).fetchall()
        by_n = {row[0]: row for row in rows}
        assert sorted(by_n) == list(range(1, len(calls) + 1)), "one answer per call"
        return [
            Reply(row[1], row[2], row[3], json.loads(row[4]) if row[4] else None)
            for _, row in sorted(by_n.items())
        ]

    def call(self, function: str, workspace: str | None = None, **rest: Any) -> Any:
        """One write call; its answer. Fails unless it is ok."""
        reply = self.batch([{"function": function, "workspace": workspace, **rest}])[0]
        assert reply.state == "ok", reply
        return reply.answer

    def read(
        self, function: str, workspace: str | None, actor: str = "Ada", **arguments: Any
    ) -> Any:
        """One read call; its answer. Raises psycopg.Error."""
        with self.connect_server() as connection:
            row = connection.execute(
                "select answer from api.query(%s, %s, %s, null, null, %s)",
                [function, self.account(actor), workspace, json.dumps(arguments)],
            ).fetchone()
        assert row is not None
        return json.loads(row[0])

    def attachment(self, workspace: str, record: str, actor: str = "Ada", **rest: Any) -> Any:
        """A new attachment of a record, without any bytes in a store."""
        return self.call(
            "attachment_create", workspace, actor=actor, arguments=attachment_of(record, **rest)
        )

    def task(self, workspace: str, actor: str = "Ada", **data: Any) -> Any:
        """A new task."""
        return self.call(
            "record_create", workspace, actor=actor, arguments={"collection": "task", "data": data}
        )


@dataclass
class ServerProcess:
    """`rowcast serve` as a process of its own."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def kill(self) -> None:
        """kill -9, its workers included."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def terminate(self, timeout: float = 20) -> int:
        """SIGTERM; its exit status."""
        self.process.terminate()
        return self.process.wait(timeout)


def start_server(
    database: Database, tmp_path: Path, *options: str, environment: dict[str, str] | None = None
) -> ServerProcess:
    """Starts `rowcast serve` on a free port and waits for its ready line."""
    log = tmp_path / f"server-{uuid.uuid4().hex[:8]}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "rowcast", "serve", "--no-migrate", "--port", "0", *options],
            env={
                **os.environ,
                "ROWCAST_DATABASE_URL": database.server,
                "ROWCAST_SECRET_KEY": SECRET,
                "ROWCAST_RATE_LIMIT": "0",
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("rowcast is ready on "):
            _drain_to(process, log)
            return ServerProcess(process, line.split()[-1], log)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def _drain_to(process: subprocess.Popen[str], log: Path) -> None:
    """Copies the rest of its output to the log, so that its pipe never fills."""

    def copy() -> None:
        assert process.stdout is not None
        with log.open("a") as file, process.stdout:
            for line in process.stdout:
                file.write(line)

    threading.Thread(target=copy, daemon=True).start()


@dataclass(frozen=True)
class Event:
    """One event of a stream; data is parsed JSON, None for a data-less id."""

    name: str
    id: str | None
    data: Any


class EventStream:
    """A reader of Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.last_event_id: str | None = None

    async def __aiter__(self) -> AsyncIterator[Event]:
        name, event_id = "message", None
        data: list[str] = []
        async for raw in self.response.content:
            line = raw.decode().rstrip("\r\n")
            if line == "":
                if event_id is not None:
                    self.last_event_id = event_id
                if data or event_id is not None:
                    yield Event(name, event_id, json.loads("\n".join(data)) if data else None)
                name, data, event_id = "message", [], None
            elif line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
            elif line.startswith("id:"):
                event_id = line[3:].strip()

    async def next(self, seconds: float = 10) -> Event:
        """The next event with data. Fails after `seconds`, or at the end of the stream."""
        if not hasattr(self, "_iterator"):
            self._iterator = self.__aiter__()
        async with asyncio.timeout(seconds):
            async for event in self._iterator:
                if event.data is not None:
                    return event
        raise AssertionError("the stream has ended")

    async def take(self, count: int, seconds: float = 20) -> list[Event]:
        """The next `count` events with data."""
        return [await self.next(seconds) for _ in range(count)]


# What no error may tell: SQL, the database's or the driver's own words, a stack trace.
LEAKS = re.compile(
    r"psycopg|postgres|traceback|\.py\b|pydantic|\bselect\b .*\bfrom\b|insert into|update core"
    r"|\b(core|logic|faces|pg_catalog)\.[a-z_]|SQLSTATE|relation \"|input syntax|plpgsql"
    r"|constraint",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class HttpReply:
    """A whole response: status, headers, text."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.text)

    def problem(self, status: int, code: str | None = None) -> Any:
        """The problem body (RFC 9457). Fails unless it is one, of this status and code."""
        assert self.status == status, f"{self.status} {self.text[:500]}"
        assert self.headers["Content-Type"].split(";")[0] == "application/problem+json"
        body = self.json
        assert isinstance(body["title"], str)
        assert isinstance(body["detail"], str)
        assert body["status"] == status
        assert body["type"] == f"urn:rowcast:problem:{body['code']}"
        assert code is None or body["code"] == code, body
        assert not LEAKS.search(self.text), self.text
        return body


@dataclass
class Client:
    """An HTTP client of one server, as one account."""

    session: aiohttp.ClientSession
    url: str
    token: str | None

    def _headers(self, headers: dict[str, str] | None) -> dict[str, str]:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**own, **(headers or {})}

    @asynccontextmanager
    async def request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **kwargs: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A raw request."""
        async with self.session.request(
            method, self.url + path, headers=self._headers(headers), **kwargs
        ) as response:
            yield response

    async def send(self, method: str, path: str, body: Any = None, **kwargs: Any) -> HttpReply:
        """A JSON request and its response, whatever its status."""
        if body is not None:
            kwargs["json"] = body
        async with self.request(method, path, **kwargs) as response:
            text = await response.text()
            check_document(method, path, response.status, response.content_type, text)
            return HttpReply(response.status, response.headers, text)

    async def call(
        self, method: str, path: str, body: Any = None, *, status: int | None = None, **kwargs: Any
    ) -> Any:
        """A JSON request; the parsed answer. Fails unless its status is `status` (default: 2xx)."""
        if body is not None:
            kwargs["json"] = body
        async with self.request(method, path, **kwargs) as response:
            text = await response.text()
            check_document(method, path, response.status, response.content_type, text)
            good = response.status == status if status else 200 <= response.status < 300
            assert good, f"{method} {path}: {response.status} {text}"
            return json.loads(text) if text else None

    @asynccontextmanager
    async def events(
        self, path: str, last_event_id: str | None = None
    ) -> AsyncIterator[EventStream]:
        """A stream."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else None
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.request("GET", path, headers=headers, timeout=timeout) as response:
            assert response.status == 200, await response.text()
            yield EventStream(response)


def deployed(database: Database, **more: Any) -> Deployment:
    """What a server of a test is told: the test's database, and more."""
    return Deployment(database.server, database.server, (SECRET,), hasher=CHEAP, **more)


@asynccontextmanager
async def serving(
    deployment: Deployment, *middlewares: Callable[..., Awaitable[web.StreamResponse]]
) -> AsyncIterator[str]:
    """A server in this process; its address."""
    app = make_app(deployment, lambda: None)
    app.middlewares.extend(middlewares)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        bound = bind("127.0.0.1", 0)
        async with accepting(runner, bound, 128):
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        await runner.cleanup()


async def eventually(
    condition: Callable[[], Awaitable[bool] | bool],
    seconds: float = 10,
    what: str = "the condition",
) -> None:
    """Waits until a condition holds; fails after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                result = condition()
                if await result if isinstance(result, Awaitable) else result:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"{what} did not come true within {seconds} s") from None


def server_url(admin_url: str) -> str:
    """A superuser's URL as rowcast_server."""
    return make_conninfo(admin_url, user="rowcast_server", password=server_password(SECRET))
