"""Moves: manual order, columns of a board, and what they refuse."""

import asyncio
import random
import uuid
from typing import Any

import pytest

from support import Client


@pytest.fixture
async def four(client: Client, records: str) -> list[str]:
    """The ids of four tasks in order."""
    return [
        (await client.call("POST", f"{records}?collection=task", {"data": {"title": str(n)}}))["id"]
        for n in range(4)
    ]


async def order(client: Client, records: str) -> list[str]:
    answer = await client.call("GET", f"{records}?collection=task&sort=position")
    return [record["id"] for record in answer["tasks"]]


async def move(client: Client, records: str, record: str, **where: Any) -> Any:
    return await client.call("POST", f"{records}/{record}/move", where)


async def test_after_puts_it_right_after_a_record(
    client: Client, records: str, four: list[str]
) -> None:
    a, b, c, d = four
    await move(client, records, d, after=a)
    assert await order(client, records) == [a, d, b, c]


async def test_before_puts_it_right_before_a_record(
    client: Client, records: str, four: list[str]
) -> None:
    a, b, c, d = four
    await move(client, records, a, before=d)
    assert await order(client, records) == [b, c, a, d]


async def test_both_neighbours_may_be_named(client: Client, records: str, four: list[str]) -> None:
    a, b, c, d = four
    await move(client, records, d, after=a, before=b)
    assert await order(client, records) == [a, d, b, c]


async def test_a_record_goes_to_either_end(client: Client, records: str, four: list[str]) -> None:
    a, b, c, d = four
    await move(client, records, c, before=a)
    await move(client, records, a, after=d)
    assert await order(client, records) == [c, b, d, a]


async def test_neighbours_may_be_display_ids(client: Client, records: str, four: list[str]) -> None:
    a, b, c, d = four
    await move(client, records, d, after="tsk-001-0001")
    assert await order(client, records) == [a, d, b, c]


async def test_a_move_to_another_column_is_one_change_of_field_and_place(
    client: Client, records: str, four: list[str]
) -> None:
    a, _, _, d = four
    answer = await move(client, records, d, field="status", value="done", after=a)
    assert (answer["data"]["status"], answer["version"]) == ("done", 2)
    changes = await client.call(
        "GET", f"{records.removesuffix('/records')}/changes?since={answer['seq'] - 1}"
    )
    (change,) = changes["changes"]
    assert (change["event"], change["patch"]) == ("task-moved", {"status": "done"})
    assert change["position"] == answer["position"]


async def test_a_move_to_nowhere_changes_nothing(
    client: Client, records: str, four: list[str]
) -> None:
    before = await client.call("GET", f"{records}/{four[1]}")
    answer = await move(client, records, four[1])
    assert (answer["version"], answer["position"]) == (1, before["position"])


@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_move_beside_itself_changes_nothing(
    client: Client, records: str, four: list[str], side: str
) -> None:
    before = await client.call("GET", f"{records}/{four[1]}")
    moved = await move(client, records, four[1], **{side: four[1]})
    assert (moved["version"], moved["position"]) == (before["version"], before["position"])


async def test_neighbours_in_the_wrong_order_are_refused(
    client: Client, records: str, four: list[str]
) -> None:
    a, b, c, _ = four
    reply = await client.send("POST", f"{records}/{c}/move", {"after": b, "before": a})
    reply.problem(422, "position_order")


async def test_an_unknown_neighbour_is_404(client: Client, records: str, four: list[str]) -> None:
    for neighbour in (str(uuid.uuid4()), "TSK-001-0099", "", "é"):
        reply = await client.send("POST", f"{records}/{four[0]}/move", {"before": neighbour})
        reply.problem(404, "unknown_record")


async def test_many_moves_into_one_gap_keep_their_order(
    client: Client, records: str, four: list[str]
) -> None:
    a, b, c, d = four
    for _ in range(15):
        await move(client, records, c, after=a)
        await move(client, records, d, after=a)
    assert await order(client, records) == [a, d, c, b]


async def test_moves_at_once_lose_no_record_and_no_order(
    client: Client, records: str, four: list[str]
) -> None:
    chance = random.Random(7)
    pairs = [chance.sample(four, 2) for _ in range(30)]
    await asyncio.gather(*(move(client, records, one, after=other) for one, other in pairs))
    assert sorted(await order(client, records)) == sorted(four)
    one, other = pairs[0]
    await move(client, records, one, after=other)
    found = await order(client, records)
    assert found.index(one) == found.index(other) + 1
