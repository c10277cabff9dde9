"""A faulty template is told before it is stored, with the file and the place."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from rowcast.resources import resource_directory
from rowcast.templates import TemplateError, read_templates, template_faults


def definition(**changes: Any) -> dict[str, Any]:
    """A template with one collection, a field of which may be changed by its key."""
    fields: dict[str, dict[str, Any]] = {
        "title": {"type": "text"},
        "status": {
            "type": "select",
            "options": ["a", {"value": "b", "label": "B"}],
            "default": "a",
        },
        "about": {"type": "reference", "target": "note", "onDelete": "refuse"},
        "count": {"type": "number", "default": 3},
        "tags": {"type": "multi_select", "options": ["x", "y"], "default": ["x"]},
    }
    for key, change in changes.items():
        if key in fields:
            fields[key].update(change)
    made: dict[str, Any] = {
        "key": "note",
        "plural": "notes",
        "label": "Notes",
        "prefix": "N",
        "fields": [{"key": key, "label": key, **rest} for key, rest in fields.items()],
        "workflow": [
            {
                "field": "status",
                "transitions": changes.get("transitions", [{"from": "a", "to": "b"}]),
            }
        ],
        **changes.get("collection", {}),
    }
    return {
        "key": "t",
        "roles": [{"key": "owner"}],
        "collections": [made],
        **changes.get("top", {}),
    }


def test_what_is_shipped_and_what_is_right_has_no_faults() -> None:
    assert {template["key"] for template in read_templates()} >= {"tasks", "requests"}
    assert list(template_faults(definition())) == []
    step = {"from": "*", "to": "a", "roles": ["owner"], "requires": ["title"]}
    assert list(template_faults(definition(transitions=[step, {"to": "b"}]))) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"title": {"type": "txet"}}, "field 'title': there is no type 'txet'"),
        ({"title": {"requierd": True}}, "field 'title': 'requierd' means nothing"),
        ({"title": {"required": "yes"}}, "field 'title': required is true or false"),
        ({"title": {"options": ["a"]}}, "field 'title': a text has no options"),
        ({"title": {"default": 3}}, "field 'title': its default does not fit: 3"),
        ({"status": {"default": "c"}}, "field 'status': its default does not fit: 'c'"),
        ({"status": {"options": ["a", "a"]}}, "field 'status': the option 'a' stands twice"),
        ({"count": {"default": True}}, "field 'count': its default does not fit: True"),
        ({"tags": {"default": ["z"]}}, "field 'tags': its default does not fit: ['z']"),
        ({"about": {"target": "nothing"}}, "its target is no collection: 'nothing'"),
        ({"about": {"onDelete": "cascade"}}, "onDelete is one of refuse, unset, delete"),
        ({"about": {"default": "x"}}, "its default does not fit"),
        ({"count": {"target": "note"}}, "only a reference has a target"),
        ({"collection": {"unknownFields": "no"}}, "unknownFields is keep or refuse, not 'no'"),
        ({"collection": {"unknown_fields": "keep"}}, "'unknown_fields' means nothing"),
        ({"collection": {"plural": None}}, "collection 'note': it has no plural"),
        ({"collection": {"workflow": [{"field": "title"}]}}, "'title': that is no select"),
        ({"transitions": []}, "workflow of 'status': it has no transitions"),
        ({"transitions": [{"from": "x", "to": "a"}]}, "transition 1: from is no option: 'x'"),
        ({"transitions": [{"from": "a", "to": "*"}]}, "transition 1: to is no option: '*'"),
        ({"transitions": [{}]}, "transition 1: it leads from nothing to nothing"),
        ({"transitions": [{"to": "a", "role": []}]}, "transition 1: 'role' means nothing"),
        ({"transitions": [{"to": "a", "roles": ["boss"]}]}, "there is no role 'boss'"),
        ({"transitions": [{"to": "a", "requires": ["x"]}]}, "it requires no field"),
        ({"top": {"records": [{"collection": "task"}]}}, "record 1 is of no collection: 'task'"),
        ({"top": {"records": [{"collection": "note", "by": "x"}]}}, "record 1 is by nobody: 'x'"),
    ],
)  # fmt: skip
def test_a_fault_is_told_by_its_place(changes: dict[str, Any], fault: str) -> None:
    assert fault in "\n".join(template_faults(definition(**changes)))


def test_a_workflow_that_nothing_leads_into_is_a_fault() -> None:
    faulty = definition()
    del faulty["collections"][0]["fields"][1]["default"]
    assert "nothing leads into it" in "\n".join(template_faults(faulty))


def test_the_file_is_named_and_all_faults_come_at_once(tmp_path: Path) -> None:
    shutil.copytree(resource_directory("templates"), tmp_path / "templates")
    file = tmp_path / "templates" / "requests.toml"
    text = file.read_text().replace('type = "number"', 'type = "numeral"')
    file.write_text(text.replace('roles = ["requester"', 'roles = ["asker"'))
    with pytest.raises(TemplateError) as caught:
        read_templates(tmp_path / "templates")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("requests.toml: collection 'request': ") for line in lines)
    assert len(lines) == 2
    assert "no type 'numeral'" in lines[0]
    assert lines[1].endswith("transition 7: there is no role 'asker'")
