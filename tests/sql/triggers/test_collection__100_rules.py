"""The rules of a collection follow its fields and its workflow, whoever changes them."""

from psycopg.types.json import Jsonb

from record_table import Table
from rowcast.resources import resource_directory
from support import Database

RULES = "select jsonb_build_array(rules, defaults, required_fields) from core.collection where {}"


def test_they_follow_fields_and_workflow(table: Table, database: Database) -> None:
    table.other_collection()
    query = RULES.format("key = 'note'")
    assert database.value(query) == [{}, {}, []]
    database.run(
        "insert into core.field (workspace_id, collection, key, label, type, required, options,"
        " default_value) values (%s, 'note', 's', 'S', 'select', true, %s, '\"a\"')",
        table.workspace, Jsonb(["a", {"value": "b", "label": "B"}]),
    )  # fmt: skip
    rule = {"type": "select", "options": ["a", "b"], "required": True}
    assert database.value(query) == [{"s": rule}, {"s": "a"}, ["s"]]
    steps = [{"from": "a", "to": "b"}]
    database.run(
        "update core.collection set workflow = %s where key = 'note'",
        Jsonb([{"field": "s", "transitions": steps}]),
    )
    bound = {**rule, "transitions": steps, "initial": "a"}
    assert database.value(query) == [{"s": bound}, {"s": "a"}, ["s"]]
    database.run("update core.field set required = false where key = 's'")
    assert "required" not in database.value(query)[0]["s"]
    database.run("delete from core.field where key = 's'")
    assert database.value(query) == [{}, {}, []]


def test_the_migration_makes_them_as_the_trigger_does(database: Database) -> None:
    """For the collections that were there before it."""
    database.workspace()
    query = RULES.format("key = 'task'")
    database.run(
        "update core.field set required = true, default_value = '\"x\"' where key = 'title'"
    )
    before = database.value(query)
    assert before[2] == ["title"]
    database.run("update core.collection set rules = '{}', defaults = '{}', required_fields = '{}'")
    text = (resource_directory("migrations") / "0007.fields.sql").read_text()
    database.run("update" + text.split("\nupdate", 1)[1].replace("%", "%%"))
    assert database.value(query) == before


def test_the_samples_of_the_demo_are_there_in_any_state(database: Database) -> None:
    database.value("select trusted.sample_prepare('demo@rowcast.example', 'Demo')")
    found = database.run(
        "select data ->> 'status' from core.record where collection = 'request' order by number"
    )
    assert [status for (status,) in found] == ["In Progress", "Submitted", "Submitted"]
