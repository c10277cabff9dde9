"""Builds the application: its resources, its routes, and what happens around every request."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web
from argon2 import PasswordHasher

from rowcast import __version__, logs
from rowcast.accounts import CALLER, DEMO_USERS, action_endpoint
from rowcast.attachments import STORAGE, STORAGE_SETTINGS, add_storage, file_endpoint
from rowcast.calls import Caller
from rowcast.demo import SampleUser
from rowcast.edge import REQUEST_ID, Edge, set_up, take_address, through
from rowcast.endpoints import (
    GATEWAY,
    HUB,
    IDENTITY,
    KEYS,
    PASSWORDS,
    PRESENCE,
    WRITER,
    Handler,
    endpoint,
    stream_endpoint,
)
from rowcast.gateway import Gateway
from rowcast.hub import Hub, Pace
from rowcast.identity import Identity
from rowcast.importer import import_endpoint
from rowcast.keys import Keys
from rowcast.limits import LIMITER
from rowcast.listener import CHANNEL, PRESENCE_CHANNEL, listen
from rowcast.log_reader import LogReader
from rowcast.mail import MAILER, Mailer, MailSettings
from rowcast.pages import add_pages
from rowcast.passwords import Passwords
from rowcast.presence import Presence
from rowcast.presence_endpoints import presence_endpoint
from rowcast.presence_registry import PresencePace
from rowcast.problems import Problem
from rowcast.replay import PATH as REPLAY
from rowcast.replay import replay_endpoint
from rowcast.routes import ACTIONS, FILES, ROUTES, STREAMS
from rowcast.routes import PRESENCE as PRESENCE_ROUTES
from rowcast.search_index import Indexer
from rowcast.storage import StorageSettings
from rowcast.upkeep import Upkeep
from rowcast.writer import Writer

MAX_BODY = 2 << 20
DRAIN_SECONDS = 10.0
MAIL_SECONDS = 3.0

log = logs.get("rowcast.app")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What an application needs to know: where its database is, and whom it trusts.

    conninfo logs in as rowcast_server; listen_conninfo too, on a direct connection. secrets: the
    current one first. demo_users: those whom anybody may become,
    in demo mode. hasher: of passwords, with other parameters than argon2's own.
    mail: None leaves mails in the outbox, for other processes. search_pause: seconds from a change
    to its place in the search index; None leaves that to other processes.
    """

    conninfo: str
    listen_conninfo: str
    secrets: tuple[str, ...]
    origins: frozenset[str] = frozenset()
    demo_account: str | None = None
    demo_users: tuple[SampleUser, ...] = ()
    hasher: PasswordHasher | None = None
    pace: Pace = field(default_factory=Pace)
    presence_pace: PresencePace = field(default_factory=PresencePace)
    edge: Edge = field(default_factory=Edge)
    mail: MailSettings | None = None
    storage: StorageSettings = field(default_factory=StorageSettings)
    search_pause: float | None = None


def make_app(deployment: Deployment, stop: Callable[[], None]) -> web.Application:
    """The application, not yet connected to anything.

    `stop` ends the process, should a part crash.
    """
    app = web.Application(middlewares=[around], client_max_size=MAX_BODY)
    set_up(app, deployment.edge, deployment.origins)
    app[GATEWAY] = Gateway(deployment.conninfo)
    app[WRITER] = Writer(deployment.conninfo)
    app[CALLER] = Caller(app[GATEWAY], app[WRITER])
    app[KEYS] = Keys(deployment.secrets)
    app[PASSWORDS] = Passwords(deployment.hasher)
    app[DEMO_USERS] = deployment.demo_users
    app[IDENTITY] = Identity(
        app[KEYS],
        app[CALLER].ask,
        deployment.origins,
        deployment.edge.https,
        deployment.demo_account,
        app[LIMITER].take,
        take_address,
    )
    app[HUB] = Hub(LogReader(app[GATEWAY]), deployment.pace)
    app[PRESENCE] = Presence(app[HUB], app[GATEWAY], deployment.secrets, deployment.presence_pace)
    app[HUB].member_left = app[PRESENCE].forget
    if deployment.mail is not None:
        app[MAILER] = Mailer(app[CALLER], app[KEYS], deployment.mail)
    add_storage(app, deployment.storage)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, endpoint(route))
    for action in ACTIONS:
        app.router.add_route(action.method, action.path, action_endpoint(action))
    for file in FILES:
        app.router.add_route(file.method, file.path, file_endpoint(file))
    for route_of_presence in PRESENCE_ROUTES:
        app.router.add_route(
            route_of_presence.method,
            route_of_presence.path,
            presence_endpoint(route_of_presence),
        )
    for stream in STREAMS:
        app.router.add_route("GET", stream.path, stream_endpoint(stream))
    app.router.add_route("POST", "/api/v1/workspaces/{workspace}/import", import_endpoint)
    app.router.add_route("POST", REPLAY, replay_endpoint)
    add_pages(app)
    app.router.add_route("GET", "/health/live", live)
    app.router.add_route("GET", "/health/ready", ready)
    app.cleanup_ctx.append(_resources(deployment, stop))
    app.on_shutdown.append(_shut_down)
    return app


def _resources(
    deployment: Deployment, stop: Callable[[], None]
) -> Callable[[web.Application], AsyncIterator[None]]:
    def crashed(task: "asyncio.Task[None]") -> None:
        """A part that ends by itself is a bug: the process ends, for its supervisor to restart."""
        if not task.cancelled() and task.exception() is not None:
            log.error("task crashed", task=task.get_name(), exc_info=task.exception())
            stop()

    async def resources(app: web.Application) -> AsyncIterator[None]:
        gateway, writer, hub, mailer = app[GATEWAY], app[WRITER], app[HUB], app.get(MAILER)
        presence = app[PRESENCE]
        await gateway.open()

        def notified(payload: str) -> None:
            if payload == "catalogue":
                catalogue_changed.set()
            elif payload == "upkeep":
                upkeep.wake()
            elif payload == "mail":
                if mailer is not None:
                    mailer.wake()
            else:
                hub.notified(payload)
                if indexer is not None:
                    indexer.notified(payload)

        def connected() -> None:
            hub.wake_all()
            presence.connected()
            if mailer is not None:
                mailer.wake()
            if indexer is not None:
                indexer.wake_all()

        async def read_catalogue() -> None:
            while True:
                await catalogue_changed.wait()
                catalogue_changed.clear()
                with suppress(Problem):
                    await gateway.read_catalogue()

        catalogue_changed = asyncio.Event()
        upkeep = Upkeep(app[CALLER], app.get(STORAGE), app[STORAGE_SETTINGS].sweep_seconds)
        indexer = None
        if deployment.search_pause is not None:
            indexer = Indexer(
                deployment.conninfo, deployment.search_pause, lambda: writer.is_crowded
            )
        tasks = [
            asyncio.create_task(writer.run(), name="writer"),
            asyncio.create_task(hub.run(), name="hub"),
            asyncio.create_task(presence.run(), name="presence"),
            asyncio.create_task(read_catalogue(), name="catalogue"),
            asyncio.create_task(upkeep.run(), name="upkeep"),
            asyncio.create_task(
                listen(
                    deployment.listen_conninfo,
                    {CHANNEL: notified, PRESENCE_CHANNEL: presence.heard},
                    connected,
                    presence.lost,
                ),
                name="listener",
            ),
        ]
        if mailer is not None:
            tasks.append(asyncio.create_task(mailer.run(), name="mailer"))
        if indexer is not None:
            tasks.append(asyncio.create_task(indexer.run(), name="search"))
        for task in tasks:
            task.add_done_callback(crashed)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await gateway.close()
        app[PASSWORDS].close()

    return resources


async def _shut_down(app: web.Application) -> None:
    app[HUB].close()
    if MAILER in app:
        await app[MAILER].close(MAIL_SECONDS)  # before the writer, which notes what became of mails
    await app[WRITER].drain(DRAIN_SECONDS)


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every request: its id, its errors as problems, its line in the log."""
    started = time.perf_counter()
    request_id = request.headers.get("X-Request-ID", "")
    if not (request_id.isascii() and request_id.isprintable() and 0 < len(request_id) <= 100):
        request_id = f"{random.getrandbits(64):016x}"
    request[REQUEST_ID] = request_id
    try:
        response = await through(request, handler)
    except Problem as problem:
        response = problem.response()
    except web.HTTPException as error:
        response = _http_problem(error).response()
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("unexpected error", request_id=request_id)
        response = Problem(500, "internal_error", "Something went wrong on our side.").response()
    logs.request(
        request.method,
        request.path,
        response.status,
        round((time.perf_counter() - started) * 1000, 2),
        request_id,
    )
    return response


def _http_problem(error: web.HTTPException) -> Problem:
    codes = {
        404: ("not_found", "There is nothing at this address."),
        405: ("method_not_allowed", "This address does not take this method."),
        413: ("body_too_large", f"A body may have at most {MAX_BODY >> 20} MiB."),
    }
    code, detail = codes.get(error.status, ("bad_request", error.reason))
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return Problem(error.status, code, detail, headers=headers)


async def live(request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "live", "version": __version__})


async def ready(request: web.Request) -> web.Response:
    """The database answers too. Raises Problem 503."""
    await request.app[GATEWAY].fetch("select '1', '1'", ())
    return web.json_response(
        {
            "status": "ready",
            "version": __version__,
            "streams": request.app[HUB].stream_count,
            "present": request.app[PRESENCE].count,
        }
    )
