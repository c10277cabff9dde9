"""Manual order under many moves: each is where it was put, and positions stay short."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import pytest

from support import Client, Database

LONGEST = 31


@pytest.fixture
def tasks(database: Database, workspace: str) -> list[str]:
    """The ids of a dozen tasks in order."""
    replies = database.batch(
        [
            {
                "function": "record_create",
                "workspace": workspace,
                "arguments": {"collection": "task", "data": {"title": str(n)}},
            }
            for n in range(12)
        ]
    )
    return [reply.answer["id"] for reply in replies]


def rows(database: Database, workspace: str) -> list[tuple[str, str]]:
    """Ids and positions, in manual order."""
    return database.run(
        "select id::text, position from core.record where workspace_id = %s order by position, id",
        workspace,
    )


@dataclass
class Mover:
    """Replays the log: what the order was after each change of position, by seq."""

    positions: dict[str, str]

    def order(self) -> list[str]:
        return sorted(self.positions, key=lambda record: (self.positions[record].encode(), record))


async def changes_since(client: Client, workspace: str, seq: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = await client.call(
            "GET", f"/api/v1/workspaces/{workspace}/changes?since={seq}&limit=1000"
        )
        found += page["changes"]
        if not page["changes"]:
            return found
        seq = page["changes"][-1]["seq"]


async def test_each_of_many_moves_at_once_is_right_where_it_was_put(
    client: Client, database: Database, workspace: str, tasks: list[str]
) -> None:
    """Hot spots, so that positions grow long; the log tells every order there was."""
    chance = random.Random(11)
    before = dict(rows(database, workspace))
    start = int(database.value("select max(seq) from core.change"))
    moved: dict[int, tuple[str, str, str]] = {}

    async def mover() -> None:
        for _ in range(70):
            record = chance.choice(tasks[3:])
            side = "after" if chance.random() < 0.8 else "before"
            other = tasks[0] if side == "after" else tasks[1]
            answer = await client.call(
                "POST", f"/api/v1/workspaces/{workspace}/records/{record}/move", {side: other}
            )
            moved[answer["seq"]] = (record, side, other)

    await asyncio.gather(*(mover() for _ in range(8)))
    order = Mover(before)
    log = await changes_since(client, workspace, start)
    spread = 0
    for change in log:
        previous = order.order()
        order.positions[change["id"]] = change["position"]
        now = order.order()
        if change["seq"] not in moved:
            spread += 1
            continue
        assert len(set(order.positions.values())) == len(tasks), "no two have the same"
        record, side, other = moved[change["seq"]]
        step = 1 if side == "after" else -1
        assert now.index(record) == now.index(other) + step, (change, previous, now)
    assert spread > 0, "positions never grew long: this proves nothing of their spreading"
    assert order.order() == [record for record, _ in rows(database, workspace)]
    assert max(len(position) for position in order.positions.values()) <= LONGEST


def test_spreading_keeps_the_order_and_short_positions_are_left_alone(
    database: Database, workspace: str, tasks: list[str]
) -> None:
    """Always the last one behind the first; nothing else moves but where it must."""
    expected = list(tasks)
    others = 0
    before = dict(rows(database, workspace))
    with database.connect_server() as connection:
        for turn in range(180):
            record = expected.pop()
            expected.insert(1, record)
            answer = move(database, workspace, record, connection, after=tasks[0])
            after = rows(database, workspace)
            assert [one for one, _ in after] == expected, turn
            assert len(answer["position"]) <= LONGEST
            touched = [one for one, place in after if before[one] != place and one != record]
            if touched:
                others += 1
                assert max(map(len, before.values())) > 20, "only where positions are long"
                assert max(len(place) for one, place in after if one in touched) <= 15
            before = dict(after)
    assert 1 <= others <= 180 / 50


def move(
    database: Database, workspace: str, record: str, connection: Any = None, **where: str
) -> Any:
    call = {"function": "record_move", "workspace": workspace, "record": record}
    reply = database.batch([{**call, "arguments": {"id": record, **where}}], connection)[0]
    assert reply.state == "ok", reply
    return reply.answer


def test_positions_stay_short_after_2000_moves_to_the_same_place(
    database: Database, workspace: str
) -> None:
    """300 records, so that those around the place are not all there are."""
    database.run(
        "insert into core.record (workspace_id, collection, data)"
        " select %s, 'task', jsonb_build_object('title', n::text) from generate_series(1, 300) n",
        workspace,
    )
    order = [record for record, _ in rows(database, workspace)]
    anchor, expected = order[150], list(order)
    start = int(database.value("select max(seq) from core.change"))
    with database.connect_server() as connection:
        for turn in range(0, 2000, 50):
            calls = []
            for n in range(turn, turn + 50):
                record = order[n * 7 % 300]
                if record == anchor:
                    continue
                expected.remove(record)
                expected.insert(expected.index(anchor) + 1, record)
                arguments = {"id": record, "after": anchor}
                calls.append(
                    {
                        "function": "record_move",
                        "workspace": workspace,
                        "record": record,
                        "arguments": arguments,
                    }
                )
            replies = database.batch(calls, connection)
            assert {reply.state for reply in replies} == {"ok"}
    after = rows(database, workspace)
    assert [record for record, _ in after] == expected
    assert max(len(position) for _, position in after) <= LONGEST
    written = int(database.value("select max(seq) from core.change")) - start
    assert written <= 2000 * 3, f"{written} changes for 2,000 moves"


def test_records_with_the_same_position_are_told_apart_when_one_is_moved_between_them(
    database: Database, workspace: str, tasks: list[str]
) -> None:
    """As psql can write them: ties are in the order of ids."""
    database.run("update core.record set position = 'h' where id = any (%s)", tasks[:3])
    first, second, third = sorted(tasks[:3])
    move(database, workspace, tasks[5], after=first)
    move(database, workspace, tasks[6], before=third)
    order = [record for record, _ in rows(database, workspace)]
    at = order.index(first)
    assert order[at : at + 5] == [first, tasks[5], second, tasks[6], third]


def test_what_somebody_else_holds_is_not_waited_for(
    database: Database, workspace: str, tasks: list[str]
) -> None:
    """The move is done, with a long position; a later one spreads."""
    long = "h" + "0" * 40 + "V"
    database.run("update core.record set position = 'h' where id = %s", tasks[0])
    database.run("update core.record set position = %s where id = %s", long, tasks[1])
    with (
        database.connect_server(options="-c lock_timeout=1s") as own,
        database.connect() as other,
        other.transaction(),
    ):
        other.execute("select 1 from core.record where id = %s for update", [tasks[1]])
        answer = move(database, workspace, tasks[5], own, after=tasks[0])
        assert len(answer["position"]) > 40
    answer = move(database, workspace, tasks[6], after=tasks[0])
    assert len(answer["position"]) <= 15
    order = [record for record, _ in rows(database, workspace)]
    at = order.index(tasks[0])
    assert order[at : at + 4] == [tasks[0], tasks[6], tasks[5], tasks[1]]


def test_a_deleted_record_keeps_its_place(
    database: Database, workspace: str, tasks: list[str]
) -> None:
    database.call("record_delete", workspace, record=tasks[1], arguments={"id": tasks[1]})
    with database.connect_server() as connection:
        for turn in range(200):
            record = tasks[3 + turn % 6]
            move(database, workspace, record, connection, after=tasks[0])
    assert database.value("select version from core.record where id = %s", tasks[1]) > 2
    order = [record for record, _ in rows(database, workspace)]
    assert order.index(tasks[0]) < order.index(tasks[1]) < order.index(tasks[2])


def test_the_moves_of_spreading_are_logged_as_the_movers_but_not_undone_with_the_move(
    database: Database, workspace: str, tasks: list[str]
) -> None:
    """The one that is moved stands among them: undo takes it back to between the same two."""
    long = "h" + "0" * 40 + "V"
    database.run("update core.record set position = 'h' where id = %s", tasks[0])
    database.run("update core.record set position = %s where id = %s", long, tasks[1])
    between = "h" + "0" * 40 + "VV"
    database.run("update core.record set position = %s where id = %s", between, tasks[5])
    database.run("update core.record set position = %s where id = %s", between + "V", tasks[2])
    before = [record for record, _ in rows(database, workspace)]
    start = int(database.value("select max(seq) from core.change"))
    answer = move(database, workspace, tasks[5], after=tasks[0])
    logged = database.run(
        "select action, actor_id::text, record_id::text, version, position, transaction_id"
        " from core.change where seq > %s order by seq",
        start,
    )
    assert len(logged) > 1
    assert {row[:2] for row in logged} == {("moved", database.account())}
    assert logged[-1][2:5] == (tasks[5], answer["version"], answer["position"])
    assert logged[-1][5] is not None
    assert {row[5] for row in logged[:-1]} == {None}
    database.call("transaction_undo", workspace)
    assert [record for record, _ in rows(database, workspace)] == before
    assert max(len(position) for _, position in rows(database, workspace)) < 20
