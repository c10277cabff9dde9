"""The command `python -m bench.retention`: what a trim takes, and what it costs who writes."""

from __future__ import annotations

import random
import threading
from itertools import count
from time import perf_counter
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console

from bench import bed
from bench.bed import BATCH, CALLS, Bed, Workspace
from bench.client import Client
from bench.latency import summary
from bench.load import patch_bytes, patch_parts
from bench.server import Server
from rowcast.compact import trim

RECORDS = 1_000
QUIET = 1_000  # requests without a compact beside them


def fill(place: Bed, workspace: Workspace, changes: int) -> None:
    """Writes that many changes, in full batches: each a PATCH with a transaction of its own."""
    numbers, choice = count(), random.Random(1)
    with place.connect_server() as connection:
        for _ in range(changes // CALLS):
            calls: list[Any] = [
                bed.patch_call(workspace, record, f"Change {next(numbers)}")
                for record in choice.sample(workspace.records, CALLS)
            ]
            columns = [[value[0] for value in column] for column in zip(*calls, strict=True)]
            rows = connection.execute(BATCH, columns, prepare=True).fetchall()
            assert {row[1] for row in rows} == {"ok"}


def beside(client: Client, workspace: Workspace, done: threading.Event, least: int) -> list[float]:
    """Seconds of PATCHes of the same workspace, one after the other, until done and so many."""
    parts = [patch_parts(record, workspace.token) for record in workspace.records]
    choice = random.Random(2)
    times: list[float] = []
    while len(times) < least or not done.is_set():
        times.append(client.timed(patch_bytes(choice.choice(parts))))
    return times


def measure(
    place: Bed, server: Server, workspace: Workspace
) -> tuple[list[float], list[float], dict[str, float]]:
    """Seconds of each PATCH without a trim and beside one, and what the trim took."""
    done = threading.Event()
    found: dict[str, float] = {}

    def work() -> None:
        with psycopg.connect(place.server, autocommit=True) as connection:
            started = perf_counter()
            trimmed, _ = trim(connection, workspace.id, "infinity", lambda _: None)
            found.update(seconds=perf_counter() - started, changes=trimmed)
        done.set()

    with Client(server.port) as client:
        done.set()
        quiet = beside(client, workspace, done, QUIET)
        done.clear()
        working = threading.Thread(target=work)
        working.start()
        busy = beside(client, workspace, done, 1)
        working.join()
    return quiet, busy, found


def main(
    changes: Annotated[int, typer.Option(help="Changes in the log.")] = 100_000,
) -> None:
    """Trim a log while its workspace is written to; print rows per second and latencies."""
    console = Console()
    with (
        bed.scratch_directory() as scratch,
        bed.prepared(None, scratch) as place,
        Server(place.server, scratch / "server.log") as server,
    ):
        with place.connect_server() as connection:
            connection.execute("set statement_timeout = 0")
            workspace = bed.make_workspace(connection, RECORDS)
        workspace.records.extend(place.record_ids(workspace.id))
        fill(place, workspace, changes)
        place.tidy()
        quiet, busy, found = measure(place, server, workspace)
    rate = found["changes"] / found["seconds"]
    console.print(
        f"{found['changes']:.0f} changes trimmed in {found['seconds']:.1f} s, {rate:.0f}/s"
    )
    console.print(f"one PATCH, without: {summary(quiet)}, {len(quiet) / sum(quiet):.0f}/s")
    console.print(f"one PATCH, beside:  {summary(busy)}, {len(busy) / sum(busy):.0f}/s")


if __name__ == "__main__":
    typer.run(main)
