"""`rowcast serve`, as a process of its own, with its default logging (to a file)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

SECRET = "bench-secret-" + "0" * 32
_START_SECONDS = 60.0


class Server:
    """A running server; `port` is where it listens on 127.0.0.1."""

    def __init__(self, conninfo: str, log: Path) -> None:
        self._log = log
        own = {k: v for k, v in os.environ.items() if not k.startswith(("ROWCAST_", "DATABASE_"))}
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rowcast", "serve", "--no-migrate", "--port", "0"],
                env={
                    **own,
                    "ROWCAST_DATABASE_URL": conninfo,
                    "ROWCAST_SECRET_KEY": SECRET,
                    "ROWCAST_RATE_LIMIT": "1000000",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.port = self._wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def _wait(self) -> int:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            for line in self._log.read_text().splitlines():
                if line.startswith("rowcast is ready on "):
                    return int(line.rsplit(":", 1)[1])
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the server did not start:\n{self._log.read_text()[-4000:]}")

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is not None:
            print(f"the server ended:\n{self._log.read_text()[-4000:]}", file=sys.stderr)
        self.stop()
