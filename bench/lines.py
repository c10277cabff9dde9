"""What is measured, its bounds, and what was found: a table for people, JSON for tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from rich.table import Table

Details = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spec:
    """A line: what must hold. `bound` limits the ratio where there is one, else the value.

    sense: "min" for at least, "max" for at most; bound None: only reported.
    """

    key: str
    name: str
    unit: str
    beside: str | None
    sense: Literal["min", "max"] = "min"
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured for a line: the value, and where the line is a ratio the one beside it."""

    key: str
    value: float
    beside: float | None = None
    details: Details = field(default_factory=dict)
    fault: str | None = None  # why the numbers do not count, whatever they say

    @property
    def ratio(self) -> float | None:
        """The value against the one beside it; None where it stands alone."""
        return None if not self.beside else self.value / self.beside


PGBENCH = "pgbench, one call per transaction, 8 clients"
SPECS: tuple[Spec, ...] = (
    Spec("patch", "PATCH, 200 workspaces", "/s", PGBENCH, "min", 4.0),
    Spec("patch_batch", "PATCH, 200 workspaces", "/s", "the batch function alone", "min", 0.8),
    Spec("patch_hot", "PATCH, one hot workspace", "/s", PGBENCH, "min", 2.0),
    Spec("two_1", "PATCH, 2 processes, 1 workspace", "/s", "1 process", "min", 0.9),
    Spec("two_20", "PATCH, 2 processes, 20 workspaces", "/s", "1 process", "min", 0.9),
    Spec("two_200", "PATCH, 2 processes, 200 workspaces", "/s", "1 process", "min", 0.9),
    Spec("snapshot", "PATCH under an open snapshot", "/s", "without", "min", 0.9),
    Spec("held", "PATCH elsewhere, psql holds a workspace", "/s", "without"),
    Spec("alone", "one PATCH alone, HTTP less psycopg", "ms", None, "max", 0.6),
    Spec("fanout", "deliveries to 1,000 streams", "/s", None, "min", 150_000),
    Spec("idle", "memory of an idle stream, of 10,000", "KiB", None, "max", 20.0),
    Spec("last", "write to last of 1,000 streams, p99", "ms", None, "max", 50.0),
    Spec("first_page", "first page of 100,000 records", "ms", "of 1,000", "max", 1.3),
    Spec("deep_page", "deep page of 100,000 records", "ms", "of 1,000", "max", 1.3),
    Spec("patch_size", "PATCH among 100,000 records", "ms", "among 1,000", "max", 1.3),
    Spec("transactions_10", "transactions of 10 operations", "/s", "PATCH", "min", 0.1),
    Spec("transactions_100", "transactions of 100 operations", "/s", "PATCH", "min", 0.01),
    Spec("undo", "undo of 1,000 operations, the slowest kind", "ms", None, "max", 1_000.0),
    Spec("replay", "10,000 changes behind, coalesced", "ms", "one by one", "max", 1.0),
    Spec("queue", "transactions of a replayed queue", "/s", None),
    Spec("presence", "notifications for 500 people present", "/s", None, "max", 5.0),
    Spec("import", "import of 100,000 records", "/s", None, "min", 10_000),
)


def verdict(spec: Spec, result: Result | None) -> bool | None:
    """Whether a line holds; None where it was not measured or has no bound."""
    if result is None:
        return None
    if result.fault is not None:
        return False
    if spec.bound is None:
        return None
    measured = result.value if spec.beside is None else result.ratio
    if measured is None:
        return False
    return measured >= spec.bound if spec.sense == "min" else measured <= spec.bound


def as_json(results: Mapping[str, Result]) -> list[dict[str, Any]]:
    """All lines, those too that were not measured (their value is null)."""
    rows = []
    for spec in SPECS:
        result = results.get(spec.key)
        rows.append(
            {
                **asdict(spec),
                "compared_with": spec.beside,
                "value": result and result.value,
                "beside": result and result.beside,
                "ratio": result and result.ratio,
                "ok": verdict(spec, result),
                "fault": result and result.fault,
                "details": dict(result.details) if result else {},
            }
        )
    return rows


def as_table(results: Mapping[str, Result], title: str) -> Table:
    """The lines that were measured."""
    table = Table(title=title, title_justify="left")
    for heading in ("measure", "beside it"):
        table.add_column(heading)
    for heading in ("measured", "beside", "ratio", "must"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for spec in SPECS:
        result = results.get(spec.key)
        if result is None:
            continue
        ok = verdict(spec, result)
        table.add_row(
            spec.name,
            spec.beside or "",
            _number(result.value, spec.unit),
            "" if result.beside is None else _number(result.beside, spec.unit),
            "" if result.ratio is None else f"{result.ratio:.2f}",
            _bound(spec),
            "" if ok is None else "[green]ok[/]" if ok else "[red]missed[/]",
        )
        if result.fault is not None:
            table.add_row(f"  [red]{result.fault}[/]")
    return table


def _number(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return text + (unit if unit.startswith("/") else f" {unit}")


def _bound(spec: Spec) -> str:
    if spec.bound is None:
        return "(reported)"
    sign = "≥" if spec.sense == "min" else "≤"
    if spec.beside is not None:
        return f"{sign} {spec.bound:g} times"
    return f"{sign} {spec.bound:,g}" + (spec.unit if spec.unit[0] == "/" else f" {spec.unit}")
