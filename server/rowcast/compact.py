"""The command `rowcast compact`: trims what is older from the logs, a bounded step at a time.

What a step does is SQL (`trusted.log_compact`, `trusted.transactions_compact`). Each is a
transaction of its own that leaves the log sound, so that the command can be stopped anywhere, and
run again.
"""

import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, LiteralString

import psycopg
import typer
from psycopg.conninfo import make_conninfo
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rowcast.config import Settings

STEP = 10_000  # changes, or writes, in one transaction
TRIES = 20  # of a step that others held up
_BUSY = ("55P03", "40P01", "40001")
_OPTIONS = "-c lock_timeout=1s -c search_path=pg_catalog,pg_temp"
_AGE = re.compile(r"(\d{1,9})(s|min|h|d|w)")
_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_NOWHERE = "00000000-0000-0000-0000-000000000000"  # where the writes stand that no workspace has

_err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

Advance = Callable[[int], None]


def compact_command(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="90d, 12w, 36h, 30min, 0s.")
    ],
    workspaces: Annotated[
        list[str] | None,
        typer.Option("--workspace", help="Id, slug, name or number; again for each; default: all."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would trim.")] = False,
) -> None:
    """Trim the history that is older from the logs. It can't be brought back."""
    from rowcast.cli import ask, fail, ready_database  # which imports this

    age = _AGE.fullmatch(older_than)
    if age is None:
        fail(
            "--older-than takes a whole number of at most nine digits,"
            " and s, min, h, d or w behind it, such as 90d"
        )
    seconds = float(int(age[1]) * _SECONDS[age[2]])
    with ready_database(Settings(), migrated=False) as found:
        plan = ask(found, "select trusted.compact_plan(%s, %s)", seconds, workspaces or None)
        total = sum(of_it["target"] - of_it["floor"] for of_it in plan["workspaces"])
        conninfo = make_conninfo(found.server, options=_OPTIONS, application_name="rowcast compact")
        with (
            _progress(total, shown=not dry_run) as advance,
            psycopg.connect(conninfo, autocommit=True) as connection,
        ):
            for of_it in plan["workspaces"]:
                if dry_run:
                    said = _said(of_it, of_it["target"] - of_it["floor"], of_it["target"], dry_run)
                else:
                    said = _trimmed(connection, of_it, plan["before"], advance)
                print(said, flush=True)
            if not dry_run and not workspaces:
                _forget(connection, _NOWHERE, plan["before"])


def _trimmed(
    connection: psycopg.Connection, of_it: dict[str, Any], before: str, advance: Advance
) -> str:
    """Trims a workspace of the plan: the line on it."""
    try:
        changes, floor = trim(connection, of_it["id"], before, advance)
    except psycopg.Error as error:
        if error.sqlstate != "PT404":
            raise
        return f"{of_it['name']} (number {of_it['number']}): removed meanwhile"  # by the upkeep
    return _said(of_it, changes, floor, dry_run=False)


def trim(
    connection: psycopg.Connection, workspace: str, before: str, advance: Advance
) -> tuple[int, int]:
    """Trims a workspace: how many changes went, and up to which seq. Raises psycopg.Error."""
    changes, more = 0, True
    while more:
        step = _step(connection, "select trusted.log_compact(%s, %s, %s)", workspace, before, STEP)
        changes, more, floor = changes + step["changes"], step["more"], step["floor"]
        advance(step["changes"])
    _forget(connection, workspace, before)
    return changes, floor


def _forget(connection: psycopg.Connection, workspace: str, before: str) -> None:
    """Drops all but the keys of the writes whose changes are trimmed."""
    actor, key, more = None, None, True
    while more:
        step = _step(
            connection,
            "select trusted.transactions_compact(%s, %s, %s, %s, %s)",
            *(workspace, before, actor, key, STEP),
        )
        actor, key = step["actor"], step["id"]
        more = key is not None


def _step(
    connection: psycopg.Connection, statement: LiteralString, *parameters: object
) -> dict[str, Any]:
    """One step, again where others held it up. Raises psycopg.Error."""
    for tried in range(1, TRIES + 1):
        try:
            row = connection.execute(statement, parameters).fetchone()
        except psycopg.Error as error:
            if error.sqlstate not in _BUSY or tried == TRIES:
                raise
            time.sleep(random.uniform(0.01, 0.05) * tried)
        else:
            assert row is not None
            answer: dict[str, Any] = row[0]
            return answer
    raise AssertionError


def _said(of_it: dict[str, Any], changes: int, floor: int, dry_run: bool) -> str:
    """A line on what was trimmed of a workspace, and why not more."""
    said = f"{of_it['name']} (number {of_it['number']}): "
    if changes:
        counted = "1 change" if changes == 1 else f"{changes} changes"
        said += f"{counted} {'would be ' if dry_run else ''}trimmed, up to seq {floor}"
    else:
        said += "nothing to trim"
    if of_it["unread"]:
        one = of_it["unread"] == 1
        said += f"; {of_it['unread']} older {'one stays' if one else 'ones stay'}"
        said += f" until search has read {'it' if one else 'them'}"
    return said


@contextmanager
def _progress(total: int, *, shown: bool) -> Iterator[Advance]:
    """A bar on standard error, if that is a terminal; gives what to tell of trimmed changes."""
    if not (shown and sys.stderr.isatty()):
        yield lambda _: None
        return
    columns = (
        TextColumn("trimming"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=_err, transient=True) as progress:
        task = progress.add_task("trimming", total=total)
        yield lambda count: progress.advance(task, count)
