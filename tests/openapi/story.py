"""A story in which every operation is called once, well: the examples of the document.

`make examples` writes what was sent and answered to server/rowcast/examples.json, with ids, times
and secrets that are the same every time; a test compares.
"""

import re
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rowcast.app import Deployment
from rowcast.demo import SampleUser
from rowcast.keys import INVITATION, PASSWORD_RESET, VERIFY_EMAIL
from rowcast.operations import operations
from storing import FORM, form, storage_in
from support import KEYS, ROOT, Client, Database, deployed

FILE = ROOT / "server" / "rowcast" / "examples.json"
PASSWORD = "correct horse battery"
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_CURSOR = re.compile(r"^id: .*$", re.MULTILINE)
_RETRY = re.compile(r"^retry: \d+$", re.MULTILINE)
_SECRETS = {
    "accessToken": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI…",
    "refreshToken": "tS7nq5v2mPq1m0bF3kX8",
    "ticket": "k9QxWm4cR7tZ2vLb",
    "nextCursor": "eyJzb3J0Ijoi…",
    "clientId": "4f2c1be09d7a4c55",
    "version": "1.0.0",
}
_NAMES = uuid.UUID("0b8c2d52-9f0e-4d0a-8c53-6d4a35b1a5b7")


def deployment(database: Database, store: Path) -> Deployment:
    """The server that the story is told by."""
    user = SampleUser("grace@example.org", "Grace Hopper", "editor")
    return deployed(database, demo_users=(user,), storage=storage_in(store))


@dataclass
class Story:
    """Plays operations and remembers what was sent and answered, the first time each."""

    database: Database
    client: Client
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def play(
        self,
        name: str,
        body: Any = None,
        *,
        query: dict[str, str] | None = None,
        text: str | None = None,
        file: str | None = None,
        by: str | None = "Ada",
        status: int | None = None,
        **path: str,
    ) -> Any:
        """Calls an operation, as an account, None as nobody; its answer."""
        operation = next(o for o in operations() if o.name == name)
        address = operation.path.format_map(path) + (f"?{urlencode(query)}" if query else "")
        headers = {"User-Agent": "Mozilla/5.0"}
        if by is not None:
            headers["Authorization"] = f"Bearer {self.database.token(by)}"
        more: dict[str, Any] = {"headers": headers}
        if text is not None:
            more["data"] = text.encode()
            headers["Content-Type"] = operation.upload[0]
        if file is not None:
            more["data"] = form(file.encode(), name="holes.txt")
            headers |= FORM
        reply = await self.client.send(operation.method, address, body, **more)
        assert reply.status == (status or operation.status), f"{name}: {reply.text}"
        sent = {"path": path, "query": query, "body": body, "text": text}
        told = {
            key: value for key, value in sent.items() if value or (key == "body" and body == {})
        }
        answer = reply.json if "json" in reply.headers["Content-Type"] else reply.text
        self.examples.setdefault(name, {**told, "answer": answer})
        return answer

    async def listen(self, name: str, events: int, *, since: int, **path: str) -> None:
        """Opens a stream behind a seq and remembers its first events, as they came."""
        operation = next(o for o in operations() if o.name == name)
        address = operation.path.format_map(path)
        token = self.database.token("Ada")
        headers = {"Authorization": f"Bearer {token}"}
        query = {"since": str(since)}
        told: list[str] = []
        async with self.client.request(
            "GET", f"{address}?{urlencode(query)}", headers=headers
        ) as response:
            while sum(line.startswith("data:") for line in told) < events or told[-1]:
                told.append((await response.content.readline()).decode().rstrip("\n"))
        self.examples[name] = {"path": path, "query": query, "answer": "\n".join(told)}


async def tell(story: Story) -> dict[str, dict[str, Any]]:
    """Tells the whole story; the examples by the names of their operations."""
    await _endings(story, await begin(story))
    return _told_again(story.examples)[0]


async def begin(story: Story) -> str:
    """Tells it up to where things end; the workspace that it is about."""
    await _signing_in(story)
    workspace = await _workspaces(story)
    await _members(story, workspace)
    await _records(story, workspace)
    await _atlas(story, workspace)
    await _faces(story)
    return workspace


def ids_told(story: Story) -> dict[str, str]:
    """The ids in the examples of a story that was begun, and what they stand for."""
    return {example: real for real, example in _told_again(story.examples)[1].items()}


async def _signing_in(story: Story) -> None:
    database = story.database
    await story.play("live", by=None)
    await story.play("ready", by=None)
    ada = {"email": "ada@example.com", "password": PASSWORD}
    await story.play("register", {**ada, "name": "Ada Lovelace"}, by=None)
    token = database.value("select id from core.one_time_token where purpose = 'verify-email'")
    link = KEYS.sign(VERIFY_EMAIL, {"jti": str(token)}, time.time() + 60)
    made = await story.play("verify_email", {"token": link}, by=None)
    database.accounts["Ada"] = made["user"]["id"]
    signed_in = await story.play("login", ada, by=None)
    await story.play("refresh", {"refreshToken": signed_in["refreshToken"]}, by=None)
    await story.play("account_get")
    await story.play("update_me", {"name": "Ada Lovelace", "avatar": "https://example.com/ada.png"})
    await story.play("password_reset", {"email": ada["email"]}, by=None)
    token = database.value("select id from core.one_time_token where purpose = 'password-reset'")
    link = KEYS.sign(PASSWORD_RESET, {"jti": str(token)}, time.time() + 60)
    await story.play("password_reset_confirm", {"token": link, "password": PASSWORD}, by=None)
    database.run(
        "select trusted.account_create('grace@example.org', 'Grace Hopper', null)",
    )
    database.accounts["Grace"] = str(
        database.value("select id from core.account where email = 'grace@example.org'")
    )
    await story.play("demo_users", by=None)
    await story.play("demo_login", {"email": "grace@example.org"}, by=None)
    database.run("delete from core.session where account_id = %s", database.accounts["Ada"])
    sessions = await story.play("session_list")
    await story.play("session_revoke", session=sessions["sessions"][0]["id"])
    made = await story.play(
        "token_create", {"name": "nightly export", "scopes": ["read"], "expiresInDays": 90}
    )
    await story.play("token_list")
    await story.play("token_revoke", token=made["id"])
    await story.play("ticket_create")


async def _workspaces(story: Story) -> str:
    made = await story.play("workspace_create", {"name": "Analytical Engine", "template": "tasks"})
    workspace = str(made["id"])
    await story.play("workspace_list")
    await story.play("workspace_get", workspace=workspace)
    await story.play("workspace_update", {"name": "Engine No. 2"}, workspace=workspace)
    await story.play("collection_list", workspace=workspace)
    await _schema(story, workspace)
    return workspace


async def _schema(story: Story, workspace: str) -> None:
    state = {
        "key": "state",
        "label": "State",
        "type": "select",
        "options": ["planned", {"value": "built", "label": "Built", "color": "green"}],
        "default": "planned",
    }
    name = {"key": "name", "label": "Name", "type": "text", "required": True}
    part = {"key": "part", "label": "Parts", "prefix": "PRT", "fields": [name, state]}
    await story.play("collection_create", part, workspace=workspace)
    steps = [{"from": "planned", "to": "built", "roles": ["owner"], "requires": ["name"]}]
    workflow = [{"field": "state", "transitions": steps}]
    of_it: dict[str, Any] = {"workspace": workspace, "collection": "parts"}
    await story.play("collection_update", {"label": "Parts", "workflow": workflow}, **of_it)
    title = {**name, "key": "title", "label": "Title", "renamedFrom": "name"}
    teeth = {"key": "teeth", "label": "Teeth", "type": "number"}
    fields = {"fields": [title, state, teeth]}
    await story.play("field_replace", fields, **of_it)
    await story.play("field_list", **of_it)
    await story.play("workspace_types", workspace=workspace)


async def _members(story: Story, workspace: str) -> None:
    body = {"email": "grace@example.org", "role": "editor", "expiresInDays": 14}
    invited = await story.play("invitation_create", body, workspace=workspace)
    await story.play("invitation_list", workspace=workspace)
    claims = {"jti": invited["id"], "ws": workspace}
    link = KEYS.sign(INVITATION, claims, time.time() + 60)
    await story.play("accept_invitation", {"token": link}, by="Grace")
    other = {"email": "mary@example.org", "role": "viewer"}
    invited = await story.play("invitation_create", other, workspace=workspace)
    await story.play("invitation_revoke", workspace=workspace, invitation=invited["id"])
    grace = story.database.accounts["Grace"]
    await story.play("member_list", workspace=workspace)
    await story.play("member_update", {"role": "admin"}, workspace=workspace, account=grace)
    roles = (await story.play("role_list", workspace=workspace))["roles"]
    helper = {
        "key": "helper",
        "label": "Helper",
        "read": ["task"],
        "edit": ["task:own"],
        "may": ["create:task", "comment:task"],
    }
    kept = [role for role in roles if role["key"] in ("owner", "admin", "editor")]
    await story.play("role_replace", {"roles": [*kept, helper]}, workspace=workspace)
    await story.play("audit_list", workspace=workspace, query={"limit": "3"})


async def _records(story: Story, workspace: str) -> None:
    body = {"collection": "task", "data": {"title": "Punch the cards", "status": "todo"}}
    made = await story.play("record_create", body, workspace=workspace)
    other = {"collection": "task", "data": {"title": "Oil the mill", "status": "in_progress"}}
    second = await story.play("record_create", other, workspace=workspace)
    at = {"workspace": workspace, "id": made["id"]}
    query = {"collection": "tasks", "filter[status]": "todo", "sort": "-createdAt", "limit": "20"}
    await story.play("record_list", workspace=workspace, query=query)
    await story.play("record_get", workspace=workspace, id=made["displayId"])
    both = {"ids": [made["id"], second["displayId"]]}
    await story.play("records_get", both, workspace=workspace)
    patch = {"patch": {"status": "done", "points": 3}, "baseVersion": 1}
    await story.play("record_update", patch, **at)
    move = {"field": "status", "value": "in_progress", "before": second["id"]}
    await story.play("record_move", move, **at)
    await story.play("record_delete", **at)
    await story.play("record_restore", **at)
    operations = [
        {"type": "create", "collection": "task", "data": {"title": "Draw the plans"}},
        {"type": "increment", "recordId": made["id"], "key": "points", "by": 2},
        {"type": "set", "recordId": second["id"], "key": "status", "value": "done"},
    ]
    versions = {"operations": operations, "baseVersions": {second["id"]: 1}}
    await story.play("transaction_apply", versions, workspace=workspace)
    await story.play("transaction_undo", workspace=workspace)
    await story.play("undo_list", workspace=workspace)
    await story.play("transaction_redo", workspace=workspace)
    gone = [{"type": "delete", "recordId": str(uuid.UUID(int=1))}]
    queue = [{**x, "id": str(uuid.uuid4())} for x in (versions, {"operations": gone})]
    await story.play("transaction_replay", {"transactions": queue}, workspace=workspace)
    said = await story.play("comment_create", {"body": "How many holes?"}, **at)
    reply = {"body": "Eighty by twelve, @Grace Hopper.", "parentId": said["id"]}
    await story.play("comment_create", reply, **at)
    of_it = {"workspace": workspace, "comment": said["id"]}
    await story.play("comment_update", {"body": "How many holes a card?"}, **of_it)
    await story.play("comment_list", **at)
    await story.play("comment_delete", **of_it)
    await story.play("record_activity", **at)
    await story.play("workspace_activity", workspace=workspace)
    await story.play("attachment_upload", file="Eighty by twelve.\n", **at)
    found = (await story.play("attachment_list", **at))["attachments"][0]
    for name in ("attachment_download", "attachment_head", "attachment_delete"):
        await story.play(name, workspace=workspace, attachment=found["id"])
    query = {"collection": "task", "map[title]": "Summary"}
    text = "Summary,points\nGrind the gears,2\nLetter to Babbage,1\n"
    await story.play("record_import", workspace=workspace, query=query, text=text)
    await story.play("search", workspace=workspace, query={"q": "punch card", "limit": "2"})
    await story.play("search_all", query={"q": '"letter to" -cards', "limit": "2"})
    here = {"recordId": made["displayId"], "state": "typing"}
    await story.play("presence_enter", here, workspace=workspace)
    await story.play("presence_list", workspace=workspace)
    await story.play("presence_leave", workspace=workspace)
    await story.play("snapshot", workspace=workspace)
    await story.play("changes", workspace=workspace, query={"since": "12", "limit": "3"})


async def _atlas(story: Story, workspace: str) -> None:
    body = {"workspaceId": workspace, "data": {"title": "Note G", "status": "todo"}}
    made = await story.play("atlas_task_create", body)
    patch = {"patch": {"status": "in_progress"}}
    await story.play("atlas_task_update", patch, id=made["displayId"])
    await story.play("atlas_task_list", query={"workspaceId": workspace, "page": "0"})
    await story.play("atlas_field_list", query={"workspaceId": workspace})
    await story.listen("atlas_events", 2, since=made["seq"] - 1, workspace=workspace)
    await story.listen("native_events", 3, since=made["seq"] - 1, workspace=workspace)


async def _faces(story: Story) -> None:
    for face, template, name in (
        (_simflow, "requests", "Simulations"),
        (_campaign, "campaign", "Spring"),
        (_todo, "todo", "To-do"),
    ):
        workspace = story.database.workspace("Ada", template, name)
        await face(story, workspace)
        story.database.join(workspace, "Grace", "owner")  # Ada will leave


async def _simflow(story: Story, workspace: str) -> None:
    grace = story.database.join(workspace, "Grace", "engineer")
    body = {
        "title": "Drop test of the bracket",
        "description": "Three orientations, 1.2 m.",
        "vendor": "Contoso",
        "priority": "High",
    }
    made = (await story.play("simflow_request_create", body))["request"]
    at = made["displayId"]
    await story.play("simflow_user_list", query={"role": "ENGINEER"})
    assigned = {"engineerId": grace, "estimatedHours": 16}
    await story.play("simflow_request_assign", assigned, id=at)
    await story.play("simflow_request_status", {"status": "In Review"}, id=at)
    await story.play("simflow_comment_create", {"content": "Which material?"}, id=at, by="Grace")
    await story.play("simflow_request_list", query={"filter[status]": "In Review"})
    await story.play("simflow_request_get", id=at)
    await story.play("simflow_activity_list", id=at)


async def _campaign(story: Story, workspace: str) -> None:
    at: dict[str, Any] = {"workspace": workspace}
    plan = await story.play("campaign_phase_create", {"title": "Plan"}, **at)
    other = await story.play("campaign_phase_create", {"title": "Create"}, **at)
    body = {"title": "New Creative Asset", "phaseId": plan["id"], "status": "todo"}
    made = await story.play("campaign_task_create", body, **at)
    task = {**at, "id": made["displayId"]}
    await story.play("campaign_task_update", {"patch": {"status": "in_progress"}}, **task)
    move = {"phaseId": other["id"], "position": 0}
    moved = await story.play("campaign_task_move", move, **task)
    await story.play("campaign_task_list", **at)
    await story.play("campaign_task_get", **task)
    await story.play("campaign_execution", **at)
    await story.play("campaign_task_delete", **task)
    phase = {**at, "id": plan["displayId"]}
    await story.play("campaign_phase_list", **at)
    await story.play("campaign_phase_get", **phase)
    await story.play("campaign_phase_update", {"patch": {"title": "Planning"}}, **phase)
    await story.play("campaign_phase_delete", **phase)
    await story.listen("campaign_events", 3, since=moved["seq"] - 1, **at)


async def _todo(story: Story, workspace: str) -> None:
    home = await story.play("todo_category_create", {"name": "Home", "color": "#2e7d32"})
    await story.play("todo_category_list")
    body = {"title": "Water the plants", "categoryId": home["id"]}
    made = await story.play("todo_task_create", body)
    task: dict[str, Any] = {"id": made["displayId"]}
    done = await story.play("todo_task_update", {"patch": {"completed": True}}, **task)
    await story.play("todo_task_list", query={"sort": "-createdAt", "limit": "20"})
    await story.play("todo_task_get", **task)
    await story.listen("todo_events", 2, since=done["seq"] - 1, workspace=workspace)
    await story.play("todo_task_delete", **task)
    category: dict[str, Any] = {"id": home["displayId"]}
    await story.play("todo_category_update", {"patch": {"color": "#1565c0"}}, **category)
    await story.play("todo_category_get", **category)
    await story.play("todo_category_delete", **category)


async def _endings(story: Story, workspace: str) -> None:
    grace = story.database.accounts["Grace"]
    await story.play("member_remove", workspace=workspace, account=grace)
    await story.play("workspace_delete", workspace=workspace)
    await story.play("workspace_restore", workspace=workspace)
    story.database.join(workspace, "Grace", "admin")
    body = {"accountId": grace}
    await story.play("workspace_transfer", body, workspace=workspace)
    await story.play("logout", {})
    await story.play("account_erase")


def _told_again(
    examples: dict[str, dict[str, Any]],
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The same with what differs from telling to telling made the same: ids, times, secrets.

    And the ids, what they were and are.
    """
    ids: dict[str, str] = {}

    def of_id(match: re.Match[str]) -> str:
        return ids.setdefault(match[0], str(uuid.uuid5(_NAMES, str(len(ids)))))

    def again(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {_UUID.sub(of_id, name): again(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [again(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if key == "token" and not _UUID.fullmatch(value):
            return "rct_x7Kp2…" if value.startswith("rct_") else "eyJhbGciOiJIUzI1NiJ9.eyJqdGki…"
        if key in _SECRETS:
            return _SECRETS[key]
        value = _CURSOR.sub("id: 13.q7Zt…", _RETRY.sub("retry: 3000", value))
        return _TIME.sub("2026-01-05T09:30:00.000000Z", _UUID.sub(of_id, value))

    return {name: again(example) for name, example in examples.items()}, ids
