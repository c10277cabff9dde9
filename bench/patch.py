"""PATCH over HTTP at 64 connections: against pgbench, by two processes, with a snapshot, a lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import sleep
from typing import Any

from bench.bed import Bed
from bench.child import Child
from bench.lines import Details, Result
from bench.machine import CpuMeter
from bench.plan import Plan, alternate, middle
from bench.server import Server

CONNECTIONS = 64
Report = Callable[[str], None]


@dataclass
class Rounds:
    """Rounds of load on servers, and what they saw beside their rate."""

    generator: Child
    records: str
    servers: list[Server]
    cpu: CpuMeter
    plan: Plan
    p50: list[float]
    p99: list[float]
    requests: int = 0
    failed: int = 0

    @classmethod
    def of(
        cls, bed: Bed, generator: Child, records: str, servers: list[Server], plan: Plan
    ) -> Rounds:
        """The connections are spread evenly over the servers."""
        pids = {"generator": [generator.pid], "server": [server.pid for server in servers]}
        if bed.postmaster is not None:
            pids["postgres"] = [bed.postmaster]
        return cls(generator, records, servers, CpuMeter(pids), plan, [], [])

    def run(self, seconds: float | None = None) -> float:
        """One round; its requests per second."""
        groups = [
            {
                "port": server.port,
                "connections": CONNECTIONS // len(self.servers),
                "records": self.records,
            }
            for server in self.servers
        ]
        with self.cpu.measure():
            answer = self.generator.ask(
                "run", groups=groups, seconds=seconds or self.plan.seconds, warm=self.plan.warm
            )
        return self.count(answer["groups"])

    def count(self, groups: list[dict[str, Any]]) -> float:
        """Takes a round's report down; its requests per second."""
        rate = 0.0
        for group in groups:
            self.requests += group["requests"]
            self.failed += sum(group["failed"].values())
            rate += group["rate"]
        self.p50.append(max(group["p50"] for group in groups))
        self.p99.append(max(group["p99"] for group in groups))
        return rate

    def details(self, rates: list[float]) -> Details:
        """For the report. CPU is measured over warm-up and round."""
        scale = (self.plan.seconds + self.plan.warm) / self.plan.seconds
        return {
            "rounds": [round(rate) for rate in rates],
            "p50_ms": round(middle(self.p50), 2),
            "p99_ms": round(middle(self.p99), 2),
            "failed": self.failed,
            "cpu": self.cpu.report(self.requests * scale),
        }

    @property
    def fault(self) -> str | None:
        """Why these rounds do not count."""
        return f"{self.failed} requests failed" if self.failed else None


@dataclass
class Pgbench:
    """Rounds of pgbench, and how many of their calls changed something.

    A call that changes nothing costs next to nothing, and would flatter whoever makes it.
    """

    bed: Bed
    measure: Callable[[int], tuple[float, int]]
    plan: Plan
    calls: int = 0
    changes: int = 0

    def __post_init__(self) -> None:
        pids = {} if self.bed.postmaster is None else {"postgres": [self.bed.postmaster]}
        self.cpu = CpuMeter(pids)

    def run(self) -> float:
        """One round; its calls per second."""
        before = self.bed.changes()
        with self.cpu.measure():
            rate, calls = self.measure(self.plan.seconds)
        self.changes += self.bed.changes() - before
        self.calls += calls
        return rate

    def details(self, rates: list[float]) -> Details:
        """For the report."""
        return {
            "rounds": [round(rate) for rate in rates],
            "changed": round(self.changes / self.calls, 3),
            "cpu": self.cpu.report(self.calls),
        }

    @property
    def fault(self) -> str | None:
        """Why these rounds do not count."""
        share = self.changes / self.calls
        return None if share > 0.95 else f"{share:.0%} of pgbench's calls changed something"


def give_records(bed: Bed, generator: Child) -> None:
    """Tells the generator which records there are: of the first 1, 20, … workspaces."""
    for count in sorted({1, 20, len(bed.many)}):
        targets = [target for workspace in bed.many[:count] for target in workspace.targets]
        generator.ask("records", key=str(count), records=targets)
    others = [target for workspace in bed.many[1:] for target in workspace.targets]
    generator.ask("records", key="others", records=others)
    assert bed.fanout is not None
    generator.ask("records", key="fanout", records=bed.fanout.targets)


def against_pgbench(
    bed: Bed, server: Server, generator: Child, plan: Plan, report: Report
) -> list[Result]:
    """patch, patch_batch, patch_hot."""
    http = Rounds.of(bed, generator, str(len(bed.many)), [server], plan)
    hot = Rounds.of(bed, generator, "1", [server], plan)
    calls_alone = Pgbench(bed, bed.pgbench_calls, plan)
    batches_alone = Pgbench(bed, bed.pgbench_batches, plan)
    rates = alternate(
        plan.rounds,
        {
            "pgbench, one call per transaction": calls_alone.run,
            "PATCH, all workspaces": http.run,
            "the batch function alone": batches_alone.run,
            "PATCH, one hot workspace": hot.run,
        },
        report,
    )
    calls, over_http, batches, over_hot = rates.values()
    fault = http.fault or calls_alone.fault or batches_alone.fault
    details = {**http.details(over_http), "beside": calls_alone.details(calls)}
    beside = {"rounds": details["rounds"], "beside": batches_alone.details(batches)}
    return [
        Result("patch", middle(over_http), middle(calls), details, fault),
        Result("patch_batch", middle(over_http), middle(batches), beside, fault),
        Result("patch_hot", middle(over_hot), middle(calls), hot.details(over_hot), hot.fault),
    ]


def two_processes(
    bed: Bed, servers: list[Server], generator: Child, plan: Plan, report: Report
) -> list[Result]:
    """two_1, two_20, two_200: 32 connections to each of two processes, or 64 to one."""
    results = []
    plan = replace(plan, seconds=min(3, plan.seconds))
    for key, count in (("two_1", 1), ("two_20", 20), ("two_200", len(bed.many))):
        one = Rounds.of(bed, generator, str(count), servers[:1], plan)
        two = Rounds.of(bed, generator, str(count), servers, plan)
        rates = alternate(
            plan.rounds,
            {
                f"PATCH, {count} workspaces, 1 process": one.run,
                f"PATCH, {count} workspaces, 2 processes": two.run,
            },
            report,
        )
        by_one, by_two = rates.values()
        details = {**two.details(by_two), "beside": one.details(by_one), "workspaces": count}
        results.append(Result(key, middle(by_two), middle(by_one), details, two.fault or one.fault))
    return results


def under_snapshot(
    bed: Bed, server: Server, generator: Child, plan: Plan, report: Report
) -> list[Result]:
    """snapshot: rounds while a reader's transaction holds a snapshot, between rounds without."""
    records = str(len(bed.many))
    without, within = (Rounds.of(bed, generator, records, [server], plan) for _ in range(2))
    rates: dict[str, list[float]] = {"without": [], "with": []}

    def rounds(of: Rounds, name: str, count: int) -> None:
        for number in range(count):
            report(f"PATCH {name} a snapshot, round {number + 1} of {count}")
            rates[name].append(of.run())

    count = max(1, round(plan.snapshot_seconds / (plan.seconds + plan.warm)))
    beside = max(1, min(count, plan.rounds) // 2 + 1)
    rounds(without, "without", beside)
    with bed.connect() as connection:
        connection.execute("begin isolation level repeatable read")
        connection.execute("select count(*) from core.record")
        rounds(within, "with", count)
        connection.execute("commit")
    rounds(without, "without", beside)
    last = rates["with"][-max(1, count // 4) :]
    details = {
        **within.details(rates["with"]),
        "last_quarter": round(middle(last)),
        "beside": without.details(rates["without"]),
    }
    fault = within.fault or without.fault
    return [Result("snapshot", middle(rates["with"]), middle(rates["without"]), details, fault)]


def beside_a_lock(
    bed: Bed, server: Server, generator: Child, plan: Plan, report: Report
) -> list[Result]:
    """held: what others get while psql holds a workspace that four clients write to."""
    groups = [
        {"port": server.port, "connections": CONNECTIONS, "records": "others"},
        {"port": server.port, "connections": 4, "records": "1"},
    ]
    free, beside = (Rounds.of(bed, generator, "others", [server], plan) for _ in range(2))
    answered = 0

    def run(of: Rounds, *, held: bool) -> float:
        nonlocal answered
        with of.cpu.measure(), bed.connect() as psql:
            if held:
                psql.execute("begin")
                psql.execute(
                    'update core.record set data = data || \'{"title": "Held"}\' where id = %s',
                    [bed.many[0].records[0]],
                )
            generator.start("run", groups=groups, seconds=plan.seconds, warm=plan.warm)
            sleep(plan.warm + plan.seconds + 0.3)  # past the end of the span
            if held:
                psql.execute("rollback")
            answer = generator.result()
        others, own = answer["groups"]
        if held:
            answered += own["requests"]
        return of.count([others])

    rates = alternate(
        min(3, plan.rounds),
        {
            "PATCH elsewhere, nobody holds a workspace": partial(run, free, held=False),
            "PATCH elsewhere, psql holds a workspace": partial(run, beside, held=True),
        },
        report,
    )
    by_free, by_held = rates.values()
    details = {
        **beside.details(by_held),
        "answered_in_held_workspace": answered,
        "beside": free.details(by_free),
    }
    fault = beside.fault or free.fault
    if answered:
        fault = f"{answered} writes went past the lock"
    return [Result("held", middle(by_held), middle(by_free), details, fault)]
