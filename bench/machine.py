"""CPU time and memory of processes, read from /proc (proc(5)); and which machine this is."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

_TICK = os.sysconf("SC_CLK_TCK")
_PPID, _UTIME, _CSTIME = 1, 11, 14  # places in /proc/<pid>/stat, counted behind the program's name


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text()
    return text[text.rindex(")") + 2 :].split()


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and of all below it, those that ended and were waited for included."""
    processes: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, ValueError):  # it has ended meanwhile
                processes[int(entry.name)] = _stat(int(entry.name))
    below, total = [pid], 0
    while below:
        parent = below.pop()
        if parent in processes:
            total += sum(int(ticks) for ticks in processes[parent][_UTIME : _CSTIME + 1])
        below += [child for child, stat in processes.items() if int(stat[_PPID]) == parent]
    return total / _TICK


def resident_bytes(pid: int) -> int:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@dataclass
class CpuMeter:
    """Sums what groups of processes used of the CPU over measured spans: 1.0 is one busy CPU."""

    pids: Mapping[str, list[int]]
    used: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @contextmanager
    def measure(self) -> Iterator[None]:
        """A span that counts."""
        before, started = self._now(), monotonic()
        yield
        self.seconds += monotonic() - started
        for name, used in self._now().items():
            self.used[name] = self.used.get(name, 0.0) + used - before[name]

    def _now(self) -> dict[str, float]:
        return {name: sum(map(cpu_seconds, pids)) for name, pids in self.pids.items()}

    def report(self, requests: float) -> dict[str, dict[str, float]]:
        """Per group: busy CPUs, and microseconds of CPU per request."""
        return {
            name: {
                "busy": round(used / self.seconds, 3),
                "us_per_request": round(used / max(requests, 1) * 1e6, 1),
            }
            for name, used in self.used.items()
            if self.seconds
        }


def describe() -> dict[str, object]:
    """What the numbers were measured on."""
    model = "unknown"
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return {
        "cpu": model,
        "cpus": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
