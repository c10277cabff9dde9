"""What answers have in common."""

from typing import Annotated, Any
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


class HistorySince(Answer):
    """The last change that was trimmed from the log; what came after it is kept."""

    seq: int
    at: Time


Since = Annotated[
    HistorySince | None, Field(description="From where on there is history; null: from the start.")
]


class Fault(Answer):
    """One fault of a request, by its path; of a record that does not fit, with its display id."""

    path: str
    message: str
    display_id: str | None = None


class ConflictingKey(Answer):
    """A field that others changed too; without a key, a record that others changed or deleted.

    null stands for an absent field, and for a record that is deleted or to be; as base also for
    what the caller could not have read.
    """

    record_id: UUID
    key: str | None
    base: Any
    yours: Any
    theirs: Any


class Cause(Answer):
    """The refusal at the root of others in its queue."""

    transaction_id: UUID
    code: str


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
    cause: Annotated[Cause | None, Field(description="Of the code `depends_on_refused`.")] = None
    retry_after: Annotated[
        int | None, Field(description="Seconds, in a queue's answer: what the header else says.")
    ] = None
