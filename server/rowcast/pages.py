"""The pages that the server itself has: the account page, which the links of mails open.

They are static and say nothing about anybody; what they do, they do by the API.
"""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from aiohttp import web

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_PAGES = {
    "/": "account.html",
    "/account": "account.html",
    "/account/account.css": "account.css",
    "/account/account.js": "account.js",
}


def add_pages(app: web.Application) -> None:
    """Adds the pages to an application."""
    for path, name in _PAGES.items():
        app.router.add_get(path, _page(name))


def _page(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = (files("rowcast") / "pages" / name).read_bytes()
    kind = _TYPES[name.rpartition(".")[2]]

    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8")

    return handle
