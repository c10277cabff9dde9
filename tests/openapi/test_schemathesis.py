"""schemathesis tries every operation of the document: no 5xx, and no answer that is not in it.

A few examples of each here; `make fuzz` has a thousand (EXAMPLES). What it may ask of which
operation is in schemathesis.toml.
"""

import asyncio
import json
import os
import sys
import tomllib
from pathlib import Path
from string import Template
from typing import Any

import aiohttp
import pytest

from openapi.story import deployment
from rowcast.openapi import document_bytes, examples
from rowcast.operations import operations
from storing import FORM, form
from support import ROOT, Client, Database, serving

EXAMPLES = int(os.environ.get("EXAMPLES", "4"))
HERE = Path(__file__).parent
NAMES = [operation.name for operation in operations()]
SLICES = [NAMES[n::3] for n in range(3)]  # a run each: starting one takes a while
# Those that nobody gets through by chance: they want a password, or a secret that was given out.
LUCK = {"login", "refresh", "verify_email", "password_reset_confirm", "accept_invitation"} | {
    *("demo_users", "demo_login", "session_revoke", "transaction_undo", "transaction_redo"),
}


def stage(database: Database) -> dict[str, str]:
    """A workspace with this and that in it, of somebody who may do all there; what is where."""
    workspace = database.workspace()

    def made(function: str, **arguments: Any) -> str:
        return str(database.call(function, workspace, arguments=arguments)["id"])

    first = database.task(workspace, title="One", status="todo", points=3)["id"]
    issued = "select logic.token_issue(%s, 'one', null, 9) ->> 'id'"
    return {
        "FUZZ_TOKEN": database.token("Ada", seconds=86400),
        "FUZZ_WORKSPACE": workspace,
        "FUZZ_RECORD": first,
        "FUZZ_OTHER": database.task(workspace, title="Two")["id"],
        "FUZZ_MEMBER": database.join(workspace, "Grace", "owner"),
        "FUZZ_COMMENT": made("comment_create", id=first, body="Hello"),
        "FUZZ_INVITATION": made("invitation_create", email="mary@example.org", role="viewer"),
        "FUZZ_ACCESS_TOKEN": database.value(issued, database.account()),
    }


async def attached(client: Client, stage: dict[str, str]) -> str:
    """The id of a new attachment."""
    path = f"/api/v1/workspaces/{stage['FUZZ_WORKSPACE']}/records/{stage['FUZZ_RECORD']}"
    reply = await client.send("POST", f"{path}/attachments", data=form(b"Hello"), headers=FORM)
    return str(reply.json["id"])


def prepare(directory: Path, stage: dict[str, str], database: Database) -> dict[str, str]:
    """Writes what schemathesis reads into a directory; its environment."""
    values = {**stage, "FUZZ_HOOKS": str(HERE / "fuzz_hooks.py")}
    config = (HERE / "schemathesis.toml").read_text()
    (directory / "schemathesis.toml").write_text(Template(config).substitute(values))
    (directory / "openapi.json").write_bytes(with_examples_of(stage))
    return {
        **os.environ,
        **values,
        "FUZZ_ADMIN": database.admin,
        "FUZZ_ANSWERS": str(directory / "answers.json"),
        "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'server'}",
    }


def with_examples_of(stage: dict[str, str]) -> bytes:
    """The document, its examples about what is on the stage."""
    told = examples()
    swaps = {
        told["record_move"]["path"]["workspace"]: stage["FUZZ_WORKSPACE"],
        told["record_move"]["path"]["id"]: stage["FUZZ_RECORD"],
        told["record_move"]["body"]["before"]: stage["FUZZ_OTHER"],
        told["atlas_task_update"]["path"]["id"]: stage["FUZZ_RECORD"],
        told["workspace_transfer"]["body"]["accountId"]: stage["FUZZ_MEMBER"],
        told["comment_update"]["path"]["comment"]: stage["FUZZ_COMMENT"],
        told["attachment_delete"]["path"]["attachment"]: stage["FUZZ_ATTACHMENT"],
        told["invitation_revoke"]["path"]["invitation"]: stage["FUZZ_INVITATION"],
        told["token_revoke"]["path"]["token"]: stage["FUZZ_ACCESS_TOKEN"],
    }
    text = document_bytes().decode()
    for example, real in swaps.items():
        text = text.replace(example, real)
    return text.encode()


def test_the_exceptions_are_of_operations_that_there_are() -> None:
    config = tomllib.loads((HERE / "schemathesis.toml").read_text())
    excepted = {name for entry in config["operations"] for name in entry["include-operation-id"]}
    assert sorted((excepted | LUCK) - set(NAMES)) == []


@pytest.mark.timeout(120 + EXAMPLES * 60)
@pytest.mark.parametrize("names", SLICES, ids=["1 of 3", "2 of 3", "3 of 3"])
async def test_whatever_is_sent_the_answer_is_one_of_the_document(
    names: list[str], database: Database, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    options = ["--no-color", "--config-file", "schemathesis.toml"]
    options += ["run", "openapi.json", "--max-examples", str(EXAMPLES)]
    options += [option for name in names for option in ("--include-operation-id", name)]
    if EXAMPLES <= 10:
        options.append("--generation-deterministic")
    async with serving(deployment(database, tmp_path / "store")) as url:
        on_stage = stage(database)
        on_stage["FUZZ_ATTACHMENT"] = await attached(
            Client(session, url, on_stage["FUZZ_TOKEN"]), on_stage
        )
        environment = prepare(tmp_path, on_stage, database)
        run = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"),
            *(*options, "--url", url),
            cwd=tmp_path,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await run.communicate()
    assert run.returncode == 0, said.decode()[-30000:]
    told: dict[str, dict[str, int]] = json.loads((tmp_path / "answers.json").read_text())
    if EXAMPLES > 10:
        for name, counts in sorted(told.items()):
            print(f"{name:28}", *(f"{status}: {n}" for status, n in sorted(counts.items())))
    hollow = {name: n for name, n in told.items() if not any(status < "300" for status in n)}
    assert set(hollow) <= LUCK, f"nothing that was sent there was good, see `stage`: {hollow}"
