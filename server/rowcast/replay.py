"""POST …/transactions/replay: the transactions that a client made while it was offline, in order.

Each goes through the writer by itself, under its own id, as if it had come alone, and gets its own
verdict: 422, too, where it is malformed, so that one such does not hold up the others for ever.
What depends on a refused one the database judges (logic.operations_run): here verdicts are only
carried along, in a member `queue` that no client can send.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

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
    read_json,
    respond,
    tell_conflict,
    unknown_workspace,
)
from rowcast.gateway import Answer, Call, Function, missing_function
from rowcast.identity import Actor
from rowcast.presence import Presence
from rowcast.problems import Problem
from rowcast.transaction_models import QueuedTransaction, UncheckedReplay
from rowcast.writer import Writer

PATH = "/api/v1/workspaces/{workspace}/transactions/replay"
SECONDS = 30.0  # that a replay may take, before the rest is left for another
BYTES = 4 << 20  # of results in full: they hold whole records, one perhaps over and over

_STOPS = (401, 503, 504)  # no verdicts: they say nothing of the transaction itself


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction as its client sent it: its text, and the object that this is.

    Only its `id` is checked yet.
    """

    text: str
    value: dict[str, Any]

    @property
    def id(self) -> str:
        """The transaction's."""
        return str(self.value["id"])

    def checked(self) -> QueuedTransaction:
        """As its model. Raises Problem 422, with paths from the transaction on."""
        bodies.check_values(self.text.encode(), self.value)
        return bodies.validate(self.value, QueuedTransaction)

    def creates(self) -> Iterator[str]:
        """The ids of the records that it was to create, malformed as it may be."""
        operations = self.value.get("operations")
        for operation in operations if isinstance(operations, list) else ():
            if isinstance(operation, dict) and operation.get("type") == "create":
                record = operation.get("recordId") or operation.get("id")
                if isinstance(record, str) and UUID.fullmatch(record):
                    yield record.lower()


@dataclass
class Queue:
    """What became of the transactions of a queue so far.

    earlier: the ids of those that took effect. refused: by the id of a record that was not
    created, the root of it: {transactionId, code}. has_verdict: of the database, on any of them.
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
    has_verdict: bool = False

    async def apply(self, sent: Sent) -> Answer:
        """Applies the next one. Raises Problem."""
        transaction = sent.checked()
        arguments = self._with_verdicts(transaction, sent.text)
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
            self.has_verdict |= not is_no_verdict(problem)
            tell_conflict(self.presence, call, self.client, problem)
            raise
        self.has_verdict = True
        self.earlier.append(transaction.id.lower())
        self.seq = max(self.seq or 0, orjson.loads(answer.body)["seq"])
        return answer

    def refuse(self, sent: Sent, problem: Problem) -> None:
        """Notes which records there are not, now that one was refused, and why."""
        if problem.code == "transaction_expired":
            return  # it took effect long ago
        root = {"transactionId": sent.id, "code": problem.code}
        cause = problem.extra.get("cause", root)
        self.refused |= dict.fromkeys(sent.creates(), cause)

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
    queued = _queued(await read_json(request))
    function = request.app[GATEWAY].functions.get("transaction_apply")
    if function is None:
        raise missing_function("transaction_apply")
    app, client = request.app, client_id(request)
    queue = Queue(app[WRITER], function, actor, workspace, app[PRESENCE], client)
    results = await _run(queue, queued)
    return respond(request, Answer(results.body(queue.seq)), 200)


def _queued(raw: bytes) -> list[Sent]:
    """The transactions of a body. Raises Problem where it is no queue."""
    value = bodies.parse(raw)
    bodies.validate_object(value, UncheckedReplay)
    texts = bodies.elements(raw, "transactions")
    return [Sent(*each) for each in zip(texts, value["transactions"], strict=True)]


async def _run(queue: Queue, queued: list[Sent]) -> Results:
    """The results, in order. Raises Problem where none gets a verdict of the database."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SECONDS
    stopped = False
    results = Results()
    for sent in queued:
        if stopped or (results.texts and loop.time() > deadline):
            stopped = True
            results.add_refused(sent.id, _not_tried())
            continue
        try:
            answer = await queue.apply(sent)
        except Problem as problem:
            stopped = is_no_verdict(problem)
            if stopped and not queue.has_verdict:
                raise
            queue.refuse(sent, problem)
            results.add_refused(sent.id, problem)
        else:
            results.add_applied(answer)
    return results


def is_no_verdict(problem: Problem) -> bool:
    """Whether a problem says nothing of the transaction that it came for: the queue stops there."""
    return problem.status in _STOPS or problem.code == "unknown_workspace"


def _not_tried() -> Problem:
    return Problem(
        503, "not_tried", "This was not tried, after one that got no verdict; send it again."
    )
