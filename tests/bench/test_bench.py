import json
import subprocess
import sys
from typing import Any

import pytest

from support import ROOT

LINES = {  # what it must cost: sense and bound
    "patch": ("min", 4.0),
    "patch_batch": ("min", 0.8),
    "patch_hot": ("min", 2.0),
    "two_1": ("min", 0.9),
    "two_20": ("min", 0.9),
    "two_200": ("min", 0.9),
    "snapshot": ("min", 0.9),
    "held": ("min", None),
    "alone": ("max", 0.6),
    "fanout": ("min", 150_000),
    "idle": ("max", 20.0),
    "last": ("max", 50.0),
    "first_page": ("max", 1.3),
    "deep_page": ("max", 1.3),
    "patch_size": ("max", 1.3),
    "transactions_10": ("min", 0.1),
    "transactions_100": ("min", 0.01),
    "undo": ("max", 1_000.0),
    "replay": ("max", 1.0),
    "queue": ("min", None),
    "presence": ("max", 5.0),
    "import": ("min", 10_000),
}
MEASURED = {"alone", "fanout", "last", "import", "first_page", "deep_page", "patch_size"} | {
    *("undo", "replay", "queue")
}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The lines of a quick run of the parts that take seconds."""
    output = tmp_path_factory.mktemp("bench") / "found.json"
    options = [
        "--quick",
        "--only",
        "alone,fanout,undo,replay,import,sizes",
        "--output",
        str(output),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *options], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return {line["key"]: line for line in json.loads(output.read_text())["lines"]}


@pytest.mark.timeout(240)
def test_a_report_has_every_line_with_its_bound(lines: dict[str, Any]) -> None:
    assert {key: (line["sense"], line["bound"]) for key, line in lines.items()} == LINES


@pytest.mark.timeout(240)
def test_what_ran_has_numbers_and_the_rest_none(lines: dict[str, Any]) -> None:
    assert {key for key, line in lines.items() if line["value"] is not None} == MEASURED
    assert {key: line["fault"] for key, line in lines.items() if line["fault"]} == {}


@pytest.mark.timeout(240)
def test_a_line_is_ok_where_its_number_keeps_the_bound(lines: dict[str, Any]) -> None:
    def expected(line: dict[str, Any]) -> bool | None:
        if line["value"] is None or line["bound"] is None:
            return None
        measured = line["ratio"] if line["compared_with"] else line["value"]
        return bool(
            measured >= line["bound"] if line["sense"] == "min" else measured <= line["bound"]
        )

    assert {key: line["ok"] for key, line in lines.items()} == {
        key: expected(line) for key, line in lines.items()
    }
