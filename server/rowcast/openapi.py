"""The OpenAPI 3.1 document: operations.py, with the schemas of models.py and answers/.

Examples are those of examples.json, which `make examples` records.
https://spec.openapis.org/oas/v3.1.1.html
"""

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from rowcast import __version__, answers, models
from rowcast.answers.base import Problem
from rowcast.operations import TAGS, Operation, codes, operations
from rowcast.resources import resource_directory

Json = dict[str, Any]

_ABOUT = """
Postgres rows, cast live to every browser. Bodies and answers are camelCase JSON, ids UUIDs, times RFC 3339 in UTC.

- **Errors** are `application/problem+json` (RFC 9457) with a stable `code`; the schemas of the problems list them all.
- **Writes** answer with the `seq` of their last change, for which a client can wait on its stream. With an
  `Idempotency-Key` a repeat does nothing twice.
- **Versions**: `If-Match` is strict (412), `baseVersion` merges field by field (409 where the same one changed);
  without either the last writer wins per field.
- **Lists** answer `{"<plural>": […], "nextCursor": …}`; send `nextCursor` back as `cursor` until it is null.
"""  # noqa: E501

# What a variable of a path is, unless it is a UUID.
_VARIABLES: Mapping[str, Json] = {
    "id": {
        "description": "The record's id, or its display id (`TSK-001-0001`).",
        "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"^[\w-]+$"},
    },
    "collection": {
        "description": "The collection's key, or its plural.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"^\w+$"},
    },
}

_PARAMETERS = {
    "collection": "The key of a collection, in the singular or the plural.",
    "cursor": "Where to go on: the last answer's `nextCursor`.",
    "limit": "How many at most.",
    "page": "Which page, from 0.",
    "q": 'Words, all of which are to match; "a phrase", -excluded. See docs/lists.md.',
    "sort": "Fields to sort by, `-` for descending: `-priority,createdAt`.",
    "filter": "`filter[status]=todo`, `filter[points][gte]=3`: a field, and perhaps an operator (`eq` `ne` `gt` `gte` `lt`"  # noqa: E501
    " `lte` `in` `contains` `empty`).",
    "workspaceId": "The workspace, where you are a member of several that could be meant.",
    "role": "Only users of this role: `ENGINEER`.",
    "since": "The seq behind which to go on.",
    "coalesce": "One change per record, for all that happened to it.",
    "at": "As it was at this seq of the log.",
    "lastEventId": "As the header `Last-Event-ID`, for a first connect.",
    "collections": "Only these collections: `task,note`.",
    "records": "Only these records: ids, with commas between.",
    "include": "`record`: each event brings the whole record.",
    "ticket": "From `POST /api/v1/auth/ticket`, in place of credentials.",
    "client": "The `clientId` of the stream, one for each tab; without it it is given one.",
    "map": "Which column a field is read from: `map[title]=Summary`.",
    "dryRun": "Say what would happen, and write nothing.",
    "inline": "`1`: a picture is to be shown, and not saved.",
    "deleted": "The deleted ones, which can be restored.",
}

_FORM: Json = {
    "type": "object",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
}

_CREDENTIALS: list[dict[str, list[str]]] = [{"bearer": []}, {"token": []}, {"cookie": []}]


@cache
def document() -> Json:
    """The document, as JSON members."""
    schemas = _schemas()
    paths: Json = {}
    for operation in operations():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(
            operation, schemas
        )
    tags = dict.fromkeys(operation.tag for operation in operations())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rowcast",
            "version": __version__,
            "description": _ABOUT.strip(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys([*TAGS.values(), *tags]) if tag in tags],
        "security": _CREDENTIALS,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": _common_parameters(),
            "headers": _headers(),
            "responses": {f"Problem{status}": _problem(status) for status in sorted(codes())},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The access token that signing in answers.",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "rct_…",
                    "description": "A personal access token, for programs.",
                },
                "cookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "rowcast_session",
                    "description": "Set by signing in (by HTTPS as `__Host-rowcast_session`). Writes need an `Origin` of ours.",  # noqa: E501
                },
            },
        },
    }


@cache
def document_bytes() -> bytes:
    """The document, as it is served."""
    return orjson.dumps(document())


@cache
def examples() -> Mapping[str, Json]:
    """By operation: {path, query, body, status, answer}, as they were recorded."""
    found: Mapping[str, Json] = orjson.loads((files("rowcast") / "examples.json").read_bytes())
    return found


class _Plain(GenerateJsonSchema):
    """JSON Schema without titles, which would repeat the names of members."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False

    def generate(self, schema: Any, mode: Any = "validation") -> JsonSchemaValue:
        """As the base class."""
        return _without_title(super().generate(schema, mode))


class _NoNulls(_Plain):
    """The same, where a member that is not there is left out, and never null."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """As the base class, without the null that stands for absence."""
        if "default" in schema and schema["default"] is None:
            inner = schema["schema"]
            return self.generate_inner(inner["schema"] if inner["type"] == "nullable" else inner)
        return super().default_schema(schema)


def _without_title(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {name: value for name, value in schema.items() if name != "title"}


def _definitions(found: set[type[BaseModel]], generator: type[GenerateJsonSchema]) -> Json:
    ordered = sorted(found, key=lambda model: model.__name__)
    _, definitions = models_json_schema(
        [(model, "validation") for model in ordered],
        ref_template="#/components/schemas/{model}",
        schema_generator=generator,
    )
    return {name: _without_title(x) for name, x in definitions.get("$defs", {}).items()}


@cache
def _schemas() -> Json:
    bodies = {operation.body for operation in operations() if operation.body is not None}
    shown = {model for operation in operations() for model in _answers(operation)}
    of_bodies = _definitions(bodies, _Plain)
    templates = sorted(file.stem for file in resource_directory("templates").glob("*.toml"))
    of_bodies["WorkspaceCreate"]["properties"]["template"]["enum"] = templates
    of_answers = _definitions({Problem, *shown}, _NoNulls)
    twice = sorted(set(of_bodies) & set(of_answers))
    assert not twice, f"models of bodies and of answers by the same name: {twice}"
    return dict(sorted((of_bodies | of_answers).items()))


def _answers(operation: Operation) -> tuple[type[BaseModel], ...]:
    """Its own models, or those of its function, which several share."""
    of_it = answers.ANSWERS.get(operation.name)
    return of_it or answers.ANSWERS.get(operation.function or "", ())


def _operation(operation: Operation, schemas: Json) -> Json:
    example = examples().get(operation.name, {})
    found: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    if operation.description:
        found["description"] = operation.description
    found["parameters"] = [*_parameters(operation, example)]
    if operation.body is not None:
        content = {"application/json": _content(_ref(operation.body), example, "body")}
        if operation.patch:
            content["application/merge-patch+json"] = {
                "schema": {"type": "object"},
                **({"example": example["body"]["patch"]} if "body" in example else {}),
            }
        required = operation.body is not models.Logout
        found["requestBody"] = {"required": required, "content": content}
    if operation.upload:
        media = {
            kind: {"schema": _FORM if kind == "multipart/form-data" else {"type": "string"}}
            for kind in operation.upload
        }
        if "text" in example:
            media[operation.upload[0]]["example"] = example["text"]
        found["requestBody"] = {"required": True, "content": media}
    if operation.anybody is not False:
        found["security"] = [] if operation.anybody else [{}, *_CREDENTIALS]
    found["responses"] = _responses(operation, example)
    return found


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _content(schema: Json, example: Json, member: str) -> Json:
    return {"schema": schema} | ({"example": example[member]} if member in example else {})


def _parameters(operation: Operation, example: Json) -> Iterator[Json]:
    shown = example.get("path", {})
    for name in operation.variables:
        variable = _VARIABLES.get(name, {"schema": {"type": "string", "format": "uuid"}})
        yield {"name": name, "in": "path", "required": True, **variable} | (
            {"example": shown[name]} if name in shown else {}
        )
    yield from _query_parameters(operation, example.get("query", {}))
    if operation.keyed:
        yield {"$ref": "#/components/parameters/idempotencyKey"}
    if operation.client:
        yield {"$ref": "#/components/parameters/rowcastClient"}
    if operation.if_match:
        yield {"$ref": "#/components/parameters/ifMatch"}
    if operation.media == "text/event-stream":
        yield {"$ref": "#/components/parameters/lastEventId"}
    elif _has_etag(operation):
        yield {"$ref": "#/components/parameters/ifNoneMatch"}
    if operation.partial:
        yield {"$ref": "#/components/parameters/range"}


def _query_parameters(operation: Operation, shown: Json) -> Iterator[Json]:
    schema = operation.query.model_json_schema(schema_generator=_NoNulls)
    for name, member in schema.get("properties", {}).items():
        if name == "workspaceId" and "workspace" in operation.variables:
            continue  # the path has said it
        found = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": _PARAMETERS.get(name, ""),
            "schema": member,
        }
        if name in ("filter", "map"):
            found |= {"style": "deepObject", "explode": True}
            found["schema"] = {
                "type": "object",
                "propertyNames": {"pattern": r"^[^\[\]]{1,100}$"},
                "additionalProperties": {"type": "string", "maxLength": 1000},
            }
            inner = {
                key[len(name) + 1 : -1]: x for key, x in shown.items() if key.startswith(f"{name}[")
            }
            found |= {"example": inner} if inner else {}
        elif name in shown:
            found["example"] = shown[name]
        yield found


def _common_parameters() -> Json:
    text: Json = {"type": "string", "minLength": 1, "maxLength": 255}
    etag: Json = {"type": "string"}
    return {
        "idempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The write's id: sent again with it, it takes effect once.",
            "schema": text,
        },
        "rowcastClient": {
            "name": "Rowcast-Client",
            "in": "header",
            "description": "Which client (a tab) asks: the `clientId` of its stream, or an id of its own.",  # noqa: E501
            "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        },
        "ifMatch": {
            "name": "If-Match",
            "in": "header",
            "description": 'The version that must still hold, as `ETag` told it: `"3"`. 412 where it moved on.',  # noqa: E501
            "schema": etag,
        },
        "ifNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "An `ETag`; 304 where the answer is still the same.",
            "schema": etag,
        },
        "range": {
            "name": "Range",
            "in": "header",
            "description": "One range of bytes: `bytes=0-1023`, `bytes=1024-`, `bytes=-1024`.",
            "schema": {"type": "string"},
        },
        "lastEventId": {
            "name": "Last-Event-ID",
            "in": "header",
            "description": "The id of the last event that came: go on behind it.",
            "schema": {"type": "string", "maxLength": 100},
        },
    }


def _headers() -> Json:
    return {
        "ETag": {
            "description": "The record's version, or a hash of the answer.",
            "schema": {"type": "string"},
        },
        "RetryAfter": {
            "description": "Seconds to wait.",
            "required": True,
            "schema": {"type": "integer"},
        },
        "Allow": {"description": "What it takes.", "schema": {"type": "string"}},
        "WWWAuthenticate": {"required": True, "schema": {"type": "string"}},
    }


def _responses(operation: Operation, example: Json) -> Json:
    found: Json = {str(operation.status): _success(operation, example)}
    if operation.partial:
        found["206"] = {**found["200"], "description": "The range that was asked for."}
    if _has_etag(operation):
        found["304"] = {"description": "You have it already."}
    for status in _problem_statuses(operation):
        found[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return found


def _success(operation: Operation, example: Json) -> Json:
    of_it = _answers(operation)
    if operation.media != "application/json" or operation.partial:
        schema: Json = {"type": "string"}
    elif operation.name == "openapi":
        schema = {"type": "object", "required": ["openapi", "info", "paths"]}
    else:
        alternatives = [_ref(model) for model in of_it]
        schema = alternatives[0] if len(of_it) == 1 else {"anyOf": alternatives or [{}]}
    description = (of_it[0].__doc__ if of_it else operation.summary) or ""
    found: Json = {
        "description": description.partition("\n")[0],
        "content": {operation.media: _content(schema, example, "answer")},
    }
    if _has_etag(operation):
        found["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
    return found


def _has_etag(operation: Operation) -> bool:
    return (
        not operation.writes
        and operation.media != "text/event-stream"
        and not operation.path.startswith("/health/")
    )


def _problem_statuses(operation: Operation) -> list[int]:
    """The problems that an operation of this kind can answer."""
    found = {400, 422, 429, 500, 503}
    if operation.path.startswith("/health/"):
        return [429, 500, 503]
    if operation.anybody is not True or operation.path.startswith("/api/v1/auth/"):
        found |= {401, 403, 404}
    if operation.body is not None or operation.upload:
        found |= {408, 413, 415}
    if operation.writes:
        found |= {409, 410, 504}
    if "at" in operation.query.model_fields:
        found.add(410)
    if operation.if_match:
        found.add(412)
    if operation.partial:
        found.add(416)
    return sorted(found)


def _problem(status: int) -> Json:
    of_it = codes()[status]
    headers = {
        401: {"WWW-Authenticate": {"$ref": "#/components/headers/WWWAuthenticate"}},
        405: {"Allow": {"$ref": "#/components/headers/Allow"}},
        429: {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
        503: {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
    }.get(status)
    code, meaning = next(iter(of_it.items()))
    schema = {
        "allOf": [
            _ref(Problem),
            {"properties": {"status": {"const": status}, "code": {"enum": sorted(of_it)}}},
        ]
    }
    example = {
        "type": f"urn:rowcast:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": meaning.partition(". ")[0].rstrip(".") + ".",
        "code": code,
    }
    listed = "\n".join(f"- `{code}`: {meaning}" for code, meaning in of_it.items())
    return {
        "description": f"{HTTPStatus(status).phrase}.\n\n{listed}",
        **({"headers": headers} if headers else {}),
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }
