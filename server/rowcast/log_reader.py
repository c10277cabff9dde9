"""The hub's view of the database: api.log_read, api.stream_open and api.stream_rights."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from rowcast.frames import Change, Cursor, Holder, Rights
from rowcast.gateway import Call, Gateway, missing_function
from rowcast.identity import Actor


@dataclass(frozen=True, slots=True)
class Opened:
    """What a stream starts with: rights, the end of the log, the collections by their plural."""

    rights: Rights
    head: Cursor
    collections: dict[str, str]


class LogReader:
    """Reads logs and rights through the gateway. Every method raises Problem."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def read(
        self, cursors: Sequence[tuple[str, Cursor]], forms: Sequence[str], limit: int
    ) -> list[Change]:
        """What follows in the logs of some workspaces, at most `limit` changes of each."""
        rows = await self._gateway.fetch(
            "select workspace_id::text, seq, mark, event, collection, record_id::text,"
            " actor_id::text, account_id::text, before, after, today, native, whole, removed,"
            " form_events, form_data, more"
            " from api.log_read(%s::uuid[], %s, %s::bigint[], %s, %s, %s)",
            (
                [workspace for workspace, _ in cursors],
                [cursor.epoch for _, cursor in cursors],
                [cursor.seq for _, cursor in cursors],
                [cursor.mark for _, cursor in cursors],
                list(forms),
                limit,
            ),
        )
        return [_change(row, forms) for row in rows]

    async def open(self, workspace: str, actor: Actor) -> Opened:
        """What a stream starts with."""
        function = self._gateway.functions.get("stream_open")
        if function is None:
            raise missing_function("stream_open")
        answer = await self._gateway.read(
            Call(function, actor.account, "{}", workspace=workspace, session=actor.session)
        )
        found = orjson.loads(answer.body)
        return Opened(
            Rights(
                found["account"],
                frozenset(found["read"]),
                found["fingerprint"],
                actor.session,
            ),
            Cursor(found["seq"], found["epoch"], found["mark"]),
            found["collections"],
        )

    async def rights(self, holders: Collection[Holder]) -> dict[Holder, Rights]:
        """The rights of these; one that has none, or whose session has ended, is missing."""
        rows: Sequence[Sequence[Any]] = await self._gateway.fetch(
            "select workspace_id::text, account_id::text, session_id::text, read, fingerprint"
            " from api.stream_rights(%s::uuid[], %s::uuid[], %s::uuid[])",
            tuple([holder[column] for holder in holders] for column in range(3)),
        )
        return {
            (workspace.decode(), account.decode(), _text(session)): Rights(
                account.decode(), _tokens(read) or frozenset(), fingerprint.decode(), _text(session)
            )
            for workspace, account, session, read, fingerprint in rows
        }


def _change(row: Sequence[Any], forms: Sequence[str]) -> Change:
    (workspace, seq, mark, event, collection, record, actor, account) = row[:8]
    (before, after, today, native, whole, removed, form_events, form_data, more) = row[8:]
    return Change(
        workspace=workspace.decode(),
        seq=seq or 0,
        mark=_text(mark) or "",
        event=event.decode(),
        collection=_text(collection),
        record=_text(record),
        actor=_text(actor),
        account=_text(account),
        before=_tokens(before),
        after=_tokens(after),
        today=_tokens(today),
        native=native,
        whole=whole,
        removed=removed,
        forms={
            form: (_text(name), data)
            for form, name, data in zip(forms, form_events or (), form_data or (), strict=False)
            if data is not None
        },
        more=more,
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode()


def _tokens(values: list[bytes] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(value.decode() for value in values)
