"""`rowcast compact`: what it says, what it takes, and that it does what it says."""

import pytest
from typer.testing import CliRunner

from command_line import run
from rowcast.cli import app
from support import Database
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
