"""Batches of several tenants: each call has its own rights, whatever came before it."""

import json
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from support import Database, attachment_of


class Place(NamedTuple):
    """A workspace with a record and its file, a member beside its owner, an open invitation."""

    workspace: str
    record: str
    member: str
    invitation: str
    comment: str
    attachment: str
    request: str


FACE = {"faceCollection": "task", "faceShape": "flat"}

# Every api function that writes into a workspace, with arguments for a place.
WRITES: dict[str, Callable[[Place], Any]] = {
    "record_create": lambda _: {"collection": "task", "data": {"title": "new"}},
    "record_update": lambda place: {"id": place.record, "patch": {"n": 1}},
    "record_move": lambda place: {"id": place.record, "field": "status", "value": "done"},
    "record_delete": lambda place: {"id": place.record},
    "record_restore": lambda place: {"id": place.record},
    "transaction_apply": lambda place: {
        "operations": [
            {"type": "create", "collection": "task", "data": {"title": "new"}},
            {"type": "set", "recordId": place.record, "key": "n", "value": 3},
        ]
    },
    "transaction_undo": lambda _: {},
    "transaction_redo": lambda _: {},
    "record_import": lambda _: {
        "collection": "task",
        "rows": [{"line": 1, "transactionId": str(uuid.uuid4()), "data": {"title": "imported"}}],
    },
    "attachment_create": lambda place: attachment_of(place.record),
    "attachment_delete": lambda place: {"attachment": place.attachment},
    "atlas_task_create": lambda _: {"data": {"title": "new"}},
    "atlas_task_update": lambda place: {"id": place.record, "patch": {"n": 2}},
    "comment_create": lambda place: {"id": place.record, "body": "new"},
    "comment_update": lambda place: {"comment": place.comment, "body": "newer"},
    "comment_delete": lambda place: {"comment": place.comment},
    "simflow_request_create": lambda _: {"title": "new"},
    "simflow_request_status": lambda place: {"id": place.request, "status": "done"},
    "simflow_request_assign": lambda place: {"id": place.request, "engineerId": place.member},
    "simflow_comment_create": lambda place: {"id": place.request, "content": "Why?"},
    "campaign_task_move": lambda place: {"id": place.record, "position": 0},
    "face_create": lambda _: {**FACE, "title": "new"},
    "face_update": lambda place: {**FACE, "id": place.record, "n": 4},
    "face_delete": lambda place: {**FACE, "id": place.record},
    "workspace_update": lambda _: {"name": "another name"},
    "workspace_delete": lambda _: {},
    "workspace_restore": lambda _: {},
    "workspace_transfer": lambda place: {"accountId": place.member},
    "member_update": lambda place: {"account": place.member, "role": "editor"},
    "member_remove": lambda place: {"account": place.member},
    "role_replace": lambda _: {"roles": [{"key": "viewer", "label": "Reader", "read": ["*"]}]},
    "collection_create": lambda _: {"key": f"c{uuid.uuid4().hex[:8]}", "label": "New"},
    "collection_update": lambda _: {"collection": "task", "label": "Another"},
    "field_replace": lambda _: {
        "collection": "task",
        "fields": [{"key": "title", "label": "Title", "type": "text"}],
    },
    "invitation_create": lambda _: {"email": "newer@example.org", "role": "viewer"},
    "invitation_revoke": lambda place: {"invitation": place.invitation},
}
# What the second call answers, where the first has taken away what it is about, or the right.
LATER = {
    "transaction_undo": "PT409",
    "transaction_redo": "PT409",
    "record_delete": "PT404",
    "face_delete": "PT404",
    "comment_delete": "PT404",
    "workspace_delete": "PT404",
    "workspace_transfer": "PT403",
    "member_remove": "PT404",
    "invitation_revoke": "PT404",
    "attachment_delete": "PT404",
}


def test_the_functions_here_are_all_that_write_into_a_workspace(database: Database) -> None:
    rows = database.run(
        "select proname::text from pg_proc where pronamespace = 'api'::regnamespace"
        " and provolatile = 'v' and prorettype = 'jsonb'::regtype"
        " and 'p_workspace_id' = any (proargnames)"
    )
    assert {name for (name,) in rows} == set(WRITES)


@pytest.fixture
def tenants(database: Database) -> dict[str, Place]:
    """Per owner, a place. Cleo has an account and no workspace."""
    found = {}
    for owner in ("Ada", "Bob"):
        workspace = database.workspace(owner, name=f"only {owner}'s")
        for table in ("role", "collection", "field"):
            labelled = "update core.{} set label = label || ' of ' || {} where workspace_id = {}"
            database.run(
                sql.SQL(labelled).format(sql.Identifier(table), owner, workspace).as_string()
            )
        record = database.task(workspace, actor=owner, title=f"only {owner}'s")["id"]
        for key, plural, prefix in (("request", "requests", "REQ"), ("phase", "phases", "PHS")):
            database.run(
                "insert into core.collection (workspace_id, key, plural, label, prefix)"
                " values (%s, %s, %s, %s, %s)",
                *(workspace, key, plural, plural, prefix),
            )
        found[owner] = Place(
            workspace,
            record,
            database.join(workspace, f"{owner}Viewer", "viewer"),
            database.call(
                "invitation_create",
                workspace,
                actor=owner,
                arguments={"email": f"{owner}s.guest@example.org", "role": "viewer"},
            )["id"],
            database.call(
                "comment_create",
                workspace,
                actor=owner,
                arguments={"id": record, "body": f"only {owner}'s"},
            )["id"],
            database.attachment(workspace, record, owner)["id"],
            # in psql: it is no transaction of the owner's, to be undone
            database.value(
                "insert into core.record (workspace_id, collection, data)"
                " values (%s, 'request', jsonb_build_object('title', %s::text)) returning id::text",
                workspace,
                f"only {owner}'s",
            ),
        )
        for function, arguments in (
            ("record_update", {"id": record, "patch": {"priority": "low"}}),
            ("transaction_undo", {}),
        ):
            database.call(function, workspace, actor=owner, arguments=arguments)
    database.account("Cleo")
    return found


def call(function: str, actor: str, place: Place, *, by_record: bool) -> dict[str, Any]:
    """A call on a place, which it names by the workspace or by the record alone."""
    named = {"record": place.record} if by_record else {"workspace": place.workspace}
    return {"function": function, "actor": actor, "arguments": WRITES[function](place), **named}


# Who calls, and on whose place: two tenants in turn, each also on the other's, and a stranger.
ALTERNATING = [
    ("Ada", "Ada"), ("Cleo", "Bob"), ("Bob", "Bob"), ("Ada", "Bob"), ("Ada", "Ada"),
    ("Bob", "Ada"), ("Cleo", "Ada"), ("Bob", "Bob"), ("Cleo", "Bob"), ("Ada", "Ada"),
]  # fmt: skip


@pytest.mark.parametrize("by_record", [False, True], ids=["by workspace", "by record"])
@pytest.mark.parametrize("function", WRITES)
def test_a_batch_that_alternates_tenants_and_strangers_answers_each_with_its_own(
    database: Database, tenants: dict[str, Place], function: str, by_record: bool
) -> None:
    calls = [call(function, a, tenants[place], by_record=by_record) for a, place in ALTERNATING]
    replies = database.batch(calls)
    served: list[str] = []
    for (actor, owner), reply in zip(ALTERNATING, replies, strict=True):
        place = tenants[owner]
        if actor == owner:
            assert reply.state == (LATER.get(function, "ok") if owner in served else "ok"), reply
            assert reply.workspace == place.workspace
            other = "Bob" if owner == "Ada" else "Ada"
            text = json.dumps(reply.answer)
            assert not [word for word in (*tenants[other], other) if word in text]
            served.append(owner)
        else:
            assert (reply.state, reply.workspace) == ("PT404", None), reply
            assert reply.answer["hint"] in ("unknown_workspace", "unknown_record")
            text = json.dumps(reply.answer)
            assert not [word for word in (*place, owner) if word in text]


def test_a_record_of_another_tenant_named_within_ones_own_workspace_is_unknown(
    database: Database, tenants: dict[str, Place]
) -> None:
    mine, theirs = tenants["Ada"], tenants["Bob"]
    functions = [name for name in WRITES if "id" in WRITES[name](theirs)]
    calls = [
        {"function": name, "workspace": mine.workspace, "arguments": WRITES[name](theirs)}
        for name in functions
    ]
    for reply in database.batch(calls):
        assert (reply.state, reply.answer["hint"]) == ("PT404", "unknown_record")


@pytest.mark.parametrize("function", ["member_update", "member_remove", "workspace_transfer"])
def test_a_member_of_another_tenant_named_within_ones_own_workspace_is_unknown(
    database: Database, tenants: dict[str, Place], function: str
) -> None:
    mine, theirs = tenants["Ada"], tenants["Bob"]
    nobody = theirs._replace(member=str(uuid.uuid4()))
    first, second = database.batch(
        [
            {
                "function": function,
                "workspace": mine.workspace,
                "arguments": WRITES[function](place),
            }
            for place in (theirs, nobody)
        ]
    )
    assert (first.state, first.answer["hint"]) == ("PT404", "unknown_member")
    assert first == second


# Every api function that reads in a workspace, with arguments for a place.
READS: dict[str, Callable[[Place], Any]] = {
    "workspace_get": lambda _: {},
    "member_list": lambda _: {},
    "role_list": lambda _: {},
    "invitation_list": lambda _: {},
    "audit_list": lambda _: {},
    "collection_list": lambda _: {},
    "field_list": lambda _: {"collection": "tasks"},
    "workspace_types": lambda _: {},
    "record_list": lambda _: {"collection": "task"},
    "record_get": lambda place: {"id": place.record},
    "comment_list": lambda place: {"id": place.record},
    "record_activity": lambda place: {"id": place.record},
    "workspace_activity": lambda _: {},
    "attachment_list": lambda place: {"id": place.record},
    "attachment_check": lambda place: {"id": place.record},
    "attachment_get": lambda place: {"attachment": place.attachment},
    "undo_list": lambda _: {},
    "records_get": lambda place: {"ids": [place.record]},
    "snapshot": lambda _: {},
    "changes": lambda _: {"since": 0},
    "search": lambda _: {"q": "only"},
    "stream_open": lambda _: {},
    "presence_enter": lambda place: {"recordId": place.record},
    "atlas_task_list": lambda _: {},
    "atlas_field_list": lambda _: {},
    "simflow_request_get": lambda place: {"id": place.request},
    "simflow_activity_list": lambda place: {"id": place.request},
    "simflow_user_list": lambda _: {},
    "campaign_execution": lambda _: {},
    "face_list": lambda _: FACE,
    "face_get": lambda place: {**FACE, "id": place.record},
}


def test_the_functions_here_are_all_that_read_in_a_workspace(database: Database) -> None:
    rows = database.run(
        "select proname::text from pg_proc where pronamespace = 'api'::regnamespace"
        " and provolatile <> 'v' and prorettype = 'jsonb'::regtype"
        " and 'p_workspace_id' = any (proargnames)"
    )
    assert {name for (name,) in rows} == set(READS)


@pytest.mark.parametrize("by_record", [False, True], ids=["by workspace", "by record"])
@pytest.mark.parametrize("function", READS)
def test_reads_of_alternating_tenants_on_one_connection_are_answered_each_with_its_own(
    database: Database, tenants: dict[str, Place], function: str, by_record: bool
) -> None:
    told: dict[str, str] = {}
    with database.connect_server() as connection:
        for actor, owner in ALTERNATING:
            place = tenants[owner]
            named = [None, place.record] if by_record else [place.workspace, None]
            query = "select answer from api.query(%s, %s, %s, %s, null, %s)"
            parameters = [
                function, database.account(actor), *named, json.dumps(READS[function](place))
            ]  # fmt: skip
            if actor == owner:
                row = connection.execute(query, parameters).fetchone()
                assert row is not None
                other = "Bob" if owner == "Ada" else "Ada"
                assert not [word for word in (*tenants[other], other) if word in row[0]]
                assert told.setdefault(actor, row[0]) == row[0]
            else:
                with pytest.raises(psycopg.Error) as failed:
                    connection.execute(query, parameters)
                assert failed.value.sqlstate == "PT404"
                assert not [word for word in (*place, owner) if word in str(failed.value)]
    assert told["Ada"] != told["Bob"], "what is the same in all workspaces proves nothing"


# Every api function that concerns an account, with arguments for a person.
ACCOUNT_CALLS: dict[str, Callable[["Person"], Any]] = {
    "account_get": lambda _: {},
    "account_update": lambda _: {"avatar": "a picture"},
    "account_erase": lambda _: {},
    "session_list": lambda _: {},
    "session_revoke": lambda person: {"session": person.other_session},
    "token_list": lambda _: {},
    "token_create": lambda _: {"name": "mine", "scopes": ["read"]},
    "token_revoke": lambda person: {"token": person.token},
    "ticket_create": lambda _: {},
    "workspace_list": lambda _: {},
    "search_all": lambda _: {"q": "anything"},
    "workspace_create": lambda _: {"name": "mine", "template": "tasks"},
}


def test_the_functions_here_are_all_that_concern_an_account(database: Database) -> None:
    rows = database.run(
        "select proname::text from pg_proc where pronamespace = 'api'::regnamespace"
        " and prorettype = 'jsonb'::regtype and not proretset"
        " and not coalesce('p_workspace_id' = any (proargnames), false)"
    )
    assert {name for (name,) in rows} == set(ACCOUNT_CALLS)


class Person(NamedTuple):
    """An account with two sessions and a personal access token, and all that names it."""

    account: str
    session: str
    other_session: str
    token: str
    email: str


def person(database: Database, name: str) -> Person:
    """Makes one."""
    account = database.account(name)
    token = database.value("select trusted.token_issue(%s, 'a token', 1)", f"{name}@example.org")
    return Person(
        account,
        database.open_session(name),
        database.open_session(name),
        token["id"],
        f"{name}@example.org",
    )


# Each about his own session and token and about the other's; nobody; one with the other's session.
ASKING = [
    (actor, session, about)
    for about in ("Ada", "Bob")
    for actor, session in (
        ("Bob", "Bob"), (None, "Bob"), ("Ada", "Bob"), ("Ada", "Ada"), ("Bob", "Ada"),
    )
]  # fmt: skip


@pytest.mark.parametrize("function", ACCOUNT_CALLS)
def test_an_account_batch_that_alternates_accounts_answers_each_with_its_own(
    database: Database, function: str
) -> None:
    people = {name: person(database, name) for name in ("Ada", "Bob")}
    places = {}
    if function != "account_erase":
        places = {name: database.workspace(name, name=f"{name}'s") for name in people}
    with database.connect_server() as connection:
        rows = connection.execute(
            "select state, workspace_id, answer from api.account_batch_run("
            "%s, %s::uuid[], %s::uuid[], %s, 0, %s::uuid[]) order by n",
            [
                [function] * len(ASKING),
                [people[actor].account if actor else None for actor, _, _ in ASKING],
                [str(uuid.uuid4()) for _ in ASKING],
                [json.dumps(ACCOUNT_CALLS[function](people[about])) for _, _, about in ASKING],
                [people[session].session for _, session, _ in ASKING],
            ],
        ).fetchall()
    served: list[str] = []
    for (actor, session, about), (state, workspace, answer) in zip(ASKING, rows, strict=True):
        assert workspace is None
        for name in people:
            if name != actor:
                told = (*people[name], name, places.get(name, name))
                assert not [word for word in told if word in answer], answer
        if actor != session:
            assert (state, json.loads(answer)["hint"]) == ("PT401", "unauthenticated")
        elif function in ("session_revoke", "token_revoke") and actor != about:
            assert (state, json.loads(answer)["hint"]) == ("PT404", "unknown_session")
        elif function == "account_erase" and actor in served:
            assert state == "PT401"
        else:
            assert state == "ok", answer
            served.append(actor)
    assert set(served) == set(people)
    rows = database.run("select account_id::text, count(*)::int from core.session group by 1")
    made = 2 if function == "token_create" else 0
    assert function == "account_erase" or dict(rows) == {
        p.account: 3 + made for p in people.values()
    }


PEEK = """
create function api.test_peek(p_workspace_id uuid) returns jsonb language plpgsql volatile as $$
begin
  return jsonb_build_object(
    'actor', current_setting('rowcast.actor', true),
    'workspaces', coalesce((
      select jsonb_agg(distinct workspace_id) from (
        select workspace_id from core.record union all select workspace_id from core.member
        union all select workspace_id from core.workspace
        union all select workspace_id from core.role
      ) seen), '[]'));
end $$;
grant execute on function api.test_peek(uuid) to rowcast_server;
select logic.dispatcher_build()
"""
SETTINGS = ("workspace", "actor", "read", "edit", "may", "transaction", "repeat", "written")


def settings(connection: Any) -> dict[str, str]:
    """The settings of a call that are not empty."""
    rows = connection.execute(
        "select name, current_setting('rowcast.' || name, true) from unnest(%s::text[]) name",
        [list(SETTINGS)],
    ).fetchall()
    return {name: value for name, value in rows if value}


def test_what_a_call_sees_is_its_own_workspace_whatever_failed_before_it(
    database: Database, tenants: dict[str, Place]
) -> None:
    database.run(PEEK)
    mine, record = tenants["Ada"][:2]
    theirs = tenants["Bob"].workspace
    gone = database.workspace("Ada")
    database.run("update core.workspace set deleted_at = now() where workspace_id = %s", gone)
    database.join(mine, "Dan", "owner")
    database.run("update core.account set disabled_at = now() where name = 'Dan'")

    def peek(actor: str, workspace: str) -> dict[str, Any]:
        return {"function": "test_peek", "actor": actor, "workspace": workspace, "arguments": {}}

    failures: list[dict[str, Any]] = [
        {"function": "record_create", "actor": "Cleo", "workspace": theirs, "arguments": {}},
        {"function": "record_create", "actor": "Dan", "workspace": mine, "arguments": {}},
        {"function": "record_create", "actor": "Ada", "workspace": gone, "arguments": {}},
        {"function": "record_create", "workspace": mine, "arguments": "{"},
        {"function": "record_create", "workspace": mine, "arguments": '{"collection": "\\u0000"}'},
        {"function": "no_such_function", "workspace": mine},
        {"function": "record_update", "workspace": mine, "arguments": {"id": record, "patch": 7}},
    ]
    calls = []
    for failure in failures:
        calls += [peek("Ada", mine), failure, peek("Bob", theirs), failure, peek("Ada", mine)]
    replies = database.batch(calls)
    for asked, reply in zip(calls, replies, strict=True):
        if asked["function"] == "test_peek":
            assert reply.state == "ok"
            assert reply.answer == {
                "actor": database.account(asked["actor"]),
                "workspaces": [asked["workspace"]],
            }
        else:
            assert reply.state != "ok", asked


@pytest.mark.parametrize("last", ["succeeds", "is refused", "fails"])
def test_after_a_batch_nobody_has_entered_anything(
    database: Database, tenants: dict[str, Place], last: str
) -> None:
    database.run(PEEK)
    mine, record = tenants["Ada"][:2]
    ends: dict[str, dict[str, Any]] = {
        "succeeds": {"function": "record_update", "arguments": {"id": record, "patch": {"n": 1}}},
        "is refused": {"function": "record_update", "actor": "Cleo", "arguments": {}},
        "fails": {"function": "record_update", "arguments": "["},
    }
    with database.connect_server() as connection, connection.transaction():
        database.batch([call("record_create", "Ada", tenants["Ada"], by_record=False),
                        {"workspace": mine, **ends[last]}], connection)  # fmt: skip
        assert settings(connection) == {}
        assert connection.execute("select count(*) from core.record").fetchone() == (0,)
        row = connection.execute(
            "select state, answer from api.account_batch_run(array['test_peek'],"
            " array[%s]::uuid[], array[gen_random_uuid()], array['{}'])",
            [database.account("Ada")],
        ).fetchone()
        assert row is not None
        assert (row[0], json.loads(row[1])["workspaces"]) == ("ok", [])
        assert settings(connection) == {}


def test_a_read_that_fails_to_enter_leaves_nothing_to_one_that_does_not_enter(
    database: Database, tenants: dict[str, Place]
) -> None:
    """The rollback of the failure brings the tenant before it back; the next call clears him."""
    database.run(PEEK)
    query = "select answer from api.query(%s, %s, %s, null, null, '{}')"
    ada = database.account("Ada")
    with database.connect_server() as connection, connection.transaction():
        connection.execute(query, ["test_peek", ada, tenants["Ada"][0]])
        with pytest.raises(Exception, match="no such workspace"), connection.transaction():
            connection.execute(query, ["test_peek", ada, tenants["Bob"][0]])
        assert settings(connection)["workspace"] == tenants["Ada"][0]
        row = connection.execute(query, ["test_peek", ada, None]).fetchone()
        assert row is not None
        assert json.loads(row[0]) == {"actor": ada, "workspaces": []}


def test_behind_a_change_of_access_in_its_batch_a_call_still_needs_its_session(
    database: Database,
) -> None:
    """Who is let in without rights, to restore a workspace, is no exception."""
    first, second = sorted(database.workspace("Ada") for _ in range(2))  # as a batch runs them
    member = database.join(first, "Dan", "viewer")
    database.call("workspace_delete", second)
    ended, good = database.open_session(), database.open_session()
    database.run("update core.session set revoked_at = now() where id = %s", ended)
    with database.connect_server() as connection:
        rows = connection.execute(
            "select state from api.batch_run(%s, %s::uuid[], %s::uuid[], %s, %s, %s::uuid[], %s,"
            " 0, %s::uuid[]) order by n",
            [
                ["member_update", "workspace_restore"],
                [database.account()] * 2,
                [first, second],
                [None] * 2,
                [None] * 2,
                [str(uuid.uuid4()) for _ in range(2)],
                [json.dumps({"account": member, "role": "editor"}), "{}"],
                [good, ended],
            ],
        ).fetchall()
    assert rows == [("ok",), ("PT401",)]
