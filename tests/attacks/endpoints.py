"""Every address of the server, from its own tables, and a good request to each."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from pydantic import BaseModel

from attacks.stage import PASSWORD, Stage
from rowcast import models, transaction_models
from rowcast.replay import PATH as REPLAY
from rowcast.routes import ACTIONS, FILES, PRESENCE, ROUTES, STREAMS
from storing import form

HEALTH = ("/health/live", "/health/ready")
PAGES = (
    *("/", "/account", "/account/account.css", "/account/account.js"),
    *("/api/docs", "/api/docs/docs.css", "/api/docs/docs.js", "/api/openapi.json"),
)
IMPORT = "/api/v1/workspaces/{workspace}/import"
UPLOAD = "POST /api/v1/workspaces/{workspace}/records/{id}/attachments"


@dataclass(frozen=True)
class Endpoint:
    """One method of one path, and the models of what it takes."""

    method: str
    path: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    stream: bool = False
    function: str | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ENDPOINTS = (
    *(Endpoint(r.method, r.path, r.body, r.query, function=r.function) for r in ROUTES),
    *(Endpoint(a.method, a.path, a.body) for a in ACTIONS),
    *(Endpoint("GET", s.path, None, models.EventsQuery, stream=True) for s in STREAMS),
    Endpoint("POST", IMPORT),
    Endpoint("POST", REPLAY, transaction_models.Replay, models.Nothing),
    *(Endpoint(p.method, p.path, p.body, p.query) for p in PRESENCE),
    *(Endpoint(f.method, f.path, None, f.query) for f in FILES if f.method != "HEAD"),
    *(Endpoint("GET", path) for path in (*HEALTH, *PAGES)),
)


@dataclass(frozen=True)
class Wanted:
    """A request that is to be made. text: CSV, or as bytes a form."""

    method: str
    path: str
    variables: dict[str, str]
    query: dict[str, str]
    body: Any = None
    text: str | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


_RIGHTS = {"read": ["task:own"], "edit": ["task:own"], "may": ["create:task"]}

_FIELD = {
    "key": "state",
    "label": "State",
    "type": "select",
    "required": False,
    "options": [{"value": "todo", "label": "To do", "color": "red", "renamedFrom": "todo"}, "done"],
    "default": "todo",
    "target": None,
    "onDelete": "unset",
    "renamedFrom": "state",
    "position": 1,
}
_STEP = {"from": "todo", "to": "done", "roles": ["owner"], "requires": ["state"]}
_WORKFLOW = {"field": "state", "transitions": [_STEP]}


def _transaction(s: Stage) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "operations": [
            {"type": "create", "collection": "task", "data": {"title": "New"}},
            {"type": "set", "recordId": s.record, "key": "title", "value": "Two"},
            {"type": "merge", "recordId": s.record, "patch": {"deep": {"a": ["x"]}}},
            {"type": "increment", "recordId": s.record, "key": "points", "by": 1},
            {
                "type": "list-insert",
                "recordId": s.record,
                "path": ["deep", "a"],
                "value": "y",
                "before": "x",
                "after": None,
                "index": None,
            },
            {"type": "move", "id": s.record, "table": "tasks", "field": "status", "value": "done"},
        ],
        "baseVersions": {s.record: 1},
        "onConflict": "yours",
    }


# A good body per model: with every member, so that each is attacked.
BODIES: dict[type[BaseModel], Callable[[Stage], dict[str, Any]]] = {
    models.WorkspaceCreate: lambda _: {"name": "New", "template": "tasks"},
    models.WorkspaceUpdate: lambda _: {"name": "Renamed", "language": "german"},
    models.Transfer: lambda s: {"accountId": s.member},
    models.MemberUpdate: lambda _: {"role": "viewer"},
    models.Roles: lambda _: {
        "roles": [
            {"key": key, "label": key.title(), **_RIGHTS}
            for key in ("helper", "admin", "editor", "commenter", "viewer")
        ]
    },
    models.CollectionCreate: lambda _: {
        "key": "meeting",
        "label": "Meetings",
        "plural": "meetings",
        "prefix": "MTG",
        "unknownFields": "keep",
        "fields": [_FIELD],
        "workflow": [_WORKFLOW],
    },
    models.CollectionUpdate: lambda _: {
        "label": "Tasks",
        "plural": "tasks",
        "unknownFields": "keep",
        "workflow": [
            {**_WORKFLOW, "field": "status", "transitions": [{**_STEP, "requires": ["title"]}]}
        ],
    },
    models.Fields: lambda _: {
        "fields": [{"key": "title", "label": "Title", "type": "text"}, _FIELD],
        "dryRun": True,
    },
    models.Invitation: lambda _: {
        "email": "somebody@example.org",
        "role": "viewer",
        "expiresInDays": 3,
    },
    models.Register: lambda _: {
        "email": "newcomer@example.org",
        "password": PASSWORD,
        "name": "New",
    },
    models.Login: lambda s: {"email": s.email, "password": PASSWORD},
    models.MailToken: lambda s: {"token": s.verify_token},
    models.Refresh: lambda s: {"refreshToken": s.refresh},
    models.Logout: lambda s: {"refreshToken": s.refresh},
    models.PasswordReset: lambda s: {"email": s.email},
    models.PasswordResetConfirm: lambda s: {"token": s.reset_token, "password": PASSWORD + "2"},
    models.AccountUpdate: lambda _: {
        "name": "Vic",
        "avatar": "https://example.org/a.png",
        "password": PASSWORD,
        "currentPassword": PASSWORD,
    },
    models.TokenCreate: lambda _: {"name": "ci", "scopes": ["read"], "expiresInDays": 3},
    models.Acceptance: lambda s: {
        "token": s.invitation_token,
        "name": "Guest",
        "password": PASSWORD,
    },
    models.DemoLogin: lambda s: {"email": s.email},
    models.RecordCreate: lambda _: {
        "id": None,
        "collection": "task",
        "data": {"title": "New", "deep": {"list": ["x"]}},
    },
    models.RecordUpdate: lambda _: (
        {"patch": {"title": "Two", "deep": {"a": ["x"]}}} | {"baseVersion": 1}
    ),
    models.PresenceEnter: lambda s: {"recordId": s.record, "state": "typing"},
    models.RecordsGet: lambda s: {"ids": [s.record]},
    models.RecordMove: lambda s: {
        "field": "status",
        "value": "done",
        "before": None,
        "after": None,
    },
    transaction_models.Replay: lambda s: {"transactions": [_transaction(s)]},
    transaction_models.Transaction: lambda s: _transaction(s),
    models.CommentCreate: lambda s: {"body": "Why?", "parentId": s.comment, "commentId": None},
    models.CommentUpdate: lambda _: {"body": "Because."},
    models.FaceCreate: lambda s: {
        "workspaceId": s.workspace,
        "id": None,
        "data": {"title": "New", "name": "New"},
    },
    models.FaceUpdate: lambda s: {
        "workspaceId": s.workspace,
        "patch": {"title": "Two", "deep": {"a": ["x"]}},
        "baseVersion": 1,
    },
    models.SimflowStatus: lambda _: {"status": "done", "baseVersion": 1},
    models.SimflowAssignment: lambda s: {"engineerId": s.member, "estimatedHours": 3},
    models.SimflowComment: lambda _: {"content": "Why?"},
    models.CampaignMove: lambda s: {"phaseId": s.phase, "position": 0},
    models.AtlasTaskCreate: lambda s: {
        "workspaceId": s.workspace,
        "id": None,
        "data": {"title": "New"},
    },
}

# A good query per model. Filters and sorting stand here as they do in an address.
_LIST = {
    "sort": "-priority,createdAt",
    "q": "one",
    "filter[title]": "One",
    "filter[title][contains]": "n",
    "filter[tags][in]": "a,b",
    "filter[points][gte]": "1",
    "filter[createdAt][lt]": "2030-01-01",
    "filter[createdBy]": "00000000-0000-0000-0000-000000000000",
}
QUERIES: dict[type[BaseModel], Callable[[Stage], dict[str, str]]] = {
    models.Nothing: lambda _: {},
    models.WorkspaceListQuery: lambda _: {"deleted": "false"},
    models.Query: lambda s: {"workspaceId": s.workspace},
    models.AtQuery: lambda s: {"workspaceId": s.workspace, "at": "5"},
    models.CreateQuery: lambda s: {"workspaceId": s.workspace, "collection": "task"},
    models.PageQuery: lambda s: {"workspaceId": s.workspace, "page": "0", **_LIST},
    models.FaceQuery: lambda s: {
        "workspaceId": s.workspace,
        "page": "0",
        "limit": "5",
        "cursor": "",
        **_LIST,
    },
    models.SimflowUserQuery: lambda s: {"workspaceId": s.workspace, "role": "OWNER"},
    models.ListQuery: lambda s: {
        "workspaceId": s.workspace,
        "page": "0",
        "collection": "task",
        "limit": "5",
        "cursor": "",
        **_LIST,
    },
    models.CommentListQuery: lambda s: {
        "workspaceId": s.workspace,
        "cursor": s.comment,
        "limit": "5",
    },
    models.SearchAllQuery: lambda _: {"q": "one", "limit": "5", "cursor": ""},
    models.SearchQuery: lambda s: {
        "workspaceId": s.workspace,
        "q": "one",
        "collection": "task",
        "limit": "5",
        "cursor": "",
    },
    models.AuditQuery: lambda s: {"workspaceId": s.workspace, "cursor": "9", "limit": "5"},
    models.ActivityQuery: lambda s: {"workspaceId": s.workspace, "cursor": "9", "limit": "5"},
    models.ChangesQuery: lambda s: {
        "workspaceId": s.workspace,
        "since": "0",
        "limit": "5",
        "coalesce": "true",
    },
    models.DownloadQuery: lambda _: {"inline": "1"},
    models.EventsQuery: lambda s: {
        "workspaceId": s.workspace,
        "since": "0",
        "lastEventId": "",
        "collections": "tasks",
        "records": "00000000-0000-0000-0000-000000000000",
        "include": "record",
        "ticket": "",
        "client": "a-tab",
    },
}
_UNSENT = ("cursor", "lastEventId", "ticket")  # of a query: attacked, but in no good request


def request(endpoint: Endpoint, stage: Stage) -> Wanted:
    """The good request of an endpoint, as the owner of a stage."""
    variables = {
        "workspace": stage.workspace,
        "id": _record(endpoint.path, stage),
        "collection": "task",
        "account": stage.member,
        "invitation": stage.invitation,
        "session": stage.other_session,
        "token": stage.token,
        "comment": stage.comment,
        "attachment": stage.attachment,
    }
    text: str | bytes | None = None
    if endpoint.path == IMPORT:
        text = "Summary,points\nOne,1\n"
    elif str(endpoint) == UPLOAD:
        text = form(b"a file\n")
    names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    query = QUERIES[endpoint.query](stage) if endpoint.query else {}
    if endpoint.path == IMPORT:
        query = {"collection": "task", "map[title]": "Summary"}
    body = BODIES[endpoint.body](stage) if endpoint.body else None
    return Wanted(
        endpoint.method,
        endpoint.path,
        {name: variables[name] for name in names},
        {name: value for name, value in query.items() if name not in _UNSENT},
        body if body is None else _without_nulls(body),
        text,
        {"Authorization": f"Bearer {stage.access}"},
    )


def _record(path: str, stage: Stage) -> str:
    """A record of the collection that an address is about."""
    others = {"requests": stage.request, "phases": stage.phase, "categories": stage.category}
    return next((id for part, id in others.items() if part in path.split("/")), stage.record)


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value is not None}


def replacements(value: Any, payload: str) -> Iterator[tuple[str, Any]]:
    """Each way to put a payload into a JSON value: for every leaf, and as a key of every object."""
    if isinstance(value, dict):
        for key, item in value.items():
            for where, changed in replacements(item, payload):
                yield f".{key}{where}", {**value, key: changed}
        yield ".<key>", {**value, payload: "x"}
    elif isinstance(value, list):
        for n, item in enumerate(value):
            for where, changed in replacements(item, payload):
                yield f".{n}{where}", [*value[:n], changed, *value[n + 1 :]]
    else:
        yield "", payload


def attacks(
    endpoint: Endpoint, stage: Stage, payload: str, headers: tuple[str, ...]
) -> Iterator[tuple[str, Wanted]]:
    """Every request to an endpoint that has a payload in one place, and where that is."""
    good = request(endpoint, stage)
    for name in good.variables:
        yield f"path {name}", replace(good, variables={**good.variables, name: payload})
    query = dict(good.query)
    if endpoint.query:
        query |= QUERIES[endpoint.query](stage)
    for name in query:
        yield f"query {name}", replace(good, query={**good.query, name: payload})
        if name.startswith(("filter[", "map[")):
            kind = name.split("[")[0]
            shown = {f"{kind}[{payload}]": "x"}
            yield f"query key of {kind}", replace(good, query={**good.query, **shown})
            shown = {f"filter[title][{payload}]": "x"}
            yield "query operator", replace(good, query={**good.query, **shown})
    yield "query <key>", replace(good, query={**good.query, payload: "x"})
    if endpoint.body is not None:
        whole = BODIES[endpoint.body](stage)
        for name, value in whole.items():
            if value is None:
                yield f"body .{name}", replace(good, body={**good.body, name: payload})
        for where, body in replacements(good.body, payload):
            yield f"body {where}", replace(good, body=body)
        yield "body", replace(good, body=payload)
    if isinstance(good.text, bytes):
        raw = payload.encode(errors="surrogatepass")
        yield "form name", replace(good, text=form(b"x", name=raw))
        for place in ("kind", "field", "X_Header"):
            yield f"form {place}", replace(good, text=form(b"x", **{place: payload}))
        yield "form content", replace(good, text=form(raw))
        yield "form", replace(good, text=raw)
    elif good.text is not None:
        yield "text", replace(good, text=f"Summary,points\n{payload},1\n")
        yield "text header", replace(good, text=f"Summary,{payload}\nOne,1\n")
    for name in headers:
        value = {"Authorization": f"Bearer {payload}", "Cookie": f"rowcast_session={payload}"}.get(
            name, payload
        )
        changed = {**good.headers, name: value}
        if name == "Cookie":
            del changed["Authorization"]
        yield f"header {name}", replace(good, headers=changed)


def members(model: type[BaseModel]) -> set[str]:
    """The names of a model's members, as clients write them; those of models within too."""
    found = set()
    for name, info in model.model_fields.items():
        found.add(info.alias or name)
        for inner in _models_in(info.annotation):
            found |= {f"{info.alias or name}.{member}" for member in members(inner)}
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def names(value: Any) -> set[str]:
    """The names of members that a JSON value has, in the form of `members`."""
    found = set()
    for key, item in value.items():
        found.add(key)
        for inner in item if isinstance(item, list) else []:
            if isinstance(inner, dict):
                found |= {f"{key}.{member}" for member in names(inner)}
    return found
