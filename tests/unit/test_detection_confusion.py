"""The confusion matrix of a detector, on cases worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Boxes
from snellen.detection.confusion_rules import CONFUSION_RULES, ConfusionRules
from snellen.detection.detection_confusion import DetectionConfusion, detection_confusion
from snellen.detection.detection_confusion_result import DetectionConfusionResult
from snellen.errors import ClassError, InputError, SchemaError
from snellen.state import pack, unpack

CLASSES = {1: "cat", 2: "dog", 3: "cow"}


def boxes(*rows: Any, scored: bool = False, image: Any = 1, **columns: Any) -> Boxes:
    """Return boxes 10 high of rows (left, width, label) or (left, width, label, score)."""
    return Boxes.from_xywh(
        [(row[0], 0, row[1], 10) for row in rows] or np.zeros((0, 4)),
        image_id=[image] * len(rows),
        label=[row[2] for row in rows] or np.zeros(0, int),
        score=[row[3] for row in rows] if scored else None,
        image_ids=[image],
        classes=CLASSES,
        **columns,
    )


def matrix(truth: Boxes, pred: Boxes, *arguments: Any, **parameters: Any) -> list[list[int]]:
    found: list[list[int]] = detection_confusion(
        truth, pred, *arguments, **parameters
    ).matrix.tolist()
    return found


def test_every_kind_of_cell() -> None:
    # A cat found, a dog taken for a cow, a cow missed, a cat made up, the first cat found again.
    truth = boxes((0, 10, 1), (20, 10, 2), (40, 10, 3))
    pred = boxes(
        (0, 10, 1, 0.9),
        (20, 9, 3, 0.8),
        (90, 5, 1, 0.7),
        (0, 9, 1, 0.6),
        (40, 4, 3, 0.9),
        scored=True,
    )
    # The last overlaps the cow by 0.4: too little.
    result = detection_confusion(truth, pred)
    assert result.matrix.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [2, 0, 1, 0]]
    # cats: 1 of 3 detections, 1 of 1 truth; dogs: no detection, 0 of 1; cows: 0 of 2, 0 of 1.
    records = result.per_class()
    assert [r["precision"] for r in records[::2]] == [1 / 3, 0.0]
    assert math.isnan(records[1]["precision"])
    assert [r["recall"] for r in records] == [1.0, 0.0, 0.0]
    # F1 of cats: 2·1 / (1 + 3).
    assert [r["f1"] for r in records] == [0.5, 0.0, 0.0]
    assert (result.precision, result.recall, result.f1) == (1 / 5, 1 / 3, 2 / 8)
    assert result.class_accuracy == 1 / 2
    assert result.precision_macro == (1 / 3 + 0) / 2
    assert [entry.class_name for entry in result.undefined_of_classes()] == ["dog"]
    assert result.most_confused() == [
        {"truth": "dog", "prediction": "cow", "n": 1, "share_of_truth": 1.0}
    ]


def test_who_goes_first() -> None:
    # One cat; a dog of the higher score and IoU lies on it, and a cat.
    truth = boxes((0, 10, 1))
    pred = boxes((0, 10, 2, 0.9), (0, 9, 1, 0.8), scored=True)
    found = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert matrix(truth, pred) == found
    assert matrix(truth, pred, rules="supervision") == found
    # By score alone the dog takes it, and the cat is a false alarm.
    taken = [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert matrix(truth, pred, rules="ultralytics") == taken


def test_score_or_similarity() -> None:
    # Two cats of widths 10 and 9 at one place. The detection of the higher score is 9 wide, the
    # other one 10. By score: 9 takes 9 (IoU 1), 10 takes 10. With the first one 10 wide and 8 for
    # the second, by similarity 8 on 9 (8/9) comes before 8 on 10 (0.8): the same either way. Where
    # only one cat is there, the pair of IoU 1 goes first by similarity, the higher score by score.
    truth = boxes((0, 10, 1))
    pred = boxes((0, 6, 1, 0.9), (0, 10, 1, 0.5), scored=True)
    by_score = detection_confusion(truth, pred).where("cat", "cat")
    by_similarity = detection_confusion(truth, pred, rules="supervision").where("cat", "cat")
    assert [each["score"] for each in by_score] == [0.9]
    assert [each["score"] for each in by_similarity] == [0.5]


@pytest.mark.parametrize(
    ("rules", "score", "width", "found"),
    [
        ("class-first", 0.25, 5, True),
        ("class-first", 0.24, 5, False),
        ("class-first", 0.25, 4.9, False),
        ("ultralytics", 0.25, 10, False),  # above 0.25
        ("ultralytics", 0.26, 4.5, False),  # above 0.45
        ("ultralytics", 0.26, 4.6, True),
        ("supervision", 0.3, 5, False),  # above 0.5
        ("supervision", 0.3, 5.1, True),
        ("supervision", 0.29, 5.1, False),
    ],
)
def test_thresholds(rules: str, score: float, width: float, found: bool) -> None:
    truth, pred = boxes((0, 10, 1)), boxes((0, width, 1, score), scored=True)
    result = detection_confusion(truth, pred, rules=rules)
    assert result.data["n_correct"] == found
    lower = detection_confusion(truth, pred, rules=rules, score_threshold=0, iou_threshold=0.2)
    assert lower.data["n_correct"] == 1


def test_one_state_for_any_score() -> None:
    # A cow of score 0.6 on the dog, which a dog of score 0.4 finds, too.
    truth = boxes((0, 10, 2))
    pred = boxes((0, 10, 3, 0.6), (0, 9, 2, 0.4), scored=True)
    metric = DetectionConfusion(every_score=True).update(truth, pred)
    # From 0.4 on the dog is found and the cow a false alarm; from 0.5 on it is called a cow.
    found, confused = (metric.compute(score_threshold=score) for score in (0.4, 0.5))
    assert found.matrix.tolist() == [[0] * 4, [0, 1, 0, 0], [0] * 4, [0, 0, 1, 0]]
    assert confused.matrix.tolist() == [[0] * 4, [0, 0, 1, 0], [0] * 4, [0] * 4]
    assert (found.data["n_below"], confused.data["n_below"]) == (0, 1)
    assert confused.protocol["score_threshold"] == 0.5
    assert metric.compute().matrix.tolist() == found.matrix.tolist()  # from 0.25 on
    assert metric.compute(score_threshold=0.7).matrix.tolist()[1] == [0, 0, 0, 1]
    # What was not kept cannot be looked at.
    kept = DetectionConfusion(score_threshold=0.5).update(truth, pred)
    assert kept.compute(score_threshold=0.7).data["n_missed"] == 1
    with pytest.raises(InputError, match=r"at least 0.5, .* got 0.4: set every_score"):
        kept.compute(score_threshold=0.4)


def test_crowds() -> None:
    truth = boxes((0, 10, 1), (20, 50, 1), crowd=[0, 1])
    # In the crowd: a cat is left out, a dog is a false alarm.
    pred = boxes((0, 10, 1, 0.9), (30, 10, 1, 0.8), (30, 10, 2, 0.8), scored=True)
    result = detection_confusion(truth, pred)
    assert result.matrix.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    assert result.data["n_left_out"] == 1
    assert "1 left out" in result.composition()
    # The tools know no crowds.
    assert matrix(truth, pred, rules="ultralytics")[-1] == [1, 1, 0, 0]


def test_where_and_normalised() -> None:
    metric = DetectionConfusion()
    metric.update(
        boxes((0, 10, 1), (40, 10, 1), image="a"),
        boxes((0, 10, 2, 0.5), scored=True, image="a"),
    )
    metric.update(boxes((0, 10, 1), image="b"), boxes((0, 9, 2, 0.7), scored=True, image="b"))
    result = metric.compute()
    assert result.where("cat", "dog") == [
        {"image": "b", "score": 0.7, "similarity": 0.9},
        {"image": "a", "score": 0.5, "similarity": 1.0},
    ]
    (missed,) = result.where(1, None)
    assert missed["image"] == "a"
    assert math.isnan(missed["score"])
    assert result.where(None, "dog") == []
    np.testing.assert_array_equal(result.normalised("truth")[0], [0, 2 / 3, 0, 1 / 3])
    np.testing.assert_array_equal(result.normalised("prediction")[:, 1], [1, 0, 0, 0])
    assert result.normalised("all").sum() == 1
    with pytest.raises(InputError, match="truth"):
        result.normalised("rows")
    with pytest.raises(ClassError, match="expected a class of cat, dog, cow, got 'horse'"):
        result.where("horse", "dog")
    with pytest.raises(InputError, match="got neither"):
        result.where(None, None)


def test_text_and_file(tmp_path: Path) -> None:
    truth = boxes((0, 10, 1), (20, 10, 2), (40, 10, 3))
    pred = boxes((0, 10, 1, 0.9), (20, 9, 3, 0.8), (90, 5, 1, 0.7), scored=True)
    result = detection_confusion(truth, pred)
    lines = str(result).splitlines()
    assert lines[-5:] == [
        "true \\ predicted  cat  dog  cow  missed",
        "cat                 1    0    0       0",
        "dog                 0    0    1       0",
        "cow                 0    0    0       1",
        "false alarm         1    0    0",
    ]
    assert any(line.startswith("dog") and line.endswith("cow (1)") for line in lines)
    result.save(tmp_path / "result")
    loaded = DetectionConfusionResult.load(tmp_path / "result")
    assert (str(loaded), loaded.to_dict()) == (str(result), result.to_dict())


@pytest.mark.parametrize("n_classes", [80, 300])
def test_text_of_many_classes(n_classes: int) -> None:
    label = np.arange(n_classes)
    box = np.tile([0, 0, 9, 9], (n_classes, 1))
    truth = Boxes.from_xywh(box, image_id=label, label=label)
    pred = Boxes.from_xywh(
        box,
        image_id=label,
        label=np.roll(label, 1),
        score=np.ones(n_classes),
        classes=truth.classes,
    )
    lines = str(detection_confusion(truth, pred)).splitlines()
    assert max(map(len, lines)) < 110
    assert len(lines) == 7 + 2 + min(n_classes, 100) + (n_classes > 100)
    assert not any(line.startswith("true") for line in lines)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"rules": "ultralytic"}, "Did you mean .ultralytics"),
        ({"iou_threshold": 0}, "above 0, at most 1"),
        ({"iou_threshold": "a"}, "finite number, got 'a'"),
        ({"score_threshold": math.nan}, "finite number, got nan"),
        ({"score_threshold": math.inf}, "finite number"),
    ],
)
def test_bad_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DetectionConfusion(**parameters)


def test_rules_can_be_ones_own() -> None:
    with pytest.raises(InputError, match="expected one of class, score"):
        ConfusionRules("mine", "luck", 0.5, 0.5)
    mine = ConfusionRules("mine", "score", 0.5, 0.5)
    result = detection_confusion(boxes((0, 10, 1)), boxes((0, 5, 2, 0.5), scored=True), rules=mine)
    assert result.matrix[0, 1] == 1
    assert result.protocol["name"] == "mine"
    assert all(name == rules.name for name, rules in CONFUSION_RULES.items())


@pytest.mark.parametrize(
    ("name", "value"),
    [("pairs.truth", 1), ("pairs.truth", -1), ("pairs.pred", 2), ("pairs.pred", -1),
     ("pairs.image", 1), ("truth.label", 3), ("pred.image", -1)],
)  # fmt: skip
def test_rows_that_are_not_there(name: str, value: int) -> None:
    truth = boxes((0, 10, 1))
    pred = boxes((0, 10, 1, 0.9), (50, 10, 1, 0.8), scored=True)
    packed = unpack(DetectionConfusion().update(truth, pred).to_bytes())
    assert len(packed.arrays["pairs.pred"]) == 1
    arrays = {key: array.copy() for key, array in packed.arrays.items()}
    arrays[name][0] = value
    with pytest.raises(SchemaError, match="expected a whole state of DetectionConfusion"):
        DetectionConfusion.from_bytes(pack("DetectionConfusion", packed.content, arrays))
