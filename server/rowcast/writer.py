"""Group commit: all write calls of this process, in few transactions.

While one statement runs, further calls queue up; the next one carries them all (up to a limit),
each in its own subtransaction. A call that arrives alone goes out at once: batching never adds
waiting.

The database takes locks without waiting and answers `busy` for what somebody else holds. Such a
call is offered again with the next batches, and if that does not help goes to the *lane* of its
workspace: another connection, which waits for that one clock. What ends a whole batch (a time-out,
a dead-lock, a lost connection) never ends its calls: each goes through a lane, alone. See "The
rules of the core path" in ARCHITECTURE.md.
"""

import asyncio
import random
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson
import psycopg
from psycopg.conninfo import make_conninfo

from rowcast.gateway import Answer, BytesLoader, Call, connection_lost
from rowcast.problems import (
    Problem,
    outcome_unknown,
    problem_from_error,
    problem_from_state,
    unavailable,
)

MAX_CALLS = 64  # also the subtransactions whose state a snapshot can hold without overflowing
MAX_BYTES = 1 << 20
MAX_PENDING = 10_000
CROWD = 16  # calls that wait or run; with more of them writes queue up
MAX_TRIES = 20  # offers of a busy call before it goes to its lane
MAX_RETRIES = 3  # of a call that lost a dead-lock or a serialisation conflict
LANES = 4
PATIENCE = 30.0  # seconds that a call may take in all
UNCERTAIN_PATIENCE = 15.0  # seconds to find out what became of a call whose connection was lost
LANE_WAIT_MS = 250  # that a lane's batch waits for its clock, before another lane's turn
_BUSY_PAUSE = 0.0005  # seconds after a batch in which every call was busy
_STATEMENT_PATIENCE = 8.0  # seconds: more than the batch's statement_timeout

_OPTIONS = "-c lock_timeout=50ms -c search_path=pg_catalog,pg_temp -c statement_timeout="
_BATCH = (
    "select n, state, workspace_id::text, version, answer from api.batch_run(%s::text[],"
    " %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::uuid[], %s::text[], %s, %s::uuid[])"
)
_ACCOUNT_BATCH = (
    "select n, state, workspace_id::text, version, answer from api.account_batch_run("
    "%s::text[], %s::uuid[], %s::uuid[], %s::text[], %s, %s::uuid[])"
)
_RETRIED = (b"40001", b"40P01")

Row = tuple[int, bytes, bytes | None, bytes | None, bytes | None]


class LostError(Exception):
    """The connection was lost.

    sent: with the statement under way, so that it may have committed.
    """

    def __init__(self, *, sent: bool) -> None:
        super().__init__()
        self.sent = sent


class _Connection:
    """One connection that comes back: made when needed, dropped when lost."""

    def __init__(self, conninfo: str, name: str, statement_timeout: str) -> None:
        self._conninfo = make_conninfo(
            conninfo,
            options=_OPTIONS + statement_timeout,
            application_name=f"rowcast {name}",
            connect_timeout=5,
        )
        self._connection: psycopg.AsyncConnection | None = None

    async def run(self, calls: Sequence[Call], *, wait_ms: int, patience: float) -> list[Row]:
        """Runs calls as one batch. Raises psycopg.Error if it failed as a whole, LostError."""
        connection = await self._open()
        sent = False
        try:
            async with asyncio.timeout(patience):
                sent = True
                cursor = await connection.execute(*_statement(calls, wait_ms))
                return await cursor.fetchall()
        except TimeoutError as error:
            await self.close()
            raise LostError(sent=sent) from error
        except psycopg.Error as error:
            if connection.closed or connection_lost(error):
                await self.close()
                raise LostError(sent=sent) from error
            raise
        except asyncio.CancelledError:
            await self.close()
            raise

    async def _open(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed:
            try:
                self._connection = await psycopg.AsyncConnection.connect(
                    self._conninfo, autocommit=True
                )
            except psycopg.Error as error:
                raise LostError(sent=False) from error
            self._connection.adapters.register_loader("text", BytesLoader)
        return self._connection

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _statement(calls: Sequence[Call], wait_ms: int) -> tuple[str, tuple[object, ...]]:
    functions = _array(call.function.name for call in calls)
    actors = _array(call.actor for call in calls)
    transactions = _array(call.transaction for call in calls)
    arguments = _array(call.arguments for call in calls)
    sessions = _array(call.session for call in calls)
    if not calls[0].function.in_workspace:
        return _ACCOUNT_BATCH, (functions, actors, transactions, arguments, wait_ms, sessions)
    return _BATCH, (
        functions,
        actors,
        _array(call.workspace for call in calls),
        _array(call.record for call in calls),
        _array(call.template for call in calls),
        transactions,
        arguments,
        wait_ms,
        sessions,
    )


def _array(values: Iterable[str | None]) -> str:
    """An array as PostgreSQL reads it.

    psycopg would take ten times as long to make it of a list, while the database has nothing to do.
    """
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@dataclass(slots=True)
class _Lane:
    """The calls that wait for one clock. A lane is worked by at most one connection at a time."""

    calls: deque[Call] = field(default_factory=deque)
    queued: bool = False


class Writer:
    """The write path of one process. `call` from any task; `run` must be running."""

    def __init__(self, conninfo: str) -> None:
        self._fast = _Connection(conninfo, "writer", "5s")
        self._lane_connections = [
            _Connection(conninfo, f"lane {number}", "30s") for number in range(LANES)
        ]
        self._queue: deque[Call] = deque()
        self._arrived = asyncio.Event()
        self._lanes: dict[str, _Lane] = {}
        self._ready: asyncio.Queue[str] = asyncio.Queue()  # keys of lanes: bounded by MAX_PENDING
        self._pending = 0
        self._closing = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_crowded(self) -> bool:
        """Whether writes queue up: what can wait should leave the database to them."""
        return self._pending > CROWD

    async def call(self, call: Call) -> Answer:
        """Writes, and answers once it is durable. Raises Problem; 503 means: not applied.

        A caller that is cancelled no longer waits; whether the write happens is then open.
        """
        if self._closing:
            raise Problem(
                503, "shutting_down", "This server is shutting down; nothing was applied."
            )
        if self._pending >= MAX_PENDING:
            raise Problem(503, "overloaded", "Too many writes are waiting; nothing was applied.")
        loop = asyncio.get_running_loop()
        call.deadline = loop.time() + PATIENCE
        call.future = loop.create_future()
        self._pending += 1
        self._idle.clear()
        self._admit(call)
        try:
            return await call.future
        finally:
            self._pending -= 1
            if not self._pending:
                self._idle.set()

    async def run(self) -> None:
        """Works until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._run_fast())
                for connection in self._lane_connections:
                    group.create_task(self._run_lanes(connection))
        finally:
            for connection in (self._fast, *self._lane_connections):
                await connection.close()

    async def drain(self, seconds: float) -> None:
        """Takes no more calls, and waits until those under way are answered, at most `seconds`."""
        self._closing = True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return

    def _admit(self, call: Call) -> None:
        """To its lane, if it needs one or its workspace has one; else to the next batch."""
        if call.alone or not call.function.in_workspace or call.workspace in self._lanes:
            self._to_lane([call])
        else:
            self._queue.append(call)
            self._arrived.set()

    def _to_lane(self, calls: Iterable[Call], *, first: bool = False) -> None:
        for call in calls:
            key = call.workspace or f"{call.actor} {call.record or call.template or 'account'}"
            lane = self._lanes.setdefault(key, _Lane())
            if first:
                lane.calls.appendleft(call)
            else:
                lane.calls.append(call)
            if not lane.queued:
                lane.queued = True
                self._ready.put_nowait(key)

    # The fast writer

    async def _run_fast(self) -> None:
        while True:
            await self._arrived.wait()
            calls = self._take(self._queue)
            if not self._queue:
                self._arrived.clear()
            if not calls:
                continue
            try:
                rows = await self._fast.run(calls, wait_ms=0, patience=_STATEMENT_PATIENCE)
            except LostError as lost:
                self._recover(calls, lost)
            except psycopg.Error as error:
                if error.sqlstate == "55P03":
                    self._offer_again(calls)
                else:
                    self._retry_alone(calls, error)
            else:
                busy = self._settle(calls, rows)
                self._offer_again(busy)
                if len(busy) == len(calls):
                    await asyncio.sleep(random.uniform(0.5, 1.5) * _BUSY_PAUSE)

    def _take(self, queue: deque[Call]) -> list[Call]:
        """The next batch: what waits, up to the limits. Drops what nobody waits for any more."""
        calls: list[Call] = []
        size = 0
        while queue and len(calls) < MAX_CALLS:
            call = queue[0]
            size += len(call.arguments)
            if calls and (size > MAX_BYTES or call.alone):
                break
            queue.popleft()
            if call.future is None or call.future.done():
                continue
            if queue is self._queue and call.workspace in self._lanes:
                self._to_lane([call])
                continue
            calls.append(call)
            if call.alone:
                break
        return calls

    def _offer_again(self, busy: Sequence[Call]) -> None:
        for call in reversed(busy):
            call.tries += 1
            if call.tries >= MAX_TRIES or call.workspace in self._lanes:
                self._to_lane([call])
            else:
                self._queue.appendleft(call)
                self._arrived.set()

    def _recover(self, calls: Sequence[Call], lost: LostError) -> None:
        """What becomes of calls whose connection was lost: those that were not sent did not happen.

        What was sent goes through a lane, whose batch looks the id up under the clock's lock, which
        the old backend may still hold, and so either finds it committed and answers again, or does
        it now.
        """
        soon = asyncio.get_running_loop().time() + UNCERTAIN_PATIENCE
        for call in calls:
            if lost.sent or call.uncertain:
                if not call.uncertain:
                    call.deadline = min(call.deadline, soon)
                call.uncertain = True
                call.alone = True
                self._to_lane([call])
            else:
                _fail(call, unavailable())

    def _retry_alone(self, calls: Sequence[Call], error: psycopg.Error) -> None:
        """What ended a whole batch must not end its calls: each is tried once more, alone."""
        for call in calls:
            if call.alone and call.retries >= 1:
                _fail(call, problem_from_error(error))
            else:
                call.alone = True
                call.retries += 1
                self._to_lane([call])

    # Lanes

    async def _run_lanes(self, connection: _Connection) -> None:
        """Works lane after lane, each until its clock keeps it waiting: stuck ones take turns."""
        while True:
            key = await self._ready.get()
            lane = self._lanes[key]
            calls = self._take(lane.calls)
            if calls:
                await self._run_lane(connection, calls)
            if lane.calls:
                self._ready.put_nowait(key)
            else:
                del self._lanes[key]

    async def _run_lane(self, connection: _Connection, calls: list[Call]) -> None:
        loop = asyncio.get_running_loop()
        in_time = []
        for call in calls:
            if call.deadline > loop.time():
                in_time.append(call)
            else:
                _fail(call, _busy())
        if not in_time:
            return
        try:
            rows = await connection.run(in_time, wait_ms=LANE_WAIT_MS, patience=PATIENCE + 5)
        except LostError as lost:
            self._recover(in_time, lost)
            if not lost.sent:
                self._turn_away()
            await asyncio.sleep(random.uniform(0.1, 0.3))
        except psycopg.Error as error:
            if error.sqlstate == "55P03":
                self._to_lane(reversed(in_time), first=True)
            else:
                self._retry_alone(in_time, error)
        else:
            busy = self._settle(in_time, rows)
            if busy and busy[0].alone:
                self._to_lane(busy)  # behind the others: who waits for a record holds up nobody
            elif busy:
                self._to_lane(reversed(busy), first=True)
            if busy:
                await asyncio.sleep(random.uniform(0.5, 1.5) * _BUSY_PAUSE * 5)

    def _turn_away(self) -> None:
        """The database is away: who was never sent need not wait behind those who were."""
        for lane in self._lanes.values():
            for call in lane.calls:
                if not call.uncertain:
                    _fail(call, unavailable())

    def _settle(self, calls: Sequence[Call], rows: Sequence[Row]) -> list[Call]:
        """Answers the calls of a batch, and returns those that were busy, in order."""
        busy = []
        for n, state, workspace, version, answer in sorted(rows, key=lambda row: row[0]):
            call = calls[n - 1]
            call.workspace = workspace.decode() if workspace else call.workspace
            if state == b"ok":
                if call.future is not None and not call.future.done():
                    call.future.set_result(
                        Answer(answer or b"null", version.decode() if version else None)
                    )
            elif state == b"busy" or (state in _RETRIED and call.retries < MAX_RETRIES):
                call.retries += state != b"busy"
                busy.append(call)
            else:
                _fail(call, _problem(state, answer))
        return busy


def _problem(state: bytes, answer: bytes | None) -> Problem:
    error = orjson.loads(answer or b"{}")
    return problem_from_state(
        state.decode(), error.get("message", ""), error.get("hint"), error.get("detail")
    )


def _busy() -> Problem:
    return problem_from_state("55P03", "", None, None)


def _fail(call: Call, problem: Problem) -> None:
    """Answers with a problem. 503 would promise a lost call that it was not applied."""
    if call.uncertain and problem.status == 503:
        problem = outcome_unknown()
    if call.future is not None and not call.future.done():
        call.future.set_exception(problem)
