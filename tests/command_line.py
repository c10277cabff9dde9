"""Runs the command line as what it is: a process of its own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from support import SECRET, Database

Command = Callable[..., subprocess.CompletedProcess[str]]


def environment(database: Database | None = None, **more: str) -> dict[str, str]:
    """The environment of a command: the settings of a database, none of this machine's own."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("ROWCAST_")}
    own.pop("DATABASE_URL", None)
    own["ROWCAST_DATA_DIR"] = "rowcast-data"  # relative to the directory of the command
    if database is not None:
        own |= {"ROWCAST_DATABASE_URL": database.server, "ROWCAST_SECRET_KEY": SECRET}
    return {**own, **more}


def run(
    *arguments: str | Path,
    database: Database | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    **settings: str,
) -> subprocess.CompletedProcess[str]:
    """Runs `rowcast …` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "rowcast", *map(str, arguments)],
        env=environment(database, **settings),
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=90,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


class Running:
    """A command that goes on running. `lines` grows with its standard output."""

    def __init__(self, *arguments: str, env: dict[str, str], cwd: Path) -> None:
        self.lines: list[str] = []
        self.errors = cwd / f"{arguments[0]}.stderr"
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rowcast", *arguments],
                env=env,
                cwd=cwd,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def terminate(self) -> int:
        """SIGTERM; its exit status."""
        self.process.terminate()
        status = self.process.wait(30)
        self._reader.join(10)
        return status

    def close(self) -> None:
        """Ends what is left of it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
