from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import regression_scores
from snellen.errors import InputError
from snellen.samples.regression import RegressionSample, make_regression_sample


def rows(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text(encoding="ascii").splitlines()]


def joined(made: RegressionSample) -> tuple[Any, Any, list[str]]:
    estimates = {name: float(age) for name, age in rows(made.predictions)[1:]}
    truth = rows(made.truth)[1:]
    return (
        np.array([float(age) for _, age, _ in truth]),
        np.array([estimates[name] for name, _, _ in truth]),
        [person for _, _, person in truth],
    )


def test_the_same_bytes_everywhere(tmp_path: Path) -> None:
    made = make_regression_sample(tmp_path)
    # Found once; they change only where the sample is changed on purpose.
    assert hashlib.sha256(made.truth.read_bytes()).hexdigest() == TRUTH_HASH
    assert hashlib.sha256(made.predictions.read_bytes()).hexdigest() == PREDICTIONS_HASH


TRUTH_HASH = "5a7c74cffa624b614141e51ba9cd304ea45b81669c59f8a63df9fad03d382ffe"
PREDICTIONS_HASH = "f3bdcd5ca48159bc2304f02e2ae8abdb190ff933c5a7c2db9990a43035b657bd"


def test_what_it_holds(tmp_path: Path) -> None:
    made = make_regression_sample(tmp_path / "new", n_samples=500, n_people=100, seed=3)
    truth, predictions = rows(made.truth), rows(made.predictions)
    assert truth[0] == ["id", "age", "person"]
    assert predictions[0] == ["id", "age"]
    assert len(truth) == len(predictions) == 501
    ids = [name for name, _, _ in truth[1:]]
    assert len(set(ids)) == 500
    assert sorted(name for name, _ in predictions[1:]) == sorted(ids)
    assert [name for name, _ in predictions[1:]] != ids
    ages, estimates, people = joined(made)
    assert made.n_people == len(set(people)) <= 100
    assert 1 <= ages.min() <= ages.max() <= 99
    assert 0.5 <= estimates.min() <= estimates.max() <= 110
    result = regression_scores(ages, estimates)
    assert 0.6 < result.r2 < 0.95
    assert result.undefined == ()


def test_photos_of_a_person_err_together(tmp_path: Path) -> None:
    truth, estimates, people = joined(make_regression_sample(tmp_path))
    error = np.clip(estimates - truth, -15, 15)
    of_person = np.unique(people, return_inverse=True)[1]
    means = np.bincount(of_person, error) / np.bincount(of_person)
    counts = np.bincount(of_person)
    # Independent errors of four photos would give a quarter of the variance.
    assert means[counts >= 3].var() > 0.4 * error.var()


def test_seeds_and_sizes_differ(tmp_path: Path) -> None:
    texts = {
        (make_regression_sample(tmp_path, n_samples=n, seed=seed).truth.read_bytes())
        for n, seed in ((50, 0), (50, 1), (51, 0))
    }
    assert len(texts) == 3


def test_empty(tmp_path: Path) -> None:
    made = make_regression_sample(tmp_path, n_samples=0, n_people=0)
    assert made.truth.read_text() == "id,age,person\n"
    assert made.n_people == 0


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n_samples": -1}, "expected at least 0, got -1 - at n_samples"),
        ({"n_people": 0}, "at least 1 person for 2000 photos"),
        ({"seed": 0.5}, "whole number, got 0.5 - at seed"),
    ],
)
def test_numbers_out_of_range(tmp_path: Path, numbers: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_regression_sample(tmp_path / "none", **numbers)
    assert not (tmp_path / "none").exists()
