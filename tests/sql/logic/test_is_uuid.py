from collections.abc import Callable
from typing import Any

import pytest

ID = "0123abcd-4567-89ef-0123-456789abcdef"


@pytest.mark.parametrize("text", [ID, ID.upper(), "00000000-0000-0000-0000-000000000000"])
def test_takes_the_usual_form(ask: Callable[..., Any], text: str) -> None:
    assert ask("select logic.is_uuid(%s)", text) is True


@pytest.mark.parametrize(
    "text",
    ["", "TSK-001-0001", ID[:-1], ID + "0", ID.replace("-", ""), f"{{{ID}}}", f" {ID}", ID + "\n",
     f"{ID}\n{ID}", ID.replace("a", "g"), ID.replace("0", "\u0660")],
)  # fmt: skip
def test_refuses_anything_else(ask: Callable[..., Any], text: str) -> None:
    assert ask("select logic.is_uuid(%s)", text) is False
