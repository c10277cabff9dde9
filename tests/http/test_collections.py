"""Collections over HTTP: made, changed, and everything wrong with one told at once."""

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from support import ROOT, Client, Database

MEETING: dict[str, Any] = {
    "key": "meeting",
    "label": "Meetings",
    "fields": [
        {"key": "title", "label": "Title", "type": "text", "required": True},
        {
            "key": "state",
            "type": "select",
            "options": ["open", {"value": "done", "label": "Done!", "color": "green"}],
            "default": "open",
        },
        {"key": "about", "type": "reference", "target": "tasks", "onDelete": "refuse"},
    ],
}


@pytest.fixture
def collections(workspace: str) -> str:
    """The path of the collections of Ada's workspace."""
    return f"/api/v1/workspaces/{workspace}/collections"


def paths(problem: Any) -> list[str]:
    return [error["path"] for error in problem["errors"]]


async def test_a_collection_is_made_with_its_fields_and_takes_records(
    client: Client, collections: str, records: str
) -> None:
    made = await client.call("POST", collections, MEETING, status=201)
    assert (made["key"], made["plural"], made["prefix"]) == ("meeting", "meetings", "MEE")
    assert (made["unknownFields"], made["workflow"]) == ("keep", None)
    title, state, about = made["fields"]
    assert (title["label"], title["required"], title["position"]) == ("Title", True, 1)
    assert state["options"] == [
        {"value": "open", "label": "open"},
        {"value": "done", "label": "Done!", "color": "green"},
    ]
    assert (state["label"], state["default"]) == ("state", "open")
    assert (about["target"], about["onDelete"]) == ("task", "refuse")
    listed = await client.call("GET", collections)
    assert {k: v for k, v in made.items() if k != "seq"} in listed["collections"]
    fields = await client.call("GET", f"{collections}/meetings/fields")
    assert fields == {"fields": made["fields"], "nextCursor": None}
    body = {"collection": "meetings", "data": {"title": "Weekly"}}
    record = await client.call("POST", records, body, status=201)
    assert record["displayId"].startswith("MEE-")
    assert record["collection"] == "meeting"


async def test_what_get_answers_can_be_put_again_and_changes_nothing(
    client: Client, collections: str
) -> None:
    made = await client.call("POST", collections, MEETING)
    fields = await client.call("GET", f"{collections}/meeting/fields")
    again = await client.call("PUT", f"{collections}/meeting/fields", {"fields": fields["fields"]})
    assert again == made
    task = await client.call("GET", f"{collections}/task/fields")
    again = await client.call("PUT", f"{collections}/task/fields", {"fields": task["fields"]})
    assert (again["fields"], again["seq"]) == (task["fields"], made["seq"])


async def test_everything_wrong_with_a_new_one_is_told_at_once(
    client: Client, collections: str
) -> None:
    body = {
        "key": "Meeting",
        "label": "M",
        "plural": "tasks",
        "prefix": "TSK",
        "unknownFields": "drop",
        "fields": [
            {"key": "1a", "type": "colour"},
            {"key": "kind", "type": "select"},
            {"key": "kind", "type": "number", "default": "x", "options": ["a"]},
            {"key": "b", "type": "reference", "target": "nothing", "onDelete": "explode"},
            {"key": "version", "type": "text", "target": "task", "renamedFrom": "old"},
            {"key": "c", "type": "multi_select", "options": ["a", "a", " ", "*"]},
        ],
        "workflow": [
            {"field": "title", "transitions": []},
            {"field": "c", "transitions": [{"from": "x", "to": None}]},
        ],
    }
    problem = (await client.send("POST", collections, body)).problem(422, "invalid_fields")
    assert sorted(paths(problem)) == [
        "fields.0.key",
        "fields.0.type",
        "fields.1.options",
        "fields.2.default",
        "fields.2.key",
        "fields.2.options",
        "fields.3.onDelete",
        "fields.3.target",
        "fields.4.key",
        "fields.4.renamedFrom",
        "fields.4.target",
        "fields.5.options.1",
        "fields.5.options.2",
        "fields.5.options.3",
        "key",
        "plural",
        "prefix",
        "unknownFields",
        "workflow.0.field",
        "workflow.1.field",
    ]
    assert [c["key"] for c in (await client.call("GET", collections))["collections"]] == ["task"]


@pytest.mark.parametrize("key", ["comment", "attachment", "workspace", "member", "tasks", "task"])
async def test_a_name_that_means_something_else_is_refused(
    client: Client, collections: str, key: str
) -> None:
    reply = await client.send("POST", collections, {"key": key, "label": "X"})
    assert "key" in paths(reply.problem(422, "invalid_fields"))


async def test_prefixes_are_made_unique(client: Client, collections: str) -> None:
    made = [
        await client.call("POST", collections, {"key": key, "label": key.title()})
        for key in ("meeting", "meeple", "mee", "x_1")
    ]
    assert [one["prefix"] for one in made] == ["MEE", "MEE2", "MEE3", "X1"]


async def test_a_workspace_has_50_collections_and_a_collection_100_fields_at_most(
    client: Client, collections: str
) -> None:
    fields = [{"key": f"f{n}", "type": "text"} for n in range(101)]
    body = {"key": "wide", "label": "Wide", "fields": fields}
    problem = (await client.send("POST", collections, body)).problem(422, "invalid_fields")
    assert paths(problem) == ["fields"]
    options = [str(n) for n in range(201)]
    field = {"key": "a", "type": "select", "options": options}
    reply = await client.send("POST", collections, {**body, "fields": [field]})
    assert paths(reply.problem(422, "invalid_fields")) == ["fields.0.options"]
    await client.call("POST", collections, {**body, "fields": fields[:100]})
    for n in range(48):
        await client.call("POST", collections, {"key": f"c{n}", "label": "C", "prefix": f"C{n}"})
    reply = await client.send("POST", collections, {"key": "more", "label": "More"})
    reply.problem(409, "collection_limit")


WORKFLOW = [
    {
        "field": "state",
        "transitions": [
            {"from": "open", "to": "done", "roles": ["editor", "owner"], "requires": ["title"]},
            {"from": "*", "to": "open"},
            {"from": None, "to": "open"},
            {"from": "done", "to": None},
        ],
    }
]


async def test_label_plural_unknown_fields_and_workflow_change_and_null_ends_a_workflow(
    client: Client, collections: str
) -> None:
    made = await client.call("POST", collections, MEETING)
    body = {
        "label": "Talks",
        "plural": "talks",
        "unknownFields": "refuse",
        "workflow": WORKFLOW,
    }
    changed = await client.call("PATCH", f"{collections}/meetings", body)
    assert {key: changed[key] for key in body} == body
    assert changed["seq"] == made["seq"] + 1
    again = await client.call("PATCH", f"{collections}/talks", {"label": "Talks"})
    assert again["workflow"] == WORKFLOW
    assert again["seq"] == changed["seq"], "nothing changed"
    without = await client.call("PATCH", f"{collections}/talks", {"workflow": None})
    assert (without["workflow"], without["label"]) == (None, "Talks")
    (await client.send("PATCH", f"{collections}/meetings", {"label": "X"})).problem(
        404, "unknown_collection"
    )


async def test_everything_wrong_with_a_workflow_is_told_at_once(
    client: Client, collections: str
) -> None:
    await client.call("POST", collections, MEETING)
    step = {"from": "gone", "to": "*", "roles": ["owner", "king"], "requires": ["title", "no"]}
    workflow = [
        {"field": "state", "transitions": [WORKFLOW[0]["transitions"][0], step]},
        {"field": "state", "transitions": []},
        {"field": "title", "transitions": []},
    ]
    body = {"plural": "task", "workflow": workflow}
    reply = await client.send("PATCH", f"{collections}/meeting", body)
    assert sorted(paths(reply.problem(422, "invalid_fields"))) == [
        "plural",
        "workflow.0.transitions.1.from",
        "workflow.0.transitions.1.requires.1",
        "workflow.0.transitions.1.roles.1",
        "workflow.0.transitions.1.to",
        "workflow.1.field",
        "workflow.2.field",
    ]


@pytest.mark.parametrize(
    "path", ["nothing", "a'b", "%2525", "T%C3%84SKS", "x" * 101, "%00", "Task", "task%20"]
)
async def test_an_unknown_collection_is_404(client: Client, collections: str, path: str) -> None:
    for method, rest, body in (
        ("GET", "/fields", None),
        ("PUT", "/fields", {"fields": []}),
        ("PATCH", "", {"label": "X"}),
    ):
        reply = await client.send(method, f"{collections}/{path}{rest}", body)
        reply.problem(404, "unknown_collection")


async def test_who_does_not_manage_reads_and_changes_nothing(
    client: Client, database: Database, workspace: str, collections: str
) -> None:
    database.join(workspace, "Eve", "editor")
    eve = replace(client, token=database.token("Eve"))
    await eve.call("GET", f"{collections}/task/fields")
    for method, path, body in (
        ("POST", collections, MEETING),
        ("PATCH", f"{collections}/task", {"label": "X"}),
        ("PUT", f"{collections}/task/fields", {"fields": []}),
        ("PUT", f"{collections}/task/fields", {"fields": [], "dryRun": True}),
    ):
        (await eve.send(method, path, body)).problem(403, "not_permitted")
    assert database.value("select count(*) from core.change where action = 'schema'") == 0


async def test_a_repeat_with_the_same_key_takes_effect_once(
    client: Client, database: Database, collections: str
) -> None:
    key = {"Idempotency-Key": "one"}
    first = await client.call("POST", collections, MEETING, headers=key)
    assert await client.call("POST", collections, MEETING, headers=key) == first
    key = {"Idempotency-Key": "two"}
    path, body = f"{collections}/meetings", {"plural": "talks"}
    first = await client.call("PATCH", path, body, headers=key)
    assert await client.call("PATCH", path, body, headers=key) == first
    key = {"Idempotency-Key": "three"}
    path, body = f"{collections}/talks/fields", {"fields": MEETING["fields"][:1]}
    first = await client.call("PUT", path, body, headers=key)
    assert await client.call("PUT", path, body, headers=key) == first
    dry = {**body, "dryRun": True}
    key = {"Idempotency-Key": "four"}
    first = await client.call("PUT", path, dry, headers=key)
    assert await client.call("PUT", path, dry, headers=key) == first
    assert database.value("select count(*) from core.change where action = 'schema'") == 3


async def test_two_who_make_the_same_at_once_make_one(client: Client, collections: str) -> None:
    replies = await asyncio.gather(*(client.send("POST", collections, MEETING) for _ in range(6)))
    assert sorted(reply.status for reply in replies) == [201] + [422] * 5


async def test_the_examples_of_the_page_work_as_written(
    client: Client, workspace: str, collections: str
) -> None:
    text = (ROOT / "docs" / "collections.md").read_text()
    calls = re.findall(r"curl -X (\w+) \$W(\S+) .*? -d '(.*?)'\n```", text, re.DOTALL)
    assert len(calls) == 3
    for method, path, body in calls:
        address = f"/api/v1/workspaces/{workspace}{path}"
        answer = await client.call(method, address, json.loads(body))
    assert answer["changes"]["renamed"] == [{"from": "title", "to": "topic"}]


async def test_options_of_atlas_are_bare_values(client: Client, workspace: str) -> None:
    answer = await client.call("GET", f"/api/fields?workspaceId={workspace}")
    status = next(field for field in answer["fields"] if field["key"] == "status")
    assert status["options"][0] == "todo"
