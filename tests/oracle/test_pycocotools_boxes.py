"""Average precision of boxes against the installed pycocotools: every cell, to the last bit.

SNELLEN_FUZZ_EXAMPLES=5000 tries so many random examples for each test, other ones each time.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from snellen import (
    AreaRange,
    AveragePrecision,
    AveragePrecisionResult,
    Boxes,
    DetectionProtocol,
    box_iou,
    get_threads,
    read_coco_predictions,
    read_coco_truth,
    set_threads,
)
from snellen.detection.protocols import COCO_STRICT
from snellen.testing import detection_batches

Batches = list[tuple[Boxes, Boxes]]
Records = list[dict[str, Any]]

FUZZ_EXAMPLES = os.environ.get("SNELLEN_FUZZ_EXAMPLES")


def fuzz(share: float) -> Callable[[Any], Any]:
    """Return settings for so large a share of the examples."""
    return settings(
        max_examples=max(1, round(int(FUZZ_EXAMPLES or 500) * share)),
        derandomize=FUZZ_EXAMPLES is None,
        database=None,
        deadline=None,
        # Both evaluators take some milliseconds for an example.
        suppress_health_check=[HealthCheck.too_slow],
    )


# ---------------------------------------------------------------------------------------------
# The reference, quiet.


class Reference(NamedTuple):
    precision: Any
    recall: Any
    scores: Any
    stats: Any
    n_counted: Any


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def areas(boxes: Boxes) -> Any:
    return boxes.xywh[:, 2] * boxes.xywh[:, 3] if boxes.area is None else boxes.area


def truth_document(batches: Batches) -> dict[str, Any]:
    """Return the truth of all batches as a COCO annotation file holds it."""
    classes = batches[0][0].classes
    annotations: Records = []
    for truth, _ in batches:
        assert truth.id is not None
        assert truth.crowd is not None
        image_ids, class_ids = truth.images.ids.tolist(), truth.classes.keys.ids.tolist()
        area = areas(truth)
        for i in range(len(truth)):
            annotations.append(
                {
                    "id": int(truth.id[i]),
                    "image_id": image_ids[truth.image[i]],
                    "category_id": class_ids[truth.label[i]],
                    "bbox": truth.xywh[i].tolist(),
                    "area": float(area[i]),
                    "iscrowd": int(truth.crowd[i]),
                    # The reference puts iscrowd in its place.
                    "ignore": i % 2,
                }
            )
    return {
        # Neither evaluator may depend on the order of these lists.
        "images": [{"id": i} for truth, _ in batches for i in truth.images.ids.tolist()][::-1],
        "categories": [{"id": i, "name": f"n{i}"} for i in classes.keys.ids.tolist()][::-1],
        "annotations": annotations,
    }


def prediction_records(batches: Batches) -> Records:
    """Return the predictions of all batches as a COCO results file holds them."""
    records: Records = []
    for _, pred in batches:
        assert pred.score is not None
        image_ids, class_ids = pred.images.ids.tolist(), pred.classes.keys.ids.tolist()
        for i in range(len(pred)):
            records.append(
                {
                    "image_id": image_ids[pred.image[i]],
                    "category_id": class_ids[pred.label[i]],
                    "bbox": pred.xywh[i].tolist(),
                    "score": float(pred.score[i]),
                }
            )
    return records


def reference_truth(document: dict[str, Any]) -> COCO:
    coco = COCO()
    coco.dataset = copy.deepcopy(document)
    coco.createIndex()
    return coco


def reference_results(truth: COCO, predictions: Any) -> COCO:
    if len(predictions):
        return truth.loadRes(copy.deepcopy(predictions))
    # loadRes dies of an empty list; what it would have made is clear.
    return reference_truth({**truth.dataset, "annotations": []})


def reference_of(truth: COCO, results: COCO, protocol: DetectionProtocol) -> Reference:
    evaluation = COCOeval(truth, results, "bbox")
    params = evaluation.params
    if protocol.iou_thresholds != COCO_STRICT.iou_thresholds:
        params.iouThrs = np.array(protocol.iou_thresholds)
    if protocol.recall_thresholds != COCO_STRICT.recall_thresholds:
        params.recThrs = np.array(protocol.recall_thresholds)
    params.maxDets = list(protocol.max_detections)
    params.areaRng = [[area.low, area.high] for area in protocol.area_ranges]
    params.areaRngLbl = [area.label for area in protocol.area_ranges]
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    shape = (len(params.catIds), len(params.areaRng), len(params.imgIds))
    counted = [
        0 if cell is None else int(np.count_nonzero(cell["gtIgnore"] == 0))
        for cell in evaluation.evalImgs
    ]
    return Reference(
        **{name: evaluation.eval[name] for name in ("precision", "recall", "scores")},
        stats=evaluation.stats,
        n_counted=np.array(counted).reshape(shape).sum(axis=2),
    )


def reference_of_batches(batches: Batches, protocol: DetectionProtocol) -> Reference:
    with quiet():
        truth = reference_truth(truth_document(batches))
        return reference_of(truth, reference_results(truth, prediction_records(batches)), protocol)


# ---------------------------------------------------------------------------------------------
# Comparison.


def result_of(batches: Batches, protocol: DetectionProtocol | str) -> AveragePrecisionResult:
    metric = AveragePrecision(protocol=protocol)
    for truth, pred in batches:
        metric.update(truth, pred)
    return metric.compute()


def assert_same_cells(got: Any, wanted: Any, name: str) -> None:
    assert got.shape == wanted.shape, name
    if np.ascontiguousarray(got).tobytes() != wanted.tobytes():
        differ = np.argwhere((got != wanted) | (np.signbit(got) != np.signbit(wanted)))
        at = tuple(differ[0].tolist())
        pytest.fail(f"{name}: {len(differ)} cells differ; {at}: {got[at]!r}, not {wanted[at]!r}")


def assert_equals_reference(result: AveragePrecisionResult, wanted: Reference) -> None:
    for name in ("precision", "recall", "scores"):
        assert_same_cells(getattr(result, name), getattr(wanted, name), name)
    assert result.n_counted.tolist() == wanted.n_counted.tolist()
    values = [-1.0 if math.isnan(value) else value for value in result.metrics.values()]
    assert values == wanted.stats.tolist()
    assert len(result.undefined) == wanted.stats.tolist().count(-1.0)
    assert_per_class_ap_is_the_copied_loop(result, wanted)


def assert_per_class_ap_is_the_copied_loop(
    result: AveragePrecisionResult, wanted: Reference
) -> None:
    """Compare with the loop that people copy, over all thresholds and the last cap."""
    if result.rules.ap_only_at not in (None, result.rules.max_detections[-1]):
        return
    for k, record in enumerate(result.per_class()):
        cells = wanted.precision[:, :, k, 0, -1]
        cells = cells[cells > -1]
        assert (record["AP"] == np.mean(cells)) if cells.size else math.isnan(record["AP"])


# ---------------------------------------------------------------------------------------------
# Cases worth naming.


def one_image(
    truth: list[list[float]],
    pred: list[list[float]],
    score: list[float] | None = None,
    **columns: Any,
) -> Batches:
    """Return one image of one class; ids from 1 and no crowds where not given."""

    def boxes(rows: list[list[float]], **more: Any) -> Boxes:
        n = len(rows)
        same: dict[str, Any] = {"image_id": [1] * n, "label": [1] * n}
        return Boxes.from_xywh(rows, image_ids=[1], classes={1: ""}, **same, **more)

    n = len(truth)
    columns = {"id": np.arange(1, n + 1), "crowd": np.zeros(n), **columns}
    return [
        (boxes(truth, **columns), boxes(pred, score=[0.5] * len(pred) if score is None else score))
    ]


# Truth of 20 by 10, found as k by 10: IoUs of exactly k / 20, all scores equal.
IOU_AT_THRESHOLDS = one_image(
    [[0, 50 * k, 20, 10] for k in range(21)], [[0, 50 * k, k, 10] for k in range(21)]
)
# Both IoUs are 90 / 110: the later truth box is taken, then the other.
EQUAL_IOUS = one_image(
    [[0, 0, 10, 10], [2, 0, 10, 10]], [[1, 0, 10, 10], [0, 0, 10, 10]], [0.9, 0.8]
)
CROWD_TAKES_ALL = one_image(
    [[0, 0, 100, 100], [0, 0, 10, 10]],
    [[0, 0, 10, 10], [5, 5, 10, 10], [50, 50, 20, 20], [60, 50, 20, 20], [95, 95, 20, 20]],
    crowd=[1, 0],
)
AREAS_AT_BORDERS = one_image(
    [[0, 0, 32, 32], [100, 0, 96, 96], [300, 0, 50, 50]],
    [[0, 0, 32, 32], [100, 0, 96, 96], [300, 0, 50, 50], [500, 0, 32, 32], [700, 0, 96, 96]],
    area=[1024, 9216, 1024],
)
ID_ZERO = one_image([[0, 0, 10, 10], [20, 0, 10, 10]], [[0, 0, 10, 10], [20, 0, 10, 10]], id=[0, 1])
NEGATIVE_IDS = one_image([[0, 0, 10, 10]] * 2, [[0, 0, 10, 10]] * 3, id=[-1, -7])
MORE_THAN_THE_CAP = one_image([[0, 0, 10, 10]], [[9, 9, 10, 10]] * 120 + [[0, 0, 10, 10]])
NOTHING_FOUND = one_image([[0, 0, 10, 10]], [])
NO_TRUTH = one_image([], [[0, 0, 10, 10]])
NAMED = (
    IOU_AT_THRESHOLDS,
    EQUAL_IOUS,
    CROWD_TAKES_ALL,
    AREAS_AT_BORDERS,
    ID_ZERO,
    NEGATIVE_IDS,
    MORE_THAN_THE_CAP,
    NOTHING_FOUND,
    NO_TRUTH,
)


def examples_of(**values: Any) -> Callable[[Any], Any]:
    """Return a decorator that tries all named cases first."""

    def decorate(function: Any) -> Any:
        for batches in NAMED:
            function = example(batches=batches, **values)(function)
        return function

    return decorate


AREAS = st.sampled_from(
    [
        COCO_STRICT.area_ranges,
        tuple(
            AreaRange(label, *bounds)
            for label, bounds in zip(
                ("all", "small", "medium", "large"),
                # One area only; buckets that overlap; nothing at all is large.
                ((0.0, 1e5), (1024.0, 1024.0), (100.0, 9216.0), (1e6, 1e7)),
                strict=True,
            )
        ),
    ]
)
CUSTOM_PROTOCOLS = st.builds(
    lambda ious, recalls, caps, areas: dataclasses.replace(
        COCO_STRICT,
        iou_thresholds=ious,
        recall_thresholds=recalls,
        max_detections=caps,
        area_ranges=areas,
    ),
    st.sampled_from(
        [
            COCO_STRICT.iou_thresholds,
            (0.5,),
            (0.0, 1 / 3, 0.75, 1.0),
            # 40 thresholds are more than one outcome word holds.
            tuple(np.linspace(0.025, 1.0, 40).tolist()),
            tuple(np.linspace(0.05, 0.8, 16).tolist()),
            tuple(np.linspace(0.05, 0.85, 17).tolist()),
        ]
    ),
    st.sampled_from(
        [
            COCO_STRICT.recall_thresholds,
            (0.0, 0.25, 1 / 3, 0.5, 2 / 3, 1.0),
            (1e-300, 0.1, 0.3),
            (1.0,),
        ]
    ),
    st.sampled_from([(1, 10, 100), (1, 10, 300), (2, 5, 7), (1, 2, 3), (3, 100, 101)]),
    AREAS,
)


# ---------------------------------------------------------------------------------------------
# The tests.


@fuzz(1)
@given(batches=detection_batches())
@examples_of()
def test_strict_equals_the_reference(batches: Batches) -> None:
    wanted = reference_of_batches(batches, COCO_STRICT)
    assert_equals_reference(result_of(batches, "coco-strict"), wanted)


@fuzz(0.6)
@given(batches=detection_batches(), protocol=CUSTOM_PROTOCOLS)
@examples_of(protocol=dataclasses.replace(COCO_STRICT, max_detections=(2, 5, 7)))
def test_strict_equals_the_reference_under_other_parameters(
    batches: Batches, protocol: DetectionProtocol
) -> None:
    assert_equals_reference(result_of(batches, protocol), reference_of_batches(batches, protocol))


@fuzz(0.3)
@given(batches=detection_batches())
@examples_of()
def test_of_four_caps_the_third_is_that_of_sizes(batches: Batches) -> None:
    protocol = dataclasses.replace(COCO_STRICT, max_detections=(1, 2, 3, 100))
    result, wanted = result_of(batches, protocol), reference_of_batches(batches, protocol)
    assert_same_cells(result.precision, wanted.precision, "precision")
    values = {name: -1.0 if math.isnan(value) else value for name, value in result.metrics.items()}
    del values["AR_100"]  # the reference prints recall at three caps
    assert list(values.values()) == wanted.stats.tolist()


@fuzz(0.4)
@given(batches=detection_batches(extreme=True))
def test_strict_equals_the_reference_at_extreme_coordinates(batches: Batches) -> None:
    wanted = reference_of_batches(batches, COCO_STRICT)
    assert_equals_reference(result_of(batches, "coco-strict"), wanted)


@fuzz(0.3)
@given(batches=detection_batches())
@examples_of()
def test_default_protocol_equals_the_reference_where_no_id_is_0(batches: Batches) -> None:
    assume(all(truth.id is not None and truth.id.all() for truth, _ in batches))
    wanted = reference_of_batches(batches, COCO_STRICT)
    result = result_of(batches, "coco")
    for name in ("precision", "recall", "scores"):
        cells = getattr(wanted, name)
        assert_same_cells(
            np.where(np.isnan(getattr(result, name)), -1.0, getattr(result, name)), cells, name
        )
        assert np.array_equal(np.isnan(getattr(result, name)), cells == -1), name
    values = [-1.0 if math.isnan(value) else value for value in result.metrics.values()]
    assert values == wanted.stats.tolist()
    assert_per_class_ap_is_the_copied_loop(result, wanted)


@fuzz(0.3)
@given(batches=detection_batches())
@examples_of()
def test_files_equal_the_reference(batches: Batches) -> None:
    document, records = truth_document(batches), prediction_records(batches)
    assume(records)
    with tempfile.TemporaryDirectory() as folder:
        truth_path, pred_path = Path(folder, "truth.json"), Path(folder, "pred.json")
        truth_path.write_text(json.dumps(document), encoding="utf-8")
        pred_path.write_text(json.dumps(records), encoding="utf-8")
        with quiet():
            coco = COCO(str(truth_path))
            wanted = reference_of(coco, coco.loadRes(str(pred_path)), COCO_STRICT)
        truth = read_coco_truth(truth_path, complete=True)
        pred = read_coco_predictions(pred_path, truth, complete=True)
    assert_equals_reference(result_of([(truth, pred)], "coco-strict"), wanted)
    # The same records in memory.
    truth = read_coco_truth(document, complete=True)
    pred = read_coco_predictions(records, truth, complete=True)
    assert_equals_reference(result_of([(truth, pred)], "coco-strict"), wanted)


@fuzz(0.3)
@given(
    batches=detection_batches(wide_ids=False),
    dtype=st.sampled_from([np.float32, np.float64, np.int64]),
)
@examples_of(dtype=np.float32)
def test_array_of_rows_equals_the_reference(batches: Batches, dtype: Any) -> None:
    records = prediction_records(batches)
    assume(records)
    ids = [[record["image_id"], record["category_id"]] for record in records]
    rows = np.array(
        [
            [image, *r["bbox"], r["score"], label]
            for r, (image, label) in zip(records, ids, strict=True)
        ],
        np.float64,
    ).astype(dtype)
    # The union of all batches' truth, which is what the rows' ids refer to.
    document = truth_document(batches)
    truth = Boxes.from_xywh(
        np.concatenate([t.xywh for t, _ in batches]),
        image_id=np.concatenate([t.images.ids[t.image] for t, _ in batches]),
        label=np.concatenate([t.classes.keys.ids[t.label] for t, _ in batches]),
        area=np.concatenate([areas(t) for t, _ in batches]),
        crowd=[annotation["iscrowd"] for annotation in document["annotations"]],
        id=[annotation["id"] for annotation in document["annotations"]],
        image_ids=[image["id"] for image in document["images"]],
        classes=batches[0][0].classes,
    )
    with quiet():
        coco = reference_truth(document)
        wanted = reference_of(coco, reference_results(coco, rows), COCO_STRICT)
    pred = read_coco_predictions(rows, truth, complete=True)
    assert_equals_reference(result_of([(truth, pred)], "coco-strict"), wanted)


def test_threads_change_no_byte() -> None:
    """Enough detections for several blocks of work, in classes of unlike size."""
    random = np.random.default_rng(5)
    n_truth, n_pred, n_images = 600, 20_000, 40

    def boxes(n: int, **columns: Any) -> Boxes:
        corner, size = random.integers(0, 4, (n, 2)) * 16.0, random.integers(1, 3, (n, 2)) * 48.0
        return Boxes.from_xywh(
            np.concatenate([corner, size], axis=1),
            image_id=random.integers(n_images, size=n),
            label=np.minimum(random.geometric(0.5, n), 6),
            image_ids=range(n_images),
            classes=dict.fromkeys(range(1, 7), ""),
            **columns,
        )

    truth = boxes(n_truth, id=np.arange(n_truth), crowd=random.random(n_truth) < 0.05)
    batches = [(truth, boxes(n_pred, score=random.integers(0, 200, n_pred) / 200))]
    wanted = reference_of_batches(batches, COCO_STRICT)
    states = set()
    before = get_threads()
    try:
        for n_threads in (1, 2, 8):
            set_threads(n_threads)
            metric = AveragePrecision(protocol="coco-strict").update(*batches[0])
            assert_equals_reference(metric.compute(), wanted)
            states.add(metric.to_bytes())
    finally:
        set_threads(before)
    assert len(states) == 1
    assert 0.02 < wanted.stats[1] < 0.9


COORDINATES = st.one_of(
    st.integers(-20, 20).map(float),
    st.floats(-1e3, 1e3),
    st.sampled_from([1e300, -1e300, 1e150, 5e-324, 1e-200, 1e16, -0.0]),
)
# Areas stay within float64's range, others are refused.
SIZES = st.one_of(
    st.integers(0, 20).map(float),
    st.floats(1e-150, 1e3),
    st.sampled_from([1e150, 1e100, 1e-160, 1e16]),
)
BOX_LISTS = st.lists(st.tuples(COORDINATES, COORDINATES, SIZES, SIZES), min_size=1, max_size=6)


@fuzz(4)
@given(pred=BOX_LISTS, truth=BOX_LISTS, crowd=st.integers(0, 63))
def test_box_iou_equals_the_reference(
    pred: list[tuple[float, ...]], truth: list[tuple[float, ...]], crowd: int
) -> None:
    flags = [crowd >> i & 1 for i in range(len(truth))]
    wanted = np.asarray(mask.iou([list(box) for box in pred], [list(box) for box in truth], flags))
    got = box_iou(
        Boxes.from_xywh(pred, image_id=[1] * len(pred), label=[1] * len(pred)),
        Boxes.from_xywh(truth, image_id=[1] * len(truth), label=[1] * len(truth), crowd=flags),
    )
    assert got.tobytes() == np.ascontiguousarray(wanted).tobytes()
