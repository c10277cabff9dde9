"""Transactions per second, undo, and what it takes to catch up after hours offline."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from time import perf_counter
from typing import Any

from bench.bed import Bed, Workspace, make_workspace
from bench.child import Child
from bench.client import Client, request_bytes
from bench.lines import Result
from bench.patch import Rounds
from bench.plan import Plan, alternate, middle
from bench.server import Server

SIZES = (10, 100)  # operations of a transaction
OPERATIONS = 1_000  # the most that one may have
PAGE = 1_000  # of changes, the most that one may have
_THERE_AND_BACK = ("delete", "restore")
Report = Callable[[str], None]


def transactions(
    bed: Bed, server: Server, generator: Child, plan: Plan, report: Report
) -> list[Result]:
    """transactions_10, transactions_100: each sets a field of so many records of a workspace."""
    single = Rounds.of(bed, generator, str(len(bed.many)), [server], plan)
    several = {}
    for size in SIZES:
        key = f"transactions of {size}"
        targets = [(w.id, w.token, w.records[:size]) for w in bed.many]
        generator.ask("transactions", key=key, targets=targets)
        several[size] = Rounds.of(bed, generator, key, [server], plan)
    contestants = {"PATCH": single.run}
    contestants |= {f"transactions of {size}": several[size].run for size in SIZES}
    rates = alternate(plan.rounds, contestants, report)
    alone = middle(rates["PATCH"])
    results = []
    for size, rounds in several.items():
        found = rates[f"transactions of {size}"]
        details = {
            **rounds.details(found),
            "operations_per_s": round(middle(found) * size),
            "beside": single.details(rates["PATCH"]),
        }
        fault = rounds.fault or single.fault
        results.append(Result(f"transactions_{size}", middle(found), alone, details, fault))
    return results


def undo(bed: Bed, server: Server, plan: Plan, report: Report) -> list[Result]:
    """undo: of a transaction as large as one may be, in ms: the slowest of several kinds."""
    workspace = _workspace(bed, OPERATIONS)
    applied: dict[str, list[float]] = {}
    undone: dict[str, list[float]] = {}
    faults = []
    before = _content(bed, workspace)
    with Client(server.port) as client:
        for number in range(plan.rounds):
            kinds = _kinds(workspace.records, number)
            for kind in plan.undone or kinds:
                operations = kinds[kind]
                report(f"undo of {OPERATIONS:,} {kind}, round {number + 1} of {plan.rounds}")
                request = _post(workspace, "transactions", {"operations": operations})
                applied.setdefault(kind, []).append(client.timed(request))
                undone.setdefault(kind, []).append(client.timed(_post(workspace, "undo", {})))
                if _content(bed, workspace) != before:
                    faults.append(f"undo of {kind} did not bring all back as it was")
    milliseconds = {kind: round(middle(found) * 1000) for kind, found in undone.items()}
    slowest = max(undone, key=lambda kind: middle(undone[kind]))
    details = {
        "slowest": slowest,
        "undone_ms": milliseconds,
        "applied_ms": {kind: round(middle(found) * 1000) for kind, found in applied.items()},
    }
    fault = faults[0] if faults else None
    return [Result("undo", middle(undone[slowest]) * 1000, None, details, fault)]


def _kinds(records: list[str], number: int) -> dict[str, list[dict[str, Any]]]:
    """Transactions of so many operations each, over all records or on one."""
    first, second = records[:2]
    new = {"type": "create", "collection": "task", "data": {"title": "New"}}
    step = {"type": "increment", "key": "points", "by": 1}
    return {
        "values": [{**_title(f"Round {number}"), "recordId": record} for record in records],
        "steps": [{**step, "recordId": record} for record in records],
        "steps of one record": [{**step, "recordId": first} for _ in records],
        "moves": [{"type": "move", "recordId": record, "before": first} for record in records[1:]],
        "moves of one record": [
            {"type": "move", "recordId": first, "after": records[1 + n % 9]}
            for n in range(len(records))
        ],
        "creations": [new for _ in records],
        "deletions": [{"type": "delete", "recordId": record} for record in records],
        "restorations": [
            {"type": kind, "recordId": second} for _ in records[::2] for kind in _THERE_AND_BACK
        ],
    }


def replay(bed: Bed, server: Server, plan: Plan, report: Report) -> list[Result]:
    """replay, queue: up to date again by pages, and one's own queue sent."""
    count = min(OPERATIONS, plan.behind // 10)
    workspace = _workspace(bed, count)
    since = bed.changes_of(workspace.id)
    with Client(server.port) as client:
        for number in range(plan.behind // count):
            report(f"{count:,} of {plan.behind:,} changes, {number + 1}")
            client.send(_transaction(workspace, f"Change {number}"))
        bed.tidy()
        pages: dict[str, list[Any]] = {"": [], "&coalesce=true": []}

        def follow(query: str) -> float:
            started = perf_counter()
            pages[query] = _pages(client, workspace, since, query)
            return perf_counter() - started

        times = alternate(
            plan.rounds,
            {
                "catching up, one by one": lambda: follow(""),
                "catching up, coalesced": lambda: follow("&coalesce=true"),
            },
            report,
        )
        raw, coalesced = times.values()
        told = {query: sum(len(p["changes"]) for p in found) for query, found in pages.items()}
        details = {
            "changes": plan.behind,
            "records": count,
            "pages": {"one_by_one": len(pages[""]), "coalesced": len(pages["&coalesce=true"])},
            "told": {"one_by_one": told[""], "coalesced": told["&coalesce=true"]},
        }
        fault = None if told[""] == plan.behind else f"{told['']} changes were told"
        return [
            Result("replay", middle(coalesced) * 1000, middle(raw) * 1000, details, fault),
            _queue(client, workspace, 1 + plan.behind // count, report),
        ]


def _queue(client: Client, workspace: Workspace, version: int, report: Report) -> Result:
    """queue: transactions per second of one operation each, in one request."""
    count = len(workspace.records)
    report(f"a queue of {count:,} transactions")
    queue = [
        {
            "id": str(uuid.uuid4()),
            "operations": [{"type": "set", "recordId": record, "key": "title", "value": "Offline"}],
            "baseVersions": {record: version},
        }
        for record in workspace.records
    ]
    request = _post(workspace, "transactions/replay", {"transactions": queue})
    started = perf_counter()
    answer = client.json(request)
    seconds = perf_counter() - started
    refused = sum("problem" in result for result in answer["results"])
    fault = f"{refused} were refused" if refused else None
    return Result("queue", count / seconds, None, {"transactions": count}, fault)


def _pages(client: Client, workspace: Workspace, since: int, query: str) -> list[Any]:
    pages, more = [], True
    while more:
        path = f"/api/v1/workspaces/{workspace.id}/changes?since={since}&limit={PAGE}{query}"
        pages.append(client.json(request_bytes("GET", path, workspace.token)))
        since, more = pages[-1]["seq"], pages[-1]["hasMore"]
    return pages


def _workspace(bed: Bed, records: int) -> Workspace:
    with bed.connect_server() as connection:
        workspace = make_workspace(connection, records)
    workspace.records.extend(bed.record_ids(workspace.id))
    bed.tidy()
    return workspace


def _content(bed: Bed, workspace: Workspace) -> Any:
    """The documents that are there, in manual order."""
    with bed.connect() as connection:
        return connection.execute(
            "select id, data from core.record where workspace_id = %s and deleted_at is null"
            " order by position, id",
            [workspace.id],
        ).fetchall()


def _transaction(workspace: Workspace, title: str) -> bytes:
    """One that gives every record this title."""
    operations = [{**_title(title), "recordId": record} for record in workspace.records]
    return _post(workspace, "transactions", {"operations": operations})


def _title(title: str) -> dict[str, Any]:
    return {"type": "set", "key": "title", "value": title}


def _post(workspace: Workspace, path: str, body: Any) -> bytes:
    return request_bytes(
        "POST",
        f"/api/v1/workspaces/{workspace.id}/{path}",
        workspace.token,
        {"Content-Type": "application/json"},
        json.dumps(body).encode(),
    )
