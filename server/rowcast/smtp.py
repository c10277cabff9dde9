"""Hands one message to an SMTP server (RFC 5321), and says what an error means for it."""

import asyncio
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import parse_qsl, unquote, urlsplit

import aiosmtplib

SECONDS = 60.0  # for a whole mail, far less than the five minutes for which it is this process's
_STEP_SECONDS = 20.0
_QUIT_SECONDS = 2.0
_TOKEN = re.compile(r"eyJ[\w.=-]*")  # a JWT, or the beginning of one
_ACCESS_CODES = (530, 534, 535, 538)  # RFC 4954: about the server's sign-in, not the mail

_START_TLS = {"always": True, "auto": None, "never": False}


class SmtpUrlError(ValueError):
    """A URL that names no SMTP server; the message does not quote it."""


class DeliveryError(Exception):
    """A mail was not delivered. `final`: no other attempt can help.

    code: of the SMTP answer, if there was one. reason: for the operator, without a token.
    """

    def __init__(self, reason: str, code: int | None = None, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.final = final


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails go. tls: TLS from the first byte (smtps).

    start_tls: whether to change to TLS; None: where the server offers it.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    start_tls: bool | None = None


def parse_smtp_url(url: str) -> SmtpServer:
    """The server of `smtp://[user:password@]host[:587][?starttls=always|auto|never]` or `smtps://`.

    Without `starttls` it is `always` where there is a password, which would else be open to whoever
    hides the server's offer of TLS, and `auto` where there is none. Raises SmtpUrlError.
    """
    form = SmtpUrlError(
        "not of the form smtp://user:password@host:587?starttls=always (or auto, never) or"
        " smtps://user:password@host:465; write special characters of the password as %XX"
    )
    try:
        parts = urlsplit(url)
        port = parts.port
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise form from None  # its text may quote the password
    tls = parts.scheme == "smtps"
    mode = query.pop("starttls", "auto" if parts.password is None else "always")
    if (
        parts.scheme not in ("smtp", "smtps")
        or not parts.hostname
        or not url.isprintable()
        or " " in url
        or parts.path not in ("", "/")
        or parts.fragment
        or port == 0
        or query
        or (tls and "starttls" in parts.query)
        or mode not in _START_TLS
        or (parts.username is None) != (parts.password is None)
    ):
        raise form
    return SmtpServer(
        parts.hostname,
        port or (465 if tls else 587),
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
        tls,
        None if tls else _START_TLS[mode],
    )


async def deliver(server: SmtpServer, message: EmailMessage, seconds: float = SECONDS) -> None:
    """Hands a message over, within `seconds`. Raises DeliveryError.

    Once the server has taken it, it is delivered, however the connection ends.
    """
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.tls,
        start_tls=server.start_tls,
        local_hostname=socket.gethostname(),  # asks no name server, unlike the default
        timeout=_STEP_SECONDS,
    )
    try:
        async with asyncio.timeout(seconds):
            await client.connect()
            await client.send_message(message)
        with suppress(aiosmtplib.SMTPException, OSError):
            await client.quit(timeout=_QUIT_SECONDS)
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise _refused(error.recipients[0], final=True) from error
    except aiosmtplib.SMTPDataError as error:
        raise _refused(error, final=True) from error
    except aiosmtplib.SMTPResponseException as error:
        raise _refused(error, final=False) from error
    except aiosmtplib.SMTPNotSupported as error:
        raise DeliveryError(error.message, final="SMTPUTF8" in error.message) from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise DeliveryError(f"{type(error).__name__}: {redacted(str(error))}") from error
    finally:
        client.close()


def redacted(text: str) -> str:
    """A text of a mail server, in one line and without any token that it may quote."""
    return _TOKEN.sub("…", " ".join(text.split()))


def _refused(error: aiosmtplib.SMTPResponseException, *, final: bool) -> DeliveryError:
    """What an answer means: 4xx is for now (RFC 5321, 4.2.1), 5xx for good where `final`."""
    permanent = final and error.code >= 500 and error.code not in _ACCESS_CODES
    return DeliveryError(f"{error.code} {redacted(error.message)}", error.code, final=permanent)
