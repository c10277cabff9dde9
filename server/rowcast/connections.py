"""Connections: what can't be read as HTTP, and clients that never finish asking."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from rowcast import logs
from rowcast.problems import Problem

log = logs.get("rowcast.connections")

_Finish = Callable[[web.BaseRequest, web.StreamResponse], None]


class Connection(web.RequestHandler):
    """A client's connection: answers in problems, and knows since when it waits for headers.

    Of aiohttp's protocol it extends public methods only.
    """

    __slots__ = ("_finish", "_serving", "waiting_since")

    def __init__(
        self, server: web.Server, loop: asyncio.AbstractEventLoop, finish: _Finish
    ) -> None:
        super().__init__(server, loop=loop, access_log=None)  # type: ignore[arg-type]
        self._finish = finish
        self._serving = False
        self.waiting_since = math.inf  # loop time; infinite while served, and between requests

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come, and its first request is waited for."""
        self.waiting_since = asyncio.get_running_loop().time()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came: of a request that is served, or the first ones of another."""
        if not self._serving and self.waiting_since == math.inf:
            self.waiting_since = asyncio.get_running_loop().time()
        super().data_received(data)

    def request_started(self) -> None:
        """The headers of a request are all there."""
        self._serving, self.waiting_since = True, math.inf

    def log_access(
        self, request: web.BaseRequest, response: web.StreamResponse, time: float | None
    ) -> None:
        """An answer was sent."""
        self._serving, self.waiting_since = False, math.inf

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what no handler saw: bytes that are not HTTP, or a bug around one."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer is under way already")
        if status == 400:
            log.info("malformed request", address=request.remote, fault=type(exc).__name__)
            problem = Problem(400, "malformed_request", "This is not HTTP that can be read.")
        else:
            log.error("unexpected error", exc_info=exc)
            problem = Problem(500, "internal_error", "Something went wrong on our side.")
        response = problem.response()
        response.force_close()
        self._finish(request, response)
        return response


@asynccontextmanager
async def accept(
    runner: web.AppRunner, bound: socket.socket, backlog: int, head_seconds: float, finish: _Finish
) -> AsyncIterator[None]:
    """Takes connections on a bound socket for a runner that is set up, and stops taking them.

    `finish` puts the headers of every answer on those to what is not HTTP. Who has not finished the
    headers of a request within `head_seconds` is cut off.
    """
    server = runner.server
    assert server is not None
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(
        lambda: Connection(server, loop, finish), sock=bound, backlog=backlog
    )
    sweep = asyncio.create_task(_sweep(server, head_seconds), name="connections")
    try:
        yield
    finally:
        sweep.cancel()
        await asyncio.gather(sweep, return_exceptions=True)
        listener.close()


async def _sweep(server: web.Server, head_seconds: float) -> None:
    """Cuts off who does not finish asking: cheaper than a timer for each request."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(head_seconds / 4)
        oldest = loop.time() - head_seconds
        for connection in server.connections:
            if isinstance(connection, Connection) and connection.waiting_since < oldest:
                connection.force_close()
