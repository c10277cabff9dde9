"""Errors: one table from SQLSTATE to HTTP, and problem bodies (RFC 9457).

The database raises `sqlstate 'PTnnn'` with a message, a stable code as its hint, and facts as JSON
in its detail; nnn is the HTTP status. Its own errors are told apart by SQLSTATE, never by text,
and their text does not leave the server: it may quote SQL or another tenant's values.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
import psycopg
from aiohttp import web

from rowcast import logs

log = logs.get("rowcast.problems")

# SQLSTATE, or the start of one -> (status, code, what to tell the client)
_SQLSTATES: tuple[tuple[str, tuple[int, str, str]], ...] = (
    ("57014", (503, "timeout", "This took too long and was given up; nothing was applied.")),
    ("57P", (503, "database_unavailable", "The database is away; nothing was applied.")),
    ("08", (503, "database_unavailable", "The database is away; nothing was applied.")),
    (
        "53",
        (
            503,
            "database_unavailable",
            "The database has no room for this now; nothing was applied.",
        ),
    ),
    ("25006", (405, "read_only", "This can't be done on a read-only connection.")),
    ("40", (503, "busy", "Others write to the same place; nothing was applied.")),
    ("55P03", (503, "busy", "Others write to the same place; nothing was applied.")),
    ("42501", (403, "not_permitted", "Your role does not let you do this.")),
    ("23505", (409, "already_exists", "There is one like this already.")),
    ("23", (422, "invalid_value", "A value is not allowed here.")),
    ("22", (422, "invalid_value", "A value has the wrong form or is out of range.")),
    ("54", (422, "too_complex", "This is too big or too deeply nested.")),
)


class Problem(Exception):
    """An error to tell the client: HTTP status, stable code, one sentence, and perhaps more facts.

    `extra` stands in the problem body beside the standard members; `headers` go with the response.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        if status in (429, 503):
            self.headers.setdefault("Retry-After", str(self.extra.pop("retryAfter", 1)))
        elif status == 401:
            self.headers.setdefault("WWW-Authenticate", "Bearer")

    def body(self) -> dict[str, Any]:
        """The members of the problem."""
        return {
            "type": f"urn:rowcast:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.extra,
        }

    def response(self) -> web.Response:
        """The response: `application/problem+json`."""
        return web.Response(
            status=self.status,
            body=orjson.dumps(self.body()),
            content_type="application/problem+json",
            headers=self.headers,
        )


def problem_from_state(state: str, message: str, hint: str | None, detail: str | None) -> Problem:
    """The problem for a SQLSTATE with the fields of its error."""
    if state.startswith("PT"):
        extra = orjson.loads(detail) if detail else {}
        return Problem(int(state[2:]), hint or "error", message, extra=extra)
    for prefix, (status, code, text) in _SQLSTATES:
        if state.startswith(prefix):
            return Problem(status, code, text)
    log.error("unexpected error of the database", state=state, message=message)
    return Problem(500, "internal_error", "Something went wrong on our side.")


def problem_from_error(error: psycopg.Error) -> Problem:
    """The problem for a database error; a lost connection has no SQLSTATE and counts as 08006."""
    diag = error.diag
    return problem_from_state(
        error.sqlstate or "08006",
        diag.message_primary or "",
        diag.message_hint,
        diag.message_detail,
    )


def unavailable() -> Problem:
    """503: the database is away, and nothing was applied."""
    return problem_from_state("08006", "", None, None)


def outcome_unknown() -> Problem:
    """504: the connection was lost with the write under way, and its fate can't be told."""
    return Problem(
        504,
        "outcome_unknown",
        "The database was lost while this was being written, and whether it was can't be told now."
        " Send it again with the same Idempotency-Key.",
    )
