"""Delivers the outbox: what `core.mail` holds, with a text, to an SMTP server or to the log.

Every process has a Mailer. A notification says that there is a mail, a timer that one is to be
tried again; which process gets it is settled by `trusted.mail_take`, which leaves a mail to its
taker for five minutes. If nothing is heard of it for so long it is delivered again: at least once,
with the same Message-ID.
"""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from rowcast import logs
from rowcast.calls import Caller
from rowcast.config import Settings
from rowcast.keys import Keys
from rowcast.mail_texts import (
    AddressError,
    Mail,
    UnknownKindError,
    one_line,
    plain_text,
    render,
)
from rowcast.problems import Problem
from rowcast.smtp import DeliveryError, SmtpServer, deliver, parse_smtp_url

_AT_ONCE = 8  # mails that a process has under way
_LEASE_SECONDS = 240.0  # for which a mail that was taken is surely this process's
_PAUSE_MIN, _PAUSE_MAX = 0.5, 60.0  # seconds without a notification
_BACKOFF_MIN, _BACKOFF_MAX = 0.25, 15.0  # seconds, while the database is away
_AWAY = (503, 504)  # of problems: not applied, or perhaps; settling twice does no harm

log = logs.get("rowcast.mail")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where links lead, whom mails are from, and where they go; without a server, to the log."""

    public_url: str
    sender: str
    server: SmtpServer | None = None


def mail_settings(settings: Settings) -> MailSettings:
    """What the settings say about mail."""
    url = (settings.public_url or _own_url(settings.host, settings.port)).rstrip("/")
    given = settings.smtp_url
    return MailSettings(
        url,
        settings.mail_from or f"Rowcast <rowcast@{_mail_domain(url)}>",
        None if given is None else parse_smtp_url(given.get_secret_value()),
    )


def _own_url(host: str, port: int) -> str:
    host = "localhost" if host in ("0.0.0.0", "::", "") else host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _mail_domain(url: str) -> str:
    """The host of a URL, as it stands in a mail address (RFC 5321, 4.1.3: literals in brackets)."""
    host = urlsplit(url).hostname or "localhost"
    try:
        return f"[IPv6:{host}]" if ip_address(host).version == 6 else f"[{host}]"
    except ValueError:
        return host


class Mailer:
    """Delivers mails, one process's share. `run` until cancelled or closed."""

    def __init__(self, caller: Caller, keys: Keys, settings: MailSettings) -> None:
        self._caller = caller
        self._keys = keys
        self._settings = settings
        self._woken = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be a mail: looks at once."""
        self._woken.set()

    async def run(self) -> None:
        """Works until cancelled or closed; a database that is away is waited for."""
        self._task = asyncio.current_task()
        backoff, rest = _BACKOFF_MIN, _PAUSE_MIN
        while not self._closing:
            self._woken.clear()
            try:
                due = await self.deliver_due()
                # due, but not for us: another process is taking it, and need not be watched
                rest = _PAUSE_MIN if due > 0 else min(rest * 2, _PAUSE_MAX)
                pause, backoff = max(due, rest), _BACKOFF_MIN
            except Problem as problem:
                log.warning("mails wait", code=problem.code)
                pause, backoff = backoff, min(backoff * 2, _BACKOFF_MAX)
            if not self._closing:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._woken.wait()

    async def deliver_due(self) -> float:
        """Delivers all that it gets. Answers in how many seconds more falls due. Raises Problem."""
        while not self._closing:
            taken = await self._caller.ask("trusted.mail_take", limit=_AT_ONCE)
            mails: list[Mail] = taken["mails"]
            if not mails:
                due = taken["next"]
                return _PAUSE_MAX if due is None else min(float(due), _PAUSE_MAX)
            async with asyncio.TaskGroup() as group:
                for mail in mails:
                    group.create_task(self._deliver(mail))
        return _PAUSE_MAX

    async def close(self, seconds: float) -> None:
        """Takes no more mails, and gives those under way so long. What is left is taken later."""
        self._closing = True
        self._woken.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)
            self._task.cancel()

    async def _deliver(self, mail: Mail) -> None:
        """One mail, and word of what became of it."""
        about = {"id": mail["id"], "kind": mail["kind"], "attempt": mail["attempts"]}
        try:
            await self._send(mail)
        except DeliveryError as error:
            # what a server answers may quote the mail: only its code is logged
            said = {"reason": error.reason} if error.code is None else {"code": error.code}
            log.warning("mail not delivered", **about, **said, final=error.final)
            await self._settle(mail, error)
        else:
            if self._settings.server is not None:
                log.info("mail delivered", **about)
            await self._settle(mail, None)

    async def _send(self, mail: Mail) -> None:
        """Raises DeliveryError."""
        settings = self._settings
        try:
            message = render(mail, self._keys, settings.public_url, settings.sender)
        except UnknownKindError as error:
            raise DeliveryError("this version knows no mail of this kind") from error
        except AddressError as error:
            raise DeliveryError(str(error), final=True) from error
        except (KeyError, TypeError, ValueError) as error:
            reason = f"its text can't be made ({type(error).__name__})"
            raise DeliveryError(reason, final=True) from error
        if settings.server is None:
            text = plain_text(message)
            log.info("mail", to=mail["address"], subject=message["Subject"], text=text)
        else:
            await deliver(settings.server, message)

    async def _settle(self, mail: Mail, error: DeliveryError | None) -> None:
        """Notes what became of a mail.

        That it was delivered is told until the database hears it; that it was not, as long as the
        mail is surely ours: then it is taken again anyway.
        """
        deadline = asyncio.get_running_loop().time() + _LEASE_SECONDS
        backoff = _BACKOFF_MIN
        while True:
            try:
                await self._caller.ask(
                    "trusted.mail_settle",
                    id=mail["id"],
                    error=None if error is None else error.reason,
                    final=error is not None and error.final,
                )
                return
            except Problem as problem:
                late = error is not None and asyncio.get_running_loop().time() > deadline
                if problem.status not in _AWAY or late or self._closing:
                    log.error("mail not settled", id=mail["id"], code=problem.code)
                    return
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, _BACKOFF_MAX)


MAILER = web.AppKey("mailer", Mailer)


def listing(mails: Iterable[Mail], keys: Keys, settings: MailSettings) -> str:
    """Mails as text for the operator, each with what became of it."""
    return "\n".join(_entry(mail, keys, settings) for mail in mails)


def _entry(mail: Mail, keys: Keys, settings: MailSettings) -> str:
    if mail["sentAt"] is not None:
        state = f"sent {mail['sentAt']}"
    else:
        error = one_line(mail["error"], length=500)
        state = f"not sent, {mail['attempts']} attempts" + (f": {error}" if error else "")
    address = one_line(mail["address"], length=320)
    head = f"{mail['createdAt']}  {one_line(mail['kind'])}  {address}  ({state})"
    try:
        message = render(mail, keys, settings.public_url, settings.sender)
    except (KeyError, TypeError, ValueError) as error:
        return f"{head}\n  its text can't be made: {one_line(error, type(error).__name__)}\n"
    lines = [f"Subject: {message['Subject']}", "", *plain_text(message).splitlines()]
    return "\n".join([head, *(f"  {line}".rstrip() for line in lines)]) + "\n"
