"""The route table: method, path, SQL function, request model. One line per endpoint.

`{workspace}` is the workspace, `{id}` the record (uuid or display id). A face's routes name no
workspace in their path: it is that of the record, or `workspaceId`, or the caller's only one of the
face's template.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from rowcast import models, transaction_models


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint that one SQL function answers.

    body: None for a request without one. patch: the body may also be a bare merge patch
    (application/merge-patch+json), which becomes its member `patch`. alone: a write too big to be
    put into a batch with others. media: the function answers a JSON string, whose text is sent, as
    this type. arguments: what the address says by itself; of these a query may name another only
    where its model has that parameter. name, summary: of the operation in the API's document, where
    they are not those of the function. tag: the part of the API, where its path does not say it
    (operations.TAGS).
    """

    method: str
    path: str
    function: str
    body: type[models.Body] | None = None
    query: type[BaseModel] = models.Query
    template: str | None = None
    status: int = 200
    patch: bool = False
    alone: bool = False
    media: str | None = None
    arguments: Mapping[str, object] = field(default_factory=dict, hash=False)
    name: str | None = None
    summary: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """An endpoint of sign-in and the like, by its handler in accounts.py."""

    method: str
    path: str
    handler: str
    body: type[models.Body] | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class FileRoute:
    """An endpoint that takes or sends a file, by its handler in attachments.py."""

    method: str
    path: str
    handler: str
    query: type[BaseModel] = models.Nothing


@dataclass(frozen=True, slots=True)
class PresenceRoute:
    """An endpoint of presence, by its handler in presence_endpoints.py."""

    method: str
    path: str
    handler: str
    body: type[models.Body] | None = None
    query: type[BaseModel] = models.Nothing


@dataclass(frozen=True, slots=True)
class StreamRoute:
    """A stream of a workspace, in some forms of events (faces.<form>_event in sql/faces/)."""

    path: str
    forms: tuple[str, ...]
    tag: str | None = None


def collection_of(
    face: str,
    path: str,
    collection: str,
    shape: str = "flat",
    template: str | None = None,
    tag: str | None = None,
) -> tuple[Route, ...]:
    """The endpoints of one collection of a face: its records in a shape (faces.<shape>).

    template: of the workspaces that are meant where none is named.
    """
    of = {"faceCollection": collection}
    shaped = {**of, "faceShape": shape}
    plural = path.rsplit("/", 1)[1]

    def route(method: str, verb: str, says: str, **more: Any) -> Route:
        return Route(
            method,
            path if verb in ("list", "create") else f"{path}/{{id}}",
            f"face_{verb}",
            name=f"{face}_{collection}_{verb}",
            summary=says.format(plural),
            tag=tag,
            **{"arguments": shaped, **more},
        )

    return (
        route("GET", "list", "A page of {}.", query=models.FaceQuery, template=template),
        route(
            "POST",
            "create",
            "A new one of {}.",
            body=models.FaceCreate,
            template=template,
            status=201,
        ),
        route("GET", "get", "One of {}."),
        route("PATCH", "update", "Changes one of {}.", body=models.FaceUpdate, patch=True),
        route("DELETE", "delete", "Deletes one of {}, restorably.", arguments=of),
    )


_W = "/api/v1/workspaces/{workspace}"
_ME = "/api/v1/me"
_AUTH = "/api/v1/auth"
_CAMPAIGN = "/api/campaigns/{workspace}"

ROUTES = (
    Route("GET", _ME, "account_get", query=models.Nothing),
    Route("DELETE", _ME, "account_erase", query=models.Nothing),
    Route("GET", f"{_ME}/sessions", "session_list", query=models.Nothing),
    Route("DELETE", f"{_ME}/sessions/{{session}}", "session_revoke", query=models.Nothing),
    Route("GET", f"{_ME}/tokens", "token_list", query=models.Nothing),
    Route("POST", f"{_ME}/tokens", "token_create", models.TokenCreate, models.Nothing, status=201),
    Route("DELETE", f"{_ME}/tokens/{{token}}", "token_revoke", query=models.Nothing),
    Route("POST", f"{_AUTH}/ticket", "ticket_create", query=models.Nothing),
    Route("GET", "/api/v1/workspaces", "workspace_list", query=models.WorkspaceListQuery),
    Route(
        "POST",
        "/api/v1/workspaces",
        "workspace_create",
        models.WorkspaceCreate,
        query=models.Nothing,
        status=201,
    ),
    Route("GET", _W, "workspace_get"),
    Route("PATCH", _W, "workspace_update", models.WorkspaceUpdate),
    Route("DELETE", _W, "workspace_delete"),
    Route("POST", f"{_W}/restore", "workspace_restore"),
    Route("POST", f"{_W}/transfer", "workspace_transfer", models.Transfer),
    Route("GET", f"{_W}/members", "member_list"),
    Route("PATCH", f"{_W}/members/{{account}}", "member_update", models.MemberUpdate),
    Route("DELETE", f"{_W}/members/{{account}}", "member_remove"),
    Route("GET", f"{_W}/roles", "role_list"),
    Route("PUT", f"{_W}/roles", "role_replace", models.Roles),
    Route("GET", f"{_W}/invitations", "invitation_list"),
    Route("POST", f"{_W}/invitations", "invitation_create", models.Invitation, status=201),
    Route("DELETE", f"{_W}/invitations/{{invitation}}", "invitation_revoke"),
    Route("GET", f"{_W}/audit", "audit_list", query=models.AuditQuery),
    Route("GET", f"{_W}/collections", "collection_list"),
    Route("POST", f"{_W}/collections", "collection_create", models.CollectionCreate, status=201),
    Route(
        "PATCH",
        f"{_W}/collections/{{collection}}",
        "collection_update",
        models.CollectionUpdate,
    ),
    Route("GET", f"{_W}/collections/{{collection}}/fields", "field_list"),
    Route(
        "PUT",
        f"{_W}/collections/{{collection}}/fields",
        "field_replace",
        models.Fields,
        alone=True,
    ),
    Route("GET", f"{_W}/types.d.ts", "workspace_types", media="application/typescript"),
    Route("GET", f"{_W}/records", "record_list", query=models.ListQuery),
    Route(
        "POST",
        f"{_W}/records",
        "record_create",
        models.RecordCreate,
        models.CreateQuery,
        status=201,
    ),
    Route("POST", f"{_W}/records/get", "records_get", models.RecordsGet),
    Route("GET", f"{_W}/records/{{id}}", "record_get", query=models.AtQuery),
    Route("PATCH", f"{_W}/records/{{id}}", "record_update", models.RecordUpdate, patch=True),
    Route("DELETE", f"{_W}/records/{{id}}", "record_delete"),
    Route("POST", f"{_W}/records/{{id}}/restore", "record_restore", query=models.AtQuery),
    Route("POST", f"{_W}/records/{{id}}/move", "record_move", models.RecordMove),
    Route("POST", f"{_W}/transactions", "transaction_apply", transaction_models.Transaction),
    Route("GET", f"{_W}/records/{{id}}/comments", "comment_list", query=models.CommentListQuery),
    Route(
        "POST",
        f"{_W}/records/{{id}}/comments",
        "comment_create",
        models.CommentCreate,
        status=201,
    ),
    Route("GET", f"{_W}/records/{{id}}/activity", "record_activity", query=models.ActivityQuery),
    Route("GET", f"{_W}/activity", "workspace_activity", query=models.ActivityQuery),
    Route("PATCH", f"{_W}/comments/{{comment}}", "comment_update", models.CommentUpdate),
    Route("DELETE", f"{_W}/comments/{{comment}}", "comment_delete"),
    Route("GET", f"{_W}/records/{{id}}/attachments", "attachment_list"),
    Route("DELETE", f"{_W}/attachments/{{attachment}}", "attachment_delete"),
    Route("GET", f"{_W}/undo", "undo_list"),
    Route("POST", f"{_W}/undo", "transaction_undo", alone=True),
    Route("POST", f"{_W}/redo", "transaction_redo", alone=True),
    Route("GET", f"{_W}/snapshot", "snapshot", query=models.AtQuery),
    Route("GET", f"{_W}/search", "search", query=models.SearchQuery),
    Route("GET", "/api/v1/search", "search_all", query=models.SearchAllQuery),
    Route("GET", f"{_W}/changes", "changes", query=models.ChangesQuery),
    # Atlas (source document 1)
    Route("GET", "/api/tasks", "atlas_task_list", query=models.PageQuery, template="tasks"),
    Route(
        "POST",
        "/api/tasks",
        "atlas_task_create",
        models.AtlasTaskCreate,
        template="tasks",
        status=201,
    ),
    Route("PATCH", "/api/tasks/{id}", "atlas_task_update", models.RecordUpdate, patch=True),
    Route("GET", "/api/fields", "atlas_field_list", template="tasks"),
    # Sim-Flow (source document 2)
    Route(
        "GET",
        "/api/requests",
        "face_list",
        query=models.FaceQuery,
        template="requests",
        arguments={"faceCollection": "request", "faceShape": "simflow_request", "limit": 200},
        name="simflow_request_list",
    ),
    Route(
        "POST",
        "/api/requests",
        "simflow_request_create",
        models.FaceCreate,
        template="requests",
        status=201,
    ),
    Route("GET", "/api/requests/{id}", "simflow_request_get"),
    Route("PATCH", "/api/requests/{id}/status", "simflow_request_status", models.SimflowStatus),
    Route("PATCH", "/api/requests/{id}/assign", "simflow_request_assign", models.SimflowAssignment),
    Route(
        "POST",
        "/api/requests/{id}/comments",
        "simflow_comment_create",
        models.SimflowComment,
        status=201,
    ),
    Route("GET", "/api/requests/{id}/activity", "simflow_activity_list"),
    Route(
        "GET", "/api/users", "simflow_user_list", query=models.SimflowUserQuery, template="requests"
    ),
    # Campaign execution (source document 3)
    Route("GET", f"{_CAMPAIGN}/execution", "campaign_execution"),
    *collection_of("campaign", f"{_CAMPAIGN}/tasks", "task", "campaign_item"),
    *collection_of("campaign", f"{_CAMPAIGN}/phases", "phase", "campaign_item"),
    Route("POST", f"{_CAMPAIGN}/tasks/{{id}}/move", "campaign_task_move", models.CampaignMove),
    # To-do list (source document 5)
    *collection_of("todo", "/api/v1/tasks", "task", "todo_task", "todo"),
    *collection_of("todo", "/api/v1/categories", "category", template="todo"),
)

# What needs more than one call: a password to check, a link to verify, a cookie to set.
ACTIONS = (
    Action("POST", f"{_AUTH}/register", "register", models.Register, 202),
    Action("POST", f"{_AUTH}/verify-email", "verify_email", models.MailToken, 201),
    Action("POST", f"{_AUTH}/login", "login", models.Login),
    Action("GET", f"{_AUTH}/demo", "demo_users"),
    Action("POST", f"{_AUTH}/demo", "demo_login", models.DemoLogin),
    Action("POST", f"{_AUTH}/refresh", "refresh", models.Refresh),
    Action("POST", f"{_AUTH}/logout", "logout", models.Logout),
    Action("POST", f"{_AUTH}/password-reset", "password_reset", models.PasswordReset, 202),
    Action(
        "POST",
        f"{_AUTH}/password-reset/confirm",
        "password_reset_confirm",
        models.PasswordResetConfirm,
    ),
    Action("PATCH", _ME, "update_me", models.AccountUpdate),
    Action("POST", "/api/v1/invitations/accept", "accept_invitation", models.Acceptance),
)

# What is more than JSON.
FILES = (
    FileRoute("POST", f"{_W}/records/{{id}}/attachments", "upload"),
    FileRoute("GET", f"{_W}/attachments/{{attachment}}", "download", models.DownloadQuery),
    FileRoute("HEAD", f"{_W}/attachments/{{attachment}}", "download", models.DownloadQuery),
)

# Who is there, which stands in no table.
PRESENCE = (
    PresenceRoute("PUT", f"{_W}/presence", "enter", models.PresenceEnter),
    PresenceRoute("DELETE", f"{_W}/presence", "leave"),
    PresenceRoute("GET", f"{_W}/presence", "list"),
)

STREAMS = (
    StreamRoute(f"{_W}/events", ("native",)),
    StreamRoute("/api/tasks/{workspace}/events", ("atlas",)),
    StreamRoute("/api/events/{workspace}", ("campaign", "campaign_history")),
    StreamRoute("/api/v1/tasks/{workspace}/events", ("todo",)),
)
