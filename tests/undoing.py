"""What the tests of undo share: records that nobody can undo, and what is to come back exactly."""

import json
from typing import Any

from support import Database


def content(database: Database, workspace: str) -> Any:
    """Documents, places and deletions: what undo is to bring back exactly."""
    return database.run(
        "select id::text, data, position, deleted_at is not null from core.record"
        " where workspace_id = %s order by id",
        workspace,
    )


def planted(database: Database, workspace: str, **data: Any) -> str:
    """A task that nobody wrote who could undo it; its id."""
    return planted_all(database, workspace, [data])[0]


def planted_all(database: Database, workspace: str, documents: list[dict[str, Any]]) -> list[str]:
    """A task for each document; their ids."""
    rows = database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'task', d.value from jsonb_array_elements(%s) d returning id::text",
        workspace,
        json.dumps(documents),
    )
    return [row[0] for row in rows]
