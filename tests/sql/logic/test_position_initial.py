from collections.abc import Callable
from typing import Any

NUMBERS = [*range(1, 200), 3843, 3844, 3845, 238327, 238328, 10**9, 10**12, 2**62, 2**63 - 1]


def test_later_records_stand_behind_earlier_ones(ask: Callable[..., Any]) -> None:
    found = ask(
        'select array_agg(n order by logic.position_initial(n) collate "C")'
        " from unnest(%s::bigint[]) n",
        NUMBERS,
    )
    assert found == NUMBERS


def test_there_is_room_on_both_sides_of_each(ask: Callable[..., Any]) -> None:
    roomy = ask(
        """
        select bool_and(
          logic.position_between(null, p.this) < p.this collate "C"
          and logic.position_between(p.this, p.next) > p.this collate "C"
          and logic.position_between(p.this, p.next) < p.next collate "C"
          and logic.position_between(p.this, null) > p.this collate "C")
        from (
          select logic.position_initial(n) as this, logic.position_initial(n + 1) as next
          from unnest(%s::bigint[]) n
        ) p
        """,
        NUMBERS[:-1],
    )
    assert roomy is True


def test_is_short(ask: Callable[..., Any]) -> None:
    assert ask("select logic.position_initial(1)") == "a1V"
    assert len(ask("select logic.position_initial(1000000)")) <= 6
