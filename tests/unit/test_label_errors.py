"""Likely errors of truth, on cases worked by hand, and planted ones."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Boxes, RleMasks
from snellen.detection.label_errors import LabelErrors, label_errors
from snellen.detection.label_errors_result import LabelErrorsResult
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.detection.protocols import COCO, COCO_KEYPOINTS, VOC12
from snellen.errors import InputError

CLASSES = {1: "cat", 2: "dog"}


def boxes(*rows: Any, scored: bool = False, **columns: Any) -> Boxes:
    """Return boxes 10 high of rows (left, width, label) or (left, width, label, score)."""
    return Boxes.from_xywh(
        [(row[0], 0, row[1], 10) for row in rows] or np.zeros((0, 4)),
        image_id=[7] * len(rows),
        label=[row[2] for row in rows] or np.zeros(0, int),
        score=[row[3] for row in rows] if scored else None,
        image_ids=[7],
        classes=CLASSES,
        **columns,
    )


def found(truth: Boxes, pred: Boxes, **parameters: Any) -> list[tuple[str, float]]:
    """Return kinds and suspicions, in their order."""
    return [
        (each["kind"], round(each["suspicion"], 6))
        for each in label_errors(truth, pred, **parameters).suspicions()
    ]


CAT = boxes((0, 10, 1), id=[42])


def test_wrong_label() -> None:
    pred = boxes((0, 8, 2, 0.9), scored=True)
    # IoU 0.8, score 0.9 and no cat: 0.72.
    assert found(CAT, pred) == [("wrong label", 0.72)]
    (each,) = label_errors(CAT, pred).suspicions("wrong label")
    assert (each["image"], each["truth_class"], each["class"]) == (7, "cat", "dog")
    assert (each["truth_id"], each["id"], each["score"]) == (42, None, 0.9)
    assert (each["truth_box"], each["box"]) == ([0, 0, 10, 10], [0, 0, 8, 10])
    assert each["similarity"] == 0.8
    # A cat of score 0.4 there takes that from it: 0.8 · (0.9 - 0.4).
    assert found(CAT, boxes((0, 8, 2, 0.9), (0, 10, 1, 0.4), scored=True)) == [("wrong label", 0.4)]
    # A cat of score 0.5 finds it. One that lies beside it says nothing.
    assert found(CAT, boxes((0, 8, 2, 0.9), (0, 10, 1, 0.5), scored=True)) == []
    beside = boxes((0, 8, 2, 0.9), (0, 4, 1, 0.45), scored=True)
    assert found(CAT, beside) == [("wrong label", 0.72)]
    # Not confident; not on it, but not far either.
    assert found(CAT, boxes((0, 8, 2, 0.49), scored=True)) == []
    assert found(CAT, boxes((0, 4, 2, 0.9), scored=True)) == []


def test_a_detection_of_an_object_that_is_there_says_nothing() -> None:
    # A dog lies on the cat and is labelled so.
    truth = boxes((0, 10, 1), (0, 8, 2))
    assert found(truth, boxes((0, 8, 2, 0.9), scored=True)) == []
    # The same in a crowd of dogs; the crowd itself is no object.
    truth = boxes((0, 10, 1), (0, 80, 2), crowd=[0, 1])
    assert found(truth, boxes((0, 8, 2, 0.9), scored=True)) == []
    assert found(truth[1:], boxes((0, 80, 1, 0.9), scored=True)) == []


def test_each_truth_and_each_detection_once() -> None:
    # Cats 0-10 and 1-11; dogs on both. Overlaps: 0-10 with 0-10: 1; with 1-11: 9/11.
    truth = boxes((0, 10, 1), (1, 10, 1))
    pred = boxes((0, 10, 2, 0.9), (0, 10, 2, 0.8), scored=True)
    # The first dog goes with the first cat (0.9); the second with the second: 0.8 · 9/11.
    assert found(truth, pred) == [("wrong label", 0.9), ("wrong label", round(0.8 * 9 / 11, 6))]
    assert found(truth, pred[:1]) == [("wrong label", 0.9)]


def test_missing_box() -> None:
    # Far from the cat; IoU 1/19 with it: far, too.
    assert found(CAT, boxes((50, 10, 1, 0.8), scored=True)) == [("missing box", 0.8)]
    near = found(CAT, boxes((9, 10, 2, 0.8), scored=True))
    assert near == [("missing box", 0.8)]
    # IoU 2/18 = 0.11: not far.
    assert found(CAT, boxes((8, 10, 2, 0.8), scored=True)) == []
    assert found(CAT, boxes((50, 10, 1, 0.4), scored=True)) == []
    (each,) = label_errors(CAT, boxes((50, 10, 1, 0.8), scored=True)).suspicions()
    assert (each["truth_class"], each["truth_box"], each["truth_id"]) == (None, None, None)
    # In a crowd nothing is missing.
    crowd = boxes((0, 100, 1), crowd=[1])
    assert found(crowd, boxes((50, 10, 2, 0.8), scored=True)) == []


def test_a_missing_box_is_reported_once() -> None:
    # IoU of 60-70 with 62-72: 8/12; with 64-74: 6/14; 62-72 with 64-74: 8/12. The second is like
    # the first and falls; the third is like the second alone, which is not there any more.
    pred = boxes((60, 10, 1, 0.9), (62, 10, 2, 0.8), (64, 10, 1, 0.7), scored=True)
    assert found(CAT, pred) == [("missing box", 0.9), ("missing box", 0.7)]
    assert found(CAT, boxes((60, 10, 1, 0.8), (60, 10, 2, 0.8), scored=True)) == [
        ("missing box", 0.8)
    ]


def test_duplicates() -> None:
    # IoU 0.95 of two cats; a dog at the same place is none; nor a crowd.
    truth = boxes(
        (0, 10, 1), (0, 9.5, 1), (0, 10, 2), (0, 10, 1), crowd=[0, 0, 0, 1], id=[4, 5, 6, 7]
    )
    nothing = boxes(scored=True)
    assert found(truth, nothing) == [("duplicate", 0.95)]
    (each,) = label_errors(truth, nothing).suspicions()
    assert (each["truth_id"], each["id"], each["score"]) == (5, 4, None)
    assert (each["truth_box"], each["box"]) == ([0, 0, 9.5, 10], [0, 0, 10, 10])
    assert found(truth, nothing, duplicate_threshold=0.96) == []
    # Three of one place: the second and the third repeat the first.
    three = boxes((0, 10, 1), (0, 10, 1), (0, 10, 1), id=[1, 2, 3])
    pairs = [(each["truth_id"], each["id"]) for each in label_errors(three, nothing).suspicions()]
    assert pairs == [(2, 1), (3, 1)]


def table(kind: str, lefts: list[int], **columns: Any) -> Any:
    """Return squares of 10 pixels, or what fills them, at the left ends given."""
    squares = Boxes.from_xywh([[x, 0, 10, 10] for x in lefts], image_id=7, label=1, **columns)
    if kind == "oriented":
        turned = [[x + 5, 5, 10, 10, 0] for x in lefts]
        return OrientedBoxes.from_cxcywha(turned, image_id=7, label=1, **columns)
    if kind == "keypoints":
        points = [[[x + i % 5, i % 3, 2] for i in range(17)] for x in lefts]
        return Poses(squares, np.array(points, np.float64))
    pixels = np.zeros((len(lefts), 12, 80), np.bool_)
    for mask, x in zip(pixels, lefts, strict=True):
        mask[:10, x : x + 10] = True
    return Masks(squares, RleMasks.from_arrays(pixels))


@pytest.mark.parametrize("kind", ["mask", "boundary", "keypoints", "oriented"])
def test_duplicates_beyond_the_cap_on_detections(kind: str) -> None:
    # The third repeats the second; rules that let one detection of a class count are no matter.
    rules = COCO_KEYPOINTS if kind == "keypoints" else COCO
    capped = dataclasses.replace(rules, max_detections=(1,))
    if kind == "boundary":
        capped = dataclasses.replace(capped, similarity="boundary")
    truth = table(kind, [0, 40, 40], id=[4, 5, 6])
    nothing = table(kind, [0], score=[0.9])[:0]
    pairs = [
        (each["truth_id"], each["id"], each["suspicion"])
        for each in label_errors(truth, nothing, protocol=capped).suspicions()
    ]
    assert pairs == [(6, 5, 1.0)]


def test_boxes_are_those_given_where_rules_make_them_larger() -> None:
    # VOC: 11 · 11 pixels of the cat, 10 · 11 of them are the dog's; 10.1 · 11 that of another cat.
    truth = boxes((0, 10, 1), (30, 9.1, 1), (30, 9.1, 1), id=[4, 5, 6])
    pred = boxes((80.3, 8.1, 2, 0.9), (0, 9, 2, 0.8), (60, 7, 1, 0.7), scored=True)
    rows = label_errors(truth, pred, protocol="voc12").suspicions()
    assert [(each["kind"], each["truth_box"], each["box"]) for each in rows] == [
        ("duplicate", [30, 0, 9.1, 10], [30, 0, 9.1, 10]),
        ("missing box", None, [80.3, 0, 8.1, 10]),
        ("wrong label", [0, 0, 10, 10], [0, 0, 9, 10]),
        ("missing box", None, [60, 0, 7, 10]),
    ]
    assert math.isclose(rows[2]["suspicion"], 0.8 * 10 / 11)
    # Without classes the rows change their places: dogs come after cats.
    agnostic = dataclasses.replace(VOC12, class_agnostic=True)
    rows = label_errors(truth, pred, protocol=agnostic).suspicions("missing box")
    assert [(each["score"], each["box"]) for each in rows] == [
        (0.9, [80.3, 0, 8.1, 10]),
        (0.7, [60, 0, 7, 10]),
    ]


def test_planted_errors_are_found() -> None:
    random = np.random.default_rng(0)
    n = 300
    image, label = np.arange(n) // 3, random.integers(1, 5, n)
    # Three objects an image, far from each other.
    box = np.concatenate(
        [(np.arange(n) % 3 * 100)[:, None], np.zeros((n, 1)), 20 + random.random((n, 2)) * 40], 1
    )
    shift = random.normal(size=(n, 4))
    pred = Boxes.from_xywh(
        box + shift, image_id=image, label=label, score=0.6 + 0.4 * random.random(n)
    )
    planted = random.permutation(n)
    swapped, lost, doubled = planted[:9], planted[9:20], planted[20:32]
    wrong = label.copy()
    wrong[swapped] = wrong[swapped] % 4 + 1
    rows = np.concatenate([np.setdiff1d(np.arange(n), lost), doubled])
    truth = Boxes.from_xywh(
        box[rows],
        image_id=image[rows],
        label=wrong[rows],
        id=np.arange(len(rows)),
        image_ids=np.unique(image),
    )
    result = label_errors(truth, pred)
    assert {
        key: result.data[f"n_{key}"] for key in ("wrong_label", "missing_box", "duplicate")
    } == {
        "wrong_label": 9,
        "missing_box": 11,
        "duplicate": 12,
    }
    named = {rows[each["truth_id"]] for each in result.suspicions("wrong label")}
    assert named == set(swapped)
    assert {rows[each["truth_id"]] for each in result.suspicions("duplicate")} == set(doubled)
    boxes_found = {tuple(each["box"]) for each in result.suspicions("missing box")}
    assert boxes_found == {tuple(row) for row in (box + shift)[lost]}
    suspicions = [each["suspicion"] for each in result.suspicions()]
    assert suspicions == sorted(suspicions, reverse=True)
    assert result.wrong_label_rate == 9 / len(rows)
    assert sum(record["n_missing_box"] for record in result.per_class()) == 11


def test_text_and_file(tmp_path: Path) -> None:
    truth = boxes((0, 10, 1), (30, 10, 1), (30, 10, 1), id=[42, 43, 44])
    pred = boxes((0, 8, 2, 0.9), (80, 10, 2, 0.8), scored=True)
    result = label_errors(truth, pred)
    lines = str(result).splitlines()
    assert "wrong labels   1           33.33" in lines
    assert (
        "0.720      7      cat    42  dog          0.900  0.800       0.0, 0.0, 8.0, 10.0" in lines
    )
    assert "1.000      7      cat    44  43       30.0, 0.0, 10.0, 10.0" in lines
    assert "predictions  2, 2 of them confident" in result.composition()
    result.save(tmp_path / "result")
    loaded = LabelErrorsResult.load(tmp_path / "result")
    assert (str(loaded), loaded.to_dict()) == (str(result), result.to_dict())
    assert loaded.suspicions() == result.suspicions()
    many = label_errors(CAT, boxes(*[(50 + 20 * i, 9, 1, 0.9) for i in range(25)], scored=True))
    assert str(many).splitlines()[-1] == "and 5 more"


def test_without_truth() -> None:
    result = label_errors(boxes(), boxes((0, 10, 1, 0.9), scored=True))
    assert result.data["n_missing_box"] == 1
    assert math.isnan(result.missing_box_rate)
    assert {entry.reason for entry in result.undefined} == {"there is no truth"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"iou_threshold": 0}, "above 0, at most 1, got 0 - at iou_threshold"),
        ({"duplicate_threshold": 1.5}, "above 0, at most 1, got 1.5"),
        ({"score_threshold": math.nan}, "finite number, got nan"),
        ({"background_threshold": None}, "finite number, got None"),
    ],
)
def test_bad_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        LabelErrors(**parameters)


def test_unknown_kind() -> None:
    with pytest.raises(InputError, match="Did you mean"):
        label_errors(CAT, boxes(scored=True)).suspicions("duplicates")
