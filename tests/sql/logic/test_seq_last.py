"""seq: gapless, in order of commit, taken under the clock, carried and taken back."""

import asyncio

import psycopg
import pytest
from psycopg import IsolationLevel

from record_table import Table
from support import Database, eventually


def waiting(database: Database) -> bool:
    """Whether somebody in this database waits for a lock."""
    return bool(
        database.value(
            "select exists (select from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock')"
        )
    )


WRITES = {
    "insert": "insert into core.record (workspace_id, collection) values (%(workspace)s, 'task')",
    "update": "update core.record set data = '{\"a\": 1}' where id = %(record)s",
    "delete": "delete from core.record where id = %(record)s",
    "member": "insert into core.member (workspace_id, account_id, role)"
    " values (%(workspace)s, gen_random_uuid(), 'viewer')",
}


@pytest.mark.parametrize("write", WRITES)
async def test_who_waited_for_the_clock_reads_the_log_only_after_it(
    table: Table, database: Database, write: str
) -> None:
    """One statement for both would see the log as it was before the wait."""
    record, other = table.insert(), table.insert()
    with database.connect() as first, database.connect() as second:
        first.execute("begin")
        first.execute("update core.record set data = '{\"a\": 1}' where id = %s", [other])
        parameters = {"workspace": table.workspace, "record": record}
        waiter = asyncio.create_task(
            asyncio.to_thread(second.execute, WRITES[write].encode(), parameters)
        )
        await eventually(lambda: waiting(database), what="the second writer's wait")
        first.execute("commit")
        await waiter
    seqs = table.seqs()
    assert seqs == list(range(1, len(seqs) + 1))


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
@pytest.mark.parametrize("write", WRITES)
def test_a_writer_with_an_old_snapshot_is_told_to_try_again(
    table: Table, database: Database, level: IsolationLevel, write: str
) -> None:
    record, other = table.insert(), table.insert()
    parameters = {"workspace": table.workspace, "record": record}
    with psycopg.connect(database.admin) as connection:
        connection.isolation_level = level
        connection.execute("select count(*) from core.record")
        table.insert()
        table.update(other, "data = '{\"b\": 1}'")
        with pytest.raises(psycopg.errors.SerializationFailure):
            connection.execute(WRITES[write].encode(), parameters)
        connection.rollback()
        connection.execute(WRITES[write].encode(), parameters)
    seqs = table.seqs()
    assert seqs == list(range(1, len(seqs) + 1))


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_a_writer_with_a_current_snapshot_is_let_through(
    table: Table, database: Database, level: IsolationLevel
) -> None:
    record = table.insert()
    with psycopg.connect(database.admin) as connection:
        connection.isolation_level = level
        for write in WRITES.values():
            connection.execute(write.encode(), {"workspace": table.workspace, "record": record})
    seqs = table.seqs()
    assert seqs == list(range(1, len(seqs) + 1))


def test_a_seq_that_was_set_for_the_session_is_not_believed(
    table: Table, database: Database
) -> None:
    with database.connect() as connection:
        transaction = connection.execute("select pg_current_xact_id()").fetchone()
        assert transaction is not None
        for forged in (f"{table.workspace} {transaction[0]} 999", f"{table.workspace} 1 999", "9"):
            connection.execute("select set_config('rowcast.seq', %s, false)", [forged])
            connection.execute(
                "insert into core.record (workspace_id, collection) values (%s, 'task')",
                [table.workspace],
            )
    seqs = table.seqs()
    assert seqs == list(range(1, len(seqs) + 1))


def test_the_seq_of_another_workspace_is_not_taken_over(table: Table, database: Database) -> None:
    other = Table(database)
    other.insert()
    with database.connect() as connection, connection.transaction():
        for workspace in (other.workspace, table.workspace, other.workspace, table.workspace):
            connection.execute(
                "insert into core.record (workspace_id, collection) values (%s, 'task')",
                [workspace],
            )
    for one in (table, other):
        assert one.seqs() == list(range(1, len(one.seqs()) + 1))


def test_a_rollback_to_a_savepoint_takes_the_seq_back(table: Table, database: Database) -> None:
    insert = "insert into core.record (workspace_id, collection) values (%s, 'task')"
    with database.connect() as connection, connection.transaction():
        connection.execute("savepoint before_any")
        connection.execute(insert, [table.workspace])
        connection.execute("rollback to savepoint before_any")
        connection.execute(insert, [table.workspace])
        connection.execute("savepoint behind_one")
        for _ in range(3):
            connection.execute(insert, [table.workspace])
        connection.execute("rollback to savepoint behind_one")
        connection.execute(insert, [table.workspace])
    seqs = table.seqs()
    assert seqs == list(range(1, len(seqs) + 1))
    assert [change["document"]["number"] for change in table.log()] == [1, 2]


def test_a_rolled_back_transaction_leaves_no_gap(table: Table, database: Database) -> None:
    with psycopg.connect(database.admin) as connection:
        connection.execute(
            "insert into core.record (workspace_id, collection) values (%s, 'task')",
            [table.workspace],
        )
        connection.rollback()
    record = table.insert()
    assert table.row(record)["number"] == 1
    seqs = table.seqs()
    assert seqs == list(range(1, len(seqs) + 1))


def test_an_empty_log_goes_on_from_its_floor(table: Table, database: Database) -> None:
    """What a trim leaves."""
    last = table.seqs()[-1]
    database.run("update core.clock set floor = %s", last)
    database.run("delete from core.change")
    table.insert()
    assert table.seqs() == [last + 1]


def test_normal_work_never_writes_the_clock(table: Table, database: Database) -> None:
    row = "select ctid::text from core.clock where workspace_id = %s"
    before = database.value(row, table.workspace)
    database.task(table.workspace)
    database.run("delete from core.record where id = %s", table.insert())
    assert database.value(row, table.workspace) == before


def test_a_missing_clock_is_an_error(table: Table, database: Database) -> None:
    database.run("delete from core.clock where workspace_id = %s", table.workspace)
    with pytest.raises(psycopg.errors.RaiseException, match="has no clock"):
        table.insert()
