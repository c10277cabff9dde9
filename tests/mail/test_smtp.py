"""How a message is handed to an SMTP server: addresses of servers, TLS, passwords, time limits."""

import ssl
import subprocess
import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailing import Inbox
from rowcast.smtp import DeliveryError, SmtpServer, deliver, parse_smtp_url


@pytest.fixture
def message() -> EmailMessage:
    """A message to Ada."""
    made = EmailMessage()
    made["From"] = "rowcast@rowcast.example"
    made["To"] = "ada@example.org"
    made.set_content("Hello")
    return made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that only itself vouches for, and its key, in one file."""
    directory = tmp_path_factory.mktemp("certificate")
    made = directory / "inbox.pem"
    options = "-x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=inbox.example"
    subprocess.run(
        [
            *("openssl", "req", *options.split()),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(directory / "key"), "-out", str(directory / "cert")),
        ],
        check=True,
        capture_output=True,
    )
    made.write_text((directory / "key").read_text() + (directory / "cert").read_text())
    return made


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate)
    return made


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("mail.example", 587)),
        ("smtp://mail.example:25?starttls=never", SmtpServer("mail.example", 25, start_tls=False)),
        ("smtp://[::1]:25/?starttls=always", SmtpServer("::1", 25, start_tls=True)),
        (
            "smtp://a%40b:p%2Fq@mail.example",
            SmtpServer("mail.example", 587, "a@b", "p/q", start_tls=True),
        ),
        (
            "smtp://a:p@mail.example?starttls=auto",
            SmtpServer("mail.example", 587, "a", "p", start_tls=None),
        ),
        ("smtps://a:p@mail.example", SmtpServer("mail.example", 465, "a", "p", tls=True)),
    ],
)
def test_a_url_says_where_mails_go_and_how(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server
    assert "p/q" not in repr(parse_smtp_url(url))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://:25",
        "smtp://mail.example:hunter2",
        "smtp://mail.example:99999",
        "smtp://mail.example:0",
        "smtp://a:hunter2",
        "smtp://a:hunter2#x@mail.example",
        "smtp://a:hunter2/x@mail.example",
        "smtp://a@mail.example",
        "smtp://mail.example/inbox",
        "smtp://mail.example?starttls=perhaps",
        "smtp://mail.example?tls=1",
        "smtps://mail.example?starttls=never",
        "smtp://mail.example\r\n:25",
        "smtp://[::1",
    ],
)
def test_a_url_that_names_no_server_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ValueError, match=r"smtp://user:password@host:587") as caught:
        parse_smtp_url(url)
    assert "hunter2" not in str(caught.value)


async def test_who_signs_in_does_so_with_the_password_of_the_url(
    closed_inbox: Inbox, message: EmailMessage
) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss/word", handled=False)

    await closed_inbox.start(authenticator=authenticate, auth_require_tls=False)
    url = f"smtp://ada%40x:%s@127.0.0.1:{closed_inbox.port}?starttls=never"
    await deliver(parse_smtp_url(url.replace("%s", "p%40ss%2Fword")), message)
    assert seen == [(b"ada@x", b"p@ss/word")]
    assert len(closed_inbox.messages) == 1
    with pytest.raises(DeliveryError) as caught:
        await deliver(parse_smtp_url(url.replace("%s", "hunter2")), message)
    assert (caught.value.code, caught.value.final) == (535, False)  # the operator can mend it
    assert "hunter2" not in caught.value.reason


async def test_a_password_does_not_travel_where_tls_is_not_offered(
    closed_inbox: Inbox, message: EmailMessage
) -> None:
    def authenticate(*_: object) -> AuthResult:
        raise AssertionError("a password came without TLS")

    await closed_inbox.start(authenticator=authenticate, auth_require_tls=False)
    url = closed_inbox.url.replace("//", "//ada:hunter2@")
    with pytest.raises(DeliveryError) as caught:
        await deliver(parse_smtp_url(url), message)
    assert not caught.value.final
    assert closed_inbox.messages == []


async def test_starttls_is_used_where_it_is_offered_and_its_certificate_checked(
    closed_inbox: Inbox,
    message: EmailMessage,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await closed_inbox.start(tls_context=context(certificate), require_starttls=True)
    with pytest.raises(DeliveryError) as caught:
        await deliver(closed_inbox.server, message)
    assert "certificate" in caught.value.reason
    assert not caught.value.final
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    await deliver(closed_inbox.server, message)
    assert len(closed_inbox.messages) == 1


async def test_a_server_that_says_nothing_is_given_up(inbox: Inbox, message: EmailMessage) -> None:
    inbox.open.clear()
    began = time.monotonic()
    with pytest.raises(DeliveryError) as caught:
        await deliver(inbox.server, message, seconds=0.2)
    assert not caught.value.final
    assert time.monotonic() - began < 10


async def test_what_a_server_took_is_delivered_whatever_it_says_then(
    inbox: Inbox, message: EmailMessage
) -> None:
    async def rude(*_: object) -> str:
        return "421 go away"

    inbox.handle_QUIT = rude  # type: ignore[attr-defined]
    await deliver(inbox.server, message)
    assert len(inbox.messages) == 1


async def test_a_local_part_that_the_server_can_not_take_is_final(
    closed_inbox: Inbox, message: EmailMessage
) -> None:
    await closed_inbox.start(enable_SMTPUTF8=False)
    message.replace_header("To", "jörg@example.org")
    with pytest.raises(DeliveryError) as caught:
        await deliver(closed_inbox.server, message)
    assert caught.value.final
    await closed_inbox.stop()
    await closed_inbox.start(enable_SMTPUTF8=True)
    await deliver(closed_inbox.server, message)
    assert closed_inbox.recipients == ["jörg@example.org"]
