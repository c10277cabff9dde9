"""What a client has written and not yet got confirmed, and how it sends it."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import aiohttp

from model.documents import Operation
from model.history import Entry, History, now, record_of
from model.network import LOST, Line
from rowcast.endpoints import id_of_key
from support import Client, HttpReply

NO_HANG = aiohttp.ClientTimeout(total=30)
BROKEN = (aiohttp.ClientError, ConnectionError)
NOT_APPLIED = (429, 503)
UNKNOWN = (500, 502, 504)


@dataclass
class Queued:
    """A write that is not confirmed yet. `tried`: the server may know it, so it stays as it is."""

    id: str
    request: dict[str, Any]  # a transaction's, or {"call": "undo"}, {"call": "redo"}
    tried: bool = False

    @property
    def operations(self) -> list[Operation]:
        """What it does; nothing is known of an undo before it is done."""
        return list(self.request.get("operations", []))

    @property
    def records(self) -> set[str]:
        """The records that it names."""
        return {operation["recordId"] for operation in self.operations}

    def tried_on(self, client: str, server: int, earlier: Sequence[str] = ()) -> Entry:
        """What a history says of a try that begins now, behind others in the same request."""
        self.tried = True
        return {
            "client": client,
            "server": server,
            "id": id_of_key(self.id) if "call" in self.request else self.id,
            "request": deepcopy(self.request),
            "earlier": list(earlier),
            "started": now(),
            "outcome": "unknown",
            "settled": False,
        }


@dataclass(eq=False)
class Outbox:
    """The queue of one client. `confirmed` takes the records of an answer."""

    name: str
    token: str
    workspace: str
    lines: Sequence[Line]
    session: aiohttp.ClientSession
    history: History
    confirmed: Callable[[dict[str, Entry]], None]
    queue: list[Queued] = field(default_factory=list)

    def add(self, request: dict[str, Any]) -> None:
        """Puts a write at the end."""
        self.queue.append(Queued(str(uuid.uuid4()), request))

    def bring_forward(self, place: int) -> None:
        """Lets one overtake those that name none of its records."""
        if place < len(self.queue) and self.queue[place].operations:
            item = self.queue[place]
            before = self.queue[:place]
            if all(other.operations and not other.records & item.records for other in before):
                self.queue.insert(0, self.queue.pop(place))

    async def send_first(self, servers: Sequence[int], fault: str | None) -> bool:
        """Sends the first one, to each of these servers at once; the fault hits the first of them.

        Whether it left the queue: its outcome is known.
        """
        item = self.queue[0]
        faults = [fault, *[None] * (len(servers) - 1)]
        entries = await asyncio.gather(*map(self._post, [item] * len(servers), servers, faults))
        known = [entry for entry in entries if entry["outcome"] != "unknown"]
        accepted = [entry for entry in known if entry["outcome"] == "ok"]
        if not accepted and len(known) < len(entries):
            return False  # one of them may still accept it
        self._settle(item, accepted[0] if accepted else known[0])
        return True

    async def replay(self, server: int, fault: str | None) -> bool:
        """Sends the transactions that stand first in one request. Whether all left the queue."""
        items = list(takewhile(lambda item: item.operations, self.queue))
        if not items:
            return True
        ids = [item.id for item in items]
        entries = [
            item.tried_on(self.name, server, ids[:number]) for number, item in enumerate(items)
        ]
        body = {"transactions": [{"id": item.id, **item.request} for item in items]}
        settled: Entry = {}
        results: list[Any] = []
        try:
            reply = await self._request(server, fault, "transactions/replay", body)
            settled = _outcome(reply.status, reply.json) if reply.status != 200 else {}
            results = reply.json["results"] if reply.status == 200 else []
        except BROKEN:
            settled = {"settled": self._is_settled(server, fault)}
        for entry, result in zip(entries, results or [None] * len(items), strict=True):
            if result is None:
                entry |= settled
            elif "problem" in result:
                entry |= _outcome(result["problem"]["status"], result["problem"])
            else:
                entry |= _outcome(200, result)
            self.history.add("write", **entry, ended=now())
        for item, entry in zip(items, entries, strict=True):
            if entry["outcome"] != "unknown":
                self._settle(item, entry)
        return all(entry["outcome"] != "unknown" for entry in entries)

    async def _post(self, item: Queued, server: int, fault: str | None) -> Entry:
        entry = item.tried_on(self.name, server)
        call = item.request.get("call")
        body = {} if call else {"id": item.id, **item.request}
        headers = {"Idempotency-Key": item.id} if call else None
        try:
            reply = await self._request(server, fault, call or "transactions", body, headers)
            entry |= _outcome(reply.status, reply.json)
        except BROKEN:
            entry["settled"] = self._is_settled(server, fault)
        self.history.add("write", **entry, ended=now())
        return entry

    async def _request(
        self,
        server: int,
        fault: str | None,
        call: str,
        body: Any,
        headers: dict[str, str] | None = None,
    ) -> HttpReply:
        if fault is not None:
            self.lines[server].fault = fault
        path = f"/api/v1/workspaces/{self.workspace}/{call}"
        client = Client(self.session, self.lines[server].url, self.token)
        return await client.send("POST", path, body, headers=headers, timeout=NO_HANG)

    def _is_settled(self, server: int, fault: str | None) -> bool:
        """Whether a connection broke when the server had answered."""
        return fault == LOST and self.lines[server].fault is None

    def _settle(self, item: Queued, entry: Entry) -> None:
        """Takes a verdict. What was based on the same versions is based on the new ones now, where

        nobody else has been between.
        """
        self.queue.remove(item)
        if entry["outcome"] != "ok":
            return
        bases, records = item.request.get("baseVersions", {}), entry["records"]
        for later in self.queue:
            for record, base in later.request.get("baseVersions", {}).items():
                mine = base == bases.get(record) and record in records
                if mine and not later.tried and records[record]["version"] == base + 1:
                    later.request["baseVersions"][record] = base + 1
        self.confirmed(records)


def _outcome(status: int, answer: Any) -> Entry:
    """What an answer says of a write."""
    if 200 <= status < 300:
        seen = (record for record in answer["records"] if "version" in record)
        records = {record["id"]: record_of(record) for record in seen}
        return {"outcome": "ok", "settled": True, "seq": answer["seq"], "records": records}
    facts: Entry = {"status": status, "code": answer["code"]}
    if answer["code"] == "transaction_expired":  # it is written, so long ago that no more is kept
        return {**facts, "outcome": "ok", "settled": True, "records": {}}
    if status in UNKNOWN:
        return facts
    if status in NOT_APPLIED:
        return {**facts, "settled": True}
    conflicts = answer.get("conflicts", [])
    return {**facts, "outcome": "refused", "settled": True, "conflicts": conflicts}
