"""What processes tell one another of who is present: payloads of notifications, and back.

A payload is at most what PostgreSQL takes: a JSON array with things said, each an array, encrypted.
Any role that may connect to the database may listen and notify, whatever it may read. So payloads
are AES-GCM (NIST SP 800-38D) under a key made of the server's secret: nobody else reads or makes
one. What was not encrypted so, or is said in a way that this version does not know, is left out.
"""

import binascii
import hashlib
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field, TypeAdapter, ValidationError

from rowcast import logs
from rowcast.presence_registry import Key, Person

MAX_PAYLOAD = 7900  # bytes; PostgreSQL takes less than 8000
_NONCE, _TAG = 12, 16  # bytes; at random a nonce serves for 2^32 payloads, years of them
_MAX_SAID = MAX_PAYLOAD // 4 * 3 - _NONCE - _TAG - 100  # bytes of what is said, beside its envelope

log = logs.get("rowcast.presence")


@dataclass(frozen=True, slots=True)
class Here:
    """Somebody is here, at a process, and so since `at`."""

    key: Key
    person: Person
    at: int


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody is gone. left: when, from wherever he was; None: from that process."""

    key: Key
    left: int | None


@dataclass(frozen=True, slots=True)
class Hello:
    """A process is to tell all that it has; EVERYBODY is."""

    process: str


@dataclass(frozen=True, slots=True)
class All:
    """A digest of all that a process has, behind what it had to say.

    since: the number of the payload from which on it has told all of it; None: it has not.
    """

    digest: int
    since: int | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A write of an account was refused with these conflicts, as (record, key); no key: the whole.

    client: the one that wrote, where it said so.
    """

    workspace: str
    account: str
    client: str | None
    transaction: str
    conflicts: tuple[tuple[str, str | None], ...]


Said = Here | Gone | Hello | All | Conflict


@dataclass(frozen=True, slots=True)
class Payload:
    """What a process said; number: its payloads are counted."""

    process: str
    number: int
    said: list[Said]


_Id = Annotated[str, Field(max_length=64)]
_Text = Annotated[str, Field(max_length=1000)]
_ENVELOPE = TypeAdapter(tuple[_Id, int, list[list[Any]]])
_SAID: dict[str, TypeAdapter[Any]] = {
    "here": TypeAdapter(
        tuple[
            _Id,
            _Id,
            _Id,
            _Text,
            _Id | None,
            _Text | None,
            list[_Text],
            Literal["active", "idle", "typing"],
            _Id,
            int,
        ]
    ),
    "gone": TypeAdapter(tuple[_Id, _Id, _Id, int | None]),
    "hello": TypeAdapter(tuple[_Id]),
    "all": TypeAdapter(tuple[int, int | None]),
    "conflict": TypeAdapter(tuple[_Id, _Id, _Id | None, _Id, list[tuple[_Text, _Text | None]]]),
}


class Exchange:
    """Makes payloads and reads them. secrets: the server's, the current one first."""

    def __init__(self, process: str, secrets: Sequence[str]) -> None:
        self._process = process
        self._ciphers = [AESGCM(_key(secret)) for secret in secrets]
        self._number = 0

    @property
    def next(self) -> int:
        """The number of the payload to come."""
        return self._number + 1

    def payloads(self, said: Iterable[Said]) -> Iterator[str]:
        """Payloads that say all this, in order.

        Where nothing is said there is one nevertheless: a sign of life.
        """
        texts: list[bytes] = []
        for one in said:
            text = _written(one)
            if texts and sum(map(len, texts)) + len(texts) + len(text) > _MAX_SAID:
                yield self._encrypted(texts)
                texts = []
            texts.append(text)
        yield self._encrypted(texts)

    def _encrypted(self, texts: list[bytes]) -> str:
        self._number += 1
        head = orjson.dumps([self._process, self._number])[:-1]
        body = head + b",[" + b",".join(texts) + b"]]"
        nonce = os.urandom(_NONCE)
        return b64encode(nonce + self._ciphers[0].encrypt(nonce, body, None)).decode()

    def read(self, text: str) -> Payload | None:
        """What a payload says, as far as it is understood; None for one that is not ours."""
        body = self._decrypted(text)
        if body is None:
            log.warning("presence not told by a server of this secret")
            return None
        try:
            process, number, parts = _ENVELOPE.validate_json(body)
        except ValidationError:
            log.warning("presence not understood")
            return None
        return Payload(process, number, [said for part in parts if (said := _read(part))])

    def _decrypted(self, text: str) -> bytes | None:
        try:
            raw = b64decode(text.encode(errors="replace"), validate=True)
        except binascii.Error:
            return None
        if len(raw) < _NONCE + _TAG:
            return None
        for cipher in self._ciphers:
            with suppress(InvalidTag):
                return cipher.decrypt(raw[:_NONCE], raw[_NONCE:], None)
        return None


def _key(secret: str) -> bytes:
    """The key of a secret, for this use of it alone."""
    return hashlib.sha256(f"presence payloads {secret}".encode()).digest()


def _written(said: Said) -> bytes:
    """One thing said, so short that a payload holds it."""
    match said:
        case Here(key, p, at):
            # The general ones first. Who holds one that is cut off does not see the record.
            tokens = sorted(p.tokens, key=lambda token: (len(token), token))
            while True:
                text = orjson.dumps(
                    ["here", *key, p.name, p.record, p.collection, tokens, p.state, p.since, at]
                )
                if len(text) <= _MAX_SAID:
                    return text
                tokens = tokens[: len(tokens) // 2]
        case Gone(key, left):
            return orjson.dumps(["gone", *key, left])
        case Hello(process):
            return orjson.dumps(["hello", process])
        case All(digest, since):
            return orjson.dumps(["all", digest, since])
        case Conflict(workspace, account, client, transaction, conflicts):
            while True:
                text = orjson.dumps(
                    ["conflict", workspace, account, client, transaction, conflicts]
                )
                if len(text) <= _MAX_SAID:
                    return text
                conflicts = conflicts[: len(conflicts) // 2]


def _read(part: list[Any]) -> Said | None:
    """One thing said; None for what this version does not know."""
    kind = part[0] if part else None
    if not isinstance(kind, str) or kind not in _SAID:
        return None
    try:
        rest = _SAID[kind].validate_python(part[1:])
    except ValidationError:
        return None
    match kind:
        case "here":
            workspace, account, client, name, record, collection, tokens, state, since, at = rest
            person = Person(name, record, collection, frozenset(tokens), state, since)
            return Here((workspace, account, client), person, at)
        case "gone":
            return Gone((rest[0], rest[1], rest[2]), rest[3])
        case "hello":
            return Hello(rest[0])
        case "all":
            return All(rest[0], rest[1])
        case _:
            workspace, account, client, transaction, conflicts = rest
            return Conflict(workspace, account, client, transaction, tuple(conflicts))
