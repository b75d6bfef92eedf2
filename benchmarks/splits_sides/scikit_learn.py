"""scikit-learn: one class a sample; of groups, a fold of five is the test part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import model_selection

from splits_sides import class_deviation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def classes(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """train_test_split, stratified."""
    label = arrays["label"]

    def work() -> Numbers:
        _, test = model_selection.train_test_split(
            np.arange(len(label)), test_size=0.2, stratify=label, random_state=0
        )
        return class_deviation(label, test)

    return work


def classes_in_groups(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Take the first fold of StratifiedGroupKFold: there is no such split in two."""
    label, group = arrays["label"], arrays["group"]

    def work() -> Numbers:
        folds = model_selection.StratifiedGroupKFold(5).split(label, label, group)
        return class_deviation(label, next(folds)[1])

    return work
