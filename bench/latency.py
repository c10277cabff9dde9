"""One PATCH at a time: over HTTP, against the same call by psycopg."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import count
from time import perf_counter

from bench.bed import BATCH, Bed, patch_call
from bench.client import Client
from bench.lines import Result
from bench.load import patch_bytes, patch_parts, quantile
from bench.plan import Plan, middle
from bench.server import Server

BLOCK = 50  # requests of one kind in a row


def in_turn(
    total: int, kinds: dict[str, Callable[[], float]], report: Callable[[str], None]
) -> dict[str, list[float]]:
    """Seconds of `total` requests of each kind, in alternating blocks; two blocks don't count."""
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(-2, total // BLOCK):
        for kind, request in kinds.items():
            report(f"{kind}, {max(0, number * BLOCK)} of {total}")
            times = [request() for _ in range(BLOCK)]
            if number >= 0:
                found[kind] += times
    return found


def summary(times: list[float]) -> dict[str, float]:
    """Milliseconds."""
    ordered = sorted(times)
    return {f"p{q}_ms": round(quantile(ordered, q / 100) * 1000, 3) for q in (10, 50, 90, 99)}


def alone(bed: Bed, server: Server, plan: Plan, report: Callable[[str], None]) -> list[Result]:
    """alone: the difference of the medians, in ms."""
    targets = [
        (workspace, record, patch_parts(record, workspace.token))
        for workspace in bed.many
        for record in workspace.records
    ]
    choice, numbers = random.Random(3), count()
    with Client(server.port) as client, bed.connect_server() as connection:

        def over_http() -> float:
            return client.timed(patch_bytes(choice.choice(targets)[2]))

        def by_psycopg() -> float:
            workspace, record, _ = choice.choice(targets)
            parameters = patch_call(workspace, record, f"Direct {next(numbers)}")
            started = perf_counter()
            row = connection.execute(BATCH, parameters, prepare=True).fetchone()
            seconds = perf_counter() - started
            assert row is not None
            assert row[1] == "ok", row
            return seconds

        times = in_turn(
            plan.latencies, {"PATCH over HTTP": over_http, "by psycopg": by_psycopg}, report
        )
    http, direct = times.values()
    difference = (middle(http) - middle(direct)) * 1000
    return [Result("alone", difference, None, {"http": summary(http), "psycopg": summary(direct)})]
