"""Numbers of pixels worked by hand, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from snellen import Segmentation, segmentation_scores
from snellen.errors import ClassError, IdError, InputError, MergeError, ShapeError
from snellen.segmentation.protocols import PROTOCOLS

# Five classes, 255 is void. Class 2 is only predicted, class 4 is nowhere; in the second image
# class 3 is predicted where truth is void.
TRUTH = np.array(
    [
        [[0, 0, 0, 1], [0, 0, 1, 1], [255, 0, 1, 3]],
        [[1, 1, 1, 1], [0, 0, 0, 0], [255, 255, 255, 255]],
    ]
)
PRED = np.array(
    [
        [[0, 0, 1, 1], [0, 0, 1, 1], [0, 2, 1, 255]],
        [[1, 1, 1, 0], [0, 0, 0, 0], [3, 3, 3, 3]],
    ]
)
# Pixels where truth is no void, image by image:
#          truth    predicted  correct   IoU
# image 0  0: 6     4          4         4/6
#          1: 4     5          4         4/5
#          2: 0     1          0         0/1
#          3: 1     0          0         0/1  (its pixel is predicted as no class)
# image 1  0: 4     5          4         4/5
#          1: 4     3          3         3/4
# both     0: 10    9          8         8/11
#          1: 8     8          7         7/9
#          2: 0     1          0         0/1
#          3: 1     0          0         0/1
BOTH = 8 / 11 + 7 / 9
FIRST, SECOND = 2 / 3 + 4 / 5, 4 / 5 + 3 / 4
BY_HAND = {
    "snellen": BOTH / 4,  # class 4 is left out
    "cityscapes": BOTH / 4,
    "mmseg": BOTH / 4,
    "torchmetrics-jaccard": BOTH / 4,
    "keras": BOTH / 3,  # the pixel predicted as no class does not count: class 3 is nowhere
    "sklearn": BOTH / 5,  # class 4 counts as 0
    "smp": (BOTH + 1) / 5,  # class 4 counts as 1
    "truth-classes": BOTH / 3,  # 0, 1 and 3
    "torchmetrics": (FIRST + SECOND) / 6,  # four classes in image 0, two in image 1
    "smp-imagewise": (FIRST + 1 + SECOND + 3) / 10,
    "monai": (FIRST / 3 + SECOND / 2) / 2,
    "monai-batch": ((2 / 3 + 4 / 5) / 2 + (4 / 5 + 3 / 4) / 2 + 0) / 3,
}


def both(**parameters: object) -> Segmentation:
    return Segmentation(5, **parameters).update(TRUTH, PRED, image_id=["a", "b"])  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_rule_by_hand(name: str) -> None:
    result = both(protocol=name).compute()
    assert result.mIoU == pytest.approx(BY_HAND[name], rel=1e-14)
    assert result.by_rule[name] == result.mIoU
    assert result.protocol["name"] == name


def test_two_small_images_have_seven_mean_ious() -> None:
    assert len({round(value, 12) for value in both().compute().by_rule.values()}) == 7


def test_other_numbers_by_hand() -> None:
    result = both().compute()
    assert result.pixel_accuracy == 15 / 19
    assert result.fwIoU == pytest.approx((10 * 8 / 11 + 8 * 7 / 9) / 19, rel=1e-14)
    # Of 19 true pixels 15 are right, of 18 predicted ones too: 15 / (19 + 18 - 15).
    assert result.IoU_micro == 15 / 22
    # Dice: 16/19, 14/16, 0/1, 0/1.
    assert result.mDice == pytest.approx((16 / 19 + 14 / 16) / 4, rel=1e-14)
    # Precision: 8/9, 7/8, 0/1; class 3 was never predicted.
    assert result.mPrecision == pytest.approx((8 / 9 + 7 / 8) / 3, rel=1e-14)
    # Recall: 8/10, 7/8, 0/1 (class 3); class 2 has no truth.
    assert result.mRecall == pytest.approx((8 / 10 + 7 / 8) / 3, rel=1e-14)
    assert result.mIoU_I == pytest.approx(BY_HAND["monai"], rel=1e-14)
    assert result.mIoU_C == pytest.approx(BY_HAND["monai-batch"], rel=1e-14)
    assert result.mIoU_I_worst5 == pytest.approx(FIRST / 3, rel=1e-14)  # one image of two
    assert result.data == {
        "n_images": 2,
        "n_classes": 5,
        "n_pixels": 24,
        "n_void": 5,
        "n_predicted_no_class": 1,
    }


def test_the_matrix_has_void_and_no_class_last() -> None:
    matrix = both().compute().matrix
    assert matrix.tolist() == [
        [8, 1, 1, 0, 0, 0],
        [1, 7, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0],
        [1, 0, 0, 4, 0, 0],
    ]


def test_classes_and_images() -> None:
    result = both().compute()
    first, *_, last = result.per_class()
    assert first["class"] == "0"
    assert (first["n_images"], first["n_truth"], first["n_correct"]) == (2, 10, 8)
    assert first["iou"] == 8 / 11
    assert first["iou_I"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert first["iou_I_worst5"] == 2 / 3
    assert math.isnan(last["iou"])
    reasons = {
        (each.metric, each.class_name): each.reason for each in result.undefined_of_classes()
    }
    assert reasons["iou", "4"] == "neither truth nor prediction has a pixel of the class"
    assert reasons["precision", "3"] == "the class was never predicted"
    worst, better = result.per_image()
    assert (worst["image"], better["image"]) == ("a", "b")
    assert worst["mIoU"] == pytest.approx(FIRST / 3)
    assert (worst["worst_class"], worst["worst_iou"]) == ("3", 0.0)
    assert worst["n_pixels"] == 11
    assert better["pixel_accuracy"] == 7 / 8


def test_scores_mean_the_highest_class() -> None:
    scores = np.eye(5)[np.where(PRED == 255, 0, PRED)].transpose(0, 3, 1, 2)
    labels = np.where(PRED == 255, 0, PRED)
    from_scores = Segmentation(5).update(TRUTH, scores)
    assert from_scores.to_bytes() == Segmentation(5).update(TRUTH, labels).to_bytes()


def test_an_ignored_class_is_a_class_where_it_is_predicted() -> None:
    # Class 0 as background that is not to count: truth of 0 is void, a prediction of 0 is not.
    # What is left: truth 1, 1, 1; predicted 0, 1, 1. Class 1: 2 of 3; class 0: 0 of 1.
    result = segmentation_scores([[0, 0, 1, 1, 1]], [[1, 0, 0, 1, 1]], 2, ignore_index=0)
    assert result.class_values()["iou"].tolist() == [0.0, 2 / 3]


def test_ids_outside_the_classes_are_refused() -> None:
    metric = Segmentation(5)
    before = metric.to_bytes()
    with pytest.raises(ClassError, match=r"7.*image 0"):
        metric.update([[0, 7, 7]], [[0, 1, 2]])
    with pytest.raises(ClassError, match=r"pred, first in image x"):
        metric.update([[0, 1, 1]], [[0, 9, 2]], image_id="x")
    assert metric.to_bytes() == before


def test_unknown_ids_can_be_void() -> None:
    ignoring = Segmentation(2, unknown="ignore").update([[0, 7, 1]], [[0, 0, 9]]).compute()
    # The pixel of 7 is void; that predicted as 9 is missed.
    assert ignoring.matrix.tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_sizes_must_agree() -> None:
    with pytest.raises(ShapeError, match=r"\(1, 3\).*\(1, 4\)|\(1, 4\).*\(1, 3\)"):
        Segmentation(2).update([[0, 1, 1]], [[0, 1, 1, 1]])


def test_ids_of_images() -> None:
    metric = both()
    with pytest.raises(IdError, match="1 that were absorbed before: a"):
        metric.update(TRUTH[:1], PRED[:1], image_id=["a"])
    with pytest.raises(IdError, match="with all batches or with none"):
        metric.update(TRUTH[:1], PRED[:1])
    with pytest.raises(IdError, match="each image once, got 1 more than once: a - at image_id"):
        Segmentation(5).update(TRUTH, PRED, image_id=["a", "a"])
    with pytest.raises(ShapeError, match="an image id for each of 2 images, got 3 - at image_id"):
        Segmentation(5).update(TRUTH, PRED, image_id=["a", "b", "c"])
    with pytest.raises(IdError, match="absorbed before"):
        metric.merge(both())


def test_images_together_have_the_same_numbers_of_the_whole() -> None:
    kept, summed = both().compute(), Segmentation(5, per_image=False)
    for _ in range(3):
        summed.update(TRUTH, PRED)
    result = summed.compute()
    for name in ("mIoU", "mDice", "pixel_accuracy", "fwIoU"):
        assert result.metrics[name] == kept.metrics[name]
    assert "mIoU_I" not in result.metrics
    assert result.data["n_images"] == 6
    assert (result.matrix == 3 * kept.matrix).all()
    assert result.per_image() == []
    with pytest.raises(InputError, match="kept apart"):
        summed.units()
    with pytest.raises(InputError, match="kept apart"):
        Segmentation(5, protocol="monai", per_image=False)


def test_a_sum_of_images_stays_small() -> None:
    random = np.random.default_rng(0)
    metric = Segmentation(20, per_image=False)
    sizes = []
    for _ in range(400):
        metric.update(*random.integers(0, 20, (2, 30, 30)))
        sizes.append(metric._rows._ledger.n_pieces)
    assert max(sizes) < 300
    assert len(metric.to_bytes()) < 10_000


def test_a_slice_is_what_its_images_alone_give() -> None:
    part = both().among(["b"])
    assert part.to_bytes() == Segmentation(5).update(TRUTH[1:], PRED[1:], image_id=["b"]).to_bytes()
    with pytest.raises(IdError, match="absorbed"):
        both().among(["c"])


def test_instances_by_hand() -> None:
    # Two cars (class 1) of 6 and 2 pixels, 4 and 1 of them found. Average size 4: they weigh 4/6
    # and 4/2. TP = 4 · 4/6 + 1 · 2, FN = 2 · 4/6 + 1 · 2, FP = 1 road pixel.
    truth = np.array([[1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0]])
    instances = np.array([[1001] * 6 + [0] + [1002] * 2 + [0] * 3])
    pred = np.array([[1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0]])
    metric = Segmentation(["road", "car"]).update(truth, pred, image_id="a", instances=instances)
    tp, fn = 4 * 4 / 6 + 2, 2 * 4 / 6 + 2
    assert metric.compute().iIoU == pytest.approx(tp / (tp + fn + 1), rel=1e-14)
    restored = Segmentation.from_bytes(metric.to_bytes())
    assert restored.compute().iIoU == metric.compute().iIoU
    with pytest.raises(IdError, match="ids"):
        Segmentation(2).update(truth, pred, instances=instances)


def test_parameters_must_agree() -> None:
    with pytest.raises(MergeError, match="ignored"):
        both().merge(Segmentation(5, ignore_index=0))
    with pytest.raises(MergeError, match="protocol"):
        both().merge(Segmentation(5, protocol="smp"))
    with pytest.raises(InputError, match="Did you mean"):
        Segmentation(5, protocol="mseg")
    with pytest.raises(InputError, match="at least one"):
        Segmentation(0)


def test_the_report_reads_well() -> None:
    text = str(both().compute())
    assert "mIoU of the same pixels under every rule" in text
    assert "worst images" in text
    assert "most confused" in text
    assert "5 of them void" in both().compute().composition()


def test_results_are_kept_whole(tmp_path) -> None:
    result = both().compute()
    result.save(tmp_path / "result.bin")
    again = type(result).load(tmp_path / "result.bin")
    assert again.to_dict() == result.to_dict()
