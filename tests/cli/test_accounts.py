"""`rowcast user` and `rowcast token`: the administrator's commands on accounts."""

import json
from typing import Any

import pytest

from command_line import run
from people import AUTH, ME, log_in, sign_up, try_log_in
from streams.streaming import Reader, following, in_threads
from support import Client, Database

PAT = "pat@example.org"


def listed(database: Database) -> list[dict[str, Any]]:
    """What `rowcast user list` prints."""
    done = run("user", "list", database=database)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


async def test_accounts_are_listed_a_line_each_without_anything_secret(
    client: Client, database: Database
) -> None:
    await sign_up(client, database, PAT)
    database.value("select trusted.account_disable('Ada@example.org')")
    ada, pat = listed(database)
    assert (ada["email"], pat["email"]) == ("Ada@example.org", PAT)
    assert ada["disabledAt"]
    assert pat["disabledAt"] is None
    assert set(pat) == {"id", "email", "name", "avatar", "createdAt", "disabledAt"}


async def test_a_disabled_account_is_out_at_once_and_let_in_again_signs_in_anew(
    client: Client, database: Database
) -> None:
    account = await sign_up(client, database, PAT)
    workspace = database.workspace()
    database.run("insert into core.member values (%s, %s, 'viewer')", workspace, account)
    pat = await log_in(client, PAT)
    body = {"name": "x", "scopes": ["read"]}
    token = (await pat.client.call("POST", f"{ME}/tokens", body))["token"]
    program = Client(client.session, client.url, token)
    reader = Reader(program, f"/api/v1/workspaces/{workspace}/events")
    async with following(reader):
        await in_threads(lambda: run("user", "disable", PAT.upper(), database=database))
        await reader.was_refused(401)
    assert not await pat.is_in()
    (await try_log_in(client, PAT)).problem(401, "wrong_credentials")
    done = run("user", "disable", PAT, "--undo", database=database)
    assert json.loads(done.stdout)["id"] == account
    assert not await pat.is_in()
    (await program.send("GET", ME)).problem(401, "unauthenticated")
    assert await (await log_in(client, PAT)).is_in()


async def test_a_token_acts_as_its_account_but_does_not_manage_it(
    client: Client, database: Database
) -> None:
    await sign_up(client, database, PAT)
    done = run("token", PAT.upper(), "--days", "2", database=database)
    token = done.stdout.strip()
    assert token.startswith("rct_")
    program = Client(client.session, client.url, token)
    body = {"name": "Ours", "template": "tasks"}
    assert (await program.call("POST", "/api/v1/workspaces", body))["role"] == "owner"
    (await program.send("PATCH", ME, {"name": "X"})).problem(403, "sign_in_required")
    assert (await program.send("POST", f"{AUTH}/ticket")).status == 200
    pat = await log_in(client, PAT)
    (one,) = (await pat.client.call("GET", f"{ME}/tokens"))["tokens"]
    assert (one["name"], one["scopes"]) == ("rowcast token", None)
    await pat.client.call("DELETE", f"{ME}/tokens/{one['id']}")
    (await program.send("GET", ME)).problem(401, "unauthenticated")


@pytest.mark.parametrize("command", [("token",), ("user", "disable")])
def test_an_unknown_account_is_one_sentence(database: Database, command: tuple[str, ...]) -> None:
    done = run(*command, "nobody@example.org", database=database)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("rowcast: There is no such account")
    assert len(done.stderr.splitlines()) == 1


def test_a_disabled_account_gets_no_token(database: Database) -> None:
    database.account("Ada")
    database.value("select trusted.account_disable('ada@example.org')")
    done = run("token", "ada@example.org", database=database)
    assert (done.returncode, done.stdout) == (1, "")


def test_an_account_that_is_there_is_not_made_again(database: Database) -> None:
    database.account("Ada")
    done = run("user", "create", "ADA@example.org", database=database)
    assert done.returncode == 1
    assert "There is an account with this e-mail address" in done.stderr
    assert len(listed(database)) == 1
