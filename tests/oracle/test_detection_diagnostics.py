"""Diagnoses of detection against plain counts over pycocotools' outcomes, and against the peers."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from tests.detection_scenes import CLASSES, Found, Scene, Told, scene, told

from snellen import AveragePrecision, Boxes
from snellen.classification.calibration import calibration_error
from snellen.detection.detection_calibration import detection_calibration
from snellen.detection.image_table import image_table
from snellen.detection.localization_recall_precision import (
    LocalizationRecallPrecision,
    localization_recall_precision,
)
from snellen.detection.operating_points import operating_points
from snellen.detection.protocols import COCO

SEEDS = range(8)


def evaluated(given: Scene) -> AveragePrecision:
    return AveragePrecision().update(given.truth, given.pred)


def close(got: Any, wanted: Any) -> bool:
    return bool(np.allclose(got, wanted, rtol=1e-12, atol=1e-14, equal_nan=True))


# ---------------------------------------------------------------------------------------------
# Operating points.


def plain_point(reference: Told, label: int, threshold: float) -> tuple[int, int, int]:
    """Return TP, FP, FN of a class at a threshold."""
    kept = [each for each in reference.found if each.label == label and each.score >= threshold]
    tp = sum(each.iou > 0 for each in kept)
    return tp, len(kept) - tp, sum(each[1] == label for each in reference.truth) - tp


def plain_f(counts: tuple[int, ...], beta: float) -> float:
    tp, fp, fn = counts
    precision, recall = tp / (tp + fp) if tp + fp else 0.0, tp / (tp + fn) if tp + fn else 0.0
    whole = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / whole if whole else 0.0


@pytest.mark.parametrize("beta", [1.0, 0.5, 2.0])
@pytest.mark.parametrize(("iou", "area"), [(0.5, "all"), (0.75, "all"), (0.5, "medium")])
@pytest.mark.parametrize("seed", SEEDS)
def test_operating_points_are_plain_counts(seed: int, iou: float, area: str, beta: float) -> None:
    given = scene(seed)
    reference = told(given, iou, area)
    points = operating_points(evaluated(given), iou_threshold=iou, area=area, beta=beta)
    thresholds = sorted({each.score for each in reference.found}, reverse=True)
    with_truth = sorted({label for _, label in reference.truth})
    best: dict[int, float] = {}
    for label in CLASSES:
        curve = points.curve(label)
        own = sorted({e.score for e in reference.found if e.label == label}, reverse=True)
        assert curve["threshold"].tolist() == own
        counts = [plain_point(reference, label, threshold) for threshold in own]
        got = zip(*(curve[key].tolist() for key in ("tp", "fp", "fn")), strict=True)
        assert list(got) == counts
        if label in with_truth:
            assert close(curve["f"], [plain_f(each, beta) for each in counts])
            best[label] = max((plain_f(each, beta) for each in counts), default=0.0)
    records = {each["id"]: each for each in points.per_class()}
    name = "f1" if beta == 1 else "f_beta"
    for label, value in best.items():
        assert close(records[label][name], value)
        at = records[label]["threshold"]
        assert close(plain_f(plain_point(reference, label, at), beta), value) or value == 0
    assert math.isnan(records[9]["threshold"])

    def micro(threshold: float) -> float:
        sums = np.sum([plain_point(reference, label, threshold) for label in CLASSES], axis=0)
        return plain_f(tuple(sums.tolist()), beta)

    def macro(threshold: float) -> float:
        values = [plain_f(plain_point(reference, k, threshold), beta) for k in with_truth]
        return math.fsum(values) / len(with_truth)

    for how, mean in (("micro", micro), ("macro", macro)):
        values = [mean(threshold) for threshold in thresholds]
        assert close(points.metrics[f"{name}_{how}"], max(values))
        assert close(mean(points.metrics[f"threshold_{how}"]), max(values))
    assert close(points.metrics[f"{name}_own"], math.fsum(best.values()) / len(with_truth))


@pytest.mark.parametrize("seed", SEEDS)
def test_operating_points_of_faster_coco_eval(seed: int) -> None:
    """With one IoU threshold and one area range, without crowds and ties.

    It takes a detection that matches under any of them as right, and what lies in a crowd as wrong.
    """
    fce = pytest.importorskip("faster_coco_eval")
    given = scene(seed, crowd=0.0, tied=False)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = fce.COCO(given.truth_document)
        evaluation = fce.COCOeval_faster(
            truth, truth.loadRes(given.records), "bbox", extra_calc=True
        )
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.areaRng = evaluation.params.areaRng[:1]
        evaluation.params.areaRngLbl = evaluation.params.areaRngLbl[:1]
        evaluation.evaluate()
        evaluation.accumulate()
        # What `summarize` leaves behind, which wants all thresholds.
        evaluation.all_stats = np.zeros(20)
        wanted = evaluation.extended_metrics
    points = operating_points(evaluated(given))
    assert close(points.precision_macro, wanted["precision"])
    assert close(points.recall_macro, wanted["recall"])
    at = points.at(points.threshold_macro)
    for each in wanted["class_map"]:
        if each["class"] in points.classes.names:
            k = points.classes.names.index(each["class"])
            assert close((at.precision[k], at.recall[k]), (each["precision"], each["recall"]))


@pytest.mark.parametrize("seed", SEEDS)
def test_raw_curves_of_scikit_learn(seed: int) -> None:
    """A detection for each truth box, and false ones: then all recall is in the scores."""
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(seed)
    n, n_false = 40, 60
    places = np.arange(n + n_false) * 20.0
    boxes = np.stack([places, 0 * places, 0 * places + 10, 0 * places + 10], axis=1)
    score = random.integers(0, 12, n + n_false) / 11
    one: dict[str, Any] = {"image_id": 1, "label": 1}
    metric = AveragePrecision(max_detections=1000).update(
        Boxes.from_xywh(boxes[:n], **one), Boxes.from_xywh(boxes, score=score, **one)
    )
    curve = operating_points(metric).curve(1)
    precision, recall, thresholds = metrics.precision_recall_curve(np.arange(len(score)) < n, score)
    # Its curve ascends, and ends at recall 0, for which there is no threshold.
    assert curve["threshold"].tolist() == thresholds[::-1].tolist()
    assert curve["precision"].tolist() == precision[-2::-1].tolist()
    assert curve["recall"].tolist() == recall[-2::-1].tolist()


# ---------------------------------------------------------------------------------------------
# LRP.


def plain_lrp(
    found: Iterable[Found], n_truth: int, tau: float, threshold: float
) -> tuple[float, float, float, float, int]:
    """Return LRP, its localisation, false positive and false negative parts; and TP."""
    kept = [each for each in found if each.score >= threshold]
    ious = [each.iou for each in kept if each.iou > 0]
    tp, fp = len(ious), len(kept) - len(ious)
    fn = n_truth - tp
    lost = math.fsum(1 - iou for iou in ious)
    return (
        (lost / (1 - tau) + fp + fn) / (tp + fp + fn),
        lost / tp if tp else math.nan,
        fp / (tp + fp) if kept else math.nan,
        fn / n_truth,
        tp,
    )


@pytest.mark.parametrize(("tau", "area"), [(0.5, "all"), (0.75, "all"), (0.5, "large")])
@pytest.mark.parametrize("seed", SEEDS)
def test_lrp_of_the_paper(seed: int, tau: float, area: str) -> None:
    given = scene(seed)
    reference = told(given, tau, area)
    result = localization_recall_precision(given.truth, given.pred, iou_threshold=tau, area=area)
    best = []
    for record in result.per_class():
        found = [each for each in reference.found if each.label == record["id"]]
        n_truth = sum(label == record["id"] for _, label in reference.truth)
        if not n_truth:
            assert math.isnan(record["olrp"])
            assert math.isnan(record["threshold"])
            continue
        thresholds = sorted({each.score for each in found}, reverse=True)
        errors = [plain_lrp(found, n_truth, tau, threshold) for threshold in thresholds]
        least = min((each[0] for each in errors if each[4]), default=1.0)
        assert close(record["olrp"], least)
        if least < 1:
            at = plain_lrp(found, n_truth, tau, record["threshold"])
            assert close(at[0], least)
            parts = [record[f"olrp_{part}"] for part in ("loc", "fp", "fn")]
            assert close(parts, at[1:4])
            best.append(at)
        else:
            assert math.isnan(record["threshold"])
            best.append((1.0, math.nan, math.nan, 1.0, 0))
    for i, value in enumerate(result.metrics.values()):
        defined = [each[i] for each in best if not math.isnan(each[i])]
        assert close(value, math.fsum(defined) / len(defined) if defined else math.nan)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("tau", [0.5, 0.6])
def test_lrp_of_vernier(seed: int, tau: float) -> None:
    lrp = pytest.importorskip("vernier._lrp")
    given = scene(seed, tied=False)
    grid = lrp.default_tau_grid()
    wanted = lrp.optimal_lrp(
        json.dumps(given.truth_document).encode(),
        json.dumps(given.records).encode(),
        tp_threshold=tau,
    )
    got = localization_recall_precision(
        given.truth, given.pred, iou_threshold=tau, score_thresholds=grid
    )
    # Its localisation is over 1 − τ; the paper's is 1 − the mean IoU.
    assert close(
        [got.olrp, got.olrp_loc / (1 - tau), got.olrp_fp, got.olrp_fn],
        [wanted.olrp, wanted.loc, wanted.fp, wanted.fn],
    )
    records = {each["id"]: each for each in got.per_class()}
    for each in wanted.per_class:
        record = records[each.category_id]
        assert close(record["olrp"], each.olrp)
        if not math.isnan(record["threshold"]):
            assert close(
                [record["olrp_loc"] / (1 - tau), record["olrp_fp"], record["olrp_fn"]],
                [each.olrp_loc, each.olrp_fp, each.olrp_fn],
            )
            # Several of its thresholds keep the same detections: it names the lowest.
            at = got.at(each.tau).lrp[list(CLASSES).index(each.category_id)]
            assert close(at, record["olrp"])
    # Every score as a threshold finds no more error than the grid.
    exact = localization_recall_precision(given.truth, given.pred, iou_threshold=tau)
    assert exact.olrp <= got.olrp + 1e-12


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"per_class": 20, "max_detections": (100,)},
        {"per_image": 9},
        {"class_agnostic": True},
        {"max_detections": (2,)},
    ],
    ids=str,
)
def test_lrp_knows_what_average_precision_knows(rules: dict[str, Any]) -> None:
    """The second state, with the IoU of matches, gives the same diagnoses."""
    given = scene(3)
    protocol = dataclasses.replace(COCO, **rules)
    ours = LocalizationRecallPrecision(protocol=protocol).update(given.truth, given.pred)
    theirs = AveragePrecision(protocol=protocol).update(given.truth, given.pred)
    assert str(operating_points(ours)) == str(operating_points(theirs))
    assert str(detection_calibration(ours)) == str(detection_calibration(theirs))
    assert image_table(ours).tp.tolist() == image_table(theirs).tp.tolist()
    if rules:
        plain = LocalizationRecallPrecision().update(given.truth, given.pred)
        assert str(operating_points(plain)) != str(operating_points(ours))


@pytest.mark.parametrize("seed", SEEDS)
def test_lrp_without_classes(seed: int) -> None:
    given = scene(seed, tied=False)
    got = localization_recall_precision(
        given.truth, given.pred, protocol=dataclasses.replace(COCO, class_agnostic=True)
    )
    alike = [
        dataclasses.replace(each, label=np.zeros(len(each), np.int32))
        for each in (given.truth, given.pred)
    ]
    wanted = localization_recall_precision(*alike)
    assert close(list(got.metrics.values()), list(wanted.metrics.values()))


# ---------------------------------------------------------------------------------------------
# Calibration.


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("lowest", [None, 0.25])
def test_calibration_is_that_of_classification(seed: int, lowest: float | None) -> None:
    given = scene(seed)
    reference = told(given)
    found = [each for each in reference.found if lowest is None or each.score >= lowest]
    got = detection_calibration(evaluated(given), bins=10, lowest_score=lowest)
    mass = detection_calibration(
        evaluated(given), bins=10, lowest_score=lowest, binning="equal-mass"
    )

    def wanted(some: list[Found]) -> Any:
        right = np.array([each.iou > 0 for each in some], np.int64)
        confidence = np.array([each.score for each in some])
        return calibration_error(
            right, np.ones_like(right), bins=10, confidence=confidence, adaptive=True
        )

    one = wanted(found)
    assert (got.ece, got.rmsce, got.mce) == (one.ece, one.rmsce, one.mce)
    assert (got.mean_score, got.precision) == (one.mean_confidence, one.accuracy)
    assert got.n.tolist() == one.n.tolist()
    assert got.n_true.tolist() == one.n_right.tolist()
    assert got.total_score.tolist() == one.total_confidence.tolist()
    assert mass.ece == one.adaptive_ece
    for result, name in ((got, "ece"), (mass, "adaptive_ece")):
        errors = []
        for record in result.per_class():
            of_class = [each for each in found if each.label == record["id"]]
            assert record["n"] == len(of_class)
            if of_class:
                errors.append(record["ece"])
                assert record["ece"] == wanted(of_class).metrics[name]
        assert result.classwise_ece == math.fsum(errors) / len(errors)


@pytest.mark.parametrize("seed", SEEDS)
def test_calibration_of_vernier(seed: int) -> None:
    instance = pytest.importorskip("vernier.instance")
    given = scene(seed, tied=False)
    # Its bins begin at the lowest score that is kept, ours at 0.
    assert given.pred.score is not None
    lowest = int(given.pred.score.argmin())
    given.pred.score[lowest] = given.records[lowest]["score"] = 0.0
    evaluation = instance.Evaluator().evaluate(
        json.dumps(given.truth_document).encode(),
        json.dumps(given.records).encode(),
        calibration=True,
    )
    wanted = evaluation.calibration(iou=0.5, n_bins=12, binning="equal_width", min_score=0.0)
    got = detection_calibration(evaluated(given), bins=12)
    assert got.data["n_predictions"] == wanted.n_detections
    assert close([got.ece, got.mce], [wanted.ece, wanted.mce])


# ---------------------------------------------------------------------------------------------
# The table of images.


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("threshold", [0.0, 0.3, 2.0])
def test_images_are_plain_counts(seed: int, threshold: float) -> None:
    given = scene(seed)
    reference = told(given)
    metric = LocalizationRecallPrecision().update(given.truth, given.pred)
    table = image_table(metric, score_threshold=threshold)
    records = table.worst()
    assert len(records) == 12
    for record in records:
        found = [e for e in reference.found if e.image == record["image"] and e.score >= threshold]
        ious = [each.iou for each in found if each.iou > 0]
        n_truth = sum(image == record["image"] for image, _ in reference.truth)
        counts = (len(ious), len(found) - len(ious), n_truth - len(ious))
        assert (record["tp"], record["fp"], record["fn"]) == counts
        assert close(record["mean_iou"], np.mean(ious) if ious else math.nan)
    keys = [
        (-(e["fp"] + e["fn"]), 1.0 if math.isnan(e["f1"]) else e["f1"], e["image"]) for e in records
    ]
    assert keys == sorted(keys)
    assert [record["tp"] for record in records] == [
        record["tp"] for record in image_table(evaluated(given), score_threshold=threshold).worst()
    ]
