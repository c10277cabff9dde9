"""What is done when nobody asks: erasures are carried through, what has had its time is cleared,
and bytes that no attachment needs any more.

Any process may do it; what two do at once is done once or twice without harm.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from rowcast import logs
from rowcast.calls import Caller
from rowcast.problems import Problem
from rowcast.storage import OWNER, Storage

EVERY = 600.0  # seconds
RETRY = 5.0  # seconds, where the database is away
ORPHAN_SECONDS = 3600.0  # a younger object may be about to get its row
PURGED = 5000  # changes of a deleted workspace that are removed at a time

log = logs.get("rowcast.upkeep")


class Upkeep:
    """The upkeep of one process; `run` must be running.

    storage: where attachments are, if anywhere; sweep_seconds: how often it is looked through.
    """

    def __init__(
        self, caller: Caller, storage: Storage | None = None, sweep_seconds: float = 24 * 3600
    ) -> None:
        self._caller = caller
        self._storage, self._sweep_seconds = storage, sweep_seconds
        self._listing: AsyncIterator[list[str]] | None = None
        self._sweep_at = time.monotonic() + random.uniform(0, min(sweep_seconds, ORPHAN_SECONDS))
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is an erasure to carry through."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled."""
        pause = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            self._woken.clear()
            pause = EVERY * random.uniform(0.8, 1.2)
            # One that fails stops no other, and a page of the store no erasure.
            for step, whole in (
                (self._erase_next, True),
                (self._clear_next, True),
                (self.sweep_next, False),
            ):
                try:
                    while await step():
                        if not whole:
                            pause = 0.0
                            break
                except Problem as problem:
                    log.warning("upkeep not done", step=step.__name__, code=problem.code)
                    pause = RETRY * random.uniform(0.8, 1.2)

    async def _erase_next(self) -> bool:
        """One step of one erasure; whether there was any. Raises Problem."""
        found = await self._caller.ask("trusted.erasure_next")
        account, workspace = found["accountId"], found["workspaceId"]
        if account is None:
            return False
        if workspace is not None:
            erased: dict[str, object] = {"accountId": account}
            await self._caller.call("trusted.account_erase_in", erased, workspace=workspace)
        await self._caller.ask("trusted.erasure_note", accountId=account, workspace=workspace)
        return True

    async def _clear_next(self) -> bool:
        """Clears a piece of what has had its time; whether there is more. Raises Problem."""
        return bool((await self._caller.ask("trusted.upkeep_run", rows=PURGED))["more"])

    async def sweep_next(self) -> bool:
        """Removes what no attachment needs from a page of the store; whether there are more.

        Raises Problem; then the store is looked through again in an hour.
        """
        if self._storage is None or (self._listing is None and time.monotonic() < self._sweep_at):
            return False
        listing, self._listing = self._listing, None
        self._sweep_at = time.monotonic() + min(self._sweep_seconds, ORPHAN_SECONDS)
        if listing is None:
            identity = (await self._caller.ask("trusted.database_identity"))["id"]
            if not await self._storage.belongs_to(identity):
                log.warning("the store is another database's, and is not cleared", object=OWNER)
                return False
            listing = self._storage.old_keys(ORPHAN_SECONDS)
        keys = await anext(listing, None)
        if keys is None:
            self._sweep_at = time.monotonic() + self._sweep_seconds * random.uniform(0.8, 1.2)
            return False
        if keys:
            needless = (await self._caller.ask("trusted.attachment_orphans", keys=keys))["keys"]
            await self._storage.delete(needless)
            if needless:
                log.info("objects removed from the store", count=len(needless))
        self._listing = listing
        return True
