"""From a request to a call and back: what every endpoint does alike."""

import hashlib
import random
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from aiohttp import web
from aiohttp.http_writer import StreamWriter
from aiohttp_sse import sse_response

from rowcast import bodies, models
from rowcast.frames import NATIVE, Cursor, View
from rowcast.gateway import Answer, Call, Gateway, missing_function, new_transaction_id
from rowcast.hub import Hub
from rowcast.identity import Identity
from rowcast.keys import Keys
from rowcast.passwords import Passwords
from rowcast.presence import Presence
from rowcast.problems import Problem
from rowcast.routes import Route, StreamRoute
from rowcast.writer import Writer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GATEWAY = web.AppKey("gateway", Gateway)
WRITER = web.AppKey("writer", Writer)
HUB = web.AppKey("hub", Hub)
IDENTITY = web.AppKey("identity", Identity)
PASSWORDS = web.AppKey("passwords", Passwords)
KEYS = web.AppKey("keys", Keys)
PRESENCE = web.AppKey("presence", Presence)

LONG_ARGUMENTS = 64 << 10  # characters; longer ones go through the lane, alone
COMPRESSED_FROM = 1024  # bytes
SEND_SECONDS = 60.0

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY_NAMESPACE = uuid.UUID("6f3d9f5e-0f0e-5d0a-9c53-6d4a35b1a5b7")
_ETAG = re.compile(r'"[^"]*"')  # compared weakly, as RFC 9110 says of If-None-Match
_MERGE_PATCH = "application/merge-patch+json"


def endpoint(route: Route) -> Handler:
    """The handler of a route of the table."""

    async def handle(request: web.Request) -> web.StreamResponse:
        actor = await request.app[IDENTITY].actor(request)
        gateway = request.app[GATEWAY]
        function = gateway.functions.get(route.function)
        if function is None:
            raise missing_function(route.function)
        members = {**route.arguments, **path_members(request)}
        workspace = members.pop("workspace", None)
        if request.query_string:
            query = bodies.validate(bodies.query_members(request.query), route.query)
            members |= query.model_dump(by_alias=True, exclude_none=True)
        elif route.query.model_fields and route.body is None:
            bodies.validate({}, route.query)
        if "If-Match" in request.headers:
            members["ifMatch"] = header(request, "If-Match")
        if route.body is None:
            arguments, body = bodies.extend(b"{}", members), None
        else:
            raw, body = await read_body(request, route.body, patch=route.patch)
            arguments = bodies.extend(raw, members)
        workspace = workspace or members.get("workspaceId") or getattr(body, "workspace_id", None)
        if workspace is not None and not UUID.fullmatch(workspace):
            raise unknown_workspace()
        call = Call(
            function,
            actor.account,
            arguments,
            workspace=workspace,
            record=members.get("id"),
            template=route.template,
            alone=route.alone
            or len(arguments) > LONG_ARGUMENTS
            or (body is not None and body.is_heavy),
            session=actor.session,
        )
        if not function.writes:
            return respond(request, await gateway.read(call), 200, route.media)
        call.transaction = (body and body.write_id) or transaction_id(request)
        client = client_id(request)
        try:
            answer = await request.app[WRITER].call(call)
        except Problem as problem:
            tell_conflict(request.app[PRESENCE], call, client, problem)
            raise
        return respond(request, answer, route.status)

    return handle


def tell_conflict(presence: Presence, call: Call, client: str | None, problem: Problem) -> None:
    """Tells the author's other clients of a refused write, if conflicts are why it was."""
    if problem.code == "conflict" and call.workspace is not None and call.actor is not None:
        conflicts = problem.extra.get("conflicts", ())
        workspace = call.workspace.lower()
        presence.refused(workspace, call.actor, client, call.transaction, conflicts)


def path_members(request: web.Request) -> dict[str, Any]:
    """The variables of the path. What can't be an id or a workspace names nothing: 404."""
    members: dict[str, Any] = dict(request.match_info)
    for name, value in members.items():
        if name not in ("workspace", "id", "collection") and not UUID.fullmatch(value):
            raise Problem(404, "not_found", "There is nothing at this address.")
        if "\0" in value or len(value) > 100 or not _encodable(value):
            if name == "collection":
                raise Problem(
                    404, "unknown_collection", "There is no such collection in this workspace."
                )
            raise Problem(404, "unknown_record", "There is no such record, or you may not see it.")
    return members


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


async def read_body(
    request: web.Request, model: type[bodies.Model], *, patch: bool = False
) -> tuple[bytes, bodies.Model]:
    """The body of a request, checked: as bytes to pass on, and as its model. Raises Problem."""
    merge_patch = patch and request.content_type == _MERGE_PATCH
    raw = await read_json(request, _MERGE_PATCH if merge_patch else "application/json")
    if merge_patch:
        bodies.check_json(raw)
        raw = b'{"patch":' + raw + b"}"
    return raw, bodies.check_object(raw, model)


async def read_json(request: web.Request, media: str = "application/json") -> bytes:
    """The body of a request that is to be JSON, not yet checked. Raises Problem."""
    if request.content_type != media:
        raise Problem(
            415, "unsupported_media_type", "Send JSON, with Content-Type: application/json."
        )
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise Problem(
            400, "malformed_body", "The body is not encoded as its headers say, or was cut off."
        ) from error


def header(request: web.Request, name: str) -> str | None:
    """A header, or None. Raises Problem 400 for bytes that are not UTF-8."""
    text = request.headers.get(name)
    if text is not None and not _encodable(text):
        raise Problem(400, "malformed_header", f"The header {name} is not UTF-8.")
    return text


def transaction_id(request: web.Request) -> str:
    """The id of a write: from the Idempotency-Key, or a new one."""
    key = header(request, "Idempotency-Key")
    if key is None:
        return new_transaction_id()
    if not 1 <= len(key) <= 255:
        raise Problem(422, "invalid_idempotency_key", "Idempotency-Key has 1 to 255 characters.")
    return id_of_key(key)


def id_of_key(key: str) -> str:
    """The id of a write that came with this Idempotency-Key."""
    return str(uuid.uuid5(_KEY_NAMESPACE, key))


def client_id(request: web.Request) -> str | None:
    """The client (a tab) that a request comes from, where it says so. Raises Problem 422."""
    client = request.headers.get("Rowcast-Client")
    if client is not None and not _CLIENT.fullmatch(client):
        raise Problem(
            422, "invalid_client_id", "Rowcast-Client has 1 to 64 letters, digits, - and _."
        )
    return client


def respond(
    request: web.Request, answer: Answer, status: int, media: str | None = None
) -> web.Response:
    """The response to an answer: its bytes as they are, with an ETag.

    304 where the client has it already. media: the answer is a JSON string, and its text is sent.
    """
    if answer.version is not None:
        etag = f'"{answer.version}"'
    elif request.method == "GET":
        etag = f'"{hashlib.blake2b(answer.body, digest_size=12).hexdigest()}"'
    else:
        etag = None
    if etag is not None and request.method == "GET":
        known = request.headers.get("If-None-Match")
        if known is not None and (known == "*" or etag in _ETAG.findall(known)):
            return web.Response(status=304, headers={"ETag": etag})
    response = web.Response(
        status=status,
        body=answer.body if media is None else orjson.loads(answer.body).encode(),
        content_type=media or "application/json",
        charset=None if media is None else "utf-8",
        headers={"ETag": etag} if etag is not None else None,
    )
    if len(answer.body) > COMPRESSED_FROM:
        response.enable_compression()
        response.headers["Vary"] = "Accept-Encoding"
    return response


def unknown_workspace() -> Problem:
    """404, in the database's words."""
    return Problem(
        404, "unknown_workspace", "There is no such workspace, or you are not a member of it."
    )


def stream_endpoint(route: StreamRoute) -> Handler:
    """The handler of a stream."""

    async def handle(request: web.Request) -> web.StreamResponse:
        query = bodies.validate(bodies.query_members(request.query), models.EventsQuery)
        identity = request.app[IDENTITY]
        if query.ticket is None:
            actor = await identity.actor(request)
        else:
            actor = await identity.ticket_actor(query.ticket)
        workspace = path_members(request)["workspace"].lower()
        if not UUID.fullmatch(workspace):
            raise unknown_workspace()
        cursor = _start(request, query)
        hub = request.app[HUB]
        opened = await hub.open(workspace, actor)
        lifetime = hub.pace.life * random.uniform(0.8, 1)  # not all at once come back
        async with sse_response(
            request, ping_interval=hub.pace.beat, send_timeout=SEND_SECONDS, sep="\n"
        ) as response:
            writer = await response.prepare(request)
            assert isinstance(writer, StreamWriter)
            response.headers.clear()  # they are sent; a stream that idles need not keep them
            await hub.serve(
                response,
                writer,
                workspace,
                opened,
                _view(route, query, opened.collections),
                cursor,
                min(lifetime, actor.expires - time.time() - 1),
                query.client,
            )
        return response

    return handle


def _start(request: web.Request, query: models.EventsQuery) -> Cursor | None:
    """Where a stream starts: the header (a reconnect) wins over the query."""
    text = header(request, "Last-Event-ID") or query.last_event_id
    if text:
        return Cursor.parse(text)
    return Cursor(query.since) if query.since is not None else None


def _view(route: StreamRoute, query: models.EventsQuery, plurals: Mapping[str, str]) -> View:
    """What a stream wants; `plurals`: the collections by their plural."""
    forms = ("record",) if route.forms == (NATIVE,) and query.include else route.forms
    collections = None
    if query.collections is not None:
        wanted = [key for key in query.collections.split(",") if key]
        collections = frozenset(plurals.get(key, key) for key in wanted)
    records = None
    if query.records is not None:
        records = frozenset(record.lower() for record in query.records.split(",") if record)
    return View(forms, collections, records)
