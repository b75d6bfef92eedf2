"""Columns of poses: what makes them, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen.detection.poses import Poses
from snellen.errors import ClassError, IdError, InputError, ShapeError

ONE: dict[str, Any] = {"image_id": [7], "label": [1]}


def test_the_box_is_the_extent_of_the_labelled_keypoints() -> None:
    truth = Poses.from_keypoints([[[10, 20, 2], [14, 50, 1], [0, 0, 0]]], **ONE)
    assert truth.boxes.xywh.tolist() == [[10, 20, 4, 30]]
    assert truth.boxes.area is None  # width times height
    assert truth.boxes.ignored is None
    assert truth.keypoints.shape == (1, 3, 3)
    assert truth.kind == "keypoints"
    assert repr(truth) == "Poses(1 truth poses, 1 images, 1 classes)"


def test_of_predictions_the_box_is_the_extent_of_all_keypoints() -> None:
    """As loadRes of pycocotools has it: visibilities of predictions are not read."""
    pred = Poses.from_keypoints([[[10, 20, 2], [14, 50, 1], [0, 0, 0]]], score=[0.5], **ONE)
    assert pred.boxes.xywh.tolist() == [[0, 0, 14, 50]]
    assert pred.boxes.ignored is None
    assert repr(pred) == "Poses(1 scored poses, 1 images, 1 classes)"


def test_given_boxes_and_areas_stay() -> None:
    truth = Poses.from_keypoints(
        [[1, 2, 2, 3, 4, 0]], box=[[0, 0, 10, 20]], area=[150.5], crowd=[1], id=[4], **ONE
    )
    assert truth.boxes.xywh.tolist() == [[0, 0, 10, 20]]
    assert truth.boxes.area is not None
    assert truth.boxes.area.tolist() == [150.5]
    assert truth.boxes.crowd is not None
    assert truth.boxes.crowd.tolist() == [1]
    assert truth.boxes.id is not None
    assert truth.boxes.id.tolist() == [4]
    # Rows of numbers are x, y, visibility of one keypoint after another.
    assert truth.keypoints.tolist() == [[[1, 2, 2], [3, 4, 0]]]


def test_truth_without_labelled_keypoints_is_ignored() -> None:
    keypoints = [[[1, 2, 1]], [[0, 0, 0]], [[3, 4, 2]]]
    columns: dict[str, Any] = {"image_id": 7, "label": 1, "box": [[0, 0, 5, 5]] * 3}
    truth = Poses.from_keypoints(keypoints, **columns)
    assert truth.boxes.ignored is not None
    assert truth.boxes.ignored.tolist() == [0, 1, 0]
    truth = Poses.from_keypoints(keypoints, ignored=[0, 0, 1], **columns)
    assert truth.boxes.ignored is not None
    assert truth.boxes.ignored.tolist() == [0, 1, 1]
    scored = Poses.from_keypoints(keypoints, score=[1, 1, 1], **columns)
    assert scored.boxes.ignored is None


def test_rows_are_taken_together() -> None:
    truth = Poses.from_keypoints([[[1, 2, 1]], [[5, 6, 1]]], image_id=[1, 2], label=1)
    part = truth[np.array([False, True])]
    assert len(part) == 1
    assert part.keypoints.tolist() == [[[5, 6, 1]]]
    assert part.boxes.image.tolist() == [1]
    assert len(part.boxes.images) == 2


@pytest.mark.parametrize("empty", [[], np.zeros((0, 51)), np.zeros((0, 17, 3))])
def test_no_poses(empty: Any) -> None:
    poses = Poses.from_keypoints(empty, image_id=[], label=[], image_ids=[1], classes={1: "a"})
    assert len(poses) == 0
    assert poses.keypoints.shape[2] == 3


@pytest.mark.parametrize(
    ("keypoints", "columns", "error", "text"),
    [
        ([[1, 2, 2, 3]], {}, ShapeError, r"got 4 numbers, which is no multiple of three"),
        (np.zeros((1, 17, 2)), {}, ShapeError, r"\(n, K, 3\) or \(n, 3 K\), got \(1, 17, 2\)"),
        (np.zeros(51), {}, ShapeError, r"got \(51,\)"),
        ([[1, 2, 2], [1, 2, 2, 3, 4, 1]], {}, InputError, "keypoints"),
        ([[["a", 2, 2]]], {}, InputError, "keypoints"),
        ([[[1, 2, 2], [np.nan, 2, 0]]], {}, InputError, r"got nan .*- at keypoints\[0, 1, 0\]"),
        ([[[1, np.inf, 2]]], {}, InputError, r"keypoints\[0, 0, 1\]"),
        ([[[1, 2, 0]]], {}, InputError, r"a box for truth .*- at keypoints\[0\]"),
        ([[[1, 2, 2]]], {"box": [[0, 0, 1, 1]] * 2}, ShapeError, "expected 1 boxes, .* got 2"),
        ([[[1, 2, 2]]], {"box": [[0, 0, -1, 1]]}, InputError, r"box\[0\]"),
        ([[[1, 2, 2]]], {"area": [-1]}, InputError, r"area\[0\]"),
        ([[[1, 2, 2]]], {"area": [1, 2]}, ShapeError, "area"),
        ([[[1, 2, 2]]], {"score": [0.5, 0.5]}, ShapeError, "score"),
        ([[[1, 2, 2]]], {"score": [np.nan]}, InputError, r"score\[0\]"),
        ([[[1e308, 0, 2], [-1e308, 0, 2]]], {}, InputError, r"finite|range of float64"),
        ([[[1, 2, 2]]], {"image_ids": [1]}, IdError, "7"),
        ([[[1, 2, 2]]], {"classes": {2: "b"}}, ClassError, "1"),
    ],
)
def test_refused(
    keypoints: Any, columns: dict[str, Any], error: type[InputError], text: str
) -> None:
    with pytest.raises(error, match=text):
        Poses.from_keypoints(keypoints, **{**ONE, **columns})


# ---------------------------------------------------------------------------------------------
# From one mapping for each image.


def test_from_images() -> None:
    records = [
        {"keypoints": np.array([[[1, 2, 1], [5, 9, 1]]], np.float32), "labels": [3]},
        {"keypoints": np.zeros((0, 2, 3)), "labels": []},
        {"keypoints": [[0, 0, 0, 4, 4, 2], [1, 1, 2, 2, 3, 2]], "labels": [3, 5]},
    ]
    truth = Poses.from_images(records, image_id=["a", "b", "c"])
    assert truth.boxes.image.tolist() == [0, 2, 2]
    assert truth.boxes.images.ids.tolist() == ["a", "b", "c"]
    assert truth.boxes.classes.keys.ids.tolist() == [3, 5]
    assert truth.boxes.xywh.tolist() == [[1, 2, 4, 7], [4, 4, 0, 0], [1, 1, 1, 2]]
    assert truth.keypoints[1].tolist() == [[0, 0, 0], [4, 4, 2]]
    assert truth.boxes.ignored is None


def test_from_images_with_boxes_and_scores() -> None:
    records = [
        {
            "keypoints": [[[1, 2, 0]], [[3, 4, 0]]],
            "labels": [1, 1],
            "scores": [0.5, 0.25],
            "boxes": [[0, 0, 10, 20], [1, 1, 3, 3]],
        }
    ]
    pred = Poses.from_images(records, image_id=[4])
    assert pred.boxes.xywh.tolist() == [[0, 0, 10, 20], [1, 1, 2, 2]]
    assert pred.boxes.score is not None
    assert pred.boxes.score.tolist() == [0.5, 0.25]
    # Without scores it is truth, and none of it is labelled.
    del records[0]["scores"]
    truth = Poses.from_images(records, image_id=[4])
    assert truth.boxes.ignored is not None
    assert truth.boxes.ignored.tolist() == [1, 1]


def test_from_no_images() -> None:
    assert len(Poses.from_images([], image_id=[])) == 0
    nothing = {"keypoints": [], "labels": [], "scores": []}
    pred = Poses.from_images([nothing, nothing], image_id=[1, 2])
    assert len(pred) == 0
    assert len(pred.boxes.images) == 2


@pytest.mark.parametrize(
    ("records", "error", "text"),
    [
        ([{"labels": [1]}], InputError, '"keypoints", got labels - at image 0'),
        ([{"keypoints": [[1, 2, 2]]}], InputError, '"labels"'),
        (
            [
                {"keypoints": [[1, 2, 2]], "labels": [1]},
                {"keypoints": [[1, 2, 2, 3, 4, 2]], "labels": [1]},
            ],
            ShapeError,
            "expected 1 keypoints, as other images have, got 2 - at keypoints of image 1",
        ),
        ([{"keypoints": [[1, 2, 2, 4]], "labels": [1]}], ShapeError, "keypoints of image 0"),
        ([{"keypoints": [[1, 2, 0]], "labels": [1]}], InputError, r"keypoints of image 0\[0\]"),
        ([{"keypoints": [[1, 2, 2]], "labels": [1, 1]}], ShapeError, "labels of image 0"),
        (
            [{"keypoints": [[1, 2, 2]], "labels": [1], "boxes": [[0, 0, 1, 1]] * 2}],
            ShapeError,
            "expected 1 boxes, one an object, got 2 - at boxes of image 0",
        ),
        (
            [
                {"keypoints": [[1, 2, 2]], "labels": [1], "boxes": [[0, 0, 1, 1]]},
                {"keypoints": [[1, 2, 2]], "labels": [1]},
            ],
            InputError,
            '"boxes"',
        ),
    ],
)
def test_images_refused(records: list[dict[str, Any]], error: type[InputError], text: str) -> None:
    with pytest.raises(error, match=text):
        Poses.from_images(records, image_id=range(len(records)))
