"""Attachments: files that go through this process, piece by piece, into the store and out of it.

The database is asked first who may, and told last what is there: a row is written when its bytes
are stored, and where that fails they are removed again. What is left over nevertheless (a process
that died in between) the upkeep finds.
"""

import asyncio
import hashlib
import re
import unicodedata
import uuid
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.multipart import BadContentDispositionHeader, BadContentDispositionParam
from pydantic import BaseModel

from rowcast import bodies
from rowcast.accounts import CALLER
from rowcast.edge import BodyTooSlow, piece_of
from rowcast.endpoints import (
    IDENTITY,
    SEND_SECONDS,
    Handler,
    header,
    path_members,
    respond,
    transaction_id,
    unknown_workspace,
)
from rowcast.identity import Actor
from rowcast.problems import Problem
from rowcast.routes import FileRoute
from rowcast.storage import Storage, StorageSettings, object_key

STORAGE_SETTINGS = web.AppKey("storage_settings", StorageSettings)
STORAGE = web.AppKey("storage", Storage)
UPLOADS = web.AppKey("uploads", Counter[str])

UPLOAD_SECONDS = 45 * 60.0  # less than ORPHAN_SECONDS of upkeep.py, counted from the first byte
MAX_UPLOADS = 32  # at once in this process, each with some 20 MiB at most
MAX_OF_ONE = 8  # of one account
MAX_NAME = 200
_BLOCK = 128 << 10
_AROUND = 16 << 10  # bytes that the form around a file may have
_OCTETS = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,99}/[a-z0-9][a-z0-9!#$&^_.+-]{0,99}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # makes exe.gpj of jpg.exe
_RANGE = re.compile(r"bytes= *([0-9]{0,19})-([0-9]{0,19}) *")
_ETAGS = re.compile(r'"[^"]*"')

# What a browser may show within our origin: pictures that hold no scripts.
_PICTURES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp"}
)
# What is named as it is; all else is bytes to save. Nothing here is run by whoever opens it.
_HARMLESS = _PICTURES | {
    "application/gzip",
    "application/json",
    "application/pdf",
    "application/zip",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "text/csv",
    "text/markdown",
    "text/plain",
    "video/mp4",
    "video/webm",
    "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

# A form's bad header is no warning of ours; and Python keeps the text of each that it has shown.
warnings.filterwarnings("ignore", category=BadContentDispositionHeader)
warnings.filterwarnings("ignore", category=BadContentDispositionParam)

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class _Request:
    """A request to a handler of this module: who asks, in which workspace, for what."""

    http: web.Request
    actor: Actor
    workspace: str
    members: dict[str, Any]
    query: BaseModel

    async def ask(self, function: str, **arguments: object) -> Any:
        """The answer of a function that reads, parsed. Raises Problem."""
        answer = await self.http.app[CALLER].call(
            function, arguments, actor=self.actor, workspace=self.workspace
        )
        return orjson.loads(answer.body)


def add_storage(app: web.Application, settings: StorageSettings) -> None:
    """Gives an application its store, if there is one."""
    app[STORAGE_SETTINGS] = settings
    app[UPLOADS] = Counter()
    if settings.url is not None:
        app[STORAGE] = Storage(settings.url)


# Taking a file


@dataclass(frozen=True, slots=True)
class _Received:
    """What of a file is known when it has been stored."""

    name: str
    type: str
    size: int
    digest: str


async def upload(request: _Request) -> web.StreamResponse:
    """Adds a file to a record: a form with one part, `file`."""
    http = request.http
    transaction = transaction_id(http)
    record = (await request.ask("attachment_check", id=request.members["id"]))["recordId"]
    limits, storage = http.app[STORAGE_SETTINGS], _storage(http)
    if http.content_type != "multipart/form-data":
        raise Problem(
            415, "unsupported_media_type", "Send multipart/form-data with one part, file."
        )
    if http.content_length is not None and http.content_length > limits.max_bytes + _AROUND:
        raise _too_large(limits)
    attachment = str(uuid.uuid4())
    key = object_key(request.workspace, attachment)
    with _slot(http.app[UPLOADS], request.actor.account):
        received = await _receive(http, storage, key, limits)
    arguments: dict[str, object] = {
        "id": record,
        "attachment": attachment,
        "name": received.name,
        "type": received.type,
        "size": received.size,
        "digest": received.digest,
        "storageKey": key,
    }
    try:
        answer = await http.app[CALLER].call(
            "attachment_create",
            arguments,
            actor=request.actor,
            workspace=request.workspace,
            record=record,
            transaction=transaction,
        )
    except Problem as problem:
        if problem.status != 504:  # then it may have been written
            await _forget(storage, key)
        raise
    if orjson.loads(answer.body)["id"] != attachment:
        await _forget(storage, key)  # a repeat: the first one's bytes are there
    return respond(http, answer, 201)


async def _receive(
    http: web.Request, storage: Storage, key: str, limits: StorageSettings
) -> _Received:
    """Stores the one file of a form. Raises Problem, and then nothing is stored."""
    size, digest = 0, hashlib.sha256()
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            reader = await _reading(http, http.multipart)
            part = await _reading(http, reader.next)
            name, kind = _described(part, limits)
            assert isinstance(part, BodyPartReader)
            async with storage.upload(key) as stored:
                while piece := await _reading(http, lambda: part.read_chunk(_BLOCK)):
                    size += len(piece)
                    if size > limits.max_bytes:
                        raise _too_large(limits)
                    digest.update(piece)
                    await stored.write(piece)
                if await _reading(http, reader.next) is not None:
                    raise _not_one_file("has more than one part")
    except TimeoutError as error:
        if isinstance(error, BodyTooSlow):
            raise
        raise BodyTooSlow from error
    return _Received(name, kind, size, digest.hexdigest())


async def _reading(http: web.Request, read: Callable[[], Awaitable[_Read]]) -> _Read:
    """The next of a form. Raises Problem 400 where it is none, or ends too soon; BodyTooSlow."""
    try:
        with piece_of(http):
            return await read()
    except (
        ValueError,  # and what follows: how aiohttp says that a form is malformed
        KeyError,
        AssertionError,
        RuntimeError,
        HttpProcessingError,
        web.RequestPayloadError,
    ) as error:
        raise Problem(
            400, "malformed_body", "The body is no multipart/form-data, or was cut off."
        ) from error


def _described(
    part: MultipartReader | BodyPartReader | None, limits: StorageSettings
) -> tuple[str, str]:
    """Name and type of the file that a part is. Raises Problem 415, 422."""
    if part is None:
        raise _not_one_file("has no part")
    if not isinstance(part, BodyPartReader) or part.name != "file":
        raise _not_one_file("has another part than file")
    encoding = part.headers.get("Content-Transfer-Encoding", "binary").lower()
    kind = clean_type(part.headers.get("Content-Type", ""))
    if encoding not in ("binary", "7bit", "8bit") or "Content-Encoding" in part.headers:
        raise Problem(415, "unsupported_media_type", "Send the file's bytes as they are.")
    if limits.types and not {kind, f"{kind.partition('/')[0]}/*"} & set(limits.types):
        raise Problem(
            415,
            "unsupported_media_type",
            f"Files of this type are not taken here, but {', '.join(limits.types)}.",
        )
    return clean_name(part.filename or ""), kind


def clean_name(name: str) -> str:
    """A file's name without what is not one: a path, control characters, more than 200 of them."""
    name = name.encode(errors="replace").decode()
    name = _TURNING.sub("", re.split(r"[/\\]", name)[-1])
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Zl", "Zp"))
    name = " ".join(unicodedata.normalize("NFC", name).split())
    stem, dot, ending = name.rpartition(".")
    if len(name) > MAX_NAME and stem and len(ending) <= 20:
        name = stem[: MAX_NAME - 1 - len(ending)].rstrip() + dot + ending
    name = name[:MAX_NAME].rstrip()
    return name if name.strip(". ") else "attachment"


def clean_type(text: str) -> str:
    """A media type without its parameters; of what is none, application/octet-stream."""
    kind = text.partition(";")[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) else _OCTETS


@contextmanager
def _slot(running: Counter[str], account: str) -> Iterator[None]:
    """Counts an upload while it runs. Raises Problem 503 for one too many."""
    if running.total() >= MAX_UPLOADS or running[account] >= MAX_OF_ONE:
        raise Problem(503, "overloaded", "Too many uploads are under way; nothing was applied.")
    running[account] += 1
    try:
        yield
    finally:
        running[account] -= 1
        if not running[account]:
            del running[account]


async def _forget(storage: Storage, key: str) -> None:
    """Removes what was stored in vain; should the store be away, the upkeep will."""
    with suppress(Problem):
        await storage.delete([key])


def _storage(http: web.Request) -> Storage:
    storage = http.app.get(STORAGE)
    if storage is None:
        raise Problem(
            503,
            "storage_unavailable",
            "This server has no place for attachments: its operator sets ROWCAST_STORAGE_URL.",
        )
    return storage


def _too_large(limits: StorageSettings) -> Problem:
    return Problem(
        413, "attachment_too_large", f"A file may have at most {limits.max_bytes} bytes."
    )


def _not_one_file(fault: str) -> Problem:
    return Problem(
        422,
        "invalid_request",
        f"The form {fault}.",
        extra={"errors": [{"path": "file", "message": "is the one part of the form"}]},
    )


# Sending one


async def download(request: _Request) -> web.StreamResponse:
    """Sends a file of a record, or a range of it.

    As a file to be saved, but for pictures with `?inline=1`. `ETag` is its SHA-256.
    """
    http = request.http
    found = await request.ask("attachment_get", attachment=request.members["attachment"])
    etag = f'"{found["sha256"]}"'
    kind = found["type"]
    shown = getattr(request.query, "inline", None) == "1" and kind in _PICTURES
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": disposition("inline" if shown else "attachment", found["name"]),
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    known = header(http, "If-None-Match")
    if known is not None and (known.strip() == "*" or etag in _ETAGS.findall(known)):
        return web.Response(status=304, headers=headers)
    size: int = found["size"]
    asked = header(http, "Range")
    part = None
    if asked is not None and http.headers.get("If-Range", etag) == etag:
        part = _range(asked, size)
    start, stop = part or (0, size)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Type"] = kind if kind in _HARMLESS else _OCTETS
    response = web.StreamResponse(status=200 if part is None else 206, headers=headers)
    response.content_length = stop - start
    if http.method == "HEAD":
        await response.prepare(http)
        return response
    await _send(http, response, _storage(http), found["storageKey"], start, stop)
    return response


async def _send(
    http: web.Request,
    response: web.StreamResponse,
    storage: Storage,
    key: str,
    start: int,
    stop: int,
) -> None:
    """Sends what is between, as fast as it is taken. Raises Problem while that can be told."""
    pieces = storage.read(key, start, stop)
    first = await anext(pieces, None)  # before the head says that all is well
    await response.prepare(http)
    try:
        if first is not None:
            await _write(response, first)
        async for piece in pieces:
            await _write(response, piece)
    except (Problem, TimeoutError) as error:
        if http.transport is not None:
            http.transport.abort()  # the head is sent: a cut is all that tells
        raise ConnectionError("an attachment could not be sent to its end") from error
    await response.write_eof()


async def _write(response: web.StreamResponse, piece: memoryview) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await response.write(piece)


def disposition(way: str, name: str) -> str:
    """A Content-Disposition (RFC 6266) with the name in ASCII, and as it is (RFC 8187)."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _range(text: str, size: int) -> tuple[int, int] | None:
    """From where to where (RFC 9110, section 14.1.2); None for what is no single range.

    Raises Problem 416 for one that the file does not reach.
    """
    match = _RANGE.fullmatch(text)
    first, last = match.groups() if match else ("", "")
    if first:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    elif last:
        start, stop = max(size - int(last), 0), size
    else:
        return None
    if start >= stop:
        raise Problem(
            416,
            "range_not_satisfiable",
            "The file does not reach there.",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, stop


HANDLERS = {handler.__name__: handler for handler in (upload, download)}


def file_endpoint(route: FileRoute) -> Handler:
    """The handler of a file's endpoint of the route table."""
    handler = HANDLERS[route.handler]

    async def handle(http: web.Request) -> web.StreamResponse:
        actor = await http.app[IDENTITY].actor(http)
        members = path_members(http)
        workspace = members.pop("workspace")
        query = bodies.validate(bodies.query_members(http.query), route.query)
        if not _UUID.fullmatch(workspace):
            raise unknown_workspace()
        return await handler(_Request(http, actor, workspace, members, query))

    return handle
