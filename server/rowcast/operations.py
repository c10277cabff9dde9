"""What the API can do: every operation, from the tables of routes and what stands elsewhere.

Summaries are the comments of the SQL functions and the docstrings of the handlers, the codes of
problems those of docs/error-codes.md. The OpenAPI document is made of this, and so are tests.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import BaseModel

from rowcast import accounts, attachments, models, presence_endpoints, replay
from rowcast.resources import resource_directory
from rowcast.routes import (
    ACTIONS,
    FILES,
    PRESENCE,
    ROUTES,
    STREAMS,
    Action,
    FileRoute,
    PresenceRoute,
    Route,
)
from rowcast.transaction_models import Replay

# Tags, in their order, by the start of a path; the longest wins.
TAGS = {
    "/api/v1/auth": "Signing in",
    "/api/v1/me": "Account",
    "/api/v1/workspaces": "Workspaces",
    "/api/v1/workspaces/{workspace}/members": "Members and roles",
    "/api/v1/workspaces/{workspace}/roles": "Members and roles",
    "/api/v1/workspaces/{workspace}/invitations": "Members and roles",
    "/api/v1/invitations": "Members and roles",
    "/api/v1/workspaces/{workspace}/audit": "Members and roles",
    "/api/v1/workspaces/{workspace}/collections": "Schema",
    "/api/v1/workspaces/{workspace}/types.d.ts": "Schema",
    "/api/v1/workspaces/{workspace}/records": "Records",
    "/api/v1/workspaces/{workspace}/attachments": "Records",
    "/api/v1/workspaces/{workspace}/comments": "Records",
    "/api/v1/workspaces/{workspace}/import": "Records",
    "/api/v1/workspaces/{workspace}/transactions": "Records",
    "/api/v1/workspaces/{workspace}/undo": "Records",
    "/api/v1/workspaces/{workspace}/redo": "Records",
    "/api/v1/workspaces/{workspace}/search": "Search",
    "/api/v1/search": "Search",
    "/api/v1/workspaces/{workspace}/snapshot": "Sync and streams",
    "/api/v1/workspaces/{workspace}/changes": "Sync and streams",
    "/api/v1/workspaces/{workspace}/events": "Sync and streams",
    "/api/v1/workspaces/{workspace}/presence": "Sync and streams",
    "/api/tasks": "Atlas tasks",
    "/api/fields": "Atlas tasks",
    "/api/requests": "Sim-Flow requests",
    "/api/users": "Sim-Flow requests",
    "/api/campaigns": "Campaign execution",
    "/api/events": "Campaign execution",
    "/api/v1/tasks": "To-do list",
    "/api/v1/categories": "To-do list",
    "/health": "System",
    "/api/openapi.json": "System",
}

_UPLOADS = ("text/csv", "application/x-ndjson")
_KEYED = ("update_me", "accept_invitation")  # of ACTIONS
_ANYBODY = {"update_me": False, "logout": None, "accept_invitation": None}  # of ACTIONS
_ROW = re.compile(r"^\| `([a-z_]+)` \| (?:(\d{3}) \| )?(.+?) \|")
_COMMENT = re.compile(r"comment on function [^;]*? is\s+'((?:[^']|'')+)';")
_RAISES = re.compile(r"[Rr]aises (.*?)(?:\.(?= |$)|$)")  # to the end of the sentence
_STATUS_OR_WORD = re.compile(r"PT(\d{3})|[a-z_]+")
_VOLATILE = re.compile(r"^language \w+ volatile", re.MULTILINE)
_AS = re.compile(r"\bas ((?:(?:, | and )?logic\.[a-z_]+)+)")


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, and what the document says of it.

    name: the SQL function or the handler, or the route's own; function: of a route, shared perhaps.
    upload: the content types of a body that is no JSON. partial: whether it answers ranges.
    anybody: credentials are not asked for (None: they may be needed or not). media: of the answer.
    part: of the API, where the path does not say it.
    keyed: it takes an Idempotency-Key. client: it takes a Rowcast-Client.
    """

    name: str
    method: str
    path: str
    summary: str
    description: str = ""
    body: type[BaseModel] | None = None
    query: type[BaseModel] = models.Nothing
    patch: bool = False
    upload: tuple[str, ...] = ()
    partial: bool = False
    status: int = 200
    anybody: bool | None = False
    if_match: bool = False
    keyed: bool = False
    client: bool = False
    media: str = "application/json"
    function: str | None = None
    part: str | None = None

    @property
    def variables(self) -> list[str]:
        """The names of the variables in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def tag(self) -> str:
        """The part of the API that it belongs to."""
        if self.part is not None:
            return self.part
        starts = [start for start in TAGS if self.path.startswith(start)]
        return TAGS[max(starts, key=len)]

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method not in ("GET", "HEAD")


@cache
def operations() -> tuple[Operation, ...]:
    """All operations, in the order of the tables."""
    found = [
        *map(_of_route, ROUTES),
        *map(_of_action, ACTIONS),
        *map(_of_file, FILES),
        *map(_of_presence, PRESENCE),
        *_streams(),
        Operation(
            "record_import",
            "POST",
            "/api/v1/workspaces/{workspace}/import",
            "Imports rows as records, each once.",
            "The first row of CSV names the fields; `map[title]=Summary` maps a field to a column. A repeat of the same rows"  # noqa: E501
            " under the same `Idempotency-Key` adds nothing.",
            query=models.ImportQuery,
            upload=_UPLOADS,
            keyed=True,
        ),
        Operation(
            "transaction_replay",
            "POST",
            replay.PATH,
            *_told(replay.replay_endpoint),
            body=Replay,
            client=True,
        ),
        Operation("live", "GET", "/health/live", "The process answers.", anybody=True),
        Operation("ready", "GET", "/health/ready", "The database answers too.", anybody=True),
        Operation("openapi", "GET", "/api/openapi.json", "This document.", anybody=True),
    ]
    doubled = [name for name, n in Counter(operation.name for operation in found).items() if n > 1]
    assert not doubled, f"several routes of one function: {doubled}"
    return tuple(found)


def _of_route(route: Route) -> Operation:
    text = (resource_directory("sql") / "api" / f"{route.function}.sql").read_text()
    return Operation(
        route.name or route.function,
        route.method,
        route.path,
        route.summary or _summary(text, route.function),
        _own_codes(route.function),
        route.body,
        route.query,
        route.patch,
        status=route.status,
        if_match="p_if_match " in text,
        media=route.media or "application/json",
        function=route.function,
        part=route.tag,
        keyed=_VOLATILE.search(text) is not None,
        client=_VOLATILE.search(text) is not None,
    )


def _of_action(action: Action) -> Operation:
    summary = accounts.HANDLERS[action.handler].__doc__ or ""
    return Operation(
        action.handler,
        action.method,
        action.path,
        summary.partition("\n")[0],
        body=action.body,
        status=action.status,
        keyed=action.handler in _KEYED,
        anybody=_ANYBODY.get(action.handler, True),
    )


def _of_file(route: FileRoute) -> Operation:
    summary, description = _told(attachments.HANDLERS[route.handler])
    sends = route.method == "POST"
    return Operation(
        f"attachment_{route.handler if route.method != 'HEAD' else 'head'}",
        route.method,
        route.path,
        summary,
        description,
        query=route.query,
        upload=("multipart/form-data",) if sends else (),
        partial=not sends,
        keyed=sends,
        status=201 if sends else 200,
        media="application/json" if sends else "*/*",
    )


def _told(handler: Callable[..., object]) -> tuple[str, str]:
    """Summary and description of an operation, from the docstring of its handler."""
    summary, _, rest = (handler.__doc__ or "").partition("\n")
    return summary, " ".join(rest.split())


def _of_presence(route: PresenceRoute) -> Operation:
    summary, description = _told(presence_endpoints.HANDLERS[route.handler])
    return Operation(
        f"presence_{route.handler}",
        route.method,
        route.path,
        summary,
        description,
        route.body,
        route.query,
        client=route.method != "GET",
    )


def _streams() -> Iterator[Operation]:
    for stream in STREAMS:
        yield Operation(
            f"{stream.forms[0]}_events",
            "GET",
            stream.path,
            f"A stream of changes (Server-Sent Events), in the form `{'`, `'.join(stream.forms)}`.",
            "`connected` first, then an event per change; `docs/events.md` describes them all.",
            query=models.EventsQuery,
            media="text/event-stream",
            part=stream.tag,
        )


def _summary(text: str, function: str) -> str:
    comment = _COMMENT.search(text)
    assert comment, f"{function} has no comment"
    return comment[1].replace("''", "'")


def _own_codes(function: str) -> str:
    """The codes that the head of an SQL function's file says it raises, as a sentence."""
    sql = resource_directory("sql")
    found: dict[str, None] = {}
    files = [sql / "api" / f"{function}.sql"]
    for file in files:  # which grows by those that a head refers to
        for sentence in _RAISES.findall(_head(file.read_text())):
            found |= dict.fromkeys(f"`{code}` ({status})" for status, code in _codes_in(sentence))
            others = re.findall(r"logic\.([a-z_]+)", " ".join(_AS.findall(sentence)))
            more = [sql / "logic" / f"{name}.sql" for name in others]
            files += [other for other in more if other not in files]
    return f"Refuses with {', '.join(found)}." if found else ""


def _head(text: str) -> str:
    """The comments at the head of a file of SQL, in one line."""
    lines = (line for line in text.splitlines() if line.startswith("--"))
    return " ".join(line.removeprefix("--").strip() for line in lines)


def _codes_in(sentence: str) -> Iterator[tuple[int, str]]:
    """The codes in `PT404 unknown_record, PT409 conflict (and why)`, each with its status."""
    status = 0
    for match in _STATUS_OR_WORD.finditer(sentence):
        status = int(match[1] or status)
        if match[0] in codes().get(status, {}):
            yield status, match[0]


@cache
def codes() -> Mapping[int, Mapping[str, str]]:
    """The codes of all problems by status, with what they mean: the table of error-codes.md."""
    found: dict[int, dict[str, str]] = {}
    heading = 0
    text = (resource_directory("docs") / "error-codes.md").read_text()
    for line in text.splitlines():
        if line.startswith("## "):
            heading = int(re.findall(r"\d{3}", line)[0])
        if row := _ROW.match(line):
            found.setdefault(int(row[2] or heading), {})[row[1]] = row[3]
    return found
