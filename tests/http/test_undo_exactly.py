"""Undo and redo of whole transactions, of any operations and of a thousand: all is as it was."""

import random
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import Database
from undoing import content, planted_all

PLACES = st.integers(0, 2)
KEYS = st.sampled_from(["a", "b", "n", "l"])
VALUES = st.one_of(
    st.none(), st.integers(-5, 5), st.sampled_from(["x", "y"]), st.just({"k": 1}), st.just(["x"])
)
STEPS = st.integers(-3, 3)
INDEXES = st.none() | st.integers(0, 3)
ELEMENTS = st.sampled_from(["p", "q", "r"])
PATHS = st.sampled_from([["deep", "a"], ["deep", "b"]])


def operation(kind: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One operation, without its record."""
    return st.fixed_dictionaries({"type": st.just(kind), **more})


OPERATIONS = st.one_of(
    operation("set", key=KEYS, value=VALUES),
    operation("set", path=PATHS, value=VALUES),
    operation("set-now", key=KEYS),
    operation("unset", key=KEYS),
    operation("unset", path=PATHS),
    operation("merge", patch=st.dictionaries(KEYS, VALUES, max_size=2)),
    operation("increment", key=st.just("count"), by=STEPS),
    operation("increment", path=st.just(["deep", "count"]), by=STEPS),
    operation("list-insert", key=st.just("list"), value=ELEMENTS, index=INDEXES),
    operation("list-remove", key=st.just("list"), value=ELEMENTS),
    operation("list-insert", path=st.just(["deep", "list"]), value=ELEMENTS, index=INDEXES),
    operation("delete"),
    operation("restore"),
    operation("move"),
    operation("create"),
)
DRAWN = st.tuples(PLACES, OPERATIONS)
Drawn = tuple[int, dict[str, Any]]


def tasks(database: Database, workspace: str, count: int) -> list[str]:
    """The ids of some tasks."""
    documents = [{"title": f"{n}", "count": n, "list": ["a"]} for n in range(count)]
    return planted_all(database, workspace, documents)


def named(ids: list[str], drawn: Sequence[Drawn]) -> list[dict[str, Any]]:
    """Operations with their records, the new ones among them; without those that can't be."""
    ids, dead = list(ids), set[str]()
    operations = []
    for place, each in drawn:
        kind = each["type"]
        if kind == "create":
            ids.append(str(uuid.uuid4()))
            new = {"collection": "task", "recordId": ids[-1], "data": {"title": "New", "count": 1}}
            operations.append({**each, **new})
            continue
        record, neighbour = ids[place % len(ids)], ids[(place + 1) % len(ids)]
        if (record in dead) != (kind == "restore") or (kind == "move" and neighbour in dead):
            continue
        dead ^= {record} if kind in ("delete", "restore") else set()
        more = {"before": neighbour} if kind == "move" else {}
        operations.append({**each, **more, "recordId": record})
    return operations


def state(database: Database, workspace: str, ids: set[str]) -> tuple[Any, list[str]]:
    """Documents and deletions by id, and the manual order: positions are given anew at times."""
    rows = [row for row in content(database, workspace) if row[0] in ids]
    order = [row[0] for row in sorted(rows, key=lambda row: (row[2].encode(), row[0]))]
    return {row[0]: (row[1], row[3]) for row in rows}, order


def check(database: Database, workspace: str, operations: list[dict[str, Any]]) -> None:
    """Undo, redo and undo bring back what was, and what then was, the order included."""
    old = {row[0] for row in content(database, workspace)}
    before = state(database, workspace, old)
    database.call("transaction_apply", workspace, arguments={"operations": operations})
    known = {row[0] for row in content(database, workspace)}
    after = state(database, workspace, known)
    if before == after:
        return
    for ids, expected, function in (
        (old, before, "transaction_undo"),
        (known, after, "transaction_redo"),
        (old, before, "transaction_undo"),
    ):
        assert database.call(function, workspace)["skipped"] == []
        assert state(database, workspace, ids) == expected
        there = {row[0] for row in content(database, workspace) if not row[3]}
        assert there <= ids  # what was new is deleted again


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(DRAWN, min_size=1, max_size=12))
def test_undo_of_a_random_transaction_restores_everything_exactly(
    database: Database, workspace: str, drawn: list[Drawn]
) -> None:
    ids = tasks(database, workspace, 3)
    operations = named(ids, drawn)
    if operations:
        check(database, workspace, operations)


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(OPERATIONS, min_size=15, max_size=30), st.sampled_from([3, 40, 400]), st.data())
def test_undo_of_a_thousand_random_operations_restores_everything_exactly(
    database: Database, workspace: str, kinds: list[dict[str, Any]], count: int, data: Any
) -> None:
    """How long it takes is for `make bench` to say, in its line `undo`."""
    ids = tasks(database, workspace, count)
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    drawn = [(rng.randrange(10_000), rng.choice(kinds)) for _ in range(3_000)]
    check(database, workspace, named(ids, drawn)[:1_000])


@pytest.mark.parametrize("count", [1000, 3])
def test_a_thousand_operations_of_each_kind_are_undone_over_many_records_or_few(
    database: Database, workspace: str, count: int
) -> None:
    ids = tasks(database, workspace, count)
    kinds: tuple[dict[str, Any], ...] = (
        {"type": "set", "key": "title", "value": "x"},
        {"type": "increment", "key": "count", "by": 1},
        {"type": "list-insert", "key": "list", "value": "b", "index": 0},
        {"type": "move", "before": ids[0]},
        {"type": "merge", "patch": {"owner": "Eve", "count": None}},
        {"type": "list-remove", "key": "list", "value": "a"},
        {"type": "unset", "key": "title"},
    )
    change: list[dict[str, Any]] = [{"type": "delete", "recordId": ids[-1]}]
    for n in range(999):
        kind = kinds[n * 2 // count % 7] if count < 1000 else kinds[n % 7]
        change.append({**kind, "recordId": ids[n % (count - 1)]})
    check(database, workspace, change)


@pytest.mark.parametrize("where", ["before the first", "behind each other"])
def test_moves_that_make_positions_be_given_anew_are_undone_to_the_same_order(
    database: Database, workspace: str, where: str
) -> None:
    """Some 170 moves into the same gap make positions so long that all around get short ones."""
    ids = tasks(database, workspace, 400)
    shuffled = random.Random(1).sample(ids, len(ids))
    moves = [
        {"type": "move", "recordId": record, **place}
        for record, place in zip(
            shuffled[1:],
            [{"before": shuffled[0]}] * 399
            if where == "before the first"
            else [{"after": record} for record in shuffled],
            strict=False,
        )
    ]
    check(database, workspace, moves)
    made_room = (
        "select count(*) from core.change where transaction_id is null and actor_id is not null"
    )
    assert database.value(made_room) > 0


def test_a_move_is_undone_to_its_old_order_when_others_have_made_positions_be_given_anew(
    database: Database, workspace: str
) -> None:
    ids = tasks(database, workspace, 300)
    database.join(workspace, "Bob", "editor")
    some = {*ids[:3], ids[298]}
    before = state(database, workspace, some)
    mine = [
        {"type": "move", "recordId": ids[1], "after": ids[299]},
        {"type": "move", "recordId": ids[298], "before": ids[2]},  # will be given a new position
    ]
    database.call("transaction_apply", workspace, arguments={"operations": mine})
    theirs = [{"type": "move", "recordId": id, "before": ids[298]} for id in ids[3:290]]
    database.call("transaction_apply", workspace, actor="Bob", arguments={"operations": theirs})
    assert database.call("transaction_undo", workspace)["skipped"] == []
    assert state(database, workspace, some) == before
    assert database.call("transaction_undo", workspace, actor="Bob")["skipped"] == []
    assert state(database, workspace, set(ids))[1] == ids


def test_a_record_that_others_have_moved_meanwhile_stays_there_and_is_no_guide(
    database: Database, workspace: str
) -> None:
    a, b, c, d, e = ids = tasks(database, workspace, 5)
    database.join(workspace, "Bob", "editor")
    mine = [{"type": "move", "recordId": id, "after": e} for id in (b, d)]  # a c e d b
    database.call("transaction_apply", workspace, arguments={"operations": mine})
    theirs = [
        {"type": "move", "recordId": d, "before": a},
        {"type": "move", "recordId": a, "after": b},
    ]  # d c e b a
    database.call("transaction_apply", workspace, actor="Bob", arguments={"operations": theirs})
    skipped = database.call("transaction_undo", workspace)["skipped"]
    assert [(left["recordId"], left["key"]) for left in skipped] == [(d, "position")]
    assert state(database, workspace, set(ids))[1] == [d, b, c, e, a]
