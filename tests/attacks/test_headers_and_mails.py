"""Line ends and control characters, in our own headers and in those of mails; where links lead."""

import re
import uuid
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiohttp
import pytest

from attacks.sending import Sender
from attacks.stage import PASSWORD, Builder, Stage
from mailing import PUBLIC_URL, SENDER, Inbox
from rowcast.mail import MailSettings
from support import Database, deployed, eventually, free_port, serving

LINES = (
    "x\r\nBcc: evil@example.org",
    "x\nBcc: evil@example.org\n\nbuy this",
    "x\rBcc: evil@example.org",
    "x\r\n\r\n<h1>buy this</h1>",
    "x\r\n.\r\nMAIL FROM:<evil@example.org>",
    "=?utf-8?q?x=0D=0ABcc=3A_evil=40example.org?=",
    "=?utf-8?b?eA0KQmNjOiBldmlsQGV4YW1wbGUub3Jn?=",
    "x\u2028Bcc: evil@example.org",
    "x\u0085Bcc: evil@example.org",
    "x\x0b\x0cBcc: evil@example.org",
    "x\u202emoc.live",
    "x\x00y",
    '"x" <evil@example.org>',
    "https://evil.example/" + "x" * 150,
)
HEADERS = {
    "message-id", "date", "from", "to", "subject", "auto-submitted", "content-type",
    "content-transfer-encoding", "mime-version",
}  # fmt: skip


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """An SMTP server."""
    made = Inbox(free_port())
    made.open.set()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def mailing(
    database: Database, session: aiohttp.ClientSession, inbox: Inbox
) -> AsyncIterator[Sender]:
    """A way to a server that delivers to the inbox."""
    mail = MailSettings(PUBLIC_URL, SENDER, inbox.server)
    async with serving(deployed(database, mail=mail)) as url:
        yield Sender(session, url)


def assert_plain(message: EmailMessage, recipient: str) -> None:
    """A mail of ours: our headers, once each, one recipient, links to us only."""
    names = [name.lower() for name in message if not name.lower().startswith("x-")]
    assert set(names) <= HEADERS, names
    assert len(names) == len(set(names))
    assert [str(address.addr_spec) for address in message["To"].addresses] == [recipient]
    assert message["From"].addresses[0].addr_spec == "rowcast@rowcast.example"
    assert message["Bcc"] is None
    assert message["Cc"] is None
    assert message.get_content_type() == "text/plain"
    text = message.get_content()
    for link in re.findall(r"\S+://\S+", text):
        assert link.startswith(PUBLIC_URL + "/account#"), link
    # what somebody typed begins no line, and brings no control character
    assert not re.search(r"^(Bcc|MAIL FROM|buy this|<h1>|\.$)", text, re.MULTILINE)
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2028\x85]", text)


async def test_names_write_no_headers_and_no_lines_into_mails(
    mailing: Sender, builder: Builder, stage: Stage, inbox: Inbox
) -> None:
    """Names of the workspace, of the inviter and of the role, as far as the API takes them."""
    login = {"Authorization": f"Bearer {stage.access}"}
    base = f"/api/v1/workspaces/{stage.workspace}"
    await eventually(lambda: len(inbox.messages) == 1, 20, "the stage's own invitation")
    for n, text in enumerate(LINES):
        if "\0" in text:
            continue
        await mailing.send("PATCH", base, {"name": text}, **login)
        role = {"key": "guest", "label": text}
        rest = [{"key": "editor", "label": "Editor"}]
        await mailing.send("PUT", f"{base}/roles", {"roles": [role, *rest]}, **login)
        reply = await mailing.send("PATCH", "/api/v1/me", {"name": text[:200]}, **login)
        assert reply.status in (200, 422)
        # what the API refuses, somebody in psql may have written
        builder.connection.execute(
            "update core.workspace set name = %s where workspace_id = %s", (text, stage.workspace)
        )
        builder.connection.execute(
            "update core.account set name = %s where id = %s", (text, stage.account)
        )
        builder.connection.execute(
            "update core.role set label = %s where workspace_id = %s and key = 'guest'",
            (text, stage.workspace),
        )
        guest = f"guest-{n}@example.org"
        reply = await mailing.send(
            "POST", f"{base}/invitations", {"email": guest, "role": "guest"}, **login
        )
        if reply.status == 422:  # a workspace without such a role
            reply = await mailing.send(
                "POST", f"{base}/invitations", {"email": guest, "role": "editor"}, **login
            )
        assert reply.status == 201, reply.text
        await eventually(lambda n=n: len(inbox.messages) == n + 2 - skipped(n), 20, "the mail")  # type: ignore[misc]
        assert_plain(inbox.messages[-1], guest)


def skipped(n: int) -> int:
    """How many of the first LINES hold what no name can."""
    return sum("\0" in text for text in LINES[: n + 1])


ADDRESSES = [
    *(f"{text}@example.org" for text in LINES),
    *(f"x@{text}" for text in LINES),
    "x@example.org,evil@example.org",
    "x@example.org;evil@example.org",
    "x@example.org evil@example.org",
    "x@example.org\r\nRCPT TO:<evil@example.org>",
    "<x@example.org>",
    "X <x@example.org>",
    "x@example.org> <evil@example.org",
    "x@evil@example.org",
    '"x\r\n"@example.org',
    "x(comment)@example.org",
    "@relay.example:x@example.org",
    "x%evil.example@example.org",
    "-oQ/tmp@example.org",
]


async def test_an_address_is_one_address_and_goes_to_itself_alone(
    mailing: Sender, builder: Builder, stage: Stage, inbox: Inbox
) -> None:
    """What the API takes as an address is mailed as it is, or not at all."""
    login = {"Authorization": f"Bearer {stage.access}"}
    taken: list[str] = []
    for address in ADDRESSES:
        for path, body, headers in (
            ("/api/v1/auth/register", {"password": PASSWORD, "name": "X"}, {}),
            ("/api/v1/auth/password-reset", {}, {}),
            (f"/api/v1/workspaces/{stage.workspace}/invitations", {"role": "viewer"}, login),
        ):
            builder.forget_attempts()
            reply = await mailing.send("POST", path, {**body, "email": address}, **headers)
            assert reply.status in (201, 202, 422), reply.text
            assert "\r" not in address or reply.status == 422
            assert "\n" not in address or reply.status == 422
            if reply.status < 300:
                taken.append(address)
    assert taken, "some odd ones are addresses"
    open_mails = "select count(*) from core.mail where sent_at is null and failed_at is null"
    await eventually(lambda: builder.value(open_mails) == 0, 20, "the outbox to be empty")
    assert "evil@example.org" not in inbox.recipients
    for recipient in inbox.recipients:
        assert recipient in {*taken, *(a.strip() for a in taken)} or recipient.startswith("guest-")
    for message in inbox.messages:
        assert_plain(message, message["To"].addresses[0].addr_spec)
        assert len(message["To"].addresses) == 1


async def test_links_lead_to_the_public_url_whatever_the_request_said(
    mailing: Sender, builder: Builder, stage: Stage, inbox: Inbox
) -> None:
    """A poisoned Host, as in password resets of other servers, goes nowhere."""
    evil = {
        "Host": "evil.example",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Proto": "ftp",
        "Forwarded": "host=evil.example;proto=http",
        "X_Original_URL": "http://evil.example/",
        "Origin": "http://evil.example",
        "Referer": "http://evil.example/",
    }
    await eventually(lambda: len(inbox.messages) == 1, 20, "the stage's own invitation")
    email = f"new-{uuid.uuid4().hex[:8]}@example.org"
    body = {"email": email, "password": PASSWORD, "name": "X"}
    reply = await mailing.send("POST", "/api/v1/auth/register", body, **evil)
    assert reply.status == 202
    reply = await mailing.send(
        "POST", "/api/v1/auth/password-reset", {"email": stage.email}, **evil
    )
    assert reply.status == 202
    reply = await mailing.send(
        "POST", f"/api/v1/workspaces/{stage.workspace}/invitations",
        {"email": "guest-x@example.org", "role": "viewer"},
        Authorization=f"Bearer {stage.access}", **evil,
    )  # fmt: skip
    assert reply.status == 201
    await eventually(lambda: len(inbox.messages) == 4, 20, "the mails")
    for message in inbox.messages:
        assert "evil" not in message.as_string()
        assert f"\n{PUBLIC_URL}/account#" in message.get_content()


# Our own headers


async def test_nothing_that_is_sent_ends_a_line_of_an_answer(sender: Sender, stage: Stage) -> None:
    """Response splitting: by what comes back in X-Request-ID, ETag, Allow, Vary or Retry-After."""
    evil = [b"x\r\nX-Evil: 1", b"x\nX-Evil: 1", b"x\rX-Evil: 1", b"x%0d%0aX-Evil: 1",
            "x\u010d\u010aX-Evil: 1".encode(), b"x\0X-Evil: 1", b"x\x85X-Evil: 1"]  # fmt: skip
    names = [b"X-Request-ID", b"Origin", b"If-None-Match", b"If-Match", b"Idempotency-Key",
             b"Accept-Encoding", b"Access-Control-Request-Method", b"Cookie", b"Range"]  # fmt: skip
    base = f"/api/v1/workspaces/{stage.workspace}/records/{stage.record}".encode()
    for text in evil:
        for name in names:
            for method in (b"GET", b"OPTIONS", b"PUT"):
                raw = b"\r\n".join(
                    [
                        method + b" " + base + b" HTTP/1.1",
                        b"Host: localhost",
                        b"Connection: close",
                        b"Authorization: Bearer " + stage.access.encode(),
                        name + b": " + text,
                        b"",
                        b"",
                    ]
                )
                answer = await sender.raw(raw)
                assert answer.startswith(b"HTTP/1.")
                head = answer.split(b"\r\n\r\n")[0]
                assert not re.search(rb"[\r\n]X-Evil", head), (name, text, head)
                given_back = re.search(rb"\r\nX-Request-ID: ([^\r]*)", head)
                assert given_back is None or re.fullmatch(rb"[ -~]{1,100}", given_back[1])
        for path in (base + b"/" + text, b"/" + text, base + b"?x=" + text):
            answer = await sender.raw(
                b"GET " + path.replace(b" ", b"%20") + b" HTTP/1.1\r\nHost: x\r\n"
                b"Connection: close\r\n\r\n"
            )
            assert not re.search(rb"[\r\n]X-Evil", answer.split(b"\r\n\r\n")[0]), (path, answer)


async def test_a_request_within_a_request_is_no_request(sender: Sender, stage: Stage) -> None:
    """Smuggling: where a body ends is said once, or the request is refused."""
    inner = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    login = b"Authorization: Bearer " + stage.access.encode()
    for lines in (
        [b"Content-Length: 2", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 2"],
        [b"Content-Length: 2", b"Content-Length: %d" % (len(inner) + 2)],
        [b"Content-Length: 2, 2"],
        [b"Content-Length: +2"],
        [b"Content-Length: 0x2"],
        [b"Transfer-Encoding: chunked, identity"],
        [b"Transfer-Encoding: xchunked"],
        [b"Transfer-Encoding : chunked"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"],
        [b" Content-Length: 2"],
    ):
        head = [b"PATCH /api/v1/me HTTP/1.1", b"Host: x", login,
                b"Content-Type: application/json", *lines, b"", b""]  # fmt: skip
        answer = await sender.raw(b"\r\n".join(head) + b"{}" + inner)
        assert answer.split(b" ")[1] == b"400", (lines, answer[:200])
        assert answer.count(b"HTTP/1.") == 1, lines
