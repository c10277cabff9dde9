"""Structured logs: one JSON object a line on standard output, one line per request."""

import asyncio
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import structlog

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

_request_line: Callable[..., Any] | None = None
_waiting: list[bytes] = []
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(log_format: str, level: str) -> None:
    """Sets logging up for this process: `json` for machines, `console` for people."""
    global _request_line
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
        if log_format == "console"
        else structlog.processors.JSONRenderer(
            serializer=lambda x, **_: orjson.dumps(x, default=str).decode()
        )
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    if _LEVELS[level] <= _LEVELS["info"]:
        _request_line = get("rowcast").info if log_format == "console" else _write_later
    logging.basicConfig(
        stream=sys.stdout, level=_LEVELS["warning"], format="%(message)s", force=True
    )


def request(method: str, path: str, status: int, ms: float, request_id: str) -> None:
    """The line of a request, if requests are logged; `ms` is how long it took."""
    if _request_line is not None:
        _request_line(
            "request", method=method, path=path, status=status, ms=ms, request_id=request_id
        )


def get(name: str) -> "FilteringBoundLogger":
    """The logger of a module."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def _write_later(event: str, **fields: object) -> None:
    """Collects the lines of one turn of the event loop into one write: the hot path of the log."""
    if not _waiting:
        asyncio.get_running_loop().call_soon(_write_waiting)
    now = datetime.now(UTC)
    _waiting.append(orjson.dumps({**fields, "event": event, "level": "info", "timestamp": now}))


def _write_waiting() -> None:
    text = b"\n".join(_waiting).decode()
    _waiting.clear()
    print(text, flush=True)
