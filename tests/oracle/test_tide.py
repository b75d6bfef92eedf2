"""The kinds of errors and what they cost, against tidecv 1.0.1."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tests.detector_scenes import scene

from snellen import Boxes
from snellen.detection.error_types import DetectionErrors, detection_errors
from snellen.testing import detection_batches

tidecv = pytest.importorskip("tidecv")
from tidecv import TIDE, Data  # noqa: E402

NAMES = ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")


def as_tide(truth: Boxes, pred: Boxes) -> tuple[Data, Data]:
    """Return the same objects as tidecv takes them, images by id."""
    gt, dt = Data("gt"), Data("dt")
    crowd = np.zeros(len(truth)) if truth.crowd is None else truth.crowd
    for image in range(len(truth.images)):
        gt.add_image(image, str(image))
    for row in np.argsort(truth.image, kind="stable").tolist():
        add = gt.add_ignore_region if crowd[row] else gt.add_ground_truth
        add(int(truth.image[row]), int(truth.label[row]), box=truth.xywh[row].tolist())
    for row in range(len(pred)):
        assert pred.score is not None
        image = int(truth.images.codes(pred.images.ids)[pred.image[row]])
        dt.add_detection(
            image, int(pred.label[row]), float(pred.score[row]), pred.xywh[row].tolist()
        )
    return gt, dt


def expected(truth: Boxes, pred: Boxes, pos: float, background: float) -> dict[str, float]:
    """Return tidecv's numbers: AP and dAP in points, and counts."""
    tide = TIDE(pos, background)
    run = tide.evaluate(*as_tide(truth, pred), mode=TIDE.BOX)
    found = {"AP": run.ap}
    for kind, n in run.count_errors().items():
        found[f"n_{kind.short_name.lower()}"] = n
    for name, fix in (("main", run.fix_main_errors), ("special", run.fix_special_errors)):
        try:
            errors = fix()
        except ZeroDivisionError:  # no class is left: tidecv then gives no number at all
            found[name] = math.nan
            continue
        for kind, gain in errors.items():
            short = {"FalsePos": "fp", "FalseNeg": "fn"}.get(kind.short_name)
            found[f"dAP_{short or kind.short_name.lower()}"] = gain
    return found


def compare(truth: Boxes, pred: Boxes, pos: float = 0.5, background: float = 0.1) -> None:
    result = detection_errors(truth, pred, iou_threshold=pos, background_threshold=background)
    if math.isnan(result.AP):
        # tidecv divides by zero. Detections in regions alone make no class either.
        assert not result.n_truth.any()
        assert result.data["n_left_out"] == len(pred)
        return
    wanted = expected(truth, pred, pos, background)
    if wanted.pop("main", None) is not None:
        assert any(math.isnan(result.metrics[f"dAP_{n.lower()}"]) for n in NAMES)
    if wanted.pop("special", None) is not None:
        assert math.isnan(result.dAP_fn) or math.isnan(result.dAP_fp)
    got: dict[str, Any] = {**result.metrics, **result.data}
    for name, value in wanted.items():
        if name.startswith("n_"):
            assert got[name] == value, name
        else:
            # Sums of 101 precisions and of classes are rounded in another order.
            assert math.isclose(100 * got[name], value, rel_tol=0, abs_tol=1e-11), name


@settings(deadline=None, max_examples=150)
@given(detection_batches(max_batches=1))
def test_small_data(batches: list[tuple[Boxes, Boxes]]) -> None:
    for truth, pred in batches:
        # tidecv fails where a score is at most -1.
        assert pred.score is not None
        compare(truth, pred[pred.score > -1])


@pytest.mark.parametrize("seed", range(12))
def test_scenes(seed: int) -> None:
    truth, pred = scene(seed)
    compare(truth, pred)
    compare(truth, pred, 0.75, 0.3)
    compare(truth, pred, 0.5, 0.5)


def test_cap_over_all_classes() -> None:
    compare(*scene(99, n_images=4, n_pred=2000))


def test_every_kind_occurs() -> None:
    data = detection_errors(*scene(0, n_pred=600)).data
    assert all(data[f"n_{name.lower()}"] >= 5 for name in NAMES), data
    assert data["n_left_out"] > 5


def test_a_different_order_of_rows_and_images() -> None:
    truth, pred = scene(3)
    whole = DetectionErrors().update(truth, pred)
    parts = DetectionErrors()
    for images in np.array_split(np.random.default_rng(0).permutation(30), 4):
        parts.update(*(part_of(boxes, images) for boxes in (truth, pred)))
    assert parts.to_bytes() == whole.to_bytes()


def part_of(boxes: Boxes, images: Any) -> Boxes:
    rows = np.flatnonzero(np.isin(boxes.image, images))
    return Boxes.from_xywh(
        boxes.xywh[rows],
        image_id=boxes.image[rows],
        label=boxes.label[rows],
        score=None if boxes.score is None else boxes.score[rows],
        crowd=None if boxes.crowd is None else boxes.crowd[rows],
        image_ids=images,
        classes=boxes.classes,
    )
