"""Mails reach an SMTP server, once each, or are tried again, or are given up."""

import asyncio
import time
from collections.abc import Callable

import aiohttp
import pytest

from mailing import Inbox, Serve, fall_due, put, row, token_in
from rowcast.keys import INVITATION, PASSWORD_RESET, VERIFY_EMAIL
from support import KEYS, Database, ServerProcess, eventually


def request_registration(database: Database, email: str) -> None:
    database.run("select trusted.registration_request(%s, 'Ada', '$argon2id$', '127.0.0.1')", email)


def request_reset(database: Database, email: str) -> None:
    database.run("select trusted.password_reset_request(%s, '127.0.0.1')", email)


def settled(database: Database) -> bool:
    """Whether nothing waits any more."""
    waiting = "select count(*) from core.mail where sent_at is null and failed_at is null"
    return bool(database.value(waiting) == 0)


async def test_a_mail_is_delivered_when_what_causes_it_commits(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    async with serve(inbox):
        request_registration(database, "new@example.org")
        await eventually(lambda: settled(database), what="delivery")
    (message,) = inbox.messages
    assert message["To"] == "new@example.org"
    assert inbox.recipients == ["new@example.org"]
    mail = row(database)
    assert message["Message-ID"] == f"<{mail['id']}@rowcast.example>"
    claims = KEYS.verify(VERIFY_EMAIL, token_in(message.get_content()))
    token = database.value("select id::text from core.one_time_token")
    assert claims["jti"] == token
    assert claims["exp"] == int(mail["expiresAt"])
    assert abs(claims["exp"] - time.time() - 86400) < 60


async def test_a_process_that_has_nothing_to_deliver_is_woken_by_a_mail(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    database.run(
        "insert into core.mail (kind, address, next_at) values"
        " ('password-changed', 'later@example.org', clock_timestamp() + interval '1 hour')"
    )
    async with serve(inbox) as url:
        for n in range(5):
            for _ in range(5):  # time enough to have looked, and found nothing
                assert not await is_away(url)
            put(database, "password-changed", f"a{n}@example.org")
            await eventually(lambda n=n: len(inbox.messages) > n, what="delivery")  # type: ignore[misc]
    assert inbox.recipients == [f"a{n}@example.org" for n in range(5)]


async def test_a_mail_that_waited_before_the_start_is_delivered(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    put(database, "password-changed")
    async with serve(inbox):
        await eventually(lambda: settled(database), what="delivery")
    assert len(inbox.messages) == 1


async def test_processes_that_race_deliver_each_mail_once(
    database: Database, spawn: Callable[..., ServerProcess], inbox: Inbox
) -> None:
    for _ in range(2):
        spawn(ROWCAST_SMTP_URL=inbox.url, ROWCAST_PUBLIC_URL="https://rowcast.example")
    database.run(
        "insert into core.mail (kind, address)"
        " select 'password-changed', n || '@example.org' from generate_series(1, 120) n"
    )
    await eventually(lambda: settled(database), 60, "delivery")
    assert sorted(inbox.recipients) == sorted(f"{n}@example.org" for n in range(1, 121))
    assert len({message["Message-ID"] for message in inbox.messages}) == 120
    assert database.value("select max(attempts) from core.mail") == 1


async def test_mailers_of_one_moment_deliver_each_mail_once(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    inbox.open.clear()
    async with serve(inbox), serve(inbox), serve(inbox):
        put(database, "password-changed")
        await inbox.begun.wait()
        fall_back = database.value("select next_at - clock_timestamp() from core.mail")
        database.run("select pg_notify('rowcast', 'mail')")
        inbox.open.set()
        await eventually(lambda: settled(database), what="delivery")
    assert len(inbox.recipients) == 1
    assert 240 < fall_back.total_seconds() <= 300


async def test_a_server_that_is_down_gets_the_mail_when_it_is_back(
    database: Database, serve: Serve, closed_inbox: Inbox
) -> None:
    async with serve(closed_inbox):
        put(database, "password-changed")
        await eventually(lambda: row(database)["error"] is not None, what="the failed attempt")
        assert not settled(database)
        assert "Connect" in str(row(database)["error"])
        await closed_inbox.start()
        fall_due(database)
        await eventually(lambda: settled(database), what="delivery")
    mail = row(database)
    assert mail["sentAt"] is not None
    assert (mail["attempts"], mail["error"]) == (2, None)
    assert len(closed_inbox.messages) == 1


@pytest.mark.parametrize("answer", ["451 later", "421 busy", "530 authentication required"])
async def test_an_answer_for_now_is_tried_again(
    database: Database, serve: Serve, inbox: Inbox, answer: str
) -> None:
    inbox.answers = [answer]
    async with serve(inbox):
        put(database, "password-changed")
        await eventually(lambda: row(database)["error"] is not None, what="the refusal")
        assert str(row(database)["error"]).startswith(answer[:3])
        wait = database.value("select next_at - clock_timestamp() from core.mail")
        assert 15 < wait.total_seconds() < 40
        fall_due(database)
        await eventually(lambda: settled(database), what="delivery")
    assert row(database)["sentAt"] is not None
    assert len(inbox.messages) == 1


async def test_a_recipient_that_is_refused_is_final(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    inbox.answers = ["550 no such user"]
    async with serve(inbox):
        put(database, "password-changed")
        await eventually(lambda: settled(database), what="the refusal")
        fall_due(database)
        put(database, "password-changed", "bob@example.org")
        await eventually(lambda: settled(database), what="the next mail")
    assert [message["To"] for message in inbox.messages] == ["bob@example.org"]
    assert inbox.recipients == ["ada@example.org", "bob@example.org"]
    given_up = "select error from core.mail where failed_at is not null and sent_at is null"
    assert database.value(given_up) == "550 no such user"


async def test_a_message_that_is_refused_is_final_and_its_error_holds_no_token(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    inbox.refusal = "554 spam: {text:.400}"
    async with serve(inbox):
        request_registration(database, "new@example.org")
        await eventually(lambda: settled(database), what="the refusal")
    error = str(row(database)["error"])
    assert error.startswith("554 spam: Hello")
    assert "#verify=…" in error
    assert "eyJ" not in error


async def test_an_address_that_no_mail_can_go_to_is_final_and_holds_nothing_up(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    async with serve(inbox):
        put(database, "password-changed", "=?utf-8?q?a=0D=0ABcc=3A_b?=@example.org")
        put(database, "password-reset", "ada@example.org")  # without a token's id
        put(database, "password-changed", "bob@example.org")
        await eventually(lambda: settled(database), what="the end of all")
    assert inbox.recipients == ["bob@example.org"]


async def test_a_kind_of_a_newer_version_is_left_to_it(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    async with serve(inbox):
        put(database, "birthday")
        await eventually(lambda: row(database)["error"] is not None, what="the failed attempt")
    assert not settled(database)


async def test_a_timer_wakes_for_what_falls_due_later(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    async with serve(inbox):
        database.run(
            "insert into core.mail (kind, address, next_at) values"
            " ('password-changed', 'ada@example.org', clock_timestamp() + interval '1.5 seconds')"
        )
        await eventually(lambda: settled(database), what="delivery")
    assert database.value("select sent_at >= created_at + interval '1.5 seconds' from core.mail")


async def test_a_reset_for_an_address_without_an_account_sends_nothing(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    database.account("Ada")
    async with serve(inbox):
        request_reset(database, "nobody@example.org")
        request_reset(database, "ADA@example.org")
        await eventually(lambda: settled(database), what="delivery")
    (message,) = inbox.messages
    assert inbox.recipients == ["Ada@example.org"]  # as the account has it
    claims = KEYS.verify(PASSWORD_RESET, token_in(message.get_content()))
    assert abs(claims["exp"] - time.time() - 3600) < 60
    assert claims["jti"] == database.value(
        "select id::text from core.one_time_token where email = 'ADA@example.org'"
    )


async def test_a_reset_goes_to_the_address_of_the_account_not_to_a_look_alike(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    """U+212A is k in lower case: the address typed may be somebody else's mailbox."""
    database.account("Kim")
    async with serve(inbox):
        request_reset(database, "\u212aim@example.org")
        request_reset(database, "kim@example.org")
        await eventually(lambda: settled(database), what="delivery")
    assert set(inbox.recipients) == {"Kim@example.org"}


async def test_a_registration_of_an_address_with_an_account_says_so_to_its_owner_alone(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    database.account("Ada")
    async with serve(inbox):
        request_registration(database, "Ada@example.org")
        await eventually(lambda: settled(database), what="delivery")
    (message,) = inbox.messages
    assert "already" in message["Subject"]
    assert "eyJ" not in message.get_content()
    assert row(database)["kind"] == "already-registered"


async def test_an_invitation_carries_its_workspace_and_is_good_as_long_as_it(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    workspace = database.workspace(name="Apollo")
    async with serve(inbox):
        made = database.call(
            "invitation_create", workspace, arguments={"email": "bob@example.org", "role": "admin"}
        )
        await eventually(lambda: settled(database), what="delivery")
    (message,) = inbox.messages
    assert message["Subject"] == "Ada invites you to Apollo"
    claims = KEYS.verify(INVITATION, token_in(message.get_content()))
    assert (claims["jti"], claims["ws"]) == (made["id"], workspace)
    assert claims["exp"] == database.value(
        "select floor(extract(epoch from expires_at))::bigint from core.invitation"
    )


async def test_a_mail_that_expired_is_not_sent(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    database.run(
        "insert into core.mail (kind, address, expires_at)"
        " values ('password-changed', 'ada@example.org', clock_timestamp())"
    )
    async with serve(inbox):
        await eventually(lambda: settled(database), what="its end")
    assert inbox.recipients == []
    assert row(database)["error"] == "expired"


async def test_a_database_that_is_away_is_waited_for_and_what_was_sent_is_not_sent_again(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    inbox.open.clear()
    async with serve(inbox) as url:
        put(database, "password-changed")
        await inbox.begun.wait()
        name = database.value("select current_database()")
        lock, unlock = (
            f'alter database "{name}" with connection limit {limit}' for limit in (0, -1)
        )
        with database.connect() as admin:  # a superuser is not bound by the limit
            admin.execute(lock.encode())
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and usename = 'rowcast_server'"
            )
            inbox.open.set()
            await eventually(lambda: len(inbox.messages) == 1, what="the delivery")
            await eventually(lambda: is_away(url), what="the outage")
            assert row(database)["sentAt"] is None
            admin.execute(unlock.encode())
        await eventually(lambda: settled(database), 30, "word of it")
        put(database, "password-changed", "bob@example.org")
        await eventually(lambda: settled(database), 30, "the next mail")
    assert inbox.recipients == ["ada@example.org", "bob@example.org"]
    assert database.value("select max(attempts) from core.mail") == 1


async def is_away(url: str) -> bool:
    """Whether a server says that its database is away."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/health/ready") as answer:
        return answer.status == 503


async def is_closed(url: str) -> bool:
    """Whether a server takes no more connections."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    except OSError:
        return True
    writer.close()
    return False


async def test_at_the_end_a_mail_under_way_is_finished_and_noted(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    inbox.open.clear()
    running = serve(inbox)
    url = await running.__aenter__()
    put(database, "password-changed")
    await inbox.begun.wait()
    ending = asyncio.create_task(running.__aexit__(None, None, None))
    await eventually(lambda: is_closed(url), what="the end's beginning")
    inbox.open.set()
    await ending
    assert row(database)["sentAt"] is not None
    assert len(inbox.messages) == 1


async def test_a_mail_server_that_says_nothing_does_not_hold_up_the_end(
    database: Database, serve: Serve, inbox: Inbox
) -> None:
    inbox.open.clear()
    async with serve(inbox):
        put(database, "password-changed")
        await inbox.begun.wait()
        began = time.monotonic()
    assert time.monotonic() - began < 6
    assert row(database)["sentAt"] is None
