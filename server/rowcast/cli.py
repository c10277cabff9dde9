"""The command `rowcast`: serve, demo, migrate, doctor, import, compact, user, mail, token."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import psycopg
import typer
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError
from rich.console import Console

from rowcast import __version__, demo, doctor, search_index
from rowcast.app import Deployment
from rowcast.compact import compact_command
from rowcast.config import Settings, SettingsError, server_password
from rowcast.edge import Edge
from rowcast.embedded import EmbeddedPostgresError
from rowcast.importer import import_command
from rowcast.keys import Keys
from rowcast.mail import listing, mail_settings
from rowcast.schema import SchemaError, migrate
from rowcast.serve import Database, database, migrate_in_child
from rowcast.serve import serve as run_server

app = typer.Typer(
    help="Rowcast: Postgres rows, cast live to every browser.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
user_app = typer.Typer(help="Accounts.", no_args_is_help=True)
app.add_typer(user_app, name="user")
mail_app = typer.Typer(help="Mails.", no_args_is_help=True)
app.add_typer(mail_app, name="mail")
app.command("import")(import_command)
app.command("compact")(compact_command)

_err = Console(stderr=True)

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 for any free one.")]
Workers = Annotated[int | None, typer.Option(min=1, max=64, help="Server processes on the port.")]
DataDir = Annotated[Path | None, typer.Option(help="Directory of the embedded PostgreSQL.")]
NoMigrate = Annotated[bool, typer.Option("--no-migrate", help="Leave the schema as it is.")]


def main() -> None:
    """Runs the command line; a foreseeable failure is one sentence and exit status 1."""
    try:
        app()
    except (SettingsError, SchemaError, EmbeddedPostgresError) as error:
        fail(str(error))
    except ValidationError as error:
        fail("; ".join(f"{_setting(e['loc'])}: {e['msg']}" for e in error.errors()))
    except psycopg.Error as error:
        fail(f"the database says: {error.diag.message_primary or error}")


def _setting(location: tuple[int | str, ...]) -> str:
    """The environment's name of a setting; a fault of several together has no location."""
    if not location:
        return "settings"
    return f"ROWCAST_{str(location[0]).upper().removeprefix('ROWCAST_')}"


def fail(message: str) -> NoReturn:
    """Ends the command with a sentence on standard error."""
    line = " ".join(message.split())
    _err.print(f"rowcast: {line}", style="red", highlight=False, markup=False, soft_wrap=True)
    raise SystemExit(1)


def settings_with(**given: object) -> Settings:
    """The settings of the environment; options of the command line win."""
    return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    data_dir: DataDir = None,
    no_migrate: NoMigrate = False,
) -> None:
    """Run the server. Migrates first; prints one line when it is ready to answer."""
    settings = settings_with(host=host, port=port, workers=workers, data_dir=data_dir)
    with ready_database(settings, made=False, migrated=not no_migrate) as found:
        sample = demo.prepare(found.server) if settings.demo else None
        run_server(settings, deployment(settings, found, sample), "rowcast is ready on {url}")


@app.command("demo")
def demo_command(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    data_dir: DataDir = None,
    no_migrate: NoMigrate = False,
) -> None:
    """Run the server with sample data, without credentials, on loopback."""
    settings = settings_with(host=host, port=port, workers=workers, data_dir=data_dir, demo=True)
    with ready_database(settings, made=False, migrated=not no_migrate) as found:
        sample = demo.prepare(found.server)
        run_server(
            settings,
            deployment(settings, found, sample),
            demo.welcome(sample, settings.embedded_directory),
        )


@app.command("migrate")
def migrate_command(
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing if all is well.")] = False,
    dev: Annotated[
        bool, typer.Option("--dev", help="Load a changed sql/ of the same number.")
    ] = False,
) -> None:
    """Upgrade the schema of the database."""
    settings = Settings()
    with database(settings) as found:
        if found.admin is None:
            fail("ROWCAST_DATABASE_URL can't migrate; set ROWCAST_ADMIN_DATABASE_URL")
        password = conninfo_to_dict(found.server).get("password") or server_password(
            settings.secret()
        )
        done = migrate(found.admin, str(password), dev=dev)
    if not quiet:
        print("\n".join(done) or "up to date")


@app.command("doctor")
def doctor_command() -> None:
    """Say what is wrong with this installation, and how to fix it."""
    raise SystemExit(doctor.run(settings_with()))


@app.command()
def token(
    email: str,
    days: Annotated[float, typer.Option(min=0.001, max=3650, help="How long it is good for.")] = 30,
) -> None:
    """Print a personal access token for an account: it may all that the account may."""
    settings = Settings()
    with ready_database(settings, migrated=False) as found:
        issued = ask(found, "select trusted.token_issue(%s, %s, %s)", email, "rowcast token", days)
    print(issued["token"])


@user_app.command("create")
def user_create(email: str, name: Annotated[str | None, typer.Option()] = None) -> None:
    """Create an account and print it, with a personal access token."""
    settings = Settings()
    with ready_database(settings) as found:
        account = ask(
            found, "select trusted.account_create(%s, %s)", email, name or email.split("@")[0]
        )
        issued = ask(found, "select trusted.token_issue(%s, %s, %s)", email, "rowcast user", 30)
    account["accessToken"] = issued["token"]
    print(orjson.dumps(account, option=orjson.OPT_INDENT_2).decode())


@user_app.command("list")
def user_list() -> None:
    """Print all accounts, as JSON lines."""
    settings = Settings()
    with ready_database(settings) as found:
        for account in ask(found, "select trusted.account_list()")["accounts"]:
            print(orjson.dumps(account).decode())


@user_app.command("disable")
def user_disable(
    email: str,
    undo: Annotated[bool, typer.Option("--undo", help="Let it in again.")] = False,
) -> None:
    """Disable an account: its sessions and streams end at once."""
    settings = Settings()
    with ready_database(settings) as found:
        account = ask(found, "select trusted.account_disable(%s, %s)", email, not undo)
    print(orjson.dumps(account, option=orjson.OPT_INDENT_2).decode())


@mail_app.command("list")
def mail_list(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the last ones.")] = 20,
) -> None:
    """Print the last mails, with their text and what became of them. Their links are good."""
    settings = Settings()
    with ready_database(settings, migrated=False) as found:
        mails = ask(found, "select trusted.mail_list(%s)", limit)["mails"]
    print(listing(mails, Keys(settings.secrets()), mail_settings(settings)) or "no mails")


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


@contextmanager
def ready_database(
    settings: Settings, *, made: bool = True, migrated: bool = True
) -> Iterator[Database]:
    """The database of the settings, its schema up to date.

    An embedded one is only initialised where it need not be `made` already. Raises SettingsError.
    """
    with database(settings, made=made) as found:
        if migrated:
            migrate_in_child(settings, found)
        yield found


def deployment(settings: Settings, found: Database, sample: demo.Sample | None) -> Deployment:
    """What the application needs to know."""
    edge = Edge(
        proxies=settings.proxies,
        rate=0 if settings.demo else settings.rate_limit,  # on loopback there is one who asks
        https=settings.is_secure,
    )
    return Deployment(
        found.server,
        found.listen,
        settings.secrets(),
        settings.origins,
        sample.account if sample else None,
        sample.users if sample else (),
        mail=mail_settings(settings),
        search_pause=search_index.PAUSE,
        edge=edge,
        storage=settings.storage,
    )


def ask(found: Database, statement: str, *parameters: object) -> dict[str, Any]:
    """One answer of an api function, for a command. Exits with its message where it is refused."""
    try:
        with psycopg.connect(found.server, autocommit=True) as connection:
            row = connection.execute(statement.encode(), parameters).fetchone()
    except psycopg.Error as error:
        if error.sqlstate is not None and error.sqlstate.startswith("PT"):
            fail(error.diag.message_primary or "refused")
        raise
    assert row is not None
    answer: dict[str, Any] = row[0]
    return answer
