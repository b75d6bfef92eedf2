"""Open Images' rules in plain words: of each object by itself, nothing clever."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]


@dataclasses.dataclass(frozen=True)
class PlainObject:
    """An object: left, top, right, bottom."""

    image: int
    label: int
    box: Box
    score: float = 0.0
    is_group: bool = False
    is_difficult: bool = False

    @property
    def size(self) -> tuple[float, float]:
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    @property
    def area(self) -> float:
        return self.size[0] * self.size[1]


def shared_area(one: PlainObject, two: PlainObject) -> float:
    width = min(one.box[2], two.box[2]) - max(one.box[0], two.box[0])
    height = min(one.box[3], two.box[3]) - max(one.box[1], two.box[1])
    return max(width, 0.0) * max(height, 0.0)


def iou(one: PlainObject, two: PlainObject) -> float:
    both = shared_area(one, two)
    return both / (one.area + two.area - both)


def entries(
    truth: list[PlainObject], pred: list[PlainObject], threshold: float, weight: float
) -> list[tuple[float, int, float]]:
    """Return what an image says of a class: score, row of prediction, and how much it is true.

    `truth` and `pred` are of one image and class; predictions without area count for nothing.
    """
    order = sorted(
        (i for i, each in enumerate(pred) if min(each.size) > 0), key=lambda i: (-pred[i].score, i)
    )
    single = [each for each in truth if not each.is_group]
    groups = [each for each in truth if each.is_group]
    taken: set[int] = set()
    found: list[tuple[float, int, float]] = []
    inside: dict[int, int] = {}  # of each group the best prediction in it
    for i in order:
        alike = [iou(pred[i], each) for each in single]
        at = int(np.argmax(alike)) if alike else -1
        if alike and alike[at] >= threshold:
            if single[at].is_difficult:
                continue
            if at not in taken:
                taken.add(at)
                found.append((pred[i].score, i, 1.0))
                continue
        within = [shared_area(pred[i], each) / pred[i].area for each in groups]
        at = int(np.argmax(within)) if within else -1
        if within and within[at] >= threshold:
            inside.setdefault(at, i)
            continue
        found.append((pred[i].score, i, 0.0))
    if weight > 0:
        found += [(pred[i].score, i, weight) for i in inside.values()]
    return found


def plain_average_precisions(
    truth: list[PlainObject],
    pred: list[PlainObject],
    n_classes: int,
    *,
    threshold: float,
    group_weight: float,
    looked_for: set[tuple[int, int]] | None,
) -> NDArray[np.float64]:
    """Return the average precision of each class; NaN of those without truth that counts."""
    found = np.full(n_classes, math.nan)
    images = sorted({each.image for each in (*truth, *pred)})
    for label in range(n_classes):
        n_truth = 0.0
        listed: list[tuple[float, int, int, float]] = []
        for image in images:
            of_truth = [each for each in truth if (each.image, each.label) == (image, label)]
            of_pred = [each for each in pred if (each.image, each.label) == (image, label)]
            n_truth += sum(
                group_weight if each.is_group else float(not each.is_difficult) for each in of_truth
            )
            if looked_for is not None and not of_truth and (image, label) not in looked_for:
                continue
            listed += [
                (-score, image, row, true)
                for score, row, true in entries(of_truth, of_pred, threshold, group_weight)
            ]
        if n_truth == 0:
            continue
        value = np.array([true for *_, true in sorted(listed)])
        true, false = np.cumsum(value), np.cumsum(value <= 0)
        precision = np.concatenate([[0.0], true / np.maximum(true + false, 1e-9), [0.0]])
        recall = np.concatenate([[0.0], true / n_truth, [1.0]])
        highest = np.maximum.accumulate(precision[::-1])[::-1]
        steps = np.flatnonzero(recall[1:] != recall[:-1]) + 1
        found[label] = np.sum((recall[steps] - recall[steps - 1]) * highest[steps])
    return found
