import random
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

BETWEEN = "select logic.position_between(%s, %s)"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
positions = st.text(DIGITS, max_size=6).flatmap(
    lambda head: st.sampled_from(DIGITS[1:]).map(lambda last: head + last)
)


def test_lies_strictly_between_and_never_ends_in_the_lowest_digit(ask: Callable[..., Any]) -> None:
    @settings(max_examples=300, deadline=None)
    @given(st.none() | positions, st.none() | positions)
    def check(one: str | None, other: str | None) -> None:
        low, high = one, other
        if one is not None and other is not None:
            if one == other:
                return
            low, high = sorted([one, other])
        key = ask(BETWEEN, low, high)
        assert (low or "") < key
        assert high is None or key < high
        assert not key.endswith("0")
        assert len(key) <= max(len(low or ""), len(high or "")) + 1

    check()


def test_the_database_orders_positions_as_their_bytes(ask: Callable[..., Any]) -> None:
    """Whatever the collation of the database: `position` is declared in C."""
    shuffled = random.Random(1).sample(DIGITS, len(DIGITS))
    assert (
        ask("select string_agg(p, '' order by p collate \"C\") from unnest(%s::text[]) p", shuffled)
        == DIGITS
    )


def test_random_inserts_keep_their_order(ask: Callable[..., Any]) -> None:
    @settings(max_examples=10, deadline=None)
    @given(st.lists(st.floats(0, 1), min_size=40, max_size=40))
    def check(places: list[float]) -> None:
        order: list[str] = []
        for place in places:
            at = round(place * len(order))
            low = order[at - 1] if at > 0 else None
            high = order[at] if at < len(order) else None
            order.insert(at, ask(BETWEEN, low, high))
        assert order == sorted(set(order))

    check()


@pytest.mark.parametrize(("side", "ends"), [("end", False), ("start", True)])
def test_keys_grow_by_a_digit_in_five_moves_at_most(
    ask: Callable[..., Any], side: str, ends: bool
) -> None:
    """Always to the same end, the worst that people do by hand."""
    key: str | None = None
    for _ in range(300):
        key = ask(BETWEEN, None, key) if ends else ask(BETWEEN, key, None)
    assert key is not None
    assert len(key) <= 300 / 5 + 1, side


def test_keys_that_are_pinched_between_two_grow_no_faster(ask: Callable[..., Any]) -> None:
    low, high = "V", "W"
    for turn in range(200):
        key = ask(BETWEEN, low, high)
        low, high = (key, high) if turn % 2 else (low, key)
    assert len(low) <= 200 / 5 + 2


@pytest.mark.parametrize(("low", "high"), [("b", "a"), ("a", "a"), ("aV", "a"), ("a", "Z")])
def test_refuses_what_is_not_in_order(ask: Callable[..., Any], low: str, high: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        ask(BETWEEN, low, high)
    assert (caught.value.sqlstate, caught.value.diag.message_hint) == ("PT422", "position_order")


@pytest.mark.parametrize(
    ("low", "high"),
    [("a", "a0"), (None, "0"), (None, "000"), ("a", "a-1"), ("~", None), ("a", "é"), ("", "")],
)
def test_refuses_what_leaves_no_room_instead_of_searching_forever(
    ask: Callable[..., Any], low: str | None, high: str | None
) -> None:
    """Nothing here was ever given out, but psql can write any position."""
    ask("select set_config('statement_timeout', '3s', false)")
    with pytest.raises(psycopg.Error) as caught:
        ask(BETWEEN, low, high)
    assert (caught.value.sqlstate, caught.value.diag.message_hint) == ("PT422", "position_order")
