"""`rowcast doctor`: checks an installation, a line per check, and says how to repair it."""

import asyncio
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from rowcast.config import Settings, SettingsError
from rowcast.embedded import EmbeddedPostgresError
from rowcast.listener import CHANNEL
from rowcast.resources import resource_directory
from rowcast.schema import read_bundle
from rowcast.serve import Database, database

_ROOM = 1 << 30  # bytes that a disk should have free
_NOTIFY_SECONDS = 5.0
_MIGRATE = "run: rowcast migrate"
_NOT_MADE = ("42883", "42501", "42P01", "3F000")  # no such function, schema, or no right to it

_Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. fix: what to do about it; empty where all is well."""

    check: str
    found: str
    fix: str = ""


def run(settings: Settings) -> int:
    """Prints a line per check. Returns 0 if all is well, 1 if something is to be done."""
    wrong = 0
    for finding in findings(settings):
        wrong += bool(finding.fix)
        line = f"{'FAIL' if finding.fix else 'ok  '} {finding.check}: {finding.found}"
        print(f"{line}; {finding.fix}" if finding.fix else line, flush=True)
    return min(wrong, 1)


def findings(settings: Settings) -> Iterator[Finding]:
    """All checks, each as soon as it is made; what needs a thing that is broken is left out."""
    yield Finding("settings", "valid")
    yield from _data_directory(settings)
    if settings.database_url is None and not (settings.data_dir / "postgres" / "data").exists():
        where = f"the embedded one, not made yet in {settings.data_dir}"
        yield Finding("database", where, "run: rowcast serve (or migrate), which makes it")
        return
    try:
        settings.secret()
    except SettingsError as error:
        yield Finding("secret key", "missing", str(error))
        return
    yield Finding("secret key", "set" if settings.secret_key else "kept in the data directory")
    with ExitStack() as stack:
        try:
            found = stack.enter_context(database(settings))
            if found.admin is not None:
                _connect(found.admin).close()
        except (psycopg.Error, EmbeddedPostgresError) as error:
            yield _unreachable(settings, error)
            return
        try:
            server = stack.enter_context(_connect(found.server))
        except psycopg.Error as error:
            if found.admin is None:
                yield _unreachable(settings, error)
            else:
                yield Finding("server role", f"can't sign in: {_last_line(error)}", _MIGRATE)
            return
        yield from _database(found, server)
        yield from _listening(found)


def _connect(url: str) -> _Connection:
    return psycopg.connect(url, autocommit=True, connect_timeout=10)


def _unreachable(settings: Settings, error: Exception) -> Finding:
    """Never quotes the URL: it holds a password."""
    name = "the embedded one" if settings.database_url is None else "ROWCAST_DATABASE_URL"
    fix = f"check {name}, and that its server runs"
    return Finding("database", f"can't be reached: {_last_line(error)}", fix)


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__


# Around the database


def _data_directory(settings: Settings) -> Iterator[Finding]:
    """The directory of the embedded database and the generated key: ours alone, and with room."""
    path = settings.data_dir
    if not path.exists():
        if settings.database_url is None:
            yield Finding("data directory", f"{path} will be made")
        return
    secret = path / "secret-key"
    fault = _fault(path, secret)
    yield fault or Finding("data directory", f"{path}")
    free = shutil.disk_usage(path).free
    room = f"{free >> 20:,} MiB free at {path}"
    yield Finding("disk", room, "" if free >= _ROOM else "make room: 1 GiB at least")


def _fault(path: Path, secret: Path) -> Finding | None:
    check = "data directory"
    if not path.is_dir():
        return Finding(check, f"{path} is no directory", "set ROWCAST_DATA_DIR to another place")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Finding(check, f"{path} can't be written", f"run: chown -R $(id -u) {path}")
    if secret.exists() and stat.S_IMODE(secret.stat().st_mode) & 0o077:
        return Finding(check, f"others may read {secret}", f"run: chmod 600 {secret}")
    if secret.exists() and len(secret.read_text().strip()) < 32:
        fix = f"remove {secret}: a new key is made, and tokens handed out before end"
        return Finding(check, f"the key in {secret} is too short", fix)
    data = path / "postgres" / "data"
    if data.exists() and stat.S_IMODE(data.stat().st_mode) & 0o077:
        return Finding(check, f"others may enter {data}", f"run: chmod 700 {data}")
    return None


def _listening(found: Database) -> Iterator[Finding]:
    """A notification sent where the server writes arrives where it listens (no pooler)."""
    fix = "set ROWCAST_LISTEN_DATABASE_URL to a direct connection, not through a pooler"
    try:
        heard = asyncio.run(_round_trip(found))
    except psycopg.Error as error:
        yield Finding("listening", f"fails: {_last_line(error)}", fix)
        return
    if heard:
        yield Finding("listening", "a notification came back")
    else:
        yield Finding("listening", "a notification did not come back", fix)


async def _round_trip(found: Database) -> bool:
    connect = psycopg.AsyncConnection.connect
    word = f"doctor {uuid.uuid4()}"
    async with await connect(found.listen, autocommit=True, connect_timeout=10) as listening:
        await listening.execute(f"listen {CHANNEL}")
        async with await connect(found.server, autocommit=True, connect_timeout=10) as sending:
            await sending.execute("select pg_notify(%s, %s)", [CHANNEL, word])
        async for notification in listening.notifies(timeout=_NOTIFY_SECONDS):
            if notification.payload == word:
                return True
    return False


# In the database


def _database(found: Database, server: _Connection) -> Iterator[Finding]:
    major = server.info.server_version // 10000
    fix = "" if 15 <= major <= 18 else "use PostgreSQL 15 to 18"
    yield Finding("database", f"reachable, PostgreSQL {major}", fix)
    yield _server_role(server)
    yield _roles(server)
    yield _owner(server)
    yield _row_security(server)
    try:
        row = server.execute("select trusted.installation_check()").fetchone()
    except psycopg.Error as error:
        if error.sqlstate not in _NOT_MADE:
            raise
        yield Finding("schema", "not up to date", _MIGRATE)
        return
    assert row is not None
    yield _schema(row[0])
    yield from _workspaces(row[0])


def _server_role(server: _Connection) -> Finding:
    """Who the server is: nobody who could look past row-level security."""
    name, too_much = _row(
        server,
        "select r.rolname, array_remove(array["
        " case when r.rolsuper then 'superuser' end, case when r.rolbypassrls then 'bypassrls' end,"
        " case when r.rolcreaterole then 'createrole' end, case when exists ("
        "  select from pg_roles o where o.rolname = 'rowcast_owner'"
        "  and pg_has_role(r.oid, o.oid, 'member')) then 'member of rowcast_owner' end], null)"
        " from pg_roles r where r.rolname = current_user",
    )
    if too_much:
        fix = (
            f"as a superuser: alter role {name} nosuperuser nobypassrls nocreaterole;"
            f" revoke rowcast_owner from {name}"
        )
        return Finding("server role", f"{name} may do too much ({', '.join(too_much)})", fix)
    return Finding("server role", f"{name} can't bypass row-level security")


def _roles(server: _Connection) -> Finding:
    """The three roles and their attributes."""
    (faults,) = _row(
        server,
        "select array_agg(e.role || case when r.oid is null then ' is missing'"
        "  else ' has other attributes' end order by e.role)"
        " from (values ('rowcast_owner', false), ('rowcast_server', true),"
        "  ('rowcast_analyst', false))"
        "  e(role, login)"
        " left join pg_roles r on r.rolname = e.role"
        " where r.oid is null or r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb"
        "  or r.rolreplication or r.rolcanlogin <> e.login",
    )
    if not faults:
        return Finding(
            "roles", "rowcast_owner, rowcast_server and rowcast_analyst are as they must be"
        )
    fix = (
        f"{_MIGRATE}; for one that has other attributes, as a superuser: alter role <role>"
        " nosuperuser nobypassrls nocreaterole nocreatedb noreplication, login for the server only"
    )
    return Finding("roles", ", ".join(faults), fix)


def _owner(server: _Connection) -> Finding:
    """A definer function runs as its owner: one of a superuser's is a superuser."""
    (others,) = _row(
        server,
        "select array_agg(o.what order by o.what) from ("
        " select n.nspname || '.' || c.relname, c.relowner from pg_class c"
        "  join pg_namespace n on n.oid = c.relnamespace where n.nspname = any (%(schemas)s)"
        " union all select n.nspname || '.' || p.proname || '()', p.proowner from pg_proc p"
        "  join pg_namespace n on n.oid = p.pronamespace where n.nspname = any (%(schemas)s)"
        " union all select n.nspname, n.nspowner from pg_namespace n"
        "  where n.nspname = any (%(schemas)s)"
        ") o(what, owner) where o.owner::regrole::text <> 'rowcast_owner'",
        {"schemas": ["core", "logic", "api", "faces", "reporting", "trusted"]},
    )
    if not others:
        return Finding("ownership", "every object belongs to rowcast_owner")
    found = f"{len(others)} objects belong to others, such as {others[0]}"
    return Finding("ownership", found, "as a superuser: alter … owner to rowcast_owner, for each")


def _row_security(server: _Connection) -> Finding:
    """What the server may read as it likes must be behind row-level security."""
    (open_tables,) = _row(
        server,
        "select array_agg(c.relname::text order by c.relname) from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'core'"
        " where c.relkind in ('r', 'p') and not c.relrowsecurity and ("
        "  has_any_column_privilege(c.oid, 'select, insert, update')"
        "  or has_table_privilege(c.oid, 'delete'))",
    )
    if not open_tables:
        return Finding("row-level security", "on for every table that the server reaches")
    fix = "as rowcast_owner: alter table core.<table> enable row level security"
    return Finding("row-level security", f"off for {', '.join(open_tables)}", fix)


def _schema(installed: dict[str, Any]) -> Finding:
    """Migrations and sql/ are those of this program."""
    wanted = {path.stem for path in resource_directory("migrations").glob("0*.sql")}
    wanted = {name for name in wanted if not name.endswith(".rollback")}
    missing = sorted(wanted - set(installed["migrations"]))
    bundle, loaded = read_bundle(), installed["bundle"] or {"number": 0, "hash": ""}
    if missing:
        return Finding("schema", f"migrations are missing: {', '.join(missing)}", _MIGRATE)
    if loaded["number"] > bundle.number:
        found = f"sql/ {loaded['number']} is loaded, newer than this program's {bundle.number}"
        return Finding("schema", found, "install the newer rowcast")
    if loaded["hash"] != bundle.hash:
        found = f"sql/ {loaded['number']} is loaded, this program has {bundle.number}"
        return Finding("schema", found, _MIGRATE)
    return Finding("schema", f"{len(wanted)} migrations, sql/ {bundle.number}")


def _workspaces(installed: dict[str, Any]) -> Iterator[Finding]:
    clockless, gaps, baselines = (installed[name] for name in ("clockless", "gaps", "baselines"))
    yield (
        Finding(
            "clocks",
            f"missing for {_some(clockless)}",
            "as rowcast_owner: insert into core.clock (workspace_id, floor) select w.workspace_id,"
            " coalesce((select max(c.seq) from core.change c"
            " where c.workspace_id = w.workspace_id), 0)"
            " from core.workspace w on conflict do nothing",
        )
        if clockless
        else Finding("clocks", f"every workspace has one ({installed['workspaces']})")
    )
    yield (
        Finding(
            "logs",
            f"changes are missing in {_some(gaps)}",
            "restore a backup, or give those workspaces a new epoch, so that clients load all anew",
        )
        if gaps
        else Finding("logs", "without gaps")
    )
    yield (
        Finding(
            "baselines",
            f"not one of each record whose history is trimmed, in {_some(baselines)}",
            "restore a backup; no command of rowcast leaves this behind",
        )
        if baselines
        else Finding("baselines", "one of each record whose history is trimmed")
    )


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")


def _row(server: _Connection, statement: LiteralString, parameters: Any = None) -> tuple[Any, ...]:
    row = server.execute(statement, parameters).fetchone()
    assert row is not None
    return row
