"""Without an SMTP server mails are in the log; with one, nothing of them is."""

import json
from collections.abc import Callable
from typing import Any

from mailing import Inbox, put, token_in
from rowcast.keys import VERIFY_EMAIL
from support import KEYS, Database, ServerProcess, eventually

Spawn = Callable[..., ServerProcess]


async def ended(server: ServerProcess, name: str, count: int = 1) -> list[dict[str, Any]]:
    """Ends a server; the lines of one event in its log, once it has `count` of them."""
    assert server.terminate() == 0

    def found() -> list[dict[str, Any]]:
        lines = server.log.read_text().splitlines(keepends=True)
        parsed = [json.loads(x) for x in lines if x.startswith("{") and x.endswith("\n")]
        return [line for line in parsed if line["event"] == name]

    await eventually(lambda: len(found()) >= count, what=f"{count} lines {name} in the log")
    return found()


async def test_without_a_mail_server_a_mail_is_written_to_the_log(
    database: Database, spawn: Spawn
) -> None:
    server = spawn(ROWCAST_PUBLIC_URL="https://rowcast.example/")
    token = "00000000-0000-4000-8000-000000000001"
    put(database, "verify-email", "new@example.org", tokenId=token)
    sent = "select sent_at is not null from core.mail"
    await eventually(lambda: bool(database.value(sent)), what="word of it")
    (event,) = await ended(server, "mail")
    assert event["level"] == "info"
    assert event["to"] == "new@example.org"
    assert event["subject"] == "Confirm your e-mail address"
    assert "https://rowcast.example/account#verify=" in event["text"]
    assert KEYS.verify(VERIFY_EMAIL, token_in(event["text"]))["jti"] == token


async def test_without_a_public_url_links_lead_to_the_server_itself(
    database: Database, spawn: Spawn
) -> None:
    server = spawn()
    put(database, "password-changed")
    sent = "select sent_at is not null from core.mail"
    await eventually(lambda: bool(database.value(sent)), what="word of it")
    (event,) = await ended(server, "mail")
    assert "http://127.0.0.1:" in event["text"]


async def test_with_a_mail_server_the_log_holds_no_text_token_or_password(
    database: Database, spawn: Spawn, closed_inbox: Inbox
) -> None:
    await closed_inbox.start()
    seen: list[str] = []
    accept = closed_inbox.handle_DATA

    async def quoting(*arguments: Any) -> str:
        answer = await accept(*arguments)
        seen.append(token_in(closed_inbox.messages[-1].get_content()))
        if len(seen) == 1:
            return answer
        return f"{452 if len(seen) == 2 else 554} I don't like {seen[-1]}"

    closed_inbox.handle_DATA = quoting  # type: ignore[method-assign, assignment]
    server = spawn(
        ROWCAST_SMTP_URL=closed_inbox.url,
        ROWCAST_LOG_LEVEL="debug",
        ROWCAST_PUBLIC_URL="https://rowcast.example",
    )
    for n in range(3):
        put(database, "verify-email", f"new{n}@example.org", tokenId=str(n))
    done = "select count(*) from core.mail where sent_at is not null or error is not null"
    await eventually(lambda: bool(database.value(done) == 3), what="three attempts")
    failures = await ended(server, "mail not delivered", 2)
    assert {failure["code"] for failure in failures} == {452, 554}
    text = server.log.read_text()
    assert len(set(seen)) == 3
    for secret in (*seen, "eyJ", "#verify=", "Hello,", "I don't like"):
        assert secret not in text


async def test_the_password_of_a_mail_server_is_in_no_log(
    database: Database, spawn: Spawn, inbox: Inbox
) -> None:
    url = inbox.url.replace("//", "//rowcast:hunter2%2Fsecret@")
    server = spawn(ROWCAST_SMTP_URL=url, ROWCAST_LOG_LEVEL="debug")
    put(database, "password-changed")
    failed = "select coalesce(max(error), '') from core.mail"
    await eventually(lambda: bool(database.value(failed)), what="the attempt")
    (event,) = await ended(server, "mail not delivered")
    assert "STARTTLS" in event["reason"].upper()
    for text in (server.log.read_text(), database.value(failed)):
        assert "hunter2" not in text
    assert inbox.recipients == []
