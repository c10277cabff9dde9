"""Calls the functions of schema `api`: those that read on a pool, those that write by the writer.

Names, volatility, and whether a function belongs in a workspace are learned from the catalogue at
start and again whenever `sql/` is loaded.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from rowcast.problems import Problem, problem_from_error, unavailable

_READ_OPTIONS = (
    "-c default_transaction_read_only=on -c statement_timeout=30s -c search_path=pg_catalog,pg_temp"
)
_POOL_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class Function:
    """A function that can be called: whether it writes, and whether it belongs in a workspace.

    Those of schema `trusted` are named with it; no route names one.
    """

    name: str
    writes: bool
    in_workspace: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answered: JSON as bytes, and the record's version if it is one record's."""

    body: bytes
    version: str | None = None


@dataclass(slots=True, eq=False)
class Call:
    """One call of an api function.

    workspace, record (uuid or display id) and template say where it belongs, each if known; the
    database settles it. arguments is a JSON object. session: what proves the actor; None where this
    process vouches for him. alone: not to be put into a batch with others.
    """

    function: Function
    actor: str | None
    arguments: str
    workspace: str | None = None
    record: str | None = None
    template: str | None = None
    transaction: str = ""
    alone: bool = False
    session: str | None = None
    deadline: float = 0.0
    tries: int = 0
    retries: int = 0
    uncertain: bool = False
    future: "asyncio.Future[Answer] | None" = field(default=None, repr=False)


class BytesLoader(Loader):
    """Hands text over as the bytes that came: answers are passed on, not decoded."""

    def load(self, data: Buffer) -> bytes:
        """The bytes of a text value."""
        return bytes(data)


class Gateway:
    """Reads, and knows the catalogue. Writing is the writer's (see writer.py)."""

    def __init__(self, conninfo: str, *, pool_size: int = 8) -> None:
        self.functions: dict[str, Function] = {}
        self._pool = AsyncConnectionPool(
            make_conninfo(conninfo, options=_READ_OPTIONS, application_name="rowcast read"),
            min_size=2,
            max_size=pool_size,
            open=False,
            timeout=_POOL_TIMEOUT,
            kwargs={"autocommit": True},
            configure=_configure,
        )
        self._pool_size = pool_size

    async def open(self) -> None:
        """Connects and reads the catalogue. Raises psycopg errors where the database is away."""
        await self._pool.open()
        await self._pool.wait(timeout=15)
        await self.read_catalogue()

    async def close(self) -> None:
        """Closes the pool."""
        await self._pool.close()

    async def read_catalogue(self) -> None:
        """Learns the functions of the schemas `api` and `trusted`."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "select case n.nspname when 'api' then '' else n.nspname || '.' end || p.proname,"
                " p.provolatile = 'v', 'p_workspace_id' = any (p.proargnames)"
                " from pg_catalog.pg_proc p"
                " join pg_catalog.pg_namespace n on n.oid = p.pronamespace"
                " where n.nspname in ('api', 'trusted')"
            )
            rows = await cursor.fetchall()
        self.functions = {
            name.decode(): Function(name.decode(), writes, bool(in_workspace))
            for name, writes, in_workspace in rows
        }

    async def read(self, call: Call) -> Answer:
        """Calls a function that reads. Raises Problem."""
        row = await self.fetch(
            "select version, answer from api.query(%s, %s, %s, %s, %s, %s, %s)",
            (
                call.function.name,
                call.actor,
                call.workspace,
                call.record,
                call.template,
                call.arguments,
                call.session,
            ),
        )
        version, body = row[0]
        return Answer(body or b"null", version.decode() if version else None)

    async def fetch(
        self, statement: str, parameters: tuple[object, ...]
    ) -> list[tuple[bytes, bytes]]:
        """All rows of a statement that reads. Raises Problem.

        A connection that turns out to be lost is replaced: reading again does no harm.
        """
        for _ in range(self._pool_size + 1):
            try:
                async with self._pool.connection() as connection:
                    cursor = await connection.execute(statement, parameters)
                    return await cursor.fetchall()
            except PoolTimeout as error:
                raise unavailable() from error
            except psycopg.Error as error:
                if not connection_lost(error):
                    raise problem_from_error(error) from error
        raise unavailable()


def connection_lost(error: psycopg.Error) -> bool:
    """Whether an error means that the connection is gone (and not that a statement failed)."""
    state = error.sqlstate
    return isinstance(error, psycopg.OperationalError) and (
        state is None or state.startswith(("08", "57P"))
    )


def new_transaction_id() -> str:
    """A time-ordered uuid (RFC 9562, version 7) for a write whose client gave none."""
    noise = random.getrandbits(74)
    high = (time.time_ns() // 1_000_000 << 16) | 0x7000 | (noise >> 62)
    low = (0b10 << 62) | (noise & ((1 << 62) - 1))
    digits = f"{high:016x}{low:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def missing_function(name: str) -> Problem:
    """The problem of a route whose function the database does not have (yet)."""
    return Problem(
        503, "schema_outdated", f"The database has no function {name}: run rowcast migrate."
    )


async def _configure(connection: psycopg.AsyncConnection) -> None:
    connection.adapters.register_loader("text", BytesLoader)
