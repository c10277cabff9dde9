"""The model test: whatever users do and whatever befalls them, all ends where the log says.

MODEL_EXAMPLES and MODEL_STEPS say how long it goes on (`make model`: longer), MODEL_SEED which
operations and faults it plays, MODEL_HISTORY=FILE judges a recorded history again.
"""

import os
from pathlib import Path

import pytest

from model.checker import violations
from model.history import History
from model.machine import explore
from model.scene import Stage


@pytest.mark.timeout(36000)
def test_all_clients_the_snapshot_and_the_tables_agree_whatever_happens(
    stage: Stage, tmp_path: Path
) -> None:
    explore(stage, tmp_path / "history.jsonl")


@pytest.mark.skipif("MODEL_HISTORY" not in os.environ, reason="MODEL_HISTORY names no history")
def test_a_recorded_history_is_judged_again() -> None:
    with Path(os.environ["MODEL_HISTORY"]).open() as file:
        assert violations(History.load(file)) == []
