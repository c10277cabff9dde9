"""Who may call what: every route and every api function, by everybody, as permissions.txt says."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from permissions.calls import FUNCTIONS, TOLD, Request, cases, kind_of
from permissions.table import COLUMNS, read
from permissions.world import World
from rowcast.app import make_app
from rowcast.routes import ROUTES
from storing import FORM, storage_in
from support import ROOT, Database, deployed, serving

Label = tuple[str, str]  # name, case
TABLE = {(row.name, row.case): row.cells for row in read()}
assert len(TABLE) == len(read()), "no row stands twice"


def compare(column: str, found: dict[Label, str]) -> None:
    """Fails with every cell that is not as the table says."""
    wrong = {
        label: f"{value}, but the table says {TABLE.get(label, {}).get(column)}"
        for label, value in found.items()
        if TABLE.get(label, {}).get(column) != value
    }
    assert wrong == {}, "\n".join(f"{label}: {text}" for label, text in wrong.items())


# Routes


async def test_every_route_that_the_application_has_is_in_the_table(database: Database) -> None:
    app = make_app(deployed(database), lambda: None)
    routes = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }
    assert {case.name for case in cases()} == routes
    named = {label for label in TABLE if " " in label[0]}
    assert {(case.name, case.case) for case in cases()} == named


def test_no_route_names_a_function_of_another_schema_than_api() -> None:
    assert [route.function for route in ROUTES if "." in route.function] == []


async def send(
    http: aiohttp.ClientSession, url: str, world: World, request: Request, told: str | None
) -> str:
    """The status of a request; `none` for an answer that should tell this, and does not.

    A stream is left at once.
    """
    headers = {"Authorization": f"Bearer {world.actor.token}"} if world.actor else {}
    body: dict[str, Any] = {"json": request.body} if request.body is not None else {}
    if request.csv is not None:
        body = {"data": request.csv.encode()}
        headers["Content-Type"] = "text/csv"
    if request.form is not None:
        body = {"data": request.form}
        headers |= FORM
    async with http.request(
        request.method, url + request.path, params=request.query, headers=headers, **body
    ) as response:
        if told is not None and response.status == 200 and told not in await response.text():
            return "none"
        return str(response.status)


@pytest.mark.parametrize("column", COLUMNS)
async def test_every_route_answers_as_the_table_says(
    database: Database, column: str, tmp_path: Path
) -> None:
    """A world serves on until a call has changed it."""
    found: dict[Label, str] = {}
    worlds: dict[str, World] = {}
    agent = {"User-Agent": "Tests/1.0"}
    storage = storage_in(tmp_path)
    async with (
        serving(deployed(database, storage=storage)) as url,
        aiohttp.ClientSession(headers=agent) as http,
    ):
        for case in cases():
            world = worlds.get(case.kind) or World(database, column, case.kind)
            worlds[case.kind] = world
            request = case.request(world)
            told = case.told(world) if case.told else None
            found[case.name, case.case] = answer = await send(http, url, world, request, told)
            if request.method != "GET" and answer < "400":
                del worlds[case.kind]
    compare(column, found)


# Functions


def catalogue(database: Database) -> dict[str, tuple[bool, bool, bool]]:
    """By function of schema api: whether it writes, is called in a workspace, and returns JSON."""
    rows = database.run(
        "select proname::text, provolatile = 'v',"
        " coalesce('p_workspace_id' = any (proargnames), false),"
        " prorettype = 'jsonb'::regtype and not proretset"
        " from pg_proc where pronamespace = 'api'::regnamespace"
    )
    return {name: tuple(rest) for name, *rest in rows}


def test_every_function_of_schema_api_is_in_the_table(database: Database) -> None:
    functions = catalogue(database)
    assert set(functions) == set(FUNCTIONS) | set(DIRECT)
    plain = {(name, case) for name in FUNCTIONS for case in FUNCTIONS[name]}
    direct = {(name, "") for name in DIRECT}
    assert {label for label in TABLE if " " not in label[0]} == plain | direct


def ask(
    connection: psycopg.Connection[Any],
    world: World,
    function: str,
    kind: tuple[bool, bool, bool],
    arguments: dict[str, Any],
    told: str = "",
) -> str:
    """What a function answers, through the door that the server uses: `ok` or a status.

    `none` for an answer that should tell this, and does not.
    """
    workspace = arguments.pop("workspace", world.workspace)
    writes, in_workspace, _ = kind
    account = world.actor.account if world.actor else None
    session = world.actor.session if world.actor else None
    text = json.dumps(arguments)
    if not writes:
        try:
            row = connection.execute(
                "select answer from api.query(%s, %s, %s, null, null, %s, %s)",
                [function, account, workspace if in_workspace else None, text, session],
            ).fetchone()
        except psycopg.Error as error:
            return status(error.sqlstate)
        assert row is not None
        return "ok" if told in row[0] else "none"
    if in_workspace:
        query = (
            "select state from api.batch_run(%s, %s::uuid[], %s::uuid[], array[null], array[null],"
            " %s::uuid[], %s, 0, %s::uuid[])"
        )
        where: list[Any] = [[workspace]]
    else:
        query = (
            "select state from api.account_batch_run(%s, %s::uuid[], %s::uuid[], %s, 0, %s::uuid[])"
        )
        where = []
    parameters = [[function], [account], *where, [str(uuid.uuid4())], [text], [session]]
    row = connection.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return "ok" if row[0] == "ok" else status(row[0])


def status(state: str | None) -> str:
    """The HTTP status that a SQLSTATE of ours is; of another, itself."""
    return state[2:] if state is not None and state.startswith("PT") else str(state)


Judge = Callable[[psycopg.Connection[Any], World], str]


def through(function: str, writes: bool, in_workspace: bool) -> Judge:
    """A door is judged by one call through it; all others go through it too."""

    def judge(connection: psycopg.Connection[Any], world: World) -> str:
        arguments = next(iter(FUNCTIONS[function].values()))(world)
        return ask(connection, world, function, (writes, in_workspace, True), arguments)

    return judge


def rights_of_stream(connection: psycopg.Connection[Any], world: World) -> list[str] | None:
    """The tokens that a stream of the actor would read with; None where it has no rights."""
    row = connection.execute(
        "select read from api.stream_rights(array[%s]::uuid[], array[%s]::uuid[],"
        " array[%s]::uuid[])",
        [
            world.workspace,
            world.actor.account if world.actor else None,
            world.actor.session if world.actor else None,
        ],
    ).fetchone()
    return None if row is None else list(row[0])


def has_rights(connection: psycopg.Connection[Any], world: World) -> str:
    """`ok` where there is a row of rights."""
    return "none" if rights_of_stream(connection, world) is None else "ok"


def is_relayed(connection: psycopg.Connection[Any], world: World) -> str:
    """`ok` where the hub would relay the record's creation: it compares the tokens of both."""
    read = rights_of_stream(connection, world) or []
    rows = connection.execute(
        "select after from api.log_read(array[%s]::uuid[], array[null::text], array[0::bigint],"
        " array[null::text], '{}', 1000) where record_id = %s and event = 'request-created'",
        [world.workspace, world.record],
    ).fetchall()
    assert len(rows) == 1
    return "ok" if set(rows[0][0]) & set(read) else "none"


# What is not called by name through a door: how each is judged.
DIRECT: dict[str, Judge] = {
    "query": through("record_get", writes=False, in_workspace=True),
    "batch_run": through("record_update", writes=True, in_workspace=True),
    "account_batch_run": through("token_create", writes=True, in_workspace=False),
    "stream_rights": has_rights,
    "log_read": is_relayed,
}


@pytest.mark.parametrize("column", COLUMNS)
def test_every_function_answers_as_the_table_says(database: Database, column: str) -> None:
    """Called as the server's role, each in a transaction that is rolled back."""
    functions = catalogue(database)
    worlds = {kind: World(database, column, kind) for kind in {*map(kind_of, FUNCTIONS)}}
    arguments = {
        (name, case): make(worlds[kind_of(name)])
        for name in FUNCTIONS
        for case, make in FUNCTIONS[name].items()
    }
    told = {label: tell(worlds[kind_of(label[0])]) for label, tell in TOLD.items()}
    for world in worlds.values():
        if column == "expir":
            world.end_session()
    found: dict[Label, str] = {}
    with database.connect_server() as connection:
        for (name, case), given in arguments.items():
            with connection.transaction(force_rollback=True):
                world = worlds[kind_of(name)]
                found[name, case] = ask(
                    connection, world, name, functions[name], given, told.get((name, case), "")
                )
        for name, judge in DIRECT.items():
            with connection.transaction(force_rollback=True):
                found[name, ""] = judge(connection, worlds["request"])
    compare(column, found)


def test_the_page_made_of_the_table_is_up_to_date() -> None:
    made = subprocess.run(
        [sys.executable, "tools/permission_page.py", "--check"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tests"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
