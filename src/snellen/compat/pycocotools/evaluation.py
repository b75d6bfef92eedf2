"""An evaluation in columns: matched at once, and looked at cell by cell.

What is ordinary is evaluated so: ids that are ints or texts, finite numbers, plain parameters. It
is a copy of what the annotations held: what is done to them later changes nothing.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.compat.pycocotools._mask import iou
from snellen.compat.pycocotools.cells import Cell, stable_order
from snellen.compat.pycocotools.keypoint_similarity import similarities
from snellen.compat.pycocotools.lazy_dict import LazyDict
from snellen.compat.pycocotools.outcomes import matched, write_curves
from snellen.compat.pycocotools.tables import CellRows, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from snellen.compat.pycocotools.accumulation import Chosen, Curves
    from snellen.compat.pycocotools.rules import Rules

__all__ = ["Evaluation"]


class _Pairs:
    """All pairs of an image and a category, image by image."""

    def __init__(self, images: list[Any], categories: list[Any]) -> None:
        self._image = {each: i for i, each in enumerate(images)}
        self._label = {each: k for k, each in enumerate(categories)}

    def positions(self, pair: Any) -> tuple[int, int]:
        return self._image[pair[0]], self._label[pair[1]]

    def __contains__(self, pair: object) -> bool:
        return (
            isinstance(pair, tuple)
            and len(pair) == 2
            and pair[0] in self._image
            and pair[1] in self._label
        )

    def __iter__(self) -> Iterator[Any]:
        return itertools.product(self._image, self._label)

    def __len__(self) -> int:
        return len(self._image) * len(self._label)


class Evaluation:
    """What `COCOeval.evaluate` or `LVISEval.evaluate` found.

    Parameters
    ----------
    rules : Rules
        By which.
    truth, pred : Table
        Of what.

    Attributes
    ----------
    outcomes : dict
        What became of all objects, as `matched` gives it.
    """

    def __init__(self, rules: Rules, truth: Table, pred: Table) -> None:
        self.rules = rules
        self.truth = truth
        self.pred = pred
        n_images, n_labels = len(rules.images), len(rules.categories)
        self._truth_rows = CellRows(truth, n_images, n_labels)
        self._pred_rows = CellRows(pred, n_images, n_labels)
        self.outcomes = matched(rules, truth, pred)

    @classmethod
    def of(
        cls,
        rules: Rules,
        truth: Any,
        pred: Any,
        in_part: NDArray[np.int64] | None = None,
    ) -> Evaluation | None:
        """Return the evaluation of annotations; None where something is out of the ordinary.

        Parameters
        ----------
        rules : Rules
            By which.
        truth, pred : list of dict
            Of what.
        in_part : ndarray of int64, optional
            Label × images + image where truth may lack objects: what takes none there is left out.
        """
        of_truth = Table.read(truth, rules, truth=True)
        of_pred = None if of_truth is None else Table.read(pred, rules, truth=False)
        if of_truth is None or of_pred is None:
            return None
        if in_part is not None:
            cell = of_pred.label.astype(np.int64) * len(rules.images) + of_pred.image
            of_pred.columns["exempt"] = np.isin(cell, in_part).view(np.uint8)
        return cls(rules, of_truth, of_pred)

    def __len__(self) -> int:
        """Return the number of cells: category, area range, image."""
        rules = self.rules
        return len(rules.categories) * len(rules.areas) * len(rules.images)

    def cell(self, position: int) -> dict[str, Any] | None:
        """Return what was matched of one category, area range and image."""
        rules = self.rules
        position, image = divmod(position, len(rules.images))
        label, area = divmod(position, len(rules.areas))
        truth, pred = self._truth_rows.of(image, label), self._pred_rows.of(image, label)
        if not len(truth) and not len(pred):
            return None
        pred = self._ranked(pred)
        low, high = rules.bounds[area]
        sizes, pred_sizes = self.truth.area[truth], self.pred.area[pred]
        ignored = (self.truth["ignored"][truth] != 0) | (sizes < low) | (sizes > high)
        outside = (pred_sizes < low) | (pred_sizes > high)
        if "exempt" in self.pred.columns:
            outside |= self.pred["exempt"][pred] != 0
        return Cell(
            image_id=rules.images[image],
            category_id=rules.categories[label],
            truth_ids=_of_rows(self.truth.ids, truth),
            pred_ids=_of_rows(self.pred.ids, pred),
            scores=_of_rows(self.pred["scores"], pred),
            crowd=self.truth["crowd"][truth].tolist(),
            ignored=ignored.astype(np.int64).tolist(),
            outside=outside.tolist(),
            iou=self._overlap(truth, pred),
        ).evaluated(rules.names, rules.areas[area], rules.cap, rules.thresholds)

    def occupied(self, label: int) -> list[bool]:
        """Return for each image whether a category is in it."""
        found = np.zeros(len(self.rules.images), np.bool_)
        for rows in (self._truth_rows, self._pred_rows):
            found[rows.images_with(label)] = True
        occupied: list[bool] = found.tolist()
        return occupied

    def overlaps(self) -> LazyDict:
        """Return the overlap of every image and category: of detections by rank with truth."""
        pairs = _Pairs(self.rules.images, self.rules.categories)
        return LazyDict.of(pairs, lambda pair: self._overlap_of(*pairs.positions(pair)), "overlaps")

    def _overlap_of(self, image: int, label: int) -> Any:
        truth, pred = self._truth_rows.of(image, label), self._pred_rows.of(image, label)
        return self._overlap(truth, self._ranked(pred))

    def _ranked(self, pred: NDArray[np.int64]) -> NDArray[np.int64]:
        if len(pred) < 2:
            return pred
        return pred[stable_order(-self.pred["score"][pred])[: self.rules.cap]]

    def _overlap(self, truth: NDArray[np.int64], pred: NDArray[np.int64]) -> Any:
        if not len(truth) or not len(pred):
            return []
        if self.rules.kind == "keypoints":
            return self._similarities(truth, pred)
        crowd = self.truth["crowd"][truth]
        if self.rules.kind == "segm":
            return iou(
                _of_rows(self.pred["shapes"], pred),
                _of_rows(self.truth["shapes"], truth),
                crowd.tolist(),
            )
        pred_boxes, boxes = self.pred["xywh"][pred], self.truth["xywh"][truth]
        return _core.loose_box_iou(pred_boxes.ravel(), boxes.ravel(), crowd)

    def _similarities(self, truth: NDArray[np.int64], pred: NDArray[np.int64]) -> Any:
        if self.rules.pooled is not None:
            return []
        points, boxes, area = self.truth["keypoints"], self.truth["xywh"], self.truth.area
        return similarities(
            [
                {"keypoints": points[row].ravel(), "bbox": boxes[row], "area": area[row]}
                for row in truth
            ],
            [{"keypoints": self.pred["keypoints"][row].ravel()} for row in pred],
            self.rules.sigmas,
        )

    def pred_rows_of(self, label: int) -> NDArray[np.int64]:
        """Return the rows of a category's detections, image by image."""
        return self._pred_rows.of_label(label)

    def lacks_detections(self, label: int) -> bool:
        """Whether an image has truth of a category, and no detection."""
        of_truth, of_pred = self._truth_rows.images_with(label), self._pred_rows.images_with(label)
        return bool(np.setdiff1d(of_truth, of_pred).size)

    def last_ignored(self) -> Iterator[tuple[int, int]]:
        """Return where each truth object stands, and if it counts not in the last area range."""
        ignored = self.ignored_in_last().astype(np.int64)
        return zip(self.truth.place.tolist(), ignored.tolist(), strict=True)

    def ignored_in_last(self) -> NDArray[np.bool_]:
        """Return of each truth object whether it counts not in the last area range."""
        marked: NDArray[np.bool_] = self.truth["ignored"] != 0
        return marked | self.truth.outside(self.rules.bounds[-1])

    def write_curves(self, chosen: Chosen, p: Any, curves: Curves) -> bool:
        """Write the curves of chosen cells; say whether it was done."""
        return write_curves(self.rules, self.outcomes, chosen, p, curves)


def _of_rows(values: list[Any] | NDArray[Any], rows: NDArray[np.int64]) -> list[Any]:
    if isinstance(values, np.ndarray):
        of_rows: list[Any] = values[rows].tolist()
        return of_rows
    return [values[row] for row in rows.tolist()]
