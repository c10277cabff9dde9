"""A server process whose presence has a pace of its own: `presence_process.py URL PACE`, as JSON.

It prints its address.
"""

import asyncio
import json
import sys

from rowcast.app import Deployment
from rowcast.presence_registry import PresencePace
from support import CHEAP, SECRET, serving


async def main(url: str, pace: str) -> None:
    """Serves until it is killed."""
    deployment = Deployment(
        url, url, (SECRET,), hasher=CHEAP, presence_pace=PresencePace(**json.loads(pace))
    )
    async with serving(deployment) as address:
        print(address, flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
