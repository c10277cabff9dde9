"""The model test: whatever users do and whatever befalls them, all ends where the log says.

MODEL_EXAMPLES and MODEL_STEPS say how long it goes on (`make model`: longer), MODEL_SEED which
operations and faults it plays: the same again only with the same MODEL_EXAMPLES and MODEL_STEPS.
`PYTHONPATH=tests .venv/bin/python -m model.checker FILE` judges a recorded history again.
"""

from pathlib import Path

import pytest

from model.machine import explore
from model.scene import Stage


def test_a_seed_plays_the_same_operations_and_faults_again(stage: Stage, tmp_path: Path) -> None:
    first, again, other = (
        [
            [(act["what"], act["drawn"]) for act in history.of("act")]
            for history in explore(
                stage, tmp_path / "history.jsonl", examples=2, steps=15, start=start
            )
        ]
        for start in (7, 7, 8)
    )
    assert first == again != other
    assert sum(map(len, first)) > 15


@pytest.mark.timeout(36000)
def test_all_clients_the_snapshot_and_the_tables_agree_whatever_happens(
    stage: Stage, tmp_path: Path
) -> None:
    explore(stage, tmp_path / "history.jsonl")
