"""`rowcast demo`: a workspace of each of the five systems, and the README's lines on them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from rowcast.demo import prepare, welcome
from support import ROOT, Client, Database, deployed, serving

TEMPLATES = ["tasks", "requests", "campaign", "collaboration", "todo"]


@pytest.fixture
async def sample(database: Database, session: aiohttp.ClientSession) -> AsyncIterator[Client]:
    """A client without credentials of a server with the demo's sample data."""
    made = await asyncio.to_thread(prepare, database.server)
    assert all(workspace in welcome(made, None) for _, workspace in made.workspaces)
    async with serving(deployed(database, demo_account=made.account)) as url:
        yield Client(session, url, None)


async def workspaces(sample: Client) -> dict[str, str]:
    """The demo's workspaces by their template."""
    found = (await sample.call("GET", "/api/v1/workspaces"))["workspaces"]
    return {workspace["template"]: workspace["id"] for workspace in found}


async def test_the_demo_has_a_workspace_of_each_system(sample: Client, database: Database) -> None:
    assert list(await workspaces(sample)) == TEMPLATES
    again = await asyncio.to_thread(prepare, database.server)
    assert len(again.workspaces) == 5, "made once"


async def test_sample_records_refer_to_one_another(sample: Client) -> None:
    found = await workspaces(sample)
    campaign = await sample.call("GET", f"/api/campaigns/{found['campaign']}/execution")
    phases = {phase["id"]: phase["title"] for phase in campaign["phases"]}
    assert list(phases.values()) == ["Plan", "Create", "Launch"]
    placed = {task["title"]: phases[task["phaseId"]] for task in campaign["tasks"]}
    assert placed["New Creative Asset"] == "Create"
    todo = await sample.call("GET", "/api/v1/tasks")
    assert all("categoryId" in task for task in todo["tasks"])
    notes = await sample.call(
        "GET", f"/api/v1/workspaces/{found['collaboration']}/records?collection=task"
    )
    assert all("boardId" in task["data"] for task in notes["tasks"])


def lines() -> list[str]:
    """The curl lines of the README's section."""
    section = (ROOT / "README.md").read_text().split("## The five systems", 1)[1]
    block = re.search(r"```bash\n(.*?)```", section, re.DOTALL)
    assert block is not None
    joined = block[1].replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.startswith("curl") and " -N " not in line]


async def test_the_lines_of_the_readme_work_as_they_stand(sample: Client) -> None:
    found = await workspaces(sample)
    variables = (
        f"BASE={sample.url}; JSON='Content-Type: application/json';"
        f" CAMPAIGN_ID={found['campaign']}; COLLABORATION_ID={found['collaboration']}; "
    )
    assert len(lines()) == 9
    for line in lines():
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", variables + line.replace("curl", "curl -sf", 1),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        assert process.returncode == 0, line
        assert isinstance(json.loads(output), dict)
