from datetime import datetime

from record_table import Table
from support import Database


def times(table: Table) -> list[datetime]:
    """The times of the changes, in order."""
    return [datetime.fromisoformat(change["at"]) for change in table.log()]


def test_a_change_is_never_before_the_last_one(table: Table, database: Database) -> None:
    """Whatever the clock of the machine does: one that was put back by an hour."""
    table.insert()
    database.run("update core.change set at = at + interval '1 hour'")
    table.insert()
    database.task(table.workspace)
    first, second, third = times(table)
    assert first <= second <= third


def test_changes_of_one_transaction_have_times_of_their_own(
    table: Table, database: Database
) -> None:
    database.run(
        "insert into core.record (workspace_id, collection)"
        " select %s, 'task' from generate_series(1, 50)",
        table.workspace,
    )
    found = times(table)
    assert found == sorted(found)
    assert len(set(found)) > 1
