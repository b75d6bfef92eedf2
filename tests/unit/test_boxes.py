from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import Boxes, Classes
from snellen.errors import ClassError, IdError, InputError, ShapeError

ONE: dict[str, Any] = {"image_id": [1], "label": [1]}


class Tensor:
    """What a torch tensor on another device looks like."""

    dtype = "torch.float32"

    def __init__(self, values: Any, *, on_host: bool = False) -> None:
        self.values = values
        self.on_host = on_host

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return Tensor(self.values, on_host=True)

    def numpy(self) -> Any:
        assert self.on_host
        return np.array(self.values)


def areas(boxes: Boxes) -> list[float]:
    assert boxes.area is not None
    return boxes.area.tolist()


def test_from_xywh() -> None:
    boxes = Boxes.from_xywh(
        [[10, 20, 30, 40], [0, 0, 0, 5]], image_id=[7, 3], label=["b", "a"], score=[0.5, -1]
    )
    assert boxes.xywh.tolist() == [[10, 20, 30, 40], [0, 0, 0, 5]]
    assert boxes.images.ids.tolist() == [3, 7]
    assert boxes.image.tolist() == [1, 0]
    assert boxes.classes.keys.ids.tolist() == ["a", "b"]
    assert boxes.label.tolist() == [1, 0]
    assert boxes.score is not None
    assert boxes.score.tolist() == [0.5, -1.0]
    assert (boxes.crowd, boxes.id) == (None, None)
    assert boxes.image.dtype == boxes.label.dtype == np.int32
    assert len(boxes) == 2


def test_from_xyxy() -> None:
    boxes = Boxes.from_xyxy([[10, 20, 40, 60]], **ONE)
    # 40 − 10 and 60 − 20.
    assert boxes.xywh.tolist() == [[10, 20, 30, 40]]


def test_from_cxcywh() -> None:
    boxes = Boxes.from_cxcywh([[25, 40, 30, 41]], **ONE)
    # 25 − 15 and 40 − 20.5.
    assert boxes.xywh.tolist() == [[10, 19.5, 30, 41]]


def test_all_columns() -> None:
    boxes = Boxes.from_xywh(
        [[0, 0, 10, 10]] * 2,
        image_id=[1, 1],
        label=[5, 5],
        area=[33.5, 0],
        crowd=[False, 2],
        id=[0, 2**60],
        image_ids=[4, 1, 9],
        classes={5: "cat", 2: "dog"},
    )
    assert areas(boxes) == [33.5, 0.0]
    assert boxes.crowd is not None
    assert boxes.crowd.tolist() == [0, 1]
    assert boxes.id is not None
    assert boxes.id.tolist() == [0, 2**60]
    assert boxes.images.ids.tolist() == [1, 4, 9]
    assert boxes.classes.names == ("dog", "cat")
    assert boxes.label.tolist() == [1, 1]
    assert boxes.score is None


def test_one_id_for_all() -> None:
    boxes = Boxes.from_xywh([[0, 0, 1, 1]] * 2, image_id=2**60, label="cat")
    assert boxes.images.ids.tolist() == [2**60]
    assert boxes.image.tolist() == [0, 0]
    assert boxes.classes.keys.ids.tolist() == ["cat"]


def test_no_boxes() -> None:
    for empty in ([], np.zeros((0, 4))):
        boxes = Boxes.from_xywh(empty, image_id=[], label=[], score=[], image_ids=[1, 2])
        assert len(boxes) == 0
        assert boxes.xywh.shape == (0, 4)
        assert len(boxes.images) == 2
        assert len(boxes.classes) == 0


def test_labels_as_whole_floats() -> None:
    boxes = Boxes.from_xywh([[0, 0, 1, 1]] * 2, image_id=[1, 2], label=[3.0, 1.0])
    assert boxes.classes.keys.ids.tolist() == [1, 3]
    assert boxes.classes.keys.ids.dtype == np.int64


@pytest.mark.parametrize("make", [Boxes.from_xywh, Boxes.from_xyxy, Boxes.from_cxcywh])
@pytest.mark.parametrize(
    ("box", "error", "message"),
    [
        ([[0, 0, math.nan, 1]], InputError, r"expected finite numbers, got nan - at box\[0, 2\]"),
        ([[0, -math.inf, 1, 1]], InputError, r"expected finite numbers, got -inf - at box\[0, 1\]"),
        ([[0, 0, 1]], ShapeError, r"expected shape \(n, 4\), got \(1, 3\) - at box"),
        ([0, 0, 1, 1], ShapeError, r"expected shape \(n, 4\), got \(4,\) - at box"),
        ([["0", "0", "1", "1"]], InputError, "expected an array.* - at box"),
        ([[0, 0, 1, 1], [0]], InputError, "expected an array.* - at box"),
        ([[0, 0, 1, -2]], InputError, r"width and height of at least 0.* - at box\[0\]"),
    ],
)
def test_boxes_that_are_none(make: Any, box: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make(box, **ONE)


@pytest.mark.parametrize(
    "box",
    [
        # The area overflows, the right side does, the area vanishes although the sides don't.
        [0, 0, 1e300, 1e300],
        [1.7e308, 0, 1.7e308, 1],
        [0, 0, 1e-200, 1e-200],
    ],
)
def test_boxes_out_of_range(box: list[float]) -> None:
    with pytest.raises(InputError, match=r"within the range of float64.* - at box\[1\]"):
        Boxes.from_xywh([[0, 0, 1, 1], box], image_id=[1, 1], label=[1, 1])


def test_corners_and_centres_out_of_range() -> None:
    # Refused, and not first warned of by NumPy.
    with pytest.raises(InputError, match=r"expected finite numbers, got inf - at box\[0, 2\]"):
        Boxes.from_xyxy([[-1e308, 0, 1.5e308, 1]], image_id=1, label=1)
    with pytest.raises(InputError, match=r"expected finite numbers, got -inf - at box\[0, 0\]"):
        Boxes.from_cxcywh([[-1.7e308, 0, 1.7e308, 1]], image_id=1, label=1)


def test_annotation_ids_beyond_64_bits_with_a_sign() -> None:
    ids = np.array([2**63], np.uint64)
    with pytest.raises(
        IdError, match=r"expected whole numbers below 2\^63, got 9223372036854775808"
    ):
        Boxes.from_xywh([[0, 0, 1, 1]], image_id=1, label=1, id=ids)


def test_boxes_just_within_range() -> None:
    rows = [[1e300, -1e300, 1e150, 1e150], [0, 0, 1e-160, 1e-160], [0, 0, 0, 1e-200]]
    assert Boxes.from_xywh(rows, image_id=[1] * 3, label=[1] * 3).xywh.tolist() == rows


def test_the_first_negative_size_is_named() -> None:
    with pytest.raises(InputError, match=r"got -10 and 10 - at box\[1\]"):
        Boxes.from_xyxy([[0, 0, 1, 1], [30, 0, 20, 10]], image_id=[1, 1], label=[1, 1])


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"image_id": [1, 2]}, ShapeError, "expected 1 values, one a box, got 2 - at image_id"),
        ({"label": []}, ShapeError, "expected 1 values, one a box, got 0 - at label"),
        ({"score": [0.1, 0.2]}, ShapeError, "expected 1 values, one a box, got 2 - at score"),
        ({"area": []}, ShapeError, "expected 1 values, one a box, got 0 - at area"),
        ({"crowd": [0, 0]}, ShapeError, "expected 1 values, one a box, got 2 - at crowd"),
        ({"id": [1, 2]}, ShapeError, "expected 1 values, one a box, got 2 - at id"),
        ({"score": [math.nan]}, InputError, r"got nan - at score\[0\]"),
        ({"score": [math.inf]}, InputError, r"got inf - at score\[0\]"),
        ({"area": [math.nan]}, InputError, r"got nan - at area\[0\]"),
        ({"score": ["high"]}, InputError, "expected an array.* - at score"),
        ({"image_id": [1.5]}, IdError, "whole numbers of 64 bits or texts, got float64"),
        ({"image_id": [math.nan]}, IdError, "whole numbers of 64 bits or texts, got float64"),
        ({"image_id": [math.inf]}, IdError, "whole numbers of 64 bits or texts, got float64"),
        ({"label": [1e300]}, IdError, "whole numbers of 64 bits or texts, got float64"),
        ({"label": [None]}, IdError, "whole numbers of 64 bits or texts, got object"),
        ({"id": [0.5]}, IdError, "expected whole numbers, got float64 - at id"),
        (
            {"image_ids": [4, 5]},
            IdError,
            "expected image ids of image_ids, got 1 others: 1 - at image_id",
        ),
        (
            {"image_ids": ["1"]},
            IdError,
            "expected image ids of image_ids, got 1 others: 1 - at image_id",
        ),
        (
            {"classes": {2: "dog"}},
            ClassError,
            "expected labels of classes, got 1 others: 1 - at label",
        ),
        ({"classes": ["dog"]}, ClassError, "expected labels of classes, got 1 others: 1"),
    ],
)
def test_columns_that_do_not_fit(columns: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Boxes.from_xywh([[0, 0, 1, 1]], **{**ONE, **columns})


def test_annotation_ids_are_distinct() -> None:
    with pytest.raises(
        IdError, match="expected distinct annotation ids, got 2 twice: 3, 8 - at id"
    ):
        Boxes.from_xywh([[0, 0, 1, 1]] * 5, image_id=[1] * 5, label=[1] * 5, id=[3, 8, 3, 1, 8])


def test_numbers_and_texts_do_not_mix() -> None:
    for columns in (
        {"image_id": [1, "a"], "label": [1, 1]},
        {"image_id": [1, 1], "label": [1, "a"]},
    ):
        with pytest.raises(InputError, match="that are all numbers or all texts, got both"):
            Boxes.from_xywh([[0, 0, 1, 1]] * 2, **columns)


def test_rows() -> None:
    boxes = Boxes.from_xywh(
        [[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]],
        image_id=[1, 2, 3],
        label=[1, 1, 2],
        score=[0.1, 0.2, 0.3],
    )
    for rows in ([True, False, True], [0, 2], slice(None, None, 2)):
        taken = boxes[rows if isinstance(rows, slice) else np.array(rows)]
        assert taken.xywh[:, 2].tolist() == [1, 3]
        assert taken.score is not None
        assert taken.score.tolist() == [0.1, 0.3]
        assert taken.crowd is None
        # What was looked at stays, with or without boxes.
        assert taken.images is boxes.images
        assert taken.classes is boxes.classes
    assert len(boxes) == 3


def test_repr() -> None:
    truth = Boxes.from_xywh([[0, 0, 1, 1]], **ONE, image_ids=[1, 2])
    assert repr(truth) == "Boxes(1 truth boxes, 2 images, 1 classes)"
    pred = Boxes.from_xywh([[0, 0, 1, 1]], score=[0.5], **ONE)
    assert repr(pred) == "Boxes(1 scored boxes, 1 images, 1 classes)"


# ---------------------------------------------------------------------------------------------
# One mapping an image.


@pytest.mark.parametrize("kind", [list, np.array, Tensor])
def test_from_images(kind: Any) -> None:
    boxes = Boxes.from_images(
        [
            {"boxes": kind([[0, 0, 10, 20], [5, 5, 6, 7]]), "labels": kind([3, 1])},
            {"boxes": kind([]), "labels": kind([])},
            {"boxes": kind([[1, 1, 2, 2]]), "labels": kind([3])},
        ],
        image_id=["x", "y", "a"],
    )
    assert boxes.images.ids.tolist() == ["a", "x", "y"]
    assert boxes.image.tolist() == [1, 1, 0]
    assert boxes.xywh.tolist() == [[0, 0, 10, 20], [5, 5, 1, 2], [1, 1, 1, 1]]
    assert boxes.classes.keys.ids.tolist() == [1, 3]
    assert boxes.label.tolist() == [1, 0, 1]
    assert boxes.score is None


def test_from_images_takes_scores_areas_and_crowds() -> None:
    boxes = Boxes.from_images(
        [
            {
                "boxes": [[0, 0, 1, 1]],
                "labels": [0],
                "scores": [0.5],
                "area": [9],
                "iscrowd": [1],
                "masks": "not looked at",
            }
        ],
        image_id=[5],
        classes=["cat", "dog"],
    )
    assert boxes.score is not None
    assert boxes.crowd is not None
    assert (boxes.score.tolist(), areas(boxes), boxes.crowd.tolist()) == ([0.5], [9.0], [1])
    assert boxes.classes.names == ("cat", "dog")


def test_from_images_of_no_objects() -> None:
    nothing: dict[str, Any] = {"boxes": np.zeros((0, 4)), "labels": [], "scores": []}
    boxes = Boxes.from_images([nothing, nothing], image_id=[1, 2])
    assert (len(boxes), len(boxes.images)) == (0, 2)
    assert boxes.score is not None
    boxes = Boxes.from_images([], image_id=[])
    assert (len(boxes), len(boxes.images)) == (0, 0)


@pytest.mark.parametrize(
    ("records", "ids", "error", "message"),
    [
        (
            [{"boxes": [[0, 0, 1, 1]], "labels": [1]}],
            [1, 2],
            ShapeError,
            "expected an image id for each of 1 images, got 2",
        ),
        (
            [{"boxes": [[0, 0, 1, 1]], "labels": [1]}] * 2,
            [7, 7],
            IdError,
            "7",
        ),
        (
            [{"bboxes": [], "labels": []}],
            [1],
            InputError,
            'expected the key "boxes", got bboxes, labels - at image 0',
        ),
        ([{"boxes": []}], [1], InputError, 'expected the key "labels", got boxes - at image 0'),
        ([{}], [1], InputError, 'expected the key "boxes", got none - at image 0'),
        (
            [{"boxes": [], "labels": [], "scores": []}, {"boxes": [], "labels": []}],
            [1, 2],
            InputError,
            'expected the key "scores", got boxes, labels - at image 1',
        ),
        (
            [{"boxes": [[0, 0, 1, 1]], "labels": [1, 2]}],
            [1],
            ShapeError,
            "expected 1 values, got 2 - at labels of image 0",
        ),
        (
            [{"boxes": [[0, 0, 1]], "labels": [1]}],
            [1],
            ShapeError,
            r"expected shape \(n, 4\), got \(1, 3\) - at boxes of image 0",
        ),
        (
            [
                {"boxes": [], "labels": []},
                {"boxes": [[0, 0, math.nan, 1]], "labels": [1]},
            ],
            [1, 2],
            InputError,
            r"got nan - at boxes of image 1\[0, 2\]",
        ),
        (
            [{"boxes": [[5, 0, 1, 1]], "labels": [1]}],
            [1],
            InputError,
            r"expected right and bottom of at least .*, got 5 0 1 1 - at boxes of image 0\[0\]",
        ),
    ],
)
def test_from_images_refuses(records: Any, ids: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Boxes.from_images(records, image_id=ids)


def test_given_classes_are_kept() -> None:
    classes = Classes([1, 2], ["cat", "dog"])
    assert Boxes.from_xywh([[0, 0, 1, 1]], **ONE, classes=classes).classes is classes
