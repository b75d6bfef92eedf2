"""Splits beside scikit-learn and the iterative-stratification package: as even, or more so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from iterstrat import ml_stratifiers as iterstrat
from sklearn import model_selection

from snellen.splits.folds import k_fold
from snellen.splits.hold_out import hold_out


def long_tail(n: int, n_classes: int, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return an indicator matrix: shares 0.5 / rank, dependent through a hidden scene."""
    random = np.random.default_rng(seed)
    share = np.maximum(0.5 / np.arange(1, n_classes + 1), 10 / n)
    scene = random.normal(size=(n, 4)) @ random.normal(size=(4, n_classes)) / 4
    wish = scene + random.normal(size=(n, n_classes))
    member = np.empty((n, n_classes), np.int64)
    for k in range(n_classes):
        member[:, k] = wish[:, k] > np.quantile(wish[:, k], 1 - share[k])
    return member


def deviation(member: Any, rows: Any, share: float) -> tuple[float, float]:
    off = np.abs(member[rows].sum(0) / member.sum(0) - share)
    return float(off.mean()), float(off.max())


@pytest.mark.parametrize("n_folds", [2, 3, 5, 10])
@pytest.mark.parametrize("seed", range(3))
def test_stratified_folds_are_those_of_scikit_learn_to_one(n_folds: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.choice(7, 603, p=[0.4, 0.25, 0.13, 0.1, 0.05, 0.04, 0.03])
    theirs = np.array(
        [
            np.bincount(labels[test], minlength=7)
            for _, test in model_selection.StratifiedKFold(n_folds).split(labels, labels)
        ]
    )
    ours = k_fold(range(603), n_folds, labels=labels, seed=seed).rounds[0].class_counts()
    assert np.abs(ours - theirs).max() <= 1
    assert np.ptp(ours.sum(1)) <= 1


def test_stratified_groups_are_as_even_as_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels = random.choice(5, 2000, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    groups = random.integers(0, 300, 2000)
    splitter = model_selection.StratifiedGroupKFold(5)
    theirs = np.array(
        [
            np.bincount(labels[test], minlength=5)
            for _, test in splitter.split(labels, labels, groups)
        ]
    )
    ours = k_fold(range(2000), 5, labels=labels, groups=groups).rounds[0].class_counts()
    asked = np.bincount(labels) / 5
    assert np.abs(ours / asked - 1).max() <= np.abs(theirs / asked - 1).max()
    assert np.abs(ours.sum(1) - 400).max() <= np.abs(theirs.sum(1) - 400).max()


@pytest.mark.parametrize(("n", "n_classes"), [(5000, 80), (2000, 20), (1000, 10)])
def test_a_test_part_of_objects_is_as_even_as_theirs(n: int, n_classes: int) -> None:
    member = long_tail(n, n_classes, seed=n)
    splitter = iterstrat.MultilabelStratifiedShuffleSplit(1, test_size=0.2, random_state=0)
    _, theirs = next(splitter.split(np.zeros(n), member))
    split = hold_out(range(n), "80/20", labels=member)
    ours = deviation(member, split.indices("test"), 0.2)
    assert ours[0] <= deviation(member, theirs, 0.2)[0]
    assert ours[1] <= deviation(member, theirs, 0.2)[1]
    assert split.sizes().tolist() == [n - n // 5, n // 5]


def test_folds_of_objects_are_as_even_as_theirs() -> None:
    n = 5000
    member = long_tail(n, 40, seed=1)
    splitter = iterstrat.MultilabelStratifiedKFold(5, shuffle=True, random_state=0)
    theirs = [deviation(member, test, 0.2) for _, test in splitter.split(np.zeros(n), member)]
    ours = [deviation(member, test, 0.2) for _, test in k_fold(range(n), 5, labels=member)]
    # Either leaves what rounding leaves, and a little more where classes are in each other's way.
    assert np.mean(ours, 0)[0] <= 1.1 * np.mean(theirs, 0)[0]
    assert np.max(ours, 0)[1] <= 1.1 * np.max(theirs, 0)[1]
