"""Streams: deliveries per second, write to last stream, and what an idle one costs."""

from __future__ import annotations

import resource
from collections.abc import Callable
from itertools import pairwise
from time import monotonic, sleep
from typing import Any

from bench.bed import Bed, Workspace
from bench.child import Child
from bench.lines import Result
from bench.load import quantile
from bench.machine import CpuMeter, resident_bytes
from bench.plan import Plan
from bench.server import Server

CONNECTIONS = 64
RATE = 50  # writes/s
_DRAIN_SECONDS = 30.0
_PING_BYTES = 100  # at most, that an idle stream gets in a while of the bench: heartbeats only
Report = Callable[[str], None]


def deliveries(
    bed: Bed, server: Server, generator: Child, streams: Child, plan: Plan, report: Report
) -> list[Result]:
    """fanout, last: on one workspace, all streams of one process."""
    assert bed.fanout is not None
    report(f"opening {plan.streams:,} streams")
    opened = streams.ask(
        "open",
        port=server.port,
        count=plan.streams,
        workspaces=[(bed.fanout.id, bed.fanout.token)],
    )
    results = [
        _sustained(bed, bed.fanout, server, generator, streams, plan, report),
        _last(bed, bed.fanout, server, generator, streams, plan, report),
    ]
    streams.ask("close")
    results[0] = Result(
        results[0].key,
        results[0].value,
        None,
        {**results[0].details, "opened_in_s": round(opened["seconds"], 2)},
        results[0].fault,
    )
    return results


def _sustained(
    bed: Bed,
    workspace: Workspace,
    server: Server,
    generator: Child,
    streams: Child,
    plan: Plan,
    report: Report,
) -> Result:
    """PATCHes as fast as they go; what arrives in a second, in the middle of it."""
    before = bed.changes_of(workspace.id)
    streams.ask("watch", times=False)
    cpu = _meter(bed, server, generator, streams)
    groups = [{"port": server.port, "connections": CONNECTIONS, "records": "fanout"}]
    generator.start("run", groups=groups, seconds=plan.stream_seconds, warm=plan.warm)
    sleep(plan.warm)
    samples = [streams.ask("count")]
    with cpu.measure():
        for second in range(plan.stream_seconds - 1):
            report(f"PATCHes to {plan.streams:,} streams, second {second + 1}")
            sleep(1)
            samples.append(streams.ask("count"))
    load = generator.result()["groups"][0]
    written = monotonic()
    writes = bed.changes_of(workspace.id) - before
    last = _drained(streams, writes)
    arrived = samples[-1]["events"] - samples[0]["events"]
    rate = arrived / (samples[-1]["at"] - samples[0]["at"])
    details = {
        "seconds": [
            round((b["events"] - a["events"]) / (b["at"] - a["at"])) for a, b in pairwise(samples)
        ],
        "bytes_per_delivery": round(last["bytes"] / max(1, last["events"])),
        "patches": {k: load[k] for k in ("rate", "p50", "p99", "failed")},
        "writes": writes,
        "drained_in_s": round(last["at"] - written, 2),
        "cpu": cpu.report(arrived),
    }
    return Result("fanout", rate, None, details, _lost(last, writes))


def _last(
    bed: Bed,
    workspace: Workspace,
    server: Server,
    generator: Child,
    streams: Child,
    plan: Plan,
    report: Report,
) -> Result:
    """From a request sent to its event on the last stream, at a steady rate."""
    before = bed.changes_of(workspace.id)
    streams.ask("watch", times=True)
    report(f"{RATE} writes/s to {plan.streams:,} streams")
    cpu = _meter(bed, server, generator, streams)
    with cpu.measure():
        sent = generator.ask(
            "paced", port=server.port, records="fanout", rate=RATE, seconds=plan.paced_seconds
        )["sent"]
    _drained(streams, len(sent))
    found = streams.ask("count", times=True)
    fault = _lost(found, len(sent))
    times: list[float] = []
    if fault is None:
        first = min(seq for seq, _ in sent)
        times = sorted(found["times"][seq - first] - at for seq, at in sent)
        assert bed.changes_of(workspace.id) == before + len(sent), "somebody else wrote"
    details = {
        "writes": len(sent),
        "p50_ms": round(quantile(times, 0.5) * 1000, 2),
        "longest_ms": round(times[-1] * 1000, 2) if times else None,
        "cpu": cpu.report(len(sent) * plan.streams),
    }
    return Result("last", quantile(times, 0.99) * 1000, None, details, fault)


def _meter(bed: Bed, server: Server, generator: Child, streams: Child) -> CpuMeter:
    pids = {"server": [server.pid], "generator": [generator.pid], "client": [streams.pid]}
    if bed.postmaster is not None:
        pids["postgres"] = [bed.postmaster]
    return CpuMeter(pids)


def _drained(streams: Child, writes: int) -> dict[str, Any]:
    """Waits until every stream has every write, or for a while."""
    deadline = monotonic() + _DRAIN_SECONDS
    while True:
        found = streams.ask("count")
        if found["least"] >= writes or found["ended"] or monotonic() > deadline:
            return found
        sleep(0.05)


def _lost(found: dict[str, Any], writes: int) -> str | None:
    if found["ended"]:
        return f"{found['ended']} streams were closed"
    if found["least"] != writes or found["most"] != writes:
        return f"{writes} writes, but streams got {found['least']} to {found['most']} events"
    return None


def idle(bed: Bed, streams: Child, plan: Plan, report: Report) -> list[Result]:
    """idle: resident memory per stream of a fresh process, spread over all workspaces."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(plan.idle_streams, most - 500)
    try:
        with Server(bed.server, bed.scratch / "server-idle.log") as server:
            return [_idle(bed, server, streams, count, plan, report)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))


def _idle(
    bed: Bed, server: Server, streams: Child, count: int, plan: Plan, report: Report
) -> Result:
    before = resident_bytes(server.pid)
    report(f"opening {count:,} streams")
    opened = streams.ask(
        "open",
        port=server.port,
        count=count,
        workspaces=[(workspace.id, workspace.token) for workspace in bed.many],
    )
    streams.ask("watch", times=False)
    highest = 0
    cpu = CpuMeter({"server": [server.pid]})
    with cpu.measure():
        for second in range(plan.idle_seconds):
            report(f"{count:,} idle streams, second {second + 1}")
            sleep(1)
            highest = max(highest, resident_bytes(server.pid))
    found = streams.ask("count")
    streams.ask("close")
    fault = None
    if count < plan.idle_streams:
        fault = f"only {count:,} streams: raise the limit of open files (ulimit -n)"
    elif found["ended"] or found["events"] or found["bytes"] > count * _PING_BYTES:
        fault = "idle streams got more than heartbeats: " + str(
            {key: found[key] for key in ("ended", "events", "bytes")}
        )
    details = {
        "streams": count,
        "resident_mib": {"before": before >> 20, "with": highest >> 20},
        "opened_per_s": round(count / opened["seconds"]),
        "bytes_per_stream": round(found["bytes"] / count, 1),
        "cpu_busy": cpu.report(1)["server"]["busy"],
    }
    return Result("idle", (highest - before) / count / 1024, None, details, fault)
