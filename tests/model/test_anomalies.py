"""The checker of workloads on histories made by hand: each class of anomaly is found."""

from typing import Any

import pytest

from model.anomalies import anomalies
from model.history import Entry, History

X, Y = "list x", "list y"


def append(id_: str, at: float, *records: str) -> Entry:
    """Appends its own name to some lists, in one transaction."""
    operations = [
        {"type": "list-insert", "recordId": record, "key": "list", "value": id_}
        for record in records
    ]
    return acknowledged(id_, at, operations)


def acknowledged(id_: str, at: float, operations: Any, **more: Any) -> Entry:
    return {
        "type": "write",
        "client": "Ada",
        "id": id_,
        "request": {"operations": operations, **more},
        "started": at,
        "ended": at + 1,
        "outcome": "ok",
    }


def saw(at: float, x: str, y: str, **more: Any) -> Entry:
    """A snapshot that shows two lists, each letter a value."""
    lists = {X: list(x), Y: list(y)}
    records = {
        key: {"version": 1, "data": {"kind": "list", "list": value}} for key, value in lists.items()
    }
    return {
        "type": "snapshot",
        "client": "Bob",
        "seq": 1,
        "started": at,
        "ended": at + 1,
        "records": records,
        **more,
    }


def ended(x: str, y: str, **more: Any) -> Entry:
    """The tables at the end."""
    tables = {X: {"data": {"list": list(x)}}, Y: {"data": {"list": list(y)}}, **more}
    return {"type": "end", "tables": tables}


def steps(*counted: int) -> list[Entry]:
    step = {"type": "increment", "recordId": "c", "key": "n", "by": 2}
    writes = [acknowledged(str(n), n, [step]) for n in range(2)]
    return [*writes, ended("", "", c={"data": {"n": counted[0]}})]


def both_replace(second_base: int) -> list[Entry]:
    said = {"type": "set", "recordId": "r", "key": "title", "value": "v"}
    bases = (1, second_base)
    return [
        *(
            acknowledged(f"w{n}", n, [said], baseVersions={"r": base}, onConflict="reject")
            for n, base in enumerate(bases)
        ),
        ended("", ""),
    ]


def balances(a: int, b: int) -> list[Entry]:
    records = {
        name: {"version": 1, "data": {"balance": value}} for name, value in (("a", a), ("b", b))
    }
    return [{**saw(0, "", ""), "records": records}, ended("", "")]


A_AND_B = [append("a", 0, X, Y), append("b", 0.5, X, Y)]

LONG_FORK = [append("a", 0, X), append("b", 0, Y)]

UNSURE = {**append("a", 0, X), "outcome": "unknown"}

CLEAN: list[list[Entry]] = [
    [*A_AND_B, saw(0, "a", "a"), saw(3, "ab", "ab"), ended("ab", "ab")],
    [UNSURE, append("b", 2, X), append("a", 4, X), ended("ab", "")],
    steps(4),
    both_replace(2),
    balances(-3, 3),
]
BROKEN: list[tuple[str, list[Entry]]] = [
    ("lost step", steps(2)),
    ("lost update", both_replace(1)),
    ("torn transfer", balances(-3, 0)),
    ("lost append", [*A_AND_B, ended("ab", "b")]),
    ("lost append", [*A_AND_B, ended("aba", "ab")]),
    ("incompatible order", [*A_AND_B, saw(0, "b", ""), ended("ab", "ab")]),
    ("incompatible order", [*A_AND_B, saw(0, "c", ""), ended("ab", "ab")]),
    ("G0", [*A_AND_B, ended("ab", "ba")]),
    ("G-single", [*A_AND_B, saw(0, "ab", "a"), ended("ab", "ab")]),
    ("G-single", [*A_AND_B, saw(0, "a", ""), ended("ab", "ab")]),
    ("G2", [*LONG_FORK, saw(0, "a", ""), saw(0, "", "b", client="Cid"), ended("a", "b")]),
    ("real-time cycle", [*A_AND_B, saw(3, "a", "a"), ended("ab", "ab")]),
    ("real-time cycle", [append("a", 0, X), append("b", 3, X), ended("ba", "")]),
    (
        "real-time cycle",
        [*A_AND_B, saw(0, "ab", "ab"), saw(3, "a", "a", client="Cid"), ended("ab", "ab")],
    ),
]


@pytest.mark.parametrize("entries", CLEAN)
def test_a_clean_history_has_no_anomaly(entries: list[Entry]) -> None:
    assert anomalies(History(entries)) == []


@pytest.mark.parametrize(("kind", "entries"), BROKEN)
def test_an_anomaly_is_found(kind: str, entries: list[Entry]) -> None:
    assert kind in {anomaly.kind for anomaly in anomalies(History(entries))}
