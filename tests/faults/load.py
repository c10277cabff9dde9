"""Writers that the fault tests set loose: over HTTP, and in psql."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import psycopg

from support import Client, Database, eventually

Psql = psycopg.AsyncConnection[Any]
NO_HANG = aiohttp.ClientTimeout(total=60)  # whatever happens, an answer comes; TimeoutError fails


@asynccontextmanager
async def psql(database: Database, **settings: str) -> AsyncIterator[Psql]:
    """A superuser's connection in autocommit, as psql's. One that is broken by then is fine."""
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    connection = await psycopg.AsyncConnection.connect(
        database.admin, autocommit=True, options=options
    )
    try:
        yield connection
    finally:
        await connection.close()


async def patch_in_psql(connection: Psql, workspace: str, record: str, title: str) -> None:
    """What a developer types to give a record another title."""
    await connection.execute(
        "update core.record set data = data || jsonb_build_object('title', %s::text)"
        " where workspace_id = %s and id = %s",
        [title, workspace, record],
    )


async def waits_for_lock(watcher: Psql, pid: int) -> bool:
    """Whether a backend waits for a lock now."""
    cursor = await watcher.execute(
        "select coalesce(bool_or(wait_event_type = 'Lock'), false)"
        " from pg_stat_activity where pid = %s",
        [pid],
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


@dataclass(frozen=True)
class Outcome:
    """What a client learnt of one write: status 0 is a broken connection, and no answer."""

    title: str
    status: int
    code: str | None
    seq: int | None
    seconds: float


async def write(client: Client, method: str, path: str, title: str, body: Any) -> Outcome:
    """One write that gives a title of its own, so that the log tells whether it took effect."""
    started = time.monotonic()
    status, code, seq = 0, None, None
    # its answer is not needed to know what it did, and a server that was killed gives none
    with contextlib.suppress(aiohttp.ClientError, ConnectionError):
        async with client.request(method, path, json=body, timeout=NO_HANG) as response:
            answer = await response.json(content_type=None)
            status, code, seq = response.status, answer.get("code"), answer.get("seq")
    return Outcome(title, status, code, seq, time.monotonic() - started)


@dataclass
class Load:
    """Writers that write until told to stop, each one request after the other.

    Every third write creates a record, the others patch one of `records`.
    """

    clients: Sequence[Client]
    workspaces: dict[str, Sequence[str]]  # workspace -> its records
    outcomes: list[Outcome] = field(default_factory=list)
    stopped: bool = False
    _number: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def acknowledged(self) -> int:
        """How many writes were acknowledged until now."""
        return sum(200 <= outcome.status < 300 for outcome in self.outcomes)

    async def more(self, count: int, seconds: float = 60) -> None:
        """Waits until so many further writes are acknowledged."""
        goal = self.acknowledged + count
        await eventually(lambda: self.acknowledged >= goal, seconds, f"{count} more writes")

    @asynccontextmanager
    async def running(self, writers: int) -> AsyncIterator["Load"]:
        """Writers at work while the block runs; then waits for their last answers."""
        async with asyncio.TaskGroup() as group:
            for n in range(writers):
                group.create_task(
                    self._write(random.Random(n), self.clients[n % len(self.clients)])
                )
            try:
                yield self
            finally:
                self.stopped = True

    async def _write(self, rng: random.Random, client: Client) -> None:
        while not self.stopped:
            outcome = await self._one(rng, client)
            self.outcomes.append(outcome)
            if outcome.status in (0, 503):
                await asyncio.sleep(0.02)  # as a client's back-off

    async def _one(self, rng: random.Random, client: Client) -> Outcome:
        title = f"title {next(self._number)}"
        workspace = rng.choice(list(self.workspaces))
        if rng.random() < 0.33:
            path = f"/api/v1/workspaces/{workspace}/records?collection=task"
            return await write(client, "POST", path, title, {"data": {"title": title}})
        record = rng.choice(self.workspaces[workspace])
        path = rng.choice(
            (f"/api/tasks/{record}", f"/api/v1/workspaces/{workspace}/records/{record}")
        )
        return await write(client, "PATCH", path, title, {"patch": {"title": title}})


def check_outcomes(outcomes: Sequence[Outcome], titles: Sequence[str]) -> None:
    """Fails unless what was acknowledged took effect once, and what was answered 503 did not.

    504 outcome_unknown, and no answer at all, may be either; nothing else is acceptable.
    """
    times: dict[str, int] = {}
    for title in titles:
        times[title] = times.get(title, 0) + 1
    for outcome in outcomes:
        count = times.get(outcome.title, 0)
        if 200 <= outcome.status < 300:
            assert count == 1, f"{outcome} took effect {count} times"
        elif outcome.status == 503:
            assert count == 0, f"{outcome} took effect all the same"
        else:
            assert (outcome.status, outcome.code) in ((504, "outcome_unknown"), (0, None)), outcome
            assert count <= 1, f"{outcome} took effect {count} times"


@dataclass
class Reader:
    """Reads on in the log of a workspace over HTTP, and fails when a seq is not the next one."""

    clients: Sequence[Client]
    workspace: str
    seq: int = 0
    polls: int = 0

    async def poll(self) -> None:
        """Reads what is new."""
        client = self.clients[self.polls % len(self.clients)]
        self.polls += 1
        path = f"/api/v1/workspaces/{self.workspace}/changes?since={self.seq}&limit=1000"
        for change in (await client.call("GET", path))["changes"]:
            assert change["seq"] == self.seq + 1, f"{change['seq']} appears after {self.seq}"
            self.seq = change["seq"]

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Polls until told to stop, and once more."""
        while not stopped():
            await self.poll()
        await self.poll()
