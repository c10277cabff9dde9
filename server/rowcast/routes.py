"""The route table: method, path, SQL function, request model. One line per endpoint.

`{workspace}` is the workspace, `{id}` the record (uuid or display id). A face's routes name no
workspace in their path: it is that of the record, or `workspaceId`, or the caller's only one of the
face's template.
"""

from dataclasses import dataclass

from pydantic import BaseModel

from rowcast import models


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint that one SQL function answers.

    body: None for a request without one. patch: the body may also be a bare merge patch
    (application/merge-patch+json), which becomes its member `patch`.
    """

    method: str
    path: str
    function: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] = models.Query
    template: str | None = None
    status: int = 200
    patch: bool = False


@dataclass(frozen=True, slots=True)
class StreamRoute:
    """A stream of a workspace, in a form of events (see sql/faces/event.sql)."""

    path: str
    form: str


_W = "/api/v1/workspaces/{workspace}"

ROUTES = (
    Route("GET", "/api/v1/workspaces", "workspace_list", query=models.Nothing),
    Route(
        "POST",
        "/api/v1/workspaces",
        "workspace_create",
        models.WorkspaceCreate,
        query=models.Nothing,
        status=201,
    ),
    Route("GET", _W, "workspace_get"),
    Route("GET", f"{_W}/collections", "collection_list"),
    Route("GET", f"{_W}/records", "record_list", query=models.ListQuery),
    Route(
        "POST",
        f"{_W}/records",
        "record_create",
        models.RecordCreate,
        models.CreateQuery,
        status=201,
    ),
    Route("GET", f"{_W}/records/{{id}}", "record_get"),
    Route("PATCH", f"{_W}/records/{{id}}", "record_update", models.RecordUpdate, patch=True),
    Route("DELETE", f"{_W}/records/{{id}}", "record_delete"),
    Route("POST", f"{_W}/records/{{id}}/restore", "record_restore"),
    Route("POST", f"{_W}/records/{{id}}/move", "record_move", models.RecordMove),
    Route("GET", f"{_W}/snapshot", "snapshot"),
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
)

STREAMS = (
    StreamRoute(f"{_W}/events", "native"),
    StreamRoute("/api/tasks/{workspace}/events", "atlas"),
)
