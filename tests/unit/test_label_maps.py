from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from snellen.errors import InputError, ShapeError
from snellen.segmentation.label_maps import label_maps

LABELS = np.arange(24).reshape(2, 3, 4)


def test_labels_stay_what_they_are() -> None:
    pred = LABELS.astype(np.uint8)
    maps = label_maps(LABELS, pred)
    assert maps.truth is LABELS
    assert maps.pred is pred
    assert maps.truth_classes is maps.pred_classes is None


def test_one_image_gets_an_axis_and_no_copy() -> None:
    maps = label_maps(LABELS[0], torch.from_numpy(LABELS)[1])
    assert maps.truth.shape == maps.pred.shape == (1, 3, 4)
    assert np.shares_memory(maps.truth, LABELS)
    assert np.shares_memory(maps.pred, LABELS)
    assert_array_equal(maps.pred[0], LABELS[1])


def test_masks_are_labels() -> None:
    mask = LABELS > 5
    maps = label_maps(mask, mask.tolist())
    assert maps.truth.dtype == maps.pred.dtype == bool
    assert maps.pred_classes is None


# Worked by hand: pixel 0 class 1, pixel 1 a tie of 0 and 2, pixel 2 class 2.
SCORES = np.array([[[0.0, 5.0, -3.0]], [[1.0, 2.0, -2.0]], [[-1.0, 5.0, -1.0]]])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "int64"])
def test_the_highest_score_and_the_lowest_class(dtype: str) -> None:
    scores = SCORES.astype(dtype)
    maps = label_maps(np.zeros((1, 3), int), scores)
    assert maps.pred.tolist() == [[[1, 0, 2]]]
    assert (maps.truth_classes, maps.pred_classes) == (None, 3)
    two = label_maps(np.zeros((2, 1, 3), int), np.stack([scores, scores[::-1]]))
    assert two.pred.tolist() == [[[1, 0, 2]], [[1, 0, 0]]]
    assert label_maps([[0, 0, 0]], scores.tolist()).pred.tolist() == [[[1, 0, 2]]]


def test_bfloat16_of_jax() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")  # what JAX arrays become in NumPy
    scores = SCORES.astype(ml_dtypes.bfloat16)
    assert label_maps(np.zeros((1, 3), int), scores).pred.tolist() == [[[1, 0, 2]]]


def test_bfloat16_and_gradients() -> None:
    scores = torch.tensor(SCORES, dtype=torch.bfloat16, requires_grad=True)
    assert label_maps(np.zeros((1, 3), int), scores).pred.tolist() == [[[1, 0, 2]]]


def test_infinities_are_scores() -> None:
    scores = np.array([[[-math.inf, -math.inf, 0.0]], [[-math.inf, 1.0, math.inf]]])
    assert label_maps([[0, 0, 0]], scores).pred.tolist() == [[[0, 1, 1]]]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_as_argmax(data: st.DataObject) -> None:
    n, height = data.draw(st.integers(0, 2)), data.draw(st.integers(0, 5))
    width = data.draw(st.sampled_from([0, 1, 7, 20_000]))
    n_classes = data.draw(st.sampled_from([2, 3, 19, 256, 257] if width < 100 else [2, 5]))
    random = np.random.default_rng(data.draw(st.integers(0, 1 << 30)))
    scores = random.integers(-9, 9, (n, n_classes, height, width)).astype(
        data.draw(st.sampled_from(["float32", "float64", "int16"]))
    )
    if data.draw(st.booleans()):  # the axis of classes last in memory
        scores = np.ascontiguousarray(np.moveaxis(scores, 1, -1))
        scores = np.moveaxis(scores, -1, 1)
    maps = label_maps(np.zeros((n, height, width), int), scores)
    assert_array_equal(maps.pred, scores.argmax(axis=1))


@pytest.mark.parametrize("n_classes", [255, 256, 257, 65536, 65537])
def test_the_last_of_many_classes(n_classes: int) -> None:
    scores = np.zeros((n_classes, 1, 2), np.float32)
    scores[n_classes - 1, 0, 1] = 1
    assert label_maps([[0, 0]], scores).pred.tolist() == [[[0, n_classes - 1]]]


def test_one_hot_on_both_sides() -> None:
    labels = LABELS % 3
    one_hot = np.moveaxis(np.eye(3)[labels], -1, 1)
    for dtype in (bool, int, np.float32):
        maps = label_maps(one_hot.astype(dtype), one_hot.astype(bool))
        assert_array_equal(maps.truth, labels)
        assert_array_equal(maps.pred, labels)
        assert (maps.truth_classes, maps.pred_classes) == (3, 3)
        assert_array_equal(label_maps(one_hot.astype(dtype), labels).pred, labels)


@pytest.mark.parametrize(
    ("place", "value"),
    [((0, 0, 0, 0), 0), ((0, 1, 0, 0), 1)],
    ids=["none", "several"],
)
def test_one_hot_that_is_not(place: tuple[int, ...], value: int) -> None:
    labels = np.zeros((1, 2, 2), int)
    one_hot = np.moveaxis(np.eye(2, dtype=bool)[labels], -1, 1).copy()
    one_hot[place] = value
    message = "exactly one class of each pixel 1 and the rest 0, got 1 pixels with none or several"
    with pytest.raises(InputError, match=f"{message}.* - at pred"):
        label_maps(labels, one_hot)
    for dtype in (bool, float):
        with pytest.raises(InputError, match=f"{message}.* - at truth"):
            label_maps(one_hot.astype(dtype), labels)
    # Of a prediction that is not of flags the highest decides.
    assert label_maps(labels, one_hot.astype(float)).pred.tolist() == [[[0, 0], [0, 0]]]


def test_probabilities_are_no_truth() -> None:
    soft = np.full((1, 2, 2, 2), 0.5)
    with pytest.raises(InputError, match="and 8 values that are neither 0 nor 1 - at truth"):
        label_maps(soft, np.zeros((1, 2, 2), int))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("place", [(0, 0, 0), (2, 1, 3), (1, 2, 0)])
def test_nan_is_refused(dtype: str, place: tuple[int, ...]) -> None:
    scores = np.zeros((3, 3, 4), dtype)
    scores[place] = math.nan
    with pytest.raises(InputError, match="expected scores that are numbers, got nan - at pred"):
        label_maps(LABELS[0], scores)


def test_whole_numbers_as_floats_are_no_labels() -> None:
    message = r"expected whole numbers as labels, got float64 of shape \(2, 3, 4\): make class ids"
    with pytest.raises(InputError, match=f"{message}.* - at truth"):
        label_maps(LABELS.astype(float), LABELS)
    with pytest.raises(InputError, match=f"{message}.* - at pred"):
        label_maps(LABELS, LABELS.astype(float))


@pytest.mark.parametrize("labels", [[["a", "b"]], [[None, 1]], [[2**70, 1]], [[1j, 1]]])
def test_what_is_no_label(labels: Any) -> None:
    with pytest.raises(InputError, match=r"expected whole numbers as labels, got .* - at truth"):
        label_maps(labels, [[0, 0]])


@pytest.mark.parametrize(
    ("truth", "pred", "message"),
    [
        ((4,), (4,), "expected label maps of shape (H, W) or (N, H, W), got (4,) - at truth"),
        ((), (), "expected label maps of shape (H, W) or (N, H, W), got () - at truth"),
        ((1, 1, 2, 3, 4), (2, 3), "got (1, 1, 2, 3, 4) - at truth"),
        (
            (5, 4),
            (4, 6),
            "expected labels of shape (5, 4) or scores (K, 5, 4) for truth (5, 4), got (4, 6)",
        ),
        ((5, 4), (4, 5), "got (4, 5): are the axes in another order? - at pred"),
        (
            (2, 5, 4),
            (2, 7, 5, 3),
            "expected labels of shape (2, 5, 4) or scores (2, K, 5, 4) for truth (2, 5, 4), "
            "got (2, 7, 5, 3) - at pred",
        ),
        (
            (2, 5, 4),
            (2, 5, 4, 7),
            "got (2, 5, 4, 7): move the axis of classes before H, as in "
            "numpy.moveaxis(pred, -1, -3) - at pred",
        ),
        ((2, 5, 4), (5, 4), "for truth (2, 5, 4), got (5, 4) - at pred"),
        ((2, 3, 5, 4), (2, 5, 5), "for truth (2, 3, 5, 4), got (2, 5, 5) - at pred"),
        ((5, 4), (1, 7, 5, 4), "for truth (5, 4), got (1, 7, 5, 4) - at pred"),
        (
            (2, 5, 4),
            (2, 1, 5, 4),
            "expected an axis of 2 or more classes, got (2, 1, 5, 4): give labels pred[:, 0], or "
            "flags such as pred[:, 0] > 0 for a single logit - at pred",
        ),
        ((2, 1, 5, 4), (2, 5, 4), "got (2, 1, 5, 4): give labels truth[:, 0]"),
        ((2, 0, 5, 4), (2, 5, 4), "expected an axis of 2 or more classes, got (2, 0, 5, 4)"),
    ],
)
def test_shapes_that_do_not_fit(
    truth: tuple[int, ...], pred: tuple[int, ...], message: str
) -> None:
    for make in (np.zeros, torch.zeros):
        with pytest.raises(ShapeError, match=re.escape(message)):
            label_maps(make(truth, dtype=make([]).dtype if len(truth) == 4 else int), make(pred))


def test_shapes_of_labels_only_fit_when_equal() -> None:
    label_maps(np.zeros((2, 5, 4), int), np.zeros((2, 5, 4), int))
    with pytest.raises(ShapeError, match="at pred"):
        label_maps(np.zeros((2, 5, 4), int), np.zeros((1, 5, 4), int))


def test_what_looks_like_colours_is_asked_about() -> None:
    rgb, ids = np.zeros((5, 16, 3), np.uint8), np.zeros((5, 16), np.uint8)
    for width in (3, 4):
        message = (
            rf"got uint8 of shape \(5, 16, {width}\), which look like colours: say colours=True if "
            rf"they are R, G, B, or colours=False if the maps are {width} pixels wide - at truth"
        )
        with pytest.raises(ShapeError, match=message):
            label_maps(np.zeros((5, 16, width), np.uint8), ids)
    with pytest.raises(ShapeError, match=r"look like colours.* - at pred"):
        label_maps(ids, rgb)
    with pytest.raises(ShapeError, match=r"look like colours.* - at truth"):
        label_maps(rgb[None], rgb[None])
    assert label_maps(rgb, rgb, colours=False).truth.shape == (5, 16, 3)
    assert label_maps(rgb, rgb, colours=True).truth.shape == (1, 5, 16, 3)
    assert label_maps(rgb, ids, colours=(True, False)).pred.shape == (1, 5, 16)
    # Other types, and maps too small to be pictures, are labels.
    assert label_maps(rgb.astype(int), rgb.astype(int)).truth.shape == (5, 16, 3)
    assert label_maps(rgb[:, :15], rgb[:, :15]).truth.shape == (5, 15, 3)


def test_scores_beside_colours() -> None:
    maps = label_maps(np.zeros((1, 3, 3), np.uint8), SCORES, colours=(True, False))
    assert maps.pred.tolist() == [[[1, 0, 2]]]
    assert maps.truth.shape == (1, 1, 3, 3)
    assert maps.truth_classes is None


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 4), (5, 4, 1), (1, 1, 5, 4, 3)])
def test_what_is_no_colour(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"expected colours as uint8 .* - at truth"):
        label_maps(np.zeros(shape, np.uint8), np.zeros(shape, np.uint8), colours=True)
    with pytest.raises(ShapeError, match=r"expected colours .* got int64 .* - at pred"):
        label_maps(np.zeros((5, 4), int), np.zeros((5, 4, 3), int), colours=(False, True))
