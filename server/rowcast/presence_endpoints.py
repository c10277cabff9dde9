"""The endpoints of presence. Who may, the database says; who is there, this process knows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from rowcast import bodies
from rowcast.endpoints import (
    IDENTITY,
    PRESENCE,
    UUID,
    Handler,
    client_id,
    path_members,
    read_body,
    respond,
    unknown_workspace,
)
from rowcast.gateway import Answer
from rowcast.identity import Actor
from rowcast.presence import Presence
from rowcast.routes import PresenceRoute


@dataclass(frozen=True, slots=True)
class _Request:
    """A request to a handler of this module: who asks, at which client, in which workspace."""

    presence: Presence
    actor: Actor
    workspace: str
    client: str | None
    body: Any


async def enter(request: _Request) -> dict[str, Any]:
    """Says that the caller is here, on a record or on none, or still is.

    To be repeated every ten seconds; who does not is gone after thirty, and who says `typing` is
    taken to have stopped after six. A repeat that changes nothing is told to nobody.
    """
    body = request.body
    return await request.presence.put(
        request.actor, request.workspace, request.client, body.record_id, body.state
    )


async def leave(request: _Request) -> dict[str, Any]:
    """Says that the caller is gone, at this client."""
    return await request.presence.leave(request.actor, request.workspace, request.client)


async def present(request: _Request) -> dict[str, Any]:
    """Who is in the workspace, and on which record.

    Where the caller may not read the record it is null.
    """
    return await request.presence.present(request.actor, request.workspace)


HANDLERS: dict[str, Callable[[_Request], Awaitable[dict[str, Any]]]] = {
    "enter": enter,
    "leave": leave,
    "list": present,
}


def presence_endpoint(route: PresenceRoute) -> Handler:
    """The handler of an endpoint of presence of the route table."""
    handler = HANDLERS[route.handler]

    async def handle(http: web.Request) -> web.StreamResponse:
        actor = await http.app[IDENTITY].actor(http)
        workspace = path_members(http)["workspace"].lower()
        bodies.validate(bodies.query_members(http.query), route.query)
        client = client_id(http)
        body = None if route.body is None else (await read_body(http, route.body))[1]
        if not UUID.fullmatch(workspace):
            raise unknown_workspace()
        found = await handler(_Request(http.app[PRESENCE], actor, workspace, client, body))
        return respond(http, Answer(orjson.dumps(found)), 200)

    return handle
