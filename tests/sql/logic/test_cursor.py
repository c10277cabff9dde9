"""logic.cursor_encode and logic.cursor_decode."""

import base64
import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)


def forged(value: Any) -> str:
    """A cursor that this server never gave out."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_gives_back_the_values_that_it_was_made_of(ask: Callable[..., Any]) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.none() | texts, max_size=3))
    def check(values: list[str | None]) -> None:
        sort = ",".join(f"key{n}" for n in range(len(values)))
        keys = [*values, "7"]
        cursor = ask("select logic.cursor_encode(%s, %s)", sort, Jsonb(keys))
        assert ask("select logic.cursor_decode(%s, %s)", cursor, sort) == keys

    check()


def test_stands_in_a_url_as_it_is(ask: Callable[..., Any]) -> None:
    cursor = ask("select logic.cursor_encode('title', %s)", Jsonb(["~?>ÿ" * 40, "7"]))
    assert cursor.replace("-", "").replace("_", "").isalnum()


def test_no_cursor_is_the_first_page(ask: Callable[..., Any]) -> None:
    assert ask("select logic.cursor_decode(null, 'title')") is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "%%%",
        "A",
        "bm8ganNvbg",
        "gICA",
        forged(None),
        forged(7),
        forged("x"),
        forged([]),
        forged({}),
        forged({"s": "title"}),
        forged({"s": "title", "v": None}),
        forged({"s": "title", "v": "x"}),
        forged({"s": "title", "v": {}}),
        forged({"s": "title", "v": ["x"]}),
        forged({"s": "title", "v": ["x", "1", "2"]}),
        forged({"s": "title", "v": ["x", None]}),
        forged({"s": "title", "v": [None, None]}),
        forged({"s": "-title", "v": ["x", "1"]}),
        forged({"v": ["x", "1"]}),
        forged({"s": "title", "v": ["\0", "1"]}),
    ],
)
def test_refuses_what_this_list_never_gave_out(ask: Callable[..., Any], cursor: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        ask("select logic.cursor_decode(%s, 'title')", cursor)
    assert (caught.value.sqlstate, caught.value.diag.message_hint) == ("PT422", "invalid_cursor")
