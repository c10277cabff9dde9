"""`make dev`: the demo server, which reloads on save.

A change of Python restarts the server; one of `sql/`, `migrations/` or `templates/` migrates the
running database, whose functions are replaced under the running server. PostgreSQL stays up all
the while. Options are those of `rowcast demo`.
"""

import signal
import subprocess
import sys
from pathlib import Path

from watchfiles import watch

from rowcast.config import Settings
from rowcast.serve import database

ROOT = Path(__file__).parent.parent
WATCHED = ("server", "sql", "migrations", "templates")
STOP_SECONDS = 20.0


def main() -> None:
    """Serves until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with database(Settings()):
        migrate()
        server = serve()
        try:
            for changes in watch(*(ROOT / name for name in WATCHED), raise_interrupt=False):
                suffixes = {Path(path).suffix for _, path in changes}
                if suffixes & {".sql", ".toml"}:
                    migrate()
                if ".py" in suffixes or server.poll() is not None:
                    stop(server)
                    server = serve()
        finally:
            stop(server)


def migrate() -> None:
    """Brings the database up to date; what is wrong with the SQL is on standard error."""
    command = [sys.executable, "-m", "rowcast", "migrate", "--dev"]
    subprocess.run(command, check=False, start_new_session=True)


def serve() -> "subprocess.Popen[bytes]":
    """Starts the demo server; Ctrl-C is for this process, which then stops it."""
    command = [sys.executable, "-m", "rowcast", "demo", "--no-migrate", *sys.argv[1:]]
    return subprocess.Popen(command, start_new_session=True)


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Stops the server: open streams are closed, writes under way are finished."""
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
