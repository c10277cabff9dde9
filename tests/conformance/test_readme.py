"""README, "Several people": its curl lines as they are, over real HTTP, SMTP and Postgres."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from mailing import Inbox
from support import ROOT, ServerProcess, eventually, free_port


def steps() -> list[str]:
    """The commands of the section, by the blank lines between them."""
    section = (ROOT / "README.md").read_text().split("## Several people", 1)[1]
    block = re.search(r"```bash\n(.*?)```", section, re.DOTALL)
    assert block is not None
    found = [re.sub(r"^([A-Z_]+)=….*$", "", step, flags=re.M) for step in block[1].split("\n\n")]
    assert len(found) == 10
    return found[1:]  # the first sets the variables, to the demo's address


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """An SMTP server."""
    server = Inbox(free_port())
    server.open.set()
    await server.start()
    yield server
    await server.stop()


class Terminal:
    """Runs commands of the README in one directory, with the variables set so far."""

    def __init__(self, directory: Path, base: str) -> None:
        self.directory = directory
        self.variables = {"BASE": base, "JSON": "Content-Type: application/json"}

    async def start(self, command: str) -> asyncio.subprocess.Process:
        """Starts a command."""
        exports = "".join(f"{name}='{value}'\n" for name, value in self.variables.items())
        return await asyncio.create_subprocess_exec(
            "bash", "-c", f"set -e\n{exports}{command}",
            cwd=self.directory,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip

    async def answer(self, command: str) -> Any:
        """What a command answers, as JSON."""
        process = await self.start(command)
        async with asyncio.timeout(30):
            output, _ = await process.communicate()
        assert process.returncode == 0
        return json.loads(output)

    async def events(self, command: str) -> "asyncio.subprocess.Process":
        """Starts a stream, and returns once it has begun."""
        process = await self.start(f"exec {command}")
        assert (await next_event(process))["event"] == "connected"
        return process


async def next_event(process: asyncio.subprocess.Process) -> dict[str, str]:
    """The next event of curl's output."""
    assert process.stdout is not None
    event: dict[str, str] = {}
    async with asyncio.timeout(20):
        async for line in process.stdout:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                event[name] = value
            elif "data" in event:
                return event
    raise AssertionError("the stream has ended")


async def token_for(inbox: Inbox, address: str) -> str:
    """The token in the last mail to an address: a line of its own."""

    async def arrived() -> bool:
        return any(address in str(mail["To"]) for mail in inbox.messages)

    await eventually(arrived, seconds=20, what=f"a mail to {address}")
    text = [m for m in inbox.messages if address in str(m["To"])][-1].get_content()
    found = re.search(r"^\s*(eyJ[\w-]+\.[\w-]+\.[\w-]+)\s*$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


@pytest.mark.parametrize("demo", ["false", "true"])
async def test_two_people_register_invite_accept_edit_and_see_each_other(
    spawn: Callable[..., ServerProcess], inbox: Inbox, tmp_path: Path, demo: str
) -> None:
    server = await asyncio.to_thread(spawn, ROWCAST_SMTP_URL=inbox.url, ROWCAST_DEMO=demo)
    terminal = Terminal(tmp_path, server.url)
    register, verify, login, create, invite, accept, watch, write, change = steps()
    assert await terminal.answer(register) == {"status": "verification_sent"}
    terminal.variables["TOKEN"] = await token_for(inbox, "ada@example.org")
    assert (await terminal.answer(verify))["user"]["email"] == "ada@example.org"
    assert (await terminal.answer(login))["user"]["name"] == "Ada"

    workspace = await terminal.answer(create)
    terminal.variables["WORKSPACE_ID"] = workspace["id"]
    assert (await terminal.answer(invite))["role"] == "editor"
    terminal.variables["TOKEN"] = await token_for(inbox, "bob@example.org")
    assert (await terminal.answer(accept))["workspace"]["id"] == workspace["id"]

    lines = [line for line in watch.splitlines() if line.startswith("curl")]
    streams = [await terminal.events(line) for line in lines]
    record = await terminal.answer(write)
    terminal.variables["RECORD_ID"] = record["id"]
    changed = await terminal.answer(change)
    assert changed["data"] == {"title": "From Bob", "status": "done"}
    for stream in streams:
        created, updated = await next_event(stream), await next_event(stream)
        assert created["event"] == "task-created"
        assert json.loads(created["data"])["actor"]["name"] == "Bob"
        assert updated["event"] == "task-updated"
        assert json.loads(updated["data"])["actor"]["name"] == "Ada"
        assert json.loads(updated["data"])["patch"] == {"status": "done"}
        stream.terminate()
        await stream.wait()
