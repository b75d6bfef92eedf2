"""Panoptic quality, rule by rule, worked by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import (
    PanopticQuality,
    PanopticQualityResult,
    PanopticSegments,
    _core,
    panoptic_quality,
)
from snellen.errors import (
    ClassError,
    IdError,
    InputError,
    MergeError,
    SchemaError,
    ShapeError,
)
from snellen.segmentation import label_maps, segment_pairs
from snellen.segmentation.segment_pairs import boundary_width, count_segments

CLASSES = {1: "cat", 2: "dog", 9: "sky"}


def strip(text: str) -> np.ndarray[Any, Any]:
    """Return a label map of one row; a digit is a segment, a dot none."""
    return np.array([[0 if c == "." else int(c) for c in text]], np.int32)


def segments(*rows: tuple[int, ...]) -> list[dict[str, Any]]:
    """Return segments from (id, class), (id, class, crowd) or (id, class, crowd, area)."""
    names = ("id", "category_id", "iscrowd", "area")
    return [dict(zip(names, row, strict=False)) for row in rows]


def evaluated(truth: Any, pred: Any, **parameters: Any) -> PanopticQualityResult:
    """Evaluate images of one row: (text, segments) a side, or lists of these."""
    sides = [
        [(strip(text), listed) for text, listed in ([side] if isinstance(side, tuple) else side)]
        for side in (truth, pred)
    ]
    return panoptic_quality(*sides, CLASSES, things=[1, 2], **parameters)


def counts(result: PanopticQualityResult, k: int = 0) -> tuple[int, int, int]:
    """Return tp, fp and fn of a class."""
    return int(result.tp[k]), int(result.fp[k]), int(result.fn[k])


def test_all_numbers() -> None:
    # cat: 3 of 3 + 4 - 3 = 4 pixels: IoU 3/4. dog: not found; one is found that is none.
    # sky: the same 2 pixels, IoU 1.
    result = evaluated(
        ("1112...33", segments((1, 1), (2, 2), (3, 9))),
        ("1111..533", segments((1, 1), (5, 2), (3, 9))),
    )
    # Pixel 6 is void in truth: segment 5 lies on it, so it is not false.
    assert [counts(result, k) for k in range(3)] == [(1, 0, 0), (0, 0, 1), (1, 0, 0)]
    assert result.metrics == {
        "PQ": (0.75 + 0 + 1) / 3,
        "SQ": (0.75 + 0 + 1) / 3,
        "RQ": (1 + 0 + 1) / 3,
        "PQ_things": (0.75 + 0) / 2,
        "SQ_things": (0.75 + 0) / 2,
        "RQ_things": (1 + 0) / 2,
        "PQ_stuff": 1,
        "SQ_stuff": 1,
        "RQ_stuff": 1,
    }
    assert result.data == {
        "n_images": 1,
        "n_classes": 3,
        "n_truth": 3,
        "n_crowd": 0,
        "n_pred": 3,
        "n_ignored": 1,
    }
    assert not result.undefined
    (dog,) = result.undefined_of_classes()
    assert (dog.metric, dog.class_name) == ("SQ", "dog")


def test_half_is_no_match() -> None:
    # 2 of 4 pixels: an IoU of exactly 1/2.
    result = evaluated(("1122", segments((1, 1), (2, 9))), ("1111", segments((1, 1))))
    assert counts(result) == (0, 1, 1)
    # 3 of 5.
    result = evaluated(("11122", segments((1, 1), (2, 9))), ("11111", segments((1, 1))))
    assert counts(result) == (1, 0, 0)
    assert result.iou_sum[0] == 3 / 5


def test_quality_is_the_product() -> None:
    # One match of IoU 2/3, one false, two missed: RQ 1 / (1 + 1/2 + 2/2), SQ 2/3.
    result = evaluated(
        ("111.2.3.99", segments((1, 1), (2, 1), (3, 1), (9, 9))),
        ("11.....499", segments((1, 1), (4, 9), (9, 1))),
    )
    assert counts(result) == (1, 1, 2)
    assert result.per_class()[0]["PQ"] == (2 / 3) / 2.5
    assert result.per_class()[0]["RQ"] == 1 / 2.5
    assert result.per_class()[0]["SQ"] == 2 / 3


def test_void_is_no_part_of_the_union() -> None:
    # 3 pixels of 6 are shared, 3 lie on void: IoU 3 / (3 + 6 - 3 - 3).
    result = evaluated(("111...", segments((1, 1))), ("111111", segments((1, 1))))
    assert counts(result) == (1, 0, 0)
    assert result.iou_sum[0] == 1


def test_another_class_is_no_match() -> None:
    result = evaluated(("11", segments((1, 1))), ("11", segments((1, 2))))
    assert counts(result, 0) == (0, 0, 1)
    assert counts(result, 1) == (0, 1, 0)


def test_predictions_on_void_and_crowds_are_left_out() -> None:
    truth = "..1122", segments((1, 1, 1), (2, 2))
    # 2 pixels of void and 1 of the crowd of its class, of 4: 3/4.
    assert counts(evaluated(truth, ("33.33.", segments((3, 1))))) == (0, 0, 0)
    # 1 of 2 pixels is not more than half.
    assert counts(evaluated(truth, ("...33.", segments((3, 1))))) == (0, 1, 0)
    # The crowd of another class does not help.
    assert counts(evaluated(truth, ("..33..", segments((3, 2)))), 1) == (0, 1, 1)
    # A crowd that is found is no match, and none that is missed is counted.
    result = evaluated(truth, ("..33..", segments((3, 1))))
    assert counts(result) == (0, 0, 0)
    assert result.data["n_ignored"] == 1
    assert result.data["n_crowd"] == 1


def test_a_crowd_is_part_of_the_union() -> None:
    # 2 of 2 + 4 - 2 pixels: the crowd's 2 pixels are not taken off, as void would be.
    result = evaluated(("1122", segments((1, 1), (2, 1, 1))), ("1111", segments((1, 1))))
    assert counts(result) == (0, 1, 1)


def test_all_crowds_of_a_class_count_unless_strict() -> None:
    # 2 pixels of one crowd, 2 of another, 1 of a cat.
    truth = "11223", segments((1, 1, 1, 2), (2, 1, 1, 2), (3, 1, 0, 1))
    pred = "44444", segments((4, 1))
    assert counts(evaluated(truth, pred)) == (0, 0, 1)
    # 2/5 only: of the crowd listed last.
    assert counts(evaluated(truth, pred, protocol="coco-strict")) == (0, 1, 1)
    # Which one is last is said by the list, not by the id.
    uneven = "12223", segments((2, 1, 1, 3), (1, 1, 1, 1), (3, 1, 0, 1))
    assert counts(evaluated(uneven, pred, protocol="coco-strict")) == (0, 1, 1)
    turned = "12223", segments((1, 1, 1, 1), (2, 1, 1, 3), (3, 1, 0, 1))
    assert counts(evaluated(turned, pred, protocol="coco-strict")) == (0, 0, 1)


def test_areas_are_counted_unless_strict() -> None:
    truth, pred = ("111.", segments((1, 1, 0, 6))), ("111.", segments((1, 1)))
    assert evaluated(truth, pred).iou_sum[0] == 1
    # 3 of 6 + 3 - 3.
    assert counts(evaluated(truth, pred, protocol="coco-strict")) == (0, 1, 1)
    with pytest.raises(SchemaError, match="expected the area of each truth segment"):
        evaluated(("1", segments((1, 1))), ("1", segments((1, 1))), protocol="coco-strict")


def test_truth_that_its_list_does_not_fit() -> None:
    pred = "3333", segments((3, 1))
    unlisted = "1122", segments((1, 1, 0, 2))
    with pytest.raises(IdError, match=r"1 is not there: 2 \(2 pixels\) - at truth, image 0"):
        evaluated(unlisted, pred)
    # Not void: 2 of 4 pixels, no match, and false.
    assert counts(evaluated(unlisted, pred, protocol="coco-strict")) == (0, 1, 1)
    gone = "1111", segments((1, 1, 0, 4), (7, 1, 0, 9))
    with pytest.raises(IdError, match="1 has none: 7 - at truth, image 0"):
        evaluated(gone, pred)
    assert counts(evaluated(gone, pred, protocol="coco-strict")) == (1, 0, 1)


@pytest.mark.parametrize("protocol", ["coco", "coco-strict"])
def test_predictions_that_their_list_does_not_fit(protocol: str) -> None:
    truth = "1122", segments((1, 1, 0, 2), (2, 2, 0, 2))
    with pytest.raises(IdError, match=r"2 are not there: 4, 6 \(3 pixels\) - at pred, image 0"):
        evaluated(truth, ("3446", segments((3, 1))), protocol=protocol)
    with pytest.raises(IdError, match="2 have none: 5, 8 - at pred, image 0"):
        evaluated(truth, ("3333", segments((8, 1), (3, 1), (5, 2))), protocol=protocol)


def test_ids_that_are_refused_unless_strict() -> None:
    one = "11", segments((1, 1, 0, 2))
    twice = "11", segments((1, 2, 0, 2), (1, 1, 0, 2))
    with pytest.raises(IdError, match="each segment id once in an image, got 1 2 times"):
        evaluated(twice, one)
    # The last one holds.
    assert counts(evaluated(twice, one, protocol="coco-strict")) == (1, 0, 0)
    zero = "..", segments((0, 1, 0, 2))
    with pytest.raises(IdError, match="got 0, which is no segment"):
        evaluated(zero, one)
    # Truth 0 is void and a segment: 2 + 2 - 2 - 2 pixels of union, an IoU of infinity.
    assert counts(evaluated(zero, one, protocol="coco-strict")) == (1, 0, 0)


@pytest.mark.parametrize("wrong", [-1, 2**31, 2**40])
def test_ids_that_no_map_can_hold(wrong: int) -> None:
    with pytest.raises(IdError, match=f"expected segment ids from 0 to 2147483647, got {wrong}"):
        evaluated(("1", segments((wrong, 1))), ("1", segments((1, 1))))


def test_negative_values_are_no_segment() -> None:
    maps = [np.array([[-1, 1, 1]]), np.array([[2, 2, 2]], np.int16)]
    result = panoptic_quality((maps[0], segments((1, 1))), (maps[1], segments((2, 1))), CLASSES)
    assert result.iou_sum[0] == 1
    assert set(result.metrics) == {"PQ", "SQ", "RQ"}


def test_classes_that_do_not_count() -> None:
    result = evaluated(("11", segments((1, 1))), ("11", segments((1, 1))))
    cat, dog, sky = result.per_class()
    assert (cat["PQ"], cat["thing"]) == (1, True)
    assert math.isnan(dog["PQ"])
    assert math.isnan(dog["SQ"])
    assert math.isnan(dog["RQ"])
    assert sky["thing"] is False
    assert result.PQ == 1
    assert math.isnan(result.PQ_stuff)
    reasons = {entry.metric: entry.reason for entry in result.undefined}
    assert reasons == dict.fromkeys(
        ["PQ_stuff", "SQ_stuff", "RQ_stuff"], "no class of stuff has segments that count"
    )
    assert len(result.undefined_of_classes()) == 6
    strict = evaluated(
        ("11", segments((1, 1, 0, 2))), ("11", segments((1, 1))), protocol="coco-strict"
    )
    assert strict.per_class()[1]["SQ"] == 0
    assert not strict.undefined_of_classes()


def test_nothing_at_all() -> None:
    for result in (
        PanopticQuality(CLASSES).compute(),
        evaluated(("...", []), ("...", [])),
        evaluated(("...", []), ("111", segments((1, 1)))),
    ):
        assert math.isnan(result.PQ)
        assert result.undefined[0] == ("PQ", "no class has segments that count", None)


def test_each_image() -> None:
    # First: perfect. Second: cat IoU 2/3, a dog missed: PQ (2/3 + 0) / 2. Third: nothing.
    # Fourth: all wrong.
    truth = [
        ("11", segments((1, 1))),
        ("1112", segments((1, 1), (2, 2))),
        ("..", []),
        ("1.", segments((1, 1))),
    ]
    pred = [
        ("11", segments((1, 1))),
        ("11..", segments((1, 1))),
        ("..", []),
        ("2.", segments((2, 2))),
    ]
    result = evaluated(truth, pred)
    assert result.image_pq[:2].tolist() == [1, (2 / 3 + 0) / 2]
    assert math.isnan(result.image_pq[2])
    assert [record["image"] for record in result.per_image()] == [3, 1, 0, 2]
    worst = result.per_image()[0]
    assert (worst["PQ"], worst["tp"], worst["fp"], worst["fn"]) == (0, 0, 1, 1)


def test_colours_are_numbers() -> None:
    pixels = np.array([[[1, 2, 3], [1, 2, 3], [0, 0, 0]]], np.uint8)
    number = 1 + 2 * 256 + 3 * 65536
    result = panoptic_quality(
        (pixels, segments((number, 1))),
        (np.array([[7, 7, 7]], np.uint8), segments((7, 1))),
        CLASSES,
    )
    assert result.iou_sum[0] == 1


def test_boundaries() -> None:
    # 20 x 20 pixels, diagonal 28.3: 0.07 of it is 1.98, so 2 pixels.
    assert boundary_width(20, 20, 0.07) == 2
    truth, pred = np.zeros((2, 20, 20), np.int32)
    truth[2:18, 2:18], pred[2:18, 2:17] = 1, 1
    # Masks: 240 of 256. Boundaries: 16 x 16 - 12 x 12 = 112 pixels of truth, 16 x 15 - 12 x 11 =
    # 108 of prediction. Both: the first and last two of 16 rows, 15 columns wide, and of the 12
    # rows between the first two columns and the fifteenth.
    shared = 4 * 15 + 12 * 3
    union = 112 + 108 - shared
    # The prediction's boundary lies inside truth, so none of it is on void.
    result = panoptic_quality(
        (truth, segments((1, 1))),
        (pred, segments((1, 1))),
        CLASSES,
        iou="boundary",
        boundary_ratio=0.07,
    )
    assert result.iou_sum[0] == shared / union
    assert shared / union < 240 / 256
    mask = panoptic_quality((truth, segments((1, 1))), (pred, segments((1, 1))), CLASSES)
    assert mask.iou_sum[0] == 240 / 256


def test_boundary_widths() -> None:
    assert boundary_width(480, 640, 0.02) == 16  # of 800
    assert boundary_width(3, 4, 0.02) == 1  # 0.1: at least one
    assert boundary_width(3, 4, 0.5) == 2  # 2.5: to the even number
    assert boundary_width(6, 8, 0.35) == 4  # 3.5


def test_segments_of_other_libraries() -> None:
    torch = pytest.importorskip("torch")
    info = [{"id": 1, "label_id": 1, "was_fused": False, "score": 0.9}]
    truth = torch.tensor([[1, 1, 0]], dtype=torch.int32)
    result = panoptic_quality((truth, info), (truth.long(), info), CLASSES)
    assert result.PQ == 1


def test_wrong_input() -> None:
    good = np.ones((2, 2), np.int32), segments((1, 1))
    metric = PanopticQuality(CLASSES)
    for truth, error, message in (
        ((np.ones((2, 3), np.int32), good[1]), ShapeError, "got 3 x 2 and 2 x 2 pixels"),
        ((np.ones((2, 2)), good[1]), InputError, "expected whole numbers, got float64"),
        ((np.ones((2, 2, 3), np.int32), good[1]), ShapeError, "colours of uint8 and shape"),
        ((np.ones(4, np.int32), good[1]), ShapeError, r"expected a label map of shape \(H, W\)"),
        ((np.ones((0, 2), np.int32), good[1]), ShapeError, "expected pixels"),
        ((np.full((2, 2), 2**63, np.uint64), good[1]), InputError, "2\\^63"),
        ((good[0], [{"id": 1}]), InputError, "expected segments with id and category_id, got id"),
        ((good[0], segments((1, 5))), ClassError, "of the 3 known ones for segment 1, got 5"),
        ((good[0], segments((1, 1, 0, -3))), InputError, "a whole number of pixels, got -3"),
        (good[0], InputError, r"expected a tuple \(map, segments\)"),
        ([good, good], InputError, "as many images in truth and pred, got 2 and 1"),
    ):
        with pytest.raises(error, match=message):
            metric.update(truth, good)
    assert math.isnan(metric.compute().PQ)


def test_images_come_once() -> None:
    good = np.ones((2, 2), np.int32), segments((1, 1))
    metric = PanopticQuality(CLASSES).update([good, good], [good, good], image_id=["b", "a"])
    assert metric.compute().images.ids.tolist() == ["a", "b"]
    for ids, message in (
        (["a"], "got 1 that were absorbed before: a"),
        ([3], "expected image ids of one kind"),
        (None, "with all batches or with none"),
    ):
        with pytest.raises(IdError, match=message):
            metric.update(good, good, image_id=ids)
    with pytest.raises(IdError, match="expected each image once, got 1 more than once: 4"):
        PanopticQuality(CLASSES).update([good, good], [good, good], image_id=[4, 4])
    one = PanopticQuality(CLASSES).update(good, good)
    assert one.merge(PanopticQuality(CLASSES).update([good] * 2, [good] * 2)).compute().tp[0] == 3
    with pytest.raises(IdError, match="to tell them apart"):
        one.units(each=True)


def test_ids_that_are_numpys_numbers() -> None:
    good = np.ones((2, 2), np.int32), segments((1, 1))
    for image_id in (np.int64(3), np.array(3), np.uint8(3)):
        result = panoptic_quality(good, good, CLASSES, image_id=image_id)
        assert result.per_image()[0]["image"] == 3


def test_classes_of_a_data_set() -> None:
    metric = PanopticQuality("cityscapes")
    assert metric.rules.is_thing is not None
    things = metric.classes.keys.ids[metric.rules.is_thing].tolist()
    assert things == [24, 25, 26, 27, 28, 31, 32, 33]  # person … bicycle
    # Segments have the ids of classes, as Cityscapes' own files: 7 is road, 26 a car.
    one = np.array([[1, 1, 1, 2]]), segments((1, 7), (2, 26))
    result = metric.update(one, one).compute()
    records = {each["class"]: each for each in result.per_class()}
    assert (records["road"]["tp"], records["car"]["tp"]) == (1, 1)
    assert (result.PQ_things, result.PQ_stuff) == (1, 1)
    assert PanopticQuality.from_bytes(metric.to_bytes()).to_bytes() == metric.to_bytes()
    with pytest.raises(ClassError, match="for segment 1, got 0"):
        metric.update((one[0], segments((1, 0), (2, 26))), one)
    assert PanopticQuality("camvid").rules.is_thing is None  # which says nothing of it
    counted = PanopticQuality(np.int64(3), things=[2])
    assert counted.classes.keys.ids.tolist() == [0, 1, 2]
    assert PanopticQuality({"a": "cat"}).classes.keys.is_text


def test_wrong_parameters() -> None:
    for classes, message in (
        ("coco", 'a label scheme of .*, or a file, got "coco"'),
        (True, "a list or a mapping, got True - at classes"),
        (2.5, "a name, a number, a list or a mapping, got 2.5"),
    ):
        with pytest.raises(InputError, match=message):
            PanopticQuality(classes)
    for parameters, message in (
        ({"boundary_ratio": "wide"}, "expected a number from 0 to 1, got 'wide'"),
        ({"boundary_ratio": math.nan}, "expected a number from 0 to 1, got nan"),
        ({"things": "dog"}, "a list of classes that are things, got 'dog' - at things"),
        ({"things": 1}, "a list of classes that are things, got 1 - at things"),
        ({"protocol": "coc"}, 'Did you mean "coco"'),
        ({"iou": "edge"}, "expected mask or boundary"),
        ({"boundary_ratio": 0}, "expected a number from 0 to 1"),
        ({"things": ["cow"]}, "expected things that are classes, got 'cow'"),
    ):
        with pytest.raises(InputError, match=message):
            PanopticQuality(CLASSES, **parameters)
    named = PanopticQuality(CLASSES, things=["dog", 1])
    assert named.rules.is_thing is not None
    assert named.rules.is_thing.tolist() == [True, True, False]
    with pytest.raises(MergeError, match=r"got things \[1, 2\] instead of \[1\]"):
        PanopticQuality(CLASSES, things=[1]).merge(named)


def test_columns() -> None:
    truth = np.array([[1, 1, 2, 2]])
    pairs = count_segments(truth, truth)
    columns: dict[str, Any] = {
        "image_id": ["x", "x"],
        "id": [2, 1],
        "label": [9, 1],
        "classes": CLASSES,
    }
    side = PanopticSegments.from_columns(**columns)
    metric = PanopticQuality(CLASSES).update(side, side, pairs)
    assert metric.compute().PQ == 1
    assert repr(side) == "PanopticSegments(2 segments, 1 images, 3 classes)"
    for changes, error, message in (
        ({"image_ids": ["y"]}, IdError, "expected image ids of image_ids, got 1 others: x"),
        ({"label": [9]}, ShapeError, "expected 2 values, one a segment, got 1"),
        ({"area": [0.5, 1]}, InputError, "expected a whole number of pixels, got 0.5"),
    ):
        with pytest.raises(error, match=message):
            PanopticSegments.from_columns(**{**columns, **changes})
    other = PanopticSegments.from_columns(**{**columns, "image_id": ["y", "y"]})
    two = PanopticSegments.from_columns(**{**columns, "image_ids": ["x", "y"]})
    named = PanopticSegments.from_columns(**{**columns, "classes": {1: "cat", 9: "sky"}})
    for sides, rows, message in (
        ((side, other), pairs, "2 are on one side only: x, y"),
        ((two, two), pairs, "expected the pairs of 2 images, got 1"),
        ((named, side), pairs, "expected segments of the metric's classes"),
        ((side, side), None, "expected pairs beside PanopticSegments"),
        ((side, side), count_segments(truth, truth, boundary_ratio=0.1), "own count"),
    ):
        with pytest.raises(InputError, match=message):
            PanopticQuality(CLASSES).update(*sides, rows)


def test_result_is_stored(tmp_path: Path) -> None:
    result = evaluated(
        ("1112...33", segments((1, 1), (2, 2), (3, 9))),
        ("1111..533", segments((1, 1), (5, 2), (3, 9))),
    )
    result.save(tmp_path / "result.bin")
    loaded = PanopticQualityResult.load(tmp_path / "result.bin")
    assert loaded.to_dict() == result.to_dict()
    assert loaded.per_image() == result.per_image()
    assert str(result).splitlines() == [
        "          |    PQ     SQ     RQ     N",
        "--------------------------------------",
        "All       |  58.3   58.3   66.7     3",
        "Things    |  37.5   37.5   50.0     2",
        "Stuff     | 100.0  100.0  100.0     1",
    ]
    assert "predictions  3 segments, 1 of them left out: on void or crowds" in result.composition()
    assert "no match     1 classes with segments" in result.composition()
    with pytest.raises(SchemaError):
        PanopticQualityResult._unpack(PanopticQuality(CLASSES).to_bytes(), "here")


def test_tensors_are_counted_where_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")

    def device(value: Any) -> Any:
        return value.device if isinstance(value, torch.Tensor) else None

    for module in (label_maps, segment_pairs):
        monkeypatch.setattr(module, "device_of", device)
    truth, pred = torch.tensor([[1, 1, 2, 0]]), np.array([[5, 5, 5, 0]], np.int32)
    wanted = count_segments(truth.numpy(), pred)
    monkeypatch.setattr(_core, "value_pairs", None)  # the host's kernel
    for found in (
        count_segments(truth, pred),
        count_segments(truth.numpy(), torch.from_numpy(pred)),
    ):
        for ours, theirs in zip(found[:4], wanted[:4], strict=True):
            assert ours.tolist() == theirs.tolist()
    with pytest.raises(ShapeError):
        count_segments(truth, pred[:, 1:])
    with pytest.raises(InputError, match="whole numbers"):
        count_segments(truth.float(), pred)
