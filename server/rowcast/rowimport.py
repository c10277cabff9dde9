"""Rows of a file become records, each once, through the one write path.

A reader (rowfiles.py) gives rows, a Plan makes documents of them, an Import sends them in chunks
as calls of api.record_import. Each row has a transaction id derived from collection, file and
row, so that what is imported already is skipped, whether the last run was complete, killed, or of
a file with other faults.
"""

import asyncio
import hashlib
import re
import sqlite3
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from rowcast.gateway import Call, Function, new_transaction_id
from rowcast.identity import Actor
from rowcast.problems import Problem
from rowcast.rowfiles import Reader, Row, RowFileError, exact_float, exact_int
from rowcast.writer import Writer

CHUNK_ROWS = 500
CHUNK_BYTES = 512 << 10
IN_FLIGHT = 3
_NAMESPACE = uuid.UUID("0b7c6a52-6c0e-5b43-9d0e-3c7a1e2f4d15")
_TIME_COLUMNS = ("createdAt", "created_at", "created")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "on"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "off"), False),
}
_FUNCTION = Function("record_import", writes=True, in_workspace=True)


class BadRowError(ValueError):
    """A row that can't become a record; the message says why."""


# Rows become documents


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows become documents. types: of the collection's fields; mapping: field -> column."""

    collection: str
    types: Mapping[str, str]
    mapping: Mapping[str, str]

    def targets(self, columns: list[str]) -> dict[str, str]:
        """The field of each column, `createdAt` for the time of creation. Raises RowFileError."""
        for column in self.mapping.values():
            if column not in columns:
                raise RowFileError(
                    f"there is no column {column!r} to map; there are: {', '.join(columns)}"
                )
        targets = {column: self._target(column) for column in columns}
        for target in targets.values():
            if len(sources := [c for c in columns if targets[c] == target]) > 1:
                raise RowFileError(
                    f"the columns {sources[0]!r} and {sources[1]!r} both give {target!r}"
                )
        return targets

    def _target(self, column: str) -> str:
        for name, source in self.mapping.items():
            if source == column:
                return name
        named_time = column in _TIME_COLUMNS and column not in self.types
        return "createdAt" if named_time and "createdAt" not in self.mapping else column

    def document(self, row: Row, targets: Mapping[str, str]) -> tuple[bytes, str | None]:
        """The data of a record as JSON, and its time of creation. Raises BadRowError."""
        data: dict[str, Any] = {}
        created = None
        for column, value in (row.cells or {}).items():
            target = targets.get(column) or self._target(column)
            if value is None or (isinstance(value, str) and not value.strip()):
                continue
            if target == "createdAt" and target not in self.types:
                created = created_at(value, column)
                continue
            if target in data:
                raise BadRowError(f"two columns give {target!r}")
            data[target] = convert(value, self.types.get(target, ""), column)
        try:
            return orjson.dumps(data), created
        except orjson.JSONEncodeError as error:
            raise BadRowError(f"can't be stored: {error}") from error


def created_at(value: object, column: str) -> str:
    """A time of creation (ISO 8601, UTC where it does not say) as RFC 3339. Raises BadRowError."""
    try:
        found = datetime.fromisoformat(str(value).strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError) as error:
        raise BadRowError(f"{column}: {str(value)[:40]!r} is no time (ISO 8601)") from error


def convert(value: Any, kind: str, column: str) -> Any:
    """A text as the type of its field wants it; other values stay. Raises BadRowError."""
    if not isinstance(value, str) or kind not in ("number", "boolean", "multi_select"):
        return value
    text = value.strip()
    if kind == "multi_select":
        return [part for part in map(str.strip, text.split(";" if ";" in text else ",")) if part]
    if kind == "boolean":
        if text.lower() not in _BOOLEANS:
            raise BadRowError(f"{column}: {text[:40]!r} is neither true nor false")
        return _BOOLEANS[text.lower()]
    match = _NUMBER.fullmatch(text.removeprefix("+"))
    if match is None:
        raise BadRowError(f"{column}: {text[:40]!r} is no number")
    try:
        return exact_float(match[0]) if match[2] or match[3] else exact_int(match[0])
    except ValueError as error:
        raise BadRowError(f"{column}: {error}") from error


class RowIds:
    """The transaction ids of a file's rows: from collection, file name, row and its occurrence.

    Equal rows are told apart by counting, in a private database that moves to disk as it grows.
    """

    def __init__(self, collection: str, name: str) -> None:
        self._namespace = uuid.uuid5(_NAMESPACE, f"{collection}\n{name}")
        self._seen = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._seen.execute("pragma cache_size = -16384")
        self._seen.execute("create table seen (hash blob primary key, n integer) without rowid")
        self._seen.execute("begin")

    def next(self, raw: bytes) -> str:
        """The id of the next row with these bytes."""
        digest = hashlib.blake2b(raw, digest_size=16).digest()
        (occurrence,) = self._seen.execute(
            "insert into seen values (?, 1) on conflict do update set n = n + 1 returning n",
            [digest],
        ).fetchone()
        return str(uuid.uuid5(self._namespace, f"{digest.hex()} {occurrence}"))

    def close(self) -> None:
        """Forgets them."""
        self._seen.close()


# Documents become records


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not imported: its line, its bytes, and why."""

    line: int
    raw: bytes
    reason: str


@dataclass(slots=True)
class Report:
    """What an import did (or, in a dry run, would do). seq: of the log behind it."""

    created: int = 0
    skipped: int = 0
    rejected: int = 0
    seq: int | None = None


@dataclass(slots=True)
class _Chunk:
    rows: list[bytes] = field(default_factory=list)
    sources: list[Row] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return len(self.rows) + len(self.rejected) >= CHUNK_ROWS or self.size >= CHUNK_BYTES


@dataclass(slots=True)
class Import:
    """One import: feed it with bytes, finish it. rejected: called for each bad row, in order."""

    writer: Writer
    workspace: str
    actor: Actor
    plan: Plan
    reader: Reader
    ids: RowIds
    rejected: Callable[[Rejected], None]
    dry_run: bool = False
    tries: int = 1
    report: Report = field(default_factory=Report)
    _chunk: _Chunk = field(default_factory=_Chunk)
    _flying: "deque[tuple[_Chunk, asyncio.Task[dict[str, Any]]]]" = field(default_factory=deque)
    _targets: dict[str, str] | None = None
    _sent: bool = False

    async def feed(self, block: bytes) -> None:
        """Takes some bytes of the file. Raises RowFileError, Problem."""
        await self._take(self.reader.feed(block))

    async def finish(self) -> Report:
        """Sends the rest and waits for it. An empty file is sent too: rights are to be checked."""
        await self._take(self.reader.finish())
        if self._chunk.size or not self._sent:
            await self._send()
        while self._flying:
            await self._settle()
        return self.report

    async def cancel(self) -> None:
        """Gives up what is under way. What was sent may still be written: a later run finds it."""
        for _, task in self._flying:
            task.cancel()
        await asyncio.gather(*(task for _, task in self._flying), return_exceptions=True)

    async def _take(self, rows: Iterator[Row]) -> None:
        for row in rows:
            if self._targets is None:
                self._targets = (
                    self.plan.targets(self.reader.columns) if self.reader.columns else {}
                )
            self._add(row, self._targets)
            if self._chunk.full:
                await self._send()
        if self._targets is None and self.reader.columns:
            self._targets = self.plan.targets(self.reader.columns)

    def _add(self, row: Row, targets: Mapping[str, str]) -> None:
        chunk = self._chunk
        chunk.size += len(row.raw) + 1
        transaction = self.ids.next(row.raw)
        try:
            if row.cells is None:
                raise BadRowError(row.reason)
            data, created = self.plan.document(row, targets)
        except BadRowError as error:
            chunk.rejected.append(Rejected(row.line, row.raw, str(error)))
            return
        # The database's `line` is the place in the chunk: JSON may have many rows on one line.
        time = f',"createdAt":"{created}"' if created else ""
        head = f'{{"line":{len(chunk.rows)},"transactionId":"{transaction}"{time},"data":'
        chunk.sources.append(row)
        chunk.rows.append(head.encode() + data + b"}")

    async def _send(self) -> None:
        while len(self._flying) >= IN_FLIGHT:
            await self._settle()
        chunk, self._chunk, self._sent = self._chunk, _Chunk(), True
        self._flying.append((chunk, asyncio.create_task(self._call(chunk))))

    async def _call(self, chunk: _Chunk) -> dict[str, Any]:
        head = orjson.dumps({"collection": self.plan.collection, "dryRun": self.dry_run})
        arguments = head[:-1] + b',"rows":[' + b",".join(chunk.rows) + b"]}"
        transaction = new_transaction_id()
        for tried in range(1, self.tries + 1):
            call = Call(
                _FUNCTION,
                self.actor.account,
                arguments.decode(),
                workspace=self.workspace,
                session=self.actor.session,
                transaction=transaction,
                alone=True,
            )
            try:
                answer: dict[str, Any] = orjson.loads((await self.writer.call(call)).body)
                return answer
            except Problem as problem:
                if problem.code == "dry_run":
                    return problem.extra
                if tried == self.tries or problem.status not in (503, 504):
                    raise
            await asyncio.sleep(min(0.5 * 2**tried, 10))
        raise AssertionError("unreachable")

    async def _settle(self) -> None:
        """Waits for the oldest chunk and reports its rejected rows, in the order of the file."""
        chunk, task = self._flying[0]
        answer = await task
        self._flying.popleft()
        refused = [
            Rejected(chunk.sources[r["line"]].line, chunk.sources[r["line"]].raw, r["reason"])
            for r in answer["rejected"]
        ]
        for found in sorted(chunk.rejected + refused, key=lambda rejected: rejected.line):
            self.rejected(found)
        self.report.created += answer["created"]
        self.report.skipped += answer["skipped"]
        self.report.rejected += len(chunk.rejected) + len(refused)
        self.report.seq = max(self.report.seq or 0, answer["seq"])


def plan_for(
    collections: list[dict[str, Any]], collection: str | None, mapping: Mapping[str, str]
) -> Plan:
    """The plan for a collection, by key or plural (None: the only one). Raises Problem 404, 422."""
    found = [c for c in collections if collection in (None, c["key"], c["plural"])]
    keys = ", ".join(c["key"] for c in collections)
    if not found:
        raise Problem(
            404,
            "unknown_collection",
            f"There is no such collection in this workspace; there are: {keys}.",
        )
    if len(found) > 1:
        raise Problem(422, "ambiguous_collection", f"Say which collection is meant: {keys}.")
    types = {f["key"]: f["type"] for f in found[0]["fields"]}
    return Plan(found[0]["key"], types, mapping)
