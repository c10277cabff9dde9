"""What tests of attachments share: forms as they are sent, a store, and what is in it."""

import hashlib
import io
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from rowcast.storage import StorageSettings
from support import Client, HttpReply

BOUNDARY = "----boundary of a test"
FORM = {"Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'}
END = f"\r\n--{BOUNDARY}--\r\n".encode()


def storage_in(directory: Path, **more: Any) -> StorageSettings:
    """A store in a directory."""
    return StorageSettings(directory.as_uri(), **more)


def head_of(
    name: str | bytes = "notes.txt",
    kind: str | None = "text/plain",
    field: str = "file",
    **headers: str,
) -> bytes:
    """How the part of a file begins; names go as they are."""
    raw = name if isinstance(name, bytes) else _raw(name)
    lines = [
        f"--{BOUNDARY}".encode(),
        _raw(f'Content-Disposition: form-data; name="{field}"; filename="') + raw + b'"',
    ]
    if kind is not None:
        lines.append(_raw(f"Content-Type: {kind}"))
    lines += [_raw(f"{key.replace('_', '-')}: {value}") for key, value in headers.items()]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _raw(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def form(content: bytes, **more: Any) -> bytes:
    """A form with one file."""
    return head_of(**more) + content + END


@dataclass
class Files:
    """The attachments of a workspace, for somebody."""

    client: Client
    workspace: str

    @property
    def path(self) -> str:
        """The path of all of them."""
        return f"/api/v1/workspaces/{self.workspace}/attachments"

    def of(self, record: str) -> str:
        """The path of those of a record."""
        return f"/api/v1/workspaces/{self.workspace}/records/{record}/attachments"

    async def send(self, record: str, raw: Any, headers: dict[str, str] | None = None) -> HttpReply:
        """Sends a form as it is."""
        if isinstance(raw, bytes):
            raw = io.BytesIO(raw)
        return await self.client.send(
            "POST", self.of(record), data=raw, headers={**FORM, **(headers or {})}
        )

    async def add(self, record: str, content: bytes = b"a file\n", **more: Any) -> Any:
        """Adds a file; its attachment."""
        reply = await self.send(record, form(content, **more))
        assert reply.status == 201, reply.text
        answer = reply.json
        assert answer["size"] == len(content)
        assert answer["sha256"] == hashlib.sha256(content).hexdigest()
        return answer

    async def get(
        self, attachment: str, query: str = "", method: str = "GET", **headers: str
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """An attachment: its response, and the bytes that came."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client.request(
            method, f"{self.path}/{attachment}{query}", headers=named
        ) as response:
            return response, await response.read()

    async def listed(self, record: str) -> list[Any]:
        """The attachments of a record."""
        answer = await self.client.call("GET", self.of(record))
        assert answer["nextCursor"] is None
        found: list[Any] = answer["attachments"]
        return found


def objects(directory: Path) -> dict[str, bytes]:
    """Everything in a store, half-written things too, by its key."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def put_object(directory: Path, key: str = "", age: float = 7200, content: bytes = b"x") -> str:
    """An object that somebody has put into a store; its key."""
    key = key or f"{uuid.uuid4()}/{uuid.uuid4()}"
    path = directory / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    make_older(path, age)
    return key


def make_older(path: Path, seconds: float) -> None:
    """Has a file look so old."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))
