"""Brings a database up to date: roles, migrations (yoyo), templates, and the re-loadable `sql/`.

Runs with the administrator's URL, in a process that ends; the server itself never could. Everything
is made under `set role rowcast_owner`, which therefore owns it all.
"""

import hashlib
import random
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import orjson
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from yoyo import get_backend, read_migrations

from rowcast.resources import resource_directory
from rowcast.templates import TemplateError, read_templates

_CLUSTER_LOCK = 7_092_001  # roles belong to the cluster: one migration at a time sets them
_SCHEMA_LOCK = 7_092_002  # one migration or load of a database at a time
_OWNER = "-c role=rowcast_owner -c search_path=core"
# Functions that functions of the bundle write, when it has been loaded.
_MADE = ("logic.call", "faces.event", "faces.shape")
_SCHEMAS = ["api", "faces", "logic", "reporting", "trusted"]
_LOAD_TRIES = 20

_OBJECT = re.compile(
    r"^create or replace (?P<kind>function|trigger|view)\s+(?P<name>[\w.]+)(?P<rest>[^;]*?)"
    r"(?=\blanguage\b|\bexecute\b|\bas\b|;)",
    re.MULTILINE,
)
_TRIGGER_TABLE = re.compile(r"\bon\s+([\w.]+)")


class SchemaError(Exception):
    """The schema can't be brought up to date; the message says why and what to do."""


@dataclass(frozen=True)
class SqlObject:
    """One object of `sql/`: its kind, qualified name, and what can't change while it stands.

    That is the text of its signature, for a view the hash of its whole file: its columns stand
    anywhere in it. The name of a trigger is `<table>/<trigger>`.
    """

    kind: str
    name: str
    signature: str


@dataclass(frozen=True)
class Bundle:
    """The `sql/` directory as a whole: its increasing number, the hash of all files, the files."""

    number: int
    hash: str
    files: tuple[tuple[str, str], ...]

    @property
    def objects(self) -> list[SqlObject]:
        """All objects, in load order."""
        return [found for _, text in self.files for found in sql_objects(text)]


def sql_objects(text: str) -> Iterator[SqlObject]:
    """The objects that an SQL file creates."""
    for match in _OBJECT.finditer(text):
        kind, name = match["kind"], match["name"]
        signature = " ".join(match["rest"].split())
        if kind == "trigger":
            table = _TRIGGER_TABLE.search(match["rest"])
            if table is None:
                raise SchemaError(f"trigger {name} names no table")
            name = f"{table[1]}/{name}"
        if kind == "view":
            signature = hashlib.sha256(text.encode()).hexdigest()
        yield SqlObject(kind, name, signature)


def read_bundle(directory: Path | None = None) -> Bundle:
    """Reads `sql/`. `directory` defaults to the installed one."""
    directory = directory or resource_directory("sql")
    files = tuple(
        (path.relative_to(directory).as_posix(), path.read_text("utf-8"))
        for path in sorted(directory.rglob("*.sql"))
    )
    digest = hashlib.sha256()
    for name, text in files:
        digest.update(f"{name}\0{text}\0".encode())
    return Bundle(int((directory / "BUNDLE").read_text().split()[0]), digest.hexdigest(), files)


def write_bundle_number(directory: Path | None = None) -> Bundle:
    """Raises the number of the bundle in `sql/BUNDLE` if its files changed since it was written."""
    directory = directory or resource_directory("sql")
    bundle = read_bundle(directory)
    if (directory / "BUNDLE").read_text().split()[1:] != [bundle.hash]:
        (directory / "BUNDLE").write_text(f"{bundle.number + 1} {bundle.hash}\n")
    return read_bundle(directory)


def migrate(admin_url: str, server_password: str | None = None, *, dev: bool = False) -> list[str]:
    """Brings the database at `admin_url` up to date. Safe to run again, and by several at once.

    `server_password` becomes the password of rowcast_server (None leaves it). `dev` also loads a
    changed `sql/` whose number was not raised. Returns what was done, as lines for a person.

    Raises SchemaError, or psycopg.Error where the database is away.
    """
    done = []
    with psycopg.connect(admin_url, autocommit=True) as connection:
        _check_version(connection)
        with _cluster_lock(admin_url):
            _bootstrap_roles(connection, server_password)
        connection.execute("select pg_advisory_lock(%s)", [_SCHEMA_LOCK])
        done += _apply_migrations(admin_url)
        with psycopg.connect(owner_conninfo(admin_url), autocommit=True) as owner:
            _store_templates(owner)
            if load_bundle(owner, read_bundle(), dev=dev):
                done.append("loaded sql/")
    return done


def rollback(admin_url: str) -> list[str]:
    """Rolls every migration back; the roles stay. Returns the ids of the migrations."""
    migrations = read_migrations(str(resource_directory("migrations")))
    backend = get_backend(_yoyo_url(admin_url))
    with psycopg.connect(owner_conninfo(admin_url), autocommit=True) as owner:
        made = [SqlObject("function", name, "") for name in _MADE]
        _drop_objects(owner, [*read_bundle().objects, *made])
    with backend.lock():
        applied = backend.to_rollback(migrations)
        backend.rollback_migrations(applied)
    backend.connection.close()
    return [migration.id for migration in applied]


def owner_conninfo(admin_url: str) -> str:
    """The administrator's URL, acting as rowcast_owner."""
    return make_conninfo(admin_url, options=_OWNER)


def load_bundle(connection: psycopg.Connection, bundle: Bundle, *, dev: bool = False) -> bool:
    """Loads `sql/` as a whole if it is newer than what is loaded; says whether it did.

    `connection` acts as rowcast_owner and is in autocommit. All happens in one transaction, under a
    short lock_timeout, so that a reload never queues behind a long transaction with everybody else
    behind it; it tries again for a while. Raises SchemaError where the number was not raised.
    """
    for attempt in range(_LOAD_TRIES):
        try:
            with connection.transaction():
                connection.execute("select pg_advisory_xact_lock(%s)", [_SCHEMA_LOCK + 1])
                if not _is_newer(connection, bundle, dev=dev):
                    return False
                _replace_objects(connection, bundle)
            return True
        except psycopg.Error as error:
            if error.sqlstate != "55P03" or attempt == _LOAD_TRIES - 1:
                raise
            time.sleep(random.uniform(0.1, 0.5))
    return False


def _is_newer(connection: psycopg.Connection, bundle: Bundle, *, dev: bool) -> bool:
    row = connection.execute("select number, hash from core.bundle").fetchone()
    if row is None or dev:
        return row is None or row[1] != bundle.hash
    number, digest = row
    if number == bundle.number and digest != bundle.hash:
        raise SchemaError(
            f"sql/ differs from the loaded bundle {number} but has the same number:"
            " run `make bundle`"
        )
    return bool(bundle.number > number)


def _replace_objects(connection: psycopg.Connection, bundle: Bundle) -> None:
    """Within a transaction: drops what changed its signature, creates all, drops what is gone."""
    connection.execute("set local lock_timeout = '2s'")
    connection.execute("set local check_function_bodies = off")
    loaded = {
        (kind, name): SqlObject(kind, name, signature)
        for kind, name, signature in connection.execute(
            "select kind, name, signature from core.bundle_object"
        )
    }
    wanted = {(found.kind, found.name): found for found in bundle.objects}
    changed = [
        known
        for key, known in loaded.items()
        if known.kind != "trigger"
        and (key not in wanted or wanted[key].signature != known.signature)
    ]
    gone = [known for key, known in loaded.items() if known.kind == "trigger" and key not in wanted]
    grants = _grants(connection)
    # Triggers first: a trigger function that is gone can only be dropped after its trigger.
    ours = {name for kind, name in loaded.keys() & wanted.keys() if kind == "view"}
    _drop_objects(connection, gone + changed, ours)
    for name, text in bundle.files:
        try:
            connection.execute(text.encode())
        except psycopg.Error as error:
            error.add_note(f"while loading sql/{name}")
            raise
    connection.execute("select logic.dispatcher_build()")
    for schema in _SCHEMAS:
        connection.execute(
            sql.SQL("revoke all on all functions in schema {} from public").format(
                sql.Identifier(schema)
            )
        )
    connection.execute(
        "grant execute on all functions in schema api, faces, logic, trusted to rowcast_server"
    )
    _grant_again(connection, grants)
    connection.execute("delete from core.bundle_object")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into core.bundle_object (kind, name, signature) values (%s, %s, %s)",
            [(found.kind, found.name, found.signature) for found in wanted.values()],
        )
    connection.execute(
        "insert into core.bundle (number, hash) values (%s, %s) on conflict (only_row) do update"
        " set number = excluded.number, hash = excluded.hash, loaded_at = clock_timestamp()",
        [bundle.number, bundle.hash],
    )
    connection.execute("select pg_notify('rowcast', 'catalogue')")


def _drop_objects(
    connection: psycopg.Connection, objects: list[SqlObject], ours: Collection[str] = ()
) -> None:
    """Drops objects, never with `cascade`: what still depends on one makes the load fail whole.

    But the views `ours` on them, which are dropped too, to be made again.
    """
    functions = [found.name for found in objects if found.kind == "function"]
    views = [found.name for found in objects if found.kind == "view"]
    for found in objects:
        if found.kind == "trigger":
            table, trigger = found.name.split("/")
            connection.execute(
                sql.SQL("drop trigger if exists {} on {}").format(
                    sql.Identifier(trigger), sql.Identifier(*table.split("."))
                )
            )
    for view in _dependent_views(connection, functions, views):
        if view in views or view in ours:
            connection.execute(
                sql.SQL("drop view if exists {}").format(sql.Identifier(*view.split(".")))
            )
    for schema, name, arguments in connection.execute(
        """
        select n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)
        from pg_proc p
        join pg_namespace n on n.oid = p.pronamespace
        where n.nspname || '.' || p.proname = any (%s)
        """,
        [functions],
    ).fetchall():
        connection.execute(
            sql.SQL("drop function {} ({})").format(
                sql.Identifier(schema, name), sql.SQL(arguments)
            )
        )


def _dependent_views(
    connection: psycopg.Connection, functions: list[str], views: list[str]
) -> list[str]:
    """These views, those that use any of these functions, and those on them, last in first out."""
    rows = connection.execute(
        """
        with recursive dependent (oid, depth) as (
          select r.ev_class, 1
          from pg_proc p
          join pg_namespace n on n.oid = p.pronamespace
          join pg_depend d on d.refclassid = 'pg_proc'::regclass and d.refobjid = p.oid
            and d.classid = 'pg_rewrite'::regclass
          join pg_rewrite r on r.oid = d.objid
          where n.nspname || '.' || p.proname = any (%s)
          union
          select c.oid, 0
          from pg_class c
          join pg_namespace n on n.oid = c.relnamespace
          where c.relkind = 'v' and n.nspname || '.' || c.relname = any (%s)
          union
          select r.ev_class, v.depth + 1
          from dependent v
          join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = v.oid
            and d.classid = 'pg_rewrite'::regclass
          join pg_rewrite r on r.oid = d.objid and r.ev_class <> v.oid
        )
        select n.nspname || '.' || c.relname
        from dependent v
        join pg_class c on c.oid = v.oid
        join pg_namespace n on n.oid = c.relnamespace
        group by n.nspname, c.relname
        order by max(v.depth) desc
        """,
        [functions, views],
    )
    return [name for (name,) in rows]


_Grant = tuple[str, str, str, str, str]


def _grants(connection: psycopg.Connection) -> list[_Grant]:
    """Who was granted what on the views of `reporting`.

    (schema, view, grantee, privilege, `with grant option` or nothing).
    """
    return connection.execute(
        """
        select n.nspname, c.relname, g.grantee::regrole::text, g.privilege_type,
          case when g.is_grantable then 'with grant option' else '' end
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'reporting'
        cross join lateral aclexplode(c.relacl) g
        where g.grantee not in (c.relowner, 0)
        """
    ).fetchall()


def _grant_again(connection: psycopg.Connection, grants: list[_Grant]) -> None:
    for schema, view, grantee, privilege, option in grants:
        if connection.execute("select to_regclass(%s)", [f"{schema}.{view}"]).fetchone() != (None,):
            connection.execute(
                sql.SQL("grant {} on {} to {} {}").format(
                    sql.SQL(privilege),
                    sql.Identifier(schema, view),
                    sql.SQL(grantee),
                    sql.SQL(option),
                )
            )


def _check_version(connection: psycopg.Connection) -> None:
    if connection.info.server_version < 150000:
        raise SchemaError(
            f"PostgreSQL 15 or later is needed, this is {connection.info.server_version // 10000}"
        )


@contextmanager
def _cluster_lock(admin_url: str) -> Iterator[None]:
    """Advisory locks belong to one database; the one that every cluster has serves for all."""
    with psycopg.connect(
        make_conninfo(admin_url, dbname="postgres"), autocommit=True
    ) as connection:
        connection.execute("select pg_advisory_lock(%s)", [_CLUSTER_LOCK])
        yield


def _bootstrap_roles(connection: psycopg.Connection, server_password: str | None) -> None:
    text = (resource_directory("migrations") / "bootstrap" / "roles.sql").read_bytes()
    with connection.transaction():
        connection.execute(text)
        if server_password is not None:
            connection.execute(
                sql.SQL("alter role rowcast_server password {}").format(
                    sql.Literal(_scram(connection, server_password))
                )
            )


def _scram(connection: psycopg.Connection, password: str) -> str:
    """The password as a SCRAM verifier, so that it never stands in a statement or a server log."""
    return connection.pgconn.encrypt_password(
        password.encode(), b"rowcast_server", b"scram-sha-256"
    ).decode()


def _yoyo_url(admin_url: str) -> str:
    parameters = {**conninfo_to_dict(admin_url), "options": _OWNER}
    database = parameters.pop("dbname", "")
    return f"postgresql+psycopg:///{database}?{urlencode(parameters)}"


def _apply_migrations(admin_url: str) -> list[str]:
    migrations = read_migrations(str(resource_directory("migrations")))
    backend = get_backend(_yoyo_url(admin_url))
    backend.break_lock()  # a killed process leaves its row; ours is the advisory lock
    with backend.lock():
        pending = backend.to_apply(migrations)
        backend.apply_migrations(pending)
    backend.connection.close()
    return [f"applied {migration.id}" for migration in pending]


def _store_templates(connection: psycopg.Connection) -> None:
    try:
        definitions = read_templates()
    except TemplateError as error:
        raise SchemaError(f"a template is faulty:\n{error}") from error
    for definition in definitions:
        connection.execute(
            "insert into core.template (key, definition) values (%s, %s) on conflict (key)"
            " do update set definition = excluded.definition"
            " where template.definition <> excluded.definition",
            [definition["key"], orjson.dumps(definition).decode()],
        )
