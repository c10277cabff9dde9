import pytest
from psycopg.types.json import Jsonb

from record_table import Table
from support import Database

NOBODY = "00000000-0000-0000-0000-000000000000"


def test_follows_the_assignees(table: Table, database: Database) -> None:
    ada, bob = database.account("Ada"), database.join(table.workspace, "Bob", "viewer")
    table.user_field("assignee")
    record = table.insert(assignee=ada)
    assert table.row(record)["audience"] == [ada]
    table.update(record, "data = %s", Jsonb({"assignee": [bob, ada]}))
    assert table.row(record)["audience"] == sorted([ada, bob])
    table.update(record, "data = '{}'")
    assert table.row(record)["audience"] == [NOBODY]


def test_holds_the_creator(table: Table, database: Database) -> None:
    task = database.task(table.workspace)
    assert table.row(task["id"])["audience"] == [database.account("Ada"), NOBODY]


def test_follows_a_creator_that_psql_corrects(table: Table, database: Database) -> None:
    """As an erasure does, which puts another account or none in its place."""
    bob = database.account("Bob")
    record = database.task(table.workspace)["id"]
    table.update(record, "created_by = %s", bob)
    assert table.row(record)["audience"] == [bob, NOBODY]
    change = table.log()[-1]
    assert change["audience_after"] == [bob, NOBODY]
    assert change["document"]["createdBy"] == bob


def test_what_psql_writes_into_it_is_not_believed(table: Table, database: Database) -> None:
    record = database.task(table.workspace)["id"]
    table.update(record, "audience = %s::uuid[]", [database.account("Bob")])
    assert table.row(record)["audience"] == [database.account("Ada"), NOBODY]


@pytest.mark.parametrize("gone", [False, True])
def test_a_change_of_audience_carries_the_whole_record(
    table: Table, database: Database, gone: bool
) -> None:
    """Whoever comes to see it has seen nothing of it before."""
    table.user_field("assignee")
    bob = database.join(table.workspace, "Bob", "viewer")
    record = table.insert(title="One", assignee=bob)
    table.update(record, "data = %s", Jsonb({"title": "One"} if gone else {"assignee": bob}))
    change = table.log()[-1]
    if gone:
        assert (change["audience_before"], change["audience_after"]) == ([bob], [NOBODY])
        assert change["document"]["data"] == {"title": "One"}
    else:
        assert change["audience_before"] == change["audience_after"] == [bob]
        assert change["document"] is None
