"""The OpenAPI document: whole, valid, and true."""

import os
import re
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema_rs
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from document import validator
from openapi.story import FILE, Story, deployment, tell
from rowcast.answers import ANSWERS
from rowcast.app import make_app
from rowcast.openapi import document, examples
from rowcast.operations import Operation, codes, operations
from rowcast.pages import PAGES
from support import ROOT, Client, Database, deployed, serving

ALL = [pytest.param(operation, id=operation.name) for operation in operations()]


NAMED = re.compile(r"`(\w+)` \((\d{3})\)")  # a code in the description of an operation


def of(operation: Operation) -> Any:
    """What the document says of an operation."""
    return document()["paths"][operation.path][operation.method.lower()]


def test_every_route_is_in_the_document_and_nothing_else(database: Database) -> None:
    app = make_app(deployed(database), lambda: None)
    routed = {
        (route.method, resource.canonical)
        for resource in app.router.resources()
        for route in resource
        if resource.canonical not in PAGES
    }
    said = {(method.upper(), path) for path, item in document()["paths"].items() for method in item}
    assert sorted(routed - said) == []
    assert sorted(said - routed) == []


def test_the_document_is_openapi() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_no_two_models_have_one_name() -> None:
    assert [name for name in document()["components"]["schemas"] if "__" in name] == []


def test_every_model_of_an_answer_is_of_an_operation() -> None:
    names = {name for operation in operations() for name in (operation.name, operation.function)}
    assert sorted(set(ANSWERS) - names) == []


def test_every_operation_has_a_model_of_its_answer() -> None:
    """Put it into server/rowcast/answers/."""
    json = [o for o in operations() if o.media == "application/json" and o.name != "openapi"]
    assert [o.name for o in json if not {o.name, o.function} & set(ANSWERS)] == []


def test_every_operation_has_an_example() -> None:
    """Play it in tests/openapi/story.py, then: make examples."""
    told = {o.function for o in operations() if o.name in examples()}
    missing = {o.name for o in operations() if o.function is None or o.function not in told}
    assert sorted(missing - {"openapi"} - set(examples())) == []


@pytest.mark.parametrize("operation", ALL)
def test_an_operation_says_all_that_is_to_be_said(operation: Operation) -> None:
    said = of(operation)
    assert said["summary"].endswith(".")
    assert said["tags"]
    assert all(
        "schema" in media for media in said["responses"][str(operation.status)]["content"].values()
    )
    problems = [status for status in said["responses"] if status >= "400"]
    assert {"429", "500"} <= set(problems)
    assert operation.anybody is not False or {"401", "403"} <= set(problems)
    for parameter in said["parameters"]:
        assert "$ref" in parameter or parameter["in"] == "path" or parameter["description"], (
            f"describe {parameter['name']} in server/rowcast/openapi.py"
        )


def test_an_operation_names_no_code_that_the_page_of_codes_does_not_have() -> None:
    for operation in operations():
        said = of(operation)
        for code, status in NAMED.findall(said.get("description", "")):
            assert code in codes()[int(status)], f"{operation.name}: {code} ({status})"
            assert status in said["responses"], f"{operation.name}: {code} ({status})"


def test_a_head_of_sql_names_no_code_that_the_page_of_codes_does_not_have() -> None:
    """Whoever writes one that is not there (a slip of the pen) would miss it in the document."""
    for file in (ROOT / "sql" / "api").glob("*.sql"):
        head = file.read_text().partition("\ncreate ")[0]
        for status, listed in re.findall(r"PT([45]\d\d) ((?:[a-z_]+, )*[a-z_]+)", head):
            named = {word for word in listed.split(", ") if "_" in word}
            assert sorted(named - set(codes()[int(status)])) == [], file.name


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("transaction_undo", "nothing_to_undo"),
        ("transaction_redo", "nothing_to_redo"),
        ("record_delete", "unknown_record not_permitted version_mismatch"),
        ("record_restore", "unknown_record not_permitted seq_expired unknown_seq"),
        (
            "simflow_request_assign",
            "unknown_member not_permitted unknown_record version_mismatch conflict",
        ),
        (
            "transaction_apply",
            "unknown_record unknown_collection not_permitted conflict record_exists"
            " transaction_expired transaction_reused invalid_operation invalid_path not_a_number"
            " number_out_of_range not_a_list invalid_document_fields position_order",
        ),
    ],
)
def test_an_operation_names_the_codes_of_its_own_and_of_what_it_calls(
    name: str, named: str
) -> None:
    (operation,) = [operation for operation in operations() if operation.name == name]
    assert [code for code, _ in NAMED.findall(operation.description)] == named.split()


def test_an_example_has_what_its_operation_takes() -> None:
    for operation in operations():
        example = examples().get(operation.name, {"path": operation.variables, "body": {}})
        assert set(operation.variables) == set(example.get("path", {})), operation.name
        assert operation.body is None or "body" in example, operation.name


@pytest.mark.parametrize("operation", ALL)
def test_its_examples_fit_its_schemas(operation: Operation) -> None:
    said = of(operation)
    shown = list(said.get("requestBody", {}).get("content", {}).values())
    shown += said["responses"][str(operation.status)].get("content", {}).values()
    shown += [parameter for parameter in said["parameters"] if "example" in parameter]
    for media in shown:
        if "example" in media:
            schema, example = media["schema"], media["example"]
            if schema.get("type") in ("integer", "boolean") and isinstance(example, str):
                example = orjson.loads(example)  # as it stands in an address
            validator(schema).validate(example)


def test_the_problems_fit_their_schemas() -> None:
    for status in codes():
        media = document()["components"]["responses"][f"Problem{status}"]["content"]
        problem = media["application/problem+json"]
        validator(problem["schema"]).validate(problem["example"])
        with pytest.raises(jsonschema_rs.ValidationError):
            validator(problem["schema"]).validate({**problem["example"], "code": "made_up"})


async def test_the_document_and_its_page_are_for_anybody_and_from_here_alone(
    app_url: str, session: aiohttp.ClientSession
) -> None:
    nobody = Client(session, app_url, None)
    read = await nobody.send("GET", "/api/openapi.json")
    assert orjson.loads(read.text) == document()
    again = {"If-None-Match": read.headers["ETag"]}
    assert (await nobody.send("GET", "/api/openapi.json", headers=again)).status == 304
    for path in ("/api/docs", "/api/docs/docs.css", "/api/docs/docs.js"):
        page = await nobody.send("GET", path)
        assert page.status == 200
        assert "//" not in page.text.replace("// ", "").replace("data:,", ""), path
        assert "script-src 'self'" in page.headers["Content-Security-Policy"] or "." in path


async def test_the_examples_are_what_the_server_says(
    database: Database, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with serving(deployment(database, tmp_path)) as url:
        told = await tell(Story(database, Client(session, url, None)))
    if os.environ.get("WRITE_EXAMPLES"):
        FILE.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    recorded = orjson.loads(FILE.read_bytes())
    for name, example in told.items():
        assert recorded.get(name) == example, f"{name} answers otherwise now: make examples"
    assert sorted(set(recorded) - set(told)) == []
