"""Runs the server: the database ready, then one process or several on one port."""

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import uvloop
from aiohttp import web

from rowcast import logs
from rowcast.app import Deployment, make_app
from rowcast.config import Settings, SettingsError, server_conninfo
from rowcast.edge import accepting
from rowcast.embedded import EmbeddedPostgres

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess
    from multiprocessing.synchronize import Semaphore

SHUTDOWN_SECONDS = 15.0
_BACKLOG = 1024

log = logs.get("rowcast.serve")


@dataclass(frozen=True, slots=True)
class Database:
    """Where the database is: for the administrator, for the server, and for its listener.

    admin is None where there is nothing to migrate with.
    """

    admin: str | None
    server: str
    listen: str


@contextmanager
def database(settings: Settings, *, made: bool = False) -> Iterator[Database]:
    """The database of an installation: the one that is set, or the embedded one, started.

    An embedded one that is not there yet is initialised; where it is to be `made` already,
    SettingsError says that it is not, and nothing is written.
    """
    if settings.database_url is None:
        postgres = EmbeddedPostgres(settings.data_dir / "postgres")
        if made:
            _expect(settings, there=_exists(settings, postgres))
        secret = settings.secret()
        with postgres:
            admin = postgres.conninfo(dbname="postgres")
            if made:
                _expect(settings, there=_was_migrated(admin))
            server = server_conninfo(admin, secret)
            yield Database(admin, server, server)
        return
    given = settings.database_url.get_secret_value()
    listen = settings.listen_database_url
    if settings.admin_database_url is not None:
        admin_url: str | None = settings.admin_database_url.get_secret_value()
        server = given
    elif is_server_role(given):
        admin_url, server = None, given
    else:
        admin_url, server = given, server_conninfo(given, settings.secret())
    yield Database(admin_url, server, listen.get_secret_value() if listen else server)


def _exists(settings: Settings, postgres: EmbeddedPostgres) -> bool:
    try:
        return postgres.exists()
    except OSError as error:
        raise settings.unusable(error) from error


def _was_migrated(admin_url: str) -> bool:
    """Whether an embedded cluster was ever migrated: there is nothing in it before."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        found = connection.execute("select from pg_roles where rolname = 'rowcast_server'")
        return found.fetchone() is not None


def _expect(settings: Settings, *, there: bool) -> None:
    if not there:
        raise SettingsError(
            f"there is no Rowcast database in {settings.embedded_directory}: is ROWCAST_DATA_DIR"
            " right? `rowcast serve` or `rowcast migrate` makes one"
        )


def is_server_role(url: str) -> bool:
    """Whether a URL logs in as someone who can do no more than rowcast_server.

    Raises psycopg.Error.
    """
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(
            "select r.rolsuper or r.rolcreaterole or exists ("
            " select from pg_roles o where o.rolname = 'rowcast_owner'"
            " and pg_has_role(r.oid, o.oid, 'member'))"
            " from pg_roles r where r.rolname = current_user"
        ).fetchone()
    return row is None or not row[0]


def migrate_in_child(settings: Settings, found: Database) -> None:
    """Migrates with the administrator's URL, in a process that ends.

    Raises SettingsError if it failed.
    """
    if found.admin is None:
        return
    environment = {
        **os.environ,
        "ROWCAST_ADMIN_DATABASE_URL": found.admin,
        "ROWCAST_DATABASE_URL": found.server,
        "ROWCAST_SECRET_KEY": settings.secret(),
    }
    command = [sys.executable, "-m", "rowcast", "migrate", "--quiet"]
    if subprocess.run(command, env=environment, check=False).returncode != 0:
        raise SettingsError("the database could not be migrated; the lines above say why")


def serve(settings: Settings, deployment: Deployment, announce: str | None) -> None:
    """Serves until SIGTERM or SIGINT, in this process or in `settings.workers` others.

    `announce` is printed once requests are answered, with {url} filled in.
    """
    logs.configure(settings.log_format, settings.log_level)
    if settings.embedded_directory is not None:
        log.info("embedded database", data_dir=str(settings.embedded_directory))
    listening = bind(settings.host, settings.port)
    url = f"http://{settings.host}:{listening.getsockname()[1]}"
    if settings.workers == 1:
        run_worker(settings, deployment, listening, announce and announce.replace("{url}", url))
        return
    port = listening.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    started = context.Semaphore(0)
    workers = [
        context.Process(
            target=_worker_process, args=(settings, deployment, port, started), name=f"worker {n}"
        )
        for n in range(settings.workers)
    ]
    for worker in workers:
        worker.start()
    listening.close()  # it only reserved the port
    for _ in workers:
        started.acquire()
    if announce:
        print(announce.replace("{url}", url), flush=True)
    _watch(workers)


def bind(host: str, port: int) -> socket.socket:
    """A socket bound with SO_REUSEPORT, so that every worker has its own on the same port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((host, port))
    return bound


def run_worker(
    settings: Settings,
    deployment: Deployment,
    listening: socket.socket,
    announce: str | None,
    started: "Semaphore | None" = None,
) -> None:
    """One server process on a bound socket, until it is told to stop."""
    logs.configure(settings.log_format, settings.log_level)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        parent = multiprocessing.parent_process()
        if parent is not None:
            loop.add_reader(parent.sentinel, stop.set)  # readable once it has died, however
        runner = web.AppRunner(
            make_app(deployment, stop.set),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        await runner.setup()
        try:
            async with accepting(runner, listening, _BACKLOG):
                if announce:
                    print(announce, flush=True)
                if started is not None:
                    started.release()
                await stop.wait()
            if parent is not None:
                loop.remove_reader(parent.sentinel)
        finally:
            await runner.cleanup()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def _worker_process(
    settings: Settings, deployment: Deployment, port: int, started: "Semaphore"
) -> None:
    run_worker(settings, deployment, bind(settings.host, port), None, started)


def _watch(workers: "list[SpawnProcess]") -> None:
    """Waits for the workers; a signal to stop is passed on, and one that ends ends all."""

    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        if stopping:
            return  # a second signal would kill a worker that has nearly ended, with a bad status
        stopping = True
        for worker in workers:
            if worker.is_alive():
                worker.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    multiprocessing.connection.wait([worker.sentinel for worker in workers])
    stop()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit(1)
