"""The command line, as processes of its own."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import Running, environment, run
from support import SECRET, Database, eventually

Start = Callable[..., Running]


@pytest.fixture
def start(database: Database, tmp_path: Path) -> Iterator[Start]:
    """Starts a command that goes on running, with the administrator's URL."""
    started: list[Running] = []

    def begin(*arguments: str, **settings: str) -> Running:
        env = environment(database, **settings)
        started.append(Running(*arguments, env=env, cwd=tmp_path))
        return started[-1]

    yield begin
    for running in started:
        running.close()


async def ready(running: Running) -> str:
    """The address in the ready line."""

    def is_ready() -> bool:
        assert running.process.poll() is None, running.errors.read_text()
        return any(line.startswith("rowcast is ready on ") for line in running.lines)

    await eventually(is_ready, 60, "the ready line")
    return next(x for x in running.lines if x.startswith("rowcast is ready on ")).split()[-1]


def get(url: str, token: str | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


async def test_serve_migrates_says_when_it_is_ready_and_ends_well_on_sigterm(
    database: Database, start: Start
) -> None:
    database.run("delete from core.template")
    server = start("serve", "--port", "0", ROWCAST_DATABASE_URL=database.admin)
    url = await ready(server)
    assert database.value("select count(*) from core.template") > 0
    assert get(f"{url}/health/ready")[0] == 200
    assert get(f"{url}/api/v1/workspaces")[0] == 401
    began = time.monotonic()
    assert server.terminate() == 0
    assert time.monotonic() - began < 15


async def test_serve_without_migrating_leaves_the_schema_alone(
    database: Database, start: Start
) -> None:
    database.run("delete from core.template")
    server = start("serve", "--port", "0", "--no-migrate", ROWCAST_DATABASE_URL=database.admin)
    await ready(server)
    assert database.value("select count(*) from core.template") == 0


async def test_demo_prints_its_address_workspaces_and_user_and_needs_no_credentials(
    database: Database, start: Start
) -> None:
    url = await ready(demo := start("demo", "--port", "0", ROWCAST_DATABASE_URL=database.admin))
    assert url.startswith("http://127.0.0.1:")
    status, answer = get(f"{url}/api/v1/workspaces")
    assert status == 200
    await eventually(lambda: "curl -N" in "\n".join(demo.lines), what="all of the welcome")
    text = "\n".join(demo.lines)
    for workspace in answer["workspaces"]:
        assert workspace["id"] in text
    assert "demo@rowcast.example" in text
    assert demo.terminate() == 0


@pytest.mark.parametrize("arguments", [("demo",), ("serve",)])
def test_demo_mode_serves_on_loopback_only(database: Database, arguments: tuple[str]) -> None:
    done = run(*arguments, "--host", "0.0.0.0", database=database, ROWCAST_DEMO="1")
    assert done.returncode == 1
    assert "loopback" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_migrate_says_what_it_did_and_the_second_time_that_all_is_up_to_date(
    database: Database,
) -> None:
    database.run("delete from core.bundle")
    first = run("migrate", database=database, ROWCAST_DATABASE_URL=database.admin)
    assert (first.returncode, first.stdout) == (0, "loaded sql/\n")
    second = run("migrate", database=database, ROWCAST_DATABASE_URL=database.admin)
    assert (second.returncode, second.stdout) == (0, "up to date\n")
    quiet = run("migrate", "--quiet", database=database, ROWCAST_DATABASE_URL=database.admin)
    assert (quiet.returncode, quiet.stdout) == (0, "")


def test_migrate_as_the_server_is_refused(database: Database) -> None:
    done = run("migrate", database=database)
    assert done.returncode == 1
    assert "ROWCAST_ADMIN_DATABASE_URL" in done.stderr


async def test_an_account_that_is_created_gets_a_token_that_works_over_http(
    database: Database, start: Start
) -> None:
    made = run("user", "create", "Grace@Example.org", "--name", "Grace", database=database)
    assert made.returncode == 0, made.stderr
    account = json.loads(made.stdout)
    assert (account["email"], account["name"]) == ("Grace@Example.org", "Grace")
    token = run("token", "grace@example.org", database=database)
    assert token.returncode == 0
    url = await ready(start("serve", "--port", "0", "--no-migrate"))
    for word in (account["accessToken"], token.stdout.strip()):
        assert get(f"{url}/api/v1/workspaces", word) == (
            200,
            {"workspaces": [], "nextCursor": None},
        )


def test_an_account_that_exists_or_does_not_is_one_sentence(database: Database) -> None:
    database.account("Ada")
    for arguments, words in (
        (("user", "create", "ADA@example.org"), "There is an account"),
        (("user", "create", "nonsense"), "no e-mail address"),
        (("token", "nobody@example.org"), "no such account"),
    ):
        done = run(*arguments, database=database)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_import_says_how_many_rows_came_in(database: Database, tmp_path: Path) -> None:
    database.workspace()
    (tmp_path / "rows.csv").write_text("title\nOne\nTwo\n")
    done = run("import", "rows.csv", database=database, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "2 created, 0 skipped (imported before), 0 rejected\n",
        "",
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ROWCAST_PORT", "70000", "ROWCAST_PORT"),
        ("ROWCAST_PORT", "http", "ROWCAST_PORT"),
        ("ROWCAST_WORKERS", "0", "ROWCAST_WORKERS"),
        ("ROWCAST_LOG_FORMAT", "xml", "ROWCAST_LOG_FORMAT"),
        ("ROWCAST_DATABASE_URL", "hunter2://what", "DATABASE_URL"),
        ("ROWCAST_SECRET_KEY", "hunter2", "ROWCAST_SECRET_KEY"),
        ("ROWCAST_DATABASE_URL", "host=127.0.0.1 port=1 password=hunter2", "database"),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it_and_no_secret(
    database: Database, name: str, value: str, words: str
) -> None:
    setting: dict[str, Any] = {name: value}
    done = run("serve", database=database, **setting)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert words in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


def test_a_missing_secret_is_not_guessed_for_a_database_of_ones_own(
    database: Database, tmp_path: Path
) -> None:
    done = run("serve", "--no-migrate", cwd=tmp_path, ROWCAST_DATABASE_URL=database.server)
    assert done.returncode == 1
    assert "set ROWCAST_SECRET_KEY" in done.stderr
    assert list(tmp_path.iterdir()) == []


async def test_secrets_are_never_printed(database: Database, start: Start) -> None:
    password = re.search(r"password=(\S+)", database.server)
    assert password is not None
    server = start("serve", "--port", "0", "--no-migrate", ROWCAST_LOG_LEVEL="debug")
    url = await ready(server)
    get(f"{url}/api/v1/workspaces?token=x", "wrong.token.here")
    doctor = run("doctor", database=database)
    assert server.terminate() == 0
    text = "\n".join(server.lines) + server.errors.read_text() + doctor.stdout + doctor.stderr
    for secret in (SECRET, password[1], "wrong.token.here"):
        assert secret not in text
