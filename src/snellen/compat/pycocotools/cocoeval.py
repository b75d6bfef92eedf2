"""The evaluation of results against a COCO data set: the names of ``pycocotools.cocoeval``."""

from __future__ import annotations

import copy
import datetime as dt
import sys
import time
from collections import defaultdict
from typing import Any

import numpy as np

from snellen.compat.pycocotools import mask as maskUtils
from snellen.compat.pycocotools._mask import iou as own_iou
from snellen.compat.pycocotools.accumulation import Chosen, Curves, curves_of_cells
from snellen.compat.pycocotools.cell_list import CellList
from snellen.compat.pycocotools.cells import COCO_NAMES, Cell, stable_order
from snellen.compat.pycocotools.coco import COCO
from snellen.compat.pycocotools.completion import compress
from snellen.compat.pycocotools.evaluation import Evaluation
from snellen.compat.pycocotools.groups import GroupsAttribute, LazyGroups, by_cell
from snellen.compat.pycocotools.keypoint_similarity import similarities
from snellen.compat.pycocotools.lazy_rows import LazyRows
from snellen.compat.pycocotools.overridden import has_other, remembered
from snellen.compat.pycocotools.params import Params
from snellen.compat.pycocotools.rules import Rules
from snellen.compat.pycocotools.summary import summarised

__all__ = ["COCOeval", "Params"]

# What a local variable that no branch has set is called.
_UNSET = NameError if sys.version_info < (3, 12) else UnboundLocalError


@remembered
class COCOeval:
    """Average precision and recall of results.

    Parameters
    ----------
    cocoGt, cocoDt : COCO
        The truth and the results.
    iouType : {"segm", "bbox", "keypoints"}
        What two objects are compared by.

    Attributes
    ----------
    params : Params
        Thresholds, images, categories: set them before `evaluate`.
    evalImgs : sequence of dict or None
        After `evaluate`, what was matched, by category, area range and image: the ids, scores and
        matches of detections and truth. None where a category is not in an image. Each is made
        when it is looked at.
    ious : mapping
        After `evaluate`, the IoU of all pairs of an image and a category.
    eval : dict
        After `accumulate`, ``precision`` and ``scores`` (T, R, K, A, M), ``recall``
        (T, K, A, M); -1 where nothing is to be found.
    stats : ndarray
        After `summarize`, the numbers that it prints.
    """

    # The annotations of each image and category, which scripts and subclasses read and set.
    _gts: Any = GroupsAttribute("_truth_of_cell")
    _dts: Any = GroupsAttribute("_pred_of_cell")

    def __init__(self, cocoGt: Any = None, cocoDt: Any = None, iouType: Any = "segm") -> None:
        if not iouType:
            print("iouType not specified. use default iouType segm")
        self.cocoGt = cocoGt
        self.cocoDt = cocoDt
        self.evalImgs: Any = defaultdict(list)
        self.eval: dict[str, Any] = {}
        self._truth_of_cell: Any = defaultdict(list)
        self._pred_of_cell: Any = defaultdict(list)
        self.params: Any = Params(iouType=iouType)
        self._paramsEval: Any = {}
        self.stats: Any = []
        self.ious: Any = {}
        if cocoGt is not None:
            self.params.imgIds = sorted(cocoGt.getImgIds())
            self.params.catIds = sorted(cocoGt.getCatIds())

    def _prepare(self) -> None:
        """Collect the annotations that are evaluated; masks are compressed, truth is marked."""
        self._group(*self._collected())

    def _group(self, truth: Any, pred: Any) -> None:
        self._gts, self._dts = by_cell(truth), by_cell(pred)
        self.evalImgs = defaultdict(list)
        self.eval = {}

    def _collected(self, lazy: bool = False) -> tuple[Any, Any]:
        """Return truth and results; `lazy`: for what nobody has looked at its `LazyRows`."""
        p = self.params
        filters = {"imgIds": p.imgIds, "catIds": p.catIds} if p.useCats else {"imgIds": p.imgIds}
        truth, pred = (
            (LazyRows.of(coco, p) if lazy else None) or coco.loadAnns(coco.getAnnIds(**filters))
            for coco in (self.cocoGt, self.cocoDt)
        )
        if p.iouType == "segm":
            for annotations, coco in ((truth, self.cocoGt), (pred, self.cocoDt)):
                usual = isinstance(coco, COCO) and not has_other(coco, "annToRLE")
                compress(annotations, coco.annToRLE, coco.imgs if usual else None)
        if isinstance(truth, LazyRows):
            return truth, pred
        for each in truth:
            # What was marked before is not kept.
            each["ignore"] = "iscrowd" in each and each["iscrowd"]
            if p.iouType == "keypoints":
                each["ignore"] = (each["num_keypoints"] == 0) or each["ignore"]
        return truth, pred

    def evaluate(self) -> None:
        """Match all images; the results are in `evalImgs`."""
        began = time.time()
        print("Running per image evaluation...")
        p = self.params
        if p.useSegm is not None:
            p.iouType = "segm" if p.useSegm == 1 else "bbox"
            print(f"useSegm (deprecated) is not None. Running {p.iouType} evaluation")
        print(f"Evaluate annotation type *{p.iouType}*")
        p.imgIds = list(np.unique(p.imgIds))
        if p.useCats:
            p.catIds = list(np.unique(p.catIds))
        p.maxDets = sorted(p.maxDets)
        categories = p.catIds if p.useCats else [-1]
        steps = "_prepare", "computeIoU", "computeOks", "evaluateImg"
        if has_other(self, *steps) or maskUtils.iou is not own_iou:
            self._prepare()
            self._evaluate_cells(categories)
        else:
            truth, pred = self._collected(lazy=True)
            if not self._evaluate_columns(truth, pred):
                if isinstance(truth, LazyRows) or isinstance(pred, LazyRows):
                    truth, pred = self._collected()
                self._group(truth, pred)
                self._evaluate_cells(categories)
        self._paramsEval = copy.deepcopy(self.params)
        print(f"DONE (t={time.time() - began:0.2f}s).")

    def _evaluate_columns(self, truth: Any, pred: Any) -> bool:
        """Evaluate all at once; say whether it could be done, for it cannot of odd values."""
        p = self.params
        rules = Rules.of_coco(p)
        evaluation = None if rules is None else Evaluation.of(rules, truth, pred)
        if evaluation is None:
            return False
        if isinstance(truth, LazyRows):
            truth.mark(evaluation)
        else:
            for place, ignored in evaluation.last_ignored():
                truth[place]["_ignore"] = ignored
        images, looked_for = list(p.imgIds), [list(p.catIds)]
        if p.iouType == "keypoints" and not p.useCats:
            looked_for.insert(0, [-1])
        self._gts = LazyGroups(truth, images, looked_for)
        self._dts = LazyGroups(pred, images, looked_for)
        self.ious = evaluation.overlaps()
        self.evalImgs = CellList.of(evaluation)
        self.eval = {}
        return True

    def _evaluate_cells(self, categories: list[Any]) -> None:
        p = self.params
        compare = {"segm": self.computeIoU, "bbox": self.computeIoU, "keypoints": self.computeOks}
        overlaps = {}
        for image in p.imgIds:
            for category in categories:
                if p.iouType not in compare:
                    raise _UNSET(f"no overlap is known of iouType {p.iouType}")
                overlaps[image, category] = compare[p.iouType](image, category)
        self.ious = overlaps
        cap = p.maxDets[-1]
        self.evalImgs = [
            self.evaluateImg(image, category, area_range, cap)
            for category in categories
            for area_range in p.areaRng
            for image in p.imgIds
        ]

    def _cell(self, image: Any, category: Any) -> tuple[list[Any], list[Any]]:
        p = self.params
        if p.useCats:
            return self._gts[image, category], self._dts[image, category]
        return (
            [each for one in p.catIds for each in self._gts[image, one]],
            [each for one in p.catIds for each in self._dts[image, one]],
        )

    def computeIoU(self, imgId: Any, catId: Any) -> Any:
        """Return the IoU of detections, by rank and cut to the largest cap, with truth.

        Returns
        -------
        ndarray, shape (n_pred, n_truth), or an empty list
            Of boxes or masks; empty where a side is.
        """
        p = self.params
        truth, pred = self._cell(imgId, catId)
        if len(truth) == 0 and len(pred) == 0:
            return []
        pred = _ranked(pred, p.maxDets[-1])
        if p.iouType not in ("segm", "bbox"):
            raise Exception("unknown iouType for iou computation")
        field = "segmentation" if p.iouType == "segm" else "bbox"
        shapes = [each[field] for each in truth]
        return maskUtils.iou(
            [each[field] for each in pred], shapes, [int(each["iscrowd"]) for each in truth]
        )

    def computeOks(self, imgId: Any, catId: Any) -> Any:
        """Return the OKS of detections, by rank and cut to the largest cap, with truth.

        Returns
        -------
        ndarray, shape (n_pred, n_truth), or an empty list
            Empty where a side is; and with ``useCats`` 0, as nothing is of category -1.
        """
        p = self.params
        truth, pred = self._gts[imgId, catId], self._dts[imgId, catId]
        pred = _ranked(pred, p.maxDets[-1])
        if len(truth) == 0 or len(pred) == 0:
            return []
        return similarities(truth, pred, p.kpt_oks_sigmas)

    def evaluateImg(self, imgId: Any, catId: Any, aRng: Any, maxDet: Any) -> Any:
        """Return what is matched of one category in one image, or None where it is not there.

        Parameters
        ----------
        imgId, catId : object
            The image and the category.
        aRng : pair of float
            Truth of another area does not count, nor do detections that match nothing.
        maxDet : int
            How many detections are looked at.
        """
        truth, pred = self._cell(imgId, catId)
        if len(truth) == 0 and len(pred) == 0:
            return None
        for each in truth:
            outside = each["ignore"] or (each["area"] < aRng[0] or each["area"] > aRng[1])
            each["_ignore"] = 1 if outside else 0
        order = stable_order([-each["score"] for each in pred])
        pred = [pred[d] for d in order[0:maxDet]]
        cell = Cell(
            image_id=imgId,
            category_id=catId,
            truth_ids=[each["id"] for each in truth],
            pred_ids=[each["id"] for each in pred],
            scores=[each["score"] for each in pred],
            crowd=[int(each["iscrowd"]) for each in truth],
            ignored=[each["_ignore"] for each in truth],
            outside=[each["area"] < aRng[0] or each["area"] > aRng[1] for each in pred],
            iou=self.ious[imgId, catId],
        )
        return cell.evaluated(COCO_NAMES, aRng, maxDet, self.params.iouThrs)

    def accumulate(self, p: Any = None) -> None:
        """Make curves of what was matched; they are in `eval`.

        Parameters
        ----------
        p : Params, optional
            Of a part of what was evaluated: its first categories, areas and images, as many as it
            shares with it.
        """
        print("Accumulating evaluation results...")
        began = time.time()
        if not self.evalImgs:
            print("Please run evaluate() first")
        if p is None:
            p = self.params
        if p.useCats != 1:
            p.catIds = [-1]
        shape = (
            len(p.iouThrs),
            len(p.recThrs),
            len(p.catIds) if p.useCats else 1,
            len(p.areaRng),
            len(p.maxDets),
        )
        curves = Curves.undefined(shape)
        chosen = Chosen.of(p, self._paramsEval)
        cells = self.evalImgs
        evaluation = cells.evaluated() if isinstance(cells, CellList) else None
        if evaluation is None or not evaluation.write_curves(chosen, p, curves):
            curves_of_cells(cells, chosen, p, curves)
        self.eval = {
            "params": p,
            "counts": list(shape),
            "date": dt.datetime.now().strftime("%Y-%m-%d %H:%M:%S"),
            "precision": curves.precision,
            "recall": curves.recall,
            "scores": curves.scores,
        }
        print(f"DONE (t={time.time() - began:0.2f}s).")

    def summarize(self) -> None:
        """Print the numbers of the default parameters; they are in `stats`.

        Raises
        ------
        Exception
            Before `accumulate`.
        """
        if not self.eval:
            raise Exception("Please run accumulate() first")
        iou_type = self.params.iouType
        if iou_type not in ("segm", "bbox", "keypoints"):
            raise UnboundLocalError(f"no summary is known of iouType {iou_type}")
        self.stats = summarised(self.eval, self.params, iou_type)

    def __str__(self) -> str:
        # Which Python does not take for a text.
        return self.summarize()  # type: ignore[func-returns-value, return-value]


def _ranked(pred: list[Any], cap: Any) -> list[Any]:
    ranked = [pred[d] for d in stable_order([-each["score"] for each in pred])]
    return ranked[0:cap] if len(ranked) > cap else ranked
