from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from psycopg.types.json import Jsonb

from json_documents import exact, merged, objects, values

MERGE = "select logic.jsonb_merge_patch(%s, %s)"

# RFC 7396, appendix A: original, patch, result.
APPENDIX_A: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("original", "patch", "result"), APPENDIX_A)
def test_merges_as_the_rfc_says(
    ask: Callable[..., Any], original: Any, patch: Any, result: Any
) -> None:
    assert exact(ask(MERGE, Jsonb(original), Jsonb(patch))) == exact(result)


def test_merges_as_a_plain_oracle_does(ask: Callable[..., Any]) -> None:
    @settings(max_examples=300, deadline=None)
    @given(values, values)
    def check(target: Any, patch: Any) -> None:
        assert exact(ask(MERGE, Jsonb(target), Jsonb(patch))) == exact(merged(target, patch))

    check()


def test_the_same_patch_twice_changes_nothing_more(ask: Callable[..., Any]) -> None:
    @settings(max_examples=100, deadline=None)
    @given(objects, objects)
    def check(target: Any, patch: Any) -> None:
        once = ask(MERGE, Jsonb(target), Jsonb(patch))
        assert exact(ask(MERGE, Jsonb(once), Jsonb(patch))) == exact(once)

    check()


def test_no_patch_at_all_leaves_the_target(ask: Callable[..., Any]) -> None:
    assert ask("select logic.jsonb_merge_patch('{\"a\": 1}', null)") == {"a": 1}


def test_no_target_is_an_empty_one(ask: Callable[..., Any]) -> None:
    assert ask('select logic.jsonb_merge_patch(null, \'{"a": {"b": null}}\')') == {"a": {}}
