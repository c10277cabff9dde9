"""The templates of workspaces: `templates/*.toml`, read and checked before they are stored.

A fault that would only show when a workspace is made, or when somebody takes a step of a workflow,
is told here, with the file and the place.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rowcast.resources import resource_directory

_TYPES: dict[str, type | tuple[type, ...]] = {
    "text": str, "long_text": str, "number": (int, float), "boolean": bool, "date": str,
    "datetime": str, "select": object, "multi_select": list, "user": (), "reference": (),
    "url": str, "json": object,
}  # fmt: skip
_FIELD = {"key", "label", "type", "required", "options", "default", "target", "onDelete"}
_TRANSITION = {"from", "to", "roles", "requires"}
_ON_DELETE = ("refuse", "unset", "delete")
Table = dict[str, Any]


class TemplateError(ValueError):
    """Templates that can't be used; the message has a line for each fault."""


def read_templates(directory: Path | None = None) -> list[Table]:
    """The definitions of all templates, each with the standard roles. Raises TemplateError."""
    directory = directory or resource_directory("templates")
    standard = tomllib.loads((directory / "standard" / "roles.toml").read_text("utf-8"))["roles"]
    found, faults = [], []
    for path in sorted(directory.glob("*.toml")):
        definition = tomllib.loads(path.read_text("utf-8"))
        roles = {role["key"]: role for role in [*standard, *definition.get("roles", [])]}
        definition["roles"] = list(roles.values())
        faults += [f"{path.name}: {fault}" for fault in template_faults(definition)]
        found.append(definition)
    if faults:
        raise TemplateError("\n".join(faults))
    return found


def template_faults(definition: Table) -> Iterator[str]:
    """What is wrong with a template, roles included: a sentence for each fault."""
    collections = definition.get("collections", [])
    keys = [c.get("key") for c in collections]
    yield from (f"the collection {key!r} stands twice" for key in _doubled(keys))
    for collection in collections:
        place = f"collection {collection.get('key')!r}"
        for fault in _collection_faults(collection, keys, definition.get("roles", [])):
            yield f"{place}: {fault}"
    users = {user.get("email") for user in definition.get("users", [])}
    for number, record in enumerate(definition.get("records", []), 1):
        if record.get("collection") not in keys:
            yield f"record {number} is of no collection: {record.get('collection')!r}"
        if "by" in record and record["by"] not in users:
            yield f"record {number} is by nobody: {record['by']!r}"


def _collection_faults(
    collection: Table, collections: Sequence[Any], roles: list[Table]
) -> Iterator[str]:
    for key in ("key", "plural", "label", "prefix"):
        if not isinstance(collection.get(key), str):
            yield f"it has no {key}"
    if collection.get("unknownFields", "keep") not in ("keep", "refuse"):
        yield f"unknownFields is keep or refuse, not {collection['unknownFields']!r}"
    for key in collection.keys() & {"unknown_fields", "unknownfields", "workflows"}:
        yield f"{key!r} means nothing"
    fields = {field.get("key"): field for field in collection.get("fields", [])}
    doubled = _doubled([field.get("key") for field in collection.get("fields", [])])
    yield from (f"the field {key!r} stands twice" for key in doubled)
    for key, field in fields.items():
        yield from (f"field {key!r}: {fault}" for fault in _field_faults(field, collections))
    workflow = collection.get("workflow", [])
    yield from (
        f"the workflow of {key!r} stands twice"
        for key in _doubled([w.get("field") for w in workflow])
    )
    for part in workflow:
        name = part.get("field")
        for fault in _workflow_faults(part, fields, {role.get("key") for role in roles}):
            yield f"workflow of {name!r}: {fault}"


def _field_faults(field: Table, collections: Sequence[Any]) -> Iterator[str]:
    kind = field.get("type")
    yield from (f"{key!r} means nothing" for key in sorted(field.keys() - _FIELD))
    if not isinstance(field.get("key"), str) or not isinstance(field.get("label"), str):
        yield "it has no key, or no label"
    if kind not in _TYPES:
        yield f"there is no type {kind!r}: there are {', '.join(_TYPES)}"
        return
    if not isinstance(field.get("required", False), bool):
        yield "required is true or false"
    if "options" in field and kind not in ("select", "multi_select"):
        yield f"a {kind} has no options"
    options = option_values(field)
    yield from (f"the option {value!r} stands twice" for value in _doubled(options))
    for key in ("target", "onDelete"):
        if key in field and kind != "reference":
            yield f"only a reference has a {key}"
    if "target" in field and field["target"] not in collections:
        yield f"its target is no collection: {field['target']!r}"
    if field.get("onDelete", "unset") not in _ON_DELETE:
        yield f"onDelete is one of {', '.join(_ON_DELETE)}, not {field['onDelete']!r}"
    if "default" in field and not _default_fits(kind, options, field["default"]):
        yield f"its default does not fit: {field['default']!r}"


def _default_fits(kind: str, options: list[Any], value: Any) -> bool:
    if isinstance(value, bool) and kind in ("number", "select"):
        return False
    if kind == "multi_select" and isinstance(value, list):
        return not options or all(part in options for part in value)
    if kind == "select":
        return value in options if options else isinstance(value, str)
    return isinstance(value, _TYPES[kind])


def _workflow_faults(part: Table, fields: dict[Any, Table], roles: set[Any]) -> Iterator[str]:
    field = fields.get(part.get("field"))
    if field is None or field.get("type") != "select":
        yield "that is no select of this collection"
        return
    options = option_values(field)
    transitions = part.get("transitions", [])
    if not transitions:
        yield "it has no transitions"
    for number, transition in enumerate(transitions, 1):
        place = f"transition {number}"
        yield from (
            f"{place}: {key!r} means nothing" for key in sorted(transition.keys() - _TRANSITION)
        )
        if "from" in transition and transition["from"] not in [*options, "*"]:
            yield f"{place}: from is no option: {transition['from']!r}"
        if "to" in transition and transition["to"] not in options:
            yield f"{place}: to is no option: {transition['to']!r}"
        if "from" not in transition and "to" not in transition:
            yield f"{place}: it leads from nothing to nothing"
        unknown = [role for role in transition.get("roles", []) if role not in roles]
        yield from (f"{place}: there is no role {role!r}" for role in unknown)
        missing = [key for key in transition.get("requires", []) if key not in fields]
        yield from (f"{place}: it requires no field of this collection: {key!r}" for key in missing)
    if "default" not in field and all("from" in transition for transition in transitions):
        yield "nothing leads into it: give the field a default, or a transition without from"


def option_values(field: Table) -> list[Any]:
    """The values of a field's options, each bare or {value, label, color}."""
    return [o.get("value") if isinstance(o, dict) else o for o in field.get("options", [])]


def _doubled(values: Sequence[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]
