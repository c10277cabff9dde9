"""POST …/transactions/replay: the transactions that a client made while it was offline, in order.

Each goes through the writer by itself, under its own id, as if it had come alone, and gets its own
verdict. What depends on a refused one the database judges (logic.operations_run): here verdicts
are only carried along, in a member `queue` that no client can send.
"""

import asyncio
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from rowcast import bodies, models
from rowcast.endpoints import (
    GATEWAY,
    IDENTITY,
    LONG_ARGUMENTS,
    PRESENCE,
    UUID,
    WRITER,
    client_id,
    path_members,
    read_body,
    respond,
    tell_conflict,
    unknown_workspace,
)
from rowcast.gateway import Answer, Call, Function, missing_function
from rowcast.identity import Actor
from rowcast.presence import Presence
from rowcast.problems import Problem
from rowcast.transaction_models import CreateOperation, QueuedTransaction, Replay
from rowcast.writer import Writer

PATH = "/api/v1/workspaces/{workspace}/transactions/replay"
SECONDS = 30.0  # that a replay may take, before the rest is left for another
BYTES = (
    4 << 20
)  # of results in full: each has whole records, and a queue may name one over and over

_STOPS = (401, 503, 504)  # no verdicts: they say nothing of the transaction itself


@dataclass
class Queue:
    """What became of the transactions of a queue so far.

    earlier: the ids of those that took effect. refused: by the id of a record that was not
    created, the root of it: {transactionId, code}.
    """

    writer: Writer
    function: Function
    actor: Actor
    workspace: str
    presence: Presence
    client: str | None
    earlier: list[str] = field(default_factory=list)
    refused: dict[str, dict[str, str]] = field(default_factory=dict)
    seq: int | None = None

    async def apply(self, transaction: QueuedTransaction, text: str) -> Answer:
        """Applies the next one; `text` is what its client sent. Raises Problem."""
        arguments = self._with_verdicts(transaction, text)
        call = Call(
            self.function,
            self.actor.account,
            arguments,
            workspace=self.workspace,
            transaction=transaction.id,
            alone=transaction.is_heavy or len(arguments) > LONG_ARGUMENTS,
            session=self.actor.session,
        )
        try:
            answer = await self.writer.call(call)
        except Problem as problem:
            tell_conflict(self.presence, call, self.client, problem)
            raise
        self.earlier.append(transaction.id.lower())
        self.seq = max(self.seq or 0, orjson.loads(answer.body)["seq"])
        return answer

    def refuse(self, transaction: QueuedTransaction, problem: Problem) -> None:
        """Notes which records there are not, now that one was refused, and why."""
        root = {"transactionId": transaction.id, "code": problem.code}
        cause = problem.extra.get("cause", root)
        for operation in transaction.operations:
            if isinstance(operation, CreateOperation):
                record = operation.record_id or operation.id
                if record is not None:
                    self.refused[record.lower()] = cause

    def _with_verdicts(self, transaction: QueuedTransaction, text: str) -> str:
        """What a client sent, with the verdicts that matter to it: all would be ever more."""
        earlier = self.earlier if transaction.base_versions else []
        ids = (found[0] for found in UUID.finditer(text.lower())) if self.refused else ()
        refused = {id: self.refused[id] for id in ids if id in self.refused}
        if not earlier and not refused:
            return text
        verdicts = orjson.dumps({"earlier": earlier, "refused": refused}).decode()
        return f'{{"queue":{verdicts},{text[1:]}'


@dataclass
class Results:
    """The results so far, in order, as JSON; `size`: the bytes of those in full.

    Those that do not fit into BYTES any more are verdicts all the same, in short. A queue goes on:
    if it stopped here, it would stop at the same place whenever it is sent again. The first is
    told in full, as it would be alone.
    """

    texts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add_applied(self, answer: Answer) -> None:
        """{id, seq, records}; in short without records."""
        if not self._add(answer.body):
            self.texts.append(orjson.dumps({**orjson.loads(answer.body), "records": []}))

    def add_refused(self, id: str, problem: Problem) -> None:
        """{id, problem}; in short with no conflicts, errors and other lists in it."""
        body = problem.body()
        if "Retry-After" in problem.headers:
            body["retryAfter"] = int(problem.headers["Retry-After"])
        if not self._add(orjson.dumps({"id": id, "problem": body})):
            short = {key: [] if isinstance(of_it, list) else of_it for key, of_it in body.items()}
            self.texts.append(orjson.dumps({"id": id, "problem": short}))

    def body(self, seq: int | None) -> bytes:
        """The answer to a queue: {results, seq}."""
        return b'{"results":[%b],"seq":%b}' % (b",".join(self.texts), orjson.dumps(seq))

    def _add(self, text: bytes) -> bool:
        """Adds a result in full, if it fits."""
        fits = not self.texts or self.size + len(text) <= BYTES
        if fits:
            self.texts.append(text)
            self.size += len(text)
        return fits


async def replay_endpoint(request: web.Request) -> web.Response:
    """Applies the transactions of a queue in order, each by itself.

    Each is answered as it would be alone: with {id, seq, records}, or with the `problem` that
    refused it. Where one gets no verdict (401, 503, 504), the rest is `not_tried`: send it again.
    """
    actor = await request.app[IDENTITY].actor(request)
    workspace = path_members(request)["workspace"]
    if not UUID.fullmatch(workspace):
        raise unknown_workspace()
    bodies.validate(bodies.query_members(request.query), models.Nothing)
    raw, body = await read_body(request, Replay)
    function = request.app[GATEWAY].functions.get("transaction_apply")
    if function is None:
        raise missing_function("transaction_apply")
    app, client = request.app, client_id(request)
    queue = Queue(app[WRITER], function, actor, workspace, app[PRESENCE], client)
    results = await _run(queue, body.transactions, bodies.elements(raw, "transactions"))
    return respond(request, Answer(results.body(queue.seq)), 200)


async def _run(queue: Queue, transactions: list[QueuedTransaction], texts: list[str]) -> Results:
    """The results, in order. Raises Problem where the first one gets no verdict."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SECONDS
    stopped = False
    results = Results()
    for transaction, text in zip(transactions, texts, strict=True):
        if stopped or (results.texts and loop.time() > deadline):
            stopped = True
            results.add_refused(transaction.id, _not_tried())
            continue
        try:
            answer = await queue.apply(transaction, text)
        except Problem as problem:
            stopped = problem.status in _STOPS or problem.code == "unknown_workspace"
            if stopped and not results.texts:
                raise
            queue.refuse(transaction, problem)
            results.add_refused(transaction.id, problem)
        else:
            results.add_applied(answer)
    return results


def _not_tried() -> Problem:
    return Problem(
        503, "not_tried", "This was not tried, after one that got no verdict; send it again."
    )
