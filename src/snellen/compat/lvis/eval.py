"""The evaluation of results against an LVIS data set: the names of ``lvis.eval``."""

from __future__ import annotations

import datetime as dt
import logging
from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np

from snellen.compat.lvis.curves import Sizes, curves_of_cells, curves_of_evaluation
from snellen.compat.lvis.lvis import LVIS, is_data_set
from snellen.compat.lvis.params import Params
from snellen.compat.lvis.results import LVISResults, is_results
from snellen.compat.lvis.rules import LVIS_NAMES, cells_in_part, rules_of
from snellen.compat.lvis.summary import lines_of, mean_of, numbers_of
from snellen.compat.pycocotools import mask as mask_utils
from snellen.compat.pycocotools._mask import iou as own_iou
from snellen.compat.pycocotools.cell_list import CellList
from snellen.compat.pycocotools.cells import Cell, stable_order
from snellen.compat.pycocotools.completion import compress
from snellen.compat.pycocotools.documents import no_collection
from snellen.compat.pycocotools.evaluation import Evaluation
from snellen.compat.pycocotools.groups import GroupsAttribute, LazyGroups, extended
from snellen.compat.pycocotools.overridden import has_other, remembered

__all__ = ["LVISEval", "Params"]


@remembered
class LVISEval:
    """Average precision and recall of results, in classes that were looked for in each image.

    Parameters
    ----------
    lvis_gt : LVIS or str
        The truth, or its file.
    lvis_dt : LVISResults, str or list of dict
        The results, or what `LVISResults` makes them of.
    iou_type : {"segm", "bbox"}
        What two objects are compared by.

    Attributes
    ----------
    params : Params
        Thresholds, images, categories: set them before `evaluate`.
    eval_imgs : sequence of dict or None
        After `evaluate`, what was matched, by category, area range and image: the ids, scores and
        matches of detections and truth. None where a category is not in an image. Each is made
        when it is looked at.
    ious : mapping
        After `evaluate`, the IoU of all pairs of an image and a category.
    img_nel, freq_groups : dict, list of list
        After `evaluate`, the categories of an image that were not annotated exhaustively; the
        positions of rare, common and frequent categories.
    eval : dict
        After `accumulate`, ``precision`` (T, R, K, A), ``recall`` (T, K, A), -1 where nothing is to
        be found, and ``dt_pointers``: of each category and area range the detections by rank.
    results : OrderedDict
        After `summarize`, the numbers by name.

    Raises
    ------
    ValueError
        For another iou_type.
    TypeError
        For other truth or results.
    """

    # The annotations of each image and category, which scripts and subclasses read and set.
    _gts: Any = GroupsAttribute("_truth_of_cell")
    _dts: Any = GroupsAttribute("_pred_of_cell")

    def __init__(self, lvis_gt: Any, lvis_dt: Any, iou_type: Any = "segm") -> None:
        self.logger = logging.getLogger("lvis.eval")
        if iou_type not in ["bbox", "segm"]:
            raise ValueError(f"iou_type: {iou_type} is not supported.")
        if is_data_set(lvis_gt):
            self.lvis_gt = lvis_gt
        elif isinstance(lvis_gt, str):
            self.lvis_gt = LVIS(lvis_gt)
        else:
            raise TypeError(f"Unsupported type {lvis_gt} of lvis_gt.")
        if is_results(lvis_dt):
            self.lvis_dt = lvis_dt
        elif isinstance(lvis_dt, (str, list)):
            self.lvis_dt = LVISResults(self.lvis_gt, lvis_dt)
        else:
            raise TypeError(f"Unsupported type {lvis_dt} of lvis_dt.")
        self.eval_imgs: Any = defaultdict(list)
        self.eval: dict[str, Any] = {}
        self._truth_of_cell: Any = defaultdict(list)
        self._pred_of_cell: Any = defaultdict(list)
        self.params: Any = Params(iou_type=iou_type)
        self.results: Any = OrderedDict()
        self.ious: Any = {}
        self.params.img_ids = sorted(self.lvis_gt.get_img_ids())
        self.params.cat_ids = sorted(self.lvis_gt.get_cat_ids())

    def _to_mask(self, anns: Any, lvis: Any) -> None:
        usual = isinstance(lvis, LVIS) and not has_other(lvis, "ann_to_rle")
        compress(anns, lvis.ann_to_rle, lvis.imgs if usual else None)

    def _prepare(self) -> None:
        """Collect the annotations that are evaluated, in addition to those of an earlier time.

        Masks are compressed, truth is marked. Detections of categories that nobody looked for in
        their image are left out.
        """
        p = self.params
        cat_ids = p.cat_ids if p.cat_ids else None
        truth, pred = (
            data.load_anns(data.get_ann_ids(img_ids=p.img_ids, cat_ids=cat_ids))
            for data in (self.lvis_gt, self.lvis_dt)
        )
        if p.iou_type == "segm":
            self._to_mask(truth, self.lvis_gt)
            self._to_mask(pred, self.lvis_dt)
        for each in truth:
            if "ignore" not in each:
                each["ignore"] = 0
        self._truth_of_cell = extended(self._truth_of_cell, truth)
        images = self.lvis_gt.load_imgs(ids=p.img_ids)
        absent = {each["id"]: each["neg_category_ids"] for each in images}
        present = {(each["image_id"], each["category_id"]) for each in truth}
        self.img_nel = {each["id"]: each["not_exhaustive_category_ids"] for each in images}
        kept: list[Any] = []
        looked_for: dict[Any, bool] = {}
        try:
            for each in pred:
                cell = each["image_id"], each["category_id"]
                if cell not in looked_for:
                    looked_for[cell] = cell[1] in absent[cell[0]] or cell in present
                if looked_for[cell]:
                    kept.append(each)
        finally:
            self._pred_of_cell = extended(self._pred_of_cell, kept)
        self.freq_groups = self._prepare_freq_group()

    def _prepare_freq_group(self) -> list[list[int]]:
        labels = self.params.img_count_lbl
        groups: list[list[int]] = [[] for _ in labels]
        for position, category in enumerate(self.lvis_gt.load_cats(self.params.cat_ids)):
            groups[labels.index(category["frequency"])].append(position)
        return groups

    def evaluate(self) -> None:
        """Match all images; the results are in `eval_imgs`."""
        self.logger.info("Running per image evaluation.")
        self.logger.info(f"Evaluate annotation type *{self.params.iou_type}*")
        p = self.params
        p.img_ids = list(np.unique(p.img_ids))
        with no_collection():
            self._prepare()
        steps = "_prepare", "_get_gt_dt", "compute_iou", "evaluate_img"
        replaced = has_other(self, *steps) or mask_utils.iou is not own_iou
        if replaced or not self._evaluate_columns():
            self._evaluate_cells()

    def _evaluate_columns(self) -> bool:
        """Evaluate all at once; say whether it could be done, for it cannot of odd values."""
        p = self.params
        rules = rules_of(p)
        sides = self._truth_of_cell, self._pred_of_cell
        if rules is None or not all(isinstance(side, LazyGroups) for side in sides):
            return False
        in_part = cells_in_part(rules, self.img_nel)
        if in_part is None:
            return False
        truth, pred = (side.all_annotations() for side in sides)
        evaluation = Evaluation.of(rules, truth, pred, in_part)
        if evaluation is None:
            return False
        for place, ignored in evaluation.last_ignored():
            truth[place]["_ignore"] = ignored
        self._truth_of_cell, self._pred_of_cell = (
            side._replace(images=list(p.img_ids), categories=[list(p.cat_ids)]) for side in sides
        )
        self.ious = evaluation.overlaps()
        self.eval_imgs = CellList.of(evaluation)
        return True

    def _evaluate_cells(self) -> None:
        p = self.params
        categories = p.cat_ids if p.use_cats else [-1]
        self.ious = {
            (image, category): self.compute_iou(image, category)
            for image in p.img_ids
            for category in categories
        }
        self.eval_imgs = [
            self.evaluate_img(image, category, area_rng)
            for category in categories
            for area_rng in p.area_rng
            for image in p.img_ids
        ]

    def _get_gt_dt(self, img_id: Any, cat_id: Any) -> tuple[list[Any], list[Any]]:
        truth, pred = self._gts, self._dts
        if self.params.use_cats:
            return truth[img_id, cat_id], pred[img_id, cat_id]
        # As often as there are categories those of this one, not of each: lvis' way.
        return (
            [each for _ in self.params.cat_ids for each in truth[img_id, cat_id]],
            [each for _ in self.params.cat_ids for each in pred[img_id, cat_id]],
        )

    def compute_iou(self, img_id: Any, cat_id: Any) -> Any:
        """Return the IoU of detections, by rank, with truth.

        Returns
        -------
        ndarray, shape (n_pred, n_truth), or an empty list
            Of boxes or masks; empty where a side is.
        """
        truth, pred = self._get_gt_dt(img_id, cat_id)
        if len(truth) == 0 and len(pred) == 0:
            return []
        order = stable_order([-each["score"] for each in pred])
        kind = self.params.iou_type
        if kind not in ("segm", "bbox"):
            raise ValueError("Unknown iou_type for iou computation.")
        field = "segmentation" if kind == "segm" else "bbox"
        shapes = [each[field] for each in truth]
        return mask_utils.iou([pred[d][field] for d in order], shapes, [0] * len(shapes))

    def evaluate_img(self, img_id: Any, cat_id: Any, area_rng: Any) -> Any:
        """Return what is matched of one category in one image, or None where it is not there.

        Parameters
        ----------
        img_id, cat_id : object
            The image and the category.
        area_rng : pair of float
            Truth of another area does not count, nor do detections that match nothing.
        """
        truth, pred = self._get_gt_dt(img_id, cat_id)
        if len(truth) == 0 and len(pred) == 0:
            return None
        for each in truth:
            ignored = each["ignore"] or (each["area"] < area_rng[0] or each["area"] > area_rng[1])
            each["_ignore"] = 1 if ignored else 0
        pred = [pred[d] for d in stable_order([-each["score"] for each in pred])]
        return Cell(
            image_id=img_id,
            category_id=cat_id,
            truth_ids=[each["id"] for each in truth],
            pred_ids=[each["id"] for each in pred],
            scores=[each["score"] for each in pred],
            crowd=[0] * len(truth),
            ignored=[each["_ignore"] for each in truth],
            outside=[
                each["area"] < area_rng[0]
                or each["area"] > area_rng[1]
                or each["category_id"] in self.img_nel[each["image_id"]]
                for each in pred
            ],
            iou=self.ious[img_id, cat_id],
        ).evaluated(LVIS_NAMES, area_rng, None, self.params.iou_thrs)

    def accumulate(self) -> None:
        """Make curves of what was matched; they are in `eval`."""
        self.logger.info("Accumulating evaluation results.")
        cells, p = self.eval_imgs, self.params
        if not cells:
            self.logger.warning("Please run evaluate first.")
        sizes = Sizes(
            thresholds=len(p.iou_thrs),
            recalls=len(p.rec_thrs),
            categories=len(p.cat_ids if p.use_cats else [-1]),
            areas=len(p.area_rng),
            images=len(p.img_ids),
        )
        evaluation = cells.evaluated() if isinstance(cells, CellList) else None
        curves = None
        if evaluation is not None:
            curves = curves_of_evaluation(evaluation, p.rec_thrs, sizes)
        if curves is None:
            curves = curves_of_cells(cells, p.rec_thrs, sizes)
        self.eval = {
            "params": p,
            "counts": list(sizes[:4]),
            "date": dt.datetime.now().strftime("%Y-%m-%d %H:%M:%S"),
            "precision": curves.precision,
            "recall": curves.recall,
            "dt_pointers": curves.pointers,
        }

    def _summarize(
        self, summary_type: Any, iou_thr: Any = None, area_rng: Any = "all",
        freq_group_idx: Any = None,
    ) -> Any:  # fmt: skip
        p = self.params
        areas = [i for i, label in enumerate(p.area_rng_lbl) if label == area_rng]
        values = self.eval["precision" if summary_type == "ap" else "recall"]
        if iou_thr is not None:
            values = values[np.where(iou_thr == p.iou_thrs)[0]]
        if summary_type != "ap":
            return mean_of(values[:, :, areas])
        if freq_group_idx is None:
            return mean_of(values[:, :, :, areas])
        return mean_of(values[:, :, self.freq_groups[freq_group_idx], areas])

    def summarize(self) -> None:
        """Make the numbers; they are in `results`.

        Raises
        ------
        RuntimeError
            Before `accumulate`.
        """
        if not self.eval:
            raise RuntimeError("Please run accumulate() first.")
        for name, number in numbers_of(self._summarize, self.params.max_dets):
            self.results[name] = number

    def run(self) -> None:
        """Evaluate, accumulate and summarize."""
        self.evaluate()
        self.accumulate()
        self.summarize()

    def print_results(self) -> None:
        """Print a line for each number."""
        for line in lines_of(self.results, self.params):
            print(line)

    def get_results(self) -> Any:
        """Return the numbers by name."""
        if not self.results:
            self.logger.warning("results is empty. Call run().")
        return self.results
