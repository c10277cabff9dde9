"""Hypothesis strategies for JSON as PostgreSQL can hold it; comparing two values exactly."""

import json
from typing import Any

from hypothesis import strategies as st

# jsonb knows neither NUL nor lone surrogates.
_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
# Few keys, so that documents and patches meet; some that a careless query would trip over.
keys = st.sampled_from(["a", "b", "c", "", "%s", "'", "$.*", "ключ"]) | st.text(
    _CHARACTERS, max_size=3
)
_scalars = (
    st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(-999, 999).map(lambda n: n / 4)
    | st.text(_CHARACTERS, max_size=5)
)
_leaves = st.none() | _scalars

values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(keys, values, max_size=5)


def without_nulls(value: Any) -> Any:
    """A value without the null members of its objects; arrays are left as they are."""
    if not isinstance(value, dict):
        return value
    return {key: without_nulls(member) for key, member in value.items() if member is not None}


def merged(target: Any, patch: Any) -> Any:
    """MergePatch of RFC 7396, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def exact(value: Any) -> str:
    """A text that is the same for equal JSON only: Python takes True for 1."""
    return json.dumps(value, sort_keys=True)
