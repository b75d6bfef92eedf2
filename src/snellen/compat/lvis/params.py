"""The parameters of an evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Params"]

_LARGEST = 1e5**2


class Params:
    """What is evaluated, and by which thresholds; every field can be set.

    Parameters
    ----------
    iou_type : {"segm", "bbox"}
        What two objects are compared by.

    Attributes
    ----------
    img_ids, cat_ids : list
        The images and categories; `LVISEval` takes all of the truth.
    iou_thrs, rec_thrs : ndarray of float64
        IoU thresholds, and where on the recall axis precision is read off.
    max_dets : int
        What is printed. How many results of an image there are is for `LVISResults`.
    area_rng, area_rng_lbl : list
        Closed intervals of square pixels, and their names.
    use_cats : int
        1; with 0 only objects of category -1 are found.
    img_count_lbl : list of str
        The ``frequency`` of rare, common and frequent categories.
    iou_type : str
        The argument.
    """

    def __init__(self, iou_type: Any) -> None:
        self.img_ids: Any = []
        self.cat_ids: Any = []
        self.iou_thrs: Any = np.linspace(0.5, 0.95, 10)
        self.rec_thrs: Any = np.linspace(0.0, 1.0, 101)
        self.max_dets: Any = 300
        self.area_rng: Any = [[0, _LARGEST], [0, 32**2], [32**2, 96**2], [96**2, _LARGEST]]
        self.area_rng_lbl: Any = ["all", "small", "medium", "large"]
        self.use_cats: Any = 1
        self.img_count_lbl: Any = ["r", "c", "f"]
        self.iou_type = iou_type
