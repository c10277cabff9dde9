"""The server's own pages: of accounts, which the links of mails open, and of the API.

They are static and say nothing about anybody; what they do, they do by the API.
"""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from aiohttp import web

from rowcast.endpoints import respond
from rowcast.gateway import Answer
from rowcast.openapi import document_bytes

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
PAGES = {
    "/": "account.html",
    "/account": "account.html",
    "/account/account.css": "account.css",
    "/account/account.js": "account.js",
    "/api/docs": "docs.html",
    "/api/docs/docs.css": "docs.css",
    "/api/docs/docs.js": "docs.js",
}


def add_pages(app: web.Application) -> None:
    """Adds the pages to an application."""
    for path, name in PAGES.items():
        app.router.add_get(path, _page(name))
    app.router.add_route("GET", "/api/openapi.json", _openapi)


async def _openapi(request: web.Request) -> web.Response:
    return respond(request, Answer(document_bytes()), 200)


def _page(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = (files("rowcast") / "pages" / name).read_bytes()
    kind = _TYPES[name.rpartition(".")[2]]

    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8")

    return handle
