"""The state machine: what users do, and what befalls them, in any order.

What it draws depends on what it drew, never on what the servers did: so a seed replays operations
and faults (`act` in the history), though not the moments at which they meet. Only the checker
judges, at the end.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from model.checker import violations
from model.history import History
from model.network import CUT, LOST
from model.scene import ACCOUNTS, Scene, Stage, opened
from model.serial import Violation

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "12"))
STEPS = int(os.environ.get("MODEL_STEPS", "25"))
SEED = int(os.environ.get("MODEL_SEED", "1"))
KILLS = 1  # in one example: a server takes a second to start

clients = st.integers(0, len(ACCOUNTS) - 1)
servers = st.integers(0, 1)
places = st.sampled_from([0, 0, 0, 1, 1, 1, 2, 2, 3, 4])  # of the scene's records: some are busy
keys = st.sampled_from(["title", "title", "note"])
values = st.sampled_from(["fresh", "fresh", "same"])


def operation(kind: str, **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    """One operation; its record is a place."""
    return st.fixed_dictionaries({"type": st.just(kind), "recordId": places, **more})


on_documents = st.one_of(
    operation("set", key=keys, value=values),
    operation("set", path=st.just(["meta", "a"]), value=values),
    operation("set-now", key=keys),
    operation("unset", key=keys),
    operation("merge", patch=st.fixed_dictionaries({"meta": st.fixed_dictionaries({"b": values})})),
    operation("increment", key=st.just("points"), by=st.integers(-3, 5)),
    operation("increment", path=st.just(["meta", "n"]), by=st.integers(1, 3)),
    operation("list-insert", key=st.just("tags"), value=values),
    operation("list-insert", key=st.just("tags"), value=values, index=st.integers(0, 2)),
    operation("list-insert", key=st.just("tags"), value=values, before=st.just("same")),
    operation("list-remove", key=st.just("tags"), value=st.just("same")),
)
on_records = st.one_of(
    operation("create", collection=st.just("task"), data=st.just({"points": 0})),
    operation("delete"),
    operation("restore"),
    operation("move", before=places),
    operation("move", after=places),
    operation("move", field=keys, value=values),
    operation("move", field=keys, value=values, before=places),
)
operations = st.one_of(on_documents, on_documents, on_documents, on_records)
routes = st.sampled_from([(0,), (1,), (0, 1)])
losses = st.sampled_from([None, None, None, LOST, CUT])
policies = st.sampled_from([None, "reject", "reject", "theirs", "yours"])  # None: based on nothing


class Machine(RuleBasedStateMachine):
    """One scene, from its beginning to the verdict."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.fresh = 0
        self.kills = 0
        self.scene: Scene = stage.run(opened(stage))

    def _do(self, work: Any) -> None:
        self.stage.run(work)

    def _note(self, what: str, **drawn: Any) -> None:
        """Puts into the history what was drawn: with the places of records, not their ids."""
        self.scene.history.act(what, **drawn)

    def _filled(self, value: Any) -> Any:
        """A drawn operation with the scene's records, and values that nobody else writes."""
        if isinstance(value, dict):
            return {key: self._filled(inner) for key, inner in value.items()}
        if value == "fresh":
            self.fresh += 1
            return f"v{self.fresh}"
        return value

    def _placed(self, drawn: dict[str, Any]) -> dict[str, str]:
        """The records of an operation, in place of their places."""
        names = ["recordId", *(("before", "after") if drawn["type"] == "move" else ())]
        return {name: self.scene.records[drawn[name]] for name in names if name in drawn}

    @rule(client=clients, drawn=st.lists(operations, min_size=1, max_size=3), policy=policies)
    def write(self, client: int, drawn: list[Any], policy: str | None) -> None:
        """A user writes; his client keeps it."""
        self._note("write", client=client, drawn=drawn, policy=policy)
        self._do(self._write(client, drawn, policy))

    @rule(client=clients, drawn=on_documents, policy=policies, to=routes, fault=losses)
    def edit(
        self, client: int, drawn: Any, policy: str | None, to: tuple[int, ...], fault: str | None
    ) -> None:
        """A user changes one thing, and his client sends all that it has: to either server, or

        each call to both at once; the first answer is lost, or it is cut off.
        """
        self._note("edit", client=client, drawn=drawn, policy=policy, to=to, fault=fault)
        self._do(self._write(client, [drawn], policy))
        self._do(self.scene.replicas[client].flush(*to, fault=fault))

    async def _write(self, client: int, drawn: list[Any], policy: str | None) -> None:
        named = [{**self._filled(each), **self._placed(each)} for each in drawn]
        self.scene.replicas[client].write(named, policy)

    @rule(client=clients, name=st.sampled_from(["undo", "redo"]))
    def undo(self, client: int, name: str) -> None:
        """A user takes his last write back, or brings it back."""
        self._note(name, client=client)

        async def call() -> None:
            self.scene.replicas[client].call(name)
            await self.scene.replicas[client].flush()

        self._do(call())

    @rule(client=clients, drawn=on_documents, redo=st.booleans())
    def regret(self, client: int, drawn: Any, redo: bool) -> None:
        """A user does something, the next one does it over, and the first one takes his back."""
        self._note("regret", client=client, drawn=drawn, redo=redo)

        async def regret() -> None:
            first, second = (
                self.scene.replicas[(client + n) % len(self.scene.replicas)] for n in range(2)
            )
            for replica in (first, second):
                await self._write(self.scene.replicas.index(replica), [drawn], None)
                await replica.flush()
            for name in ["undo", *(["redo"] if redo else [])]:
                first.call(name)
                await first.flush()

        self._do(regret())

    @rule(client=clients, to=routes, fault=losses, first=st.integers(0, 3))
    def send(self, client: int, to: tuple[int, ...], fault: str | None, first: int) -> None:
        """A client sends what it has kept, not always in the order in which it was written."""
        self._note("send", client=client, to=to, fault=fault, first=first)
        self._do(self.scene.replicas[client].flush(*to, fault=fault, first=first))

    @rule(client=clients, server=servers, fault=losses)
    def replay(self, client: int, server: int, fault: str | None) -> None:
        """A client sends all that it has kept in one request."""
        self._note("replay", client=client, server=server, fault=fault)
        self._do(self.scene.replicas[client].replay(server, fault))

    @rule(drawn=on_documents, policy=policies)
    def race(self, drawn: Any, policy: str | None) -> None:
        """All do the same, seeing the same, and send at once, to this server and that."""
        self._note("race", drawn=drawn, policy=policy)

        async def race() -> None:
            for client in range(len(self.scene.replicas)):
                await self._write(client, [drawn], policy)
            await asyncio.gather(
                *(replica.flush(n % 2) for n, replica in enumerate(self.scene.replicas))
            )

        self._do(race())

    @rule(client=clients, server=servers, place=places, whole=st.booleans())
    def read(self, client: int, server: int, place: int, whole: bool) -> None:
        """A client reads a record, or a snapshot, from either server."""
        self._note("read", client=client, server=server, place=place, whole=whole)
        self._do(self.scene.replicas[client].look(server, self.scene.records[place], whole))

    @rule(client=clients)
    def go_offline(self, client: int) -> None:
        """A client goes into a tunnel."""
        self._note("offline", client=client)
        self._do(self.scene.replicas[client].offline())

    @rule(client=clients, how=st.sampled_from(["stream", "changes", "coalesced", "snapshot"]))
    def go_online(self, client: int, how: str) -> None:
        """A client comes out of it."""
        self._note("online", client=client, how=how)
        self._do(self.scene.replicas[client].online(how))

    @rule(
        what=st.sampled_from(["psql", "psql", "cut", "cut", "epoch", "trim", "listeners"]),
        client=clients,
        after=st.sampled_from([0, 1, 40, 200, 700]),
        drawn=st.lists(places, min_size=1, max_size=3, unique=True),
    )
    def befall(self, what: str, client: int, after: int, drawn: list[int]) -> None:
        """Something happens: somebody writes in psql, a stream is cut after some more bytes, the

        workspace is restored from a backup of this very moment, its log is trimmed as far as can
        be, the servers are no longer woken.
        """
        self._note(what, client=client, after=after, places=drawn)
        match what:
            case "psql":
                self.scene.administrator.write([self.scene.records[place] for place in drawn])
            case "cut":
                self._do(self.scene.replicas[client].cut(after))
            case "epoch":
                self.scene.administrator.new_epoch()
            case "trim":
                self.scene.history.add("trimmed", **self.scene.administrator.trim())
            case "listeners":
                self.scene.administrator.cut_listeners()

    @precondition(lambda self: self.kills < KILLS)
    @rule(server=servers)
    def kill(self, server: int) -> None:
        """A server dies while all clients send to it; another one comes in its place."""
        self.kills += 1
        self._note("kill", server=server)

        async def kill() -> None:
            sends = [asyncio.create_task(replica.flush(server)) for replica in self.scene.replicas]
            await asyncio.sleep(0)
            await asyncio.to_thread(self.stage.backends[server].kill)
            await asyncio.gather(*sends)

        self._do(kill())

    def teardown(self) -> None:
        """All find together, and the checker judges what happened on the way."""
        try:
            self._do(self.scene.settle())
            found = violations(self.scene.history)
        finally:
            self._do(self.scene.close())
        if found:
            raise FoundError(found, self.scene.history)


class FoundError(AssertionError):
    """What the checker found in a history."""

    def __init__(self, found: list[Violation], history: History) -> None:
        super().__init__("; ".join(map(str, found[:5])))
        self.kinds = {violation.kind for violation in found}
        self.history = history


def explore(
    stage: Stage, report: Path, *, examples: int = EXAMPLES, steps: int = STEPS, start: int = SEED
) -> list[History]:
    """Plays scenes until one of them breaks a promise, and gives the histories of all.

    Raises FoundError of the first that did, with its history in `report`: played again it may meet
    other moments, and break none.
    """
    broken: list[FoundError] = []
    histories: list[History] = []

    @seed(start)
    class Play(Machine):
        def __init__(self) -> None:
            super().__init__(stage)
            histories.append(self.scene.history)

        def teardown(self) -> None:
            try:
                super().teardown()
            except FoundError as error:
                broken.append(error)
                raise

    try:
        _run(Play, examples, steps)
    except Exception:
        if not broken:
            raise
    if broken:
        broken[0].history.save(report)
        replay = f"MODEL_SEED={start} MODEL_EXAMPLES={examples} MODEL_STEPS={steps}"
        broken[0].add_note(f"{replay} plays it again, the history is {report}")
        raise broken[0]
    return histories


def _run(machine: type[Machine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )
