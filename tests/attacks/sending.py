"""Sends requests as they are, without the kindness of a client library."""

import asyncio
import io
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from yarl import URL

from attacks.endpoints import Wanted
from storing import FORM
from support import HttpReply


@dataclass
class Sender:
    """A way to a server."""

    session: aiohttp.ClientSession
    url: str

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> HttpReply:
        """A request, its body as JSON unless it is bytes; header names with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if raw is not None:
            named.setdefault("Content-Type", "application/json")
        return await self._send(method, self.url + path, raw, named)

    async def want(self, wanted: Wanted) -> HttpReply:
        """A request of the attacks; of a stream that opens only the head."""
        path = wanted.path
        for name, value in wanted.variables.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        query = f"?{urlencode(wanted.query)}" if wanted.query else ""
        headers = dict(wanted.headers)
        raw = None
        if isinstance(wanted.text, bytes):
            raw, headers["Content-Type"] = wanted.text, FORM["Content-Type"]
        elif wanted.text is not None:
            raw, headers["Content-Type"] = wanted.text.encode(), "text/csv"
        elif wanted.body is not None:
            raw, headers["Content-Type"] = json.dumps(wanted.body).encode(), "application/json"
        return await self._send(wanted.method, self.url + path + query, raw, headers)

    async def _send(
        self, method: str, url: str, raw: bytes | None, headers: dict[str, str]
    ) -> HttpReply:
        async with self.session.request(
            method,
            URL(url, encoded=True),
            data=raw if raw is None else io.BytesIO(raw),
            headers=headers,
            allow_redirects=False,
            cookies={},
        ) as response:
            if response.content_type == "text/event-stream":
                response.close()
                return HttpReply(response.status, response.headers, "")
            return HttpReply(response.status, response.headers, await response.text())

    async def raw(self, request: bytes) -> bytes:
        """Bytes as they are, and all that comes back until the server closes."""
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(request)
            await writer.drain()
            async with asyncio.timeout(10):
                return await reader.read()
        finally:
            writer.close()
