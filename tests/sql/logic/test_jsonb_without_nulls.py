from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from psycopg.types.json import Jsonb

from json_documents import exact, objects, without_nulls

STRIP = "select logic.jsonb_without_nulls(%s)"


def test_arrays_keep_their_nulls(ask: Callable[..., Any]) -> None:
    document = {"a": None, "b": [None, {"c": None}], "d": {"e": None, "f": [None]}}
    assert ask(STRIP, Jsonb(document)) == {"b": [None, {"c": None}], "d": {"f": [None]}}


def test_strips_the_null_members_of_objects_at_any_depth_and_nothing_else(
    ask: Callable[..., Any],
) -> None:
    @settings(max_examples=200, deadline=None)
    @given(objects)
    def check(document: dict[str, Any]) -> None:
        assert exact(ask(STRIP, Jsonb(document))) == exact(without_nulls(document))

    check()
