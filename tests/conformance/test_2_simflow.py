"""Source document 2, Sim-Flow: requests, comments, users and the activity log.

Each test quotes the section that it is from. People are those of the template: requesters ask,
engineers take, managers assign; Demo, who owns the workspace, needs no credentials.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from rowcast.demo import SampleUser
from support import Client, Database, deployed, serving

REQUEST = {
    "id", "title", "description", "vendor", "status", "priority", "createdBy", "createdByName",
    "assignedTo", "assignedToName", "estimatedHours", "createdAt", "updatedAt",
}  # fmt: skip
COMMENT = {
    "id", "requestId", "authorId", "authorName", "authorRole", "content", "createdAt",
}  # fmt: skip
USER = {"id", "name", "email", "role", "avatarUrl", "createdAt", "updatedAt"}
ACTION = {"id", "requestId", "userId", "userName", "action", "details", "createdAt"}
NEW = {
    "title": "Drop test of the bracket",
    "description": "Three orientations, 1.2 m.",
    "vendor": "Contoso",
    "priority": "High",
}


@dataclass(frozen=True)
class People:
    """Clients of one workspace, by what they are in it."""

    workspace: str
    owner: Client
    riley: Client
    rosa: Client
    erin: Client
    emma: Client
    max: Client
    database: Database

    def id(self, name: str) -> str:
        """The account of somebody."""
        return self.database.account(name)


@pytest.fixture
def people(demo: Client, database: Database, member: Callable[[str, str, str], Client]) -> People:
    workspace = database.workspace("Demo", "requests")
    roles = {
        "Riley": "requester", "Rosa": "requester", "Erin": "engineer", "Emma": "engineer",
        "Max": "manager",
    }  # fmt: skip
    riley, rosa, erin, emma, manager = (member(workspace, *pair) for pair in roles.items())
    return People(workspace, demo, riley, rosa, erin, emma, manager, database)


async def ask(client: Client, **fields: Any) -> Any:
    """A new request."""
    answer = await client.call("POST", "/api/requests", {**NEW, **fields}, status=201)
    return answer["request"]


async def listed(client: Client, query: str = "") -> list[str]:
    """The titles of the requests that somebody sees."""
    return [r["title"] for r in (await client.call("GET", f"/api/requests{query}"))["requests"]]


# "POST /api/requests — Create new request. Request: { title, description, vendor, priority }"


async def test_a_request_is_created(people: People) -> None:
    answer = await people.riley.call("POST", "/api/requests", NEW, status=201)
    assert set(answer) == {"request", "seq"}
    request = answer["request"]
    assert set(request) >= REQUEST
    assert {key: request[key] for key in NEW} == NEW
    assert (request["status"], request["createdByName"]) == ("Submitted", "Riley")
    assert request["createdBy"] == people.id("Riley")
    assert (request["assignedTo"], request["assignedToName"], request["estimatedHours"]) == (
        None, None, None,
    )  # fmt: skip


async def test_a_request_lacks_nothing(people: People) -> None:
    """The table's `NOT NULL` columns, and "priority: 'Low' | 'Medium' | 'High'"."""
    for key in ("title", "description", "vendor"):  # of the document, which errors call `data`
        body = {name: value for name, value in NEW.items() if name != key}
        reply = await people.riley.send("POST", "/api/requests", body)
        assert [error["path"] for error in reply.problem(422)["errors"]] == [f"data.{key}"]
    reply = await people.riley.send("POST", "/api/requests", {**NEW, "priority": "Urgent"})
    assert [error["path"] for error in reply.problem(422)["errors"]] == ["data.priority"]
    assert await listed(people.owner) == []


# "GET /api/requests — Get all requests (filtered by role)"


async def test_lists_are_filtered_by_role(people: People) -> None:
    await ask(people.riley, title="Riley's")
    await ask(people.rosa, title="Rosa's")
    taken = await ask(people.rosa, title="Taken")
    body = {"engineerId": people.id("Emma"), "estimatedHours": 8}
    await people.max.call("PATCH", f"/api/requests/{taken['id']}/assign", body)
    assert await listed(people.riley) == ["Riley's"]
    assert await listed(people.rosa) == ["Rosa's", "Taken"]
    assert await listed(people.erin) == ["Riley's", "Rosa's"]
    assert await listed(people.emma) == ["Riley's", "Rosa's", "Taken"]
    assert await listed(people.max) == await listed(people.owner) == ["Riley's", "Rosa's", "Taken"]
    answer = await people.max.call("GET", "/api/requests")
    assert all(set(request) >= REQUEST for request in answer["requests"])


async def test_lists_page_filter_and_sort(people: People) -> None:
    for n in range(3):
        await ask(people.riley, title=str(n), priority=("Low", "High", "High")[n])
    assert await listed(people.max, "?filter[priority]=High&sort=-title") == ["2", "1"]
    assert await listed(people.max, "?page=1&limit=2") == ["2"]
    first = await people.max.call("GET", "/api/requests?limit=2")
    assert await listed(people.max, f"?limit=2&cursor={first['nextCursor']}") == ["2"]
    assert await listed(people.max, f"?workspaceId={people.workspace}") == ["0", "1", "2"]


async def test_all_requests_up_to_two_hundred_come_at_once(people: People) -> None:
    people.database.run(
        "insert into core.record (workspace_id, collection, data) select %s, 'request',"
        " jsonb_build_object('title', n::text, 'description', 'x', 'vendor', 'x')"
        " from generate_series(1, 201) n order by n",
        people.workspace,
    )
    answer = await people.max.call("GET", "/api/requests")
    assert len(answer["requests"]) == 200
    assert answer["nextCursor"] is not None


# "GET /api/requests/:id — Get single request with comments"


async def test_a_request_comes_with_its_comments(people: People) -> None:
    request = await ask(people.riley)
    at = f"/api/requests/{request['id']}"
    assert await people.riley.call("GET", at) == {"request": request, "comments": []}
    await people.riley.call("POST", f"{at}/comments", {"content": "When?"})
    await people.max.call("POST", f"{at}/comments", {"content": "Tomorrow."})
    answer = await people.erin.call("GET", f"/api/requests/{request['displayId']}")
    said = [(c["authorName"], c["authorRole"], c["content"]) for c in answer["comments"]]
    assert said == [("Riley", "REQUESTER", "When?"), ("Max", "MANAGER", "Tomorrow.")]
    (await people.rosa.send("GET", at)).problem(404, "unknown_record")


# "PATCH /api/requests/:id/status — Update request status"


async def test_a_status_goes_on_as_the_workflow_says(people: People) -> None:
    request = await ask(people.riley)
    at = f"/api/requests/{request['id']}/status"
    answer = await people.erin.call("PATCH", at, {"status": "In Review"})
    assert set(answer) == {"request", "seq"}
    assert (answer["request"]["status"], answer["request"]["version"]) == ("In Review", 2)
    for status in ("Completed", "Submitted"):
        reply = await people.erin.send("PATCH", at, {"status": status})
        assert reply.status == 409, reply.text
    reply = await people.erin.send("PATCH", at, {"status": "In Progress"})
    assert reply.status in (409, 422), "nobody works on it"
    assert (await people.erin.send("PATCH", at, {"status": "Lost"})).status == 422
    assert (await people.riley.send("PATCH", at, {"status": "Rejected"})).status in (403, 409)
    body = {"engineerId": people.id("Erin"), "estimatedHours": 4}
    await people.erin.call("PATCH", at.replace("status", "assign"), body)
    for status in ("In Progress", "Completed"):
        answer = await people.erin.call("PATCH", at, {"status": status})
    assert answer["request"]["status"] == "Completed"


# "PATCH /api/requests/:id/assign — Assign engineer. Request: { engineerId, estimatedHours }"


async def test_a_manager_assigns_an_engineer(people: People) -> None:
    request = await ask(people.riley)
    at = f"/api/requests/{request['id']}/assign"
    body = {"engineerId": people.id("Erin"), "estimatedHours": 16}
    answer = (await people.max.call("PATCH", at, body))["request"]
    assert (answer["assignedTo"], answer["assignedToName"], answer["estimatedHours"]) == (
        people.id("Erin"), "Erin", 16,
    )  # fmt: skip
    (await people.riley.send("PATCH", at, body)).problem(403, "not_permitted")
    (await people.emma.send("PATCH", at, body)).problem(404, "unknown_record")
    stranger = {"engineerId": people.database.account("Stranger"), "estimatedHours": 1}
    (await people.max.send("PATCH", at, stranger)).problem(404, "unknown_member")
    answer = (await people.max.call("PATCH", at, {"engineerId": None}))["request"]
    assert (answer["assignedTo"], answer["estimatedHours"]) == (None, 16)


async def test_an_engineer_takes_what_nobody_has_and_hands_on_what_is_hers(people: People) -> None:
    request = await ask(people.riley)
    at = f"/api/requests/{request['id']}"
    await people.erin.call("PATCH", f"{at}/assign", {"engineerId": people.id("Erin")})
    (await people.emma.send("GET", at)).problem(404, "unknown_record")
    answer = await people.erin.call("PATCH", f"{at}/assign", {"engineerId": people.id("Emma")})
    assert answer["request"]["assignedToName"] == "Emma"
    (await people.erin.send("GET", at)).problem(404, "unknown_record")
    assert (await people.emma.call("GET", at))["request"]["assignedToName"] == "Emma"


# "POST /api/requests/:id/comments — Add comment. Request: { content }"


async def test_a_comment_is_added(people: People) -> None:
    request = await ask(people.riley)
    at = f"/api/requests/{request['id']}/comments"
    answer = await people.erin.call("POST", at, {"content": "Which material?"}, status=201)
    assert set(answer) == {"comment", "seq"}
    comment = answer["comment"]
    assert set(comment) == COMMENT
    assert (comment["requestId"], comment["authorId"], comment["content"]) == (
        request["id"], people.id("Erin"), "Which material?",
    )  # fmt: skip
    assert (comment["authorName"], comment["authorRole"]) == ("Erin", "ENGINEER")
    (await people.rosa.send("POST", at, {"content": "x"})).problem(404, "unknown_record")
    assert (await people.riley.send("POST", at, {"content": ""})).status == 422


# "GET /api/users", "GET /api/users?role=ENGINEER — Get users by role"


async def test_users_are_listed_by_role(people: People) -> None:
    answer = await people.owner.call("GET", "/api/users?role=ENGINEER")
    assert [(u["name"], u["role"]) for u in answer["users"]] == [
        ("Erin", "ENGINEER"), ("Emma", "ENGINEER"),
    ]  # fmt: skip
    assert all(set(user) == USER for user in answer["users"])
    everybody = (await people.riley.call("GET", "/api/users"))["users"]
    assert {user["role"] for user in everybody} == {"OWNER", "REQUESTER", "ENGINEER", "MANAGER"}
    assert len(everybody) == 6
    assert (await people.riley.call("GET", "/api/users?role=NONE"))["users"] == []


async def test_addresses_are_for_who_may_manage(people: People) -> None:
    shown = (await people.owner.call("GET", "/api/users?role=engineer"))["users"]
    assert [user["email"] for user in shown] == ["Erin@example.org", "Emma@example.org"]
    assert "@" not in (await people.riley.send("GET", "/api/users")).text


# "activity_log (Optional - for audit trail)": request_id, user_id, action, details, created_at


async def test_the_activity_log_tells_who_did_what(people: People) -> None:
    request = await ask(people.riley)
    at = f"/api/requests/{request['id']}"
    await people.erin.call("PATCH", f"{at}/assign", {"engineerId": people.id("Erin")})
    await people.erin.call("PATCH", f"{at}/status", {"status": "In Review"})
    await people.riley.call("POST", f"{at}/comments", {"content": "Thanks."})
    activity = (await people.riley.call("GET", f"{at}/activity"))["activity"]
    assert all(set(entry) == ACTION for entry in activity)
    assert [(entry["action"], entry["userName"]) for entry in activity] == [
        ("comment-created", "Riley"), ("updated", "Erin"), ("updated", "Erin"),
        ("created", "Riley"),
    ]  # fmt: skip
    assert activity[1]["details"]["changes"] == {"status": {"from": "Submitted", "to": "In Review"}}
    assert activity[1]["details"]["text"] == "moved REQ-001-0001 from Submitted to In Review"
    (await people.rosa.send("GET", f"{at}/activity")).problem(404, "unknown_record")


# "Authentication (Phase 1 - Simple): session-based auth with the same mock users"


async def test_one_signs_in_as_a_sample_user_with_one_call(
    database: Database, demo: Client, people: People
) -> None:
    user = SampleUser("erin@example.org", "Erin", "engineer")
    deployment = deployed(database, demo_account=people.id("Demo"), demo_users=(user,))
    await ask(people.riley)
    async with serving(deployment) as url:
        anybody = Client(demo.session, url, None)
        answer = await anybody.call("POST", "/api/v1/auth/demo", {"email": "erin@example.org"})
        erin = replace(anybody, token=answer["accessToken"])
        assert len(await listed(erin)) == 1


# "Health check": every service of the compose file has one


async def test_the_process_says_that_it_is_well(demo: Client) -> None:
    assert (await demo.call("GET", "/health/live"))["status"] == "live"
    assert (await demo.call("GET", "/health/ready"))["status"] == "ready"
