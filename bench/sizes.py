"""Pages and PATCH in a large workspace, against a small one."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from bench.bed import Bed, Workspace
from bench.client import Client, request_bytes
from bench.latency import in_turn, summary
from bench.lines import Result
from bench.load import patch_bytes, patch_parts
from bench.plan import Plan, middle
from bench.server import Server

_DEPTH = 0.9  # of the records lie before a deep page


def pages(
    bed: Bed, server: Server, large: Workspace, plan: Plan, report: Callable[[str], None]
) -> list[Result]:
    """first_page, deep_page, patch_size; `large` holds plan.big records."""
    assert bed.small is not None
    small = bed.small
    bed.tidy()
    with Client(server.port) as client:
        report("walking to a deep page")
        deep = {
            workspace.id: _page(workspace, cursor=_deep_cursor(client, workspace, size))
            for workspace, size in ((small, plan.small), (large, plan.big))
        }
        parts = {
            workspace.id: [patch_parts(record, workspace.token) for record in workspace.records]
            for workspace in (small, large)
        }
        choice = random.Random(4)

        def patch(workspace: Workspace) -> float:
            return client.timed(patch_bytes(choice.choice(parts[workspace.id])))

        kinds: dict[str, Callable[[Workspace], float]] = {
            "first_page": lambda workspace: client.timed(_page(workspace)),
            "deep_page": lambda workspace: client.timed(deep[workspace.id]),
            "patch_size": patch,
        }
        times = in_turn(
            plan.latencies,
            {
                f"{kind} of {size}": partial(request, workspace)
                for kind, request in kinds.items()
                for size, workspace in (("small", small), ("large", large))
            },
            report,
        )
    results = []
    for kind in kinds:
        in_small, in_large = times[f"{kind} of small"], times[f"{kind} of large"]
        details = {"large": summary(in_large), "small": summary(in_small)}
        results.append(Result(kind, middle(in_large) * 1000, middle(in_small) * 1000, details))
    return results


def _page(workspace: Workspace, limit: int = 50, cursor: str | None = None) -> bytes:
    query = {"collection": "task", "limit": limit} | ({"cursor": cursor} if cursor else {})
    path = f"/api/v1/workspaces/{workspace.id}/records?{urlencode(query)}"
    return request_bytes("GET", path, workspace.token)


def _deep_cursor(client: Client, workspace: Workspace, records: int) -> str:
    cursor, seen, limit = None, 0, 100 if records < 1000 else 200
    while seen < records * _DEPTH - limit:
        answer = client.json(_page(workspace, limit, cursor))
        cursor, seen = answer["nextCursor"], seen + len(answer["tasks"])
    assert cursor is not None
    return str(cursor)
