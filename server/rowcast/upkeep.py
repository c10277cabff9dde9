"""What is done when nobody asks: erasures are carried through, what has had its time is cleared.

Any process may do it; what two do at once is done once or twice without harm.
"""

import asyncio
import random
from contextlib import suppress

from rowcast import logs
from rowcast.calls import Caller
from rowcast.problems import Problem

EVERY = 600.0  # seconds
RETRY = 5.0  # seconds, where the database is away
PURGED = 5000  # changes of a deleted workspace that are removed at a time

log = logs.get("rowcast.upkeep")


class Upkeep:
    """The upkeep of one process; `run` must be running."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
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
            for step in (self._erase_next, self._clear_next):  # one that fails stops no other
                try:
                    while await step():
                        pass
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
