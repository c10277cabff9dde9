"""An import over HTTP, with its log; what it makes is the large workspace."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import perf_counter

from bench.bed import Bed, Workspace, make_workspace, task
from bench.client import Client, request_bytes
from bench.lines import Result
from bench.machine import CpuMeter
from bench.plan import Plan
from bench.server import Server

_TARGETS = 5_000  # records of the large workspace that are PATCHed


def import_large(
    bed: Bed, server: Server, plan: Plan, report: Callable[[str], None]
) -> tuple[Result, Workspace]:
    """import: records per second, and the workspace of plan.big records."""
    with bed.connect_server() as connection:
        workspace = make_workspace(connection, 0)
    body = b"".join(json.dumps(task(n)).encode() + b"\n" for n in range(plan.big))
    pids = {"server": [server.pid]}
    if bed.postmaster is not None:
        pids["postgres"] = [bed.postmaster]
    cpu = CpuMeter(pids)
    before = bed.changes_of(workspace.id)
    report(f"importing {plan.big:,} records")
    with Client(server.port) as client, cpu.measure():
        started = perf_counter()
        answer = client.json(
            request_bytes(
                "POST",
                f"/api/v1/workspaces/{workspace.id}/import?collection=task",
                workspace.token,
                {"Content-Type": "application/x-ndjson"},
                body,
            )
        )
        seconds = perf_counter() - started
    logged = bed.changes_of(workspace.id) - before
    fault = None
    if answer["created"] != plan.big or logged != plan.big:
        fault = f"{answer['created']} records created, {logged} changes logged"
    workspace.records.extend(bed.record_ids(workspace.id, _TARGETS))
    details = {
        "records": plan.big,
        "mebibytes": round(len(body) / 2**20, 1),
        "seconds": round(seconds, 2),
        "cpu": cpu.report(plan.big),
    }
    return Result("import", plan.big / seconds, None, details, fault), workspace
