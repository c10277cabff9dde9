"""Who may take which step of a workflow, from every state, in every role."""

import json
import uuid
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from rowcast.templates import read_templates
from support import Database, Reply

DEFINITION = next(t for t in read_templates() if t["key"] == "requests")
COLLECTION = DEFINITION["collections"][0]
TRANSITIONS = COLLECTION["workflow"][0]["transitions"]
STATUSES = ["Submitted", "In Review", "In Progress", "Completed", "Rejected"]
ROLES = ["owner", "admin", "editor", "manager", "engineer", "requester"]
BASIC = {"title": "One", "description": "Thrice", "vendor": "Contoso"}


@pytest.fixture
def workspace(database: Database) -> str:
    """A workspace for requests with a member of each role, called like it."""
    workspace = database.workspace("owner", "requests")
    for role in ROLES:
        database.join(workspace, role, role)
    return workspace


def put(database: Database, workspace: str, creator: str, **data: Any) -> str:
    """A request in any state, as a direct writer may put it, with its creator."""
    return str(
        database.value(
            "insert into core.record (workspace_id, collection, data, created_by)"
            " values (%s, 'request', %s, %s) returning id",
            workspace, Jsonb({**BASIC, **data}), database.account(creator),
        )
    )  # fmt: skip


def patch(database: Database, workspace: str, actor: str, record: str, **data: Any) -> Reply:
    call = {"function": "record_update", "workspace": workspace, "actor": actor}
    return database.batch([{**call, "arguments": {"id": record, "patch": data}}])[0]


def create(database: Database, workspace: str, actor: str, **data: Any) -> Reply:
    arguments = {"collection": "request", "data": {**BASIC, **data}}
    call = {"function": "record_create", "workspace": workspace, "actor": actor}
    return database.batch([{**call, "arguments": arguments}])[0]


def workflow(database: Database, *transitions: dict[str, Any]) -> None:
    database.run(
        "update core.collection set workflow = %s where key = 'request'",
        Jsonb([{"field": "status", "transitions": transitions}]),
    )


def detail(reply: Reply) -> Any:
    return json.loads(reply.answer["detail"])


@pytest.mark.parametrize("role", ROLES)
def test_a_role_takes_the_steps_that_the_template_says_and_no_others(
    database: Database, workspace: str, role: str
) -> None:
    for start in STATUSES:
        possible = {t["to"] for t in TRANSITIONS if t["from"] == start and role in t["roles"]}
        for end in STATUSES:
            if start == end:
                continue
            record = put(database, workspace, role, status=start,
                         assignedTo=database.account(role))  # fmt: skip
            reply = patch(database, workspace, role, record, status=end)
            if end in possible:
                assert reply.state == "ok", (start, end, reply)
                continue
            assert (reply.state, reply.answer["hint"]) == ("PT409", "transition_not_allowed")
            said = detail(reply)
            assert set(said.pop("possible")) == possible
            assert said == {"field": "status", "from": start, "to": end}


def test_a_step_that_asks_for_a_field_takes_it_with_the_same_write(
    database: Database, workspace: str
) -> None:
    record = put(database, workspace, "requester", status="In Review")
    reply = patch(database, workspace, "manager", record, status="In Progress", estimatedHours="x")
    assert (reply.state, reply.answer["hint"]) == ("PT422", "invalid_document_fields")
    paths = {error["path"] for error in detail(reply)["errors"]}
    assert paths == {"data.assignedTo", "data.estimatedHours"}
    empty = patch(database, workspace, "manager", record, status="In Progress", assignedTo=[])
    assert detail(empty)["errors"] == [
        {
            "path": "data.assignedTo",
            "message": "is needed where status becomes In Progress.",
        }
    ]
    engineer = database.account("engineer")
    done = patch(database, workspace, "manager", record, status="In Progress", assignedTo=engineer)
    assert done.state == "ok"


def test_what_is_no_value_at_all_is_a_fault_and_no_step(database: Database, workspace: str) -> None:
    record = put(database, workspace, "requester", status="Submitted")
    reply = patch(database, workspace, "manager", record, status="Nonsense")
    assert (reply.state, reply.answer["hint"]) == ("PT422", "invalid_document_fields")
    gone = patch(database, workspace, "manager", record, status=None)
    assert (gone.state, detail(gone)["to"]) == ("PT409", None)


def test_a_request_begins_with_the_default_or_without(database: Database, workspace: str) -> None:
    begun = create(database, workspace, "requester")
    assert begun.answer["data"]["status"] == "Submitted"
    reply = create(database, workspace, "owner", status="Completed")
    assert (reply.state, reply.answer["hint"]) == ("PT409", "transition_not_allowed")
    assert detail(reply) == {
        "field": "status", "from": None, "to": "Completed", "possible": ["Submitted"]
    }  # fmt: skip
    without = create(database, workspace, "owner", status=None).answer
    assert "status" not in without["data"]
    assert patch(database, workspace, "owner", without["id"], status="In Review").state == "PT409"
    assert patch(database, workspace, "owner", without["id"], status="Submitted").state == "ok"


def test_a_beginning_that_is_named_binds_its_roles(database: Database, workspace: str) -> None:
    workflow(
        database,
        {"from": None, "to": "In Review", "roles": ["manager"]},
        {"to": "Rejected"},
        {"from": "*", "to": "Completed"},
        {"from": "Rejected", "roles": ["manager"]},
    )
    states = {
        (role, status): create(database, workspace, role, status=status).state
        for role in ("manager", "owner")
        for status in ("In Review", "Rejected", "Completed", "Submitted")
    }
    assert {case for case, state in states.items() if state == "ok"} == {
        ("manager", "In Review"), ("manager", "Rejected"), ("owner", "Rejected")
    }  # fmt: skip
    assert set(states.values()) == {"ok", "PT409"}, "* is a value, and not none"
    record = put(database, workspace, "owner", status="Rejected")
    assert patch(database, workspace, "owner", record, status=None).state == "PT409"
    assert patch(database, workspace, "manager", record, status=None).state == "ok"
    record = put(database, workspace, "owner", status="In Progress")
    assert patch(database, workspace, "editor", record, status="Completed").state == "ok"


def test_of_two_ways_to_one_value_the_one_that_asks_for_less_is_taken(
    database: Database, workspace: str
) -> None:
    workflow(
        database,
        {"from": "Submitted", "to": "Completed", "requires": ["estimatedHours"]},
        {"from": "*", "to": "Completed", "roles": ["admin"]},
    )
    first = put(database, workspace, "owner", status="Submitted")
    assert patch(database, workspace, "owner", first, status="Completed").state == "PT422"
    assert patch(database, workspace, "admin", first, status="Completed").state == "ok"


def test_other_fields_and_the_same_value_are_no_step(database: Database, workspace: str) -> None:
    record = put(database, workspace, "requester", status="Completed")
    assert patch(database, workspace, "requester", record, title="Two").state == "ok"
    assert patch(database, workspace, "requester", record, status="Completed").state == "ok"


def test_a_move_is_bound_like_a_patch(database: Database, workspace: str) -> None:
    record = put(database, workspace, "requester", status="Submitted")
    call = {"function": "record_move", "workspace": workspace, "actor": "manager"}
    for value, state in (("Completed", "PT409"), ("In Review", "ok")):
        arguments = {"id": record, "field": "status", "value": value}
        assert database.batch([{**call, "arguments": arguments}])[0].state == state


def test_a_direct_writer_is_nobody_and_bound_by_types_alone(
    database: Database, workspace: str
) -> None:
    record = put(database, workspace, "requester", status="Submitted")
    assert patch(database, workspace, "manager", record, status="Completed").state == "PT409"
    database.run('update core.record set data = data || \'{"status": "Completed"}\'')
    assert database.value("select data ->> 'status' from core.record") == "Completed"


def importing(database: Database, workspace: str, actor: str, status: str) -> Any:
    row = {"line": 0, "transactionId": str(uuid.uuid4()), "data": {**BASIC, "status": status}}
    arguments = {"collection": "request", "rows": [row]}
    return database.call("record_import", workspace, actor=actor, arguments=arguments)


def test_who_manages_imports_in_any_state_and_others_do_not(
    database: Database, workspace: str
) -> None:
    for actor, created in (("owner", 1), ("admin", 1), ("manager", 0), ("requester", 0)):
        assert importing(database, workspace, actor, "Completed")["created"] == created, actor
        assert importing(database, workspace, actor, "Submitted")["created"] == 1
    assert importing(database, workspace, "owner", "Nonsense")["created"] == 0


def test_an_import_opens_nothing_for_other_calls_of_its_batch(
    database: Database, workspace: str
) -> None:
    row = {"line": 0, "transactionId": str(uuid.uuid4()), "data": {**BASIC, "status": "Rejected"}}
    bad = {**row, "transactionId": str(uuid.uuid4()), "data": {}}
    create = {"collection": "request", "data": {**BASIC, "status": "Completed"}}
    replies = database.batch(
        [
            {"function": function, "workspace": workspace, "actor": "owner", "arguments": arguments}
            for function, arguments in (
                ("record_import", {"collection": "request", "rows": [row]}),
                ("record_create", create),
                ("record_import", {"collection": "request", "rows": [bad]}),
                ("record_create", create),
                ("record_import", {"collection": "request", "rows": [row], "dryRun": True}),
                ("record_create", create),
            )
        ]
    )
    assert [reply.state for reply in replies] == ["ok", "PT409", "ok", "PT409", "PT200", "PT409"]
