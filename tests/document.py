"""Whether what a server answers is what its OpenAPI document says."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import jsonschema_rs
import orjson

from rowcast.openapi import document
from rowcast.operations import Operation, operations

_SILENT = (204, 304)


def check(method: str, path: str, status: int, media: str, text: str) -> None:
    """Fails unless an answer is one of those that the document has for its operation.

    Members that the document does not name are faults too: here its schemas are closed.
    """
    found = _find(method, path.partition("?")[0])
    if found is None or status in _SILENT or status == 405:
        return
    says = document()["paths"][found.path][method.lower()]["responses"]
    assert str(status) in says, f"{method} {path}: the document has no {status}: {text[:300]}"
    if not media.endswith("json"):
        return
    validator = validator_of(found.name, status)
    try:
        validator.validate(orjson.loads(text))
    except jsonschema_rs.ValidationError as error:
        raise AssertionError(
            f"{found.name} answers {status} otherwise than its model in server/rowcast/answers/:"
            f" {error.message} at {'.'.join(map(str, error.instance_path))}: {text[:1000]}"
        ) from None


@cache
def validator_of(name: str, status: int) -> jsonschema_rs.Validator:
    """The validator of the answers that an operation gives with a status."""
    operation = next(x for x in operations() if x.name == name)
    response = document()["paths"][operation.path][operation.method.lower()]["responses"]
    return validator({"$ref": f"#/{_pointer(response[str(status)], operation, status)}"})


def validator(schema: Any, *, is_open: bool = False) -> jsonschema_rs.Validator:
    """The validator of a schema of the document."""
    whole = document() if is_open else _closed_document()
    return jsonschema_rs.validator_for({**whole, **schema}, validate_formats=True)


def _pointer(response: Any, operation: Operation, status: int) -> str:
    if "$ref" in response:
        inner = response["$ref"].removeprefix("#/") + "/content"
        return f"{inner}/application~1problem+json/schema"
    path = operation.path.replace("~", "~0").replace("/", "~1").replace("{", "%7B")
    path = path.replace("}", "%7D")
    media = operation.media.replace("/", "~1")
    start = f"paths/{path}/{operation.method.lower()}/responses/{status}"
    return f"{start}/content/{media}/schema"


@cache
def _closed_document() -> Any:
    closed = deepcopy(document())
    for schema in _schemas(closed["components"]["schemas"]):
        if schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return closed


def _schemas(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from _schemas(inner)


@cache
def _tree() -> dict[str, Any]:
    root: dict[str, Any] = {}
    for operation in operations():
        node = root
        for part in operation.path.split("/"):
            node = node.setdefault("{}" if part.startswith("{") else part, {})
        node[f" {operation.method}"] = operation
    return root


def _find(method: str, path: str) -> Operation | None:
    """The operation that a request goes to; what stands there literally wins, as in the router."""

    def below(node: dict[str, Any], parts: list[str]) -> Operation | None:
        if not parts:
            found: Operation | None = node.get(f" {method}")
            return found
        for key in (parts[0], "{}"):
            if key in node and (found := below(node[key], parts[1:])) is not None:
                return found
        return None

    return below(_tree(), path.split("/"))
