"""A diagnosis from Python: its parts are the results of their own functions."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from typing import Any

import numpy as np
import pytest

from snellen import (
    AveragePrecision,
    Boxes,
    DetectionDiagnosis,
    DiagnosisThresholds,
    LocalizationRecallPrecision,
    Masks,
    OrientedBoxes,
    Poses,
    detection_calibration,
    detection_confusion,
    detection_diagnosis,
    detection_errors,
    image_table,
    label_errors,
    localization_recall_precision,
    operating_points,
    slices_of_areas,
    slices_of_images,
)
from snellen.detection.diagnosis_tables import csv_files, csv_text
from snellen.detection.protocols import COCO
from snellen.detection.slices import by_crowding
from snellen.errors import InputError

CLASSES = {1: "cat", 2: "dog", 3: "cow"}


def scene(seed: int = 0, n: int = 200) -> tuple[Boxes, Boxes]:
    """Return truth, and predictions that are moved, confused, repeated, made up."""
    random = np.random.default_rng(seed)
    xywh = np.column_stack([random.uniform(0, 300, (n, 2)), random.uniform(5, 150, (n, 2))])
    image, label = random.integers(1, 9, n), random.integers(1, 3, n)
    columns: dict[str, Any] = {"image_ids": range(1, 10), "classes": CLASSES}
    source = random.integers(0, n, 3 * n)
    moved = xywh[source] * random.uniform(0.8, 1.2, (3 * n, 4))
    truth = Boxes.from_xywh(
        xywh, image_id=image, label=label, crowd=random.random(n) < 0.05, **columns
    )
    pred = Boxes.from_xywh(
        moved,
        image_id=image[source],
        label=np.where(random.random(3 * n) < 0.8, label[source], 3 - label[source]),
        score=np.round(random.random(3 * n), 2),
        **columns,
    )
    return truth, pred


def same(one: Any, other: Any) -> bool:
    """Whether two results say the same."""
    left, right = one.to_dict(), other.to_dict()
    return bool(left == right)


def test_parts_are_the_results_of_their_functions() -> None:
    truth, pred = scene()
    diagnosis = detection_diagnosis(truth, pred, slice_by="crowding")
    metric = AveragePrecision().update(truth, pred)
    located = LocalizationRecallPrecision().update(truth, pred)
    points = operating_points(located)
    score = points.threshold_micro
    parts = diagnosis.parts
    assert same(diagnosis.precision, metric.compute())
    assert same(parts["errors"], detection_errors(truth, pred))
    assert same(parts["confusion"], detection_confusion(truth, pred, score_threshold=score))
    assert parts["points"].metrics == points.metrics
    assert parts["points"].metrics == operating_points(metric).metrics
    assert same(parts["lrp"], localization_recall_precision(truth, pred))
    assert parts["calibration"].metrics == detection_calibration(metric, bins=15).metrics
    assert same(parts["images"], image_table(located, score_threshold=score))
    assert same(parts["labels"], label_errors(truth, pred))
    assert same(parts["slices"], slices_of_images(metric, by_crowding(metric)))
    assert diagnosis.scores == (0.0, 1.0)


def test_slices_of_areas_are_the_headlines() -> None:
    truth, pred = scene(1)
    metric = AveragePrecision().update(truth, pred)
    result, slices = metric.compute(), slices_of_areas(metric)
    assert slices.names == ("all", "small", "medium", "large")
    for name in ("AP", "AP50", "AP75", "AR_1", "AR_10", "AR_100"):
        assert slices.value("all", name) == result.metrics[name]
    for size in ("small", "medium", "large"):
        assert slices.value(size, "AP") == result.metrics[f"AP_{size}"]
        assert slices.value(size, "AR_100") == result.metrics[f"AR_{size}"]
    counted = result.n_counted
    assert slices.n_truth.tolist() == counted.sum(axis=0).tolist()
    for record, own in zip(slices.per_class(), result.per_class(), strict=True):
        assert record["class"] == own["class"]
        for size in ("small", "medium", "large"):
            assert record[size] == pytest.approx(own[f"AP_{size}"], nan_ok=True)
    # Of a slice without truth nothing is defined.
    small = detection_diagnosis(truth[:0], pred[:0], slice_by="area").parts["slices"]
    assert all(math.isnan(value) for value in small.metrics.values())
    assert {entry.metric for entry in small.undefined} == set(small.metrics)


def oriented(boxes: Boxes) -> OrientedBoxes:
    x, y, w, h = boxes.xywh.T
    corners = np.stack([x, y, x + w, y, x + w, y + h, x, y + h], axis=1).reshape(-1, 4, 2)
    return OrientedBoxes(boxes, corners)


def masks(boxes: Boxes) -> Masks:
    rows, columns = np.mgrid[:120, :120]
    pictures = [
        (columns >= x) & (columns < x + w) & (rows >= y) & (rows < y + h)
        for x, y, w, h in (boxes.xywh / 4).tolist()
    ]
    found = Masks.from_masks(np.array(pictures), image_id=1, label=1)
    return Masks(dataclasses.replace(boxes, area=found.rle.areas().astype(float)), found.rle)


def poses(boxes: Boxes) -> Poses:
    x, y, w, h = boxes.xywh.T
    places = np.linspace(0, 1, 17)
    points = np.stack(
        [
            x[:, None] + w[:, None] * places,
            y[:, None] + h[:, None] * places,
            np.full((len(x), 17), 2.0),
        ],
        axis=2,
    )
    return Poses(boxes, points)


@pytest.mark.parametrize("kind", [oriented, masks, poses])
def test_every_kind_of_objects(kind: Any) -> None:
    truth, pred = (kind(each) for each in scene(2))
    diagnosis = detection_diagnosis(truth, pred, slice_by="area")
    assert set(diagnosis.parts) == {
        *("errors", "confusion", "points", "lrp", "calibration", "images", "labels", "slices")
    }
    assert 0 < diagnosis.precision.AP < 1
    text = str(diagnosis)
    assert ("OKS" in text) == (kind is poses)
    assert text.startswith("AP 0.")
    protocol = "coco-keypoints" if kind is poses else "coco"
    assert same(diagnosis.parts["errors"], detection_errors(truth, pred))
    assert same(
        diagnosis.parts["lrp"], localization_recall_precision(truth, pred, protocol=protocol)
    )


def test_everything_is_in_tables_and_json() -> None:
    diagnosis = detection_diagnosis(*scene(), slice_by="area")
    tables = diagnosis.tables()
    assert len(tables["images"]) == 9
    data = diagnosis.parts["labels"].data
    n_suspicions = sum(data[f"n_{key}"] for key in ("wrong_label", "missing_box", "duplicate"))
    assert len(tables["labels"]) == n_suspicions > 0
    matrix = diagnosis.parts["confusion"].matrix  # type: ignore[attr-defined]
    assert sum(row["n"] for row in tables["confusion"]) == matrix.sum()
    files = csv_files(diagnosis)
    assert {name.removesuffix(".csv") for name in files} == {*tables, "points_curves"}
    for name, table in tables.items():
        assert files[f"{name}.csv"].count(b"\n") == len(table) + 1
    document = diagnosis.to_dict()
    assert len(document["labels"]["suspicions"]) == len(tables["labels"])
    assert document["next_looks"] == diagnosis.next_looks()
    assert "nan" not in csv_text(tables["images"]).lower()


def test_the_curves_of_operating_points() -> None:
    """Every score as a threshold, counted by hand; the best of them is the one of the table."""
    diagnosis = detection_diagnosis(*scene())
    rows = list(csv.DictReader(io.StringIO(csv_files(diagnosis)["points_curves.csv"].decode())))
    n_truth = {each["class"]: each["n_truth"] for each in diagnosis.tables()["points"]}
    for row in rows:
        tp, fp, fn = (int(row[name]) for name in ("tp", "fp", "fn"))
        assert tp + fn == n_truth[row["class"]]
        assert float(row["precision"]) == tp / (tp + fp)
        assert float(row["recall"]) == tp / (tp + fn)
        assert float(row["f1"]) == pytest.approx(2 * tp / (2 * tp + fp + fn))
    for each in diagnosis.tables()["points"]:
        own = [row for row in rows if row["class"] == each["class"]]
        if not own:  # nothing of this class was detected
            assert math.isnan(each["threshold"])
            continue
        scores = [float(row["threshold"]) for row in own]
        assert scores == sorted(set(scores), reverse=True)
        assert max(float(row["f1"]) for row in own) == each["f1"]
        assert each["threshold"] in scores


def test_fewer_rows_and_all() -> None:
    diagnosis = detection_diagnosis(*scene())
    few, all_rows = diagnosis.text(rows=2, classes=1), diagnosis.text(rows=None, classes=None)
    assert "the 1 of 2 with lowest AP" in few
    assert len(few.splitlines()) < len(str(diagnosis).splitlines()) <= len(all_rows.splitlines())
    assert repr(diagnosis).startswith("DetectionDiagnosis(AP=0.")


def test_thresholds() -> None:
    truth, pred = scene()
    lines = DiagnosisThresholds(iou=0.6, score=0.4, background=0.7, confident=0.9, beta=2.0, bins=4)
    diagnosis = detection_diagnosis(truth, pred, thresholds=lines)
    parts = diagnosis.parts
    assert diagnosis.iou_threshold == parts["lrp"].protocol["iou_threshold"] == 0.6
    # Never above the IoU from which a detection is right.
    assert parts["errors"].protocol["background_threshold"] == 0.6
    assert parts["images"].protocol["score_threshold"] == 0.4
    assert parts["labels"].protocol["score_threshold"] == 0.9
    assert len(parts["calibration"].reliability()) == 4  # type: ignore[attr-defined]
    assert "F2" in str(diagnosis)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ["error"]}, 'got "error". Did you mean "errors"?'),
        ({"only": ["slices"]}, "expected what to make slices by"),
        ({"slice_by": "size"}, "expected area, crowding, or the slice of each image"),
        ({"thresholds": DiagnosisThresholds(iou=1.0)}, "between 0 and 1"),
        ({"thresholds": DiagnosisThresholds(bins=0)}, "bins"),
        ({"thresholds": DiagnosisThresholds(beta=0)}, "beta"),
        ({"thresholds": DiagnosisThresholds(duplicate=2)}, "duplicate_threshold"),
        (
            {"thresholds": DiagnosisThresholds(score=math.inf)},
            "number, got inf - at thresholds.score",
        ),
        (
            {"thresholds": DiagnosisThresholds(score=math.nan)},
            "number, got nan - at thresholds.score",
        ),
    ],
)
def test_parameters_that_are_none(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?").replace(".", r"\.")):
        detection_diagnosis(*scene(), **options)


def test_where_nothing_is_right_all_detections_are_in_the_matrix() -> None:
    # Classes are one off, and no score reaches the 0.25 that a matrix starts at by itself.
    n = 30
    xywh = np.column_stack([np.arange(n) * 20.0, np.zeros(n), np.full((n, 2), 10.0)])
    label = np.arange(n) % 3 + 1
    columns: dict[str, Any] = {"image_id": [1] * n, "classes": CLASSES}
    truth = Boxes.from_xywh(xywh, label=label, **columns)
    pred = Boxes.from_xywh(xywh, label=label % 3 + 1, score=np.full(n, 0.01), **columns)
    diagnosis = detection_diagnosis(truth, pred)
    assert math.isnan(diagnosis.parts["points"].metrics["threshold_micro"])
    matrix: Any = diagnosis.parts["confusion"]
    assert matrix.protocol["score_threshold"] == 0.01
    assert matrix.data["n_pairs"] == n
    assert "the class ids of predictions those of truth?" in looks(diagnosis)


def test_errors_keep_what_average_precision_sees() -> None:
    # 150 objects in an image, all found: under rules that keep 150, none is missed.
    n = 150
    xywh = np.column_stack([np.arange(n) * 20.0, np.zeros(n), np.full((n, 2), 10.0)])
    truth = Boxes.from_xywh(xywh, image_id=[1] * n, label=[1] * n)
    pred = Boxes.from_xywh(xywh, image_id=[1] * n, label=[1] * n, score=np.linspace(1, 0.1, n))
    for rules, n_missed in (
        ("coco", 50),
        (dataclasses.replace(COCO, max_detections=(1, 10, 300)), 0),
        (dataclasses.replace(COCO, per_image=200), 0),
        ("voc12", 0),
    ):
        diagnosis = detection_diagnosis(truth, pred, only=["errors"], protocol=rules)
        errors = diagnosis.parts["errors"]
        assert errors.data["n_miss"] == errors.data["n_dropped_by_cap"] == n_missed
        assert ("dropped by the cap" in errors.composition()) == (rules != "voc12")


def looks(diagnosis: DetectionDiagnosis) -> str:
    return "\n".join(diagnosis.next_looks())


def test_says_nothing_of_a_perfect_detector() -> None:
    truth, _ = scene()
    truth = dataclasses.replace(truth, crowd=None)
    pred = dataclasses.replace(truth, score=np.full(len(truth), 0.99))
    # Each copy is as sure as it is right; but all scores are high.
    said = detection_diagnosis(truth, pred, slice_by="area").next_looks()
    assert [each for each in said if "cost" in each or "promise" in each] == []
    score = np.linspace(0.9, 1, len(truth))
    score[0] = 0.01
    assert "No prediction scores below" not in looks(
        detection_diagnosis(truth, dataclasses.replace(pred, score=score))
    )


def test_objects_beyond_the_cap() -> None:
    one: dict[str, Any] = {"image_id": 1, "label": 1}
    boxes = np.column_stack([np.arange(130) * 20.0, np.zeros(130), np.full((130, 2), 9.0)])
    truth = Boxes.from_xywh(boxes, **one)
    pred = Boxes.from_xywh(boxes, score=np.full(130, 0.05), **one)
    diagnosis = detection_diagnosis(truth, pred, only=["points"])
    assert diagnosis.n_beyond_cap == 30
    assert "30 objects cannot be found" in looks(diagnosis)


def test_classes_without_truth() -> None:
    truth, pred = scene()
    label = np.where(np.arange(len(pred)) % 3 == 0, 2, pred.label).astype(pred.label.dtype)
    odd = dataclasses.replace(pred, label=label)
    said = looks(detection_diagnosis(truth, odd, only=["points"]))
    assert "are of 1 class without truth, which AP does not see: cow" in said


def test_the_worst_slice() -> None:
    truth, _ = scene()
    image = np.array(truth.images.ids)[truth.image]
    assert (image >= 5).sum() > 20
    # In images from 5 on nothing is found, in the others all.
    pred = dataclasses.replace(truth, crowd=None, score=np.full(len(truth), 0.05))[image < 5]
    slice_of = {each: "night" if each >= 5 else "day" for each in range(1, 10)}
    said = looks(detection_diagnosis(truth, pred, only=["slices"], slice_by=slice_of))
    assert 'AP of the slice "night" is 0.000' in said
