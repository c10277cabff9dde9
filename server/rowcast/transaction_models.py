"""What a transaction may hold: a model for each type of operation. What they do is SQL."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rowcast.models import WHOLE, Body, Document, Key, Text, Uuid, Version


def _one_of(word: str, **types: str) -> dict[str, Any]:
    """The schema of a model that needs one (anyOf), or just one (oneOf), of some members."""
    return {
        word: [
            {"required": [name], "properties": {name: {"type": type_}}}
            for name, type_ in types.items()
        ]
    }


_A_RECORD = _one_of("anyOf", recordId="string", id="string")
_A_FIELD = _one_of("oneOf", key="string", path="array")
_A_COLLECTION = _one_of("anyOf", collection="string", table="string")


class _Operation(Body):
    """What all operations say: which record, and perhaps of which collection.

    Source document 4 calls them `table` and `id`.
    """

    model_config = ConfigDict(json_schema_extra=_A_RECORD)

    collection: Key | None = None
    table: Key | None = None
    record_id: Text | None = None
    id: Text | None = None

    @model_validator(mode="after")
    def _names_a_record(self) -> Self:
        if self.record_id is None and self.id is None:
            raise ValueError("recordId is missing")
        return self


class _FieldOperation(_Operation):
    """A field, or a place within one."""

    model_config = ConfigDict(json_schema_extra={"allOf": [_A_RECORD, _A_FIELD]})

    key: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    path: Annotated[list[Text], Field(min_length=1, max_length=32)] | None = None

    @model_validator(mode="after")
    def _names_a_field(self) -> Self:
        if (self.key is None) == (self.path is None):
            raise ValueError("either key or path names the field")
        return self


class CreateOperation(Body):
    """A new record, perhaps with an id of the client's own."""

    model_config = ConfigDict(json_schema_extra=_A_COLLECTION)

    type: Literal["create"]
    collection: Key | None = None
    table: Key | None = None
    record_id: Uuid | None = None
    id: Uuid | None = None
    data: Document = Field(default={})

    @model_validator(mode="after")
    def _names_a_collection(self) -> Self:
        if self.collection is None and self.table is None:
            raise ValueError("collection is missing")
        return self


class SetOperation(_FieldOperation):
    """A value; null takes it away."""

    type: Literal["set"]
    value: Any


class SetNowOperation(_FieldOperation):
    """The time of the write."""

    type: Literal["set-now"]


class UnsetOperation(_FieldOperation):
    """No value any more."""

    type: Literal["unset"]


class MergeOperation(_Operation):
    """A merge patch (RFC 7396)."""

    type: Literal["merge"]
    patch: Document


class IncrementOperation(_FieldOperation):
    """A step up, or down; what is missing counts as 0."""

    type: Literal["increment"]
    by: int | float


class ListInsertOperation(_FieldOperation):
    """A value in a list, at its end or at a place."""

    type: Literal["list-insert"]
    value: Any
    before: Any = None
    after: Any = None
    index: Annotated[int, Field(ge=0, le=10**6), WHOLE] | None = None


class ListRemoveOperation(_FieldOperation):
    """A value out of a list."""

    type: Literal["list-remove"]
    value: Any


class MoveOperation(_Operation):
    """Where to, as POST …/move."""

    type: Literal["move"]
    field: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    value: Any = None
    before: Text | None = None
    after: Text | None = None


class DeleteOperation(_Operation):
    """A soft delete."""

    type: Literal["delete"]


class RestoreOperation(_Operation):
    """A deleted record back."""

    type: Literal["restore"]


Operation = Annotated[
    CreateOperation
    | SetOperation
    | SetNowOperation
    | UnsetOperation
    | MergeOperation
    | IncrementOperation
    | ListInsertOperation
    | ListRemoveOperation
    | MoveOperation
    | DeleteOperation
    | RestoreOperation,
    Field(discriminator="type"),
]


class Transaction(Body):
    """Operations that take effect together or not at all, by an id of the client's own."""

    id: Uuid | None = None
    operations: Annotated[list[Operation], Field(min_length=1, max_length=1000)]
    base_versions: Annotated[dict[Text, Version], Field(max_length=1000)] = Field(default={})
    on_conflict: Literal["reject", "theirs", "yours"] = "reject"

    @property
    def write_id(self) -> str | None:
        return self.id

    @property
    def is_heavy(self) -> bool:
        return len(self.operations) > 50


class QueuedTransaction(Transaction):
    """One of a queue: its id tells it from the others, and from itself when it comes again."""

    id: Uuid


class Replay(Body):
    """What a client did while it was offline, in order: what the document says of it."""

    transactions: Annotated[list[QueuedTransaction], Field(min_length=1, max_length=1000)]


class UncheckedTransaction(BaseModel):
    """What must be right of each for the others of its queue to be tried: it has an id."""

    model_config = ConfigDict(strict=True)

    id: Uuid


class UncheckedReplay(Body):
    """A queue as far as it is checked as a whole; what is wrong with one refuses only that one."""

    transactions: Annotated[list[UncheckedTransaction], Field(min_length=1, max_length=1000)]
