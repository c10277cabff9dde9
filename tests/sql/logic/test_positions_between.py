from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
positions = st.none() | st.text(DIGITS, max_size=4).flatmap(
    lambda head: st.sampled_from(DIGITS[1:]).map(lambda last: head + last)
)


def test_as_many_as_asked_for_in_order_between_the_two_and_short(ask: Callable[..., Any]) -> None:
    @settings(max_examples=100, deadline=None)
    @given(positions, positions, st.integers(0, 200))
    def check(one: str | None, other: str | None, count: int) -> None:
        low, high = one, other
        if one is not None and other is not None:
            if one == other:
                return
            low, high = sorted([one, other])
        found = ask("select logic.positions_between(%s, %s, %s)", low, high, count)
        assert len(found) == count
        assert found == sorted(set(found))
        assert not found or (low or "") < found[0]
        assert not found or high is None or found[-1] < high
        assert not [position for position in found if position.endswith("0")]
        # The middle one of the two, and two digits for 200 of them.
        longest = max(len(low or ""), len(high or "")) + 1
        assert max(map(len, found), default=0) <= longest + 3

    check()
