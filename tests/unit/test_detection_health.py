"""The health of data sets for detection: every kind of finding, by a fault put in by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.checked_sets import clean_results, clean_truth, report_of

from snellen import Boxes, read_coco_truth
from snellen.detection.health import check_detection
from snellen.detection.health_columns import checked_boxes
from snellen.detection.health_kinds import KINDS, OF_PREDICTIONS
from snellen.errors import SchemaError, SnellenError
from snellen.readers.coco_lenient import lenient_coco_truth
from snellen.readers.detection_health import read_for_check

Document = dict[str, Any]
Spoil = Callable[[Document], None]


def annotation(k: int, **changes: Any) -> Spoil:
    """Return what changes an annotation; a value of `...` takes the field away."""

    def spoil(truth: Document) -> None:
        for name, value in changes.items():
            if value is ...:
                del truth["annotations"][k][name]
            else:
                truth["annotations"][k][name] = value

    return spoil


def all_annotations(change: Callable[[Document], None]) -> Spoil:
    def spoil(truth: Document) -> None:
        for each in truth["annotations"]:
            change(each)

    return spoil


def image(k: int, **changes: Any) -> Spoil:
    return lambda truth: truth["images"][k].update(changes)


def category(k: int, **changes: Any) -> Spoil:
    return lambda truth: truth["categories"][k].update(changes)


def many(n: int, *, labels: int = 1) -> Spoil:
    """Add n objects to image 1, of one class or of several in turn."""

    def spoil(truth: Document) -> None:
        for k in range(labels):
            if k + 1 > 2:
                truth["categories"].append({"id": k + 1, "name": f"class {k}"})
        for k in range(n):
            box = [10 + k % 100, 20 + k // 100, 4, 4]
            truth["annotations"].append(
                {"id": 1000 + k, "image_id": 1, "category_id": 1 + k % labels, "bbox": box,
                 "area": 16, "iscrowd": 0}
            )  # fmt: skip

    return spoil


def as_corners(each: Document) -> None:
    left, top, width, height = each["bbox"]
    each["bbox"] = [left, top, left + width, top + height]


def as_parts(each: Document) -> None:
    left, top, width, height = each["bbox"]
    each["bbox"] = [left / 200, top / 150, width / 200, height / 150]


def moved(each: Document, by: float) -> None:
    each["bbox"][0] += by


# The fault, how often it is found, and the place of the first example with what is said of it.
TRUTH: dict[str, tuple[Spoil, int, str]] = {
    "unreadable-field": (
        annotation(3, area="12"), 1,
        'annotations[3] (id 4, image 1): area: expected a number, got "12"',
    ),
    "no-objects": (lambda truth: truth["annotations"].clear(), 1, ""),
    "missing-id": (annotation(3, id=...), 1, "annotations[3]: "),
    "duplicate-annotation-id": (
        annotation(3, id=2), 1, "annotations[3] (id 2, image 1): as annotations[1]",
    ),
    "annotation-id-zero": (annotation(3, id=0), 1, "annotations[3] (id 0, image 1): "),
    "duplicate-image-id": (
        lambda truth: truth["images"].append({**truth["images"][0], "file_name": "again.jpg"}),
        1, "images[4] (id 1): as images[0]",
    ),
    "duplicate-file-name": (
        image(2, file_name="1.jpg"), 1, 'images[2] (id 3): as images[0]: file_name "1.jpg"',
    ),
    "duplicate-class-id": (
        lambda truth: truth["categories"].append({"id": 2, "name": "hound"}),
        1, "categories[2] (id 2): as categories[1]",
    ),
    "duplicate-class-name": (
        category(1, name="cat"), 1, 'categories[1] (id 2): as categories[0]: name "cat"',
    ),
    "orphan-image": (
        annotation(3, image_id=9), 1, "annotations[3] (id 4, image 9): image_id 9",
    ),
    "orphan-class": (
        annotation(3, category_id="dog"), 1, 'annotations[3] (id 4, image 1): category_id "dog"',
    ),
    "missing-area": (annotation(3, area=...), 1, "annotations[3] (id 4, image 1): "),
    "missing-iscrowd": (annotation(3, iscrowd=...), 1, "annotations[3] (id 4, image 1): "),
    "iscrowd-value": (annotation(3, iscrowd=2), 1, "annotations[3] (id 4, image 1): 2"),
    "missing-image-size": (image(1, height=None), 1, "images[1] (id 2): 2.jpg"),
    "missing-box": (annotation(3, bbox=...), 1, "annotations[3] (id 4, image 1): "),
    "box-not-finite": (
        annotation(3, bbox=[1, math.nan, 3, 4]), 1,
        "annotations[3] (id 4, image 1): box [1, nan, 3, 4]",
    ),
    "box-negative-size": (
        annotation(3, bbox=[60, 50, -20, 31]), 1,
        "annotations[3] (id 4, image 1): box [60, 50, -20, 31]",
    ),
    "box-without-area": (
        annotation(3, bbox=[60, 50, 20, 0], area=0), 1,
        "annotations[3] (id 4, image 1): box [60, 50, 20, 0]",
    ),
    "box-layout": (
        all_annotations(as_corners), 32, "annotations[0] (id 1, image 1): box [10, 11, 30, 42]",
    ),
    "box-relative": (
        all_annotations(as_parts), 32,
        "annotations[0] (id 1, image 1): box [0.05, 0.07333333, 0.1, 0.2066667]",
    ),
    "box-outside-image": (
        annotation(3, bbox=[200, 50, 23, 31]), 1,
        "annotations[3] (id 4, image 1): box [200, 50, 23, 31], image 200 × 150",
    ),
    "box-larger-than-image": (
        annotation(3, bbox=[0, 0, 210, 31], area=6510), 1,
        "annotations[3] (id 4, image 1): box [0, 0, 210, 31], image 200 × 150",
    ),
    "box-leaves-image": (
        annotation(3, bbox=[190, 50, 23, 31]), 1,
        "annotations[3] (id 4, image 1): box [190, 50, 23, 31], image 200 × 150",
    ),
    "area-not-positive": (annotation(3, area=0), 1, "annotations[3] (id 4, image 1): area 0"),
    "area-above-box": (
        annotation(3, area=900), 1,
        "annotations[3] (id 4, image 1): area 900, box [130, 11, 23, 31]",
    ),
    "area-in-other-range": (
        annotation(3, bbox=[130, 11, 40, 40]), 1,
        "annotations[3] (id 4, image 1): area 713, box [130, 11, 40, 40]",
    ),
    "duplicate-box": (
        annotation(3, bbox=[10, 11, 20, 31], area=620), 1,
        "annotations[3] (id 4, image 1): as annotations[0]: box [10, 11, 20, 31]",
    ),
    # 20 × 31 and 20 × 30.9, in it: IoU 30.9 / 31 = 0.9968.
    "near-duplicate-box": (
        annotation(3, bbox=[10, 11, 20, 30.9], area=618), 1,
        "annotations[3] (id 4, image 1): IoU 0.9968 with annotations[0]: box [10, 11, 20, 30.9]",
    ),
    "image-without-objects": (
        lambda truth: truth["images"].append(
            {"id": 5, "width": 10, "height": 10, "file_name": "5.jpg"}
        ),
        1, "images[4] (id 5): 5.jpg",
    ),
    "class-without-objects": (
        lambda truth: truth["categories"].append({"id": 3, "name": "cow"}),
        1, "categories[2] (id 3): cow",
    ),
    "image-over-cap": (many(101), 1, "images[0] (id 1): 105 of class cat"),
    "image-over-lvis-cap": (many(296, labels=8), 1, "images[0] (id 1): 304"),
}  # fmt: skip

MASKS: dict[str, tuple[Spoil, int, str]] = {
    "missing-mask": (annotation(3, segmentation=...), 1, "annotations[3] (id 4, image 1): "),
    "mask-empty": (
        annotation(3, segmentation=[]), 1, "annotations[3] (id 4, image 1): an empty list",
    ),
    "mask-broken": (annotation(3, segmentation=[[1, 2, 3, 4, 5, 6, 7]]), 1, "annotations[3] ("),
    "mask-size": (
        # A column of 150 pixels is 100 + 50 of the first half.
        annotation(
            3, segmentation={"size": [200, 150], "counts": [0, 713, 29287]}, bbox=[0, 0, 4, 200],
            area=713,
        ),
        1, "annotations[3] (id 4, image 1): 200 × 150, image 150 × 200 (height × width)",
    ),
    "short-polygon": (
        annotation(
            3, segmentation=[[130, 11, 153, 11, 153, 42, 130, 42], [130, 11, 131, 11]]
        ),
        1, "annotations[3] (id 4, image 1): 1 of its polygons",
    ),
    # The box is 23 × 31 = 713, and the mask fills it.
    "mask-area": (
        annotation(3, area=400), 1, "annotations[3] (id 4, image 1): area 400, 713 pixels",
    ),
    # Boxes of 23 × 31 that are 20 apart: IoU 3 / (2 × 23 - 3) = 0.07.
    "mask-beside-box": (
        annotation(3, bbox=[150, 11, 23, 31]), 1,
        "annotations[3] (id 4, image 1): box [150, 11, 23, 31], mask's [130, 11, 23, 31], IoU 0.07",
    ),
    "crowd-with-polygons": (annotation(3, iscrowd=1), 1, "annotations[3] (id 4, image 1): "),
}  # fmt: skip

KEYPOINTS: dict[str, tuple[Spoil, int, str]] = {
    "keypoints-number": (
        annotation(3, keypoints=[131, 12, 2, 140, 20, 1]), 1,
        "annotations[3] (id 4, image 1): 2 keypoints, its class has 3",
    ),
    "missing-num-keypoints": (annotation(3, num_keypoints=...), 1, "annotations[3] (id 4, image 1"),
    "num-keypoints": (
        annotation(3, num_keypoints=3), 1,
        "annotations[3] (id 4, image 1): num_keypoints 3, labelled 2",
    ),
    "keypoint-visibility": (
        annotation(3, keypoints=[131, 12, 2, 140, 20, 0.5, 0, 0, 0]), 1,
        "annotations[3] (id 4, image 1): 1 of them, the first 0.5",
    ),
    "keypoint-outside-image": (
        annotation(3, keypoints=[131, 12, 2, 202, 20, 1, 0, 0, 0]), 1,
        "annotations[3] (id 4, image 1): 1 of them",
    ),
}  # fmt: skip


def check_one(report: Any, kind: str, count: int, first: str) -> None:
    """Check that there is one finding, of a kind and a count, and its first place."""
    assert [each.kind for each in report.findings] == [kind]
    (found,) = report.findings
    assert found.count == count
    assert found.total >= count
    shown = f"{found.examples[0].place}: {found.examples[0].text}" if found.examples else ""
    assert shown.startswith(first), shown
    assert found.effect
    assert found.title in " ".join(str(report).split())


@pytest.mark.parametrize("extras", [{}, {"masks": True}, {"keypoints": True}])
def test_a_clean_set_has_no_findings(extras: dict[str, bool], tmp_path: Path) -> None:
    report = report_of(tmp_path, clean_truth(**extras), clean_results())
    assert report.findings == ()
    assert "\nno findings\n" in str(report)
    assert (report.n_images, report.n_objects, report.n_errors) == (4, 32, 0)
    assert [(each.name, each.objects, each.images) for each in report.classes] == [
        ("cat", 16, 4),
        ("dog", 16, 4),
    ]
    assert report.sizes == (32, 0, 0)
    assert report.objects_per_image == (8.0, 8.0, 8, 0, 0, 0)


@pytest.mark.parametrize("kind", TRUTH)
def test_faults_of_truth(kind: str, tmp_path: Path) -> None:
    spoil, count, first = TRUTH[kind]
    truth = clean_truth()
    spoil(truth)
    report = report_of(tmp_path, truth)
    # What else such a set has: a field that is not readable is none.
    follows = {
        "unreadable-field": {"missing-area"},
        "no-objects": {"image-without-objects"},
    }.get(kind, set())
    kinds = [each.kind for each in report.findings]
    assert set(kinds) == {kind, *follows}
    (found,) = report.of_kind(kind)
    shown = f"{found.examples[0].place}: {found.examples[0].text}" if found.examples else ""
    assert (found.count, found.severity) == (count, KINDS[kind].severity)
    assert shown.startswith(first), shown


@pytest.mark.parametrize("kind", MASKS)
def test_faults_of_masks(kind: str, tmp_path: Path) -> None:
    spoil, count, first = MASKS[kind]
    truth = clean_truth(masks=True)
    spoil(truth)
    report = report_of(tmp_path, truth)
    if kind == "mask-size":
        # The box of such a mask is one of another image.
        (leaves, found) = (report.of_kind(each) for each in ("box-leaves-image", kind))
        assert not leaves
        assert found[0].count == count
        return
    check_one(report, kind, count, first)


@pytest.mark.parametrize("kind", KEYPOINTS)
def test_faults_of_keypoints(kind: str, tmp_path: Path) -> None:
    spoil, count, first = KEYPOINTS[kind]
    truth = clean_truth(keypoints=True)
    spoil(truth)
    check_one(report_of(tmp_path, truth), kind, count, first)


# ---- Predictions --------------------------------------------------------------------------------

Results = list[dict[str, Any]]


def result(k: int, **changes: Any) -> Callable[[Results], None]:
    return lambda results: results[k].update(changes)


def all_results(change: Callable[[Document], None]) -> Callable[[Results], None]:
    def spoil(results: Results) -> None:
        for each in results:
            change(each)

    return spoil


def without(keep: Callable[[Document], bool]) -> Callable[[Results], None]:
    def spoil(results: Results) -> None:
        results[:] = [each for each in results if keep(each)]

    return spoil


def more(n: int, labels: int = 1) -> Callable[[Results], None]:
    def spoil(results: Results) -> None:
        for k in range(n):
            box = [10 + k % 100, 20 + k // 100, 4, 4]
            results.append(
                {"image_id": 1, "category_id": 1 + k % labels, "bbox": box, "score": 0.1}
            )

    return spoil


PREDICTIONS: dict[str, tuple[Callable[[Results], None], int, str]] = {
    "unreadable-field": (
        result(2, bbox=[1, 2, 3]), 1, "$[2] (image 1): bbox: expected four numbers, got [1, 2, 3]",
    ),
    "orphan-image": (result(2, image_id="1"), 1, '$[2] (image "1"): image_id "1"'),
    "orphan-class": (result(2, category_id=7), 1, "$[2] (image 1): category_id 7"),
    "box-without-area": (
        result(2, bbox=[90, 11, 0, 4]), 1, "$[2] (image 1): box [90, 11, 0, 4]",
    ),
    "box-outside-image": (
        result(2, bbox=[90, 150, 3, 4]), 1, "$[2] (image 1): box [90, 150, 3, 4], image 200 × 150",
    ),
    "score-not-finite": (result(2, score=math.inf), 1, "$[2] (image 1): score inf"),
    "score-outside-0-1": (result(2, score=-0.5), 1, "$[2] (image 1): score -0.5"),
    "scores-all-equal": (all_results(lambda each: each.update(score=0.7)), 32, ""),
    "prediction-over-cap": (more(101), 5, "images[0] (id 1): 105 of class cat"),
    "image-without-predictions": (
        without(lambda each: each["image_id"] != 3), 1, "images[2] (id 3): 3.jpg",
    ),
    "class-without-predictions": (
        without(lambda each: each["category_id"] != 2), 1, "categories[1] (id 2): dog",
    ),
    "duplicate-prediction": (
        lambda results: results.append({**results[2], "score": 0.2}), 1,
        "$[32] (image 1): as $[2]: box [91, 11.5, 22, 31]",
    ),
    "prediction-layout": (
        all_results(as_corners), 32, "$[0] (image 1): box [11, 11.5, 31, 42.5]",
    ),
    "prediction-apart": (
        all_results(lambda each: moved(each, 22)), 32,
        "annotations[0] (id 1, image 1): box [10, 11, 20, 31]",
    ),
    "prediction-classes": (
        all_results(lambda each: each.update(category_id=3 - each["category_id"])), 32,
        "$[0] (image 1): category_id 2 on an object of 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_faults_of_predictions(kind: str, tmp_path: Path) -> None:
    spoil, count, first = PREDICTIONS[kind]
    results = clean_results()
    spoil(results)
    report = report_of(tmp_path, clean_truth(), results)
    kinds = {each.kind for each in report.findings}
    follows = {"unreadable-field": {"missing-box"}}.get(kind, set())
    assert kinds == {kind, *follows}
    (found,) = report.of_kind(kind)
    assert found.part == "predictions"
    shown = f"{found.examples[0].place}: {found.examples[0].text}" if found.examples else ""
    assert found.count == count
    assert shown.startswith(first), shown
    assert f"predictions: {found.title}" in " ".join(str(report).split())


def test_every_kind_is_tested() -> None:
    alone = {"no-images", "no-classes", "class-with-few-objects", "class-imbalance"}
    alone.add("prediction-over-lvis-cap")
    assert {*TRUTH, *MASKS, *KEYPOINTS, *PREDICTIONS, *alone} == set(KINDS)
    assert set(OF_PREDICTIONS) < set(KINDS)


# ---- What findings say beside ------------------------------------------------------------------


def as_centred(each: Document) -> None:
    left, top, width, height = each["bbox"]
    each["bbox"] = [left + width / 2, top + height / 2, width, height]


def as_turned(each: Document) -> None:
    left, top, width, height = each["bbox"]
    each["bbox"] = [top, left, height, width]


def as_thousandths(each: Document) -> None:
    as_corners(each)
    left, top, right, bottom = each["bbox"]
    each["bbox"] = [round(v, 3) for v in (5 * left, top / 0.15, 5 * right, bottom / 0.15)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (as_corners, "read as left, top, right, bottom, 100.0 %"),
        (as_turned, "read as top, left, height, width, 100.0 %"),
        (as_parts, "read as left, top, width, height, as parts of the image's size, 100.0 %"),
        (
            as_thousandths,
            "read as left, top, right, bottom, as thousandths of the image's size, 100.0 %",
        ),
    ],
)
def test_the_reading_of_predictions(
    change: Callable[[Document], None], words: str, tmp_path: Path
) -> None:
    results = clean_results()
    all_results(change)(results)
    (found,) = report_of(tmp_path, clean_truth(), results).findings
    assert found.kind == "prediction-layout"
    assert found.detail.endswith(words)


def test_centres_overlap_too_much_to_be_told(tmp_path: Path) -> None:
    # Moved by half of their size boxes overlap by (1/2 · 1/2) / (2 - 1/4) = 1/7: of truth by less.
    truth, results = clean_truth(), clean_results()
    all_results(as_centred)(results)
    (found,) = report_of(tmp_path, truth, results).findings
    assert found.kind == "prediction-layout"
    assert "read as centre x, centre y, width, height, 100.0 %" in found.detail


def test_the_layout_of_truth(tmp_path: Path) -> None:
    truth = clean_truth()
    all_annotations(as_corners)(truth)
    (found,) = report_of(tmp_path, truth).findings
    # In halves of the image: 90 + 112 > 201 for the third and the fourth of four, and of the
    # lower ones, 71 + 103 > 151, all.
    assert found.detail == (
        "75.0 % leave their image or have no size; read as left, top, right, bottom, 0.0 %"
    )


def test_classes_that_are_moved_by_one(tmp_path: Path) -> None:
    results = clean_results()
    all_results(lambda each: each.update(category_id=each["category_id"] - 1))(results)
    report = report_of(tmp_path, clean_truth(), results)
    (found,) = report.of_kind("prediction-classes")
    assert found.detail == "with 1 added to their numbers 100.0 % agree"
    assert report.of_kind("orphan-class")[0].count == 16


def test_classes_in_another_numbering(tmp_path: Path) -> None:
    results = clean_results()
    all_results(lambda each: each.update(category_id=3 - each["category_id"]))(results)
    (found,) = report_of(tmp_path, clean_truth(), results).findings
    # Half are one more, half one less: no step makes more than half agree.
    assert "taken for the one that it lies on most, 100.0 % agree" in found.detail


def test_a_box_for_every_class_is_no_fault_of_classes(tmp_path: Path) -> None:
    results = clean_results()
    others = [
        {**each, "category_id": 3 - each["category_id"], "score": each["score"] - 0.25}
        for each in results
    ]
    report = report_of(tmp_path, clean_truth(), [*others, *results])
    assert report.findings == ()


def test_ids_of_another_kind(tmp_path: Path) -> None:
    truth = clean_truth()
    for each in truth["annotations"]:
        each["image_id"] = str(each["image_id"])
    (found,) = report_of(tmp_path, truth).of_kind("orphan-image")
    assert found.count == 32
    assert found.detail == "4 unknown image_ids; these are texts, those listed are numbers"


def test_rare_classes(tmp_path: Path) -> None:
    truth = clean_truth()
    truth["categories"] += [{"id": 3, "name": "cow"}]
    many(1590, labels=1)(truth)  # with 16 of the clean set 1,606 cats
    truth["annotations"].append(
        {"id": 9999, "image_id": 2, "category_id": 3, "bbox": [5, 5, 3, 3], "area": 9, "iscrowd": 0}
    )
    report = report_of(tmp_path, truth)
    (few,), (rare,) = (report.of_kind(k) for k in ("class-with-few-objects", "class-imbalance"))
    assert (few.count, few.total, few.examples[0].text) == (1, 3, "cow: 1")
    # A hundredth of 1,606 is 16.06: the 16 dogs are less, too.
    assert (rare.count, rare.detail) == (2, "the largest has 1,606")
    assert report.imbalance == 1606
    assert "1,606 to 1: a ratio of 1606; less than 10 in 1 of 3 classes" in str(report)


def test_empty_lists(tmp_path: Path) -> None:
    report = report_of(tmp_path, {"images": [], "annotations": [], "categories": []})
    assert {each.kind for each in report.findings} == {"no-images", "no-classes", "no-objects"}
    assert report.objects_per_image.most == 0
    results = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}]
    empty = {"images": [], "annotations": [], "categories": []}
    assert report_of(tmp_path, empty, results).of_kind("orphan-image")[0].count == 1
    assert report_of(tmp_path, clean_truth(), []).of_kind("image-without-predictions")[0].count == 4


def test_more_predictions_than_lvis_counts(tmp_path: Path) -> None:
    truth, results = clean_truth(), clean_results()
    truth["categories"] += [{"id": k, "name": f"class {k}"} for k in range(3, 9)]
    more(296, labels=8)(results)
    report = report_of(tmp_path, truth, results)
    (found,) = report.of_kind("prediction-over-lvis-cap")
    assert (found.count, found.examples[0].text) == (1, "304")


def test_crowds_are_no_duplicates_and_do_not_count(tmp_path: Path) -> None:
    truth = clean_truth()
    truth["annotations"][1].update(bbox=truth["annotations"][0]["bbox"], area=620, iscrowd=1)
    report = report_of(tmp_path, truth)
    assert report.findings == ()
    assert (report.classes[0].objects, report.classes[0].crowds) == (15, 1)


def test_equal_boxes_name_the_first(tmp_path: Path) -> None:
    truth = clean_truth()
    for k in (1, 3):
        truth["annotations"][k].update(bbox=[10, 11, 20, 31], area=620)
    (found,) = report_of(tmp_path, truth).findings
    assert [(each.record, each.text.partition(":")[0]) for each in found.examples] == [
        (1, "as annotations[0]"),
        (3, "as annotations[0]"),
    ]


def test_all_faults_at_once(tmp_path: Path) -> None:
    truth = clean_truth()
    for kind in ("annotation-id-zero", "orphan-image", "box-negative-size", "unreadable-field"):
        TRUTH[kind][0](truth)
    truth["annotations"][3]["bbox"] = [60, 50, -20, 31]
    truth["images"].append(truth["images"][0])
    kinds = {each.kind for each in report_of(tmp_path, truth).findings}
    assert kinds >= {
        *("annotation-id-zero", "orphan-image", "box-negative-size", "unreadable-field"),
        *("duplicate-image-id", "duplicate-file-name"),
    }


def test_errors_come_first(tmp_path: Path) -> None:
    truth = clean_truth()
    for kind in ("class-without-objects", "missing-area", "duplicate-image-id"):
        TRUTH[kind][0](truth)
    report = report_of(tmp_path, truth)
    assert [each.severity for each in report.findings] == ["error", "warning", "note"]
    assert report.summary() == "1 error, 1 warning, 1 note"
    assert report.to_dict()["findings"][0]["examples"] == [
        {"section": "images", "record": 4, "id": 1, "image_id": None, "text": "as images[0]"}
    ]


def test_many_classes_are_not_all_printed(tmp_path: Path) -> None:
    truth = clean_truth()
    truth["categories"] += [{"id": k, "name": f"class {k}"} for k in range(3, 41)]
    text = str(report_of(tmp_path, truth))
    assert "… 20 more" in text
    assert "class 40" in text
    assert "class 20" not in text


# ---- Columns of other formats -------------------------------------------------------------------


def test_boxes_that_were_read_already() -> None:
    boxes = Boxes.from_xywh(
        [[0, 0, 10, 10], [0, 0, 10, 10], [5, 5, 0, 3]], image_id=["a", "a", "b"], label=[0, 0, 0],
        image_ids=["a", "b", "c"], classes=["cat", "dog"],
    )  # fmt: skip
    report = check_detection(checked_boxes(boxes, "boxes"))
    assert {each.kind: each.count for each in report.findings} == {
        "duplicate-box": 1,
        "box-without-area": 1,
        "missing-image-size": 3,
        "image-without-objects": 1,
        "class-without-objects": 1,
        "class-with-few-objects": 1,
    }
    (found,) = report.of_kind("duplicate-box")
    assert found.examples[0].place == 'objects[1] (image "a")'


def test_parts_of_images_are_meant_to_be_so() -> None:
    boxes = Boxes.from_xywh([[0.1, 0.1, 0.2, 0.2], [0.9, 0.5, 0.2, 0.2]], image_id=[1, 2], label=0)
    report = check_detection(checked_boxes(boxes, "boxes", relative=True))
    assert report.sizes is None
    kinds = {each.kind for each in report.findings}
    assert kinds == {"box-leaves-image", "class-with-few-objects"}


# ---- Lenient reading ----------------------------------------------------------------------------


def faults_of(folder: Path, text: str) -> list[str]:
    (folder / "truth.json").write_text(text, encoding="utf-8")
    data = lenient_coco_truth(str(folder / "truth.json"))
    return [f"{each.section}[{each.record}] {each.text}" for each in data.faults]


def document(annotations: str, images: str = '{"id": 1}') -> str:
    return (
        f'{{"images": [{images}], "annotations": [{annotations}], "categories": [{{"id": 1}}], '
        '"info": null}'
    )


@pytest.mark.parametrize(
    ("annotations", "faults"),
    [
        ('{"id": 1.0, "image_id": 1, "area": 5}', []),
        ('{"id": 1.5}', ["annotations[0] id: expected a whole number or a text, got 1.5"]),
        ('{"id": [1]}', ["annotations[0] id: expected a whole number or a text, got [1]"]),
        ('{"id": 1}, 7', ["annotations[1] expected a record, got 7"]),
        ('{"bbox": [1, 2, "3", 4]}',
         ['annotations[0] bbox: expected four numbers, got [1, 2, "3", 4]']),
        ('{"bbox": [1, 2, 3, 4, 5]}',
         ["annotations[0] bbox: expected four numbers, got [1, 2, 3, 4, 5]"]),
        ('{"bbox": [1, 2, true, 4]}',
         ["annotations[0] bbox: expected four numbers, got [1, 2, true, 4]"]),
        ('{"bbox": [1, 2, NaN, -Infinity]}', []),
        ('{"area": NaN}', ["annotations[0] area: expected a number, got NaN"]),
        ('{"area": {}}', ["annotations[0] area: expected a number, got {}"]),
        ('{"iscrowd": true}', []),
        ('{"iscrowd": "0"}', ['annotations[0] iscrowd: expected 0 or 1, got "0"']),
        ('{"keypoints": [1, 2]}',
         ["annotations[0] keypoints: expected numbers in threes, got 2 numbers"]),
        ('{"keypoints": "abc"}',
         ["annotations[0] keypoints: expected numbers in threes, got something else"]),
        ('{"caption": "a, NaN: Infinity \\" NaN", "bbox": [NaN, 2, 3, 4]}', []),
        ('{"area": 1e999}', ["annotations[0] area: expected a number, got 1e999"]),
        ('{"image_id": 123456789012345678901234567890}', []),
    ],
)  # fmt: skip
def test_records_are_read_as_far_as_they_go(
    annotations: str, faults: list[str], tmp_path: Path
) -> None:
    assert faults_of(tmp_path, document(annotations)) == faults


def test_fields_of_images(tmp_path: Path) -> None:
    text = document("", '{"id": 1, "width": "100"}, {"id": null, "file_name": 7}')
    assert faults_of(tmp_path, text) == [
        'images[0] width: expected a number, got "100"',
        "images[1] file_name: expected a text, got 7",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("[]", "results are checked beside their truth"),
        ("{", "expected a COCO annotation file"),
        ('{"images": [], "annotations": []}', 'missing required field "categories"'),
        ('{"images": [], "annotations": {}, "categories": []}', "expected a list of records"),
        ('{"images": [], "annotations": [NaN', "expected a COCO annotation file"),
    ],
)
def test_what_is_no_annotation_file(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaError) as error:
        faults_of(tmp_path, text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "shape",
    [
        *("7", "true", '"text"', "[7]", '[["a"]]'),
        *("[[1, 2, 3, 4, 5, 1e12]]", "[[1, NaN, 3, 4, 5, 6]]"),
        *("{}", '{"size": [9, 9]}', '{"size": [9, 9], "counts": "\u00ff"}'),
        *('{"size": [9, 9], "counts": [80]}', '{"size": [9, 9], "counts": [-1, 82]}'),
        *('{"size": [9], "counts": [81]}', '{"size": [1e30, 9], "counts": [81]}'),
        '{"size": [9, 9], "counts": [99999999999999999999]}',
        '{"size": [9, 9], "counts": {"a": 1}}',
    ],
)  # fmt: skip
def test_shapes_that_are_none(shape: str, tmp_path: Path) -> None:
    sound = '{"id": 2, "image_id": 1, "segmentation": [[1, 1, 5, 1, 5, 5, 1, 5]]}'
    text = document(
        f'{{"id": 1, "image_id": 1, "segmentation": {shape}}}, {sound}',
        '{"id": 1, "height": 9, "width": 9}',
    )
    (tmp_path / "truth.json").write_text(text, encoding="utf-8")
    data = read_for_check(str(tmp_path / "truth.json")).truth
    (found,) = check_detection(data).of_kind("mask-broken")
    assert [each.record for each in found.examples] == [0]
    assert data.objects.masks is not None
    assert data.objects.masks.n_pixels[1] == 16


def test_every_kind_is_in_the_guide() -> None:
    guide = Path(__file__).parents[2] / "docs/guide/checking-a-data-set.md"
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+) \| (.+) \|$", guide.read_text("utf-8"), re.M)
    assert {name: (severity, title) for name, severity, title in rows} == {
        name: (kind.severity, kind.title) for name, kind in KINDS.items()
    }


@pytest.mark.parametrize(
    ("spoil", "kind", "first"),
    [
        (image(1, id="b"), "unreadable-field",
         'images[1] (id "b"): id: expected a number like the ids before it, got "b"'),
        (category(1, id="2"), "unreadable-field",
         'categories[1] (id "2"): id: expected a number like the ids before it, got "2"'),
        (annotation(3, id="d"), "unreadable-field",
         'annotations[3] (id "d", image 1): id: expected a number like the ids before it, got "d"'),
        (annotation(0, id="a"), "unreadable-field",
         "annotations[1] (id 2, image 1): id: expected a text like the ids before it, got 2"),
        (annotation(3, id=2**63), "unreadable-field",
         "annotations[3] (id 9223372036854775808, image 1): id: expected a whole number of 64 "),
        (annotation(3, id=math.nan), "unreadable-field",
         "id: expected a whole number or a text, got NaN"),
        (annotation(3, area=None), "unreadable-field",
         "annotations[3] (id 4, image 1): area: expected a number, got null"),
        (annotation(3, area=math.inf), "unreadable-field",
         "annotations[3] (id 4, image 1): area: expected a number, got Infinity"),
        (annotation(3, iscrowd=None), "unreadable-field",
         "annotations[3] (id 4, image 1): iscrowd: expected 0 or 1, got null"),
        (category(1, name=None), "unreadable-field",
         "categories[1] (id 2): name: expected a text, got null"),
        (category(1, name=2.0), "unreadable-field",
         "categories[1] (id 2): name: expected a text, got 2.0"),
        (annotation(3, area=-1), "area-not-positive", "annotations[3] (id 4, image 1): area -1"),
    ],
)  # fmt: skip
def test_what_is_refused_is_an_error(spoil: Spoil, kind: str, first: str, tmp_path: Path) -> None:
    truth = clean_truth()
    spoil(truth)
    (found,) = report_of(tmp_path, truth).of_kind(kind)
    assert found.severity == "error"
    assert first in f"{found.examples[0].place}: {found.examples[0].text}"
    with pytest.raises(SnellenError):
        read_coco_truth(tmp_path / "truth.json")
