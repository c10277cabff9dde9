"""The LISTEN connection: a direct one of its own, checked for life, made again with back-off.

A notification is a wake-up and carries nothing that can't be lost, or be asked for again. After
every connect, the first too, all is woken once, since nobody knows what was missed.
"""

import asyncio
import random
from collections.abc import Callable, Mapping

import psycopg
from psycopg.conninfo import make_conninfo

from rowcast import logs

CHANNEL = "rowcast"
PRESENCE_CHANNEL = "rowcast_presence"
_ALIVE_EVERY = 5.0  # seconds
_BACKOFF_MIN, _BACKOFF_MAX = 0.1, 5.0  # seconds

log = logs.get("rowcast.listener")


async def listen(
    conninfo: str,
    notified: Mapping[str, Callable[[str], None]],
    connected: Callable[[], None],
    lost: Callable[[], None],
) -> None:
    """Calls `notified` of its channel with the payload of every notification, `connected` after

    every connect, and `lost` when the connection turned out to be lost. Runs until cancelled.
    """
    conninfo = make_conninfo(conninfo, application_name="rowcast listener", connect_timeout=5)
    delay = _BACKOFF_MIN
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                conninfo, autocommit=True
            ) as connection:
                await connection.execute(f"listen {CHANNEL}")
                await connection.execute(f"listen {PRESENCE_CHANNEL}")
                delay = _BACKOFF_MIN
                log.info("listening")
                connected()
                while True:
                    async for notification in connection.notifies(timeout=_ALIVE_EVERY):
                        notified[notification.channel](notification.payload)
                    async with asyncio.timeout(_ALIVE_EVERY):
                        await connection.execute("select 1")
        except (psycopg.Error, TimeoutError) as error:
            log.warning("listener lost", error=type(error).__name__)
            lost()
        await asyncio.sleep(delay * random.uniform(0.5, 1.5))
        delay = min(delay * 2, _BACKOFF_MAX)
