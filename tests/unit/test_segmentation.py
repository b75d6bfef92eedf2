"""Numbers of pixels worked by hand, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from snellen import Segmentation, intervals, segmentation_scores
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
    assert result.mIoU == pytest.approx(BY_HAND[name], rel=1e-14, abs=0)
    assert result.by_rule[name] == result.mIoU
    assert result.protocol["name"] == name


def test_two_small_images_have_seven_mean_ious() -> None:
    assert len({round(value, 12) for value in both().compute().by_rule.values()}) == 7


def test_other_numbers_by_hand() -> None:
    result = both().compute()
    assert result.pixel_accuracy == 15 / 19
    assert result.fwIoU == pytest.approx((10 * 8 / 11 + 8 * 7 / 9) / 19, rel=1e-14, abs=0)
    # Of 19 true pixels 15 are right, of 18 predicted ones too: 15 / (19 + 18 - 15).
    assert result.IoU_micro == 15 / 22
    # Dice: 16/19, 14/16, 0/1, 0/1.
    assert result.mDice == pytest.approx((16 / 19 + 14 / 16) / 4, rel=1e-14, abs=0)
    # Precision: 8/9, 7/8, 0/1; class 3 was never predicted.
    assert result.mPrecision == pytest.approx((8 / 9 + 7 / 8) / 3, rel=1e-14, abs=0)
    # Recall: 8/10, 7/8, 0/1 (class 3); class 2 has no truth.
    assert result.mRecall == pytest.approx((8 / 10 + 7 / 8) / 3, rel=1e-14, abs=0)
    assert result.mIoU_I == pytest.approx(BY_HAND["monai"], rel=1e-14, abs=0)
    assert result.mIoU_C == pytest.approx(BY_HAND["monai-batch"], rel=1e-14, abs=0)
    assert result.mIoU_I_worst5 == pytest.approx(FIRST / 3, rel=1e-14, abs=0)  # one image of two
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


def test_pixels_predicted_as_no_class_that_do_not_count() -> None:
    """Under keras' rule a class may be in truth, and yet have no number."""
    truth = np.array([[[0, 0, 1, 1]], [[0, 1, 1, 1]], [[1, 1, 1, 1]]])
    pred = np.array([[[0, 1, 255, 255]], [[0, 1, 1, 0]], [[255, 255, 255, 255]]])
    metric = Segmentation(2, protocol="keras").update(truth, pred, image_id=["a", "b", "c"])
    computed = metric.compute()
    ground, box = computed.per_class()
    # Class 0: 1 of 2, 1 of 2. Class 1: 0 of 1, 2 of 3; of the third image nothing counts.
    assert (ground["iou_I"], ground["n_images"]) == (1 / 2, 2)
    assert (box["iou_I"], box["n_images"]) == ((0 + 2 / 3) / 2, 3)
    assert box["iou_I_worst5"] == 0
    records = {each["image"]: each for each in computed.per_image()}
    worst = {name: (each["worst_class"], each["worst_iou"]) for name, each in records.items()}
    assert worst["a"] == ("1", 0.0)
    assert worst["b"] == ("0", 1 / 2)
    assert worst["c"][0] == ""
    assert math.isnan(worst["c"][1])
    (line,) = (each for each in str(computed).splitlines() if each.split()[:1] == ["c"])
    assert line.split() == ["c", "0.0000", "-"]
    assert computed.undefined_of_classes() == []
    alone = Segmentation(2, protocol="keras").update(truth[2], pred[2], image_id="c").compute()
    reasons = {(each.metric, each.class_name): each.reason for each in alone.undefined_of_classes()}
    for name in ("iou", "dice", "recall", "iou_I", "iou_I_worst5"):
        assert reasons[name, "1"].startswith("all true pixels of the class were predicted as no")
    assert reasons["precision", "1"] == "the class was never predicted"
    assert reasons["recall", "0"] == "truth has no pixel of the class"


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
    assert metric.compute().iIoU == pytest.approx(tp / (tp + fn + 1), rel=1e-14, abs=0)
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


def test_reduce_zero_label_is_of_truth() -> None:
    # Truth 0 is void, 1 … 3 are classes 0 … 2; the network writes 0 … 2.
    metric = Segmentation(3, reduce_zero_label=True)
    result = metric.update([[0, 1, 2, 3, 255]], [[2, 0, 1, 1, 0]]).compute()
    assert result.matrix.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0]]
    scheme = Segmentation("ade20k", reduce_zero_label=True).update([[0, 1, 150]], [[0, 0, 149]])
    assert scheme.compute().pixel_accuracy == 1.0
    again = Segmentation.from_bytes(metric.to_bytes()).update([[1, 2]], [[0, 1]])
    assert again.compute().pixel_accuracy == 4 / 5


def test_a_class_of_id_255_is_one() -> None:
    mask = Segmentation({0: "ground", 255: "object"}).update([[0, 255, 255]], [[0, 255, 0]])
    assert mask.compute().class_values()["iou"].tolist() == [0.5, 0.5]
    many = Segmentation(1000).update([[255, 254]], [[255, 255]]).compute()
    assert many.per_class()[255]["iou"] == 0.5
    with pytest.raises(InputError, match='"auto"'):
        Segmentation(2, ignore_index="255")


def test_masks_of_three_channels_are_no_batch() -> None:
    mask = np.zeros((20, 30, 3), np.uint8)
    with pytest.raises(ShapeError, match="look like colours: take one channel"):
        Segmentation(2).update(mask, mask)
    ids = np.zeros((20, 30, 3), np.int64)  # twenty images, three pixels wide
    assert Segmentation(2).update(ids, ids).compute().data["n_images"] == 20


def test_instances_are_of_all_images_or_none() -> None:
    truth, marked = np.array([[1, 0]]), np.array([[1001, 0]])
    metric = Segmentation(2).update(truth, truth, image_id="a", instances=marked)
    before = metric.to_bytes()
    with pytest.raises(IdError, match="with all images or with none"):
        metric.update(truth, truth, image_id="b")
    with pytest.raises(IdError, match="with all images or with none"):
        metric.merge(Segmentation(2).update(truth, truth, image_id="b"))
    assert metric.to_bytes() == before
    # An image without an instance is an image with a map of none.
    metric.update(0 * truth, 0 * truth, image_id="c", instances=0 * marked)
    assert metric.compute().iIoU == 1.0
    with pytest.raises(ShapeError, match=r"\(1, 1, 3\) - at instances"):
        metric.update(truth, truth, image_id="d", instances=[[1001, 0, 0]])
    with pytest.raises(InputError, match="at instances"):
        metric.update(truth, truth, image_id="d", instances=[[1001.5, 0]])


def test_ids_of_two_kinds_are_refused_at_once() -> None:
    metric = Segmentation(2).update([[0, 1]], [[0, 1]], image_id="a")
    with pytest.raises(IdError, match="kind"):
        metric.update([[0, 1]], [[0, 1]], image_id=1)
    with pytest.raises(IdError, match="kind"):
        metric.merge(Segmentation(2).update([[0, 1]], [[0, 1]], image_id=1))
    assert metric.compute().mIoU == 1.0


def test_as_many_classes_as_cells_can_tell_apart() -> None:
    last = 46_338
    result = segmentation_scores([[last, 0]], [[last, last]], last + 1)
    assert result.per_class()[last]["iou"] == 0.5
    with pytest.raises(InputError, match="1 to 46,339 classes, got 46,340"):
        Segmentation(46_340)


def test_the_result_says_what_was_ignored_and_how_values_were_read() -> None:
    result = segmentation_scores([[0, 1, 1]], [[1, 1, 0]], ["sky", "car"], ignore_index=0)
    assert result.protocol["ignored_classes"] == ["sky"]
    assert "ignored      truth of sky" in result.composition()
    assert "recall" in result.composition()
    city = segmentation_scores([[0, 13]], [[0, 13]], "cityscapes")
    assert city.protocol["encodings"] == {"truth": ["trainIds"], "pred": ["trainIds"]}
    assert "read as      truth trainIds; predictions trainIds" in city.composition()


def test_the_worst_of_few_images_have_no_interval() -> None:
    random = np.random.default_rng(0)
    few = Segmentation(3).update(*random.integers(0, 3, (2, 40, 4, 4)))
    found = intervals(few, replicates=50)
    assert math.isnan(found["mIoU_I_worst5"].low)
    assert found["mIoU_I_worst5"].note == "the least of fewer than 100 images"
    many = Segmentation(3).update(*random.integers(0, 3, (2, 100, 4, 4)))
    assert not math.isnan(intervals(many, replicates=50)["mIoU_I_worst5"].low)
