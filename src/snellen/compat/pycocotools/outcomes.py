"""Columns matched all at once, and the curves of what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.compat.pycocotools.accumulation import Chosen, Curves
    from snellen.compat.pycocotools.rules import Rules
    from snellen.compat.pycocotools.tables import Table

__all__ = ["are_ascending", "curves_of_outcomes", "matched", "write_curves"]


def matched(rules: Rules, truth: Table, pred: Table) -> dict[str, Any]:
    """Return what became of all objects, as `_core.match_boxes` gives it."""
    common: dict[str, Any] = {
        "n_images": len(rules.images),
        "n_labels": len(rules.categories),
        "iou_thresholds": rules.thresholds[rules.ascending].tolist(),
        "area_ranges": rules.bounds,
        "max_detections": rules.cap,
        "id_zero_is_no_match": True,
    }
    if rules.kind == "bbox":
        return _core.match_boxes(
            truth.image,
            truth.label,
            truth["xywh"],
            truth.area,
            truth["crowd"],
            truth["id"],
            pred.image,
            pred.label,
            pred["xywh"],
            pred.area,
            pred["score"],
            truth_ignored=truth["ignored"],
            pred_exempt=pred.columns.get("exempt"),
            **common,
        )
    candidates = _candidates(rules, truth, pred)
    return _core.match_candidates(
        truth.image,
        truth.label,
        truth.area,
        truth["crowd"],
        truth["ignored"],
        truth["id"],
        pred.image,
        pred.label,
        pred.area,
        pred["score"],
        pred.columns.get("exempt"),
        candidates["begin"],
        candidates["truth"],
        candidates["similarity"],
        **common,
    )


def _candidates(rules: Rules, truth: Table, pred: Table) -> dict[str, Any]:
    """Return the pairs of masks or keypoints that may match."""
    common: dict[str, Any] = {
        "n_images": len(rules.images),
        "n_labels": len(rules.categories),
        "lowest": rules.lowest,
        "across_labels": False,
        "pred_score": pred["score"],
        "max_detections": rules.cap,
    }
    if rules.kind == "segm":
        return _core.mask_candidates(
            truth.image,
            truth.label,
            truth["crowd"],
            truth["runs"],
            truth["offset"],
            truth["size"],
            pred.image,
            pred.label,
            pred["runs"],
            pred["offset"],
            pred["size"],
            **common,
        )
    if rules.sigmas is None or rules.pooled is not None:
        # pycocotools looks for keypoints of category -1.
        return {
            "begin": np.zeros(len(pred.image) + 1, np.int64),
            "truth": np.zeros(0, np.int32),
            "similarity": np.zeros(0),
        }
    return _core.oks_candidates(
        truth.image,
        truth.label,
        truth["keypoints"],
        truth["xywh"],
        truth.area,
        pred.image,
        pred.label,
        pred["keypoints"],
        np.exp,
        sigmas=rules.sigmas.tolist(),
        **common,
    )


def write_curves(
    rules: Rules, outcomes: dict[str, Any], chosen: Chosen, p: Any, curves: Curves
) -> bool:
    """Write the curves of chosen cells; say whether it was done, for it cannot of odd values."""
    caps = sorted(set(chosen.caps))
    if (
        len(p.iouThrs) != len(rules.thresholds)
        or not are_ascending(p.recThrs)
        or not all(type(cap) is int and 0 < cap <= rules.cap for cap in caps)
        or not _are_positions(chosen.categories, len(rules.categories))
        or not _are_positions(chosen.areas, len(rules.areas))
        or not _are_positions(chosen.images, len(rules.images))
    ):
        return False
    if not (caps and chosen.categories and chosen.areas):
        return True
    if len(chosen.images) < len(rules.images):
        outcomes = _of_images(outcomes, chosen.images, len(rules.images))
    precision, scores, recall = curves_of_outcomes(rules, outcomes, p.recThrs, caps)
    for axis, positions in enumerate(
        (chosen.categories, chosen.areas, [caps.index(cap) for cap in chosen.caps])
    ):
        precision, scores, recall = (
            _taken(each, positions, axis) for each in (precision, scores, recall)
        )
    k, a, m = precision.shape[:3]
    curves.precision[:, :, :k, :a, :m] = precision.transpose(3, 4, 0, 1, 2)
    curves.scores[:, :, :k, :a, :m] = scores.transpose(3, 4, 0, 1, 2)
    curves.recall[:, :k, :a, :m] = recall.transpose(3, 0, 1, 2)
    return True


def curves_of_outcomes(
    rules: Rules, outcomes: dict[str, Any], recalls: NDArray[np.float64], caps: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return precision and scores (K, A, M, T, R), recall (K, A, M, T); -1 where undefined."""
    precision, scores, recall, _ = _core.precision_recall_curves(
        outcomes["pred_image"],
        outcomes["pred_label"],
        outcomes["pred_score"],
        outcomes["pred_outcome"],
        outcomes["truth_label"],
        outcomes["truth_ignored"],
        n_labels=len(rules.categories),
        n_thresholds=len(rules.thresholds),
        recall_thresholds=recalls.tolist(),
        max_detections=caps,
        undefined=-1.0,
    )
    as_given = np.argsort(rules.ascending).tolist()
    return _taken(precision, as_given, 3), _taken(scores, as_given, 3), _taken(recall, as_given, 3)


def are_ascending(recalls: Any) -> bool:
    """Whether recalls are ordinary: numbers in an array that do not fall."""
    return (
        type(recalls) is np.ndarray
        and recalls.dtype == np.float64
        and recalls.ndim == 1
        and not np.isnan(recalls).any()
        and not (np.diff(recalls) < 0).any()
    )


def _taken(values: NDArray[np.float64], positions: list[int], axis: int) -> NDArray[np.float64]:
    return values if positions == list(range(values.shape[axis])) else values.take(positions, axis)


def _of_images(outcomes: dict[str, Any], images: list[int], n_images: int) -> dict[str, Any]:
    kept = np.zeros(n_images, bool)
    kept[images] = True
    of_side = {side: kept[outcomes[f"{side}_image"]] for side in ("truth", "pred")}
    return {name: column[of_side[name.split("_")[0]]] for name, column in outcomes.items()}


def _are_positions(positions: Sequence[int], n: int) -> bool:
    return not positions or max(positions) < n
