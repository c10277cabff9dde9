"""Source document 3, campaign execution with SSE: its endpoints, flows and events.

Each test quotes the section that it is from. In demo mode, without credentials, as its front end.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from rowcast.hub import Pace
from support import Client, Database, Event, EventStream

TASK = {
    "id", "campaignId", "displayId", "title", "sortKey", "version",
    "createdAt", "createdBy", "updatedAt", "updatedBy",
}  # fmt: skip
ENTRY = {
    "id", "campaignId", "taskId", "phaseId", "action", "details", "changes", "userId", "userName",
    "createdAt",
}  # fmt: skip


@pytest.fixture
def campaign(database: Database) -> str:
    return database.workspace("Demo", "campaign", "Spring")


@pytest.fixture
def path(campaign: str) -> str:
    return f"/api/campaigns/{campaign}"


async def phase(demo: Client, path: str, title: str) -> str:
    """The id of a new phase."""
    return str((await demo.call("POST", f"{path}/phases", {"title": title}))["id"])


async def task(demo: Client, path: str, title: str, **fields: Any) -> Any:
    return await demo.call("POST", f"{path}/tasks", {"title": title, **fields}, status=201)


async def titles(demo: Client, path: str, phase_id: str | None) -> list[str]:
    """The tasks of a phase in their order."""
    tasks = (await demo.call("GET", f"{path}/execution"))["tasks"]
    return [task["title"] for task in tasks if task.get("phaseId") == phase_id]


async def change(stream: EventStream) -> tuple[Event, Event]:
    """The events of one change: its own, and the history-update that follows it."""
    event, update = await stream.take(2)
    assert update.name == "history-update"
    assert event.id is None, "who is lost between the two gets both again"
    assert update.id is not None
    return event, update


# "`GET /api/campaigns/:campaignId/execution` - Fetch all data"


async def test_execution_is_all_of_a_campaign(demo: Client, campaign: str, path: str) -> None:
    plan = await phase(demo, path, "Plan")
    made = await task(demo, path, "New Creative Asset", phaseId=plan)
    answer = await demo.call("GET", f"{path}/execution")
    assert set(answer) == {"campaign", "phases", "tasks", "history", "seq"}
    assert (answer["campaign"]["id"], answer["campaign"]["name"]) == (campaign, "Spring")
    assert [p["title"] for p in answer["phases"]] == ["Plan"]
    (shown,) = answer["tasks"]
    assert shown == {key: value for key, value in made.items() if key != "seq"}
    assert TASK | {"phaseId"} <= set(shown)
    assert (shown["campaignId"], shown["phaseId"]) == (campaign, plan)
    assert answer["seq"] == made["seq"]


async def test_history_is_readable_and_latest_first(demo: Client, path: str) -> None:
    plan, create = await phase(demo, path, "Plan"), await phase(demo, path, "Create")
    made = await task(demo, path, "New Creative Asset", phaseId=plan, status="todo")
    at = f"{path}/tasks/{made['id']}"
    await demo.call("PATCH", at, {"status": "done"})
    await demo.call("POST", f"{at}/move", {"phaseId": create})
    await demo.call("DELETE", at)
    history = (await demo.call("GET", f"{path}/execution"))["history"]
    assert all(set(entry) == ENTRY for entry in history)
    assert [(entry["action"], entry["details"]) for entry in history] == [
        ("deleted", "deleted TSK-001-0001"),
        ("moved", "changed phase of TSK-001-0001"),
        ("updated", "moved TSK-001-0001 from todo to done"),
        ("created", "created TSK-001-0001"),
        ("created", "created PHS-001-0002"),
        ("created", "created PHS-001-0001"),
    ]
    assert {entry["taskId"] for entry in history[:4]} == {made["id"]}
    assert [entry["phaseId"] for entry in history[4:]] == [create, plan]
    assert history[2]["changes"] == {"status": {"from": "todo", "to": "done"}}
    assert {entry["userName"] for entry in history} == {"Demo"}
    times = [entry["createdAt"] for entry in history]
    assert times == sorted(times, reverse=True)


async def test_history_is_the_last_fifty(demo: Client, path: str, campaign: str) -> None:
    made = await task(demo, path, "New Creative Asset")
    for n in range(55):
        await demo.call("PATCH", f"{path}/tasks/{made['id']}", {"round": n})
    answer = await demo.call("GET", f"{path}/execution")
    assert len(answer["history"]) == 50
    assert answer["history"][0]["changes"]["round"]["to"] == 54


async def test_a_workspace_that_is_no_campaign_has_no_execution(
    demo: Client, database: Database
) -> None:
    other = database.workspace("Demo", "tasks")
    reply = await demo.send("GET", f"/api/campaigns/{other}/execution")
    reply.problem(404, "unknown_collection")
    (await demo.send("GET", "/api/campaigns/xyz789/execution")).problem(404, "unknown_workspace")


# "`POST /api/campaigns/:campaignId/tasks` - Create task"


async def test_a_task_is_created_in_its_campaign(demo: Client, campaign: str, path: str) -> None:
    """ "[API] Creating task: New Creative Asset" """
    made = await task(demo, path, "New Creative Asset")
    assert TASK | {"seq"} <= set(made)
    assert (made["campaignId"], made["title"], made["version"]) == (
        campaign, "New Creative Asset", 1,
    )  # fmt: skip
    wrapped = await demo.call("POST", f"{path}/tasks", {"data": {"title": "Another"}})
    assert wrapped["title"] == "Another"


async def test_what_the_server_keeps_is_nobodys_to_set(demo: Client, path: str) -> None:
    for key in ("displayId", "version", "createdBy", "position", "seq"):
        reply = await demo.send("POST", f"{path}/tasks", {"title": "x", key: 7})
        assert [e["path"] for e in reply.problem(422, "read_only_field")["errors"]] == [key]
    both = {"title": "x", "data": {"title": "y"}}
    reply = await demo.send("POST", f"{path}/tasks", both)
    assert [e["path"] for e in reply.problem(422, "invalid_request")["errors"]] == ["title"]


# "`PATCH /api/campaigns/:campaignId/tasks/:taskId` - Update task"


@pytest.mark.parametrize("wrapped", [False, True])
async def test_a_patch_merges(demo: Client, path: str, wrapped: bool) -> None:
    made = await task(demo, path, "New Creative Asset", status="todo", note="x")
    changes = {"status": "in_progress", "note": None}
    body = {"patch": changes} if wrapped else changes
    answer = await demo.call("PATCH", f"{path}/tasks/{made['id']}", body)
    assert (answer["status"], answer["version"], answer["title"]) == (
        "in_progress", 2, "New Creative Asset",
    )  # fmt: skip
    assert "note" not in answer


async def test_a_patch_is_of_a_task_of_this_campaign(
    demo: Client, path: str, database: Database
) -> None:
    other = database.workspace("Demo", "campaign", "Another")
    theirs = await task(demo, f"/api/campaigns/{other}", "Elsewhere")
    a_phase = await phase(demo, path, "Plan")
    for record in (theirs["id"], a_phase, "task-1"):
        for method, rest, body in (
            ("PATCH", "", {"status": "done"}),
            ("DELETE", "", None),
            ("POST", "/move", {"position": 0}),
        ):
            reply = await demo.send(method, f"{path}/tasks/{record}{rest}", body)
            reply.problem(404, "unknown_record")


async def test_an_old_base_version_is_a_conflict(demo: Client, path: str) -> None:
    made = await task(demo, path, "New Creative Asset", status="todo")
    at = f"{path}/tasks/{made['id']}"
    await demo.call("PATCH", at, {"status": "done"})
    reply = await demo.send("PATCH", at, {"status": "blocked", "baseVersion": 1})
    assert reply.problem(409, "conflict")["conflicts"][0]["key"] == "status"


# "`POST /api/campaigns/:campaignId/tasks/:taskId/move` - Move task between phases"


async def test_a_task_moves_between_phases_and_within_one(demo: Client, path: str) -> None:
    plan, create = await phase(demo, path, "Plan"), await phase(demo, path, "Create")
    made = {name: await task(demo, path, name, phaseId=plan) for name in "ABCD"}

    async def move(name: str, **body: Any) -> Any:
        at = f"{path}/tasks/{made[name]['id']}/move"
        return await demo.call("POST", at, body, status=200)

    answer = await move("A", phaseId=create, position=0)
    assert (answer["phaseId"], answer["version"]) == (create, 2)
    assert TASK | {"phaseId", "seq"} <= set(answer)
    assert await titles(demo, path, plan) == ["B", "C", "D"]
    await move("D", phaseId=create, position=0)
    assert await titles(demo, path, create) == ["D", "A"]
    await move("B", phaseId=create, position=1)
    assert await titles(demo, path, create) == ["D", "B", "A"]
    await move("C", phaseId=create)
    assert await titles(demo, path, create) == ["D", "B", "A", "C"]
    await move("C", position=0)
    assert await titles(demo, path, create) == ["C", "D", "B", "A"]
    await move("C", position=2)
    assert await titles(demo, path, create) == ["D", "B", "C", "A"]
    await move("D", position=99)
    assert await titles(demo, path, create) == ["B", "C", "A", "D"]
    assert await titles(demo, path, plan) == []


async def test_a_move_to_where_a_task_stands_changes_nothing(demo: Client, path: str) -> None:
    plan = await phase(demo, path, "Plan")
    made = [await task(demo, path, name, phaseId=plan) for name in "ABC"]
    at = f"{path}/tasks/{made[1]['id']}/move"
    answer = await demo.call("POST", at, {"phaseId": plan, "position": 1})
    assert (answer["version"], answer["seq"]) == (1, made[1]["seq"])
    assert await titles(demo, path, plan) == ["A", "B", "C"]


async def test_a_move_needs_a_phase_that_is_there(demo: Client, path: str) -> None:
    made = await task(demo, path, "A")
    at = f"{path}/tasks/{made['id']}/move"
    for other in (made["id"], "00000000-0000-0000-0000-000000000000", "PHS-9"):
        reply = await demo.send("POST", at, {"phaseId": other, "position": 0})
        reply.problem(404, "unknown_record")
    reply = await demo.send("POST", at, {"position": -1})
    assert [e["path"] for e in reply.problem(422)["errors"]] == ["position"]


async def test_many_moves_at_once_leave_every_task_in_one_place(demo: Client, path: str) -> None:
    plan, create = await phase(demo, path, "Plan"), await phase(demo, path, "Create")
    made = [await task(demo, path, str(n), phaseId=plan) for n in range(12)]
    answers = await asyncio.gather(
        *(
            demo.call("POST", f"{path}/tasks/{t['id']}/move", {"phaseId": create, "position": 0})
            for t in made
        )
    )
    by_seq = sorted(answers, key=lambda answer: answer["seq"], reverse=True)
    assert await titles(demo, path, create) == [answer["title"] for answer in by_seq]
    assert await titles(demo, path, plan) == []


# "`DELETE /api/campaigns/:campaignId/tasks/:taskId` - Delete task"


async def test_a_deleted_task_is_gone(demo: Client, path: str) -> None:
    made = await task(demo, path, "New Creative Asset")
    at = f"{path}/tasks/{made['id']}"
    answer = await demo.call("DELETE", at, status=200)
    assert set(answer) == {"id", "seq"}
    assert (await demo.call("GET", f"{path}/execution"))["tasks"] == []
    (await demo.send("GET", at)).problem(404, "unknown_record")
    (await demo.send("DELETE", at)).problem(404, "unknown_record")


# "SSE Connection": "Endpoint: GET /api/events/:campaignId … Events: connected, task-created,
# task-updated, task-moved, task-deleted, history-update"


async def test_each_event_of_the_document_comes_with_its_history(
    demo: Client, campaign: str, path: str
) -> None:
    async with demo.events(f"/api/events/{campaign}") as stream:
        connected = await stream.next()
        assert connected.name == "connected"
        assert connected.data["clientId"]
        create = await phase(demo, path, "Create")
        event, _ = await change(stream)
        assert (event.name, event.data["phase"]["title"]) == ("phase-created", "Create")
        made = await task(demo, path, "New Creative Asset", status="todo")
        at = f"{path}/tasks/{made['id']}"
        await demo.call("PATCH", at, {"status": "done"})
        await demo.call("POST", f"{at}/move", {"phaseId": create, "position": 0})
        await task(demo, path, "Another", phaseId=create)
        await demo.call("POST", f"{at}/move", {"position": 1})
        await demo.call("DELETE", at)
        changes = [await change(stream) for _ in range(6)]
    names = [event.name for event, _ in changes]
    assert names == [
        "task-created", "task-updated", "task-moved", "task-created", "task-moved", "task-deleted",
    ]  # fmt: skip
    for event, update in changes:
        assert event.data["campaignId"] == update.data["campaignId"] == campaign
        assert event.data["seq"] == update.data["seq"]
        assert event.data["taskId"] == event.data["task"]["id"] == update.data["entry"]["taskId"]
        assert set(update.data["entry"]) == ENTRY
        assert event.name.endswith(update.data["entry"]["action"])
        assert update.data["entry"]["userName"] == "Demo"
    assert changes[1][0].data["patch"] == {"status": "done"}
    assert changes[1][1].data["entry"]["changes"] == {"status": {"from": "todo", "to": "done"}}


async def test_what_is_restored_is_created_again(demo: Client, campaign: str, path: str) -> None:
    made = await task(demo, path, "New Creative Asset")
    async with demo.events(f"/api/events/{campaign}") as stream:
        await stream.next()
        await demo.call("DELETE", f"{path}/tasks/{made['id']}")
        await change(stream)
        await demo.call("POST", f"/api/v1/workspaces/{campaign}/records/{made['id']}/restore")
        event, update = await change(stream)
    assert (event.name, event.data["task"]["title"]) == ("task-created", "New Creative Asset")
    assert update.data["entry"]["action"] == "restored"


# "Task Creation Flow": "7. All connected clients (including other browsers) receive update"


async def test_all_connected_clients_get_the_update_and_refetch(
    demo: Client, campaign: str, path: str
) -> None:
    async with (
        demo.events(f"/api/events/{campaign}") as one,
        demo.events(f"/api/events/{campaign}") as two,
    ):
        assert (await one.next()).data["clientId"] != (await two.next()).data["clientId"]
        await task(demo, path, "New Creative Asset")
        first, second = await change(one), await change(two)
        assert [event.data for event in first] == [event.data for event in second]
        refetched = await demo.call("GET", f"{path}/execution")
    assert first[0].data["task"] in refetched["tasks"]
    assert first[1].data["entry"] in refetched["history"]


# "Auto-reconnect: Browser automatically reconnects on disconnect"


async def test_a_browser_that_reconnects_misses_nothing(
    demo: Client, campaign: str, path: str
) -> None:
    async with demo.events(f"/api/events/{campaign}") as stream:
        await stream.next()
        await task(demo, path, "One")
        await change(stream)
        last = stream.last_event_id
    await task(demo, path, "Two")
    async with demo.events(f"/api/events/{campaign}", last) as stream:
        await stream.next()
        event, _ = await change(stream)
    assert event.data["task"]["title"] == "Two"


# "Heartbeat: Every 30 seconds to keep connection alive"


def test_a_heartbeat_comes_at_least_every_thirty_seconds() -> None:
    """How it is sent is in tests/streams/test_lifecycle.py."""
    assert Pace().beat <= 30


# Roles of the template: a contributor works on what is hers, or nobody's.


async def test_a_contributor_works_on_her_own_tasks_and_on_nobodys(
    demo: Client, database: Database, campaign: str, path: str,
    member: Callable[[str, str, str], Client],
) -> None:  # fmt: skip
    carla = member(campaign, "Carla", "contributor")
    plan = await phase(demo, path, "Plan")
    taken = await task(demo, path, "Taken", assignee=database.account("Demo"))
    free = await task(demo, path, "Free")
    at = f"{path}/tasks"
    (await carla.send("PATCH", f"{at}/{taken['id']}", {"status": "done"})).problem(403)
    (await carla.send("POST", f"{at}/{taken['id']}/move", {"position": 1})).problem(403)
    await carla.call("PATCH", f"{at}/{free['id']}", {"assignee": database.account("Carla")})
    await carla.call("POST", f"{at}/{free['id']}/move", {"phaseId": plan})
    assert (await carla.call("POST", at, {"title": "Mine"}))["createdBy"] == (
        database.account("Carla")
    )
    (await carla.send("POST", f"{path}/phases", {"title": "No"})).problem(403)


async def test_a_history_tells_nobody_what_a_task_was_before_he_saw_it(
    demo: Client, database: Database, campaign: str, path: str,
    member: Callable[[str, str, str], Client],
) -> None:  # fmt: skip
    database.run(
        "insert into core.role (workspace_id, key, label, read)"
        " values (%s, 'helper', 'Helper', '{task:own}')",
        campaign,
    )
    helper = member(campaign, "Hal", "helper")
    made = await task(demo, path, "Secret", assignee=database.account("Demo"))
    async with helper.events(f"/api/events/{campaign}") as stream:
        await stream.next()
        changes = {"title": "Shown", "assignee": database.account("Hal")}
        await demo.call("PATCH", f"{path}/tasks/{made['id']}", changes)
        event, update = await change(stream)
    assert event.data["task"]["title"] == "Shown"
    assert update.data["entry"]["changes"]["title"] == {"from": None, "to": "Shown"}
    shown = (await helper.send("GET", f"{path}/execution")).text
    assert "Secret" not in json.dumps([event.data, update.data]) + shown
