"""What mails say: from a row of the outbox to a message (RFC 5322), plain text.

What people typed (names, addresses) gets one line, a bounded length and no control characters, so
that nobody writes headers, paragraphs or hidden text into somebody else's mail. The link carries
its token in the fragment, which no browser sends: it reaches no server's log and no Referer.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TypedDict

from rowcast.keys import INVITATION, PASSWORD_RESET, VERIFY_EMAIL, Keys

_NAME_LENGTH = 60  # of a name in a mail: room for any real one, little for an advertisement
_ADDRESS = re.compile(r'([^\s<>(),;:"\\\[\]@]+)@([\w.-]+|\[[0-9A-Za-z.:]+\])')
_ENCODED = "=?"  # begins an encoded word (RFC 2047): decoded in a header, line ends and all
_SENDER = re.compile(r"\s*(?:(?P<name>[^<>]*?)\s*<(?P<inner>[^<>]*)>|(?P<bare>[^<>]*?))\s*")


class Mail(TypedDict):
    """A mail, as `logic.mail_shape` gives it. expiresAt is in seconds since the epoch."""

    id: str
    kind: str
    address: str
    data: dict[str, object]
    expiresAt: float
    attempts: int
    createdAt: str
    sentAt: str | None
    error: str | None


class AddressError(ValueError):
    """An address that no mail can go to, or come from."""


class UnknownKindError(ValueError):
    """A mail of a kind that this version does not know: a newer one may."""


@dataclass(frozen=True, slots=True)
class _Text:
    """Subject, what it is about, and what to do if it wasn't you; the link goes between."""

    subject: str
    opening: str
    closing: str
    token: str | None = None
    fragment: str = ""


def render(mail: Mail, keys: Keys, public_url: str, sender: str | Address) -> EmailMessage:
    """The message of a mail, the same whenever it is made.

    Raises AddressError, UnknownKindError; KeyError, TypeError or ValueError where its data lack
    what its kind needs.
    """
    writer = _WRITERS.get(mail["kind"])
    if writer is None:
        raise UnknownKindError(mail["kind"])
    own = parse_sender(sender) if isinstance(sender, str) else sender
    address = public_url.rstrip("/") + "/account"
    text = writer(mail["data"], keys, mail["expiresAt"], address)
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = f"<{mail['id']}@{own.domain}>"
    message["Date"] = datetime.fromisoformat(mail["createdAt"])
    message["From"] = own
    message["To"] = parse_address(mail["address"])
    message["Subject"] = text.subject
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    if any(character in str(value) for value in message.values() for character in "\r\n"):
        raise ValueError("a line end in a header")  # one_line and parse_address let none through
    message.set_content(_body(text, address, mail["expiresAt"]))
    return message


def plain_text(message: EmailMessage) -> str:
    """The text of a message that `render` made."""
    return str(message.get_content()).replace("\r\n", "\n")


def parse_address(text: str, name: str = "") -> Address:
    """An address, its domain in ASCII (IDNA). Raises AddressError."""
    match = _ADDRESS.fullmatch(text)
    if (
        match is None
        or _passes_for_another(text)
        or not text.isprintable()
        or _ENCODED in text + name
        or len(text) > 320
    ):
        raise AddressError("no mail can go to this address")
    local, domain = match.groups()
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode()
        return Address(name, local, domain)
    except ValueError as error:
        raise AddressError("no mail can go to this address") from error


def parse_sender(text: str) -> Address:
    """The sender of mails, from `Name <address>` or an address. Raises AddressError."""
    match = _SENDER.fullmatch(text)
    if match is None or not text.isprintable():
        raise AddressError("not of the form: Name <name@example.org>")
    name = (match["name"] or "").strip('"')
    return parse_address(match["inner"] or match["bare"] or "", name)


def _passes_for_another(text: str) -> bool:
    """Whether an address equals another one only in the eyes of `lower` (K, the Kelvin sign).

    The database compares addresses so; a mail about somebody's account must not go to such a twin.
    """
    folds = any(not c.isascii() and c.lower()[0].isascii() for c in text)
    return folds or not unicodedata.is_normalized("NFKC", text)


def _body(text: _Text, address: str, expires: float) -> str:
    parts = ["Hello,", text.opening]
    if text.token is not None:
        until = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%d %H:%M UTC")
        parts += [
            f"{address}#{text.fragment}={text.token}",
            f"The link is good once, until {until}. If you use the API, this is its token:",
            text.token,
        ]
    return "\n\n".join([*parts, text.closing]) + "\n"


def one_line(value: object, default: str = "", length: int = _NAME_LENGTH) -> str:
    """What somebody typed, as one short line of visible characters."""
    shown = "".join(
        character if unicodedata.category(character)[0] not in "CZ" else " "
        for character in str(value or "")
    )
    broken = shown.replace(_ENCODED, "= ?").replace("://", ": //")  # no link but ours
    line = " ".join(broken.split()) or default
    return line if len(line) <= length else line[: length - 1] + "…"


def _verify_email(data: Mapping[str, object], keys: Keys, expires: float, address: str) -> _Text:
    # not by name: nobody has shown yet that whoever gave it may speak to this address
    return _Text(
        "Confirm your e-mail address",
        "Somebody, we hope you, wants to open a Rowcast account with this address. To confirm,"
        " open this link:",
        "If it wasn't you, there is nothing to do: without the link no account is made.",
        keys.sign(VERIFY_EMAIL, {"jti": data["tokenId"]}, expires),
        "verify",
    )


def _already_registered(
    data: Mapping[str, object], keys: Keys, expires: float, address: str
) -> _Text:
    return _Text(
        "You have a Rowcast account already",
        "Somebody, perhaps you, wanted to open a Rowcast account with this address. There is one"
        f" already. You can sign in, or choose a new password, here:\n\n{address}",
        "If it wasn't you, there is nothing to do: your account is as it was.",
    )


def _password_reset(data: Mapping[str, object], keys: Keys, expires: float, address: str) -> _Text:
    return _Text(
        "Choose a new password",
        "Somebody, we hope you, asked for a new password for your Rowcast account. To choose one,"
        " open this link:",
        "If it wasn't you, there is nothing to do: your password stays as it is. Give the link to"
        " nobody.",
        keys.sign(PASSWORD_RESET, {"jti": data["tokenId"]}, expires),
        "reset",
    )


def _password_changed(
    data: Mapping[str, object], keys: Keys, expires: float, address: str
) -> _Text:
    return _Text(
        "Your password was changed",
        "The password of your Rowcast account was changed, and its other sign-ins and access"
        " tokens have ended.",
        "If it wasn't you, choose a new password at once, with a mail to this address, here:"
        f"\n\n{address}",
    )


def _invitation(data: Mapping[str, object], keys: Keys, expires: float, address: str) -> _Text:
    inviter = one_line(data.get("inviter"), "Somebody")
    workspace = one_line(data.get("workspace"), "a workspace")
    role = one_line(data.get("role"), "Member")
    return _Text(
        f"{inviter} invites you to {workspace}",
        f"{inviter} invites you to work in “{workspace}” on Rowcast, in the role “{role}”. To"
        " accept, open this link:",
        "If you don't know who this is, there is nothing to do: without you nothing happens.",
        keys.sign(INVITATION, {"jti": data["invitationId"], "ws": data["workspaceId"]}, expires),
        "invitation",
    )


_WRITERS: dict[str, Callable[[Mapping[str, object], Keys, float, str], _Text]] = {
    "verify-email": _verify_email,
    "already-registered": _already_registered,
    "password-reset": _password_reset,
    "password-changed": _password_changed,
    "invitation": _invitation,
}
