"""Deliberate bugs, each put into the running database, are found by the machine and its checker.

Eight of them, and the violations that find them:

- A repeated write is not known again, and happens once more: `applied twice`; or, where it finds
  its change made already, `wrong answer`.
- Conflicts are not found: `lost update` of a write that would rather be refused, `wrong result` of
  one that would rather leave the field to others.
- The reader of the log skips changes, so that streams lack them: `gap`.
- A transaction goes on without the operation that is refused, and is half done: `wrong result`.
- A snapshot says a later seq than it shows: `wrong snapshot`.
- An undo writes over what others have changed since: `wrong undo`.
- A move puts its record on the other side of the one that it names: `wrong place`.
- Nobody is told of a new epoch, and streams go on behind a restored backup: `reset not told`.

Three more, of reads that lag, torn snapshots and lost updates, are in test_consistency.py, for a
checker without the log. Each of the eight is met within 50 scenes of its seed. Without bugs no
scene breaks anything: that is the model test.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from model.checker import violations
from model.history import History
from model.machine import FoundError, explore
from model.scene import Stage
from support import Database


@dataclass(frozen=True)
class Bug:
    """What stands in the definition of a function, and what is put in its place."""

    function: str
    right: str
    wrong: str


@contextmanager
def planted(database: Database, *bugs: Bug) -> Iterator[None]:
    """The bugs are there within."""
    right = {}
    for bug in bugs:
        query = "select pg_get_functiondef(%s::regproc)"
        definition = right[bug.function] = database.value(query, bug.function)
        assert definition.count(bug.right) == 1, f"{bug.function} has no longer: {bug.right}"
        _define(database, definition.replace(bug.right, bug.wrong))
    try:
        yield
    finally:
        for definition in right.values():
            _define(database, definition)


def _define(database: Database, definition: str) -> None:
    database.run(definition.replace("%", "%%"))


BUGS = [
    pytest.param(
        [
            Bug("logic.batch_open", "t.id = c.transaction_id", "t.id is null"),
            Bug(
                "logic.batch_close",
                "where c.actor_id is not null",
                "where c.actor_id is not null on conflict do nothing",
            ),
        ],
        {"applied twice", "wrong answer"},  # what a repeat changes again, or finds as it is
        6,
        id="a repeated write is not known again",
    ),
    pytest.param(
        [
            Bug(
                "logic.conflicts_since",
                "where p_data -> k.key is distinct",
                "where false and p_data -> k.key is distinct",
            )
        ],
        {"lost update", "wrong result"},  # by `reject`, or by `theirs`
        6,
        id="conflicts are not found",
    ),
    pytest.param(
        [
            Bug(
                "api.log_read",
                "l.seq <= page.last\n",
                "l.seq <= page.last and (l.seq % 5 > 0 or l.action <> 'updated')\n",
            )
        ],
        {"gap"},
        6,
        id="the reader of the log skips changes",
    ),
    pytest.param(
        [
            Bug(
                "logic.operations_run",
                "  perform logic.raise_with(sqlstate",
                "  if v_n is not null then"
                " return logic.operations_run(p_workspace_id, p_operations - v_n, p_basis); end if;"
                " perform logic.raise_with(sqlstate",
            )
        ],
        {"wrong result"},
        6,
        id="a transaction goes on without the operation that is refused",
    ),
    pytest.param(
        [
            Bug(
                "api.snapshot",
                "logic.records_at(p_workspace_id, p_at)",
                "logic.records_at(p_workspace_id,"
                " coalesce(p_at, (logic.log_position(p_workspace_id)).seq - 1))",
            )
        ],
        {"wrong snapshot"},
        6,
        id="a snapshot says a later seq than it shows",
    ),
    pytest.param(
        [
            Bug(
                "logic.undo_change",
                "if v_field.now is not distinct from nullif(v_field.new, 'null') then",
                "if true then",
            )
        ],
        {"wrong undo"},
        6,
        id="an undo writes over what others have changed since",
    ),
    pytest.param(
        [
            Bug(
                "logic.operation_move",
                "p_operation ->> 'before', p_operation ->> 'after'",
                "p_operation ->> 'after', p_operation ->> 'before'",
            )
        ],
        {"wrong place"},
        6,
        id="a move puts its record on the other side",
    ),
    pytest.param(
        [Bug("logic.log_verdict", "if not starts_with(v_epoch::text, p_epoch)", "if false")],
        {"reset not told"},
        5,
        id="nobody is told of a new epoch",
    ),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("bugs", "kinds", "start"), BUGS)
def test_a_deliberate_bug_is_found_and_again_in_the_recorded_history(
    stage: Stage, tmp_path: Path, bugs: list[Bug], kinds: set[str], start: int
) -> None:
    report = tmp_path / "history.jsonl"
    with planted(stage.database, *bugs), pytest.raises(FoundError) as found:
        explore(stage, report, examples=50, steps=25, start=start)
    assert kinds & found.value.kinds, found.value
    with report.open() as file:
        assert {violation.kind for violation in violations(History.load(file))} == found.value.kinds
