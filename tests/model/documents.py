"""What the operations of a transaction do to a document, told a second time.

The replica shows its user with it what is not sent yet; the checker holds the log against it.
"""

from collections.abc import Collection, Iterable
from copy import deepcopy
from typing import Any

from json_documents import merged

Document = dict[str, Any]
Operation = dict[str, Any]

NOW = "<now>"  # what set-now makes of a field, until somebody has seen what it was
ON_DOCUMENTS = ("set", "set-now", "unset", "merge", "increment", "list-insert", "list-remove")


class RefusedError(Exception):
    """An operation that can't be done on this document."""


def path_of(operation: Operation) -> list[str]:
    """The place of a field operation in the document."""
    return list(operation["path"]) if "path" in operation else [operation["key"]]


def claims_of(operations: Iterable[Operation]) -> set[str]:
    """The fields whose value is said: those that can collide. Steps and lists say what to do."""
    claims: set[str] = set()
    for operation in operations:
        if operation["type"] == "merge":
            claims.update(operation["patch"])
        elif operation["type"] in ("set", "set-now", "unset"):
            claims.add(path_of(operation)[0])
    return claims


def applied(document: Document, operation: Operation) -> Document:
    """A document behind one operation. Raises RefusedError."""
    if operation["type"] == "merge":
        result: Document = merged(document, operation["patch"])
        return result
    path = path_of(operation)
    old = _get(document, path)
    match operation["type"]:
        case "set":
            return _put(document, path, operation["value"])
        case "set-now":
            return _put(document, path, NOW)
        case "unset":
            return _put(document, path, None)
        case "increment":
            return _put(document, path, _checked(old, int, 0) + operation["by"])
        case "list-insert":
            return _put(document, path, _inserted(_checked(old, list, []), operation))
        case "list-remove":
            rest = [value for value in _checked(old, list, []) if value != operation["value"]]
            return _put(document, path, rest)
    raise AssertionError(f"not an operation on a document: {operation}")


def with_fields(document: Document, source: Document, keys: Collection[str]) -> Document:
    """A document with some fields as another one has them."""
    kept = {key: value for key, value in document.items() if key not in keys}
    return {**kept, **{key: source[key] for key in keys if key in source}}


def seen(document: Document, real: Document) -> Document:
    """A document with the times that a real one has, where it has only that there is one."""
    return {key: real.get(key) if value == NOW else value for key, value in document.items()}


def _checked(value: Any, kind: type, missing: Any) -> Any:
    if value is None:
        return missing
    if not isinstance(value, kind):
        raise RefusedError(f"{value!r} is no {kind.__name__}")
    return value


def _get(document: Document, path: list[str]) -> Any:
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _put(document: Document, path: list[str], value: Any) -> Document:
    result = deepcopy(document)
    inner = result
    for key in path[:-1]:
        if value is None and not isinstance(inner.get(key), dict):
            return result
        inner = inner.setdefault(key, {})
        if not isinstance(inner, dict):
            raise RefusedError(f"there is nothing within {key}")
    if value is None:
        inner.pop(path[-1], None)
    else:
        inner[path[-1]] = value
    return result


def _inserted(values: list[Any], operation: Operation) -> list[Any]:
    value = operation["value"]
    placed = [name for name in ("before", "after", "index") if operation.get(name) is not None]
    if not placed and value in values:
        return values
    rest = [other for other in values if other != value]
    place = len(rest)
    if placed == ["index"]:
        place = operation["index"]
    elif placed and operation[placed[0]] in rest:
        place = rest.index(operation[placed[0]]) + (placed[0] == "after")
    return [*rest[:place], value, *rest[place:]]
