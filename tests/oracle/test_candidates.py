"""Candidates and the matching by them against pycocotools and lvis: masks and boxes, whole.

Every cell of precision, recall and scores to the last bit, and who took which truth.
SNELLEN_FUZZ_EXAMPLES=5000 tries so many random examples for each test, other ones each time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import logging
import os
import unittest.mock
import warnings
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lvis import LVIS, LVISEval, LVISResults
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from snellen import AreaRange, DetectionProtocol, _core
from snellen.detection.curves import curves_of_rows
from snellen.detection.protocols import COCO_STRICT
from snellen.rle_masks import RleMasks

FUZZ_EXAMPLES = os.environ.get("SNELLEN_FUZZ_EXAMPLES")

Kind = Literal["bbox", "segm"]


def fuzz(n_examples: int) -> Callable[[Any], Any]:
    return settings(
        max_examples=int(FUZZ_EXAMPLES or n_examples),
        derandomize=FUZZ_EXAMPLES is None,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


# ---------------------------------------------------------------------------------------------
# Random data: small images, so that overlaps, scores and areas tie.


class Side(NamedTuple):
    """Objects of images 0 … and labels 0 …; ids in the files are one more."""

    image: NDArray[np.int32]
    label: NDArray[np.int32]
    masks: RleMasks
    xywh: NDArray[np.float64]


class Scene(NamedTuple):
    n_images: int
    n_labels: int
    truth: Side
    truth_area: NDArray[np.float64]
    crowd: NDArray[np.uint8]
    ignored: NDArray[np.uint8]
    id: NDArray[np.int64]
    pred: Side
    score: NDArray[np.float64]
    # Labels of each image that are not to be found, and those that truth has not all of.
    absent: list[list[int]]
    not_exhaustive: list[list[int]]


def side_of(
    random: np.random.Generator, n: int, n_images: int, n_labels: int, sizes: list[tuple[int, int]]
) -> Side:
    """Return blocks with holes, on a coarse grid; of masks of several sizes some do not fit."""
    size = [sizes[k] for k in random.integers(0, len(sizes), n)]
    runs: list[RleMasks] = []
    for height, width in size:
        pixels = np.zeros((1, height, width), np.bool_)
        y, x = random.integers(0, [height, width]) // 2 * 2
        h, w = random.integers(0, 4, 2) * 2
        block = pixels[0, y : y + h, x : x + w]
        block[:] = random.random(block.shape) < random.choice([0.6, 1.0])
        runs.append(RleMasks.from_arrays(pixels))
    empty = RleMasks.from_arrays(np.zeros((0, 1, 1), np.bool_))
    return Side(
        random.integers(0, n_images, n, np.int32),
        random.integers(0, n_labels, n, np.int32),
        RleMasks.joined([empty, *runs]),
        np.concatenate([random.integers(0, 6, (n, 2)), random.integers(1, 6, (n, 2))], axis=1)
        * 2.0,
    )


@st.composite
def scenes(draw: Any, *, one_size: bool = False) -> Scene:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_images, n_labels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    n_truth, n_pred = draw(st.integers(0, 25)), draw(st.integers(0, 50))
    sizes = [(12, 14)] if one_size or draw(st.booleans()) else [(12, 14), (14, 12)]
    truth = side_of(random, n_truth, n_images, n_labels, sizes)
    rate = draw(st.sampled_from([0.0, 0.2]))
    first_id = draw(st.sampled_from([0, 1]))
    return Scene(
        n_images,
        n_labels,
        truth,
        random.choice([1.0, 4.0, 16.0, 40.0], n_truth),
        (random.random(n_truth) < rate).astype(np.uint8),
        (random.random(n_truth) < rate).astype(np.uint8),
        first_id + random.permutation(n_truth),
        side_of(random, n_pred, n_images, n_labels, sizes),
        random.integers(0, 6, n_pred) / 5,
        [np.flatnonzero(random.random(n_labels) < 0.5).tolist() for _ in range(n_images)],
        [np.flatnonzero(random.random(n_labels) < 0.3).tolist() for _ in range(n_images)],
    )


def records(side: Side, **columns: NDArray[Any]) -> list[dict[str, Any]]:
    return [
        {
            "image_id": int(side.image[i]) + 1,
            "category_id": int(side.label[i]) + 1,
            "bbox": side.xywh[i].tolist(),
            "segmentation": mask,
            **{name: column[i].item() for name, column in columns.items()},
        }
        for i, mask in enumerate(side.masks.to_coco())
    ]


# ---------------------------------------------------------------------------------------------
# Ours.


def pred_area(scene: Scene, kind: Kind) -> NDArray[np.float64]:
    if kind == "segm":
        return scene.pred.masks.areas().astype(np.float64)
    return scene.pred.xywh[:, 2] * scene.pred.xywh[:, 3]


def pairs_of(scene: Scene, kind: Kind, lowest: float) -> dict[str, Any]:
    truth, pred = scene.truth, scene.pred
    rules: dict[str, Any] = {
        "n_images": scene.n_images,
        "n_labels": scene.n_labels,
        "lowest": lowest,
        "across_labels": False,
    }
    if kind == "bbox":
        return _core.box_candidates(
            truth.image, truth.label, truth.xywh, scene.crowd,
            pred.image, pred.label, pred.xywh, **rules,
        )  # fmt: skip
    t, p = truth.masks, pred.masks
    return _core.mask_candidates(
        truth.image, truth.label, scene.crowd, t.runs, t.offset, t.size,
        pred.image, pred.label, p.runs, p.offset, p.size, **rules,
    )  # fmt: skip


def matched(
    scene: Scene, kind: Kind, protocol: DetectionProtocol, exempt: NDArray[np.uint8] | None = None
) -> dict[str, Any]:
    pairs = pairs_of(scene, kind, min(protocol.iou_thresholds[0], 1 - 1e-10))
    return _core.match_candidates(
        scene.truth.image,
        scene.truth.label,
        scene.truth_area,
        scene.crowd,
        None if exempt is None else scene.ignored,
        scene.id,
        scene.pred.image,
        scene.pred.label,
        pred_area(scene, kind),
        scene.score,
        exempt,
        **pairs,
        n_images=scene.n_images,
        n_labels=scene.n_labels,
        iou_thresholds=list(protocol.iou_thresholds),
        area_ranges=[(area.low, area.high) for area in protocol.area_ranges],
        max_detections=protocol.max_detections[-1],
        id_zero_is_no_match=True,
        with_matches=True,
    )


def curves(scene: Scene, protocol: DetectionProtocol, columns: dict[str, Any]) -> dict[str, Any]:
    def part(prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): column
            for name, column in columns.items()
            if name.startswith(prefix)
        }

    found = curves_of_rows(protocol, scene.n_labels, part("truth_"), part("pred_"))
    return dict(zip(("precision", "scores", "recall"), found, strict=False))


def assert_same(got: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name, cells in wanted.items():
        assert got[name].shape == cells.shape, name
        if np.ascontiguousarray(got[name]).tobytes() != cells.tobytes():
            differ = np.argwhere(got[name] != cells)
            pytest.fail(f"{name}: {len(differ)} cells differ, first {differ[:1].tolist()}")


@contextlib.contextmanager
def quiet() -> Any:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        # lvis calls a method of loggers that is deprecated, and a name that NumPy has no longer.
        warnings.simplefilter("ignore", DeprecationWarning)
        with unittest.mock.patch.object(np, "float", float, create=True):
            yield


# ---------------------------------------------------------------------------------------------
# pycocotools.


def coco_evaluation(scene: Scene, kind: Kind, protocol: DetectionProtocol) -> COCOeval:
    truth = COCO()
    truth.dataset = {
        "images": [{"id": i + 1, "height": 12, "width": 14} for i in range(scene.n_images)],
        "categories": [{"id": i + 1, "name": str(i)} for i in range(scene.n_labels)],
        "annotations": records(
            scene.truth, id=scene.id, area=scene.truth_area, iscrowd=scene.crowd
        ),
    }
    truth.createIndex()
    found = records(scene.pred, score=scene.score)
    if kind == "segm":
        # Where there are boxes, loadRes takes their areas.
        for record in found:
            del record["bbox"]
    evaluation = COCOeval(truth, truth.loadRes(found), kind)
    params = evaluation.params
    params.iouThrs = np.array(protocol.iou_thresholds)
    params.maxDets = list(protocol.max_detections)
    params.areaRng = [[area.low, area.high] for area in protocol.area_ranges]
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation


def matches_of_cells(evaluation: COCOeval, scene: Scene) -> list[list[float]]:
    """Return the ids that detections took in the first area range, in our order of rows."""
    n_areas = len(evaluation.params.areaRng)
    cells = np.empty(len(evaluation.evalImgs), object)
    cells[:] = evaluation.evalImgs
    cells = cells.reshape(scene.n_labels, n_areas, scene.n_images)[:, 0].reshape(-1)
    return [row for cell in cells if cell is not None for row in cell["dtMatches"].T.tolist()]


AREAS = tuple(
    AreaRange(label, *bounds)
    for label, bounds in zip(
        ("all", "small", "medium", "large"),
        ((0.0, 1e10), (0.0, 4.0), (4.0, 16.0), (16.0, 1e10)),
        strict=True,
    )
)
PROTOCOLS = st.builds(
    lambda ious, caps: dataclasses.replace(
        COCO_STRICT, iou_thresholds=ious, max_detections=caps, area_ranges=AREAS
    ),
    st.sampled_from(
        [
            COCO_STRICT.iou_thresholds,
            (0.0, 1 / 3, 0.75, 1.0),
            (1e-9, 0.5),
            tuple(np.linspace(0.05, 1.0, 20).tolist()),
        ]
    ),
    st.sampled_from([(1, 10, 100), (1, 2, 4)]),
)


@pytest.mark.parametrize("kind", ["segm", "bbox"])
@fuzz(250)
@given(scene=scenes(), protocol=PROTOCOLS)
def test_equals_pycocotools(kind: Kind, scene: Scene, protocol: DetectionProtocol) -> None:
    # loadRes dies of an empty list.
    assume(len(scene.score))
    with quiet():
        evaluation = coco_evaluation(scene, kind, protocol)
    columns = matched(scene, kind, protocol)
    wanted = {name: evaluation.eval[name] for name in ("precision", "recall", "scores")}
    assert_same(curves(scene, protocol, columns), wanted)
    # Truth of id 0 is taken, too; the reference writes 0 for both.
    ids = np.append(scene.id, 0)
    assert ids[columns["pred_match"]].tolist() == matches_of_cells(evaluation, scene)


# ---------------------------------------------------------------------------------------------
# lvis: truth that is ignored, labels of an image whose truth is not complete.


def lvis_evaluation(scene: Scene, kind: Kind) -> LVISEval:
    truth = LVIS.__new__(LVIS)  # what it does beside reading a file
    images = [
        {
            "id": i + 1,
            "height": 12,
            "width": 14,
            "neg_category_ids": [label + 1 for label in scene.absent[i]],
            "not_exhaustive_category_ids": [label + 1 for label in scene.not_exhaustive[i]],
        }
        for i in range(scene.n_images)
    ]
    categories = [{"id": i + 1, "name": str(i), "frequency": "f"} for i in range(scene.n_labels)]
    annotations = records(scene.truth, id=scene.id, area=scene.truth_area, ignore=scene.ignored)
    truth.logger = logging.getLogger("lvis")
    truth.dataset = {"images": images, "categories": categories, "annotations": annotations}
    truth._create_index()
    found = records(scene.pred, score=scene.score)
    if kind == "segm":
        for record in found:
            del record["bbox"]
    evaluation = LVISEval(truth, LVISResults(truth, found), kind)
    evaluation.params.area_rng = [[area.low, area.high] for area in AREAS]
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation


@pytest.mark.parametrize("kind", ["segm", "bbox"])
@fuzz(250)
@given(scene=scenes(one_size=True))
def test_equals_lvis(kind: Kind, scene: Scene) -> None:
    scene = scene._replace(crowd=np.zeros_like(scene.crowd))
    # What lvis drops before it matches: labels of an image of which nothing is known, and
    # detections without pixels.
    known = np.zeros((scene.n_images, scene.n_labels), np.bool_)
    known[scene.truth.image, scene.truth.label] = True
    exempt = np.zeros_like(known)
    for image in range(scene.n_images):
        known[image, scene.absent[image]] = True
        exempt[image, scene.not_exhaustive[image]] = True
    keep = known[scene.pred.image, scene.pred.label] & (pred_area(scene, kind) > 0)
    assume(len(scene.score))
    with quiet():
        evaluation = lvis_evaluation(scene, kind)
    pred = scene.pred
    kept = scene._replace(
        pred=Side(pred.image[keep], pred.label[keep], pred.masks[keep], pred.xywh[keep]),
        score=scene.score[keep],
    )
    params = evaluation.params
    protocol = dataclasses.replace(
        COCO_STRICT,
        iou_thresholds=tuple(params.iou_thrs.tolist()),
        recall_thresholds=tuple(params.rec_thrs.tolist()),
        area_ranges=AREAS,
        max_detections=(300,),
    )
    flags = exempt[kept.pred.image, kept.pred.label].astype(np.uint8)
    columns = matched(kept, kind, protocol, flags)
    found = curves(kept, protocol, columns)
    assert_same(
        {name: found[name][..., 0] for name in ("precision", "recall")},
        {name: evaluation.eval[name] for name in ("precision", "recall")},
    )
