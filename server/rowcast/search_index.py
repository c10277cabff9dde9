"""Keeps the search index up with the log: what changed is indexed some seconds later.

Every process has an Indexer. A notification says in which workspaces something changed; a sweep
finds what none told of. `trusted.search_index` does the work, a bounded piece at a time, on a
connection of its own, so that no write waits for it; which process gets a workspace is settled by a
lock there. Queries look at what is not indexed yet by themselves, so that being late costs them
time, and nothing else: while writes queue up, indexing takes next to nothing from them.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import make_conninfo

from rowcast import logs
from rowcast.gateway import connection_lost

PAUSE = 2.0  # seconds from a change to its indexing
AT_ONCE = 50  # workspaces in one round
CHANGES = 2000  # that one round looks at; a record that changed often is indexed once
REST = 3.0  # times as long as a round took: most of the time is that of those who write
REST_CROWDED = 24.0  # the same while writes queue up, or whoever writes does so very often
OFTEN = 50.0  # notifications a second
LONGEST_REST = 10.0  # seconds
SWEEP_EVERY = 60.0  # seconds
SWEPT = 500  # workspaces that are looked at in one step of a sweep
RETRY = 5.0  # seconds, where the database is away

# The index can be made again: its commits need not wait for the disk.
_OPTIONS = (
    "-c search_path=pg_catalog,pg_temp -c synchronous_commit=off -c lock_timeout=50ms"
    " -c statement_timeout=60s"
)
_UUID_LENGTH = 36
_INDEX = "select trusted.search_index(%s::uuid[], %s)"
_BEHIND = "select trusted.search_behind(%s, %s)"

log = logs.get("rowcast.search")


class Indexer:
    """Indexes, one process's share; `run` must be running.

    pause: seconds from a change to its indexing, in which more changes may come. crowded: whether
    writes queue up in this process.
    """

    def __init__(self, conninfo: str, pause: float, crowded: Callable[[], bool]) -> None:
        self._conninfo = make_conninfo(
            conninfo, options=_OPTIONS, application_name="rowcast search", connect_timeout=5
        )
        self._pause = pause
        self._crowded = crowded
        self._waiting: dict[str, None] = {}  # workspaces, in order
        self._woken = asyncio.Event()
        self._told = 0  # notifications since the last round
        self._swept = 0.0  # when the last sweep was begun; 0: look at once

    def notified(self, payload: str) -> None:
        """Takes a notification: the workspaces in which something changed; others say more."""
        self._told += 1
        workspaces = payload.split(" ")
        if all(len(workspace) == _UUID_LENGTH for workspace in workspaces):
            self._wait_for(workspaces)

    def wake_all(self) -> None:
        """Has everything looked at: after a reconnect nobody knows what was missed."""
        self._swept = 0.0
        self._woken.set()

    def _wait_for(self, workspaces: Iterable[str]) -> None:
        self._waiting.update(dict.fromkeys(workspaces))
        if self._waiting:
            self._woken.set()

    async def run(self) -> None:
        """Works until cancelled; a database that is away is waited for."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._conninfo, autocommit=True
                ) as connection:
                    while True:
                        await self._work(connection)
            except psycopg.Error as error:
                log.warning("search index waits", error=type(error).__name__)
                self._swept = 0.0
            await asyncio.sleep(RETRY * random.uniform(0.5, 1.5))

    async def _work(self, connection: psycopg.AsyncConnection) -> None:
        """Waits for something to do, and does it. Raises psycopg.Error."""
        loop = asyncio.get_running_loop()
        due = self._swept + SWEEP_EVERY * random.uniform(0.8, 1.2) if self._swept else loop.time()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._woken.wait()
        self._woken.clear()
        if loop.time() >= due or not self._swept:
            self._swept = loop.time()
            await self._sweep(connection)
        if self._waiting:
            await asyncio.sleep(self._pause * random.uniform(0.75, 1.25))
        self._told, ended = 0, loop.time()
        while self._waiting:
            workspaces = list(islice(self._waiting, AT_ONCE))
            for workspace in workspaces:
                del self._waiting[workspace]
            started = loop.time()
            self._waiting.update(dict.fromkeys(await self._index(connection, workspaces)))
            often = self._told > OFTEN * (loop.time() - ended)
            self._told, ended = 0, loop.time()
            rest = REST_CROWDED if often or self._crowded() else REST
            await asyncio.sleep(min((ended - started) * rest, LONGEST_REST))

    async def _sweep(self, connection: psycopg.AsyncConnection) -> None:
        """Finds the workspaces that the index is behind in."""
        after: str | None = None
        while True:
            found = await _answer(connection, _BEHIND, (after, SWEPT))
            self._wait_for(found["behind"])
            after = found["next"]
            if after is None:
                return

    async def _index(
        self, connection: psycopg.AsyncConnection, workspaces: Sequence[str]
    ) -> list[str]:
        """One round: those that are not done yet. One that can't be indexed holds up no other."""
        try:
            found = await _answer(connection, _INDEX, (list(workspaces), CHANGES))
        except psycopg.Error as error:
            if connection.closed or connection_lost(error):
                self._wait_for(workspaces)
                raise
            if len(workspaces) == 1:
                log.error("not indexed", workspace=workspaces[0], code=error.sqlstate)
                return []
            rest = [await self._index(connection, [workspace]) for workspace in workspaces]
            return [workspace for part in rest for workspace in part]
        behind: list[str] = found["behind"]
        return behind


async def _answer(
    connection: psycopg.AsyncConnection, query: LiteralString, parameters: tuple[object, ...]
) -> Any:
    row = await (await connection.execute(query, parameters)).fetchone()
    assert row is not None
    return row[0]
