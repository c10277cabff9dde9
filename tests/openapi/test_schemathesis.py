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

import aiohttp
import pytest

from openapi.story import Story, begin, deployment, ids_told
from rowcast.openapi import document_bytes, examples
from rowcast.operations import operations
from support import ROOT, Client, Database, serving

EXAMPLES = int(os.environ.get("EXAMPLES", "4"))
HERE = Path(__file__).parent
NAMES = [operation.name for operation in operations()]
SLICES = [NAMES[n::3] for n in range(3)]  # a run each: starting one takes a while
# Those that nobody gets through by chance: they want a password, or a secret that was given out.
LUCK = {"login", "refresh", "verify_email", "password_reset_confirm", "accept_invitation"} | {
    *("demo_users", "demo_login", "session_revoke", "transaction_undo", "transaction_redo"),
}


def prepare(directory: Path, story: Story) -> dict[str, str]:
    """Writes what schemathesis reads into a directory; its environment.

    That is the document, its examples about what the story has made, and the configuration.
    """
    text = document_bytes().decode()
    for example, there in ids_told(story).items():
        text = text.replace(example, there)
    (directory / "openapi.json").write_text(text)
    told = examples()
    paths = [example["path"] for example in told.values() if "path" in example]
    found = {
        name: sorted(
            {ids_told(story).get(path[name], path[name]) for path in paths if name in path}
        )
        for name in ("workspace", "id", "comment", "attachment", "invitation", "token", "account")
    }
    values = {f"FUZZ_{name.upper()}": '", "'.join(ids) for name, ids in found.items()}
    values |= {"FUZZ_BEARER": story.database.token("Ada", seconds=86400)}
    values |= {"FUZZ_HOOKS": str(HERE / "fuzz_hooks.py")}
    config = (HERE / "schemathesis.toml").read_text()
    (directory / "schemathesis.toml").write_text(Template(config).substitute(values))
    return {
        **os.environ,
        "FUZZ_BEARER": values["FUZZ_BEARER"],
        "FUZZ_ADMIN": story.database.admin,
        "FUZZ_ANSWERS": str(directory / "answers.json"),
        "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT / 'server'}",
    }


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
        story = Story(database, Client(session, url, None))
        await begin(story)
        environment = prepare(tmp_path, story)
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
    assert set(hollow) <= LUCK, f"nothing that was sent there was good, see fuzz_hooks.py: {hollow}"
