"""What schemathesis loads: keeps the stage standing while operations pull it down, and counts."""

import atexit
import itertools
import json
import os
import uuid
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import psycopg
import schemathesis

from support import Database

_database = Database(os.environ["FUZZ_ADMIN"], os.environ["FUZZ_ADMIN"])
_connection = psycopg.connect(_database.admin, autocommit=True)
_connection.execute("set session_replication_role = replica")  # as if it had never been gone
_answers: defaultdict[str, Counter[int]] = defaultdict(Counter)
_calls = itertools.count()
_OURS = f"Bearer {os.environ['FUZZ_BEARER']}"
_ACCOUNT = "select trusted.account_create(gen_random_uuid() || '@example.org', 'New') ->> 'id'"
# What brings back what an operation takes away.
_REPAIRS = {
    "workspace_delete": "update core.workspace set deleted_at = null where deleted_at is not null",
    "workspace_transfer": "update core.member set role = 'owner'",
    "member_remove": "insert into core.member (workspace_id, account_id, role)"
    " select w.workspace_id, a.id, 'owner' from core.workspace w, core.account a"
    " where a.email like 'grace@%' on conflict do nothing",
    "invitation_revoke": "update core.invitation set revoked_at = null, accepted_at = null",
    "token_revoke": "update core.session set revoked_at = null where kind = 'token'",
    "record_delete": "update core.record set deleted_at = null where deleted_at is not null",
    "comment_delete": "update core.comment set deleted_at = null where deleted_at is not null",
    "attachment_delete": "update core.attachment set deleted_at = null",
}


for _statement in _REPAIRS.values():
    _connection.execute(_statement.encode())


@schemathesis.hook
def before_call(ctx: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Who erases himself or signs out is somebody new each time; so is the id of a write.

    Every other call leaves it to the server which workspace is meant.
    """
    _repair(case)
    if next(_calls) % 2 and case.query:
        case.query.pop("workspaceId", None)
    headers = case.headers
    key = headers.get("Idempotency-Key", "")
    if 1 <= len(key) <= 255:
        headers["Idempotency-Key"] = key[:200] + uuid.uuid4().hex
    ends = _name(case) in ("account_erase", "logout", "session_revoke")
    if ends and headers.get("Authorization") == _OURS:
        _database.accounts["New"] = _database.value(_ACCOUNT)
        headers["Authorization"] = f"Bearer {_database.token('New')}"


@schemathesis.hook
def after_call(ctx: Any, case: Any, response: Any) -> None:
    """What is gone is there again."""
    _answers[_name(case)][response.status_code] += 1
    _repair(case)


@atexit.register
def _tell() -> None:
    Path(os.environ["FUZZ_ANSWERS"]).write_text(json.dumps(_answers))


def _repair(case: Any) -> None:
    if _name(case) in _REPAIRS:
        _connection.execute(_REPAIRS[_name(case)].encode())


def _name(case: Any) -> str:
    return str(case.operation.definition.raw.get("operationId"))
