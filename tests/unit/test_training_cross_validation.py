"""Cross-validation: each sample is measured once, the test part once at the end."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small_trainings import PLAIN, images, timeless

from snellen.errors import InputError
from snellen.training import (
    Callback,
    TrainingData,
    cross_validate,
    cross_validation,
    open_data,
    read_description,
    result,
)
from snellen.training.cross_validation import CrossValidated, _interval
from snellen.training.state import TrainingState

FOLDED = read_description({**PLAIN, "n_folds": 4, "epochs": 2})
DATA = open_data({"train": images(50, 0), "validation": images(11, 1), "test": images(24, 2)})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[CrossValidated, Path]:
    folder = tmp_path_factory.mktemp("folds") / "run"
    return cross_validate(FOLDED, out=folder, data=DATA), folder


def names(part: Any) -> list[bytes]:
    return [image.numpy().tobytes() for image in part.inputs]


def test_each_sample_is_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[TrainingData, bool]] = []
    train = cross_validation.train

    def noted(*given: Any, data: TrainingData, test: bool, **options: Any) -> Any:
        used.append((data, test))
        return train(*given, data=data, test=test, **options)

    monkeypatch.setattr(cross_validation, "train", noted)
    cross_validate(dataclasses.replace(FOLDED, epochs=1), data=DATA)
    assert [test for _data, test in used] == [False] * 4 + [True]
    kept_apart = set(names(DATA.test))
    seen: Counter[bytes] = Counter()
    for fold, _test in used[:4]:
        train_part, held = names(fold.train), names(fold.validation)
        assert not set(train_part) & set(held)
        assert len(train_part) + len(held) == 61
        assert not {*train_part, *held} & kept_apart
        seen.update(held)
    assert len(seen) == 61
    assert set(seen.values()) == {1}
    last = used[4][0]
    assert last.validation is None
    assert set(names(last.train)) == set(seen)


def test_each_training_has_its_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    validated: list[int] = []
    tested: list[int] = []
    outputs = result.all_outputs

    def counted(*given: Any) -> Any:
        found = outputs(*given)
        tested.append(len(found.rows))
        return found

    monkeypatch.setattr(result, "all_outputs", counted)

    class Counts(Callback):
        def start(self, run: TrainingState) -> None:
            del run
            validated.append(0)

        def validated(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
            del run, metrics
            validated[-1] += 1

    cross_validate(FOLDED, data=DATA, callbacks=[Counts()])
    assert validated == [2, 2, 2, 2, 0]  # the last on all folds, with nothing left to validate by
    assert tested == [24]


def test_means_and_intervals(whole: tuple[CrossValidated, Path]) -> None:
    found, folder = whole
    assert len(found.folds) == 4
    assert "accuracy" in found.metrics
    for name, mean in found.metrics.items():
        values = torch.tensor([fold[name] for fold in found.folds], dtype=torch.float64)
        assert mean == pytest.approx(float(values.mean()), abs=1e-12)
        half = 3.182446305 * float(values.std()) / 2  # t of 3 degrees of freedom, four folds
        low, high = found.intervals[name]
        assert (low, high) == pytest.approx((mean - half, mean + half), abs=1e-12)
    assert found.final is not None
    assert found.final.measured_on == "test"
    assert found.final.best_epoch is None
    written = json.loads((folder / "folds.json").read_text())
    assert written["metrics"] == pytest.approx(dict(found.metrics))
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [
        "final", "fold-1", "fold-2", "fold-3", "fold-4",
    ]  # fmt: skip
    assert "4 folds, mean and 95 % interval" in str(found)


@pytest.mark.parametrize("n", [2, 5, 31, 40])
def test_student_against_scipy(n: int) -> None:
    from scipy import stats

    values = [math.sin(k) for k in range(n)]
    expected = stats.t.interval(0.95, n - 1, loc=sum(values) / n, scale=stats.sem(values))
    # Beyond 31 folds the normal's quantile is taken.
    assert _interval(values) == pytest.approx(expected, rel=1e-8 if n <= 31 else 0.04)


def test_finished_folds_are_not_trained_again(
    whole: tuple[CrossValidated, Path], tmp_path: Path
) -> None:
    class PowerError(Exception):
        pass

    class Cut(Callback):
        def __init__(self, runs: int) -> None:
            self.runs = runs
            self.steps = 0

        def start(self, run: TrainingState) -> None:
            del run
            self.runs -= 1

        def step_end(self, run: TrainingState) -> None:
            self.steps += 1
            if self.runs == 0 and run.step == 9:
                raise PowerError

    with pytest.raises(PowerError):
        cross_validate(FOLDED, out=tmp_path, data=DATA, callbacks=[Cut(3)])
    counts = Cut(99)
    again = cross_validate(FOLDED, out=tmp_path, data=DATA, callbacks=[counts], resume=True)
    found, _folder = whole
    assert again.folds == found.folds
    assert again.final is not None
    assert found.final is not None
    assert again.final.metrics == found.final.metrics
    assert timeless(again.final.history) == timeless(found.final.history)
    # The third from its checkpoint after the first epoch on, the fourth, and the last.
    assert counts.steps == 6 + 12 + 16


def test_a_fold_that_was_killed_before_its_first_checkpoint_begins_again(
    whole: tuple[CrossValidated, Path], tmp_path: Path
) -> None:
    found, folder = whole
    # What is there of the second fold then: its description and facts, and nothing of the others.
    shutil.copytree(folder / "fold-1", tmp_path / "fold-1")
    (tmp_path / "fold-2").mkdir()
    for name in ("description.json", "run.json", "epochs.csv", "epochs.jsonl"):
        shutil.copy(folder / "fold-2" / name, tmp_path / "fold-2" / name)
    again = cross_validate(FOLDED, out=tmp_path, data=DATA, resume=True)
    assert again.folds == found.folds
    assert again.metrics == found.metrics


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is none"):
        cross_validate(FOLDED, out=tmp_path, data=DATA, resume=True)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="there is none"):
        cross_validate(FOLDED, data=DATA, resume=True)


def test_the_number_of_folds_is_needed() -> None:
    with pytest.raises(InputError, match="number of folds"):
        cross_validate(read_description(PLAIN), data=DATA)


def test_without_a_test_part_there_is_no_last_training() -> None:
    data = open_data({"train": images(40, 0)})
    found = cross_validate(read_description({**PLAIN, "n_folds": 2}), data=data)
    assert found.final is None
    assert found.to_dict()["final"] is None
