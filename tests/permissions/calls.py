"""What is called: for each function, action and other route one call or more, by their case."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from permissions.world import PASSWORD, World
from rowcast.keys import INVITATION, PASSWORD_RESET, VERIFY_EMAIL
from rowcast.replay import PATH as REPLAY
from rowcast.routes import (
    ACTIONS,
    FILES,
    PRESENCE,
    ROUTES,
    STREAMS,
    FileRoute,
    PresenceRoute,
    Route,
)
from storing import form
from support import KEYS, attachment_of

Arguments = Callable[[World], dict[str, Any]]

# By function and case, the arguments. `workspace`, where it is not the world's own.
FUNCTIONS: dict[str, dict[str, Arguments]] = {
    "account_get": {"": lambda _: {}},
    "account_update": {"": lambda _: {"name": "Another"}},
    "account_erase": {"": lambda _: {}},
    "session_list": {"": lambda _: {}},
    "session_revoke": {
        "one's own": lambda world: {"session": world.own_session},
        "another's": lambda world: {"session": world.anothers_session},
    },
    "token_list": {"": lambda _: {}},
    "token_create": {"": lambda _: {"name": "mine", "scopes": ["read"]}},
    "token_revoke": {
        "one's own": lambda world: {"token": world.own_token},
        "another's": lambda world: {"token": world.anothers_token},
    },
    "ticket_create": {"": lambda _: {}},
    "workspace_list": {
        "": lambda _: {},
        "the deleted ones": lambda _: {"deleted": True},
    },
    "workspace_create": {"": lambda _: {"name": "mine", "template": "tasks"}},
    "workspace_get": {
        "": lambda _: {},
        "a deleted one": lambda world: {"workspace": world.deleted_workspace},
    },
    "workspace_update": {"": lambda _: {"name": "Another"}},
    "workspace_delete": {"": lambda _: {}},
    "workspace_restore": {
        "a deleted one": lambda world: {"workspace": world.deleted_workspace},
        "one that is there": lambda _: {},
    },
    "workspace_transfer": {"": lambda world: {"accountId": world.mate.account}},
    "member_list": {"": lambda _: {}},
    "member_update": {
        "a viewer to editor": lambda world: {"account": world.mate.account, "role": "editor"},
        "a viewer to owner": lambda world: {"account": world.mate.account, "role": "owner"},
        "oneself to admin": lambda world: {"account": oneself(world), "role": "admin"},
        "the owner to viewer": lambda world: {"account": world.owner.account, "role": "viewer"},
    },
    "member_remove": {
        "a viewer": lambda world: {"account": world.mate.account},
        "oneself": lambda world: {"account": oneself(world)},
        "the owner": lambda world: {"account": world.owner.account},
    },
    "role_list": {"": lambda _: {}},
    "role_replace": {"": lambda world: {"roles": roles(world)}},
    "invitation_list": {"": lambda _: {}},
    "invitation_create": {
        "as viewer": lambda _: {"email": fresh_email(), "role": "viewer"},
        "as owner": lambda _: {"email": fresh_email(), "role": "owner"},
    },
    "invitation_revoke": {"": lambda world: {"invitation": world.invitation(fresh_email())}},
    "audit_list": {"": lambda _: {}},
    "collection_list": {"": lambda _: {}},
    "collection_create": {"": lambda _: {"key": "meeting", "label": "Meetings"}},
    "collection_update": {"": lambda world: {"collection": world.collection, "label": "Another"}},
    "field_list": {"": lambda world: {"collection": world.collection}},
    "field_replace": {
        "": lambda world: {"collection": world.collection, "fields": []},
        "a dry run": lambda world: {"collection": world.collection, "fields": [], "dryRun": True},
    },
    "workspace_types": {"": lambda _: {}},
    "record_list": {"": lambda world: {"collection": world.collection}},
    "record_get": {
        "": lambda world: {"id": world.record},
        "a deleted one": lambda world: {"id": world.deleted_record},
    },
    "record_create": {"": lambda world: {"collection": world.collection, "data": world.data}},
    "records_get": {"": lambda world: {"ids": [world.record]}},
    "record_update": {"": lambda world: {"id": world.record, "patch": {"title": "Another"}}},
    "record_delete": {"": lambda world: {"id": world.record}},
    "record_restore": {"": lambda world: {"id": world.deleted_record}},
    "record_move": {
        "": lambda world: {"id": world.record, "field": "status", "value": "In Review"}
    },
    "transaction_apply": {
        "a create": lambda world: {
            "operations": [{"type": "create", "collection": world.collection, "data": world.data}]
        },
        "a change": lambda world: {
            "operations": [
                {"type": "set", "recordId": world.record, "key": "title", "value": "Another"}
            ]
        },
        "a move": lambda world: {
            "operations": [
                {
                    "type": "move",
                    "recordId": world.record,
                    "field": "status",
                    "value": "In Review",
                }
            ]
        },
        "a delete": lambda world: {"operations": [{"type": "delete", "recordId": world.record}]},
    },
    "undo_list": {"": lambda _: {}},
    "transaction_undo": {"": lambda world: written(world)},
    "transaction_redo": {"": lambda world: undone(world)},
    "record_import": {
        "": lambda world: {
            "collection": world.collection,
            "rows": [{"line": 1, "transactionId": str(uuid.uuid4()), "data": world.data}],
        }
    },
    "record_activity": {"": lambda world: {"id": world.record}},
    "workspace_activity": {"": lambda _: {}},
    "comment_list": {"": lambda world: {"id": world.record}},
    "comment_create": {"": lambda world: {"id": world.record, "body": "Why?"}},
    "comment_update": {
        "one's own": lambda world: {"comment": world.own_comment, "body": "Oh."},
        "another's": lambda world: {"comment": world.anothers_comment, "body": "Oh."},
    },
    "comment_delete": {
        "one's own": lambda world: {"comment": world.own_comment},
        "another's": lambda world: {"comment": world.anothers_comment},
    },
    "attachment_list": {"": lambda world: {"id": world.record}},
    "attachment_check": {"": lambda world: {"id": world.record}},
    "attachment_create": {"": lambda world: attachment_of(world.record)},
    "attachment_get": {"": lambda world: {"attachment": world.attachment}},
    "attachment_delete": {"": lambda world: {"attachment": world.attachment}},
    "snapshot": {"": lambda _: {}},
    "changes": {"": lambda _: {"since": 0}},
    "search": {"": lambda world: {"q": world.data["title"]}},
    "search_all": {"": lambda world: {"q": world.data["title"]}},
    "stream_open": {"": lambda _: {}},
    "presence_enter": {
        "on no record": lambda _: {},
        "on the record": lambda world: {"recordId": world.record},
    },
    "atlas_task_list": {"": lambda _: {}},
    "atlas_task_create": {"": lambda world: {"data": world.data}},
    "atlas_task_update": {"": lambda world: {"id": world.record, "patch": {"title": "Another"}}},
    "atlas_field_list": {"": lambda _: {}},
    "simflow_request_create": {"": lambda world: {**world.data}},
    "simflow_request_status": {"": lambda world: {"id": world.record, "status": "In Review"}},
    "simflow_request_assign": {
        "": lambda world: {"id": world.record, "engineerId": world.mate.account}
    },
    "simflow_request_get": {"": lambda world: {"id": world.record}},
    "simflow_comment_create": {"": lambda world: {"id": world.record, "content": "Why?"}},
    "simflow_activity_list": {"": lambda world: {"id": world.record}},
    "simflow_user_list": {"": lambda _: {}},
    "campaign_execution": {"": lambda _: {}},
    "campaign_task_move": {"": lambda world: {"id": world.record, "position": 0}},
    "face_list": {"": lambda world: shaped(world)},
    "face_get": {"": lambda world: {"id": world.record, **shaped(world)}},
    "face_create": {"": lambda world: {**world.data, **shaped(world)}},
    "face_update": {"": lambda world: {"id": world.record, "title": "Another", **shaped(world)}},
    "face_delete": {"": lambda world: {"id": world.record, "faceCollection": world.collection}},
}


# By function and case, what a list is to tell of: an answer that does not is judged `none`.
TOLD: dict[tuple[str, str], Callable[[World], str]] = {
    ("record_list", ""): lambda world: world.record,
    ("snapshot", ""): lambda world: world.record,
    ("records_get", ""): lambda world: world.record,
    ("changes", ""): lambda world: world.record,
    ("workspace_activity", ""): lambda world: world.record,
    ("search", ""): lambda world: world.record,
    ("search_all", ""): lambda world: world.record,
    ("atlas_task_list", ""): lambda world: world.record,
    ("face_list", ""): lambda world: world.record,
    ("campaign_execution", ""): lambda world: world.record,
    ("workspace_list", ""): lambda world: world.workspace,
    ("workspace_list", "the deleted ones"): lambda world: world.deleted_workspace,
}


def written(world: World) -> dict[str, Any]:
    """Nothing to say; but the actor, if he may, has changed the record before."""
    body = {"id": world.record, "patch": {"description": f"Draft {uuid.uuid4()}"}}
    _by_actor(world, "record_update", body)
    return {}


def undone(world: World) -> dict[str, Any]:
    """Nothing to say; but the actor, if he may, has undone a change before."""
    written(world)
    _by_actor(world, "transaction_undo", {})
    return {}


def _by_actor(world: World, function: str, arguments: dict[str, Any]) -> None:
    if world.actor is not None and world.column in ("own", "edit", "admin", "owner"):
        world.succeed(function, world.actor, **arguments)


def oneself(world: World) -> str:
    """The actor; for nobody, an account that there is not."""
    return world.actor.account if world.actor else str(uuid.uuid4())


def shaped(world: World) -> dict[str, Any]:
    """What the address of a face says by itself."""
    return {"faceCollection": world.collection, "faceShape": "flat"}


def own_email(world: World) -> str:
    """The actor's address; for nobody, one without an account."""
    return world.actor.email if world.actor else fresh_email()


def fresh_email() -> str:
    """An address that nobody has."""
    return f"new-{uuid.uuid4().hex[:12]}@example.org"


def roles(world: World) -> list[dict[str, Any]]:
    """The workspace's own roles, with other labels."""
    rows = world.database.run(
        "select jsonb_build_object('key', key, 'label', 'New ' || label, 'read', read,"
        " 'edit', edit, 'may', may) from core.role where workspace_id = %s",
        world.workspace,
    )
    return [role for (role,) in rows]


def kind_of(function: str) -> str:
    """The kind of world that a function's calls are about."""
    kinds = {"atlas": "task", "campaign": "campaign task", "face": "todo task"}
    return kinds.get(function.split("_")[0], "request")


def kind_of_route(path: str, function: str = "") -> str:
    """The kind of world that a route is about."""
    kinds = {
        "/api/campaigns/{workspace}/phases": "campaign phase",
        "/api/campaigns": "campaign task",
        "/api/events": "campaign task",
        "/api/v1/tasks": "todo task",
        "/api/v1/categories": "todo category",
        "/api/tasks": "task",
        "/api/requests": "request",
    }
    found = [kind for start, kind in kinds.items() if path.startswith(start)]
    return found[0] if found else kind_of(function)


@dataclass(frozen=True)
class Request:
    """An HTTP request, but for who sends it."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    csv: str | None = None
    form: bytes | None = None


@dataclass(frozen=True)
class Case:
    """A row of the table of routes: its name and case, and the request that it is about.

    told: what the answer is to tell of.
    """

    name: str
    case: str
    kind: str
    request: Callable[[World], Request]
    told: Callable[[World], str] | None = None


def _of_route(route: Route, arguments: Arguments) -> Callable[[World], Request]:
    """The request that makes an endpoint call its function with these arguments."""

    def request(world: World) -> Request:
        rest = {k: v for k, v in arguments(world).items() if k not in route.arguments}
        workspace = rest.pop("workspace", world.workspace)
        path = route.path.replace("{workspace}", workspace)
        for name in list(rest):
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", rest.pop(name))
        if route.template is not None and "{id}" not in route.path:
            rest["workspaceId"] = workspace
        if route.body is not None:
            return Request(route.method, path, body=rest)
        return Request(route.method, path, {k: str(v).lower() for k, v in rest.items()})

    return request


def _password_reset_token(world: World) -> str:
    email = own_email(world)
    world.database.run("select trusted.password_reset_request(%s, '127.0.0.1')", email)
    return _mail_token(world, PASSWORD_RESET, email)


def _verify_token(world: World) -> str:
    email = fresh_email()
    world.database.run("select trusted.registration_request(%s, 'New', 'hash', '127.0.0.1')", email)
    return _mail_token(world, VERIFY_EMAIL, email)


def _mail_token(world: World, audience: str, email: str) -> str:
    token = world.database.value("select id from core.one_time_token where email = %s", email)
    return KEYS.sign(audience, {"jti": str(token)}, time.time() + 60)


def _acceptance(world: World, email: str) -> dict[str, Any]:
    claims = {"jti": world.invitation(email), "ws": world.workspace}
    body = {"token": KEYS.sign(INVITATION, claims, time.time() + 60)}
    return body if world.actor else {**body, "name": "New", "password": PASSWORD}


# By handler and case, the body.
_ACTIONS: dict[str, dict[str, Callable[[World], Any]]] = {
    "register": {
        "": lambda _: {"email": fresh_email(), "name": "New", "password": PASSWORD},
    },
    "verify_email": {"": lambda world: {"token": _verify_token(world)}},
    "login": {"": lambda world: {"email": own_email(world), "password": PASSWORD}},
    "demo_users": {"": lambda _: None},
    "demo_login": {"": lambda world: {"email": own_email(world)}},
    "refresh": {
        "": lambda world: {"refreshToken": world.actor.refresh_token if world.actor else "made up"},
    },
    "logout": {"": lambda _: None},
    "password_reset": {"": lambda world: {"email": own_email(world)}},
    "password_reset_confirm": {
        "": lambda world: {"token": _password_reset_token(world), "password": PASSWORD + "!"}
    },
    "update_me": {
        "the name": lambda _: {"name": "Another"},
        "the password": lambda _: {"password": PASSWORD + "!", "currentPassword": PASSWORD},
    },
    "accept_invitation": {
        "one's own": lambda world: _acceptance(world, own_email(world)),
        "another's": lambda world: _acceptance(world, fresh_email()),
    },
}


def _fixed(method: str, path: str, **more: Any) -> Callable[[World], Request]:
    return lambda world: Request(method, path.replace("{workspace}", world.workspace), **more)


def _with_body(route: PresenceRoute, body: Arguments) -> Callable[[World], Request]:
    return lambda world: Request(
        route.method, route.path.replace("{workspace}", world.workspace), body=body(world)
    )


def _action(method: str, path: str, body: Callable[[World], Any]) -> Callable[[World], Request]:
    return lambda world: Request(method, path, body=body(world))


PUBLIC = (
    *("/health/live", "/health/ready", "/", "/account", "/account/account.css"),
    *("/account/account.js", "/api/docs", "/api/docs/docs.css", "/api/docs/docs.js"),
    "/api/openapi.json",
)


def _file(route: FileRoute) -> Callable[[World], Request]:
    def request(world: World) -> Request:
        path = route.path.replace("{workspace}", world.workspace)
        if "{attachment}" in path:
            return Request(route.method, path.replace("{attachment}", world.attachment))
        return Request(route.method, path.replace("{id}", world.record), form=form(b"a file\n"))

    return request


IMPORT = "/api/v1/workspaces/{workspace}/import"


def _replay(world: World) -> Request:
    change = {"type": "set", "recordId": world.record, "key": "title", "value": "Another"}
    queue = [{"id": str(uuid.uuid4()), "operations": [change]}]
    path = REPLAY.replace("{workspace}", world.workspace)
    return Request("POST", path, body={"transactions": queue})


def cases() -> list[Case]:
    """Every case of every route."""
    found = [
        Case(
            f"{r.method} {r.path}",
            case,
            kind_of_route(r.path, r.function),
            _of_route(r, arguments),
            TOLD.get((r.function, case)),
        )
        for r in ROUTES
        for case, arguments in FUNCTIONS.get(r.function, {}).items()
    ]
    found += [
        Case(f"{a.method} {a.path}", case, "request", _action(a.method, a.path, body))
        for a in ACTIONS
        for case, body in _ACTIONS.get(a.handler, {}).items()
    ]
    for stream in STREAMS:
        kind = kind_of_route(stream.path)
        found.append(Case(f"GET {stream.path}", "", kind, _fixed("GET", stream.path)))
    for route in PRESENCE:
        name = f"{route.method} {route.path}"
        if route.body is None:
            found.append(Case(name, "", "request", _fixed(route.method, route.path)))
        else:
            found += [
                Case(name, case, "request", _with_body(route, arguments))
                for case, arguments in FUNCTIONS["presence_enter"].items()
            ]
    rows = {
        "query": {"collection": "request"},
        "csv": "title,description,vendor\nDrop test,Thrice,Contoso\n",
    }
    found.append(Case(f"POST {IMPORT}", "", "request", _fixed("POST", IMPORT, **rows)))
    found.append(Case(f"POST {REPLAY}", "", "request", _replay, lambda _: '"version"'))
    for file in (file for file in FILES if file.method != "HEAD"):
        found.append(Case(f"{file.method} {file.path}", "", "request", _file(file)))
    found += [Case(f"GET {path}", "", "request", _fixed("GET", path)) for path in PUBLIC]
    return found
