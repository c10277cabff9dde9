"""Workspaces: who is in them, and what their records look like."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from rowcast.answers.accounts import Account
from rowcast.answers.base import Answer, Page, Seq, Since, Time, Written


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
    since: Since


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


ClientId = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
PresenceState = Literal["active", "idle", "typing"]


class Present(Answer):
    """Somebody present, at one client."""

    account: Person
    client_id: ClientId
    record_id: Annotated[
        UUID | None, Field(description="Null on none, or on one that the caller may not read.")
    ]
    state: PresenceState
    since: Time


class Presences(Page):
    """Who is present, in the order in which they came."""

    present: list[Present]


class Entered(Answer):
    """How long the caller is present, unless he says so again."""

    client_id: ClientId
    record_id: UUID | None
    state: PresenceState
    expires_in: Annotated[int, Field(description="Seconds.")]


class Left(Answer):
    """Which client is no longer present."""

    client_id: ClientId
