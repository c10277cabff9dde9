"""Where the bytes of attachments are: a directory, or S3 and what speaks its protocol (obstore).

An object is stored whole or not at all, and never changes. Keys are two uuids: of the workspace,
and of the attachment. Whatever else lies in the store is left alone.
"""

import asyncio
import os
import re
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from rowcast import logs
from rowcast.problems import Problem

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

PART = 5 << 20  # bytes: the least that S3 takes as a part; smaller objects go in one request
OWNER = "rowcast-database"  # an object that says which database may clear the store
PAGE = 1000  # objects of a listing at a time
_PIECE = 1 << 20  # bytes that are read at a time
_ABORT_SECONDS = 10.0
_RETRIES: "RetryConfig" = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(f"{_UUID}/{_UUID}")
_STAGED = re.compile(f"{_UUID}#[0-9]+")  # what a local object is called while it is written

log = logs.get("rowcast.storage")


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where attachments are kept, and what is taken.

    url: file:///directory or s3://bucket/prefix; None: nowhere. types: media types as `image/png`
    or `image/*`; none: any. sweep_seconds: how often each process looks for what nothing needs.
    """

    url: str | None = None
    max_bytes: int = 50 << 20
    types: tuple[str, ...] = ()
    sweep_seconds: float = 24 * 3600


def parse_storage_url(url: str) -> tuple[str, str]:
    """Scheme, and directory or bucket with prefix. Raises ValueError for what is neither."""
    parts = urlsplit(url)
    if "?" in url or "#" in url or "@" in parts.netloc:
        raise ValueError("only an address: credentials and options are AWS_ variables")
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        return "file", unquote(parts.path)
    if parts.scheme == "s3" and parts.netloc:
        return "s3", url
    raise ValueError("not a storage URL such as file:///srv/attachments or s3://bucket/prefix")


def object_key(workspace: str, attachment: str) -> str:
    """The key of an attachment's bytes. Nothing that a client sends is in it but ids."""
    return f"{workspace.lower()}/{attachment}"


class Storage:
    """A store, which is opened when it is first needed: obstore takes memory of its own."""

    def __init__(self, url: str) -> None:
        self._scheme, self._where = parse_storage_url(url)
        self._opened: ObjectStore | None = None

    def upload(self, key: str) -> "Upload":
        """To write an object: an asynchronous context, whose `write` takes it piece by piece.

        Where the context ends with an exception nothing is stored.
        """
        with _problems():
            return Upload(self._open(), key, self._directory)

    async def read(self, key: str, start: int, stop: int) -> AsyncIterator[memoryview]:
        """The bytes of an object from `start` up to `stop`, piece by piece. Raises Problem 503."""
        while start < stop:
            with _problems():
                length = min(_PIECE, stop - start)
                piece = memoryview(
                    await self._open().get_range_async(key, start=start, length=length)
                )
                if len(piece) != length:
                    raise OSError("the object is shorter than its attachment")
            yield piece
            start += length

    async def delete(self, keys: Sequence[str]) -> None:
        """Removes objects, those that are not there too. Raises Problem 503."""
        with _problems():
            if self._scheme == "s3" and keys:
                await self._open().delete_async(keys)
                return
            for key in keys:  # of a directory, one that is missing would stop the others
                with suppress(FileNotFoundError):
                    await self._open().delete_async(key)

    async def belongs_to(self, identity: str) -> bool:
        """Whether the store is a database's; the first one that asks has it. Raises Problem 503."""
        with _problems():
            store = self._open()
            try:
                found = await (await store.get_async(OWNER)).bytes_async()
            except FileNotFoundError:
                await store.put_async(OWNER, identity.encode())
                return True
            return bytes(found) == identity.encode()

    async def old_keys(self, seconds: float) -> AsyncIterator[list[str]]:
        """The keys of all objects that are so old, in pages. Raises Problem 503.

        What a killed process has left half written is removed on the way, in a directory; in S3 a
        rule of the bucket does that.
        """
        before = datetime.now(UTC) - timedelta(seconds=seconds)
        with _problems():
            store = self._open()
            if self._directory is not None:
                await asyncio.to_thread(_remove_staged, self._directory, before.timestamp())
            async for page in store.list(chunk_size=PAGE):
                yield [
                    found["path"]
                    for found in page
                    if _KEY.fullmatch(found["path"]) and found["last_modified"] < before
                ]

    @property
    def _directory(self) -> Path | None:
        return Path(self._where) if self._scheme == "file" else None

    def _open(self) -> "ObjectStore":
        if self._opened is None:
            from obstore.store import LocalStore, S3Store

            if self._directory is not None:
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._opened = LocalStore(self._directory)
            else:
                self._opened = S3Store.from_url(self._where, retry_config=_RETRIES)
        return self._opened


class Upload:
    """An object on its way into the store: small ones in one request, others in parts."""

    def __init__(self, store: "ObjectStore", key: str, directory: Path | None) -> None:
        self._store, self._key, self._directory = store, key, directory
        self._first = bytearray()
        self._queue: asyncio.Queue[bytes | bytearray | Exception | None] = asyncio.Queue(1)
        self._storing: asyncio.Task[object] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def write(self, piece: bytes) -> None:
        """Takes the next bytes, and waits where the store is slower. Raises Problem 503."""
        if self._storing is not None:
            await self._pass(piece)
            return
        self._first += piece
        if len(self._first) >= PART:
            # A task of its own: cancelled, obstore would leave the parts; of an error it clears up.
            self._storing = asyncio.create_task(
                self._store.put_async(
                    self._key, self._pieces(), chunk_size=PART, max_concurrency=2
                ),
                name="upload",
            )
            first, self._first = self._first, bytearray()
            await self._pass(first)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            await self._abort()
            return
        with _problems():
            if self._storing is None:
                await self._store.put_async(self._key, bytes(self._first), use_multipart=False)
            else:
                try:
                    await self._pass(None)
                    await asyncio.shield(self._storing)
                except asyncio.CancelledError:
                    await self._abort()
                    raise
            if self._directory is not None:
                await asyncio.to_thread(_make_durable, self._directory / self._key)

    async def _pass(self, piece: bytes | bytearray | None) -> None:
        assert self._storing is not None
        put = asyncio.ensure_future(self._queue.put(piece))
        try:
            await asyncio.wait({put, self._storing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            put.cancel()
        if self._storing.done() and piece is not None:
            with _problems():
                await self._storing
                raise OSError("the store ended before the upload")

    async def _pieces(self) -> AsyncIterator[bytes | bytearray]:
        while (piece := await self._queue.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def _abort(self) -> None:
        """Has the store give up what it has, and waits for that."""
        if self._storing is None:
            return
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(ConnectionAbortedError("the upload was given up"))
        done, _ = await asyncio.wait({self._storing}, timeout=_ABORT_SECONDS)
        for task in done:
            if not task.cancelled() and task.exception() is None:
                await self._store.delete_async(self._key)  # it was whole already


@contextmanager
def _problems() -> Iterator[None]:
    """Faults of the store as Problem 503; what they say is for the log."""
    try:
        yield
    except _faults() as error:
        log.error("storage failed", error=str(error)[:500])
        raise Problem(
            503, "storage_unavailable", "The store of attachments is away; nothing was applied."
        ) from error


def _faults() -> tuple[type[Exception], ...]:
    from obstore.exceptions import BaseError

    return BaseError, OSError, ValueError


def _make_durable(path: Path) -> None:
    """Has the disk hold a file, and the names that lead to it."""
    for place in (path, path.parent, path.parent.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_staged(directory: Path, before: float) -> None:
    """Removes what was begun long ago and never finished."""
    for path in directory.glob("*/*#*"):
        with suppress(FileNotFoundError):
            found = path.lstat()
            if (
                _STAGED.fullmatch(path.name)
                and stat.S_ISREG(found.st_mode)
                and found.st_mtime < before
            ):
                path.unlink()
