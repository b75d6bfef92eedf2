"""Boundary quality: cases worked by hand, ids, void, errors, resampling."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import (
    BoundaryQuality,
    BoundaryQualityResult,
    Segmentation,
    boundary_quality,
    compare,
    intervals,
    metric_from_bytes,
    set_threads,
)
from snellen.errors import ClassError, IdError, InputError, MergeError, SchemaError, ShapeError
from snellen.segmentation.boundary_result import COLUMNS
from snellen.segmentation.boundary_rules import BoundaryRules
from snellen.segmentation.label_scheme import scheme_of
from snellen.state import pack, unpack

CLASSES = ["ground", "box"]
VOID = 255

# A box of 4 × 4 pixels in a frame of ground, and one without its last column.
TRUTH = np.zeros((6, 6), np.uint8)
TRUTH[1:5, 1:5] = 1
PRED = TRUTH.copy()
PRED[:, 4] = 0


def counts(result: BoundaryQualityResult, k: int) -> dict[str, int]:
    return dict(zip(COLUMNS, result.pixels[k].tolist(), strict=True))


def test_worked_by_hand() -> None:
    result = BoundaryQuality(CLASSES, tolerance=0).update(TRUTH, PRED).compute()
    # 2 % of the diagonal, 8.5 pixels, is less than 1 pixel: zones are 1 pixel wide. Truth's box has
    # 16 pixels, of which 2 × 2 are inside: a zone of 12. The other one has 12, of which 2 × 1 are
    # inside: 10. In both boxes are 12; of these the 4 inside truth's are not in both zones.
    # Contours: rows and columns 0 to 4 are where a square of 2 × 2 pixels touches truth's box; in
    # 3 × 3 of these it lies within: 25 − 9 = 16. The other one: 20 − 3 × 2 = 14. Both contours have
    # columns 0 to 3 of rows 0 and 4, and column 0 of rows 1 to 3: 11.
    assert counts(result, 1) == {
        "pixels_both": 12,
        "pixels_truth": 16,
        "pixels_pred": 12,
        "border_both": 8,
        "border_truth": 12,
        "border_pred": 10,
        "contour_truth": 16,
        "contour_truth_matched": 11,
        "contour_pred": 14,
        "contour_pred_matched": 11,
    }
    box = result.per_class()[1]
    assert (box["class"], box["id"]) == ("box", 1)
    assert box["boundary_iou"] == 8 / 14  # 12 + 10 − 8
    assert box["mask_iou"] == 12 / 16
    assert (box["boundary_precision"], box["boundary_recall"]) == (11 / 14, 11 / 16)
    assert box["boundary_f"] == pytest.approx(22 / 30, rel=1e-15, abs=0)
    assert box["border_share"] == 12 / 16
    # The frame is one pixel wide: all of it is border zone, and so are the 4 pixels beside it. Its
    # Boundary IoU is the IoU of masks. Its contour is that of the box.
    ground = result.per_class()[0]
    assert ground["boundary_iou"] == ground["mask_iou"] == 20 / 24
    assert ground["border_share"] == 1
    assert ground["boundary_f"] == box["boundary_f"]
    assert result.boundary_iou == pytest.approx((8 / 14 + 20 / 24) / 2, rel=1e-15, abs=0)
    assert result.mask_iou == pytest.approx((12 / 16 + 20 / 24) / 2, rel=1e-15, abs=0)
    assert "thin         1 classes lie in their border zones wholly" in result.composition()
    # Within a pixel, each contour pixel has one of the other side.
    lenient = boundary_quality(TRUTH, PRED, CLASSES, tolerance=1)
    assert lenient.boundary_f == 1


def test_wide_zones_are_masks() -> None:
    # 12 % of 8.5 pixels are 1.02; 20 % are 1.7, which is rounded to 2: the box has no inside left.
    for ratio, border in ((0.12, 12), (0.2, 16)):
        result = boundary_quality(TRUTH, TRUTH, CLASSES, ratio=ratio)
        assert counts(result, 1)["border_truth"] == border


def test_void_of_truth_is_on_neither_side() -> None:
    truth = TRUTH.copy()
    truth[1:5, 4] = VOID
    for there in (0, 1, VOID):
        pred = truth.copy()
        pred[1:5, 4] = there
        result = boundary_quality(truth, pred, CLASSES)
        assert (result.boundary_iou, result.boundary_f, result.mask_iou) == (1, 1, 1)
        # A border with void is a border: the box of 12 pixels has 2 inside.
        assert counts(result, 1)["border_truth"] == counts(result, 1)["border_pred"] == 10
        # The frame has 20 pixels, none of them in the column of void.
        assert counts(result, 0)["pixels_pred"] == 20


def test_void_of_predictions_is_of_no_class() -> None:
    pred = TRUTH.copy()
    pred[1:5, 4] = VOID
    result = boundary_quality(TRUTH, pred, CLASSES)
    # The box is PRED's; the frame has lost nothing, and gained nothing.
    assert counts(result, 1)["border_both"] == 8
    assert result.per_class()[0]["mask_iou"] == 1


def test_what_is_undefined() -> None:
    classes = ["ground", "box", "ball"]
    result = boundary_quality(TRUTH, TRUTH * 0, classes)
    ground, box, ball = result.per_class()
    assert (box["boundary_iou"], box["boundary_f"], box["boundary_recall"]) == (0, 0, 0)
    assert math.isnan(box["boundary_precision"])
    assert math.isnan(ball["boundary_iou"])
    # Zones of the frame: 20 of 20; of an image of ground: its outermost pixels, 20 of 36.
    assert ground["boundary_iou"] == 1
    assert (ground["mask_iou"], ground["boundary_f"]) == (20 / 36, 0)
    assert result.boundary_iou == 0.5  # the ball is no part of the mean
    reasons = {
        (each.class_name, each.metric): each.reason for each in result.undefined_of_classes()
    }
    assert reasons["ball", "boundary_iou"] == "neither side has a pixel of the class"
    assert reasons["box", "boundary_precision"] == "predictions have no contour of the class"
    assert ("box", "boundary_recall") not in reasons
    filled = boundary_quality(TRUTH * 0, TRUTH * 0, classes)
    assert (filled.boundary_iou, filled.mask_iou) == (1, 1)
    assert math.isnan(filled.boundary_f)
    assert {each.metric for each in filled.undefined} == {
        *("boundary_f", "boundary_iou_images", "boundary_f_images")
    }
    reasons = {(e.class_name, e.metric): e.reason for e in filled.undefined_of_classes()}
    assert reasons["ground", "boundary_f"] == "the class fills every image: it has no contour"


def test_classes_far_apart() -> None:
    ids = {-3: "minus", 7: "seven", 40_000: "many"}
    other = np.where(TRUTH == 1, 40_000, -3).astype(np.int32)
    result = boundary_quality(other, np.where(PRED == 1, 40_000, -3), ids)
    plain = boundary_quality(TRUTH, PRED, CLASSES)
    assert result.pixels[[0, 2]].tolist() == plain.pixels.tolist()


def test_more_classes_than_a_byte_has_values() -> None:
    plain = boundary_quality(TRUTH, PRED, CLASSES)
    for n in (255, 256, 257, 400):
        truth, pred = (np.where(side == 1, n - 1, 0).astype(np.uint16) for side in (TRUTH, PRED))
        found = boundary_quality(truth, pred, [""] * n, ignore_index=None)
        assert found.pixels[[0, n - 1]].tolist() == plain.pixels.tolist()


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "bool"]
)
def test_types(dtype: str) -> None:
    wanted = boundary_quality(TRUTH, PRED, CLASSES).pixels
    found = boundary_quality(TRUTH.astype(dtype), PRED.astype(dtype), CLASSES)
    assert np.array_equal(found.pixels, wanted)


def test_arrays_of_other_kinds() -> None:
    torch = pytest.importorskip("torch")
    wanted = boundary_quality(TRUTH, PRED, CLASSES).pixels
    for truth, pred in (
        (torch.tensor(TRUTH).long(), torch.tensor(PRED)),
        (TRUTH.tolist(), PRED[:, ::-1].copy()[:, ::-1]),
        (np.asfortranarray(TRUTH)[None], np.stack([PRED, PRED])[:1]),
    ):
        assert np.array_equal(boundary_quality(truth, pred, CLASSES).pixels, wanted)


def test_a_batch_is_its_images() -> None:
    whole = BoundaryQuality(CLASSES).update(
        np.stack([TRUTH, PRED, PRED]), np.stack([PRED, PRED, TRUTH]), image_id=["c", "a", "b"]
    )
    single = BoundaryQuality(CLASSES)
    for image_id, truth, pred in (("a", PRED, PRED), ("b", PRED, TRUTH), ("c", TRUTH, PRED)):
        single.update(truth, pred, image_id=image_id)
    assert whole.to_bytes() == single.to_bytes()
    for n_threads in (1, 3):
        set_threads(n_threads)
        many = np.stack([TRUTH] * 40), np.stack([PRED] * 40)
        counted = BoundaryQuality(CLASSES).update(*many).compute().pixels
        assert np.array_equal(counted, 40 * boundary_quality(TRUTH, PRED, CLASSES).pixels)
    set_threads(None)


def test_numbers_of_images() -> None:
    metric = BoundaryQuality(CLASSES, tolerance=1)
    metric.update(TRUTH, PRED, image_id="shrunk").update(TRUTH, TRUTH, image_id="right")
    metric.update(TRUTH * 0, TRUTH * 0 + VOID, image_id="missed")
    metric.update(TRUTH * 0 + VOID, TRUTH, image_id="void")
    result = metric.compute()
    worst, shrunk, right, void = result.per_image()
    assert (worst["image"], worst["boundary_iou"], worst["n_classes"]) == ("missed", 0, 1)
    assert math.isnan(worst["boundary_f"])  # ground fills truth, and the prediction has none
    assert shrunk["boundary_iou"] == pytest.approx((8 / 14 + 20 / 24) / 2)
    assert (right["image"], right["boundary_iou"], right["boundary_f"]) == ("right", 1, 1)
    assert (void["image"], void["n_classes"]) == ("void", 0)
    assert math.isnan(void["boundary_iou"])
    assert result.boundary_iou_images == pytest.approx(((8 / 14 + 20 / 24) / 2 + 1 + 0) / 3)
    assert result.boundary_f_images == 1
    assert result.data == {"n_images": 4, "n_classes": 2, "n_pixels": 3 * 36}


def test_without_ids_only_the_sum_is_kept() -> None:
    named = BoundaryQuality(CLASSES).update(TRUTH, PRED, image_id=3).compute()
    metric = BoundaryQuality(CLASSES).update(TRUTH, PRED)
    result = metric.compute()
    assert np.array_equal(result.pixels, named.pixels)
    assert result.per_image() == []
    reasons = {each.metric: each.reason for each in result.undefined}
    assert reasons["boundary_iou_images"] == "images have no ids: only their sum is kept"
    size = len(metric.to_bytes())
    for _ in range(20):
        metric.update(TRUTH, PRED)
    assert len(metric.to_bytes()) == size
    with pytest.raises(IdError, match="expected images with ids"):
        metric.units()


def test_ids() -> None:
    metric = BoundaryQuality(CLASSES).update(TRUTH, PRED, image_id="a")
    with pytest.raises(IdError, match="got 1 that were absorbed before: a"):
        metric.update(TRUTH, PRED, image_id="a")
    with pytest.raises(IdError, match="got 1 that were absorbed before: a"):
        metric.merge(BoundaryQuality(CLASSES).update(TRUTH, PRED, image_id="a"))
    with pytest.raises(IdError, match="with all batches or with none"):
        metric.update(TRUTH, PRED)
    with pytest.raises(IdError, match="with all batches or with none"):
        metric.merge(BoundaryQuality(CLASSES).update(TRUTH, PRED))
    with pytest.raises(IdError, match="of one kind, got texts"):
        metric.update(TRUTH, PRED, image_id=3)
    with pytest.raises(IdError, match="of one kind, got texts"):
        metric.merge(BoundaryQuality(CLASSES).update(TRUTH, PRED, image_id=3))
    both = np.stack([TRUTH, PRED])
    with pytest.raises(ShapeError, match="id for each of 2 images, got 1 - at image_id"):
        metric.update(both, both, image_id="b")
    with pytest.raises(IdError, match="got 1 more than once: b - at image_id"):
        metric.update(both, both, image_id=["b", "b"])
    assert metric.compute().data["n_images"] == 1


def test_errors_say_what_came_and_where() -> None:
    metric = BoundaryQuality(CLASSES)
    stray = PRED.copy()
    stray[2, 3:5] = 7
    stray[4, 0] = 9
    with pytest.raises(ClassError) as caught:
        metric.update(TRUTH, stray)
    assert str(caught.value) == (
        "expected ids (0 to 1, 255), got 7 (2 pixels), 9 (1 pixel) - at pred[2, 3]"
    )
    with pytest.raises(ClassError, match=r"- at truth\[1, 2, 3\]"):
        metric.update(np.stack([TRUTH, stray]), np.stack([PRED, PRED]))
    gradient = np.arange(36).reshape(6, 6)
    with pytest.raises(ClassError, match=r"5 \(1 pixel\), 6 .*, … \(31 different ones\)"):
        boundary_quality(gradient, gradient, [""] * 5)
    with pytest.raises(ClassError, match=r"got 255 \(36 pixels\): a mask of 0 and 255"):
        BoundaryQuality(CLASSES, ignore_index=None).update(TRUTH, TRUTH * 0 + VOID)
    with pytest.raises(ClassError, match="got 9223372036854775807"):
        metric.update(TRUTH, PRED + np.uint64(2**63 + 5))
    with pytest.raises(ShapeError, match=r"shape \(6, 6\) or scores .* got \(6, 5\) - at pred"):
        metric.update(TRUTH, PRED[:, 1:])
    with pytest.raises(ShapeError, match=r"for truth \(2, 1, 6, 6\), got \(6, 6\) - at pred"):
        metric.update([[TRUTH], [TRUTH]], PRED)
    with pytest.raises(InputError, match=r"whole numbers as labels, got float64 .* - at pred"):
        metric.update(TRUTH, PRED / 2)
    with pytest.raises(ShapeError, match=r"images with pixels, got \(1, 6, 0\) - at truth"):
        metric.update(TRUTH[:, :0], TRUTH[:, :0])


def test_an_image_that_was_read_as_colours_is_no_batch() -> None:
    gray = np.zeros((20, 30), np.uint8)
    gray[4:9, 5:16] = 1
    # As cv2.imread gives a gray file: three equal channels.
    colours = np.repeat(gray[..., None], 3, axis=2)
    metric = BoundaryQuality(CLASSES)
    with pytest.raises(ShapeError, match=r"take one channel of a mask, .* - at truth") as caught:
        metric.update(colours, colours)
    assert "look like colours" in str(caught.value)
    assert "colours=" not in str(caught.value)  # which update doesn't have
    narrow = metric.update(colours.astype(np.int16), colours.astype(np.int16)).compute()
    assert narrow.data["n_images"] == 20


def test_scores() -> None:
    wanted = boundary_quality(TRUTH, PRED, CLASSES).pixels
    scores = np.stack([0.5 - PRED, np.full(PRED.shape, 0.1)])  # 0.5 or -0.5 beside 0.1
    one_hot = np.stack([TRUTH == 0, TRUTH == 1])
    for truth, pred in (
        (TRUTH, scores),
        (TRUTH, np.stack([PRED == 0, PRED == 1])),
        (TRUTH[None], scores[None]),
        (one_hot[None], scores[None]),
    ):
        assert np.array_equal(boundary_quality(truth, pred, CLASSES).pixels, wanted)
    # The highest score is that of a position, whatever the ids are.
    ids = {7: "ground", 9: "box"}
    assert np.array_equal(boundary_quality(TRUTH * 2 + 7, scores, ids).pixels, wanted)
    with pytest.raises(ShapeError, match="a score for each of 3 classes, got 2 - at pred"):
        boundary_quality(TRUTH, scores, [*CLASSES, "ball"])
    void = TRUTH.copy()
    void[0] = VOID
    assert boundary_quality(void, scores, CLASSES).pixels[0, 1] == 14  # 20 of the frame less 6


def test_classes_of_a_data_set() -> None:
    scheme = scheme_of("cityscapes")
    truth = np.where(TRUTH == 1, 13, 0).astype(np.uint8)  # 0 … 18: road, and a car
    pred = np.where(PRED == 1, 13, 0).astype(np.uint8)
    truth[0, 0] = VOID
    metric = BoundaryQuality("cityscapes").update(truth, pred, image_id=1)
    result = metric.compute()
    twin = Segmentation("cityscapes").update(truth, pred).compute()
    records = {each["class"]: each for each in result.per_class()}
    assert (records["road"]["id"], records["car"]["id"]) == (7, 26)
    assert [each["id"] for each in twin.per_class()] == [each["id"] for each in result.per_class()]
    assert records["car"]["mask_iou"] == 12 / 16
    assert records["road"]["mask_iou"] == 19 / 23
    # The same numbers from labelIds, which are the ids of the classes.
    ids = scheme.classes.keys.ids.astype(np.uint8)
    plain = BoundaryQuality(scheme.classes).update(
        np.where(truth == VOID, VOID, ids[np.minimum(truth, 18)]), ids[pred]
    )
    assert np.array_equal(plain.compute().pixels, result.pixels)
    again = metric_from_bytes(metric.to_bytes())
    assert isinstance(again, BoundaryQuality)
    again.update(truth, pred, image_id=2)
    assert np.array_equal(again.compute().pixels, 2 * result.pixels)
    with pytest.raises(MergeError, match=r"got labels.is_complete False instead of True"):
        metric.merge(BoundaryQuality(scheme.classes))
    with pytest.raises(ClassError, match=r"got 26 \(12 pixels\) - at truth\[1, 1\]"):
        metric.update(np.where(PRED == 1, 26, 0), pred, image_id=3)


def test_a_number_of_classes() -> None:
    wanted = boundary_quality(TRUTH, PRED, CLASSES)
    assert np.array_equal(boundary_quality(TRUTH, PRED, 2).pixels, wanted.pixels)
    assert BoundaryQuality(np.int64(2)).classes.keys.ids.tolist() == [0, 1]


def test_ignored_values_of_all_kinds() -> None:
    truth = TRUTH.astype(int)
    truth[0], truth[5] = 254, VOID
    for ignored in ([254, 255], (255, 254), np.array([254, 255]), {254, 255}):
        metric = BoundaryQuality(CLASSES, ignore_index=ignored)
        result = metric.update(truth, truth).compute()
        assert result.protocol["ignore_index"] == [254, 255]
        assert counts(result, 0)["pixels_truth"] == 8
        assert (
            metric.empty().to_bytes() == BoundaryQuality(CLASSES, ignore_index=ignored).to_bytes()
        )
    one = BoundaryQuality(CLASSES, ignore_index=np.int64(255))
    assert one.to_bytes() == BoundaryQuality(CLASSES).to_bytes()
    # 255 is void where it is free.
    mask = BoundaryQuality({0: "ground", 255: "box"})
    assert mask.rules.ignore_index == ()
    assert mask.update(TRUTH * 255, PRED * 255).compute().pixels[1, 0] == 12
    # A class that truth ignores may be predicted, and is false there.
    result = boundary_quality(TRUTH, PRED * 0 + 1, CLASSES, ignore_index=0)
    assert counts(result, 1)["pixels_pred"] == 16
    assert counts(result, 0)["pixels_truth"] == counts(result, 0)["pixels_pred"] == 0
    elsewhere = boundary_quality(TRUTH, TRUTH * 0, CLASSES, ignore_index=0)
    assert counts(elsewhere, 0)["pixels_pred"] == 16
    # The same where truth comes as one map a class: there the class is its position.
    one_hot = np.stack([TRUTH == 0, TRUTH == 1])[None]
    for ids in ({0: "ground", 1: "box"}, {7: "ground", 9: "box"}):
        frame, box = ids
        labels = boundary_quality(
            np.where(TRUTH == 1, box, frame), np.where(PRED == 1, box, frame), ids,
            ignore_index=frame,
        )  # fmt: skip
        scores = boundary_quality(
            one_hot, np.stack([PRED == 0, PRED == 1])[None], ids, ignore_index=frame
        )
        assert scores.pixels.tolist() == labels.pixels.tolist()
        # Truth has 16 pixels of the box, of which 12 are found, and none of the frame, which 4
        # are predicted as.
        assert labels.mask_iou == (12 / 16 + 0 / 4) / 2


def test_a_tolerance_beyond_all_images() -> None:
    wanted = boundary_quality(TRUTH, PRED, CLASSES, tolerance=12).pixels
    for tolerance in (1e30, 10**18, np.float32(1e30), np.int64(50)):
        found = boundary_quality(TRUTH, PRED, CLASSES, tolerance=tolerance)
        assert np.array_equal(found.pixels, wanted)


def test_ids_that_are_numpys_numbers() -> None:
    for image_id in (np.int64(3), np.array(3), np.uint8(3)):
        metric = BoundaryQuality(CLASSES).update(TRUTH, PRED, image_id=image_id)
        assert metric.compute().per_image()[0]["image"] == 3


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ratio": 0}, "a share of the diagonal, got 0 - at ratio"),
        ({"ratio": 3}, "a share of the diagonal, got 3 - at ratio"),
        ({"ratio": math.nan}, "a share of the diagonal, got nan - at ratio"),
        ({"tolerance": -1}, "got -1 - at tolerance"),
        ({"tolerance": 1.5}, "a whole number of pixels, got 1.5 - at tolerance"),
        ({"tolerance": math.inf}, "got inf - at tolerance"),
        ({"tolerance": math.nan}, "got nan - at tolerance"),
        ({"tolerance": "2"}, "expected a number, got '2' - at tolerance"),
        ({"ignore_index": 0.5}, "got 0.5 - at ignore_index"),
        ({"ignore_index": True}, "got True - at ignore_index"),
        ({"ignore_index": [255, True]}, r"got \[255, True\] - at ignore_index"),
        ({"ignore_index": 2**63}, "got 9223372036854775808 - at ignore_index"),
        ({"ignore_index": "255"}, "got '255' - at ignore_index"),
        ({"tolerance": True}, "expected a number, got True - at tolerance"),
        ({"classes": {"a": "ground"}}, "class ids that pixels can hold, got texts such as a"),
        ({"classes": "cityscape"}, 'got "cityscape". Did you mean "cityscapes"'),
        ({"classes": True}, "a list or a mapping, got True - at classes"),
        ({"classes": 2.0}, "a name, a number, a list or a mapping, got 2.0 - at classes"),
        ({"classes": []}, "at least one class, got none"),
        ({"classes": [""] * 65_536, "ignore_index": None}, "65,535 classes, got 65,536"),
    ],
)
def test_parameters_that_cannot_be(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        BoundaryQuality(**{"classes": CLASSES, **parameters})


def test_widths_in_pixels() -> None:
    rules = BoundaryRules(0.02, 0.008)
    # The diagonal of 1024 × 2048 is 2289.7: 45.8 and 18.3.
    assert (rules.zone_width(1024, 2048), rules.contour_tolerance(1024, 2048)) == (46, 19)
    # 15 × 20: a diagonal of 25, of which 2 % is a half; 45 × 60: 75, and 1.5; 75 × 100: 2.5.
    assert [rules.zone_width(3 * n, 4 * n) for n in (1, 5, 15, 25)] == [1, 1, 2, 2]
    assert [BoundaryRules(0.5, each).contour_tolerance(3, 4) for each in (0, 2, 0.2)] == [
        *(0, 2, 1)
    ]


def fed(seed: int, ids: list[Any], shift: int = 1) -> BoundaryQuality:
    """Return a metric that has absorbed random images, the same for each id."""
    metric = BoundaryQuality(["a", "b", "c"], ratio=0.05)
    for image_id in ids:
        random = np.random.default_rng([seed, *str(image_id).split("#")[0].encode()])
        truth = np.kron(random.choice([0, 0, 1, 2, 255], (4, 5)), np.ones((6, 6), int))
        metric.update(truth, np.roll(truth, shift + random.integers(2), 1), image_id=image_id)
    return metric


def test_units_are_the_data_sets_that_multiplicities_say() -> None:
    ids = [f"img{i}" for i in range(7)]
    metric = fed(1, ids)
    units = metric.units(each=True)
    assert units.ids is not None
    assert (units.unit, units.ids.ids.tolist()) == ("image", ids)
    assert units.classes is metric.classes
    random = np.random.default_rng(2)
    times = random.integers(0, 3, (4, 7))
    times[0], times[1] = 1, 0
    found = units.values(times)
    for r, row in enumerate(times):
        often = [f"{ids[i]}#{n}" for i in range(7) for n in range(row[i])]
        wanted = fed(1, often).compute()
        assert list(found) == list(wanted.metrics)
        for name, value in wanted.metrics.items():
            assert found[name][r] == pytest.approx(value, rel=1e-12, abs=0, nan_ok=True)
        assert units.class_values is not None
        of_classes = units.class_values(times)[r]
        assert of_classes.tolist() == pytest.approx(
            wanted.class_values()["boundary_iou"].tolist(), nan_ok=True
        )


def test_a_data_set_has_the_same_bits_whatever_else_is_asked_for() -> None:
    """A matrix product adds in an order that follows shapes and threads."""
    units = fed(1, [f"img{i}" for i in range(200)]).units()
    times = np.random.default_rng(3).poisson(1, (60, 200))
    found = units.values(times)
    for r in range(len(times)):
        for name, value in units.values(times[r : r + 1].copy()).items():
            assert value[0] == found[name][r]


def test_units_joined_with_those_of_another_metric() -> None:
    ids = ["p", "q", "r", "s"]
    one, other = fed(1, ids), fed(1, ids, shift=3)
    times = np.array([[1, 0, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]])
    found = one.units().values(times, (other.units(), 1 - times))
    for r, row in enumerate(times):
        mixed = fed(1, [name for name, n in zip(ids, row, strict=True) if n])
        mixed.merge(fed(1, [name for name, n in zip(ids, row, strict=True) if not n], shift=3))
        for name, value in mixed.compute().metrics.items():
            assert found[name][r] == pytest.approx(value, rel=1e-12, abs=0)


def test_intervals_and_comparison() -> None:
    ids = [f"img{i}" for i in range(12)]
    one, other = fed(4, ids, shift=0), fed(4, ids, shift=4)
    found = intervals(one, replicates=200)
    assert found["boundary_iou"].unit == "image"
    assert found["boundary_iou"].low < one.compute().boundary_iou < found["boundary_iou"].high
    text = str(compare(one, other))
    assert "boundary_iou" in text
    # Other truth under the same ids is seen.
    with pytest.raises(InputError, match="expected the same truth in all runs"):
        compare(one, fed(5, ids))
    empty = BoundaryQuality(CLASSES).units()
    assert all(np.isnan(each).all() for each in empty.values(np.zeros((2, 0), int)).values())


def test_results_are_stored_whole(tmp_path: Path) -> None:
    for metric in (fed(1, ["x", "y"]), BoundaryQuality(CLASSES).update(TRUTH, PRED)):
        result = metric.compute()
        if metric.compute().images is not None:
            result = dataclasses.replace(result, intervals=intervals(metric, replicates=20))
        result.save(tmp_path / "result")
        loaded = BoundaryQualityResult.load(tmp_path / "result")
        # repr, because NaN is not NaN.
        assert repr(loaded.to_dict()) == repr(result.to_dict())
        assert repr(loaded.per_image()) == repr(result.per_image())
        assert loaded.intervals == result.intervals
        assert str(loaded) == str(result)
        assert loaded.composition() == result.composition()


def test_the_table() -> None:
    lines = str(boundary_quality(TRUTH, PRED, CLASSES, tolerance=0)).splitlines()
    assert lines[0].split("  ")[-1] == "border share"
    # 22 / 30, 11 / 14, 11 / 16, and all of the frame.
    assert lines[1].split() == [
        *("ground", "0.8333", "0.8333", "0.7333", "0.7857", "0.6875", "1.0000")
    ]
    assert lines[4].split() == ["mean", "0.7024", "0.7917", "0.7333", "-", "-", "-"]
    assert lines[6].split() == ["boundary_iou", "0.7024"]


def test_states_that_are_not_whole() -> None:
    metric = fed(1, ["x", "y"])
    assert repr(metric_from_bytes(metric.to_bytes())) == "BoundaryQuality(3 classes, 2 images)"
    packed = unpack(metric.to_bytes())

    def changed(content: dict[str, Any] | None = None, **arrays: Any) -> bytes:
        return pack(packed.name, {**packed.content, **(content or {})}, {**packed.arrays, **arrays})

    label, image = packed.arrays["rows.label"], packed.arrays["rows.image"]
    for broken in (
        changed(**{"rows.label": label + np.int32(1)}),
        changed(**{"rows.image": image - np.int32(1)}),
        changed(**{"rows.pixels": packed.arrays["rows.pixels"] * 2}),
        changed(**{"rows.label": label[1:]}),
        changed(pixels=packed.arrays["pixels"][:2]),
        changed(n_images=packed.arrays["n_images"] + 1),
        changed({"image_ids": ["x", "x"]}),
        changed({"rules": {"zone": 0.02}}),
    ):
        with pytest.raises(SchemaError, match="expected a whole state of BoundaryQuality"):
            BoundaryQuality.from_bytes(broken)
