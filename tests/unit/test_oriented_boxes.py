"""Oriented boxes: how they are made and named, what is refused, IoU by hand and by its laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from snellen import Boxes, _core
from snellen.detection.oriented import OrientedBoxes, oriented_iou
from snellen.errors import ClassError, IdError, InputError, ShapeError

ONE: dict[str, Any] = {"image_id": [1], "label": [1]}
SQUARE = [0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0]


def iou(pred: list[float], truth: list[float], **columns: Any) -> float:
    return float(
        oriented_iou(
            OrientedBoxes.from_corners([pred], **ONE),
            OrientedBoxes.from_corners([truth], **ONE, **columns),
        )[0, 0]
    )


def test_from_corners() -> None:
    corners = [[[2, 0], [4, 2], [2, 4], [0, 2]], [[1, 1], [5, 1], [5, 3], [1, 3]]]
    for given_corners in (corners, np.array(corners).reshape(2, 8), np.float32(corners)):
        boxes = OrientedBoxes.from_corners(
            given_corners, image_id=["b", "a"], label=[3, 4], score=[0.5, 0.25]
        )
        assert boxes.kind == "oriented"
        assert boxes.corners.dtype == np.float64
        assert boxes.corners.tolist() == corners
        # Half the product of the diagonals; 4 · 2.
        assert boxes.boxes.area is not None
        assert boxes.boxes.area.tolist() == [8, 8]
        assert boxes.boxes.xywh.tolist() == [[0, 0, 4, 4], [1, 1, 4, 2]]
        assert boxes.boxes.image.tolist() == [1, 0]
        assert repr(boxes) == "OrientedBoxes(2 scored boxes, 2 images, 2 classes)"
    assert boxes[1:].corners.tolist() == corners[1:]
    assert boxes[np.array([True, False])].boxes.label.tolist() == [0]


def test_columns_beside() -> None:
    boxes = OrientedBoxes.from_corners(
        [SQUARE] * 2,
        image_id=7,
        label=[1, 2],
        area=[3, 5],
        crowd=[0, 1],
        ignored=[1, 0],
        id=[4, 9],
        image_ids=[7, 8],
        classes={1: "ship", 2: "plane"},
    ).boxes
    assert boxes.area is not None
    assert boxes.area.tolist() == [3, 5]
    for column, want in ((boxes.crowd, [0, 1]), (boxes.ignored, [1, 0]), (boxes.id, [4, 9])):
        assert column is not None
        assert column.tolist() == want
    assert len(boxes.images) == 2


def test_corners_in_a_wrong_order() -> None:
    by_rows = OrientedBoxes.from_corners([[0, 0, 4, 0, 0, 4, 4, 4]], **ONE)
    assert by_rows.corners.tolist() == [[[0, 0], [4, 0], [4, 4], [0, 4]]]
    assert by_rows.boxes.area is not None
    assert by_rows.boxes.area.tolist() == [16]
    # A label of DOTA (shared/conformance/obb): turns left, left, right, right.
    label = OrientedBoxes.from_corners([[126, 191, 128, 171, 123, 178, 221, 199]], **ONE)
    assert label.corners.tolist() == [[[126, 191], [123, 178], [128, 171], [221, 199]]]


def test_from_cxcywha() -> None:
    # Turned from x towards y, which is down: the first corner, at left and top, goes to the right.
    boxes = OrientedBoxes.from_cxcywha([[10, 20, 4, 2, 90]], degrees=True, **ONE)
    assert boxes.corners.tolist() == [[[11, 18], [11, 22], [9, 22], [9, 18]]]
    radians = OrientedBoxes.from_cxcywha([[10, 20, 4, 2, math.pi / 2]], **ONE)
    np.testing.assert_allclose(radians.corners, boxes.corners, atol=1e-14)
    upright = OrientedBoxes.from_cxcywha([[10, 20, 4, 2, 0]], **ONE)
    assert upright.boxes.xywh.tolist() == [[8, 19, 4, 2]]
    # 30°: along (√3, 1), across (−½, √3/2) from the centre.
    turned = OrientedBoxes.from_cxcywha([[0, 0, 4, 2, 30]], degrees=True, **ONE).corners[0]
    root = math.sqrt(3)
    np.testing.assert_allclose(turned[2], [root - 0.5, 1 + root / 2], atol=1e-14)
    np.testing.assert_allclose(turned[1], [root + 0.5, 1 - root / 2], atol=1e-14)


@pytest.mark.parametrize("angle", [0, 90, 180, 270, 360, -90, -450, 3690])
def test_quarter_turns_are_exact(angle: float) -> None:
    boxes = OrientedBoxes.from_cxcywha([[1, 2, 6, 4, angle]], degrees=True, **ONE)
    want = [-2, 0, 6, 4] if angle % 180 == 0 else [-1, -1, 4, 6]
    assert boxes.boxes.xywh.tolist() == [want]


def test_conventions_of_angles_name_one_rectangle() -> None:
    rng = np.random.default_rng(5)
    for angle in rng.uniform(-90, 90, 50):
        le90 = [50, 40, 30, 10, angle]
        oc = [50, 40, 30, 10, angle] if angle > 0 else [50, 40, 10, 30, angle + 90]
        le135 = [50, 40, 30, 10, angle + 180 if angle < -45 else angle]
        boxes = OrientedBoxes.from_cxcywha([le90, oc, le135], degrees=True, image_id=1, label=1)
        np.testing.assert_allclose(oriented_iou(boxes, boxes), 1, atol=1e-14)


def test_from_images() -> None:
    boxes = OrientedBoxes.from_images(
        [
            {"boxes": np.array([[10, 20, 4, 2, 90]]), "labels": [2], "scores": [0.5]},
            {"boxes": [], "labels": [], "scores": []},
            {"boxes": [[[0, 0], [4, 0], [4, 4], [0, 4]]], "labels": [1], "scores": [0.75]},
        ],
        image_id=["a", "b", "c"],
        degrees=True,
    )
    assert boxes.corners.tolist() == [
        [[11, 18], [11, 22], [9, 22], [9, 18]],
        [[0, 0], [4, 0], [4, 4], [0, 4]],
    ]
    assert boxes.boxes.images.ids.tolist() == ["a", "b", "c"]
    assert boxes.boxes.image.tolist() == [0, 2]
    assert boxes.boxes.score is not None
    assert boxes.boxes.score.tolist() == [0.5, 0.75]
    none = OrientedBoxes.from_images([], image_id=[])
    assert none.corners.shape == (0, 4, 2)


@pytest.mark.parametrize(
    ("corners", "columns", "error", "message"),
    [
        ([[0] * 6], ONE, ShapeError, r"expected shape \(n, 4, 2\) or \(n, 8\), got \(1, 6\)"),
        ([0] * 8, ONE, ShapeError, r"got \(8,\)"),
        (np.zeros((1, 2, 4)), ONE, ShapeError, r"got \(1, 2, 4\)"),
        ([[0, 0, 1, 0, 1, math.nan, 0, 1]], ONE, InputError, r"finite.* - at corners\[0, 5\]"),
        ([[0, 0, 1, 0, 1, math.inf, 0, 1]], ONE, InputError, "finite"),
        ([SQUARE, [1e101] * 8], {"image_id": 1, "label": 1}, InputError, r"±1e\+100.*corners\[1\]"),
        ([[0, 0, 1e-200, 0, 1e-200, 1e-200, 0, 0]], ONE, InputError, "range of float64"),
        ([["a"] * 8], ONE, InputError, "corners"),
        ([SQUARE], {"image_id": [1, 2], "label": [1]}, ShapeError, "expected 1 values"),
        ([SQUARE], {**ONE, "image_ids": [2]}, IdError, "image_ids"),
        ([SQUARE], {**ONE, "classes": {2: "a"}}, ClassError, "classes"),
    ],
)
def test_bad_corners(
    corners: Any, columns: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        OrientedBoxes.from_corners(corners, **columns)


@pytest.mark.parametrize(
    ("box", "error", "message"),
    [
        ([[0, 0, -1, 1, 0]], InputError, r"at least 0, got -1 and 1 - at box\[0\]"),
        ([[0, 0, 1, 1]], ShapeError, r"expected shape \(n, 5\)"),
        ([[0, 0, 1, 1, math.inf]], InputError, r"finite.*box\[0, 4\]"),
        ([[1.7e308, 0, 1.7e308, 1, 0]], InputError, r"centre, .* within ±1e\+100.*box\[0\]"),
    ],
)
def test_bad_cxcywha(box: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        OrientedBoxes.from_cxcywha(box, **ONE)


def test_bad_images() -> None:
    with pytest.raises(InputError, match=r'expected the key "boxes".*image 0'):
        OrientedBoxes.from_images([{"labels": []}], image_id=[1])
    with pytest.raises(ShapeError, match=r"\(n, 5\), \(n, 4, 2\) or \(n, 8\).*boxes of image 0"):
        OrientedBoxes.from_images([{"boxes": [[1, 2, 3, 4]], "labels": [1]}], image_id=[1])
    with pytest.raises(ShapeError, match="labels of image 0"):
        OrientedBoxes.from_images([{"boxes": [SQUARE], "labels": []}], image_id=[1])


def test_iou_by_hand() -> None:
    diamond = [2.0, 0, 4, 2, 2, 4, 0, 2]
    assert iou(diamond, SQUARE) == 0.5
    # A truth region of many objects: the part of the detection inside it.
    assert iou(diamond, SQUARE, crowd=[1]) == 1
    assert iou(SQUARE, diamond, crowd=[1]) == pytest.approx(0.5, abs=1e-15)
    # Neighbours, and a line.
    assert iou([4, 0, 8, 0, 8, 4, 4, 4], SQUARE) == 0
    assert iou([0, 0, 4, 4, 4, 4, 0, 0], SQUARE) == 0


def test_upright_boxes_have_the_iou_of_boxes() -> None:
    rng = np.random.default_rng(3)
    # Sixteenths: no value is rounded before the last division.
    xywh = rng.integers(1, 400, (60, 4)) / 16
    x, y, w, h = xywh.T
    corners = np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1)
    many = {"image_id": 1, "label": 1}
    boxes = Boxes.from_xywh(xywh, **many)
    oriented = OrientedBoxes.from_corners(corners, **many)
    want = _core.box_iou(boxes.xywh, boxes.xywh, np.zeros(60, np.uint8))
    np.testing.assert_allclose(oriented_iou(oriented, oriented), want, rtol=0, atol=1e-15)


number = st.floats(-1000, 1000)
length = st.floats(0.01, 500)
rectangle = st.tuples(number, number, length, length, st.floats(-10, 10)).map(list)
outline = st.lists(st.floats(0, 100).map(lambda x: round(x, 2)), min_size=8, max_size=8)


def boxes_of(rows: list[list[float]]) -> OrientedBoxes:
    make = OrientedBoxes.from_cxcywha if len(rows[0]) == 5 else OrientedBoxes.from_corners
    return make(rows, image_id=1, label=1)


def matrix(*rows: list[float]) -> NDArray[np.float64]:
    boxes = boxes_of(list(rows))
    return oriented_iou(boxes, boxes)


@given(st.one_of(st.tuples(rectangle, rectangle), st.tuples(outline, outline)))
def test_symmetry_and_range(pair: tuple[list[float], list[float]]) -> None:
    values = matrix(*pair)
    assert ((values >= 0) & (values <= 1)).all()
    assert abs(values[0, 1] - values[1, 0]) <= 1e-9


@given(rectangle, st.integers(0, 3), st.booleans())
def test_identity(box: list[float], first: int, reverse: bool) -> None:
    corners = boxes_of([box]).corners
    renamed = np.roll(corners[:, :: -1 if reverse else 1], first, axis=1)
    again = OrientedBoxes.from_corners(renamed, **ONE)
    assert oriented_iou(again, boxes_of([box])).tolist() == [[1.0]]


@given(
    st.tuples(number, number, st.floats(1, 500), st.floats(1, 500), st.floats(-4, 4)),
    st.tuples(number, number, st.floats(1, 500), st.floats(1, 500), st.floats(-4, 4)),
    st.floats(-4, 4),
)
def test_turning_both_changes_nothing(
    one: tuple[float, ...], other: tuple[float, ...], angle: float
) -> None:
    boxes = OrientedBoxes.from_cxcywha([one, other], image_id=1, label=1)
    cos, sin = math.cos(angle), math.sin(angle)
    turned = boxes.corners @ np.array([[cos, sin], [-sin, cos]])
    again = OrientedBoxes.from_corners(turned, image_id=1, label=1)
    np.testing.assert_allclose(
        oriented_iou(again, again), oriented_iou(boxes, boxes), rtol=0, atol=1e-9
    )


def test_candidates() -> None:
    truth = OrientedBoxes.from_corners([SQUARE, SQUARE], image_id=[1, 2], label=[1, 2])
    pred = OrientedBoxes.from_corners(
        [[2, 0, 4, 2, 2, 4, 0, 2], SQUARE], image_id=[1, 2], label=[1, 1], classes={1: "a", 2: "b"},
        score=[1, 1],
    )  # fmt: skip

    def found(lowest: float, *, across_labels: bool) -> dict[str, Any]:
        return _core.oriented_candidates(
            truth.boxes.image, truth.boxes.label, truth.corners.reshape(-1, 8),
            np.zeros(2, np.uint8), pred.boxes.image, pred.boxes.label, pred.corners.reshape(-1, 8),
            n_images=2, n_labels=2, lowest=lowest, across_labels=across_labels,
        )  # fmt: skip

    columns = found(0.5, across_labels=False)
    assert {name: column.tolist() for name, column in columns.items()} == {
        "begin": [0, 1, 1], "truth": [0], "similarity": [0.5]
    }  # fmt: skip
    assert [columns[name].dtype for name in ("begin", "truth", "similarity")] == [
        np.int64, np.int32, np.float64
    ]  # fmt: skip
    assert found(0.75, across_labels=False)["begin"].tolist() == [0, 0, 0]
    columns = found(0.5, across_labels=True)
    assert columns["begin"].tolist() == [0, 1, 2]
    assert columns["truth"].tolist() == [0, 1]
    assert columns["similarity"].tolist() == [0.5, 1]
    with pytest.raises(ValueError, match="expected label below 1"):
        _core.oriented_candidates(
            truth.boxes.image, truth.boxes.label, truth.corners.reshape(-1, 8),
            np.zeros(2, np.uint8), pred.boxes.image, pred.boxes.label, pred.corners.reshape(-1, 8),
            n_images=2, n_labels=1, lowest=0.5, across_labels=False,
        )  # fmt: skip
