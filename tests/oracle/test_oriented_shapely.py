"""Oriented IoU against Shapely's polygons."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from snellen import _core
from snellen.detection.oriented import OrientedBoxes, oriented_iou

shapely = pytest.importorskip("shapely")


def boxes_of(corners: NDArray[np.float64]) -> OrientedBoxes:
    return OrientedBoxes.from_corners(corners, image_id=1, label=1)


def rectangles(
    rng: np.random.Generator, n: int, *, at: float = 0.0, thin: float = 0.5
) -> OrientedBoxes:
    box = np.stack(
        [
            at + rng.uniform(0, 60, n),
            at + rng.uniform(0, 60, n),
            rng.uniform(0.5, 40, n),
            rng.uniform(thin, 40, n),
            rng.uniform(-7, 7, n),
        ],
        axis=1,
    )
    return OrientedBoxes.from_cxcywha(box, image_id=1, label=1)


def quadrilaterals(rng: np.random.Generator, n: int) -> OrientedBoxes:
    """Return any: many with a corner that points inwards, many whose corners were in disorder."""
    return boxes_of(rng.uniform(0, 50, (n, 8)))


def polygons(boxes: OrientedBoxes) -> NDArray[np.object_]:
    found: NDArray[np.object_] = shapely.polygons(boxes.corners)
    assert shapely.is_valid(found).all()
    return found


def assert_same(pred: OrientedBoxes, truth: OrientedBoxes, tolerance: float = 1e-12) -> float:
    ours = oriented_iou(pred, truth)
    theirs_pred, theirs_truth = polygons(pred), polygons(truth)
    common = shapely.area(shapely.intersection(theirs_pred[:, None], theirs_truth[None]))
    area_pred, area_truth = shapely.area(theirs_pred)[:, None], shapely.area(theirs_truth)[None]
    theirs = common / (area_pred + area_truth - common)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)
    for boxes, areas in ((pred, area_pred[:, 0]), (truth, area_truth[0])):
        assert boxes.boxes.area is not None
        np.testing.assert_allclose(boxes.boxes.area, areas, rtol=1e-10, atol=1e-10)
    crowd = _core.oriented_iou(
        pred.corners.reshape(-1, 8), truth.corners.reshape(-1, 8), np.ones(len(truth), np.uint8)
    )
    np.testing.assert_allclose(crowd, common / area_pred, rtol=0, atol=tolerance)
    return float((theirs > 0).mean())


def test_rectangles() -> None:
    rng = np.random.default_rng(1)
    assert assert_same(rectangles(rng, 250), rectangles(rng, 150)) > 0.2


def test_thin_rectangles() -> None:
    rng = np.random.default_rng(2)
    assert assert_same(rectangles(rng, 150, thin=0.01), rectangles(rng, 150, thin=0.01)) > 0.2


def test_far_from_the_origin() -> None:
    rng = np.random.default_rng(3)
    # Pictures from the air are 20,000 pixels wide. Coordinates themselves are rounded to 4e-12.
    assert (
        assert_same(rectangles(rng, 150, at=20_000), rectangles(rng, 100, at=20_000), 1e-11) > 0.2
    )


def test_quadrilaterals() -> None:
    rng = np.random.default_rng(4)
    pred, truth = quadrilaterals(rng, 200), quadrilaterals(rng, 200)
    convex = shapely.area(shapely.convex_hull(polygons(pred))) <= np.asarray(pred.boxes.area) + 1e-9
    assert 0.2 < convex.mean() < 0.9
    assert assert_same(pred, truth) > 0.5
    assert assert_same(pred, rectangles(rng, 100)) > 0.4


def test_whole_numbers() -> None:
    # Corners on sides and sides on sides.
    rng = np.random.default_rng(5)
    corners = rng.integers(0, 6, (500, 8)).astype(np.float64)
    boxes = boxes_of(corners)
    boxes = boxes[shapely.is_valid(shapely.polygons(boxes.corners))]
    assert len(boxes) > 200
    assert_same(boxes[:200], boxes[-200:])


def test_neighbours_of_one_box() -> None:
    # Copies that are moved or turned by next to nothing.
    rng = np.random.default_rng(6)
    box = np.tile([100.0, 100.0, 40.0, 25.0, 0.7], (200, 1))
    moved = box + rng.normal(0, 1, box.shape) * 10.0 ** rng.uniform(-15, -1, (200, 1))
    pred = OrientedBoxes.from_cxcywha(moved, image_id=1, label=1)
    assert assert_same(pred, pred[:20]) == 1
