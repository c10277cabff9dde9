"""Importing, its two ends: the command `rowcast import` and POST …/import (see rowimport.py)."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, NoReturn

import orjson
import psycopg
import typer
from aiohttp import web
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from rowcast.config import Settings
from rowcast.edge import pieces
from rowcast.endpoints import GATEWAY, IDENTITY, WRITER, path_members, unknown_workspace
from rowcast.gateway import Call, missing_function
from rowcast.identity import Actor
from rowcast.problems import Problem
from rowcast.rowfiles import FORMATS, Reader, RowFileError, reader, sniff
from rowcast.rowimport import Import, Plan, Rejected, Report, RowIds, plan_for
from rowcast.writer import Writer

BLOCK = 64 << 10
MAX_UPLOAD = 64 << 20
MAX_REPORTED = 1000  # rejected rows that an HTTP answer lists
_TRIES = 6  # of a chunk, where the database is away or busy
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UPLOADS = {"text/csv": "csv", "application/x-ndjson": "ndjson"}
_MAP_PARAMETER = re.compile(r"^map\[([^\[\]]{1,100})\]$")


# Over HTTP


async def import_endpoint(request: web.Request) -> web.Response:
    """POST …/import?collection=&map[title]=Summary&dryRun=true, the body CSV or NDJSON.

    Answers {created, skipped, rejected: [{line, reason}] (the first 1,000), rejectedCount, seq}.
    """
    actor = await request.app[IDENTITY].actor(request)
    workspace = path_members(request)["workspace"]
    if not _UUID.fullmatch(workspace):
        raise unknown_workspace()
    if request.content_type not in _UPLOADS:
        raise Problem(
            415, "unsupported_media_type", "Send CSV (text/csv) or NDJSON (application/x-ndjson)."
        )
    charset = (request.charset or "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "unsupported_media_type", "Send UTF-8.")
    if request.content_length is not None and request.content_length > MAX_UPLOAD:
        raise _too_large()
    name, mapping, collection, dry_run = _parameters(request)
    gateway = request.app[GATEWAY]
    function = gateway.functions.get("collection_list")
    if function is None or "record_import" not in gateway.functions:
        raise missing_function("record_import")
    answer = await gateway.read(
        Call(function, actor.account, "{}", workspace=workspace, session=actor.session)
    )
    plan = plan_for(orjson.loads(answer.body)["collections"], collection, mapping)
    listed: list[dict[str, Any]] = []

    def rejected(row: Rejected) -> None:
        if len(listed) < MAX_REPORTED:
            listed.append({"line": row.line, "reason": row.reason})

    with closing(RowIds(plan.collection, name)) as ids:
        running = Import(
            request.app[WRITER],
            workspace.lower(),
            actor,
            plan,
            reader(_UPLOADS[request.content_type]),
            ids,
            rejected,
            dry_run,
        )
        report = await _run(running, _upload(request))
    return web.json_response(
        {
            "created": report.created,
            "skipped": report.skipped,
            "rejected": listed,
            "rejectedCount": report.rejected,
            "seq": report.seq,
            **({"dryRun": True} if dry_run else {}),
        }
    )


def _parameters(request: web.Request) -> tuple[str, dict[str, str], str | None, bool]:
    """Name, mapping, collection, and whether it is a dry run. Raises Problem 422."""
    name = request.headers.get("Idempotency-Key")
    if name is not None and not 1 <= len(name) <= 255:
        raise Problem(422, "invalid_idempotency_key", "Idempotency-Key has 1 to 255 characters.")
    mapping: dict[str, str] = {}
    collection, dry_run, errors = None, False, []
    for key, value in request.query.items():
        if "\0" in key + value:
            raise Problem(422, "nul_character", "Text can't hold the NUL character.")
        if match := _MAP_PARAMETER.match(key):
            mapping[match[1]] = value
        elif key == "collection":
            collection = value
        elif key == "dryRun" and value in ("true", "false"):
            dry_run = value == "true"
        else:
            message = (
                "must be true or false" if key == "dryRun" else "is not a parameter of an import"
            )
            errors.append({"path": key, "message": message})
    if errors:
        raise Problem(422, "invalid_request", "The request has faults.", extra={"errors": errors})
    return f"key {name}" if name else "upload", mapping, collection, dry_run


async def _upload(request: web.Request) -> AsyncIterator[bytes]:
    size = 0
    async for block in pieces(request, BLOCK):
        size += len(block)
        if size > MAX_UPLOAD:
            raise _too_large()
        yield block


def _too_large() -> Problem:
    return Problem(
        413,
        "body_too_large",
        f"A body may have at most {MAX_UPLOAD >> 20} MiB here; send it in parts."
        " What came before is imported and will be skipped when it comes again.",
    )


async def _run(running: Import, blocks: AsyncIterator[bytes]) -> Report:
    """Feeds an import to its end. Raises Problem."""
    try:
        async for block in blocks:
            await running.feed(block)
        return await running.finish()
    except RowFileError as error:
        raise Problem(422, "invalid_file", f"{str(error)[0].upper()}{str(error)[1:]}.") from error
    finally:
        await running.cancel()


# On the command line

_err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def import_command(
    file: Annotated[str, typer.Argument(help="CSV, NDJSON or JSON; - for standard input.")],
    workspace: Annotated[
        str | None, typer.Option(help="Id, slug, name or number; default: the only one.")
    ] = None,
    collection: Annotated[str | None, typer.Option(help="Default: the only one.")] = None,
    mappings: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN", help="Again for each; createdAt=… for the time."
        ),
    ] = None,
    email: Annotated[
        str | None, typer.Option("--as", metavar="EMAIL", help="Who acts; default: the owner.")
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="csv, ndjson or json; default: found out.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, write nothing.")] = False,
) -> None:
    """Import rows as records. Running it again with the same file adds nothing twice."""
    from rowcast.cli import ready_database  # the command line and the application both import this

    if format_ is not None and format_ not in FORMATS:
        _fail(f"--format is one of {', '.join(FORMATS)}")
    mapping = _mapping(mappings or [])
    with _opened(file) as source, ready_database(Settings()) as found:
        try:
            target = _find(found.server, workspace, email)
            plan = plan_for(target["collections"], collection, mapping)
            report = asyncio.run(
                _import_file(file, source, format_, found.server, target, plan, dry_run)
            )
        except Problem as problem:
            _fail(problem.detail)
        except RowFileError as error:
            _fail(f"{file}: {error}")
    _say(report, file, dry_run)


def _mapping(pairs: list[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        name, equals, column = pair.partition("=")
        if not (equals and name and column):
            _fail(f"--map takes FIELD=COLUMN, not {pair!r}")
        if name in mapping:
            _fail(f"--map names the field {name!r} twice")
        mapping[name] = column
    return mapping


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = open(file, "rb")  # noqa: SIM115 - closed below; errors of reading are not ours
    except OSError as error:
        _fail(f"{file}: {error.strerror}")
    with source:
        yield source


def _find(server: str, workspace: str | None, email: str | None) -> dict[str, Any]:
    try:
        with psycopg.connect(server, autocommit=True) as connection:
            row = connection.execute(
                "select trusted.workspace_find(%s, %s)", [workspace, email]
            ).fetchone()
    except psycopg.Error as error:
        if error.sqlstate is not None and error.sqlstate.startswith("PT"):
            _fail(error.diag.message_primary or "refused")
        raise
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


async def _import_file(
    file: str,
    source: BinaryIO,
    format_: str | None,
    server: str,
    target: dict[str, Any],
    plan: Plan,
    dry_run: bool,
) -> Report:
    name = "stdin" if file == "-" else Path(file).name
    head = await asyncio.to_thread(source.read, BLOCK)
    rows = reader(format_ or sniff(name, head))
    writer = Writer(server)
    with (
        closing(RowIds(plan.collection, name)) as ids,
        closing(_RejectedFile(_rejected_path(file), rows, dry_run)) as rejected,
        _progress(file) as advance,
    ):
        running = Import(
            writer,
            target["id"],
            Actor(target["account"]["id"]),
            plan,
            rows,
            ids,
            rejected.write,
            dry_run,
            _TRIES,
        )

        async def blocks() -> AsyncIterator[bytes]:
            block = head
            while block:
                yield block
                advance(len(block))
                block = await asyncio.to_thread(source.read, BLOCK)

        work = asyncio.create_task(writer.run())
        try:
            async for block in blocks():
                await running.feed(block)
            return await running.finish()
        finally:
            await running.cancel()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


class _RejectedFile:
    """The rejected rows as they stood there, in a file of the same format."""

    def __init__(self, path: Path, rows: Reader, dry_run: bool) -> None:
        self._path, self._reader, self._dry_run = path, rows, dry_run
        self._file: BinaryIO | None = None

    def write(self, row: Rejected) -> None:
        """Reports a row, and keeps it."""
        _err.print(f"line {row.line}: {row.reason}")
        if self._dry_run:
            return
        if self._file is None:
            self._file = self._path.open("wb")
            self._file.write(self._reader.header)
        else:
            self._file.write(self._reader.separator)
        self._file.write(row.raw)

    def close(self) -> None:
        """Ends the file."""
        if self._file is not None:
            self._file.write(b"\n" + self._reader.footer)
            self._file.close()


def _rejected_path(file: str) -> Path:
    return Path("stdin.rejected" if file == "-" else f"{file}.rejected")


@contextmanager
def _progress(file: str) -> Iterator[Callable[[int], None]]:
    """A bar on standard error, if that is a terminal; gives what to tell of bytes read."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    total = None if file == "-" else os.path.getsize(file)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_err, transient=True) as progress:
        task: TaskID = progress.add_task(Path(file).name, total=total)
        yield lambda count: progress.advance(task, count)


def _say(report: Report, file: str, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    print(
        f"{report.created} {would}created, {report.skipped} {would}skipped (imported before), "
        f"{report.rejected} {would}rejected"
    )
    if report.rejected:
        kept = "" if dry_run else f"; they are in {_rejected_path(file)}"
        _fail(f"{report.rejected} rows {would or 'were '}rejected{kept}")


def _fail(message: str) -> NoReturn:
    _err.print(f"rowcast: {message}", style="red")
    raise SystemExit(1)
