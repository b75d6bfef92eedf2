"""Counts of pairs of pixel values beside scikit-learn's confusion matrix."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.metrics import confusion_matrix

from snellen.segmentation.value_pairs import count_value_pairs


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return maps whose regions differ at their borders and in some patches of noise."""
    random = np.random.default_rng(seed)
    n, height, width, k = (int(x) for x in random.integers([1, 1, 1, 2], [4, 90, 300, 40]))
    length = int(random.integers(1, 60))
    coarse = random.integers(0, k, (n, height, -(-width // length)))
    truth = np.repeat(coarse, length, axis=2)[:, :, :width]
    pred = np.roll(truth, int(random.integers(0, 4)), axis=2)
    noisy = random.random((n, height, 1)) < 0.3
    pred = np.where(noisy, random.integers(0, k, truth.shape), pred)
    if seed % 3 == 0:
        truth, pred = truth - 5, pred * 1000  # not only small numbers
    return truth, pred


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
@pytest.mark.parametrize("seed", range(12))
def test_confusion_matrix(seed: int, dtype: str) -> None:
    truth, pred = drawn(seed)
    if dtype == "uint8":
        truth, pred = truth % 256, pred % 256
    found = count_value_pairs(truth.astype(dtype), pred.astype(dtype), colours=False)
    for image in range(len(truth)):
        rows = slice(found.start[image], found.start[image + 1])
        labels = np.union1d(truth[image], pred[image])
        matrix = np.zeros((len(labels), len(labels)), np.int64)
        places = (np.searchsorted(labels, side[rows]) for side in (found.truth, found.pred))
        matrix[tuple(places)] = found.count[rows]
        theirs = confusion_matrix(truth[image].ravel(), pred[image].ravel(), labels=labels)
        assert_array_equal(matrix, theirs)
