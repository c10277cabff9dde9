from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from record_table import Table
from support import Database


def nested(levels: int) -> dict[str, Any]:
    """A document of so many levels of objects and arrays, itself the first, with a leaf within."""
    value: Any = "leaf"
    for level in range(levels - 1):
        value = [value] if level % 2 else {"a": value}
    return {"a": value}


def refusal(caught: pytest.ExceptionInfo[psycopg.Error]) -> tuple[str | None, str | None]:
    """SQLSTATE and stable code of an error."""
    return caught.value.sqlstate, caught.value.diag.message_hint


def test_a_write_raises_the_version_and_stamps(table: Table) -> None:
    record = table.insert(title="One")
    before = table.row(record)
    table.update(record, "data = %s", Jsonb({"title": "Two"}))
    after = table.row(record)
    assert (before["version"], after["version"]) == (1, 2)
    assert after["updated_at"] > before["updated_at"]
    assert after["created_at"] == before["created_at"]


@pytest.mark.parametrize(
    "assignment",
    [
        "data = data",
        "updated_at = now() + interval '1 day'",
        "version = 77",
        "updated_by = gen_random_uuid()",
        "data = data || '{\"gone\": null}'",
        'data = \'{"n": 1.0, "title": "One"}\'',
        "position = position, deleted_at = deleted_at, number = number",
        "version = 9, updated_at = now(), updated_by = gen_random_uuid()",
    ],
)
def test_an_update_that_changes_nothing_is_no_change(table: Table, assignment: str) -> None:
    record = table.insert(title="One", n=1)
    before = table.row(record)
    table.update(record, assignment)
    assert table.row(record) == before
    assert len(table.log()) == 1


def test_a_forged_version_beside_a_real_change_is_not_believed(table: Table) -> None:
    record = table.insert()
    table.update(record, "version = 77, data = %s", Jsonb({"a": 1}))
    assert table.row(record)["version"] == 2


@pytest.mark.parametrize(
    "assignment",
    [
        "workspace_id = gen_random_uuid()",
        "id = gen_random_uuid()",
        "collection = 'note'",
        "number = number + 1",
        "display_id = 'TSK-001-0777'",
        "created_at = created_at - interval '1 s'",
        "number = number + 1, data = '{\"a\": 1}'",
    ],
)
def test_what_names_a_record_never_changes(table: Table, assignment: str) -> None:
    table.other_collection()
    record = table.insert()
    before = table.row(record)
    with pytest.raises(psycopg.Error) as caught:
        table.update(record, assignment)
    assert refusal(caught) == ("PT422", "record_identity")
    assert table.row(record) == before


@pytest.mark.parametrize("column", ["id", "collection", "number", "display_id", "created_at"])
def test_what_names_a_record_can_not_be_taken_away(table: Table, column: str) -> None:
    record = table.insert()
    with pytest.raises(psycopg.errors.NotNullViolation):
        table.update(record, f"{column} = null, data = '{{\"a\": 1}}'")
    assert table.row(record)["version"] == 1


def test_null_members_are_stripped_outside_arrays(table: Table) -> None:
    record = table.insert(a=None, b={"c": None}, d=[None])
    assert table.row(record)["data"] == {"b": {}, "d": [None]}
    table.update(record, "data = data || %s", Jsonb({"b": None, "e": {"f": None, "g": 1}}))
    assert table.row(record)["data"] == {"d": [None], "e": {"g": 1}}
    assert table.log()[-1]["patch"] == {"b": None, "e": {"g": 1}}


@pytest.mark.parametrize("value", ["[]", "null", "7", '"text"'])
def test_a_document_is_an_object(table: Table, database: Database, value: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        database.run(
            "insert into core.record (workspace_id, collection, data) values (%s, 'task', %s)",
            table.workspace, value,
        )  # fmt: skip
    assert refusal(caught) == ("PT422", "invalid_document")


def test_a_document_of_256_kib_is_taken_and_one_byte_more_is_not(table: Table) -> None:
    room = 256 * 1024 - len('{"text": ""}')
    record = table.insert(text="x" * room)
    with pytest.raises(psycopg.Error) as caught:
        table.insert(text="x" * (room + 1))
    assert refusal(caught) == ("PT413", "document_too_large")
    with pytest.raises(psycopg.Error) as caught:
        table.update(record, "data = data || %s", Jsonb({"a": 1}))
    assert refusal(caught) == ("PT413", "document_too_large")
    assert table.row(record)["version"] == 1


def test_the_size_of_a_document_is_that_of_its_text_in_bytes(table: Table) -> None:
    with pytest.raises(psycopg.Error) as caught:
        table.insert(text="é" * 132_000)
    assert refusal(caught) == ("PT413", "document_too_large")


def test_a_document_that_is_small_in_store_only_is_not_taken(
    table: Table, database: Database
) -> None:
    """Numbers with an exponent, and what was compressed already, are short until they are text."""
    database.run("create table public.source (data jsonb)")
    database.run(
        "insert into public.source"
        " select jsonb_build_object('n', jsonb_agg(1e300)) from generate_series(1, 1000)"
    )
    database.run("insert into public.source select jsonb_build_object('text', repeat('x', 300000))")
    for column in ("n", "text"):
        with pytest.raises(psycopg.Error) as caught:
            database.run(
                "insert into core.record (workspace_id, collection, data)"
                " select %s, 'task', data from public.source where data ? %s",
                table.workspace,
                column,
            )
        assert refusal(caught) == ("PT413", "document_too_large")


def test_a_document_of_32_levels_is_taken_and_one_more_is_not(table: Table) -> None:
    record = table.insert(**nested(32))
    assert table.row(record)["data"] == nested(32)
    with pytest.raises(psycopg.Error) as caught:
        table.insert(**nested(33))
    assert refusal(caught) == ("PT422", "document_too_deep")


def test_a_direct_writer_is_nobody(table: Table) -> None:
    record = table.insert()
    assert (table.row(record)["created_by"], table.row(record)["updated_by"]) == (None, None)
    assert table.log()[-1]["actor_id"] is None
