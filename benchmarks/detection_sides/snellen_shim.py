"""Snellen by pycocotools' names, on one thread: what its cells cost, and replicates of its AP."""

from __future__ import annotations

import time

from detection_sides.parts import CELLS, EVALUATION, REPLICATED, REPLICATES, STEPS, first_cell
from snellen import AveragePrecision, intervals, read_coco_predictions, read_coco_truth
from snellen.compat.pycocotools import COCO, COCOeval
from snellen.threads import set_threads


def phases(truth: str, predictions: str) -> dict[str, float]:
    """Return the seconds of each part."""
    set_threads(1)
    known = COCO(truth)
    evaluation = COCOeval(known, known.loadRes(predictions), "bbox")
    seconds = {}
    start = time.perf_counter()
    evaluation.evaluate()
    evaluation.accumulate()
    seconds[STEPS] = time.perf_counter() - start
    seconds[CELLS] = first_cell(evaluation)

    boxes = read_coco_truth(truth)
    found = read_coco_predictions(predictions, boxes)
    # The first time it imports, and takes memory from the system.
    AveragePrecision(protocol="coco-strict").update(boxes, found).compute()
    start = time.perf_counter()
    metric = AveragePrecision(protocol="coco-strict").update(boxes, found)
    metric.compute()
    seconds[EVALUATION] = time.perf_counter() - start
    start = time.perf_counter()
    intervals(metric, replicates=REPLICATES, names=["AP"])
    seconds[REPLICATED] = time.perf_counter() - start
    return seconds
