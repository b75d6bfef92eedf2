"""vernier: its native ``Evaluator`` in strict mode; ``num_threads`` as there are processors.

Its default is one thread, which takes longer on the wall and less of the processors.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vernier
from vernier.instance import Bbox, CocoDataset, Evaluator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _summary(truth: Any, predictions: Any) -> Any:
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    evaluator = Evaluator(iou=Bbox(), parity_mode="strict")
    summary = evaluator.evaluate(truth, predictions, num_threads=threads)
    print("\n".join(summary.pretty_lines()))
    return summary


def from_files(truth: str, predictions: str) -> None:
    """Two files to the twelve printed lines."""
    _summary(Path(truth).read_bytes(), Path(predictions).read_bytes())


def numbers(truth: str, predictions: str) -> tuple[Any, Sequence[float]]:
    """Return the precision array and the twelve numbers.

    The evaluator gives no curves: these are of its ``COCOeval``, which takes the same records.
    """
    summary = _summary(Path(truth).read_bytes(), Path(predictions).read_bytes())
    content = json.loads(Path(truth).read_text())
    results = json.loads(Path(predictions).read_text())
    evaluation = vernier.COCOeval(
        _Handle(content), _Handle({**content, "annotations": results}), iouType="bbox"
    )
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation.eval["precision"], summary.stats


def from_arrays(truth: str, rows: Any) -> Callable[[], Sequence[float]]:
    """Return the work on an (n, 7) array; the truth's ``CocoDataset`` is there already."""
    known = CocoDataset.from_json(Path(truth).read_bytes())

    def work() -> Sequence[float]:
        stats: Sequence[float] = _summary(known, rows).stats
        return stats

    return work


class _Handle:
    """What ``vernier.COCOeval`` reads of a ``pycocotools.coco.COCO``."""

    def __init__(self, dataset: dict[str, Any]) -> None:
        self.dataset = dataset

    def getImgIds(self) -> list[int]:  # noqa: N802 - pycocotools' name
        """Return the ids of all images."""
        return [image["id"] for image in self.dataset["images"]]

    def getCatIds(self) -> list[int]:  # noqa: N802 - pycocotools' name
        """Return the ids of all categories."""
        return [category["id"] for category in self.dataset["categories"]]
