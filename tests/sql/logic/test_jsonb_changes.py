from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from psycopg.types.json import Jsonb

from json_documents import exact, objects, without_nulls

CHANGES = "select to_jsonb(c) from logic.jsonb_changes(%s, %s) c"


def assigned(document: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """A document with fields set one by one; null takes one away."""
    return {k: v for k, v in {**document, **fields}.items() if v is not None}


def test_patch_goes_forth_and_before_goes_back_exactly(ask: Callable[..., Any]) -> None:
    @settings(max_examples=200, deadline=None)
    @given(objects.map(without_nulls), objects.map(without_nulls))
    def check(old: dict[str, Any], new: dict[str, Any]) -> None:
        changes = ask(CHANGES, Jsonb(old), Jsonb(new))
        assert exact(assigned(old, changes["patch"])) == exact(new)
        assert exact(assigned(new, changes["before"])) == exact(old)
        assert changes["patch"].keys() == changes["before"].keys()

    check()


def test_names_only_the_fields_that_differ(ask: Callable[..., Any]) -> None:
    changes = ask(
        CHANGES,
        Jsonb({"a": 1, "b": {"x": 1, "y": 2}, "c": 3}),
        Jsonb({"a": 1, "b": {"x": 1}, "d": 4}),
    )
    assert changes == {
        "patch": {"b": {"x": 1}, "c": None, "d": 4},
        "before": {"b": {"x": 1, "y": 2}, "c": 3, "d": None},
    }


def test_equal_documents_have_no_changes(ask: Callable[..., Any]) -> None:
    assert ask(CHANGES, Jsonb({"a": [1, None]}), Jsonb({"a": [1.0, None]})) == {
        "patch": {},
        "before": {},
    }
