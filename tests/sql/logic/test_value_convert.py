import json
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

CONVERT = "select logic.value_convert(%s, %s)"
texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
) | st.sampled_from(["true", "false", "0", "-0", "1.5", "1.50", "007", "1e3", "-2", ".5", "5."])
numbers = st.integers(1 - 10**15, 10**15 - 1) | st.sampled_from([0.5, -1.25, 123456.789])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "number": numbers,
    "boolean": st.booleans(),
    "multi_select": st.lists(texts, min_size=1, max_size=3, unique=True),
}
TYPES = ["text", "long_text", "number", "boolean", "select", "multi_select", "json"]


def test_what_is_converted_comes_back_as_it_was(ask: Callable[..., Any]) -> None:
    """There and back again: nothing is lost, whatever the types."""

    @settings(max_examples=400, deadline=None)
    @given(
        st.sampled_from(sorted(VALUES)).flatmap(
            lambda kind: st.tuples(st.just(kind), VALUES[kind], st.sampled_from(TYPES))
        )
    )
    def check(case: tuple[str, Any, str]) -> None:
        kind, value, other = case
        there = ask(CONVERT, json.dumps(value), other)
        if there is None:
            return
        back = ask(CONVERT, json.dumps(there), kind)
        assert back == value
        assert type(back) is type(value)

    check()


def test_an_empty_list_is_nothing_and_an_object_only_json(ask: Callable[..., Any]) -> None:
    for kind in ("text", "number", "boolean", "select", "date"):
        assert ask("select logic.value_convert('[]', %s)::text", kind) == "null"
        assert ask(CONVERT, "{}", kind) is None
        assert ask(CONVERT, '["a", "b"]', kind) is None
    assert ask(CONVERT, '{"a": 1}', "json") == {"a": 1}
