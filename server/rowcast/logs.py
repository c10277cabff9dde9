"""Structured logs: one JSON object a line on standard output, one line per request."""

import logging
import sys
from typing import TYPE_CHECKING

import orjson
import structlog

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger, Processor

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(log_format: str, level: str) -> None:
    """Sets logging up for this process: `json` for machines, `console` for people."""
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
    logging.basicConfig(
        stream=sys.stdout, level=_LEVELS["warning"], format="%(message)s", force=True
    )


def get(name: str) -> "FilteringBoundLogger":
    """The logger of a module."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger
