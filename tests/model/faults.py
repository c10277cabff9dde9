"""What is done to the system on purpose, beside what a network does (network.py)."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from faults.invariants import log_of
from support import Database, ServerProcess


class Spares:
    """Servers that are started ahead, for nobody to wait for one. `begin` starts one; it blocks."""

    def __init__(self, begin: Callable[[], ServerProcess]) -> None:
        self._begin = begin
        self._ready: queue.SimpleQueue[ServerProcess | BaseException] = queue.SimpleQueue()
        self._ordered = 0

    def order(self) -> None:
        """Starts another one in the background."""
        self._ordered += 1
        threading.Thread(target=self._run).start()

    def _run(self) -> None:
        try:
            self._ready.put(self._begin())
        except BaseException as error:
            self._ready.put(error)
            raise

    def take(self) -> ServerProcess:
        """The next one that answers."""
        server = self._ready.get()
        self._ordered -= 1
        if isinstance(server, BaseException):
            raise server
        return server

    def close(self) -> None:
        """Ends those that nobody took."""
        while self._ordered:
            self.take().kill()


@dataclass
class Backend:
    """A server that is replaced as soon as it is killed."""

    spares: Spares
    process: ServerProcess

    @property
    def url(self) -> str:
        """Where it is by now."""
        return self.process.url

    def kill(self) -> None:
        """kill -9, with whatever it is doing."""
        self.process.kill()
        self.spares.order()
        self.process = self.spares.take()


@dataclass
class Administrator:
    """Who works in psql: on the data, and on what runs there."""

    database: Database
    workspace: str
    tokens: int = 0

    def write(self, records: list[str]) -> None:
        """Gives records that are there one fresh title, all in one statement."""
        self.tokens += 1
        self.database.run(
            "update core.record set data = data || jsonb_build_object('title', %s::text)"
            " where workspace_id = %s and id = any (%s::uuid[]) and deleted_at is null",
            f"psql {self.tokens}",
            self.workspace,
            records,
        )

    def new_epoch(self) -> None:
        """What an operator does after a restore (docs/operations.md, Backup)."""
        self.database.run(
            "update core.workspace set epoch = gen_random_uuid() where workspace_id = %s",
            self.workspace,
        )

    def trim(self) -> dict[str, Any]:
        """What `rowcast compact` does, with all that can go by now; what a history says of it."""
        with self.database.connect() as connection, connection.transaction():
            connection.execute(
                "select from core.clock where workspace_id = %s for update", [self.workspace]
            )
            log = log_told(self.database, self.workspace)
            row = connection.execute(
                "select trusted.log_compact(%s, clock_timestamp(), 1000000)", [self.workspace]
            ).fetchone()
            assert row is not None
            floor = row[0]["floor"]
        gone = [c for c in log if c["seq"] <= floor and c["action"] != "baseline"]
        return {"floor": floor, "end": log[-1]["seq"], "log": gone}

    def cut_listeners(self) -> None:
        """Ends the connections on which the servers hear of changes."""
        self.database.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'rowcast listener'"
        )


def log_told(database: Database, workspace: str) -> list[dict[str, Any]]:
    """The log as a history has it: with the database's transactions, without times."""
    query = "select seq, xmin::text from core.change where workspace_id = %s"
    xids = dict(database.run(query, workspace))
    return [
        {**change, "at": None, "xid": xids[change["seq"]]} for change in log_of(database, workspace)
    ]
