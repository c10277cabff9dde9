"""The records of one workspace, written as psql does, and what a test reads of them."""

from typing import Any

from psycopg.types.json import Jsonb

from support import Database


class Table:
    """core.record of one workspace, written by a superuser without any of the stored logic."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.workspace = database.workspace()

    def insert(self, collection: str = "task", **data: Any) -> str:
        """A new record; its id."""
        return str(
            self.database.value(
                "insert into core.record (workspace_id, collection, data) values (%s, %s, %s)"
                " returning id",
                self.workspace, collection, Jsonb(data),
            )
        )  # fmt: skip

    def update(self, record: str, assignment: str, *parameters: Any) -> None:
        """`update core.record set <assignment>` of one record."""
        self.database.run(
            f"update core.record set {assignment} where workspace_id = %s and id = %s",  # noqa: S608
            *parameters, self.workspace, record,
        )  # fmt: skip

    def row(self, record: str) -> dict[str, Any]:
        """A record as it stands."""
        row: dict[str, Any] = self.database.value(
            "select to_jsonb(r) from core.record r where workspace_id = %s and id = %s",
            self.workspace, record,
        )  # fmt: skip
        return row

    def log(self) -> list[dict[str, Any]]:
        """The changes of records, in order."""
        rows = self.database.run(
            "select to_jsonb(c) from core.change c"
            " where workspace_id = %s and action <> 'access' order by seq",
            self.workspace,
        )
        return [row for (row,) in rows]

    def seqs(self) -> list[int]:
        """All seqs of the log, in order."""
        rows = self.database.run(
            "select seq from core.change where workspace_id = %s order by seq", self.workspace
        )
        return [seq for (seq,) in rows]

    def other_collection(self) -> str:
        """The key of a second collection."""
        self.database.run(
            "insert into core.collection (workspace_id, key, plural, label, prefix)"
            " values (%s, 'note', 'notes', 'Notes', 'NTE')",
            self.workspace,
        )
        return "note"

    def user_field(self, key: str) -> None:
        """Makes a field of tasks one that holds users."""
        self.database.run(
            "insert into core.field (workspace_id, collection, key, label, type)"
            " values (%s, 'task', %s, 'A user', 'user')",
            self.workspace, key,
        )  # fmt: skip
