"""The source systems."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from rowcast.answers.base import Answer, Document, Page, Seq, Time, Version, Written
from rowcast.answers.workspaces import RecordField, Workspace


class AtlasTask(Answer):
    """A task as Atlas knows it."""

    id: UUID
    workspace_id: UUID
    display_id: str
    sequence_number: int
    data: Document
    version: Version
    created_at: Time
    updated_at: Time


class AtlasTaskWritten(AtlasTask, Written):
    """A task, with the seq of the write."""


class AtlasTasks(Answer):
    """A page of tasks, from 0."""

    tasks: list[AtlasTask]
    page: int
    per_page: int
    has_more: bool


class AtlasField(RecordField):
    """A field of the tasks."""

    options: list[str]  # type: ignore[assignment]


class AtlasFields(Answer):
    """The fields of the tasks."""

    fields: list[AtlasField]


# The other faces


class FaceRecord(Answer):
    """A record as one flat object: its fields, and beside them what the server keeps."""

    model_config = ConfigDict(extra="allow")

    id: UUID
    display_id: str
    version: Version
    created_at: Time
    created_by: UUID | None
    updated_at: Time
    updated_by: UUID | None


class FaceRecordWritten(FaceRecord, Written):
    """A flat record, with the seq of the write."""


class FacePage(Page):
    """A list of flat records under the plural of their collection."""

    model_config = ConfigDict(extra="allow")


# Sim-Flow (source document 2)


class SimflowRequest(FaceRecord):
    """A request as Sim-Flow knows it."""

    title: str | None = None
    description: str | None
    vendor: str | None
    status: str | None
    priority: str | None
    created_by_name: str | None
    assigned_to: UUID | None
    assigned_to_name: str | None
    estimated_hours: float | None


class SimflowRequests(Page):
    """A page of requests."""

    requests: list[SimflowRequest]


class SimflowRequestWritten(Written):
    """A request, with the seq of the write."""

    request: SimflowRequest


class SimflowRemark(Answer):
    """A comment as Sim-Flow knows it."""

    id: UUID
    request_id: UUID
    author_id: UUID | None
    author_name: str | None
    author_role: str | None
    content: str
    created_at: Time


class SimflowRemarkWritten(Written):
    """A comment, with the seq of the write."""

    comment: SimflowRemark


class SimflowRequestTold(Answer):
    """A request with its comments, the oldest first."""

    request: SimflowRequest
    comments: list[SimflowRemark]


class ChangedField(Answer):
    """A field's value before and after; null stands for none."""

    model_config = ConfigDict(populate_by_name=True)

    from_: Annotated[Any, Field(alias="from")]
    to: Any


class SimflowDetails(Answer):
    """What was done, in a sentence, and to which fields."""

    text: str
    changes: dict[str, ChangedField]


class SimflowAction(Answer):
    """An entry of the activity log."""

    id: str
    request_id: UUID
    user_id: UUID | None
    user_name: str | None
    action: str
    details: SimflowDetails
    created_at: Time


class SimflowActivity(Answer):
    """What became of a request, the latest first."""

    activity: list[SimflowAction]


class SimflowUser(Answer):
    """A member of the workspace, as Sim-Flow knows it; the address is for who may manage."""

    id: UUID
    name: str
    email: str | None
    role: str
    avatar_url: str | None
    created_at: Time
    updated_at: Time


class SimflowUsers(Answer):
    """The members of the workspace."""

    users: list[SimflowUser]


# Campaign execution (source document 3)


class CampaignItem(FaceRecord):
    """A phase or a task; those of a phase stand in the order of sortKey, as text."""

    campaign_id: UUID
    sort_key: str


class CampaignItemWritten(CampaignItem, Written):
    """A phase or a task, with the seq of the write."""


class CampaignEntry(Answer):
    """An entry of the history: what was done, in a sentence."""

    id: str
    campaign_id: UUID
    task_id: UUID | None
    phase_id: UUID | None
    action: str
    details: str
    changes: dict[str, ChangedField]
    user_id: UUID | None
    user_name: str | None
    created_at: Time


class CampaignExecution(Answer):
    """All of a campaign, as of one seq."""

    campaign: Workspace
    phases: list[CampaignItem]
    tasks: list[CampaignItem]
    history: list[CampaignEntry]
    seq: Seq
