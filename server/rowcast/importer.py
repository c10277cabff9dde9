from aiohttp import web


async def import_endpoint(request: web.Request) -> web.Response:
    raise NotImplementedError


def import_command() -> None: ...
