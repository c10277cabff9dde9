"""One HTTP connection, one request at a time: for latencies, with little cost of its own."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, Self

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Client:
    """A keep-alive connection to a server on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=600)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> bytes:
        """The body of the answer. Raises RuntimeError unless it is 200."""
        self._socket.sendall(request)
        received = b""
        while True:
            part = self._socket.recv(1 << 18)
            if not part:
                raise RuntimeError("the server closed the connection")
            received += part
            end = received.find(b"\r\n\r\n")
            length = _LENGTH.search(received, 0, end + 2) if end >= 0 else None
            if length is not None and len(received) >= end + 4 + int(length[1]):
                break
        if not received.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(received.decode(errors="replace"))
        return received[end + 4 :]

    def timed(self, request: bytes) -> float:
        """Sends a request; seconds until its answer was there."""
        started = perf_counter()
        self.send(request)
        return perf_counter() - started

    def json(self, request: bytes) -> Any:
        """Sends a request; its answer, read."""
        return json.loads(self.send(request))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()


def request_bytes(
    method: str, path: str, token: str, headers: Mapping[str, str] = {}, body: bytes = b""
) -> bytes:
    """A request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
