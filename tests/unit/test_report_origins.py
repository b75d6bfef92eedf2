"""What pages show of where a run comes from: the curves of its training, the models beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.classification.confusion_matrix import ConfusionMatrix
from snellen.errors import SchemaError
from snellen.report.model_speeds import accuracy_over_speed
from snellen.report.run_parts import parts_of
from snellen.report.training_curves import training_curves

EPOCHS = """epoch,step,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds
1,10,0.9,0.5,0.8,0.6,0.1,2.0
2,20,0.5,0.7,0.6,0.8,0.05,4.0
3,30,0.3,0.9,0.7,0.75,0.01,6.0
"""


def written(tmp_path: Path, text: str = EPOCHS) -> Path:
    (tmp_path / "epochs.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_curves_of_a_training(tmp_path: Path) -> None:
    loss, accuracy = training_curves(written(tmp_path))
    assert [line.label for line in loss.lines] == [
        "loss, validation", "loss, training", "learning rate",
    ]  # fmt: skip
    assert loss.lines[0].y.tolist() == [0.8, 0.6, 0.7]
    assert loss.lines[2].right
    assert loss.right_label == "learning rate"
    # The least loss, the greatest accuracy: both after the second of three epochs.
    assert [(mark.x, mark.y) for mark in loss.marks] == [(2, 0.6)]
    assert [(mark.x, mark.y) for mark in accuracy.marks] == [(2, 0.8)]
    assert loss.words.finding == (
        "On validation data loss is best after epoch 2: 0.6. After the last, 3, it is 0.7."
    )
    assert accuracy.right_label == ""


def test_without_validation_the_last_is_said(tmp_path: Path) -> None:
    (loss,) = training_curves(written(tmp_path, "epoch,loss\n1,0.5\n2,0.25\n"))
    assert loss.words.finding == "After the last epoch, 2, loss is 0.25."
    assert loss.marks == ()


def test_what_was_not_measured_is_a_gap(tmp_path: Path) -> None:
    (loss,) = training_curves(written(tmp_path, "epoch,loss,val_loss\n1,0.5,\n2,0.25,0.4\n"))
    assert np.isnan(loss.lines[0].y[0])
    assert [(mark.x, mark.y) for mark in loss.marks] == [(2, 0.4)]


def test_what_is_undefined_is_said_so(tmp_path: Path) -> None:
    (loss,) = training_curves(written(tmp_path, "epoch,loss\n1,0.5\n2,nan\n"))
    assert loss.words.finding == "After the last epoch, 2, loss is undefined."
    (loss,) = training_curves(written(tmp_path, "epoch,val_loss\n1,0.5\n2,nan\n"))
    assert loss.words.finding.endswith("After the last, 2, it is undefined.")


@pytest.mark.parametrize("text", ["", "epoch,loss\n", "loss\n1\n"])
def test_no_epochs_no_curves(tmp_path: Path, text: str) -> None:
    assert training_curves(tmp_path) == ()
    assert training_curves(written(tmp_path, text)) == ()


@pytest.mark.parametrize("text", ["epoch,loss\n1,much\n", "epoch,loss\n1,0.5,0.6,7\n"])
def test_what_is_no_table_of_epochs(tmp_path: Path, text: str) -> None:
    with pytest.raises(SchemaError, match=r"expected a table of epochs, .* - at .*epochs\.csv$"):
        training_curves(written(tmp_path, text))


def benchmark(**changes: Any) -> dict[str, Any]:
    """Return what a benchmark of three models says: c is slower and worse than b."""
    return {
        "front": {"fps": "images per second, from files to scores", "models": ["a", "b"]},
        "table": [
            {"name": "a", "top1": 0.9, "end_to_end_fps": 10.0, "best_fps": 99.0},
            {"name": "b", "top1": 0.8, "end_to_end_fps": 40.0, "best_fps": 80.0},
            {"name": "c", "top1": 0.7, "end_to_end_fps": 20.0, "best_fps": None},
        ],
        **changes,
    }


def test_accuracy_against_speed() -> None:
    picture = accuracy_over_speed(benchmark())
    assert picture is not None
    front, others = picture.points
    assert front.names == ("a", "b")
    assert front.joined
    assert front.x.tolist() == [10, 40]
    assert front.y.tolist() == [0.9, 0.8]
    assert others.names == ("c",)
    assert picture.words.finding == (
        "Most accurate is a (90.0% at 10 images a second), fastest b (80.0% at 40)."
    )


def test_models_that_were_not_timed_have_no_picture() -> None:
    table = [{"name": "a", "top1": 0.9, "end_to_end_fps": None, "best_fps": None}]
    assert accuracy_over_speed(benchmark(table=table)) is None


@pytest.mark.parametrize("stored", [{}, {"table": 3}, {"table": [], "front": {}}])
def test_what_is_no_benchmark(stored: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="expected the result of a benchmark"):
        accuracy_over_speed(stored, "result.json")


class Run:
    """A run as its folder would be opened."""

    def __init__(self, kind: str, path: Path, parent: Any = None, stored: Any = None) -> None:
        self.kind, self.path, self.parent, self.stored = kind, path, parent, stored


def test_they_come_before_the_task_s_own(tmp_path: Path) -> None:
    result = ConfusionMatrix(["a", "b"]).update([0, 1], [0, 1]).compute()
    trained: Any = Run("training", written(tmp_path))
    assert [each.words.name for each in parts_of(trained, result).own] == [
        "training_loss", "training_accuracy",
    ]  # fmt: skip
    model: Any = Run("evaluation", tmp_path, Run("benchmark", tmp_path, stored=benchmark()))
    assert [each.words.name for each in parts_of(model, result).own] == ["accuracy_over_speed"]
    alone: Any = Run("evaluation", tmp_path)
    assert parts_of(alone, result).own == ()
