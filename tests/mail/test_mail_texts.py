"""What mails say, and that nobody writes into them what is not theirs to write."""

import re
import time
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailing import PUBLIC_URL, SENDER, token_in
from rowcast.keys import ACCESS, INVITATION, PASSWORD_RESET, VERIFY_EMAIL, Keys, TokenError
from rowcast.mail_texts import (
    AddressError,
    Mail,
    UnknownKindError,
    parse_address,
    parse_sender,
    plain_text,
    render,
)

KEYS = Keys(["s" * 32])
ID = "3f0b5c1e-8a51-4d52-9d8e-0d6d3a2b1c00"
HEADERS = [
    "Message-ID",
    "Date",
    "From",
    "To",
    "Subject",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
]
DATA: dict[str, dict[str, object]] = {
    "verify-email": {"tokenId": ID, "name": "Ada"},
    "already-registered": {"tokenId": ID, "name": "Ada"},
    "password-reset": {"tokenId": ID},
    "password-changed": {"name": "Ada"},
    "invitation": {
        "workspaceId": "w",
        "invitationId": ID,
        "workspace": "Apollo",
        "inviter": "Grace",
        "role": "Member",
    },
}
# what would begin a header, a line, or an encoded word that holds one
EVIL = (
    "x\r\nBcc: evil@example.org",
    "x\nBcc: evil@example.org",
    "x\rBcc: evil@example.org",
    "x\x0b\x0c\x1c\x1d\x1e\x85Bcc: evil@example.org",
    "x\u2028Bcc: evil@example.org\u2029",
    "=?utf-8?q?x=0D=0ABcc:_evil@example.org?=",
    "=?utf-8?b?eA0KQmNjOiBldmlsQGV4YW1wbGUub3Jn?=",
    "=\u200b?utf-8?q?x=0D=0ABcc:_evil@example.org?=",
    "x\r\n\r\nClick https://evil.example",
    "\u202egnp.exe \x1b[2J\x00",
)


def mail(kind: str = "verify-email", seconds: float = 3600, **more: Any) -> Mail:
    """A mail as the database gives it."""
    given: dict[str, Any] = {
        "id": ID,
        "kind": kind,
        "address": "ada@example.org",
        "data": DATA.get(kind, {}),
        "expiresAt": time.time() + seconds,
        "attempts": 1,
        "createdAt": "2026-01-02T03:04:05.678900Z",
        "sentAt": None,
        "error": None,
    }
    return Mail(**{**given, **more})  # type: ignore[typeddict-item]


def received(made: EmailMessage) -> EmailMessage:
    """A message as its reader gets it."""
    parsed = BytesParser(_class=EmailMessage, policy=default).parsebytes(made.as_bytes())
    assert isinstance(parsed, EmailMessage)
    return parsed


def text_of(**more: Any) -> str:
    return plain_text(render(mail(**more), KEYS, PUBLIC_URL, SENDER))


@pytest.mark.parametrize("kind", DATA)
def test_a_mail_has_the_headers_of_one_that_a_program_sends(kind: str) -> None:
    message = received(render(mail(kind), KEYS, PUBLIC_URL, SENDER))
    assert message.keys() == HEADERS
    assert message["Message-ID"] == f"<{ID}@rowcast.example>"
    assert message["Date"] == "Fri, 02 Jan 2026 03:04:05 +0000"
    assert (message["From"], message["To"]) == (SENDER, "ada@example.org")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert re.search("If (it wasn't you|you don't know)", plain_text(message))


def test_a_mail_that_is_made_again_is_the_same() -> None:
    again = mail("invitation")
    first, second = (render(again, KEYS, PUBLIC_URL, SENDER).as_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("kind", "fragment", "audience", "claims"),
    [
        ("verify-email", "verify", VERIFY_EMAIL, {"jti": ID}),
        ("password-reset", "reset", PASSWORD_RESET, {"jti": ID}),
        ("invitation", "invitation", INVITATION, {"jti": ID, "ws": "w"}),
    ],
)
def test_a_link_carries_in_its_fragment_what_the_server_signed_for_this_purpose_alone(
    kind: str, fragment: str, audience: str, claims: dict[str, str]
) -> None:
    text = text_of(kind=kind)
    token = token_in(text)
    assert f"\n{PUBLIC_URL}/account#{fragment}={token}\n" in text
    assert KEYS.verify(audience, token).items() >= claims.items()
    for other in {ACCESS, VERIFY_EMAIL, PASSWORD_RESET, INVITATION} - {audience}:
        with pytest.raises(TokenError):
            KEYS.verify(other, token)
    with pytest.raises(TokenError):
        Keys(["t" * 32]).verify(audience, token)


def test_a_link_expires_with_its_mail() -> None:
    with pytest.raises(TokenError):
        KEYS.verify(VERIFY_EMAIL, token_in(text_of(seconds=-1)))
    expires = time.time() + 100
    token = token_in(text_of(expiresAt=expires))
    assert KEYS.verify(VERIFY_EMAIL, token)["exp"] == int(expires)


@pytest.mark.parametrize("kind", ["already-registered", "password-changed"])
def test_what_asks_for_nothing_carries_no_token(kind: str) -> None:
    text = text_of(kind=kind)
    assert "eyJ" not in text
    assert f"{PUBLIC_URL}/account\n" in text


def test_a_registration_speaks_to_an_address_in_no_words_of_a_stranger() -> None:
    data = {"tokenId": ID, "name": "You won! https://evil.example"}
    assert "evil.example" not in text_of(data=data)


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("field", ["workspace", "inviter", "role"])
def test_a_name_writes_no_header_and_no_line(field: str, evil: str) -> None:
    data = {**DATA["invitation"], field: evil}
    message = received(render(mail("invitation", data=data), KEYS, PUBLIC_URL, SENDER))
    assert message.keys() == HEADERS
    plain = received(render(mail("invitation"), KEYS, PUBLIC_URL, SENDER))
    assert message.get_content().count("\n") == plain.get_content().count("\n")
    shown = message["Subject"] + message.get_content().replace("\r\n", "")
    assert shown.isprintable()


@given(st.text(), st.text())
def test_whatever_a_name_is_a_mail_has_its_headers_and_nothing_hidden(a: str, b: str) -> None:
    data = {**DATA["invitation"], "workspace": a, "inviter": b}
    message = received(render(mail("invitation", data=data), KEYS, PUBLIC_URL, SENDER))
    assert message.keys() == HEADERS
    assert (message["Subject"] + message.get_content().replace("\r\n", "")).isprintable()


def test_a_long_name_is_cut() -> None:
    data = {**DATA["invitation"], "workspace": "w" * 5000}
    assert len(max(re.findall("w+", text_of(kind="invitation", data=data)), key=len)) < 60


@pytest.mark.parametrize(
    "address",
    [
        *EVIL,
        *(f"{evil}@example.org" for evil in EVIL),
        *(f"ada@{evil}" for evil in EVIL),
        "=?utf-8?q?x=0D=0ABcc=3A_evil?=@example.org",
        "ada@example.org\r\nBcc: evil@example.org",
        "ada@example.org, evil@example.org",
        "ada@example.org>",
        "<ada@example.org",
        "Ada <ada@example.org>",
        '"ada evil"@example.org',
        "ada@example.org SIZE=1",
        "ada@evil@example.org",
        "ada",
        "@example.org",
        "ada@",
        "",
        "a" * 320 + "@example.org",
        "ada@" + "x" * 64 + "é.example",
        "mi\u212ae@example.org",  # lower() makes it mike@
        "ada@g\u0130thub.example",  # lower() makes it github.example
        "\u2126@example.org",  # ohm, not omega
    ],
)
def test_what_is_no_single_address_gets_no_mail(address: str) -> None:
    with pytest.raises(AddressError):
        render(mail(address=address), KEYS, PUBLIC_URL, SENDER)


@given(st.from_regex(r"[^@\s]+@[^@\s]+", fullmatch=True))
def test_whatever_an_address_is_it_is_one_recipient_or_none(address: str) -> None:
    try:
        message = received(render(mail(address=address), KEYS, PUBLIC_URL, SENDER))
    except AddressError:
        return
    assert message.keys() == HEADERS
    assert len(message["To"].addresses) == 1


def test_a_domain_of_any_script_is_written_in_ascii() -> None:
    assert parse_address("ada@bücher.example").addr_spec == "ada@xn--bcher-kva.example"


def test_who_a_mail_is_from_may_have_a_name() -> None:
    assert str(parse_sender("Work, Inc. <a@example.org>")) == '"Work, Inc." <a@example.org>'
    assert str(parse_sender('"Work, Inc." <a@example.org>')) == '"Work, Inc." <a@example.org>'
    assert str(parse_sender(" a@[127.0.0.1] ")) == "a@[127.0.0.1]"
    for wrong in ("Rowcast", "", "a@example.org\r\nBcc: b@example.org", "<a@x> <b@x>", *EVIL):
        with pytest.raises(AddressError):
            parse_sender(wrong)


def test_a_kind_of_a_newer_version_is_told_from_one_whose_data_lack() -> None:
    with pytest.raises(UnknownKindError):
        render(mail("birthday"), KEYS, PUBLIC_URL, SENDER)
    with pytest.raises(KeyError):
        render(mail("password-reset", data={}), KEYS, PUBLIC_URL, SENDER)
