"""Request models: what a body or a query may hold. What it means is the database's business."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

Text = Annotated[str, Field(max_length=1000)]
Uuid = Annotated[
    str,
    Field(pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"),
]
# Not blank, and without control characters: names stand in headers of mails.
_TEXT = r"[^\x00-\x1f\x7f-\x9f]"
Name = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=rf"^{_TEXT}*[^\s\x00-\x1f\x7f-\x9f]{_TEXT}*$"),
]
CommentText = Annotated[str, Field(min_length=1, max_length=20_000)]
Key = Annotated[str, Field(max_length=40)]
# The pattern is for the document: what can be an address the database says (logic.account_check).
_ADDRESS = r"[^@\s\x00-\x1f\x7f-\x9f<>()\[\],;:\\\"]+"
Email = Annotated[
    str,
    Field(
        min_length=3,
        max_length=320,
        json_schema_extra={"pattern": rf"^(?!.*=\?) *{_ADDRESS}@{_ADDRESS} *$"},
    ),
]
Password = Annotated[str, Field(min_length=8, max_length=200)]
Search = Annotated[str, Field(max_length=200)]
# To JSON 3.0 is 3. (Last in an annotation: bounds behind it would be missing from the document.)
WHOLE = BeforeValidator(lambda x: int(x) if isinstance(x, float) and x.is_integer() else x)
Version = Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
Document = dict[str, Any]


class Body(BaseModel):
    """A request body: camelCase, and nothing that is not named here."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)

    @property
    def write_id(self) -> str | None:
        """The id of the write, where the body brings its own."""
        return None

    @property
    def is_heavy(self) -> bool:
        """Whether the write is too big to be put into a batch with others."""
        return False


class Nothing(Body):
    """No members."""


class WorkspaceCreate(Body):
    """A new workspace."""

    name: Name
    template: Annotated[str, Field(max_length=40)]


class WorkspaceUpdate(Body):
    """What of a workspace can change: its name, the language by which it is searched."""

    name: Name | None = None
    language: Annotated[str, Field(max_length=63)] | None = None


class WorkspaceListQuery(BaseModel):
    """Mine, or those of mine that are deleted and can be restored."""

    model_config = ConfigDict(extra="forbid")

    deleted: bool | None = None


class Transfer(Body):
    """To whom a workspace is handed over."""

    account_id: Uuid


class MemberUpdate(Body):
    """Another role."""

    role: Key


class Role(Body):
    """What its members may do, as tokens."""

    key: Key
    label: Name
    read: Annotated[list[Text], Field(max_length=100)] = []
    edit: Annotated[list[Text], Field(max_length=100)] = []
    may: Annotated[list[Text], Field(max_length=200)] = []


class Roles(Body):
    """All roles of a workspace."""

    roles: Annotated[list[Role], Field(max_length=100)]


class Option(Body):
    """An option of a select field. renamedFrom: what it was until now."""

    value: Text
    label: Name | None = None
    color: Annotated[str, Field(max_length=40)] | None = None
    renamed_from: Text | None = None


class FieldDefinition(Body):
    """A field of a collection. renamedFrom: its key until now; position: as the list has it."""

    key: Annotated[str, Field(max_length=100)]
    label: Name | None = None
    type: Key
    required: bool = False
    options: Annotated[list[Text | Option], Field(max_length=1000)] | None = None
    default: Any = None
    target: Key | None = None
    on_delete: Key | None = None
    renamed_from: Annotated[str, Field(max_length=100)] | None = None
    position: Annotated[int, WHOLE] | None = None


FieldDefinitions = Annotated[list[FieldDefinition], Field(max_length=1000)]


class Fields(Body):
    """All fields of a collection. dryRun: only say what would happen."""

    fields: FieldDefinitions
    dry_run: bool = False


class Step(Body):
    """A transition of a workflow; `*`: from any value, null: from none, or to none."""

    start: Annotated[Text | None, Field(alias="from")]
    to: Text | None
    roles: Annotated[list[Key], Field(max_length=100)] | None = None
    requires: Annotated[list[Text], Field(max_length=100)] | None = None


class FieldWorkflow(Body):
    """How the values of a select field may change."""

    field: Annotated[str, Field(max_length=100)]
    transitions: Annotated[list[Step], Field(max_length=1000)]


Workflow = Annotated[list[FieldWorkflow], Field(max_length=100)]


class CollectionCreate(Body):
    """A new collection."""

    key: Key
    label: Name
    plural: Key | None = None
    prefix: Key | None = None
    unknown_fields: Key | None = None
    fields: FieldDefinitions | None = None
    workflow: Workflow | None = None


class CollectionUpdate(Body):
    """What of a collection can change; workflow null: none."""

    label: Name | None = None
    plural: Key | None = None
    unknown_fields: Key | None = None
    workflow: Workflow | None = None


class Invitation(Body):
    """Whom to invite, in which role, and for how long."""

    email: Email
    role: Key
    expires_in_days: Annotated[int, Field(ge=1, le=90), WHOLE] | None = None


class Register(Body):
    """A new account."""

    email: Email
    password: Password
    name: Name


class Login(Body):
    """An account's e-mail address and password."""

    email: Email
    password: Annotated[str, Field(max_length=200)]


class MailToken(Body):
    """What came by mail."""

    token: Annotated[str, Field(max_length=2000)]


class Refresh(Body):
    """A refresh token."""

    refresh_token: Annotated[str, Field(max_length=200)]


class Logout(Body):
    """Perhaps a refresh token, for who has no other proof left."""

    refresh_token: Annotated[str, Field(max_length=200)] | None = None


class PasswordReset(Body):
    """Whose password."""

    email: Email


class PasswordResetConfirm(MailToken):
    """A new password, by what came by mail."""

    password: Password


class AccountUpdate(Body):
    """What of an account can change; a new password needs the old one."""

    name: Name | None = None
    avatar: Annotated[str, Field(max_length=2000, pattern="^(https?://.*)?$")] | None = None
    password: Password | None = None
    current_password: Annotated[str, Field(max_length=200)] | None = None


class TokenCreate(Body):
    """A personal access token: what for, and what it may besides reading."""

    name: Name
    scopes: Annotated[list[Literal["read", "write", "manage"]], Field(min_length=1, max_length=3)]
    expires_in_days: Annotated[int, Field(ge=1, le=3650), WHOLE] | None = None


class Acceptance(MailToken):
    """An invitation; who is new says name and password."""

    name: Name | None = None
    password: Password | None = None


class DemoLogin(Body):
    """A sample user."""

    email: Email


class RecordCreate(Body):
    """A new record. The id may be the client's own; the collection may stand in the query."""

    id: Uuid | None = None
    collection: Annotated[str, Field(max_length=100)] | None = None
    data: Document = {}


class RecordUpdate(Body):
    """A merge patch (RFC 7396), perhaps based on a version."""

    patch: Document
    base_version: Version | None = None


class RecordsGet(Body):
    """Which records."""

    ids: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=200)]


class RecordMove(Body):
    """Where to: another value of a field, and right before or right after which record."""

    field: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    value: Any = None
    before: Text | None = None
    after: Text | None = None


class CommentCreate(Body):
    """A comment, perhaps a reply to another. Its id may be the client's own."""

    body: CommentText
    parent_id: Uuid | None = None
    comment_id: Uuid | None = None


class CommentUpdate(Body):
    """What a comment says now."""

    body: CommentText


class AtlasTaskCreate(Body):
    """POST /api/tasks of Atlas."""

    workspace_id: Text | None = None
    id: Uuid | None = None
    data: Document = {}


class FlatBody(Body):
    """A body whose further members are the fields of a record."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow", strict=True)

    workspace_id: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _only_fields(cls, value: Any) -> Any:
        """What address and headers say is no field. Raises ValueError."""
        taken = {"ifMatch", "faceCollection", "faceShape"} & set(value)
        if taken:
            raise ValueError(f"no field can be called {', '.join(sorted(taken))}")
        return value


class FaceCreate(FlatBody):
    """A new record, flat or as {data}. The id may be the client's own."""

    id: Uuid | None = None
    data: Document = {}


class FaceUpdate(FlatBody):
    """What changes of a record (RFC 7396), flat or as {patch}, perhaps based on a version."""

    patch: Document = {}
    base_version: Version | None = None


class SimflowStatus(Body):
    """Another status of a request."""

    status: Text
    base_version: Version | None = None


class SimflowAssignment(Body):
    """Who works on a request (null: nobody), and how long that may take."""

    engineer_id: Uuid | None
    estimated_hours: Annotated[float, Field(ge=0, le=1e6)] | None = None


class SimflowComment(Body):
    """A comment on a request."""

    content: Annotated[str, Field(min_length=1, max_length=65536)]


class CampaignMove(Body):
    """Where a task goes: a phase, and its place there, from 0."""

    phase_id: Text | None = None
    position: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE] | None = None


class Query(BaseModel):
    """Query parameters: text that is read as what it should be, and none that is not named here."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    workspace_id: Text | None = None


class AtQuery(Query):
    """As it was at a seq of the log."""

    at: Annotated[int, Field(ge=0, le=2**62)] | None = None


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
    q: Search | None = None


class ListQuery(PageQuery):
    """Which page of which collection."""

    collection: Annotated[str, Field(max_length=100)]
    limit: Annotated[int, Field(ge=1, le=200)] | None = None
    cursor: Annotated[str, Field(max_length=4000)] | None = None


class CommentListQuery(Query):
    """Which comments; the cursor is the last answer's nextCursor."""

    cursor: Uuid | None = None
    limit: Annotated[int, Field(ge=1, le=200)] | None = None


class SearchAllQuery(BaseModel):
    """What to search for; the cursor is the last answer's nextCursor."""

    model_config = ConfigDict(extra="forbid")

    q: Search
    limit: Annotated[int, Field(ge=1, le=200)] | None = None
    cursor: Annotated[str, Field(max_length=4000)] | None = None


class SearchQuery(SearchAllQuery):
    """What to search for in one workspace, perhaps in one collection."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    workspace_id: Text | None = None
    collection: Annotated[str, Field(max_length=100)] | None = None


class FaceQuery(PageQuery):
    """Which page of a list whose collection its address says."""

    limit: Annotated[int, Field(ge=1, le=200)] | None = None
    cursor: Annotated[str, Field(max_length=4000)] | None = None


class SimflowUserQuery(Query):
    """Users of which role."""

    role: Key | None = None


class AuditQuery(Query):
    """Which part of the audit; the cursor is the last answer's nextCursor."""

    cursor: Annotated[int, Field(ge=1, le=2**62)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] | None = None


class ImportQuery(BaseModel):
    """What an import is to do; read in importer.py."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    collection: Annotated[str, Field(max_length=100)] | None = None
    map: dict[str, Text] | None = None
    dry_run: bool | None = None


class ActivityQuery(AuditQuery):
    """Which part of the activity; the cursor is the last answer's nextCursor."""


class ChangesQuery(Query):
    """Which part of the log."""

    since: Annotated[int, Field(ge=0, le=2**62)]
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    coalesce: bool | None = None


class DownloadQuery(BaseModel):
    """Whether a picture is to be shown, and not saved."""

    model_config = ConfigDict(extra="forbid")

    inline: Annotated[str, Field(pattern="^[01]$")] | None = None


class PresenceEnter(Body):
    """Where somebody is, and what he does there."""

    record_id: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    state: Literal["active", "idle", "typing"] = "active"


class EventsQuery(Query):
    """What a stream is to carry, and from where."""

    since: Annotated[int, Field(ge=0, le=2**62)] | None = None
    last_event_id: Annotated[str, Field(max_length=100)] | None = None
    collections: Text | None = None
    records: Annotated[str, Field(max_length=4000)] | None = None
    include: Annotated[str, Field(pattern="^record$")] | None = None
    ticket: Annotated[str, Field(max_length=100)] | None = None
    client: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")] | None = None
