"""docs/templates.md: a sixth system is one template, a few routes and shapes, and nothing else.

The page's blocks are put into a copy of the sources, as they stand there, and used over HTTP.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support import ROOT, Client, Database, ServerProcess

BLOCK = re.compile(
    r"```(?:toml|python|sql)\n(?:#|--) ([\w./]+)(, at its end)?\n(.*?)```", re.DOTALL
)
CRM = "/api/crm"


def blocks() -> Iterator[tuple[str, bool, str]]:
    """The files of the page: path, whether the block goes to its end, text."""
    for path, at_end, text in BLOCK.findall((ROOT / "docs" / "templates.md").read_text()):
        yield path, bool(at_end), text


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the sources with the CRM in it."""
    made = tmp_path / "copy"
    for name in ("server", "sql", "migrations", "templates"):
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    (made / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "error-codes.md", made / "docs")
    for path, at_end, text in blocks():
        target = made / path
        assert target.exists() == at_end, path
        target.parent.mkdir(exist_ok=True)
        target.write_text((target.read_text() + "\n" if at_end else "") + text)
    return made


@pytest.fixture
def server(copy: Path, database: Database, spawn: Callable[..., ServerProcess]) -> ServerProcess:
    """A server of the copy, on a database that it has upgraded."""
    load = "import sys; from rowcast.schema import *; write_bundle_number(); migrate(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", load, database.admin],
        env={**os.environ, "PYTHONPATH": str(copy / "server")},
        check=True,
        timeout=60,
    )
    return spawn(PYTHONPATH=str(copy / "server"))


@pytest.fixture
def crm(server: ServerProcess, database: Database, session: aiohttp.ClientSession) -> Client:
    """A client of it, who owns a workspace."""
    database.workspace("Ada", "crm", "Customers")
    return Client(session, server.url, database.token("Ada"))


def test_the_page_touches_no_module_but_the_route_table() -> None:
    changed = {path: text.count("\n") for path, _, text in blocks()}
    assert set(changed) == {
        "templates/crm.toml", "server/rowcast/routes.py", "sql/faces/crm/deal.sql",
        "sql/faces/crm/event.sql",
    }  # fmt: skip
    assert changed["server/rowcast/routes.py"] <= 10


async def test_the_crm_of_the_page_works(
    crm: Client, database: Database, session: aiohttp.ClientSession
) -> None:
    async def make(what: str, **fields: Any) -> Any:
        return await crm.call("POST", f"{CRM}/{what}", fields, status=201)

    # companies, contacts and deals, with their defaults and references
    contoso = await make("companies", name="Contoso", website="https://contoso.example")
    assert contoso["displayId"] == "COM-001-0001"
    contact = await make("contacts", name="Carl", companyId=contoso["id"])
    deal = await make("deals", title="Brackets", companyId=contoso["id"])
    assert (deal["stage"], deal["companyName"], deal["open"]) == ("lead", "Contoso", True)
    reply = await crm.send("POST", f"{CRM}/deals", {"title": "Nobody's", "companyId": deal["id"]})
    assert reply.status == 422

    # the stages of a deal, and the one event of the CRM
    at = f"{CRM}/deals/{deal['displayId']}"
    assert (await crm.send("PATCH", at, {"stage": "won"})).status == 409
    assert (await crm.send("PATCH", at, {"stage": "offer"})).status in (409, 422)
    path = f"{CRM}/{deal['workspaceId']}/events"
    async with crm.events(path) as stream:
        await stream.next()
        await crm.call("PATCH", at, {"stage": "offer", "amount": 12000})
        won = await crm.call("PATCH", at, {"stage": "won"})
        events = await stream.take(2)
    assert [event.name for event in events] == ["cursor", "deal-won"]
    assert events[1].data["deal"]["title"] == "Brackets"
    assert won["open"] is False

    # lists, search, versions, conflicts
    await make("deals", title="Springs", companyId=contoso["id"], amount=3)
    listed = await crm.call("GET", f"{CRM}/deals?filter[amount][gte]=100&sort=-amount")
    assert [d["title"] for d in listed["deals"]] == ["Brackets"]
    assert [d["companyName"] for d in listed["deals"]] == ["Contoso"]
    found = await crm.call("GET", f"{CRM}/deals?q=springs")
    assert [d["title"] for d in found["deals"]] == ["Springs"]
    reply = await crm.send("PATCH", at, {"stage": "lost", "baseVersion": 1})
    assert reply.status == 409

    # a company that deals are about stays; a contact goes
    reply = await crm.send("DELETE", f"{CRM}/companies/{contoso['id']}")
    assert reply.status == 409, reply.text
    await crm.call("DELETE", f"{CRM}/contacts/{contact['id']}")

    # the seller's rights
    workspace = deal["workspaceId"]
    sally = replace(crm, token=database.token("Sally"))
    database.join(workspace, "Sally", "seller")
    database.join(workspace, "Max", "editor")
    mine = await sally.call("POST", f"{CRM}/deals", {"title": "Nuts", "companyId": contoso["id"]})
    assert (await sally.call("PATCH", f"{CRM}/deals/{mine['id']}", {"amount": 7}))["amount"] == 7
    theirs = await make(
        "deals", title="Taken", companyId=contoso["id"], seller=database.account("Max")
    )
    (await sally.send("PATCH", f"{CRM}/deals/{theirs['id']}", {"amount": 7})).problem(403)

    # the native API, and the document of the API, know it too
    native = await crm.call("GET", f"/api/v1/workspaces/{workspace}/records?collection=deal")
    assert len(native["deals"]) == 4
    document = await crm.call("GET", "/api/openapi.json")
    assert document["paths"][f"{CRM}/deals"]["get"]["operationId"] == "crm_deal_list"
    assert document["paths"][f"{CRM}/deals"]["get"]["tags"] == ["Customers"]


async def test_the_demo_has_a_sample_of_it(server: ServerProcess, database: Database) -> None:
    sample = database.value("select trusted.sample_prepare('demo@rowcast.example', 'Demo')")
    assert "crm" in {workspace["template"] for workspace in sample["workspaces"]}
    rows = database.run(
        "select d.data ->> 'title', c.data ->> 'name', a.name from core.record d"
        " join core.record c on c.id = (d.data ->> 'companyId')::uuid"
        " join core.account a on a.id = (d.data ->> 'seller')::uuid where d.collection = 'deal'"
    )
    assert rows == [("Brackets for a year", "Contoso", "Sally Seller")]
