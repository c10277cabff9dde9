"""How long things are measured: the full run, and a quick one that shows that the bench works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds, seconds, and sizes. Seconds of pgbench are whole."""

    quick: bool = False
    rounds: int = 5
    seconds: int = 5
    warm: float = 0.5
    workspaces: int = 200
    snapshot_seconds: int = 60
    small: int = 1_000
    big: int = 100_000
    latencies: int = 1_000  # requests of each kind
    streams: int = 1_000
    stream_seconds: int = 20
    paced_seconds: int = 30
    idle_streams: int = 10_000
    idle_seconds: int = 20
    undone: tuple[str, ...] = ()  # kinds of transactions (see sync.py); none: all
    behind: int = 10_000  # changes that a client was away for
    present: int = 500  # people
    present_seconds: int = 60


FULL = Plan()
QUICK = Plan(
    quick=True,
    rounds=2,
    seconds=1,
    warm=0.2,
    workspaces=40,
    snapshot_seconds=5,
    small=300,
    big=3_000,
    latencies=200,
    streams=200,
    stream_seconds=3,
    paced_seconds=3,
    idle_streams=1_000,
    idle_seconds=2,
    undone=("values", "moves"),
    behind=1_000,
    present=100,
    present_seconds=5,
)


def alternate(
    rounds: int, contestants: Mapping[str, Callable[[], float]], report: Callable[[str], None]
) -> dict[str, list[float]]:
    """Runs things in turn, round after round, since machines are noisy; what each gave."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name, measure in contestants.items():
            report(f"{name}, round {number + 1} of {rounds}")
            found[name].append(measure())
    return found


def middle(values: list[float]) -> float:
    """The median."""
    return float(median(values))
