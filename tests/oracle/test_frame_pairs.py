"""Similarities of the objects of frames beside TrackEval's, and beside plain twins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.spatial import ConvexHull, QhullError
from trackeval.datasets._base_dataset import _BaseDataset

from snellen import _core

BOX_FORMATS = ("x0y0x1y1", "xywh")
Pairs = tuple[Any, Any, Any]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    _core.set_thread_count(0)


def dense(pairs: Pairs, truth_begin: Any, pred_begin: Any, frame: int) -> Any:
    """Return one frame's similarities as a matrix; every listed pair must belong to it."""
    start, pred, similarity = pairs
    matrix = np.zeros(
        (
            truth_begin[frame + 1] - truth_begin[frame],
            pred_begin[frame + 1] - pred_begin[frame],
        )
    )
    for i in range(len(matrix)):
        row = slice(start[truth_begin[frame] + i], start[truth_begin[frame] + i + 1])
        assert (np.diff(pred[row]) > 0).all()
        assert (similarity[row] > 0).all()
        matrix[i, pred[row] - pred_begin[frame]] = similarity[row]
    return matrix


def begins(sizes: Any) -> Any:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def drawn(seed: int) -> tuple[Any, Any, Any, Any]:
    """Return frames of boxes (x, y, w, h): jittered copies, touching, equal and empty ones."""
    random = np.random.default_rng(seed)
    most = (4, 12, 40, 150)[seed % 4]
    n_frames = 800 // most
    truth_begin = begins(random.integers(0, most + 1, n_frames))
    pred_begin = begins(random.integers(0, most + 1, n_frames))

    def side(n: int) -> Any:
        place = random.uniform(-300, 300, (n, 2))
        size = random.uniform(0.1, 120, (n, 2))
        boxes = np.concatenate([place, size], axis=1)
        style = random.integers(0, 6, n)
        boxes[style == 0] = np.round(boxes[style == 0], -1)  # a grid of 10: exact ties
        boxes[style == 1] = np.round(boxes[style == 1], 2)  # as in files
        odd = style == 2
        boxes[odd, 2:] *= random.choice([0.0, 1.0, -1.0, 1e-8, 3e-10], (odd.sum(), 2))
        boxes[style == 3, :2] /= 10  # crowded
        return boxes

    return truth_begin, pred_begin, side(truth_begin[-1]), side(pred_begin[-1])


def corners(xywh: Any) -> Any:
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("box_format", BOX_FORMATS)
@pytest.mark.parametrize("seed", range(16))
def test_boxes_as_trackeval(seed: int, box_format: str, n_threads: int) -> None:
    truth_begin, pred_begin, truth, pred = drawn(seed)
    truth_corners, pred_corners = corners(truth), corners(pred)
    if box_format == "x0y0x1y1":
        truth, pred = truth_corners, pred_corners
    _core.set_thread_count(n_threads)
    rows = truth_begin, pred_begin
    found = {
        kind: _core.box_pairs(*rows, truth_corners, pred_corners, kind)
        for kind in ("iou", "ioa_truth", "ioa_pred")
    }
    n_pairs = 0
    for t in range(len(truth_begin) - 1):
        a = truth[truth_begin[t] : truth_begin[t + 1]]
        b = pred[pred_begin[t] : pred_begin[t + 1]]
        iou = _BaseDataset._calculate_box_ious(a, b, box_format=box_format)
        assert_array_equal(dense(found["iou"], *rows, t), iou)
        of_truth = _BaseDataset._calculate_box_ious(a, b, box_format=box_format, do_ioa=True)
        assert_array_equal(dense(found["ioa_truth"], *rows, t), of_truth)
        of_pred = _BaseDataset._calculate_box_ious(b, a, box_format=box_format, do_ioa=True)
        assert_array_equal(dense(found["ioa_pred"], *rows, t), of_pred.T)
        n_pairs += np.count_nonzero(iou)
    assert n_pairs == len(found["iou"][1]) > 20


def test_boxes_of_every_degenerate_kind() -> None:
    sides = [-2.0, -1e-17, 0.0, 1e-300, 1.4e-8, 2.0**-26, 1.5e-8, 1.0, 1e155, 1e200]
    boxes = np.array([[0.0, 0.0, w, h] for w in sides for h in sides])
    rows = np.array([0, len(boxes)]), np.array([0, len(boxes)])
    with np.errstate(invalid="ignore", over="ignore"):
        theirs = _BaseDataset._calculate_box_ious(boxes, boxes, box_format="x0y0x1y1")
        ioa = _BaseDataset._calculate_box_ious(boxes, boxes, box_format="x0y0x1y1", do_ioa=True)
    # What is not a number there (areas beyond float64) is not above 0.
    found = _core.box_pairs(*rows, boxes, boxes, "iou")
    assert_array_equal(dense(found, *rows, 0), np.where(theirs > 0, theirs, 0))
    found = _core.box_pairs(*rows, boxes, boxes, "ioa_truth")
    assert_array_equal(dense(found, *rows, 0), np.where(ioa > 0, ioa, 0))
    assert (theirs == 1).any()
    assert np.isnan(theirs).any()


def plain_giou(truth: Any, pred: Any) -> Any:
    """Return GIoU as torchvision.ops.generalized_box_iou writes it."""
    area_truth = (truth[:, 2] - truth[:, 0]) * (truth[:, 3] - truth[:, 1])
    area_pred = (pred[:, 2] - pred[:, 0]) * (pred[:, 3] - pred[:, 1])
    first = np.maximum(truth[:, None, :2], pred[None, :, :2])
    last = np.minimum(truth[:, None, 2:], pred[None, :, 2:])
    common = np.maximum(last - first, 0).prod(axis=2)
    union = area_truth[:, None] + area_pred[None] - common
    hull_first = np.minimum(truth[:, None, :2], pred[None, :, :2])
    hull_last = np.maximum(truth[:, None, 2:], pred[None, :, 2:])
    hull = np.maximum(hull_last - hull_first, 0).prod(axis=2)
    return common / union - (hull - union) / hull


@pytest.mark.parametrize("seed", range(4))
def test_generalised_iou(seed: int) -> None:
    truth_begin, pred_begin, truth, pred = drawn(seed)
    for side in (truth, pred):
        side[:, 2:] = np.maximum(side[:, 2:], 0.01)
    truth, pred = corners(truth), corners(pred)
    found = _core.box_pairs(truth_begin, pred_begin, truth, pred, "giou")
    for t in range(len(truth_begin) - 1):
        a = truth[truth_begin[t] : truth_begin[t + 1]]
        b = pred[pred_begin[t] : pred_begin[t + 1]]
        assert_array_equal(
            dense(found, truth_begin, pred_begin, t), (1 + plain_giou(a, b)) / 2, strict=True
        )


@pytest.mark.parametrize("n_axes", [1, 2, 3, 7])
@pytest.mark.parametrize("seed", range(6))
def test_points_as_trackeval(seed: int, n_axes: int) -> None:
    random = np.random.default_rng(seed)
    sizes = random.integers(0, 40, (2, 30))
    truth_begin, pred_begin = begins(sizes[0]), begins(sizes[1])
    truth = random.uniform(-5, 5, (truth_begin[-1], n_axes))
    pred = random.uniform(-5, 5, (pred_begin[-1], n_axes))
    if seed % 2:
        truth, pred = np.round(truth), np.round(pred)  # distances of exactly zero_distance
    for zero_distance in (2.0, 0.3, 7.1):
        found = _core.point_pairs(truth_begin, pred_begin, truth, pred, zero_distance)
        for t in range(len(truth_begin) - 1):
            a = truth[truth_begin[t] : truth_begin[t + 1]]
            b = pred[pred_begin[t] : pred_begin[t + 1]]
            theirs = _BaseDataset._calculate_euclidean_similarity(a, b, zero_distance)
            assert_array_equal(dense(found, truth_begin, pred_begin, t), theirs)


def outline(box: Any) -> Any:
    """Return the four corners of a turned box, counter-clockwise."""
    cos, sin = np.cos(box[6]), np.sin(box[6])
    local = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * box[3:5] / 2
    return local @ np.array([[cos, sin], [-sin, cos]]) + box[:2]


def plain_common_area(a: Any, b: Any) -> float:
    """Return the area of what two convex outlines have in common, by the hull of its corners.

    These are the corners of each that lie in the other, and the crossings of their sides.
    """
    points = []
    for one, other in ((a, b), (b, a)):
        side = np.roll(other, -1, axis=0) - other
        for p in one:
            away = p - other
            if (side[:, 0] * away[:, 1] - side[:, 1] * away[:, 0] >= 0).all():
                points.append(p)
    for p, p_next in zip(a, np.roll(a, -1, axis=0), strict=True):
        for q, q_next in zip(b, np.roll(b, -1, axis=0), strict=True):
            lines = np.stack([p_next - p, q - q_next], axis=1)
            if abs(np.linalg.det(lines)) < 1e-12:
                continue
            along = np.linalg.solve(lines, q - p)
            if ((along >= 0) & (along <= 1)).all():
                points.append(p + along[0] * (p_next - p))
    if len(points) < 3:
        return 0.0
    try:
        return float(ConvexHull(np.array(points)).volume)
    except QhullError:  # all on a line
        return 0.0


def test_turned_boxes_beside_hulls() -> None:
    random = np.random.default_rng(5)
    n = 60
    rows = np.array([0, n]), np.array([0, n])
    place = random.uniform(-3, 3, (2, n, 3)) * [1, 1, 0.2]
    size = random.uniform(0.5, 5, (2, n, 3))
    yaw = random.uniform(-7, 7, (2, n, 1))
    truth, pred = np.concatenate([place, size, yaw], axis=2)
    got = dense(_core.box3d_pairs(*rows, truth, pred), *rows, 0)
    want = np.zeros((n, n))
    for i, a in enumerate(truth):
        for j, b in enumerate(pred):
            top = min(a[2] + a[5] / 2, b[2] + b[5] / 2)
            height = max(0.0, top - max(a[2] - a[5] / 2, b[2] - b[5] / 2))
            common = height * plain_common_area(outline(a), outline(b))
            want[i, j] = common / (a[3:6].prod() + b[3:6].prod() - common)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-12)
    assert 0.3 < np.mean(want > 0) < 0.9
    # The other way about, up to rounding: the pairs are measured in the truth box's axes.
    back = dense(_core.box3d_pairs(*rows, pred, truth), *rows, 0)
    np.testing.assert_allclose(back.T, got, rtol=0, atol=1e-14)


def plain_kept(
    truth_begin: Any,
    pred_begin: Any,
    pairs: Pairs,
    keep_truth: Any,
    keep_pred: Any,
) -> tuple[Any, ...]:
    """Return what kept_pairs has to give, by whole arrays."""
    keep_truth, keep_pred = keep_truth != 0, keep_pred != 0
    start, pred, similarity = pairs
    truth_row = np.repeat(np.arange(len(keep_truth)), np.diff(start))
    stays = keep_truth[truth_row] & keep_pred[pred]
    new_pred = np.cumsum(keep_pred) - 1
    per_row = np.bincount(truth_row[stays], minlength=len(keep_truth))[keep_truth]
    before_truth, before_pred = begins(keep_truth), begins(keep_pred)
    return (
        before_truth[truth_begin],
        before_pred[pred_begin],
        begins(per_row),
        new_pred[pred[stays]],
        similarity[stays],
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_kept_rows(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8))
    truth_begin, pred_begin = begins([n for n, _ in sizes]), begins([m for _, m in sizes])
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    start, pred = [0], []
    for t, (n, m) in enumerate(sizes):
        for _ in range(n):
            pred.extend(pred_begin[t] + np.flatnonzero(random.random(m) < 0.5))
            start.append(len(pred))
    pairs = (
        np.array(start, np.int64),
        np.array(pred, np.int32),
        random.uniform(0.01, 1, len(pred)),
    )
    share = data.draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    keep_truth = (random.random(truth_begin[-1]) < share) * np.uint8(random.integers(1, 256))
    keep_pred = (random.random(pred_begin[-1]) < share) * np.uint8(1)
    flags = keep_truth.astype(np.uint8), keep_pred.astype(np.uint8)
    found = _core.kept_pairs(truth_begin, pred_begin, *pairs, *flags)
    want = plain_kept(truth_begin, pred_begin, pairs, *flags)
    for got, expected in zip(found, want, strict=True):
        assert_array_equal(got, expected)
    if share == 1:
        for got, given_array in zip(found[2:], pairs, strict=True):
            assert_array_equal(got, given_array)


def test_kept_rows_of_many_blocks() -> None:
    random = np.random.default_rng(3)
    truth_begin = begins(random.integers(0, 30, 2000))
    pred_begin = begins(random.integers(0, 30, 2000))
    truth = corners(random.uniform(5, 50, (truth_begin[-1], 4)))
    pred = corners(random.uniform(5, 50, (pred_begin[-1], 4)))
    pairs = _core.box_pairs(truth_begin, pred_begin, truth, pred, "iou")
    flags = (
        (random.random(len(truth)) < 0.7).astype(np.uint8),
        (random.random(len(pred)) < 0.7).astype(np.uint8),
    )
    want = plain_kept(truth_begin, pred_begin, pairs, *flags)
    for n_threads in (1, 4):
        _core.set_thread_count(n_threads)
        found = _core.kept_pairs(truth_begin, pred_begin, *pairs, *flags)
        for got, expected in zip(found, want, strict=True):
            assert_array_equal(got, expected)
