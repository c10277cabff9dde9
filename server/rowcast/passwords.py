"""Passwords: argon2id (RFC 9106), in a few threads, never on the event loop."""

import asyncio
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rowcast.problems import Problem

MAX_WAITING = 100


class Passwords:
    """Hashes and verifies. At most `threads` at once, each of which takes 64 MiB."""

    def __init__(self, hasher: PasswordHasher | None = None, threads: int | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(threads or min(4, os.cpu_count() or 1), "password")
        self._waiting = 0
        # What a password is checked against where there is no account: it takes as long.
        self._nobody = self._hasher.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        """The hash of a password, as a PHC string. Raises Problem 503 where too many wait."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, known: str | None, password: str) -> bool:
        """Whether a password is right; without a known hash never, which takes as long to find out.

        Raises Problem 503 where too many wait.
        """

        def check() -> str:
            with suppress(VerificationError, InvalidHashError):
                self._hasher.verify(known or self._nobody, password)
                return "right"
            return ""

        return bool(await self._run(check)) and known is not None

    def is_outdated(self, known: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(known)

    async def _run(self, work: Callable[[], str]) -> str:
        if self._waiting >= MAX_WAITING:
            raise Problem(503, "overloaded", "Too many sign-ins are waiting; nothing was applied.")
        self._waiting += 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        # Also for a caller who went away: his work is still under way.
        future.add_done_callback(self._done)
        return await asyncio.shield(future)

    def _done(self, future: "asyncio.Future[str]") -> None:
        self._waiting -= 1
        if not future.cancelled():
            future.exception()

    def close(self) -> None:
        """Lets its threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)
