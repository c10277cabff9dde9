"""`rowcast compact`: what it says, what it takes, and that it does what it says."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from command_line import run
from rowcast import compact
from rowcast.cli import app
from support import Database, eventually
from trimming import faults, floor_of


@pytest.fixture
def old(database: Database) -> str:
    """A workspace with four tasks of last year and one of today: seqs 2 to 5, and 6."""
    workspace = database.workspace(name="Old")
    for n in range(4):
        database.task(workspace, title=f"Old {n}")
    database.run("update core.change set at = at - interval '1 year'")
    database.run("update core.transaction set at = at - interval '1 year'")
    database.task(workspace, title="New")
    return workspace


def changes(database: Database, workspace: str) -> int:
    return int(
        database.value(
            "select count(*) from core.change where workspace_id = %s and action <> 'baseline'",
            workspace,
        )
    )


@contextmanager
def held_up(database: Database, workspace: str) -> Iterator[None]:
    """Within, another one compacts the workspace."""
    lock = "select pg_advisory_lock(hashtextextended('rowcast compact ' || %s, 0))"
    with database.connect() as connection:
        connection.execute(lock, (workspace,))
        yield


def waiting(database: Database) -> list[Any]:
    """When the steps began that wait for a lock."""
    query = (
        "select xact_start from pg_stat_activity where datname = current_database()"
        " and application_name = 'rowcast compact' and wait_event_type = 'Lock'"
    )
    return [start for (start,) in database.run(query)]


def purge(database: Database, workspace: str) -> None:
    """Removes a workspace, as the upkeep does a month after it was deleted."""
    database.run(
        "update core.workspace set deleted_at = now() - interval '31 days' where workspace_id = %s",
        workspace,
    )
    while database.value("select trusted.upkeep_run()")["more"]:
        pass


async def compacting(database: Database) -> subprocess.CompletedProcess[str]:
    """`rowcast compact` beside the test."""
    return await asyncio.to_thread(run, "compact", "--older-than", "90d", database=database)


def test_it_trims_what_is_older_and_says_so_per_workspace(database: Database, old: str) -> None:
    young = database.workspace(name="Young")
    database.task(young, title="One")
    done = run("compact", "--older-than", "90d", database=database)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "Old (number 1): 5 changes trimmed, up to seq 5\nYoung (number 2): nothing to trim\n",
        "",
    )
    assert (floor_of(database, old), floor_of(database, young)) == (5, 0)
    assert (changes(database, old), changes(database, young)) == (1, 2)
    again = run("compact", "--older-than", "90d", database=database)
    assert again.stdout.startswith("Old (number 1): nothing to trim\n")
    assert faults(database) == {}


def test_a_dry_run_says_what_it_would_trim_and_trims_nothing(database: Database, old: str) -> None:
    done = run("compact", "--older-than", "12w", "--dry-run", database=database)
    assert done.stdout == "Old (number 1): 5 changes would be trimmed, up to seq 5\n"
    assert (floor_of(database, old), changes(database, old)) == (0, 6)
    assert database.value("select bool_or(expired) from core.transaction") is False


def test_only_the_workspaces_that_are_named_are_trimmed(database: Database, old: str) -> None:
    others = [database.workspace(name=name) for name in ("Two", "Three")]
    for other in others:
        for title in ("One", "Two"):
            database.task(other, title=title)
    done = run(
        "compact", "--older-than", "0s", "--workspace", "Two", "--workspace", old,
        database=database,
    )  # fmt: skip
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == ["Old", "Two"]
    floors = [floor_of(database, workspace) for workspace in (old, *others)]
    assert floors == [5, 2, 0], "the last change always stays"


def test_old_writes_of_no_workspace_are_forgotten_with_the_rest(
    database: Database, old: str
) -> None:
    assert run("compact", "--older-than", "90d", database=database).returncode == 0
    kept = database.run(
        "select function, request_hash is null, last_seq from core.transaction where expired"
    )
    assert sorted(kept, key=str) == [(None, True, None)] * 5, "four tasks, and the workspace"


def test_one_change_is_told_as_one(database: Database) -> None:
    workspace = database.workspace(name="New")
    database.task(workspace, title="One")
    done = run("compact", "--older-than", "0s", "--dry-run", database=database)
    assert done.stdout == "New (number 1): 1 change would be trimmed, up to seq 1\n"
    database.run("select trusted.search_index(array[%s]::uuid[])", workspace)
    database.task(workspace, title="Two")
    done = run("compact", "--older-than", "0s", database=database)
    assert done.stdout == (
        "New (number 1): 2 changes trimmed, up to seq 2;"
        " 1 older one stays until search has read it\n"
    )


def test_writes_are_forgotten_page_by_page(
    database: Database, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "STEP", 2)
    before, told = database.value("select (now() - interval '90 days')::text"), list[int]()
    with database.connect_server() as connection:
        assert compact.trim(connection, old, before, told.append) == (5, 5)
    assert (len(told) > 1, sum(told)) == (True, 5)
    kept = "select expired, count(*) from core.transaction where workspace_id = %s group by 1"
    assert dict(database.run(kept, old)) == {True: 4, False: 1}


def test_the_writes_of_workspaces_that_are_not_named_stay(database: Database, old: str) -> None:
    other = database.workspace(name="Other")
    database.task(other, title="One")
    database.run("update core.change set at = at - interval '1 year'")
    database.run("update core.transaction set at = at - interval '1 year'")
    done = run("compact", "--older-than", "90d", "--workspace", "Old", database=database)
    assert done.returncode == 0
    expired = database.run("select distinct workspace_id::text from core.transaction where expired")
    assert expired == [(old,)], "nor those of no workspace"


@pytest.mark.parametrize("option", ["--dry-run", None])
def test_what_search_has_not_read_yet_stays_and_is_said(
    database: Database, old: str, option: str | None
) -> None:
    database.run("insert into core.search_head values (%s, 3, null, '{}')", old)
    options = [option] if option else []
    done = run("compact", "--older-than", "90d", *options, database=database)
    would = "would be " if option else ""
    assert done.stdout == (
        f"Old (number 1): 3 changes {would}trimmed, up to seq 3;"
        " 2 older ones stay until search has read them\n"
    )
    assert floor_of(database, old) == (0 if option else 3)


async def test_a_step_that_others_hold_up_is_done_again(database: Database, old: str) -> None:
    with held_up(database, old):
        command = asyncio.create_task(compacting(database))
        await eventually(lambda: bool(waiting(database)), 30, "the first try")
        (first,) = waiting(database)
        await eventually(lambda: any(at > first for at in waiting(database)), 30, "a second try")
    done = await command
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Old (number 1): 5 changes trimmed, up to seq 5\n"


def test_a_step_is_not_done_again_for_ever(
    database: Database, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "TRIES", 3)
    with (
        held_up(database, old),
        database.connect_server(options="-c lock_timeout=10ms") as connection,
        pytest.raises(psycopg.Error) as raised,
    ):
        compact.trim(connection, old, "infinity", lambda _: None)
    assert raised.value.sqlstate == "55P03"
    assert floor_of(database, old) == 0


async def test_a_workspace_that_is_removed_meanwhile_does_not_stop_it(
    database: Database, old: str
) -> None:
    gone, last = (database.workspace(name=name) for name in ("Gone", "Last"))
    for workspace in (gone, last):
        for title in ("One", "Two"):
            database.task(workspace, title=title)
    database.run("update core.change set at = at - interval '1 year'")
    with held_up(database, old):
        command = asyncio.create_task(compacting(database))
        await eventually(lambda: bool(waiting(database)), 30, "the first workspace")
        await asyncio.to_thread(purge, database, gone)
    done = await command
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == [
        "Gone (number 2): removed meanwhile",
        "Last (number 3): 2 changes trimmed, up to seq 2",
    ]
    assert floor_of(database, last) == 2


@pytest.mark.parametrize("age", ["ninety", "90", "-1d", "", "1y", "1.5h", "1 d", "1234567890s"])
def test_an_age_has_a_whole_number_and_a_unit(age: str) -> None:
    done = CliRunner().invoke(app, ["compact", f"--older-than={age}"])
    assert done.exit_code == 1
    assert "a whole number of at most nine digits, and s, min, h, d or w" in done.output


def test_what_it_can_not_do_is_one_sentence(database: Database) -> None:
    for _ in range(2):
        database.workspace(name="Twice")
    for age, name, words in (
        ("1d", "Nowhere", "no such workspace"),
        ("1d", "Twice", "several workspaces"),
        ("999999999w", "1", "out of range"),
    ):
        done = run("compact", "--older-than", age, "--workspace", name, database=database)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
