"""Calls that the process itself makes, for sign-in, mail and upkeep: by name, with arguments."""

from dataclasses import dataclass
from typing import Any

import orjson

from rowcast.gateway import Answer, Call, Gateway, missing_function, new_transaction_id
from rowcast.identity import Actor
from rowcast.writer import Writer


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls functions: those that read by the gateway, those that write by the writer."""

    gateway: Gateway
    writer: Writer

    async def call(
        self,
        name: str,
        arguments: dict[str, object],
        *,
        actor: Actor | None = None,
        workspace: str | None = None,
        record: str | None = None,
        transaction: str | None = None,
    ) -> Answer:
        """The answer of a function, as nobody or as `actor`. Raises Problem."""
        function = self.gateway.functions.get(name)
        if function is None:
            raise missing_function(name)
        call = Call(
            function,
            actor.account if actor else None,
            orjson.dumps(arguments).decode(),
            workspace=workspace,
            record=record,
            session=actor.session if actor else None,
        )
        if not function.writes:
            return await self.gateway.read(call)
        call.transaction = transaction or new_transaction_id()
        return await self.writer.call(call)

    async def ask(self, name: str, /, **arguments: object) -> Any:
        """The same as nobody, and its answer parsed. Raises Problem."""
        return orjson.loads((await self.call(name, arguments)).body)
