"""The command `python -m bench`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench import bed, bulk, fanout, latency, lines, machine, patch, presence, sizes, sync
from bench.bed import Bed, Workspace
from bench.child import ROOT, Child
from bench.lines import Result
from bench.plan import FULL, QUICK, Plan
from bench.server import Server

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass
class Run:
    """One run of the bench: what is up, and how to say what is going on."""

    bed: Bed
    plan: Plan
    servers: list[Server]
    generator: Child
    streams: Child
    report: Callable[[str], None]
    imported: tuple[Result, Workspace] | None = None

    def large(self) -> tuple[Result, Workspace]:
        """The large workspace, and how it was imported: when first asked for."""
        if self.imported is None:
            self.imported = bulk.import_large(self.bed, self.servers[0], self.plan, self.report)
        return self.imported


PARTS: dict[str, Callable[[Run], list[Result]]] = {
    "patch": lambda r: patch.against_pgbench(r.bed, r.servers[0], r.generator, r.plan, r.report),
    "two": lambda r: patch.two_processes(r.bed, r.servers, r.generator, r.plan, r.report),
    "snapshot": lambda r: patch.under_snapshot(r.bed, r.servers[0], r.generator, r.plan, r.report),
    "held": lambda r: patch.beside_a_lock(r.bed, r.servers[0], r.generator, r.plan, r.report),
    "alone": lambda r: latency.alone(r.bed, r.servers[0], r.plan, r.report),
    "fanout": lambda r: fanout.deliveries(
        r.bed, r.servers[0], r.generator, r.streams, r.plan, r.report
    ),
    "idle": lambda r: fanout.idle(r.bed, r.streams, r.plan, r.report),
    "transactions": lambda r: sync.transactions(r.bed, r.servers[0], r.generator, r.plan, r.report),
    "undo": lambda r: sync.undo(r.bed, r.servers[0], r.plan, r.report),
    "replay": lambda r: sync.replay(r.bed, r.servers[0], r.plan, r.report),
    "presence": lambda r: presence.presence(r.bed, r.servers, r.plan, r.report),
    "import": lambda r: [r.large()[0]],
    "sizes": lambda r: sizes.pages(r.bed, r.servers[0], r.large()[1], r.plan, r.report),
}


@app.command()
def main(
    quick: Annotated[bool, typer.Option(help="Smaller and shorter: does the bench work?")] = False,
    only: Annotated[str, typer.Option(help=f"Parts, from: {', '.join(PARTS)}.")] = "",
    database_url: Annotated[
        str | None, typer.Option(help="A superuser's URL; default: a PostgreSQL of its own.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="The JSON file to write.")] = None,
    strict: Annotated[bool, typer.Option(help="Exit with 1 if a line is missed.")] = False,
) -> None:
    """Measure what Rowcast must cost; print a table, and write JSON to bench/results/."""
    plan = QUICK if quick else FULL
    parts = [part for part in only.split(",") if part] or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        raise typer.BadParameter(f"no such part: {', '.join(sorted(unknown))}")
    started = time.monotonic()
    facts = machine.describe()
    results: dict[str, Result] = {}
    console = Console(stderr=True)
    with console.status("starting PostgreSQL") as status, ExitStack() as stack:
        scratch = stack.enter_context(bed.scratch_directory())
        place = stack.enter_context(bed.prepared(database_url, scratch))
        facts |= place.describe()
        status.update("seeding")
        bed.seed(place, plan.workspaces, plan.small)
        run = Run(
            place,
            plan,
            [
                stack.enter_context(Server(place.server, scratch / f"server-{number}.log"))
                for number in range(2 if {"two", "presence"} & set(parts) else 1)
            ],
            stack.enter_context(Child("bench.load")),
            stack.enter_context(Child("bench.streams")),
            status.update,
        )
        patch.give_records(place, run.generator)
        for part in parts:
            for result in PARTS[part](run):
                results[result.key] = result
    seconds = round(time.monotonic() - started, 1)
    print_table(results, facts, quick, seconds)
    path = write(results, {**facts, "quick": quick, "seconds": seconds}, output)
    console.print(f"written to {path}")
    if strict and not all(
        lines.verdict(spec, results.get(spec.key)) in (True, None) for spec in lines.SPECS
    ):
        raise typer.Exit(1)


def print_table(
    results: dict[str, Result], facts: dict[str, object], quick: bool, seconds: float
) -> None:
    """For people, on standard output."""
    title = f"{facts['cpus']} CPUs, {facts['postgres']}, {seconds:.0f} s"
    if quick:
        title += ", quick: the numbers mean little"
    console = Console()
    console = Console(width=max(console.width, 120)) if not console.is_terminal else console
    console.print(lines.as_table(results, title))


def write(results: dict[str, Result], facts: dict[str, object], output: Path | None) -> Path:
    """Writes the JSON; where."""
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = output or ROOT / "bench" / "results" / f"{at}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {"at": at, **facts, "lines": lines.as_json(results)}
    path.write_text(json.dumps(found, indent=2) + "\n")
    return path


if __name__ == "__main__":
    app()
