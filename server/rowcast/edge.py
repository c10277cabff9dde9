"""The edge: what holds for every request before it is looked at, and for every answer.

Limits by address, CORS (https://fetch.spec.whatwg.org/#http-cors-protocol), security headers, and
the time that a body may take. `through` is the way of a request, `Headers` that of an answer.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass

from aiohttp import StreamReader, web
from multidict import CIMultiDict

from rowcast.addresses import Proxies
from rowcast.connections import Connection, accept
from rowcast.limits import LIMITER, Limiter, limit_key
from rowcast.problems import Problem

_API_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SECRET_PATHS = ("/api/v1/auth/", "/api/v1/me/")
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match, If-None-Match,"
    " Idempotency-Key, If-Range, Last-Event-ID, Range, Rowcast-Client, X-Request-ID",
    "Access-Control-Max-Age": "7200",
}


@dataclass(frozen=True, slots=True)
class Edge:
    """What the edge is set to.

    proxies: those trusted to say whom they forward for (addresses, CIDR); rate: requests per second
    of an account or address, 0 for no limit; burst: how many at once, by default those of five
    seconds; body_seconds: how long a body may take to come, of a streamed one each piece;
    head_seconds: the same for a request's headers; https: whether browsers see the server by HTTPS.
    """

    proxies: tuple[str, ...] = ()
    rate: float = 0
    burst: float | None = None
    body_seconds: float = 30
    head_seconds: float = 30
    https: bool = False


class Headers:
    """The headers that every answer gets, made beforehand: this runs for each."""

    __slots__ = ("_always", "_shown", "origins")

    def __init__(self, origins: Iterable[str], https: bool) -> None:
        self.origins = frozenset(origins) - {"*", "null", ""}
        self._always = CIMultiDict(
            {
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                # Not no-referrer: with that, forms of our own pages are sent with Origin: null.
                "Referrer-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
            }
        )
        if https:
            self._always["Strict-Transport-Security"] = "max-age=31536000"
        self._shown = {
            origin: CIMultiDict(
                {
                    "Access-Control-Allow-Origin": origin,
                    "Access-Control-Allow-Credentials": "true",
                    "Access-Control-Expose-Headers": "ETag, Retry-After, X-Request-ID,"
                    " Content-Disposition, Content-Range",
                }
            )
            for origin in self.origins
        }

    async def on_response_prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """The signal of aiohttp: once per answer, before its head is sent."""
        self.put(request, response)

    def put(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        """Puts them on an answer. A policy or Cache-Control of the handler's own stays."""
        headers, path = response.headers, request.path
        headers.extend(self._always)
        if REQUEST_ID in request:
            headers["X-Request-ID"] = request[REQUEST_ID]
        if "Content-Security-Policy" not in headers:
            if headers.get("Content-Type", "").startswith("text/html"):
                headers["Content-Security-Policy"] = _PAGE_POLICY
            elif response.status != 304 or path.startswith("/api/"):
                # The 304 of a page says nothing: it would replace the policy that came with it.
                headers["Content-Security-Policy"] = _API_POLICY
        if f"{path}/".startswith(_SECRET_PATHS):
            headers["Cache-Control"] = "no-store"
        elif "Cache-Control" not in headers:
            headers["Cache-Control"] = "private, no-cache"
        if self.origins:
            vary = headers.get("Vary")
            headers["Vary"] = "Origin" if vary is None else f"{vary}, Origin"
            shown = self._shown.get(request.headers.get("Origin", ""))
            if shown is not None:
                headers.extend(shown)


class BodyTooSlow(TimeoutError):
    """A body did not come in time. `through` answers it with 408."""


EDGE = web.AppKey("edge", Edge)
HEADERS = web.AppKey("headers", Headers)
PROXIES = web.AppKey("proxies", Proxies)
REQUEST_ID = web.RequestKey("request_id", str)
_ADDRESS = web.RequestKey("address", str)
_BODY_TIMER = web.RequestKey("body_timer", asyncio.TimerHandle)
_COUNTED = web.RequestKey("counted", bool)


def set_up(app: web.Application, edge: Edge, origins: frozenset[str]) -> None:
    """Gives an application its edge."""
    app[EDGE] = edge
    app[LIMITER] = Limiter(edge.rate, edge.burst)
    app[PROXIES] = Proxies(edge.proxies)
    app[HEADERS] = Headers(origins, edge.https)
    app.on_response_prepare.append(app[HEADERS].on_response_prepare)


def accepting(
    runner: web.AppRunner, bound: socket.socket, backlog: int
) -> AbstractAsyncContextManager[None]:
    """Takes connections on a bound socket for a runner that is set up, and stops taking them."""
    app = runner.app
    return accept(runner, bound, backlog, app[EDGE].head_seconds, app[HEADERS].put)


async def through(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Passes a request on to its handler, unless it is answered here. Raises Problem 408, 429."""
    if isinstance(request.protocol, Connection):
        request.protocol.request_started()
    headers = request.headers
    if "Authorization" not in headers and "Cookie" not in headers:
        take_address(request)
    if request.method == "OPTIONS" and _is_preflight(request):
        return web.Response(status=204, headers=_PREFLIGHT)
    content = request.content
    timer = None
    if not content.is_eof():  # a small body came with its headers
        loop = asyncio.get_running_loop()
        timer = loop.call_later(request.app[EDGE].body_seconds, _give_up, content)
        request[_BODY_TIMER] = timer
    try:
        return await handler(request)
    except BodyTooSlow as error:
        raise Problem(
            408,
            "body_too_slow",
            "The body took too long to come.",
            headers={"Connection": "close"},
        ) from error
    except Problem as problem:
        if problem.status == 401:
            take_address(request)  # guesses count too, for the address they come from
        raise
    finally:
        if timer is not None:
            timer.cancel()


def client_address(request: web.Request) -> str:
    """The address that a request comes from; "unknown" where its connection has none."""
    address: str | None = request.get(_ADDRESS)
    if address is None:
        forwarded = request.headers.getall("X-Forwarded-For", ())
        address = request.app[PROXIES].client(request.remote or "", forwarded)
        request[_ADDRESS] = address
    return address


def take_address(request: web.Request) -> None:
    """Counts a request for its address, once. Raises Problem 429.

    For what needs no credentials: `through` has counted it unless it brought some, good or bad.
    """
    if _COUNTED not in request:
        request[_COUNTED] = True
        request.app[LIMITER].take(limit_key(client_address(request)))


async def pieces(request: web.Request, size: int) -> AsyncIterator[bytes]:
    """The body as it comes, at most `size` bytes at once. Raises BodyTooSlow where it stops."""
    while True:
        with piece_of(request):
            piece = await request.content.read(size)
        if not piece:
            return
        yield piece


@contextmanager
def piece_of(request: web.Request) -> Iterator[None]:
    """Around each wait for a piece of a streamed body: it has a time of its own to come.

    Only the time that the server waits counts, however long the whole takes. Who reads gets
    BodyTooSlow where it stops.
    """
    whole = request.get(_BODY_TIMER)
    if whole is not None:
        whole.cancel()
    seconds = request.app[EDGE].body_seconds
    timer = asyncio.get_running_loop().call_later(seconds, _give_up, request.content)
    try:
        yield
    finally:
        timer.cancel()


def _give_up(content: StreamReader) -> None:
    """Has whoever reads this body get BodyTooSlow, unless it is all there."""
    if not content.is_eof():
        content.set_exception(BodyTooSlow())


def _is_preflight(request: web.Request) -> bool:
    headers = request.headers
    return (
        headers.get("Origin") in request.app[HEADERS].origins
        and "Access-Control-Request-Method" in headers
    )
