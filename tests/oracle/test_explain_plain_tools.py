"""The last number of an explanation beside plain versions of tools that are not installed here.

They follow ultralytics 8.4.190 and 8.3.253 (engine/validator.py, utils/metrics.py), supervision
0.31.2 (metrics/mean_average_precision.py) and fiftyone 1.22.1 (utils/eval/coco.py) in their rules,
box by box.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest
from tests.detector_scenes import scene
from tests.lattice_scenes import lattice

from snellen import Boxes, explain

T = 10
SCENES = [
    *(pytest.param(*lattice(seed), id=f"lattice{seed}") for seed in range(6)),
    *(pytest.param(*scene(seed), id=f"scene{seed}") for seed in range(4)),
    pytest.param(*scene(99, n_images=3, n_pred=1500), id="crowded"),
]


class Image(NamedTuple):
    """The objects of an image: corners and classes, of truth also flags, of predictions scores."""

    truth: Any
    truth_label: Any
    crowd: Any
    ignored: Any
    pred: Any
    label: Any
    score: Any


def images(truth: Boxes, pred: Boxes, bits: type = np.float64) -> Iterator[Image]:
    crowd = np.zeros(len(truth)) if truth.crowd is None else truth.crowd
    ignored = np.zeros(len(truth)) if truth.ignored is None else truth.ignored
    assert pred.score is not None
    for i in range(len(truth.images)):
        a, b = np.flatnonzero(truth.image == i), np.flatnonzero(pred.image == i)
        b = b[np.argsort(-pred.score[b], kind="stable")]
        corners = [
            np.concatenate([x[:, :2], x[:, :2] + x[:, 2:]], axis=1).astype(bits)
            for x in (truth.xywh[a], pred.xywh[b])
        ]
        yield Image(
            corners[0],
            truth.label[a],
            crowd[a] != 0,
            ignored[a] != 0,
            corners[1],
            pred.label[b],
            pred.score[b].astype(bits),
        )


def shared(a: Any, b: Any) -> Any:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return type(a[0])(0) if min(width, height) <= 0 else width * height


def size(a: Any) -> Any:
    return (a[2] - a[0]) * (a[3] - a[1])


def distinct(pred: Boxes) -> Boxes:
    """Return predictions of which no two have one score, in 32 bits either."""
    score = (np.random.default_rng(7).permutation(len(pred)) + 0.5) / len(pred)
    return dataclasses.replace(pred, score=score.astype(np.float32).astype(np.float64))


def ultralytics(truth: Boxes, pred: Boxes, *, old: bool) -> tuple[float, float]:
    thresholds = np.array([0.5 + 0.05 * t for t in range(T)], np.float32)
    hits: list[list[bool]] = []
    scores, labels, n_truth = [], [], np.zeros(len(truth.classes))
    whole = list(images(truth, pred, np.float32))
    cap = 300 if old else max(300, *(int((~each.crowd).sum()) for each in whole))
    for each in whole:
        objects = np.flatnonzero(~each.crowd)
        np.add.at(n_truth, each.truth_label[objects], 1)
        kept = np.flatnonzero(each.score > np.float32(0.001))[:cap]
        taken: list[set[int]] = [set() for _ in range(T)]
        for j in kept:
            found = [
                shared(each.truth[g], each.pred[j])
                / (
                    size(each.truth[g])
                    + size(each.pred[j])
                    - shared(each.truth[g], each.pred[j])
                    + np.float32(1e-7)
                )
                if each.truth_label[g] == each.label[j]
                else np.float32(0)
                for g in objects
            ]
            row = []
            for t in range(T):
                # Before, the best truth had to be free; now the best free one is taken.
                free = [i for i in range(len(objects)) if old or i not in taken[t]]
                last = (lambda i, found=found: (found[i], i)) if old else found.__getitem__
                best = max(free, key=last, default=None)
                hit = best is not None and found[best] >= thresholds[t] and best not in taken[t]
                if hit:
                    taken[t].add(best)
                row.append(bool(hit))
            hits.append(row)
            scores.append(each.score[j])
            labels.append(each.label[j])
    order = np.argsort(-np.array(scores))
    hit, label = np.array(hits)[order], np.array(labels)[order]
    x = np.linspace(0, 1, 101)
    found_ap = []
    for k in np.flatnonzero(n_truth):
        of_class = hit[label == k]
        for t in range(T):
            true = np.cumsum(of_class[:, t])
            recall, precision = true / n_truth[k], true / np.arange(1, len(true) + 1)
            ends = [1.0] if old else [recall[-1] if len(recall) else 1.0, 1.0]
            recall = np.concatenate([[0.0], recall, ends])
            precision = np.concatenate([[1.0], precision, [0.0] * len(ends)])
            height = np.interp(x, recall, np.flip(np.maximum.accumulate(np.flip(precision))))
            found_ap.append(np.trapezoid(height, x) if len(true) else 0.0)
    by_class = np.array(found_ap).reshape(-1, T)
    return float(by_class.mean()), float(by_class[:, 0].mean())


def coco_like(
    truth: Boxes,
    pred: Boxes,
    thresholds: Any,
    *,
    iou: Callable[[Any, Any, bool], float],
    left_out: Callable[[Image], Any],
) -> dict[tuple[int, int], tuple[list[tuple[float, bool]], int]]:
    """Return scores with outcomes, and the number of truth objects, of each class and threshold."""
    found: dict[tuple[int, int], tuple[list[tuple[float, bool]], int]] = {}
    for k in range(len(truth.classes)):
        for t in range(T):
            entries, n = [], 0
            for each in images(truth, pred):
                ignored = left_out(each)
                mine = np.flatnonzero(each.truth_label == k)
                mine = mine[np.argsort(ignored[mine], kind="stable")]
                n += int((~ignored[mine]).sum())
                taken: set[int] = set()
                for j in np.flatnonzero(each.label == k)[:100]:
                    best, place = thresholds[t], -1
                    for g in mine:
                        if g in taken and not each.crowd[g]:
                            continue
                        if place >= 0 and not ignored[place] and ignored[g]:
                            break
                        value = iou(each.truth[g], each.pred[j], bool(each.crowd[g]))
                        if value >= best:
                            best, place = value, g
                    if place >= 0:
                        taken.add(place)
                    if place < 0 or not ignored[place]:
                        entries.append((float(each.score[j]), place >= 0))
            found[k, t] = entries, n
    return found


def at_recalls(entries: list[tuple[float, bool]], n: int, added: float) -> Any:
    true = np.cumsum([hit for _, hit in entries])
    precision = true / (np.arange(1, len(entries) + 1) + added)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(true / n, np.linspace(0, 1, 101), side="left")
    return np.append(envelope, 0.0)[np.minimum(at, len(entries))]


@pytest.mark.parametrize("old", [False, True], ids=["8.4", "8.3"])
@pytest.mark.parametrize(("truth", "pred"), SCENES)
def test_ultralytics(truth: Boxes, pred: Boxes, old: bool) -> None:
    pred = distinct(pred)
    found = explain(truth, pred, against="ultralytics-8.3" if old else "ultralytics")
    wanted = ultralytics(truth, pred, old=old)
    assert np.abs(np.subtract((found.tool_AP, found.tool_AP50), wanted)).max() <= 1e-12


@pytest.mark.parametrize(("truth", "pred"), SCENES[::2])
def test_supervision(truth: Boxes, pred: Boxes) -> None:
    def iou(g: Any, p: Any, is_crowd: bool) -> float:
        own = size(p) if is_crowd else size(p) + size(g) - shared(p, g)
        return float(shared(p, g) / (own + np.spacing(1)))

    outcomes = coco_like(
        truth,
        pred,
        np.linspace(0.5, 0.95, T),
        iou=iou,
        left_out=lambda image: image.crowd | image.ignored,
    )
    cells = np.array(
        [
            [
                at_recalls(sorted(entries, key=lambda e: -e[0]), n, np.spacing(1))
                for (_, u), (entries, n) in outcomes.items()
                if u == t and n
            ]
            for t in range(T)
        ],
        np.float32,
    )
    found = explain(truth, pred, against="supervision")
    assert abs(found.tool_AP - cells.mean(dtype=np.float64)) <= 1e-12
    assert abs(found.tool_AP50 - cells[0].mean(dtype=np.float64)) <= 1e-12


@pytest.mark.parametrize(("truth", "pred"), SCENES[::2])
def test_fiftyone(truth: Boxes, pred: Boxes) -> None:

    def iou(g: Any, p: Any, is_crowd: bool) -> float:
        own = size(p) if is_crowd else size(p) + size(g) - shared(p, g)
        return float(shared(p, g) / own) if own else 0.0

    outcomes = coco_like(
        truth,
        pred,
        [i / 100 for i in range(50, 100, 5)],
        iou=iou,
        left_out=lambda image: image.crowd,
    )
    of_classes: dict[int, list[Any]] = {}
    for (k, _), (entries, n) in outcomes.items():
        if n:
            # True positives are listed before false ones, and the sort is stable.
            ordered = sorted(sorted(entries, key=lambda e: not e[1]), key=lambda e: -e[0])
            of_classes.setdefault(k, []).append(at_recalls(ordered, n, 0.0))
    wanted = np.mean([np.mean(curves) for curves in of_classes.values()])
    assert abs(explain(truth, pred, against="fiftyone").tool_AP - wanted) <= 1e-12
