"""Records, and what is said of them."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from rowcast.answers.base import Answer, Document, Page, Problem, Seq, Since, Time, Version, Written
from rowcast.answers.workspaces import Collection, Person, Workspace


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


class TransactionRefused(Answer):
    """Why a transaction of a queue did not take effect; 401, 503, 504: not, or not known, yet."""

    id: UUID
    problem: Problem


class Replayed(Answer):
    """What became of the transactions of a queue, in order; seq: the last of all their changes."""

    results: list[TransactionApplied | TransactionRefused]
    seq: int | None


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
    since: Since


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
    since: Since


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
