"""Open Images' rules: inputs and expected numbers of TensorFlow's own tests.

From per_image_evaluation_test.py and object_detection_evaluation_test.py of the Object Detection
API. Their boxes are top, left, bottom, right. Where they weigh groups 0.5, which is no weight here,
the plain version is held to their number and the rules to what a weight of 1 makes of it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.open_images_rules import PlainObject, entries, plain_average_precisions

from snellen import AveragePrecision, Boxes, Masks, RleMasks, average_precision
from snellen.detection.protocols import PROTOCOLS, DetectionProtocol
from snellen.detection.verified_labels import VerifiedLabels
from snellen.errors import InputError

Rows = list[list[float]]

V2, CHALLENGE = PROTOCOLS["open-images"], PROTOCOLS["open-images-challenge"]
WEIGHTED = dataclasses.replace(CHALLENGE, verified_only=False)

NESTED: Rows = [[0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3]]
HIGH: Rows = [[0, 0, 1, 1], [0, 0, 2, 1], [0, 0, 3, 1]]
WITH_GROUPS: Rows = [[0, 0, 1, 1], [0, 0, 5, 5], [10, 10, 20, 20]]

# Predicted boxes, scores; true boxes, which are difficult, which are groups; threshold; scores and
# whether they are true without groups, and with a weight (w) of them.
ONE_CLASS = {
    "second difficult": (
        NESTED, [0.6, 0.8, 0.5], [[0, 0, 1, 1], [0, 0, 10, 10]], [0, 1], [0, 0], 0.5,
        [(0.8, 0), (0.6, 1), (0.5, 0)], None,
    ),
    "first difficult": (
        NESTED, [0.6, 0.8, 0.5], [[0, 0, 1, 1], [0, 0, 10, 10]], [1, 0], [0, 0], 0.5,
        [(0.8, 0), (0.5, 0)], None,
    ),
    "single and group": (
        HIGH, [0.8, 0.6, 0.5], WITH_GROUPS, [0, 0, 0], [0, 1, 1], 0.5,
        [(0.8, 1)], [(0.8, 1), (0.6, "w")],
    ),
    "two in a group": (
        HIGH, [0.8, 0.6, 0.5], WITH_GROUPS, [0, 0, 0], [1, 0, 1], 0.5,
        [(0.5, 0)], [(0.8, "w"), (0.5, 0)],
    ),
    "none": (
        NESTED, [0.6, 0.8, 0.5], [[100, 100, 105, 105]], [0], [0], 0.5,
        [(0.8, 0), (0.6, 0), (0.5, 0)], None,
    ),
    "large threshold": (
        NESTED, [0.6, 0.8, 0.5], [[0, 0, 1, 1]], [0], [0], 0.5,
        [(0.8, 0), (0.6, 1), (0.5, 0)], None,
    ),
    "small threshold": (
        NESTED, [0.6, 0.8, 0.5], [[0, 0, 1, 1]], [0], [0], 0.1,
        [(0.8, 1), (0.6, 0), (0.5, 0)], None,
    ),
    "two": (
        NESTED, [0.6, 0.8, 0.5], [[0, 0, 1, 1], [0, 0, 3.5, 3.5]], [0, 0], [0, 0], 0.5,
        [(0.8, 0), (0.6, 1), (0.5, 1)], None,
    ),
}  # fmt: skip


def boxes(rows: Rows, label: Any = 1, image: Any = "img", **more: Any) -> Boxes:
    box = np.array(rows, np.float64).reshape(-1, 4)[:, [1, 0, 3, 2]]
    return Boxes.from_xyxy(
        box,
        image_id=image,
        label=label,
        classes={1: "cat", 2: "dog", 3: "elephant"},
        **more,
    )


def counted(truth: Any, pred: Any, rules: DetectionProtocol) -> list[tuple[float, int]]:
    """Return the scores of predictions that count, and whether they are true."""
    metric = AveragePrecision(protocol=rules).update(truth, pred)
    _, _, _, rows = metric.rows()
    outcome = rows["outcome"][:, 0, 0]
    return sorted(
        (
            (score, int(outcome & 1))
            for score, outcome in zip(rows["score"].tolist(), outcome.tolist(), strict=True)
            if outcome
        ),
        reverse=True,
    )


def weighed(expected: list[tuple[float, Any]], weight: float) -> list[tuple[float, float]]:
    return [(score, weight if true == "w" else true) for score, true in expected]


def plain(rows: Rows, **columns: Any) -> list[PlainObject]:
    return [
        PlainObject(0, 0, (left, top, right, bottom), **{k: v[i] for k, v in columns.items()})
        for i, (top, left, bottom, right) in enumerate(rows)
    ]


@pytest.mark.parametrize("name", ONE_CLASS)
def test_one_class_of_an_image(name: str) -> None:
    pred, score, truth, difficult, group, threshold, without, with_groups = ONE_CLASS[name]
    columns = boxes(truth, crowd=group, ignored=difficult), boxes(pred, score=score)
    rules = dataclasses.replace(V2, iou_thresholds=(threshold,))
    assert counted(*columns, rules) == without
    with_groups = without if with_groups is None else with_groups
    rules = dataclasses.replace(WEIGHTED, iou_thresholds=(threshold,))
    assert counted(*columns, rules) == weighed(with_groups, 1)
    for weight, expected in ((0, without), (0.5, with_groups)):
        found = entries(
            plain(truth, is_difficult=difficult, is_group=group),
            plain(pred, score=score),
            threshold,
            weight,
        )
        assert sorted(((s, true) for s, _, true in found), reverse=True) == weighed(
            expected, weight
        )


# ---- Masks ---------------------------------------------------------------------------------------


def masks(pixels: list[list[str]], **more: Any) -> Masks:
    rle = RleMasks.from_arrays(
        np.array([[[int(x) for x in row] for row in each] for each in pixels], np.bool_)
    )
    x, y, w, h = rle.boxes().T.astype(np.float64)
    return Masks(boxes(np.stack([y, x, y + h, x + w], axis=1).tolist(), **more), rle)


PREDICTED = [
    ["0110", "0010", "0000"],
    ["1000", "1100", "0000"],
    ["0000", "0110", "0100"],
]
COLUMNS = [["1000"] * 3, ["0010"] * 3, ["0100"] * 3]
SQUARE_AND_COLUMN = [["1100", "1100", "0000"], ["0001"] * 3]


@pytest.mark.parametrize(
    ("score", "truth", "difficult", "group", "without", "with_groups"),
    [
        ([0.6, 0.8, 0.5], SQUARE_AND_COLUMN, [0, 1], [0, 0], [(0.8, 1), (0.6, 0), (0.5, 0)], None),
        ([0.6, 0.8, 0.5], SQUARE_AND_COLUMN, [1, 0], [0, 0], [(0.6, 0), (0.5, 0)], None),
        (
            [0.8, 0.6, 0.5], COLUMNS, [0, 0, 0], [0, 1, 1],
            [(0.6, 1)], [(0.8, "w"), (0.6, 1), (0.5, "w")],
        ),
        (
            [0.8, 0.6, 0.5], COLUMNS, [0, 0, 0], [1, 0, 1],
            [(0.8, 1)], [(0.8, 1), (0.6, "w"), (0.5, "w")],
        ),
        ([0.6, 0.8, 0.5], [["1111"] * 3], [0], [0], [(0.8, 0), (0.6, 0), (0.5, 0)], None),
        (
            [0.6, 0.8, 0.5], [["1000", "1100", "0000"]], [0], [0],
            [(0.8, 1), (0.6, 0), (0.5, 0)], None,
        ),
    ],
)  # fmt: skip
def test_masks_of_an_image(
    score: list[float],
    truth: list[list[str]],
    difficult: list[int],
    group: list[int],
    without: list[tuple[float, int]],
    with_groups: list[tuple[float, Any]] | None,
) -> None:
    columns = masks(truth, crowd=group, ignored=difficult), masks(PREDICTED, score=score)
    assert counted(*columns, V2) == without
    with_groups = without if with_groups is None else with_groups
    assert counted(*columns, WEIGHTED) == weighed(with_groups, 1)


def test_masks_of_several_classes() -> None:
    rows = [["1111", "0000", "0000"], ["0000", "1111", "0000"], ["0000", "0000", "1111"]]
    truth = masks(
        [*(COLUMNS[k] for k in (0, 1, 2)), *rows, ["1111"] * 3],
        image=["img1"] * 3 + ["img2"] * 3 + ["img3"],
        label=[1, 3, 1, 1, 1, 3, 2],
        ignored=[0, 0, 0, 0, 1, 0, 0],
    )
    pred = masks(
        [["1111", "0010", "0000"], PREDICTED[1], ["0100", "0110", "0100"]],
        image="img2",
        label=[1, 1, 3],
        score=[0.7, 0.8, 0.9],
    )
    assert of_classes(truth, pred, V2) == pytest.approx([1 / 6, 0, 0])


# ---- Several classes and images ------------------------------------------------------------------

TRUTH: Rows = [
    [0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 3, 3],
    [10, 10, 11, 11], [500, 500, 510, 510], [10, 10, 12, 12],
    [0, 0, 1, 1],
]  # fmt: skip
IMAGE = ["img1"] * 3 + ["img2"] * 3 + ["img3"]
LABEL = [1, 3, 1, 1, 1, 3, 2]
PRED: Rows = [[10, 10, 11, 11], [100, 100, 120, 120], [100, 100, 220, 220]]


def of_classes(truth: Any, pred: Any, rules: DetectionProtocol) -> list[float]:
    return [each["AP"] for each in average_precision(truth, pred, protocol=rules).per_class()]


def test_several_classes() -> None:
    """The last of the five cats is a group, or difficult: both are no miss."""
    pred = boxes(PRED, image="img2", label=[1, 1, 3], score=[0.7, 0.8, 0.9])
    for mark in ("crowd", "ignored"):
        marked: dict[str, Any] = {mark: [0, 0, 0, 0, 1, 0, 0]}
        truth = boxes(TRUTH, image=IMAGE, label=LABEL, **marked)
        result = average_precision(truth, pred, protocol="open-images")
        assert of_classes(truth, pred, V2) == pytest.approx([1 / 6, 0, 0])
        assert pytest.approx(1 / 18) == result.AP
        assert result.n_counted[:, 0].tolist() == [3, 1, 2]
    both = boxes(
        TRUTH, image=IMAGE, label=LABEL, ignored=[0, 0, 0, 0, 1, 0, 0], crowd=[0] * 5 + [1, 0]
    )
    result = average_precision(both, pred, protocol="open-images")
    assert pytest.approx(1 / 18) == result.AP
    assert result.n_counted[:, 0].tolist() == [3, 1, 1]
    # Without either there is one cat more to be found.
    neither = boxes(TRUTH, image=IMAGE, label=LABEL)
    assert of_classes(neither, pred, V2) == pytest.approx([0.5 / 4, 0, 0])


def test_empty_predictions_are_none() -> None:
    """Two of their boxes end before they begin, which is refused here: they have no area."""
    truth = boxes([[0, 0, 1, 1], [0, 0, 3.5, 3.5]], label=[1, 3])
    rows: Rows = [
        [0, 0, 1, 1], [10, 10, 10, 15], [0, 0, 2, 2],
        [5, 10, 10, 10], [10, 5, 10, 5], [0, 0, 3, 3],
    ]  # fmt: skip
    pred = boxes(rows, label=[1, 2, 2, 3, 1, 3], score=[0.8, 0.1, 0.8, 0.9, 0.7, 0.8])
    for rules in (V2, WEIGHTED):
        assert counted(truth, pred, rules) == [(0.8, 1), (0.8, 1), (0.8, 0)]
        assert of_classes(truth, pred, rules) == pytest.approx([1, np.nan, 1], nan_ok=True)
    with pytest.raises(InputError, match="expected a width and height of at least 0, got -5"):
        boxes([[10, 10, 5, 5]])


def test_challenge() -> None:
    group = [0, 0, 1, 0, 0, 1, 0]
    truth = boxes(TRUTH, image=IMAGE, label=LABEL, crowd=group)
    # Of the first image all classes were looked for.
    verified = VerifiedLabels.from_ids(
        image_id=["img1"] * 3, label=[1, 2, 3], images=truth.images, classes=truth.classes
    )
    truth = dataclasses.replace(truth, verified=verified)
    rows: Rows = [PRED[0], PRED[1], PRED[0], PRED[1], PRED[2], PRED[0], [0, 0, 1, 1]]
    image = ["img1"] * 2 + ["img2"] * 4 + ["img3"]
    label = [2, 2, 1, 1, 2, 3, 2]
    score = [0.7, 0.8, 0.7, 0.8, 0.5, 0.9, 0.5]
    pred = boxes(rows, image=image, label=label, score=score)
    result = average_precision(truth, pred, protocol="open-images-challenge")
    # The dog in the second image was not looked for. With 1 for a group there are 4 cats, of which
    # one is found behind a false one, and 2 elephants, of which the group is found.
    assert of_classes(truth, pred, CHALLENGE) == pytest.approx([1 / 8, 1 / 3, 1 / 2])
    assert pytest.approx((1 / 8 + 1 / 3 + 1 / 2) / 3) == result.AP
    assert result.data["n_unverified"] == 1
    assert "2 of them groups, each to be found" in result.composition()
    # As theirs, with 1/2 for a group.

    def listed(rows: Rows, image: list[str], label: list[int], **more: Any) -> list[PlainObject]:
        return [
            dataclasses.replace(each, image=int(of[3]), label=k - 1)
            for each, of, k in zip(plain(rows, **more), image, label, strict=True)
        ]

    theirs = plain_average_precisions(
        listed(TRUTH, IMAGE, LABEL, is_group=group),
        listed(rows, image, label, score=score),
        3,
        threshold=0.5,
        group_weight=0.5,
        looked_for={(1, k) for k in range(3)},
    )
    assert theirs == pytest.approx([0.142857142857, 0.3333333333, 0.333333333333])
    assert theirs.mean() == pytest.approx(0.269841269)


def test_groups_alone_have_no_number_without_a_weight() -> None:
    truth = boxes([[0, 0, 9, 9]], crowd=[1])
    pred = boxes([[0, 0, 2, 2], [20, 20, 30, 30]], score=[0.5, 0.9])
    result = average_precision(truth, pred, protocol="open-images")
    assert np.isnan(result.AP)
    assert "1 of them groups, left out" in result.composition()
    # One of two is in the group, behind a false one.
    assert average_precision(truth, pred, protocol=WEIGHTED).AP == 0.5


def test_challenge_needs_labels_of_images() -> None:
    truth = boxes([[0, 0, 9, 9]])
    with pytest.raises(InputError, match=r"classes were looked for.* --image-labels\) - at truth"):
        average_precision(truth, boxes([], score=[]), protocol="open-images-challenge")
