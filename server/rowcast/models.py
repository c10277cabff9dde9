"""Request models: what a body or a query may hold. What it means is the database's business."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Text = Annotated[str, Field(max_length=1000)]
Uuid = Annotated[
    str,
    Field(pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"),
]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Document = dict[str, Any]


class Body(BaseModel):
    """A request body: camelCase, and nothing that is not named here."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class Nothing(Body):
    """No members."""


class WorkspaceCreate(Body):
    """A new workspace."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    template: Annotated[str, Field(max_length=40)]


class RecordCreate(Body):
    """A new record. The id may be the client's own; the collection may stand in the query."""

    id: Uuid | None = None
    collection: Annotated[str, Field(max_length=100)] | None = None
    data: Document = {}


class RecordUpdate(Body):
    """A merge patch (RFC 7396), perhaps based on a version."""

    patch: Document
    base_version: Version | None = None


class RecordMove(Body):
    """Where to: another value of a field, and right before or right after which record."""

    field: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    value: Any = None
    before: Text | None = None
    after: Text | None = None


class AtlasTaskCreate(Body):
    """POST /api/tasks of Atlas."""

    workspace_id: Text | None = None
    id: Uuid | None = None
    data: Document = {}


class Query(BaseModel):
    """Query parameters: text that is read as what it should be, and none that is not named here."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    workspace_id: Text | None = None


class CollectionQuery(Query):
    """Which collection."""

    collection: Annotated[str, Field(max_length=100)]


class CreateQuery(Query):
    """Which collection, unless the body says it."""

    collection: Annotated[str, Field(max_length=100)] | None = None


class PageQuery(Query):
    """Which page of a list."""

    page: Annotated[int, Field(ge=0, le=10**6)] | None = None
    sort: Text | None = None
    filter: dict[str, dict[str, Text]] | None = None


class ListQuery(PageQuery):
    """Which page of which collection."""

    collection: Annotated[str, Field(max_length=100)]
    limit: Annotated[int, Field(ge=1, le=200)] | None = None
    cursor: Annotated[str, Field(max_length=4000)] | None = None


class ChangesQuery(Query):
    """Which part of the log."""

    since: Annotated[int, Field(ge=0, le=2**62)]
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None


class EventsQuery(Query):
    """What a stream is to carry, and from where."""

    since: Annotated[int, Field(ge=0, le=2**62)] | None = None
    last_event_id: Annotated[str, Field(max_length=100)] | None = None
    collections: Text | None = None
    records: Annotated[str, Field(max_length=8000)] | None = None
    include: Annotated[str, Field(pattern="^record$")] | None = None
