"""How often somebody may ask: the generic cell rate algorithm (GCRA, ITU-T I.371), in memory.

Each process counts by itself. What must hold across processes, as for tries at a password, is
counted by the database.
"""

import ipaddress
import math
import time
from collections.abc import Callable
from functools import lru_cache

from aiohttp import web

from rowcast.problems import Problem

BURST_SECONDS = 5.0
MAX_KEYS = 32_768

_NETWORK = 64  # bits of an IPv6 address that one customer has to itself


class Limiter:
    """Lets each key through `rate` times a second, and `burst` times at once.

    A rate of 0 is no limit. `burst` defaults to what five seconds have. Of each key one number is
    kept: when its requests so far are paid for. There are at most twice `keys` of them, in two
    generations: when the younger is full, the older is forgotten, that is keys which did not ask
    since at least `keys` others came.
    """

    __slots__ = ("_clock", "_interval", "_keys", "_older", "_recent", "_slack")

    def __init__(
        self,
        rate: float,
        burst: float | None = None,
        keys: int = MAX_KEYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = 1 / rate if rate else 0.0
        count = max(1.0, rate * BURST_SECONDS if burst is None else burst)
        # Half a request is given on top, so that no rounding takes one from the burst.
        self._slack = (count - 0.5) * self._interval
        self._keys = keys
        self._clock = clock
        self._recent: dict[str, float] = {}
        self._older: dict[str, float] = {}

    def take(self, key: str) -> None:
        """Counts a request of a key. Raises Problem 429, which costs the key nothing."""
        if not self._interval:
            return
        now = self._clock()
        paid = self._recent.get(key)
        if paid is None:
            paid = self._older.get(key, now)
            if len(self._recent) >= self._keys:
                self._older, self._recent = self._recent, {}
        if paid < now:
            paid = now
        elif paid - now > self._slack:
            self._recent[key] = paid
            raise _too_often(paid - now - self._slack)
        self._recent[key] = paid + self._interval

    def __len__(self) -> int:
        """How many keys it remembers, at most twice `keys`."""
        return len(self._recent) + len(self._older)


LIMITER = web.AppKey("limiter", Limiter)


@lru_cache(maxsize=4096)
def limit_key(address: str) -> str:
    """The key of an address: of IPv6 its /64, within which a client can choose freely."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address}/{_NETWORK}", strict=False))
    except ValueError:
        return address


def _too_often(wait: float) -> Problem:
    seconds = max(1, math.ceil(wait))
    return Problem(
        429,
        "rate_limited",
        f"Too many requests; go on in {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )
