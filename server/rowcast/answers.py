"""Answer models: what an answer holds, for the OpenAPI document and the tests that compare.

Nothing is parsed by them at run time: answers are made in SQL and pass through as bytes.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Time = Annotated[AwareDatetime, Field(description="RFC 3339, UTC.")]
Seq = Annotated[int, Field(ge=0, description="The seq of the write's last change.")]
Version = Annotated[int, Field(ge=1)]
Document = dict[str, Any]


class Answer(BaseModel):
    """What all answers have in common: camelCase names."""

    model_config = ConfigDict(alias_generator=to_camel)


class Written(Answer):
    """Where a write stands in the log."""

    seq: Seq


class Page(Answer):
    """A list; nextCursor leads to what follows, null at the end."""

    next_cursor: str | None


class Fault(Answer):
    """One fault of a request, by its path; of a record that does not fit, with its display id."""

    path: str
    message: str
    display_id: str | None = None


class ConflictingKey(Answer):
    """A field that others changed too; null stands for an absent one."""

    record_id: UUID
    key: str
    base: Any
    yours: Any
    theirs: Any


class Problem(Answer):
    """An error (RFC 9457). `code` is stable; some codes bring further members."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, Field(pattern="^urn:rowcast:problem:[a-z_]+$")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="A sentence for people.")]
    code: Annotated[str, Field(description="Stable: tell errors apart by it.")]
    errors: Annotated[list[Fault], Field(description="Each fault, of a 422.")] = []
    conflicts: Annotated[list[ConflictingKey], Field(description="Of the code `conflict`.")] = []


# Accounts and signing in


class Account(Answer):
    """An account, as its holder sees it."""

    id: UUID
    email: str
    name: str
    avatar: str | None
    created_at: Time


class NewAccount(Answer):
    """The account that a link has made."""

    user: Account


class Erased(Answer):
    """What is gone, by its id; where no workspace has it in its log."""

    id: UUID


class SignedIn(Answer):
    """The secrets of a session."""

    user: Account
    access_token: str
    refresh_token: str
    expires_in: Annotated[int, Field(description="Seconds that the access token is good for.")]


class Status(Answer):
    """What became of the request, whoever asked."""

    status: Literal["verification_sent", "reset_sent", "password_changed", "signed_out"]


class SampleUser(Answer):
    """Somebody whom anybody may become, in the demo."""

    email: str
    name: str
    role: str


class SampleUsers(Page):
    """The demo's sample users."""

    users: list[SampleUser]


class SignIn(Answer):
    """Where an account is signed in."""

    id: UUID
    client: str | None
    address: str | None
    current: Annotated[bool, Field(description="Whether this request came by it.")]
    created_at: Time
    used_at: Time | None
    expires_at: Time


class SignIns(Page):
    """Where an account is signed in."""

    sessions: list[SignIn]


class AccessToken(Answer):
    """A personal access token, but for the token itself."""

    id: UUID
    name: str | None
    scopes: list[Literal["read", "write", "manage"]] | None
    created_at: Time
    used_at: Time | None
    expires_at: Time


class AccessTokens(Page):
    """The caller's personal access tokens."""

    tokens: list[AccessToken]


class NewAccessToken(AccessToken):
    """A personal access token, with the token, which is told this once."""

    token: Annotated[str, Field(pattern="^rct_")]


class RepeatedAccessToken(Answer):
    """What a repeat answers: the token was told once."""

    name: str
    scopes: list[str]


class Ticket(Answer):
    """Opens one stream, once: `?ticket=`."""

    ticket: str
    expires_in: Annotated[int, Field(description="Seconds.")]


# Workspaces


class Workspace(Answer):
    """A workspace, as a member sees it."""

    id: UUID
    number: int
    name: str
    slug: str | None
    template: str
    language: Annotated[str, Field(description="By which its texts are searched.")]
    epoch: Annotated[UUID, Field(description="Another one after a restore from a backup.")]
    role: Annotated[str, Field(description="The caller's.")]
    created_at: Time
    deleted_at: Time | None = None


class WorkspaceWritten(Workspace, Written):
    """A workspace, with the seq of the write."""


class Workspaces(Page):
    """The caller's workspaces."""

    workspaces: list[Workspace]


class Joined(Answer):
    """Somebody new, signed in, and the workspace that he joined."""

    user: Account
    access_token: str
    refresh_token: str
    expires_in: int
    workspace: WorkspaceWritten


class Deleted(Written):
    """What was deleted."""

    id: UUID


class Member(Answer):
    """A member, as other members see him; the address for who may manage."""

    id: UUID
    name: str
    avatar: str | None
    role: str
    joined_at: Time
    email: str | None = None


class MemberWritten(Member, Written):
    """A member, with the seq of the write."""


class Members(Page):
    """The members of a workspace."""

    members: list[Member]


class WorkspaceRole(Answer):
    """A role, and its rights as tokens: `*`, `task`, `task:own`, `task:unassigned`."""

    key: str
    label: str
    read: list[str]
    edit: list[str]
    may: Annotated[list[str], Field(description="Further verbs: `create:task`, `comment:*`, …")]


class WorkspaceRoles(Page):
    """The roles of a workspace."""

    roles: list[WorkspaceRole]


class RolesWritten(WorkspaceRoles, Written):
    """The roles of a workspace, with the seq of the write."""


class OpenInvitation(Answer):
    """An invitation."""

    id: UUID
    email: str
    role: str
    invited_by: UUID | None
    created_at: Time
    expires_at: Time


class InvitationWritten(OpenInvitation, Written):
    """An invitation, with the seq of the write."""


class OpenInvitations(Page):
    """The open invitations of a workspace."""

    invitations: list[OpenInvitation]


class Person(Answer):
    """Somebody, by id and name."""

    id: UUID
    name: str | None


class InvitedAddress(Answer):
    """An invitation that an event of the audit is about."""

    id: UUID
    email: str


class AuditEvent(Answer):
    """Who did what to whom."""

    seq: Seq
    transaction_id: UUID | None
    event: str
    role: str | None
    account: Person | None
    actor: Person | None
    at: Time
    name: str | None = None
    invitation: InvitedAddress | None = None


class AuditEvents(Page):
    """The audit, the newest first."""

    events: list[AuditEvent]


class FieldOption(Answer):
    """An option of a field."""

    value: str
    label: str
    color: str | None = None


class RecordField(Answer):
    """A field of a collection."""

    key: str
    label: str
    type: str
    required: bool
    options: list[FieldOption]
    default: Any
    target: str | None
    on_delete: Literal["refuse", "unset", "delete"]
    position: int


class Transition(Answer):
    """A step that a workflow allows."""

    start: Annotated[str | None, Field(alias="from")]
    to: str | None
    roles: list[str] | None = None
    requires: list[str] | None = None


class Transitions(Answer):
    """The steps of a field."""

    field: str
    transitions: list[Transition]


class Collection(Answer):
    """A collection, with its fields."""

    key: str
    plural: str
    label: str
    prefix: str
    unknown_fields: Literal["keep", "refuse"]
    workflow: list[Transitions] | None
    fields: list[RecordField]


class CollectionWritten(Collection, Written):
    """A collection that was written."""


class CollectionFields(Page):
    """The fields of a collection."""

    fields: list[RecordField]


class Renamed(Answer):
    """Another name."""

    start: Annotated[str, Field(alias="from")]
    to: str


class Converted(Answer):
    """Another type."""

    key: str
    start: Annotated[str, Field(alias="from")]
    to: str


class OptionChanges(Answer):
    """What becomes of the options of a field."""

    key: str
    renamed: dict[str, str]
    removed: list[str]


class FieldChanges(Answer):
    """What becomes of the fields of a collection."""

    added: list[str]
    removed: list[str]
    renamed: list[Renamed]
    converted: list[Converted]
    options: list[OptionChanges]
    filled: list[str]


class Migration(Written):
    """What a dry run would have done, and to how many records."""

    changes: FieldChanges
    records: int


class Collections(Page):
    """The collections of a workspace."""

    collections: list[Collection]


# Records


class Record(Answer):
    """A record; `data` is the document."""

    id: UUID
    display_id: str
    collection: str
    number: int
    data: Document
    position: str | None
    version: Version
    comment_count: int
    attachment_count: int
    created_at: Time
    created_by: UUID | None
    updated_at: Time
    updated_by: UUID | None
    deleted_at: Time | None


class RecordWritten(Record, Written):
    """A record, with the seq of the write."""


class Records(Page):
    """A page of records, under the plural of their collection (`tasks`)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, list[Record]]


Html = Annotated[str, Field(description="HTML: what matched is in <mark>, all else is escaped.")]


class CommentFound(Answer):
    """A comment in which something matched."""

    id: UUID
    highlight: Html | None


class Found(Answer):
    """A record that a search finds, and where: its texts by field, at most three comments."""

    record: Record
    rank: Annotated[float, Field(ge=0, le=1)]
    highlights: dict[str, Html]
    comments: list[CommentFound] | None = None


class SearchResults(Page):
    """What a search finds, the best first."""

    results: list[Found]


class FoundAnywhere(Found):
    """A record that a search finds, and in which workspace."""

    workspace_id: UUID


class SearchAllResults(Page):
    """What a search over all of one's workspaces finds, the best first."""

    results: list[FoundAnywhere]


class FoundRecords(Answer):
    """Several records, in the order asked for; of an id that names none in your sight, nothing."""

    records: list[Record]


class Gone(Answer):
    """A record that the caller can't see (any more), by its id."""

    id: UUID


class TransactionApplied(Written):
    """The records that a transaction wrote, in the order of their first change."""

    id: Annotated[UUID, Field(description="The transaction's.")]
    records: list[Record | Gone]


class TakenBack(Answer):
    """A write that was undone, or an undo that was redone."""

    id: UUID
    at: Time


class Skipped(Answer):
    """A field that undo left alone, since somebody changed it; without a key, a whole record."""

    record_id: UUID
    key: str | None
    yours: Any = None
    theirs: Any = None


class Undoable(Answer):
    """A write that can be undone or redone: what its first change did, and how many it has."""

    id: UUID
    seq: int
    at: Time
    text: Annotated[str | None, Field(description="null: out of your sight by now.")]
    count: int


class Undoables(Answer):
    """What the caller can undo and redo, the next one first."""

    undo: list[Undoable]
    redo: list[Undoable]


class Undone(TransactionApplied):
    """What undo or redo wrote, which write it took back, and what it left alone."""

    undone: TakenBack
    skipped: list[Skipped]


class Comment(Answer):
    """A comment on a record; a deleted one without its body."""

    id: UUID
    record_id: UUID
    parent_id: UUID | None
    body: str | None
    author: Person | None
    mentions: list[Person]
    created_at: Time
    edited_at: Time | None
    deleted_at: Time | None


class CommentWritten(Comment, Written):
    """A comment, with the seq of the write."""


class Comments(Page):
    """The comments of a record, the oldest first."""

    comments: list[Comment]


class ActivityChange(Answer):
    """A field that changed, with members by their names; what is long is cut."""

    key: str
    label: str
    from_: Annotated[Any, Field(alias="from")]
    to: Any


class Activity(Answer):
    """What somebody did, in a sentence whose subject is the actor."""

    seq: Seq
    at: Time
    actor: Person | None
    action: str
    collection: str | None
    record_id: UUID | None
    display_id: str | None
    transaction_id: UUID | None
    text: str
    changes: list[ActivityChange]


class Activities(Page):
    """What happened, the newest first; a page may be short although more follows."""

    activities: list[Activity]


class Attachment(Answer):
    """A file of a record."""

    id: UUID
    record_id: UUID
    name: str
    type: str
    size: Annotated[int, Field(ge=0, description="Bytes.")]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    created_at: Time
    created_by: UUID | None


class AttachmentWritten(Attachment, Written):
    """A file of a record, with the seq of the write."""


class Attachments(Page):
    """The files of a record, the oldest first."""

    attachments: list[Attachment]


class Snapshot(Answer):
    """All that the caller may read, as of one seq."""

    seq: Seq
    epoch: UUID
    workspace: Workspace
    collections: list[Collection]
    records: list[Record]


class Change(Answer):
    """A change, as a stream tells it (see docs/events.md); which members it has, `event` says."""

    model_config = ConfigDict(extra="allow")

    event: str
    seq: Seq
    workspace_id: UUID
    transaction_id: UUID | None
    at: Time


class Reset(Answer):
    """Why this can't be continued: start again from a snapshot."""

    reason: Literal["expired", "epoch", "overflow", "access"]
    seq: Seq
    epoch: UUID


class Changes(Answer):
    """The log behind a seq; `seq` is where to go on."""

    changes: list[Change]
    seq: Seq
    has_more: bool
    reset: Reset | None = None


class RejectedRow(Answer):
    """A row that was not imported."""

    line: int
    reason: str


class Imported(Answer):
    """What became of the rows of an import; of those rejected the first 1,000."""

    created: int
    skipped: int
    rejected: list[RejectedRow]
    rejected_count: int
    seq: Seq | None
    dry_run: bool = False


# Atlas (source document 1)


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


# The process


class Live(Answer):
    """The process answers."""

    status: Literal["live"]
    version: str


class Ready(Answer):
    """The database answers too."""

    status: Literal["ready"]
    version: str
    streams: int


# By operation: the SQL function of a route, or the handler. Several models: one of them.
ANSWERS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "account_get": (Account,),
    "account_erase": (Erased,),
    "update_me": (Account,),
    "session_list": (SignIns,),
    "session_revoke": (Erased,),
    "token_list": (AccessTokens,),
    "token_create": (NewAccessToken, RepeatedAccessToken),
    "token_revoke": (Erased,),
    "ticket_create": (Ticket,),
    "register": (Status,),
    "verify_email": (NewAccount,),
    "login": (SignedIn,),
    "demo_users": (SampleUsers,),
    "demo_login": (SignedIn,),
    "refresh": (SignedIn,),
    "logout": (Status,),
    "password_reset": (Status,),
    "password_reset_confirm": (Status,),
    "accept_invitation": (WorkspaceWritten, Joined),
    "workspace_list": (Workspaces,),
    "workspace_create": (Workspace,),
    "workspace_get": (Workspace,),
    "workspace_update": (WorkspaceWritten,),
    "workspace_delete": (Deleted,),
    "workspace_restore": (WorkspaceWritten,),
    "workspace_transfer": (WorkspaceWritten,),
    "member_list": (Members,),
    "member_update": (MemberWritten,),
    "member_remove": (Deleted,),
    "role_list": (WorkspaceRoles,),
    "role_replace": (RolesWritten,),
    "invitation_list": (OpenInvitations,),
    "invitation_create": (InvitationWritten,),
    "invitation_revoke": (Deleted,),
    "audit_list": (AuditEvents,),
    "collection_list": (Collections,),
    "collection_create": (CollectionWritten,),
    "collection_update": (CollectionWritten,),
    "field_list": (CollectionFields,),
    "field_replace": (CollectionWritten, Migration),
    "record_list": (Records,),
    "record_create": (RecordWritten,),
    "record_get": (Record,),
    "records_get": (FoundRecords,),
    "record_update": (RecordWritten,),
    "record_delete": (Deleted,),
    "record_restore": (RecordWritten,),
    "record_move": (RecordWritten,),
    "transaction_apply": (TransactionApplied,),
    "undo_list": (Undoables,),
    "transaction_undo": (Undone,),
    "transaction_redo": (Undone,),
    "comment_list": (Comments,),
    "record_activity": (Activities,),
    "workspace_activity": (Activities,),
    "comment_create": (CommentWritten,),
    "comment_update": (CommentWritten,),
    "comment_delete": (Deleted,),
    "attachment_list": (Attachments,),
    "attachment_upload": (AttachmentWritten,),
    "attachment_delete": (Deleted,),
    "search": (SearchResults,),
    "search_all": (SearchAllResults,),
    "snapshot": (Snapshot,),
    "changes": (Changes,),
    "record_import": (Imported,),
    "atlas_task_list": (AtlasTasks,),
    "atlas_task_create": (AtlasTaskWritten,),
    "atlas_task_update": (AtlasTaskWritten,),
    "atlas_field_list": (AtlasFields,),
    "face_list": (FacePage,),
    "face_get": (FaceRecord,),
    "face_create": (FaceRecordWritten,),
    "face_update": (FaceRecordWritten,),
    "face_delete": (Deleted,),
    "simflow_request_list": (SimflowRequests,),
    "simflow_request_get": (SimflowRequestTold,),
    "simflow_request_create": (SimflowRequestWritten,),
    "simflow_request_status": (SimflowRequestWritten,),
    "simflow_request_assign": (SimflowRequestWritten,),
    "simflow_comment_create": (SimflowRemarkWritten,),
    "simflow_activity_list": (SimflowActivity,),
    "simflow_user_list": (SimflowUsers,),
    "campaign_execution": (CampaignExecution,),
    "campaign_task_move": (CampaignItemWritten,),
    "live": (Live,),
    "ready": (Ready,),
}
