"""What the kernels of similarities refuse: places that would be read as addresses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen import _core

BEGIN = np.array([0, 1, 2])
BOXES = np.array([[0.0, 0.0, 2.0, 2.0], [1.0, 0.0, 3.0, 2.0]])
BAD_BEGINS = [
    np.array([], np.int64),
    np.array([1, 1, 2]),
    np.array([0, 1, 3]),
    np.array([0, 3, 2]),
    np.array([0, -1, 2]),
]


@pytest.mark.parametrize("bad", BAD_BEGINS)
def test_frames_that_do_not_fit_the_rows(bad: Any) -> None:
    for begins in ((bad, BEGIN), (BEGIN, bad)):
        with pytest.raises(ValueError, match="expected"):
            _core.box_pairs(*begins, BOXES, BOXES, "iou")
        with pytest.raises(ValueError, match="expected"):
            _core.point_pairs(*begins, BOXES, BOXES, 2.0)
        with pytest.raises(ValueError, match="expected"):
            _core.box3d_pairs(*begins, np.ones((2, 7)), np.ones((2, 7)))


def test_sides_of_different_lengths() -> None:
    with pytest.raises(ValueError, match="expected 3 rows of pred_begin, got 2"):
        _core.box_pairs(BEGIN, np.array([0, 2]), BOXES, BOXES, "iou")


def test_wrong_numbers_of_columns_and_unknown_kinds() -> None:
    with pytest.raises(ValueError, match="expected rows of 4 numbers in pred_xyxy, got 3"):
        _core.box_pairs(BEGIN, BEGIN, BOXES, np.ones((2, 3)), "iou")
    with pytest.raises(ValueError, match="expected iou, ioa_truth, ioa_pred or giou, got dice"):
        _core.box_pairs(BEGIN, BEGIN, BOXES, BOXES, "dice")
    with pytest.raises(ValueError, match="expected rows of 4 numbers in pred, got 3"):
        _core.point_pairs(BEGIN, BEGIN, BOXES, np.ones((2, 3)), 2.0)
    with pytest.raises(ValueError, match="expected a zero_distance above 0"):
        _core.point_pairs(BEGIN, BEGIN, BOXES, BOXES, float("nan"))
    with pytest.raises(ValueError, match="expected rows of 7 numbers in truth, got 4"):
        _core.box3d_pairs(BEGIN, BEGIN, BOXES, np.ones((2, 7)))


@pytest.mark.parametrize(
    ("pair_begin", "pair_pred"),
    [
        ([0, 1, 2], [0, 0]),  # a pair in another frame
        ([0, 1, 2], [0, 2]),
        ([0, 1, 2], [-1, 1]),
        ([0, 2, 2], [0, 0]),  # twice
        ([0, 1], [0, 1]),
        ([0, 2, 1], [0, 1]),
        ([0, 1, 3], [0, 1]),
    ],
)
def test_pairs_that_do_not_fit_the_rows(pair_begin: list[int], pair_pred: list[int]) -> None:
    flags = np.ones(2, np.uint8)
    similarity = np.ones(len(pair_pred))
    pairs = np.array(pair_begin), np.array(pair_pred, np.int32), similarity
    with pytest.raises(ValueError, match="expected"):
        _core.kept_pairs(BEGIN, BEGIN, *pairs, flags, flags)


def test_a_frame_without_rows_stays() -> None:
    pairs = _core.box_pairs(BEGIN, BEGIN, BOXES, BOXES, "iou")
    keep = np.array([0, 1], np.uint8)
    kept = _core.kept_pairs(BEGIN, BEGIN, *pairs, keep, keep)
    want = ([0, 0, 1], [0, 0, 1], [0, 1], [0], [1.0])
    for got, expected in zip(kept, want, strict=True):
        assert got.tolist() == expected
