"""A workspace with its clients, over two servers that outlive it; and the thread they live in."""

import asyncio
import contextlib
import json
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import uvloop

from model.faults import Administrator, Backend, Spares, log_told
from model.history import History
from model.network import lines
from model.replica import RETRY_SECONDS, Replica
from support import Database, ServerProcess

ACCOUNTS = ("Ada", "Bob", "Cid")
FIRST = [*[{"points": 0}] * 4, None]
SETTLE_SECONDS = 40
REACH_SECONDS = 10


@dataclass
class Stage:
    """Two servers on one database, and a loop in a thread of its own, for many scenes."""

    database: Database
    backends: list[Backend]
    loop: asyncio.AbstractEventLoop = field(default_factory=uvloop.new_event_loop)
    tokens: dict[str, str] = field(default_factory=dict)

    def run(self, work: Coroutine[Any, Any, Any], seconds: float = SETTLE_SECONDS + 20) -> Any:
        """The result of a coroutine, from another thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def token(self, account: str) -> str:
        """The access token of an account, signed in once."""
        return self.tokens.setdefault(account, self.database.token(account))


@contextmanager
def staged(database: Database, begin: Callable[[], ServerProcess]) -> Iterator[Stage]:
    """A stage with two servers, and one to spare."""
    spares = Spares(begin)
    for _ in range(3):
        spares.order()
    backends = [Backend(spares, spares.take()) for _ in range(2)]
    stage = Stage(database, backends)
    thread = threading.Thread(target=stage.loop.run_forever)
    thread.start()
    try:
        yield stage
    finally:
        for backend in backends:
            backend.process.kill()
        spares.close()
        stage.loop.call_soon_threadsafe(stage.loop.stop)
        thread.join()
        stage.loop.close()


@dataclass
class Scene:
    """A new workspace, its clients, and the history of what they do."""

    stage: Stage
    workspace: str
    replicas: list[Replica]
    records: list[str]
    history: History
    administrator: Administrator
    _stack: AsyncExitStack

    async def settle(self) -> None:
        """Lets everybody come online, send all, and see all; and notes where they ended."""
        async with asyncio.timeout(SETTLE_SECONDS):
            for replica in self.replicas:
                await replica.online()
                while replica.queue:
                    await replica.flush()
                    if replica.queue:
                        await asyncio.sleep(RETRY_SECONDS)
            await self._last_write()
        last = await asyncio.to_thread(self._head)
        with contextlib.suppress(TimeoutError):  # the checker says who has not
            async with asyncio.timeout(REACH_SECONDS):
                await asyncio.gather(*(replica.reached(last) for replica in self.replicas))
        for replica in self.replicas:
            await replica.offline()
            self.history.add(
                "final",
                client=replica.name,
                seq=replica.seq,
                epoch=replica.epoch,
                records={k: r for k, r in replica.records.items() if not r["deleted"]},
                view=replica.view(),
            )
        self.history.add("end", **await asyncio.to_thread(self._state))

    async def _last_write(self) -> None:
        """A write, for those to hear of who are waiting to be told of a new epoch."""
        replica = self.replicas[0]
        new = {"type": "create", "collection": "task", "recordId": str(uuid.uuid4()), "data": {}}
        replica.write([new])
        while replica.queue:
            await replica.flush()

    def _head(self) -> int:
        query = "select max(seq) from core.change where workspace_id = %s"
        return int(self.stage.database.value(query, self.workspace))

    def _state(self) -> dict[str, Any]:
        """What the database holds, and answers."""
        database, workspace = self.stage.database, self.workspace
        state = {
            "epoch": database.value(
                "select epoch::text from core.workspace where workspace_id = %s", workspace
            ),
            "log": log_told(database, workspace),
            "transactions": database.run(
                "select id::text, first_seq, last_seq, undone_by::text from core.transaction"
                " where workspace_id = %s",
                workspace,
            ),
            "tables": {
                row[0]: dict(zip(("version", "data", "position"), row[1:], strict=True))
                for row in database.run(
                    "select id::text, version, data, position from core.record"
                    " where workspace_id = %s and deleted_at is null",
                    workspace,
                )
            },
            "snapshot": {
                record["id"]: {key: record[key] for key in ("version", "data", "position")}
                for record in database.read("snapshot", workspace)["records"]
            },
        }
        as_recorded: dict[str, Any] = json.loads(json.dumps(state))
        return as_recorded

    async def close(self) -> None:
        """Ends its clients."""
        await asyncio.gather(*(replica.offline() for replica in self.replicas))
        await self._stack.aclose()


async def opened(
    stage: Stage, accounts: tuple[str, ...] = ACCOUNTS, data: Sequence[Any] = FIRST
) -> Scene:
    """A new scene: all members see everything, and are online with a record for each of `data`,

    but for the ids of which nobody knows yet: None.
    """
    database = stage.database
    workspace = await asyncio.to_thread(database.workspace, accounts[0])
    for account in accounts[1:]:
        await asyncio.to_thread(database.join, workspace, account, "editor")
    stack = AsyncExitStack()
    history = History()
    records = [str(uuid.uuid4()) for _ in data]
    replicas = []
    for number, account in enumerate(accounts):
        ways = await stack.enter_async_context(lines([_url(b) for b in stage.backends]))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        token = await asyncio.to_thread(stage.token, account)
        replica = Replica(account, token, workspace, ways, session, history, home=number % 2)
        replicas.append(replica)
    administrator = Administrator(database, workspace)
    scene = Scene(stage, workspace, replicas, records, history, administrator, stack)
    for replica in replicas:
        await replica.online()
    create = [
        {"type": "create", "collection": "task", "recordId": record, "data": each}
        for record, each in zip(records, data, strict=True)
        if each is not None
    ]
    replicas[0].write(create)
    await replicas[0].flush()
    return scene


def _url(backend: Backend) -> Any:
    return lambda: backend.url
