"""What each type of field takes."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from psycopg.types.json import Jsonb

Ask = Callable[..., Any]

ANYWHERE = str(uuid.UUID(int=1))
OPTIONS = ["todo", "done", 3]

FITS: list[tuple[dict[str, Any], list[Any]]] = [
    ({"type": "text"}, ["", "Größe 日本", "0"]),
    ({"type": "long_text"}, ["a\nb"]),
    ({"type": "number"}, [0, -1, 2.5, 1e300]),
    ({"type": "boolean"}, [True, False]),
    ({"type": "json"}, [0, "a", [], [None], {"a": None}, False]),
    ({"type": "date"}, ["2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "2026-04-30"]),
    (
        {"type": "datetime"},
        [
            "2026-12-01T09:30:00Z",
            "2026-12-01t09:30:00.123456789z",
            "2026-12-01T23:59:60+05:45",
            "0001-01-01T00:00:00-12:00",
        ],
    ),
    ({"type": "select", "options": OPTIONS}, ["todo", "done", 3]),
    ({"type": "select"}, ["anything", ""]),
    ({"type": "multi_select", "options": ["a", "b"]}, [[], ["a"], ["b", "a"]]),
    ({"type": "multi_select"}, [[], ["x", "y"]]),
    (
        {"type": "url"},
        [
            "https://example.org",
            "HTTP://example.org:8080/a?b=c#d",
            "https://user@bücher.example/ä",
            "mailto:ada@example.org",
        ],
    ),
]  # fmt: skip

DOES_NOT: list[tuple[dict[str, Any], list[Any]]] = [
    ({"type": "text"}, [1, True, [], {}, ["a"]]),
    ({"type": "long_text"}, [1, {"a": "b"}]),
    ({"type": "number"}, ["1", "", True, [1], {}]),
    ({"type": "boolean"}, ["true", 0, 1, [], {}]),
    (
        {"type": "date"},
        [
            "2023-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-06-00",
            "0000-01-01", "2026-1-1", "26-01-01", "2026-01-01T00:00:00Z", "2026-01-01\n", "",
            "today", "\u0662\u0660\u0662\u0666-01-01", 20260101, ["2026-01-01"], {}, True,
        ],
    ),
    (
        {"type": "datetime"},
        [
            "2026-12-01", "2026-12-01T09:30:00", "2026-12-01 09:30:00Z", "2026-12-01T09:30Z",
            "2026-12-01T24:00:00Z", "2026-12-01T09:60:00Z", "2026-12-01T09:30:61Z",
            "2026-02-30T09:30:00Z", "2026-12-01T09:30:00+0100", "2026-12-01T09:30:00+16:00",
            "2026-12-01T09:30:00.Z", "2026-12-01T09:30:00Z\n", "now", "", 0, [], {},
        ],
    ),
    ({"type": "select", "options": OPTIONS}, ["Todo", "", "3", [], ["todo"], {}, True, 4]),
    ({"type": "select"}, [1, [], True, {}]),
    ({"type": "multi_select", "options": ["a", "b"]}, [["c"], ["a", "c"], "a", {}, ["a", "a"], 1]),
    ({"type": "multi_select"}, [["x", "x"], [1], [None], [["x"]], "x", {"x": 1}, True]),
    (
        {"type": "url"},
        [
            "javascript:alert(1)", "data:text/html,x", "example.org", "//example.org", "http://",
            "https:///path", "ftp://example.org", " https://example.org", "https://a b.example",
            "https://example.org/\n", "java\nscript:x", "mailto:nobody", "file:///etc/passwd",
            "https://example.org/\"><script>", "", 1, [], {},
        ],
    ),
    ({"type": "user"}, ["Ada", "", 7, True, {}, [None], [["x"]], [7], ANYWHERE.replace("-", "")]),
    ({"type": "reference"}, ["TSK-001-0001", "", 7, True, {}, [ANYWHERE], []]),
    ({"type": "reference"}, [ANYWHERE]),
]  # fmt: skip


def cases(groups: list[tuple[dict[str, Any], list[Any]]]) -> list[tuple[dict[str, Any], Any]]:
    return [(rule, value) for rule, values in groups for value in values]


@pytest.mark.parametrize(("rule", "value"), cases(FITS), ids=repr)
def test_fits(ask: Ask, rule: dict[str, Any], value: Any) -> None:
    assert (
        ask("select logic.field_violation(%s, %s, %s)", ANYWHERE, Jsonb(rule), Jsonb(value)) is None
    )


@pytest.mark.parametrize(("rule", "value"), cases(DOES_NOT), ids=repr)
def test_does_not_fit_and_says_so_in_a_sentence(ask: Ask, rule: dict[str, Any], value: Any) -> None:
    said = ask("select logic.field_violation(%s, %s, %s)", ANYWHERE, Jsonb(rule), Jsonb(value))
    assert said is not None
    assert said.endswith(".")


def test_names_the_options_but_not_hundreds_of_them(ask: Ask) -> None:
    query = "select logic.field_violation(%s, %s, %s)"
    rule = {"type": "select", "options": ["todo", "done"]}
    assert ask(query, ANYWHERE, Jsonb(rule), Jsonb("x")) == "must be one of todo, done."
    rule["options"] = [f"option {n}" for n in range(500)]
    said = ask(query, ANYWHERE, Jsonb(rule), Jsonb("x"))
    assert said.endswith("option 19, ….")
    assert len(said) < 400


@pytest.mark.parametrize(
    "value", [v for r, vs in FITS if r["type"] in ("date", "datetime") for v in vs]
)
def test_every_date_and_time_that_fits_can_be_cast(ask: Ask, value: str) -> None:
    assert ask("select (%s::timestamptz) is not null", value)
