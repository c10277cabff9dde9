from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("workspace", "number", "display_id"),
    [
        (1, 1, "TSK-001-0001"),
        (999, 9999, "TSK-999-9999"),
        (1000, 10000, "TSK-1000-10000"),
        (7, 12345678901, "TSK-007-12345678901"),
    ],
)
def test_pads_short_numbers_and_never_cuts_long_ones(
    ask: Callable[..., Any], workspace: int, number: int, display_id: str
) -> None:
    assert ask("select logic.display_id('TSK', %s, %s)", workspace, number) == display_id
