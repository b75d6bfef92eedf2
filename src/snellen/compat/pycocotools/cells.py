"""One category in one image: what COCO's greedy matching makes of it.

Rules: pycocotools 2.0.11, cocoeval.py, COCOeval.evaluateImg; lvis 0.5.3, eval.py,
LVISEval.evaluate_img, which knows no crowds.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COCO_NAMES", "Cell", "CellNames", "stable_order"]


def stable_order(keys: Any) -> NDArray[np.int64]:
    """Return the order of keys, equal ones as they came."""
    return np.argsort(keys, kind="mergesort")


class CellNames(NamedTuple):
    """What the fields of an evaluated cell are called; of no cap, None."""

    area_range: str
    cap: str | None
    pred_ids: str
    truth_ids: str
    took: str
    taken: str
    scores: str
    ignored: str
    left_out: str


COCO_NAMES: Final = CellNames(
    area_range="aRng",
    cap="maxDet",
    pred_ids="dtIds",
    truth_ids="gtIds",
    took="dtMatches",
    taken="gtMatches",
    scores="dtScores",
    ignored="gtIgnore",
    left_out="dtIgnore",
)


@dataclasses.dataclass
class Cell:
    """The objects of a category in an image, to be evaluated once.

    Attributes
    ----------
    image_id, category_id : object
        As they are given back.
    truth_ids, pred_ids, scores : list
        Of truth in its own order, of detections by rank and cut to the cap.
    crowd : list of int
        Of each truth object: whether it can be taken again and again.
    ignored : list of int
        Of each truth object: 1 where it does not count in this area range.
    outside : list of bool
        Of each detection: whether it is left out where it takes no truth, as its area lies outside
        the range.
    iou : ndarray, shape (n_pred or more, n_truth), or an empty list
        In the same orders.
    """

    image_id: Any
    category_id: Any
    truth_ids: list[Any]
    pred_ids: list[Any]
    scores: list[Any]
    crowd: list[int]
    ignored: list[int]
    outside: list[Any]
    iou: Any

    def evaluated(
        self, names: CellNames, area_range: Any, cap: Any, thresholds: Any
    ) -> dict[str, Any]:
        """Return what was matched at each threshold, truth that does not count last."""
        if any(self.ignored):
            self._put_ignored_last()
        ignored = np.array(self.ignored)
        if len(self.iou) == 0:
            took, taken, left_out = self._untouched(len(thresholds))
        else:
            took, taken, left_out = self._matched(thresholds)
        outside = np.array(self.outside).reshape((1, len(self.outside)))
        return {
            "image_id": self.image_id,
            "category_id": self.category_id,
            names.area_range: area_range,
            **({} if names.cap is None else {names.cap: cap}),
            names.pred_ids: self.pred_ids,
            names.truth_ids: self.truth_ids,
            names.took: took,
            names.taken: taken,
            names.scores: self.scores,
            names.ignored: ignored,
            names.left_out: np.logical_or(left_out, np.logical_and(took == 0, outside)),
        }

    def _put_ignored_last(self) -> None:
        order = stable_order(self.ignored)
        self.truth_ids = [self.truth_ids[g] for g in order]
        self.crowd = [self.crowd[g] for g in order]
        self.ignored = [self.ignored[g] for g in order]
        if len(self.iou) > 0:
            self.iou = self.iou[:, order]

    def _untouched(self, n_thresholds: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        n_pred, n_truth = len(self.pred_ids), len(self.truth_ids)
        return (
            np.zeros((n_thresholds, n_pred)),
            np.zeros((n_thresholds, n_truth)),
            np.zeros((n_thresholds, n_pred)),
        )

    def _matched(self, thresholds: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        found = self._matched_by_kernel(thresholds)
        return self._matched_one_by_one(thresholds) if found is None else found

    def _matched_by_kernel(self, thresholds: Any) -> Any:
        """Return what `_matched_one_by_one` does; None where numbers or shapes are unusual."""
        iou = self.iou
        if (
            type(iou) is not np.ndarray
            or iou.dtype != np.float64
            or iou.ndim != 2
            or iou.shape[0] < len(self.pred_ids)
            or iou.shape[1] != len(self.truth_ids)
            or not _are_numbers(self.truth_ids)
            or not _are_numbers(self.pred_ids)
            or not _are_numbers(thresholds)
        ):
            return None
        try:
            return _core.match_dense(
                np.ascontiguousarray(iou[: len(self.pred_ids)]),
                np.array(self.truth_ids, np.float64),
                np.array(self.pred_ids, np.float64),
                np.array(self.crowd, np.bool_).view(np.uint8),
                np.array(self.ignored, np.uint8),
                np.array(thresholds, np.float64),
            )
        except OverflowError:
            return None

    def _matched_one_by_one(
        self, thresholds: Any
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        took, taken, left_out = self._untouched(len(thresholds))
        for t, threshold in enumerate(thresholds):
            for d, pred_id in enumerate(self.pred_ids):
                best, at = min([threshold, 1 - 1e-10]), -1
                for g, crowd in enumerate(self.crowd):
                    if taken[t, g] > 0 and not crowd:
                        continue
                    if at >= 0 and self.ignored[g] and not self.ignored[at]:
                        break
                    if not self.iou[d, g] < best:
                        best, at = self.iou[d, g], g
                if at >= 0:
                    left_out[t, d] = self.ignored[at]
                    took[t, d] = self.truth_ids[at]
                    taken[t, at] = pred_id
        return took, taken, left_out


def _are_numbers(values: Any) -> bool:
    return all(
        issubclass(kind, (int, float, np.integer, np.floating)) and kind is not np.longdouble
        for kind in set(map(type, values))
    )
