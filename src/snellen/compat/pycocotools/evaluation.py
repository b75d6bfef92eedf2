"""An evaluation in columns: matched at once, and looked at cell by cell.

What is ordinary is evaluated so: ids that are ints or texts, finite numbers, ascending ranges.
It is a copy of what the annotations held: what is done to them later changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.compat.pycocotools import mask as mask_api
from snellen.compat.pycocotools.cells import Cell, stable_order
from snellen.compat.pycocotools.keypoint_similarity import similarities

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.compat.pycocotools.accumulation import Chosen, Curves

__all__ = ["Evaluation", "Rules"]

_MOST_AREAS = 32  # a bit each in the kernel


class Rules(NamedTuple):
    """The parameters of an evaluation, as they were when it was made.

    Attributes
    ----------
    kind : str
        ``iouType``.
    images, categories : list
        In the order of cells; categories [-1] where they are not used.
    areas : list
        Ranges, as they were given.
    bounds : list of (float, float)
        The same.
    thresholds : ndarray, shape (T,)
        Of IoU.
    ascending : ndarray, shape (T,)
        The order that sorts them.
    cap : int
        How many detections of a cell are looked at.
    pooled : dict or None
        Where categories are not used: category to its position among those wanted.
    sigmas : ndarray, shape (K,), or None
        For keypoints.
    """

    kind: str
    images: list[Any]
    categories: list[Any]
    areas: list[Any]
    bounds: list[tuple[float, float]]
    thresholds: NDArray[np.float64]
    ascending: NDArray[np.int64]
    cap: int
    pooled: dict[Any, int] | None
    sigmas: NDArray[np.float64] | None

    @classmethod
    def of(cls, p: Any) -> Rules | None:
        """Return the rules of parameters; None where they are out of the ordinary."""
        thresholds = p.iouThrs
        if (
            type(thresholds) is not np.ndarray
            or thresholds.dtype != np.float64
            or thresholds.ndim != 1
            or not len(thresholds)
            or np.isnan(thresholds).any()
            or p.iouType not in ("bbox", "segm", "keypoints")
            or type(p.maxDets[-1]) is not int
            or not 0 < p.maxDets[-1] < 2**31
            or not len(p.imgIds)
            or not len(p.catIds)
            or len(set(p.catIds)) != len(p.catIds)
        ):
            return None
        bounds = _bounds_of(p.areaRng)
        if bounds is None:
            return None
        sigmas = None
        if p.iouType != "bbox":
            # A pair without anything in common passes such a threshold.
            if thresholds.min() <= 0:
                return None
        if p.iouType == "keypoints":
            sigmas = p.kpt_oks_sigmas
            if (
                type(sigmas) is not np.ndarray
                or sigmas.dtype != np.float64
                or sigmas.ndim != 1
                or not len(sigmas)
                or not (np.isfinite(sigmas) & (sigmas > 0)).all()
                or (not p.useCats and -1 in p.catIds)
            ):
                return None
        pooled = None if p.useCats else {_plain(each): k for k, each in enumerate(p.catIds)}
        return cls(
            kind=p.iouType,
            images=list(p.imgIds),
            categories=list(p.catIds) if p.useCats else [-1],
            areas=list(p.areaRng),
            bounds=bounds,
            thresholds=thresholds.copy(),
            ascending=stable_order(thresholds),
            cap=p.maxDets[-1],
            pooled=pooled,
            sigmas=None if sigmas is None else sigmas.copy(),
        )

    def ranges_as_float32(self) -> bool:
        """Whether the ranges stay what they are when they are compared with float32."""
        return all(float(np.float32(bound)) == bound for pair in self.bounds for bound in pair)


class Table(NamedTuple):
    """Truth or results, one row an object, in the order of the annotations.

    Attributes
    ----------
    image, label : ndarray, shape (n,), int32
        Positions in the rules' images and categories.
    columns : dict
        ``area``, ``ids``, ``xywh``; of truth ``crowd``, ``ignored`` and ``id`` (0 or 1: is it 0);
        of results ``score`` and ``scores``, the objects behind it.
    place : ndarray, shape (n,), int64
        Of each row, among all annotations.
    """

    image: NDArray[np.int32]
    label: NDArray[np.int32]
    columns: dict[str, Any]
    place: NDArray[np.int64]

    @classmethod
    def read(cls, records: Any, rules: Rules, *, truth: bool) -> Table | None:
        """Return the columns of dicts; None where one is out of the ordinary."""
        if type(records) is not list:
            return None
        of_image = {_plain(each): i for i, each in enumerate(rules.images)}
        of_label = rules.pooled
        if of_label is None:
            of_label = {_plain(each): k for k, each in enumerate(rules.categories)}
        columns = _core.read_records(
            records,
            of_image,
            of_label,
            truth=truth,
            boxes=rules.kind == "bbox" or (truth and rules.kind == "keypoints"),
            masks=rules.kind == "segm",
            n_points=None if rules.sigmas is None else len(rules.sigmas),
        )
        if columns is None or (columns["float32_area"] and not rules.ranges_as_float32()):
            return None
        image, label = columns.pop("image"), columns.pop("label")
        table = cls(image, label, columns, np.arange(len(image)))
        if rules.pooled is not None:
            return table._pooled()
        wanted = (table.image >= 0) & (table.label >= 0)
        return table if wanted.all() else table.taken(np.flatnonzero(wanted))

    def _pooled(self) -> Table:
        """Return the wanted rows category by category, as objects of one."""
        order = stable_order(self.label)
        table = self.taken(order[(self.label[order] >= 0) & (self.image[order] >= 0)])
        return table._replace(label=np.zeros_like(table.label))

    def taken(self, rows: NDArray[np.int64]) -> Table:
        """Return some rows."""
        columns = {
            name: [column[i] for i in rows] if type(column) is list else column[rows]
            for name, column in self.columns.items()
            if name not in ("float32_area", "runs", "offset")
        }
        if "runs" in self.columns:
            columns["runs"], columns["offset"] = _core.take_rle(self["runs"], self["offset"], rows)
        return Table(self.image[rows], self.label[rows], columns, self.place[rows])

    def __getitem__(self, name: Any) -> Any:
        return self.columns[name]


class Evaluation:
    """What `COCOeval.evaluate` found.

    Parameters
    ----------
    rules : Rules
        By which.
    truth, pred : Table
        Of what.
    """

    def __init__(self, rules: Rules, truth: Table, pred: Table) -> None:
        self.rules = rules
        self.truth = truth
        self.pred = pred
        self._rows = (_Rows(truth, rules), _Rows(pred, rules))
        self._outcomes = self._matched()

    def _matched(self) -> dict[str, Any]:
        rules, truth, pred = self.rules, self.truth, self.pred
        n_labels = len(rules.categories)
        common = {
            "n_images": len(rules.images),
            "n_labels": n_labels,
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
                truth["area"],
                truth["crowd"],
                truth["id"],
                pred.image,
                pred.label,
                pred["xywh"],
                pred["area"],
                pred["score"],
                **common,
            )
        candidates = self._candidates(float(min(rules.thresholds.min(), 1 - 1e-10)))
        return _core.match_candidates(
            truth.image,
            truth.label,
            truth["area"],
            truth["crowd"],
            truth["ignored"],
            truth["id"],
            pred.image,
            pred.label,
            pred["area"],
            pred["score"],
            None,
            candidates["begin"],
            candidates["truth"],
            candidates["similarity"],
            **common,
        )

    def _candidates(self, lowest: float) -> dict[str, Any]:
        """Return the pairs whose overlap is not below a number."""
        rules, truth, pred = self.rules, self.truth, self.pred
        common = {
            "n_images": len(rules.images),
            "n_labels": len(rules.categories),
            "lowest": lowest,
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
        if rules.pooled is not None:
            # pycocotools looks for keypoints of category -1.
            return {
                "begin": np.zeros(len(pred.image) + 1, np.int64),
                "truth": np.zeros(0, np.int32),
                "similarity": np.zeros(0),
            }
        assert rules.sigmas is not None
        return _core.oks_candidates(
            truth.image,
            truth.label,
            truth["keypoints"],
            truth["xywh"],
            truth["area"],
            pred.image,
            pred.label,
            pred["keypoints"],
            np.exp,
            sigmas=rules.sigmas.tolist(),
            **common,
        )

    @classmethod
    def of(cls, p: Any, truth: Any, pred: Any) -> Evaluation | None:
        """Return the evaluation of annotations; None where something is out of the ordinary."""
        rules = Rules.of(p)
        if rules is None:
            return None
        of_truth = Table.read(truth, rules, truth=True)
        if of_truth is None or (rules.kind == "keypoints" and (of_truth["area"] < 0).any()):
            return None
        of_pred = Table.read(pred, rules, truth=False)
        return None if of_pred is None else cls(rules, of_truth, of_pred)

    def __len__(self) -> int:
        """Return the number of cells: category, area range, image."""
        rules = self.rules
        return len(rules.categories) * len(rules.areas) * len(rules.images)

    def cell(self, position: int) -> dict[str, Any] | None:
        """Return what was matched of one category, area range and image."""
        rules = self.rules
        position, image = divmod(position, len(rules.images))
        label, area = divmod(position, len(rules.areas))
        truth, pred = (rows.of(image, label) for rows in self._rows)
        if not len(truth) and not len(pred):
            return None
        pred = self._ranked(pred)
        low, high = rules.bounds[area]
        sizes, pred_sizes = self.truth["area"][truth], self.pred["area"][pred]
        ignored = (self.truth["ignored"][truth] != 0) | (sizes < low) | (sizes > high)
        return Cell(
            image_id=rules.images[image],
            category_id=rules.categories[label],
            truth_ids=[self.truth["ids"][row] for row in truth],
            pred_ids=[self.pred["ids"][row] for row in pred],
            scores=[self.pred["scores"][row] for row in pred],
            crowd=self.truth["crowd"][truth].tolist(),
            ignored=ignored.astype(np.int64).tolist(),
            outside=((pred_sizes < low) | (pred_sizes > high)).tolist(),
            iou=self._overlap(truth, pred),
        ).evaluated(rules.areas[area], rules.cap, rules.thresholds)

    def occupied(self, label: int) -> list[bool]:
        """Return for each image whether a category is in it."""
        found = np.zeros(len(self.rules.images), bool)
        for rows in self._rows:
            found[rows.images_with(label)] = True
        return found.tolist()

    def overlap(self, image: int, label: int) -> Any:
        """Return the overlap of detections, by rank and cut to the cap, with truth."""
        truth, pred = (rows.of(image, label) for rows in self._rows)
        return self._overlap(truth, self._ranked(pred))

    def _ranked(self, pred: NDArray[np.int64]) -> NDArray[np.int64]:
        return pred[stable_order(-self.pred["score"][pred])[: self.rules.cap]]

    def _overlap(self, truth: NDArray[np.int64], pred: NDArray[np.int64]) -> Any:
        if not len(truth) or not len(pred):
            return []
        if self.rules.kind == "keypoints":
            return self._similarities(truth, pred)
        if self.rules.kind == "segm":
            return mask_api.iou(
                [self.pred["shapes"][row] for row in pred],
                [self.truth["shapes"][row] for row in truth],
                self.truth["crowd"][truth].tolist(),
            )
        return _core.loose_box_iou(
            self.pred["xywh"][pred].ravel(),
            self.truth["xywh"][truth].ravel(),
            self.truth["crowd"][truth],
        )

    def _similarities(self, truth: NDArray[np.int64], pred: NDArray[np.int64]) -> Any:
        if self.rules.pooled is not None:
            return []
        of_truth, of_pred = (
            [
                {
                    "keypoints": table["keypoints"][row].ravel(),
                    "bbox": table.columns["xywh"][row] if table is self.truth else None,
                    "area": table["area"][row],
                }
                for row in rows
            ]
            for table, rows in ((self.truth, truth), (self.pred, pred))
        )
        return similarities(of_truth, of_pred, self.rules.sigmas)

    def last_ignored(self) -> Iterator[tuple[int, int]]:
        """Return where each truth object stands, and if it counts not in the last area range."""
        low, high = self.rules.bounds[-1]
        area = self.truth["area"]
        ignored = (self.truth["ignored"] != 0) | (area < low) | (area > high)
        return zip(self.truth.place.tolist(), ignored.astype(np.int64).tolist(), strict=True)

    def write_curves(self, chosen: Chosen, p: Any, curves: Curves) -> bool:
        """Write the curves of chosen cells; say whether it was done."""
        rules = self.rules
        recalls = p.recThrs
        caps = sorted(set(chosen.caps))
        if (
            len(p.iouThrs) != len(rules.thresholds)
            or type(recalls) is not np.ndarray
            or recalls.dtype != np.float64
            or recalls.ndim != 1
            or not (recalls[1:] >= recalls[:-1]).all()
            or np.isnan(recalls).any()
            or not all(type(cap) is int and 0 < cap <= rules.cap for cap in caps)
            or not _within(chosen.categories, len(rules.categories))
            or not _within(chosen.areas, len(rules.areas))
            or not _within(chosen.images, len(rules.images))
        ):
            return False
        if not (caps and chosen.categories and chosen.areas):
            return True
        outcomes = self._outcomes
        if len(chosen.images) < len(rules.images):
            kept = np.zeros(len(rules.images), bool)
            kept[chosen.images] = True
            of_truth, of_pred = kept[outcomes["truth_image"]], kept[outcomes["pred_image"]]
            outcomes = {
                name: column[of_truth if name.startswith("truth") else of_pred]
                for name, column in outcomes.items()
            }
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
        k, a, m = (len(each) for each in (chosen.categories, chosen.areas, chosen.caps))
        among = [caps.index(cap) for cap in chosen.caps]
        places = np.ix_(chosen.categories, chosen.areas, among, np.argsort(rules.ascending))
        curves.precision[:, :, :k, :a, :m] = precision[places].transpose(3, 4, 0, 1, 2)
        curves.scores[:, :, :k, :a, :m] = scores[places].transpose(3, 4, 0, 1, 2)
        curves.recall[:, :k, :a, :m] = recall[places].transpose(3, 0, 1, 2)
        return True


class _Rows:
    """The rows of each cell, in their order."""

    def __init__(self, table: Table, rules: Rules) -> None:
        self._n_images = len(rules.images)
        place = _core.group_rows(table.image, table.label, self._n_images, len(rules.categories))
        self._row = np.empty(len(place), np.uint32)
        self._row[place] = np.arange(len(place), dtype=np.uint32)
        cell = table.label[self._row].astype(np.int64) * self._n_images
        cell += table.image[self._row]
        self._cell = cell

    def of(self, image: int, label: int) -> NDArray[np.int64]:
        cell = label * self._n_images + image
        begin, end = self._cell.searchsorted((cell, cell + 1))
        return self._row[begin:end].astype(np.int64)

    def images_with(self, label: int) -> NDArray[np.int64]:
        first = label * self._n_images
        begin, end = self._cell.searchsorted((first, first + self._n_images))
        return self._cell[begin:end] - first


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _within(positions: Sequence[int], n: int) -> bool:
    return not positions or max(positions) < n


def _bounds_of(ranges: Any) -> list[tuple[float, float]] | None:
    bounds = []
    for each in ranges:
        for bound in each[:2]:
            if type(bound) not in (int, float) or not abs(bound) <= 2**53:
                return None
        bounds.append((float(each[0]), float(each[1])))
    return bounds if 0 < len(bounds) <= _MOST_AREAS else None
