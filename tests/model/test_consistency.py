"""What concurrent clients of two servers see is strictly serializable, in the manner of Jepsen.

Clients write and read at the same time on whichever server, while servers are killed, streams and
listeners cut, and answers lost. What they saw is judged twice: by the log (checker.py), and
by itself (anomalies.py). CONSISTENCY_OPERATIONS says how much each client does, MODEL_SEED what.
"""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from model.anomalies import anomalies
from model.checker import violations
from model.machine import SEED
from model.network import CUT, LOST
from model.replica import RETRY_SECONDS, Replica
from model.scene import Scene, Stage, opened
from model.test_bugs import Bug, planted

CLIENTS = ("Ada", "Bob", "Cid", "Dan", "Eve", "Fay")
OPERATIONS = int(os.environ.get("CONSISTENCY_OPERATIONS", "40"))
REGISTERS, COUNTERS, ACCOUNTS, LISTS = slice(0, 2), slice(2, 3), slice(3, 6), slice(6, 8)
ACTS = ("look", "look", "snapshot", "set", "replace", "step", "send", "append")
DATA = [
    *({"kind": "register"} for _ in range(2)),
    *({"kind": "counter", "n": 0} for _ in range(1)),
    *({"kind": "account", "balance": 0} for _ in range(3)),
    *({"kind": "list", "list": []} for _ in range(2)),
]


@dataclass
class Workload:
    """What the clients of a scene do, and what befalls them meanwhile."""

    scene: Scene
    rng: random.Random
    count: int
    acts: tuple[str, ...]
    done: int = 0
    values: int = 0
    faults: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def run(self) -> None:
        """All clients at the same time; a fault after each share of what they do."""
        share = len(self.scene.replicas) * self.count // (len(self.faults) + 1)
        async with asyncio.TaskGroup() as group:
            for replica in self.scene.replicas:
                group.create_task(self._client(replica, share, group))

    async def _client(self, replica: Replica, share: int, group: asyncio.TaskGroup) -> None:
        rng = random.Random(self.rng.random())
        for _ in range(self.count):
            await self._one(replica, rng)
            self.done += 1
            if self.done % share == 0 and self.faults:
                group.create_task(_awaited(self.faults.pop(0)))

    async def _one(self, replica: Replica, rng: random.Random) -> None:
        server, records = rng.randrange(2), self.scene.records
        self.values += 1
        value = f"v{self.values}"
        match rng.choice(self.acts):
            case "look":
                await replica.look(server, rng.choice(records), False)
            case "snapshot":
                await replica.look(server, records[0], True)
            case "set":
                register = {"recordId": rng.choice(records[REGISTERS]), "key": "title"}
                await self._write(replica, server, rng, None, _set(register, value))
            case "replace":  # what it knows: refused where that is no longer so
                register = {"recordId": rng.choice(records[REGISTERS]), "key": "title"}
                await self._write(replica, server, rng, "reject", _set(register, value))
            case "step":
                step = _step(rng.choice(records[COUNTERS]), "n", rng.randint(1, 3))
                await self._write(replica, server, rng, "reject", step)  # collides with nothing
            case "send":
                source, target = rng.sample(records[ACCOUNTS], 2)
                steps = _step(source, "balance", -1), _step(target, "balance", 1)
                await self._write(replica, server, rng, None, *steps)
            case "append":
                lists = rng.sample(records[LISTS], rng.randint(1, 2))
                await self._write(replica, server, rng, None, *(_append(x, value) for x in lists))

    async def _write(
        self,
        replica: Replica,
        server: int,
        rng: random.Random,
        policy: str | None,
        *named: Any,
    ) -> None:
        replica.write(list(named), policy)
        await replica.flush(server, fault=rng.choice([None, None, None, None, LOST, CUT]))
        while replica.queue:
            await asyncio.sleep(RETRY_SECONDS)
            await replica.flush()


async def _awaited(fault: Callable[[], Awaitable[None]]) -> None:
    await fault()


def _set(register: Any, value: str) -> Any:
    return {"type": "set", **register, "value": value}


def _step(record: str, key: str, by: int) -> Any:
    return {"type": "increment", "recordId": record, "key": key, "by": by}


def _append(record: str, value: str) -> Any:
    return {"type": "list-insert", "recordId": record, "key": "list", "value": value}


async def played(
    stage: Stage, count: int, acts: tuple[str, ...] = ACTS, *, faults: bool = False
) -> Scene:
    """A scene in which all was done, and where it ended is noted."""
    scene = await opened(stage, CLIENTS, DATA)
    workload = Workload(scene, random.Random(SEED), count, acts)

    def kill(server: int) -> Callable[[], Awaitable[None]]:
        return lambda: asyncio.to_thread(stage.backends[server].kill)

    async def cut_streams() -> None:
        for replica in scene.replicas:
            await replica.cut(100)

    async def cut_listeners() -> None:
        await asyncio.to_thread(scene.administrator.cut_listeners)

    async def write_in_psql() -> None:
        await asyncio.to_thread(scene.administrator.write, scene.records[REGISTERS])

    if faults:
        workload.faults = [cut_streams, kill(0), cut_listeners, write_in_psql, kill(1)]
    try:
        await workload.run()
        await scene.settle()
    finally:
        await scene.close()
    return scene


def test_the_service_is_strictly_serializable_whatever_is_killed_and_cut(
    stage: Stage, tmp_path: Path
) -> None:
    history = stage.run(played(stage, OPERATIONS, faults=True)).history
    found = [*anomalies(history), *violations(history)]
    path = history.save(tmp_path / "history.jsonl")
    assert not found, f"of the history {path}: {'; '.join(map(str, found[:5]))}"
    outcomes = [entry["outcome"] for entry in history.of("write")]
    assert {"ok", "refused", "unknown"} <= set(outcomes), "not much was tried"


# behind the 20th change all is made
LAGGING = Bug(
    "api.record_get",
    "return logic.record_shape(v_record)",
    "return logic.record_shape(logic.record_at(v_record, greatest(20,"
    " (logic.log_position(p_workspace_id)).seq - case when random() < 0.5 then 3 else 0 end)))",
)
FRACTURED = Bug(
    "api.snapshot",
    "logic.record_shape(r) order by",
    "logic.record_shape(case when r.number % 2 = 0 then r else"
    " logic.record_at(r, greatest((logic.log_position(p_workspace_id)).seq - 2, 20)) end) order by",
)
BLIND = Bug(
    "logic.conflicts_since",
    "where p_data -> k.key is distinct",
    "where false and p_data -> k.key is distinct",
)
STALE = {"stale read", "stale read after own write", "non-monotonic read"}


@pytest.mark.parametrize(
    ("bug", "acts", "by_log", "by_itself"),
    [
        pytest.param(LAGGING, ("look", "append"), STALE, "real-time cycle", id="reads lag behind"),
        pytest.param(
            FRACTURED, ("snapshot", "append"), {"wrong snapshot"}, "G-single", id="torn snapshots"
        ),
        pytest.param(BLIND, ("replace",), {"lost update"}, "lost update", id="no conflicts"),
    ],
)
def test_what_is_not_is_found_by_either_checker(
    stage: Stage, bug: Bug, acts: tuple[str, ...], by_log: set[str], by_itself: str
) -> None:
    with planted(stage.database, bug):
        history = stage.run(played(stage, 30, acts)).history
    assert by_log & {violation.kind for violation in violations(history)}
    assert by_itself in {anomaly.kind for anomaly in anomalies(history)}
