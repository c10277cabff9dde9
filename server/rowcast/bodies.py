"""What clients send: JSON that is checked here and passed on as it came.

Only the form is looked at: UTF-8, well-formed, no NUL and no lone surrogate, depth and numbers
that any JSON reader can take. A body is not encoded anew, so that no number loses digits on its
way.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from rowcast.problems import Problem

Model = TypeVar("Model", bound=BaseModel)

MAX_DEPTH = 40  # of a request; a document's own bound is the database's
MAX_FAULTS = 100  # that are named at once
_BIG_EXPONENT = re.compile(rb"[eE][+-]?\d{3,}")
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_PARAMETER = re.compile(r"^filter\[([^\[\]]{1,100})\](?:\[([a-z]{1,20})\])?$")


def check_json(raw: bytes) -> Any:
    """The value of a JSON text.

    Raises Problem 400 where it is not well-formed, 422 where it can't be stored.
    """
    value = parse(raw)
    check_values(raw, value)
    return value


def parse(raw: bytes) -> Any:
    """The value of a JSON text, as far as its form goes: for check_values there is the rest to do.

    Raises Problem 400 where it is not well-formed, 422 where it is too deep.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Problem(400, "malformed_json", f"The body is not JSON: {error}.") from error
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise Problem(422, "too_deep", f"The body has more than {MAX_DEPTH} levels.")
    return value


def check_values(raw: bytes, value: Any) -> None:
    """Raises Problem 422 where a text has a NUL, or a number is out of range.

    `raw` is a JSON text, `value` what parse made of it. `errors` say where, by paths from there.
    """
    if b"\\u0000" in raw:
        _refuse("nul_character", "Text can't hold the NUL character (\\u0000).", _nuls(value))
    if _BIG_EXPONENT.search(raw):
        json.loads(raw, parse_float=_finite, parse_int=str)


def check_object(raw: bytes, model: type[Model]) -> Model:
    """A JSON object that a request model takes. Raises Problem 400, or 422 with `errors`."""
    return validate_object(check_json(raw), model)


def validate_object(value: Any, model: type[Model]) -> Model:
    """The model of a JSON value. Raises Problem 422, also where it is no object."""
    if not isinstance(value, dict):
        raise Problem(422, "invalid_body", "The body must be a JSON object.")
    return validate(value, model)


def validate(value: Mapping[str, Any], model: type[Model]) -> Model:
    """The model of a value. Raises Problem 422 that names each fault by its path."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors = [
            {"path": ".".join(map(str, fault["loc"])), "message": fault["msg"]}
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Problem(
            422, "invalid_request", "The request has faults.", extra={"errors": errors}
        ) from error


def extend(raw: bytes, members: Mapping[str, object]) -> str:
    """A JSON object with further members behind its own, which win over them (the last key wins).

    `raw` was checked by check_object.
    """
    text = raw.decode().strip()
    if not members:
        return text
    inner = text[1:-1].strip()
    added = orjson.dumps(members).decode()[1:-1]
    return "{" + (f"{inner},{added}" if inner else added) + "}"


def elements(raw: bytes, name: str) -> list[str]:
    """The texts of the elements of a list in a JSON object, as they came.

    `raw` was taken by parse and is an object; `name` is the list's member.
    """
    text = raw.decode()
    found: list[str] = []
    at = _behind(text, text.index("{"))
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        at = _behind(text, _skip(text, end))  # the colon
        if key == name:
            found, end = _list(text, at)
        else:
            end = _DECODER.raw_decode(text, at)[1]
        at = _next(text, end)
    return found


def _list(text: str, at: int) -> tuple[list[str], int]:
    """The texts of a list's elements, and where it ends."""
    found = []
    at = _behind(text, at)
    while text[at] != "]":
        end = _DECODER.raw_decode(text, at)[1]
        found.append(text[at:end])
        at = _next(text, end)
    return found, at + 1


def _next(text: str, at: int) -> int:
    """Where what follows a value begins: behind its comma, or at the end of the whole."""
    at = _skip(text, at)
    return _behind(text, at) if text[at] == "," else at


def _behind(text: str, at: int) -> int:
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def query_members(query: Mapping[str, str]) -> dict[str, Any]:
    """Query parameters as members.

    `filter[points][gte]=3` becomes {"filter": {"points": {"gte": "3"}}}.
    """
    members: dict[str, Any] = {}
    filters: dict[str, dict[str, str]] = {}
    for name, value in query.items():
        if "\0" in value or "\0" in name:
            _refuse("nul_character", "Text can't hold the NUL character.", iter([(name,)]))
        match = _PARAMETER.match(name)
        if match:
            filters.setdefault(match[1], {})[match[2] or "eq"] = value
        else:
            members[name] = value
    return {"filter": filters} | members if filters else members


def _depth(value: Any) -> int:
    """The levels of nesting, found without recursion."""
    deepest, stack = 0, [(value, 1)]
    while stack:
        item, level = stack.pop()
        if isinstance(item, dict | list):
            deepest = max(deepest, level)
            stack += [(x, level + 1) for x in (item.values() if isinstance(item, dict) else item)]
    return deepest


def _nuls(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of texts with a NUL, and of objects that have one in a key, in their order.

    `value` is not deeper than MAX_DEPTH.
    """
    if isinstance(value, str):
        if "\0" in value:
            yield path
        return
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        if any("\0" in key for key in value):
            yield path
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, item in members:
        yield from _nuls(item, (*path, name))


def _finite(text: str) -> float:
    """A number as any JSON reader takes it: a double.

    1e999 would be infinite, 1e-999 thousands of digits.
    """
    value = float(text)
    digits = text.lower().split("e")[0].strip("-0.")
    if math.isinf(value) or (value == 0 and digits):
        raise Problem(422, "number_out_of_range", f"The number {text[:40]} is out of range.")
    return value


def _refuse(code: str, message: str, paths: Iterator[tuple[str | int, ...]]) -> None:
    """Raises Problem 422 with the first of these faults, if there are any."""
    errors = [
        {"path": ".".join(map(str, path)), "message": message} for path in islice(paths, MAX_FAULTS)
    ]
    if errors:
        raise Problem(422, code, message, extra={"errors": errors})
