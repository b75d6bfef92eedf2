from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from typing import Any

import numpy as np
import pytest

from snellen import (
    AreaRange,
    AveragePrecision,
    AveragePrecisionResult,
    Boxes,
    average_precision,
)
from snellen.detection.protocols import COCO
from snellen.errors import ClassError, IdError, InputError, MergeError

# 1 / (1 + 2^-52), the precision of one true positive, rounded to nearest.
ONE = 0.9999999999999998


def boxes(rows: list[list[float]], image: Any = 1, label: Any = 1, **columns: Any) -> Boxes:
    """Return boxes whose image and label are one value or a list."""

    def column(value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value] * len(rows)

    return Boxes.from_xywh(rows, image_id=column(image), label=column(label), **columns)


def truth_and_pred(
    truth: list[list[float]], pred: list[list[float]], score: list[float], **columns: Any
) -> tuple[Boxes, Boxes]:
    return boxes(truth, image_ids=[1], **columns), boxes(pred, image_ids=[1], score=score)


def close(got: float, wanted: float) -> bool:
    """Return whether a mean over up to 1010 cells is what it should be but for its rounding."""
    return math.isclose(got, wanted, rel_tol=1e-14)


# ---------------------------------------------------------------------------------------------
# Numbers.


def test_a_perfect_match() -> None:
    result = average_precision(*truth_and_pred([[0, 0, 10, 10]], [[0, 0, 10, 10]], [0.5]))
    assert (result.precision[..., 0, :] == ONE).all()
    assert result.AP == result.AP_small == ONE
    # The mean of 101 equal numbers, rounded as NumPy rounds it.
    assert result.AP50 == result.AP75 == np.full(101, ONE).mean()
    assert result.AR_1 == result.AR_10 == result.AR_100 == result.AR_small == 1.0
    assert math.isnan(result.AP_medium)
    assert math.isnan(result.AR_large)


def test_nobody_changes_the_numbers_of_a_result() -> None:
    """Results of one state share their curves: what is written into one would be in all."""
    truth, pred = truth_and_pred([[0, 0, 10, 10]], [[0, 0, 10, 10]], [0.5])
    metric = AveragePrecision().update(truth, pred)
    result = metric.compute()
    for array in (result.precision, result.recall, result.scores):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
    assert metric.compute().AP == result.AP == ONE


def test_a_false_positive_before_the_true_one() -> None:
    # Precision 1 / 2 at every recall point and threshold.
    result = average_precision(
        *truth_and_pred([[0, 0, 10, 10]], [[50, 0, 10, 10], [0, 0, 10, 10]], [0.9, 0.8])
    )
    assert result.AP == 0.5
    # One detection an image: the false one.
    assert result.AR_1 == 0.0
    assert result.AR_10 == 1.0


def test_a_false_positive_after_it_costs_nothing() -> None:
    result = average_precision(
        *truth_and_pred([[0, 0, 10, 10]], [[50, 0, 10, 10], [0, 0, 10, 10]], [0.7, 0.8])
    )
    assert result.AP == ONE


def test_one_of_two_found_at_an_iou_of_nine_tenths() -> None:
    result = average_precision(
        *truth_and_pred([[0, 0, 10, 10], [20, 0, 10, 10]], [[0, 0, 10, 9]], [0.8])
    )
    # Recall 1/2 is reached: 51 of 101 recall points have precision 1. The ninth threshold is
    # 0.8999999999999999, so that 9 of 10 are passed.
    assert close(result.AP50, 51 / 101)
    assert close(result.AP, 0.9 * 51 / 101)
    assert close(result.AR_100, 0.45)
    assert result.recall[:, 0, 0, 2].tolist() == [0.5] * 9 + [0.0]


def test_two_thirds() -> None:
    # True (0.9), false (0.8), true (0.7) of 3 truth boxes: precision 1 up to recall 1/3 (points
    # 0 … 0.33, 34 of them), 2/3 up to recall 2/3 (0.34 … 0.66, 33), 0 beyond.
    result = average_precision(
        *truth_and_pred(
            [[0, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10]],
            [[0, 0, 10, 10], [80, 0, 10, 10], [20, 0, 10, 10]],
            [0.9, 0.8, 0.7],
        )
    )
    assert close(result.AP, (34 + 33 * 2 / 3) / 101)
    column = result.precision[0, :, 0, 0, 2]
    assert column[:34].tolist() == [ONE] * 34
    assert column[34:67].tolist() == [2 / 3] * 33
    assert column[67:].tolist() == [0.0] * 34
    scores = result.scores[0, :, 0, 0, 2]
    assert scores.tolist() == [0.9] * 34 + [0.7] * 33 + [0.0] * 34


def test_what_lies_in_a_crowd_is_left_out() -> None:
    truth, pred = truth_and_pred(
        [[0, 0, 10, 10], [100, 0, 50, 50]],
        [[110, 10, 10, 10], [120, 20, 10, 10], [0, 0, 10, 10]],
        [0.9, 0.8, 0.7],
        crowd=[0, 1],
    )
    result = average_precision(truth, pred)
    assert result.AP == ONE
    assert result.data["n_crowd"] == 1
    assert result.n_counted[0, 0] == 1


def test_the_annotated_area_decides_the_bucket() -> None:
    # A mask of 5000 in a box of 100 × 100: medium, not large.
    result = average_precision(
        *truth_and_pred([[0, 0, 100, 100]], [[0, 0, 100, 100]], [0.5], area=[5000])
    )
    assert result.AP_medium == ONE
    assert math.isnan(result.AP_large)
    # An area of exactly 32² is small and medium.
    result = average_precision(*truth_and_pred([[0, 0, 32, 32]], [[0, 0, 32, 32]], [0.5]))
    assert (result.AP_small, result.AP_medium) == (ONE, ONE)


def test_nothing_found_is_zero() -> None:
    result = average_precision(*truth_and_pred([[0, 0, 10, 10]], [], []))
    assert (result.AP, result.AR_100) == (0.0, 0.0)


def test_classes_without_truth_are_part_of_no_mean() -> None:
    truth = boxes([[0, 0, 10, 10]], label="cat")
    pred = boxes([[0, 0, 10, 10], [50, 0, 10, 10]], label=["cat", "dog"], score=[0.5, 0.9])
    result = average_precision(truth, pred)
    assert result.AP == ONE
    cat, dog = result.per_class()
    assert (cat["class"], cat["id"], cat["n_truth"], cat["AP"]) == ("cat", "cat", 1, ONE)
    assert (dog["class"], dog["n_truth"]) == ("dog", 0)
    assert math.isnan(dog["AP"])


def test_classes_count_the_same_whatever_their_size() -> None:
    # Ten cats, all found; one dog, not found: (1 + 0) / 2.
    rows = [[20.0 * i, 0, 10, 10] for i in range(10)]
    truth = boxes([*rows, [500, 0, 10, 10]], label=[1] * 10 + [2])
    result = average_precision(truth, boxes(rows, score=[0.5] * 10))
    assert close(result.AP, 0.5)
    assert [record["AR_100"] for record in result.per_class()] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("ids", "found_in", "ap50"),
    [
        # The one that is found comes first: precision 1 up to recall 1/2.
        ((1, 2), 1, 51 / 101),
        # It comes second: precision 1/2.
        ((1, 2), 2, 0.5 * 51 / 101),
        # 2 comes before 10, but "10" before "2".
        ((2, 10), 2, 51 / 101),
        (("2", "10"), "2", 0.5 * 51 / 101),
        ((-5, 3), -5, 51 / 101),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_ties_between_images_go_by_id(
    ids: tuple[Any, Any], found_in: Any, ap50: float, turned: bool
) -> None:
    metric = AveragePrecision()
    for image in ids[::-1] if turned else ids:
        x = 0 if image == found_in else 50
        metric.update(boxes([[0, 0, 10, 10]], image), boxes([[x, 0, 10, 10]], image, score=[0.5]))
    assert close(metric.compute().AP50, ap50)


def test_annotation_id_zero() -> None:
    data = truth_and_pred([[0, 0, 10, 10]], [[0, 0, 10, 10]], [0.5], id=[0])
    assert average_precision(*data).AP == ONE
    strict = average_precision(*data, protocol="coco-strict")
    assert (strict.AP, strict.AR_100) == (0.0, 0.0)
    data = truth_and_pred([[0, 0, 10, 10]], [[0, 0, 10, 10]], [0.5], id=[1])
    assert average_precision(*data, protocol="coco-strict").AP == ONE


def test_caps() -> None:
    # Three truth boxes; the two best detections find one.
    data = truth_and_pred(
        [[0, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10]],
        [[0, 0, 10, 10], [80, 0, 10, 10], [20, 0, 10, 10], [40, 0, 10, 10]],
        [0.9, 0.8, 0.7, 0.6],
    )
    result = average_precision(*data, max_detections=(2, 3))
    assert list(result.metrics) == [
        *("AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large"),
        *("AR_2", "AR_3", "AR_small", "AR_medium", "AR_large"),
    ]
    assert (result.recall[:, 0, 0] == [1 / 3, 2 / 3]).all()
    assert close(result.AR_2, 1 / 3)
    assert close(result.AR_3, 2 / 3)
    assert close(result.AP, (34 + 33 * 2 / 3) / 101)
    assert result.data["n_dropped_by_cap"] == 1
    assert average_precision(*data, max_detections=300).AR_300 == 1.0


def test_own_areas_thresholds_and_recalls() -> None:
    rules = dataclasses.replace(
        COCO,
        name="mine",
        iou_thresholds=(0.25, 0.5, 0.75),
        recall_thresholds=(0.5, 1.0),
        area_ranges=(AreaRange("any", 0, 1e9), AreaRange("tiny", 0, 50)),
    )
    # Half of the box is found: 2 of 3 thresholds; the truth box is not tiny.
    result = average_precision(
        *truth_and_pred([[0, 0, 10, 10]], [[0, 0, 10, 5]], [0.5]), protocol=rules
    )
    assert close(result.AP, 2 / 3)
    assert close(result.AP50, 1)
    assert result.AP75 == 0.0
    assert math.isnan(result.AP_tiny)
    assert result.precision.shape == (3, 2, 1, 2, 3)


# ---------------------------------------------------------------------------------------------
# What is undefined, and why.


def reasons(result: AveragePrecisionResult) -> dict[str, str]:
    return {entry.metric: entry.reason for entry in result.undefined}


def test_reasons_without_truth() -> None:
    result = average_precision(*truth_and_pred([], [[0, 0, 10, 10]], [0.5]))
    assert reasons(result)["AP"] == "no truth box counts in area range all"
    assert reasons(result)["AR_small"] == "no truth box counts in area range small"
    assert set(reasons(result)) == set(result.metrics)
    assert all(math.isnan(value) for value in result.metrics.values())


def test_reasons_of_sizes() -> None:
    result = average_precision(*truth_and_pred([[0, 0, 10, 10]], [[0, 0, 10, 10]], [0.5]))
    assert reasons(result) == {
        name: f"no truth box counts in area range {name[3:]}"
        for name in ("AP_medium", "AP_large", "AR_medium", "AR_large")
    }


def test_reasons_of_rules() -> None:
    data = truth_and_pred([[0, 0, 10, 10]], [[0, 0, 10, 10]], [0.5])
    result = average_precision(*data, protocol="coco-strict", max_detections=300)
    assert reasons(result)["AP"] == (
        "the protocol reads it at 100 detections, which is no cap of it"
    )
    assert close(result.AP50, 1)
    rules = dataclasses.replace(COCO, iou_thresholds=(0.5, 0.6))
    result = average_precision(*data, protocol=rules)
    assert reasons(result)["AP75"] == "0.75 is not among the IoU thresholds"


def test_undefined_cells() -> None:
    data = truth_and_pred([[0, 0, 10, 10]], [[0, 0, 10, 10]], [0.5])
    for protocol in ("coco", "coco-strict"):
        result = average_precision(*data, protocol=protocol)
        for cells in (result.precision, result.scores, result.recall):
            large = cells[..., 3, :]
            assert (large == -1).all() if protocol == "coco-strict" else np.isnan(large).all()
            assert (cells[..., 0, :] >= 0).all()
        # The headline number is NaN either way: -1 averaged by somebody is a wrong number.
        assert math.isnan(result.AP_large)


# ---------------------------------------------------------------------------------------------
# Counts.


def test_data_counts() -> None:
    truth = boxes(
        [[0, 0, 10, 10]] * 3, [1, 1, 2], [1, 1, 2], crowd=[0, 1, 0], image_ids=[1, 2, 3, 4]
    )
    pred = boxes([[0, 0, 10, 10]] * 4, [1, 1, 1, 2], [1, 1, 1, 3], score=[0.1] * 4)
    result = average_precision(truth, pred, max_detections=(1, 2))
    assert result.data == {
        "n_images": 4,
        "n_classes": 3,
        "n_truth": 3,
        "n_crowd": 1,
        "n_predictions": 4,
        "n_dropped_by_cap": 1,
    }
    assert result.n_counted[:, 0].tolist() == [1, 1, 0]


def test_repr() -> None:
    metric = AveragePrecision(protocol="coco-strict")
    assert repr(metric) == "AveragePrecision(coco-strict, 0 images)"
    metric.update(boxes([[0, 0, 1, 1]], 5), boxes([], image_ids=[5], score=[]))
    assert repr(metric) == "AveragePrecision(coco-strict, 1 images)"


# ---------------------------------------------------------------------------------------------
# Batches of mappings.


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
        return np.array(self.values, np.float32)


def image(found: bool, score: float, kind: Any = list) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an image with one box, which its one detection finds or not."""
    x = 0.0 if found else 50.0
    return (
        {"boxes": kind([[0.0, 0.0, 10.0, 10.0]]), "labels": kind([1])},
        {
            "boxes": kind([[x, 0.0, x + 10, 10.0]]),
            "labels": kind([1]),
            "scores": kind([score]),
        },
    )


def batch(*images: tuple[dict[str, Any], dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    return [truth for truth, _ in images], [pred for _, pred in images]


@pytest.mark.parametrize("kind", [list, np.array, Tensor])
def test_batches_of_mappings(kind: Any) -> None:
    metric = AveragePrecision()
    metric.update(*batch(image(True, 0.5, kind), image(False, 0.25, kind)), image_id=["a", "b"])
    as_boxes = AveragePrecision().update(
        boxes([[0, 0, 10, 10]] * 2, ["a", "b"]),
        boxes([[0, 0, 10, 10], [50, 0, 10, 10]], ["a", "b"], score=[0.5, 0.25]),
    )
    assert metric.to_bytes() == as_boxes.to_bytes()


def test_images_without_ids_are_numbered_as_they_come() -> None:
    metric = AveragePrecision()
    metric.update(*batch(image(True, 0.5))).update(*batch(image(False, 0.5), image(True, 0.4)))
    numbered = AveragePrecision().update(
        *batch(image(True, 0.5), image(False, 0.5), image(True, 0.4)), image_id=[0, 1, 2]
    )
    assert list(metric.compute().metrics.items()) == list(numbered.compute().metrics.items())
    assert metric.compute().data["n_images"] == 3


def test_numbered_images_merge_by_numbering_on() -> None:
    images = [image(True, 0.5), image(False, 0.5), image(True, 0.5), image(False, 0.9)]
    whole = AveragePrecision().update(*batch(*images))
    one = AveragePrecision().update(*batch(*images[:1])).update(*batch(images[1]))
    other = AveragePrecision().update(*batch(images[2])).update(*batch(images[3]))
    before = other.to_bytes()
    assert one.merge(other).to_bytes() == whole.to_bytes()
    assert other.to_bytes() == before
    # It goes on from there: the next one is number 4.
    more = image(True, 0.1)
    assert one.update(*batch(more)).to_bytes() == whole.update(*batch(more)).to_bytes()


def test_a_restored_metric_numbers_on() -> None:
    metric = AveragePrecision().update(*batch(image(True, 0.5)))
    restored = AveragePrecision.from_bytes(metric.to_bytes())
    more = image(False, 0.9)
    assert restored.update(*batch(more)).to_bytes() == metric.update(*batch(more)).to_bytes()


def test_a_batch_of_no_images() -> None:
    """What a process gets that has no share in the data."""
    metric = AveragePrecision().update([], [])
    assert metric.compute().data["n_images"] == 0
    metric = AveragePrecision().update(*batch(image(True, 0.5)))
    before = metric.to_bytes()
    assert metric.update([], []).to_bytes() == before


@pytest.mark.parametrize("named_first", [False, True])
def test_images_with_and_without_ids_do_not_mix(named_first: bool) -> None:
    def named() -> AveragePrecision:
        return AveragePrecision().update(*batch(image(True, 0.5)), image_id=[7])

    def numbered() -> AveragePrecision:
        return AveragePrecision().update(*batch(image(True, 0.5)))

    message = "expected image ids with all batches or with none"
    metric = named() if named_first else numbered()
    before = metric.to_bytes()
    with pytest.raises(IdError, match=message):
        metric.update(*batch(image(True, 0.5)), **({} if named_first else {"image_id": [8]}))
    assert metric.to_bytes() == before
    with pytest.raises(IdError, match=message):
        metric.merge(numbered() if named_first else named())
    assert metric.to_bytes() == before


# ---------------------------------------------------------------------------------------------
# What is refused; the metric stays as it was.


def metric_with_image_1() -> AveragePrecision:
    return AveragePrecision().update(
        boxes([[0, 0, 10, 10]], classes={1: "cat"}), boxes([[0, 0, 10, 10]], score=[0.5])
    )


@pytest.mark.parametrize(
    ("truth", "pred", "columns", "error", "message"),
    [
        # An image comes twice: alone, and among others.
        (
            boxes([[0, 0, 1, 1]]),
            boxes([[0, 0, 1, 1]], score=[0.5]),
            {},
            IdError,
            "expected each image once, got 1 that were absorbed before: 1",
        ),
        (
            boxes([], image_ids=[0, 1, 2]),
            boxes([], score=[]),
            {},
            IdError,
            "got 1 that were absorbed before: 1",
        ),
        (boxes([[0, 0, 1, 1]], 2), boxes([[0, 0, 1, 1]], 2), {}, InputError, "with scores, got no"),
        (
            boxes([[0, 0, 1, 1]], 2),
            boxes([[0, 0, 1, 1]], 3, score=[0.5]),
            {},
            IdError,
            "expected predictions on images of the truth, got 1 unknown image ids: 3",
        ),
        (
            boxes([[0, 0, 1, 1]], 2),
            boxes([[0, 0, 1, 1]], 2, score=[0.5]),
            {"image_id": [2]},
            InputError,
            "expected no image_id beside Boxes",
        ),
        (
            boxes([[0, 0, 1, 1]], 2),
            [],
            {},
            InputError,
            "expected truth and pred of one kind, got Boxes and list",
        ),
        (
            [image(True, 0.5)[0]],
            [],
            {"image_id": [2]},
            InputError,
            "expected as many images in truth and pred, got 1 and 0",
        ),
        # The class has another name, the ids are of another kind, than those absorbed.
        (
            boxes([[0, 0, 1, 1]], 2, classes={1: "dog"}),
            boxes([[0, 0, 1, 1]], 2, score=[0.5]),
            {},
            ClassError,
            'expected one name for class 1, got "cat" and "dog"',
        ),
        (
            boxes([[0, 0, 1, 1]], "2"),
            boxes([[0, 0, 1, 1]], "2", score=[0.5]),
            {},
            IdError,
            "expected image ids of one kind",
        ),
        (
            boxes([[0, 0, 1, 1]], 2, "1"),
            boxes([[0, 0, 1, 1]], 2, "1", score=[0.5]),
            {},
            IdError,
            "expected class ids of one kind",
        ),
    ],
)
def test_updates_that_are_refused(
    truth: Any, pred: Any, columns: dict[str, Any], error: Any, message: str
) -> None:
    metric = metric_with_image_1()
    before = metric.to_bytes()
    with pytest.raises(error, match=message):
        metric.update(truth, pred, **columns)
    assert metric.to_bytes() == before


@pytest.mark.parametrize(
    ("image_id", "classes", "error", "message"),
    [
        (1, {1: "cat"}, IdError, "expected each image once, got 1 that were absorbed before: 1"),
        (2, {1: "dog"}, ClassError, 'one name for class 1, got "cat" and "dog"'),
        ("2", {1: "cat"}, IdError, "expected image ids of one kind"),
        (2, {1: "cat", 2: "cat"}, None, ""),
    ],
)
def test_merges_that_are_refused(image_id: Any, classes: Any, error: Any, message: str) -> None:
    metric = metric_with_image_1()
    other = AveragePrecision().update(
        boxes([[0, 0, 9, 9]], image_id, classes=classes),
        boxes([[0, 0, 9, 9]], image_id, score=[0.5]),
    )
    states = metric.to_bytes(), other.to_bytes()
    if error is None:
        assert metric.merge(other).compute().data["n_images"] == 2
        return
    with pytest.raises(error, match=message):
        metric.merge(other)
    assert (metric.to_bytes(), other.to_bytes()) == states


def test_a_metric_does_not_merge_with_itself() -> None:
    metric = metric_with_image_1()
    before = metric.to_bytes()
    with pytest.raises(IdError, match="absorbed before: 1"):
        metric.merge(metric)
    assert metric.to_bytes() == before


def test_other_rules_do_not_merge() -> None:
    with pytest.raises(
        MergeError,
        match="got name coco-strict instead of coco; id_zero_matches False instead of True; ",
    ):
        metric_with_image_1().merge(AveragePrecision(protocol="coco-strict"))


def test_unknown_protocol() -> None:
    with pytest.raises(InputError, match=r'got "coc"\. Did you mean "coco"\?'):
        AveragePrecision(protocol="coc")


# ---------------------------------------------------------------------------------------------
# States.


@pytest.mark.parametrize(
    "rules",
    [
        dataclasses.replace(COCO, area_ranges=(AreaRange("all", 0, math.inf),)),
        dataclasses.replace(COCO, iou_thresholds=tuple(np.array([0.5, 0.75]))),
        dataclasses.replace(COCO, iou_thresholds=[0.5, 0.75]),  # type: ignore[arg-type]
        dataclasses.replace(COCO, max_detections=(np.int64(5),)),  # type: ignore[arg-type]
    ],
    ids=["infinite area", "NumPy numbers", "lists", "NumPy caps"],
)
def test_states_of_any_rules_can_be_restored(rules: Any) -> None:
    """Rules that are accepted must come back: a state that can't be read again is lost work."""
    data = truth_and_pred([[0, 0, 10, 10]], [[0, 0, 10, 8]], [0.5])
    metric = AveragePrecision(protocol=rules).update(*data)
    restored = AveragePrecision.from_bytes(metric.to_bytes())
    assert restored.protocol == metric.protocol
    assert restored.compute().to_dict() == metric.compute().to_dict()


def test_wide_and_text_ids_in_states() -> None:
    for ids in ([2**60, 2**63 - 1], ["", "é\U0001f600"]):
        metric = AveragePrecision().update(
            boxes([[0, 0, 10, 10]] * 2, ids, ids),
            boxes([[0, 0, 10, 10]] * 2, ids, ids, score=[1, 2]),
        )
        restored = AveragePrecision.from_bytes(metric.to_bytes())
        assert restored.to_bytes() == metric.to_bytes()
        assert restored.compute().classes.keys.ids.tolist() == ids
        with pytest.raises(IdError, match="absorbed before"):
            restored.update(boxes([[0, 0, 1, 1]], ids[0]), boxes([], image_ids=[ids[0]], score=[]))


def test_copies_refuse_images_that_were_absorbed() -> None:
    metric = metric_with_image_1()
    again = boxes([[0, 0, 1, 1]]), boxes([[0, 0, 1, 1]], score=[0.5])
    for copied in (
        pickle.loads(pickle.dumps(metric)),
        copy.copy(metric),
        copy.deepcopy(metric),
        AveragePrecision.from_bytes(metric.to_bytes()),
        metric.empty().merge(metric),
    ):
        with pytest.raises(IdError, match="absorbed before: 1"):
            copied.update(*again)
    metric.empty().update(*again)
