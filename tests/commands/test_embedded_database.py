"""Which commands make the embedded database, and how the others find it."""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from command_line import Running, environment, run
from rowcast.embedded import EmbeddedPostgres
from support import eventually

OTHERS = [
    ("import", "-"),
    ("compact", "--older-than", "90d"),
    ("user", "create", "ada@example.org"),
    ("user", "list"),
    ("user", "disable", "ada@example.org"),
    ("token", "ada@example.org"),
    ("mail", "list"),
]


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory which the account of PostgreSQL can enter, where root runs the tests."""
    directory = Path(tempfile.mkdtemp(prefix="commands-", dir="/tmp"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


def refused(*command: str, cwd: Path) -> None:
    """Runs a command, which says where there is no database and what to do, and no more."""
    done = run(*command, cwd=cwd, stdin=b"title\nOne\n")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert f"no Rowcast database in {cwd / 'rowcast-data'}:" in line
    assert "is ROWCAST_DATA_DIR right? `rowcast serve` or `rowcast migrate` makes one" in line


@pytest.mark.parametrize("command", OTHERS, ids=" ".join)
def test_a_command_on_an_installation_makes_none(tmp_path: Path, command: tuple[str]) -> None:
    refused(*command, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_without_a_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "rowcast-data" / "postgres" / "data").mkdir(parents=True)
    refused("user", "list", cwd=tmp_path)
    found = [path.name for path in sorted(tmp_path.rglob("*"))]
    assert found == ["rowcast-data", "postgres", "data"]


def test_a_database_that_was_never_migrated_is_none_until_it_is(place: Path) -> None:
    settings = {"fsync": "off"}
    with EmbeddedPostgres(place / "rowcast-data" / "postgres", settings=settings):
        for command in (("compact", "--older-than", "90d"), ("user", "create", "a@example.org")):
            refused(*command, cwd=place)
        done = run("migrate", cwd=place)
        assert done.returncode == 0, done.stderr
        assert "loaded sql/" in done.stdout
        assert run("user", "list", cwd=place).stdout == ""
        assert run("doctor", cwd=place).returncode == 0


def test_a_directory_that_cannot_be_looked_into_is_named_with_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "rowcast-data").symlink_to("rowcast-data")
    done = run("user", "list", cwd=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "the data directory rowcast-data can't be used" in done.stderr
    assert "set ROWCAST_DATA_DIR to one that can" in done.stderr


@asynccontextmanager
async def ready(command: str, place: Path, directory: Path) -> AsyncIterator[list[str]]:
    """Serves from a directory; gives what was printed, the ready line at least."""
    env = environment(ROWCAST_DATA_DIR=directory.name)
    running = Running(command, "--port", "0", env=env, cwd=place)

    def is_ready() -> bool:
        assert running.process.poll() is None, running.errors.read_text()
        return any("rowcast is ready on" in line for line in running.lines)

    try:
        await eventually(is_ready, 60, "the ready line")
        yield running.lines
    finally:
        status = running.terminate()
        running.close()
    assert status == 0


async def test_serve_and_demo_say_which_directory_the_other_commands_join(place: Path) -> None:
    directory = place / "of {one} demo"
    for command in ("serve", "demo"):
        async with ready(command, place, directory) as lines:
            logged = [json.loads(line) for line in lines if line.startswith("{")]
            (event,) = [line for line in logged if line["event"] == "embedded database"]
            assert event["data_dir"] == str(directory)
            joined = run("user", "list", cwd=place, ROWCAST_DATA_DIR=str(directory))
            assert joined.returncode == 0, joined.stderr
            assert ("demo@rowcast.example" in joined.stdout) == (command == "demo")
        told = [line.split(maxsplit=1)[1] for line in lines if line.startswith("  data ")]
        said = f"{directory} (ROWCAST_DATA_DIR for other commands)"
        assert told == ([said] if command == "demo" else [])
        assert sum("rowcast is ready on" in line for line in lines) == 1
