"""Presence: what 500 people cost who are there, half of them at each of two processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import aiohttp
import psycopg

from bench.bed import Bed, Workspace
from bench.lines import Result
from bench.load import quantile
from bench.plan import Plan
from bench.server import SECRET, Server
from rowcast.keys import Keys
from rowcast.listener import PRESENCE_CHANNEL

BEAT = 10.0  # seconds between two signs of life of a client
MOVES = 3  # each that many signs of life it is on another record
_FLUSH_SECONDS = 2.0  # until PostgreSQL's counters have what was done
Report = Callable[[str], None]


@dataclass
class _Seen:
    """What was counted so far; sent: when a client said that it is on a record."""

    beats: int = 0
    failed: int = 0
    notifications: int = 0
    sent: dict[tuple[str, str], float] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)


def presence(bed: Bed, servers: list[Server], plan: Plan, report: Report) -> list[Result]:
    """presence: notifications per second. Any row that is written is a fault."""
    assert bed.fanout is not None
    tokens = _users(bed, bed.fanout.id, plan.present)
    return [asyncio.run(_measured(bed, bed.fanout, servers[:2], tokens, plan, report))]


async def _measured(
    bed: Bed,
    workspace: Workspace,
    servers: list[Server],
    tokens: list[str],
    plan: Plan,
    report: Report,
) -> Result:
    seen = _Seen()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as group:
        works = [_listen(bed, seen)]
        works += [_follow(http, server, workspace, n, seen) for n, server in enumerate(servers)]
        works += [
            _live(http, servers, workspace, token, n, len(tokens), seen)
            for n, token in enumerate(tokens)
        ]
        tasks = [group.create_task(work) for work in works]
        report(f"{len(tokens)} people come")
        await asyncio.sleep(BEAT + _FLUSH_SECONDS)
        rows, started = _row_writes(bed), monotonic()
        before = replace(seen)
        seen.latencies.clear()
        report(f"{len(tokens)} people are there")
        await asyncio.sleep(plan.present_seconds)
        seconds = monotonic() - started
        notifications = seen.notifications - before.notifications
        beats, latencies = seen.beats - before.beats, sorted(seen.latencies)
        await asyncio.sleep(_FLUSH_SECONDS)
        written = _row_writes(bed) - rows
        for task in tasks:
            task.cancel()
    details = {
        "people": len(tokens),
        "signs_of_life": round(beats / seconds, 1),
        "failed": seen.failed,
        "moves": round(len(latencies) / seconds, 1),
        "row_writes": written,
        "latency_ms": {
            name: round(quantile(latencies, q) * 1000, 1)
            for name, q in (("p50", 0.5), ("p99", 0.99))
            if latencies
        },
    }
    fault = f"{written} rows were written" if written else None
    if not latencies or seen.failed:
        fault = f"{len(latencies)} moves came through, {seen.failed} requests failed"
    return Result("presence", notifications / seconds, None, details, fault)


async def _live(
    http: aiohttp.ClientSession,
    servers: list[Server],
    workspace: Workspace,
    token: str,
    number: int,
    count: int,
    seen: _Seen,
) -> None:
    """One person, at one process."""
    url = f"http://127.0.0.1:{servers[number % len(servers)].port}"
    path = f"{url}/api/v1/workspaces/{workspace.id}/presence"
    client = f"{number % len(servers)}-{number}"
    headers = {"Authorization": f"Bearer {token}", "Rowcast-Client": client}
    await asyncio.sleep(BEAT * number / count)
    beat = number  # not all move in the same ten seconds
    while True:
        record = workspace.records[beat // MOVES % len(workspace.records)]
        if beat % MOVES == 0:
            seen.sent[client, record] = monotonic()
        async with http.put(path, json={"recordId": record}, headers=headers) as response:
            seen.failed += response.status != 200
            seen.beats += 1
        beat += 1
        await asyncio.sleep(BEAT)


async def _follow(
    http: aiohttp.ClientSession, server: Server, workspace: Workspace, number: int, seen: _Seen
) -> None:
    """A stream; of those who tell it to the other process it notes how late it hears."""
    url = f"http://127.0.0.1:{server.port}/api/v1/workspaces/{workspace.id}/events"
    headers = {"Authorization": f"Bearer {workspace.token}"}
    timeout = aiohttp.ClientTimeout(total=None)
    async with http.get(url, headers=headers, timeout=timeout) as response:
        async for line in response.content:
            if line.startswith(b"data: ") and b'"change"' in line:
                data: dict[str, Any] = json.loads(line[6:])
                client, record = data["clientId"], data["recordId"]
                sent = seen.sent.get((client, record))
                if sent is not None and not client.startswith(f"{number}-"):
                    seen.latencies.append(monotonic() - sent)


async def _listen(bed: Bed, seen: _Seen) -> None:
    async with await psycopg.AsyncConnection.connect(bed.admin, autocommit=True) as connection:
        await connection.execute(f"listen {PRESENCE_CHANNEL}".encode())
        async for _ in connection.notifies():
            seen.notifications += 1


def _row_writes(bed: Bed) -> int:
    """Rows that were ever inserted, updated or deleted in any table."""
    with bed.connect() as connection:
        row = connection.execute(
            "select sum(n_tup_ins + n_tup_upd + n_tup_del) from pg_stat_user_tables"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _users(bed: Bed, workspace: str, count: int) -> list[str]:
    """Access tokens of new members."""
    with bed.connect() as connection:
        rows = connection.execute(
            "with made as ("
            " insert into core.account (email, name)"
            " select 'present' || n || '@example.org', 'Person ' || n from generate_series(1, %s) n"
            " returning id)"
            " insert into core.member (workspace_id, account_id, role)"
            " select %s, id, 'editor' from made returning account_id::text",
            [count, workspace],
        ).fetchall()
        opened = connection.execute(
            "select a.id, trusted.session_open(a.id::uuid, 'bench', '127.0.0.1') ->> 'sessionId'"
            " from unnest(%s::text[]) a(id)",
            [[account for (account,) in rows]],
        ).fetchall()
    keys = Keys([SECRET])
    return [keys.access_token(account, session, 24 * 3600) for account, session in opened]
