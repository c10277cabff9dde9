"""What is done to the system on purpose, beside what a network does (network.py)."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

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
        """What `rowcast restore` does."""
        self.database.run(
            "update core.workspace set epoch = gen_random_uuid() where workspace_id = %s",
            self.workspace,
        )

    def cut_listeners(self) -> None:
        """Ends the connections on which the servers hear of changes."""
        self.database.run(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'rowcast listener'"
        )
