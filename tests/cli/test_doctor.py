"""`rowcast doctor` on installations that are well, and that are not."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import run
from support import Database


@contextlib.contextmanager
def broken(database: Database, statement: str, repair: str) -> Iterator[None]:
    """Roles belong to the cluster, which other tests share: they are put right again."""
    database.run(statement)
    try:
        yield
    finally:
        database.run(repair)


def faults(database: Database | None, cwd: Path, **settings: str) -> list[str]:
    """The lines of the failed checks; the exit status goes with them."""
    done = run("doctor", database=database, cwd=cwd, stdin=None, **settings)
    assert done.stderr == "", done.stderr
    found = [line for line in done.stdout.splitlines() if line.startswith("FAIL ")]
    assert done.returncode == (1 if found else 0)
    assert all("; " in line for line in found), "each says what to do"
    return found


def test_a_good_installation_has_a_line_per_check_and_no_fault(
    database: Database, tmp_path: Path
) -> None:
    database.task(database.workspace(), title="One")
    done = run("doctor", database=database, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    checks = [line.removeprefix("ok   ").split(":")[0] for line in done.stdout.splitlines()]
    assert checks == [
        "settings", "secret key", "database", "server role", "roles", "ownership",
        "row-level security", "schema", "clocks", "logs", "baselines", "listening",
    ]  # fmt: skip
    assert faults(database, tmp_path, ROWCAST_DATABASE_URL=database.admin) == []


def test_a_database_that_is_away_is_named(database: Database, tmp_path: Path) -> None:
    url = "host=127.0.0.1 port=1 user=rowcast_server password=hunter2"
    (line,) = faults(database, tmp_path, ROWCAST_DATABASE_URL=url)
    assert "can't be reached" in line
    assert "hunter2" not in line


def test_a_missing_secret_is_named(database: Database, tmp_path: Path) -> None:
    (line,) = faults(None, tmp_path, ROWCAST_DATABASE_URL=database.server)
    assert "ROWCAST_SECRET_KEY" in line


def test_an_embedded_database_that_is_not_made_yet_is_not_made_by_looking(tmp_path: Path) -> None:
    (line,) = faults(None, tmp_path)
    assert "not made yet" in line
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_may_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "rowcast-data").mkdir()
    key = tmp_path / "rowcast-data" / "secret-key"
    key.write_text("0" * 64)
    key.chmod(0o644)
    assert any(f"chmod 600 {Path('rowcast-data/secret-key')}" in x for x in faults(None, tmp_path))
    key.chmod(0o600)
    assert not any("chmod" in x for x in faults(None, tmp_path))
    key.write_text("short")
    assert any("too short" in x for x in faults(None, tmp_path))


def test_a_server_role_that_bypasses_row_level_security_is_named(
    database: Database, tmp_path: Path
) -> None:
    with broken(
        database, "alter role rowcast_server bypassrls", "alter role rowcast_server nobypassrls"
    ):
        lines = faults(database, tmp_path)
    assert [line.split(":")[0] for line in lines] == ["FAIL server role", "FAIL roles"]


def test_an_owner_that_can_log_in_is_named(database: Database, tmp_path: Path) -> None:
    with broken(database, "alter role rowcast_owner login", "alter role rowcast_owner nologin"):
        (line,) = faults(database, tmp_path)
    assert "rowcast_owner has other attributes" in line


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("alter function trusted.account_find(text) owner to postgres", "trusted.account_find()"),
        ("alter table core.change owner to postgres", "core.change"),
        ("alter table core.record disable row level security", "off for record"),
        ("update core.bundle set hash = 'x'", "run: rowcast migrate"),
        ("update core.bundle set number = 100000", "newer"),
        ("delete from core._yoyo_migration where migration_id = '0004.log'", "0004.log"),
        ("drop function trusted.installation_check()", "run: rowcast migrate"),
        ("delete from core.clock", "clocks: missing for"),
        ("delete from core.change where seq = 2", "logs: changes are missing in"),
        ("update core.clock set floor = floor + 1", "baselines: not one of each"),
        ("select trusted.log_compact(workspace_id, clock_timestamp()) from core.workspace", None),
    ],
)
def test_what_is_wrong_in_the_database_is_named(
    database: Database, tmp_path: Path, statement: str, words: str | None
) -> None:
    workspace = database.workspace()
    for title in ("One", "Two"):
        database.task(workspace, title=title)
    database.run(statement.replace("postgres", '"' + database.value("select current_user") + '"'))
    lines = faults(database, tmp_path)
    if words is None:
        assert lines == []
    else:
        assert words in "\n".join(lines)


def test_a_database_that_was_never_migrated_is_named(database: Database, tmp_path: Path) -> None:
    for schema in ("api", "logic", "faces", "trusted"):
        database.run(f"alter schema {schema} rename to {schema}_gone")
    assert any("run: rowcast migrate" in line for line in faults(database, tmp_path))


def test_a_server_that_cannot_sign_in_is_named(database: Database, tmp_path: Path) -> None:
    database_name = database.value("select current_database()")
    database.run(f'revoke connect on database "{database_name}" from public, rowcast_server')
    (line,) = faults(database, tmp_path, ROWCAST_DATABASE_URL=database.admin)
    assert "FAIL server role: can't sign in" in line


def test_a_listening_connection_to_another_place_is_named(
    database: Database, tmp_path: Path
) -> None:
    elsewhere = database.admin.replace(
        f"dbname={database.value('select current_database()')}", "dbname=postgres"
    )
    (line,) = faults(database, tmp_path, ROWCAST_LISTEN_DATABASE_URL=elsewhere)
    assert "a notification did not come back" in line
