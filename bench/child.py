"""Helper processes: told what to do by lines of JSON on their standard input, answer likewise.

They are processes of their own so that their CPU time is seen apart and they hold up nobody.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvloop

ROOT = Path(__file__).resolve().parent.parent


class Child:
    """A running helper, seen from the process that started it."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": _python_path()},
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def start(self, command: str, **arguments: Any) -> None:
        """Has it begin with a command; `result` waits for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, arguments]) + "\n")
        self._process.stdin.flush()

    def result(self) -> dict[str, Any]:
        """The answer to the oldest command under way. Raises RuntimeError if the helper died."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended: {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Runs one command and answers its result."""
        self.start(command, **arguments)
        return self.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _python_path() -> str:
    return os.pathsep.join(path for path in (str(ROOT), os.environ.get("PYTHONPATH")) if path)


Command = Callable[..., Awaitable[Mapping[str, Any]]]


def serve(make: Callable[[], Mapping[str, Command]]) -> None:
    """The helper's side: runs the commands that come in, one after the other, until the end."""

    async def main() -> None:
        commands = make()
        lines = asyncio.StreamReader(limit=1 << 26)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        while line := await lines.readline():
            name, arguments = json.loads(line)
            print(json.dumps(await commands[name](**arguments)), flush=True)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
