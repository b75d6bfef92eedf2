"""Surface distances, worked by hand."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import (
    Classes,
    SurfaceDistance,
    compare,
    intervals,
    metric_from_bytes,
    surface_distance,
)
from snellen.errors import ClassError, IdError, InputError, MergeError, SchemaError, ShapeError
from snellen.segmentation.label_scheme import scheme_of
from snellen.segmentation.surface_distance_result import SurfaceDistanceResult
from snellen.segmentation.surface_elements import surface_elements
from snellen.segmentation.surface_rules import SURFACE_RULES, SurfaceRules

RULES = list(SURFACE_RULES)


def mask(shape: tuple[int, ...], *places: Any) -> Any:
    """Return flags that are set at some places."""
    made = np.zeros(shape, bool)
    for place in places:
        made[place] = True
    return made


# ---- Numbers -------------------------------------------------------------------------------------


def line() -> tuple[Any, Any]:
    """Return a point, and ten points in a line beside it: 1 to 10 pixels away.

    Every pixel of a row is surface. From truth: 1. From the prediction: 1, 2, …, 10.
    """
    return mask((1, 12), (0, 0)), mask((1, 12), (0, slice(1, 11)))


def test_the_larger_of_two_percentiles() -> None:
    truth, pred = line()
    result = surface_distance(truth, pred, rules="monai")
    # 0.95 · 9 = 8.55: between 9 and 10.
    assert result.hd95 == pytest.approx(9.55, rel=1e-15, abs=0)
    assert result.hd == 10
    assert result.assd == 56 / 11
    assert result.nsd == 2 / 11
    (record,) = result.per_image()
    assert (record["asd_truth"], record["asd_pred"]) == (1.0, 5.5)


def test_one_percentile_of_all() -> None:
    # 1, 1, 2, …, 10: 0.95 · 10 = 9.5, halfway between 9 and 10.
    result = surface_distance(*line(), rules="medpy")
    assert result.hd95 == 9.5
    assert (result.hd, result.assd, result.nsd) == (10, 56 / 11, 2 / 11)


def test_a_percentile_by_size() -> None:
    own = SurfaceRules("own", "pixels", "sized")
    # Nine of ten points are 0.9 of the whole, the tenth makes it more than 0.95.
    assert surface_distance(*line(), rules=own).hd95 == 10
    result = surface_distance(*line(), rules=own, percentile=90)
    assert result.metrics["hd90"] == 9
    assert "hd95" not in result.metrics


@pytest.mark.parametrize("rules", RULES)
def test_the_hundredth_percentile_is_the_largest(rules: str) -> None:
    random = np.random.default_rng(0)
    truth, pred = random.random((2, 30, 40)) < 0.1
    result = surface_distance(truth, pred, rules=rules, percentile=100)
    assert result.metrics["hd100"] == result.hd > 0


@pytest.mark.parametrize("tolerance", [0, 1, 2.5, 10, 11])
def test_a_point_at_the_tolerance_is_within(tolerance: float) -> None:
    truth, pred = line()
    within = (tolerance >= 1) + min(math.floor(tolerance), 10)
    assert surface_distance(truth, pred, tolerance=tolerance).nsd == within / 11


def test_insides_are_no_surface() -> None:
    # A square of 5 × 5 inside one of 7 × 7: from each of 16 to the larger one 1; back 1 beside the
    # sides, √2 at four corners: of the larger's 24 the corners are √2 from the smaller's.
    truth, pred = mask((9, 9), np.s_[1:8, 1:8]), mask((9, 9), np.s_[2:7, 2:7])
    result = surface_distance(truth, pred)
    assert result.hd == math.sqrt(2)
    assert result.assd == pytest.approx((16 + 20 + 4 * math.sqrt(2)) / 40, rel=1e-15, abs=0)
    assert result.nsd == 36 / 40


def test_spacing() -> None:
    # Two rows down, one column to the right: √((2·3)² + (1·2.5)²) = 6.5.
    truth, pred = mask((4, 4), (0, 0)), mask((4, 4), (2, 1))
    assert surface_distance(truth, pred, spacing=(3, 2.5)).hd == 6.5
    assert surface_distance(truth, pred, spacing=2).hd == math.sqrt(20)
    volumes = (mask((3, 4, 4), (0, 0, 0)), mask((3, 4, 4), (2, 1, 2)))
    # √((2·1)² + (1·2)² + (2·0.5)²) = 3.
    assert surface_distance(*volumes, spacing=(1, 2, 0.5)).hd == 3
    later = SurfaceDistance(spacing=7).update(truth, pred, spacing=(3, 2.5)).compute()
    assert later.hd == 6.5


def test_squares_of_the_field() -> None:
    # MONAI 1.6.1 and DeepMind's surface-distance 0.1, measured.
    truth, pred = mask((64, 64), np.s_[10:30, 10:30]), mask((64, 64), np.s_[10:30, 12:33])
    by_rules = {rules: surface_distance(truth, pred, rules=rules) for rules in RULES}
    assert {result.hd for result in by_rules.values()} == {3.0}
    assert round(by_rules["monai"].nsd, 5) == 0.51948
    assert round(by_rules["deepmind"].nsd, 5) == 0.51879


# ---- What DeepMind publishes (surface_distance_test.py) ------------------------------------------


def test_two_pixels_2_mm_apart() -> None:
    truth, pred = mask((128, 128), (50, 70)), mask((128, 128), (50, 72))
    result = surface_distance(truth, pred, rules="deepmind", spacing=(2, 1))
    assert (result.hd, result.hd95, result.assd, result.nsd) == (2.0, 2.0, 1.5, 0.5)
    (record,) = result.per_image()
    assert (record["asd_truth"], record["asd_pred"]) == (1.5, 1.5)


def test_two_voxels_2_mm_apart() -> None:
    truth, pred = mask((128, 128, 128), (50, 60, 70)), mask((128, 128, 128), (50, 60, 72))
    result = surface_distance(truth, pred, rules="deepmind", spacing=(3, 2, 1))
    assert (result.hd, result.hd95, result.nsd) == (2.0, 2.0, 0.5)
    assert result.assd == pytest.approx(1.5, rel=1e-15, abs=0)


def test_two_shapes_that_differ_by_a_row() -> None:
    # Steps of 2 down and 1 to the right. Of the smaller one: four corners, of √5 / 2, two sides of
    # length 2, two of length 1; the lower side lies 1 away from the larger one, its corners 0.
    # Of the larger one two sides more, of length 2. Its lower side and corners lie 2 away.
    truth, pred = mask((6, 6), np.s_[1:3, 1:3]), mask((6, 6), np.s_[1:4, 1:3])
    result = surface_distance(truth, pred, rules="deepmind", spacing=(2, 1))
    diagonal = 0.5 * math.sqrt(5)
    size_truth, size_pred = 4 * diagonal + 2 * 2 + 2 * 1, 4 * diagonal + 4 * 2 + 2 * 1
    (record,) = result.per_image()
    assert record["asd_truth"] == pytest.approx(1 / size_truth, rel=1e-15, abs=0)
    assert record["asd_pred"] == pytest.approx(2 * (1 + 2 * diagonal) / size_pred, rel=1e-15, abs=0)
    assert (result.hd, result.hd95) == (2.0, 2.0)
    near = size_truth + size_pred - (1 + 2 * diagonal)
    assert result.nsd == pytest.approx(near / (size_truth + size_pred), rel=1e-15, abs=0)


def test_two_slabs_shifted_by_a_voxel() -> None:
    truth, pred = mask((100, 100, 100), np.s_[0:50]), mask((100, 100, 100), np.s_[0:51])
    result = surface_distance(truth, pred, rules="deepmind", spacing=(2, 1, 1))
    (record,) = result.per_image()
    assert (round(record["asd_truth"], 3), round(record["asd_pred"], 3)) == (0.322, 0.339)
    assert (result.hd, result.hd95, round(result.nsd, 3)) == (2.0, 2.0, 0.836)


@pytest.mark.parametrize("shape", [(16, 16), (8, 8, 8)])
def test_empty_masks(shape: tuple[int, ...]) -> None:
    one, none = mask(shape, (3,) * len(shape)), mask(shape)
    spacing = (3, 2, 1)[: len(shape)]
    for rules in RULES:
        options: dict[str, Any] = {"rules": rules, "spacing": spacing, "missing": "inf"}
        missing = surface_distance(one, none, **options)
        (record,) = missing.per_image()
        assert (record["asd_truth"], missing.hd, missing.hd95, missing.nsd) == (*(math.inf,) * 3, 0)
        assert math.isnan(record["asd_pred"])
        spurious = surface_distance(none, one, **options)
        (record,) = spurious.per_image()
        assert (record["asd_pred"], spurious.hd, spurious.hd95, spurious.nsd) == (
            *(math.inf,) * 3,
            0,
        )
        assert math.isnan(record["asd_truth"])
        nothing = surface_distance(none, none, **options)
        assert all(math.isnan(value) for value in nothing.metrics.values())


# ---- Elements of surfaces ------------------------------------------------------------------------


def test_elements_of_a_contour() -> None:
    vertical, horizontal = 2.0, 1.0
    diagonal = math.sqrt(vertical**2 + horizontal**2) / 2
    got = surface_elements((vertical, horizontal))
    # Pixels by their number: 0 above to the left, 1 to its right, 2 below to the left, 3.
    for code, length in {
        0b0000: 0.0,
        0b0001: diagonal,
        0b0100: diagonal,
        0b0011: horizontal,
        0b0101: vertical,
        0b0110: 2 * diagonal,
        0b1001: 2 * diagonal,
        0b0111: diagonal,
        0b1111: 0.0,
    }.items():
        assert got[code] == pytest.approx(length, rel=1e-15, abs=0), bin(code)


def test_elements_of_a_surface() -> None:
    got = surface_elements((1.0, 1.0, 1.0))
    triangle = math.sqrt(3) / 8  # of three edge centres beside a corner: sides of √½
    for code, area in {
        0b0000_0001: triangle,
        0b1000_0001: 2 * triangle,
        0b0000_0110: 2 * triangle,
        0b0110_1001: 4 * triangle,
        0b0000_1111: 1.0,
        0b0101_0101: 1.0,
        0b0000_0011: math.sqrt(0.5),  # a rectangle of 1 by √½ along an edge
        0b0011_1100: 2 * math.sqrt(0.5),
        # An L: a right triangle over three edges, legs 1, and a trapezoid of ¾ · (√2 · √(3/8)).
        0b0000_0111: 0.5 + 3 * triangle,
        0b0001_0111: 6 * triangle,  # three around a corner: a hexagon with sides of √½
    }.items():
        assert got[code] == pytest.approx(area, rel=1e-14, abs=0), bin(code)
        assert got[255 - code] == got[code], bin(code)
    # Slabs: areas of faces.
    assert surface_elements((2.0, 3.0, 5.0))[0b0000_1111] == 15
    assert surface_elements((2.0, 3.0, 5.0))[0b0011_0011] == 10
    assert surface_elements((2.0, 3.0, 5.0))[0b0101_0101] == 6


def test_a_surface_has_no_gaps() -> None:
    # A box of n voxels along each axis has 8 corners, 12 edges and 6 sides, all closed.
    volume = mask((9, 9, 9), np.s_[2:7, 2:7, 2:7])
    metric = SurfaceDistance(rules="deepmind", dimensions=3).update(volume, volume)
    (size,) = {row[4] for image in metric._images.images for row in image.numbers.tolist()}
    # Each side: 4² full squares; edges: 4 rectangles of √½ each; corners: √3/8.
    assert size == pytest.approx(
        6 * 16 + 12 * 4 * math.sqrt(0.5) + 8 * math.sqrt(3) / 8, rel=1e-14, abs=0
    )


# ---- Structures that are missing -----------------------------------------------------------------


def three_images(**parameters: Any) -> Any:
    """Return a metric of three images of 3 × 4 pixels, whose diagonal is 5.

    Class 1 is there in all, 0, 1 and 2 pixels apart; class 2 is missing in the first and spurious
    in the second; class 3 is nowhere.
    """
    truth, pred = np.zeros((2, 3, 3, 4), np.uint8)
    for i in range(3):
        truth[i, 0, 0] = pred[i, 0, i] = 1
    truth[0, 2, 0] = pred[1, 2, 0] = 2
    metric = SurfaceDistance({1: "liver", 2: "tumour", 3: "gall"}, dimensions=2, **parameters)
    return metric.update(truth, pred, image_id=["a", "b", "c"])


def test_missing_counts_as_the_diagonal() -> None:
    result = three_images().compute()
    assert result.n.tolist() == [[3, 0, 0, 0], [0, 1, 1, 1], [0, 0, 0, 3]]
    assert result.means[:, 0].tolist()[:2] == [1.0, 5.0]
    assert result.medians[:, 0].tolist()[:2] == [1.0, 5.0]
    assert result.means[:, 3].tolist()[:2] == [2 / 3, 0.0]
    assert result.hd == 3.0  # of two classes; the third is absent
    assert result.nsd == 1 / 3
    assert [(each.metric, each.class_name) for each in result.undefined_of_classes()] == [
        (name, "gall") for name in ("hd", "hd95", "assd", "nsd")
    ]
    assert result.undefined == ()


@pytest.mark.parametrize(
    ("missing", "tumour", "all_classes"),
    [("inf", math.inf, math.inf), (100, 100.0, 50.5), (0.0, 0.0, 0.5), ("drop", math.nan, 1.0)],
)
def test_missing_counts_as_what_is_said(missing: Any, tumour: float, all_classes: float) -> None:
    result = three_images(missing=missing).compute()
    for j, name in enumerate(("hd", "hd95", "assd")):
        assert np.array_equal(result.means[1, j], tumour, equal_nan=True)
        assert result.metrics[name] == all_classes
    assert result.means[1, 3] == 0  # never left out of NSD
    assert result.nsd == 1 / 3
    assert result.n[1].tolist() == [0, 1, 1, 1]
    reasons = {each.class_name: each.reason for each in result.undefined_of_classes()}
    assert ('missing="drop"' in reasons.get("tumour", "")) == (missing == "drop")


def test_infinite_distances_have_a_reason_in_json() -> None:
    """JSON has no infinite numbers: None must not stand there without a word."""
    result = three_images(missing="inf").compute()
    plain = result.to_dict()
    # The tumour is on one side only of both images that have it, the gall nowhere.
    names = ("hd", "hd95", "assd")
    assert {name: plain["metrics"][name] for name in names} == dict.fromkeys(names)
    said = {(each["metric"], each.get("class")): each["reason"] for each in plain["undefined"]}
    why = "infinite: a structure is missing or spurious"
    assert {key for key, reason in said.items() if reason == why} == {
        (f"{name}{end}", what)
        for name in names
        for end, what in (("", None), ("", "tumour"), ("_median", "tumour"))
    }
    missing = {
        (key, record["name"])
        for record in plain["per_class"]
        for key, value in record.items()
        if value is None and not key.endswith("_median")
    } | {(key, None) for key, value in plain["metrics"].items() if value is None}
    assert missing <= set(said)
    assert result.undefined == ()
    for each in ("diagonal", "drop"):
        assert why not in str(three_images(missing=each).compute().to_dict()["undefined"])


def test_the_diagonal_of_brats() -> None:
    # √(240² + 240² + 155²) = √139 225 = 373.1287…; a volume of 1 mm.
    truth = mask((155, 240, 240), (80, 100, 100))
    result = surface_distance(truth, truth & False, spacing=(1, 1, 1))
    assert round(result.hd95, 4) == 373.1287
    assert result.diagonal.tolist() == [math.sqrt(139_225)]
    assert surface_distance(truth, truth & False, spacing=(2, 2, 2)).hd == 2 * math.sqrt(139_225)


def test_records_are_by_definition() -> None:
    records = three_images().compute().per_image()
    assert [(each["image"], each["class"], each["status"], each["hd"]) for each in records] == [
        ("a", "liver", "scored", 0.0),
        ("a", "tumour", "missing", math.inf),
        ("b", "liver", "scored", 1.0),
        ("b", "tumour", "spurious", math.inf),
        ("c", "liver", "scored", 2.0),
    ]
    assert {each["diagonal"] for each in records} == {5.0}


def test_only_missing_structures_that_are_left_out() -> None:
    result = surface_distance(mask((4, 4), (1, 1)), mask((4, 4)), missing="drop")
    assert {each.metric for each in result.undefined} == {"hd", "hd95", "assd"}
    assert "left out" in result.undefined[0].reason
    assert result.nsd == 0


# ---- Classes -------------------------------------------------------------------------------------


def test_classes_that_occur() -> None:
    truth = np.array([[0, 7, 7, -3]])
    pred = np.array([[0, 7, 7, 5]])
    metric = SurfaceDistance().update(truth, pred)
    assert metric.classes.keys.ids.tolist() == [-3, 5, 7]
    assert metric.compute().n.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]]
    everything = SurfaceDistance(background=None).update(truth, pred)
    assert everything.classes.keys.ids.tolist() == [-3, 0, 5, 7]
    other = SurfaceDistance(background=7).update(truth, pred)
    assert other.classes.keys.ids.tolist() == [-3, 0, 5]


def test_classes_that_are_named() -> None:
    truth = np.array([[0, 1, 2, 3], [4, 4, 4, 4]], np.uint8)
    pred = np.array([[0, 1, 1, 9], [4, 4, 4, 4]], np.uint8)
    metric = SurfaceDistance(["sky", "road"]).update(truth, pred)
    result = metric.compute()
    assert [each["name"] for each in result.per_class()] == ["sky", "road"]
    assert result.n[:, 0].tolist() == [1, 1]  # class 0 was named: it is measured
    assert dict(result.others) == {2: 1, 3: 1, 4: 1, 9: 1}
    assert "values (and images they are in): 2 (1), 3 (1), 4 (1), 9 (1)" in result.composition()
    subset = SurfaceDistance({1: "road"}).update(truth, pred).compute()
    assert 0 not in subset.others  # the background is no surprise
    assert SurfaceDistance(Classes([4])).update(truth, pred).compute().hd == 0


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]
)
def test_types_of_label_maps(dtype: Any) -> None:
    truth, pred = np.zeros((2, 5, 6), np.uint8)
    truth[1:3, 1:3], pred[1:3, 2:5] = 100, 100
    want = SurfaceDistance().update(truth, pred).compute()
    got = SurfaceDistance().update(truth.astype(dtype), pred[:, ::-1].astype(dtype)[:, ::-1])
    assert got.compute().metrics == want.metrics
    mixed = SurfaceDistance().update(truth.astype(dtype), pred).compute()
    assert mixed.metrics == want.metrics


def test_ids_that_lie_far_apart() -> None:
    low, high = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    truth = np.array([[low, 0, 5, high, high]])
    pred = np.array([[low, 0, high, high, 0]])
    metric = SurfaceDistance().update(truth, pred)
    assert metric.classes.keys.ids.tolist() == [low, 5, high]
    assert metric.compute().n[:, :3].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert metric.compute().means[2, 0] == 1
    low, high = low // 2, high // 2  # an encoding's ids are less than 2^63 apart
    truth, pred = np.array([[low, 0, 5, high, high]]), np.array([[low, 0, high, high, 0]])
    named = SurfaceDistance({low: "low", high: "high"}).update(truth, pred).compute()
    assert dict(named.others) == {5: 1}
    assert named.means[1, 0] == 1
    with pytest.raises(InputError, match=r"classes below 2\^63"):
        SurfaceDistance().update(np.array([[2**64 - 1]], np.uint64), truth[:, :1])


def test_ignored_pixels_are_cut_out_on_both_sides() -> None:
    truth = np.array([[1, 1, 255, 255, 0, 0]], np.uint8)
    pred = np.array([[1, 1, 1, 1, 1, 255]], np.uint8)
    result = SurfaceDistance(ignore_index=255).update(truth, pred).compute()
    # 0 and 1 against 0, 1 and 4: the ignored ones between are of no class.
    assert result.hd == 3
    assert len(result.classes) == 1
    assert SurfaceDistance(ignore_index=255).update(truth, truth).compute().hd == 0
    negative = SurfaceDistance(ignore_index=-1).update(truth.astype(int) - 256 * (truth > 1), pred)
    assert negative.classes.keys.ids.tolist() == [1, 255]
    before = pred.copy()
    SurfaceDistance(ignore_index=255).update(truth, pred)
    assert np.array_equal(pred, before)


def test_255_is_void_unless_it_is_a_class() -> None:
    truth = np.array([[1, 1, 255, 255, 0, 0]], np.uint8)
    pred = np.array([[1, 1, 1, 1, 1, 0]], np.uint8)
    for metric in (SurfaceDistance(), SurfaceDistance({1: "a"}), SurfaceDistance(2)):
        result = metric.update(truth, pred).compute()
        assert result.hd == 3
        assert 255 not in [*result.others, *result.classes.keys.ids]
        assert result.protocol["ignore_index"] == [255]
    for ignored in (None, 254, np.int64(254)):
        found = SurfaceDistance(ignore_index=ignored).update(truth, pred).compute()
        assert found.classes.keys.ids.tolist() == [1, 255]
    both = SurfaceDistance(ignore_index=[254, 255]).update(
        np.maximum(truth, 254 * (truth > 1)), pred
    )
    assert both.compute().hd == 3
    # A class that truth ignores is cut out where truth has it; it may be predicted elsewhere.
    result = SurfaceDistance({1: "a", 2: "b"}, ignore_index=2).update(
        np.array([[1, 2, 2, 0, 0]]), np.array([[1, 1, 2, 2, 0]])
    )
    assert result.compute().n[:, :3].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert result.compute().means[0, 0] == 0


def test_masks_of_0_and_255_are_not_void() -> None:
    mask = np.zeros((6, 6), np.uint8)
    mask[1:4, 1:4] = 255
    for truth, pred, where in ((mask, mask, "truth"), (mask // 255, mask, "pred")):
        with pytest.raises(ClassError, match=rf"none but 255, .* {where} > 0, .* - at {where}"):
            SurfaceDistance().update(truth, pred)
    assert surface_distance(mask > 0, mask > 0).hd == 0
    assert surface_distance(mask, mask, {255: "object"}).hd == 0
    said = surface_distance(mask, mask, ignore_index=255)
    assert len(said.classes) == 0
    # Void beside a class is no mask.
    some = mask.copy()
    some[5] = 1
    assert surface_distance(some, some * (some == 1)).hd == 0


def test_the_background_of_a_list_of_classes() -> None:
    truth = np.array([[0, 0, 1, 2, 2, 0]])
    for name in ("background", "Background", "_background_", "unlabelled", "void", "BG"):
        metric = SurfaceDistance([name, "liver", "tumour"]).update(truth, truth)
        result = metric.compute()
        assert [each["name"] for each in result.per_class()] == ["liver", "tumour"]
        assert result.protocol["left_out"] == name
        assert f"background   {name} (0) is not measured" in str(result).splitlines()
        assert not result.others
    whole = SurfaceDistance(["background", "liver", "tumour"], background=None)
    result = whole.update(truth, truth).compute()
    assert len(result.classes) == 3
    assert "is not measured" not in str(result)
    assert SurfaceDistance(["sky", "road"]).classes.names == ("sky", "road")
    assert SurfaceDistance(["sky", "road"], background=1).classes.names == ("sky",)
    assert SurfaceDistance({1: "background", 2: "a"}).classes.names == ("background", "a")
    tolerances = SurfaceDistance(["background", "a"], tolerance={"a": 2.0})
    again = SurfaceDistance.from_bytes(tolerances.update(truth % 2, truth % 2).to_bytes())
    assert again.compute().protocol == tolerances.compute().protocol
    assert "a (1)" not in str(again.merge(tolerances.empty()).compute())


def test_classes_of_a_data_set() -> None:
    truth = np.zeros((9, 9), np.uint8)
    truth[2:6, 2:6] = 13  # a car
    pred = np.roll(truth, 2, axis=1)
    metric = SurfaceDistance("cityscapes").update(truth, pred, image_id="a")
    records = {each["name"]: each for each in metric.compute().per_class()}
    assert (records["car"]["id"], records["car"]["hd"]) == (26, 2)
    assert (records["road"]["id"], records["road"]["n_scored"]) == (7, 1)
    assert len(records) == 19
    again = SurfaceDistance.from_bytes(metric.to_bytes()).update(truth, pred, image_id="b")
    assert again.compute().n.sum() == 2 * 19
    with pytest.raises(ClassError, match=r"got 26 \(16 pixels\).* - at truth"):
        metric.update(np.where(truth == 13, 26, 0), pred, image_id="c")
    with pytest.raises(MergeError):
        metric.merge(SurfaceDistance(scheme_of("cityscapes").classes))
    # Its background is left out, too.
    assert "background" not in SurfaceDistance("voc").classes.names
    assert SurfaceDistance(3).classes.keys.ids.tolist() == [1, 2]
    assert SurfaceDistance(3, background=None).classes.keys.ids.tolist() == [0, 1, 2]


def test_an_image_that_was_read_as_colours_is_no_batch() -> None:
    gray = np.zeros((20, 30), np.uint8)
    gray[4:9, 5:16] = 1
    colours = np.repeat(gray[..., None], 3, axis=2)
    for metric in (SurfaceDistance(dimensions=2), SurfaceDistance(spacing=(1, 1))):
        with pytest.raises(ShapeError, match=r"take one channel of a mask, .* - at truth"):
            metric.update(colours, colours)
        with pytest.raises(ShapeError, match=r"take one channel of a mask, .* - at truth"):
            metric.update(colours[None, :, :, 0], colours[None, :, :, 0]).update(colours, colours)
    # A volume may be so narrow, where it is said to be one.
    assert surface_distance(colours, colours, dimensions=3).hd == 0


def test_ids_that_are_numpys_numbers() -> None:
    one = np.ones((3, 3), np.uint8)
    for image_id in (np.int64(3), np.array(3), np.uint8(3)):
        assert surface_distance(one, one, image_id=image_id).per_image()[0]["image"] == 3


def test_steps_that_squares_cannot_hold() -> None:
    one = np.zeros((9, 9), np.uint8)
    one[2:5, 2:5] = 1
    other = np.roll(one, 2)
    for spacing in (1e200, 1e-200, [1, 1e90], [[1, 1e90]]):
        with pytest.raises(InputError, match="expected numbers from 1e-75 to"):
            SurfaceDistance(dimensions=2).update(one[None], other[None], spacing=spacing)
    for spacing in (1e75, 1e-75):
        result = surface_distance(one, other, spacing=spacing, rules="deepmind")
        assert result.hd / spacing == pytest.approx(surface_distance(one, other).hd)
        volume = surface_distance(
            one[None], other[None], rules="deepmind", dimensions=3, spacing=spacing
        )
        assert 0 < volume.assd < math.inf


def test_a_tolerance_for_each_class() -> None:
    truth, pred = np.zeros((2, 2, 6), np.uint8)
    truth[:, 0], pred[:, 2] = [1, 2], [1, 2]
    by_id = SurfaceDistance(tolerance={1: 1.0, 2: 2.0}).update(truth, pred).compute()
    assert by_id.means[:, 3].tolist() == [0, 1]
    named = SurfaceDistance({1: "a", 2: "b"}, tolerance={"a": 2.0, 2: 1.0}).update(truth, pred)
    assert named.compute().means[:, 3].tolist() == [1, 0]
    assert "a tolerance for each class" in str(by_id)
    with pytest.raises(InputError, match="a tolerance for each class, got none for 2"):
        SurfaceDistance(tolerance={1: 1.0}).update(truth, pred)
    for tolerance in ({1: 1.0}, {1: 1.0, 2: 1.0, 3: 1.0}):
        with pytest.raises(InputError, match="for each class and no other"):
            SurfaceDistance({1: "a", 2: "b"}, tolerance=tolerance)
    with pytest.raises(InputError, match="ids or names of classes, got 'c'"):
        SurfaceDistance({1: "a"}, tolerance={"c": 1.0})


def test_photographs_are_no_label_maps() -> None:
    many = np.arange(4097).reshape(1, -1) + 1000
    with pytest.raises(ClassError, match="at most 4,096 classes, got 4,097: are these images"):
        SurfaceDistance().update(many, many)
    assert len(SurfaceDistance().update(many[:, 1:], many[:, 1:]).classes) == 4096
    assert SurfaceDistance({1000: "a"}).update(many, many).compute().hd == 0


# ---- Images --------------------------------------------------------------------------------------


def test_whether_three_axes_are_a_volume_is_said() -> None:
    values = np.ones((2, 5, 6), np.uint8)
    with pytest.raises(ShapeError, match="a volume or a batch of images: say dimensions=3 or"):
        SurfaceDistance().update(values, values)
    assert len(SurfaceDistance(dimensions=2).update(values, values).compute().diagonal) == 2
    assert len(SurfaceDistance(dimensions=3).update(values, values).compute().diagonal) == 1
    for steps, n in (((1, 1), 2), ((1, 1, 1), 1)):
        given = SurfaceDistance().update(values, values, spacing=steps)
        assert len(given.compute().diagonal) == n
        assert len(SurfaceDistance(spacing=steps).update(values, values).compute().diagonal) == n
    assert len(SurfaceDistance().update(values[0], values[0]).compute().diagonal) == 1
    assert len(SurfaceDistance().update(values[None], values[None]).compute().diagonal) == 1
    with pytest.raises(ShapeError, match="or 4 of a batch, as dimensions says, got 2"):
        SurfaceDistance(dimensions=3).update(values[0], values[0])
    with pytest.raises(ShapeError, match="expected 3 numbers, got 2"):
        SurfaceDistance(spacing=(1, 1), dimensions=3)
    with pytest.raises(ShapeError, match="expected 3 numbers, got 2"):
        SurfaceDistance(dimensions=3).update(values, values, spacing=(1, 1))


def test_a_volume_of_one_slice_is_no_image() -> None:
    # Every voxel ends the volume along the first axis: all are surface.
    truth, pred = mask((1, 9, 9), np.s_[:, 1:8, 1:8]), mask((1, 9, 9), np.s_[:, 2:7, 2:7])
    volume = surface_distance(truth, pred, dimensions=3)
    (sizes,) = SurfaceDistance(dimensions=3).update(truth, pred)._images.images
    assert sizes.numbers[0, 4:6].tolist() == [49, 25]
    assert volume.hd == surface_distance(truth[0], pred[0]).hd == math.sqrt(2)


def test_a_batch_of_none() -> None:
    none = np.zeros((0, 4, 4), np.uint8)
    metric = three_images()
    before = metric.to_bytes()
    assert metric.update(none, none).to_bytes() == before
    assert SurfaceDistance(dimensions=2).update(none, none).compute().data["n_images"] == 0


def test_units_of_distances() -> None:
    one = mask((4, 4), (1, 1))
    assert "Surface distances in pixels" in str(surface_distance(one, one))
    assert "Surface distances in mm" in str(surface_distance(one, one, spacing=1))
    metric = SurfaceDistance().update(one, one).update(one, one, spacing=2.0)
    result = metric.compute()
    assert result.protocol["unit"] == "mixed"
    assert "given for 1 of 2 images: the numbers mix mm and pixels" in result.composition()


def test_spacing_of_each_image() -> None:
    truth, pred = np.zeros((2, 2, 3, 3), np.uint8)
    truth[:, 0, 0], pred[:, 2, 0] = 1, 1
    metric = SurfaceDistance(dimensions=2).update(truth, pred, spacing=[[1, 1], [2.5, 1]])
    assert sorted(record["hd"] for record in metric.compute().per_image()) == [2, 5]


def test_a_frameworks_tensors() -> None:
    torch = pytest.importorskip("torch")
    truth = torch.zeros((5, 6), dtype=torch.int64)
    truth[1:4, 1:4] = 2
    assert surface_distance(truth, truth.roll(1, 1)).hd == 1


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rules": "moani"}, InputError, "got 'moani'. Did you mean \"monai\""),
        ({"rules": 3}, InputError, "expected rules of monai, deepmind, medpy, got 3"),
        ({"percentile": 0}, InputError, "above 0, up to 100, got 0 - at percentile"),
        ({"percentile": 100.5}, InputError, "above 0, up to 100"),
        ({"percentile": "95"}, InputError, "expected a number, got '95' - at percentile"),
        ({"tolerance": -1}, InputError, "finite number from 0, got -1 - at tolerance"),
        ({"tolerance": math.inf}, InputError, "finite number from 0"),
        ({"tolerance": {1: math.nan}}, InputError, r"- at tolerance\[1\]"),
        ({"missing": "dropped"}, InputError, 'Did you mean "drop"'),
        ({"missing": -1}, InputError, "finite number from 0, got -1 - at missing"),
        ({"missing": math.inf}, InputError, "finite number from 0"),
        ({"dimensions": 4}, InputError, "expected 2 or 3, got 4 - at dimensions"),
        ({"spacing": 0}, InputError, "above 0, got 0 - at spacing"),
        ({"spacing": (1, 1, 1, 1)}, ShapeError, "- at spacing"),
        ({"background": 0.5}, InputError, "whole number, got 0.5 - at background"),
        ({"ignore_index": True}, InputError, "got True - at ignore_index"),
        ({"ignore_index": True, "classes": None}, InputError, "got True - at ignore_index"),
        ({"background": True}, InputError, "whole number, got True - at background"),
        ({"background": "auto "}, InputError, "whole number, got 'auto ' - at background"),
        ({"background": 0, "classes": ["sky"]}, ClassError, "a class that is not the background"),
        ({"spacing": 1e200}, InputError, r"from 1e-75 to 1e\+75, got 1e\+200 - at spacing"),
        ({"spacing": (1, 1e-200)}, InputError, "from 1e-75 to"),
        ({"classes": Classes(["liver"])}, ClassError, "got texts such as liver"),
        ({"classes": "liver"}, InputError, 'a label scheme of .*, or a file, got "liver"'),
        ({"classes": True}, InputError, "a list or a mapping, got True - at classes"),
    ],
)
def test_parameters_that_cannot_be(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        SurfaceDistance(**{"classes": ["a", "b"], **options})


def test_rules_that_cannot_be() -> None:
    with pytest.raises(InputError, match="pixels, contour, got 'edges' - at surface"):
        SurfaceRules("own", "edges", "directed")
    with pytest.raises(InputError, match="got 'mean' - at percentile"):
        SurfaceRules("own", "pixels", "mean")


def test_ids_that_cannot_be() -> None:
    one = mask((4, 4), (1, 1))
    with pytest.raises(IdError, match="whole numbers of 64 bits or texts"):
        SurfaceDistance().update(one, one, image_id=1.5)
    with pytest.raises(ShapeError, match="an image id for each of 1 images, got 2"):
        SurfaceDistance().update(one, one, image_id=[1, 2])
    batch = np.stack([one, one])
    with pytest.raises(IdError, match="more than once: 7"):
        SurfaceDistance(dimensions=2).update(batch, batch, image_id=[7, 7])


# ---- States, results -----------------------------------------------------------------------------


def test_a_state_that_is_not_whole() -> None:
    from snellen.state import pack, unpack

    packed = unpack(three_images().to_bytes())
    assert isinstance(metric_from_bytes(three_images().to_bytes()), SurfaceDistance)
    for name, change in {
        "numbers": lambda a: a[:-1],
        "label": lambda a: a + 90,
        "n_structures": lambda a: a[:-1],
        "n_others": lambda a: a + 1,
        "diagonal": lambda a: a[:-1],
    }.items():
        arrays = {**packed.arrays, name: change(packed.arrays[name])}
        with pytest.raises(SchemaError, match="whole state of SurfaceDistance"):
            metric_from_bytes(pack("SurfaceDistance", packed.content, arrays))


def test_the_table_says_the_rules() -> None:
    result = three_images(tolerance=2).compute()
    assert str(result).splitlines() == [
        "Surface distances in pixels",
        "",
        "class              scored  missing  spurious  absent     HD   HD95   ASSD   NSD@2",
        "liver                   3        0         0       0  1.000  1.000  1.000  1.0000",
        "tumour                  0        1         1       1  5.000  5.000  5.000  0.0000",
        "gall                    0        0         0       3      -      -      -       -",
        "mean over classes       3        1         1       4  3.000  3.000  3.000  0.5000",
        "",
        "rules        monai: pixels with a neighbour outside along an axis, each counts alike",
        "HD95         the larger of the two directed 95th percentiles, linear between ranks",
        "one-sided    2 structures missing or spurious: count as the image's diagonal; NSD 0",
    ]
    assert result.composition().splitlines() == [
        "images       3",
        "structures   3 on both sides, 1 missing, 1 spurious",
    ]
    texts = {str(three_images(missing=each).compute()).splitlines()[-1] for each in ("inf", 7)}
    assert {text.split(": ")[1] for text in texts} == {
        "count as infinitely far; NSD 0",
        "count as 7; NSD 0",
    }
    for rules, words in {
        "deepmind": "95th percentiles of the surface by length or area",
        "medpy": "95th percentile of the distances of both directions together",
    }.items():
        assert words in str(three_images(rules=rules).compute())


def test_a_result_goes_to_a_file_and_back(tmp_path: Path) -> None:
    result = three_images(missing="inf").compute()
    result = dataclasses.replace(result, intervals=intervals(three_images(), replicates=20))
    result.save(tmp_path / "result")
    again = SurfaceDistanceResult.load(tmp_path / "result")
    assert str(again) == str(result)
    assert again.to_dict() == result.to_dict()
    assert repr(again.per_image()) == repr(result.per_image())
    assert again.metrics == result.metrics
    assert again.to_dict()["metrics"]["hd"] is None  # JSON has no infinity
    assert "mean HD95  " in str(again)  # the intervals
    assert " to " in str(again)
    (tmp_path / "state").write_bytes(three_images().to_bytes())
    with pytest.raises(SchemaError, match="expected a SurfaceDistanceResult"):
        SurfaceDistanceResult.load(tmp_path / "state")


# ---- Resampling ----------------------------------------------------------------------------------


def images(seed: int, n: int = 12) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    truth = random.choice([0, 0, 1, 2, 3], (n, 4, 5)).repeat(2, 1).repeat(2, 2).astype(np.uint8)
    pred = np.where(random.random(truth.shape) < 0.1, random.integers(0, 4, truth.shape), truth)
    truth[random.random(n) < 0.2] = 0
    return truth, pred.astype(np.uint8)


@pytest.mark.parametrize("missing", ["diagonal", "inf", "drop", 9.0])
def test_units_are_images_so_often(missing: Any) -> None:
    truth, pred = images(1)
    metric = SurfaceDistance(dimensions=2, missing=missing)
    metric.update(truth, pred, image_id=range(len(truth)))
    units = metric.units(each=True)
    random = np.random.default_rng(2)
    times = np.concatenate(
        [
            np.ones((1, 12), int),
            random.multinomial(12, [1 / 12] * 12, 20),
            np.eye(12, dtype=int),
            np.zeros((1, 12), int),
        ]
    )
    values, of_classes = units.values(times), units.class_values
    assert units.classes is not None
    assert of_classes is not None
    for i, row in enumerate(times):
        whole = SurfaceDistance(dimensions=2, missing=missing)
        for k in np.repeat(np.arange(12), row):
            whole.update(truth[k], pred[k])
        want = whole.compute()
        for name, value in want.metrics.items():
            assert values[name][i] == pytest.approx(value, rel=1e-12, abs=0, nan_ok=True), name
        means = dict(zip(want.classes.keys.ids.tolist(), want.means[:, 1].tolist(), strict=True))
        expected = [means.get(each, math.nan) for each in units.classes.keys.ids.tolist()]
        assert of_classes(times)[i].tolist() == pytest.approx(
            expected, rel=1e-12, abs=0, nan_ok=True
        )


def test_a_data_set_has_the_same_bits_whatever_else_is_asked_for() -> None:
    """A matrix product adds in an order that follows shapes and threads."""
    units = SurfaceDistance(dimensions=2).update(*images(5, n=150)).units()
    times = np.random.default_rng(6).poisson(1, (60, 150))
    found = units.values(times)
    for r in range(len(times)):
        for name, value in units.values(times[r : r + 1].copy()).items():
            assert value[0] == found[name][r]


def test_two_runs_compared() -> None:
    truth, pred = images(3)
    ids = [f"i{k}" for k in range(len(truth))]
    a = SurfaceDistance(dimensions=2).update(truth, pred, image_id=ids)
    b = SurfaceDistance(dimensions=2)
    better = np.where(np.arange(len(truth))[:, None, None] % 2, truth, pred)
    b.update(truth[::-1], better[::-1], image_id=ids[::-1])
    found = compare(a, b, replicates=50)
    (difference,) = [each for each in found.differences if each.metric == "hd95"]
    assert difference.value_first == pytest.approx(a.compute().hd95, rel=1e-12, abs=0)
    assert difference.difference == pytest.approx(b.compute().hd95 - a.compute().hd95)
    assert difference.difference < 0
    # A prediction with a class that the other one doesn't have.
    other = truth.copy()
    other[0, 0, 0] = 4
    c = SurfaceDistance(dimensions=2).update(truth, other, image_id=ids)
    assert len(compare(a, c, replicates=20).differences) == 4
    moved = truth.copy()
    moved[0] = np.roll(moved[0], 1) + 1
    d = SurfaceDistance(dimensions=2).update(moved, pred, image_id=ids)
    with pytest.raises(InputError, match="the same truth in all runs"):
        compare(a, d, replicates=20)


def test_images_without_ids_are_no_units_of_their_own() -> None:
    metric = SurfaceDistance(dimensions=2).update(*images(4))
    assert len(metric.units().counts) == 12
    assert intervals(metric, replicates=20)["hd95"].unit == "image"
    with pytest.raises(InputError, match="expected images with ids"):
        metric.units(each=True)
