"""What the evaluators of pycocotools and lvis call what both have."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["COCO", "LVIS", "Names"]


class Names(NamedTuple):
    """The names of one of them."""

    # Of the evaluator.
    results: str
    cells: str
    evaluate_cell: str
    curves: tuple[str, ...]  # in what `accumulate` makes
    # Of a cell.
    scores: str
    left_out: str
    # Of the parameters.
    images: str
    categories: str
    use_categories: str
    iou_type: str
    iou_thresholds: str
    recalls: str
    areas: str
    area_labels: str


COCO = Names(
    results="cocoDt",
    cells="evalImgs",
    evaluate_cell="evaluateImg",
    curves=("precision", "recall", "scores"),
    scores="dtScores",
    left_out="dtIgnore",
    images="imgIds",
    categories="catIds",
    use_categories="useCats",
    iou_type="iouType",
    iou_thresholds="iouThrs",
    recalls="recThrs",
    areas="areaRng",
    area_labels="areaRngLbl",
)
LVIS = Names(
    results="lvis_dt",
    cells="eval_imgs",
    evaluate_cell="evaluate_img",
    curves=("precision", "recall", "dt_pointers", "counts"),
    scores="dt_scores",
    left_out="dt_ignore",
    images="img_ids",
    categories="cat_ids",
    use_categories="use_cats",
    iou_type="iou_type",
    iou_thresholds="iou_thrs",
    recalls="rec_thrs",
    areas="area_rng",
    area_labels="area_rng_lbl",
)
