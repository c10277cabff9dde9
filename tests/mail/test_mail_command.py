"""`rowcast mail list`, and settings that stop the start."""

from collections.abc import Callable
from typing import Any

import pytest

from command_line import run
from mailing import Inbox, put, token_in
from rowcast.config import Settings
from rowcast.keys import PASSWORD_RESET
from rowcast.mail import mail_settings
from support import KEYS, Database, ServerProcess, eventually


def test_the_list_shows_the_last_mails_with_their_text(database: Database) -> None:
    for n in range(4):
        put(database, "password-reset", f"a{n}@example.org", tokenId=str(n))
    done = run("mail", "list", "--limit", "2", database=database)
    assert (done.returncode, done.stderr) == (0, "")
    heads = [line for line in done.stdout.splitlines() if "password-reset" in line]
    assert [head.split()[2] for head in heads] == ["a2@example.org", "a3@example.org"]
    assert all("not sent, 0 attempts" in head for head in heads)
    assert done.stdout.count("Subject: Choose a new password") == 2
    text = "\n".join(
        line.removeprefix("  ") for line in done.stdout.split(heads[1])[1].splitlines()
    )
    assert KEYS.verify(PASSWORD_RESET, token_in(text))["jti"] == "3"


async def test_the_list_says_what_became_of_a_mail_and_shows_its_text_with_a_mail_server_too(
    database: Database, spawn: Callable[..., ServerProcess], inbox: Inbox
) -> None:
    inbox.answers = ["550 no such user", "250 OK"]
    spawn(ROWCAST_SMTP_URL=inbox.url)
    ended = "select count(*) from core.mail where sent_at is not null or failed_at is not null"
    for n in range(2):
        put(database, "password-changed", f"a{n}@example.org")
        await eventually(lambda n=n: bool(database.value(ended) == n + 1), what="its end")  # type: ignore[misc]
    done = run("mail", "list", database=database, ROWCAST_SMTP_URL=inbox.url)
    assert done.returncode == 0, done.stderr
    first, second = (line for line in done.stdout.splitlines() if "password-changed" in line)
    assert "a0@example.org" in first
    assert "550 no such user" in first
    assert "a1@example.org" in second
    assert "(sent 20" in second
    assert done.stdout.count("Subject: Your password was changed") == 2


def test_the_list_writes_nothing_to_a_terminal_but_text(database: Database) -> None:
    put(database, "password-changed", "\x1b[2J@example.org")
    put(database, "invitation", inviter="\x1b[2J", workspaceId="w", invitationId="i")
    put(database, "birthday\x1b[2J")
    database.run("update core.mail set error = E'\\x1b[2J'")
    done = run("mail", "list", database=database)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert len([line for line in done.stdout.splitlines() if "not sent" in line]) == 3


def test_an_empty_list_says_so(database: Database) -> None:
    done = run("mail", "list", database=database)
    assert (done.returncode, done.stdout) == (0, "no mails\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROWCAST_SMTP_URL", "http://a:hunter2@mail.example"),
        ("ROWCAST_SMTP_URL", "smtp://a:hunter2"),
        ("ROWCAST_MAIL_FROM", "hunter2"),
    ],
)
def test_a_malformed_mail_setting_stops_the_start_with_a_sentence(
    database: Database, name: str, value: str
) -> None:
    setting: dict[str, Any] = {name: value}
    done = run("serve", "--no-migrate", "--port", "0", database=database, **setting)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert f"{name}: " in done.stderr
    assert "hunter2" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("given", "url", "sender"),
    [
        ({}, "http://127.0.0.1:8080", "Rowcast <rowcast@[127.0.0.1]>"),
        ({"host": "0.0.0.0"}, "http://localhost:8080", "Rowcast <rowcast@localhost>"),
        ({"host": "::1", "port": 1}, "http://[::1]:1", "Rowcast <rowcast@[IPv6:::1]>"),
        (
            {"public_url": "https://work.example/"},
            "https://work.example",
            "Rowcast <rowcast@work.example>",
        ),
        (
            {"public_url": "https://work.example", "mail_from": "Us <us@example.org>"},
            "https://work.example",
            "Us <us@example.org>",
        ),
    ],
)
def test_links_and_sender_follow_from_the_address_of_the_server(
    given: dict[str, str], url: str, sender: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOST", "PORT", "PUBLIC_URL", "MAIL_FROM", "SMTP_URL"):
        monkeypatch.delenv(f"ROWCAST_{name}", raising=False)
    made = mail_settings(Settings(**given))  # type: ignore[arg-type]
    assert (made.public_url, made.sender) == (url, sender)
